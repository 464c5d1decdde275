//! Sheets out of a Markdown table, cell by cell, each with its place.

use std::fmt;

/// Longest form document, in bytes: a mission's largest XLSForm, as text, is a tenth of it.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 1_048_576;
/// Most rows of one form document.
pub(crate) const ROWS_MAX: usize = 16_384;

/// A form that cannot be used, with the place to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("form sheet `{sheet}` row {row}, column `{column}`: {reason}")]
pub struct FormRefused {
    /// The sheet's name.
    pub sheet: String,
    /// The row in the document, counted from 1.
    pub row: usize,
    /// The column's heading.
    pub column: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The document is larger than its maximum.
    TooLarge,
    /// A line that is no table row, or a row before any sheet or heading.
    NotATable,
    /// The sheet is missing or has no rows.
    MissingSheet,
    /// The cell may not be empty.
    Empty,
    /// A type of question that is not supported.
    UnknownType(String),
    /// A column or setting that is not supported.
    UnknownColumn,
    /// Not a name: a letter or underscore, then letters, digits, `_`, `-`, `.`, at most 64.
    NotAName,
    /// The name stands already in this form.
    Repeated,
    /// `begin` and `end` do not match, or a repeat inside a repeat.
    Nesting,
    /// The list of choices does not exist.
    UnknownList(String),
    /// Neither `yes` nor empty.
    NotYes,
    /// Text that cannot be signed: control or direction characters, or not composed.
    Text,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(
                f,
                "the form is larger than {DOCUMENT_BYTES_MAX} bytes or {ROWS_MAX} rows, or its title, version or number of questions is"
            ),
            Self::NotATable => f.write_str("this is no row of a table under a sheet name and a heading"),
            Self::MissingSheet => f.write_str("the sheet is missing or empty"),
            Self::Empty => f.write_str("the cell is empty"),
            Self::UnknownType(kind) => write!(f, "the type `{kind}` is not supported"),
            Self::UnknownColumn => f.write_str("the column is not supported"),
            Self::NotAName => {
                f.write_str("a name is a letter or underscore, then letters, digits, `_`, `-` or `.`, at most 64")
            }
            Self::Repeated => f.write_str("the name stands twice in this form"),
            Self::Nesting => f.write_str("begin and end do not match, or a repeat stands inside a repeat"),
            Self::UnknownList(list) => write!(f, "there is no list of choices `{list}`"),
            Self::NotYes => f.write_str("write `yes` or leave the cell empty"),
            Self::Text => f.write_str("the text holds control or direction characters, or is not composed (NFC)"),
        }
    }
}

/// One sheet: a heading and rows.
pub(crate) struct Sheet<'a> {
    pub(crate) name: &'a str,
    heading: Vec<&'a str>,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    line: usize,
    cells: Vec<&'a str>,
}

/// One row with its heading, for looking cells up by column.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'s, 'a> {
    sheet: &'s Sheet<'a>,
    row: &'s Row<'a>,
}

impl<'a> Sheet<'a> {
    /// The rows below the heading.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Cells<'_, 'a>> {
        self.rows.iter().map(|row| Cells { sheet: self, row })
    }

    /// Refuses a heading that is not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), FormRefused> {
        let unknown = self.heading.iter().find(|heading| !heading.is_empty() && !known.contains(heading));
        let line = self.rows.first().map_or(1, |row| row.line - 1);
        unknown.map_or(Ok(()), |column| Err(refused(self.name, line, column, Reason::UnknownColumn)))
    }
}

impl<'a> Cells<'_, 'a> {
    /// The cell under `column`; empty when there is none.
    pub(crate) fn cell(&self, column: &str) -> &'a str {
        let index = self.sheet.heading.iter().position(|heading| *heading == column);
        index.and_then(|index| self.row.cells.get(index).copied()).unwrap_or_default()
    }

    /// The cell under `column`, which must hold signable text.
    pub(crate) fn filled(&self, column: &str) -> Result<&'a str, FormRefused> {
        match self.cell(column) {
            "" => Err(self.refused(column, Reason::Empty)),
            cell => merestone_core::text::check(cell, merestone_core::text::Lines::One, "form cell")
                .map(|()| cell)
                .map_err(|_| self.refused(column, Reason::Text)),
        }
    }

    /// A refusal at this row.
    pub(crate) fn refused(&self, column: &str, reason: Reason) -> FormRefused {
        refused(self.sheet.name, self.row.line, column, reason)
    }
}

/// Reads the sheets of `document`: a row whose first cell is filled names a sheet, the next row is its heading.
pub(crate) fn read(document: &str) -> Result<Vec<Sheet<'_>>, FormRefused> {
    if document.len() > DOCUMENT_BYTES_MAX || document.lines().count() > ROWS_MAX {
        return Err(refused("", 1, "", Reason::TooLarge));
    }
    let mut sheets: Vec<Sheet<'_>> = Vec::new();
    for (index, line) in document.lines().enumerate() {
        let (line, at) = (line.trim(), index + 1);
        if line.is_empty() {
            continue;
        }
        let inside = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
        let inside = inside.ok_or_else(|| refused("", at, "", Reason::NotATable))?;
        let mut cells = inside.split('|').map(str::trim);
        let name = cells.next().unwrap_or_default();
        let cells: Vec<&str> = cells.collect();
        if !name.is_empty() {
            sheets.push(Sheet { name, heading: Vec::new(), rows: Vec::new() });
            continue;
        }
        let Some(sheet) = sheets.last_mut() else { return Err(refused("", at, "", Reason::NotATable)) };
        if sheet.heading.is_empty() {
            sheet.heading = cells;
        } else {
            sheet.rows.push(Row { line: at, cells });
        }
    }
    Ok(sheets)
}

pub(crate) fn refused(sheet: &str, row: usize, column: &str, reason: Reason) -> FormRefused {
    FormRefused { sheet: sheet.to_owned(), row, column: column.to_owned(), reason }
}
