//! Records: from the entries held to what is applied, and what that says (`spec/record.md`).
//!
//! ```text
//! HeldEntry… ─┐
//! Roster      ├─ judge ──▶ Judged ─┬─▶ View       every answer with the entries that gave it
//! Coverage   ─┘            standing│─▶ document   the Automerge document
//!                          of each └─▶ history    who answered a question, when, and what became of it
//! ```
//!
//! [`judge`] is a pure function of the sets it is given: no order of arrival, no clock and no former result changes
//! what it says. It judges a whole record at once. A record of 2,000 entries takes a few tens of milliseconds, so
//! a caller judges again when an entry of the record, or a statement, arrives, and keeps nothing between.

mod document;
mod forks;
mod item;
mod judge;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use document::{Shown, Trace, View, document, history};
pub use forks::{Fork, ForkRule};
pub use judge::{judge, judge_under};
pub use standing::{HeldWhy, Standing, WaitingFor};

use crate::change::{Change, Earlier, RecordIndex};
use crate::check::{Full, Policy, Refused};
use crate::entry::{Body, Content, Kind, VerifiedEntry};
use crate::id::{Actor, EntryId, RecordId, StatementId};
use crate::roster::{Coverage, Roster};

/// Most entries of one record.
pub const ENTRIES_MAX: usize = 65_536;

/// A held entry of a record, its body read once.
#[derive(Clone, Debug)]
pub struct HeldEntry {
    entry: VerifiedEntry,
    body: HeldBody,
    certificate: Option<StatementId>,
    actor: Actor,
}

#[derive(Clone, Debug)]
enum HeldBody {
    NotHeld,
    Read(Body),
    /// Of a later version.
    Unread,
    Malformed(Refused),
}

impl HeldEntry {
    /// A held entry, and the certificate that its log names at seq 0; `None` while the chain is not held down to there.
    pub fn new(entry: VerifiedEntry, certificate: Option<StatementId>) -> Self {
        Self::new_under(entry, certificate, Full)
    }

    /// [`new`](Self::new) under `policy`.
    pub fn new_under<P: Policy>(entry: VerifiedEntry, certificate: Option<StatementId>, policy: P) -> Self {
        let body = match entry.body_under(policy) {
            Ok(Some(body)) => HeldBody::Read(body),
            Ok(None) if entry.body_bytes().is_none() => HeldBody::NotHeld,
            Ok(None) => HeldBody::Unread,
            Err(refused) => HeldBody::Malformed(refused),
        };
        let actor = entry.actor();
        Self { entry, body, certificate, actor }
    }

    /// The entry.
    pub fn entry(&self) -> &VerifiedEntry {
        &self.entry
    }

    /// Its id.
    pub fn id(&self) -> EntryId {
        self.entry.id()
    }

    /// Its body, when it is held and well formed.
    pub fn body(&self) -> Option<&Body> {
        match &self.body {
            HeldBody::Read(body) => Some(body),
            HeldBody::NotHeld | HeldBody::Unread | HeldBody::Malformed(_) => None,
        }
    }

    /// The certificate its log names.
    pub fn certificate(&self) -> Option<StatementId> {
        self.certificate
    }

    fn is_change(&self) -> bool {
        self.entry.header().kind == Kind::Change
    }

    fn chunk(&self) -> Option<&[u8]> {
        match &self.body()?.content {
            Content::Change(chunk) => Some(chunk),
            Content::Role { reason: _, text: _, seed: _ } => None,
        }
    }
}

/// What a record is judged by, besides its entries.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The mission's statements.
    pub roster: &'a Roster,
    /// What their cuts cover.
    pub coverage: &'a Coverage,
    /// The certificates that a ledger is known to hold.
    pub ledgered: &'a BTreeSet<StatementId>,
    /// Whether an entry is held that belongs to another record. It decides only between the words *out of role* and
    /// *waiting* for an entry that names it; neither is applied.
    pub is_elsewhere: &'a dyn Fn(EntryId) -> bool,
}

