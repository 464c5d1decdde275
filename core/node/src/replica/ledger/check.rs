//! The ledger in a store, hashed again from its leaves: what a doctor asks.
//!
//! Opening the ledger compares its edge alone; damage further left shows when a tile or a proof is asked for, which may be a
//! year later and somebody else.

use std::collections::BTreeMap;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::ledger::{Growing, Row, Tile};
use merestone_core::merkle::{NodeHash, leaf_hash};
use merestone_core::roster::Roster;
use merestone_store::{PAGE_LEAVES_MAX, ReadError, Store};

use super::{inside, tree};

/// What hashing the leaves of a store again found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerCheck {
    /// Leaves that were read.
    pub leaves: u64,
    /// Checkpoints over no more leaves than were read: the root of each was worked out again.
    pub checkpoints: usize,
    /// Whether a leaf, a hash over a tile or the tree that was committed with them is not what it was.
    pub is_damaged: bool,
    /// The sizes, in leaves, of those checkpoints that have another root; ascending. In a ledger that is not damaged they are
    /// signed over another tree.
    pub differing: Vec<u64>,
}

impl LedgerCheck {
    /// Hashes every leaf of `store`, and compares with what was committed beside them and with every checkpoint that `roster`
    /// holds or that is kept inside. Changes nothing; takes about a microsecond a leaf.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(store: &Store, roster: &Roster) -> Result<Self, ReadError> {
        let inside = inside::Inside::open(store, roster)?;
        let mut roots: BTreeMap<u64, Vec<NodeHash>> = BTreeMap::new();
        for note in roster.checkpoints().chain(inside.checkpoint()) {
            let of_size = roots.entry(Checkpoint::size(note)).or_default();
            if !of_size.contains(note.root()) {
                of_size.push(*note.root());
            }
        }
        match Self::hash(store, &roots) {
            Err(ReadError::Damaged) => Ok(Self { is_damaged: true, ..Self::default() }),
            read => read,
        }
    }

    fn hash(store: &Store, roots: &BTreeMap<u64, Vec<NodeHash>>) -> Result<Self, ReadError> {
        let (size, mut check) = (store.ledger_size()?, Self::default());
        // A store of an older program has none; they are made when its ledger is opened.
        let has_nodes = tree::has_nodes(store, size)?;
        let (mut grown, mut full) = (Growing::new(), Vec::new());
        check.compare(&grown, roots);
        while grown.size() < size {
            let page = store.ledger_leaves(grown.size(), PAGE_LEAVES_MAX)?;
            if page.is_empty() {
                break;
            }
            for leaf in page {
                grown.append(leaf_hash(&leaf), &mut full);
                check.compare(&grown, roots);
            }
            for tile in full.drain(..).filter(|_| has_nodes) {
                check.is_damaged |= !holds(store, &tile)?;
            }
        }
        check.leaves = grown.size();
        let kept = tree::kept(store)?;
        check.is_damaged |= kept.is_none_or(|kept| (kept.size(), kept.root()) != (size, grown.root()));
        Ok(check)
    }

    fn compare(&mut self, grown: &Growing, roots: &BTreeMap<u64, Vec<NodeHash>>) {
        let Some(signed) = roots.get(&grown.size()) else { return };
        let root = grown.root();
        self.checkpoints += signed.len();
        self.differing.extend(signed.iter().filter(|other| **other != root).map(|_| grown.size()));
    }
}

/// Whether the hash over a full tile stands in the row above it.
fn holds(store: &Store, tile: &Tile) -> Result<bool, ReadError> {
    let Row::Hashes(level) = tile.address().row() else { return Ok(true) };
    Ok(store.ledger_nodes(level + 1, tile.address().index(), 1)? == [tile.root()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::id::{MissionId, StatementId, StoreId};
    use merestone_store::{Identity, LeafOf, LedgerAppend, LedgerNode, NewLeaf, StoreKey};

    /// A ledger of 600 leaves, of which this one came out otherwise than it was hashed, and with these hashes over tiles.
    fn ledger(changed: Option<u64>, nodes: impl Fn(Vec<LedgerNode>) -> Vec<LedgerNode>) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Identity { mission: MissionId::from_bytes([9; 32]), store: StoreId::from_bytes([5; 16]) };
        let store =
            Store::create(&folder.path().join("store"), StoreKey::from_bytes([0; 32]), identity).expect("a store");
        let (mut grown, mut full, mut leaves) = (Growing::new(), Vec::new(), Vec::new());
        for n in 0..600_u64 {
            let bytes = [&[n as u8; 32][..], &n.to_be_bytes()].concat();
            grown.append(leaf_hash(&bytes), &mut full);
            let bytes = if changed == Some(n) { vec![0xff; 40] } else { bytes };
            leaves.push(NewLeaf { bytes, about: LeafOf::Statement(StatementId::from_bytes([n as u8; 32])) });
        }
        let append = LedgerAppend { first: 0, leaves, nodes: nodes(tree::nodes(&full)), admitted: Vec::new() };
        store.commit(tree::batch(&grown, append)).expect("room");
        (folder, store)
    }

    fn root(size: usize) -> NodeHash {
        let (_folder, store) = ledger(None, |nodes| nodes);
        super::super::LedgerTiles::of(&store).root(size as u64).expect("its own leaves")
    }

    #[test]
    fn a_sound_ledger_is_sound_and_another_root_is_named_by_its_size() {
        let (_folder, store) = ledger(None, |nodes| nodes);
        let roots = BTreeMap::from([(300, vec![root(300), [1; 32]]), (600, vec![root(600)]), (601, vec![[2; 32]])]);
        let check = LedgerCheck::hash(&store, &roots).expect("it reads");
        assert_eq!(check, LedgerCheck { leaves: 600, checkpoints: 3, is_damaged: false, differing: vec![300] });
    }

    #[test]
    fn a_changed_leaf_or_hash_is_damage_wherever_it_stands() {
        let roots = BTreeMap::from([(300, vec![root(300)]), (600, vec![root(600)])]);
        for (changed, differing) in [(0, vec![300, 600]), (299, vec![300, 600]), (300, vec![600]), (599, vec![600])] {
            let (_folder, store) = ledger(Some(changed), |nodes| nodes);
            let check = LedgerCheck::hash(&store, &roots).expect("it reads");
            assert_eq!(check, LedgerCheck { leaves: 600, checkpoints: 2, is_damaged: true, differing }, "{changed}");
            // Of a leaf under a full tile nothing shows at the edge.
            assert_eq!(tree::open(&store).is_ok(), changed < 512);
        }
        let (_folder, store) = ledger(None, |mut nodes| {
            nodes[0].hash = [3; 32];
            nodes
        });
        let check = LedgerCheck::hash(&store, &roots).expect("it reads");
        assert!(check.is_damaged && check.differing.is_empty());
    }
}
