//! Control frames: what two peers say to each other, byte for byte (`spec/sync.md` §Control frames).

mod decode;
mod encode;
mod hello;
mod tree;

use super::version::Version;
use crate::id::{BlobHash, EntryId, LogId, ScopeId, StatementId};
pub use crate::roster::Class as StatementClass;
pub(crate) use encode::encode_tip;
pub use hello::{Hello, HelloV2, Shown};
pub use tree::{Children, Node, NodeContent, SHORT_BYTES, ShortDigest};

/// Longest hello, in bytes: it is read before the peer has shown any authority.
pub const HELLO_BYTES_MAX: usize = 4_096;
/// Longest frame on control and entries, in bytes.
pub const FRAME_BYTES_MAX: usize = 1_048_576;
/// Longest frame of a blob class, in bytes.
pub const BLOB_FRAME_BYTES_MAX: usize = 262_144;
/// Most ids in one frame of statement ids; a frame with fewer is the last of its class.
pub const STATEMENT_IDS_MAX: usize = 16_384;
/// Most tips in one frame.
pub const TIPS_MAX: usize = 8_192;
/// Most positions in one probe.
pub const PROBE_SEQS_MAX: usize = 256;
/// Most ids named at one position: what is kept at a fork.
pub const SIBLINGS_MAX: usize = 4;
/// Most probes without an answer.
pub const PROBES_MAX: usize = 32;
/// Most positions whose bodies are asked for and neither came nor were refused.
pub const BODIES_MAX: usize = 1_024;
/// Most frames of entries without `kept`.
pub const BATCHES_MAX: usize = 16;
/// Most nodes of digest trees in one frame.
pub const NODES_MAX: usize = 1_024;
/// Most wanted blobs outstanding.
pub const WANTS_MAX: usize = 64;
/// Most scopes in a hello: as many as a certificate grants.
pub const SCOPES_MAX: usize = crate::roster::CERTIFICATE_SCOPES_MAX;
/// Most classes of statements in one frame, those of later programs included.
pub const CLASSES_MAX: usize = 64;
/// Most chunks of a blob: 64 MiB in chunks of 64 KiB.
pub const CHUNKS_MAX: usize = 1_024;

/// What a photo file is for; also the order in which files are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobClass {
    /// At most 320 px.
    Thumbnail,
    /// At most 1600 px.
    Preview,
    /// The camera's file.
    Original,
}

impl BlobClass {
    /// All classes, most urgent first.
    pub const ALL: [Self; 3] = [Self::Thumbnail, Self::Preview, Self::Original];

    /// The number on the wire, which is also the class of the stream.
    pub const fn code(self) -> u64 {
        match self {
            Self::Thumbnail => 2,
            Self::Preview => 3,
            Self::Original => 4,
        }
    }

    /// The class with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// The state of a log at one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTip {
    /// The log.
    pub log: LogId,
    /// How many entries the contiguous prefix of the main branch has.
    pub height: u64,
    /// The last of them.
    pub head: EntryId,
    /// Digest of the kept entries off the main branch, if there are any.
    pub branches: Option<[u8; 32]>,
}

/// What a side wants on this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants(pub(super) u8);

impl Wants {
    /// Entries and every class of blobs.
    pub const EVERYTHING: Self = Self(0b1111);

    /// Entries, and the blobs of `classes`.
    pub fn entries_and(classes: &[BlobClass]) -> Self {
        Self(classes.iter().fold(1, |bits, class| bits | 1 << (class.code() - 1)))
    }

    /// Whether entries are wanted.
    pub fn entries(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether blobs of `class` are wanted.
    pub fn blobs(self, class: BlobClass) -> bool {
        self.0 & 1 << (class.code() - 1) != 0
    }
}

/// One wanted blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The blob.
    pub hash: BlobHash,
    /// What it is for.
    pub class: BlobClass,
    /// Chunks already held, most significant bit first; empty for none.
    pub have: Vec<u8>,
}

/// What a side holds when it has nothing more to send or ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Digest of the tips of the shared scopes.
    pub tips: [u8; 32],
    /// Digest of the blobs held whole.
    pub blobs: [u8; 32],
    /// How many named blobs are not held, and bodies neither held nor erased.
    pub missing: u64,
    /// Whether the sender has received a rest: then its peer knows that its own rest arrived.
    pub heard: bool,
}

/// A receipt as what differs from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Whether it is the sender's own, of this conversation.
    pub own: bool,
    /// The receipt.
    pub id: StatementId,
    /// The receipt it builds on.
    pub base: StatementId,
    /// Its length in bytes.
    pub size: u64,
    /// One zstd frame, with the base as its dictionary.
    pub packed: Vec<u8>,
}

