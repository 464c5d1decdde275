//! Two forms that should be one: what one reader made of a workbook, and another of the XForm that it was converted to.

use std::collections::{BTreeMap, BTreeSet};

use merestone_forms::model::{
    Choices, ChoicesFrom, Formula, Instance, Metadata, Model, Node, NodeIndex, NodeKind, Preset as Answer,
    QuestionKind, Text, Words,
};

/// What differs between the form of a workbook and the one of its XForm, in words, sorted.
///
/// Left out is what the converter adds and the form does not say: the calculations of repeat counts, the headings
/// of table lists, and `-` for a text that is not translated.
pub(crate) fn differences(workbook: &Model, xform: &Model) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |place: &str, what: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("{place} {what}: {ours} | {theirs}"));
        }
    };
    note("form", "title", workbook.title.clone(), xform.title.clone());
    note("form", "version", workbook.version.clone(), xform.version.clone());
    note("form", "id", id(workbook), id(xform));
    note("form", "languages", format!("{:?}", languages(workbook)), format!("{:?}", languages(xform)));
    let (ours, theirs) = (by_path(workbook), by_path(xform));
    for (path, index) in &ours {
        let Some(other) = theirs.get(path) else {
            note(path, "node", kind(&workbook.nodes[*index]), "none".to_owned());
            continue;
        };
        for ((what, one), (_, two)) in facts(workbook, *index, path).into_iter().zip(facts(xform, *other, path)) {
            note(path, what, one, two);
        }
    }
    for (path, index) in theirs.iter().filter(|(path, index)| !ours.contains_key(*path) && !is_added(xform, **index)) {
        note(path, "node", "none".to_owned(), kind(&xform.nodes[*index]));
    }
    found.sort();
    found
}

fn id(model: &Model) -> String {
    model.settings.get("form_id").unwrap_or(&model.id).clone()
}

fn languages(model: &Model) -> BTreeSet<&str> {
    model.languages.iter().map(|language| language.0.as_str()).collect()
}

/// Nodes by their paths; the form's own name is left out, as it is not that of the workbook.
fn by_path(model: &Model) -> BTreeMap<String, NodeIndex> {
    let mut paths: Vec<String> = Vec::new();
    for node in &model.nodes {
        let above = node.parent.map_or("", |parent| paths[parent].as_str());
        let own = node.parent.map_or(String::new(), |_| format!("/{}", node.name));
        paths.push(format!("{above}{own}"));
    }
    paths.into_iter().enumerate().skip(1).map(|(index, path)| (path, index)).collect()
}

fn is_added(model: &Model, index: NodeIndex) -> bool {
    let name = &model.nodes[index].name;
    let is_count = name.strip_suffix("_count").is_some_and(|repeat| model.nodes.iter().any(|node| node.name == repeat));
    is_count
        || name.starts_with("generated_table_list_label_")
        || name.starts_with("reserved_name_for_field_list_labels_")
}

