//! What a select offers: an itemset, or items that stand in it.

use std::sync::Arc;

use roxmltree::Node as Xml;

use super::itemset;
use super::itext::Itext;
use super::source::{Source, attribute, child, elements};
use super::tree::Tree;
use crate::model::{Choices, ChoicesFrom, Element, Formula, Instance, Item, NodeIndex, Table, note};
use crate::refused::{FormRefused, Reason};

/// The choices of a control.
pub(super) fn read(
    source: &Source<'_>,
    control: Xml<'_, '_>,
    itext: &Itext,
    tree: &mut Tree,
    node: NodeIndex,
) -> Result<Choices, FormRefused> {
    if let Some(set) = child(control, "itemset") {
        return itemset(source, set, itext, tree);
    }
    let mut items = Vec::new();
    for item in elements(control).filter(|element| element.tag_name().name() == "item") {
        let value =
            child(item, "value").ok_or_else(|| source.refused(item, "", Reason::UnknownElement("item".to_owned())))?;
        let name = value.text().unwrap_or_default().trim().to_owned();
        let entry = child(item, "label").map(|label| itext.of(source, label)).transpose()?.unwrap_or_default();
        let media = (!entry.media.is_empty()).then(|| Box::new(entry.media));
        items.push(Item { name, label: entry.words, media, columns: Vec::new(), row: source.row(item) });
    }
    if items.is_empty() {
        note(&mut tree.notices, source.notice(control, "", "there are no choices"));
    }
    // A list of its own, called as its question's path, which no instance can be called.
    let name = tree.facts[node].path.clone();
    tree.instances.insert(name.clone(), Instance::List(items));
    Ok(Choices { from: instance(name, "name", "label"), filter: None, randomize: None })
}

/// The choices of an `input` with a `query`: rows of a file that is too large for the form.
pub(super) fn query(source: &Source<'_>, control: Xml<'_, '_>, tree: &mut Tree) -> Result<Choices, FormRefused> {
    let text = attribute(control, "query").unwrap_or_default();
    let set = itemset::parse(text);
    let refused = |error| source.refused(control, "query", Reason::Expression(error));
    let name =
        set.instance.ok_or_else(|| source.refused(control, "query", Reason::UnknownReference(text.to_owned())))?;
    if !tree.instances.contains_key(name) {
        tree.instances.insert(name.to_owned(), Instance::Absent { file: "itemsets.csv".to_owned() });
    }
    let filter = set.filter.as_deref().map(Formula::parse).transpose().map_err(refused)?;
    Ok(Choices { from: instance(name.to_owned(), "name", "label"), filter, randomize: None })
}

fn instance(name: String, value: &str, label: &str) -> ChoicesFrom {
    ChoicesFrom::Instance { name, value: value.to_owned(), label: label.to_owned() }
}

fn itemset(source: &Source<'_>, set: Xml<'_, '_>, itext: &Itext, tree: &mut Tree) -> Result<Choices, FormRefused> {
    let nodeset = attribute(set, "nodeset").ok_or_else(|| source.refused(set, "nodeset", Reason::Empty))?;
    let reference = |name: &str| {
        let part = child(set, name).and_then(|part| attribute(part, "ref"));
        part.map(str::trim)
            .ok_or_else(|| source.refused(set, "", Reason::UnknownElement(format!("itemset without {name}"))))
    };
    let (value, label) = (reference("value")?, reference("label")?);
    let parts = itemset::parse(nodeset);
    let parse =
        |text: &str| Formula::parse(text).map_err(|error| source.refused(set, "nodeset", Reason::Expression(error)));
    let filter = parts.filter.as_deref().map(parse).transpose()?;
    let randomize = parts.randomize.map(|seed| seed.map(parse).transpose()).transpose()?;
    let plain = |path: &str| !path.contains(['/', '(', '[', '.']);
    let from = match parts.instance {
        Some(name) if !tree.instances.contains_key(name) => {
            return Err(source.refused(set, "nodeset", Reason::UnknownList(name.to_owned())));
        }
        Some(name) if plain(value) && translated(label).is_some_and(plain) => {
            offered(tree, itext, name, value, label).map_err(|reason| source.refused(set, "nodeset", reason))?
        }
        _ => None,
    };
    let from = match from {
        Some(from) => from,
        None => ChoicesFrom::Nodes { items: parse(parts.nodes)?, value: parse(value)?, label: parse(label)? },
    };
    Ok(Choices { from, filter, randomize })
}

