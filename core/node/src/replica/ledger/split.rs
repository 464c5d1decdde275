//! Two histories of one ledger, as evidence that anybody can check (`spec/witness.md`, Evidence of two histories).

use std::collections::BTreeSet;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::id::{NoteHash, hex};
use merestone_core::ledger::{self, LookupError, TileAddress};
use merestone_core::merkle::{NodeHash, verify_consistency};
use merestone_core::roster::Roster;
use merestone_store::Store;

use super::tiles::LedgerTiles;
use super::{LedgerError, TilesError};

/// Two checkpoints that the ledger signed and that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSplit {
    /// The one of fewer leaves.
    pub smaller: Checkpoint,
    /// The other.
    pub larger: Checkpoint,
    /// The root that the first leaves of the larger one have, as many as the smaller one is of: another than the smaller one
    /// states.
    pub root: NodeHash,
    /// The consistency proof from that root to the larger one.
    pub proof: Vec<NodeHash>,
}

impl LedgerSplit {
    /// Whether the tiles that `read` gives, of the larger checkpoint's tree, show that it contradicts the smaller one; `None` if
    /// they show nothing, or that it does not.
    ///
    /// # Errors
    /// If a tile cannot be read: then nothing is known.
    pub fn prove<E>(
        smaller: &Checkpoint,
        larger: &Checkpoint,
        mut read: impl FnMut(&TileAddress) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Self>, LookupError<E>> {
        let (from, to) = (smaller.size(), larger.size());
        let root = if from == to { *larger.root() } else { ledger::root(from, &mut read)? };
        if root == *smaller.root() {
            return Ok(None);
        }
        let proof = ledger::consistency_proof(from, to, read)?;
        let Some(proof) = proof else { return Ok(None) };
        // Tiles are signed by nobody: without this they could be anybody's.
        let is_shown = verify_consistency(from, &root, to, larger.root(), &proof).is_ok();
        Ok(is_shown.then(|| Self { smaller: smaller.clone(), larger: larger.clone(), root, proof }))
    }

    /// The files of it, by name.
    pub fn files(&self) -> [(&'static str, Vec<u8>); 3] {
        let mut proof = format!("{}\n", hex(&self.root));
        self.proof.iter().for_each(|hash| proof.push_str(&format!("{}\n", hex(hash))));
        let notes = [&self.smaller, &self.larger].map(|note| note.as_bytes().to_vec());
        let [smaller, larger] = notes;
        [("smaller.note", smaller), ("larger.note", larger), ("larger.consistency", proof.into_bytes())]
    }
}

/// Compares the checkpoints that are held with the leaves that are held, each once.
#[derive(Debug, Default)]
pub struct LedgerWatch {
    compared: BTreeSet<NoteHash>,
}

impl LedgerWatch {
    /// Two checkpoints that contradict each other by the leaves in `store`, if there are such; every comparison is made once.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn look(&mut self, store: &Store, roster: &Roster) -> Result<Option<LedgerSplit>, LedgerError> {
        let (tiles, held) = (LedgerTiles::of(store), store.ledger_size()?);
        let within: Vec<&Checkpoint> = roster.checkpoints().filter(|note| note.size() <= held).collect();
        let mut newest: Vec<&Checkpoint> = within.clone();
        newest.sort_by_key(|note| std::cmp::Reverse(note.size()));
        for note in within {
            if self.compared.contains(&note.hash()) || tiles.root(note.size())? == *note.root() {
                self.compared.insert(note.hash());
                continue;
            }
            for larger in newest.iter().filter(|larger| larger.size() >= note.size()) {
                let read = |address: &TileAddress| match tiles.read(address)? {
                    Some(bytes) => Ok(bytes),
                    None => Err(TilesError::Missing { path: address.path() }),
                };
                let split = LedgerSplit::prove(note, larger, read).map_err(|error| match error {
                    LookupError::Read { path: _, source } => source,
                    LookupError::Length { path } => TilesError::Missing { path },
                })?;
                if split.is_some() {
                    self.compared.insert(note.hash());
                    return Ok(split);
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::key::SigningKey;
    use merestone_core::ledger::Growing;
    use merestone_core::merkle::leaf_hash;
    use merestone_core::roster::Ledger;

    /// The tree over so many leaves, of which those from `from` on are another history's; and its tiles of level 0.
    fn tree(size: u64, from: u64) -> (Checkpoint, Vec<NodeHash>) {
        let signer = SigningKey::from_seed(&[5; 32]);
        let ledger = Ledger { origin: "border.example/ledger".into(), key: *signer.public() };
        let leaf = |at: u64| leaf_hash(&[at.to_be_bytes(), u64::from(at >= from).to_be_bytes()].concat());
        let (mut tree, leaves) = (Growing::new(), (0..size).map(leaf).collect::<Vec<_>>());
        leaves.iter().for_each(|hash| tree.append(*hash, &mut Vec::new()));
        (Checkpoint::make(&ledger, &signer, size, &tree.root()).expect("it signs"), leaves)
    }

    fn prove(smaller: &Checkpoint, (larger, leaves): &(Checkpoint, Vec<NodeHash>)) -> Option<LedgerSplit> {
        let read = |address: &TileAddress| {
            let from = usize::try_from(address.index() * 256).expect("small");
            Ok::<_, std::convert::Infallible>(leaves[from..from + usize::from(address.width())].concat())
        };
        LedgerSplit::prove(smaller, larger, read).expect("the tiles are there")
    }

    #[test]
    fn two_histories_are_shown_and_one_is_not() {
        let honest = tree(9, u64::MAX);
        let smaller = tree(5, u64::MAX).0;
        assert_eq!(prove(&smaller, &honest), None);
        for other in [tree(9, 3), tree(5, 3)] {
            let split = prove(&smaller, &other).expect("another history");
            let (from, to) = (split.smaller.size(), split.larger.size());
            assert_ne!(split.root, *split.smaller.root());
            assert_eq!(verify_consistency(from, &split.root, to, split.larger.root(), &split.proof), Ok(()));
        }
        assert_eq!(prove(&smaller, &tree(9, 5)), None, "it goes on otherwise, and takes nothing back");
        // Tiles that are not of the larger checkpoint's tree show nothing.
        assert_eq!(prove(&smaller, &(honest.0, tree(9, 3).1)), None);
    }
}
