//! The mission's ledger at the camp that sequences it: leaves first, then a checkpoint over them.
//!
//! A leaf is durable before any note covers it, so a kill at any moment leaves a ledger that a later one continues.
//! Order is the order of admission and decides nothing but completeness and heights (`spec/checkpoint.md`).

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::key::{PublicKey, Signer};
use merestone_core::merkle::{NodeHash, Tree, leaf_hash};
use merestone_core::roster::{Class, Ledger, MakeError};
use merestone_store::{
    AdmittedLog, Batch, CommitError, LeafOf, LedgerAppend, NewLeaf, ReadError, StatementClass, Store, Unsequenced,
};

use super::Shared;
use super::chain::connected;

/// The tree over the leaves in the store, committed with them.
const TREE: &str = "node/ledger-tree";

/// Leaves appended in one transaction.
const APPEND_LEAVES: usize = 8_192;

/// Most peaks of a tree: one for each bit of its size.
const PEAKS_MAX: usize = 64;

/// What the ledger states of statements: who could sign what, and what was taken away. What stands in the charter
/// is in it by the mission's id; receipts and notes speak of the ledger's content themselves.
const SEQUENCED: [(Class, StatementClass); 3] = [
    (Class::Certificate, StatementClass::Certificate),
    (Class::Cut, StatementClass::Cut),
    (Class::Erasure, StatementClass::Erasure),
];

/// The mission's ledger key, for checkpoints only: there is no way back to the signer.
#[derive(Clone)]
pub struct LedgerKey {
    signer: Arc<dyn Signer + Send + Sync>,
    ledger: Ledger,
}

/// The ledger cannot be continued or signed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The charter names another ledger key, or none.
    #[error("the key is not the ledger key of the charter")]
    OtherKey,
    /// A note is held of a larger ledger than this store has: the store was restored from a copy, or another camp
    /// sequences too. It signs nothing until the missing leaves are back.
    #[error("a checkpoint of {noted} leaves is held, this store has {size}")]
    Behind {
        /// Leaves of the newest note.
        noted: u64,
        /// Leaves in the store.
        size: u64,
    },
    /// A note over the same number of leaves has another root: two ledgers were signed with one key.
    #[error("a checkpoint of {size} leaves has another root than this store")]
    Split {
        /// Number of leaves.
        size: u64,
    },
    /// The leaves in the store are not those of the tree that was kept with them.
    #[error("the ledger in the store is damaged")]
    Damaged,
    /// The note was not made.
    #[error("the checkpoint was not signed")]
    Sign(#[source] MakeError),
    /// The note was made and then refused: too many are held of this key.
    #[error("the checkpoint is refused: {0}")]
    Refused(Refused),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl LedgerKey {
    /// The key of `signer` for the ledger that the charter names.
    ///
    /// # Errors
    /// [`LedgerError::OtherKey`].
    pub fn new(signer: Arc<dyn Signer + Send + Sync>, ledger: Option<&Ledger>) -> Result<Self, LedgerError> {
        let ledger = ledger.filter(|ledger| ledger.key == *signer.public()).ok_or(LedgerError::OtherKey)?;
        Ok(Self { signer, ledger: ledger.clone() })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        self.signer.public()
    }
}

/// Shows the public half.
impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerKey").field(self.public()).finish()
    }
}

/// Appends to the ledger and signs what it has become.
pub(super) struct Sequencer {
    shared: Arc<Shared>,
    key: LedgerKey,
    tree: Tree,
}

impl Sequencer {
    /// Takes up the ledger in the store.
    pub(super) fn open(shared: Arc<Shared>, key: LedgerKey) -> Result<Self, LedgerError> {
        if shared.authority.roster().charter().charter().ledger.as_ref() != Some(&key.ledger) {
            return Err(LedgerError::OtherKey);
        }
        let tree = match shared.store.setting(TREE)? {
            Some(bytes) => read_tree(&bytes).ok_or(LedgerError::Damaged)?,
            None => Tree::new(),
        };
        if tree.size() != shared.store.ledger_size()? {
            return Err(LedgerError::Damaged);
        }
        Ok(Self { shared, key, tree })
    }

