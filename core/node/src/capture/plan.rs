//! Which answers of a draft are written, and which values they replace.

use merestone_core::change::{OpRef, Put};

use crate::draft::{Draft, DraftPhoto};
use crate::records::{StandingValue, Values};
use merestone_forms::Answer;

/// One answer that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    key: String,
    answer: Answer,
    preds: Vec<OpRef>,
}

impl Write {
    pub(super) fn put(&self) -> Put<'_> {
        Put { key: &self.key, value: self.answer.as_value(), preds: self.preds.clone() }
    }
}

/// All answers of a new record.
pub(super) fn of_new(draft: &Draft) -> Vec<Write> {
    let write = |(key, answer)| Write { key, answer, preds: Vec::new() };
    answers(draft).map(write).collect()
}

/// Of an edit, what differs from the values that its screen showed, what settles a conflict, and what was confirmed.
///
/// Predecessors are the values that were shown, all of them and no other: a value that came in between, also one by the same
/// author, stays beside the new one as a conflict instead of disappearing.
pub(super) fn of_edit(draft: &Draft, shown: &Values) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    for (key, answer) in answers(draft) {
        let standing = shown.get(&key).map_or(&[][..], Vec::as_slice);
        let is_same = matches!(standing, [only] if only.answer == answer);
        if !is_same || draft.confirmed.contains(&key) {
            writes.push(Write { preds: ops(standing), key, answer });
        }
    }
    for key in draft.confirmed.iter().filter(|key| !draft.answers.contains_key(*key)) {
        // Only one value can be confirmed without saying which.
        if let Some([only]) = shown.get(key).map(Vec::as_slice) {
            writes.push(Write { key: key.clone(), answer: only.answer.clone(), preds: vec![only.op] });
        }
    }
    writes
}

fn answers(draft: &Draft) -> impl Iterator<Item = (String, Answer)> {
    let photos = draft.photos.iter().map(DraftPhoto::answer);
    draft.answers.iter().map(|(key, answer)| (key.clone(), answer.clone())).chain(photos)
}

fn ops(standing: &[StandingValue]) -> Vec<OpRef> {
    standing.iter().map(|standing| standing.op).collect()
}
