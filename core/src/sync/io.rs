//! What goes into a session and what comes out of it.

use super::close::Close;
use super::config::{Agreement, CutKey, LocalTip};
use super::frame::{BlobClass, StatementClass};
use super::report::Report;
use super::verify::{UnverifiedBatch, VerifiedBatch};
use crate::check::Refused;
use crate::entry::VerifiedEntry;
use crate::id::{BlobHash, EntryId, LogId, ScopeId, StatementId};
use crate::merkle::NodeHash;

/// One of the five streams in each direction, most urgent first (`spec/sync.md` §Transport).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// What the two sides say about what they hold.
    Control,
    /// Entries.
    Entries,
    /// Chunks of blobs of one class.
    Blobs(BlobClass),
}

impl Class {
    /// All classes, most urgent first.
    pub const ALL: [Self; 5] = [
        Self::Control,
        Self::Entries,
        Self::Blobs(BlobClass::Thumbnail),
        Self::Blobs(BlobClass::Preview),
        Self::Blobs(BlobClass::Original),
    ];

    /// Longest frame, in bytes.
    pub const fn frame_bytes_max(self) -> usize {
        match self {
            Self::Control | Self::Entries => super::frame::FRAME_BYTES_MAX,
            Self::Blobs(_) => super::frame::BLOB_FRAME_BYTES_MAX,
        }
    }
}

/// Names a request of the session until its answer comes; never used twice in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(crate) u64);

/// What the session wants done.
#[derive(Debug)]
pub enum Action {
    /// Read from the store, and answer with [`Input::Loaded`].
    Load {
        /// To be given back.
        token: Token,
        /// What.
        request: Request,
    },
    /// Decompress and verify a batch with [`UnverifiedBatch::verify`], on any thread; answer with [`Input::Verified`].
    ///
    /// Up to [`VERIFY_MAX`](super::VERIFY_MAX) are under way at once, so that each core may take one;
    /// they may be answered in any order.
    Verify {
        /// To be given back.
        token: Token,
        /// The batch.
        batch: UnverifiedBatch,
    },
    /// Verify each statement under the roster, store those that hold in one transaction; answer with [`Input::Admitted`].
    Admit {
        /// To be given back.
        token: Token,
        /// Their class.
        class: StatementClass,
        /// Their bytes.
        statements: Vec<Vec<u8>>,
    },
    /// Make durable in one transaction, in the order of these actions, and answer with [`Input::Committed`].
    Commit {
        /// To be given back.
        token: Token,
        /// What.
        commit: Commit,
    },
    /// Make, sign and store a receipt over what is durable now; answer with [`Input::ReceiptSigned`].
    SignReceipt {
        /// To be given back.
        token: Token,
    },
    /// Remember with this peer that both hold the same entries, and the host's own commit counter of the last commit
    /// that the session was told of; or `None`: forget what was agreed. No answer; lost without harm.
    Remember(Option<Agreement>),
    /// Tell the person.
    Report(Report),
    /// End the link with this code and reason, and send nothing more. It is the last action.
    Close(Close),
}

/// What the session wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The ids of all statements of a class, ascending.
    StatementIds(StatementClass),
    /// The bytes of these statements, in this order: as many from the front as fit in `bytes_max`, at least one.
    Statements {
        /// Their class.
        class: StatementClass,
        /// Which.
        ids: Vec<StatementId>,
        /// Stop before this many bytes.
        bytes_max: usize,
    },
    /// The charter, and the certificates whose request names this transport key.
    Enrolment {
        /// The peer's transport key.
        transport: [u8; 32],
    },
    /// What is held at these positions; seqs ascend within a log.
    Ids(Vec<(LogId, Vec<u64>)>),
    /// Positions and ids of kept entries off the main branch, ascending by (seq, id), from `from`: at most `positions_max`.
    Branches {
        /// The log.
        log: LogId,
        /// The first seq.
        from: u64,
        /// Most entries to name; the rest of a position is never cut off.
        positions_max: usize,
    },
    /// Entries of these spans, span by span, ascending by (seq, id).
    ///
    /// Stops after the position that reaches `entries_max` or `bytes_max`, and says which spans remain.
    Entries {
        /// Which.
        spans: Vec<Span>,
        /// Most entries.
        entries_max: usize,
        /// Most bytes of headers and bodies.
        bytes_max: usize,
    },
    /// Positions of entries of `scopes` that are held without their bodies, which were not erased: log by log, ascending by seq
    /// within a log, each once. Logs come in an order of the host's own that does not change; on from `after`.
    MissingBodies {
        /// The scopes this side shares with the peer.
        scopes: Vec<ScopeId>,
        /// Where the last page ended.
        after: Option<(LogId, u64)>,
        /// Most positions.
        positions_max: usize,
    },
    /// Blobs of a class that entries of `scopes` name and that are not held whole, ascending by hash, above `after`.
    Wanted {
        /// The class.
        class: BlobClass,
        /// The scopes this side shares with the peer.
        scopes: Vec<ScopeId>,
        /// Where the last page ended.
        after: Option<BlobHash>,
        /// Most blobs.
        blobs_max: usize,
    },
    /// How an entry of `scopes` describes a missing blob for this class, if one does with this chunk root: the peer's file
    /// has it, and the description that [`Wanted`](Self::Wanted) gave has another.
    Described {
        /// The class.
        class: BlobClass,
        /// The blob.
        hash: BlobHash,
        /// The root of the peer's chunk hashes.
        root: NodeHash,
        /// How many they are.
        chunks: usize,
        /// The scopes this side shares with the peer.
        scopes: Vec<ScopeId>,
    },
    /// The chunk hashes of a blob that is held whole and that an entry of `scopes` names.
    ChunkHashes {
        /// The blob.
        hash: BlobHash,
        /// The scopes this side shares with the peer.
        scopes: Vec<ScopeId>,
    },
    /// One chunk of a blob whose chunk hashes were given.
    Chunk {
        /// The blob.
        hash: BlobHash,
        /// Which chunk.
        index: u64,
    },
    /// Which blobs of these classes, named by entries of `scopes`, are held whole.
    Census {
        /// The scopes this side shares with the peer.
        scopes: Vec<ScopeId>,
        /// The classes both sides want.
        classes: Vec<BlobClass>,
    },
}

