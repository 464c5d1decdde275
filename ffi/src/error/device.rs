//! Errors of a device, its keys and its records, without a wildcard: a new kind of error is placed by hand.

use merestone_node::clock::NoEntropy;
use merestone_node::device::{AccessError, CreateError, NoReplica, OpenDeviceError, PenError, UnlockError};
use merestone_node::enrolment::{AcceptError, RequestError};
use merestone_node::forms::AddFormError;
use merestone_node::records::{ExhibitError, SavePhotoError};
use merestone_node::succession::SuccessionError;
use merestone_node::vault::{KeystoreError, VaultError};
use merestone_node::{OpenError, ReadError};

use super::{PhoneError, StorageFault, whole};

impl From<OpenError> for PhoneError {
    fn from(error: OpenError) -> Self {
        let reason = whole(&error);
        match error {
            OpenError::Missing { .. } => Self::NotThere { reason },
            OpenError::Exists { .. } => Self::refused("exists", reason),
            OpenError::AlreadyOpen { .. } => Self::storage(StorageFault::InUse, reason),
            OpenError::Newer { .. } => Self::storage(StorageFault::Newer, reason),
            OpenError::Foreign { .. } => Self::refused("foreign-folder", reason),
            OpenError::Damaged { .. } => Self::storage(StorageFault::Damaged, reason),
            OpenError::Full { .. } => Self::storage(StorageFault::Full, reason),
            OpenError::Io { .. } => Self::storage(StorageFault::Failed, reason),
        }
    }
}

impl From<CreateError> for PhoneError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Charter(refused) => {
                Self::refused(refused.check.code(), format!("the charter is refused: {refused}"))
            }
            CreateError::Store(error) => error.into(),
            CreateError::Open(error) => error.into(),
            CreateError::Access(error) => error.into(),
            CreateError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<OpenDeviceError> for PhoneError {
    fn from(error: OpenDeviceError) -> Self {
        let reason = whole(&error);
        match error {
            OpenDeviceError::Store(error) => error.into(),
            OpenDeviceError::Access(error) => error.into(),
            OpenDeviceError::NoCharter { .. } => Self::NotThere { reason },
            OpenDeviceError::HalfWiped { .. } => Self::refused("half-wiped", reason),
            OpenDeviceError::Marker { .. } => Self::storage(StorageFault::Failed, reason),
            OpenDeviceError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<AccessError> for PhoneError {
    fn from(error: AccessError) -> Self {
        let reason = whole(&error);
        match error {
            AccessError::Full => Self::storage(StorageFault::Full, reason),
            AccessError::Damaged => Self::storage(StorageFault::Damaged, reason),
            AccessError::Busy => Self::Provider { is_gone: false, reason },
            AccessError::Internal => Self::Internal { reason },
            AccessError::Closed => Self::Closed { is_suspended: true, reason },
            AccessError::Broken | AccessError::Read(_) | AccessError::Write(_) | AccessError::Blob(_) => {
                Self::storage(StorageFault::Failed, reason)
            }
        }
    }
}

impl From<ReadError> for PhoneError {
    fn from(error: ReadError) -> Self {
        AccessError::from(error).into()
    }
}

impl From<NoEntropy> for PhoneError {
    fn from(error: NoEntropy) -> Self {
        Self::storage(StorageFault::Failed, error)
    }
}

impl From<VaultError> for PhoneError {
    fn from(error: VaultError) -> Self {
        let reason = whole(&error);
        match error {
            VaultError::WrongPassphrase => Self::Locked { reason },
            VaultError::Missing { .. } => Self::NotThere { reason },
            VaultError::KeyFile { .. } => Self::storage(StorageFault::Damaged, reason),
            VaultError::Io { .. } => Self::storage(StorageFault::Failed, reason),
            VaultError::NoEntropy(error) => error.into(),
            VaultError::Keystore(error) => error.into(),
            VaultError::Refused => Self::Provider { is_gone: false, reason },
        }
    }
}

impl From<KeystoreError> for PhoneError {
    fn from(error: KeystoreError) -> Self {
        Self::Provider { is_gone: error == KeystoreError::Gone, reason: error.to_string() }
    }
}

impl From<UnlockError> for PhoneError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Unknown { .. } => Self::not_there(error),
            UnlockError::Vault(error) => error.into(),
        }
    }
}