fn kind(node: &Node) -> String {
    let question = match &node.kind {
        NodeKind::Group => return "group".to_owned(),
        NodeKind::Repeat { .. } => return "repeat".to_owned(),
        NodeKind::Question(question) => question,
    };
    match question {
        QuestionKind::SelectOne(_) => "select one".to_owned(),
        QuestionKind::SelectMultiple(_) => "select multiple".to_owned(),
        QuestionKind::Rank(_) => "rank".to_owned(),
        QuestionKind::Metadata(Metadata::Audit) => "Hidden".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a node says, as texts that can be compared.
fn facts(model: &Model, index: NodeIndex, path: &str) -> Vec<(&'static str, String)> {
    let node = &model.nodes[index];
    let is_note = matches!(node.kind, NodeKind::Question(QuestionKind::Note));
    let is_hidden = matches!(node.kind, NodeKind::Question(QuestionKind::Hidden | QuestionKind::Metadata(_)));
    let formula = |formula: &Option<Formula>| formula.as_ref().map_or(String::new(), |f| plain(model, &f.text, path));
    let read_only = if is_note || is_hidden { String::new() } else { formula(&node.read_only) };
    let default = match &node.default {
        None => String::new(),
        Some(Answer::Text(text)) => text.trim_start_matches("jr://images/").to_owned(),
        Some(Answer::Formula(own)) => plain(model, &own.text, path),
    };
    let is_table = node.appearance.contains("table-list") || node.appearance.starts_with("field-list");
    let mut facts = vec![
        ("kind", kind(node)),
        ("hint", words(model, &node.hint, path)),
        ("image", words(model, &node.media.image, path)),
        ("relevant", formula(&node.relevant)),
        ("required", formula(&node.required)),
        ("constraint", formula(&node.constraint)),
        ("constraint message", words(model, &node.constraint_message, path)),
        ("required message", words(model, &node.required_message, path)),
        ("calculation", formula(&node.calculation)),
        ("read only", read_only),
        ("default", default),
        ("offers", node.choices().map_or(String::new(), |choices| offered(model, choices, path))),
    ];
    // The converter moves the heading of a table list to a note in it, and writes its appearance anew.
    if !is_table {
        facts.push(("label", words(model, &node.label, path)));
        facts.push(("appearance", node.appearance.replace("list-nolabel", "").trim().to_owned()));
    }
    facts
}

/// Texts in all languages, by the names of those.
fn words(model: &Model, words: &Words, path: &str) -> String {
    let text = |text: &Text| {
        let filled = text.filled(|formula| format!("${{{}}}", plain(model, &formula.text, path)));
        let tidy: Vec<&str> = filled.split_whitespace().collect();
        tidy.join(" ").replace(['“', '”'], "\"").replace(['‘', '’'], "'")
    };
    let default = model.default_language.map(|language| model.languages[language].0.clone());
    let mut by_language: BTreeMap<String, String> = BTreeMap::new();
    for (language, own) in &words.translated {
        by_language.insert(model.languages[*language].0.clone(), text(own));
    }
    if let Some(own) = &words.fallback {
        by_language.entry(default.unwrap_or_default()).or_insert_with(|| text(own));
    }
    by_language.retain(|_, text| text != "-" && !text.is_empty());
    // A text without a language stands for every language that has none of its own.
    let distinct: BTreeSet<&String> = by_language.values().collect();
    match distinct.len() {
        0 => String::new(),
        1 => distinct.into_iter().next().cloned().unwrap_or_default(),
        _ => format!("{by_language:?}"),
    }
}

/// The choices with their texts, and which of them are offered.
fn offered(model: &Model, choices: &Choices, path: &str) -> String {
    let filter = choices.filter.as_ref().map_or(String::new(), |filter| plain(model, &filter.text, path));
    let randomize = choices.randomize.is_some();
    let from = match &choices.from {
        ChoicesFrom::Nodes { items, value, label } => {
            let texts = [items, value, label].map(|formula| plain(model, formula.text.trim_start_matches("./"), path));
            texts.join(" ")
        }
        ChoicesFrom::Instance { name, value, label } => match &model.instances[name] {
            Instance::List(items) => {
                let item = |item: &merestone_forms::model::Item| {
                    let cells: Vec<_> = item.columns.iter().filter(|(name, _)| **name != *"itextId").collect();
                    format!("{} {} {cells:?}", item.name, words(model, &item.label, path))
                };
                items.iter().map(item).collect::<Vec<_>>().join("; ")
            }
            Instance::Absent { file } => format!("{file} {value} {label}"),
            other => format!("{other:?}"),
        },
    };
    format!("{from} [{filter}] {randomize}")
}

/// An expression without spaces outside quotes, and with absolute paths for those that go up from the question. The
/// form's own name, which the converter chooses, is left out.
fn plain(model: &Model, text: &str, path: &str) -> String {
    let mut plain = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => continue,
            _ => {}
        }
        plain.push(c);
    }
    let root = format!("/{}", model.root);
    let mut absolute =
        plain.replace("current()/", "").replace('"', "'").replace(&format!("{root}/"), "/").replace(&root, "");
    while let Some(at) = absolute.find("..") {
        let length = absolute[at..].len() - absolute[at..].trim_start_matches(['.', '/']).len();
        let ups = absolute[at..at + length].matches("..").count();
        let steps: Vec<&str> = path.split('/').collect();
        let above = steps.get(..steps.len().saturating_sub(ups)).unwrap_or_default().join("/");
        absolute.replace_range(at..at + length, &format!("{above}/"));
    }
    absolute
}