    /// Appends everything that is held and not in the ledger yet; how many leaves that were.
    pub(super) fn append_all(&mut self) -> Result<u64, LedgerError> {
        let before = self.tree.size();
        let store = Arc::clone(&self.shared.store);
        let mut page = Page::default();
        for (class, stored) in SEQUENCED {
            for id in store.unsequenced_statements(stored)? {
                if self.shared.authority.roster().holds(class, id) {
                    page.push(&Leaf::Statement(id), LeafOf::Statement(id));
                }
            }
        }
        for open in store.unsequenced_logs()? {
            self.append_log(&store, &open, &mut page)?;
        }
        self.commit(&mut page)?;
        Ok(self.tree.size() - before)
    }

    /// Signs a note over all leaves, and holds it as a statement; `None` if the newest note is of as many.
    pub(super) fn note(&self) -> Result<Option<Checkpoint>, LedgerError> {
        let (size, root) = (self.tree.size(), self.tree.root());
        let newest = self.shared.authority.roster().newest_note().map(|note| (note.size(), *note.root()));
        match newest {
            Some((noted, _)) if noted > size => return Err(LedgerError::Behind { noted, size }),
            Some((noted, other)) if noted == size && other != root => return Err(LedgerError::Split { size }),
            Some((noted, _)) if noted == size => return Ok(None),
            Some(_) | None => {}
        }
        let note = Checkpoint::make(&self.key.ledger, &*self.key.signer, size, &root).map_err(LedgerError::Sign)?;
        let received = self.shared.take_up(Class::Note, &[note.as_bytes().to_vec()], None)?;
        match received.refused.first() {
            Some((_, refused)) => Err(LedgerError::Refused(*refused)),
            None => Ok(Some(note)),
        }
    }

    /// Number of leaves.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    fn append_log(&mut self, store: &Store, open: &Unsequenced, page: &mut Page) -> Result<(), LedgerError> {
        let Unsequenced { tip, admitted, has_new_branches } = open;
        let (log, scope) = (tip.log, tip.scope);
        let fork = store.fork(log)?;
        // Below the first fork one entry stands at each seq, and all of it below `admitted` is in the ledger.
        let from = fork.map_or(*admitted, |fork| fork.min(*admitted));
        let known: HashSet<Vec<u8>> = if from < *admitted || *has_new_branches || fork.is_some() {
            store.ledger_leaves_of(log, from)?.into_iter().collect()
        } else {
            HashSet::new()
        };
        if *admitted == 0 && known.is_empty() {
            page.push(&Leaf::Log { log, scope }, LeafOf::Other);
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
        let mut tree = self.tree.clone();
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(&leaf.bytes)));
        let mut batch = Batch::new();
        batch.setting(TREE, Some(write_tree(&tree)));
        batch.ledger(LedgerAppend { first: self.tree.size(), leaves, admitted });
        // It is made again from what is held: it does not use up the room of somebody's work.
        batch.refetchable();
        self.shared.store.commit(batch)?;
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

fn write_tree(tree: &Tree) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).uint(tree.size()).array(tree.peaks().len());
    for peak in tree.peaks() {
        writer.bytes(peak);
    }
    writer.finish()
}

fn read_tree(bytes: &[u8]) -> Option<Tree> {
    let read = || -> Result<(u64, Vec<NodeHash>), Refused> {
        let mut reader = Reader::new(bytes);
        reader.array_exact(2, "tree")?;
        let size = reader.uint("size")?;
        let len = reader.array(PEAKS_MAX, "peaks")?;
        let peaks = (0..len).map(|_| reader.array_of("peak")).collect::<Result<_, _>>()?;
        reader.leave();
        reader.leave();
        reader.finish("tree")?;
        Ok((size, peaks))
    };
    let (size, peaks) = read().ok()?;
    Tree::from_peaks(size, peaks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_reads_back_and_nothing_else_does() {
        let mut tree = Tree::new();
        for n in 0..11_u8 {
            let bytes = write_tree(&tree);
            assert_eq!(read_tree(&bytes).as_ref(), Some(&tree));
            assert!((0..bytes.len()).all(|end| read_tree(&bytes[..end]).is_none()));
            tree.append([n; 32]);
        }
        let mut writer = Writer::new();
        writer.array(2).uint(3).array(1).bytes(&[0; 32]);
        assert_eq!(read_tree(&writer.finish()), None);
    }
}
