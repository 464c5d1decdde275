//! Nodes of digest trees on the wire (`spec/sync.md` §Tree).

use super::decode::{ascending, decode_tip, list};
use super::encode::encode_tip;
use super::{LogTip, TIPS_MAX};
use crate::cbor::{Kind, Reader, Writer};
use crate::check::{Check, Refused};

/// Bytes of a child's digest in a node. Two different trees with the same take some 2^64 hashes to make, and few signatures:
/// a holder of a few logs combines states of theirs. They hide a log from conversations, which then do not end as synced.
pub const SHORT_BYTES: usize = 16;
/// The first bytes of the digest of a child.
pub type ShortDigest = [u8; SHORT_BYTES];
/// The children of a node, by the next four bits of the log id; `None` where there is no log.
pub type Children = [Option<ShortDigest>; 16];
/// Four bits each: a log id has no more.
const PREFIX_MAX: usize = 64;

/// What a side holds below a prefix of log ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The first bits of the log ids, four in each byte.
    pub prefix: Vec<u8>,
    /// What is below.
    pub content: NodeContent,
}

/// What is below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "a node lives from its bytes to a comparison; a frame has at most 1,024")]
pub enum NodeContent {
    /// The digests of its children.
    Inner(Children),
    /// All its tips, ascending by log.
    List(Vec<LogTip>),
}

pub(super) fn encode_node(node: &Node, w: &mut Writer) {
    w.array(2).bytes(&node.prefix);
    match &node.content {
        NodeContent::Inner(children) => {
            let bit = |(at, child): (usize, &Option<ShortDigest>)| u16::from(child.is_some()) << at;
            let present = children.iter().enumerate().map(bit).fold(0, |bits, bit| bits | bit);
            let mut bytes = present.to_be_bytes().to_vec();
            children.iter().flatten().for_each(|child| bytes.extend_from_slice(child));
            w.bytes(&bytes);
        }
        NodeContent::List(tips) => {
            w.array(tips.len());
            tips.iter().for_each(|tip| encode_tip(tip, w));
        }
    }
}

pub(super) fn decode_node(r: &mut Reader<'_>) -> Result<Node, Refused> {
    let shape = Refused { check: Check::Shape, what: "node" };
    r.array_exact(2, "node")?;
    let prefix = r.bytes("prefix")?.to_vec();
    if prefix.len() > PREFIX_MAX || prefix.iter().any(|bits| *bits > 15) {
        return Err(shape);
    }
    let content = match r.peek("node")? {
        Kind::Bytes => {
            NodeContent::Inner(children(r.bytes("node")?).filter(|_| prefix.len() < PREFIX_MAX).ok_or(shape)?)
        }
        _ => {
            let tips = list(r, 1, TIPS_MAX, "node", decode_tip)?;
            ascending(&tips.iter().map(|tip| tip.log).collect::<Vec<_>>(), "node")?;
            NodeContent::List(tips)
        }
    };
    r.leave();
    Ok(Node { prefix, content })
}

fn children(bytes: &[u8]) -> Option<Children> {
    let (present, digests) = bytes.split_first_chunk::<2>()?;
    let present = u16::from_be_bytes(*present);
    let (digests, rest) = digests.as_chunks::<SHORT_BYTES>();
    if !rest.is_empty() || digests.len() != present.count_ones() as usize || digests.is_empty() {
        return None;
    }
    let mut digests = digests.iter();
    Some(std::array::from_fn(|at| if present & 1 << at != 0 { digests.next().copied() } else { None }))
}
