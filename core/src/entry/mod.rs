//! Entries: signed steps of observers (`spec/entry.md`).
//!
//! ```text
//! EntryDraft ──sign──▶ VerifiedEntry ──follows──▶ Tip
//!                           ▲
//! SignedEntry ───verify─────┘
//! (bytes from outside)
//! ```
//!
//! A [`SignedEntry`] has no way to its content. A [`VerifiedEntry`] was signed by the key it names, keeps the header's
//! rules and has the body its header names, if any. Whether its signer was *entitled* to it, where it stands in
//! its log, and what its change does, is decided elsewhere: the roster, [`log`], [`change`](crate::change).

mod body;
mod context;
mod draft;
mod header;
pub mod log;
mod photo;

pub use body::{BODY_BYTES_MAX, Body, Content, TEXT_BYTES_MAX};
pub use context::{Clock, ClockSource, Context, OBSERVER_BYTES_MAX, PHOTOS_MAX, POST_BYTES_MAX, Place, PlaceSource};
pub use draft::{DraftRefused, EntryDraft};
pub use header::{
    Commitment, EARLIER_MAX, HEADER_BYTES_MAX, Header, Kind, LOG_ENTRIES_MAX, Position, REFS_MAX, Subject, WRITERS_MAX,
};
pub use log::{LogHead, Tip, follows};
pub use photo::{Media, MissingReason, PHOTO_BYTES_MAX, Photo, Rendition, RenditionOrReason};

use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{Envelope, Label};
use crate::id::{Actor, EntryId, LogId, MissionId, RecordId};
use crate::key::{KeyCache, PublicKey};

/// The bytes of an entry as they came from outside: a header, and its body unless that is withheld.
///
/// Borrowed, so that a caller who gets a refusal still holds the evidence.
#[derive(Clone, Copy)]
pub struct SignedEntry<'a> {
    header: &'a [u8],
    body: Option<&'a [u8]>,
}

impl<'a> SignedEntry<'a> {
    /// An entry of these bytes.
    pub fn new(header: &'a [u8], body: Option<&'a [u8]>) -> Self {
        Self { header, body }
    }

    /// The same header without its body.
    pub fn without_body(&self) -> Self {
        Self { header: self.header, body: None }
    }

    /// The id the entry has if it verifies: enough to see whether it is held already.
    pub fn id(&self) -> EntryId {
        EntryId::of(self.header)
    }

    /// Verifies everything that the entry alone can show. The body is compared with its hash and not decoded.
    ///
    /// # Errors
    /// The first failing check, in the order of `spec/entry.md`, Order of the checks.
    /// After `body-hash` the header may still be good: verify it without the body.
    pub fn verify(&self, mission: MissionId, keys: &mut KeyCache) -> Result<VerifiedEntry, Refused> {
        self.verify_with(mission, keys, Full)
    }

    /// [`verify`](Self::verify) under `policy`; `keys` must be of the same policy.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_with<P: Policy>(
        &self,
        mission: MissionId,
        keys: &mut KeyCache,
        policy: P,
    ) -> Result<VerifiedEntry, Refused> {
        check_size(self.header, HEADER_BYTES_MAX, policy, "header")?;
        let envelope = Envelope::decode_under(Label::Entry, self.header, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (key, payload) = envelope.open_under(keys, policy)?;
        let header = Header::decode_under(payload, mission, policy)?;
        let mut entry = VerifiedEntry::of_parts(key, header, self.header.to_vec(), None);
        if let Some(body) = self.body {
            entry.attach_body_under(body, policy)?;
        }
        Ok(entry)
    }

    /// The entry that verified before, from the same header read again, without judging the signature a second time.
    ///
    /// # Errors
    /// `signature-invalid` if these are not the bytes that verified; `size-limit` or `body-hash`.
    pub fn reopen(&self, seal: Seal, mission: MissionId, keys: &mut KeyCache) -> Result<VerifiedEntry, Refused> {
        Full.require(self.id() == seal.0, Check::SignatureInvalid, "header that verified")?;
        let (key, payload) = Envelope::decode(Label::Entry, self.header)?.reopen(keys)?;
        let header = Header::decode_under(payload, mission, Full)?;
        let mut entry = VerifiedEntry::of_parts(key, header, self.header.to_vec(), None);
        if let Some(body) = self.body {
            entry.attach_body(body)?;
        }
        Ok(entry)
    }
}

