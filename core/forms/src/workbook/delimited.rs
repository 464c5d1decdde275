//! Comma-separated values (RFC 4180), or separated by semicolons where the first line has those and no comma.

use super::{COLUMNS_MAX, Held, Row};
use crate::refused::{FormRefused, Reason};

/// The rows, each with the line on which it begins.
pub(crate) fn rows(bytes: &[u8]) -> Result<Vec<Row>, FormRefused> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let (mut rows, mut held) = (Vec::new(), Held::default());
    let number = |line: u64| usize::try_from(line).unwrap_or(usize::MAX);
    // A record's place is where the one before it ended: blank lines lie between.
    let begins = |place: &csv::Position| {
        let blank = bytes
            .get(number(place.byte())..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| matches!(byte, b'\n' | b'\r'));
        number(place.line()) + blank.filter(|byte| **byte == b'\n').count()
    };
    for record in reader.records() {
        let record = record.map_err(|error| match error.kind() {
            csv::ErrorKind::Utf8 { pos, .. } => {
                FormRefused::at("", number(pos.as_ref().map_or(1, csv::Position::line)), "", Reason::NotUtf8)
            }
            _ => FormRefused::whole(Reason::NotATable),
        })?;
        let row = Row::of(record.position().map_or(0, begins), record.iter().map(tidy));
        if row.cells.is_empty() {
            continue;
        }
        let refused = |reason| FormRefused::at("", row.number, "", reason);
        held.row().map_err(refused)?;
        for (column, text) in &row.cells {
            let fits = if *column < COLUMNS_MAX { Ok(()) } else { Err(Reason::too_much("columns", COLUMNS_MAX)) };
            fits.and_then(|()| held.cell(text)).map_err(refused)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn tidy(cell: &str) -> String {
    cell.replace('\u{a0}', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_numbers_of_their_lines() {
        let read = rows("\u{feff}a,\u{a0}b \n\n\"two\nlines\",x\nc,,d\n".as_bytes()).expect("four rows");
        let found: Vec<(usize, Vec<(usize, &str)>)> = read
            .iter()
            .map(|row| (row.number, row.cells.iter().map(|(at, cell)| (*at, cell.as_str())).collect()))
            .collect();
        assert_eq!(found[0], (1, vec![(0, "a"), (1, "b")]));
        assert_eq!(found[1], (3, vec![(0, "two\nlines"), (1, "x")]));
        assert_eq!(found[2], (5, vec![(0, "c"), (2, "d")]));
        let other = rows(b"a;b\n1,5;2\n").expect("two rows");
        assert_eq!(other[1].cells, [(0, "1,5".to_owned()), (1, "2".to_owned())]);
    }

    #[test]
    fn what_is_not_utf_8_is_refused_with_its_line() {
        let refused = rows(b"a,b\nc,\xff\n").expect_err("a byte that is none of UTF-8");
        assert_eq!((refused.row, refused.reason), (2, Reason::NotUtf8));
    }
}
