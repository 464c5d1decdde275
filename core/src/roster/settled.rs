//! What was final before a cut: below that, one party alone cannot cut (`spec/roster.md`, What was final before a cut).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::PartyNumber;
use super::chains::Chains;
use super::cut::Cut;
use super::inclusion::Included;
use super::statements::Roster;
use crate::entry::LogHead;
use crate::id::{EntryId, Epoch, LogId, ScopeId, StatementId};
use crate::key::KEY_BYTES;

/// What is shown of the ledger under final checkpoints: entries of keys that are cut, and where statements stand.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Entries of a key, each with the index of its leaf.
    entries: HashMap<[u8; KEY_BYTES], Vec<(LogHead, u64)>>,
    /// The lowest index at which a statement is shown.
    statements: HashMap<StatementId, u64>,
}

/// What was final of the logs of one key, before a given index of the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    logs: HashMap<(ScopeId, Epoch), SettledLog>,
}

#[derive(Clone, Debug)]
enum SettledLog {
    /// This entry and everything below it.
    Linear { seq: u64, id: EntryId },
    /// In a forked log: the entries that were final, and those below them.
    Forked(HashSet<EntryId>),
}

impl Shown {
    /// What the inclusions of a roster show.
    pub fn of(roster: &Roster) -> Self {
        let mut shown = Self::default();
        // Planted: inclusions show nothing.
        #[cfg(planted)]
        if crate::planted::is("inclusions-ignored") {
            return shown;
        }
        for inclusion in roster.inclusions() {
            match inclusion.included() {
                Included::Entry { key, head } => shown.add_entry(key, *head, inclusion.index()),
                Included::Statement(id) => shown.add_statement(*id, inclusion.index()),
            }
        }
        shown
    }

    /// Adds an entry of `key` that a final checkpoint holds at `index`.
    pub fn add_entry(&mut self, key: &[u8; KEY_BYTES], head: LogHead, index: u64) {
        self.entries.entry(*key).or_default().push((head, index));
    }

    /// Adds a statement that a final checkpoint holds at `index`.
    pub fn add_statement(&mut self, id: StatementId, index: u64) {
        let lowest = self.statements.entry(id).or_insert(u64::MAX);
        *lowest = index.min(*lowest);
    }

    /// The entries of `key` that are shown, each with the index of its leaf.
    pub fn entries_of(&self, key: &[u8; KEY_BYTES]) -> &[(LogHead, u64)] {
        self.entries.get(key).map_or(&[], Vec::as_slice)
    }

    /// Where a statement is shown to stand.
    pub fn place_of(&self, id: StatementId) -> Option<u64> {
        self.statements.get(&id).copied()
    }

    /// Before which index of the ledger the entries must have been that a cut of one party leaves alone: the least at which,
    /// with the party itself, more parties stand for the cut than may lie. `u64::MAX` while that is not shown.
    pub fn acts_from(&self, roster: &Roster, cut: &Cut) -> u64 {
        let mut parties: BTreeMap<PartyNumber, u64> = BTreeMap::new();
        for acknowledgement in roster.acknowledgements_of(cut.id()) {
            let Some(index) = self.place_of(acknowledgement.id()) else { continue };
            let least = parties.entry(acknowledgement.party()).or_insert(u64::MAX);
            *least = index.min(*least);
        }
        let mut indices: Vec<u64> = parties.into_values().collect();
        indices.sort_unstable();
        let is_enough = |(before, index): &(usize, u64)| {
            let needed = roster.acknowledgements_needed_at(index.saturating_add(1));
            needed.is_some_and(|needed| needed <= before + 1)
        };
        let from = indices.into_iter().enumerate().find(is_enough).map_or(u64::MAX, |(_, index)| index);
        // Planted: a cut that nobody else holds acts on everything.
        #[cfg(planted)]
        if crate::planted::is("cut-acts-unacknowledged") && from == u64::MAX {
            return 0;
        }
        from
    }

    /// What stood of the logs of `key` below `from` in the ledger, with `more` entries shown.
    pub(super) fn before(
        &self,
        from: u64,
        key: &[u8; KEY_BYTES],
        more: &[(LogHead, u64)],
        chains: &impl Chains,
    ) -> Settled {
        let heads = self.entries_of(key).iter().chain(more).filter(|(_, index)| *index < from).map(|(head, _)| head);
        Settled::derive(key, heads, chains)
    }
}

impl Settled {
    fn derive<'a>(key: &[u8; KEY_BYTES], heads: impl Iterator<Item = &'a LogHead>, chains: &impl Chains) -> Self {
        let mut logs: HashMap<(ScopeId, Epoch), Vec<(u64, EntryId)>> = HashMap::new();
        for head in heads {
            logs.entry(head.log()).or_default().push((head.seq, head.id));
        }
        let settled = |((scope, epoch), heads): ((ScopeId, Epoch), Vec<_>)| {
            let log = LogId::derive(key, scope, epoch);
            let settled = if chains.is_linear(log) {
                SettledLog::linear(log, heads, chains)?
            } else {
                SettledLog::forked(log, heads, chains)
            };
            Some(((scope, epoch), settled))
        };
        Self { logs: logs.into_iter().filter_map(settled).collect() }
    }

    pub(super) fn holds(&self, log: (ScopeId, Epoch), seq: u64, id: EntryId) -> bool {
        match self.logs.get(&log) {
            None => false,
            Some(SettledLog::Linear { seq: top, id: at }) => seq < *top || (seq == *top && id == *at),
            Some(SettledLog::Forked(entries)) => entries.contains(&id),
        }
    }
}

/// A leaf is the ledger's word alone: what it names counts only where the entry is held at that place, down to seq 0.
impl SettledLog {
    fn linear(log: LogId, heads: Vec<(u64, EntryId)>, chains: &impl Chains) -> Option<Self> {
        let height = chains.height(log);
        let is_held = |(seq, id): &(u64, EntryId)| {
            *seq < height && chains.link(*id).is_some_and(|link| (link.log, link.seq) == (log, *seq))
        };
        let (seq, id) = heads.into_iter().filter(is_held).max_by_key(|(seq, _)| *seq)?;
        Some(SettledLog::Linear { seq, id })
    }

    /// Walks each entry once, however many inclusions there are.
    fn forked(log: LogId, heads: Vec<(u64, EntryId)>, chains: &impl Chains) -> Self {
        let (mut rooted, mut torn) = (HashSet::new(), HashSet::new());
        for (seq, id) in heads {
            let (mut at, mut path) = (Some((seq, id)), Vec::new());
            let is_rooted = loop {
                let Some((seq, id)) = at else { break true };
                if rooted.contains(&id) {
                    break true;
                }
                let link = chains.link(id).filter(|link| (link.log, link.seq) == (log, seq));
                let Some(link) = link.filter(|_| !torn.contains(&id)) else { break false };
                path.push(id);
                at = link.prev.and_then(|prev| Some((seq.checked_sub(1)?, prev)));
            };
            if is_rooted { rooted.extend(path) } else { torn.extend(path) }
        }
        SettledLog::Forked(rooted)
    }
}

#[cfg(test)]
mod tests;
