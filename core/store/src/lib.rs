//! Making bytes durable: SQLite and blobs in one folder.
//!
//! A store holds what a device or a camp keeps of one mission: signed entries, statements, drafts, photos, and an index to find
//! records by. It knows ids and positions and hashes; what an entry means is decided elsewhere. There is no network here,
//! no signing key, no clock.
//!
//! ```text
//! store.db            SQLite: everything but photos (store.db-wal and store.db-shm belong to it)
//! blobs/ab/<sha256>   photos and renditions held whole
//! blobs/partial/      photos of which some chunks are held, with their chunk hashes, and copies in progress
//! aside/              damaged photos, kept and no longer counted
//! ballast             room that is given up when the disk is full
//! lock                held while the store is open
//! ```
//!
//! # What it promises
//!
//! - **Saved means saved.** [`Store::commit`] returns after SQLite's `synchronous = FULL` commit: a kill or a power cut
//!   afterwards loses nothing of the batch, one before loses all of it. A photo is durable before any row says it is held.
//! - **Only what was verified comes in.** Entries enter as [`VerifiedEntry`](merestone_core::entry::VerifiedEntry).
//! - **Nothing damaged is shown, nothing damaged is deleted.** Every row is hashed when it is read. A row or a file that is not
//!   what its name says is set aside, counts as missing again, and sync fetches it from any peer.
//! - **Forks are kept.** Two entries at one position are both stored; how far a log has come follows the lower id.
//! - **A full disk does not take the entry in hand.** A ballast of 1 MiB is given up for it; see [`Committed::low_room`].
//!
//! Not here yet: encryption at rest ([`StoreKey`] is taken and not used), and repair of a file whose *structure* is damaged:
//! such a store says so, and stays as it is.
//!
//! # One writer
//!
//! There is one writing connection. A [`Batch`] is what must be true together. Who finds the writer free commits on his own
//! thread; batches that must wait are committed together, by the store's thread, in one transaction, and share its flush. Each caller
//! hears of it after the commit. Readers have connections of their own and never wait for the writer.
//! A store may also do without a thread of its own: [`Threads::Caller`].
//!
//! # Example
//!
//! ```
//! use merestone_core::id::{MissionId, StoreId};
//! use merestone_store::{Batch, DraftId, Identity, StatementClass, Store, StoreKey};
//!
//! let home = tempfile::tempdir()?;
//! let path = home.path().join("store");
//! let identity = Identity { mission: MissionId::from_bytes([1; 32]), store: StoreId::from_bytes([2; 16]) };
//! let store = Store::create(&path, StoreKey::from_bytes([0; 32]), identity)?;
//!
//! let mut batch = Batch::new();
//! batch.statement(StatementClass::Form, None, b"a form definition".to_vec());
//! batch.draft(DraftId([7; 16]), b"half an inspection".to_vec());
//! store.commit(batch)?;
//! drop(store); // Or a kill: what was committed is there.
//!
//! let store = Store::open(&path, StoreKey::from_bytes([0; 32]))?;
//! assert_eq!(store.identity()?, identity);
//! assert_eq!(store.statement_ids(StatementClass::Form)?.len(), 1);
//! assert_eq!(store.draft(DraftId([7; 16]))?.as_deref(), Some(b"half an inspection".as_slice()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod aside;
mod ballast;
mod batch;
mod bits;
mod blob;
mod bodies;
mod book;
mod census;
mod chain;
mod claim;
mod closing;
mod drafts;
mod entries;
mod error;
mod fold;
mod folder;
mod gate;
mod incoming;
mod index;
mod kept;
mod ledger;
mod logs;
mod partial;
mod queue;
mod readers;
mod removal;
mod rows;
mod schema;
mod scoped;
mod store;
mod tips;
mod wiping;
mod writer;
mod written;

pub use aside::{Aside, AsideReason, DisplacedEntry, DisplacedWhole, PAGE_DISPLACED_MAX};
pub use batch::{Batch, Committed, STATEMENT_BYTES_MAX, StatementClass, VALUE_BYTES_MAX};
pub use blob::WholeBlob;
pub use census::Census;
pub use chain::{Link, PAGE_LINKS_MAX};
pub use claim::{BLOBS_MAX, BlobClaim, BlobClass, MissingBlob};
pub use closing::StillOpen;
pub use drafts::{DraftId, SavedDraft};
pub use entries::{PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, PAGE_TIPS_MAX, StoredBody, StoredEntry};
pub use error::{BlobError, CommitError, OpenError, ReadError};
pub use gate::BlobFile;
pub use incoming::{HeldPart, IncomingBlob};
pub use index::{Filter, IndexRow, PAGE_ROWS_MAX, PageKey, RowPage, STALE_MAX, Stale, StaleTurn};
pub use kept::Counts;
pub use ledger::{
    AdmittedLog, LeafOf, LedgerAppend, LedgerNode, NewLeaf, PAGE_LEAVES_MAX, PAGE_NODES_MAX, Unsequenced,
};
pub use logs::SIBLINGS_MAX;
pub use partial::Chunk;
pub use removal::Removal;
pub use scoped::BlobCensus;
pub use store::{Identity, Room, Store, StoreKey, Threads};
pub use tips::LogTip;
