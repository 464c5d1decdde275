//! Why a device was not made or opened, and why one of its keys is not at hand.

use std::io;

use merestone_node::clock::NoEntropy;
use merestone_node::device::{CreateError, NoReplica, OpenDeviceError, UnlockError};
use merestone_node::vault::{KeyFileFault, VaultError};

use super::{AGAIN, DOCTOR};
use crate::exit::Failure;

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::storage(&error, "no key can be made on this machine now")
    }
}

impl From<OpenDeviceError> for Failure {
    fn from(error: OpenDeviceError) -> Self {
        match error {
            OpenDeviceError::Store(error) => error.into(),
            OpenDeviceError::Access(error) => error.into(),
            OpenDeviceError::NoCharter { .. } => Self::storage(&error, DOCTOR),
            OpenDeviceError::Marker { .. } => Self::storage(&error, ""),
            OpenDeviceError::NoEntropy(error) => error.into(),
            OpenDeviceError::HalfWiped { .. } => Self::storage(&error, ""),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Charter(_) => {
                Self::input(&error, "every party must sign it: see `merestone mission show FILE`")
            }
            CreateError::Store(error) => error.into(),
            CreateError::Open(error) => error.into(),
            CreateError::Access(error) => error.into(),
            CreateError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::WrongPassphrase => Self::input(&error, AGAIN),
            VaultError::Missing { .. } => Self::input(&error, "its file in the folder `keys` of the device is gone"),
            VaultError::KeyFile { fault, .. } => Self::input(
                &error,
                match fault {
                    KeyFileFault::Foreign => {
                        "name the file that `merestone mission key` or `merestone witness key` made"
                    }
                    KeyFileFault::Newer { .. } => "use the newer program",
                    KeyFileFault::Damaged => "use a copy of it",
                    KeyFileFault::TooCostly => "no program of ours made it so",
                    KeyFileFault::OfKeystore => "it opens in the app that made it, on that phone alone",
                    KeyFileFault::OfPassphrase => "type its passphrase",
                    KeyFileFault::OtherPurpose => "party keys and observers' keys cannot stand in for each other",
                },
            ),
            VaultError::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Self::input(&error, "make a key with `merestone mission key`"),
                io::ErrorKind::AlreadyExists => Self::input(&error, "a key is never replaced: name another file"),
                io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => Self::input(&error, ""),
                // What else a disk can say: nothing that another argument would mend.
                _ => Self::storage(&error, ""),
            },
            VaultError::NoEntropy(error) => (*error).into(),
            VaultError::Keystore(_) | VaultError::Refused => Self::storage(&error, AGAIN),
        }
    }
}

impl From<UnlockError> for Failure {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Unknown { .. } => Self::input(&error, "see `merestone device show`"),
            UnlockError::Vault(error) => error.into(),
        }
    }
}

impl From<NoReplica> for Failure {
    fn from(error: NoReplica) -> Self {
        match &error {
            NoReplica::Locked { .. } => Self::input(&error, AGAIN),
            NoReplica::Closed => Self::storage(&error, AGAIN),
        }
    }
}
