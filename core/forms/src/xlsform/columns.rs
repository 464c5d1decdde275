//! What the headings of XLSForm sheets mean: one name for each of the spellings in use, and the language in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{LANGUAGES_MAX, Language, Notice, note};
use crate::refused::{FormRefused, Reason};
use crate::workbook::{Row, Sheet, column};

/// The meaning of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its one name, in lower case: `label`, `media::image`, `relevant`, …; empty without a heading.
    pub(super) name: String,
    /// The number of the language after `::`, if there is one.
    pub(super) language: Option<usize>,
    /// The heading as it stands in the file.
    pub(super) heading: Arc<str>,
}

/// A sheet whose columns are understood.
pub(super) struct Table<'s> {
    pub(super) sheet: &'s Sheet,
    pub(super) columns: Vec<Column>,
}

/// Spellings that mean another name, per XLSForm and the forms that are in use.
const SPELLINGS: &[(&str, &str)] = &[
    ("value", "name"),
    ("tag", "name"),
    ("command", "type"),
    ("caption", "label"),
    ("relevance", "relevant"),
    ("skip_logic", "relevant"),
    ("calculate", "calculation"),
    ("readonly", "read_only"),
    ("requiredmsg", "required_message"),
    ("constraint_msg", "constraint_message"),
    ("constraining_message", "constraint_message"),
    ("count", "repeat_count"),
    ("jr:count", "repeat_count"),
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
    ("bind::jr:noapperrorstring", "no_app_error_string"),
    ("noapperrorstring", "no_app_error_string"),
    ("control::appearance", "appearance"),
    ("body::appearance", "appearance"),
    ("control::jr:count", "repeat_count"),
    ("body::jr:count", "repeat_count"),
    ("title", "form_title"),
    ("id_string", "form_id"),
    ("set_form_title", "form_title"),
    ("set_form_id", "form_id"),
];

/// Columns that may have a language.
const TRANSLATED: &[&str] = &[
    "label",
    "hint",
    "guidance_hint",
    "constraint_message",
    "required_message",
    "no_app_error_string",
    "media::image",
    "media::big-image",
    "media::audio",
    "media::video",
];

/// First parts of headings that mean something only with what follows.
const PREFIXES: &[&str] = &["media", "bind", "control", "body", "instance", "attribute"];