/// One control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Who I am and what I hold, in digests.
    Hello(Hello),
    /// Ids of the statements of a class, ascending.
    StatementIds(StatementClass, Vec<StatementId>),
    /// Statements of a class.
    Statements(StatementClass, Vec<Vec<u8>>),
    /// Every statement that you named and I lacked has arrived here, and was stored or refused: send entries.
    Ready,
    /// Tips of a scope, ascending by log.
    Tips {
        /// The scope.
        scope: ScopeId,
        /// Whether these are the last of the scope.
        last: bool,
        /// The tips.
        tips: Vec<LogTip>,
    },
    /// Which entries do you hold at these positions?
    Probe(LogId, Vec<u64>),
    /// These.
    Probed(LogId, Vec<(u64, Vec<EntryId>)>),
    /// A frame of entries is durable here; the logs of its entries as they are now.
    Kept(Vec<LogTip>),
    /// Send these entries in full form.
    Again {
        /// The log.
        log: LogId,
        /// The first position.
        from: u64,
        /// How many.
        count: u64,
    },
    /// Send these blobs.
    Want(Vec<Want>),
    /// I do not hold this blob.
    Absent(BlobHash),
    /// A signed receipt.
    Receipt(Vec<u8>),
    /// Nothing more to send or ask for.
    Rest(Rest),
    /// Version 2: who I am and what I hold, in fewer bytes.
    HelloV2(HelloV2),
    /// Version 2: the digest of each class of statements that is not empty; from version 3 on of each that the sender knows.
    /// Ascending by number, of which the receiver may not know all.
    Classes(Vec<(u64, [u8; 32])>),
    /// Version 2: I do not hold the certificate that your hello names.
    Show,
    /// Version 2: the certificate that my hello names.
    Certificate(Vec<u8>),
    /// Version 2: nodes of my digest tree of a scope.
    Nodes(ScopeId, Vec<Node>),
    /// Version 2: my tips of the logs that you named as changed and I did not, ascending by log.
    Also {
        /// The scope.
        scope: ScopeId,
        /// Whether these are the last of the scope.
        last: bool,
        /// The tips.
        tips: Vec<LogTip>,
    },
    /// Version 2: name your tips of this scope, all of them.
    List(ScopeId),
    /// Version 2: my rest is what my hello says, and I have yours.
    Same,
    /// Version 2: a receipt, told by another one that you hold.
    Difference(Difference),
    /// Version 2: send this receipt whole; I could not rebuild it.
    Whole(StatementId),
    /// Version 2: send the entries at these positions in full form, of which I hold headers and lack bodies.
    Bodies(LogId, Vec<u64>),
    /// Version 2: of entries at these positions that you asked for I lack the bodies too.
    Bodiless(LogId, Vec<u64>),
    /// Version 3: ids of a class that this program does not know.
    LaterIds(u64, Vec<StatementId>),
    /// Version 3: statements of a class that this program does not know.
    LaterStatements(u64, Vec<Vec<u8>>),
}

impl Frame {
    /// Whether the frame belongs to this version of the conversation.
    pub fn is_of(&self, version: Version) -> bool {
        match self {
            Self::Hello(_) => matches!(version, Version::V1),
            Self::StatementIds(class, _) | Self::Statements(class, _) => version.speaks_of(*class),
            Self::LaterIds(..) | Self::LaterStatements(..) => matches!(version, Version::V3),
            Self::Ready
            | Self::Tips { .. }
            | Self::Probe(..)
            | Self::Probed(..)
            | Self::Kept(_)
            | Self::Again { .. }
            | Self::Want(_)
            | Self::Absent(_)
            | Self::Receipt(_)
            | Self::Rest(_) => true,
            Self::Classes(classes) => match version {
                Version::V1 => false,
                Version::V2 => knows_all(classes),
                Version::V3 => true,
            },
            Self::HelloV2(_)
            | Self::Show
            | Self::Certificate(_)
            | Self::Nodes(..)
            | Self::Also { .. }
            | Self::List(_)
            | Self::Same
            | Self::Difference(_)
            | Self::Whole(_)
            | Self::Bodies(..)
            | Self::Bodiless(..) => matches!(version, Version::V2 | Version::V3),
        }
    }
}