/// The column in `column` or `jr:itext(column)`; Enketo writes `translate(column)` where items have labels in
/// several languages.
fn translated(label: &str) -> Option<&str> {
    match label.strip_prefix("jr:itext(").or_else(|| label.strip_prefix("translate(")) {
        Some(rest) => rest.strip_suffix(')').map(str::trim),
        None => Some(label),
    }
}

/// Items of an instance. A table whose label is a text of `itext`, or whose columns are called as those of every
/// converter, becomes a list with its texts in all languages.
///
/// # Errors
/// If the texts are more than a form may have.
fn offered(
    tree: &mut Tree,
    itext: &Itext,
    name: &str,
    value: &str,
    label: &str,
) -> Result<Option<ChoicesFrom>, Reason> {
    let Some(column) = translated(label) else { return Ok(None) };
    let is_translated = column != label;
    let Some(own) = tree.instances.get_mut(name) else { return Ok(None) };
    match own {
        // It became a list for another question; what has other columns there keeps to its path.
        Instance::List(_) if (value, column) == ("name", "label") || (value, is_translated) == ("name", true) => {}
        Instance::Table(table) if is_translated || (value, column) == ("name", "label") => {
            *own = Instance::List(list(std::mem::take(table), itext, value, column, is_translated)?);
        }
        Instance::Tree(root) if is_translated => {
            *own = Instance::List(spoken(std::mem::take(root), itext, value, column));
        }
        Instance::Table(_) | Instance::Absent { .. } if !is_translated => {
            return Ok(Some(instance(name.to_owned(), value, label)));
        }
        _ => return Ok(None),
    }
    Ok(Some(instance(name.to_owned(), "name", "label")))
}

fn list(table: Table, itext: &Itext, value: &str, label: &str, is_translated: bool) -> Result<Vec<Item>, Reason> {
    let columns: Vec<Arc<str>> = table.columns.iter().map(|column| column.as_str().into()).collect();
    let rows = table.rows.into_iter().enumerate().map(|(row, cells)| {
        let mut item = Item { row: row + 1, ..Item::default() };
        for (column, cell) in columns.iter().zip(cells) {
            // Under these names the documents of expressions have them anyway.
            let is_name = **column == *value && value == "name";
            let is_label = **column == *label && label == "label";
            if **column == *value {
                item.name.clone_from(&cell);
            }
            if **column == *label {
                match if is_translated { itext.get(&cell)? } else { None } {
                    Some(entry) => {
                        item.label = entry.words;
                        item.media = (!entry.media.is_empty()).then(|| Box::new(entry.media));
                    }
                    None if !cell.is_empty() => item.label.set(None, cell.clone().into()),
                    None => {}
                }
            }
            if !(is_name || is_label || cell.is_empty()) {
                item.columns.push((column.clone(), cell));
            }
        }
        Ok(item)
    });
    rows.collect()
}

/// Items whose labels say their languages themselves.
fn spoken(root: Element, itext: &Itext, value: &str, label: &str) -> Vec<Item> {
    let items = root.children.into_iter().enumerate().map(|(row, element)| {
        let mut item = Item { row: row + 1, ..Item::default() };
        for cell in element.children {
            if cell.name == label {
                let spoken = cell.attributes.iter().find(|(name, _)| name == "lang").map(|(_, language)| language);
                let language = spoken.and_then(|spoken| {
                    itext.languages.iter().position(|known| known.0 == *spoken || known.code() == Some(spoken.as_str()))
                });
                item.label.set(language, cell.text.into());
            } else if cell.name == value {
                item.name = cell.text;
            } else {
                item.columns.push((cell.name.as_str().into(), cell.text));
            }
        }
        item
    });
    items.collect()
}
