//! Between which times an entry was signed, by witnesses' clocks and not by the device's (`spec/bounds.md`).

use std::collections::BTreeMap;

use crate::roster::PartyNumber;
use crate::witness::Quorum;

/// A cosignature's time, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Of a checkpoint: its number of leaves. Of a cosignature leaf: its index in the ledger.
    pub at: u64,
    /// The party whose witness signed.
    pub party: PartyNumber,
    /// When, in seconds since 1970, by the witness's clock.
    pub time: u64,
}

/// One end of an interval, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Seconds since 1970.
    pub time: u64,
    /// The parties whose times it rests on, ascending. It holds if any one of them tells the truth.
    pub by: Vec<PartyNumber>,
    /// Whether they are more than may lie. If not, this is what follows from trusting them, and no bound.
    pub holds: bool,
}

/// Between which times an entry was signed; `None` is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// It was signed at this time or later.
    pub not_before: Option<Bound>,
    /// It was signed at this time or earlier.
    pub not_after: Option<Bound>,
}

/// The same while they are worked out, from a [`Timeline`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Between<'a> {
    /// It was signed at this time or later.
    pub not_before: Option<&'a Bound>,
    /// It was signed at this time or earlier.
    pub not_after: Option<&'a Bound>,
}

/// What the cosignatures of a ledger say about times.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Sizes of cosigned checkpoints, ascending, each with what every checkpoint of that size or more says.
    not_after: Vec<(u64, Bound)>,
    /// Indices of cosignature leaves, ascending, each with what the leaves up to it say.
    not_before: Vec<(u64, Bound)>,
}

impl Timeline {
    /// From the cosignatures of checkpoints, and those that are themselves in the ledger.
    pub fn new(
        quorum: Quorum,
        cosigned: impl IntoIterator<Item = Sighting>,
        logged: impl IntoIterator<Item = Sighting>,
    ) -> Self {
        let liars = quorum.liars;
        let mut cosigned: Vec<Sighting> = cosigned.into_iter().collect();
        cosigned.sort_by_key(|sighting| std::cmp::Reverse(sighting.at));
        let mut least: BTreeMap<PartyNumber, u64> = BTreeMap::new();
        let mut not_after = steps(&cosigned, |sighting| {
            let time = least.entry(sighting.party).or_insert(sighting.time);
            *time = sighting.time.min(*time);
            at_position(least.iter().map(|(&party, &time)| (time, party)), liars)
        });
        not_after.reverse();

        let mut logged: Vec<Sighting> = logged.into_iter().collect();
        logged.sort_by_key(|sighting| sighting.at);
        let mut greatest: BTreeMap<PartyNumber, u64> = BTreeMap::new();
        let not_before = steps(&logged, |sighting| {
            let time = greatest.entry(sighting.party).or_insert(sighting.time);
            *time = sighting.time.max(*time);
            // Descending in time is ascending in what is left to the end of time.
            let left = greatest.iter().map(|(&party, &time)| (u64::MAX - time, party));
            at_position(left, liars).map(|bound| Bound { time: u64::MAX - bound.time, ..bound })
        });
        Self { not_after, not_before }
    }

    /// Until when at the latest the leaf with this index was there.
    pub fn not_after(&self, index: u64) -> Option<&Bound> {
        let at = self.not_after.partition_point(|(size, _)| *size <= index);
        self.not_after.get(at).map(|(_, bound)| bound)
    }

    /// Since when at the earliest a checkpoint of `size` leaves can have been known.
    pub fn not_before(&self, size: u64) -> Option<&Bound> {
        self.at_step(self.step(size)?)
    }

    /// The number of the step that [`not_before`](Self::not_before) is at; small enough to be kept for every entry.
    pub fn step(&self, size: u64) -> Option<u32> {
        let below = self.not_before.partition_point(|(index, _)| *index < size);
        below.checked_sub(1).and_then(|at| u32::try_from(at).ok())
    }

    /// The bound at a step.
    pub fn at_step(&self, step: u32) -> Option<&Bound> {
        self.not_before.get(usize::try_from(step).ok()?).map(|(_, bound)| bound)
    }

