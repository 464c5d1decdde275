//! Sheets of cells, from whatever file they came: each cell a text, each row with its number for people.
//!
//! Nothing is interpreted here: what a sheet or a column means is the business of the form.

mod delimited;
#[cfg(feature = "excel")]
pub(crate) mod excel;
#[cfg(feature = "excel")]
pub(crate) mod legacy;
mod markdown;

use std::collections::BTreeMap;

use crate::reading::NamedFile;
use crate::refused::{FormRefused, Reason};

pub(crate) use delimited::rows as delimited;

/// Longest file of a form, in bytes; the largest deployed questionnaires take a tenth of it.
pub const FILE_BYTES_MAX: usize = 32 << 20;
/// Most rows of all sheets together.
pub const FILE_ROWS_MAX: usize = 200_000;
/// Most columns of a sheet.
pub const COLUMNS_MAX: usize = 16_384;
/// Most bytes of all cells together, each with [`CELL_BYTES`] beside its text.
pub(crate) const CELLS_BYTES_MAX: usize = 64 << 20;
/// What a filled cell takes beside its text.
const CELL_BYTES: usize = 32;

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
    /// Whether a file is called as forms are.
    pub(crate) fn is_named(name: &str) -> bool {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        matches!(extension.as_deref(), Some("xlsx" | "xls" | "xml" | "csv" | "md"))
    }

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
    /// Empty where a column has none.
    pub(crate) heading: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row that is not blank.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// The cells that are not empty, by column from 0, in order.
    pub(crate) cells: Vec<(usize, String)>,
}

impl Workbook {
    /// Reads a file of this kind.
    pub(crate) fn read(kind: FileKind, bytes: &[u8]) -> Result<Self, FormRefused> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(FormRefused::whole(Reason::too_much("bytes", FILE_BYTES_MAX)));
        }
        let raw = match kind {
            #[cfg(feature = "excel")]
            FileKind::Xlsx => excel::xlsx(bytes)?,
            #[cfg(feature = "excel")]
            FileKind::Xls => excel::xls(bytes)?,
            #[cfg(not(feature = "excel"))]
            FileKind::Xlsx | FileKind::Xls => return Err(FormRefused::whole(Reason::ExcelNotHere)),
            FileKind::Csv => stacked(delimited(bytes)?)?,
            FileKind::Markdown => stacked(markdown::rows(bytes)?)?,
            FileKind::Xml => return Err(FormRefused::whole(Reason::NotATable)),
        };
        Ok(Self { sheets: raw.into_iter().filter_map(|(name, rows)| Sheet::new(name, rows)).collect() })
    }

    /// Adds the other sheets of a form whose survey is a file of its own.
    pub(crate) fn add_beside(&mut self, name: &str, beside: &[NamedFile<'_>]) -> Result<(), FormRefused> {
        const SHEETS: [&str; 3] = ["choices", "external_choices", "settings"];
        if !name.eq_ignore_ascii_case("survey.csv") {
            return Ok(());
        }
        for sheet in SHEETS {
            let file = format!("{sheet}.csv");
            let given = beside.iter().find(|given| given.name.eq_ignore_ascii_case(&file));
            let Some(given) = given.filter(|_| self.sheet(sheet).is_none()) else { continue };
            let here = |refused: FormRefused| FormRefused { sheet: sheet.to_owned(), ..refused };
            if given.bytes.len() > FILE_BYTES_MAX {
                return Err(here(FormRefused::whole(Reason::too_much("bytes", FILE_BYTES_MAX))));
            }
            self.sheets.extend(Sheet::new(sheet.to_owned(), delimited(given.bytes).map_err(here)?));
        }
        Ok(())
    }

    /// The sheet of this name, whatever the case of its letters.
    pub(crate) fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name.trim().eq_ignore_ascii_case(name))
    }
}

impl Sheet {
    /// `None` when nothing stands in it.
    pub(crate) fn new(name: String, rows: Vec<Row>) -> Option<Self> {
        let mut rows = rows.into_iter();
        let first = rows.next()?;
        let mut heading = vec![String::new(); first.cells.last().map_or(0, |(column, _)| column + 1)];
        for (column, text) in first.cells {
            heading[column] = text;
        }
        Some(Self { name, heading_row: first.number, heading, rows: rows.collect() })
    }

    /// Whether some cell holds this text.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(|(_, cell)| cell.contains(text))
    }
}

impl Row {
    /// A row of the texts that stand beside each other.
    fn of(number: usize, cells: impl Iterator<Item = String>) -> Self {
        let cells = cells.enumerate().filter(|(_, cell)| !cell.is_empty()).collect();
        Self { number, cells }
    }
}

