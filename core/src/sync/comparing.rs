//! Two sides find the tips in which they differ by telling each other nodes of their trees (`spec/sync.md` §Tree).
//!
//! Both follow one rule, so each knows what the other tells next, and nobody asks: a node is told when the digests of
//! it differ, by each side that holds anything below it. What is compared is what the two hellos said; changes after
//! them travel by themselves.

use std::collections::{BTreeSet, VecDeque};

use super::close::Close;
use super::frame::{Children, LogTip, Node, NodeContent, TIPS_MAX};
use super::tips::LOGS_MAX;
use super::tree::{LEAF_TIPS_MAX, Prefix, TipTree, child, is_below, short};
use crate::id::LogId;

/// About how many tips a frame of nodes holds, a node of digests counted as three and each list as one more: 150 kB.
const FRAME_TIPS: usize = 2_048;

/// The comparison of one scope.
#[derive(Debug)]
pub(super) struct Comparing {
    ours: TipTree,
    /// Prefixes that the peer has yet to tell.
    awaited: BTreeSet<Prefix>,
    telling: VecDeque<Node>,
}

/// What the peer turned out to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Tips that are not ours.
    pub(super) theirs: Vec<LogTip>,
    /// Logs of ours that it lacks.
    pub(super) lacking: Vec<LogId>,
}

impl Comparing {
    /// Begins, with a peer whose root is another than ours. What is found at once is that it holds nothing.
    pub(super) fn begin(ours: TipTree, theirs: Option<[u8; 32]>) -> (Self, Found) {
        let mut comparing = Self { ours, awaited: BTreeSet::new(), telling: VecDeque::new() };
        let (root, mut found) = (Prefix::new(), Found::default());
        match theirs {
            None => comparing.tell_all(&root, &mut found),
            Some(_) => {
                comparing.tell(&root);
                comparing.awaited.insert(root);
            }
        }
        (comparing, found)
    }

    /// The peer told a node.
    pub(super) fn on_node(&mut self, node: Node) -> Result<Found, Close> {
        let Node { prefix, content } = node;
        if !self.awaited.remove(&prefix) {
            return Err(Close::malformed("node"));
        }
        let mut found = Found::default();
        match content {
            NodeContent::Inner(children) => self.compare_inner(&prefix, &children, &mut found)?,
            NodeContent::List(tips) => {
                if !tips.iter().all(|tip| is_below(tip.log, &prefix)) {
                    return Err(Close::malformed("tip of a node"));
                }
                self.compare_list(&prefix, tips, &mut found);
            }
        }
        Ok(found)
    }

    /// Nodes to be told, as many as one frame should hold.
    pub(super) fn next_nodes(&mut self) -> Vec<Node> {
        let (mut nodes, mut tips) = (Vec::new(), 0);
        while nodes.len() < super::frame::NODES_MAX
            && let Some(node) = self.telling.front()
        {
            tips += match &node.content {
                NodeContent::Inner(_) => 3,
                NodeContent::List(tips) => tips.len() + 1,
            };
            if tips > FRAME_TIPS && !nodes.is_empty() {
                break;
            }
            nodes.extend(self.telling.pop_front());
        }
        nodes
    }

    /// Whether everything the peer has to tell was told.
    pub(super) fn is_known(&self) -> bool {
        self.awaited.is_empty()
    }

    /// Whether everything we have to tell was taken.
    pub(super) fn is_told(&self) -> bool {
        self.telling.is_empty()
    }

    fn compare_inner(&mut self, prefix: &[u8], theirs: &Children, found: &mut Found) -> Result<(), Close> {
        // A node that we list, they divide by what we listed, and tell what differs.
        let is_listed = !self.ours.has_more_than(LEAF_TIPS_MAX, prefix);
        // Exactly as many tips as a list takes were listed, and are now told again as if they had been divided.
        #[cfg(planted)]
        let is_listed = match crate::planted::is("list-or-divide") {
            true => !self.ours.has_more_than(LEAF_TIPS_MAX - 1, prefix),
            false => is_listed,
        };
        let ours = self.ours.children(prefix);
        for at in (0..16).filter(|at| ours[*at] != theirs[*at]) {
            let below = child(prefix, at);
            match (ours[at].is_some(), theirs[at].is_some()) {
                (true, false) if is_listed => found.lacking.extend(self.ours.below(&below).map(|tip| tip.log)),
                (true, false) => self.tell_all(&below, found),
                (true, true) if !is_listed => {
                    self.tell(&below);
                    self.awaited.insert(below);
                }
                _ => {
                    self.awaited.insert(below);
                }
            }
        }
        if self.awaited.len() > LOGS_MAX { Err(Close::limit("nodes")) } else { Ok(()) }
    }

