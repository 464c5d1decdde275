//! The tips of one scope under a tree of digests, so that a difference costs about as much as it is large
//! (`spec/sync.md` §Tree).
//!
//! It knows nothing of a peer: [`comparing`](super::comparing) holds two trees against each other.

use std::collections::{BTreeMap, HashMap};

use super::frame::{Children, LogTip, SHORT_BYTES, ShortDigest, encode_tip};
use crate::cbor::Writer;
use crate::id::{LogId, sha256};

/// Most tips that are listed rather than divided: nine tips take more bytes than the digests of sixteen children.
pub(super) const LEAF_TIPS_MAX: usize = 8;

/// The first bits of a log id, four in each byte.
pub(super) type Prefix = Vec<u8>;

/// Tips by log, with the digests of the larger nodes kept as long as nothing below them changes.
#[derive(Clone, Debug, Default)]
pub(super) struct TipTree {
    tips: BTreeMap<LogId, LogTip>,
    digests: HashMap<Prefix, [u8; 32]>,
}

impl TipTree {
    /// Puts a tip in the place of the one of its log.
    pub(super) fn set(&mut self, tip: LogTip) {
        if self.tips.insert(tip.log, tip) == Some(tip) || self.digests.is_empty() {
            return;
        }
        // Where there are few there were few before: nothing is kept there or below.
        for depth in 0..64 {
            let prefix = nibbles(tip.log, depth);
            if !self.has_more_than(LEAF_TIPS_MAX, &prefix) {
                break;
            }
            self.digests.remove(&prefix);
        }
    }

    /// The digest of everything; `None` of nothing.
    pub(super) fn root(&mut self) -> Option<[u8; 32]> {
        self.digest(&Prefix::new())
    }

    /// The digest of the tips below `prefix`; `None` if there are none.
    pub(super) fn digest(&mut self, prefix: &[u8]) -> Option<[u8; 32]> {
        let few: Vec<&LogTip> = self.below(prefix).take(LEAF_TIPS_MAX + 1).collect();
        if few.is_empty() {
            return None;
        }
        if few.len() <= LEAF_TIPS_MAX {
            return Some(leaf_digest(few));
        }
        if let Some(digest) = self.digests.get(prefix) {
            return Some(*digest);
        }
        let children = std::array::from_fn(|at| self.digest(&child(prefix, at)));
        let digest = inner_digest(&children);
        self.digests.insert(prefix.to_vec(), digest);
        Some(digest)
    }

    /// The short digests of the children of `prefix`.
    pub(super) fn children(&mut self, prefix: &[u8]) -> Children {
        std::array::from_fn(|at| self.digest(&child(prefix, at)).map(short))
    }

    /// The tips below `prefix`, ascending.
    pub(super) fn below(&self, prefix: &[u8]) -> impl Iterator<Item = &LogTip> {
        self.tips.range(first(prefix)..=last(prefix)).map(|(_, tip)| tip)
    }

    /// Whether more than `count` tips are below `prefix`.
    pub(super) fn has_more_than(&self, count: usize, prefix: &[u8]) -> bool {
        self.below(prefix).nth(count).is_some()
    }
}

/// The prefix one step below.
pub(super) fn child(prefix: &[u8], at: usize) -> Prefix {
    prefix.iter().copied().chain([at as u8]).collect()
}

/// Whether a log is below a prefix.
pub(super) fn is_below(log: LogId, prefix: &[u8]) -> bool {
    first(prefix) <= log && log <= last(prefix)
}

/// As much of a digest as a node says of its children.
pub(super) fn short(digest: [u8; 32]) -> ShortDigest {
    let mut short = [0; SHORT_BYTES];
    short.copy_from_slice(&digest[..SHORT_BYTES]);
    short
}

fn leaf_digest<'a>(tips: impl IntoIterator<Item = &'a LogTip>) -> [u8; 32] {
    let mut writer = Writer::new();
    tips.into_iter().for_each(|tip| encode_tip(tip, &mut writer));
    sha256(&[&[0], &writer.finish()])
}

fn inner_digest(children: &[Option<[u8; 32]>; 16]) -> [u8; 32] {
    let children: Vec<[u8; 32]> = children.iter().map(|child| child.unwrap_or_default()).collect();
    sha256(&[&[1], children.as_flattened()])
}

fn nibbles(log: LogId, depth: usize) -> Prefix {
    log.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]).take(depth).collect()
}

fn first(prefix: &[u8]) -> LogId {
    bound(prefix, 0)
}

fn last(prefix: &[u8]) -> LogId {
    bound(prefix, 15)
}

fn bound(prefix: &[u8], fill: u8) -> LogId {
    let mut bytes = [fill << 4 | fill; 32];
    for (at, bits) in prefix.iter().take(64).enumerate() {
        let byte = &mut bytes[at / 2];
        *byte = if at % 2 == 0 { bits << 4 | *byte & 15 } else { *byte & 0xf0 | bits & 15 };
    }
    LogId::from_bytes(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::EntryId;

    /// Tips of logs whose ids are as spread as real ones.
    pub(in crate::sync) fn tip(number: u64, height: u64) -> LogTip {
        let log = LogId::from_bytes(sha256(&[b"log", &number.to_be_bytes()]));
        let head = EntryId::from_bytes(sha256(&[b"head", &number.to_be_bytes(), &height.to_be_bytes()]));
        LogTip { log, height, head, branches: None }
    }

    #[test]
    fn a_root_is_a_function_of_the_tips_and_of_nothing_else() {
        for count in [0, 1, 8, 9, 40, 3_000] {
            let (mut there, mut back) = (TipTree::default(), TipTree::default());
            for number in 0..count {
                there.set(tip(number, 1));
                if number % 7 == 0 {
                    there.root();
                }
            }
            for number in 0..count {
                there.set(tip(number, 2));
            }
            (0..count).rev().for_each(|number| back.set(tip(number, 2)));
            assert_eq!(there.root(), back.root(), "{count}");
            assert_eq!(there.root().is_some(), count > 0);
            if count > 0 {
                back.set(tip(count / 2, 3));
                assert_ne!(there.root(), back.root());
            }
        }
    }

    #[test]
    fn a_prefix_holds_what_begins_with_it() {
        let log = LogId::from_bytes([0xa5; 32]);
        for (prefix, is) in [(&[][..], true), (&[10], true), (&[10, 5, 10], true), (&[10, 6], false), (&[5], false)] {
            assert_eq!(is_below(log, prefix), is, "{prefix:?}");
        }
        assert!(is_below(log, &nibbles(log, 64)));
    }
}
