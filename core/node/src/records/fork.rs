//! Two entries of one key at one position, to be shown to somebody who holds nothing but the mission's id
//! (`core/spec/fork.md`).

use merestone_core::entry::VerifiedEntry;
use merestone_core::fork::{self, Fork, ForkRefused};
use merestone_core::id::EntryId;
use merestone_core::key::KeyCache;
use merestone_core::roster::CharterFile;
use merestone_store::ReadError;

use crate::device::{AccessError, Device};

/// No fork statement was made.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The entry is not here.
    #[error("entry {entry} is not held here")]
    NotHeld {
        /// The entry.
        entry: EntryId,
    },
    /// Nothing held here stands beside the entry.
    #[error("no other entry of its key is held at the position of entry {entry}")]
    NotForked {
        /// The entry.
        entry: EntryId,
    },
    /// Whoever is shown it would refuse it.
    #[error("a verifier would refuse it: {}", .0.code())]
    Refused(#[from] ForkRefused),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<ReadError> for ForkError {
    fn from(error: ReadError) -> Self {
        Self::Access(error.into())
    }
}

impl Device {
    /// A statement that the key of this entry signed another one at its position: that with the lowest id of those held.
    ///
    /// The charter and the certificates held of the key are part of it.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn fork_statement(&self, entry: EntryId) -> Result<Vec<u8>, ForkError> {
        let own = self.verified_entry(entry)?.ok_or(ForkError::NotHeld { entry })?;
        let held = self.store.ids_at(own.log(), &[own.header().seq])?;
        let beside = held.iter().flat_map(|(_, ids)| ids).find(|id| **id != entry);
        let beside = *beside.ok_or(ForkError::NotForked { entry })?;
        let other = self.verified_entry(beside)?.ok_or(ForkError::NotHeld { entry: beside })?;
        let roster = self.authority.roster();
        let certificates: Vec<_> = roster.certificates_of(own.key().as_bytes()).collect();
        let certified = (!certificates.is_empty()).then(|| CharterFile::of(&roster));
        let certified = certified.as_ref().map(|charter| (charter, certificates.as_slice()));
        let bytes = fork::write([&own, &other], certified);
        Fork::read(&bytes, self.mission())?;
        Ok(bytes)
    }

    fn verified_entry(&self, entry: EntryId) -> Result<Option<VerifiedEntry>, ReadError> {
        let stored = self.store.entry(entry)?;
        Ok(stored.and_then(|stored| self.verified(&stored, &mut KeyCache::with_capacity(1))))
    }
}
