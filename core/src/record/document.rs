//! What a judged record says: its view, its Automerge document, and the history of each answer.
//!
//! The [`View`] is worked out from the applied changes alone: a value stays until an applied change names it as a
//! predecessor. It needs no Automerge and is what screens, exports and the audit read. The [`document`] is the same
//! record as Automerge sees it, for apps that merge or export documents; the tests hold the two equal on random
//! histories. Both can be dropped and made again from the entries at any time.

use std::collections::{BTreeMap, HashMap};

use automerge::{Automerge, ReadDoc};

use super::{ChangeEntry, HeldEntry, Judged, Standing};
use crate::change::{OpRef, Put, Value};
use crate::check::{Check, Refused};
use crate::id::EntryId;

/// A value that stands, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The value.
    pub value: Value<'a>,
    /// The entry that put it.
    pub entry: EntryId,
    /// The operation that put it: what an edit that replaces it names as predecessor.
    pub op: OpRef,
}

/// What a record says: each key with the values that stand, more than one in a conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View<'a> {
    keys: BTreeMap<&'a str, Vec<Shown<'a>>>,
    heads: Vec<EntryId>,
}

impl<'a> View<'a> {
    /// The view of a judged record.
    pub fn of(judged: &'a Judged<'_>) -> Self {
        let mut keys: BTreeMap<&'a str, Vec<Shown<'a>>> = BTreeMap::new();
        for applied in judged.applied() {
            for (index, put) in applied.change.puts().iter().enumerate() {
                let values = keys.entry(put.key).or_default();
                values.retain(|shown| put.preds.binary_search(&shown.op).is_err());
                values.push(Shown { value: put.value, entry: applied.held.id(), op: applied.change.op(index) });
            }
        }
        for values in keys.values_mut() {
            // Planted: of several values the one that the clock calls the last is shown alone.
            #[cfg(planted)]
            if crate::planted::is("last-writer-wins") {
                let time = |id: EntryId| {
                    let held = judged.applied().iter().find(|applied| applied.held.id() == id);
                    held.and_then(|applied| applied.held.body()).map_or(0, |body| body.context.clock.wall_ms)
                };
                let last = values.iter().max_by_key(|shown| (time(shown.entry), shown.entry)).copied();
                *values = last.into_iter().collect();
            }
            values.sort_by_key(|shown| shown.entry);
        }
        Self { keys, heads: judged.heads() }
    }

    /// The values of a key, ascending by entry id: none if it was not asked, several in a conflict.
    pub fn values(&self, key: &str) -> &[Shown<'a>] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// Every key with its values, ascending by the key's bytes.
    pub fn keys(&self) -> impl Iterator<Item = (&'a str, &[Shown<'a>])> {
        self.keys.iter().map(|(&key, values)| (key, values.as_slice()))
    }

    /// The keys in conflict, ascending.
    pub fn conflicts(&self) -> impl Iterator<Item = (&'a str, &[Shown<'a>])> {
        self.keys().filter(|(_, values)| values.len() > 1)
    }

    /// The entries that an edit of this view names.
    pub fn heads(&self) -> &[EntryId] {
        &self.heads
    }

    /// An edit of `key` by somebody who was shown this view: it replaces every value that stands.
    pub fn put<'b>(&self, key: &'b str, value: Value<'b>) -> Put<'b> {
        let mut preds: Vec<OpRef> = self.values(key).iter().map(|shown| shown.op).collect();
        preds.sort_unstable();
        Put { key, value, preds }
    }
}

/// The Automerge document of a judged record, made in one batch.
///
/// # Errors
/// `change-malformed` if Automerge does not take a change that was admitted: a fault of ours or of Automerge, said as a
/// refusal because the bytes came from elsewhere.
pub fn document(judged: &Judged<'_>) -> Result<Automerge, Refused> {
    let changes = judged.applied().iter().map(|applied| applied.change.to_automerge());
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    let count = changes.len();
    let refused = |what| Refused { check: Check::ChangeMalformed, what };
    let mut document = Automerge::new();
    document.apply_changes(changes).map_err(|_| refused("changes Automerge does not apply"))?;
    // Automerge queues what it cannot place instead of refusing it.
    if document.stats().num_changes != count as u64 {
        return Err(refused("changes Automerge does not place"));
    }
    Ok(document)
}

/// One answer to a question, and what became of it.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The entry that gave it.
    pub held: &'a HeldEntry,
    /// The entry's standing.
    pub standing: Standing,
    /// The value.
    pub value: Value<'a>,
    /// The entries whose values it replaced, ascending: two or more settled a conflict.
    pub replaces: Vec<EntryId>,
    /// Whether it stands in the view.
    pub is_shown: bool,
}

/// Every answer ever given to `key` whose body can be read, applied or not: ascending by depth, then entry id.
pub fn history<'a>(judged: &'a Judged<'a>, key: &str) -> Vec<Trace<'a>> {
    let mut answers: Vec<(&ChangeEntry<'a>, usize)> = Vec::new();
    for entry in judged.applied().iter().chain(judged.unapplied()) {
        if let Ok(index) = entry.change.puts().binary_search_by(|put| put.key.cmp(key)) {
            answers.push((entry, index));
        }
    }
    answers.sort_by_key(|(entry, _)| (entry.depth, entry.held.id()));
    let mut makers: HashMap<OpRef, Vec<EntryId>> = HashMap::new();
    for (entry, index) in &answers {
        makers.entry(entry.change.op(*index)).or_default().push(entry.held.id());
    }
    let view = View::of(judged);
    let shown = view.values(key);
    let trace = |(entry, index): (&'a ChangeEntry<'a>, usize)| {
        let (put, id) = (&entry.change.puts()[index], entry.held.id());
        let replaces = replaced(judged, id, &put.preds, &makers);
        let is_shown = shown.iter().any(|shown| shown.entry == id);
        Some(Trace { held: entry.held, standing: judged.standing(id)?, value: put.value, replaces, is_shown })
    };
    answers.into_iter().filter_map(trace).collect()
}

/// The entries that made `preds`. Branches of a fork can use one operation name twice; then the ancestor is meant.
fn replaced(
    judged: &Judged<'_>,
    entry: EntryId,
    preds: &[OpRef],
    makers: &HashMap<OpRef, Vec<EntryId>>,
) -> Vec<EntryId> {
    let mut replaced: Vec<EntryId> = Vec::new();
    for makers in preds.iter().filter_map(|pred| makers.get(pred)) {
        match makers.as_slice() {
            [only] => replaced.push(*only),
            several => {
                replaced.extend(several.iter().filter(|&&maker| judged.index().is_or_descends_from(entry, maker)));
            }
        }
    }
    replaced.sort_unstable();
    replaced.dedup();
    replaced
}
