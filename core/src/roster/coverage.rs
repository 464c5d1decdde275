//! Which entries the cuts cover (`spec/roster.md`, Cut).
//!
//! A cut keeps what is reached from the entries it names through `prev`. In a log that never forked that is
//! "not above the kept position", one comparison. In a log that forked, the chain below the kept entry is walked
//! once when the [`Coverage`] is built, and each question is one look-up. What was final before a cut of one party is
//! kept in the same way.

use std::collections::HashMap;
use std::sync::Arc;

use super::PartyNumber;
use super::chains::Chains;
use super::cut::{Cut, CutBy};
use super::settled::{Settled, Shown};
use super::statements::Roster;
use crate::entry::LogHead;
use crate::id::{EntryId, Epoch, LogId, ScopeId, StatementId};
use crate::key::KEY_BYTES;

/// Where an entry stands: its log, taken apart, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition<'a> {
    /// The key that signed.
    pub key: &'a [u8; KEY_BYTES],
    /// The log's scope.
    pub scope: ScopeId,
    /// The log's epoch.
    pub epoch: Epoch,
    /// The position in the log.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
}

/// What the cuts of a roster cover, for the chains known when it was built.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    cuts: HashMap<([u8; KEY_BYTES], PartyNumber), Vec<Arc<Reach>>>,
}

/// What one cut leaves alone.
#[derive(Clone, Debug)]
struct Reach {
    cut: StatementId,
    kept: HashMap<(ScopeId, Epoch), KeptChain>,
    /// What was final before the cut; `None` if the charter's quorum decided it.
    settled: Option<Arc<Settled>>,
}

/// What one cut keeps of one log.
#[derive(Clone, Debug)]
struct KeptChain {
    seq: u64,
    id: EntryId,
    /// In a forked log: the entries below the kept one, from the top, as far down as they are known.
    below: Option<Vec<EntryId>>,
}

impl Coverage {
    /// Derives the coverage. Costs the height of each position that a cut keeps or an inclusion shows in a forked log, and
    /// a look-up for other logs.
    ///
    /// It is to be derived again when the roster gets a cut or an inclusion, or a log of a key that is cut gets an entry.
    pub fn derive(roster: &Roster, chains: &impl Chains) -> Self {
        Self::derive_shown(roster, &Shown::of(roster), chains)
    }

    /// As [`derive`](Self::derive), where more is shown of the ledger than the roster's inclusions show.
    pub fn derive_shown(roster: &Roster, shown: &Shown, chains: &impl Chains) -> Self {
        Self::of_cuts(roster, roster.cuts(), shown, &[], chains)
    }

    /// As [`derive_shown`](Self::derive_shown), of the cuts of one key, of which final checkpoints hold `more` entries: each
    /// with the index of its leaf.
    pub fn derive_of(
        roster: &Roster,
        shown: &Shown,
        key: &[u8; KEY_BYTES],
        more: &[(LogHead, u64)],
        chains: &impl Chains,
    ) -> Self {
        Self::of_cuts(roster, roster.cuts_of(key), shown, more, chains)
    }