/// Counts what is held of a file, row by row.
#[derive(Default)]
struct Held {
    rows: usize,
    bytes: usize,
}

impl Held {
    /// One more row.
    fn row(&mut self) -> Result<(), Reason> {
        self.rows += 1;
        if self.rows > FILE_ROWS_MAX { Err(Reason::too_much("rows", FILE_ROWS_MAX)) } else { Ok(()) }
    }

    /// One more cell.
    fn cell(&mut self, text: &str) -> Result<(), Reason> {
        self.bytes += text.len() + CELL_BYTES;
        if self.bytes > CELLS_BYTES_MAX { Err(Reason::too_much("bytes in cells", CELLS_BYTES_MAX)) } else { Ok(()) }
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

/// Sheets that stand below each other: a filled first cell names a sheet, what follows is its table. A file whose
/// first row has a column `type` is one sheet, the survey.
fn stacked(rows: Vec<Row>) -> Result<Vec<(String, Vec<Row>)>, FormRefused> {
    let is_type = |(_, cell): &(usize, String)| cell.eq_ignore_ascii_case("type");
    if rows
        .first()
        .is_some_and(|row| row.cells.first().is_some_and(|(at, _)| *at == 0) && row.cells.iter().any(is_type))
    {
        return Ok(vec![("survey".to_owned(), rows)]);
    }
    let is_survey =
        |row: &Row| row.cells.first().is_some_and(|(at, cell)| *at == 0 && cell.eq_ignore_ascii_case("survey"));
    if !rows.iter().any(is_survey) {
        return Err(FormRefused::at("survey", 0, "", Reason::MissingSheet));
    }
    let mut sheets: Vec<(String, Vec<Row>)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mut row in rows {
        if row.cells.first().is_some_and(|(column, _)| *column == 0) {
            let (_, name) = row.cells.remove(0);
            if seen.insert(name.to_lowercase(), row.number).is_some() {
                return Err(FormRefused::at(&name, row.number, "", Reason::Repeated(name.clone())));
            }
            sheets.push((name, Vec::new()));
        }
        for (column, _) in &mut row.cells {
            *column -= 1;
        }
        // A heading may stand in the same row as the name of its sheet.
        if row.cells.is_empty() {
            continue;
        }
        let Some((_, rows)) = sheets.last_mut() else {
            return Err(FormRefused::at("", row.number, "", Reason::NotATable));
        };
        rows.push(row);
    }
    Ok(sheets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet's name, the row and the words of its heading, and how many rows stand below.
    type Seen = (String, usize, Vec<String>, usize);

    fn book(text: &str) -> Result<Vec<Seen>, String> {
        let book = Workbook::read(FileKind::Csv, text.as_bytes()).map_err(|refused| refused.to_string())?;
        let sheet = |sheet: Sheet| (sheet.name, sheet.heading_row, sheet.heading, sheet.rows.len());
        Ok(book.sheets.into_iter().map(sheet).collect())
    }

    #[test]
    fn sheets_may_stand_below_each_other() {
        let heading = || vec!["type".to_owned(), "name".to_owned()];
        let two =
            book("survey,,\n,type,name\n,text,a\n,,\n,text,b\nchoices,list_name,name\n,l,1\n").expect("two sheets");
        assert_eq!(two[0], ("survey".to_owned(), 2, heading(), 2));
        assert_eq!(two[1], ("choices".to_owned(), 6, vec!["list_name".to_owned(), "name".to_owned()], 1));
        assert_eq!(book("type,name\ntext,a\n"), Ok(vec![("survey".to_owned(), 1, heading(), 1)]));
        assert_eq!(book("a,b\n1,2\n"), Err("survey: the sheet is missing or empty".to_owned()));
        assert_eq!(book("survey\n,type\nSurvey\n"), Err("Survey:3: `Survey` stands here already".to_owned()));
        assert_eq!(
            book(",type\nsurvey\n,type\n"),
            Err("1: this is no row of a table under the name of a sheet".to_owned())
        );
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let check = |name: &str, bytes: &[u8], kind| assert_eq!(FileKind::of(name, bytes), kind, "{name}");
        check("a.xls", b"PK\x03\x04", Some(FileKind::Xlsx));
        check("a.xlsx", b"\xd0\xcf\x11\xe0", Some(FileKind::Xls));
        check("a.txt", b"\xef\xbb\xbf \n<?xml", Some(FileKind::Xml));
        check("a", b"| survey |", Some(FileKind::Markdown));
        check("a.CSV", b"survey", Some(FileKind::Csv));
        check("a.jpg", b"\xff\xd8", None);
        check("a", b"", None);
    }

    #[test]
    fn columns_have_the_letters_that_spreadsheets_show() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(column), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
