//! XLSForm: the sheets `survey`, `choices`, `settings` to a [`Model`].
//!
//! Follows the XLSForm standard (xlsform.org) and, where it is silent, what the forms in use rely on. What has no
//! effect here is said in [`Model::notices`]; what cannot be understood refuses the form, with its place.

mod choices;
mod columns;
mod formulas;
mod parameters;
mod pending;
mod settings;
mod survey;
mod types;

use crate::model::{Instance, Language, Model, Words, note};
use crate::refused::{FormRefused, Reason};
use crate::workbook::Workbook;
use choices::Lists;
use columns::Table;
use formulas::{LAST_SAVED, Paths};
pub(crate) use settings::as_name;

/// Sheets that are read.
const READ: &[&str] = &["survey", "choices", "external_choices", "settings"];

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
    let table = Table::new(survey, &mut languages)?;
    let mut lists = Lists::new();
    let mut is_plain = table.is_plain("label");
    for sheet in ["choices", "external_choices"].into_iter().filter_map(|name| workbook.sheet(name)) {
        let table = Table::new(sheet, &mut languages)?;
        is_plain |= table.is_plain("label");
        choices::read(&table, &mut lists, &mut notices)?;
    }
    let settings = match workbook.sheet("settings") {
        Some(sheet) => settings::read(&Table::new(sheet, &mut languages)?, stem, &mut notices)?,
        None => settings::unset(stem)?,
    };
    for sheet in workbook.sheets.iter().filter(|sheet| sheet.name != survey.name && !sheet.name.starts_with('_')) {
        if !READ.iter().any(|read| sheet.name.trim().eq_ignore_ascii_case(read)) {
            let place = FormRefused::at(&sheet.name, sheet.heading_row, "", Reason::MissingSheet);
            note(&mut notices, place.notice("this sheet is not used"));
        }
    }
    let mut tree = survey::read(&table, &settings.root, &mut lists)?;
    let called = tree.meta(!settings.omits_instance_id(), !settings.instance_name.is_empty());
    std::mem::take(&mut tree.notices).into_iter().for_each(|notice| note(&mut notices, notice));
    let survey::Tree { nodes, pending, instances, .. } = tree;
    let mut model = Model {
        default_language: default_language(&settings.default_language, &languages, is_plain),
        id: settings.id,
        title: settings.title,
        version: settings.version,
        languages,
        root: settings.root,
        nodes,
        instances,
        texts: Default::default(),
        settings: settings.others,
        notices,
    };
    for (name, items) in lists {
        model.instances.entry(name).or_insert(Instance::List(items));
    }
    let paths = Paths::new(&model.nodes);
    for pending in pending {
        pending.resolve(&paths, &mut model)?;
    }
    if let Some(called) = called {
        let at = |reason| FormRefused::at("settings", settings.row, "instance_name", reason);
        model.nodes[called].calculation = Some(paths.formula(&settings.instance_name).map_err(at)?);
    }
    fill(&mut model, &paths, &survey.name)?;
    if workbook.sheets.iter().any(|sheet| sheet.mentions("${last-saved#")) {
        model.instances.insert(LAST_SAVED.to_owned(), Instance::LastSaved);
    }
    Ok(model)
}

/// Puts values into all texts that name questions.
fn fill(model: &mut Model, paths: &Paths, survey: &str) -> Result<(), FormRefused> {
    for node in &mut model.nodes {
        let row = node.row;
        let texts: [(&str, &mut Words); 9] = [
            ("label", &mut node.label),
            ("hint", &mut node.hint),
            ("guidance_hint", &mut node.guidance),
            ("constraint_message", &mut node.constraint_message),
            ("required_message", &mut node.required_message),
            ("media::image", &mut node.media.image),
            ("media::big-image", &mut node.media.big_image),
            ("media::audio", &mut node.media.audio),
            ("media::video", &mut node.media.video),
        ];
        for (column, words) in texts {
            paths.fill(words).map_err(|reason| FormRefused::at(survey, row, column, reason))?;
        }
    }
    let lists = model.instances.values_mut().filter_map(|instance| match instance {
        Instance::List(items) => Some(items),
        _ => None,
    });
    for item in lists.flatten() {
        let row = item.row;
        paths.fill(&mut item.label).map_err(|reason| FormRefused::at("choices", row, "label", reason))?;
    }
    Ok(())
}

/// The language named in the settings, by its name or its code. Otherwise the labels without a language are shown
/// first, where there are some, and the first language where there are none.
fn default_language(wanted: &str, languages: &[Language], is_plain: bool) -> Option<usize> {
    let named = languages.iter().position(|language| language.0 == wanted || language.code() == Some(wanted));
    named.or_else(|| (!languages.is_empty() && !is_plain).then_some(0))
}
