//! Between which times entries were signed, as far as an audit tells (`spec/bounds.md`): along their logs in both passes,
//! and in the full pass by what names what within a record.

use std::collections::{BTreeMap, HashMap};

use super::finding::{BagCode, Findings, Place};
use super::full::RecordGrounds;
use crate::bounds::{Between, Bound, Timeline};
use crate::entry::Clock;
use crate::id::{EntryId, RecordId};
use crate::record::HeldEntry;

/// How far a device's clock may be outside the bounds before it is said, in seconds.
const OUTSIDE_S: u64 = 600;

/// Most entries of one log beside and above a fork of which it is kept since when they can have been signed: some 5 MB.
/// Of more, only their own checkpoint is used, which is wider and no less true.
const BESIDE_MAX: usize = 65_536;

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
    fn count(&mut self, between: Between<'_>) {
        let Between { not_before: from, not_after: to } = between;
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

    /// Adds those of others.
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

    /// Counts an entry, and says what its bounds and its device's clock do not agree on.
    pub(super) fn take(&mut self, between: Between<'_>, clock: Option<Clock>, at: Place, findings: &mut Findings) {
        self.count(between);
        if between.is_contradictory() {
            findings.add(BagCode::BoundsContradict, at, "not before a time after the one it is not after");
        } else if let Some(clock) = clock {
            let distance = between.distance(clock.wall_ms);
            if distance > OUTSIDE_S {
                findings.add(BagCode::ClockOutsideBounds, at, format!("by {distance} s"));
            }
        }
    }
}

/// The later of two steps of a timeline: what an entry comes after, what names it does too.
pub(super) fn later(timeline: &Timeline, own: Option<u32>, before: Option<u32>) -> Option<u32> {
    let rank = |step: Option<u32>| step.and_then(|step| timeline.at_step(step)).map(|bound| (bound.holds, bound.time));
    if rank(own) >= rank(before) { own } else { before }
}

/// Since when the entries of one log can have been signed, by the checkpoints that they and those below them name: as steps
/// of a [`Timeline`].
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// From which position on; one entry stands at each below the fork.
    steps: Vec<(u64, Option<u32>)>,
    fork: Option<u64>,
    /// Of the entries from the first fork on, those of which something is known.
    beside: BTreeMap<(u64, EntryId), u32>,
}

impl Since {
    /// Takes the next entry; positions ascend.
    pub(super) fn add(&mut self, seq: u64, id: EntryId, step: Option<u32>) {
        if self.fork.is_none() {
            if self.steps.last().map(|(_, last)| *last) != Some(step) {
                self.steps.push((seq, step));
            }
        } else if let Some(step) = step.filter(|_| self.beside.len() < BESIDE_MAX) {
            self.beside.insert((seq, id), step);
        }
    }

    /// Notes that another entry stands beside this one, which was taken last.
    pub(super) fn fork(&mut self, seq: u64, id: EntryId, step: Option<u32>) {
        if self.fork.is_none() {
            self.fork = Some(seq);
            self.add(seq, id, step);
        }
    }

    fn of(&self, seq: u64, id: EntryId) -> Option<u32> {
        if self.fork.is_some_and(|fork| fork <= seq) {
            return self.beside.get(&(seq, id)).copied();
        }
        let at = self.steps.partition_point(|(from, _)| *from <= seq);
        at.checked_sub(1).and_then(|at| self.steps[at].1)
    }
}

/// The bounds of the entries of one record.
pub(super) struct Times<'a> {
    of: HashMap<EntryId, Between<'a>>,
}

impl<'a> Times<'a> {
    /// Those of the entries of `record` among `held`; without a timeline nothing is said.
    pub(super) fn of_record(record: RecordId, held: &[HeldEntry], grounds: RecordGrounds<'a>) -> Self {
        let Some(timeline) = grounds.timeline else { return Self { of: HashMap::new() } };
        let own: Vec<&HeldEntry> = held.iter().filter(|held| held.entry().record() == record).collect();
        let mut of: HashMap<EntryId, Between<'a>> =
            own.iter().map(|held| (held.id(), along_log(held, timeline, grounds))).collect();
        let order = each_after_what_it_names(&own);
        for held in &order {
            for named in held.entry().header().refs() {
                let Some(earlier) = of.get(named).copied() else { continue };
                of.entry(held.id()).and_modify(|own| own.follows(earlier));
            }
        }
        for held in order.iter().rev() {
            let Some(later) = of.get(&held.id()).copied() else { continue };
            for named in held.entry().header().refs() {
                of.entry(*named).and_modify(|earlier| earlier.precedes(later));
            }
        }
        Self { of }
    }

    /// The bounds of an entry.
    pub(super) fn get(&self, id: EntryId) -> Between<'a> {
        self.of.get(&id).copied().unwrap_or_default()
    }
}

fn along_log<'a>(held: &HeldEntry, timeline: &'a Timeline, grounds: RecordGrounds<'a>) -> Between<'a> {
    let (entry, header) = (held.entry(), held.entry().header());
    let leaf = grounds.ledger.place_of(entry.log(), header.seq, entry.id());
    let seen = header.seen.and_then(|seen| grounds.notes.get(&seen)).copied().flatten();
    // Where the chain leads to no certificate, what stands below in the file need not be below in the chain.
    let since = grounds.since.get(&entry.log()).filter(|_| held.certificate().is_some());
    let mut between = timeline.between(leaf, seen);
    let step = since.and_then(|since| since.of(header.seq, entry.id()));
    between.follows(Between { not_before: step.and_then(|step| timeline.at_step(step)), not_after: None });
    between
}

/// Each entry after those of the record that it names.
fn each_after_what_it_names<'h>(own: &[&'h HeldEntry]) -> Vec<&'h HeldEntry> {
    let at: HashMap<EntryId, usize> = own.iter().enumerate().map(|(at, held)| (held.id(), at)).collect();
    let (mut naming, mut open) = (vec![Vec::new(); own.len()], vec![0; own.len()]);
    for (number, held) in own.iter().enumerate() {
        for &named in held.entry().header().refs().iter().filter_map(|named| at.get(named)) {
            naming[named].push(number);
            open[number] += 1;
        }
    }
    let mut ready: Vec<usize> = (0..own.len()).filter(|&number| open[number] == 0).collect();
    let mut order = Vec::with_capacity(own.len());
    while let Some(number) = ready.pop() {
        order.push(own[number]);
        for &above in &naming[number] {
            open[above] -= 1;
            if open[above] == 0 {
                ready.push(above);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_a_fork_know_only_what_is_below_them() {
        let id = |n: u8| EntryId::from_bytes([n; 32]);
        let mut since = Since::default();
        for (seq, step) in [(0, None), (1, Some(2)), (2, Some(2)), (3, Some(4))] {
            since.add(seq, id(1), step);
        }
        assert_eq!(since.steps.len(), 3);
        since.fork(3, id(1), Some(4));
        since.add(3, id(2), Some(2));
        since.add(4, id(3), Some(2));
        since.add(4, id(4), None);
        let found =
            [(0, 1), (1, 1), (2, 1), (3, 1), (3, 2), (4, 3), (4, 4), (9, 1)].map(|(seq, n)| since.of(seq, id(n)));
        assert_eq!(found, [None, Some(2), Some(2), Some(4), Some(2), Some(2), None, None]);
    }
}
