//! Every file of the folder of forms that nobody here wrote: loaded, or refused for the reason that the table says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::{env, fs};

use merestone_forms::model::{Model, NodeKind};

/// One line a file: its path, and what reading it comes to.
const TABLE: &str = "tests/conformance/expected/fixtures.tsv";

/// What a form holds, in one line.
fn summary(model: &Model) -> String {
    let count = |is: fn(&NodeKind) -> bool| model.nodes.iter().filter(|node| is(&node.kind)).count();
    let questions = count(|kind| matches!(kind, NodeKind::Question(_)));
    let groups = count(|kind| matches!(kind, NodeKind::Group));
    let repeats = count(|kind| matches!(kind, NodeKind::Repeat { .. }));
    let (languages, instances, notices) = (model.languages.len(), model.instances.len(), model.notices.len());
    format!(
        "loaded\t{questions} questions, {groups} groups, {repeats} repeats, {instances} instances, {languages} languages, \
         {notices} notices"
    )
}

#[test]
fn every_file_is_loaded_or_refused_as_the_table_says() {
    let Some(forms) = crate::common::forms() else {
        return crate::skip::skip("the folder of forms is absent (MERESTONE_SHARED names the folder it is in)");
    };
    let mut found = String::new();
    for file in crate::common::files(&forms) {
        let name = file.strip_prefix(&forms).expect("it is below the folder").to_string_lossy().into_owned();
        let outcome =
            crate::common::read(&file).map_or_else(|refused| format!("refused\t{refused}"), |model| summary(&model));
        writeln!(found, "{name}\t{outcome}").expect("a text can be written to");
    }
    if env::var_os("MERESTONE_WRITE_TABLES").is_some() {
        return fs::write(TABLE, found).expect("the table can be written");
    }
    let table = fs::read_to_string(TABLE).expect("the table is committed");
    let rows = |text: &str| -> BTreeMap<String, String> {
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        pairs.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).collect()
    };
    let (wanted, found) = (rows(&table), rows(&found));
    let wrong: Vec<_> = found.iter().filter(|(name, outcome)| wanted.get(*name) != Some(outcome)).collect();
    let missing: Vec<_> = wanted.keys().filter(|name| !found.contains_key(*name)).collect();
    assert!(wrong.is_empty() && missing.is_empty(), "not as the table says: {wrong:#?}; absent: {missing:?}");
}
