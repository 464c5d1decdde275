//! Keys that a keystore of the platform guards: it wraps them with a key that never leaves it, or holds them and signs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merestone_core::key::{PublicKey, SIGNATURE_BYTES, Signer, SignerUnavailable, SigningKey};
use merestone_link::TransportKey;
use zeroize::Zeroizing;

use super::keyfile::{Holder, KEYFILE_BYTES_MAX, KeyFileFault, Secret, WRAPPED_BYTES_MAX, WrappedKeyFile};
use super::{ObserverKeys, Vault, VaultError};
use crate::clock::Entropy;
use crate::durable;

const SEED_BYTES: usize = 32;

/// A keystore of the platform: on Android the Keystore, on iOS the Keychain with the Secure Enclave.
///
/// Its calls may wait for a person (a fingerprint); none is made while anything of the device is locked.
pub trait Keystore: Send + Sync {
    /// Wraps a secret of at most 96 bytes with a key that never leaves the keystore, into at most
    /// [`WRAPPED_BYTES_MAX`] bytes. What it gives must be authenticated: another keystore, or changed bytes, must not unwrap.
    ///
    /// # Errors
    /// [`KeystoreError`].
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError>;

    /// Unwraps what [`wrap`](Self::wrap) gave.
    ///
    /// # Errors
    /// [`KeystoreError`].
    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError>;

    /// Makes an Ed25519 key inside; its public half. `None` where the keystore holds no such keys: then it wraps one.
    ///
    /// # Errors
    /// [`KeystoreError`].
    fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError>;

    /// Signs with a key that it [made](Self::make_signing_key), which `key` is the public half of.
    ///
    /// # Errors
    /// [`KeystoreError`].
    fn sign(&self, key: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError>;
}

/// A keystore did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// Not now: the screen is locked, or the person did not show that it is them.
    #[error("the keystore does not answer now; unlock the screen and try again")]
    Refused,
    /// Never again: its key is gone, as after a new fingerprint or a reset of the phone. The observer needs a new key.
    #[error("the keystore does not have this key any more; enrol again")]
    Gone,
}

/// The keys of observers as files in one folder, `<public key>.key`, each wrapped by a keystore (`core/spec/keyfile.md`,
/// Version 2).
pub struct KeystoreFiles {
    folder: PathBuf,
    keystore: Arc<dyn Keystore>,
}

impl KeystoreFiles {
    /// The files in `folder` that `keystore` opens.
    pub fn new(folder: &Path, keystore: Arc<dyn Keystore>) -> Self {
        Self { folder: folder.to_owned(), keystore }
    }

    fn path(&self, key: &PublicKey) -> PathBuf {
        self.folder.join(format!("{key}.key"))
    }

    fn held(&self, public: PublicKey) -> Arc<dyn Signer + Send + Sync> {
        Arc::new(HeldKey { public, keystore: Arc::clone(&self.keystore) })
    }
}

impl Vault for KeystoreFiles {
    fn make(&self, entropy: &dyn Entropy) -> Result<ObserverKeys, VaultError> {
        let mut seeds = Zeroizing::new([0; 2 * SEED_BYTES]);
        entropy.fill(&mut *seeds)?;
        let transport = TransportKey::from_seed(&seed(&seeds[SEED_BYTES..]));
        let (signer, holder, secret) = match self.keystore.make_signing_key()? {
            Some(public) => {
                let public = PublicKey::admit(&public).map_err(|_| VaultError::Refused)?;
                let signer = self.held(public);
                // A keystore that signs wrongly is found now and not when entries are refused everywhere.
                signer.sign_surely(public.as_bytes()).map_err(|_| VaultError::Refused)?;
                (signer, Holder::Keystore, secret(&public, &seeds[SEED_BYTES..]))
            }
            None => {
                let key = SigningKey::from_seed(&seed(&seeds[..SEED_BYTES]));
                let secret = secret(key.public(), &*seeds);
                (Arc::new(key) as Arc<dyn Signer + Send + Sync>, Holder::File, secret)
            }
        };
        let path = self.path(signer.public());
        let wrapped = self.keystore.wrap(&secret)?;
        if wrapped.len() > WRAPPED_BYTES_MAX || self.keystore.unwrap(&wrapped)? != secret {
            return Err(VaultError::Refused);
        }
        let file = WrappedKeyFile { public: *signer.public().as_bytes(), holder, wrapped: &wrapped }.encode();
        durable::write(&path, &file).map_err(|source| VaultError::Io { path, source })?;
        Ok(ObserverKeys { signer, transport })
    }

    fn unlock(&self, observer: &PublicKey) -> Result<ObserverKeys, VaultError> {
        let path = self.path(observer);
        let io = |source| VaultError::Io { path: path.clone(), source };
        let at_fault = |fault| VaultError::KeyFile { path: path.clone(), fault };
        let bytes = durable::read(&path, KEYFILE_BYTES_MAX).map_err(io)?;
        let bytes = bytes.ok_or(VaultError::Missing { key: Box::new(*observer) })?;
        let file = WrappedKeyFile::decode(&bytes).map_err(at_fault)?;
        let secret = self.keystore.unwrap(file.wrapped)?;
        let seeds = secret.strip_prefix(observer.as_bytes().as_slice()).filter(|_| file.public == *observer.as_bytes());
        let damaged = || at_fault(KeyFileFault::Damaged);
        let (signer, transport) = match (file.holder, seeds.ok_or_else(damaged)?) {
            (Holder::Keystore, transport) if transport.len() == SEED_BYTES => (self.held(*observer), transport),
            (Holder::File, seeds) if seeds.len() == 2 * SEED_BYTES => {
                let key = SigningKey::from_seed(&seed(&seeds[..SEED_BYTES]));
                if key.public() != observer {
                    return Err(damaged());
                }
                (Arc::new(key) as Arc<dyn Signer + Send + Sync>, &seeds[SEED_BYTES..])
            }
            (Holder::Keystore | Holder::File, _) => return Err(damaged()),
        };
        Ok(ObserverKeys { signer, transport: TransportKey::from_seed(&seed(transport)) })
    }
}

