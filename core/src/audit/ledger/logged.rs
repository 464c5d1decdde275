//! What the ledger says of one log: which entry at which position, and where its leaf stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DIGEST_BYTES, EntryId, ScopeId};

/// The leaves of one log, and which of them the bag was found to hold.
///
/// Leaves that come in the order of their seq, one for each, take 36 bytes; branches of a fork take more.
#[derive(Clone, Debug, Default)]
pub struct Logged {
    scope: Option<ScopeId>,
    is_judged: bool,
    /// Positions 0 to `height` have a leaf.
    height: u64,

    // Of a log that is judged: the first leaf at each position, and those beside it.
    ids: Vec<[u8; DIGEST_BYTES]>,
    places: Vec<u32>,
    beside: BTreeMap<(u64, EntryId), u32>,

    // What the bag holds of them.
    present: Vec<u64>,
    present_beside: BTreeSet<(u64, EntryId)>,
    /// Entries of the bag at positions that other leaves have.
    unlogged: BTreeSet<(u64, EntryId)>,
}

impl Logged {
    /// A log of which no leaf was read.
    pub(super) fn new(is_judged: bool) -> Self {
        Self { is_judged, ..Self::default() }
    }

    /// Takes up its log leaf; the rule that it breaks, if any.
    pub(super) fn declare(&mut self, scope: ScopeId) -> Result<(), &'static str> {
        if self.scope.is_some() {
            return Err("the log stands twice");
        }
        self.scope = Some(scope);
        Ok(())
    }

    /// Takes up an entry leaf; the rule that it breaks, if any.
    pub(super) fn add(&mut self, seq: u64, id: EntryId, place: u32) -> Result<(), &'static str> {
        let declared = if self.scope.is_some() { Ok(()) } else { Err("before the leaf of its log") };
        if seq == self.height {
            self.height += 1;
            if self.is_judged {
                push(&mut self.ids, *id.as_bytes());
                push(&mut self.places, place);
            }
            return declared;
        }
        if self.is_judged {
            if self.find(seq, id).is_some() {
                return Err("the entry stands twice");
            }
            self.beside.insert((seq, id), place);
        }
        if seq > self.height { Err("before the entry below it") } else { declared }
    }

    /// The scope that its log leaf states.
    pub fn scope(&self) -> Option<ScopeId> {
        self.scope
    }

    /// Whether the log is of the bag's scopes.
    pub fn is_judged(&self) -> bool {
        self.is_judged
    }

    /// The place of an entry's leaf.
    pub fn find(&self, seq: u64, id: EntryId) -> Option<u32> {
        let first = usize::try_from(seq).ok().and_then(|at| self.ids.get(at).map(|found| (at, found)));
        match first.filter(|(_, found)| *found == id.as_bytes()) {
            Some((at, _)) => self.places.get(at).copied(),
            None => self.beside.get(&(seq, id)).copied(),
        }
    }

    /// The entry at a position, if the ledger has exactly one there.
    pub fn only_at(&self, seq: u64) -> Option<EntryId> {
        let lowest = EntryId::from_bytes([0; DIGEST_BYTES]);
        let mut others =
            self.beside.range((seq, lowest)..).take_while(|((at, _), _)| *at == seq).map(|((_, id), _)| *id);
        let first = usize::try_from(seq).ok().and_then(|at| self.ids.get(at)).map(|id| EntryId::from_bytes(*id));
        match (first, others.next()) {
            (Some(only), None) => Some(only),
            (None, Some(only)) => others.next().is_none().then_some(only),
            _ => None,
        }
    }

    /// Notes that the bag holds this entry, or bytes in its place.
    pub fn mark(&mut self, seq: u64, id: EntryId) {
        let first =
            usize::try_from(seq).ok().filter(|&at| self.ids.get(at).is_some_and(|found| found == id.as_bytes()));
        match first {
            Some(at) => {
                let word = at / 64;
                if self.present.len() <= word {
                    self.present.resize(word + 1, 0);
                }
                self.present[word] |= 1 << (at % 64);
            }
            None if self.beside.contains_key(&(seq, id)) => {
                self.present_beside.insert((seq, id));
            }
            None if seq < self.height => {
                self.unlogged.insert((seq, id));
            }
            None => {}
        }
    }

    /// The leaves at a position with ids above `highest` of which the bag holds nothing; they are missed no more.
    pub fn take_above(&mut self, seq: u64, highest: EntryId) -> Vec<(EntryId, u32)> {
        let at = usize::try_from(seq).ok();
        let first = at.and_then(|at| Some((EntryId::from_bytes(*self.ids.get(at)?), *self.places.get(at)?)));
        let is_marked = at.is_some_and(|at| self.is_marked(at));
        let first = first.filter(|(id, _)| *id > highest && !is_marked);
        let beside = self.beside.range((seq, highest)..).take_while(|((at, _), _)| *at == seq);
        let beside = beside.filter(|(key, _)| key.1 > highest && !self.present_beside.contains(key));
        let taken: Vec<(EntryId, u32)> =
            first.into_iter().chain(beside.map(|((_, id), place)| (*id, *place))).collect();
        taken.iter().for_each(|(id, _)| self.mark(seq, *id));
        taken
    }

    fn is_marked(&self, at: usize) -> bool {
        self.present.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// The leaves of which the bag holds nothing, among those before `end`.
    pub fn missing(&self, end: u64) -> impl Iterator<Item = (u64, EntryId, u32)> {
        let first = self.ids.iter().zip(&self.places).enumerate().filter(move |(at, _)| !self.is_marked(*at));
        let first = first.map(|(at, (id, place))| (at as u64, EntryId::from_bytes(*id), *place));
        let beside = self.beside.iter().filter(|(key, _)| !self.present_beside.contains(key));
        let beside = beside.map(|((seq, id), place)| (*seq, *id, *place));
        first.chain(beside).filter(move |(_, _, place)| u64::from(*place) < end)
    }

    /// What is kept once the log was read.
    pub(super) fn into_places(self) -> Places {
        let Self { places, beside, unlogged, .. } = self;
        Places { first: places.into_boxed_slice(), beside, unlogged }
    }
}