    fn compare_list(&mut self, prefix: &[u8], theirs: Vec<LogTip>, found: &mut Found) {
        let mut listed = TipTree::default();
        theirs.iter().for_each(|tip| listed.set(*tip));
        let is_lacking = |tip: &&LogTip| theirs.binary_search_by_key(&tip.log, |tip| tip.log).is_err();
        found.lacking.extend(self.ours.below(prefix).filter(is_lacking).map(|tip| tip.log));
        found.theirs.extend(theirs);
        if self.ours.has_more_than(LEAF_TIPS_MAX, prefix) {
            self.tell_below(prefix, &mut listed);
        }
    }

    /// Tells the children of `prefix` that are not as the peer listed them.
    fn tell_below(&mut self, prefix: &[u8], listed: &mut TipTree) {
        for at in 0..16 {
            let below = child(prefix, at);
            let (ours, theirs) = (self.ours.digest(&below), listed.digest(&below));
            if ours.is_none() || ours.map(short) == theirs.map(short) {
                continue;
            }
            if theirs.is_none() {
                self.tell_all(&below, &mut Found::default());
            } else if self.tell(&below) {
                self.tell_below(&below, listed);
            }
        }
    }

    /// Tells everything below `prefix`: the peer holds nothing there.
    fn tell_all(&mut self, prefix: &[u8], found: &mut Found) {
        if self.ours.has_more_than(TIPS_MAX, prefix) {
            let node = self.inner(prefix);
            self.telling.push_back(node);
            (0..16).for_each(|at| self.tell_all(&child(prefix, at), found));
            return;
        }
        let tips: Vec<LogTip> = self.ours.below(prefix).copied().collect();
        found.lacking.extend(tips.iter().map(|tip| tip.log));
        if !tips.is_empty() {
            self.telling.push_back(Node { prefix: prefix.to_vec(), content: NodeContent::List(tips) });
        }
    }

    /// Tells a node that is not as the peer's. Whether it is told by its children.
    fn tell(&mut self, prefix: &[u8]) -> bool {
        let is_inner = self.ours.has_more_than(LEAF_TIPS_MAX, prefix);
        if is_inner {
            let node = self.inner(prefix);
            self.telling.push_back(node);
        } else {
            let tips: Vec<LogTip> = self.ours.below(prefix).copied().collect();
            if !tips.is_empty() {
                self.telling.push_back(Node { prefix: prefix.to_vec(), content: NodeContent::List(tips) });
            }
        }
        is_inner
    }

