//! Why a device could not be made or opened.

use std::io;
use std::path::PathBuf;

use merestone_core::Refused;
use merestone_core::id::MissionId;
use merestone_store::{BlobError, CommitError, OpenError, ReadError};

use crate::authority::AuthorityError;
use crate::clock::NoEntropy;

/// A device was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The bytes are no charter, or not every party signed it.
    #[error("the charter is refused: {0}")]
    Charter(Refused),
    /// The store could not be made; see [`OpenError::Exists`].
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Made, and then not opened.
    #[error(transparent)]
    Open(#[from] OpenDeviceError),
    /// Something could not be kept.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// A device was not opened; nothing in its folder was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenDeviceError {
    /// The store could not be opened; see [`OpenError::AlreadyOpen`], [`OpenError::Missing`], [`OpenError::Newer`].
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Something in the store could not be read or kept.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store does not hold the charter of its mission.
    #[error("the store holds no charter of mission {mission}")]
    NoCharter {
        /// The mission it is for.
        mission: MissionId,
    },
    /// The install marker could not be read or written.
    #[error("cannot access the install marker {path}")]
    Marker {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A [wipe](super::wipe()) of this folder was cut short: finish it by another.
    #[error("{folder} is half wiped: wipe it again")]
    HalfWiped {
        /// The device's folder.
        folder: PathBuf,
    },
}

/// The store of an open device could not be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The disk is full; nothing of this step was kept.
    #[error("storage is full")]
    Full,
    /// Something in the store is damaged: run a check.
    #[error("the store is damaged")]
    Damaged,
    /// The disk failed once: open the device again.
    #[error("the disk failed; open the device again")]
    Broken,
    /// The device was suspended or closed meanwhile; nothing of this step was kept. Open it again, or
    /// [resume](super::Suspended::resume) it.
    #[error("the device is closed")]
    Closed,
    /// Another step is being signed and has not come to its end: a keystore that waits for a person.
    #[error("another step is being signed; answer the keystore first")]
    Busy,
    /// A thread of ours ended without an answer: a bug, which is no damage.
    #[error("the program made a mistake")]
    Internal,
    /// The system refused to read.
    #[error("cannot read the store")]
    Read(#[source] Box<ReadError>),
    /// The system refused to write.
    #[error("cannot write the store")]
    Write(#[source] Box<CommitError>),
    /// The system refused a photo's file.
    #[error("cannot access a photo's file")]
    Blob(#[source] Box<BlobError>),
}

impl From<ReadError> for AccessError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged => Self::Damaged,
            ReadError::Closed => Self::Closed,
            error @ (ReadError::SetAside(_) | ReadError::Io(_)) => Self::Read(Box::new(error)),
        }
    }
}

impl From<CommitError> for AccessError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Full => Self::Full,
            CommitError::Damaged => Self::Damaged,
            CommitError::Broken => Self::Broken,
            CommitError::Closed => Self::Closed,
            error @ (CommitError::TooLong { .. }
            | CommitError::Seq { .. }
            | CommitError::Body
            | CommitError::Ledger { .. }
            | CommitError::Draft { .. }
            | CommitError::NotNext { .. }
            | CommitError::Io(_)) => Self::Write(Box::new(error)),
        }
    }
}

impl From<BlobError> for AccessError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => Self::Full,
            BlobError::Closed => Self::Closed,
            BlobError::Commit(error) => error.into(),
            BlobError::Read(error) => error.into(),
            error @ (BlobError::Mismatch { .. }
            | BlobError::TooLong { .. }
            | BlobError::NotWanted { .. }
            | BlobError::Chunk { .. }
            | BlobError::Incomplete { .. }
            | BlobError::Io(_)) => Self::Blob(Box::new(error)),
        }
    }
}

impl From<AuthorityError> for OpenDeviceError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Read(error) => Self::Access(error.into()),
            AuthorityError::NoCharter { mission } => Self::NoCharter { mission },
        }
    }
}

impl From<ReadError> for OpenDeviceError {
    fn from(error: ReadError) -> Self {
        Self::Access(error.into())
    }
}

impl From<CommitError> for OpenDeviceError {
    fn from(error: CommitError) -> Self {
        Self::Access(error.into())
    }
}

impl From<CommitError> for CreateError {
    fn from(error: CommitError) -> Self {
        Self::Access(error.into())
    }
}