/// A record judged: what is applied, and the standing of everything held.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    record: RecordId,
    standings: BTreeMap<EntryId, Standing>,
    applied: Vec<ChangeEntry<'a>>,
    unapplied: Vec<ChangeEntry<'a>>,
    /// Change entries whose change cannot be read: the body is not held, was erased or breaks a rule.
    unread: Vec<&'a HeldEntry>,
    forks: Vec<Fork>,
    index: RecordIndex,
}

/// A change entry and what it wrote.
#[derive(Clone, Debug)]
pub struct ChangeEntry<'a> {
    /// The entry.
    pub held: &'a HeldEntry,
    /// Its change.
    pub change: Change<'a>,
    /// 0 for the creating entry, else one more than the greatest depth of the entries it names.
    pub depth: u32,
}

/// The author's log of this record cannot go on, because an entry of it is not applied: it needs a new epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} of this log is not applied: a new epoch is needed")]
pub struct EpochNeeded {
    /// The entry that is not applied.
    pub entry: EntryId,
}

impl<'a> Judged<'a> {
    /// The record.
    pub fn record(&self) -> RecordId {
        self.record
    }

    /// The standing of an entry; `None` if it was not among those judged.
    pub fn standing(&self, entry: EntryId) -> Option<Standing> {
        self.standings.get(&entry).copied()
    }

    /// The standing of every entry, ascending by id.
    pub fn standings(&self) -> &BTreeMap<EntryId, Standing> {
        &self.standings
    }

    /// The applied changes in canonical order: by depth, then entry id.
    pub fn applied(&self) -> &[ChangeEntry<'a>] {
        &self.applied
    }

    /// The changes that could be read and are not applied, ascending by depth as far as known, then entry id.
    pub fn unapplied(&self) -> &[ChangeEntry<'a>] {
        &self.unapplied
    }

    /// Every fork that was judged, in the order in which they were.
    pub fn forks(&self) -> &[Fork] {
        &self.forks
    }

    /// The applied entries on which no applied entry builds, ascending: what the next edit names.
    pub fn heads(&self) -> Vec<EntryId> {
        let named = self.applied.iter().flat_map(|applied| applied.held.entry.header().refs());
        let named: BTreeSet<&EntryId> = named.collect();
        let ids = self.applied.iter().map(|applied| applied.held.id());
        let heads: BTreeSet<EntryId> = ids.filter(|id| !named.contains(id)).collect();
        heads.into_iter().collect()
    }

    /// The entries whose bodies an erasure takes away: every holder drops them and refuses them from then on.
    pub fn erased(&self) -> impl Iterator<Item = EntryId> {
        self.standings.iter().filter(|(_, standing)| **standing == Standing::Erased).map(|(&id, _)| id)
    }

    /// The changes that the next change is checked against; [`RecordIndex::basis`] gives what it builds on.
    pub fn index(&self) -> &RecordIndex {
        &self.index
    }

    /// The logs of all change entries held, once for each entry, also where the change cannot be read.
    pub fn actors(&self) -> impl Iterator<Item = Actor> + '_ {
        let read = self.applied.iter().chain(&self.unapplied).map(|change| change.held);
        read.chain(self.unread.iter().copied()).map(|held| held.actor)
    }

    /// The changes that `actor` has already made in this record, for [`RecordIndex::basis`].
    ///
    /// # Errors
    /// If a change by `actor` is held and not applied.
    pub fn earlier(&self, actor: Actor) -> Result<Option<Earlier>, EpochNeeded> {
        let is_own = |entry: &&ChangeEntry<'a>| entry.held.actor == actor;
        if let Some(stuck) = self.unapplied.iter().find(is_own) {
            return Err(EpochNeeded { entry: stuck.held.id() });
        }
        if let Some(stuck) = self.unread.iter().find(|held| held.actor == actor) {
            return Err(EpochNeeded { entry: stuck.id() });
        }
        let last = self.applied.iter().filter(is_own).max_by_key(|applied| applied.change.seq());
        Ok(last.map(|last| Earlier { count: last.change.seq(), last: last.held.id() }))
    }
}
