//! The sheets `choices` and `external_choices`: lists of items.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::columns::{Line, Table};
use crate::model::{Item, Media, Notice, Words, note};
use crate::refused::{FormRefused, Reason};

/// The lists by name, each in its order.
pub(super) type Lists = BTreeMap<String, Vec<Item>>;

/// Reads a sheet.
pub(super) fn read(table: &Table<'_>, lists: &mut Lists, notices: &mut Vec<Notice>) -> Result<(), FormRefused> {
    for needed in ["list_name", "name"] {
        if !table.has(needed) {
            let row = table.sheet.heading_row;
            return Err(FormRefused::at(&table.sheet.name, row, needed, Reason::MissingColumn));
        }
    }
    table.look(|_| true, notices)?;
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let mut repeated: BTreeSet<&str> = BTreeSet::new();
    for line in table.rows() {
        let (list, name) = (line.cell("list_name"), line.cell("name"));
        if list.is_empty() {
            // Remarks stand between the lists of many forms.
            note(notices, line.notice("list_name", "a row without the name of a list is not used"));
            continue;
        }
        if name.is_empty() {
            return Err(line.refused("name", Reason::Empty));
        }
        if !seen.insert((list, name)) && repeated.insert(list) {
            let text = format!("choices of the list `{list}` are recorded as the same as others of it, here first");
            note(notices, line.notice("name", &text));
        }
        let item = item(line, name);
        match lists.get_mut(list) {
            Some(items) => items.push(item),
            None => drop(lists.insert(list.to_owned(), vec![item])),
        }
    }
    Ok(())
}

fn item(line: Line<'_>, name: &str) -> Item {
    let mut item = Item { name: name.to_owned(), row: line.number(), ..Item::default() };
    let mut media = Media::default();
    for (column, cell) in line.cells() {
        match words(&column.name, &mut item.label, &mut media) {
            Some(words) => words.set(column.language, cell.to_owned().into()),
            None if matches!(column.name.as_str(), "list_name" | "name" | "") => {}
            None => item.columns.push((column.heading.clone(), cell.to_owned())),
        }
    }
    item.media = (!media.is_empty()).then(|| Box::new(media));
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

/// Adds the choice `other` to a list that has none.
pub(super) fn add_other(items: &mut Vec<Item>) {
    const NAME: &str = "other";
    if items.iter().any(|item| item.name == NAME) {
        return;
    }
    let mut label = Words::default();
    label.set(None, "Other".to_owned().into());
    items.push(Item { name: NAME.to_owned(), label, ..Item::default() });
}
