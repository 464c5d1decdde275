//! Receipts as what differs from another receipt (`spec/sync.md` §Receipts by difference). It judges none of them.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::frame::Difference;
use crate::id::StatementId;
use crate::receipt::RECEIPT_BYTES_MAX;

/// A receipt is packed once for each peer, and a conversation about one changed log of 500 takes 1.6 kB with two of them.
const ZSTD_LEVEL: i32 = 9;

/// A receipt and its id.
#[derive(Clone, Debug)]
struct Known {
    id: StatementId,
    bytes: Vec<u8>,
}

/// What both sides can build receipts on.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Ids that both sides named at the beginning.
    both: BTreeSet<StatementId>,
    /// Whether both sides hold the same receipts, as their hellos said.
    are_equal: bool,
    /// The receipt last given to the peer, or one that both held before.
    told: Option<Known>,
    /// Given as a difference and not asked for whole.
    by_difference: HashSet<StatementId>,
    /// To be sent whole, as the peer could not rebuild them.
    whole: HashSet<StatementId>,
    /// The receipt last taken from the peer.
    heard: Option<Known>,
    /// Differences that came, in this order; the first may wait for its base.
    waiting: VecDeque<Difference>,
    is_loading: bool,
    /// The peer's own receipts that were asked for whole.
    own: HashSet<StatementId>,
}

/// What became of the first difference that waits.
pub(super) enum Next {
    /// Nothing waits, or its base is being read.
    Nothing,
    /// Read this receipt.
    Read(StatementId),
    /// It is whole again; whether it is the peer's own.
    Rebuilt(StatementId, Vec<u8>, bool),
    /// It cannot be rebuilt.
    Lost(StatementId),
}

impl Receipts {
    /// Both sides hold the same receipts.
    pub(super) fn are_equal(&mut self) {
        self.are_equal = true;
    }

    /// Both sides named these.
    pub(super) fn on_both(&mut self, ids: BTreeSet<StatementId>) {
        self.both = ids;
    }

    /// A receipt to read, as nothing was given to the peer that a difference could build on.
    pub(super) fn lacks_base(&mut self) -> Option<StatementId> {
        if self.told.is_some() { None } else { self.both.pop_first() }
    }

    /// The store read the receipt that [`lacks_base`](Self::lacks_base) asked for.
    pub(super) fn on_base(&mut self, bytes: Option<Vec<u8>>) {
        if let Some(bytes) = bytes {
            let id = StatementId::of(&bytes);
            self.both.insert(id);
            self.told = Some(Known { id, bytes });
        }
    }

    /// Whether the peer is known to hold the receipt; wrong at no harm, since it then asks for the whole.
    pub(super) fn is_at_peer(&self, id: StatementId) -> bool {
        self.are_equal || self.both.contains(&id)
    }

    /// How the peer is given the receipt: as a difference to `base`, or to the one it was given last, or not so.
    pub(super) fn give(&mut self, own: bool, bytes: Vec<u8>, base: Option<Vec<u8>>) -> Result<Difference, Vec<u8>> {
        let id = StatementId::of(&bytes);
        let base = base.map(|bytes| Known { id: StatementId::of(&bytes), bytes }).or(self.told.take());
        let is_whole = self.whole.remove(&id);
        let difference = base.filter(|_| !is_whole).and_then(|base| difference(own, id, &bytes, &base));
        self.told = Some(Known { id, bytes: bytes.clone() });
        let difference = difference.ok_or(bytes)?;
        self.by_difference.insert(id);
        Ok(difference)
    }

    /// The peer asks for a receipt that it was given as a difference; whether it was.
    pub(super) fn on_whole(&mut self, id: StatementId) -> bool {
        self.by_difference.remove(&id) && self.whole.insert(id)
    }

    /// The peer's key was cut.
    pub(super) fn restrict(&mut self) {
        self.by_difference.clear();
        self.whole.clear();
    }

    /// A receipt came whole; whether it is the peer's own, asked for whole.
    pub(super) fn on_heard(&mut self, bytes: &[u8]) -> bool {
        let id = StatementId::of(bytes);
        self.heard = Some(Known { id, bytes: bytes.to_vec() });
        self.own.remove(&id)
    }

    /// A difference came.
    pub(super) fn on_difference(&mut self, difference: Difference) {
        self.waiting.push_back(difference);
    }

    /// The store read the base of the first difference that waits.
    pub(super) fn on_read(&mut self, base: Option<Vec<u8>>) -> Next {
        self.is_loading = false;
        match self.waiting.pop_front() {
            Some(first) => self.rebuild(first, base.as_deref()),
            None => Next::Nothing,
        }
    }

    /// What is next of the differences that wait.
    pub(super) fn next(&mut self) -> Next {
        if self.is_loading {
            return Next::Nothing;
        }
        let Some(first) = self.waiting.pop_front() else { return Next::Nothing };
        match self.heard.take_if(|heard| heard.id == first.base) {
            Some(base) => self.rebuild(first, Some(&base.bytes)),
            None => {
                let base = first.base;
                self.waiting.push_front(first);
                self.is_loading = true;
                Next::Read(base)
            }
        }
    }

    fn rebuild(&mut self, first: Difference, base: Option<&[u8]>) -> Next {
        let Difference { own, id, .. } = first;
        match base.and_then(|base| whole(&first, base)) {
            Some(bytes) => {
                self.heard = Some(Known { id, bytes: bytes.clone() });
                Next::Rebuilt(id, bytes, own)
            }
            None => {
                if own {
                    self.own.insert(id);
                }
                Next::Lost(id)
            }
        }
    }
}

/// `bytes` as what differs from `base`; `None` where nothing is gained.
fn difference(own: bool, id: StatementId, bytes: &[u8], base: &Known) -> Option<Difference> {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(ZSTD_LEVEL, &base.bytes).ok()?;
    let packed = compressor.compress(bytes).ok()?;
    let is_shorter = packed.len() + 128 < bytes.len();
    is_shorter.then_some(Difference { own, id, base: base.id, size: bytes.len() as u64, packed })
}

/// The receipt that `difference` gives with `base`; `None` if it is not the one that it names.
fn whole(difference: &Difference, base: &[u8]) -> Option<Vec<u8>> {
    let size = usize::try_from(difference.size).ok().filter(|size| *size <= RECEIPT_BYTES_MAX)?;
    let mut decompressor = zstd::bulk::Decompressor::with_dictionary(base).ok()?;
    let bytes = decompressor.decompress(&difference.packed, size).ok()?;
    (bytes.len() == size && StatementId::of(&bytes) == difference.id).then_some(bytes)
}
