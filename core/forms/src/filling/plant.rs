//! The elements in which expressions see rows: planted as rows come, taken out as they go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use merestone_core::form::Key;

use super::problems::Part;
use super::rows::Row;
use super::{Filling, Place, RowId, answer_text};
use crate::answer::Answer;
use crate::expr::NodeId;
use crate::form::{WITHDRAWN, WITHIN};
use crate::model::{NodeIndex, NodeKind};

impl Filling {
    /// The element of the form itself, and of everything in it that stands in no repeat.
    pub(super) fn plant_form(&mut self) {
        let root = self.form.root();
        self.rows.push(Row {
            repeat: 0,
            id: RowId::of(0, 0),
            parent: None,
            elements: HashMap::new(),
            rows: BTreeMap::new(),
            is_live: true,
        });
        self.plant_below(0, 0, root);
    }

    /// Plants every row that the answers name and that is not there yet, and gives every element its answer.
    pub(super) fn load(&mut self) {
        self.known = self.rows_in_answers();
        self.overfull.clear();
        self.load_rows(0);
        for place in self.everywhere() {
            let text = self.key(place).and_then(|key| self.answers.get(&key)).map(answer_text);
            if let (Some(text), Some(element)) = (text, self.element(place)) {
                self.documents.set_text(element, &text);
            }
        }
    }

    fn load_rows(&mut self, row: usize) {
        let plane = self.rows[row].repeat;
        for repeat in self.form.names().repeats_in(plane).to_vec() {
            if matches!(self.form.model().nodes[repeat].kind, NodeKind::Repeat { count: None }) {
                let known = self.known.get(&(repeat, self.id_of(row))).cloned().unwrap_or_default();
                for id in known {
                    match self.room_for(repeat) {
                        _ if self.row_of(repeat, id).is_some() => {}
                        0 => drop(self.overfull.insert(Place { row, node: repeat })),
                        _ => drop(self.plant_row(repeat, id, row)),
                    }
                }
            }
            for row in self.rows[row].rows.get(&repeat).cloned().unwrap_or_default() {
                self.load_rows(row);
            }
        }
    }

    /// The rows that answers name, without those that are withdrawn.
    fn rows_in_answers(&self) -> BTreeMap<(NodeIndex, Option<RowId>), BTreeSet<RowId>> {
        let mut named: BTreeMap<(NodeIndex, RowId), Option<RowId>> = BTreeMap::new();
        let mut withdrawn = BTreeSet::new();
        for (key, answer) in &self.answers {
            let Some(Key::Cell { repeat, row, question }) = Key::parse(key) else { continue };
            let (Some(repeat), Some(row)) = (self.form.names().repeat(repeat), RowId::parse(row)) else { continue };
            let within = named.entry((repeat, row)).or_default();
            match (question, answer) {
                (WITHDRAWN, Answer::Bool(true)) => drop(withdrawn.insert((repeat, row))),
                (WITHIN, Answer::Text(text)) => {
                    *within = RowId::parse(text);
                    // A row that only rows in it name is one too.
                    if let (Some(around), Some(within)) = (self.repeat_around(repeat), *within) {
                        named.entry((around, within)).or_default();
                    }
                }
                _ => {}
            }
        }
        let mut known: BTreeMap<_, BTreeSet<RowId>> = BTreeMap::new();
        for ((repeat, row), within) in named {
            let within = within.filter(|_| self.repeat_around(repeat).is_some());
            if !withdrawn.contains(&(repeat, row)) {
                known.entry((repeat, within)).or_default().insert(row);
            }
        }
        known
    }

    /// Makes the rows of a repeat those that the form says there are: the first that the answers name, and new ones.
    pub(super) fn count_rows(&mut self, repeat: NodeIndex, parent: usize, wanted: usize) {
        let within = self.id_of(parent);
        let known = self.known.get(&(repeat, within)).cloned().unwrap_or_default();
        let name = self.form.names().name(repeat).to_owned();
        // Rows that were not made here, as those of an import, come first.
        let is_other = |id: &RowId| RowId::counted(&name, within, id.order()) != *id;
        let mut ids: BTreeSet<RowId> = known.into_iter().filter(is_other).take(wanted).collect();
        let mut order = 0;
        while ids.len() < wanted {
            order += 1;
            let id = RowId::counted(&name, within, order);
            if self.answers.get(&self.cell(repeat, id, WITHDRAWN)) != Some(&Answer::Bool(true)) {
                ids.insert(id);
            }
        }
        let now: Vec<usize> = self.rows[parent].rows.get(&repeat).cloned().unwrap_or_default();
        let (mut is_changed, mut is_moved) = (false, false);
        // From behind, so that no row moves to be taken out itself.
        for row in now.into_iter().rev() {
            if !ids.remove(&self.rows[row].id) {
                is_moved |= !self.unplant_row(row);
                is_changed = true;
            }
        }
        for id in ids {
            is_moved |= !self.plant_row(repeat, id, parent);
            is_changed = true;
        }
        if is_changed {
            self.touch_rows(repeat, parent, is_moved);
        }
    }

