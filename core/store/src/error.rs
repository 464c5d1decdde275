//! What can go wrong, one small enum for each operation.

use std::io;
use std::path::PathBuf;

use merestone_core::id::{BlobHash, LogId};
use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::drafts::DraftId;
use crate::gate::{self, Shut};

/// A store could not be created or opened; nothing in the folder was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no store, or its creation was interrupted before it was complete.
    #[error("no store at {path}")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// There is a store already.
    #[error("there is a store at {path} already")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Another handle, in this process or another, has it open.
    #[error("the store at {path} is open already")]
    AlreadyOpen {
        /// The folder.
        path: PathBuf,
    },
    /// A newer version of the program wrote it.
    #[error("the store {path} has format {found}, this program knows up to {known}")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// The file is a database of something else, or no database.
    #[error("{path} is not a merestone store")]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// The database is damaged; it stays as it is.
    #[error("the store {path} is damaged")]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite found.
        #[source]
        source: Box<rusqlite::Error>,
    },
    /// The disk is full.
    #[error("storage is full at {path}")]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot open {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: io::Error,
    },
}

/// A batch was not committed; nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The disk is full, the ballast included.
    #[error("storage is full")]
    Full,
    /// Part of the batch is longer than its limit.
    #[error("{what} of {bytes} bytes, at most {bytes_max}")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A seq that no log can have.
    #[error("seq {seq}, a log ends below {seq_end}")]
    Seq {
        /// The seq of the entry.
        seq: u64,
        /// The limit.
        seq_end: u64,
    },
    /// The body is not the one that the entry's header names.
    #[error("body of another entry")]
    Body,
    /// Leaves for another place than the end of the ledger: somebody else appended, or leaves were lost.
    #[error("leaves from {first} on, the ledger has {size}")]
    Ledger {
        /// The number of the first leaf of the batch.
        first: u64,
        /// Number of leaves held.
        size: u64,
    },
    /// A draft is not what it was when this step began: somebody changed, discarded or saved it.
    #[error("draft {draft} is another by now")]
    Draft {
        /// The draft.
        draft: DraftId,
    },
    /// Something stands already where the entry was to go in its own log, or the log is forked: the key signed elsewhere too.
    #[error("seq {seq} of log {log} is not free")]
    NotNext {
        /// The log.
        log: LogId,
        /// The seq of the entry.
        seq: u64,
    },
    /// The database is damaged: check the store.
    #[error("the store is damaged")]
    Damaged,
    /// A flush to disk failed once. What reached the disk is unknown until the store is opened again;
    /// until then nothing is acknowledged.
    #[error("the disk failed; open the store again")]
    Broken,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The system refused.
    #[error("cannot write the store")]
    Io(#[source] Box<rusqlite::Error>),
}

/// The store could not look.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database is damaged: check the store.
    #[error("the store is damaged")]
    Damaged,
    /// A damaged row was found and could not be set aside.
    #[error("a damaged row cannot be set aside")]
    SetAside(#[source] Box<CommitError>),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The system refused.
    #[error("cannot read the store")]
    Io(#[source] Box<rusqlite::Error>),
}

/// A blob could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk is full.
    #[error("storage is full")]
    Full,
    /// The bytes are not those of this name.
    #[error("content is not blob {hash}")]
    Mismatch {
        /// The name.
        hash: BlobHash,
    },
    /// Longer than a blob may be.
    #[error("blob of {bytes} bytes, at most {bytes_max}")]
    TooLong {
        /// Its length, as far as it was read.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// No entry names it, or it was erased.
    #[error("blob {hash} is not wanted")]
    NotWanted {
        /// The name.
        hash: BlobHash,
    },
    /// A chunk outside the blob, or of another length than its place asks for.
    #[error("chunk {index} does not fit blob {hash}")]
    Chunk {
        /// The blob.
        hash: BlobHash,
        /// The chunk's number.
        index: u32,
    },
    /// Some chunks are still missing.
    #[error("blob {hash} is not complete")]
    Incomplete {
        /// The blob.
        hash: BlobHash,
    },
    /// The row about it was not committed.
    #[error("blob row not committed")]
    Commit(#[source] CommitError),
    /// The row about it could not be read.
    #[error("blob row not read")]
    Read(#[source] ReadError),
    /// The store was closed. What had come of a blob is there when it is opened again.
    #[error("the store is closed")]
    Closed,
    /// The system refused.
    #[error("cannot access a blob")]
    Io(#[source] io::Error),
}

/// What an error of SQLite means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Full,
    Damaged,
    Foreign,
    /// A flush failed: what the disk holds is unknown.
    Flush,
    /// Interrupted, which only closing does.
    Closed,
    Other,
}

pub(crate) fn fault(error: &rusqlite::Error) -> Fault {
    // Our statements are constants and fit our schema: where one does not, the schema in the file is not what was written.
    if matches!(error, rusqlite::Error::SqlInputError { .. }) {
        return Fault::Damaged;
    }
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return Fault::Other;
    };
    // The index of the write-ahead log is grown by writing, and tells a full disk as its own failure.
    if matches!(failure.extended_code, ffi::SQLITE_IOERR_SHMSIZE) {
        return Fault::Full;
    }
    if matches!(failure.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) {
        return Fault::Flush;
    }
    match failure.code {
        ErrorCode::DiskFull => Fault::Full,
        ErrorCode::DatabaseCorrupt => Fault::Damaged,
        ErrorCode::NotADatabase => Fault::Foreign,
        ErrorCode::OperationInterrupted => Fault::Closed,
        _ => Fault::Other,
    }
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        match fault(&error) {
            Fault::Full => Self::Full,
            Fault::Damaged | Fault::Foreign => Self::Damaged,
            Fault::Flush => Self::Broken,
            Fault::Closed => Self::Closed,
            Fault::Other => Self::Io(Box::new(error)),
        }
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        match fault(&error) {
            Fault::Damaged | Fault::Foreign => Self::Damaged,
            Fault::Closed => Self::Closed,
            Fault::Full | Fault::Flush | Fault::Other => Self::Io(Box::new(error)),
        }
    }
}

impl ReadError {
    /// A damaged row was found, and this is what came of setting it aside.
    pub(crate) fn set_aside(error: CommitError) -> Self {
        match error {
            CommitError::Closed => Self::Closed,
            error => Self::SetAside(Box::new(error)),
        }
    }
}

impl From<Shut> for ReadError {
    fn from(_: Shut) -> Self {
        Self::Closed
    }
}

impl From<Shut> for BlobError {
    fn from(_: Shut) -> Self {
        Self::Closed
    }
}

impl From<CommitError> for BlobError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Closed => Self::Closed,
            error => Self::Commit(error),
        }
    }
}

impl From<ReadError> for BlobError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Closed => Self::Closed,
            error => Self::Read(error),
        }
    }
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match () {
            () if gate::is_shut(&error) => Self::Closed,
            () if is_full(&error) => Self::Full,
            () => Self::Io(error),
        }
    }
}

pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
