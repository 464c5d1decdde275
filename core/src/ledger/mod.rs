//! The mission's ledger in pieces that anybody can fetch and check (`spec/ledger.md`): tiles, entry bundles, proofs.
//!
//! This module cuts, names and joins pieces. It keeps none of them: where they lie is the caller's business, and
//! whoever reads pieces from elsewhere verifies what it made of them against a checkpoint.

mod bundle;
mod growing;
mod lookup;
mod proof;
mod tile;

pub use bundle::{BUNDLE_BYTES_MAX, LEAF_BYTES_MAX, decode_bundle, encode_bundle};
pub use growing::Growing;
pub use lookup::{LookupError, consistency_proof, inclusion_proof, root};
pub use proof::{LedgerProof, PROOF_BYTES_MAX, ProofRefused};
pub use tile::{LEVEL_MAX, Row, TILE_WIDTH, Tile, TileAddress};

/// Bytes that are no piece of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A path that names no tile.
    #[error("no address of a tile")]
    Address,
    /// A tile of another length than its address says.
    #[error("the tile has another length than its address says")]
    Tile,
    /// A bundle that does not hold exactly the leaves its address says.
    #[error("the bundle does not hold the leaves its address says")]
    Bundle,
    /// No `tlog-proof` file.
    #[error("no proof file")]
    Proof,
}

impl Malformed {
    /// The stable code, as the spec names it.
    pub const fn code(self) -> &'static str {
        match self {
            Malformed::Address => "tile-address",
            Malformed::Tile => "tile-length",
            Malformed::Bundle => "bundle-malformed",
            Malformed::Proof => "proof-malformed",
        }
    }
}
