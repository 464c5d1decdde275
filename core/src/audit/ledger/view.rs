//! What the ledger shows, once it was read: places of entries, what the bag lacks, and as of when it lacks nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::logged::{Logged, Places};
use super::notes::{Notes, SeenNote};
use crate::audit::finding::{BagCode, Findings, Place};
use crate::audit::logs::LogSummary;
use crate::bounds::{Bound, Sighting, Timeline};
use crate::id::{EntryId, LogId, NoteHash, ScopeId, StatementId};
use crate::witness::{Confirmation, Tally, Witness};

/// Logs of the ledger.
pub(super) type Logs = BTreeMap<LogId, Logged>;

/// The ledger of a bag, and what became of its leaves.
#[derive(Debug, Default)]
pub struct LedgerView {
    notes: Vec<SeenNote>,
    silent: Vec<Witness>,
    scopes: Option<BTreeSet<ScopeId>>,
    why_not: Option<&'static str>,
    trusted: u64,

    // Every leaf, by what it is about.
    waiting: Logs,
    places: BTreeMap<LogId, Places>,
    statements: BTreeMap<StatementId, u32>,
    cosignatures: BTreeMap<StatementId, u32>,

    left_out: LeftOutCounts,
}

/// What the ledger has and the bag has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOutCounts {
    /// Entries of the bag's scopes.
    pub entries: u64,
    /// Logs of the bag's scopes of which nothing is there; their entries are counted too.
    pub logs: u64,
    /// Certificates, cuts, erasures.
    pub statements: u64,
}

/// Whether something was left out of a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing shows it.
    NotAssessed(&'static str),
    /// The ledger shows it, as of a checkpoint.
    AsOf(Box<AsOf>),
}

/// The checkpoint that shows what was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// Its leaves.
    pub size: u64,
    /// Its note.
    pub note: NoteHash,
    /// Who confirmed it.
    pub tally: Tally,
    /// Leaves of a newer checkpoint, which is not final, while this one is.
    pub newer: Option<u64>,
    /// The scopes that were judged; `None` for all.
    pub scopes: Option<Vec<ScopeId>>,
    /// What the bag lacks of its leaves.
    pub left_out: LeftOutCounts,
    /// Until when at the latest its last leaf was there.
    pub not_after: Option<Bound>,
    /// Entries of the bag that are not among its leaves.
    pub beyond: u64,
    /// Entries of the bag that name a checkpoint which is not there, or is not of the leaves there.
    pub seen_beyond: u64,
    /// Entries among its leaves that the bag lacks because four siblings with lower ids are in their place.
    pub displaced: u64,
}

impl AsOf {
    /// Counts what the logs of the bag have beyond it.
    pub(in crate::audit) fn take_up(&mut self, logs: &BTreeMap<LogId, LogSummary>) {
        let is_final = self.tally.confirmation == Confirmation::Final;
        let within = |log: &LogSummary| if is_final { log.in_final } else { log.in_ledger };
        self.beyond = logs.values().map(|log| log.entries - within(log)).sum();
        self.displaced = logs.values().map(|log| log.displaced).sum();
        self.seen_beyond = logs.values().map(|log| log.seen_beyond).sum();
    }
}

impl LedgerView {
    pub(super) fn new(
        notes: Vec<SeenNote>,
        silent: Vec<Witness>,
        scopes: Option<BTreeSet<ScopeId>>,
        waiting: Logs,
        statements: BTreeMap<StatementId, u32>,
        cosignatures: BTreeMap<StatementId, u32>,
        why_not: Option<&'static str>,
    ) -> Self {
        let trusted = notes.iter().filter(|note| note.is_matching()).map(|note| note.size).max().unwrap_or(0);
        let places = BTreeMap::new();
        let left_out = LeftOutCounts::default();
        Self { notes, silent, scopes, why_not, trusted, waiting, places, statements, cosignatures, left_out }
    }

    /// Leaves that a note vouches for; 0 if the bag shows no ledger.
    pub fn trusted(&self) -> u64 {
        self.trusted
    }

    /// Every checkpoint of the bag, ascending by size.
    pub fn notes(&self) -> &[SeenNote] {
        &self.notes
    }

    /// The witnesses that cosigned none of them.
    pub fn silent(&self) -> &[Witness] {
        &self.silent
    }

    /// The certificates and other statements among the leaves of the last final checkpoint.
    pub fn ledgered(&self) -> BTreeSet<StatementId> {
        self.finally_stated().map(|(id, _)| id).collect()
    }

    /// The same, with the places of their leaves.
    pub fn finally_stated(&self) -> impl Iterator<Item = (StatementId, u64)> {
        let end = self.final_leaves();
        let stated = self.statements.iter().map(|(id, place)| (*id, u64::from(*place)));
        stated.filter(move |(_, place)| *place < end)
    }

    /// The place of the leaf of an entry that is in the bag, once its log was read.
    pub fn place_of(&self, log: LogId, seq: u64, id: EntryId) -> Option<u64> {
        self.places.get(&log)?.of(seq, id).filter(|place| *place < self.trusted)
    }

    /// The place of a statement's leaf.
    pub fn statement_place(&self, id: StatementId) -> Option<u64> {
        self.statements.get(&id).map(|place| u64::from(*place)).filter(|place| *place < self.trusted)
    }

