//! XLSForm: the sheets `survey`, `choices`, `settings` to a [`Model`].
//!
//! Follows the XLSForm standard (xlsform.org) and, where it is silent, what the forms in use rely on. What has no
//! effect here is said in [`Model::notices`]; what cannot be understood refuses the form, with its place.

mod choices;
mod columns;
mod formulas;
mod settings;
mod survey;
mod types;

use crate::model::{Language, Model, Notice};
use crate::refused::{FormRefused, Reason};
use crate::workbook::Workbook;
use columns::Table;

/// Sheets that hold nothing for who fills the form.
const OTHER_SHEETS: &[&str] = &["external_choices", "entities", "osm", "cascades", "columns"];

/// Reads the form of a workbook; `stem` is the file's name without its extension, which names forms without an id.
pub(crate) fn read(workbook: &Workbook, stem: &str) -> Result<Model, FormRefused> {
    let mut languages = Vec::new();
    let mut notices = Vec::new();
    let survey = workbook.sheet("survey").or(match workbook.sheets.as_slice() {
        // A workbook of one sheet is a survey, whatever its sheet is called.
        [only] => Some(only),
        _ => None,
    });
    let survey = survey.ok_or_else(|| FormRefused::at("survey", 0, "", Reason::MissingSheet))?;
    let survey = Table::new(survey, &mut languages)?;
    let lists = match workbook.sheet("choices") {
        Some(sheet) => choices::read(&Table::new(sheet, &mut languages)?)?,
        None => Default::default(),
    };
    let settings = match workbook.sheet("settings") {
        Some(sheet) => settings::read(&Table::new(sheet, &mut languages)?, stem, &mut notices)?,
        None => settings::unset(stem)?,
    };
    for sheet in &workbook.sheets {
        if OTHER_SHEETS.iter().any(|other| sheet.name.eq_ignore_ascii_case(other)) {
            notices.push(Notice {
                sheet: sheet.name.clone(),
                row: sheet.heading_row,
                column: String::new(),
                text: "this sheet is not used".to_owned(),
            });
        }
    }
    let default_language = default_language(&settings.default_language, &languages);
    survey::read(&survey, survey::Parts { lists, settings, languages, default_language, notices })
}

/// The language named in the settings, by its name or its code; otherwise the first.
fn default_language(wanted: &str, languages: &[Language]) -> Option<usize> {
    let named = languages.iter().position(|language| language.0 == wanted || language.code() == Some(wanted));
    named.or_else(|| (!languages.is_empty()).then_some(0))
}
