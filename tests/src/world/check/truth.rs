//! What a device shows, against what people wrote and who built on what.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{EntryId, LogId};
use merestone_node::records::{RecordView, Step};
use merestone_node::{Answer, Device};

use super::holding::{chain, tips};
use super::shown::record_ids;
use super::{Violation, violated};
use crate::world::model::{Chain, Model, Place};

/// Everything that a device shows was written by the person whose key it bears, is what that person wrote, and says what the
/// model works out from who built on what.
///
/// # Errors
/// The first thing that is not so.
pub fn truth(device: &Device, model: &Model, doubled: &BTreeSet<[u8; 32]>) -> Result<(), Violation> {
    let said = |error: String| Violation { invariant: "store-readable", found: error };
    let tips = tips(device).map_err(said)?;
    let keys: BTreeMap<LogId, [u8; 32]> = tips.iter().map(|tip| (tip.log, tip.key)).collect();
    let chain = chain(device).map_err(said)?;
    for tip in &tips {
        if tip.branches.is_some() && !doubled.contains(&tip.key) {
            return violated(
                "no-fork-of-ones-own",
                format!("log {} has a fork, and its author has one device", tip.log),
            );
        }
    }
    let mut words: BTreeMap<String, EntryId> = BTreeMap::new();
    let mut standing: BTreeMap<EntryId, bool> = BTreeMap::new();
    for record in record_ids(device, &tips).map_err(said)? {
        let history = device.history(record).map_err(|error| said(error.to_string()))?;
        for step in &history {
            written(step, model, keys.get(&step.log), &mut words)?;
            standing.insert(step.entry, step.standing.is_applied());
        }
        let view = device.record(record).map_err(|error| said(error.to_string()))?;
        if let Some(view) = view {
            let setting = Setting { model, keys: &keys, chain: &chain, doubled };
            applied(&history, &setting)?;
            document(&history, &view, model)?;
        }
    }
    Ok(())
}

/// An entry is what somebody wrote.
fn written(
    step: &Step,
    model: &Model,
    key: Option<&[u8; 32]>,
    words: &mut BTreeMap<String, EntryId>,
) -> Result<(), Violation> {
    let texts: BTreeMap<&str, &str> = step
        .changes
        .iter()
        .filter(|change| !is_of_photo(&change.key))
        .filter_map(|change| Some((change.key.as_str(), text(&change.after)?)))
        .collect();
    let id = step.entry;
    let Some((word, attempt)) = texts.values().find_map(|text| {
        let word = text.split('-').next()?;
        Some((word, model.attempts.get(word)?))
    }) else {
        return violated("nothing-unsigned", format!("nobody wrote entry {id}: {texts:?}"));
    };
    if key != Some(&attempt.key) {
        return violated("nothing-unsigned", format!("entry {id} is {word} under another key"));
    }
    let wanted: BTreeMap<&str, &str> =
        attempt.answers.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    if texts != wanted {
        return violated("content-as-written", format!("entry {id} says {texts:?}, and {wanted:?} was written"));
    }
    if model.copied.contains(word) {
        return Ok(());
    }
    if let Some((told, _)) = attempt.told
        && told != id
    {
        return violated("saved-once", format!("{word} was saved as {told} and is entry {id} too"));
    }
    if let Some(other) = words.insert(word.to_owned(), id).filter(|other| *other != id) {
        return violated("saved-once", format!("{word} is entry {other} and entry {id}"));
    }
    Ok(())
}

/// What entries are judged by.
#[derive(Clone, Copy)]
struct Setting<'a> {
    model: &'a Model,
    /// Whose each log is.
    keys: &'a BTreeMap<LogId, [u8; 32]>,
    chain: &'a Chain,
    /// Keys that are at work on two devices.
    doubled: &'a BTreeSet<[u8; 32]>,
}

