//! How much of the ledger a bag may show: as many leaves as everything that they name is in it.
//!
//! A copy of a ledger runs ahead of what its camp was given by sync, and a device holds its own scopes only. A bag of more
//! leaves would say of itself that something was left out.

use std::collections::HashMap;

use merestone_core::checkpoint::Leaf;
use merestone_core::id::{EntryId, LogId, ScopeId, StatementId};
use merestone_core::roster::{Class, Roster};
use merestone_store::{ReadError, SIBLINGS_MAX, Store};

use super::displaced::Displaced;

/// Leaves read from the store at once.
const PAGE_LEAVES: usize = 16_384;

/// What decides whether the bag has what a leaf names.
pub(super) struct Reach<'a> {
    pub(super) store: &'a Store,
    pub(super) roster: &'a Roster,
    /// The scopes of the bag; `None` for all.
    pub(super) scopes: Option<&'a [ScopeId]>,
    pub(super) displaced: &'a Displaced,
}

impl Reach<'_> {
    /// The number of the first of `end` leaves that names what is not here; `end` if there is none.
    pub(super) fn of(&self, end: u64) -> Result<u64, ReadError> {
        let (mut at, mut judged) = (0, HashMap::new());
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(PAGE_LEAVES);
            let page = self.store.ledger_leaves(at, wanted)?;
            if page.is_empty() {
                return Ok(at);
            }
            if let Some(absent) = self.first_absent(&page, &mut judged)? {
                return Ok(at + absent as u64);
            }
            at += page.len() as u64;
        }
        Ok(end)
    }

    fn first_absent(&self, page: &[Vec<u8>], judged: &mut HashMap<LogId, bool>) -> Result<Option<usize>, ReadError> {
        let (mut entries, mut ids, mut absent) = (Vec::new(), Vec::new(), None);
        for (at, bytes) in page.iter().enumerate() {
            match Leaf::decode(bytes) {
                Ok(Leaf::Begun { key, scope, epoch }) => {
                    let is_ours = self.scopes.is_none_or(|scopes| scopes.contains(&scope));
                    judged.insert(LogId::derive(&key, scope, epoch), is_ours);
                }
                // An auditor takes nobody's word that a log is of another scope.
                Ok(Leaf::Log { log, scope: _ }) => drop(judged.insert(log, true)),
                Ok(Leaf::Entry { log, seq, id }) => {
                    if judged.get(&log).copied().unwrap_or(self.scopes.is_none()) {
                        entries.push((at, log, seq, id));
                        ids.push(id);
                    }
                }
                Ok(Leaf::Statement(id)) if !self.holds(id) => {
                    absent = Some(at);
                    break;
                }
                Ok(Leaf::Statement(_) | Leaf::Cosignature(_)) => {}
                Err(_) => {
                    absent = Some(at);
                    break;
                }
            }
        }
        let held = self.store.held(&ids)?;
        for (at, log, seq, id) in entries {
            if !held.contains(&id) && !self.is_displaced(log, seq, id)? {
                return Ok(Some(at));
            }
        }
        Ok(absent)
    }

    fn holds(&self, id: StatementId) -> bool {
        Class::ALL.into_iter().any(|class| self.roster.holds(class, id))
    }

    /// Whether a sibling is in the bag from where it was set aside, or is not missed because four lower ones are.
    fn is_displaced(&self, log: LogId, seq: u64, id: EntryId) -> Result<bool, ReadError> {
        if self.displaced.of_log(log).iter().any(|row| row.seq == seq && row.id == id) {
            return Ok(true);
        }
        let at = self.store.ids_at(log, &[seq])?;
        Ok(at.iter().any(|(_, ids)| ids.iter().filter(|other| **other < id).count() >= SIBLINGS_MAX))
    }
}
