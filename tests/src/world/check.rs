//! What must be true: of one store at any moment, and of all of them when nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use merestone_core::id::{BlobHash, EntryId, LogId, RecordId, ScopeId, StatementId};
use merestone_core::record::Standing;
use merestone_core::roster::Class;
use merestone_node::records::{RecordView, Step};
use merestone_node::{Answer, Device};
use merestone_store::{BlobClass, LogTip, PAGE_LINKS_MAX};

use super::model::Model;
use super::site::Site;

/// Something that must hold and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.found)
    }
}

/// A violation.
pub fn violated<T>(invariant: &'static str, found: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { invariant, found: found.into() })
}

/// Everything that one store holds, by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Entries with their log and place.
    pub entries: BTreeMap<EntryId, (LogId, u64)>,
    /// Photos and renditions held whole, of those that entries name.
    pub blobs: BTreeSet<BlobHash>,
    /// Those named and not held.
    pub blobs_missing: BTreeSet<BlobHash>,
    /// Bodies that are not held.
    pub bodies_missing: BTreeSet<EntryId>,
    /// Statements but receipts and notes, which every meeting makes more of.
    pub statements: BTreeSet<StatementId>,
}

impl Holding {
    /// What a device holds.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(device: &Device, scope: ScopeId) -> Result<Self, String> {
        let store = device.store();
        let mut holding = Self::default();
        for tip in tips(device)? {
            let mut from = 0;
            loop {
                let page = store.links(tip.log, from, PAGE_LINKS_MAX).map_err(|error| error.to_string())?;
                let Some(last) = page.last() else { break };
                from = last.seq + 1;
                holding.entries.extend(page.into_iter().map(|link| (link.id, (tip.log, link.seq))));
            }
        }
        let classes = [BlobClass::Original, BlobClass::Preview, BlobClass::Thumbnail];
        let census = store.blob_census(&[scope], &classes).map_err(|error| error.to_string())?;
        (holding.blobs, holding.blobs_missing) =
            (census.whole.into_iter().collect(), census.missing.into_iter().collect());
        let bodies = store.missing_bodies(usize::MAX >> 1).map_err(|error| error.to_string())?;
        holding.bodies_missing = bodies.into_iter().map(|(_, _, id)| id).collect();
        let roster = device.authority().roster();
        for class in [Class::Certificate, Class::Cut, Class::Erasure] {
            holding.statements.extend(roster.ids(class));
        }
        Ok(holding)
    }

    /// How much it is: grows with every entry, photo and statement.
    pub fn amount(&self) -> usize {
        self.entries.len() + self.blobs.len() + self.statements.len()
    }

    /// Whether the other side holds something that this one lacks.
    pub fn lacks(&self, other: &Self) -> bool {
        other.entries.keys().any(|id| !self.entries.contains_key(id))
            || other.blobs.iter().any(|blob| !self.blobs.contains(blob))
            || other.statements.iter().any(|id| !self.statements.contains(id))
    }

    /// The first difference in entries and photos, in words; `None` if there is none.
    pub fn differs(&self, other: &Self) -> Option<String> {
        let lacks = |one: &Self, another: &Self, who: &str| {
            let entry = another.entries.iter().find(|(id, _)| !one.entries.contains_key(*id));
            let entry = entry.map(|(id, (log, seq))| format!("{who} lacks entry {id} at {seq} of log {log}"));
            entry.or_else(|| {
                let blob = another.blobs.iter().find(|blob| !one.blobs.contains(*blob));
                blob.map(|blob| format!("{who} lacks blob {blob}"))
            })
        };
        let bodies = || {
            let missing = self.bodies_missing.iter().chain(&other.bodies_missing).next();
            missing.map(|id| format!("the body of {id} is missing"))
        };
        let photos = || {
            let missing = self.blobs_missing.iter().chain(&other.blobs_missing).next();
            missing.map(|blob| format!("blob {blob} is missing"))
        };
        lacks(self, other, "the one").or_else(|| lacks(other, self, "the other")).or_else(bodies).or_else(photos)
    }
}

/// The tips of all logs, ascending.
///
/// # Errors
/// What the store says.
pub fn tips(device: &Device) -> Result<Vec<LogTip>, String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = device.store().tips(None, after).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.log);
        all.extend(page);
    }
}

