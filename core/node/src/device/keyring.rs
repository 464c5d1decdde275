//! The unlocked keys of one installation.
//!
//! The device that fell asleep and the one that wakes share them: whoever locks or unlocks one of the two, at whatever moment
//! of the waking, did it to the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::key::PublicKey;

use crate::vault::ObserverKeys;

/// Clones are the same ring.
#[derive(Clone, Default)]
pub(super) struct Keyring(Arc<Mutex<HashMap<PublicKey, ObserverKeys>>>);

impl Keyring {
    /// Takes in an unlocked key.
    pub(super) fn put(&self, key: PublicKey, keys: ObserverKeys) {
        self.ring().insert(key, keys);
    }

    /// Forgets a key, and overwrites it where nobody is signing with it.
    pub(super) fn forget(&self, key: &PublicKey) {
        self.ring().remove(key);
    }

    /// Forgets all keys.
    pub(super) fn clear(&self) {
        self.ring().clear();
    }

    /// The keys of an observer, if they are unlocked.
    pub(super) fn of(&self, key: &PublicKey) -> Option<ObserverKeys> {
        self.ring().get(key).map(ObserverKeys::share)
    }

    fn ring(&self) -> MutexGuard<'_, HashMap<PublicKey, ObserverKeys>> {
        // A map is whole after each statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
