//! Taking in what came by another way than a conversation: a courier's file. Judged, made durable and told as if a peer
//! had sent it; where it came from, and in which order, is the caller's affair.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::Refused;
use merestone_core::entry::{SignedEntry, VerifiedEntry};
use merestone_core::id::{BlobHash, LogId, MissionId, ScopeId};
use merestone_core::key::KeyCache;
use merestone_core::roster::Class;
use merestone_core::sync::{LocalChange, LocalTip, Version, wire};
use merestone_store::{Batch, BlobClaim, BlobError, Chunk, CommitError};

use super::answer::local_tip;
use super::host::{Host, Opening};
use super::hub::Subscription;
use super::photos::named_by;
use super::talk::TalkOptions;
use super::{Replica, Shared};
use crate::authority::Received;
use crate::device::AccessError;

/// What one carrier brings to a replica.
pub(crate) struct Intake {
    host: Host,
    // Its place among the conversations, which hear of what comes in here.
    place: Subscription,
    mission: MissionId,
    scopes: Vec<ScopeId>,
    keys: KeyCache,
}

/// What became of a frame of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EntriesTaken {
    /// Durable now, and not held before.
    pub(crate) new: u64,
    /// Held already.
    pub(crate) known: u64,
    /// Of scopes that this device's certificate does not grant; not kept.
    pub(crate) other_scopes: u64,
}

/// A frame of entries was not taken; nothing of it is held.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// An entry is refused, as it would be from a peer.
    Refused(Refused),
    /// The store refused.
    Access(AccessError),
}

impl<E: Into<AccessError>> From<E> for NotTaken {
    fn from(error: E) -> Self {
        Self::Access(error.into())
    }
}

impl Intake {
    /// Joins the conversations of the replica.
    pub(crate) fn begin(replica: &Replica) -> Result<Self, AccessError> {
        let shared = replica.shared();
        let Opening { host, session: _, subscription } =
            Host::begin(shared, replica.transport_key(), TalkOptions::default())?;
        let scopes = shared.certificate().map_or_else(Vec::new, |held| held.scopes().to_vec());
        let mission = shared.store.identity()?.mission;
        Ok(Self { host, place: subscription, mission, scopes, keys: KeyCache::new() })
    }

    /// The scopes that this device's certificate grants; none without a certificate.
    pub(crate) fn scopes(&self) -> &[ScopeId] {
        &self.scopes
    }

    /// Takes up statements of one class.
    pub(crate) fn statements(&self, class: Class, statements: &[Vec<u8>]) -> Result<Received, CommitError> {
        self.shared().take_up(class, statements, Some(self.host.member))
    }

    /// Takes a frame of entries: all of them, but those of scopes that are not granted here, or none.
    pub(crate) fn entries(&mut self, frame: &[u8]) -> Result<EntriesTaken, NotTaken> {
        let received = wire::decode(frame, self.mission, Version::V1).map_err(NotTaken::Refused)?;
        // Nobody is there to be asked for it in full form.
        if !received.again.is_empty() {
            let refused = Refused { check: merestone_core::Check::Shape, what: "check of an entry" };
            return Err(NotTaken::Refused(refused));
        }
        let mut taken = EntriesTaken::default();
        let mut entries = Vec::with_capacity(received.entries.len());
        for entry in &received.entries {
            let signed = SignedEntry::new(&entry.header, entry.body.as_deref());
            let entry = signed.verify(self.mission, &mut self.keys).map_err(NotTaken::Refused)?;
            match self.scopes.contains(&entry.header().scope) {
                true => entries.push(entry),
                false => taken.other_scopes += 1,
            }
        }
        if let Some(refused) = self.host.unknown_key(&entries) {
            return Err(NotTaken::Refused(refused));
        }
        let ids: Vec<_> = entries.iter().map(VerifiedEntry::id).collect();
        let held = self.shared().store.held(&ids)?;
        taken.known = held.len() as u64;
        taken.new = ids.iter().filter(|id| !held.contains(*id)).collect::<BTreeSet<_>>().len() as u64;
        // What is held is committed again only where its body may have been missing.
        let is_gap = !self.shared().store.missing_bodies(1)?.is_empty();
        entries.retain(|entry| is_gap || !held.contains(&entry.id()));
        self.commit(entries)?;
        Ok(taken)
    }

    fn commit(&self, entries: Vec<VerifiedEntry>) -> Result<(), AccessError> {
        if entries.is_empty() {
            return Ok(());
        }
        let (mut heights, mut records) = (BTreeMap::<LogId, u64>::new(), BTreeSet::new());
        let mut names_blobs = false;
        let mut batch = Batch::new();
        batch.refetchable();
        for entry in &entries {
            let height = heights.entry(entry.log()).or_default();
            *height = (*height).max(entry.header().seq + 1);
        }
        self.host.compare_own(&heights.into_iter().collect::<Vec<_>>());
        let bodies = entries.iter().any(|entry| entry.body_bytes().is_none());
        for entry in entries {
            records.insert(entry.record());
            for (claim, class) in named_by(&entry) {
                // Originals are left to a later meeting, to which these entries are no news: nobody ever wants them.
                #[cfg(planted)]
                if merestone_core::planted::is("courier-leaves-originals")
                    && class == merestone_store::BlobClass::Original
                {
                    continue;
                }
                names_blobs = true;
                batch.blob_name(entry.id(), claim, class);
            }
            batch.entry(entry);
        }
        let committed = self.shared().store.commit(batch)?;
        let tips: Vec<LocalTip> = committed.tips.iter().filter_map(local_tip).collect();
        self.publish(&LocalChange { tips, blobs: names_blobs, bodies, ..LocalChange::default() });
        if let Some(owner) = &self.shared().owner {
            owner.entries_arrived(&records);
        }
        Ok(())
    }

    /// Whether a blob is wanted here, and how entries of the granted scopes describe it: `None` if it is held whole or
    /// nobody names it.
    pub(crate) fn wanted(&self, hash: BlobHash) -> Result<Option<Vec<BlobClaim>>, AccessError> {
        if self.shared().store.is_blob_whole(hash)? {
            return Ok(None);
        }
        let claims = self.shared().store.claims_in(&self.scopes, hash)?;
        Ok(Some(claims).filter(|claims| !claims.is_empty()))
    }

    /// Whether a blob is held whole.
    pub(crate) fn holds(&self, hash: BlobHash) -> Result<bool, AccessError> {
        Ok(self.shared().store.is_blob_whole(hash)?)
    }

    /// Makes chunks durable that were compared with the chunk root of `claim`; those that share a call share a flush.
    pub(crate) fn chunks(&self, claim: &BlobClaim, chunks: &[Chunk<'_>]) -> Result<(), BlobError> {
        self.shared().store.write_chunks(claim, chunks)
    }

    /// Makes a blob whole of which every chunk came. `false`: it is not the file that was signed, or was erased meanwhile.
    pub(crate) fn finish(&self, claim: &BlobClaim) -> Result<bool, BlobError> {
        match self.shared().store.finish_blob(claim) {
            Ok(_) => {
                self.publish(&LocalChange { blobs: true, ..LocalChange::default() });
                Ok(true)
            }
            Err(BlobError::Mismatch { .. } | BlobError::Incomplete { .. } | BlobError::NotWanted { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn publish(&self, change: &LocalChange) {
        self.shared().hub.publish(Some(self.host.member), change);
        // News of others have nobody here to go to.
        let _ = self.place.take();
    }

    fn shared(&self) -> &Shared {
        &self.host.shared
    }
}
