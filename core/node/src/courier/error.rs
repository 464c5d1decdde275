//! Why a bundle was not written, or not read.

use std::io;
use std::path::{Path, PathBuf};

use merestone_core::Refused;
use merestone_core::id::MissionId;

use crate::PublicKey;
use crate::device::AccessError;

/// A bundle was not written, and nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum WriteCourierError {
    /// The observer has no certificate, so nobody could say who made the bundle.
    #[error("key {key} has no certificate")]
    NotEnrolled {
        /// The key.
        key: Box<PublicKey>,
    },
    /// There is something at that path already, or being written there.
    #[error("{path} is there already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// No certificate held here is for a device of that name or key.
    #[error("no device with that name or key is known here")]
    UnknownDevice,
    /// Several are.
    #[error("{count} devices have that name")]
    SeveralDevices {
        /// How many.
        count: usize,
    },
    /// It never signed for what it holds, as far as is known here.
    #[error("no receipt of key {key} is held")]
    NoReceipt {
        /// Its key.
        key: Box<PublicKey>,
    },
    /// The text alone is longer than the bundle may be.
    #[error("{bytes_max} bytes are too few: without any photo it takes {wanted}")]
    TooSmall {
        /// What was allowed.
        bytes_max: u64,
        /// What it takes.
        wanted: u64,
    },
    /// More sections than a bundle holds.
    #[error("more photos than one bundle holds ({max})")]
    TooMany {
        /// The most.
        max: usize,
    },
    /// The disk of the target is full.
    #[error("the disk at {path} is full: the bundle was removed again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses the file.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl WriteCourierError {
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { path }
            }
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            _ => Self::Write { path, source },
        }
    }
}

/// Nothing of a bundle was taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadCourierError {
    /// It is no bundle, or one of another version.
    #[error("{path} is no courier bundle of this version")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It ends before its end.
    #[error("{path} is not whole: it was cut off, or never finished")]
    Cut {
        /// The file.
        path: PathBuf,
    },
    /// Its table of contents is not what its digest says.
    #[error("the table of contents of {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Its table of contents breaks a rule.
    #[error("the table of contents of {path} is refused: {refused}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// The rule.
        refused: Refused,
    },
    /// It is another mission's.
    #[error("the bundle is of mission {found}, and this device is of mission {mission}")]
    OtherMission {
        /// The bundle's.
        found: MissionId,
        /// This device's.
        mission: MissionId,
    },
    /// Who made it has no certificate of this mission.
    #[error("the certificate of its maker is refused: {0}")]
    Maker(Refused),
    /// This device has no certificate, and so may hold nothing.
    #[error("this device has no certificate of the mission")]
    NotEnrolled,
    /// The system refuses the file.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The store refused; what was taken before is durable, and reading again goes on from there.
    #[error(transparent)]
    Access(#[from] AccessError),
}
