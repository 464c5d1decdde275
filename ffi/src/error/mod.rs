//! What an app can do about a failure.

mod capture;
mod carried;
mod device;

use std::io;
use std::path::Path;

/// A call that did not do what it was asked. Nothing that was saved before is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum PhoneError {
    /// Ask for the passphrase, or let the person unlock the keystore.
    #[error("{reason}")]
    Locked {
        /// For people.
        reason: String,
    },
    /// The key may not sign this: it has no certificate yet, none for this, or its party cut it.
    #[error("{reason}")]
    NotEnrolled {
        /// The party cut the key: what was saved stays, and nothing new can be.
        is_cut: bool,
        /// For people.
        reason: String,
    },
    /// What was named is not on this phone.
    #[error("{reason}")]
    NotThere {
        /// For people.
        reason: String,
    },
    /// What was handed over cannot be taken like this; nothing was changed by it.
    #[error("{reason}")]
    Refused {
        /// A name that programs may rely on.
        code: String,
        /// For people.
        reason: String,
    },
    /// The disk did not do it; nothing of this step was kept.
    #[error("{reason}")]
    Storage {
        /// What is the matter.
        fault: StorageFault,
        /// For people.
        reason: String,
    },
    /// Nobody was met.
    #[error("{reason}")]
    Unreachable {
        /// A name that programs may rely on.
        code: String,
        /// Whether the same call may succeed later without anybody changing anything.
        is_worth_retrying: bool,
        /// For people.
        reason: String,
    },
    /// What the app itself brought, a keystore or a clock, did not do it.
    #[error("{reason}")]
    Provider {
        /// It never will: the keystore lost the key, and the observer must enrol again.
        is_gone: bool,
        /// For people.
        reason: String,
    },
    /// The phone is closed.
    #[error("{reason}")]
    Closed {
        /// It is only suspended: `resume` opens it again.
        is_suspended: bool,
        /// For people.
        reason: String,
    },
    /// A mistake of the program. The store is sound.
    #[error("{reason}")]
    Internal {
        /// For people.
        reason: String,
    },
}

/// What is the matter with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StorageFault {
    /// It is full: make room, and do it again.
    Full,
    /// Something in the store is damaged: what can be fetched again is, with the next sync.
    Damaged,
    /// Another process, or another handle of this one, has it open.
    InUse,
    /// A newer version of the program wrote it: update this one.
    Newer,
    /// The system refused, or the disk failed: open the phone again.
    Failed,
}

impl PhoneError {
    pub(crate) fn not_there(reason: impl ToString) -> Self {
        Self::NotThere { reason: reason.to_string() }
    }

    pub(crate) fn refused(code: &str, reason: impl ToString) -> Self {
        Self::Refused { code: code.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn storage(fault: StorageFault, reason: impl ToString) -> Self {
        Self::Storage { fault, reason: reason.to_string() }
    }

    /// A file that the app asked for was not written.
    pub(crate) fn unwritten(path: &Path, error: &io::Error) -> Self {
        let reason = format!("cannot write {}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::refused("exists", reason),
            io::ErrorKind::NotFound => Self::NotThere { reason },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::storage(StorageFault::Full, reason),
            _ => Self::storage(StorageFault::Failed, reason),
        }
    }

    pub(crate) fn internal(reason: impl ToString) -> Self {
        Self::Internal { reason: reason.to_string() }
    }
}

/// An error with what caused it, for people: the system's reason says which file, and why.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // A transparent error says the same as what it wraps.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
