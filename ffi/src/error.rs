//! What an app can do about a failure: one mapping from the errors of a device, without a wildcard.

use merestone_node::capture::{BeginError, SaveError};
use merestone_node::clock::NoEntropy;
use merestone_node::device::{AccessError, OpenDeviceError, PenError, UnlockError};

/// A call that did not do what it was asked.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum PhoneError {
    /// Ask for the passphrase, or for a certificate.
    #[error("{reason}")]
    Locked {
        /// For people.
        reason: String,
    },
    /// What was named is not on this phone.
    #[error("{reason}")]
    NotThere {
        /// For people.
        reason: String,
    },
    /// The answers cannot be saved like this; nothing was lost.
    #[error("{reason}")]
    Refused {
        /// For people.
        reason: String,
    },
    /// The disk is full or failed, or another process has the device open.
    #[error("{reason}")]
    Storage {
        /// For people.
        reason: String,
    },
}

impl PhoneError {
    pub(crate) fn not_there(reason: &str) -> Self {
        Self::NotThere { reason: reason.to_owned() }
    }
}

impl From<OpenDeviceError> for PhoneError {
    fn from(error: OpenDeviceError) -> Self {
        let reason = error.to_string();
        match error {
            OpenDeviceError::NoCharter { .. } => Self::NotThere { reason },
            OpenDeviceError::Store(_)
            | OpenDeviceError::Access(_)
            | OpenDeviceError::Marker { .. }
            | OpenDeviceError::NoEntropy(_) => Self::Storage { reason },
        }
    }
}

impl From<AccessError> for PhoneError {
    fn from(error: AccessError) -> Self {
        Self::Storage { reason: error.to_string() }
    }
}

impl From<NoEntropy> for PhoneError {
    fn from(error: NoEntropy) -> Self {
        Self::Storage { reason: error.to_string() }
    }
}

impl From<UnlockError> for PhoneError {
    fn from(error: UnlockError) -> Self {
        let reason = error.to_string();
        match error {
            UnlockError::Unknown { .. } => Self::NotThere { reason },
            UnlockError::Vault(_) => Self::Locked { reason },
        }
    }
}

impl From<BeginError> for PhoneError {
    fn from(error: BeginError) -> Self {
        let reason = error.to_string();
        match error {
            BeginError::NotEditable { .. } => Self::Refused { reason },
            BeginError::Access(_) | BeginError::NoEntropy(_) => Self::Storage { reason },
        }
    }
}

impl From<SaveError> for PhoneError {
    fn from(error: SaveError) -> Self {
        let reason = error.to_string();
        match error {
            SaveError::NothingChanged
            | SaveError::TooLarge
            | SaveError::NotEditable { .. }
            | SaveError::NotAWriter { .. } => Self::Refused { reason },
            SaveError::NoForm { .. } => Self::NotThere { reason },
            SaveError::Pen(pen) => pen.into(),
        }
    }
}

impl From<PenError> for PhoneError {
    fn from(error: PenError) -> Self {
        let reason = error.to_string();
        match error {
            PenError::NotEnrolled { .. }
            | PenError::Locked { .. }
            | PenError::Cut { .. }
            | PenError::NotGranted { .. }
            | PenError::WornOut { .. } => Self::Locked { reason },
            PenError::Rule(_) => Self::Refused { reason },
            PenError::Access(_) | PenError::NoEntropy(_) => Self::Storage { reason },
        }
    }
}
