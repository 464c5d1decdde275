//! Photos on their way in, shared by the conversations of a replica: each chunk is written once, whoever brings it.
//!
//! Whose peer has sent the chunk hashes of a photo is its source; other conversations do not ask for it while it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::BlobHash;
use merestone_core::merkle::NodeHash;
use merestone_store::{BlobClaim, BlobError, IncomingBlob, Store};

use super::hub::Member;

/// All photos that some conversation is receiving.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<BTreeMap<BlobHash, Arrival>>);

struct Arrival {
    claim: BlobClaim,
    blob: Arc<Mutex<IncomingBlob>>,
    sources: BTreeSet<Member>,
}

impl Arrivals {
    /// A peer of `member` begins to send a blob, of which `have` is held.
    pub(super) fn begin(
        &self,
        store: &Store,
        member: Member,
        claim: &BlobClaim,
        hashes: &[NodeHash],
        have: &[u8],
    ) -> Result<(), BlobError> {
        let mut coming = self.coming();
        if let Some(arrival) = coming.get_mut(&claim.hash).filter(|arrival| arrival.claim == *claim) {
            arrival.sources.insert(member);
            return Ok(());
        }
        let blob = Arc::new(Mutex::new(store.receive_blob(claim, hashes, have)?));
        coming.insert(claim.hash, Arrival { claim: *claim, blob, sources: BTreeSet::from([member]) });
        Ok(())
    }

    /// The blob on its way in as `claim` describes it.
    pub(super) fn blob(&self, claim: &BlobClaim) -> Option<Arc<Mutex<IncomingBlob>>> {
        self.coming()
            .get(&claim.hash)
            .filter(|arrival| arrival.claim == *claim)
            .map(|arrival| Arc::clone(&arrival.blob))
    }

    /// Whether it comes, and not by `member`.
    pub(super) fn comes_by_others(&self, claim: &BlobClaim, member: Member) -> bool {
        self.coming().get(&claim.hash).is_some_and(|arrival| !arrival.sources.contains(&member))
    }

    /// It is whole, or turned out to be something else.
    pub(super) fn end(&self, hash: BlobHash) {
        self.coming().remove(&hash);
    }

    /// `member` does not receive it any more; whether others may ask for it now. What came stays in its file.
    pub(super) fn give_back(&self, member: Member, hash: BlobHash) -> bool {
        let mut coming = self.coming();
        let Some(arrival) = coming.get_mut(&hash) else { return false };
        arrival.sources.remove(&member);
        let is_free = arrival.sources.is_empty();
        if is_free {
            coming.remove(&hash);
        }
        is_free
    }

    /// `member` receives nothing any more; whether others may ask for anything now.
    pub(super) fn leave(&self, member: Member) -> bool {
        let mut coming = self.coming();
        let before = coming.len();
        coming.retain(|_, arrival| !arrival.sources.remove(&member) || !arrival.sources.is_empty());
        coming.len() < before
    }

    fn coming(&self) -> MutexGuard<'_, BTreeMap<BlobHash, Arrival>> {
        whole(&self.0)
    }
}

/// Every value behind these locks is whole after each statement.
pub(super) fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
