//! Appends to the ledger and signs what it has become.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::NoteHash;
use merestone_core::ledger::Growing;
use merestone_core::merkle::leaf_hash;
use merestone_core::roster::{Class, PartyNumber};
use merestone_store::{AdmittedLog, LeafOf, LedgerAppend, NewLeaf, StatementClass, Store, Unsequenced};

use super::super::Shared;
use super::super::chain::connected;
use super::confirming::Confirming;
use super::tiles::LedgerTiles;
use super::{LedgerError, LedgerKey, showing, tree};

/// Leaves appended in one transaction.
const APPEND_LEAVES: usize = 8_192;

/// What the ledger states of statements: who could sign what, and what was taken away. What stands in the charter
/// is in it by the mission's id; receipts and notes speak of the ledger's content themselves.
const SEQUENCED: [(Class, StatementClass); 3] = [
    (Class::Certificate, StatementClass::Certificate),
    (Class::Cut, StatementClass::Cut),
    (Class::Erasure, StatementClass::Erasure),
];

/// The ledger at the camp that continues it.
pub(in crate::replica) struct Sequencer {
    shared: Arc<Shared>,
    key: LedgerKey,
    tree: Growing,
    confirming: Confirming,
    /// Notes that were compared with the leaves.
    compared: BTreeSet<NoteHash>,
    /// The statements of this version are shown as far as final checkpoints allow.
    shown: Option<u64>,
}

impl Sequencer {
    /// Takes up the ledger in the store.
    pub(in crate::replica) fn open(shared: Arc<Shared>, key: LedgerKey) -> Result<Self, LedgerError> {
        if shared.authority.roster().charter().charter().ledger.as_ref() != Some(&key.ledger) {
            return Err(LedgerError::OtherKey);
        }
        let tree = tree::open(&shared.store)?;
        let confirming = Confirming::open(&shared)?;
        Ok(Self { shared, key, tree, confirming, compared: BTreeSet::new(), shown: None })
    }

    /// Appends everything that is held and not in the ledger yet; how many leaves that were.
    ///
    /// Nothing is appended where nothing may be signed: the leaves that were lost can then still come back.
    pub(in crate::replica) fn append_all(&mut self) -> Result<u64, LedgerError> {
        self.check()?;
        let before = self.tree.size();
        let store = Arc::clone(&self.shared.store);
        let mut page = Page::default();
        for (class, stored) in SEQUENCED {
            for id in self.unsequenced(class, stored)? {
                page.push(&Leaf::Statement(id), LeafOf::Statement(id));
            }
        }
        for open in store.unsequenced_logs()? {
            self.append_log(&store, &open, &mut page)?;
        }
        // Each checkpoint brings new ones: alone they would bring checkpoints for ever (`spec/checkpoint.md`, Leaves).
        if !page.leaves.is_empty() || self.tree.size() > before {
            for id in self.unsequenced(Class::Cosignature, StatementClass::Cosignature)? {
                page.push(&Leaf::Cosignature(id), LeafOf::Statement(id));
            }
        }
        self.commit(&mut page)?;
        Ok(self.tree.size() - before)
    }

    /// Shows to those who have no leaves what final checkpoints hold of certificates and cuts.
    pub(in crate::replica) fn show(&mut self) -> Result<(), LedgerError> {
        let version = self.shared.authority.version();
        if self.shown != Some(version) {
            showing::show(&self.shared)?;
            self.shown = Some(version);
        }
        Ok(())
    }

    /// Signs a note over all leaves, and holds it as a statement; `None` if the newest note is of as many.
    pub(in crate::replica) fn note(&mut self) -> Result<Option<Checkpoint>, LedgerError> {
        self.check()?;
        let size = self.tree.size();
        if self.shared.authority.roster().newest_note().is_some_and(|note| note.size() == size) {
            return Ok(None);
        }
        let note = self.sign(size)?;
        let received = self.shared.take_up(Class::Note, &[note.as_bytes().to_vec()], None)?;
        match received.refused.first() {
            Some((_, refused)) => Err(LedgerError::Refused(*refused)),
            None => Ok(Some(note)),
        }
    }

    /// The checkpoint that a witness which cosigned `old` leaves last is to be asked to cosign; `None` if nothing is signed yet.
    ///
    /// Before the witnesses confirmed that nothing is lost, it is over no more leaves than were signed before: those of the
    /// newest note held, or as many as the witness says, whose leaves a copy has as they were.
    pub(super) fn to_cosign(&self, old: u64) -> Result<Option<Checkpoint>, LedgerError> {
        let size = self.tree.size();
        if old > size {
            return Err(LedgerError::Lost { told: old, size });
        }
        let newest = self.shared.authority.roster().newest_note().cloned();
        let noted = newest.as_ref().map_or(0, Checkpoint::size);
        if noted > size {
            return Err(LedgerError::Behind { noted, size });
        }
        if self.confirming.is_confirmed() {
            return Ok(newest);
        }
        match newest {
            Some(note) if noted >= old => Ok(Some(note)),
            Some(_) | None => self.sign(old).map(Some),
        }
    }