/// Whether all classes are of those that version 2 has.
fn knows_all(classes: &[(u64, [u8; 32])]) -> bool {
    let is_known = |code| StatementClass::from_code(code).is_some_and(|class| Version::V2.speaks_of(class));
    classes.iter().all(|(code, _)| is_known(*code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MissionId, StoreId};

    fn tip(n: u8) -> LogTip {
        LogTip {
            log: LogId::from_bytes([n; 32]),
            height: u64::from(n) * 1000,
            head: EntryId::from_bytes([n + 1; 32]),
            branches: (n % 2 == 1).then_some([9; 32]),
        }
    }

    fn frames() -> Vec<Frame> {
        let hello = Hello {
            version: 1,
            mission: MissionId::from_bytes([1; 32]),
            certificate: Some(vec![7; 600]),
            store: StoreId::from_bytes([2; 16]),
            statements: vec![(StatementClass::Charter, [3; 32]), (StatementClass::Form, [4; 32])],
            tips: vec![(ScopeId::from_bytes([5; 8]), [6; 32])],
            wants: Wants::entries_and(&[BlobClass::Thumbnail]),
        };
        let log = LogId::from_bytes([8; 32]);
        let mut children: Children = [None; 16];
        (children[0], children[15]) = (Some([1; SHORT_BYTES]), Some([2; SHORT_BYTES]));
        let hello_v2 = HelloV2 {
            mission: MissionId::from_bytes([1; 32]),
            certificate: Shown::Named(StatementId::from_bytes([7; 32])),
            store: StoreId::from_bytes([2; 16]),
            statements: [3; 32],
            tips: vec![(ScopeId::from_bytes([5; 8]), [6; 32])],
            wants: Wants::EVERYTHING,
            blobs: Some(([4; 32], 9)),
            agreed: Some([5; 32]),
        };
        vec![
            Frame::HelloV2(HelloV2 {
                certificate: Shown::Whole(vec![7; 600]),
                blobs: None,
                agreed: None,
                ..hello_v2.clone()
            }),
            Frame::HelloV2(HelloV2 { certificate: Shown::Nothing, ..hello_v2.clone() }),
            Frame::HelloV2(hello_v2),
            Frame::Classes(vec![(0, [3; 32]), (6, [4; 32]), (99, [5; 32])]),
            Frame::LaterIds(99, vec![StatementId::from_bytes([1; 32])]),
            Frame::LaterStatements(99, vec![vec![1, 2], vec![]]),
            Frame::Show,
            Frame::Certificate(vec![7; 600]),
            Frame::Nodes(
                ScopeId::from_bytes([1; 8]),
                vec![
                    Node { prefix: vec![], content: NodeContent::Inner(children) },
                    Node { prefix: vec![15, 3], content: NodeContent::List(vec![tip(1), tip(2)]) },
                ],
            ),
            Frame::Also { scope: ScopeId::from_bytes([1; 8]), last: true, tips: vec![tip(2)] },
            Frame::List(ScopeId::from_bytes([1; 8])),
            Frame::Same,
            Frame::Difference(Difference {
                own: true,
                id: StatementId::from_bytes([1; 32]),
                base: StatementId::from_bytes([2; 32]),
                size: 70_000,
                packed: vec![3; 90],
            }),
            Frame::Whole(StatementId::from_bytes([1; 32])),
            Frame::Bodies(log, vec![0, 5, 1 << 19]),
            Frame::Bodiless(log, vec![5]),
            Frame::Hello(Hello { certificate: None, ..hello.clone() }),
            Frame::Hello(hello),
            Frame::StatementIds(StatementClass::Cut, vec![]),
            Frame::StatementIds(
                StatementClass::Cut,
                vec![StatementId::from_bytes([1; 32]), StatementId::from_bytes([2; 32])],
            ),
            Frame::Statements(StatementClass::Certificate, vec![vec![1, 2], vec![]]),
            Frame::Ready,
            Frame::Tips { scope: ScopeId::from_bytes([1; 8]), last: false, tips: vec![tip(1), tip(2)] },
            Frame::Probe(log, vec![0, 5, 1 << 20]),
            Frame::Probed(log, vec![(0, vec![]), (5, vec![EntryId::from_bytes([1; 32])])]),
            Frame::Kept(vec![tip(3)]),
            Frame::Again { log, from: 3, count: 9 },
            Frame::Want(vec![Want {
                hash: BlobHash::from_bytes([1; 32]),
                class: BlobClass::Original,
                have: vec![0x80],
            }]),
            Frame::Absent(BlobHash::from_bytes([1; 32])),
            Frame::Receipt(vec![1; 70_000]),
            Frame::Rest(Rest { tips: [1; 32], blobs: [2; 32], missing: 3, heard: true }),
        ]
    }

    #[test]
    fn every_frame_reads_back_as_it_was_written() {
        for frame in frames() {
            assert_eq!(Frame::decode(&frame.encode()).as_ref(), Ok(&frame));
        }
    }

    #[test]
    fn a_frame_with_a_byte_more_or_less_is_refused() {
        for frame in frames() {
            let mut bytes = frame.encode();
            assert!(Frame::decode(&bytes[..bytes.len() - 1]).is_err(), "{frame:?}");
            bytes.push(0);
            assert!(Frame::decode(&bytes).is_err(), "{frame:?}");
        }
    }

    #[test]
    fn lists_out_of_order_and_beyond_their_maxima_are_refused() {
        let log = LogId::from_bytes([8; 32]);
        let bad = [
            Frame::Probe(log, vec![5, 5]),
            Frame::Probe(log, vec![]),
            Frame::Probe(log, (0..300).collect()),
            Frame::Bodies(log, vec![5, 5]),
            Frame::Bodies(log, vec![]),
            Frame::Bodiless(log, (0..257).collect()),
            Frame::Tips { scope: ScopeId::from_bytes([1; 8]), last: true, tips: vec![tip(2), tip(1)] },
            Frame::Want(vec![Want {
                hash: BlobHash::from_bytes([1; 32]),
                class: BlobClass::Preview,
                have: vec![0; 129],
            }]),
        ];
        for frame in bad {
            assert!(Frame::decode(&frame.encode()).is_err(), "{frame:?}");
        }
    }
}
