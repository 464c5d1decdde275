//! A form as its readers hand it over: a tree of questions, groups and repeats, lists of choices, and texts in
//! every language. It does not say where it was read from, and nothing is evaluated here.

mod instance;
mod node;
mod notice;
mod words;

use std::collections::BTreeMap;

pub use instance::{Element, Instance, Item, Table};
pub use node::{
    Choices, ChoicesFrom, FORM_NAME_BYTES_MAX, Formula, GROUPS_DEPTH_MAX, MUST_DISCLOSE, Metadata, Node, NodeIndex,
    NodeKind, Preset, QuestionKind,
};
pub(crate) use node::{NAMESPACE, is_name};
pub(crate) use notice::note;
pub use notice::{NOTICES_MAX, Notice};
pub use words::{LANGUAGES_MAX, Language, Media, Output, Text, Words};

/// A form that was read.
#[derive(Clone, Debug)]
pub struct Model {
    /// The kind of record it makes: its `form_id`.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Its languages, in the order in which they first stand.
    pub languages: Vec<Language>,
    /// The language shown first, by number.
    pub default_language: Option<usize>,
    /// Name of the root element, in XML.
    pub root: String,
    /// Groups, repeats and questions; the first is the form itself, each stands after the one it is in.
    pub nodes: Vec<Node>,
    /// Lists of choices, and other data that expressions look at, by name.
    pub instances: BTreeMap<String, Instance>,
    /// Texts that expressions ask for by id (`jr:itext`).
    pub texts: BTreeMap<String, Words>,
    /// Settings that are passed on and mean nothing here, by name.
    pub settings: BTreeMap<String, String>,
    /// What was read and has no effect here, for people.
    pub notices: Vec<Notice>,
}

impl Model {
    /// Every expression of the form, in no particular order.
    pub fn formulas(&self) -> impl Iterator<Item = &Formula> {
        let texts = self.nodes.iter().flat_map(Node::words).flat_map(Words::texts).chain(self.item_texts());
        let outputs = texts.flat_map(|text| &text.outputs).map(|output| &output.formula);
        self.nodes.iter().flat_map(Node::formulas).chain(outputs)
    }

    fn item_texts(&self) -> impl Iterator<Item = &Text> {
        let lists = self.instances.values().filter_map(|instance| match instance {
            Instance::List(items) => Some(items),
            _ => None,
        });
        lists.flatten().flat_map(|item| item.label.texts())
    }
}