    /// What the cosignatures of the matching checkpoints say about times (`spec/bounds.md`); `None` without any.
    pub fn timeline(&self) -> Option<Timeline> {
        let matching = || self.notes.iter().filter(|note| note.is_matching());
        // Of the charters that judge some of them, the one with most that may lie: of so many parties one more tell the truth.
        let quorum = matching().map(|note| note.tally.quorum).max_by_key(|quorum| quorum.liars)?;
        let cosigned = matching().flat_map(|note| {
            note.times.iter().map(|by| Sighting { at: note.size, party: by.witness.party, time: by.time })
        });
        let logged = self.notes.iter().flat_map(|note| &note.times).filter_map(|by| {
            let places = by.statements.iter().filter_map(|id| self.cosignatures.get(id));
            let at = places.map(|place| u64::from(*place)).min().filter(|place| *place < self.trusted)?;
            Some(Sighting { at, party: by.witness.party, time: by.time })
        });
        Some(Timeline::new(quorum, cosigned, logged))
    }

    /// Every note of the bag, with its leaves if it is of this tree: else nothing follows from having seen it.
    pub fn sizes_of(&self, notes: &Notes) -> BTreeMap<NoteHash, Option<u64>> {
        let mut sizes: BTreeMap<NoteHash, Option<u64>> = notes.sizes().into_keys().map(|hash| (hash, None)).collect();
        for note in self.notes.iter().filter(|note| note.is_matching()) {
            sizes.extend(note.hashes.iter().map(|hash| (*hash, Some(note.size))));
        }
        sizes
    }

    /// Leaves of the last final checkpoint; 0 without one.
    pub fn final_leaves(&self) -> u64 {
        self.last_final().map_or(0, |note| note.size)
    }

    /// What the ledger says of a log that is about to be read.
    pub fn take_log(&mut self, log: LogId) -> Option<Logged> {
        self.waiting.remove(&log)
    }

    /// Takes back what a log that was read was compared with.
    pub fn put_back(&mut self, log: LogId, logged: Logged) {
        let missing = logged.missing(self.trusted).count() as u64;
        self.left_out.entries += missing;
        self.places.insert(log, logged.into_places());
    }

    /// Says which logs and statements are not in the bag, now that every log was read.
    ///
    /// `is_there` knows the statements of which the bag has a file.
    pub fn say_missing(&mut self, is_there: impl Fn(StatementId) -> bool, findings: &mut Findings) {
        for (log, logged) in std::mem::take(&mut self.waiting) {
            let mut missing = logged.missing(self.trusted);
            let Some(first) = missing.next() else { continue };
            let (mut count, mut last) = (1, first);
            say_left_out(log, first, findings);
            for leaf in missing {
                (count, last) = (count + 1, leaf);
                say_left_out(log, leaf, findings);
            }
            let place = Place { leaf: Some(last.2.into()), ..Place::entry(log, last.0, last.1) };
            findings.add(BagCode::LogLeftOut, place, format!("{count} entries, up to this one"));
            self.left_out.logs += 1;
            self.left_out.entries += count;
        }
        for (&id, &place) in self.statements.iter().filter(|(_, place)| u64::from(**place) < self.trusted) {
            if !is_there(id) {
                let place = Place { statement: Some(id), leaf: Some(place.into()), ..Place::default() };
                findings.add(BagCode::StatementLeftOut, place, "in the ledger, not in the bag");
                self.left_out.statements += 1;
            }
        }
    }

    /// Says what the bag's notes do not confirm.
    pub fn say_confirmation(&self, findings: &mut Findings) {
        for witness in &self.silent {
            let detail = format!("{} of party {}", crate::witness::witness_name(&witness.key), witness.party);
            findings.add(BagCode::WitnessSilent, Place::bag(), detail);
        }
        match self.completeness() {
            Completeness::NotAssessed(why) => findings.add(BagCode::CompletenessNotAssessed, Place::bag(), why),
            Completeness::AsOf(_) => {
                if let Some(newest) = self.newest().filter(|note| !note.is_final()) {
                    findings.add(BagCode::CheckpointNotFinal, newest.place(), newest.tally.to_string());
                }
            }
        }
    }

    /// What is shown of completeness.
    pub fn completeness(&self) -> Completeness {
        if let Some(why) = self.why_not {
            return Completeness::NotAssessed(why);
        }
        let Some(newest) = self.newest() else {
            let why = if self.notes.is_empty() {
                "the bag holds no checkpoint"
            } else {
                "the bag holds no leaves of the ledger"
            };
            return Completeness::NotAssessed(why);
        };
        let shown = self.last_final().unwrap_or(newest);
        let Some(note) = shown.hashes.first().copied() else { return Completeness::NotAssessed("no note") };
        Completeness::AsOf(Box::new(AsOf {
            size: shown.size,
            note,
            tally: shown.tally.clone(),
            newer: Some(newest.size).filter(|size| *size > shown.size),
            scopes: self.scopes.as_ref().map(|scopes| scopes.iter().copied().collect()),
            left_out: self.left_out,
            not_after: self.timeline().and_then(|timeline| timeline.not_after(shown.size - 1).cloned()),
            beyond: 0,
            seen_beyond: 0,
            displaced: 0,
        }))
    }

    fn newest(&self) -> Option<&SeenNote> {
        self.notes.iter().rev().find(|note| note.is_matching() && note.size > 0)
    }

    fn last_final(&self) -> Option<&SeenNote> {
        self.notes.iter().rev().find(|note| note.is_final() && note.size > 0)
    }
}

/// Says that the bag lacks an entry that the ledger has.
pub(in crate::audit) fn say_left_out(log: LogId, (seq, id, place): (u64, EntryId, u32), findings: &mut Findings) {
    let place = Place { leaf: Some(place.into()), ..Place::entry(log, seq, id) };
    findings.add(BagCode::EntryLeftOut, place, "in the ledger, not in the bag");
}