/// What is applied is what must be: everything but what a cut or a fork touches; and of what a cut covers only what others built on.
fn applied(history: &[Step], setting: &Setting<'_>) -> Result<(), Violation> {
    let Setting { model, keys, chain, doubled } = *setting;
    let by_id: BTreeMap<EntryId, &Step> = history.iter().map(|step| (step.entry, step)).collect();
    let is_covered = |step: &Step| {
        let at = Place { log: step.log, seq: step.seq, id: step.entry };
        keys.get(&step.log).is_some_and(|key| model.is_covered(key, at, chain))
    };
    let was_final = |step: &Step| {
        let at = Place { log: step.log, seq: step.seq, id: step.entry };
        keys.get(&step.log).is_some_and(|key| model.was_final(key, at, chain))
    };
    let is_doubled = |step: &Step| keys.get(&step.log).is_some_and(|key| doubled.contains(key));
    for step in history {
        let before = ancestors(step.entry, &by_id);
        // One author in one log is one hand: of two changes of a record one builds on the other, or they are a fork.
        let is_beside = |other: &&Step| {
            other.log == step.log
                && other.standing.is_applied()
                && !other.changes.is_empty()
                && !before.contains(&other.entry)
                && !ancestors(other.entry, &by_id).contains(&step.entry)
        };
        if step.standing.is_applied()
            && !step.changes.is_empty()
            && let Some(other) = history.iter().find(is_beside)
        {
            let found = format!("entries {} and {} of log {} are both applied", step.entry, other.entry, step.log);
            return violated("forks-never-merged", found);
        }
        let is_whole = before.iter().all(|id| by_id.contains_key(id));
        let is_touched = before.iter().filter_map(|id| by_id.get(id)).any(|step| is_covered(step) || is_doubled(step));
        if is_whole && !is_touched && !step.standing.is_applied() {
            let found = format!("entry {} is {} and nothing is wrong with it", step.entry, step.standing);
            return violated("applied-unless-reason", found);
        }
        let is_forked = before.iter().filter_map(|id| by_id.get(id)).any(|step| is_doubled(step));
        if was_final(step) && is_whole && !is_forked && !step.standing.is_applied() {
            let found = format!("entry {} was final before it was cut, and is {}", step.entry, step.standing);
            return violated("final-stays-applied", found);
        }
        if is_covered(step) && step.standing.is_applied() {
            let is_built_on = history.iter().any(|later| {
                later.standing.is_applied()
                    && !is_covered(later)
                    && ancestors(later.entry, &by_id).contains(&step.entry)
            });
            if !is_built_on {
                let found = format!("entry {} at {} of log {} is cut and applied", step.entry, step.seq, step.log);
                return violated("cut-sets-aside", found);
            }
        }
    }
    Ok(())
}

/// A value stands until an applied entry, of which the person saw it when beginning, answers the same question: no clock, no
/// order of arrival. Not what an entry names: that is also the author's own change before, which a second open draft never showed.
fn document(history: &[Step], view: &RecordView, model: &Model) -> Result<(), Violation> {
    let by_id: BTreeMap<EntryId, &Step> = history.iter().map(|step| (step.entry, step)).collect();
    let applied: Vec<&Step> = history.iter().filter(|step| step.standing.is_applied()).collect();
    let mut wanted: BTreeSet<(&str, EntryId, &str)> = BTreeSet::new();
    let seen: BTreeMap<EntryId, BTreeSet<EntryId>> =
        applied.iter().map(|step| (step.entry, seen_by(step, model, &by_id))).collect();
    for step in &applied {
        for change in step.changes.iter().filter(|change| !is_of_photo(&change.key)) {
            let is_replaced = applied.iter().any(|later| {
                later.entry != step.entry
                    && later.changes.iter().any(|other| other.key == change.key)
                    && seen.get(&later.entry).is_some_and(|seen| seen.contains(&step.entry))
            });
            if let (false, Some(text)) = (is_replaced, text(&change.after)) {
                wanted.insert((&change.key, step.entry, text));
            }
        }
    }
    let mut shown: BTreeSet<(&str, EntryId, &str)> = BTreeSet::new();
    for answer in view.answers.iter().filter(|answer| !is_of_photo(&answer.key)) {
        for value in &answer.values {
            shown.extend(text(&value.answer).map(|text| (answer.key.as_str(), value.entry, text)));
        }
    }
    if shown == wanted {
        return Ok(());
    }
    violated("nothing-merged-silently", format!("record {} shows {shown:?}, and {wanted:?} stands", view.id))
}

/// The entries whose values the person saw who wrote this one.
fn seen_by(step: &Step, model: &Model, by_id: &BTreeMap<EntryId, &Step>) -> BTreeSet<EntryId> {
    let attempt = word(step).and_then(|word| model.attempts.get(word));
    attempt.into_iter().flat_map(|attempt| &attempt.seen).flat_map(|head| ancestors(*head, by_id)).collect()
}

/// The word that an entry's texts begin with.
fn word(step: &Step) -> Option<&str> {
    let texts = step.changes.iter().filter(|change| !is_of_photo(&change.key)).filter_map(|of| text(&of.after));
    texts.filter_map(|text| text.split('-').next()).next()
}

/// An entry and all it builds on.
fn ancestors(of: EntryId, by_id: &BTreeMap<EntryId, &Step>) -> BTreeSet<EntryId> {
    let (mut found, mut open) = (BTreeSet::new(), vec![of]);
    while let Some(id) = open.pop() {
        if found.insert(id)
            && let Some(step) = by_id.get(&id)
        {
            open.extend(&step.refs);
        }
    }
    found
}

pub(super) fn text(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn is_of_photo(key: &str) -> bool {
    key.starts_with("photos/")
}
