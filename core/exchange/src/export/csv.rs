//! Tables as CSV (RFC 4180), UTF-8, one file a table.

use crate::guard::neutralise;
use crate::table::{Cell, Sheet};

/// A table as CSV, its headings first. Every text is quoted and neutralised; numbers are neither.
pub fn csv(sheet: &Sheet) -> Vec<u8> {
    // A number needs no quotes, so the reader of a spreadsheet sees at once what is text.
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
    let written = writer.write_record(&sheet.columns);
    let written = sheet.rows.iter().try_fold((), |(), row| writer.write_record(row.iter().map(text))).and(written);
    let bytes = writer.into_inner().map_err(|_| ());
    // A vector takes whatever is written, and every row is as long as the headings.
    written.map_err(|_| ()).and(bytes).unwrap_or_default()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Number(number) => number.clone(),
        Cell::Text(text) => neutralise(text).into_owned(),
    }
}
