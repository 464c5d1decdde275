//! A copy of a ledger that another camp sequences: leaves are taken in when a checkpoint of that ledger covers them.

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::ledger::Growing;
use merestone_core::merkle::{NodeHash, leaf_hash, verify_consistency};
use merestone_store::{LeafOf, LedgerAppend, NewLeaf, Store};

use super::{LedgerError, tree};

/// Leaves committed in one transaction.
const PAGE_LEAVES: usize = 8_192;

/// The leaves in a store, to which those of checkpoints are added.
#[derive(Debug)]
pub struct LedgerCopy<'a> {
    store: &'a Store,
    tree: Growing,
}

impl<'a> LedgerCopy<'a> {
    /// The copy in `store`. Nobody may sequence in it meanwhile.
    ///
    /// # Errors
    /// If it is damaged or cannot be read.
    pub fn of(store: &'a Store) -> Result<Self, LedgerError> {
        Ok(Self { store, tree: tree::open(store)? })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Adds the leaves that follow here in the tree of `checkpoint`, a verified one: all of them or, if the consistency proof
    /// from the tree with them to the checkpoint's does not hold, none. Durable when it returns; a kill leaves the first of
    /// them.
    ///
    /// # Errors
    /// [`LedgerError::Unproved`].
    pub fn extend(&mut self, checkpoint: &Checkpoint, leaves: &[Leaf], proof: &[NodeHash]) -> Result<(), LedgerError> {
        let (mut whole, encoded) = (self.tree.clone(), leaves.iter().map(Leaf::encode).collect::<Vec<_>>());
        encoded.iter().for_each(|leaf| whole.append(leaf_hash(leaf), &mut Vec::new()));
        verify_consistency(whole.size(), &whole.root(), checkpoint.size(), checkpoint.root(), proof)
            .map_err(|_| LedgerError::Unproved { size: checkpoint.size() })?;
        let new: Vec<NewLeaf> =
            leaves.iter().zip(encoded).map(|(leaf, bytes)| NewLeaf { bytes, about: about(leaf) }).collect();
        for page in new.chunks(PAGE_LEAVES) {
            let (mut grown, mut full) = (self.tree.clone(), Vec::new());
            page.iter().for_each(|leaf| grown.append(leaf_hash(&leaf.bytes), &mut full));
            let nodes = tree::nodes(&full);
            let append = LedgerAppend { first: self.tree.size(), leaves: page.to_vec(), nodes, admitted: Vec::new() };
            self.store.commit(tree::batch(&grown, append))?;
            self.tree = grown;
        }
        Ok(())
    }
}

fn about(leaf: &Leaf) -> LeafOf {
    match leaf {
        Leaf::Entry { log, seq, id: _ } => LeafOf::Entry { log: *log, seq: *seq },
        Leaf::Statement(id) | Leaf::Cosignature(id) => LeafOf::Statement(*id),
        Leaf::Begun { .. } | Leaf::Log { .. } => LeafOf::Other,
    }
}
