//! What a conversation makes durable: statements, entries and chunks, in the order in which it asked.
//!
//! One thread for each conversation. It prepares batches and queues them with the store's writer, which commits many with
//! one flush; only statements and chunks wait for their flush here.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use merestone_core::check::{Check, Refused};
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{BlobHash, LogId, RecordId};
use merestone_core::roster::Class;
use merestone_core::sync::frame::StatementClass;
use merestone_core::sync::{Admission, BlobState, Commit, Committed, Input, LocalChange, Token};
use merestone_store::{Batch, BlobError, Chunk, CommitError, ReadError};
use tokio::sync::mpsc::UnboundedSender;

use super::hub::Member;
use super::photos::named_by;
use super::reading::{Wanted, WantedFile};
use super::{Shared, cut_keys};
use crate::device::AccessError;

/// Chunks written with one flush: all that a conversation may have on its way to the disk.
const CHUNKS_MAX: usize = 64;

/// One thing to make durable.
pub(super) enum Job {
    Admit { token: Token, class: StatementClass, statements: Vec<Vec<u8>> },
    Commit { token: Token, commit: Commit },
}

/// What came of it.
pub(super) enum Done {
    /// An answer for the conversation.
    Answer(Input),
    /// Entries are durable or refused; what follows from them is not drawn yet.
    Entries(StoredEntries),
    /// The store refused, for this reason; the answer follows.
    Storage(AccessError),
}

/// A batch of entries that the store's writer has answered.
pub(super) struct StoredEntries {
    pub(super) token: Token,
    pub(super) result: Result<merestone_store::Committed, CommitError>,
    /// All logs of the batch.
    pub(super) logs: BTreeSet<LogId>,
    /// All its records.
    pub(super) records: BTreeSet<RecordId>,
    pub(super) names_blobs: bool,
}

/// The writing side of one conversation.
pub(super) struct Writing {
    pub(super) shared: Arc<Shared>,
    pub(super) member: Member,
    pub(super) wanted: Wanted,
    pub(super) done: UnboundedSender<Done>,
}

/// How long entries wait for the certificate of their key. A peer passes on what it gets while connected, statements and
/// entries on streams of their own, so entries may overtake; statements are more urgent, and a link that takes longer
/// for them than this is lost anyway.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often they are looked at while they wait: a certificate may come by another conversation.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Entries of a key that no certificate names yet.
struct EarlyEntries {
    token: Token,
    entries: Vec<VerifiedEntry>,
    /// The version of the roster that did not know the key.
    seen: u64,
    since: Instant,
}

/// One chunk and what its answer belongs to.
struct WaitingChunk {
    token: Token,
    index: u64,
    bytes: Vec<u8>,
}

impl Writing {
    /// Works until the conversation is over.
    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let (mut next, mut early) = (None, VecDeque::new());
        loop {
            let wait = if early.is_empty() { Duration::MAX } else { LOOK_AGAIN };
            match next.take().map_or_else(|| jobs.recv_timeout(wait), Ok) {
                Ok(job) => next = self.work(job, &mut early, jobs),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look_again(&mut early);
        }
    }

    /// Does one job; the job that was taken up with it and is something else is given back.
    fn work(&self, job: Job, early: &mut VecDeque<EarlyEntries>, jobs: &Receiver<Job>) -> Option<Job> {
        match job {
            Job::Admit { token, class, statements } => self.admit(token, class, &statements),
            Job::Commit { token, commit: Commit::Entries(entries) } => {
                if self.unknown_key(&entries).is_some() {
                    let (seen, since) = (self.shared.authority.version(), Instant::now());
                    early.push_back(EarlyEntries { token, entries, seen, since });
                } else {
                    self.entries(token, entries);
                }
            }
            // They come again with the next conversation; what they are worth is known from the signed root.
            Job::Commit { token, commit: Commit::ChunkHashes { .. } } => self.answer(token, Committed::ChunkHashes),
            Job::Commit { token, commit: Commit::Chunk { hash, index, bytes } } => {
                let mut chunks = vec![WaitingChunk { token, index, bytes }];
                let other = gather(hash, &mut chunks, jobs);
                self.chunks(hash, &chunks);
                return other;
            }
        }
        None
    }