    fn inner(&mut self, prefix: &[u8]) -> Node {
        Node { prefix: prefix.to_vec(), content: NodeContent::Inner(self.ours.children(prefix)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::frame::{Frame, SHORT_BYTES};
    use super::super::tree::tests::tip;
    use super::*;
    use crate::id::ScopeId;

    type Tips = BTreeMap<LogId, LogTip>;

    fn tips(of: impl IntoIterator<Item = (u64, u64)>) -> Tips {
        of.into_iter().map(|(number, height)| tip(number, height)).map(|tip| (tip.log, tip)).collect()
    }

    fn tree(tips: &Tips) -> TipTree {
        let mut tree = TipTree::default();
        tips.values().for_each(|tip| tree.set(*tip));
        tree
    }

    /// What each side has found of the other at the end, the bytes of both directions, and the turns it took.
    fn compare(sides: [&Tips; 2]) -> ([Tips; 2], usize, usize) {
        let mut trees = sides.map(tree);
        let roots = [trees[0].root(), trees[1].root()];
        // As a session does: equal until something else is found.
        let mut found = sides.map(Tips::clone);
        if roots[0] == roots[1] {
            return (found, 0, 0);
        }
        let mut take = |side: usize, of: Found| {
            of.lacking.iter().for_each(|log| _ = found[side].remove(log));
            found[side].extend(of.theirs.into_iter().map(|tip| (tip.log, tip)));
        };
        let [ours, theirs] = trees;
        let mut states = Vec::new();
        for (side, (tree, peer)) in [(ours, roots[1]), (theirs, roots[0])].into_iter().enumerate() {
            let (state, begun) = Comparing::begin(tree, peer);
            take(side, begun);
            states.push(state);
        }
        let (mut bytes, mut turns) = (0, 0);
        while states.iter().any(|state| !state.is_told()) {
            turns += 1;
            let mut wires = [Vec::new(), Vec::new()];
            for (side, state) in states.iter_mut().enumerate() {
                while !state.is_told() {
                    wires[1 - side].push(Frame::Nodes(ScopeId::from_bytes([1; 8]), state.next_nodes()).encode());
                }
            }
            for (side, frames) in wires.into_iter().enumerate() {
                for frame in frames {
                    bytes += frame.len() + 4;
                    assert!(frame.len() <= super::super::frame::FRAME_BYTES_MAX);
                    let Ok(Frame::Nodes(_, nodes)) = Frame::decode(&frame) else { panic!("nodes") };
                    for node in nodes {
                        take(side, states[side].on_node(node).expect("an honest peer"));
                    }
                }
            }
        }
        assert!(states.iter().all(Comparing::is_known));
        (found, bytes, turns)
    }

    fn check(a: &Tips, b: &Tips) -> (usize, usize) {
        let ([of_b, of_a], bytes, turns) = compare([a, b]);
        assert_eq!((&of_a, &of_b), (a, b));
        (bytes, turns)
    }

    #[test]
    fn each_side_finds_exactly_what_the_other_holds() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut chance = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for round in 0..400 {
            let (logs, changed) = ([0, 1, 7, 9, 20, 300, 2_000][round % 7], [0, 1, 3, 50][round % 4]);
            let common = tips((0..logs).map(|number| (number, 5)));
            let (mut a, mut b) = (common.clone(), common);
            for _ in 0..changed {
                for side in [&mut a, &mut b] {
                    match chance(3) {
                        0 => side.extend(tips([(chance(logs + 1), 5 + chance(3))])),
                        1 => side.extend(tips([(10_000 + chance(500), 1)])),
                        _ => _ = side.remove(&tip(chance(logs + 1), 0).log),
                    }
                }
            }
            if round % 11 == 0 {
                b.clear();
            }
            check(&a, &b);
        }
    }

    #[test]
    fn the_cost_is_near_what_differs_and_not_near_the_number_of_logs() {
        for (logs, changed, most) in [
            (500, 1, 2_000),
            (500, 5, 8_000),
            (500, 50, 34_000),
            (10_000, 1, 4_000),
            (10_000, 50, 93_000),
            (65_536, 1, 4_600),
        ] {
            let a = tips((0..logs).map(|number| (number, 5)));
            let mut b = a.clone();
            b.extend(tips((0..changed).map(|number| (number * (logs / changed), 6))));
            let (bytes, turns) = check(&a, &b);
            println!("{logs} logs, {changed} changed: {bytes} bytes in both directions, {turns} turns");
            assert!(bytes <= most && turns <= 5, "{logs} {changed}: {bytes} bytes, {turns} turns");
        }
    }

    #[test]
    fn an_empty_peer_is_told_each_tip_once_and_at_once() {
        for logs in [1, 500, 20_000] {
            let a = tips((0..logs).map(|number| (number, 5)));
            let (bytes, turns) = check(&a, &Tips::new());
            assert!(turns == 1 && bytes as u64 <= logs * 76 + 1_000, "{logs}: {bytes} bytes, {turns} turns");
        }
    }

    #[test]
    fn nodes_that_were_not_due_end_the_conversation() {
        let ours = tips((0..100).map(|number| (number, 5)));
        let begin = || Comparing::begin(tree(&ours), Some([1; 32])).0;
        let list = |prefix: Prefix, numbers: &[u64]| Node {
            prefix,
            content: NodeContent::List(tips(numbers.iter().map(|number| (*number, 5))).into_values().collect()),
        };
        assert!(begin().on_node(list(vec![1], &[1])).is_err(), "before the root");
        let mut told = begin();
        told.on_node(list(vec![], &[1])).expect("the root");
        assert!(told.on_node(list(vec![], &[1])).is_err(), "twice");
        let mut told = begin();
        told.on_node(Node { prefix: vec![], content: NodeContent::Inner([Some([1; SHORT_BYTES]); 16]) })
            .expect("the root");
        let first = tip(1, 5).log.as_bytes()[0] >> 4;
        assert!(told.on_node(list(vec![(first + 1) % 16], &[1])).is_err(), "a tip of another prefix");
    }
}
