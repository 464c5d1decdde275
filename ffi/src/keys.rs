//! A keystore of the platform, as the app brings it.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use merestone_core::key::{KEY_BYTES, PublicKey, SIGNATURE_BYTES};
use merestone_node::vault::{Keystore, KeystoreError};
use uniffi::UnexpectedUniFFICallbackError;
use zeroize::Zeroizing;

use crate::error::PhoneError;
use crate::log::{LogLevel, say};
use crate::provided::thrown;
use crate::runtime::locked;

/// A keystore did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyVaultError {
    /// Not now: the screen is locked, or the person did not show that it is them.
    #[error("{reason}")]
    Refused {
        /// For people.
        reason: String,
    },
    /// Never again: its key is gone, as after a new fingerprint or a reset of the phone.
    #[error("{reason}")]
    Gone {
        /// For people.
        reason: String,
    },
}

impl From<UnexpectedUniFFICallbackError> for KeyVaultError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Refused { reason: thrown("the app's keystore", &error) }
    }
}

/// A keystore of the platform: on Android the Keystore, on iOS the Keychain with the Secure Enclave.
///
/// It is called on threads of the library, which may wait for a person; it may call the phone meanwhile.
#[uniffi::export(foreign)]
pub trait KeyVault: Send + Sync {
    /// Wraps a secret of at most 96 bytes with a key that never leaves the keystore, into at most 896 bytes, authenticated:
    /// changed bytes must not unwrap.
    fn wrap(&self, secret: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Unwraps what `wrap` gave.
    fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Makes an Ed25519 key inside and gives its public half, 32 bytes; none where the keystore holds no such keys.
    fn make_signing_key(&self) -> Result<Option<Vec<u8>>, KeyVaultError>;

    /// Signs with a key that `make_signing_key` made; 64 bytes.
    fn sign(&self, key: Vec<u8>, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Destroys the signing key with this public half, if it holds it: the phone of its observer is being wiped. Of a key that
    /// it does not hold, nothing. What it wraps other secrets with stays: what it wrapped for this phone is removed, and it
    /// may guard more. What it throws keeps nothing from being wiped.
    fn forget(&self, key: Vec<u8>) -> Result<(), KeyVaultError>;
}

/// The vaults that observers of an open phone were made or unlocked with.
#[derive(Default)]
pub(crate) struct Vaults(Mutex<HashMap<PublicKey, Arc<dyn KeyVault>>>);

impl Vaults {
    pub(crate) fn note(&self, observer: PublicKey, vault: Arc<dyn KeyVault>) {
        locked(&self.0).insert(observer, vault);
    }

    pub(crate) fn all(&self) -> Vec<Arc<dyn KeyVault>> {
        locked(&self.0).values().map(Arc::clone).collect()
    }
}

/// How long a wipe waits for vaults to forget: they are asked for no finger, and nothing else is left to do.
const FORGETTING: Duration = Duration::from_secs(20);

/// Vaults that are told to forget keys, on a thread of its own: one that hangs keeps nothing from being wiped.
pub(crate) struct Telling(Option<Receiver<()>>);

impl Telling {
    /// Begins.
    pub(crate) fn begin(vaults: Vec<Arc<dyn KeyVault>>, keys: &[[u8; KEY_BYTES]]) -> Self {
        if vaults.is_empty() || keys.is_empty() {
            return Self(None);
        }
        let keys = keys.to_vec();
        let (told, all) = mpsc::channel();
        let tell = move || {
            for vault in vaults {
                let failed = keys.iter().filter(|key| vault.forget(key.to_vec()).is_err()).count();
                if failed > 0 {
                    say(LogLevel::Warning, "a keystore did not forget the keys of a wiped phone");
                }
            }
            let _ = told.send(());
        };
        let begun = thread::Builder::new().name("merestone-forget".into()).spawn(tell);
        if begun.is_err() {
            say(LogLevel::Warning, "the system gives no thread: keystores were not told to forget");
        }
        Self(begun.is_ok().then_some(all))
    }

    /// Waits for the end, not for ever.
    pub(crate) fn end(self) {
        if self.0.is_some_and(|all| all.recv_timeout(FORGETTING) == Err(RecvTimeoutError::Timeout)) {
            say(LogLevel::Warning, "a keystore did not answer when it was told to forget");
        }
    }
}

/// The app's keystore as a device calls it. Remembers what the keystore said last, for people.
pub(crate) struct Vaulted {
    vault: Arc<dyn KeyVault>,
    said: Mutex<Option<String>>,
}

impl Vaulted {
    pub(crate) fn new(vault: Arc<dyn KeyVault>) -> Arc<Self> {
        Arc::new(Self { vault, said: Mutex::default() })
    }

    /// An error in which the keystore's own words stand, where it is the keystore that refused.
    pub(crate) fn explain(&self, error: PhoneError) -> PhoneError {
        match (error, locked(&self.said).take()) {
            (PhoneError::Provider { is_gone, reason: _ }, Some(reason)) => PhoneError::Provider { is_gone, reason },
            (error, _) => error,
        }
    }

    fn heard<T>(&self, answer: Result<T, KeyVaultError>) -> Result<T, KeystoreError> {
        answer.map_err(|error| {
            let (kind, reason) = match error {
                KeyVaultError::Refused { reason } => (KeystoreError::Refused, reason),
                KeyVaultError::Gone { reason } => (KeystoreError::Gone, reason),
            };
            *locked(&self.said) = Some(reason);
            kind
        })
    }

    /// Bytes that must have a length; a keystore that gives others does not do what it says.
    fn exactly<const N: usize>(&self, bytes: Vec<u8>) -> Result<[u8; N], KeystoreError> {
        bytes.try_into().map_err(|bytes: Vec<u8>| {
            *locked(&self.said) = Some(format!("the keystore gave {} bytes in place of {N}", bytes.len()));
            KeystoreError::Refused
        })
    }
}

impl Keystore for Vaulted {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
        self.heard(self.vault.wrap(secret.to_vec()))
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        self.heard(self.vault.unwrap(wrapped.to_vec())).map(Zeroizing::new)
    }

    fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError> {
        let made = self.heard(self.vault.make_signing_key())?;
        made.map(|key| self.exactly(key)).transpose()
    }

    fn sign(&self, key: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError> {
        let signature = self.heard(self.vault.sign(key.to_vec(), message.to_vec()))?;
        self.exactly(signature)
    }
}