impl<'s> Table<'s> {
    /// Understands the columns of a sheet; languages that are new are added to `languages`.
    pub(super) fn new(sheet: &'s Sheet, languages: &mut Vec<Language>) -> Result<Self, FormRefused> {
        let columns: Vec<Column> = sheet.heading.iter().map(|heading| Column::of(heading, languages)).collect();
        if languages.len() > LANGUAGES_MAX {
            return Err(FormRefused::at(
                &sheet.name,
                sheet.heading_row,
                "",
                Reason::too_much("languages", LANGUAGES_MAX),
            ));
        }
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| !column.name.is_empty()) {
            let is_same = |before: &&Column| (&before.name, before.language) == (&column.name, column.language);
            if columns[..index].iter().any(|before| is_same(&before)) {
                let reason = Reason::Repeated(column.heading.to_string());
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

    /// Whether there is a column of this name without a language.
    pub(super) fn is_plain(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name && column.language.is_none())
    }

    /// Refuses cells that show an error under a column that is read, and names the columns that are not: once each,
    /// as cells without a heading are.
    pub(super) fn look(&self, is_read: impl Fn(&str) -> bool, notices: &mut Vec<Notice>) -> Result<(), FormRefused> {
        let heading_row = self.sheet.heading_row;
        for unread in self.columns.iter().filter(|column| !column.name.is_empty() && !is_read(&column.name)) {
            note(notices, self.notice(heading_row, &unread.heading, "this column is not used"));
        }
        let mut outside = BTreeSet::new();
        for line in self.rows() {
            for (at, cell) in &line.row.cells {
                let read = self.columns.get(*at).filter(|column| !column.name.is_empty());
                match read {
                    Some(read) if is_error(cell) && is_read(&read.name) => {
                        return Err(line.refused(&read.name, Reason::CellError));
                    }
                    None if outside.insert(*at) => {
                        note(notices, self.notice(line.number(), &column(*at), "cells below no heading are not used"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A remark about a place in the sheet.
    pub(super) fn notice(&self, row: usize, column: &str, text: &str) -> Notice {
        Notice { sheet: self.sheet.name.clone(), row, column: column.to_owned(), text: text.to_owned() }
    }
}

impl Column {
    fn of(heading: &str, languages: &mut Vec<Language>) -> Self {
        let tidy = heading.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, language) = match parts(&tidy) {
            (name, Some(language)) => (name, Some(number(language, languages))),
            (name, None) => (name, None),
        };
        Self { name, language, heading: heading.trim().into() }
    }
}

/// A column's name, and its language if it has one. Parts stand between `::`; in old forms, between `:`.
fn parts(heading: &str) -> (String, Option<&str>) {
    let separator = if heading.contains("::") { "::" } else { ":" };
    let known = canonical(heading);
    if separator == ":" && SPELLINGS.iter().any(|(_, name)| *name == known) {
        return (known, None);
    }
    let mut cuts = heading.match_indices(separator).map(|(at, _)| at);
    let first = cuts.next().map_or(heading, |at| &heading[..at]);
    let mut name_end = first.len();
    if PREFIXES.contains(&canonical(first).as_str()) {
        name_end = cuts.next().unwrap_or(heading.len());
        // `bind:jr:constraintMsg`, in old forms, has a `:` inside its name.
        if separator == ":" && heading[..name_end].ends_with(":jr") {
            name_end = cuts.next().unwrap_or(heading.len());
        }
    }
    let name = canonical(&heading[..name_end]);
    let language = heading[name_end..].strip_prefix(separator).map(str::trim).filter(|language| !language.is_empty());
    match language {
        None => (name, None),
        Some(language) if TRANSLATED.contains(&name.as_str()) => (name, Some(language)),
        Some(_) => (known, None),
    }
}

/// The one name of a heading: lower case, `_` for spaces, and none of its other spellings.
fn canonical(heading: &str) -> String {
    let separator = if heading.contains("::") { "::" } else { ":" };
    let parts =
        heading.split(separator).map(|part| part.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase());
    let parts: Vec<String> = parts.collect();
    let lower = match parts.as_slice() {
        [prefix, namespace, name] if separator == ":" && namespace == "jr" => format!("{prefix}::jr:{name}"),
        [prefix, ..] if PREFIXES.contains(&prefix.as_str()) => parts.join("::"),
        _ => parts.join(separator),
    };
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

/// Whether a cell shows that its spreadsheet could not calculate it.
fn is_error(cell: &str) -> bool {
    const ERRORS: &[&str] = &["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA"];
    ERRORS.contains(&cell)
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

    /// The filled cells with their columns, as far as those have a heading.
    pub(super) fn cells(self) -> impl Iterator<Item = (&'t Column, &'t str)> {
        let columns = &self.table.columns;
        self.row.cells.iter().filter_map(|(at, cell)| Some((columns.get(*at)?, cell.as_str())))
    }

    /// Its number in the file.
    pub(super) fn number(self) -> usize {
        self.row.number
    }

    /// A refusal here; under the heading as it stands in the file.
    pub(super) fn refused(self, name: &str, reason: Reason) -> FormRefused {
        FormRefused::at(&self.table.sheet.name, self.row.number, &self.heading(name), reason)
    }

    /// A remark here.
    pub(super) fn notice(self, name: &str, text: &str) -> Notice {
        self.table.notice(self.row.number, &self.heading(name), text)
    }

    fn heading(self, name: &str) -> String {
        let filled = self.cells().find(|(column, _)| column.name == name).map(|(column, _)| column);
        let column = filled.or_else(|| self.table.columns.iter().find(|column| column.name == name));
        column.map_or(name, |column| &column.heading).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_mean_the_same_in_every_spelling_in_use() {
        let check = |heading: &str, name: &str, language: Option<&str>| {
            assert_eq!(parts(heading), (name.to_owned(), language), "{heading}");
        };
        check("label", "label", None);
        check("Label::English (en)", "label", Some("English (en)"));
        check("label:English", "label", Some("English"));
        check("media::image::Français (fr)", "media::image", Some("Français (fr)"));
        check("image::en", "media::image", Some("en"));
        check("Constraint Message::ar", "constraint_message", Some("ar"));
        check("bind::jr:constraintMsg::en", "constraint_message", Some("en"));
        check("bind::jr:requiredMsg", "required_message", None);
        check("jr:count", "repeat_count", None);
        check("List Name", "list_name", None);
        check("Skip logic", "relevant", None);
        check("bind:relevant", "relevant", None);
        check("bind:jr:constraintMsg", "constraint_message", None);
        check("bind:jr:constraintMsg:French", "constraint_message", Some("French"));
        check("body::accuracyThreshold", "body::accuracythreshold", None);
        check("my:column", "my:column", None);
    }

    #[test]
    fn a_language_has_one_number_in_all_columns() {
        let mut languages = Vec::new();
        let numbers = ["label::fr", "hint::en", "hint::fr"].map(|heading| Column::of(heading, &mut languages).language);
        assert_eq!(numbers, [Some(0), Some(1), Some(0)]);
    }
}
