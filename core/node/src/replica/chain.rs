//! Which entries of a forked log are its main branch (`spec/sync.md`, Tips).

use std::collections::HashSet;

use merestone_core::id::{EntryId, LogId};
use merestone_store::{Link, PAGE_LINKS_MAX, ReadError, Store};

/// The contiguous main branch of one log: at a fork it takes the sibling with the lower id.
#[derive(Debug)]
pub(super) struct MainBranch {
    height: u64,
    /// From the first fork on; below it there is one entry at each seq.
    fork: Option<(u64, Vec<EntryId>)>,
}

impl MainBranch {
    /// That of `log` as it is now; empty when nothing of it is held.
    pub(super) fn of(store: &Store, log: LogId) -> Result<Self, ReadError> {
        let Some(tip) = store.tip(log)? else { return Ok(Self { height: 0, fork: None }) };
        let Some(fork) = store.fork(log)?.filter(|fork| *fork < tip.height) else {
            return Ok(Self { height: tip.height, fork: None });
        };
        let before = match fork.checked_sub(1) {
            Some(seq) => store.links(log, seq, 1)?.first().map(|link| link.id),
            None => None,
        };
        let (mut head, mut ids) = (before, Vec::new());
        for_each_link(store, log, fork, |link| {
            // Siblings come with the lowest id first.
            if link.seq == fork + ids.len() as u64 && link.seq < tip.height && link.prev == head {
                head = Some(link.id);
                ids.push(link.id);
            }
        })?;
        Ok(Self { height: fork + ids.len() as u64, fork: Some((fork, ids)) })
    }

    /// Whether the entry at this place is on it.
    pub(super) fn holds(&self, seq: u64, id: EntryId) -> bool {
        match &self.fork {
            Some((fork, ids)) if seq >= *fork => ids.get((seq - fork) as usize) == Some(&id),
            _ => seq < self.height,
        }
    }

    /// The entry of it among those held at one seq.
    pub(super) fn among(&self, seq: u64, held: &[EntryId]) -> Option<EntryId> {
        held.iter().copied().find(|id| self.holds(seq, *id))
    }

    pub(super) fn height(&self) -> u64 {
        self.height
    }

    /// Where the first entry that is not on it may stand.
    pub(super) fn first_beside(&self) -> u64 {
        self.fork.as_ref().map_or(self.height, |(fork, _)| *fork)
    }
}

/// Calls `see` for every link of a log from seq `from` on, ascending by (seq, id).
pub(super) fn for_each_link(store: &Store, log: LogId, from: u64, mut see: impl FnMut(&Link)) -> Result<(), ReadError> {
    let mut from = from;
    loop {
        let page = store.links(log, from, PAGE_LINKS_MAX)?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.seq + 1;
        page.iter().for_each(&mut see);
    }
}

/// The entries of a log from `from` on whose chain is held down to the log's first entry, ascending by (seq, id):
/// what a ledger may admit. `from` is 0 or at most the log's first fork.
pub(super) fn connected(store: &Store, log: LogId, from: u64) -> Result<Vec<Link>, ReadError> {
    // With the seq of what may follow: a key can sign an entry far above the one that it names.
    let mut reached: HashSet<(u64, Option<EntryId>)> = HashSet::new();
    let start = from.saturating_sub(1);
    let mut found = Vec::new();
    for_each_link(store, log, start, |link| {
        let is_before = from > 0 && link.seq == start;
        if is_before || (link.seq == 0 && link.prev.is_none()) || reached.contains(&(link.seq, link.prev)) {
            reached.insert((link.seq + 1, Some(link.id)));
            if !is_before {
                found.push(*link);
            }
        }
    })?;
    Ok(found)
}
