//! What the peer said about its own logs, remembered so that the outcome can name what is missing on either side.
//!
//! The conversation compares; this only listens.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{LogId, ScopeId};
use merestone_core::receipt::LOGS_MAX;
use merestone_core::sync::frame::{Frame, NodeContent};

/// The peer's logs as far as it told.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    heights: BTreeMap<LogId, u64>,
    /// Scopes of which the peer told every log.
    told: BTreeSet<ScopeId>,
}

/// Where the frames begin that are worth a second reading: tips, what is durable on the peer's disk, and in version 2
/// nodes of its tree and tips that did not change there.
const TELLING: [[u8; 2]; 4] = [[0x84, 4], [0x82, 7], [0x83, 17], [0x84, 18]];

impl Theirs {
    /// Listens to a control frame; says which logs it names, with their heights. A frame that does not decode
    /// is the conversation's matter.
    pub(super) fn listen(&mut self, frame: &[u8]) -> Vec<(LogId, u64)> {
        if !TELLING.iter().any(|start| frame.starts_with(start)) {
            return Vec::new();
        }
        let tips = match Frame::decode(frame) {
            Ok(Frame::Tips { scope, last, tips }) => {
                if last {
                    self.told.insert(scope);
                }
                tips
            }
            Ok(Frame::Kept(tips) | Frame::Also { tips, .. }) => tips,
            Ok(Frame::Nodes(_, nodes)) => {
                let listed = nodes.into_iter().filter_map(|node| match node.content {
                    NodeContent::List(tips) => Some(tips),
                    NodeContent::Inner(_) => None,
                });
                listed.flatten().collect()
            }
            _ => Vec::new(),
        };
        for tip in &tips {
            if self.heights.len() < LOGS_MAX || self.heights.contains_key(&tip.log) {
                self.heights.insert(tip.log, tip.height);
            }
        }
        tips.into_iter().map(|tip| (tip.log, tip.height)).collect()
    }

    /// How far the peer holds a log, as far as it told.
    pub(super) fn height(&self, log: LogId) -> Option<u64> {
        self.heights.get(&log).copied()
    }

    /// The logs the peer named, with their heights.
    pub(super) fn logs(&self) -> impl Iterator<Item = (LogId, u64)> + '_ {
        self.heights.iter().map(|(log, height)| (*log, *height))
    }

    /// Whether the peer told all its logs of a scope: one it did not name it does not hold.
    pub(super) fn has_told(&self, scope: ScopeId) -> bool {
        self.told.contains(&scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::id::EntryId;
    use merestone_core::sync::frame::LogTip;

    #[test]
    fn tips_and_acknowledgements_are_remembered_and_nothing_else_is_read() {
        let tip = |log: u8, height| LogTip {
            log: LogId::from_bytes([log; 32]),
            height,
            head: EntryId::from_bytes([9; 32]),
            branches: None,
        };
        let scope = ScopeId::from_bytes([1; 8]);
        let mut theirs = Theirs::default();
        let tips = Frame::Tips { scope, last: true, tips: vec![tip(1, 5), tip(2, 1)] };
        assert_eq!(theirs.listen(&tips.encode()).len(), 2);
        assert_eq!(theirs.listen(&Frame::Kept(vec![tip(2, 4)]).encode()), [(LogId::from_bytes([2; 32]), 4)]);
        for other in [Frame::Ready.encode(), vec![], vec![0x84], vec![0x84, 4, 0xff]] {
            assert_eq!(theirs.listen(&other), []);
        }
        assert_eq!(
            (theirs.height(LogId::from_bytes([1; 32])), theirs.height(LogId::from_bytes([2; 32]))),
            (Some(5), Some(4))
        );
        assert!(theirs.has_told(scope));
    }
}
