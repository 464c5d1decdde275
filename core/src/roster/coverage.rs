//! Which entries the cuts cover (`spec/roster.md`, Cut).
//!
//! A cut keeps what is reached from the entries it names through `prev`. In a log that never forked that is
//! "not above the kept position", one comparison. In a log that forked, the chain below the kept entry is walked
//! once when the [`Coverage`] is built, and each question is one look-up.

use std::collections::{BTreeMap, HashMap};

use super::PartyNumber;
use super::statements::Roster;
use crate::entry::LogHead;
use crate::id::{EntryId, Epoch, LogId, ScopeId};
use crate::key::KEY_BYTES;

/// What is known of the chains of logs.
pub trait Chains {
    /// Whether the held entries of `log` contradict nothing: one entry for each seq, each the `prev` of the next.
    /// True of a log of which nothing is held.
    fn is_linear(&self, log: LogId) -> bool;

    /// The entry before `entry` in its log; `None` if `entry` is not held or is the first.
    fn prev(&self, entry: EntryId) -> Option<EntryId>;
}

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

/// The chains of the entries it was told of, in memory: some 100 bytes for each entry.
#[derive(Clone, Debug, Default)]
pub struct LogIndex {
    links: HashMap<EntryId, Link>,
    logs: HashMap<LogId, Log>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    log: LogId,
    seq: u64,
    prev: Option<EntryId>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    /// The entries at each seq, ascending; more than one after a fork.
    at: BTreeMap<u64, Vec<EntryId>>,
    is_forked: bool,
}

impl LogIndex {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry, in any order; adding it again changes nothing. O(log n).
    pub fn add(&mut self, log: LogId, seq: u64, id: EntryId, prev: Option<EntryId>) {
        if self.links.contains_key(&id) {
            return;
        }
        self.links.insert(id, Link { log, seq, prev });
        let log = self.logs.entry(log).or_default();
        let ids = log.at.entry(seq).or_default();
        let spot = ids.binary_search(&id).unwrap_or_else(|spot| spot);
        ids.insert(spot, id);
        let is_alone = ids.len() == 1;

        let before = seq.checked_sub(1).and_then(|seq| log.at.get(&seq));
        let fits_before = before.is_none_or(|ids| prev.is_some_and(|prev| ids.contains(&prev)));
        let after = seq.checked_add(1).and_then(|seq| log.at.get(&seq)).into_iter().flatten();
        let fits_after = after.into_iter().all(|next| self.links.get(next).is_some_and(|link| link.prev == Some(id)));
        log.is_forked |= !(is_alone && fits_before && fits_after);
    }

    /// The entries held at `seq` of `log`, ascending.
    pub fn at(&self, log: LogId, seq: u64) -> &[EntryId] {
        self.logs.get(&log).and_then(|log| log.at.get(&seq)).map_or(&[], Vec::as_slice)
    }

    /// The entry with seq 0 in the chain of `entry`; `None` while an entry between is not held. O(seq).
    pub fn start(&self, entry: EntryId) -> Option<EntryId> {
        let mut at = entry;
        loop {
            let link = self.links.get(&at)?;
            if link.seq == 0 {
                return Some(at);
            }
            at = link.prev?;
        }
    }

    /// The log and seq of an entry.
    pub fn position(&self, entry: EntryId) -> Option<(LogId, u64)> {
        self.links.get(&entry).map(|link| (link.log, link.seq))
    }
}

impl Chains for LogIndex {
    fn is_linear(&self, log: LogId) -> bool {
        self.logs.get(&log).is_none_or(|log| !log.is_forked)
    }

    fn prev(&self, entry: EntryId) -> Option<EntryId> {
        self.links.get(&entry)?.prev
    }
}

/// What the cuts of a roster cover, for the chains known when it was built.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    cuts: HashMap<([u8; KEY_BYTES], PartyNumber), Vec<CutLogs>>,
}

type CutLogs = HashMap<(ScopeId, Epoch), KeptChain>;

/// What one cut keeps of one log.
#[derive(Clone, Debug)]
struct KeptChain {
    seq: u64,
    id: EntryId,
    /// In a forked log: the entries below the kept one, from the top, as far down as they are known.
    below: Option<Vec<EntryId>>,
}

impl Coverage {
    /// Derives the coverage. Costs the height of each kept position in a forked log, and nothing for other logs.
    ///
    /// It is to be derived again when the roster gets a cut, or a log that a cut names gets an entry.
    pub fn derive(roster: &Roster, chains: &impl Chains) -> Self {
        let mut coverage = Self::default();
        for cut in roster.cuts() {
            let log = |kept: &LogHead| ((kept.scope, kept.epoch), KeptChain::derive(cut.key(), kept, chains));
            let logs = cut.kept().iter().map(log).collect();
            coverage.cuts.entry((*cut.key(), cut.party())).or_default().push(logs);
        }
        coverage
    }

    /// Whether a cut covers the entry, in a log that `party` certified. O(number of cuts of that key).
    ///
    /// While the chain below a kept entry is not held down to this position, the entry counts as kept.
    pub fn is_covered(&self, at: LogPosition<'_>, party: PartyNumber) -> bool {
        let cuts = self.cuts.get(&(*at.key, party)).map_or(&[][..], Vec::as_slice);
        cuts.iter().any(|logs| logs.get(&(at.scope, at.epoch)).is_none_or(|kept| !kept.keeps(at.seq, at.id)))
    }

    /// Whether `party` cut this key at all.
    pub fn is_cut(&self, key: &[u8; KEY_BYTES], party: PartyNumber) -> bool {
        self.cuts.contains_key(&(*key, party))
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
    use crate::roster::{Class, Cut, CutDraft, CutReason, Role};

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

    #[test]
    fn forks_are_seen_in_every_order_of_arrival() {
        let links: Vec<_> = (0..4).map(|s| (s, id(0xa, s), s.checked_sub(1).map(|s| id(0xa, s)))).collect();
        for shift in 0..4 {
            let mut index = LogIndex::new();
            for (seq, id, prev) in links.iter().cycle().skip(shift).take(4) {
                index.add(log(), *seq, *id, *prev);
                index.add(log(), *seq, *id, *prev);
            }
            assert!(index.is_linear(log()));
            assert_eq!(index.start(id(0xa, 3)), Some(id(0xa, 0)));
            let mut torn = index.clone();
            torn.add(log(), 4, id(0xb, 4), Some(id(0xb, 3)));
            assert!(!torn.is_linear(log()), "a prev that is not the entry held");
            assert_eq!(torn.start(id(0xb, 4)), None);
            index.add(log(), 0, id(0xb, 0), None);
            assert!(!index.is_linear(log()));
            assert_eq!(index.at(log(), 0), [id(0xa, 0), id(0xb, 0)]);
        }
    }
}
