//! Rows: which there are, and the elements in which expressions see them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use merestone_core::form::Key;
use merestone_core::id::sha256;

use super::{Filling, Place, ROWS_MAX, answer_text};
use crate::answer::Answer;
use crate::expr::{Moment, NodeId};
use crate::field;
use crate::form::{WITHDRAWN, WITHIN};
use crate::model::{Metadata, NodeIndex, NodeKind, Preset, QuestionKind};

/// The id of a row: its order among the rows of its repeat in the upper 32 bits, then what tells it from rows that
/// another device added at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(u64);

/// Bits below the order.
const TAIL_BITS: u32 = 32;

impl RowId {
    /// Reads 16 lowercase hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_row = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_row.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    /// The row of this order, with 32 bits of its own.
    fn of(order: u64, tail: u64) -> Self {
        Self(order.min(0xffff_ffff) << TAIL_BITS | tail & ((1 << TAIL_BITS) - 1))
    }

    /// Row `order` of a repeat whose number of rows the form says. Two devices make the same, so that their answers meet.
    fn counted(repeat: &str, within: Option<Self>, order: u64) -> Self {
        let within = within.map(|row| row.to_string()).unwrap_or_default();
        let hash = sha256(&[b"merestone/row/v1", repeat.as_bytes(), b"/", within.as_bytes(), &order.to_be_bytes()]);
        Self::of(order, u64::from_be_bytes(*hash.first_chunk().expect("32 bytes hold eight")))
    }

    fn order(self) -> u64 {
        self.0 >> TAIL_BITS
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One row of a repeat; the first is the form itself.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) repeat: NodeIndex,
    pub(super) id: RowId,
    pub(super) parent: Option<usize>,
    pub(super) elements: HashMap<NodeIndex, NodeId>,
    /// Rows of repeats in it, in order.
    pub(super) rows: BTreeMap<NodeIndex, Vec<usize>>,
    pub(super) is_live: bool,
}