    /// Stores entries whose certificate has come since, and refuses those that waited long enough.
    fn look_again(&self, early: &mut VecDeque<EarlyEntries>) {
        let version = self.shared.authority.version();
        for _ in 0..early.len() {
            let Some(mut waiting) = early.pop_front() else { return };
            let is_over = waiting.since.elapsed() >= PATIENCE;
            if waiting.seen == version && !is_over {
                early.push_back(waiting);
                continue;
            }
            waiting.seen = version;
            match self.unknown_key(&waiting.entries) {
                None => self.entries(waiting.token, waiting.entries),
                Some(refused) if is_over => self.answer(waiting.token, Committed::EntriesRefused(refused)),
                Some(_) => early.push_back(waiting),
            }
        }
    }

    fn admit(&self, token: Token, class: StatementClass, statements: &[Vec<u8>]) {
        let admission = match self.shared.take_up(class, statements, Some(self.member)) {
            Ok(received) => {
                let is_cut = class == Class::Cut;
                let cuts = if is_cut { cut_keys(&self.shared.authority.roster(), &received.new) } else { Vec::new() };
                Some(Admission { refused: received.refused, cuts })
            }
            Err(error) => {
                self.tell(Done::Storage(error.into()));
                None
            }
        };
        self.tell(Done::Answer(Input::Admitted { token, admission }));
    }

    fn entries(&self, token: Token, entries: Vec<VerifiedEntry>) {
        let (mut logs, mut records) = (BTreeSet::new(), BTreeSet::new());
        let mut names_blobs = false;
        let mut batch = Batch::new();
        batch.refetchable();
        if let Err(error) = self.warn_of_own(&entries) {
            self.tell(Done::Storage(error.into()));
            return self.answer(token, Committed::Failed);
        }
        for entry in entries {
            logs.insert(entry.log());
            records.insert(entry.record());
            for (claim, class) in named_by(&entry) {
                names_blobs = true;
                batch.blob_name(entry.id(), claim, class);
            }
            batch.entry(entry);
        }
        let done = self.done.clone();
        let queued = self.shared.store.commit_then(batch, move |result| {
            // Nobody waits for it any more when the conversation is over; the entries are durable all the same.
            let _ = done.send(Done::Entries(StoredEntries { token, result, logs, records, names_blobs }));
        });
        if let Err(error) = queued {
            self.tell(Done::Storage(error.into()));
            self.answer(token, Committed::Failed);
        }
    }

    /// The refusal of an entry whose key no certificate names.
    fn unknown_key(&self, entries: &[VerifiedEntry]) -> Option<Refused> {
        let roster = self.shared.authority.roster();
        let mut known = None;
        for entry in entries {
            let key = entry.key().as_bytes();
            if known != Some(key) && roster.certificates_of(key).next().is_none() {
                return Some(Refused { check: Check::KeyNotInRoster, what: "key" });
            }
            known = Some(key);
        }
        None
    }

    /// Tells the owner, before they are stored, of entries in its own logs that it does not hold.
    fn warn_of_own(&self, entries: &[VerifiedEntry]) -> Result<(), ReadError> {
        let Some(owner) = &self.shared.owner else { return Ok(()) };
        let mut told = BTreeSet::new();
        for entry in entries {
            if told.contains(&entry.log()) || !owner.signs_with(entry.key().as_bytes()) {
                continue;
            }
            let top = self.shared.store.tip(entry.log())?.map_or(0, |tip| tip.top);
            if entry.header().seq >= top {
                owner.peer_knows_more(entry.log());
                told.insert(entry.log());
            }
        }
        Ok(())
    }

