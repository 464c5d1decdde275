//! Tables as a workbook (ECMA-376), one sheet a table. A text is a text by type, so nothing in it is a formula.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::guard::is_formula;
use crate::table::{Cell, Sheet};

/// Most rows of a sheet, its heading included.
const ROWS_MAX: usize = 1_048_576;
/// Most columns of a sheet.
const COLUMNS_MAX: usize = 16_384;
/// Most UTF-16 units in a cell.
const TEXT_MAX: usize = 32_767;
/// Whole numbers that a spreadsheet, which has only floating point, shows exactly.
const EXACT_MAX: u64 = 1 << 53;

/// A workbook, and what did not fit into its cells.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// Texts that are longer than a cell can be: their beginning is there, and says so.
    pub cut: Vec<Place>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The row, counted from 1 below the heading.
    pub row: usize,
    /// The heading.
    pub column: String,
}

/// A workbook was not written.
#[derive(Debug, thiserror::Error)]
pub enum XlsxRefused {
    /// A table is larger than a sheet can be.
    #[error("table {table} has {rows} rows and {columns} columns, a sheet at most {ROWS_MAX} and {COLUMNS_MAX}")]
    TooLarge {
        /// The table.
        table: String,
        /// Its rows, with the heading.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// The library refused what it was given.
    #[error("the workbook cannot be written")]
    Library(#[from] Box<XlsxError>),
}

impl From<XlsxError> for XlsxRefused {
    fn from(error: XlsxError) -> Self {
        Self::Library(Box::new(error))
    }
}

/// Writes tables as a workbook.
///
/// # Errors
/// If a table is larger than a sheet can be.
pub fn xlsx(title: &str, sheets: &[Sheet]) -> Result<Written, XlsxRefused> {
    let mut workbook = Workbook::new();
    // The same records give the same bytes on any day.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    let (bold, quoted) = (Format::new().set_bold(), Format::new().set_quote_prefix());
    let mut cut = Vec::new();
    let mut names = Vec::new();
    for sheet in sheets {
        let (rows, columns) = (sheet.rows.len() + 1, sheet.columns.len());
        if rows > ROWS_MAX || columns > COLUMNS_MAX {
            return Err(XlsxRefused::TooLarge { table: sheet.name.clone(), rows, columns });
        }
        let name = sheet_name(&sheet.name, &names);
        let written = workbook.add_worksheet();
        written.set_name(&name)?.set_freeze_panes(1, 0)?;
        names.push(name.to_lowercase());
        for (column, heading) in (0..).zip(&sheet.columns) {
            written.write_string_with_format(0, column, heading, &bold)?;
        }
        for (number, row) in (1..).zip(&sheet.rows) {
            for (column, cell) in (0..).zip(row) {
                if !write(written, (number, column), cell, &quoted)? {
                    let heading = sheet.columns[usize::from(column)].clone();
                    cut.push(Place { table: sheet.name.clone(), row: number as usize, column: heading });
                }
            }
        }
    }
    Ok(Written { bytes: workbook.save_to_buffer()?, cut })
}

/// Writes a cell; says whether it could hold all of it.
fn write(sheet: &mut Worksheet, at: (u32, u16), cell: &Cell, quoted: &Format) -> Result<bool, XlsxError> {
    let (row, column) = at;
    match cell {
        Cell::Empty => {}
        Cell::Bool(value) => {
            sheet.write_boolean(row, column, *value)?;
        }
        Cell::Int(value) if value.unsigned_abs() <= EXACT_MAX => {
            sheet.write_number(row, column, *value as f64)?;
        }
        Cell::Int(value) => {
            sheet.write_string(row, column, value.to_string())?;
        }
        Cell::Number(text) => {
            match text.parse::<f64>() {
                Ok(value) => sheet.write_number(row, column, value)?,
                Err(_) => sheet.write_string(row, column, text)?,
            };
        }
        Cell::Text(text) => {
            let (kept, is_cut) = fitting(text);
            if is_formula(&kept) {
                sheet.write_string_with_format(row, column, kept, quoted)?;
            } else {
                sheet.write_string(row, column, kept)?;
            }
            return Ok(!is_cut);
        }
    }
    Ok(true)
}

/// What a cell can hold of a text, and whether something is missing.
fn fitting(text: &str) -> (String, bool) {
    const MARK: &str = " … [cut]";
    if text.len() <= TEXT_MAX || text.encode_utf16().count() <= TEXT_MAX {
        return (text.to_owned(), false);
    }
    let room = TEXT_MAX - MARK.encode_utf16().count();
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= room
    };
    let kept: String = text.chars().take_while(fits).collect();
    (format!("{kept}{MARK}"), true)
}

/// A name that a sheet can have: at most 31 UTF-16 units, without `[]:*?/\`, not yet taken whatever its case.
fn sheet_name(name: &str, taken: &[String]) -> String {
    let clean: String = name
        .chars()
        .map(|c| if matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'') { '_' } else { c })
        .collect();
    for number in 1.. {
        let suffix = if number == 1 { String::new() } else { format!("~{number}") };
        // Names of questions are ASCII; the kind of a record is such a name too.
        let kept: String = clean.chars().take(31 - suffix.len()).collect();
        let found = format!("{kept}{suffix}");
        if !found.is_empty() && !taken.contains(&found.to_lowercase()) && !found.eq_ignore_ascii_case("history") {
            return found;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_spreadsheets_accept() {
        let long = "a".repeat(40);
        let first = sheet_name(&long, &[]);
        assert_eq!(first.len(), 31);
        let second = sheet_name(&long.to_uppercase(), &[first.to_lowercase()]);
        assert!(second.ends_with("~2") && second.len() == 31);
        assert_eq!(sheet_name("a/b:c", &[]), "a_b_c");
        assert_ne!(sheet_name("History", &[]), "History");
    }

    #[test]
    fn a_long_text_is_cut_where_a_cell_ends_and_named() {
        let text = "\u{1f600}".repeat(TEXT_MAX);
        let (kept, is_cut) = fitting(&text);
        assert!(is_cut && kept.encode_utf16().count() <= TEXT_MAX && kept.ends_with("[cut]"));
        assert_eq!(fitting("short"), ("short".to_owned(), false));
    }
}