/// What a person was told is saved, and what peers were told is durable, is there.
///
/// # Errors
/// The first thing that is not.
pub fn duty(site: &Site) -> Result<(), Violation> {
    let Some(up) = &site.up else { return Ok(()) };
    let (device, name) = (&up.device, site.name());
    let store = device.store();
    let broken =
        |error: &dyn fmt::Display| Violation { invariant: "store-readable", found: format!("{name}: {error}") };
    for (id, photos) in &site.duty.saved {
        let held = store.entry(*id).map_err(|error| broken(&error))?;
        if held.is_none_or(|held| held.body.bytes().is_none()) {
            return violated("saved-survives", format!("{name} lost entry {id}, which was saved"));
        }
        for photo in photos {
            if !store.verify_blob(*photo).map_err(|error| broken(&error))? {
                return violated("saved-survives", format!("{name} lost photo {photo} of entry {id}"));
            }
        }
    }
    for (log, height) in &site.duty.heights {
        // A fork that came later may have made the branch of which peers were told a side branch.
        let tip = store.tip(*log).map_err(|error| broken(&error))?;
        let held = tip.map_or(0, |tip| if tip.branches.is_some() { tip.height.max(tip.top) } else { tip.height });
        if held < *height {
            let found = format!("{name} told peers that it holds {height} entries of log {log}, and holds {held}");
            return violated("acknowledged-is-durable", found);
        }
    }
    for blob in &site.duty.blobs {
        if !store.verify_blob(*blob).map_err(|error| broken(&error))? {
            let found = format!("{name} told peers that it holds blob {blob}, and does not");
            return violated("acknowledged-is-durable", found);
        }
    }
    Ok(())
}

/// Every photo that is held whole has the bytes that its signed hash names.
///
/// # Errors
/// The first one that has not.
pub fn photos(device: &Device, holding: &Holding) -> Result<(), Violation> {
    for blob in &holding.blobs {
        match device.store().verify_blob(*blob) {
            Ok(true) => {}
            Ok(false) => return violated("nothing-unsigned", format!("blob {blob} is held whole and is another file")),
            Err(error) => return violated("store-readable", format!("blob {blob}: {error}")),
        }
    }
    Ok(())
}

/// Nothing rotted, so nothing is set aside as damaged.
///
/// # Errors
/// The first thing that is.
pub fn nothing_aside(device: &Device) -> Result<(), Violation> {
    let aside = device.store().aside();
    let aside = aside.map_err(|error| Violation { invariant: "store-readable", found: error.to_string() })?;
    match aside.iter().find(|aside| aside.reason.is_damage()) {
        None => Ok(()),
        Some(aside) => violated("nothing-aside-unless-damaged", format!("{aside:?}, and nothing rotted")),
    }
}

/// What one device shows of everything: compared between devices when nothing moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    tips: Vec<LogTip>,
    records: BTreeMap<RecordId, Record>,
}

/// One record as a device shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    heads: Vec<EntryId>,
    values: BTreeMap<(String, EntryId), Answer>,
    /// Every held entry, and what became of it.
    standings: BTreeMap<EntryId, (&'static str, bool)>,
}

impl Shown {
    /// What a device shows.
    ///
    /// # Errors
    /// What the store says.
    pub fn by(device: &Device) -> Result<Self, String> {
        let tips = tips(device)?;
        let mut records = BTreeMap::new();
        for record in record_ids(device, &tips)? {
            let view = device.record(record).map_err(|error| error.to_string())?;
            if let Some(view) = view {
                records.insert(record, Record::of(&view));
            }
        }
        Ok(Self { tips, records })
    }

    /// The first difference, in words.
    pub fn differs(&self, other: &Self) -> Option<String> {
        // How far a log once was is a matter of one disk.
        let plain = |tip: &LogTip| (tip.log, tip.height, tip.head, tip.branches);
        for (one, another) in self.tips.iter().zip(&other.tips) {
            if plain(one) != plain(another) {
                return Some(format!("tips {one:?} and {another:?}"));
            }
        }
        if self.tips.len() != other.tips.len() {
            return Some(format!("{} and {} logs", self.tips.len(), other.tips.len()));
        }
        for (id, record) in &self.records {
            match other.records.get(id) {
                Some(same) if same == record => {}
                Some(another) => return Some(format!("record {id} is shown as {record:?} and {another:?}")),
                None => return Some(format!("record {id} is shown by one only")),
            }
        }
        (self.records.len() != other.records.len()).then(|| "one shows more records".to_owned())
    }

    /// The first entry that an audit judged otherwise, in words.
    pub fn differs_from_audit(&self, audited: &BTreeMap<EntryId, &str>) -> Option<String> {
        let shown = self.records.values().flat_map(|record| &record.standings);
        let shown: BTreeMap<EntryId, (&str, bool)> = shown.map(|(id, of)| (*id, *of)).collect();
        if shown.len() != audited.len() {
            return Some(format!("{} entries are shown and {} were audited", shown.len(), audited.len()));
        }
        let applied = [Standing::Accepted, Standing::Provisional].map(|standing| standing.code());
        shown.iter().find_map(|(id, (standing, is_applied))| {
            let said = audited.get(id)?;
            let is_same = if *is_applied { applied.contains(said) } else { standing == said };
            (!is_same).then(|| format!("entry {id} is shown as {standing} and the audit says {said}"))
        })
    }