/// Where the leaves of a log stand, for entries that are in the bag: 4 bytes each.
#[derive(Clone, Debug, Default)]
pub struct Places {
    first: Box<[u32]>,
    beside: BTreeMap<(u64, EntryId), u32>,
    unlogged: BTreeSet<(u64, EntryId)>,
}

impl Places {
    /// The place of the leaf of an entry that is in the bag; `None` if the ledger has none.
    pub fn of(&self, seq: u64, id: EntryId) -> Option<u64> {
        let key = (seq, id);
        if self.unlogged.contains(&key) {
            return None;
        }
        let first = || usize::try_from(seq).ok().and_then(|at| self.first.get(at));
        self.beside.get(&key).or_else(first).copied().map(u64::from)
    }
}

/// Adds an item and lets the list grow by a quarter, not by half or more: it is most of an audit's memory.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(4));
    }
    list.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> EntryId {
        EntryId::from_bytes([n; 32])
    }

    #[test]
    fn branches_and_gaps_are_kept_and_said_and_nothing_stands_twice() {
        let mut log = Logged::new(true);
        assert_eq!(log.add(0, id(1), 5), Err("before the leaf of its log"));
        assert_eq!(log.declare(ScopeId::from_bytes([1; 8])), Ok(()));
        assert_eq!(log.declare(ScopeId::from_bytes([2; 8])), Err("the log stands twice"));
        assert_eq!(log.add(1, id(2), 6), Ok(()));
        assert_eq!(log.add(1, id(3), 7), Ok(()));
        assert_eq!(log.add(1, id(3), 8), Err("the entry stands twice"));
        assert_eq!(log.add(3, id(4), 9), Err("before the entry below it"));
        assert_eq!((log.find(1, id(2)), log.find(1, id(3)), log.find(3, id(4))), (Some(6), Some(7), Some(9)));
        assert_eq!((log.only_at(0), log.only_at(1), log.only_at(3)), (Some(id(1)), None, Some(id(4))));
        log.mark(0, id(1));
        log.mark(1, id(3));
        log.mark(1, id(9));
        assert_eq!(log.missing(100).map(|(seq, id, _)| (seq, id)).collect::<Vec<_>>(), [(1, id(2)), (3, id(4))]);
        assert_eq!(log.missing(9).count(), 1, "a leaf that no note vouches for is not missed");
        let places = log.into_places();
        assert_eq!(
            [places.of(0, id(1)), places.of(1, id(2)), places.of(1, id(3)), places.of(1, id(9)), places.of(2, id(5))],
            [Some(5), Some(6), Some(7), None, None]
        );
    }

    #[test]
    fn of_a_log_of_other_scopes_nothing_is_kept() {
        let mut log = Logged::new(false);
        assert_eq!(log.declare(ScopeId::from_bytes([1; 8])), Ok(()));
        assert!((0..100).all(|n| log.add(n, id(1), 1).is_ok()));
        assert_eq!((log.ids.len(), log.missing(1_000).count()), (0, 0));
        assert_eq!(log.add(200, id(1), 1), Err("before the entry below it"));
    }
}