    /// The witness that was asked there gave cosignatures of these parties, just now.
    pub(super) fn confirmed_by(&mut self, asked: &str, parties: &[PartyNumber]) -> Result<(), LedgerError> {
        self.confirming.hear(&self.shared.store, asked, parties)
    }

    /// Nothing is lost, as somebody knows.
    pub(super) fn confirmed(&mut self) -> Result<(), LedgerError> {
        self.confirming.declare(&self.shared.store)
    }

    /// The witness that was asked there says that it cosigned so many leaves; [`LedgerError::Lost`] if that is believed.
    pub(super) fn told(&mut self, asked: &str, leaves: u64) -> Result<(), LedgerError> {
        let size = self.tree.size();
        self.confirming.told(&self.shared.store, asked, leaves, size)?;
        match self.confirming.check(size) {
            Err(LedgerError::Unconfirmed { .. }) => Ok(()),
            other => other,
        }
    }

    /// Number of leaves.
    pub(in crate::replica) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the ledger may go on: nothing was signed that these leaves do not have, as far as is known here.
    fn check(&mut self) -> Result<(), LedgerError> {
        let size = self.tree.size();
        self.confirming.check(size)?;
        let roster = self.shared.authority.roster();
        let notes: Vec<Checkpoint> = roster.notes().cloned().collect();
        drop(roster);
        if let Some(noted) = notes.iter().map(Checkpoint::size).max().filter(|noted| *noted > size) {
            return Err(LedgerError::Behind { noted, size });
        }
        for note in notes {
            if self.compared.contains(&note.hash()) {
                continue;
            }
            if LedgerTiles::of(&self.shared.store).root(note.size())? != *note.root() {
                return Err(LedgerError::Split { size: note.size() });
            }
            self.compared.insert(note.hash());
        }
        Ok(())
    }

    fn sign(&self, size: u64) -> Result<Checkpoint, LedgerError> {
        let root = match size == self.tree.size() {
            true => self.tree.root(),
            false => LedgerTiles::of(&self.shared.store).root(size)?,
        };
        Checkpoint::make(&self.key.ledger, &*self.key.signer, size, &root).map_err(LedgerError::Sign)
    }

    fn unsequenced(
        &self,
        class: Class,
        stored: StatementClass,
    ) -> Result<Vec<merestone_core::id::StatementId>, LedgerError> {
        let ids = self.shared.store.unsequenced_statements(stored)?;
        let roster = self.shared.authority.roster();
        Ok(ids.into_iter().filter(|id| roster.holds(class, *id)).collect())
    }

    fn append_log(&mut self, store: &Store, open: &Unsequenced, page: &mut Page) -> Result<(), LedgerError> {
        let Unsequenced { tip, admitted, has_new_branches } = open;
        let log = tip.log;
        let fork = store.fork(log)?;
        // Of a log that was never admitted leaves may have come from a mirror.
        // Below the first fork one entry stands at each seq, and all of it below `admitted` is in the ledger.
        let from = fork.map_or(*admitted, |fork| fork.min(*admitted));
        let known: HashSet<Vec<u8>> = if from < *admitted || *has_new_branches || fork.is_some() || *admitted == 0 {
            store.ledger_leaves_of(log, from)?.into_iter().collect()
        } else {
            HashSet::new()
        };
        if *admitted == 0 && known.is_empty() {
            let begun = Leaf::Begun { key: tip.key, scope: tip.scope, epoch: tip.epoch };
            page.push(&begun, LeafOf::Other);
        }
        for link in connected(store, log, from)? {
            let leaf = Leaf::Entry { log, seq: link.seq, id: link.id };
            if link.seq < tip.height.max(tip.top) && !known.contains(&leaf.encode()) {
                page.push(&leaf, LeafOf::Entry { log, seq: link.seq });
            }
            if fork.is_none() && page.leaves.len() >= APPEND_LEAVES {
                page.admitted.push(AdmittedLog { log, admitted: link.seq + 1, branches: None });
                self.commit(page)?;
            }
        }
        page.admitted.push(AdmittedLog { log, admitted: tip.height, branches: tip.branches });
        if page.leaves.len() >= APPEND_LEAVES {
            self.commit(page)?;
        }
        Ok(())
    }

    fn commit(&mut self, page: &mut Page) -> Result<(), LedgerError> {
        let Page { leaves, admitted } = std::mem::take(page);
        if leaves.is_empty() && admitted.is_empty() {
            return Ok(());
        }
        let (mut tree, mut full) = (self.tree.clone(), Vec::new());
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(&leaf.bytes), &mut full));
        let append = LedgerAppend { first: self.tree.size(), leaves, nodes: tree::nodes(&full), admitted };
        self.shared.store.commit(tree::batch(&tree, append))?;
        self.tree = tree;
        Ok(())
    }
}

/// Leaves that are committed together.
#[derive(Default)]
struct Page {
    leaves: Vec<NewLeaf>,
    admitted: Vec<AdmittedLog>,
}

impl Page {
    fn push(&mut self, leaf: &Leaf, about: LeafOf) {
        self.leaves.push(NewLeaf { bytes: leaf.encode(), about });
    }
}