    fn of_cuts<'a>(
        roster: &Roster,
        cuts: impl Iterator<Item = &'a Cut>,
        shown: &Shown,
        more: &[(LogHead, u64)],
        chains: &impl Chains,
    ) -> Self {
        // Cuts that nobody acknowledged yet share what was final before them.
        let (mut coverage, mut before) = (Self::default(), HashMap::new());
        for cut in cuts {
            let log = |kept: &LogHead| (kept.log(), KeptChain::derive(cut.key(), kept, chains));
            let settled = match cut.by() {
                CutBy::Party(_) => {
                    let place = shown.acts_from(roster, cut);
                    let settled = || Arc::new(shown.before(place, cut.key(), more, chains));
                    Some(Arc::clone(before.entry((*cut.key(), place)).or_insert_with(settled)))
                }
                CutBy::Quorum(_) => None,
            };
            let reach = Arc::new(Reach { cut: cut.id(), kept: cut.kept().iter().map(log).collect(), settled });
            for party in cut.by().parties() {
                coverage.cuts.entry((*cut.key(), *party)).or_default().push(Arc::clone(&reach));
            }
        }
        coverage
    }

    /// Whether a cut covers the entry, in a log that `party` certified. O(number of cuts of that key).
    ///
    /// While the chain below a kept entry is not held down to this position, the entry counts as kept; what was final counts
    /// only where it is held.
    pub fn is_covered(&self, at: LogPosition<'_>, party: PartyNumber) -> bool {
        let cuts = self.cuts.get(&(*at.key, party)).map_or(&[][..], Vec::as_slice);
        cuts.iter().any(|reach| reach.covers(at))
    }

    /// The cuts that cover the entry, in a log that `party` certified.
    pub fn covering(&self, at: LogPosition<'_>, party: PartyNumber) -> impl Iterator<Item = StatementId> {
        let cuts = self.cuts.get(&(*at.key, party)).map_or(&[][..], Vec::as_slice);
        cuts.iter().filter(move |reach| reach.covers(at)).map(|reach| reach.cut)
    }

    /// Whether a cut that several parties signed covers the entry, in a log that `party` certified: what was final before it
    /// does not matter then.
    pub fn is_covered_by_several(&self, at: LogPosition<'_>, party: PartyNumber) -> bool {
        let cuts = self.cuts.get(&(*at.key, party)).map_or(&[][..], Vec::as_slice);
        cuts.iter().any(|reach| reach.settled.is_none() && reach.covers(at))
    }

    /// Whether `party` cut this key at all.
    pub fn is_cut(&self, key: &[u8; KEY_BYTES], party: PartyNumber) -> bool {
        self.cuts.contains_key(&(*key, party))
    }
}

impl Reach {
    fn covers(&self, at: LogPosition<'_>) -> bool {
        let log = (at.scope, at.epoch);
        let is_kept = self.kept.get(&log).is_some_and(|kept| kept.keeps(at.seq, at.id));
        !is_kept && !self.settled.as_ref().is_some_and(|settled| settled.holds(log, at.seq, at.id))
    }
}

impl KeptChain {
    fn derive(key: &[u8; KEY_BYTES], kept: &LogHead, chains: &impl Chains) -> Self {
        let &LogHead { scope, epoch, seq, id } = kept;
        let below = (!chains.is_linear(LogId::derive(key, scope, epoch))).then(|| {
            let limit = usize::try_from(seq).unwrap_or(usize::MAX);
            std::iter::successors(chains.prev(id), |&id| chains.prev(id)).take(limit).collect()
        });
        Self { seq, id, below }
    }

