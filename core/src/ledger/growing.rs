//! A tree that grows by one leaf at a time and hands out each tile as it fills.

use super::tile::{LEVEL_MAX, Row, TILE_HEIGHT, TILE_WIDTH, Tile, TileAddress};
use crate::merkle::{self, NodeHash, Tree};

/// The right edge of a ledger's tree: its size, and the hashes of the tiles that are not full.
///
/// It holds at most 8 × 255 hashes, whatever the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    /// By level, fewer than 256 hashes in each; the last is not empty.
    edge: Vec<Vec<NodeHash>>,
}

impl Growing {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves whose partial tiles are these, in any order; `None` if they are not exactly those of that size.
    ///
    /// The hashes are taken as they are: compare [`root`](Self::root) with that of a checkpoint.
    pub fn resume(size: u64, partial: &[Tile]) -> Option<Self> {
        let wanted = edge(size);
        let find = |address: &TileAddress| partial.iter().find(|tile| tile.address() == *address);
        let found: Option<Vec<&Tile>> = wanted.iter().map(find).collect();
        let mut grown = Self { size, edge: Vec::new() };
        for tile in found.filter(|found| found.len() == partial.len())? {
            if let Row::Hashes(level) = tile.address().row() {
                grown.edge.resize(usize::from(level) + 1, Vec::new());
                grown.edge[usize::from(level)] = tile.hashes().to_vec();
            }
        }
        Some(grown)
    }

    /// Adds the hash of a leaf on the right; pushes each tile that is full by it to `full`, lowest level first.
    pub fn append(&mut self, leaf: NodeHash, full: &mut Vec<Tile>) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..=LEVEL_MAX {
            let at = usize::from(level);
            if self.edge.len() == at {
                self.edge.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            self.edge[at].push(hash);
            if self.edge[at].len() < usize::from(TILE_WIDTH) {
                return;
            }
            let hashes = std::mem::replace(&mut self.edge[at], Vec::with_capacity(usize::from(TILE_WIDTH)));
            let index = (self.size >> (u32::from(level) * TILE_HEIGHT + TILE_HEIGHT)) - 1;
            let address = TileAddress::new(Row::Hashes(level), index, TILE_WIDTH).expect("inside a tree of this size");
            let tile = Tile::new(address, hashes).expect("as many hashes as a full tile has");
            hash = tile.root();
            full.push(tile);
        }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tiles that are not full, lowest level first: those that must be written before a checkpoint of this size is shown.
    pub fn partial(&self) -> Vec<Tile> {
        let tile = |address: TileAddress| {
            let Row::Hashes(level) = address.row() else { return None };
            Tile::new(address, self.edge.get(usize::from(level))?.clone()).ok()
        };
        edge(self.size).into_iter().filter_map(tile).collect()
    }

    /// The root over all leaves.
    pub fn root(&self) -> NodeHash {
        Tree::from_peaks(self.size, self.peaks()).expect("as many subtrees as ones in the size").root()
    }

    /// The roots of the complete subtrees, largest first, as [`Tree::peaks`] has them.
    pub fn peaks(&self) -> Vec<NodeHash> {
        let mut peaks = Vec::new();
        for hashes in self.edge.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (complete, more) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(merkle::root(complete));
                rest = more;
            }
        }
        peaks
    }
}

/// The addresses of the partial tiles of a tree of `size` leaves, lowest level first.
fn edge(size: u64) -> Vec<TileAddress> {
    let partial = |level: u8| {
        let items = size >> (u32::from(level) * TILE_HEIGHT);
        let width = u16::try_from(items % u64::from(TILE_WIDTH)).ok()?;
        TileAddress::new(Row::Hashes(level), items / u64::from(TILE_WIDTH), width)
    };
    (0..=LEVEL_MAX).filter_map(partial).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_root_are_those_of_the_tree_at_every_size() {
        let leaves: Vec<NodeHash> = (0..66_000_u32).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let (mut grown, mut full, mut tree) = (Growing::new(), Vec::new(), Tree::new());
        for leaf in &leaves {
            assert!(tree.size() % 997 != 0 || grown.root() == tree.root(), "{}", tree.size());
            grown.append(*leaf, &mut full);
            tree.append(*leaf);
        }
        assert_eq!((grown.root(), grown.size()), (tree.root(), 66_000));
        for tile in full.iter().chain(&grown.partial()) {
            let Row::Hashes(level) = tile.address().row() else { panic!("a bundle") };
            let (each, first) = (256_usize.pow(level.into()), tile.address().index() as usize * 256);
            for (at, hash) in tile.hashes().iter().enumerate() {
                let start = (first + at) * each;
                assert_eq!(*hash, merkle::root(&leaves[start..start + each]), "{}", tile.address().path());
            }
        }
        let paths = |tiles: &[Tile]| tiles.iter().map(|tile| tile.address().path()).collect::<Vec<_>>();
        assert_eq!(full.len(), 257 + 1);
        assert_eq!(paths(&grown.partial()), ["tile/0/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1"]);
    }

    #[test]
    fn a_tree_goes_on_from_its_partial_tiles_and_from_no_others() {
        for size in [0_u32, 1, 255, 256, 257, 65_535, 65_536] {
            let (mut grown, mut full) = (Growing::new(), Vec::new());
            (0..size).for_each(|n| grown.append(merkle::leaf_hash(&n.to_be_bytes()), &mut full));
            let mut partial = grown.partial();
            partial.reverse();
            let mut resumed = Growing::resume(size.into(), &partial).expect("its own tiles");
            assert_eq!((resumed.root(), resumed.partial()), (grown.root(), grown.partial()), "{size}");
            resumed.append([1; 32], &mut full);
            grown.append([1; 32], &mut full);
            assert_eq!(resumed.root(), grown.root(), "{size}");
            assert_eq!(Growing::resume(u64::from(size) + 1, &partial), None, "{size}");
            assert_eq!(Growing::resume(size.into(), &[partial, grown.partial()].concat()), None, "{size}");
        }
    }
}