    /// The words of all applied entries, for comparison with a world whose clocks are others.
    pub fn applied_words(&self) -> BTreeSet<String> {
        let applied = self.records.values().flat_map(|record| {
            record.values.iter().filter(|((_, entry), _)| record.standings.get(entry).is_some_and(|of| of.1))
        });
        applied.filter_map(|((key, _), answer)| text(answer).filter(|_| !is_of_photo(key)).map(str::to_owned)).collect()
    }
}

impl Record {
    fn of(view: &RecordView) -> Self {
        let mut values = BTreeMap::new();
        for answer in &view.answers {
            for value in &answer.values {
                values.insert((answer.key.clone(), value.entry), value.answer.clone());
            }
        }
        // Whether a certificate is in the ledger yet is a matter of the notes held.
        let standing = |standing: &merestone_core::record::Standing| match standing.is_applied() {
            true => ("applied", true),
            false => (standing.code(), false),
        };
        let standings = view.standings.iter().map(|(id, of)| (*id, standing(of))).collect();
        Self { heads: view.heads.clone(), values, standings }
    }
}

fn record_ids(device: &Device, tips: &[LogTip]) -> Result<BTreeSet<RecordId>, String> {
    let mut records = BTreeSet::new();
    for tip in tips {
        let mut from = 0;
        loop {
            let page = device.store().log_entries(tip.log, from, usize::MAX).map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            records.extend(page.into_iter().map(|entry| entry.record));
        }
    }
    Ok(records)
}

/// Everything that a device shows was written by the person whose key it bears, is what that person wrote, and says what the
/// model works out from who built on what.
///
/// # Errors
/// The first thing that is not so.
pub fn truth(device: &Device, model: &Model, doubled: &BTreeSet<[u8; 32]>) -> Result<(), Violation> {
    let said = |error: String| Violation { invariant: "store-readable", found: error };
    let tips = tips(device).map_err(said)?;
    let keys: BTreeMap<LogId, [u8; 32]> = tips.iter().map(|tip| (tip.log, tip.key)).collect();
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
            applied(&history, model, &keys, doubled)?;
            document(&history, &view)?;
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

/// What is applied is what must be: everything but what a cut or a fork touches; and of what a cut covers only what others built on.
fn applied(
    history: &[Step],
    model: &Model,
    keys: &BTreeMap<LogId, [u8; 32]>,
    doubled: &BTreeSet<[u8; 32]>,
) -> Result<(), Violation> {
    let by_id: BTreeMap<EntryId, &Step> = history.iter().map(|step| (step.entry, step)).collect();
    let is_covered = |step: &Step| keys.get(&step.log).is_some_and(|key| model.is_covered(key, step.log, step.seq));
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

/// A value stands until an applied entry that builds on it, and was begun when it was there, answers the same question: no
/// clock, no order of arrival.
fn document(history: &[Step], view: &RecordView) -> Result<(), Violation> {
    let by_id: BTreeMap<EntryId, &Step> = history.iter().map(|step| (step.entry, step)).collect();
    let applied: Vec<&Step> = history.iter().filter(|step| step.standing.is_applied()).collect();
    let mut wanted: BTreeSet<(&str, EntryId, &str)> = BTreeSet::new();
    for step in &applied {
        for change in step.changes.iter().filter(|change| !is_of_photo(&change.key)) {
            let is_replaced = applied.iter().any(|later| {
                later.entry != step.entry
                    && !began_before(later, step)
                    && later.changes.iter().any(|other| other.key == change.key)
                    && ancestors(later.entry, &by_id).contains(&step.entry)
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

/// Whether the draft of an entry was begun before the other was written, so that it never showed that. It may name it all
/// the same, as the author's own previous change: two drafts of one person were open.
fn began_before(entry: &Step, other: &Step) -> bool {
    let begun = |step: &Step| {
        let texts = step.changes.iter().filter(|change| !is_of_photo(&change.key)).filter_map(|of| text(&of.after));
        texts.filter_map(|text| text.strip_prefix('w')?.split('-').next()?.parse::<u64>().ok()).next()
    };
    begun(entry) < begun(other)
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

fn text(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Text(text) => Some(text),
        _ => None,
    }
}

fn is_of_photo(key: &str) -> bool {
    key.starts_with("photos/")
}
