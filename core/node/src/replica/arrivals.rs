//! Photos on their way in, shared by the conversations of a replica: each chunk is written once, whoever brings it.
//!
//! A conversation that asks for a photo has claimed it, and the others leave it out: two peers that were met at once send
//! different photos. What a conversation claimed and did not get is there for the others again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::BlobHash;
use merestone_core::merkle::NodeHash;
use merestone_store::{BlobClaim, BlobError, IncomingBlob, Store};

use super::hub::Member;
use super::reading::FileKey;

/// All photos that some conversation asked for or is receiving.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Coming>);

#[derive(Default)]
struct Coming {
    arrivals: BTreeMap<FileKey, Arrival>,
    /// Who asked, before anything came.
    claims: BTreeMap<BlobHash, Member>,
}

/// A photo of which something came.
struct Arrival {
    blob: Arc<Mutex<IncomingBlob>>,
    sources: BTreeSet<Member>,
}

impl Arrivals {
    /// Whether `member` may ask for it: no other conversation did, or receives it. Nobody else may from then on.
    pub(super) fn claim(&self, hash: BlobHash, member: Member) -> bool {
        let mut coming = self.coming();
        let is_free = coming.is_free(hash, member);
        if is_free {
            coming.claims.insert(hash, member);
        }
        is_free
    }

    /// Whether `member` could [claim](Self::claim) it.
    pub(super) fn is_free(&self, hash: BlobHash, member: Member) -> bool {
        self.coming().is_free(hash, member)
    }

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
        if let Some(arrival) = coming.arrivals.get_mut(&key_of(claim)) {
            arrival.sources.insert(member);
            return Ok(());
        }
        let blob = Arc::new(Mutex::new(store.receive_blob(claim, hashes, have)?));
        coming.arrivals.insert(key_of(claim), Arrival { blob, sources: BTreeSet::from([member]) });
        Ok(())
    }

    /// The blob on its way in as `claim` describes it.
    pub(super) fn blob(&self, claim: &BlobClaim) -> Option<Arc<Mutex<IncomingBlob>>> {
        self.coming().arrivals.get(&key_of(claim)).map(|arrival| Arc::clone(&arrival.blob))
    }

    /// It turned out to be something else.
    pub(super) fn end(&self, file: FileKey) {
        let mut coming = self.coming();
        coming.arrivals.remove(&file);
        coming.claims.remove(&file.0);
    }

    /// It is whole, under whatever root it came, or need not come.
    pub(super) fn end_all(&self, hash: BlobHash) {
        let mut coming = self.coming();
        coming.arrivals.retain(|(of, _), _| *of != hash);
        coming.claims.remove(&hash);
    }

    /// `member` does not receive it any more; whether others may ask for it now. What came stays in its file.
    pub(super) fn give_back(&self, member: Member, hash: BlobHash) -> bool {
        let mut coming = self.coming();
        let was_claimed = coming.claims.get(&hash) == Some(&member);
        if was_claimed {
            coming.claims.remove(&hash);
        }
        let before = coming.arrivals.len();
        coming
            .arrivals
            .retain(|(of, _), arrival| *of != hash || !arrival.sources.remove(&member) || !arrival.sources.is_empty());
        let is_free = coming.is_free(hash, member);
        is_free && (was_claimed || coming.arrivals.len() < before)
    }

    /// `member` receives nothing any more; whether others may ask for anything now.
    pub(super) fn leave(&self, member: Member) -> bool {
        let mut coming = self.coming();
        let before = (coming.arrivals.len(), coming.claims.len());
        coming.arrivals.retain(|_, arrival| !arrival.sources.remove(&member) || !arrival.sources.is_empty());
        coming.claims.retain(|_, claimer| *claimer != member);
        (coming.arrivals.len(), coming.claims.len()) != before
    }

    fn coming(&self) -> MutexGuard<'_, Coming> {
        whole(&self.0)
    }
}

impl Coming {
    fn is_free(&self, hash: BlobHash, member: Member) -> bool {
        let of_hash = self.arrivals.range((hash, [0; 32])..=(hash, [0xff; 32]));
        let is_received = of_hash.into_iter().any(|(_, arrival)| !arrival.sources.contains(&member));
        !is_received && self.claims.get(&hash).is_none_or(|claimer| *claimer == member)
    }
}

fn key_of(claim: &BlobClaim) -> FileKey {
    (claim.hash, claim.chunks)
}

/// Every value behind these locks is whole after each statement.
pub(super) fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
