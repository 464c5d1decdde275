//! Observers of a phone: enrolling, unlocking, locking.

use std::sync::Arc;

use merestone_core::key::PublicKey;
use merestone_node::enrolment::Asked as NodeAsked;
use merestone_node::vault::{KeyFiles, KeystoreFiles, Passphrase, Vault};

use super::{Life, Open, Phone, Slot};
use crate::error::PhoneError;
use crate::keys::{KeyVault, Vaulted};
use crate::person::{Asked, EnrolmentLine, ObserverLine};
use crate::runtime::{blocking, locked};

#[uniffi::export]
impl Phone {
    /// The observers of this phone, in the order in which they came.
    pub async fn observers(&self) -> Result<Vec<ObserverLine>, PhoneError> {
        self.call(|open| Ok(open.device.observers().into_iter().map(Into::into).collect())).await
    }

    /// Makes the keys of a new observer, wrapped by a passphrase, and the request to be certified. The key is unlocked.
    ///
    /// # Errors
    /// `Refused` with code `passphrase` for an empty one; any other is taken.
    pub async fn request(&self, asked: Asked, passphrase: String) -> Result<EnrolmentLine, PhoneError> {
        let passphrase = read_passphrase(passphrase)?;
        self.call(move |open| request(open, &KeyFiles::new(&open.device.home().keys(), passphrase), &asked)).await
    }

    /// As `request`, with keys that a keystore of the platform guards.
    pub async fn request_in_vault(&self, asked: Asked, vault: Arc<dyn KeyVault>) -> Result<EnrolmentLine, PhoneError> {
        let life = Arc::clone(&self.life);
        self.call(move |open| {
            let vaulted = Vaulted::new(Arc::clone(&vault));
            let files = KeystoreFiles::new(&open.device.home().keys(), Arc::clone(&vaulted) as _);
            let made = request(open, &files, &asked).map_err(|error| vaulted.explain(error))?;
            life.vaults.note(open.observer(&made.key)?, vault);
            Ok(made)
        })
        .await
    }

    /// The request of an observer of this phone, to show it again.
    pub async fn requested(&self, observer: String) -> Result<Option<EnrolmentLine>, PhoneError> {
        self.call(move |open| Ok(open.device.requested(&open.observer(&observer)?).map(Into::into))).await
    }

    /// Accepts the certificate that a party issued for an observer of this phone.
    pub async fn accept(&self, text: String) -> Result<ObserverLine, PhoneError> {
        self.call(move |open| Ok(open.device.accept(&text)?.into())).await
    }

    /// Unlocks an observer's key with its passphrase, until `lock`, or until the phone is closed.
    ///
    /// # Errors
    /// `Locked` for another passphrase; `Refused` with code `passphrase` for an empty one.
    pub async fn unlock(&self, observer: String, passphrase: String) -> Result<(), PhoneError> {
        let passphrase = read_passphrase(passphrase)?;
        self.call(move |open| {
            let vault = KeyFiles::new(&open.device.home().keys(), passphrase);
            Ok(open.device.unlock(&vault, &open.observer(&observer)?)?)
        })
        .await
    }

    /// Unlocks an observer's key that a keystore of the platform guards.
    pub async fn unlock_in_vault(&self, observer: String, vault: Arc<dyn KeyVault>) -> Result<(), PhoneError> {
        let life = Arc::clone(&self.life);
        self.call(move |open| {
            let observer = open.observer(&observer)?;
            life.vaults.note(observer, Arc::clone(&vault));
            let vaulted = Vaulted::new(vault);
            let files = KeystoreFiles::new(&open.device.home().keys(), Arc::clone(&vaulted) as _);
            let unlocked = open.device.unlock(&files, &observer);
            unlocked.map_err(|error| vaulted.explain(error.into()))
        })
        .await
    }

    /// Forgets all unlocked keys, also those of a phone that sleeps or is just falling asleep or waking. Whoever meets or answers
    /// peers in an observer's name goes on until that ends, and signs receipts.
    pub async fn lock(&self) -> Result<(), PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || life.lock()).await
    }

    /// States that an observer goes on under another key of this phone: both are unlocked, and certified by one party.
    pub async fn succeed(&self, old: String, new: String) -> Result<(), PhoneError> {
        self.signing(move |open| {
            open.device.succeed(&open.observer(&old)?, &open.observer(&new)?)?;
            Ok(())
        })
        .await
    }

    /// Adds the new key's signature to a succession that the party signed in the place of a key that is lost; `proposed` are
    /// the bytes that the officer handed over.
    pub async fn accept_succession(&self, proposed: Vec<u8>) -> Result<(), PhoneError> {
        self.signing(move |open| {
            open.device.accept_succession(&proposed)?;
            Ok(())
        })
        .await
    }
}

impl Life {
    fn lock(&self) -> Result<(), PhoneError> {
        let open = match &*self.slot() {
            Slot::Open(open) => Arc::clone(open),
            Slot::Asleep(asleep) => {
                asleep.lock();
                return Ok(());
            }
            Slot::Closed => return Err(Self::closed()),
        };
        open.device.lock();
        locked(&open.replicas).clear();
        Ok(())
    }
}

impl Open {
    /// The key of an observer of this phone.
    pub(crate) fn observer(&self, key: &str) -> Result<PublicKey, PhoneError> {
        let observers = self.device.observers();
        let found = observers.into_iter().find(|observer| observer.key.to_string() == key);
        found.map(|observer| observer.key).ok_or_else(|| PhoneError::not_there("no observer here has this key"))
    }
}

fn request(open: &Open, vault: &dyn Vault, asked: &Asked) -> Result<EnrolmentLine, PhoneError> {
    let Asked { observer, device, attestation, replaces } = asked;
    let replaces = replaces.as_deref().map(read_key).transpose()?;
    let asked = NodeAsked { observer, device, attestation: attestation.as_deref(), replaces };
    Ok(open.device.request_as(vault, &asked)?.into())
}

/// A key of anybody.
fn read_key(text: &str) -> Result<PublicKey, PhoneError> {
    PublicKey::from_hex(text).ok_or_else(|| PhoneError::refused("key", "a key has 64 hex digits"))
}

fn read_passphrase(typed: String) -> Result<Passphrase, PhoneError> {
    Passphrase::new(typed).ok_or_else(|| PhoneError::refused("passphrase", "the passphrase is empty"))
}