/// That an entry verified: its id. Bytes with this id are that entry, signature and all, because the id is their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seal(EntryId);

impl Seal {
    /// The entry that verified.
    pub fn id(self) -> EntryId {
        self.0
    }
}

/// Shows the id only.
impl std::fmt::Debug for SignedEntry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedEntry({})", self.id())
    }
}

/// An entry whose header is signed by [`key`](Self::key), and whose body, if it has one, is the one that was signed.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    id: EntryId,
    log: LogId,
    key: PublicKey,
    header: Header,
    header_bytes: Vec<u8>,
    body_bytes: Option<Vec<u8>>,
}

impl VerifiedEntry {
    fn of_parts(key: PublicKey, header: Header, header_bytes: Vec<u8>, body_bytes: Option<Vec<u8>>) -> Self {
        let id = EntryId::of(&header_bytes);
        let log = LogId::derive(key.as_bytes(), header.scope, header.epoch);
        Self { id, log, key, header, header_bytes, body_bytes }
    }

    /// Adds a body that arrived after the header.
    ///
    /// # Errors
    /// `size-limit` or `body-hash`; the entry stays as it was.
    pub fn attach_body(&mut self, body: &[u8]) -> Result<(), Refused> {
        self.attach_body_under(body, Full)
    }

    fn attach_body_under<P: Policy>(&mut self, body: &[u8], policy: P) -> Result<(), Refused> {
        check_size(body, BODY_BYTES_MAX, policy, "body")?;
        policy.require(Body::hash(body) == self.header.body, Check::BodyHash, "body")?;
        self.body_bytes = Some(body.to_vec());
        Ok(())
    }

    /// Drops the body, to withhold or erase it; the header stays good.
    pub fn remove_body(&mut self) {
        self.body_bytes = None;
    }

    /// The entry's id.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// What lets the same bytes be opened again without judging the signature again.
    pub fn seal(&self) -> Seal {
        Seal(self.id)
    }

    /// The log it belongs to.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The key that signed it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What was signed.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The record it creates or is about.
    pub fn record(&self) -> RecordId {
        self.header.record().unwrap_or(self.id.as_record())
    }

    /// The Automerge actor of its log.
    pub fn actor(&self) -> Actor {
        Actor::derive(self.header.mission, self.key.as_bytes(), self.header.scope, self.header.epoch)
    }

    /// The header as it was signed, to store and forward.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header_bytes
    }

    /// The body as it was signed, to store and forward; `None` when it is withheld.
    pub fn body_bytes(&self) -> Option<&[u8]> {
        self.body_bytes.as_deref()
    }

    /// Decodes the body; `None` when it is withheld, or the entry is of a kind of a later version.
    ///
    /// # Errors
    /// An encoding code, `shape` or `size-limit`: the signer signed a malformed body, and the entry cannot be applied.
    pub fn body(&self) -> Result<Option<Body>, Refused> {
        self.body_under(Full)
    }

    /// [`body`](Self::body) under `policy`.
    ///
    /// # Errors
    /// As [`body`](Self::body).
    pub fn body_under<P: Policy>(&self, policy: P) -> Result<Option<Body>, Refused> {
        match &self.body_bytes {
            Some(bytes) => Body::decode_under(self.header.kind, bytes, policy),
            None => Ok(None),
        }
    }
}

/// Shows where the entry stands and nothing of what it says.
impl std::fmt::Debug for VerifiedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifiedEntry({}, log {}, seq {})", self.id, self.log, self.header.seq)
    }
}

fn check_size<P: Policy>(bytes: &[u8], bytes_max: usize, policy: P, what: &'static str) -> Result<(), Refused> {
    policy.require(bytes.len() <= bytes_max, Check::SizeLimit, what)
}

#[cfg(test)]
mod tests;
