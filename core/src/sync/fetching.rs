//! Blobs on their way from the peer: thumbnails, then previews, then originals (`spec/sync.md` §Photos).

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::chunks::{Bits, BlobFrame};
use super::close::Close;
use super::frame::{BlobClass, CHUNKS_MAX, Frame, Want, Wants};
use super::io::{BlobState, Commit, Request, WantedBlob};
use super::outbox::{Outbox, Pending};
use super::report::{BlobFailure, BlobProgress, Report};
use crate::entry::PHOTO_BYTES_MAX;
use crate::id::{BlobHash, ScopeId};
use crate::merkle::{self, CHUNK_BYTES, NodeHash};

/// Most blobs of a class outstanding: together the 64 that the spec allows, so that originals under way
/// leave room for thumbnails of a new entry.
fn outstanding_max(class: BlobClass) -> usize {
    match class {
        BlobClass::Thumbnail => 32,
        BlobClass::Preview | BlobClass::Original => 16,
    }
}

/// What this side lacks, class by class.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    pages: [Page; 3],
    /// Asked for, or about to be.
    wanted: BTreeMap<BlobHash, Incoming>,
    /// Not asked for again, for this class, while the peer says nothing new: a false description as a thumbnail must not
    /// keep an original from being asked for.
    failed: HashSet<(BlobHash, BlobClass)>,
    /// Not asked for, because too much was.
    left_out: HashSet<(BlobHash, BlobClass)>,
    /// Bytes that were asked for, and may still be asked for.
    bytes_asked: u64,
    bytes_uncommitted: usize,
    progress: [BlobProgress; 3],
}

/// Where the reading of one class stands.
#[derive(Debug, Default)]
struct Page {
    after: Option<BlobHash>,
    is_loading: bool,
    is_exhausted: bool,
    /// Read it again from the beginning after this page.
    is_stale: bool,
    /// Read and not asked for yet.
    queue: VecDeque<BlobHash>,
}

#[derive(Debug)]
struct Incoming {
    class: BlobClass,
    bytes: u64,
    root: NodeHash,
    have: Bits,
    /// Which of its descriptions is true is not known: the chunk hashes alone are asked for first.
    is_disputed: bool,
    /// The peer's chunk hashes, while it is being looked up whether an entry says their root.
    in_question: Option<Vec<NodeHash>>,
    /// The peer's chunk hashes; an entry says their root.
    hashes: Option<Vec<NodeHash>>,
    /// Received, durable or not.
    received: Bits,
    durable: usize,
}

impl Incoming {
    /// `None`: no file can be so long.
    fn of(class: BlobClass, wanted: WantedBlob) -> Option<Self> {
        let WantedBlob { hash: _, bytes, root, have, is_disputed } = wanted;
        if !(1..=PHOTO_BYTES_MAX).contains(&bytes) {
            return None;
        }
        let chunks = chunks_of(bytes);
        let have = Bits::of(&have, chunks);
        // All of it and yet not whole: begin again rather than wait for a chunk that never comes.
        let have = if have.count() == chunks { Bits::of(&[], chunks) } else { have };
        let (durable, received) = (have.count(), have.clone());
        Some(Self { class, bytes, root, have, is_disputed, in_question: None, hashes: None, received, durable })
    }

    fn chunks(&self) -> usize {
        chunks_of(self.bytes)
    }

    /// Bytes that the first want asks for.
    fn asked_for(&self) -> u64 {
        if self.is_disputed { 0 } else { self.lacking() }
    }

    /// Bytes that were lacking when it was asked for. The last chunk may be short: taken as a whole one, a little less is
    /// asked for than may be.
    fn lacking(&self) -> u64 {
        (((self.chunks() - self.have.count()) * CHUNK_BYTES) as u64).min(self.bytes)
    }

    fn is_described_by(&self, root: NodeHash, chunks: usize) -> bool {
        self.root == root && self.chunks() == chunks
    }

