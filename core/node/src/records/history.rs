//! Who did what in a record, entry by entry, with the values side by side.

use std::collections::HashMap;

use merestone_core::change::{OpRef, Value};
use merestone_core::entry::{Clock, Content, Kind, Place};
use merestone_core::id::{EntryId, FormHash, LogId, RecordId};
use merestone_core::record::{ChangeEntry, HeldEntry, Judged, Standing};
use merestone_core::roster::Roster;

use super::author::Author;
use crate::device::{AccessError, Device};
use merestone_forms::Answer;

/// One entry of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry.
    pub entry: EntryId,
    /// Its log.
    pub log: LogId,
    /// Its place in the log.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// What became of it.
    pub standing: Standing,
    /// Who signed it.
    pub author: Author,
    /// The entries it builds on or is about.
    pub refs: Vec<EntryId>,
    /// The form it follows, in a change.
    pub form: Option<FormHash>,
    /// The clocks of the device, as the entry states them; `None` without its body.
    pub clock: Option<Clock>,
    /// Where it was made, if it says so.
    pub place: Option<Place>,
    /// The post, if it says so.
    pub post: Option<String>,
    /// What it wrote, in a change whose body can be read.
    pub changes: Vec<Changed>,
    /// What it says, in a signature role.
    pub text: Option<String>,
    /// Its reason, as a number of the mission's own list.
    pub reason: Option<u64>,
    /// How many photos it brought.
    pub photos: usize,
}

/// One answer that an entry wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The key.
    pub key: String,
    /// The values that it replaced, ascending by the entry that put each: none if it was not answered before,
    /// several if it settled a conflict.
    pub before: Vec<(EntryId, Answer)>,
    /// The value that it put.
    pub after: Answer,
}

impl Changed {
    /// Whether it settled a conflict.
    pub fn resolves(&self) -> bool {
        self.before.len() > 1
    }
}

impl Device {
    /// The history of a record: every held entry, applied or not. Changes come in canonical order (each after those it builds
    /// on), then what cannot be placed, then what was said about the record. Empty when nothing of it is held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn history(&self, record: RecordId) -> Result<Vec<Step>, AccessError> {
        let held = self.held(record)?;
        Ok(self.judged(record, &held, |judged, roster| steps(judged, &held, roster)))
    }
}

fn steps(judged: &Judged<'_>, held: &[HeldEntry], roster: &Roster) -> Vec<Step> {
    let changes = judged.applied().iter().chain(judged.unapplied());
    let by_id: HashMap<EntryId, &ChangeEntry<'_>> = changes.map(|change| (change.held.id(), change)).collect();
    let mut makers: HashMap<OpRef, Vec<(EntryId, Value<'_>)>> = HashMap::new();
    for change in by_id.values() {
        for (at, put) in change.change.puts().iter().enumerate() {
            makers.entry(change.change.op(at)).or_default().push((change.held.id(), put.value));
        }
    }
    let mut steps: Vec<(u32, Step)> = Vec::with_capacity(held.len());
    for entry in held {
        let Some(standing) = judged.standing(entry.id()) else { continue };
        let change = by_id.get(&entry.id());
        let depth = match (change, entry.entry().header().kind) {
            (Some(change), _) => change.depth,
            (None, Kind::Change) => u32::MAX - 1,
            (None, _) => u32::MAX,
        };
        let changes = change.map_or(Vec::new(), |change| changed(judged, change, &makers));
        steps.push((depth, step(entry, standing, changes, roster)));
    }
    steps.sort_by_key(|(depth, step)| (*depth, step.entry));
    steps.into_iter().map(|(_, step)| step).collect()
}

fn step(held: &HeldEntry, standing: Standing, changes: Vec<Changed>, roster: &Roster) -> Step {
    let header = held.entry().header();
    let context = held.body().map(|body| &body.context);
    let (text, reason) = match held.body().map(|body| &body.content) {
        Some(Content::Role { reason, text, seed: _ }) => (text.clone(), *reason),
        Some(Content::Change(_)) | None => (None, None),
    };
    Step {
        entry: held.id(),
        log: held.entry().log(),
        seq: header.seq,
        kind: header.kind,
        standing,
        author: Author::of(held, roster),
        refs: header.refs().to_vec(),
        form: header.commitment.map(|commitment| commitment.form),
        clock: context.map(|context| context.clock),
        place: context.and_then(|context| context.place),
        post: context.and_then(|context| context.post.clone()),
        changes,
        text,
        reason,
        photos: context.map_or(0, |context| context.photos.len()),
    }
}

fn changed(
    judged: &Judged<'_>,
    change: &ChangeEntry<'_>,
    makers: &HashMap<OpRef, Vec<(EntryId, Value<'_>)>>,
) -> Vec<Changed> {
    let index = judged.index();
    let before = |preds: &[OpRef]| {
        let mut before: Vec<(EntryId, Answer)> = Vec::new();
        for made in preds.iter().filter_map(|pred| makers.get(pred)) {
            // Branches of a fork can use one operation name twice; then the ancestor is meant.
            let is_meant = |maker: EntryId| made.len() == 1 || index.is_or_descends_from(change.held.id(), maker);
            before.extend(
                made.iter().filter(|(maker, _)| is_meant(*maker)).map(|(maker, value)| (*maker, (*value).into())),
            );
        }
        before.sort_by_key(|(maker, _)| *maker);
        before
    };
    let changed = change.change.puts().iter().map(|put| Changed {
        key: put.key.to_owned(),
        before: before(&put.preds),
        after: put.value.into(),
    });
    changed.collect()
}
