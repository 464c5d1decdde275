//! Why a form cannot be used, and where to look.

use std::fmt;

use crate::expr::ParseError;
use crate::model::Notice;

/// A form that cannot be used, with the place to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FormRefused {
    /// The sheet's name; empty where the file is none, and the element's path in an XForm.
    pub sheet: String,
    /// The row in the file, from 1; 0 where it is the file as a whole.
    pub row: usize,
    /// The column's heading, or its letters where it has none.
    pub column: String,
    /// What is wrong.
    pub reason: Reason,
}

impl FormRefused {
    pub(crate) fn at(sheet: &str, row: usize, column: &str, reason: Reason) -> Self {
        Self { sheet: sheet.to_owned(), row, column: column.to_owned(), reason }
    }

    /// A remark about this place.
    pub(crate) fn notice(&self, text: &str) -> Notice {
        let (sheet, column) = (self.sheet.clone(), self.column.clone());
        Notice { sheet, row: self.row, column, text: text.to_owned() }
    }

    /// Of the file as a whole.
    pub(crate) fn whole(reason: Reason) -> Self {
        Self::at("", 0, "", reason)
    }
}

impl fmt::Display for FormRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.sheet, self.row, &self.column)?;
        write!(f, "{}", self.reason)
    }
}

/// `sheet:row:column: `, as far as there is one; for the whole of a form, nothing.
pub(crate) fn write_place(f: &mut fmt::Formatter<'_>, sheet: &str, row: usize, column: &str) -> fmt::Result {
    if !sheet.is_empty() {
        write!(f, "{sheet}:")?;
    }
    if row > 0 {
        write!(f, "{row}:")?;
    }
    if !column.is_empty() {
        write!(f, "{column}:")?;
    }
    if sheet.is_empty() && row == 0 && column.is_empty() { Ok(()) } else { f.write_str(" ") }
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file, or a part of it, is larger than its maximum.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much of it there may be.
        most: u64,
    },
    /// Not a file that forms come in.
    UnknownFile,
    /// Named as a form and without what such a file begins with.
    DamagedFile,
    /// An Excel file, and this library is built without reading them, as phones' may be.
    ExcelNotHere,
    /// Not a workbook that can be read, or damaged.
    NotAWorkbook,
    /// Not UTF-8.
    NotUtf8,
    /// A line that is no row of a table, or a row before any sheet.
    NotATable,
    /// A cell that holds an error or a date that is none.
    CellError,
    /// The sheet is missing or has no rows.
    MissingSheet,
    /// A needed column is missing.
    MissingColumn,
    /// The cell may not be empty.
    Empty,
    /// A type of question that is not supported.
    UnknownType(String),
    /// A parameter that no type has.
    UnknownParameter(String),
    /// Not a name: a letter or underscore, then letters, digits, `_`, `-`, `.`, at most 255 bytes.
    NotAName(String),
    /// A name that means something else.
    Reserved(String),
    /// The name stands already where it must be unique.
    Repeated(String),
    /// `begin` and `end` do not match.
    Nesting,
    /// Nested deeper than its maximum.
    TooDeep,
    /// The list of choices does not exist.
    UnknownList(String),
    /// `${name}` of a question that does not exist.
    UnknownReference(String),
    /// `${name}` of several questions.
    AmbiguousReference(String),
    /// An expression that cannot be parsed.
    Expression(ParseError),
    /// Calculations that depend on each other in a circle; the names along it.
    Circle(Vec<String>),
    /// XML that is not well formed, or declares entities.
    Xml(String),
    /// A file of places that is none, or has some that forms do not know.
    GeoJson(String),
    /// An element of an XForm that is not supported.
    UnknownElement(String),
}

impl Reason {
    pub(crate) fn too_much(what: &'static str, most: impl TryInto<u64>) -> Self {
        Self::TooMuch { what, most: most.try_into().unwrap_or(u64::MAX) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch { what, most } => write!(f, "more than {most} {what}"),
            Self::UnknownFile => f.write_str("not an .xlsx, .xls, .csv, Markdown or XForm file"),
            Self::DamagedFile => f.write_str("the file is empty or damaged"),
            Self::ExcelNotHere => {
                f.write_str("Excel files are not read here; add the form at base camp, or save it as .csv or .xml")
            }
            Self::NotAWorkbook => f.write_str("the workbook cannot be read; save it again as .xlsx"),
            Self::NotUtf8 => f.write_str("the text is not UTF-8; save it again as UTF-8"),
            Self::NotATable => f.write_str("this is no row of a table under the name of a sheet"),
            Self::CellError => f.write_str("the cell shows an error, or a date that is none"),
            Self::MissingSheet => f.write_str("the sheet is missing or empty"),
            Self::MissingColumn => f.write_str("the column is missing"),
            Self::Empty => f.write_str("the cell is empty"),
            Self::UnknownType(kind) => write!(f, "the type `{kind}` is not supported"),
            Self::UnknownParameter(name) => write!(f, "the parameter `{name}` is not supported here"),
            Self::NotAName(name) => write!(
                f,
                "`{name}` is no name: a letter or underscore, then letters, digits, `_`, `-` or `.`, at most 255 bytes"
            ),
            Self::Reserved(name) => write!(f, "`{name}` means something else and cannot be a name here"),
            Self::Repeated(name) => write!(f, "`{name}` stands here already"),
            Self::Nesting => f.write_str("begin and end do not match"),
            Self::TooDeep => f.write_str("nested too deep"),
            Self::UnknownList(list) => write!(f, "there is no list of choices `{list}`"),
            Self::UnknownReference(name) => write!(f, "the form has no `{name}`"),
            Self::AmbiguousReference(name) => write!(f, "the form has several questions `{name}`"),
            Self::Expression(error) => write!(f, "{error}"),
            Self::Circle(names) => write!(f, "calculated from each other in a circle: {}", names.join(" → ")),
            Self::Xml(why) => write!(f, "not an XForm: {why}"),
            Self::GeoJson(why) => write!(f, "not a GeoJSON file that can be used: {why}"),
            Self::UnknownElement(name) => write!(f, "the element `{name}` is not supported"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_where_to_look() {
        let check = |refused: FormRefused, wanted: &str| assert_eq!(refused.to_string(), wanted);
        check(FormRefused::at("survey", 3, "type", Reason::Empty), "survey:3:type: the cell is empty");
        check(FormRefused::at("choices", 0, "", Reason::MissingSheet), "choices: the sheet is missing or empty");
        let read = |name| crate::model::Model::read(crate::NamedFile { name, bytes: b"" }, &[]).expect_err("nothing");
        check(read("bad.xlsx"), "the file is empty or damaged");
        check(read("bad.jpg"), "not an .xlsx, .xls, .csv, Markdown or XForm file");
        check(FormRefused::whole(Reason::too_much("languages", 256_usize)), "more than 256 languages");
        let circle = Reason::Circle(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]);
        check(
            FormRefused::at("survey", 2, "calculation", circle),
            "survey:2:calculation: calculated from each other in a circle: a → b → a",
        );
    }
}
