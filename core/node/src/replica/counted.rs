//! Censuses of photos, counted once for each state of the store: every conversation begins with one and ends with one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use merestone_core::id::ScopeId;
use merestone_core::sync::{Census, blobs_digest};
use merestone_store::{BlobClass, ReadError, Store};

/// Most pairs of scopes and classes remembered: peers differ in what they may see and want, and not in many ways.
const KNOWN_MAX: usize = 64;

/// What was counted, and after how many changes.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<BTreeMap<Asked, (u64, Census)>>);

/// Of which scopes and classes.
type Asked = (Vec<ScopeId>, Vec<BlobClass>);

impl Counted {
    /// Which blobs of these classes that entries of `scopes` name are held whole. Blocks on the disk where it must count.
    pub(super) fn census(&self, store: &Store, scopes: &[ScopeId], classes: &[BlobClass]) -> Result<Census, ReadError> {
        // Before counting: a blob that comes meanwhile is counted once more.
        let changes = store.blob_changes();
        let key = (scopes.to_vec(), classes.to_vec());
        // Whatever a panic left behind was counted once.
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some((then, census)) = known
            && then == changes
        {
            return Ok(census);
        }
        let held = store.blob_census(scopes, classes)?;
        let census = Census { digest: blobs_digest(&held.whole), missing: held.missing.len() as u64 };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key, (changes, census));
        Ok(census)
    }
}
