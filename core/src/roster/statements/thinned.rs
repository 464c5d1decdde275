//! Which of many checkpoints are kept (`spec/witness.md`, What is kept): the newest, and a thinner and thinner choice of
//! those before.

use std::collections::BTreeSet;

use crate::id::{DIGEST_BYTES, sha256};

/// Checkpoints of one signer that are kept because they are the newest.
///
/// At one every 15 minutes, of uninterrupted work, the last three weeks whole.
pub const NEWEST_MAX: usize = 2_048;
/// Checkpoints of one signer that are kept of all others.
///
/// After a year at one every 15 minutes that is one in four hours or so.
pub const SPREAD_MAX: usize = 2_048;

/// What tells two checkpoints of one size apart.
pub(super) type Mark = [u8; DIGEST_BYTES];

/// The checkpoints of one signer that are kept, by their leaves and a mark.
///
/// What is kept is a function of all that ever came: who merges two that were thinned has what who merged first and thinned
/// then has.
#[derive(Clone, Debug)]
pub(super) struct Thinned {
    newest_max: usize,
    spread_max: usize,
    newest: BTreeSet<(u64, Mark)>,
    /// By the hash of the number of leaves, so that two checkpoints of one size stay together.
    spread: BTreeSet<([u8; DIGEST_BYTES], u64, Mark)>,
}

impl Default for Thinned {
    fn default() -> Self {
        Self::of(NEWEST_MAX, SPREAD_MAX)
    }
}

impl Thinned {
    pub(super) fn of(newest_max: usize, spread_max: usize) -> Self {
        Self { newest_max, spread_max, newest: BTreeSet::new(), spread: BTreeSet::new() }
    }

    /// Adds a checkpoint; gives the one that makes way, which may be this one.
    pub(super) fn add(&mut self, size: u64, mark: Mark) -> Option<(u64, Mark)> {
        if self.spread.contains(&(place_of(size), size, mark)) {
            return None;
        }
        self.newest.insert((size, mark));
        if self.newest.len() <= self.newest_max {
            return None;
        }
        let (size, mark) = self.newest.pop_first()?;
        self.spread.insert((place_of(size), size, mark));
        if self.spread.len() <= self.spread_max {
            return None;
        }
        self.spread.pop_last().map(|(_, size, mark)| (size, mark))
    }
}

/// Where a size stands in the choice: nobody's to choose but who chooses sizes, and equal everywhere.
fn place_of(size: u64) -> [u8; DIGEST_BYTES] {
    sha256(&[&size.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sizes: impl IntoIterator<Item = (u64, Mark)>) -> BTreeSet<(u64, Mark)> {
        let (mut thinned, mut kept) = (Thinned::of(3, 4), BTreeSet::new());
        for (size, mark) in sizes {
            kept.insert((size, mark));
            if let Some(gone) = thinned.add(size, mark) {
                assert!(kept.remove(&gone), "what goes was there");
            }
        }
        assert_eq!(thinned.newest.len() + thinned.spread.len(), kept.len());
        kept
    }

    #[test]
    fn what_is_kept_depends_on_what_came_and_on_no_order() {
        let all: Vec<(u64, Mark)> = (0..40).map(|n| (100 + n / 2, [u8::try_from(n).expect("small"); 32])).collect();
        let once = kept(all.clone());
        assert_eq!(once.len(), 7);
        assert!(all[37..].iter().all(|newest| once.contains(newest)));
        for step in [3, 7, 11, 39] {
            assert_eq!(kept((0..40).map(|at| all[at * step % 40])), once, "step {step}");
            // Two that were thinned apart and meet.
            let (here, there) = all.split_at(step);
            let (here, there) = (kept(here.iter().copied()), kept(there.iter().copied()));
            assert_eq!(kept(there.iter().chain(&here).copied()), once, "split at {step}");
            assert_eq!(kept(here.into_iter().chain(there)), once, "split at {step}");
        }
        assert_eq!(kept(all.iter().chain(&all).copied()), once, "nothing counts twice");
    }

    #[test]
    fn the_newest_is_always_kept() {
        for size in 0..100 {
            let mut thinned = Thinned::of(3, 4);
            for size in 0..=size {
                thinned.add(size, [0; 32]);
            }
            assert!(thinned.newest.contains(&(size, [0; 32])));
        }
    }
}
