//! Why a bag was not written.

use std::io;
use std::path::{Path, PathBuf};

use merestone_store::{BlobError, ReadError};

/// A bag was not written, and nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum BagError {
    /// There is something at the target already.
    #[error("{path} is there already and not empty: name a folder that does not exist")]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The target names no folder that could be made.
    #[error("{path} cannot be the name of a bag")]
    NoName {
        /// The target.
        path: PathBuf,
    },
    /// The disk of the target is full.
    #[error("the disk at {path} is full: the bag was removed again")]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// The system refuses the folder or a file in it.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store's ledger has no leaf where one must be, or something else in its place.
    #[error("the ledger in the store is damaged at leaf {leaf}")]
    Ledger {
        /// The leaf, counted from 0.
        leaf: u64,
    },
    /// A photo's file cannot be read.
    #[error("cannot read a photo of the store")]
    Photo(#[source] BlobError),
}

impl BagError {
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Write { path, source },
        }
    }
}
