//! What a conversation wants to read, from the store and the roster.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::{BlobHash, EntryId, LogId, ScopeId, StatementId};
use merestone_core::merkle::NodeHash;
use merestone_core::roster::Class;
use merestone_core::sync::frame::{BlobClass, StatementClass, Wants};
use merestone_core::sync::{
    Census, CutKey, HeldAt, Loaded, LocalState, Part, Request, Span, StoredEntry, WantedBlob, named_logs,
};
use merestone_link::PeerKey;
use merestone_store::{BlobClaim, BlobError, HeldPart, LogTip, MissingBlob, ReadError, Store};

use super::Shared;
use super::agreed::Agreed;
use super::answer::{local_tip, stored_blob_class};
use super::arrivals::whole;
use super::chain::{MainBranch, for_each_link};
use super::chunks::Outgoing;
use super::hub::Member;

/// The reading side of one conversation.
pub(super) struct Reading {
    shared: Arc<Shared>,
    member: Member,
    outgoing: Outgoing,
    wanted: Wanted,
    /// Whether what is read of missing photos is also asked for, all of it.
    asks_for_all: bool,
    /// Photos that the peer did not bring: what it does not ask for must not be kept from others.
    given_up: Mutex<HashSet<BlobHash>>,
}

/// Blobs that this conversation asked for, as the entries that name them describe them.
#[derive(Clone, Default)]
pub(super) struct Wanted(Arc<Mutex<HashMap<FileKey, WantedFile>>>);

/// A file under one of the chunk roots that entries give it.
pub(super) type FileKey = (BlobHash, NodeHash);

/// One of them, and which of its chunks were held when it was asked for.
#[derive(Clone, Debug)]
pub(super) struct WantedFile {
    pub(super) claim: BlobClaim,
    pub(super) have: Vec<u8>,
}

impl Wanted {
    /// No description of a file is asked for any more.
    pub(super) fn forget(&self, hash: BlobHash) {
        self.files().retain(|(of, _), _| *of != hash);
    }

    pub(super) fn files(&self) -> MutexGuard<'_, HashMap<FileKey, WantedFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// `asks_for_all`: no photo is left out for its size.
    pub(super) fn new(shared: Arc<Shared>, member: Member, asks_for_all: bool) -> Self {
        let (outgoing, wanted, given_up) = (Outgoing::default(), Wanted::default(), Mutex::default());
        Self { shared, member, outgoing, wanted, asks_for_all, given_up }
    }