/// A part of a log, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The log.
    pub log: LogId,
    /// The first seq.
    pub from: u64,
    /// One above the last seq; `u64::MAX` for all there are.
    pub until: u64,
    /// Which of the entries.
    pub part: Part,
}

/// Which entries of a forked log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those of the contiguous main branch.
    Main,
    /// All others that are kept.
    Branches,
    /// All.
    Both,
}

/// What was read.
#[derive(Debug)]
pub enum Loaded {
    /// For [`Request::StatementIds`].
    StatementIds(Vec<StatementId>),
    /// For [`Request::Statements`]: one item for each of the first ids; `None` where it is not held any more.
    Statements(Vec<Option<Vec<u8>>>),
    /// For [`Request::Enrolment`].
    Enrolment {
        /// The charter, if it is held.
        charter: Option<Vec<u8>>,
        /// The certificates.
        certificates: Vec<Vec<u8>>,
    },
    /// For [`Request::Ids`]: one item for each log asked for, in this order, with one for each seq.
    Ids(Vec<Vec<HeldAt>>),
    /// For [`Request::Branches`].
    Branches {
        /// Positions and ids.
        entries: Vec<(u64, EntryId)>,
        /// Where to go on, if there are more.
        next: Option<u64>,
    },
    /// For [`Request::Entries`].
    Entries {
        /// The entries.
        entries: Vec<StoredEntry>,
        /// What of the spans remains.
        rest: Vec<Span>,
    },
    /// For [`Request::MissingBodies`]. Fewer than were asked for: there are no more.
    MissingBodies(Vec<(LogId, u64)>),
    /// For [`Request::Wanted`]: each blob once. Fewer than were asked for: there are no more.
    Wanted(Vec<WantedBlob>),
    /// For [`Request::Described`]; `None`: no entry describes it so, or it is held by now.
    Described(Option<Box<WantedBlob>>),
    /// For [`Request::ChunkHashes`]; `None`: not held, or not for this peer.
    ChunkHashes(Option<Vec<NodeHash>>),
    /// For [`Request::Chunk`]; `None`: it cannot be read, or its bytes are damaged.
    Chunk(Option<Vec<u8>>),
    /// For [`Request::Census`].
    Census(Census),
    /// The store cannot be read.
    Failed,
}

/// What is held at one position of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldAt {
    /// The entry of the contiguous main branch.
    pub main: Option<EntryId>,
    /// All kept entries, ascending.
    pub all: Vec<EntryId>,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its log.
    pub log: LogId,
    /// Its place in it.
    pub seq: u64,
    /// The header, as signed.
    pub header: Vec<u8>,
    /// The body, unless it is withheld, erased or not held.
    pub body: Option<Vec<u8>>,
}

/// A blob that entries name and that is not held whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedBlob {
    /// Its name: SHA-256 of its bytes.
    pub hash: BlobHash,
    /// Its length in bytes, as the signed entry says.
    pub bytes: u64,
    /// The root of its chunk tree, as the signed entry says.
    pub root: NodeHash,
    /// Which chunks are durable already: most significant bit first, empty for none. If it says all, all are sent again.
    pub have: Vec<u8>,
    /// Entries describe it in more than one way, for whatever class: the peer's chunk hashes are to tell which is true
    /// before any chunk is asked for.
    pub is_disputed: bool,
}

