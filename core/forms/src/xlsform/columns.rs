//! What the headings of XLSForm sheets mean: one name for each of the spellings in use, and the language in it.

use crate::model::Language;
use crate::refused::{FormRefused, Reason};
use crate::workbook::{Row, Sheet, column};

/// The meaning of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its one name, in lower case: `label`, `media::image`, `relevant`, …
    pub(super) name: String,
    /// The number of the language after `::`, if there is one.
    pub(super) language: Option<usize>,
    /// The heading as it stands in the file.
    pub(super) heading: String,
}

/// A sheet whose columns are understood.
pub(super) struct Table<'s> {
    pub(super) sheet: &'s Sheet,
    pub(super) columns: Vec<Column>,
}

/// Spellings that mean another name, per XLSForm and the forms that are in use.
const SPELLINGS: &[(&str, &str)] = &[
    ("list name", "list_name"),
    ("value", "name"),
    ("tag", "name"),
    ("command", "type"),
    ("caption", "label"),
    ("relevance", "relevant"),
    ("skip_logic", "relevant"),
    ("skip logic", "relevant"),
    ("calculate", "calculation"),
    ("readonly", "read_only"),
    ("read only", "read_only"),
    ("requiredmsg", "required_message"),
    ("required message", "required_message"),
    ("constraint message", "constraint_message"),
    ("constraint_msg", "constraint_message"),
    ("constraining message", "constraint_message"),
    ("repeat count", "repeat_count"),
    ("guidance hint", "guidance_hint"),
    ("image", "media::image"),
    ("big-image", "media::big-image"),
    ("media::big_image", "media::big-image"),
    ("audio", "media::audio"),
    ("video", "media::video"),
    ("bind::relevant", "relevant"),
    ("bind::required", "required"),
    ("bind::constraint", "constraint"),
    ("bind::calculate", "calculation"),
    ("bind::readonly", "read_only"),
    ("bind::jr:constraintmsg", "constraint_message"),
    ("bind::jr:requiredmsg", "required_message"),
    ("control::appearance", "appearance"),
    ("body::appearance", "appearance"),
    ("title", "form_title"),
    ("id_string", "form_id"),
    ("set form title", "form_title"),
    ("set form id", "form_id"),
    ("form title", "form_title"),
    ("form id", "form_id"),
];

/// Columns that may have a language.
const TRANSLATED: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "constraint_message",
    "required_message",
    "media::image",
    "media::big-image",
    "media::audio",
    "media::video",
];

impl<'s> Table<'s> {
    /// Understands the columns of a sheet; languages that are new are added to `languages`.
    pub(super) fn new(sheet: &'s Sheet, languages: &mut Vec<Language>) -> Result<Self, FormRefused> {
        let columns: Vec<Column> = sheet.heading.iter().map(|heading| Column::of(heading, languages)).collect();
        for (index, column) in columns.iter().enumerate() {
            let again = columns[..index].iter().any(|before| {
                !column.name.is_empty() && (&before.name, before.language) == (&column.name, column.language)
            });
            if again {
                let reason = Reason::Repeated(column.heading.clone());
                return Err(FormRefused::at(&sheet.name, sheet.heading_row, &column.heading, reason));
            }
        }
        Ok(Self { sheet, columns })
    }

    /// The rows, each with its cells by name.
    pub(super) fn rows(&self) -> impl Iterator<Item = Line<'_>> {
        self.sheet.rows.iter().map(|row| Line { table: self, row })
    }

    /// Whether there is a column of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }
}

impl Column {
    fn of(heading: &str, languages: &mut Vec<Language>) -> Self {
        let tidy = heading.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, language) = match split(&tidy) {
            Some((name, language)) => (name, Some(number(language, languages))),
            None => (canonical(&tidy), None),
        };
        Self { name, language, heading: heading.to_owned() }
    }
}

/// A translated column's name and its language.
fn split(heading: &str) -> Option<(String, &str)> {
    let parts: Vec<(usize, &str)> = heading.match_indices("::").collect();
    let cuts = parts
        .iter()
        .map(|(at, _)| (*at, 2))
        .chain(parts.is_empty().then(|| heading.find(':')).flatten().map(|at| (at, 1)));
    cuts.map(|(at, length)| (canonical(heading[..at].trim()), heading[at + length..].trim()))
        .filter(|(name, language)| TRANSLATED.contains(&name.as_str()) && !language.is_empty())
        .reduce(|_, last| last)
}

fn canonical(heading: &str) -> String {
    let lower = heading.to_lowercase().replace(" ::", "::").replace(":: ", "::");
    let other = SPELLINGS.iter().find(|(spelling, _)| *spelling == lower);
    other.map_or(lower, |(_, name)| (*name).to_owned())
}

fn number(language: &str, languages: &mut Vec<Language>) -> usize {
    let known = languages.iter().position(|known| known.0 == language);
    known.unwrap_or_else(|| {
        languages.push(Language(language.to_owned()));
        languages.len() - 1
    })
}

/// One row with its headings.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    table: &'t Table<'t>,
    row: &'t Row,
}

impl<'t> Line<'t> {
    /// The cell under `name`, without a language; empty where there is none.
    pub(super) fn cell(self, name: &str) -> &'t str {
        self.cells().find(|(column, _)| column.name == name && column.language.is_none()).map_or("", |(_, cell)| cell)
    }

    /// The filled cells with their columns.
    pub(super) fn cells(self) -> impl Iterator<Item = (&'t Column, &'t str)> {
        let pairs = self.table.columns.iter().zip(&self.row.cells);
        pairs.filter(|(_, cell)| !cell.is_empty()).map(|(column, cell)| (column, cell.as_str()))
    }

    /// Its number in the file.
    pub(super) fn number(self) -> usize {
        self.row.number
    }

    /// A refusal here; under the heading as it stands in the file.
    pub(super) fn refused(self, name: &str, reason: Reason) -> FormRefused {
        let at = self.table.columns.iter().position(|column| column.name == name);
        let heading = at.map_or(name.to_owned(), |at| {
            let heading = &self.table.columns[at].heading;
            if heading.is_empty() { column(at) } else { heading.clone() }
        });
        FormRefused::at(&self.table.sheet.name, self.row.number, &heading, reason)
    }
}
