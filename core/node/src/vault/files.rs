//! Keys in files, each wrapped by the passphrase of its owner.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merestone_core::key::{PublicKey, SigningKey};
use merestone_link::TransportKey;
use zeroize::Zeroizing;

use super::keyfile::{self, Closed, KEYFILE_BYTES_MAX, KeyFile, KeyFileFault, Purpose, Salt, Secret};
use super::{ObserverKeys, Passphrase, UnlockCost, Vault, VaultError};
use crate::clock::{Entropy, random};
use crate::durable;

const SEED_BYTES: usize = 32;

/// The keys of observers as files in one folder: `<public key>.key`.
///
/// One value opens the files of one passphrase; observers who share a phone have one each, over the same folder.
pub struct KeyFiles {
    folder: PathBuf,
    passphrase: Passphrase,
    cost: UnlockCost,
}

impl KeyFiles {
    /// The files in `folder` that `passphrase` opens. New ones get the cost [`UnlockCost::PHONE`].
    pub fn new(folder: &Path, passphrase: Passphrase) -> Self {
        Self::with_cost(folder, passphrase, UnlockCost::PHONE)
    }

    /// As [`new`](Self::new), but new files cost `cost` to try.
    pub fn with_cost(folder: &Path, passphrase: Passphrase, cost: UnlockCost) -> Self {
        Self { folder: folder.to_owned(), passphrase, cost }
    }

    fn path(&self, key: &PublicKey) -> PathBuf {
        self.folder.join(format!("{key}.key"))
    }
}

impl Vault for KeyFiles {
    fn make(&self, entropy: &dyn Entropy) -> Result<ObserverKeys, VaultError> {
        let secret = random_secret(2 * SEED_BYTES, entropy)?;
        let keys = observer_keys(&secret);
        let path = self.path(keys.signer.public());
        wrap(&path, Purpose::Observer, keys.signer.public(), &secret, &self.passphrase, self.cost, entropy)?;
        Ok(keys)
    }

    fn unlock(&self, observer: &PublicKey) -> Result<ObserverKeys, VaultError> {
        let path = self.path(observer);
        let secret = unwrap(&path, Purpose::Observer, &self.passphrase)?
            .ok_or(VaultError::Missing { key: Box::new(*observer) })?;
        let keys = observer_keys(&secret);
        if keys.signer.public() != observer {
            return Err(VaultError::KeyFile { path, fault: KeyFileFault::Damaged });
        }
        Ok(keys)
    }
}

/// Shows the folder only.
impl fmt::Debug for KeyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFiles").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A party's root key in a file. It signs for a whole state: it belongs on a machine of its own, not on a phone.
pub struct PartyKeyFile;

impl PartyKeyFile {
    /// Makes a root key and keeps it in a new file at `path`.
    ///
    /// # Errors
    /// [`VaultError`]; a file that is there already is never replaced.
    pub fn make(
        path: &Path,
        passphrase: &Passphrase,
        cost: UnlockCost,
        entropy: &dyn Entropy,
    ) -> Result<SigningKey, VaultError> {
        if path.exists() {
            return Err(VaultError::Io { path: path.to_owned(), source: std::io::ErrorKind::AlreadyExists.into() });
        }
        let secret = random_secret(SEED_BYTES, entropy)?;
        let key = SigningKey::from_seed(&seed(&secret, 0));
        wrap(path, Purpose::Party, key.public(), &secret, passphrase, cost, entropy)?;
        Ok(key)
    }

    /// The public half of the key in the file at `path`, as the file says it; no passphrase is needed.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn public(path: &Path) -> Result<PublicKey, VaultError> {
        let io = |source| VaultError::Io { path: path.to_owned(), source };
        let at_fault = |fault| VaultError::KeyFile { path: path.to_owned(), fault };
        let bytes = durable::read(path, KEYFILE_BYTES_MAX).map_err(io)?;
        let bytes = bytes.ok_or_else(|| io(std::io::ErrorKind::NotFound.into()))?;
        let public = KeyFile::decode(&bytes).map_err(at_fault)?.public();
        PublicKey::admit(&public).map_err(|_| at_fault(KeyFileFault::Damaged))
    }

    /// Unlocks the root key in the file at `path`.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn unlock(path: &Path, passphrase: &Passphrase) -> Result<SigningKey, VaultError> {
        let missing = || VaultError::Io { path: path.to_owned(), source: std::io::ErrorKind::NotFound.into() };
        let secret = unwrap(path, Purpose::Party, passphrase)?.ok_or_else(missing)?;
        Ok(SigningKey::from_seed(&seed(&secret, 0)))
    }
}

fn random_secret(bytes: usize, entropy: &dyn Entropy) -> Result<Secret, VaultError> {
    let mut secret = Zeroizing::new(vec![0; bytes]);
    entropy.fill(&mut secret)?;
    Ok(secret)
}

/// The seed at `at` of a secret, whose length was checked when it was made or unwrapped.
fn seed(secret: &Secret, at: usize) -> Zeroizing<[u8; SEED_BYTES]> {
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    seed.copy_from_slice(&secret[at * SEED_BYTES..(at + 1) * SEED_BYTES]);
    seed
}

fn observer_keys(secret: &Secret) -> ObserverKeys {
    ObserverKeys {
        signer: Arc::new(SigningKey::from_seed(&seed(secret, 0))),
        transport: TransportKey::from_seed(&seed(secret, 1)),
    }
}

fn wrap(
    path: &Path,
    purpose: Purpose,
    public: &PublicKey,
    secret: &Secret,
    passphrase: &Passphrase,
    cost: UnlockCost,
    entropy: &dyn Entropy,
) -> Result<(), VaultError> {
    let salt = Salt { salt: random(entropy)?, nonce: random(entropy)? };
    let sealed = keyfile::seal(purpose, public.as_bytes(), secret, passphrase, cost, salt);
    let file = sealed.map_err(|fault| VaultError::KeyFile { path: path.to_owned(), fault })?;
    durable::write(path, &file).map_err(|source| VaultError::Io { path: path.to_owned(), source })
}

fn unwrap(path: &Path, purpose: Purpose, passphrase: &Passphrase) -> Result<Option<Secret>, VaultError> {
    let io = |source| VaultError::Io { path: path.to_owned(), source };
    let Some(bytes) = durable::read(path, KEYFILE_BYTES_MAX).map_err(io)? else { return Ok(None) };
    let at_fault = |fault| VaultError::KeyFile { path: path.to_owned(), fault };
    let file = KeyFile::decode(&bytes).map_err(at_fault)?;
    match file.open(purpose, passphrase) {
        Ok(secret) => Ok(Some(secret)),
        Err(Closed::WrongPassphrase) => Err(VaultError::WrongPassphrase),
        Err(Closed::Fault(fault)) => Err(at_fault(fault)),
    }
}
