//! Comma-separated values (RFC 4180).

use super::{CELLS_BYTES_MAX, ROWS_MAX, Row};
use crate::refused::{FormRefused, Reason};

/// The rows, each with the line on which it begins.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<Row>, FormRefused> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let (mut rows, mut held) = (Vec::new(), 0);
    for record in reader.records() {
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { pos, .. } => {
                let line = pos.as_ref().map_or(1, csv::Position::line);
                FormRefused::at("", usize::try_from(line).unwrap_or(usize::MAX), "", Reason::NotUtf8)
            }
            _ => FormRefused::whole(Reason::NotATable),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        held += record.as_slice().len();
        if rows.len() >= ROWS_MAX || held > CELLS_BYTES_MAX {
            return Err(FormRefused::whole(Reason::TooLarge));
        }
        let cells = record.iter().map(|cell| cell.trim().to_owned()).collect();
        rows.push(Row { number: usize::try_from(line).unwrap_or(usize::MAX), cells });
    }
    Ok(rows)
}