    /// The bounds of an entry with this leaf, if it has one, that names a checkpoint of so many leaves, if it does.
    pub fn between(&self, index: Option<u64>, seen: Option<u64>) -> Between<'_> {
        Between {
            not_before: seen.and_then(|size| self.not_before(size)),
            not_after: index.and_then(|index| self.not_after(index)),
        }
    }
}

impl<'a> Between<'a> {
    /// Takes into account that the entry names one with the bounds `earlier`.
    pub fn follows(&mut self, earlier: Between<'a>) {
        tighten(&mut self.not_before, earlier.not_before, |own, other| other > own);
    }

    /// Takes into account that an entry with the bounds `later` names this one.
    pub fn precedes(&mut self, later: Between<'a>) {
        tighten(&mut self.not_after, later.not_after, |own, other| other < own);
    }

    /// Whether more parties than may must have lied, or had wrong clocks.
    pub fn is_contradictory(&self) -> bool {
        let held = |bound: Option<&Bound>| bound.filter(|bound| bound.holds).map(|bound| bound.time);
        matches!((held(self.not_before), held(self.not_after)), (Some(from), Some(to)) if from > to)
    }

    /// How far, in seconds, a device's clock is outside the bounds that hold; 0 inside.
    pub fn distance(&self, wall_ms: i64) -> u64 {
        let shown = wall_ms.div_euclid(1_000);
        let seconds = |bound: &Bound| i64::try_from(bound.time).unwrap_or(i64::MAX);
        let holding = |bound: Option<&Bound>| bound.filter(|bound| bound.holds).map(seconds);
        let early = holding(self.not_before).map_or(0, |from| from.saturating_sub(shown));
        let late = holding(self.not_after).map_or(0, |to| shown.saturating_sub(to));
        early.max(late).max(0).cast_unsigned()
    }
}

impl From<Between<'_>> for Bounds {
    fn from(between: Between<'_>) -> Self {
        Self { not_before: between.not_before.cloned(), not_after: between.not_after.cloned() }
    }
}

/// One step for each place; of several sightings at a place what they say together.
fn steps(sorted: &[Sighting], mut take: impl FnMut(&Sighting) -> Option<Bound>) -> Vec<(u64, Bound)> {
    let mut steps: Vec<(u64, Bound)> = Vec::new();
    for sighting in sorted {
        let Some(bound) = take(sighting) else { continue };
        match steps.last_mut().filter(|(at, _)| *at == sighting.at) {
            Some((_, last)) => *last = bound,
            None => steps.push((sighting.at, bound)),
        }
    }
    steps
}

/// The time at position `liars` in ascending order, or the last one where there are not as many.
fn at_position(times: impl Iterator<Item = (u64, PartyNumber)>, liars: usize) -> Option<Bound> {
    let mut times: Vec<(u64, PartyNumber)> = times.collect();
    times.sort_unstable();
    let holds = times.len() > liars;
    times.truncate(liars + 1);
    let time = times.last()?.0;
    let mut by: Vec<PartyNumber> = times.into_iter().map(|(_, party)| party).collect();
    by.sort_unstable();
    Some(Bound { time, by, holds })
}

