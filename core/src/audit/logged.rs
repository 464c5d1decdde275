//! One log against the ledger, while it is read: which of its entries have a leaf, and which leaves have no entry.

use std::collections::BTreeSet;

use super::fast::EntryFacts;
use super::finding::{BagCode, Findings, Place};
use super::ledger::{Logged, say_left_out};
use super::logs::LogSummary;
use crate::entry::Position;
use crate::id::{EntryId, NoteHash};

/// The ledger, as far as the reading of every log needs it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerGrounds<'a> {
    /// Leaves that a note vouches for.
    pub trusted: u64,
    /// The notes in the bag.
    pub notes: &'a BTreeSet<NoteHash>,
}

/// The comparison of one log; without a ledger it says nothing.
pub(super) struct Comparison<'a> {
    grounds: Option<LedgerGrounds<'a>>,
    logged: Option<Logged>,
    unlogged: First,
    unseen: First,
}

/// How many entries, and the first of them.
#[derive(Default)]
struct First {
    count: u64,
    at: Option<(u64, EntryId)>,
}

impl First {
    fn add(&mut self, facts: &EntryFacts) {
        self.count += 1;
        self.at.get_or_insert((facts.seq, facts.id()));
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(grounds: Option<LedgerGrounds<'a>>, logged: Option<Logged>) -> Self {
        Self { grounds, logged, unlogged: First::default(), unseen: First::default() }
    }

    /// Looks for the leaf of an entry.
    pub(super) fn entry(&mut self, facts: &EntryFacts, summary: &mut LogSummary, at: &Place, findings: &mut Findings) {
        let Some(LedgerGrounds { trusted, notes }) = self.grounds else { return };
        if facts.seen.is_some_and(|seen| !notes.contains(&seen)) {
            self.unseen.add(facts);
        }
        let Some(logged) = self.logged.as_mut() else { return self.unlogged.add(facts) };
        if !logged.is_judged() {
            return;
        }
        let id = facts.id();
        logged.mark(facts.seq, id);
        let Some(leaf) = logged.find(facts.seq, id).filter(|leaf| u64::from(*leaf) < trusted) else {
            return self.unlogged.add(facts);
        };
        summary.in_ledger += 1;
        if let Position::Later { prev } = facts.position {
            let before = facts.seq.checked_sub(1).and_then(|seq| logged.find(seq, prev));
            if before.is_none_or(|before| before > leaf) {
                let place = Place { leaf: Some(leaf.into()), ..at.clone() };
                findings.add(BagCode::LedgerOrder, place, "before the entry it names");
            }
        }
    }

    /// The entry that the ledger has at a position, if it is one.
    pub(super) fn only_at(&self, seq: u64) -> Option<EntryId> {
        self.logged.as_ref().and_then(|logged| logged.only_at(seq))
    }

    /// Notes that bytes stand in the place of an entry, of which something was said.
    pub(super) fn is_spoilt(&mut self, seq: u64, id: EntryId) {
        if let Some(logged) = self.logged.as_mut().filter(|logged| logged.find(seq, id).is_some()) {
            logged.mark(seq, id);
        }
    }

    /// Says what only the whole log shows, and gives back what the ledger had of it.
    pub(super) fn finish(self, summary: &mut LogSummary, findings: &mut Findings) -> Option<Logged> {
        let LedgerGrounds { trusted, notes: _ } = self.grounds?;
        let log = summary.log;
        let mut say = |code: BagCode, found: &First, what: &str| {
            if let Some((seq, id)) = found.at {
                findings.add(
                    code,
                    Place::entry(log, seq, id),
                    format!("{} entries {what}, this one first", found.count),
                );
            }
        };
        say(BagCode::EntryNotInLedger, &self.unlogged, "are not in the ledger yet");
        say(BagCode::SeenUnknown, &self.unseen, "name a checkpoint that is not in the bag");
        let logged = self.logged?;
        if let (Some(owner), Some(scope)) = (summary.owner, logged.scope())
            && owner.scope != scope
        {
            findings.add(BagCode::LedgerScope, Place { log: Some(log), ..Place::default() }, "log leaf");
        }
        for leaf in logged.missing(trusted) {
            summary.left_out += 1;
            say_left_out(log, leaf, findings);
        }
        Some(logged)
    }
}
