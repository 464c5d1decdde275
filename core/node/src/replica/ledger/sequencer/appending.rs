//! What the sequencer takes into the ledger: everything that is held, in the order in which it may be logged.

use std::collections::HashSet;
use std::sync::Arc;

use merestone_core::checkpoint::Leaf;
use merestone_core::id::StatementId;
use merestone_core::merkle::leaf_hash;
use merestone_core::roster::Class;
use merestone_store::{AdmittedLog, LeafOf, LedgerAppend, NewLeaf, StatementClass, Store, Unsequenced};

use super::Sequencer;
use crate::replica::chain::connected;
use crate::replica::ledger::counted::Counted;
use crate::replica::ledger::waiting::{self, Waiting};
use crate::replica::ledger::{LedgerError, tree};

/// Leaves appended in one transaction.
const APPEND_LEAVES: usize = 8_192;

/// What the ledger states of statements: who could sign what, and what was taken away. What stands in the charter
/// is in it by the mission's id; receipts and notes speak of the ledger's content themselves.
const SEQUENCED: [(Class, StatementClass); 5] = [
    (Class::Amendment, StatementClass::Amendment),
    (Class::Certificate, StatementClass::Certificate),
    (Class::Cut, StatementClass::Cut),
    (Class::Acknowledgement, StatementClass::Acknowledgement),
    (Class::Erasure, StatementClass::Erasure),
];

impl Sequencer {
    /// Appends everything that is held and not in the ledger yet; how many leaves that were.
    ///
    /// Nothing is appended where nothing may be signed: the leaves that were lost can then still come back.
    pub(in crate::replica) fn append_all(&mut self) -> Result<u64, LedgerError> {
        self.check()?;
        let before = self.tree.size();
        let store = Arc::clone(&self.shared.store);
        self.hand_out()?;
        let mut page = Page::default();
        // Before the statements are listed: the acknowledgements that it knows stand before every entry.
        let waiting = Waiting::of(&store, &self.shared.authority.roster())?;
        for (class, stored) in SEQUENCED {
            let mut ids = self.unsequenced(class, stored)?;
            if class == Class::Acknowledgement {
                ids = waiting::needed(&self.shared, ids)?;
            }
            for id in ids {
                page.push(&Leaf::Statement(id), LeafOf::Statement(id));
            }
        }
        for open in store.unsequenced_logs()? {
            self.append_log(&store, &open, &waiting, &mut page)?;
        }
        // Each checkpoint brings new ones: alone they would bring checkpoints for ever (`spec/checkpoint.md`, Leaves).
        if !page.leaves.is_empty() || self.tree.size() > before {
            let mut counted = self.counted.clone();
            let open = counted.take(&self.shared.authority.roster());
            for id in open {
                // Of a store whose ledger another program kept it may have one.
                if store.ledger_statement(id)?.is_none() {
                    page.push(&Leaf::Cosignature(id), LeafOf::Statement(id));
                }
            }
            page.counted = Some(counted);
        }
        self.commit(&mut page)?;
        Ok(self.tree.size() - before)
    }

    fn unsequenced(&self, class: Class, stored: StatementClass) -> Result<Vec<StatementId>, LedgerError> {
        let ids = self.shared.store.unsequenced_statements(stored)?;
        let roster = self.shared.authority.roster();
        Ok(ids.into_iter().filter(|id| roster.holds(class, *id)).collect())
    }

    fn append_log(
        &mut self,
        store: &Store,
        open: &Unsequenced,
        waiting: &Waiting,
        page: &mut Page,
    ) -> Result<(), LedgerError> {
        let Unsequenced { tip, admitted, has_new_branches } = open;
        let log = tip.log;
        let fork = store.fork(log)?;
        let limit = waiting.limit(&self.shared, tip, fork)?;
        if limit.is_some_and(|limit| limit <= fork.map_or(*admitted, |fork| fork.min(*admitted))) {
            return Ok(());
        }
        // Of a log that was never admitted leaves may have come from a mirror.
        // Below the first fork one entry stands at each seq, and all of it below `admitted` is in the ledger.
        let from = fork.map_or(*admitted, |fork| fork.min(*admitted));
        let known: HashSet<Vec<u8>> = if from < *admitted || *has_new_branches || fork.is_some() || *admitted == 0 {
            store.ledger_leaves_of(log, from)?.into_iter().collect()
        } else {
            HashSet::new()
        };
        let links = connected(store, log, from)?;
        // With its first entry: one of which nothing can be admitted yet would be begun once more each time.
        if *admitted == 0 && known.is_empty() && !links.is_empty() {
            let begun = Leaf::Begun { key: tip.key, scope: tip.scope, epoch: tip.epoch };
            page.push(&begun, LeafOf::Other);
        }
        for link in links {
            let leaf = Leaf::Entry { log, seq: link.seq, id: link.id };
            if limit.is_some_and(|limit| limit <= link.seq) {
                break;
            }
            if link.seq < tip.height.max(tip.top) && !known.contains(&leaf.encode()) {
                page.push(&leaf, LeafOf::Entry { log, seq: link.seq });
            }
            if fork.is_none() && page.leaves.len() >= APPEND_LEAVES {
                page.admitted.push(AdmittedLog { log, admitted: link.seq + 1, branches: None });
                self.commit(page)?;
            }
        }
        let to = |limit: u64| AdmittedLog { log, admitted: tip.height.min(limit).max(*admitted), branches: None };
        page.admitted.push(limit.map_or(AdmittedLog { log, admitted: tip.height, branches: tip.branches }, to));
        if page.leaves.len() >= APPEND_LEAVES {
            self.commit(page)?;
        }
        Ok(())
    }

    fn commit(&mut self, page: &mut Page) -> Result<(), LedgerError> {
        let Page { leaves, admitted, counted } = std::mem::take(page);
        if leaves.is_empty() && admitted.is_empty() {
            return Ok(());
        }
        let (mut tree, mut full) = (self.tree.clone(), Vec::new());
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(&leaf.bytes), &mut full));
        let append = LedgerAppend { first: self.tree.size(), leaves, nodes: tree::nodes(&full), admitted };
        let mut batch = tree::batch(&tree, append);
        if let Some(counted) = &counted {
            counted.commit_with(&mut batch);
        }
        self.shared.store.commit(batch)?;
        self.tree = tree;
        if let Some(counted) = counted {
            self.counted = counted;
        }
        Ok(())
    }
}

/// Leaves that are committed together.
#[derive(Default)]
struct Page {
    leaves: Vec<NewLeaf>,
    admitted: Vec<AdmittedLog>,
    counted: Option<Counted>,
}

impl Page {
    fn push(&mut self, leaf: &Leaf, about: LeafOf) {
        self.leaves.push(NewLeaf { bytes: leaf.encode(), about });
    }
}