    /// All chunks but the last are full. How long that one is, its hash says, and the size that an entry names does not.
    fn may_have_length(&self, index: usize, length: usize) -> bool {
        length == CHUNK_BYTES || index + 1 == self.chunks()
    }

    /// What the want says is here.
    fn have_to_tell(&self) -> Vec<u8> {
        let asks_for_hashes_alone = self.is_disputed && self.hashes.is_none();
        if asks_for_hashes_alone { vec![0xff; CHUNKS_MAX / 8] } else { self.have.to_wire() }
    }
}

fn chunks_of(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(CHUNK_BYTES as u64)).unwrap_or(usize::MAX)
}

fn index_of(class: BlobClass) -> usize {
    match class {
        BlobClass::Thumbnail => 0,
        BlobClass::Preview => 1,
        BlobClass::Original => 2,
    }
}

impl Fetching {
    /// Asks for what is wanted of the first class of which anything is missing.
    pub(super) fn drive(&mut self, wants: Wants, scopes: &[ScopeId], out: &mut Outbox) {
        for class in BlobClass::ALL.into_iter().filter(|class| wants.blobs(*class)) {
            self.load(class, scopes, out);
            self.ask(class, out);
            if self.is_busy(class) {
                return;
            }
        }
    }

    /// A page of what this side lacks; of all of it together at most `bytes_max` are asked for.
    pub(super) fn on_wanted(&mut self, class: BlobClass, blobs: Vec<WantedBlob>, bytes_max: u64) {
        let page = &mut self.pages[index_of(class)];
        page.is_loading = false;
        page.is_exhausted = blobs.len() < outstanding_max(class);
        page.after = blobs.last().map(|blob| blob.hash).or(page.after);
        if std::mem::take(&mut page.is_stale) {
            (page.after, page.is_exhausted) = (None, false);
        }
        for wanted in blobs {
            let hash = wanted.hash;
            let is_known = self.failed.contains(&(hash, class)) || self.left_out.contains(&(hash, class));
            if is_known || self.wanted.contains_key(&hash) {
                continue;
            }
            let Some(blob) = Incoming::of(class, wanted) else { continue };
            if !self.may_ask(hash, &blob, blob.asked_for(), bytes_max) {
                continue;
            }
            self.wanted.insert(hash, blob);
            self.pages[index_of(class)].queue.push_back(hash);
            self.progress[index_of(class)].wanted += 1;
        }
    }

    /// Counts what is to be asked for of a blob, or leaves it out.
    fn may_ask(&mut self, hash: BlobHash, blob: &Incoming, bytes: u64, bytes_max: u64) -> bool {
        match self.bytes_asked.checked_add(bytes).filter(|asked| *asked <= bytes_max) {
            Some(asked) => self.bytes_asked = asked,
            None => {
                self.left_out.insert((hash, blob.class));
                self.progress[index_of(blob.class)].left_out += 1;
                return false;
            }
        }
        true
    }

    /// A frame of a blob. What was not asked for, or is not wanted any more, is dropped.
    pub(super) fn on_frame(&mut self, class: BlobClass, frame: BlobFrame, scopes: &[ScopeId], out: &mut Outbox) {
        match frame {
            BlobFrame::Hashes(hash, hashes) => self.on_hashes(class, hash, hashes, scopes, out),
            BlobFrame::Chunk { hash, index, bytes } => self.on_chunk(class, hash, index, bytes, out),
        }
    }

    fn on_hashes(
        &mut self,
        class: BlobClass,
        hash: BlobHash,
        hashes: Vec<NodeHash>,
        scopes: &[ScopeId],
        out: &mut Outbox,
    ) {
        let is_awaited =
            |blob: &&mut Incoming| blob.class == class && blob.hashes.is_none() && blob.in_question.is_none();
        let Some(blob) = self.wanted.get_mut(&hash).filter(is_awaited) else { return };
        let (root, chunks) = (merkle::root(&hashes), hashes.len());
        if !blob.is_disputed && blob.is_described_by(root, chunks) {
            return self.believe(hash, hashes, out);
        }
        blob.in_question = Some(hashes);
        let request = Request::Described { class, hash, root, chunks, scopes: scopes.to_vec() };
        out.load(request, Pending::Described(class, hash));
    }