    /// Puts a row into the tree, in its order, with the answers it has, and says whether it is the last. Who looks at rows
    /// of this repeat is told by [`touch_rows`](Self::touch_rows), once for as many rows as come together.
    pub(super) fn plant_row(&mut self, repeat: NodeIndex, id: RowId, parent: usize) -> bool {
        let above = self.form.model().nodes[repeat].parent.unwrap_or_default();
        let Some(above) = self.rows[parent].elements.get(&above).copied() else { return true };
        let siblings = self.rows[parent].rows.get(&repeat).map_or(&[][..], Vec::as_slice);
        let at = siblings.partition_point(|row| self.rows[*row].id < id);
        let is_last = at == siblings.len();
        let place = self.elements_before(repeat, parent) + at;
        let name = self.form.model().nodes[repeat].name.clone();
        let element = self.documents.insert(above, place, &name);
        let row = self.rows.len();
        let (elements, rows) = Default::default();
        self.rows.push(Row { repeat, id, parent: Some(parent), elements, rows, is_live: true });
        self.rows[parent].rows.entry(repeat).or_default().insert(at, row);
        self.row_ids.insert((repeat, id), row);
        self.plant_below(row, repeat, element);
        let mut has_answers = false;
        for node in self.form.names().members(repeat).to_vec() {
            let place = Place { row, node };
            if let Some(answer) = self.key(place).and_then(|key| self.answers.get(&key)) {
                has_answers = true;
                let text = answer_text(answer);
                if let Some(element) = self.element(place) {
                    self.documents.set_text(element, &text);
                }
            }
        }
        if !has_answers && !self.is_loading {
            self.default_plane(row, repeat);
        }
        self.queue_row(row);
        is_last
    }

    /// Takes a row out of the tree, and says whether it was the last; its answers stay. [`touch_rows`](Self::touch_rows)
    /// comes after, as with [`plant_row`](Self::plant_row).
    pub(super) fn unplant_row(&mut self, row: usize) -> bool {
        let (repeat, parent) = (self.rows[row].repeat, self.rows[row].parent);
        if let Some(element) = self.rows[row].elements.get(&repeat).copied() {
            self.documents.remove(element);
        }
        let mut gone = vec![row];
        while let Some(row) = gone.pop() {
            gone.extend(self.rows[row].rows.values().flatten());
            self.rows[row].is_live = false;
            self.row_ids.remove(&(self.rows[row].repeat, self.rows[row].id));
            for element in self.rows[row].elements.values() {
                self.places.remove(element);
            }
            let here = |row| (Place { row, node: 0 }, Part::FIRST);
            let gone: Vec<(Place, Part)> = self.faults.range(here(row)..here(row + 1)).map(|(at, _)| *at).collect();
            for at in &gone {
                self.faults.remove(at);
            }
            self.overfull.retain(|place| place.row != row);
        }
        let Some(siblings) = parent.and_then(|parent| self.rows[parent].rows.get_mut(&repeat)) else { return true };
        match siblings.iter().rposition(|other| *other == row) {
            Some(at) => {
                siblings.remove(at);
                at == siblings.len()
            }
            None => true,
        }
    }

    fn plant_below(&mut self, row: usize, node: NodeIndex, element: NodeId) {
        let form = std::sync::Arc::clone(&self.form);
        let mut open = vec![(node, element)];
        while let Some((node, element)) = open.pop() {
            self.rows[row].elements.insert(node, element);
            self.places.insert(element, Place { row, node });
            for child in &form.model().nodes[node].children {
                let child_node = &form.model().nodes[*child];
                if !matches!(child_node.kind, NodeKind::Repeat { .. }) {
                    open.push((*child, self.documents.append(element, &child_node.name)));
                }
            }
        }
    }

    /// How many elements stand before the rows of a repeat.
    fn elements_before(&self, repeat: NodeIndex, parent: usize) -> usize {
        let nodes = &self.form.model().nodes;
        let siblings = &nodes[nodes[repeat].parent.unwrap_or_default()].children;
        let count = |sibling: &NodeIndex| match nodes[*sibling].kind {
            NodeKind::Repeat { .. } => self.rows[parent].rows.get(sibling).map_or(0, Vec::len),
            NodeKind::Group | NodeKind::Question(_) => 1,
        };
        siblings.iter().take_while(|sibling| **sibling != repeat).map(count).sum()
    }

    /// The element of a place.
    pub(super) fn element(&self, place: Place) -> Option<NodeId> {
        let row = self.rows.get(place.row).filter(|row| row.is_live)?;
        row.elements.get(&place.node).copied()
    }

    /// Every place there is, row by row.
    pub(super) fn everywhere(&self) -> Vec<Place> {
        let live = self.rows.iter().enumerate().filter(|(_, row)| row.is_live);
        let mut places: Vec<Place> = live
            .flat_map(|(row, content)| content.elements.keys().map(move |node| Place { row, node: *node }))
            .collect();
        places.sort_unstable();
        places
    }
}