/// Shows the folder only.
impl fmt::Debug for KeystoreFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeystoreFiles").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A key that stays in the keystore.
struct HeldKey {
    public: PublicKey,
    keystore: Arc<dyn Keystore>,
}

impl Signer for HeldKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], SignerUnavailable> {
        self.keystore.sign(self.public.as_bytes(), message).map_err(|error| match error {
            KeystoreError::Refused => SignerUnavailable::NotNow,
            KeystoreError::Gone => SignerUnavailable::Gone,
        })
    }
}

/// What is wrapped: the public half, so that files cannot be put in each other's place, and the seeds.
fn secret(public: &PublicKey, seeds: &[u8]) -> Secret {
    let mut secret = Zeroizing::new(Vec::with_capacity(SEED_BYTES + seeds.len()));
    secret.extend_from_slice(public.as_bytes());
    secret.extend_from_slice(seeds);
    secret
}

/// A seed of bytes whose number was checked.
fn seed(bytes: &[u8]) -> Zeroizing<[u8; SEED_BYTES]> {
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    seed.copy_from_slice(bytes);
    seed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    /// A keystore in memory: turns bytes round and puts a mark behind them.
    struct Rounded {
        key: Option<SigningKey>,
        mark: u8,
        is_locked: bool,
    }

    impl Keystore for Rounded {
        fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
            Ok(secret.iter().rev().copied().chain([self.mark]).collect())
        }

        fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
            let Some((mark, rest)) = wrapped.split_last().filter(|_| !self.is_locked) else {
                return Err(KeystoreError::Refused);
            };
            if *mark != self.mark {
                return Err(KeystoreError::Gone);
            }
            Ok(Zeroizing::new(rest.iter().rev().copied().collect()))
        }

        fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError> {
            Ok(self.key.as_ref().map(|key| *key.public().as_bytes()))
        }

        fn sign(&self, _: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError> {
            let key = self.key.as_ref().ok_or(KeystoreError::Gone)?;
            Ok(key.sign(message))
        }
    }

    fn keystore(mark: u8, seed: Option<u8>) -> Rounded {
        Rounded { key: seed.map(|seed| SigningKey::from_seed(&[seed; 32])), mark, is_locked: false }
    }

    #[test]
    fn a_key_is_there_again_whether_the_keystore_wraps_it_or_holds_it() {
        for seed in [None, Some(7)] {
            let folder = tempfile::tempdir().unwrap();
            let vault = KeystoreFiles::new(folder.path(), Arc::new(keystore(1, seed)));
            let made = vault.make(&SystemEntropy).unwrap();
            let again = vault.unlock(made.signer.public()).unwrap();
            assert_eq!(again.transport.public(), made.transport.public());
            let signed = again.signer.sign_surely(b"message").unwrap();
            assert_eq!(made.signer.public().verify(b"message", &signed), Ok(()));
            let other = SigningKey::from_seed(&[9; 32]);
            assert!(matches!(vault.unlock(other.public()), Err(VaultError::Missing { .. })));
        }
    }

    #[test]
    fn a_locked_or_reset_keystore_and_another_observers_file_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let vault = |keystore| KeystoreFiles::new(folder.path(), Arc::new(keystore));
        let [first, second] = [(); 2].map(|()| vault(keystore(1, None)).make(&SystemEntropy).unwrap());
        let key = first.signer.public();
        let locked = vault(Rounded { is_locked: true, ..keystore(1, None) }).unlock(key);
        assert!(matches!(locked, Err(VaultError::Keystore(KeystoreError::Refused))), "{locked:?}");
        let reset = vault(keystore(2, None)).unlock(key);
        assert!(matches!(reset, Err(VaultError::Keystore(KeystoreError::Gone))), "{reset:?}");
        let path = |key: &PublicKey| folder.path().join(format!("{key}.key"));
        std::fs::copy(path(second.signer.public()), path(key)).unwrap();
        let swapped = vault(keystore(1, None)).unlock(key);
        assert!(matches!(swapped, Err(VaultError::KeyFile { fault: KeyFileFault::Damaged, .. })), "{swapped:?}");
    }

    #[test]
    fn a_keystore_that_signs_with_another_key_makes_none() {
        struct Wrong(Rounded);
        impl Keystore for Wrong {
            fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
                self.0.wrap(secret)
            }
            fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
                self.0.unwrap(wrapped)
            }
            fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError> {
                Ok(Some(*SigningKey::from_seed(&[8; 32]).public().as_bytes()))
            }
            fn sign(&self, key: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError> {
                self.0.sign(key, message)
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let made = KeystoreFiles::new(folder.path(), Arc::new(Wrong(keystore(1, Some(7))))).make(&SystemEntropy);
        assert!(matches!(made, Err(VaultError::Refused)), "{made:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no key is left behind");
    }
}
