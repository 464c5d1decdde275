//! Rows of repeats: which there are, how they are called, and how people add and withdraw them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use merestone_core::id::sha256;

use super::{ANSWERS_MAX, Filling, ROWS_MAX};
use crate::answer::Answer;
use crate::expr::NodeId;
use crate::field::Refusal;
use crate::form::{WITHDRAWN, WITHIN};
use crate::model::{NodeIndex, NodeKind};

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
    pub(super) fn of(order: u64, tail: u64) -> Self {
        Self(order.min(0xffff_ffff) << TAIL_BITS | tail & ((1 << TAIL_BITS) - 1))
    }

    /// Row `order` of a repeat whose number of rows the form says. Two devices make the same, so that their answers meet.
    pub(super) fn counted(repeat: &str, within: Option<Self>, order: u64) -> Self {
        let within = within.map(|row| row.to_string()).unwrap_or_default();
        let hash = sha256(&[b"merestone/row/v1", repeat.as_bytes(), b"/", within.as_bytes(), &order.to_be_bytes()]);
        Self::of(order, u64::from_be_bytes(*hash.first_chunk().expect("32 bytes hold eight")))
    }

    pub(super) fn order(self) -> u64 {
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
    /// Adds a row to a repeat, in the row `within` of the repeat around it where there is one.
    ///
    /// # Errors
    /// If there is no such repeat or row, the form says how many rows there are, or there is no room: for [`ROWS_MAX`]
    /// rows and [`ANSWERS_MAX`] answers of all.
    pub fn add_row(&mut self, repeat: &str, within: Option<RowId>) -> Result<RowId, Refusal> {
        self.work.begin();
        let node = self.form.names().repeat(repeat).ok_or(Refusal::Unknown)?;
        if !matches!(self.form.model().nodes[node].kind, NodeKind::Repeat { count: None }) || self.room_for(node) == 0 {
            return Err(Refusal::Rows);
        }
        let parent = self.row_around(node, within).ok_or(Refusal::NoRow)?;
        let id = self.next_row(node);
        if let Some(within) = within {
            let key = self.cell(node, id, WITHIN);
            self.keep(key, Answer::Text(within.to_string()));
        }
        self.known.entry((node, within)).or_default().insert(id);
        let is_last = self.plant_row(node, id, parent);
        self.touch_rows(node, parent, !is_last);
        self.settle();
        Ok(id)
    }

    /// Withdraws a row: it and its answers stay in the record, and are not asked any more.
    ///
    /// # Errors
    /// If there is no such row, or the form says how many there are.
    pub fn withdraw_row(&mut self, repeat: &str, row: RowId) -> Result<(), Refusal> {
        self.work.begin();
        let node = self.form.names().repeat(repeat).ok_or(Refusal::Unknown)?;
        if matches!(self.form.model().nodes[node].kind, NodeKind::Repeat { count: Some(_) }) {
            return Err(Refusal::Counted);
        }
        let at = self.row_of(node, row).ok_or(Refusal::NoRow)?;
        let key = self.cell(node, row, WITHDRAWN);
        self.keep(key, Answer::Bool(true));
        for rows in self.known.iter_mut().filter(|((repeat, _), _)| *repeat == node) {
            rows.1.remove(&row);
        }
        if let Some(parent) = self.rows[at].parent {
            let is_last = self.unplant_row(at);
            self.touch_rows(node, parent, !is_last);
        }
        self.settle();
        Ok(())
    }

    /// The id for a row that a person adds.
    pub(super) fn next_row(&self, repeat: NodeIndex) -> RowId {
        let prefix = format!("{}/", self.form.names().name(repeat));
        // Keys are in the order of their rows, so that the last of a repeat names the last of its rows.
        let after = format!("{}0", self.form.names().name(repeat));
        let in_answers = self.answers.range(prefix.clone()..after).rev();
        let in_answers = in_answers.filter_map(|(key, _)| RowId::parse(key[prefix.len()..].split('/').next()?)).next();
        let known = self.known.range((repeat, None)..).take_while(|((other, _), _)| *other == repeat);
        let known = known.filter_map(|(_, rows)| rows.last().copied());
        let last = known.chain(in_answers).map(RowId::order).max().unwrap_or_default();
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

    /// How many more rows of a repeat there can be.
    pub(super) fn room_for(&self, repeat: NodeIndex) -> usize {
        let answers = ANSWERS_MAX.saturating_sub(self.places.len());
        let in_a_row = self.form.names().members(repeat).len().max(1);
        (answers / in_a_row).min(ROWS_MAX.saturating_sub(self.row_ids.len()))
    }
}