    /// Whether an entry says what the peer's chunk hashes say.
    pub(super) fn on_described(
        &mut self,
        class: BlobClass,
        hash: BlobHash,
        described: Option<Box<WantedBlob>>,
        bytes_max: u64,
        out: &mut Outbox,
    ) {
        let Some(blob) = self.wanted.get_mut(&hash).filter(|blob| blob.class == class) else { return };
        let Some(hashes) = blob.in_question.take() else { return };
        let asked = blob.asked_for();
        let (root, chunks) = (merkle::root(&hashes), hashes.len());
        let found = described.and_then(|described| Incoming::of(class, *described));
        let Some(found) = found.filter(|found| found.is_described_by(root, chunks)) else {
            return self.fail(hash, BlobFailure::ChunkHashes, out);
        };
        self.bytes_asked = self.bytes_asked.saturating_sub(asked);
        if !self.may_ask(hash, &found, found.lacking(), bytes_max) {
            self.wanted.remove(&hash);
            self.progress[index_of(class)].wanted -= 1;
            return;
        }
        // What was asked for before was asked for by another description.
        self.wanted.insert(hash, Incoming { is_disputed: true, ..found });
        self.believe(hash, hashes, out);
    }

    /// The peer's chunk hashes are those of a description.
    fn believe(&mut self, hash: BlobHash, hashes: Vec<NodeHash>, out: &mut Outbox) {
        let Some(blob) = self.wanted.get_mut(&hash) else { return };
        blob.hashes = Some(hashes.clone());
        let (class, root) = (blob.class, blob.root);
        out.commit(Commit::ChunkHashes { hash, root, class, hashes }, Pending::CommitChunkHashes);
        if blob.is_disputed {
            out.say(&Frame::Want(vec![Want { hash, class, have: blob.have_to_tell() }]));
        }
    }

    fn on_chunk(&mut self, class: BlobClass, hash: BlobHash, index: u64, bytes: Vec<u8>, out: &mut Outbox) {
        let Some(blob) = self.wanted.get_mut(&hash).filter(|blob| blob.class == class) else { return };
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if blob.received.has(at) {
            return;
        }
        if blob.in_question.is_some() {
            // On its way before this side says which chunks it lacks.
            return;
        }
        let expected = blob.hashes.as_ref().and_then(|hashes| hashes.get(at));
        let is_sound = expected
            .is_some_and(|expected| blob.may_have_length(at, bytes.len()) && merkle::leaf_hash(&bytes) == *expected);
        if !is_sound {
            return self.fail(hash, BlobFailure::Chunk, out);
        }
        blob.received.set(at);
        self.bytes_uncommitted += bytes.len();
        let purpose = Pending::CommitChunk { hash, bytes: bytes.len() };
        out.commit(Commit::Chunk { hash, root: blob.root, index, bytes }, purpose);
    }

    /// A chunk is durable.
    pub(super) fn on_committed(&mut self, hash: BlobHash, bytes: usize, state: BlobState, out: &mut Outbox) {
        self.bytes_uncommitted = self.bytes_uncommitted.saturating_sub(bytes);
        let Some(blob) = self.wanted.get_mut(&hash) else { return };
        let progress = &mut self.progress[index_of(blob.class)];
        progress.bytes_received += bytes as u64;
        blob.durable += 1;
        match state {
            BlobState::Partial if blob.durable < blob.chunks() => {}
            BlobState::Whole => {
                progress.received += 1;
                progress.wanted -= 1;
                self.wanted.remove(&hash);
            }
            BlobState::Partial | BlobState::Damaged => self.fail(hash, BlobFailure::Whole, out),
        }
    }

    /// The peer does not hold it, or cannot read it.
    pub(super) fn on_absent(&mut self, hash: BlobHash, out: &mut Outbox) {
        self.fail(hash, BlobFailure::Absent, out);
    }

