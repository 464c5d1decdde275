//! The install marker: random bytes in a file that no backup copies, so that a restored copy knows that it is one.
//!
//! Two devices that continue one log sign two entries at one position, which is a fork. A copy cannot see its original,
//! but it can see that its marker is gone, and then begins logs of its own (`core/spec/entry.md`, Log).

use std::path::Path;

use merestone_core::id::StoreId;
use merestone_store::{Batch, Store};

use super::error::OpenDeviceError;
use super::settings::INSTALL;
use crate::clock::{Entropy, random};
use crate::durable;

pub(super) const MARKER_BYTES: usize = 16;

/// This installation, as its marker names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Install {
    marker: [u8; MARKER_BYTES],
}

impl Install {
    /// Compares the marker's file with what the store knows. Where they differ a new marker is written,
    /// and the store gets a new id.
    pub(crate) fn check(path: &Path, store: &Store, entropy: &dyn Entropy) -> Result<Self, OpenDeviceError> {
        let io = |source| OpenDeviceError::Marker { path: path.to_owned(), source };
        let found = durable::read(path, MARKER_BYTES).map_err(io)?;
        let known = store.setting(INSTALL)?;
        if let (Some(found), Some(known)) = (&found, &known)
            && found == known
            && let Ok(marker) = found.as_slice().try_into()
        {
            return Ok(Self { marker });
        }
        let marker = random(entropy)?;
        // The file first: a kill between the two leaves them different, and the next opening makes another.
        durable::write(path, &marker).map_err(io)?;
        let mut batch = Batch::new();
        batch.setting(INSTALL, Some(marker.to_vec()));
        if known.is_some() {
            batch.renew_store(StoreId::from_bytes(random(entropy)?));
        }
        store.commit(batch)?;
        Ok(Self { marker })
    }

    /// The bytes that tie an epoch to this installation.
    pub(crate) fn marker(&self) -> &[u8; MARKER_BYTES] {
        &self.marker
    }
}
