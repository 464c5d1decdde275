//! Blobs on their way to the peer: one after the other in each class, a few chunks ahead of the link (`spec/sync.md` §Photos).

use std::collections::{BTreeMap, VecDeque};

use super::chunks::{Bits, BlobFrame};
use super::close::Close;
use super::frame::{BlobClass, Frame, WANTS_MAX, Want};
use super::io::Request;
use super::outbox::{Outbox, Pending};
use super::report::BlobProgress;
use crate::id::{BlobHash, ScopeId};
use crate::merkle::{CHUNK_BYTES, NodeHash};

/// Chunks read ahead of the link, in each class: 1 MiB hides the ways between threads, and a read of the disk that
/// finds another one before it.
const AHEAD_MAX: usize = 16;

/// What the peer asked for and did not get yet.
#[derive(Debug, Default)]
pub(super) struct Serving {
    classes: BTreeMap<BlobClass, Class>,
    sent: [BlobProgress; 3],
}

#[derive(Debug, Default)]
struct Class {
    queue: VecDeque<Want>,
    current: Option<Outgoing>,
    /// The one after it: its chunk hashes are worked out while chunks of the current one are sent.
    next: Option<Outgoing>,
    frames: VecDeque<Prepared>,
    /// Chunks of the current one being read.
    loading: usize,
}

#[derive(Debug)]
struct Outgoing {
    hash: BlobHash,
    have: Vec<u8>,
    hashes: Hashes,
    /// Chunks left to read.
    left: VecDeque<u64>,
}

/// The chunk hashes of a blob on its way.
#[derive(Debug)]
enum Hashes {
    Loading,
    Loaded(Vec<NodeHash>),
    /// They were put into a frame.
    Told,
}

#[derive(Debug)]
struct Prepared {
    frame: Vec<u8>,
    bytes: u64,
    is_last: bool,
}

impl Serving {
    pub(super) fn on_want(&mut self, wants: Vec<Want>) -> Result<(), Close> {
        for want in wants {
            let class = self.classes.entry(want.class).or_default();
            if class.queue.iter().any(|queued| queued.hash == want.hash) {
                return Err(Close::malformed("wanted twice"));
            }
            class.queue.push_back(want);
        }
        let waiting: usize = self.classes.values().map(|class| class.queue.len()).sum();
        if waiting <= WANTS_MAX { Ok(()) } else { Err(Close::limit("wanted blobs")) }
    }

    /// Refuses everything: the peer's key is cut.
    pub(super) fn refuse(&mut self, wants: Vec<Want>, out: &mut Outbox) {
        wants.into_iter().for_each(|want| out.say(&Frame::Absent(want.hash)));
    }

    /// Stops sending.
    pub(super) fn restrict(&mut self) {
        self.classes.clear();
    }

    /// Reads ahead where there is room.
    pub(super) fn drive(&mut self, scopes: &[ScopeId], out: &mut Outbox) {
        for (id, class) in &mut self.classes {
            class.drive(*id, scopes, out);
        }
    }

    pub(super) fn on_hashes(
        &mut self,
        class: BlobClass,
        hash: BlobHash,
        hashes: Option<Vec<NodeHash>>,
        out: &mut Outbox,
    ) {
        let Some(state) = self.classes.get_mut(&class) else { return };
        let both = [&mut state.current, &mut state.next];
        let asked = both.into_iter().find(|one| one.as_ref().is_some_and(|one| one.hash == hash && one.is_loading()));
        let Some(asked) = asked else { return };
        match (hashes, asked) {
            (Some(hashes), Some(asked)) => asked.hashes = Hashes::Loaded(hashes),
            (_, absent) => {
                *absent = None;
                out.say(&Frame::Absent(hash));
            }
        }
    }

    pub(super) fn on_chunk(
        &mut self,
        class: BlobClass,
        hash: BlobHash,
        index: u64,
        bytes: Option<Vec<u8>>,
        out: &mut Outbox,
    ) {
        let Some(state) = self.classes.get_mut(&class) else { return };
        state.loading = state.loading.saturating_sub(1);
        let Some(current) = state.current.as_mut().filter(|current| current.hash == hash) else { return };
        let Some(bytes) = bytes.filter(|bytes| (1..=CHUNK_BYTES).contains(&bytes.len())) else {
            state.current = None;
            out.say(&Frame::Absent(hash));
            return;
        };
        let is_last = state.loading == 0 && current.left.is_empty();
        let length = bytes.len() as u64;
        let frame = BlobFrame::Chunk { hash, index, bytes }.encode();
        state.frames.push_back(Prepared { frame, bytes: length, is_last });
    }

    pub(super) fn next_frame(&mut self, class: BlobClass) -> Option<Vec<u8>> {
        let Prepared { frame, bytes, is_last } = self.classes.get_mut(&class)?.frames.pop_front()?;
        super::fetching::count_sent(&mut self.sent, class, bytes, is_last);
        Some(frame)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.classes.values().all(|class| class.is_idle())
    }

    /// What was handed to the link, by class; only the fields about sending are set.
    pub(super) fn sent(&self) -> [BlobProgress; 3] {
        self.sent
    }
}

impl Class {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.current.is_none() && self.next.is_none() && self.frames.is_empty()
    }

    fn drive(&mut self, class: BlobClass, scopes: &[ScopeId], out: &mut Outbox) {
        if self.loading == 0 && self.current.as_ref().is_some_and(Outgoing::is_over) {
            self.current = None;
        }
        if self.current.is_none() && self.loading == 0 {
            self.current = self.next.take();
        }
        // The chunks that are being read are of what was current before.
        let is_free = self.current.is_none() && self.loading == 0;
        let asked = [is_free.then_some(&mut self.current), Some(&mut self.next)];
        for place in asked.into_iter().flatten().filter(|place| place.is_none()) {
            let Some(Want { hash, class: _, have }) = self.queue.pop_front() else { break };
            *place = Some(Outgoing { hash, have, hashes: Hashes::Loading, left: VecDeque::new() });
            out.load(Request::ChunkHashes { hash, scopes: scopes.to_vec() }, Pending::ChunkHashes(class, hash));
        }
        let Some(current) = &mut self.current else { return };
        if self.frames.len() < AHEAD_MAX {
            self.frames.extend(current.tell_hashes());
        }
        while self.frames.len() + self.loading < AHEAD_MAX
            && let Some(index) = current.left.pop_front()
        {
            self.loading += 1;
            let hash = current.hash;
            out.load(Request::Chunk { hash, index }, Pending::Chunk(class, hash, index));
        }
    }
}

impl Outgoing {
    fn is_loading(&self) -> bool {
        matches!(self.hashes, Hashes::Loading)
    }

    /// Whether everything of it was read.
    fn is_over(&self) -> bool {
        matches!(self.hashes, Hashes::Told) && self.left.is_empty()
    }

    /// The frame with its chunk hashes, once they are there and only once.
    fn tell_hashes(&mut self) -> Option<Prepared> {
        if self.is_loading() {
            return None;
        }
        let Hashes::Loaded(hashes) = std::mem::replace(&mut self.hashes, Hashes::Told) else { return None };
        let have = Bits::of(&self.have, hashes.len());
        self.left = (0..hashes.len()).filter(|at| !have.has(*at)).map(|at| at as u64).collect();
        // Whoever lacks no chunk asked for the hashes alone; the chunks are asked for next.
        Some(Prepared { frame: BlobFrame::Hashes(self.hash, hashes).encode(), bytes: 0, is_last: false })
    }
}
