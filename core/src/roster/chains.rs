//! The chains of logs, as far as they are held: which entry stands before which.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::id::{EntryId, LogId};

/// What is known of the chains of logs.
pub trait Chains {
    /// Whether the held entries of `log` contradict nothing: one entry for each seq, each the `prev` of the next.
    /// True of a log of which nothing is held.
    fn is_linear(&self, log: LogId) -> bool;

    /// How many entries of a linear log are held from seq 0 on, without a gap.
    fn height(&self, log: LogId) -> u64;

    /// Where a held entry stands; `None` if it is not held.
    fn link(&self, entry: EntryId) -> Option<Link>;

    /// The entry before `entry` in its log; `None` if `entry` is not held or is the first.
    fn prev(&self, entry: EntryId) -> Option<EntryId> {
        self.link(entry)?.prev
    }
}

/// An entry's place in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its log.
    pub log: LogId,
    /// Its position in it.
    pub seq: u64,
    /// The entry before it; `None` at seq 0.
    pub prev: Option<EntryId>,
}

/// The chains of the entries it was told of, in memory: some 100 bytes for each entry.
#[derive(Clone, Debug, Default)]
pub struct LogIndex {
    links: HashMap<EntryId, Link>,
    logs: HashMap<LogId, Log>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    /// The entries at each seq, ascending; more than one after a fork.
    at: BTreeMap<u64, Vec<EntryId>>,
    /// Every seq below it has an entry.
    height: u64,
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
        while log.at.contains_key(&log.height) {
            log.height += 1;
        }

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

    /// Adds what another index knows of other logs.
    pub fn join(&mut self, other: Self) {
        self.links.extend(other.links);
        self.logs.extend(other.logs);
    }

    /// Forgets the entries of the linear logs but for these: their heights stay, and nothing is to be added after it.
    pub fn forget_all_but(&mut self, kept: &HashSet<EntryId>) {
        let Self { links, logs } = self;
        links.retain(|id, link| kept.contains(id) || logs.get(&link.log).is_some_and(|log| log.is_forked));
        logs.values_mut().filter(|log| !log.is_forked).for_each(|log| log.at.clear());
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

    fn height(&self, log: LogId) -> u64 {
        self.logs.get(&log).map_or(0, |log| log.height)
    }

    fn link(&self, entry: EntryId) -> Option<Link> {
        self.links.get(&entry).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> LogId {
        LogId::from_bytes([7; 32])
    }

    fn id(branch: u8, seq: u64) -> EntryId {
        let mut bytes = [branch; 32];
        bytes[24..].copy_from_slice(&seq.to_be_bytes());
        EntryId::from_bytes(bytes)
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
