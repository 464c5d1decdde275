//! Who uses the device: one key for each observer, locked until its owner unlocks it.

use std::sync::Arc;

use merestone_core::id::{ScopeId, StatementId};
use merestone_core::key::{KEY_BYTES, KeyCache, PublicKey, Signer};
use merestone_core::roster::{Certificate, EnrolmentRequest, PartyNumber, Role, Roster};
use merestone_store::{Batch, Store};

use super::Device;
use super::error::{AccessError, OpenDeviceError};
use super::keyring::Keyring;
use super::settings::{self, KeptObserver, OBSERVERS, OBSERVERS_MAX};
use crate::vault::{ObserverKeys, Vault, VaultError};

/// One observer of this device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observer {
    /// The observer's key on this device.
    pub key: PublicKey,
    /// The observer's name, as asked for and certified.
    pub name: String,
    /// What the device is called in the request.
    pub device: String,
    /// What the mission says of the key.
    pub state: ObserverState,
    /// Whether the key is unlocked.
    pub is_unlocked: bool,
}

/// What the mission says of an observer's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObserverState {
    /// No certificate yet: drafts can be made and nothing saved.
    Requested,
    /// Certified.
    Certified {
        /// The certificate.
        certificate: StatementId,
        /// The party that issued it.
        party: PartyNumber,
        /// What the key may do.
        role: Role,
        /// Where.
        scopes: Vec<ScopeId>,
    },
    /// The party cut the key: what was saved stays, nothing new can be.
    Cut {
        /// The certificate it had.
        certificate: StatementId,
    },
}

/// A key was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// No observer of this device has the key.
    #[error("no observer here has key {key}")]
    Unknown {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The vault gave no key.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What one installation works with: the observers and their unlocked keys.
#[derive(Default)]
pub(crate) struct Desk {
    seats: Vec<Seat>,
    unlocked: Keyring,
}

struct Seat {
    request: EnrolmentRequest,
    certificate: Option<StatementId>,
}

impl Desk {
    pub(super) fn load(store: &Store) -> Result<Self, OpenDeviceError> {
        let Some(kept) = store.setting(OBSERVERS)? else { return Ok(Self::default()) };
        // Not as if there were no observers: the next enrolment would write over the only list of them.
        let seats = seats(&kept).ok_or(AccessError::Damaged)?;
        Ok(Self { seats, unlocked: Keyring::default() })
    }

    /// The certificate under which `key` signs now.
    pub(crate) fn certificate(&self, key: &PublicKey) -> Option<StatementId> {
        self.seat(key)?.certificate
    }

    pub(super) fn keys(&self, key: &PublicKey) -> Option<ObserverKeys> {
        self.unlocked.of(self.seat(key)?.request.key())
    }

    /// Shares from now on what is of this installation and not of the store: unlocked keys.
    pub(super) fn take_over(&mut self, before: &Self) {
        self.unlocked = before.unlocked.clone();
    }

    fn seat(&self, key: &PublicKey) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.request.key() == key)
    }

    fn kept(&self) -> Vec<KeptObserver> {
        let kept =
            |seat: &Seat| KeptObserver { request: seat.request.as_bytes().to_vec(), certificate: seat.certificate };
        self.seats.iter().map(kept).collect()
    }
}

impl Device {
    /// The observers of this device, in the order in which they came.
    pub fn observers(&self) -> Vec<Observer> {
        // One after the other: who waits for the roster keeps nobody from the desk.
        let seats: Vec<Seen> = {
            let desk = self.desk();
            desk.seats.iter().map(|seat| Seen::of(seat, &desk.unlocked)).collect()
        };
        let roster = self.authority.roster();
        seats.into_iter().map(|seat| observer(seat, &roster)).collect()
    }

    /// Unlocks the key of an observer until [`lock`](Self::lock), or until the device is dropped.
    ///
    /// # Errors
    /// [`UnlockError`], above all a wrong passphrase.
    pub fn unlock(&self, vault: &dyn Vault, observer: &PublicKey) -> Result<(), UnlockError> {
        if self.desk().seat(observer).is_none() {
            return Err(UnlockError::Unknown { key: Box::new(*observer) });
        }
        // Without the desk: a passphrase takes a second to try, and other observers go on working.
        let keys = vault.unlock(observer)?;
        self.desk().unlocked.put(*observer, keys);
        Ok(())
    }

