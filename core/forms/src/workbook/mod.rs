//! Sheets of cells, from whatever file they came: each cell a text, each row with its number for people.
//!
//! Nothing is interpreted here: what a sheet or a column means is the business of the form.

mod delimited;
mod excel;
mod markdown;

use std::collections::BTreeMap;

use crate::refused::{FormRefused, Reason};

/// Longest file of a form, in bytes; the largest deployed questionnaires take a tenth of it.
pub const FILE_BYTES_MAX: usize = 32 << 20;
/// Most rows of all sheets together.
pub const ROWS_MAX: usize = 200_000;
/// Most columns of a sheet.
pub const COLUMNS_MAX: usize = 16_384;
/// Most bytes of all cells together.
pub(crate) const CELLS_BYTES_MAX: usize = 64 << 20;

/// What kind of file a form is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Office Open XML, `.xlsx`.
    Xlsx,
    /// Excel 97–2003, `.xls`.
    Xls,
    /// All sheets below each other, separated by commas, `.csv`.
    Csv,
    /// All sheets below each other as Markdown tables, `.md`.
    Markdown,
    /// An XForm, `.xml`.
    Xml,
}

impl FileKind {
    /// The kind of a file, by its first bytes and, where those do not tell, by its name.
    pub fn of(name: &str, bytes: &[u8]) -> Option<Self> {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        match (bytes, first, extension.as_deref()) {
            ([b'P', b'K', 3, 4, ..], ..) => Some(Self::Xlsx),
            ([0xd0, 0xcf, 0x11, 0xe0, ..], ..) => Some(Self::Xls),
            (_, Some(b'<'), _) => Some(Self::Xml),
            (_, Some(b'|'), _) | (_, _, Some("md")) => Some(Self::Markdown),
            (_, _, Some("csv")) => Some(Self::Csv),
            _ => None,
        }
    }
}

/// The sheets of one file, in its order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workbook {
    pub(crate) sheets: Vec<Sheet>,
}

/// One sheet: its heading and the rows below it that are not blank.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    /// Number of the heading's row in the file, from 1.
    pub(crate) heading_row: usize,
    pub(crate) heading: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    pub(crate) cells: Vec<String>,
}

impl Workbook {
    /// Reads a file of this kind.
    pub(crate) fn read(kind: FileKind, bytes: &[u8]) -> Result<Self, FormRefused> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(FormRefused::whole(Reason::TooLarge));
        }
        let raw = match kind {
            FileKind::Xlsx => excel::xlsx(bytes)?,
            FileKind::Xls => excel::xls(bytes)?,
            FileKind::Csv => stacked(delimited::rows(bytes)?)?,
            FileKind::Markdown => stacked(markdown::rows(bytes)?)?,
            FileKind::Xml => return Err(FormRefused::whole(Reason::NotATable)),
        };
        let sheets: Result<Vec<Sheet>, FormRefused> =
            raw.into_iter().filter_map(|(name, rows)| Sheet::new(name, rows).transpose()).collect();
        let workbook = Self { sheets: sheets? };
        let rows: usize = workbook.sheets.iter().map(|sheet| sheet.rows.len()).sum();
        if rows > ROWS_MAX { Err(FormRefused::whole(Reason::TooLarge)) } else { Ok(workbook) }
    }

    /// The sheet of this name, whatever the case of its letters.
    pub(crate) fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name.eq_ignore_ascii_case(name))
    }
}

impl Sheet {
    /// `None` when nothing stands in it.
    fn new(name: String, rows: Vec<Row>) -> Result<Option<Self>, FormRefused> {
        let mut rows = rows.into_iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        let Some(heading) = rows.next() else { return Ok(None) };
        if heading.cells.len() > COLUMNS_MAX {
            return Err(FormRefused::at(&name, heading.number, "", Reason::TooLarge));
        }
        let sheet = Self { name, heading_row: heading.number, heading: heading.cells, rows: rows.collect() };
        for row in &sheet.rows {
            let outside = row
                .cells
                .iter()
                .enumerate()
                .find(|(at, cell)| !cell.is_empty() && sheet.heading.get(*at).is_none_or(String::is_empty));
            if let Some((at, _)) = outside {
                return Err(FormRefused::at(&sheet.name, row.number, &column(at), Reason::NoHeading));
            }
        }
        Ok(Some(sheet))
    }
}

/// The letters of a column, as spreadsheets show them.
pub(crate) fn column(index: usize) -> String {
    let (mut letters, mut rest) = (Vec::new(), index + 1);
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Sheets that stand below each other: a filled first cell names a sheet, what follows is its table.
fn stacked(rows: Vec<Row>) -> Result<Vec<(String, Vec<Row>)>, FormRefused> {
    let mut sheets: Vec<(String, Vec<Row>)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mut row in rows {
        if row.cells.is_empty() {
            continue;
        }
        let first = row.cells.remove(0);
        if !first.is_empty() {
            if seen.insert(first.to_lowercase(), row.number).is_some() {
                return Err(FormRefused::at(&first, row.number, "", Reason::Repeated(first.clone())));
            }
            sheets.push((first, Vec::new()));
            // A heading may stand in the same row as the name.
            if row.cells.iter().all(String::is_empty) {
                continue;
            }
        }
        let Some((_, rows)) = sheets.last_mut() else {
            return Err(FormRefused::at("", row.number, "", Reason::NotATable));
        };
        rows.push(row);
    }
    Ok(sheets)
}
