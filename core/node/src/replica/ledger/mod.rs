//! The mission's ledger at the camp that sequences it, and at those that hold a copy: leaves first, then a checkpoint over
//! them.
//!
//! Leaves, the hashes over full tiles and the edge of the tree are committed in one transaction, and a note is signed only
//! after it; so a kill at any moment leaves a ledger that a later one continues. Tiles are made from these rows when they
//! are asked for. Files of tiles would be a second copy, to be flushed before each note and mended after each crash; the
//! rows cost 32 bytes for every 256 leaves beside the leaves, and a full tile takes one read of 256 rows.
//! Order is the order of admission and decides nothing but completeness and heights (`spec/checkpoint.md`).

mod asking;
mod carried;
mod check;
mod confirming;
mod copy;
mod counted;
mod inside;
mod sequencer;
mod showing;
mod split;
mod tiles;
mod tree;
mod waiting;

use std::fmt;
use std::sync::Arc;

use merestone_core::check::Refused;
use merestone_core::key::{PublicKey, Signer};
use merestone_core::roster::{Ledger, MakeError, Roster};
use merestone_core::witness::CosignedNote;
use merestone_store::{CommitError, ReadError, Store};

use super::Shared;
pub use asking::{AnswerError, Cosigned, Question};
pub use check::LedgerCheck;
pub use copy::LedgerCopy;
pub(super) use sequencer::Sequencer;
pub use split::{LedgerSplit, LedgerWatch};
pub use tiles::{LedgerTiles, TilesError};

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
    /// An amendment put another ledger key in the place of the one that this camp was opened with: it signs nothing more with it.
    #[error("the charter names another ledger key since this camp was opened: open it again with that key")]
    KeyReplaced,
    /// A note is held of a larger ledger than this store has: the store was restored from a copy, or another camp
    /// sequences too. It signs nothing until the missing leaves are back.
    #[error("a checkpoint of {noted} leaves is held, this store has {size}")]
    Behind {
        /// Leaves of the newest note.
        noted: u64,
        /// Leaves in the store.
        size: u64,
    },
    /// A note has another root than so many leaves of this store have: two ledgers were signed with one key.
    #[error("a checkpoint of {size} leaves has another root than this store")]
    Split {
        /// Number of leaves.
        size: u64,
    },
    /// Leaves that came from elsewhere are not shown to be those of a checkpoint, or not after those that are held.
    #[error("nothing shows that these are leaves of the checkpoint of {size} leaves, after those held here")]
    Unproved {
        /// Number of leaves.
        size: u64,
    },
    /// A witness cosigned a larger ledger than this store has: the store was restored from a copy. As [`Behind`](Self::Behind).
    #[error("a witness cosigned {told} leaves, this store has {size}")]
    Lost {
        /// Leaves that the witness named.
        told: u64,
        /// Leaves in the store.
        size: u64,
    },
    /// Nothing is signed before the witnesses of so many parties cosigned anew what this store has: it may be a copy, or the
    /// key may have signed elsewhere.
    #[error("witnesses of {heard} parties confirmed that nothing of this ledger is lost, {needed} are needed")]
    Unconfirmed {
        /// Parties whose witnesses did.
        heard: usize,
        /// Parties whose witnesses must.
        needed: usize,
    },
    /// Somebody vouches for a store of other leaves than this one has: it was meant for another.
    #[error("this store has {size} leaves and not {told}; whoever vouched for {told} meant another state")]
    OtherSize {
        /// Leaves that somebody vouched for.
        told: u64,
        /// Leaves in the store.
        size: u64,
    },
    /// Somebody vouched for this store at this size before, and what was heard since says otherwise.
    #[error("somebody vouched for {size} leaves of this store once already, and what was heard since says otherwise")]
    VouchedBefore {
        /// Leaves in the store.
        size: u64,
    },
    /// The leaves in the store are not those of the tree that was kept with them.
    #[error("the ledger in the store is damaged")]
    Damaged,
    /// The note was not made.
    #[error("the checkpoint was not signed")]
    Sign(#[source] MakeError),
    /// The note was made and then refused.
    #[error("the checkpoint is refused: {0}")]
    Refused(Refused),
    /// The tiles that the store should have are not there.
    #[error(transparent)]
    Tiles(#[from] TilesError),
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

/// The checkpoint that the camp of this store signed and may not show to anybody yet, with the cosignatures that came.
///
/// # Errors
/// If the store cannot be read.
pub fn waiting_checkpoint(store: &Store, roster: &Roster) -> Result<Option<CosignedNote>, LedgerError> {
    Ok(inside::Inside::open(store, roster)?.into_note())
}

/// Makes the inclusions that final checkpoints over the leaves in the store allow and nobody made yet; how many.
pub(super) fn show_final(shared: &Shared) -> Result<usize, LedgerError> {
    showing::show(shared)
}

/// Shows the public half.
impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerKey").field(self.public()).finish()
    }
}