    /// The signer of an observer whose key is unlocked.
    pub(crate) fn signer_of(&self, observer: &PublicKey) -> Option<Arc<dyn Signer + Send + Sync>> {
        self.desk().keys(observer).map(|keys| keys.signer)
    }

    /// Forgets the unlocked keys of all observers and overwrites them, also those of the device that this one fell asleep as, or
    /// wakes as.
    pub fn lock(&self) {
        self.desk().unlocked.clear();
    }

    /// Takes in a new observer with unlocked keys. `false`: there are as many as a device may have.
    pub(crate) fn seat(&self, request: EnrolmentRequest, keys: ObserverKeys) -> Result<bool, AccessError> {
        let mut desk = self.desk();
        if desk.seats.len() >= OBSERVERS_MAX {
            return Ok(false);
        }
        let key = *request.key();
        desk.unlocked.put(key, keys);
        desk.seats.push(Seat { request, certificate: None });
        let kept = self.keep_observers(&desk);
        if kept.is_err() {
            desk.seats.pop();
            desk.unlocked.forget(&key);
        }
        kept.map(|()| true)
    }

    /// Lets an observer sign under `certificate` from now on. `false`: the key is no observer's here.
    pub(crate) fn certify(&self, certificate: &Certificate) -> Result<bool, AccessError> {
        let mut desk = self.desk();
        let Some(at) = desk.seats.iter().position(|seat| seat.request.key() == certificate.key()) else {
            return Ok(false);
        };
        let before = desk.seats[at].certificate.replace(certificate.id());
        let kept = self.keep_observers(&desk);
        if kept.is_err() {
            desk.seats[at].certificate = before;
        }
        kept.map(|()| true)
    }

    /// Whether an observer here signs with this key. Asked of every entry that arrives: an admitted key costs a signature.
    pub(crate) fn has_seat(&self, key: &[u8; KEY_BYTES]) -> bool {
        self.desk().seats.iter().any(|seat| seat.request.key().as_bytes() == key)
    }

    pub(crate) fn request_of(&self, key: &PublicKey) -> Option<EnrolmentRequest> {
        self.desk().seat(key).map(|seat| seat.request.clone())
    }

    fn keep_observers(&self, desk: &Desk) -> Result<(), AccessError> {
        let mut batch = Batch::new();
        batch.setting(OBSERVERS, Some(settings::encode_observers(&desk.kept())));
        self.store.commit(batch)?;
        Ok(())
    }
}

/// The seats as they were kept; `None` if they are damaged.
fn seats(kept: &[u8]) -> Option<Vec<Seat>> {
    let mut keys = KeyCache::new();
    let seat = |observer: KeptObserver| {
        let request = EnrolmentRequest::verify(&observer.request, &mut keys).ok()?;
        Some(Seat { request, certificate: observer.certificate })
    };
    settings::decode_observers(kept).ok()?.into_iter().map(seat).collect()
}

/// A seat as it was seen.
struct Seen {
    request: EnrolmentRequest,
    certificate: Option<StatementId>,
    is_unlocked: bool,
}

impl Seen {
    fn of(seat: &Seat, unlocked: &Keyring) -> Self {
        let is_unlocked = unlocked.of(seat.request.key()).is_some();
        Self { request: seat.request.clone(), certificate: seat.certificate, is_unlocked }
    }
}

fn observer(seat: Seen, roster: &Roster) -> Observer {
    let key = *seat.request.key();
    let certificate = seat.certificate.and_then(|id| roster.certificate(id));
    let state = match certificate {
        None => ObserverState::Requested,
        Some(certificate) if is_cut(roster, certificate) => ObserverState::Cut { certificate: certificate.id() },
        Some(certificate) => ObserverState::Certified {
            certificate: certificate.id(),
            party: certificate.party(),
            role: certificate.role(),
            scopes: certificate.scopes().to_vec(),
        },
    };
    Observer {
        key,
        name: seat.request.observer().to_owned(),
        device: seat.request.device().to_owned(),
        state,
        is_unlocked: seat.is_unlocked,
    }
}

/// Whether the party that certified the key has cut it.
pub(super) fn is_cut(roster: &Roster, certificate: &Certificate) -> bool {
    roster.cuts().any(|cut| cut.ends(certificate.key().as_bytes(), certificate.party()))
}
