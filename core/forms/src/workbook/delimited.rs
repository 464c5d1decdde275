//! Comma-separated values (RFC 4180).

use super::{COLUMNS_MAX, Held, Row};
use crate::refused::{FormRefused, Reason};

/// The rows, each with the line on which it begins.
pub(crate) fn rows(bytes: &[u8]) -> Result<Vec<Row>, FormRefused> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let (mut rows, mut held) = (Vec::new(), Held::default());
    let number = |line: u64| usize::try_from(line).unwrap_or(usize::MAX);
    for record in reader.records() {
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { pos, .. } => {
                FormRefused::at("", number(pos.as_ref().map_or(1, csv::Position::line)), "", Reason::NotUtf8)
            }
            _ => FormRefused::whole(Reason::NotATable),
        })?;
        let row = Row::of(number(record.position().map_or(0, csv::Position::line)), record.iter().map(tidy));
        if row.cells.is_empty() {
            continue;
        }
        let refused = |reason| FormRefused::at("", row.number, "", reason);
        held.row().map_err(refused)?;
        for (column, text) in &row.cells {
            let fits = if *column < COLUMNS_MAX { Ok(()) } else { Err(Reason::TooLarge) };
            fits.and_then(|()| held.cell(text)).map_err(refused)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn tidy(cell: &str) -> String {
    cell.replace('\u{a0}', " ").trim().to_owned()
}
