//! Frames that are well formed and say what is not so, as a peer with a certificate may send them.

use merestone_core::id::{LogId, ScopeId};
use merestone_core::sync::frame::{Children, Frame, HelloV2, LogTip, Node, NodeContent};

use crate::chance::Chance;

/// Turns what an honest program wanted to say into a lie of the same shape, or one of another shape at that place.
pub fn lie(frame: &mut Vec<u8>, chance: &mut Chance) {
    let Ok(said) = Frame::decode(frame) else { return };
    *frame = about(said, chance).encode();
}

fn about(said: Frame, chance: &mut Chance) -> Frame {
    match said {
        Frame::HelloV2(hello) => Frame::HelloV2(greeting(hello, chance)),
        Frame::Tips { scope, last, mut tips } => {
            tips.iter_mut().for_each(|tip| shift(tip, chance));
            Frame::Tips { scope, last, tips }
        }
        Frame::Also { scope, last, mut tips } => {
            tips.iter_mut().for_each(|tip| shift(tip, chance));
            if chance.once_in(3) {
                tips.pop();
            }
            Frame::Also { scope, last, tips }
        }
        Frame::Nodes(scope, nodes) => Frame::Nodes(scope, nodes.into_iter().map(|node| grown(node, chance)).collect()),
        Frame::Kept(mut tips) => {
            tips.iter_mut().for_each(|tip| tip.height += 1 + chance.below(5));
            Frame::Kept(tips)
        }
        Frame::Rest(_) if chance.once_in(3) => Frame::Same,
        Frame::Rest(mut rest) => {
            rest.missing = chance.below(2);
            rest.heard = true;
            if chance.once_in(3) {
                rest.tips = digest(chance);
            }
            Frame::Rest(rest)
        }
        Frame::Same => Frame::List(ScopeId::from_bytes(chance.number().to_be_bytes())),
        Frame::Want(mut wants) => {
            wants.iter_mut().for_each(|want| want.have = vec![0xff; 3]);
            Frame::Want(wants)
        }
        Frame::StatementIds(class, mut ids) => {
            ids.pop();
            Frame::StatementIds(class, ids)
        }
        Frame::Classes(mut classes) => {
            classes.iter_mut().for_each(|(_, of)| *of = digest(chance));
            Frame::Classes(classes)
        }
        Frame::Ready if chance.once_in(2) => Frame::Kept(vec![tip(chance)]),
        Frame::Absent(_) => Frame::Same,
        other => other,
    }
}

/// A hello that agrees with nothing, or with everything.
fn greeting(mut hello: HelloV2, chance: &mut Chance) -> HelloV2 {
    match chance.below(5) {
        0 => hello.statements = digest(chance),
        1 => hello.agreed = Some(digest(chance)),
        2 => hello.blobs = Some((digest(chance), 0)),
        3 => hello.tips.iter_mut().for_each(|(_, root)| *root = digest(chance)),
        _ => hello.tips.clear(),
    }
    hello
}

/// A height that is a little off, or far above what anybody signed.
fn shift(tip: &mut LogTip, chance: &mut Chance) {
    tip.height = match chance.below(6) {
        0 => 1 << 20,
        _ => tip.height.saturating_add(chance.below(3)).saturating_sub(1).max(1),
    };
}

/// A node with other digests, or one below which there seems to be ever more.
fn grown(node: Node, chance: &mut Chance) -> Node {
    let content = match node.content {
        NodeContent::Inner(mut children) => {
            for child in children.iter_mut().flatten() {
                child[0] ^= u8::from(chance.once_in(2));
            }
            NodeContent::Inner(children)
        }
        NodeContent::List(_) if chance.once_in(2) => NodeContent::Inner(everywhere(chance)),
        NodeContent::List(mut tips) => {
            tips.iter_mut().for_each(|tip| shift(tip, chance));
            NodeContent::List(tips)
        }
    };
    Node { prefix: node.prefix, content }
}

/// Children in all sixteen directions.
pub fn everywhere(chance: &mut Chance) -> Children {
    std::array::from_fn(|_| digest(chance).first_chunk().copied())
}

/// The tip of a log that there is not.
pub fn tip(chance: &mut Chance) -> LogTip {
    let log = LogId::from_bytes(digest(chance));
    LogTip {
        log,
        height: 1 + chance.below(1 << 20),
        head: merestone_core::id::EntryId::from_bytes(digest(chance)),
        branches: None,
    }
}

/// A digest of nothing.
pub fn digest(chance: &mut Chance) -> [u8; 32] {
    std::array::from_fn(|_| chance.number().to_be_bytes()[0])
}