    fn keeps(&self, seq: u64, id: EntryId) -> bool {
        let Some(depth) = self.seq.checked_sub(seq) else { return false };
        let Some(above) = depth.checked_sub(1) else { return id == self.id };
        let Some(below) = &self.below else { return true };
        let known = usize::try_from(above).ok().and_then(|above| below.get(above));
        known.is_none_or(|&known| known == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{certificate, charter, key, roster, scope};
    use crate::roster::{Class, Cut, CutDraft, CutReason, LogIndex, Role};

    fn cut_key() -> [u8; 32] {
        *key(8).public().as_bytes()
    }

    fn epoch() -> Epoch {
        Epoch::from_bytes([7; 8])
    }

    fn log() -> LogId {
        LogId::derive(&cut_key(), scope(1), epoch())
    }

    fn id(branch: u8, seq: u64) -> EntryId {
        let mut bytes = [branch; 32];
        bytes[24..].copy_from_slice(&seq.to_be_bytes());
        EntryId::from_bytes(bytes)
    }

    /// Branch `a` from 0 to 9; branch `b` leaves it after seq 4.
    fn forked(a: std::ops::Range<u64>, b: std::ops::Range<u64>) -> LogIndex {
        let mut index = LogIndex::new();
        for seq in a {
            index.add(log(), seq, id(0xa, seq), seq.checked_sub(1).map(|seq| id(0xa, seq)));
        }
        for seq in b.rev() {
            index.add(log(), seq, id(0xb, seq), Some(if seq == 5 { id(0xa, 4) } else { id(0xb, seq - 1) }));
        }
        index
    }

    fn coverage(index: &LogIndex, cuts: &[(u8, &[(u8, u64)])]) -> Coverage {
        let mut roster = roster(&[certificate(1, 8, Role::Observer), certificate(2, 8, Role::Observer)]);
        for (signer, kept) in cuts {
            let kept: Vec<_> = kept
                .iter()
                .map(|&(branch, seq)| LogHead { scope: scope(1), epoch: epoch(), seq, id: id(branch, seq) })
                .collect();
            let draft = CutDraft { key: &cut_key(), kept: &kept, reason: CutReason::Lost, text: None };
            let cut = Cut::make(&charter(), &key(*signer), &draft).expect("a party cuts");
            roster.admit(Class::Cut, cut.as_bytes()).expect("well formed");
        }
        Coverage::derive(&roster, index)
    }

    fn kept(coverage: &Coverage, branch: u8, party: u64) -> Vec<u64> {
        let key = cut_key();
        let at = |seq| LogPosition { key: &key, scope: scope(1), epoch: epoch(), seq, id: id(branch, seq) };
        (0..10).filter(|&seq| !coverage.is_covered(at(seq), PartyNumber(party))).collect()
    }

    #[test]
    fn a_cut_keeps_what_is_not_above_its_position_in_a_log_without_forks() {
        let whole = forked(0..10, 0..0);
        assert_eq!(kept(&coverage(&whole, &[(1, &[(0xa, 3)])]), 0xa, 1), [0, 1, 2, 3]);
        assert_eq!(kept(&coverage(&whole, &[(1, &[(0xa, 6)]), (1, &[(0xa, 2)])]), 0xa, 1), [0, 1, 2]);
        assert_eq!(kept(&coverage(&whole, &[(1, &[])]), 0xa, 1), [0; 0]);
        assert_eq!(kept(&coverage(&whole, &[]), 0xa, 1).len(), 10);
        assert_eq!(kept(&coverage(&LogIndex::new(), &[(1, &[(0xa, 3)])]), 0xa, 1), [0, 1, 2, 3]);
    }

    #[test]
    fn a_cut_keeps_one_branch_of_a_fork() {
        let index = forked(0..10, 5..8);
        let on_b = coverage(&index, &[(1, &[(0xb, 6)])]);
        assert_eq!(kept(&on_b, 0xa, 1), [0, 1, 2, 3, 4]);
        assert!(kept(&on_b, 0xb, 1).ends_with(&[5, 6]));
        let below = coverage(&index, &[(1, &[(0xa, 2)])]);
        assert_eq!((kept(&below, 0xa, 1), kept(&below, 0xb, 1).contains(&5)), (vec![0, 1, 2], false));
    }

    #[test]
    fn what_the_held_chain_does_not_decide_counts_as_kept() {
        let index = forked(0..7, 5..8);
        let unseen = coverage(&index, &[(1, &[(0xa, 9)])]);
        assert_eq!(kept(&unseen, 0xa, 1), (0..=9).collect::<Vec<_>>());
        assert!(kept(&unseen, 0xb, 1).contains(&6) && !kept(&unseen, 0xb, 1).contains(&9));
    }

    #[test]
    fn a_cut_acts_on_the_logs_of_its_own_party_only() {
        let index = forked(0..10, 0..0);
        let foreign = coverage(&index, &[(2, &[])]);
        assert_eq!(kept(&foreign, 0xa, 1).len(), 10);
        assert!(!foreign.is_cut(&cut_key(), PartyNumber(1)) && foreign.is_cut(&cut_key(), PartyNumber(2)));
    }
}
