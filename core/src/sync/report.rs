//! What a session tells the person while it works.

use super::frame::{BlobClass, StatementClass};
use crate::check::Refused;
use crate::id::{BlobHash, LogId, StatementId, StoreId};
use crate::roster::Certificate;

/// One thing to show or keep.
#[derive(Clone, Debug)]
pub enum Report {
    /// The peer proved who it is; from here on the link is more than a key. Told again when its key is cut meanwhile.
    Peer {
        /// Its store.
        store: StoreId,
        /// The certificate it showed.
        certificate: Box<Certificate>,
        /// Whether its key is cut: it may send, and receives the cut and what its sending needs.
        is_cut: bool,
    },
    /// Numbers changed. At most one for each round of [`Session::poll`](super::Session::poll).
    Progress(Progress),
    /// A statement was refused; the conversation goes on.
    StatementRefused {
        /// Its class.
        class: StatementClass,
        /// Which.
        id: StatementId,
        /// Why.
        refused: Refused,
    },
    /// A blob did not come; the others do.
    BlobFailed {
        /// Which.
        hash: BlobHash,
        /// What it is for.
        class: BlobClass,
        /// Why.
        failure: BlobFailure,
    },
    /// The peer named more entries of these logs than are held here; told before anything of them is taken.
    PeerAhead(Vec<(LogId, u64)>),
    /// The peer gave a receipt that verified and is stored.
    ReceiptHeld(StatementId),
    /// Whether both sides hold the same; told whenever either side comes to rest.
    Rest(RestState),
}

/// Why a blob did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobFailure {
    /// The peer does not hold it.
    Absent,
    /// Its chunk hashes have another root than its entry says.
    ChunkHashes,
    /// A chunk has another hash than the chunk tree says.
    Chunk,
    /// All chunks are right and the whole is not the file that the entry names: its author signed contradicting hashes.
    Whole,
    /// Nothing of it came for the time limit.
    Stuck,
}

/// How the two sides compare when at rest (`spec/sync.md` §Done).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestState {
    /// Both sides rest, hold the same entries and blobs, and nothing is missing: the one case that is called synced.
    pub is_fully_synced: bool,
    /// The same for what both sides want on this link: where one of them wants no photos of a class, those may be
    /// missing on either side, and nothing was said about them.
    pub is_synced_as_wanted: bool,
    /// Blobs named by entries that this side does not hold, and bodies neither held nor erased.
    pub missing_here: u64,
    /// The same, on the other side; `None` while it does not rest.
    pub missing_there: Option<u64>,
}

/// How far the session has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Entries that the peer is known to lack, as far as tips tell; grows while logs are compared.
    pub entries_to_send: u64,
    /// Entries that the peer made durable.
    pub entries_sent: u64,
    /// Entries that the peer holds above ours, as far as tips tell.
    pub entries_to_receive: u64,
    /// Entries received and made durable.
    pub entries_received: u64,
    /// By class, thumbnails first.
    pub blobs: [BlobProgress; 3],
}

/// How far blobs of one class have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobProgress {
    /// Asked for and not here yet.
    pub wanted: u64,
    /// Received and held whole.
    pub received: u64,
    /// Did not come.
    pub failed: u64,
    /// Not asked for, because [`Limits::blob_bytes_max`](super::Limits::blob_bytes_max) was reached.
    pub left_out: u64,
    /// Bytes made durable.
    pub bytes_received: u64,
    /// Sent whole, as far as the link took it.
    pub sent: u64,
    /// Bytes of chunks handed to the link.
    pub bytes_sent: u64,
}