    /// The peer did not bring it; whether other conversations may ask for it now.
    pub(super) fn give_back(&self, hash: BlobHash) -> bool {
        whole(&self.given_up).insert(hash);
        self.shared.arrivals.give_back(self.member, hash)
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// What is held when a conversation begins.
    pub(super) fn local_state(&self, peer: PeerKey, scopes: &[ScopeId], wants: Wants) -> Result<LocalState, ReadError> {
        // Before the logs: what is agreed meanwhile, by another conversation with this peer, is of a later state of them.
        let agreed = Agreed::with(self.store(), peer);
        let all: Vec<LogTip> = self.store().each_tip(None).collect::<Result<_, _>>()?;
        let agreement = agreed.map(|agreed| agreed.since(&all, scopes));
        let held = all.iter().filter(|tip| scopes.contains(&tip.scope));
        let tips = named_logs(held.filter_map(|tip| Some((tip.key, local_tip(tip)?))));
        let classes: Vec<_> = BlobClass::ALL.into_iter().filter(|class| wants.blobs(*class)).collect();
        let blobs = Some(self.count(scopes, &classes)?);
        let roster = self.shared.authority.roster();
        let digests = Class::ALL.into_iter().filter_map(|class| Some((class, roster.digest(class)?)));
        Ok(LocalState { statements: digests.collect(), tips, cuts: CutKey::all(&roster), blobs, agreement })
    }

    /// Answers one request. Blocks on the disk. `None`: all that is asked for comes by other conversations already,
    /// and the asker is patient.
    pub(super) fn load(&self, request: Request, is_patient: bool) -> Option<Result<Loaded, BlobError>> {
        Some(match request {
            Request::StatementIds(class) => Ok(self.statement_ids(class)),
            Request::Statements { class, ids, bytes_max } => Ok(self.statements(class, &ids, bytes_max)),
            Request::Enrolment { transport } => Ok(self.enrolment(&transport)),
            Request::Ids(asked) => self.ids(&asked).map_err(BlobError::from),
            Request::Branches { log, from, positions_max } => {
                self.branches(log, from, positions_max).map_err(BlobError::from)
            }
            Request::Entries { spans, entries_max, bytes_max } => {
                self.entries(spans, entries_max, bytes_max).map_err(BlobError::from)
            }
            Request::MissingBodies { scopes, after, positions_max } => {
                let places = self.store().missing_bodies_in(&scopes, after, positions_max);
                places.map(Loaded::MissingBodies).map_err(BlobError::from)
            }
            Request::Wanted { class, scopes, after, blobs_max } => {
                match self.missing(class, &scopes, after, blobs_max, is_patient) {
                    Ok(None) => return None,
                    Ok(Some(loaded)) => Ok(loaded),
                    Err(error) => Err(error),
                }
            }
            Request::Described { class, hash, root, chunks, scopes } => self
                .described(class, hash, root, chunks as u64, &scopes)
                .map(|found| Loaded::Described(found.map(Box::new))),
            Request::ChunkHashes { hash, scopes } => {
                self.outgoing.hashes(self.store(), hash, &scopes).map(Loaded::ChunkHashes)
            }
            Request::Chunk { hash, index } => self.outgoing.chunk(self.store(), hash, index).map(Loaded::Chunk),
            Request::Census { scopes, classes } => self.census(&scopes, &classes).map_err(BlobError::from),
        })
    }

    fn store(&self) -> &Store {
        &self.shared.store
    }

    fn statement_ids(&self, class: StatementClass) -> Loaded {
        Loaded::StatementIds(self.shared.authority.roster().ids(class))
    }

    fn statements(&self, class: StatementClass, ids: &[StatementId], bytes_max: usize) -> Loaded {
        let roster = self.shared.authority.roster();
        let (mut found, mut bytes) = (Vec::new(), 0);
        for id in ids {
            let statement = roster.kept_bytes(class, *id);
            bytes += statement.map_or(0, <[u8]>::len);
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(statement.map(<[u8]>::to_vec));
        }
        Loaded::Statements(found)
    }

    fn enrolment(&self, transport: &[u8; 32]) -> Loaded {
        let roster = self.shared.authority.roster();
        let of_peer = roster.certificates().filter(|held| held.request().transport() == transport);
        Loaded::Enrolment {
            certificates: of_peer.map(|held| held.as_bytes().to_vec()).collect(),
            charter: Some(roster.charter().as_bytes().to_vec()),
        }
    }

    fn ids(&self, asked: &[(LogId, Vec<u64>)]) -> Result<Loaded, ReadError> {
        let mut answers = Vec::with_capacity(asked.len());
        for (log, seqs) in asked {
            let main = MainBranch::of(self.store(), *log)?;
            let held = self.store().ids_at(*log, seqs)?;
            let at = |(seq, all): (u64, Vec<EntryId>)| HeldAt { main: main.among(seq, &all), all };
            answers.push(held.into_iter().map(at).collect());
        }
        Ok(Loaded::Ids(answers))
    }

    fn branches(&self, log: LogId, from: u64, positions_max: usize) -> Result<Loaded, ReadError> {
        let main = MainBranch::of(self.store(), log)?;
        let (mut entries, mut next) = (Vec::<(u64, EntryId)>::new(), None);
        for_each_link(self.store(), log, from.max(main.first_beside()), |link| {
            if next.is_some() || main.holds(link.seq, link.id) {
                return;
            }
            let is_same_position = entries.last().is_some_and(|(seq, _)| *seq == link.seq);
            if entries.len() >= positions_max.max(1) && !is_same_position {
                next = Some(link.seq);
            } else {
                entries.push((link.seq, link.id));
            }
        })?;
        Ok(Loaded::Branches { entries, next })
    }

    fn entries(&self, spans: Vec<Span>, entries_max: usize, bytes_max: usize) -> Result<Loaded, ReadError> {
        let mut page = Page { entries: Vec::new(), entries_max, bytes: 0, bytes_max };
        let mut spans = spans.into_iter();
        let mut rest = Vec::new();
        for span in spans.by_ref() {
            if let Some(left) = page.read(self.store(), span)? {
                rest.push(left);
                break;
            }
            if page.is_full() {
                break;
            }
        }
        rest.extend(spans);
        Ok(Loaded::Entries { entries: page.entries, rest })
    }

    fn missing(
        &self,
        class: BlobClass,
        scopes: &[ScopeId],
        after: Option<BlobHash>,
        blobs_max: usize,
        is_patient: bool,
    ) -> Result<Option<Loaded>, BlobError> {
        let (mut found, mut after, mut comes) = (Vec::<WantedBlob>::new(), after, false);
        while found.len() < blobs_max {
            let room = blobs_max - found.len();
            let page = self.store().missing_blobs_in(scopes, stored_blob_class(class), after, room)?;
            let is_last = page.len() < room;
            for MissingBlob { claim, class: _, have: _, is_disputed } in page {
                after = Some(claim.hash);
                // What another conversation receives of a disputed file may be the false one.
                if is_patient && !is_disputed && !self.may_ask(claim.hash) {
                    comes = true;
                    continue;
                }
                match self.want(claim, is_disputed)? {
                    Some(blob) => found.push(blob),
                    // What lay on the disk was all of it.
                    None => self.shared.arrivals.end_all(claim.hash),
                }
            }
            if is_last {
                break;
            }
        }
        Ok(if comes && found.is_empty() { None } else { Some(Loaded::Wanted(found)) })
    }

    /// Whether no other conversation brings it. From then on this one does, if it asks for whatever it reads of.
    fn may_ask(&self, hash: BlobHash) -> bool {
        let arrivals = &self.shared.arrivals;
        if self.asks_for_all && !whole(&self.given_up).contains(&hash) {
            arrivals.claim(hash, self.member)
        } else {
            arrivals.is_free(hash, self.member)
        }
    }

    /// The description whose chunk root the peer's file has; `None` if there is none, or it turned out false.
    fn described(
        &self,
        class: BlobClass,
        hash: BlobHash,
        root: NodeHash,
        chunks: u64,
        scopes: &[ScopeId],
    ) -> Result<Option<WantedBlob>, BlobError> {
        let claim = self.store().described(scopes, stored_blob_class(class), hash, root, chunks)?;
        match claim.filter(|claim| !self.shared.doubts.is_false(claim)) {
            Some(claim) => {
                self.wanted.files().remove(&(hash, root));
                self.want(claim, true)
            }
            None => Ok(None),
        }
    }

    /// What is to be asked for of a file; `None` if it is held by now.
    fn want(&self, claim: BlobClaim, is_disputed: bool) -> Result<Option<WantedBlob>, BlobError> {
        let have = match self.shared.arrivals.blob(&claim) {
            Some(blob) => whole(&blob).have().to_vec(),
            None => match self.store().held_part(&claim)? {
                HeldPart::Whole => return Ok(None),
                HeldPart::Chunks(have) => have,
            },
        };
        let (file, key) = (WantedFile { claim, have: have.clone() }, (claim.hash, claim.chunks));
        if is_disputed {
            // Which size was found to fit the peer's chunk hashes, another reading of what is missing must not change.
            self.wanted.files().entry(key).or_insert(file);
        } else {
            self.wanted.files().insert(key, file);
        }
        Ok(Some(WantedBlob { hash: claim.hash, bytes: claim.bytes, root: claim.chunks, have, is_disputed }))
    }

    fn census(&self, scopes: &[ScopeId], classes: &[BlobClass]) -> Result<Loaded, ReadError> {
        self.count(scopes, classes).map(Loaded::Census)
    }

    fn count(&self, scopes: &[ScopeId], classes: &[BlobClass]) -> Result<Census, ReadError> {
        let classes: Vec<_> = classes.iter().map(|class| stored_blob_class(*class)).collect();
        // Planted: as many photos are the same photos, and nothing is missing then.
        #[cfg(planted)]
        if merestone_core::planted::is("count-blobs") {
            let mut digest = [0; 32];
            digest[..8]
                .copy_from_slice(&(self.store().blob_census(scopes, &classes)?.whole.len() as u64).to_be_bytes());
            return Ok(Census { digest, missing: 0 });
        }
        let blobs = self.shared.counted.census(self.store(), scopes, &classes)?;
        Ok(Census { missing: blobs.missing + self.missing_bodies(scopes)?, ..blobs })
    }

    /// Bodies that rotted: their entries are held, so tips say nothing of them.
    fn missing_bodies(&self, scopes: &[ScopeId]) -> Result<u64, ReadError> {
        let mut missing = 0;
        for (log, count) in self.store().missing_body_counts()? {
            let is_shared = self.store().tip(log)?.is_some_and(|tip| scopes.contains(&tip.scope));
            missing += if is_shared { count } else { 0 };
        }
        Ok(missing)
    }
}

/// Entries read for one request.
struct Page {
    entries: Vec<StoredEntry>,
    entries_max: usize,
    bytes: usize,
    bytes_max: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.entries_max || self.bytes >= self.bytes_max
    }

