//! Tiles, bundles and proofs of the leaves in a store (`spec/ledger.md`).

use merestone_core::ledger::{self, LookupError, Row, TileAddress};
use merestone_core::merkle::{NodeHash, leaf_hash};
use merestone_store::{ReadError, Store};

/// The leaves in a store, as tiles.
#[derive(Debug)]
pub struct LedgerTiles<'a> {
    store: &'a Store,
}

/// No answer from the leaves in a store.
#[derive(Debug, thiserror::Error)]
pub enum TilesError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A tile is not there, or has another length.
    #[error("the ledger in the store lacks {path}")]
    Missing {
        /// The path of the tile.
        path: String,
    },
}

impl<'a> LedgerTiles<'a> {
    /// Those of `store`.
    pub fn of(store: &'a Store) -> Self {
        Self { store }
    }

    /// The bytes of a tile or a bundle; `None` if the store has not that many leaves.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn read(&self, address: &TileAddress) -> Result<Option<Vec<u8>>, ReadError> {
        let (from, width) = (address.index() * u64::from(ledger::TILE_WIDTH), usize::from(address.width()));
        let (found, bytes) = match address.row() {
            Row::Hashes(0) => {
                let leaves = self.store.ledger_leaves(from, width)?;
                (leaves.len(), leaves.iter().flat_map(|leaf| leaf_hash(leaf)).collect())
            }
            Row::Hashes(level) => {
                let hashes = self.store.ledger_nodes(level, from, width)?;
                (hashes.len(), hashes.concat())
            }
            Row::Entries => {
                let leaves = self.store.ledger_leaves(from, width)?;
                (leaves.len(), leaves.iter().flat_map(|leaf| bundled(leaf)).collect())
            }
        };
        Ok((found == width).then_some(bytes))
    }

    /// The root over the first `size` leaves.
    ///
    /// # Errors
    /// If the store has not so many, or cannot be read.
    pub fn root(&self, size: u64) -> Result<NodeHash, TilesError> {
        ledger::root(size, |address| self.must_read(address)).map_err(missing)
    }

    /// The consistency proof between two sizes; `None` if `earlier` is the greater.
    ///
    /// # Errors
    /// If the store has not so many leaves, or cannot be read.
    pub fn consistency_proof(&self, earlier: u64, size: u64) -> Result<Option<Vec<NodeHash>>, TilesError> {
        ledger::consistency_proof(earlier, size, |address| self.must_read(address)).map_err(missing)
    }

    /// The inclusion proof of a leaf among the first `size`; `None` if there is no such leaf.
    ///
    /// # Errors
    /// As [`consistency_proof`](Self::consistency_proof).
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Option<Vec<NodeHash>>, TilesError> {
        ledger::inclusion_proof(index, size, |address| self.must_read(address)).map_err(missing)
    }

    fn must_read(&self, address: &TileAddress) -> Result<Vec<u8>, TilesError> {
        self.read(address)?.ok_or_else(|| TilesError::Missing { path: address.path() })
    }
}

/// How many items a row has in a tree of `size` leaves.
pub(super) fn items(row: Row, size: u64) -> u64 {
    match row {
        Row::Hashes(level) => size >> (8 * u32::from(level)),
        Row::Entries => size,
    }
}

fn bundled(leaf: &[u8]) -> Vec<u8> {
    // Leaves have at most 79 bytes; a longer row is damage, which whoever reads the bundle finds.
    let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), leaf].concat()
}

fn missing(error: LookupError<TilesError>) -> TilesError {
    match error {
        LookupError::Read { path: _, source } => source,
        LookupError::Length { path } => TilesError::Missing { path },
    }
}