/// A bound that holds goes before one that does not; among equals the tighter one.
fn tighten<'a>(own: &mut Option<&'a Bound>, other: Option<&'a Bound>, is_tighter: impl Fn(u64, u64) -> bool) {
    let Some(other) = other else { return };
    let is_better = own.is_none_or(|own| {
        (other.holds && !own.holds) || (other.holds == own.holds && is_tighter(own.time, other.time))
    });
    if is_better {
        *own = Some(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: u64, party: u64, time: u64) -> Sighting {
        Sighting { at, party: PartyNumber(party), time }
    }

    fn shown(bound: Option<&Bound>) -> Option<(u64, bool)> {
        bound.map(|bound| (bound.time, bound.holds))
    }

    /// Every set of at most f liars, who may say any time: the truth lies within the bounds that hold.
    #[test]
    fn no_f_liars_move_a_bound_past_the_truth() {
        let quorum = Quorum::of(4);
        assert_eq!(quorum.liars, 1);
        // The leaf with index 7 was there at 100; honest witnesses cosign at 110, 120, 130 and later again.
        for liar in 1..=4 {
            for lie in [0, 50, 99, 100, 115, 1_000, u64::MAX] {
                let says = |party, time| if party == liar { lie } else { time };
                let cosigned = (1..=4).flat_map(|party| {
                    [seen(9, party, says(party, 100 + 10 * party)), seen(20, party, says(party, 300))]
                });
                let timeline = Timeline::new(quorum, cosigned, []);
                let bound = timeline.not_after(7).expect("four parties");
                assert!(bound.holds && bound.time >= 100, "party {liar} says {lie}: {bound:?}");
                assert!(bound.time <= 140, "a liar delays it no further than the slowest honest one: {bound:?}");
                // Whatever names a tree with these leaves was made after 200.
                let logged = (1..=4).map(|party| seen(10 + party, party, says(party, 150 + 10 * party)));
                let timeline = Timeline::new(quorum, [], logged);
                let bound = timeline.not_before(20).expect("four parties");
                assert!(bound.holds && bound.time <= 190 && bound.time >= 160, "party {liar} says {lie}: {bound:?}");
            }
        }
    }

    #[test]
    fn few_parties_are_named_and_bound_nothing() {
        let timeline = Timeline::new(Quorum::of(3), [seen(9, 2, 100)], [seen(3, 2, 90)]);
        let expected = Bound { time: 100, by: vec![PartyNumber(2)], holds: false };
        assert_eq!(timeline.not_after(8), Some(&expected));
        assert_eq!(shown(timeline.not_before(4)), Some((90, false)));
        let mut bounds = timeline.between(Some(8), Some(4));
        assert_eq!((bounds.distance(0), bounds.is_contradictory()), (0, false));
        // What holds takes the place of what does not, though it is wider.
        let held = |time| Bound { time, by: vec![PartyNumber(1), PartyNumber(3)], holds: true };
        let (early, late, later) = (held(10), held(500), held(501));
        bounds.precedes(Between { not_before: None, not_after: Some(&late) });
        bounds.follows(Between { not_before: Some(&early), not_after: None });
        assert_eq!((bounds.not_after, bounds.not_before), (Some(&late), Some(&early)));
        assert_eq!((bounds.distance(9_000), bounds.distance(11_000), bounds.distance(501_000)), (1, 0, 1));
        bounds.follows(Between { not_before: Some(&later), not_after: None });
        assert!(bounds.is_contradictory());
        let steps: Vec<_> = [3, 4].map(|size| timeline.step(size)).to_vec();
        assert_eq!(
            (steps, timeline.at_step(0), timeline.at_step(1)),
            (vec![None, Some(0)], timeline.not_before(4), None)
        );
    }

    #[test]
    fn only_checkpoints_with_the_leaf_and_leaves_in_the_checkpoint_count() {
        let cosigned = [seen(5, 1, 50), seen(5, 2, 60), seen(8, 1, 80), seen(8, 2, 90), seen(8, 3, 70)];
        let logged = [seen(5, 1, 50), seen(6, 2, 60), seen(9, 3, 70)];
        let timeline = Timeline::new(Quorum::of(3), cosigned, logged);
        let after: Vec<_> = [0, 4, 5, 7, 8].into_iter().map(|index| shown(timeline.not_after(index))).collect();
        // Below five leaves parties 1 and 2 saw it first; of the larger one 3 and 1.
        assert_eq!(after, [Some((60, true)), Some((60, true)), Some((80, true)), Some((80, true)), None]);
        let before: Vec<_> = [5, 6, 7, 9, 10].into_iter().map(|size| shown(timeline.not_before(size))).collect();
        assert_eq!(
            before,
            [None, Some((50, false)), Some((50, true)), Some((50, true)), Some((60, true))],
            "a leaf counts for trees that hold it"
        );
        assert_eq!(Bounds::from(timeline.between(None, None)), Bounds::default());
    }

    #[test]
    fn extreme_clocks_are_only_far_away() {
        let bound = |time| Bound { time, by: vec![], holds: true };
        let (from, to) = (bound(u64::MAX), bound(0));
        let bounds = Between { not_before: Some(&from), not_after: Some(&to) };
        assert!(bounds.is_contradictory());
        for wall in [i64::MIN, -1, 0, i64::MAX] {
            assert!(bounds.distance(wall) > 0);
        }
    }
}