    /// Reads a span until the page is full; what remains of it then.
    fn read(&mut self, store: &Store, span: Span) -> Result<Option<Span>, ReadError> {
        let Span { log, mut from, until, part } = span;
        let main = MainBranch::of(store, log)?;
        let until = if part == Part::Main { until.min(main.height()) } else { until };
        if part == Part::Branches {
            from = from.max(main.first_beside());
        }
        while from < until {
            let asked = usize::try_from(until - from).unwrap_or(usize::MAX).min(self.entries_max - self.entries.len());
            let found = store.log_entries(log, from, asked)?;
            let Some(last) = found.last() else { return Ok(None) };
            let end = last.seq + 1;
            for entry in found {
                if entry.seq >= until {
                    return Ok(None);
                }
                if entry.seq > from && self.is_full() {
                    return Ok(Some(Span { log, from: entry.seq, until: span.until, part }));
                }
                from = entry.seq;
                let is_main = main.holds(entry.seq, entry.id);
                let is_asked = match part {
                    Part::Main => is_main,
                    Part::Branches => !is_main,
                    Part::Both => true,
                };
                if is_asked {
                    let body = match entry.body {
                        merestone_store::StoredBody::Held(bytes) => Some(bytes),
                        merestone_store::StoredBody::Missing | merestone_store::StoredBody::Erased => None,
                    };
                    self.bytes += entry.header.len() + body.as_ref().map_or(0, Vec::len);
                    self.entries.push(StoredEntry { log, seq: entry.seq, header: entry.header, body });
                }
            }
            from = end;
            if self.is_full() && from < until {
                return Ok(Some(Span { log, from, until: span.until, part }));
            }
        }
        Ok(None)
    }
}
