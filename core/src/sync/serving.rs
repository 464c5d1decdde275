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

/// Chunks read ahead of the link, in each class: enough to hide one read of the disk behind the sending of three.
const AHEAD_MAX: usize = 4;

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
    frames: VecDeque<Prepared>,
    loading: usize,
}

#[derive(Debug)]
struct Outgoing {
    hash: BlobHash,
    have: Vec<u8>,
    /// Chunks left to read; `None` until the chunk hashes are read.
    left: Option<VecDeque<u64>>,
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
        state.loading = state.loading.saturating_sub(1);
        let Some(current) = state.current.as_mut().filter(|current| current.hash == hash) else { return };
        let Some(hashes) = hashes else {
            state.current = None;
            out.say(&Frame::Absent(hash));
            return;
        };
        let have = Bits::of(&current.have, hashes.len());
        let left: VecDeque<u64> = (0..hashes.len()).filter(|at| !have.has(*at)).map(|at| at as u64).collect();
        let is_last = left.is_empty();
        current.left = Some(left);
        let frame = BlobFrame::Hashes(hash, hashes).encode();
        state.frames.push_back(Prepared { frame, bytes: 0, is_last });
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
        let is_last = state.loading == 0 && current.left.as_ref().is_some_and(VecDeque::is_empty);
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
        self.classes.values().all(|class| class.queue.is_empty() && class.current.is_none() && class.frames.is_empty())
    }

    /// What was handed to the link, by class; only the fields about sending are set.
    pub(super) fn sent(&self) -> [BlobProgress; 3] {
        self.sent
    }
}

impl Class {
    fn drive(&mut self, class: BlobClass, scopes: &[ScopeId], out: &mut Outbox) {
        let is_over =
            self.current.as_ref().is_some_and(|current| current.left.as_ref().is_some_and(VecDeque::is_empty));
        if is_over && self.loading == 0 {
            self.current = None;
        }
        if self.current.is_none() && self.loading == 0 && self.frames.len() < AHEAD_MAX {
            let Some(Want { hash, class: _, have }) = self.queue.pop_front() else { return };
            self.current = Some(Outgoing { hash, have, left: None });
            self.loading = 1;
            out.load(Request::ChunkHashes { hash, scopes: scopes.to_vec() }, Pending::ChunkHashes(class, hash));
        }
        let Some(Outgoing { hash, have: _, left: Some(left) }) = &mut self.current else { return };
        while self.frames.len() + self.loading < AHEAD_MAX
            && let Some(index) = left.pop_front()
        {
            self.loading += 1;
            out.load(Request::Chunk { hash: *hash, index }, Pending::Chunk(class, *hash, index));
        }
    }
}