    fn chunks(&self, hash: BlobHash, chunks: &[WaitingChunk]) {
        let file = self.wanted.files().get(&hash).cloned();
        let written = match file {
            Some(file) => self.write(&file, chunks),
            // It became whole while the list was read that asked for it again.
            None => self
                .shared
                .store
                .is_blob_whole(hash)
                .map_err(BlobError::from)
                .map(|is_whole| if is_whole { BlobState::Whole } else { BlobState::Damaged }),
        };
        let states = match written {
            Ok(state) => state,
            Err(error) => {
                self.tell(Done::Storage(error.into()));
                return chunks.iter().for_each(|chunk| self.answer(chunk.token, Committed::Failed));
            }
        };
        let (last, before) = (chunks.len() - 1, &chunks[..chunks.len() - 1]);
        before.iter().for_each(|chunk| self.answer(chunk.token, Committed::Chunk(BlobState::Partial)));
        self.answer(chunks[last].token, Committed::Chunk(states));
        if states != BlobState::Partial
            && let Some(file) = self.wanted.files().remove(&hash)
            && states == BlobState::Damaged
        {
            // Perhaps another entry describes it rightly; its description is tried when it is asked for again.
            self.shared.false_claims().insert(file.claim);
        }
        if states == BlobState::Whole {
            let change = LocalChange { blobs: true, ..LocalChange::default() };
            self.shared.hub.publish(Some(self.member), &change);
        }
    }

    /// Writes chunks of one blob, and finishes it with the last one.
    fn write(&self, file: &WantedFile, chunks: &[WaitingChunk]) -> Result<BlobState, BlobError> {
        let hash = file.claim.hash;
        let index = |chunk: &WaitingChunk| u32::try_from(chunk.index).unwrap_or(u32::MAX);
        let borrowed: Vec<_> = chunks.iter().map(|chunk| Chunk { index: index(chunk), bytes: &chunk.bytes }).collect();
        match self.shared.store.write_chunks(&file.claim, &borrowed) {
            Ok(()) => {}
            // It was erased meanwhile.
            Err(BlobError::NotWanted { hash: _ }) => return Ok(BlobState::Damaged),
            Err(error) => return Err(error),
        }
        let is_all = match self.wanted.files().get_mut(&hash) {
            Some(file) => {
                chunks.iter().for_each(|chunk| file.mark(chunk.index));
                file.is_all()
            }
            None => false,
        };
        if !is_all {
            return Ok(BlobState::Partial);
        }
        match self.shared.store.finish_blob(&file.claim) {
            Ok(_) => Ok(BlobState::Whole),
            Err(BlobError::Incomplete { hash: _ }) => Ok(BlobState::Partial),
            Err(BlobError::Mismatch { hash: _ } | BlobError::NotWanted { hash: _ }) => Ok(BlobState::Damaged),
            Err(error) => Err(error),
        }
    }

    fn answer(&self, token: Token, committed: Committed) {
        self.tell(Done::Answer(Input::Committed { token, committed }));
    }

    fn tell(&self, done: Done) {
        // A conversation that is over waits for nothing.
        let _ = self.done.send(done);
    }
}

/// Takes further chunks of the same blob that wait already; the first job that is something else is given back.
fn gather(hash: BlobHash, chunks: &mut Vec<WaitingChunk>, jobs: &Receiver<Job>) -> Option<Job> {
    while chunks.len() < CHUNKS_MAX {
        match jobs.try_recv() {
            Ok(Job::Commit { token, commit: Commit::Chunk { hash: of, index, bytes } }) if of == hash => {
                chunks.push(WaitingChunk { token, index, bytes });
            }
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}

impl WantedFile {
    fn chunk_count(&self) -> usize {
        usize::try_from(self.claim.bytes.div_ceil(merestone_core::merkle::CHUNK_BYTES as u64)).unwrap_or(usize::MAX)
    }

    fn mark(&mut self, index: u64) {
        let bytes = self.chunk_count().div_ceil(8);
        self.have.resize(bytes, 0);
        if let Some(byte) = usize::try_from(index / 8).ok().and_then(|at| self.have.get_mut(at)) {
            *byte |= 0x80 >> (index % 8);
        }
    }

    fn is_all(&self) -> bool {
        let held: usize = self.have.iter().map(|byte| byte.count_ones() as usize).sum();
        held == self.chunk_count()
    }
}
