//! The sheet `settings`: what holds for the whole form.

use std::collections::BTreeMap;

use merestone_core::form::is_question;

use super::columns::Table;
use crate::model::{Notice, is_name, note};
use crate::refused::{FormRefused, Reason};

/// What the sheet says.
pub(super) struct Settings {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) default_language: String,
    pub(super) instance_name: String,
    pub(super) root: String,
    /// Where the sheet stands, for messages.
    pub(super) row: usize,
    /// Settings that mean something to a server or another app only.
    pub(super) others: BTreeMap<String, String>,
}

impl Settings {
    /// Whether filled forms have no name of their own.
    pub(super) fn omits_instance_id(&self) -> bool {
        let omit = self.others.get("omit_instanceid").map(|omit| omit.to_lowercase());
        matches!(omit.as_deref(), Some("yes" | "true" | "true()"))
    }
}

/// Settings that mean something here.
const READ: &[&str] =
    &["form_title", "form_id", "version", "default_language", "instance_name", "name", "xml_root", ""];

/// Settings that are read and of which nothing comes here, each with what that means.
const NO_EFFECT: &[(&str, &str)] = &[
    ("instance_id", "records have ids of their own"),
    ("public_key", "records are signed and not encrypted for a server"),
];

/// Settings that are kept and have no effect on filling.
const PASSED_ON: &[&str] = &[
    "style",
    "public_key",
    "submission_url",
    "auto_send",
    "auto_delete",
    "client_editable",
    "omit_instanceid",
    "allow_choice_duplicates",
    "clean_text_values",
    "add_none_option",
    "flat",
    "namespaces",
    "instance_xmlns",
    "prefix",
    "delimiter",
    "sms_keyword",
    "sms_separator",
    "sms_allow_media",
    "sms_date_format",
    "sms_datetime_format",
    "sms_response",
];

/// Reads the first row of the sheet.
pub(super) fn read(table: &Table<'_>, stem: &str, notices: &mut Vec<Notice>) -> Result<Settings, FormRefused> {
    let mut settings = unset(stem)?;
    let Some(line) = table.rows().next() else { return Ok(settings) };
    settings.row = line.number();
    let is_known = |name: &str| READ.contains(&name) || PASSED_ON.contains(&name);
    table.look(|name| is_known(name) || NO_EFFECT.iter().any(|(known, _)| *known == name), notices)?;
    for (name, meaning) in NO_EFFECT.iter().filter(|(name, _)| !line.cell(name).is_empty()) {
        note(notices, table.notice(line.number(), name, meaning));
    }
    for other in table.rows().skip(1) {
        note(notices, table.notice(other.number(), "", "settings stand in the first row only"));
    }
    for (column, cell) in line.cells() {
        let cell = cell.to_owned();
        match column.name.as_str() {
            "form_title" => settings.title = cell,
            "form_id" => {
                settings.id = as_name(&cell).ok_or_else(|| line.refused("form_id", Reason::NotAName(cell.clone())))?;
                settings.others.insert("form_id".to_owned(), cell);
            }
            "version" => settings.version = cell,
            "default_language" => settings.default_language = cell,
            "instance_name" => settings.instance_name = cell,
            "name" | "xml_root" if is_name(&cell) => settings.root = cell,
            "name" | "xml_root" => return Err(line.refused(&column.name, Reason::NotAName(cell))),
            other => {
                if PASSED_ON.contains(&other) {
                    settings.others.insert(other.to_owned(), cell);
                }
            }
        }
    }
    if !table.has("form_title") {
        settings.title.clone_from(&settings.id);
    }
    Ok(settings)
}

/// A form without settings is called as its file.
pub(super) fn unset(stem: &str) -> Result<Settings, FormRefused> {
    let id =
        as_name(stem).ok_or_else(|| FormRefused::at("settings", 0, "form_id", Reason::NotAName(stem.to_owned())))?;
    Ok(Settings {
        title: stem.to_owned(),
        id,
        version: String::new(),
        default_language: String::new(),
        instance_name: String::new(),
        root: "data".to_owned(),
        row: 0,
        others: BTreeMap::new(),
    })
}

/// A name made of any text: what a name cannot hold becomes `_`.
pub(crate) fn as_name(text: &str) -> Option<String> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut name: String = text.chars().map(|c| if is_inner(c) { c } else { '_' }).take(64).collect();
    if name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_') {
        name.insert(0, '_');
        name.truncate(64);
    }
    let says_something = name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    (is_question(&name) && says_something).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_that_says_something_makes_a_name() {
        let check = |text: &str, wanted: Option<&str>| assert_eq!(as_name(text).as_deref(), wanted, "{text}");
        check("visit", Some("visit"));
        check("My form (v2)", Some("My_form__v2_"));
        check("2024-visit", Some("_2024-visit"));
        check("форма 1", Some("______1"));
        check("---", None);
        check("", None);
        check(&"a".repeat(100), Some(&"a".repeat(64)));
    }
}
