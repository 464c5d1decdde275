//! XForm: the XML that ODK's tools exchange, to a [`Model`] (ODK XForms specification 1.0).
//!
//! The primary instance gives the tree and the names, the binds what answers must hold to, the body what is asked.
//! The tree keeps the order in which the instance has it. What has no effect here is said in [`Model::notices`].

mod actions;
mod binds;
mod body;
mod choices;
mod itemset;
mod itext;
mod secondary;
mod source;
mod tree;

use std::collections::BTreeMap;

use crate::model::{Element, Model};
use crate::refused::{FormRefused, Reason};
use crate::xlsform::as_name;
use itext::Itext;
use source::{Source, attribute, child, elements};
use tree::Tree;

/// Elements of a model that are read here, or by one of the rooms above.
const IN_MODEL: &[&str] =
    &["instance", "bind", "itext", "setvalue", "setgeopoint", "recordaudio", "submission", "action"];

/// Reads a form; `stem` is the file's name without its extension, which names forms without an id.
pub(crate) fn read(bytes: &[u8], stem: &str) -> Result<Model, FormRefused> {
    if bytes.len() > crate::workbook::FILE_BYTES_MAX {
        return Err(FormRefused::whole(Reason::TooLarge));
    }
    let text = source::text(bytes).map_err(FormRefused::whole)?;
    let source = Source::parse(&text)?;
    let root = source.document.root_element();
    let missing = |name: &str| source.refused(root, "", Reason::Xml(format!("there is no `{name}`")));
    let head = child(root, "head").ok_or_else(|| missing("head"))?;
    let model = child(head, "model").ok_or_else(|| missing("model"))?;
    let body = child(root, "body").ok_or_else(|| missing("body"))?;
    let mut notices = Vec::new();
    let itext = match child(model, "itext") {
        Some(itext) => Itext::read(&source, itext, &mut notices)?,
        None => Itext::default(),
    };
    for unread in elements(model).filter(|element| !IN_MODEL.contains(&element.tag_name().name())) {
        notices.push(source.notice(unread, "", "this element is not used"));
    }
    let primary = elements(model).find(|element| element.tag_name().name() == "instance");
    let primary = primary.and_then(|instance| elements(instance).next()).ok_or_else(|| missing("instance"))?;
    let repeats = body::repeats(&source, body, &format!("/{}", primary.tag_name().name()))?;
    let mut tree = Tree::read(&source, primary, &repeats, notices)?;
    secondary::read(&source, model, &mut tree)?;
    binds::read(&source, model, &itext, &mut tree)?;
    body::read(&source, body, &itext, &mut tree)?;
    actions::read(&source, root, &mut tree)?;
    let id = attribute(primary, "id").or_else(|| primary.tag_name().namespace()).unwrap_or(stem);
    let title = child(head, "title").and_then(|title| title.text()).unwrap_or(stem).trim().to_owned();
    let mut settings = BTreeMap::from([("form_id".to_owned(), id.to_owned())]);
    if let Some(style) = attribute(body, "class") {
        settings.insert("style".to_owned(), style.to_owned());
    }
    if let Some(submission) = child(model, "submission") {
        settings
            .extend(submission.attributes().map(|own| (format!("submission::{}", own.name()), own.value().to_owned())));
    }
    let not_a_name = || source.refused(primary, "id", Reason::NotAName(id.to_owned()));
    let name = as_name(id).or_else(|| as_name(stem)).ok_or_else(not_a_name)?;
    let version = attribute(primary, "version").unwrap_or_default().to_owned();
    Ok(finish(tree, itext, Model { id: name, title, version, settings, ..empty(source.name(primary)) }))
}

/// Elements of a file in any shape.
///
/// # Errors
/// If it is no XML, declares a document type, or is too deep or too large.
pub(crate) fn tree(bytes: &[u8]) -> Result<Element, FormRefused> {
    let text = source::text(bytes).map_err(FormRefused::whole)?;
    let document = source::parse(&text)?;
    Ok(secondary::element(&text, document.root_element()))
}

fn empty(root: &str) -> Model {
    Model {
        id: String::new(),
        title: String::new(),
        version: String::new(),
        languages: Vec::new(),
        default_language: None,
        root: root.to_owned(),
        nodes: Vec::new(),
        instances: BTreeMap::new(),
        instance_name: None,
        texts: BTreeMap::new(),
        settings: BTreeMap::new(),
        notices: Vec::new(),
    }
}

fn finish(tree: Tree, itext: Itext, mut model: Model) -> Model {
    let (nodes, instance_name) = tree.finish();
    (model.nodes, model.instance_name) = (nodes.nodes, instance_name);
    (model.instances, model.notices) = (nodes.instances, nodes.notices);
    // Only expressions look for texts by id, and few forms have any that do.
    if model.formulas().any(|formula| formula.text.contains("jr:itext")) {
        model.texts = itext.words().map(|(id, words)| (id.clone(), words.clone())).collect();
    }
    (model.languages, model.default_language) = (itext.languages, itext.default_language);
    model
}

/// The path that an element's `ref` or `nodeset` means, from where it stands.
fn resolve(context: &str, path: &str) -> String {
    let path = path.trim();
    let mut steps: Vec<&str> = Vec::new();
    if !path.starts_with('/') {
        steps.extend(context.split('/').filter(|step| !step.is_empty()));
    }
    for step in path.split('/').map(str::trim).filter(|step| !step.is_empty()) {
        match step {
            "." | "current()" => {}
            ".." => drop(steps.pop()),
            step => steps.push(step.rsplit_once(':').map_or(step, |(_, local)| local)),
        }
    }
    steps.iter().map(|step| format!("/{step}")).collect()
}
