//! Roots and proofs of a tree of which only tiles are at hand.

use std::collections::BTreeMap;

use super::Malformed;
use super::tile::{Row, TILE_HEIGHT, Tile, TileAddress};
use crate::merkle::{self, NodeHash};

/// Why tiles gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError<E> {
    /// A tile could not be read.
    #[error("the tile {path} could not be read")]
    Read {
        /// Its path.
        path: String,
        /// What the reader says.
        #[source]
        source: E,
    },
    /// A tile has another length than it must have in a tree of this size.
    #[error("the tile {path} has another length than in a tree of this size")]
    Length {
        /// Its path.
        path: String,
    },
}

/// The root of the tree of `size` leaves, from the tiles that `read` gives.
///
/// `read` is asked for each tile once, at its width in this tree; of a tile that has grown since, it gives that many hashes.
///
/// # Errors
/// The first tile that could not be read or has another length.
pub fn root<E>(size: u64, read: impl FnMut(&TileAddress) -> Result<Vec<u8>, E>) -> Result<NodeHash, LookupError<E>> {
    let mut tiles = Tiles { size, read, held: BTreeMap::new() };
    merkle::root_with(size, |level, index| tiles.node(level, index))
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves, from tiles as in [`root`]; `None` if there is no such leaf.
///
/// Tiles from elsewhere may be forged: verify the proof against a checkpoint.
///
/// # Errors
/// As [`root`].
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    read: impl FnMut(&TileAddress) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<NodeHash>>, LookupError<E>> {
    let mut tiles = Tiles { size, read, held: BTreeMap::new() };
    merkle::inclusion_proof_with(index, size, |level, index| tiles.node(level, index))
}

/// The consistency proof from the tree of `earlier` leaves to that of `size`, from tiles as in [`root`];
/// `None` if there are not so many.
///
/// # Errors
/// As [`root`].
pub fn consistency_proof<E>(
    earlier: u64,
    size: u64,
    read: impl FnMut(&TileAddress) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<NodeHash>>, LookupError<E>> {
    let mut tiles = Tiles { size, read, held: BTreeMap::new() };
    merkle::consistency_proof_with(earlier, size, |level, index| tiles.node(level, index))
}

/// The tiles read so far for one answer: at most two of each level.
struct Tiles<R> {
    size: u64,
    read: R,
    held: BTreeMap<TileAddress, Vec<NodeHash>>,
}

impl<R> Tiles<R> {
    /// The root over leaves `index << level` to `(index + 1) << level`, which the tree has.
    fn node<E>(&mut self, level: u32, index: u64) -> Result<NodeHash, LookupError<E>>
    where
        R: FnMut(&TileAddress) -> Result<Vec<u8>, E>,
    {
        let (row, height) = (Row::Hashes((level / TILE_HEIGHT) as u8), level % TILE_HEIGHT);
        let first = index << height;
        let address = TileAddress::in_tree(row, first >> TILE_HEIGHT, self.size).expect("a subtree of this tree");
        if !self.held.contains_key(&address) {
            let bytes = (self.read)(&address);
            let bytes = bytes.map_err(|source| LookupError::Read { path: address.path(), source })?;
            let tile = Tile::decode(address, &bytes);
            let tile = tile.map_err(|_: Malformed| LookupError::Length { path: address.path() })?;
            self.held.insert(address, tile.hashes().to_vec());
        }
        let start = (first % (1 << TILE_HEIGHT)) as usize;
        Ok(merkle::root(&self.held[&address][start..start + (1 << height)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Growing;

    /// A store of all tiles of a ledger that showed a checkpoint at `sizes`.
    fn tiles(leaves: &[NodeHash], sizes: &[u64]) -> BTreeMap<String, Vec<u8>> {
        let (mut grown, mut full) = (Growing::new(), Vec::new());
        let mut kept = BTreeMap::new();
        for leaf in leaves {
            grown.append(*leaf, &mut full);
            if sizes.contains(&grown.size()) {
                full.extend(grown.partial());
            }
        }
        kept.extend(full.into_iter().map(|tile| (tile.address().path(), tile.encode())));
        kept
    }

    #[test]
    fn proofs_from_tiles_are_those_of_the_leaves() {
        let leaves: Vec<NodeHash> = (0..66_000_u32).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let sizes = [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 66_000];
        let kept = tiles(&leaves, &sizes);
        let read = |address: &TileAddress| kept.get(&address.path()).cloned().ok_or("no such tile");
        for size in sizes {
            let held = &leaves[..size as usize];
            let whole = merkle::root(held);
            assert_eq!(root(size, read).expect("tiles"), whole, "{size}");
            for index in [0, 1, size / 2, size - 1] {
                let proof = inclusion_proof(index, size, read).expect("tiles");
                assert!(
                    proof.is_none_or(|proof| {
                        index < size
                            && merkle::verify_inclusion(&leaves[index as usize], index, size, &proof, &whole).is_ok()
                    }),
                    "{index} of {size}"
                );
            }
            for earlier in sizes.into_iter().filter(|earlier| *earlier <= size) {
                let proof = consistency_proof(earlier, size, read).expect("tiles").expect("not more");
                let old = merkle::root(&leaves[..earlier as usize]);
                assert_eq!(
                    merkle::verify_consistency(earlier, &old, size, &whole, &proof),
                    Ok(()),
                    "{earlier} to {size}"
                );
            }
            assert!(matches!(inclusion_proof(size, size, read), Ok(None)));
            assert!(matches!(consistency_proof(size + 1, size, read), Ok(None)));
        }
        assert_eq!(root(0, read).expect("no tile is needed"), merkle::root(&[]));
    }

    #[test]
    fn a_tile_that_is_absent_or_cut_is_named() {
        let absent = inclusion_proof(300, 600, |_| Err("gone")).expect_err("no tile");
        assert_eq!(absent.to_string(), "the tile tile/0/002.p/88 could not be read");
        let cut = root(300, |_| Ok::<_, &str>(vec![0; 8_191])).expect_err("short");
        assert_eq!(cut.to_string(), "the tile tile/1/000.p/1 has another length than in a tree of this size");
    }
}
