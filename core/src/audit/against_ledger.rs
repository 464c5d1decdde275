//! One log against the ledger, while it is read: which of its entries have a leaf, which leaves have no entry, and between
//! which times witnesses place each entry (`spec/bounds.md`).

use std::collections::BTreeMap;

use super::Pass;
use super::fast::{BodyFacts, EntryFacts};
use super::finding::{BagCode, Findings, Place};
use super::ledger::{Logged, say_left_out};
use super::logs::LogSummary;
use super::times::later;
use crate::bounds::{Between, Timeline};
use crate::entry::Position;
use crate::id::{EntryId, LogId, NoteHash};

/// The ledger, as far as the reading of every log needs it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerGrounds<'a> {
    /// Leaves that a note vouches for.
    pub trusted: u64,
    /// Those of the last final note.
    pub in_final: u64,
    /// The notes in the bag, with the sizes of those that are of its leaves.
    pub notes: &'a BTreeMap<NoteHash, Option<u64>>,
    /// What witnesses' times say.
    pub timeline: Option<&'a Timeline>,
}

/// The comparison of one log; without a ledger it says nothing.
pub(super) struct AgainstLedger<'a> {
    grounds: Option<LedgerGrounds<'a>>,
    logged: Option<Logged>,
    unlogged: First,
    unseen: First,
    /// The full pass works bounds out with records.
    is_fast: bool,
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

impl<'a> AgainstLedger<'a> {
    pub(super) fn new(grounds: Option<LedgerGrounds<'a>>, logged: Option<Logged>, pass: Pass) -> Self {
        Self { grounds, logged, unlogged: First::default(), unseen: First::default(), is_fast: pass == Pass::Fast }
    }

    /// Looks for the leaf of an entry, and for the checkpoint it names. `before` is the step of the timeline from which on
    /// the entry below it can have been signed; gives that of this one.
    pub(super) fn entry(
        &mut self,
        facts: &EntryFacts,
        before: Option<u32>,
        summary: &mut LogSummary,
        at: &Place,
        findings: &mut Findings,
    ) -> Option<u32> {
        let grounds = self.grounds?;
        let seen = facts.seen.and_then(|seen| grounds.notes.get(&seen)).copied();
        if facts.seen.is_some() && seen.is_none() {
            self.unseen.add(facts);
        }
        let size = seen.flatten();
        summary.seen_beyond += u64::from(facts.seen.is_some() && size.is_none());
        let leaf = self.leaf(facts, grounds, summary, at, findings);
        let timeline = grounds.timeline?;
        let step = later(timeline, size.and_then(|size| timeline.step(size)), before);
        if self.is_fast {
            let not_before = step.and_then(|step| timeline.at_step(step));
            let not_after = leaf.and_then(|leaf| timeline.not_after(leaf));
            let clock = if let BodyFacts::Held(clock) = facts.body { clock } else { None };
            summary.bounded.take(Between { not_before, not_after }, clock, at.clone(), findings);
        }
        step
    }

    fn leaf(
        &mut self,
        facts: &EntryFacts,
        grounds: LedgerGrounds<'a>,
        summary: &mut LogSummary,
        at: &Place,
        findings: &mut Findings,
    ) -> Option<u64> {
        let Some(logged) = self.logged.as_mut() else {
            self.unlogged.add(facts);
            return None;
        };
        if !logged.is_judged() {
            return None;
        }
        let id = facts.id();
        logged.mark(facts.seq, id);
        let Some(leaf) = logged.find(facts.seq, id).filter(|leaf| u64::from(*leaf) < grounds.trusted) else {
            self.unlogged.add(facts);
            return None;
        };
        summary.in_ledger += 1;
        summary.in_final += u64::from(u64::from(leaf) < grounds.in_final);
        if let Position::Later { prev } = facts.position {
            let before = facts.seq.checked_sub(1).and_then(|seq| logged.find(seq, prev));
            if before.is_none_or(|before| before > leaf) {
                let place = Place { leaf: Some(leaf.into()), ..at.clone() };
                findings.add(BagCode::LedgerOrder, place, "before the entry it names");
            }
        }
        Some(leaf.into())
    }

    /// Excuses the leaves at a position whose ids are above `highest`: with four below them no store has room for these.
    /// Gives how many that are.
    pub(super) fn displaced(&mut self, log: LogId, seq: u64, highest: EntryId, findings: &mut Findings) -> u64 {
        let (Some(grounds), Some(logged)) = (self.grounds, self.logged.as_mut()) else { return 0 };
        let mut absent = 0;
        for (id, leaf) in logged.take_above(seq, highest) {
            if u64::from(leaf) < grounds.trusted {
                let place = Place { leaf: Some(leaf.into()), ..Place::entry(log, seq, id) };
                findings.add(BagCode::SiblingDisplaced, place, "four siblings with lower ids are there");
                absent += 1;
            }
        }
        absent
    }

    /// The entry that the ledger has at a position, if it is one.
    pub(super) fn only_at(&self, seq: u64) -> Option<EntryId> {
        self.logged.as_ref().and_then(|logged| logged.only_at(seq))
    }

    /// The place of an entry's leaf, if a final note holds it.
    pub(super) fn final_leaf(&self, seq: u64, id: EntryId) -> Option<u64> {
        let leaf = u64::from(self.logged.as_ref()?.find(seq, id)?);
        Some(leaf).filter(|leaf| *leaf < self.grounds.map_or(0, |grounds| grounds.in_final))
    }

    /// Notes that bytes stand in the place of an entry, of which something was said.
    pub(super) fn is_spoilt(&mut self, seq: u64, id: EntryId) {
        if let Some(logged) = self.logged.as_mut().filter(|logged| logged.find(seq, id).is_some()) {
            logged.mark(seq, id);
        }
    }

    /// Says what only the whole log shows, and gives back what the ledger had of it.
    pub(super) fn finish(self, summary: &mut LogSummary, findings: &mut Findings) -> Option<Logged> {
        let trusted = self.grounds?.trusted;
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
