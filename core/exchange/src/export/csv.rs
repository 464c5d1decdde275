//! Tables as CSV (RFC 4180), UTF-8, one file a table.

use super::NotWritten;
use crate::guard::neutralise;
use crate::table::{Cell, Sheet};

/// A table as CSV, its headings first. Every text is quoted and neutralised; numbers are neither.
///
/// # Errors
/// If the library refuses a row; none of a table of this room is refused.
pub fn csv(sheet: &Sheet) -> Result<Vec<u8>, NotWritten> {
    let refused = |error| NotWritten::new("CSV", error);
    // A number needs no quotes, so the reader of a spreadsheet sees at once what is text.
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
    writer.write_record(&sheet.columns).map_err(refused)?;
    for row in &sheet.rows {
        writer.write_record(row.iter().map(text)).map_err(refused)?;
    }
    writer.into_inner().map_err(|error| NotWritten::new("CSV", error.into_error()))
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
