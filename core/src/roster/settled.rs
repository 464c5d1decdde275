//! What was final before a cut: below that, one party alone cannot cut (`spec/roster.md`, What a cut of one party reaches).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::chains::Chains;
use super::inclusion::Included;
use super::statements::Roster;
use crate::entry::LogHead;
use crate::id::{EntryId, Epoch, LogId, ScopeId, StatementId};
use crate::key::KEY_BYTES;

/// What inclusions show of the keys that are cut, and where the cuts themselves stand in the ledger.
pub(super) struct Shown {
    /// Entries of a key, each with the size of the final checkpoint that holds it.
    entries: HashMap<[u8; KEY_BYTES], Vec<(LogHead, u64)>>,
    /// The lowest index at which a statement is shown.
    statements: HashMap<StatementId, u64>,
    /// By key and index of the cut: several cuts that stand nowhere yet share theirs.
    settled: HashMap<([u8; KEY_BYTES], u64), Arc<Settled>>,
}

/// What was final of the logs of one key, before a given index of the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    logs: HashMap<(ScopeId, Epoch), SettledLog>,
}

#[derive(Clone, Debug)]
enum SettledLog {
    /// Everything below `seq`, and at it these entries.
    Linear { seq: u64, at: Vec<EntryId> },
    /// In a forked log the entries that were final, as far down as their chains are held; what lies below an end of these
    /// chains counts as final until it is known.
    Forked { entries: HashSet<EntryId>, open_below: u64 },
}

impl Shown {
    /// What the inclusions of a roster show.
    pub(super) fn of(roster: &Roster) -> Self {
        let mut shown = Self { entries: HashMap::new(), statements: HashMap::new(), settled: HashMap::new() };
        for inclusion in roster.inclusions() {
            match inclusion.included() {
                Included::Entry { key, head } => {
                    shown.entries.entry(*key).or_default().push((*head, inclusion.size()));
                }
                Included::Statement(id) => {
                    let lowest = shown.statements.entry(*id).or_insert(u64::MAX);
                    *lowest = inclusion.index().min(*lowest);
                }
            }
        }
        shown
    }

    /// What was final of the logs of `key` before `cut` stood in the ledger; of a cut that is not shown to stand there,
    /// whatever is final.
    pub(super) fn before(&mut self, cut: StatementId, key: &[u8; KEY_BYTES], chains: &impl Chains) -> Arc<Settled> {
        let index = self.statements.get(&cut).copied().unwrap_or(u64::MAX);
        let entries = self.entries.get(key).map_or(&[][..], Vec::as_slice);
        let settled = self.settled.entry((*key, index)).or_insert_with(|| {
            let heads = entries.iter().filter(|(_, size)| *size <= index).map(|(head, _)| head);
            Arc::new(Settled::derive(key, heads, chains))
        });
        Arc::clone(settled)
    }
}

impl Settled {
    fn derive<'a>(key: &[u8; KEY_BYTES], heads: impl Iterator<Item = &'a LogHead>, chains: &impl Chains) -> Self {
        let mut logs: HashMap<(ScopeId, Epoch), Vec<(u64, EntryId)>> = HashMap::new();
        for head in heads {
            logs.entry(head.log()).or_default().push((head.seq, head.id));
        }
        let settled = |((scope, epoch), heads): ((ScopeId, Epoch), Vec<_>)| {
            let is_linear = chains.is_linear(LogId::derive(key, scope, epoch));
            ((scope, epoch), if is_linear { SettledLog::linear(&heads) } else { SettledLog::forked(heads, chains) })
        };
        Self { logs: logs.into_iter().map(settled).collect() }
    }

    pub(super) fn holds(&self, log: (ScopeId, Epoch), seq: u64, id: EntryId) -> bool {
        match self.logs.get(&log) {
            None => false,
            Some(SettledLog::Linear { seq: top, at }) => seq < *top || (seq == *top && at.contains(&id)),
            Some(SettledLog::Forked { entries, open_below }) => seq < *open_below || entries.contains(&id),
        }
    }
}

impl SettledLog {
    fn linear(heads: &[(u64, EntryId)]) -> Self {
        let seq = heads.iter().map(|(seq, _)| *seq).max().unwrap_or(0);
        let at = heads.iter().filter(|head| head.0 == seq).map(|(_, id)| *id).collect();
        SettledLog::Linear { seq, at }
    }

    /// Walks each entry once, however many inclusions there are.
    fn forked(heads: Vec<(u64, EntryId)>, chains: &impl Chains) -> Self {
        let (mut entries, mut open_below) = (HashSet::new(), 0);
        for (mut seq, mut id) in heads {
            while entries.insert(id) {
                let Some(below) = seq.checked_sub(1) else { break };
                let Some(prev) = chains.prev(id) else {
                    open_below = open_below.max(seq);
                    break;
                };
                (seq, id) = (below, prev);
            }
        }
        SettledLog::Forked { entries, open_below }
    }
}

#[cfg(test)]
mod tests;