impl From<RequestError> for PhoneError {
    fn from(error: RequestError) -> Self {
        let reason = error.to_string();
        match error {
            RequestError::Name(_) => Self::refused("name", reason),
            RequestError::Attestation => Self::refused("attestation", reason),
            RequestError::TooMany => Self::refused("too-many-observers", reason),
            RequestError::Vault(error) => error.into(),
            RequestError::NoEntropy(error) => error.into(),
            RequestError::Access(error) => error.into(),
        }
    }
}

impl From<AcceptError> for PhoneError {
    fn from(error: AcceptError) -> Self {
        let reason = error.to_string();
        match error {
            AcceptError::Mistyped(_) => Self::refused("mistyped", reason),
            AcceptError::OtherMission { .. } => Self::refused("other-mission", reason),
            AcceptError::OtherKey { .. } => Self::refused("other-key", reason),
            AcceptError::NoParty => Self::refused("no-party", reason),
            AcceptError::Refused(refused) => Self::refused(refused.check.code(), reason),
            AcceptError::Access(error) => error.into(),
        }
    }
}

impl From<PenError> for PhoneError {
    fn from(error: PenError) -> Self {
        let reason = whole(&error);
        match error {
            PenError::Locked { .. } => Self::Locked { reason },
            PenError::Cut { .. } => Self::NotEnrolled { is_cut: true, reason },
            PenError::NotEnrolled { .. } | PenError::NotGranted { .. } | PenError::WornOut { .. } => {
                Self::NotEnrolled { is_cut: false, reason }
            }
            PenError::Keystore(error) => error.into(),
            PenError::Rule(refused) => Self::refused(refused.check.code(), reason),
            PenError::Access(error) => error.into(),
            PenError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<NoReplica> for PhoneError {
    fn from(error: NoReplica) -> Self {
        match error {
            NoReplica::Locked { .. } => Self::Locked { reason: error.to_string() },
            NoReplica::Closed => Self::Closed { is_suspended: true, reason: error.to_string() },
        }
    }
}

impl From<SuccessionError> for PhoneError {
    fn from(error: SuccessionError) -> Self {
        let reason = whole(&error);
        match error {
            SuccessionError::Locked { .. } => Self::Locked { reason },
            SuccessionError::Refused(refused) => Self::refused(refused.check.code(), reason),
            SuccessionError::Make(_) => Self::refused("not-signed", reason),
            SuccessionError::Access(error) => error.into(),
        }
    }
}

impl From<AddFormError> for PhoneError {
    fn from(error: AddFormError) -> Self {
        let reason = whole(&error);
        match error {
            AddFormError::Document(_) => Self::refused("form", reason),
            AddFormError::NotListed { .. } => Self::refused("form-not-listed", reason),
            AddFormError::Access(error) => error.into(),
        }
    }
}

impl From<ExhibitError> for PhoneError {
    fn from(error: ExhibitError) -> Self {
        let reason = whole(&error);
        match error {
            ExhibitError::NotHeld { .. } | ExhibitError::NoForm { .. } => Self::NotThere { reason },
            ExhibitError::Label { .. } => Self::refused("label", reason),
            ExhibitError::NotDisclosed(_) => Self::refused("not-disclosed", reason),
            ExhibitError::Tiles(_) => Self::storage(StorageFault::Damaged, reason),
            ExhibitError::Refused(_) => Self::refused("exhibit", reason),
            ExhibitError::Access(error) => error.into(),
        }
    }
}

impl From<SavePhotoError> for PhoneError {
    fn from(error: SavePhotoError) -> Self {
        match error {
            SavePhotoError::File { path, source } => Self::unwritten(&path, &source),
            SavePhotoError::Access(error) => error.into(),
        }
    }
}
