//! Data that forms look at: files beside a form, and how all of it becomes documents for expressions.

mod documents;
mod files;

use std::collections::BTreeSet;

use crate::model::{Instance, Model, Notice};
use crate::reading::NamedFile;
use crate::refused::FormRefused;

pub(crate) use files::instance;

/// Puts the files that were given into the instances that need them; a file that was not given is named.
pub(crate) fn attach(model: &mut Model, beside: &[NamedFile<'_>]) -> Result<(), FormRefused> {
    pulled(model);
    for (name, instance) in &mut model.instances {
        let Instance::Absent { file } = instance else { continue };
        match beside.iter().find(|given| given.name == file) {
            Some(given) => *instance = files::read(given)?,
            None => model.notices.push(Notice {
                sheet: String::new(),
                row: 0,
                column: name.clone(),
                text: format!("the file `{file}` was not given: nothing is found in it"),
            }),
        }
    }
    Ok(())
}

/// `pulldata('name', …)` needs the file `name.csv`.
fn pulled(model: &mut Model) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for formula in model.formulas() {
        for (_, after) in
            formula.text.match_indices("pulldata").map(|(at, word)| formula.text.split_at(at + word.len()))
        {
            let inside = after.trim_start().strip_prefix('(').map(str::trim_start).unwrap_or_default();
            let quoted = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
            if let Some((name, _)) = quoted.and_then(|quote| inside[1..].split_once(quote)) {
                names.insert(name.to_owned());
            }
        }
    }
    for name in names {
        let file = format!("{name}.csv");
        model.instances.entry(name).or_insert(Instance::Absent { file });
    }
}
