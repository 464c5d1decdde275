//! A new key for the same observer: the old phone is replaced, or lost, and what it wrote stays one person's work.

use merestone_core::Refused;
use merestone_core::entry::LogHead;
use merestone_core::key::PublicKey;
use merestone_core::roster::{Class, MakeError, ProposedSuccession, Succession, SuccessionDraft};
use merestone_store::ReadError;

use crate::device::{AccessError, Device};

/// A succession was not made; nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum SuccessionError {
    /// A key that must sign is not on this device, or locked.
    #[error("key {key} is not unlocked on this device")]
    Locked {
        /// The key.
        key: Box<PublicKey>,
    },
    /// Everybody would refuse it.
    #[error("the succession is refused: {0}")]
    Refused(#[from] Refused),
    /// It was not signed.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Device {
    /// The last entries that this device holds of a key, log by log: those a cut keeps, or a succession acknowledges.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn heads_of(&self, key: &PublicKey) -> Result<Vec<LogHead>, ReadError> {
        self.store().heads_of(key.as_bytes())
    }

    /// States that the observer of `old` goes on under `new`: both keys are unlocked on this device, and certified by one
    /// party.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn succeed(&self, old: &PublicKey, new: &PublicKey) -> Result<Succession, SuccessionError> {
        let [before, after] =
            [old, new].map(|key| self.signer_of(key).ok_or_else(|| SuccessionError::Locked { key: Box::new(*key) }));
        let (before, after) = (before?, after?);
        let heads = self.heads_of(old).map_err(AccessError::from)?;
        let draft = SuccessionDraft { old: old.as_bytes(), new: new.as_bytes(), heads: &heads };
        // A copy: a keystore may wait for a person, and nobody waits for the roster meanwhile.
        let roster = self.authority().roster().clone();
        let made = ProposedSuccession::begin(&roster, &*before, &draft)?.complete(&roster, &*after)?;
        self.take_up(made)
    }

    /// Adds the new key's signature to a succession that the party signed in the place of a key that is lost: the new key is
    /// unlocked on this device.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn accept_succession(&self, proposed: &[u8]) -> Result<Succession, SuccessionError> {
        let roster = self.authority().roster().clone();
        let proposed = ProposedSuccession::decode(proposed, &roster)?;
        let new = PublicKey::admit(proposed.new_key())?;
        let signer = self.signer_of(&new).ok_or_else(|| SuccessionError::Locked { key: Box::new(new) })?;
        self.take_up(proposed.complete(&roster, &*signer)?)
    }

    fn take_up(&self, made: Succession) -> Result<Succession, SuccessionError> {
        let received = self.receive(Class::Succession, &[made.as_bytes().to_vec()])?;
        match received.refusal() {
            None => Ok(made),
            Some(refused) => Err(refused.into()),
        }
    }
}