/// Which blobs are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// [`blobs_digest`](super::blobs_digest) of those held whole.
    pub digest: [u8; 32],
    /// How many that entries name are not, and how many bodies are neither held nor erased.
    pub missing: u64,
}

/// What is to be made durable.
#[derive(Debug)]
pub enum Commit {
    /// Entries that were verified, in the order in which they came.
    ///
    /// The host refuses a batch with an entry of a key that no certificate names ([`Committed::EntriesRefused`]).
    Entries(Vec<VerifiedEntry>),
    /// The chunk hashes of a wanted blob; their root is one that an entry names.
    ChunkHashes {
        /// The blob.
        hash: BlobHash,
        /// Their root.
        root: NodeHash,
        /// What it is for.
        class: BlobClass,
        /// The leaves of its chunk tree.
        hashes: Vec<NodeHash>,
    },
    /// One chunk whose leaf hash was compared. With the last one the host compares the SHA-256 of the whole.
    Chunk {
        /// The blob.
        hash: BlobHash,
        /// The root of its chunk hashes.
        root: NodeHash,
        /// Which chunk.
        index: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What became of a commit.
#[derive(Debug)]
pub enum Committed {
    /// The entries are durable.
    Entries {
        /// Every log of the batch as it is now; a log whose first entry is not held is left out.
        tips: Vec<LocalTip>,
        /// Whether blobs are wanted that were not wanted before.
        wants_blobs: bool,
    },
    /// The entries are refused, none is stored, and the conversation ends with `refused-entry`:
    /// a key that no certificate names (`key-not-in-roster`).
    EntriesRefused(Refused),
    /// The chunk hashes are durable.
    ChunkHashes,
    /// The chunk is durable.
    Chunk(BlobState),
    /// Nothing could be written: the disk is full or broken.
    Failed,
}

/// What is held of a blob after a chunk was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobState {
    /// Chunks are missing.
    Partial,
    /// All chunks are held and the whole has its name.
    Whole,
    /// All chunks are held and the whole has another SHA-256 than its name. It was set aside.
    Damaged,
}

/// What became of statements.
#[derive(Debug, Default)]
pub struct Admission {
    /// Those refused, with the reason; a statement that is held already or superseded is not refused.
    pub refused: Vec<(StatementId, Refused)>,
    /// Statements that had waited for one of these and hold now.
    pub let_in: Vec<(StatementClass, StatementId)>,
    /// Keys that these statements, or those let in, cut.
    pub cuts: Vec<CutKey>,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A frame arrived.
    Frame(Class, Vec<u8>),
    /// A time, in milliseconds of a clock that does not jump; at least one a second while the session lasts.
    Wake(u64),
    /// The answer to [`Action::Load`].
    Loaded {
        /// Of the action.
        token: Token,
        /// What was read.
        loaded: Loaded,
    },
    /// The answer to [`Action::Verify`].
    Verified {
        /// Of the action.
        token: Token,
        /// What [`UnverifiedBatch::verify`] gave.
        batch: VerifiedBatch,
    },
    /// The answer to [`Action::Admit`]; `None` if nothing could be written.
    Admitted {
        /// Of the action.
        token: Token,
        /// What became of them.
        admission: Option<Admission>,
    },
    /// The answer to [`Action::Commit`].
    Committed {
        /// Of the action.
        token: Token,
        /// What became of it.
        committed: Committed,
    },
    /// The answer to [`Action::SignReceipt`]; `None` if the key is not available, or nothing changed
    /// since the last receipt that the peer holds.
    ReceiptSigned {
        /// Of the action.
        token: Token,
        /// The receipt.
        receipt: Option<Vec<u8>>,
        /// The receipt of this store before it, if there was one: a peer that holds it is told only what changed.
        earlier: Option<Vec<u8>>,
    },
    /// Something was committed by anybody else: the person, another session.
    LocalChange(LocalChange),
    /// The person, or the host, ends it.
    Stop,
}

/// What was committed outside this session.
#[derive(Clone, Debug, Default)]
pub struct LocalChange {
    /// Logs as they are now. A tip of an unforked log that is lower than one given before is taken for an older one and
    /// ignored: evidence that was set aside here shows in the next session.
    pub tips: Vec<LocalTip>,
    /// New statements.
    pub statements: Vec<(StatementClass, StatementId)>,
    /// Keys that were cut.
    pub cuts: Vec<CutKey>,
    /// Whether blobs became held or wanted.
    pub blobs: bool,
    /// Whether entries came without their bodies.
    pub bodies: bool,
}