impl Filling {
    /// The element of the form itself, and of everything in it that stands in no repeat.
    pub(super) fn plant_form(&mut self) {
        let root = self.form.root();
        self.rows.push(Row {
            repeat: 0,
            id: RowId(0),
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
        for repeat in self.repeats_in(plane) {
            if matches!(self.form.model().nodes[repeat].kind, NodeKind::Repeat { count: None }) {
                let known = self.known.get(&(repeat, self.id_of(row))).cloned().unwrap_or_default();
                for id in known {
                    if self.live_rows() < ROWS_MAX && self.row_of(repeat, id).is_none() {
                        self.plant_row(repeat, id, row);
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
        for row in now {
            if !ids.remove(&self.rows[row].id) {
                self.unplant_row(row);
            }
        }
        for id in ids {
            self.plant_row(repeat, id, parent);
        }
    }

    /// Puts a row into the tree, in its order, with the answers it has.
    pub(super) fn plant_row(&mut self, repeat: NodeIndex, id: RowId, parent: usize) {
        let above = self.form.model().nodes[repeat].parent.unwrap_or_default();
        let Some(above) = self.rows[parent].elements.get(&above).copied() else { return };
        let siblings = self.rows[parent].rows.get(&repeat).map_or(&[][..], Vec::as_slice);
        let at = siblings.iter().position(|row| self.rows[*row].id > id).unwrap_or(siblings.len());
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
    }

    /// Takes a row out of the tree; its answers stay.
    pub(super) fn unplant_row(&mut self, row: usize) {
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
            self.faults.retain(|place, _| place.row != row);
        }
        if let Some(parent) = parent {
            self.rows[parent].rows.entry(repeat).or_default().retain(|other| *other != row);
            self.touch_below(repeat, parent);
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

    /// What the device knows by itself when a record begins.
    pub(super) fn introduce(&mut self) {
        for place in self.everywhere() {
            let NodeKind::Question(QuestionKind::Metadata(metadata)) = self.node(place).kind else { continue };
            let now = self.now();
            let text = match metadata {
                Metadata::Start => now.text(),
                Metadata::Today => Moment { local: now.local.date().at(0, 0, 0, 0), ..now }.text(),
                Metadata::DeviceId => self.occasion.device_id.clone(),
                Metadata::UserName => self.occasion.user_name.clone(),
                Metadata::Email => self.occasion.email.clone(),
                Metadata::PhoneNumber => self.occasion.phone_number.clone(),
                Metadata::InstanceId if self.form.has_answer(place.node) => self.make_instance_id(),
                Metadata::InstanceId | Metadata::End | Metadata::StartPlace | Metadata::Audit => String::new(),
            };
            // What people are called is never a reason against a record.
            let answer = Answer::text(&text);
            if !text.is_empty() {
                self.put(place, answer);
            }
        }
    }

    /// A name for this record among all others, as ODK makes them: a version 4 UUID (RFC 9562 §5.4).
    fn make_instance_id(&self) -> String {
        let bits = (u128::from(self.draw()) << 64) | u128::from(self.draw());
        let bits = bits & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
        let digits = format!("{bits:032x}");
        format!("uuid:{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
    }

    /// Gives the questions of a row the answers that the form has for them; those that are worked out wait.
    pub(super) fn default_plane(&mut self, row: usize, plane: NodeIndex) {
        for node in self.form.names().members(plane).to_vec() {
            let place = Place { row, node };
            let answer = match &self.node(place).default {
                Some(Preset::Text(text)) => self.read_preset(place, text),
                Some(Preset::Formula(_)) => {
                    self.waiting.push(place);
                    None
                }
                None => None,
            };
            if let Some(answer) = answer {
                self.put(place, answer);
            }
        }
    }

    /// A default as an answer; one that the question itself would refuse is none.
    pub(super) fn read_preset(&self, place: Place, text: &str) -> Option<Answer> {
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return None };
        field::read(kind, &node.parameters, text).ok().filter(|answer| *answer != Answer::Blank)
    }

    /// The id for a row that a person adds.
    pub(super) fn next_row(&self, repeat: NodeIndex) -> RowId {
        let prefix = format!("{}/", self.form.names().name(repeat));
        let in_answers = self.answers.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let in_answers = in_answers.filter_map(|(key, _)| RowId::parse(key[prefix.len()..].split('/').next()?));
        let known =
            self.known.iter().filter(|((other, _), _)| *other == repeat).flat_map(|(_, rows)| rows.iter().copied());
        let last = in_answers.chain(known).map(RowId::order).max().unwrap_or_default();
        RowId::of(last + 1, self.draw())
    }

    /// The row in which a new row of `repeat` stands.
    pub(super) fn row_around(&self, repeat: NodeIndex, within: Option<RowId>) -> Option<usize> {
        match (self.repeat_around(repeat), within) {
            (None, None) => Some(0),
            (Some(around), Some(within)) => self.row_of(around, within),
            _ => None,
        }
    }

    /// The repeat that a repeat stands in.
    pub(super) fn repeat_around(&self, repeat: NodeIndex) -> Option<NodeIndex> {
        let above = self.form.model().nodes[repeat].parent?;
        Some(self.form.names().plane(above)).filter(|plane| *plane != 0)
    }

    /// The row of this id.
    pub(super) fn row_of(&self, repeat: NodeIndex, id: RowId) -> Option<usize> {
        self.row_ids.get(&(repeat, id)).copied()
    }

    /// The id of a row; none for the form itself.
    pub(super) fn id_of(&self, row: usize) -> Option<RowId> {
        (row != 0).then(|| self.rows[row].id)
    }

    pub(super) fn live_rows(&self) -> usize {
        self.row_ids.len()
    }

    /// The element of a place.
    pub(super) fn element(&self, place: Place) -> Option<NodeId> {
        let row = self.rows.get(place.row).filter(|row| row.is_live)?;
        row.elements.get(&place.node).copied()
    }

    /// The repeats directly in a plane.
    pub(super) fn repeats_in(&self, plane: NodeIndex) -> Vec<NodeIndex> {
        let is_in = |node: &NodeIndex| {
            matches!(self.form.model().nodes[*node].kind, NodeKind::Repeat { .. })
                && self.repeat_around(*node).unwrap_or_default() == plane
        };
        (1..self.form.model().nodes.len()).filter(is_in).collect()
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
