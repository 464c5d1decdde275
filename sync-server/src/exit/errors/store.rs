//! What a store could not do: open, read, keep.

use merestone_node::device::AccessError;
use merestone_store::{BlobError, CommitError, OpenError, ReadError};

use super::{AGAIN, DOCTOR, ROOM};
use crate::exit::{Code, Failure, advise};

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Missing { .. } => {
                Self::input(&error, "name the device's folder with --home, or make one with `merestone device init`")
            }
            OpenError::Exists { .. } => Self::input(&error, "name another folder with --home"),
            OpenError::AlreadyOpen { .. } => Self::storage(&error, "end the other program (`merestone serve`?) first"),
            OpenError::Newer { .. } => Self::input(&error, "use the newer program; nothing was changed"),
            OpenError::Foreign { .. } => Self::input(&error, "name the device's folder with --home"),
            OpenError::Damaged { .. } => Self::storage(
                &error,
                "it was left as it is: keep a copy of the folder, and sync a new device from a peer",
            ),
            OpenError::Full { .. } => Self::storage(&error, ROOM),
            OpenError::Io { .. } => Self::storage(&error, ""),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match &error {
            CommitError::Full => Self::storage(&error, ROOM),
            CommitError::Damaged => Self::storage(&error, DOCTOR),
            CommitError::Broken
            | CommitError::Closed
            | CommitError::Ledger { .. }
            | CommitError::Draft { .. }
            | CommitError::NotNext { .. } => Self::storage(&error, AGAIN),
            CommitError::TooLong { .. } | CommitError::Seq { .. } | CommitError::Body => Self::input(&error, ""),
            CommitError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Damaged | ReadError::SetAside(_) => Self::storage(&error, DOCTOR),
            ReadError::Closed => Self::storage(&error, AGAIN),
            ReadError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => Self::storage(&error, ROOM),
            BlobError::Commit(error) => error.into(),
            BlobError::Read(error) => error.into(),
            BlobError::Mismatch { .. }
            | BlobError::TooLong { .. }
            | BlobError::NotWanted { .. }
            | BlobError::Chunk { .. }
            | BlobError::Incomplete { .. } => Self::input(&error, ""),
            BlobError::Closed => Self::storage(&error, AGAIN),
            BlobError::Io(_) => Self::storage(&error, ""),
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match &error {
            AccessError::Full => Self::storage(&error, ROOM),
            AccessError::Damaged => Self::storage(&error, DOCTOR),
            AccessError::Broken | AccessError::Busy | AccessError::Closed => Self::storage(&error, AGAIN),
            AccessError::Internal => Self::new(Code::Storage, advise(&error, "try again, and report it")),
            AccessError::Read(_) | AccessError::Write(_) | AccessError::Blob(_) => Self::storage(&error, ""),
        }
    }
}
