//! Descriptions of photos under which something came whose SHA-256 was another: they are not tried for ever.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use merestone_store::BlobClaim;

/// After how many files of another SHA-256 a description is taken for false. One may be the work of a disk that changed a
/// bit while the file was written; a second at the same description is not.
const STRIKES_MAX: u8 = 2;

/// Most descriptions remembered: each cost whoever made it up the sending of a whole file.
const KNOWN_MAX: usize = 4_096;

/// How often each description turned out false since the replica was opened.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<BTreeMap<BlobClaim, u8>>);

impl Doubts {
    /// A file came that is what `claim` says but for its SHA-256.
    pub(super) fn note(&self, claim: BlobClaim) {
        let mut known = self.known();
        if known.len() >= KNOWN_MAX && !known.contains_key(&claim) {
            known.clear();
        }
        let strikes = known.entry(claim).or_default();
        *strikes = strikes.saturating_add(1);
    }

    /// Whether a description is not to be tried where another one exists.
    pub(super) fn is_false(&self, claim: &BlobClaim) -> bool {
        self.known().get(claim).is_some_and(|strikes| *strikes >= STRIKES_MAX)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<BlobClaim, u8>> {
        // Every count is whole after each statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
