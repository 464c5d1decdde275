//! Secondary instances as documents that expressions look at.

use crate::expr::{Documents, NodeId};
use crate::model::{Element, Instance, Item, Model, Words};

impl Model {
    /// Adds a document for every secondary instance, each under its name. Of the answers that were saved last there
    /// is an empty one.
    ///
    /// An item of a list has its columns, `name`, `label` in the default language, and, where the list has several
    /// languages, `itextId`, which [`translation`](Self::translation) reads in each.
    pub fn add_instances(&self, documents: &mut Documents) {
        for (name, instance) in &self.instances {
            match instance {
                Instance::List(items) => self.add_list(documents, name, items),
                Instance::Table(table) => {
                    let root = documents.add(name, "root");
                    for row in &table.rows {
                        let item = documents.append(root, "item");
                        for (column, cell) in table.columns.iter().zip(row) {
                            text(documents, item, column, cell);
                        }
                    }
                }
                Instance::Tree(element) => {
                    let root = documents.add(name, &element.name);
                    add_element(documents, root, element);
                }
                Instance::Absent { .. } => drop(documents.add(name, "root")),
                Instance::LastSaved => drop(documents.add(name, &self.root)),
            }
        }
    }

    /// The text with this id, in a language: of those that expressions ask for, or of an item of a list
    /// (`list-number`, as [`add_instances`](Self::add_instances) counts them).
    pub fn translation(&self, id: &str, language: Option<usize>) -> Option<&str> {
        let item = || {
            let (list, number) = id.rsplit_once('-')?;
            let Some(Instance::List(items)) = self.instances.get(list) else { return None };
            Some(&items.get(number.parse::<usize>().ok()?)?.label)
        };
        let words: &Words = match self.texts.get(id) {
            Some(words) => words,
            None => item()?,
        };
        words.in_language(language).map(|text| text.plain.as_str())
    }

    fn add_list(&self, documents: &mut Documents, name: &str, items: &[Item]) {
        let root = documents.add(name, "root");
        let is_translated = items.iter().any(|item| !item.label.translated.is_empty());
        for (number, item) in items.iter().enumerate() {
            let element = documents.append(root, "item");
            text(documents, element, "name", &item.name);
            if let Some(label) = item.label.in_language(self.default_language) {
                text(documents, element, "label", &label.plain);
            }
            let has = |column: &str| item.columns.iter().any(|(name, _)| **name == *column);
            if is_translated && !has("itextId") {
                text(documents, element, "itextId", &format!("{name}-{number}"));
            }
            for (column, cell) in &item.columns {
                text(documents, element, column, cell);
            }
        }
    }
}

fn text(documents: &mut Documents, item: NodeId, name: &str, text: &str) {
    let cell = documents.append(item, name);
    documents.set_text(cell, text);
}

/// What is in an element; no deeper than documents may be.
fn add_element(documents: &mut Documents, to: NodeId, element: &Element) {
    documents.set_text(to, &element.text);
    for (name, value) in &element.attributes {
        documents.attribute(to, name, value);
    }
    for child in &element.children {
        let below = documents.append(to, &child.name);
        add_element(documents, below, child);
    }
}