    /// Names what was asked for and does not come. Whether there was any.
    pub(super) fn give_up(&mut self, out: &mut Outbox) -> bool {
        let stuck: Vec<_> = self.wanted.keys().copied().collect();
        for hash in &stuck {
            self.fail(*hash, BlobFailure::Stuck, out);
        }
        !stuck.is_empty()
    }

    /// Other blobs may be wanted, or held by the peer, than before.
    pub(super) fn look_again(&mut self, is_peers_news: bool) {
        if is_peers_news {
            self.failed.clear();
        }
        for page in &mut self.pages {
            if page.is_loading {
                page.is_stale = true;
            } else {
                (page.after, page.is_exhausted) = (None, false);
            }
        }
    }

    /// Whether everything was asked for and came or did not.
    pub(super) fn is_idle(&self, wants: Wants) -> bool {
        BlobClass::ALL.into_iter().filter(|class| wants.blobs(*class)).all(|class| !self.is_busy(class))
    }

    /// Bytes of chunks that are not durable yet.
    pub(super) fn bytes_uncommitted(&self) -> usize {
        self.bytes_uncommitted
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(super) fn progress(&self) -> [BlobProgress; 3] {
        self.progress
    }

    fn is_busy(&self, class: BlobClass) -> bool {
        !self.pages[index_of(class)].is_exhausted || self.wanted.values().any(|blob| blob.class == class)
    }

    fn load(&mut self, class: BlobClass, scopes: &[ScopeId], out: &mut Outbox) {
        let outstanding = self.outstanding(class);
        let page = &mut self.pages[index_of(class)];
        let is_enough = !page.queue.is_empty() || outstanding >= outstanding_max(class);
        if page.is_loading || page.is_exhausted || is_enough {
            return;
        }
        page.is_loading = true;
        // No more than is asked for at once: what another conversation of this side could bring is left to it until then.
        let blobs_max = outstanding_max(class);
        let request = Request::Wanted { class, scopes: scopes.to_vec(), after: page.after, blobs_max };
        out.load(request, Pending::Wanted(class));
    }

    /// Blobs that were asked for and are not here.
    fn outstanding(&self, class: BlobClass) -> usize {
        let wanted = self.wanted.values().filter(|blob| blob.class == class).count();
        wanted - self.pages[index_of(class)].queue.len()
    }

    /// Asks for queued blobs while fewer than may be are outstanding.
    fn ask(&mut self, class: BlobClass, out: &mut Outbox) {
        let asked = self.outstanding(class);
        let queue = &mut self.pages[index_of(class)].queue;
        let mut wants = Vec::new();
        while asked + wants.len() < outstanding_max(class)
            && let Some(hash) = queue.pop_front()
        {
            if let Some(blob) = self.wanted.get(&hash) {
                wants.push(Want { hash, class, have: blob.have_to_tell() });
            }
        }
        if !wants.is_empty() {
            out.say(&Frame::Want(wants));
        }
    }

    fn fail(&mut self, hash: BlobHash, failure: BlobFailure, out: &mut Outbox) {
        let Some(Incoming { class, .. }) = self.wanted.remove(&hash) else { return };
        self.pages[index_of(class)].queue.retain(|queued| *queued != hash);
        self.failed.insert((hash, class));
        let progress = &mut self.progress[index_of(class)];
        progress.wanted -= 1;
        progress.failed += 1;
        out.report(Report::BlobFailed { hash, class, failure });
    }
}

/// Counts what was sent, for [`Serving`](super::serving::Serving).
pub(super) fn count_sent(progress: &mut [BlobProgress; 3], class: BlobClass, bytes: u64, is_whole: bool) {
    let progress = &mut progress[index_of(class)];
    progress.bytes_sent += bytes;
    progress.sent += u64::from(is_whole);
}

/// A frame of a blob that does not decode is malformed.
pub(super) fn decode(frame: &[u8]) -> Result<BlobFrame, Close> {
    Ok(BlobFrame::decode(frame)?)
}
