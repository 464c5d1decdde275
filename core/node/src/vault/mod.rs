//! Where private keys rest: wrapped in files by a passphrase, or in a keystore of the platform.
//!
//! A vault makes keys and unlocks them; an unlocked key is something that signs. Nothing here shows a secret: not `Debug`,
//! not an error, not a log, and no command takes one as an argument.

mod cost;
mod files;
mod keyfile;
mod keystore;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use merestone_core::key::{PublicKey, Signer};
use merestone_core::text::{self, Lines};
use merestone_link::TransportKey;
use zeroize::Zeroizing;

pub use cost::UnlockCost;
pub use files::{KeyFiles, PartyKeyFile};
pub use keyfile::{KEYFILE_BYTES_MAX, KeyFileFault, WRAPPED_BYTES_MAX};
pub use keystore::{Keystore, KeystoreError, KeystoreFiles};

use crate::clock::{Entropy, NoEntropy};

/// Whoever holds the private keys of a device.
///
/// [`KeyFiles`] keeps them in files that a passphrase wraps, [`KeystoreFiles`] in files that a keystore of the platform does.
pub trait Vault: Send + Sync {
    /// Makes the keys of a new observer and keeps them: when this returns, they survive a power cut.
    ///
    /// # Errors
    /// [`VaultError`]; no key is left behind.
    fn make(&self, entropy: &dyn Entropy) -> Result<ObserverKeys, VaultError>;

    /// The keys of the observer with this public key.
    ///
    /// # Errors
    /// [`VaultError`].
    fn unlock(&self, observer: &PublicKey) -> Result<ObserverKeys, VaultError>;
}

/// The unlocked keys of one observer on this device. Two keys, because the one that signs entries must never answer
/// for who is at the other end of a link.
pub struct ObserverKeys {
    /// Signs entries, requests and receipts.
    pub signer: Arc<dyn Signer + Send + Sync>,
    /// Proves to peers which device this is.
    pub transport: TransportKey,
}

impl ObserverKeys {
    /// Other handles to the same keys.
    pub(crate) fn share(&self) -> Self {
        Self { signer: Arc::clone(&self.signer), transport: self.transport.share() }
    }
}

/// Shows the public halves only.
impl fmt::Debug for ObserverKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverKeys")
            .field("signer", self.signer.public())
            .field("transport", &self.transport.public())
            .finish()
    }
}

/// Why a vault gave no key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Another passphrase wrapped it.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// It holds no such key.
    #[error("no key {key} here")]
    Missing {
        /// The public half.
        key: Box<PublicKey>,
    },
    /// The key file cannot be what it should be.
    #[error("key file {path}: {fault}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFileFault,
    },
    /// The key file cannot be read or written.
    #[error("cannot access key file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// There are no random bytes to make a key of.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The platform's keystore did not do it.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The keystore gave what no keystore may: bytes that it does not unwrap again, or signatures of another key.
    #[error("the keystore does not do what it says; no key was made")]
    Refused,
}

/// What a person types to unlock a key; overwritten with zeros when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes what was typed. Keyboards write the same letters in several ways, so it is brought to one form first
    /// (as signed text is); `None` if nothing is left.
    pub fn new(typed: String) -> Option<Self> {
        let typed = Zeroizing::new(typed);
        let tidied = Zeroizing::new(text::tidy(&typed, Lines::One).into_owned());
        (!tidied.is_empty()).then_some(Self(tidied))
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Shows nothing of it.
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}
