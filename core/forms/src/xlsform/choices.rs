//! The sheet `choices`: lists of items.

use std::collections::BTreeMap;

use super::columns::{Line, Table};
use crate::model::{Item, Media, Words};
use crate::refused::{FormRefused, Reason};

/// The lists by name, each in its order.
pub(super) type Lists = BTreeMap<String, Vec<Item>>;

/// Reads the sheet.
pub(super) fn read(table: &Table<'_>) -> Result<Lists, FormRefused> {
    let mut lists = Lists::new();
    for needed in ["list_name", "name"] {
        if !table.has(needed) {
            let row = table.sheet.heading_row;
            return Err(FormRefused::at(&table.sheet.name, row, needed, Reason::MissingColumn));
        }
    }
    for line in table.rows() {
        let (list, name) = (line.cell("list_name"), line.cell("name"));
        if list.is_empty() && name.is_empty() {
            continue;
        }
        if list.is_empty() {
            return Err(line.refused("list_name", Reason::Empty));
        }
        if name.is_empty() {
            return Err(line.refused("name", Reason::Empty));
        }
        lists.entry(list.to_owned()).or_default().push(item(line, name));
    }
    Ok(lists)
}

fn item(line: Line<'_>, name: &str) -> Item {
    let mut item = Item { name: name.to_owned(), row: line.number(), ..Item::default() };
    for (column, cell) in line.cells() {
        match words(column.name.as_str(), &mut item.label, &mut item.media) {
            Some(words) => set(words, column.language, cell),
            None if matches!(column.name.as_str(), "list_name" | "name" | "") => {}
            None => item.columns.push((column.heading.trim().to_owned(), cell.to_owned())),
        }
    }
    item
}

/// The texts that a column fills.
pub(super) fn words<'w>(column: &str, label: &'w mut Words, media: &'w mut Media) -> Option<&'w mut Words> {
    Some(match column {
        "label" => label,
        "media::image" => &mut media.image,
        "media::big-image" => &mut media.big_image,
        "media::audio" => &mut media.audio,
        "media::video" => &mut media.video,
        _ => return None,
    })
}

/// Fills a text in one language, or without one.
pub(super) fn set(words: &mut Words, language: Option<usize>, text: &str) {
    match language {
        Some(language) => {
            words.translated.insert(language, text.to_owned());
        }
        None => words.fallback = Some(text.to_owned()),
    }
}
