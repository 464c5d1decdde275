//! One log against the ledger, while it is read: which of its entries have a leaf, which leaves have no entry, and between
//! which times witnesses place each entry (`spec/bounds.md`).

use std::collections::BTreeMap;

use super::fast::{BodyFacts, EntryFacts};
use super::finding::{BagCode, Findings, Place};
use super::ledger::{Logged, say_left_out};
use super::logs::LogSummary;
use crate::bounds::{Bound, Bounds, Timeline};
use crate::entry::Position;
use crate::id::{EntryId, NoteHash};

/// How far a device's clock may be outside the bounds before it is said, in seconds.
const OUTSIDE_S: u64 = 600;

/// The ledger, as far as the reading of every log needs it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerGrounds<'a> {
    /// Leaves that a note vouches for.
    pub trusted: u64,
    /// Those of the last final note.
    pub in_final: u64,
    /// The notes in the bag, with their sizes.
    pub notes: &'a BTreeMap<NoteHash, u64>,
    /// What witnesses' times say.
    pub timeline: Option<&'a Timeline>,
}

/// How many entries have which bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounded {
    /// Signed between two times that hold.
    pub both: u64,
    /// Signed before a time that holds.
    pub not_after: u64,
    /// Signed after a time that holds.
    pub not_before: u64,
    /// Nothing holds; what is said rests on fewer parties than may lie.
    pub trusting: u64,
    /// Nothing is said.
    pub open: u64,
}

impl Bounded {
    fn count(&mut self, from: Option<&Bound>, to: Option<&Bound>) {
        let holds = |bound: Option<&Bound>| bound.is_some_and(|bound| bound.holds);
        let counted = match (holds(from), holds(to)) {
            (true, true) => &mut self.both,
            (false, true) => &mut self.not_after,
            (true, false) => &mut self.not_before,
            (false, false) if from.is_some() || to.is_some() => &mut self.trusting,
            (false, false) => &mut self.open,
        };
        *counted += 1;
    }

    /// Adds those of another log.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            both: self.both + other.both,
            not_after: self.not_after + other.not_after,
            not_before: self.not_before + other.not_before,
            trusting: self.trusting + other.trusting,
            open: self.open + other.open,
        }
    }
}

/// The comparison of one log; without a ledger it says nothing.
pub(super) struct Comparison<'a> {
    grounds: Option<LedgerGrounds<'a>>,
    logged: Option<Logged>,
    unlogged: First,
    unseen: First,
    /// Of the log so far: what an entry comes after, the next one does too.
    not_before: Option<&'a Bound>,
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
        Self { grounds, logged, unlogged: First::default(), unseen: First::default(), not_before: None }
    }

    /// Looks for the leaf of an entry, and for its bounds.
    pub(super) fn entry(&mut self, facts: &EntryFacts, summary: &mut LogSummary, at: &Place, findings: &mut Findings) {
        let Some(grounds) = self.grounds else { return };
        let seen = facts.seen.and_then(|seen| grounds.notes.get(&seen)).copied();
        if facts.seen.is_some() && seen.is_none() {
            self.unseen.add(facts);
        }
        let leaf = self.leaf(facts, grounds, summary, at, findings);
        if let Some(timeline) = grounds.timeline {
            self.bound(facts, timeline, (leaf, seen), summary, at, findings);
        }
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

    fn bound(
        &mut self,
        facts: &EntryFacts,
        timeline: &'a Timeline,
        (leaf, seen): (Option<u64>, Option<u64>),
        summary: &mut LogSummary,
        at: &Place,
        findings: &mut Findings,
    ) {
        let own = seen.and_then(|size| timeline.not_before(size));
        let is_later = |own: &Bound, held: &Bound| (own.holds, own.time) > (held.holds, held.time);
        self.not_before = match (own, self.not_before) {
            (Some(own), Some(held)) if !is_later(own, held) => Some(held),
            (Some(own), _) => Some(own),
            (None, held) => held,
        };
        let not_after = leaf.and_then(|leaf| timeline.not_after(leaf));
        summary.bounded.count(self.not_before, not_after);
        let is_after = |from: &Bound, to: &Bound| from.holds && to.holds && from.time > to.time;
        if self.not_before.zip(not_after).is_some_and(|(from, to)| is_after(from, to)) {
            findings.add(BagCode::BoundsContradict, at.clone(), "not before a time after the one it is not after");
        } else if let BodyFacts::Held(Some(clock)) = facts.body {
            let bounds = Bounds { not_before: self.not_before.cloned(), not_after: not_after.cloned() };
            let distance = bounds.distance(clock.wall_ms);
            if distance > OUTSIDE_S {
                findings.add(BagCode::ClockOutsideBounds, at.clone(), format!("by {distance} s"));
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
