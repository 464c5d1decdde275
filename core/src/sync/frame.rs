//! Control frames: what two peers say to each other, byte for byte (`spec/sync.md` §Control frames).

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Refused};
use crate::id::{BlobHash, EntryId, LogId, MissionId, ScopeId, StatementId, StoreId};
pub use crate::roster::Class as StatementClass;

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
/// Most frames of entries without `kept`.
pub const BATCHES_MAX: usize = 16;
/// Most wanted blobs outstanding.
pub const WANTS_MAX: usize = 64;
/// Most scopes in a hello: as many as a certificate grants.
pub const SCOPES_MAX: usize = 16;
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

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version the sender speaks.
    pub version: u64,
    /// The mission.
    pub mission: MissionId,
    /// One of the device's certificates, as bytes.
    pub certificate: Option<Vec<u8>>,
    /// The sender's store.
    pub store: StoreId,
    /// Digest of each class of statements that is not empty.
    pub statements: Vec<(StatementClass, [u8; 32])>,
    /// Digest of each scope that is not empty.
    pub tips: Vec<(ScopeId, [u8; 32])>,
    /// What the sender wants.
    pub wants: Wants,
}

/// What a side wants on this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants(u8);

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
    /// How many named blobs are not held.
    pub missing: u64,
    /// Whether the sender has received a rest: then its peer knows that its own rest arrived.
    pub heard: bool,
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
    /// Every statement you lacked has been sent.
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
}

impl Frame {
    /// Encodes the frame. The caller keeps to the maxima of this module.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Hello(hello) => encode_hello(hello, &mut w),
            Self::StatementIds(class, ids) => {
                w.array(3).uint(1).uint(class.code()).array(ids.len());
                for id in ids {
                    w.bytes(id.as_bytes());
                }
            }
            Self::Statements(class, statements) => {
                w.array(3).uint(2).uint(class.code()).array(statements.len());
                for statement in statements {
                    w.bytes(statement);
                }
            }
            Self::Ready => {
                w.array(1).uint(3);
            }
            Self::Tips { scope, last, tips } => {
                w.array(4).uint(4).bytes(scope.as_bytes()).bool(*last).array(tips.len());
                tips.iter().for_each(|tip| encode_tip(tip, &mut w));
            }
            Self::Probe(log, seqs) => {
                w.array(3).uint(5).bytes(log.as_bytes()).array(seqs.len());
                for seq in seqs {
                    w.uint(*seq);
                }
            }
            Self::Probed(log, found) => {
                w.array(3).uint(6).bytes(log.as_bytes()).array(found.len());
                for (seq, ids) in found {
                    w.array(2).uint(*seq).array(ids.len());
                    for id in ids {
                        w.bytes(id.as_bytes());
                    }
                }
            }
            Self::Kept(tips) => {
                w.array(2).uint(7).array(tips.len());
                tips.iter().for_each(|tip| encode_tip(tip, &mut w));
            }
            Self::Again { log, from, count } => {
                w.array(4).uint(8).bytes(log.as_bytes()).uint(*from).uint(*count);
            }
            Self::Want(wants) => {
                w.array(2).uint(9).array(wants.len());
                for want in wants {
                    w.array(3).bytes(want.hash.as_bytes()).uint(want.class.code()).bytes(&want.have);
                }
            }
            Self::Absent(hash) => {
                w.array(2).uint(10).bytes(hash.as_bytes());
            }
            Self::Receipt(receipt) => {
                w.array(2).uint(11).bytes(receipt);
            }
            Self::Rest(Rest { tips, blobs, missing, heard }) => {
                w.array(5).uint(12).bytes(tips).bytes(blobs).uint(*missing).bool(*heard);
            }
        }
        w.finish()
    }

    /// Decodes one control frame.
    ///
    /// # Errors
    /// If it is not exactly one frame of `spec/sync.md` within the maxima of this module.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let r = &mut Reader::new(bytes);
        let items = r.array(8, "frame")?;
        let kind = r.uint("frame type")?;
        let frame = match (kind, items) {
            (0, 8) if bytes.len() <= HELLO_BYTES_MAX => Self::Hello(decode_hello(r)?),
            (1, 3) => {
                let class = statement_class(r)?;
                let ids = list(r, 0, STATEMENT_IDS_MAX, "statement ids", |r| r.array_of("statement id"))?;
                ascending(&ids, "statement ids")?;
                Self::StatementIds(class, ids.into_iter().map(StatementId::from_bytes).collect())
            }
            (2, 3) => {
                let class = statement_class(r)?;
                Self::Statements(
                    class,
                    list(r, 1, STATEMENT_IDS_MAX, "statements", |r| Ok(r.bytes("statement")?.to_vec()))?,
                )
            }
            (3, 1) => Self::Ready,
            (4, 4) => {
                let scope = ScopeId::from_bytes(r.array_of("scope")?);
                let last = r.bool("last")?;
                let tips = list(r, 0, TIPS_MAX, "tips", decode_tip)?;
                ascending(&tips.iter().map(|tip| tip.log).collect::<Vec<_>>(), "tips")?;
                Self::Tips { scope, last, tips }
            }
            (5, 3) => {
                let log = LogId::from_bytes(r.array_of("log")?);
                let seqs = list(r, 1, PROBE_SEQS_MAX, "probe", |r| r.uint("seq"))?;
                ascending(&seqs, "probe")?;
                Self::Probe(log, seqs)
            }
            (6, 3) => {
                let log = LogId::from_bytes(r.array_of("log")?);
                let found = list(r, 1, PROBE_SEQS_MAX, "probed", decode_found)?;
                ascending(&found.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), "probed")?;
                Self::Probed(log, found)
            }
            (7, 2) => Self::Kept(list(r, 0, TIPS_MAX, "kept", decode_tip)?),
            (8, 4) => {
                let log = LogId::from_bytes(r.array_of("log")?);
                Self::Again { log, from: r.uint("from")?, count: r.uint("count")? }
            }
            (9, 2) => Self::Want(list(r, 1, WANTS_MAX, "wants", decode_want)?),
            (10, 2) => Self::Absent(BlobHash::from_bytes(r.array_of("blob")?)),
            (11, 2) => Self::Receipt(r.bytes("receipt")?.to_vec()),
            (12, 5) => Self::Rest(Rest {
                tips: r.array_of("tips")?,
                blobs: r.array_of("blobs")?,
                missing: r.uint("missing")?,
                heard: r.bool("heard")?,
            }),
            _ => return Err(Refused { check: Check::Shape, what: "frame" }),
        };
        r.leave();
        r.clone().finish("frame")?;
        Ok(frame)
    }
}

fn encode_hello(hello: &Hello, w: &mut Writer) {
    w.array(8).uint(0).uint(hello.version).bytes(hello.mission.as_bytes());
    match &hello.certificate {
        Some(certificate) => w.bytes(certificate),
        None => w.null(),
    };
    w.bytes(hello.store.as_bytes()).array(hello.statements.len());
    for (class, digest) in &hello.statements {
        w.array(2).uint(class.code()).bytes(digest);
    }
    w.array(hello.tips.len());
    for (scope, digest) in &hello.tips {
        w.array(2).bytes(scope.as_bytes()).bytes(digest);
    }
    w.uint(u64::from(hello.wants.0));
}

fn decode_hello(r: &mut Reader<'_>) -> Result<Hello, Refused> {
    let version = r.uint("version")?;
    let mission = MissionId::from_bytes(r.array_of("mission")?);
    let certificate = match r.peek("certificate")? {
        crate::cbor::Kind::Null => {
            r.null("certificate")?;
            None
        }
        _ => Some(r.bytes("certificate")?.to_vec()),
    };
    let store = StoreId::from_bytes(r.array_of("store")?);
    let statements = list(r, 0, StatementClass::ALL.len(), "statement digests", |r| {
        r.array_exact(2, "statement digest")?;
        let pair = (statement_class(r)?, r.array_of("statement digest")?);
        r.leave();
        Ok(pair)
    })?;
    ascending(&statements.iter().map(|(class, _)| *class).collect::<Vec<_>>(), "statement digests")?;
    let tips = list(r, 0, SCOPES_MAX, "tips digests", |r| {
        r.array_exact(2, "tips digest")?;
        let pair = (ScopeId::from_bytes(r.array_of("scope")?), r.array_of("tips digest")?);
        r.leave();
        Ok(pair)
    })?;
    ascending(&tips.iter().map(|(scope, _)| *scope).collect::<Vec<_>>(), "tips digests")?;
    let wants = r.uint("wants")?;
    let wants =
        u8::try_from(wants).ok().filter(|bits| *bits < 16).ok_or(Refused { check: Check::Shape, what: "wants" })?;
    Ok(Hello { version, mission, certificate, store, statements, tips, wants: Wants(wants) })
}

/// Appends one tip.
pub(crate) fn encode_tip(tip: &LogTip, w: &mut Writer) {
    w.array(4).bytes(tip.log.as_bytes()).uint(tip.height).bytes(tip.head.as_bytes());
    match &tip.branches {
        Some(digest) => w.bytes(digest),
        None => w.null(),
    };
}

fn decode_tip(r: &mut Reader<'_>) -> Result<LogTip, Refused> {
    r.array_exact(4, "tip")?;
    let log = LogId::from_bytes(r.array_of("log")?);
    let height = r.uint("height")?;
    let head = EntryId::from_bytes(r.array_of("head")?);
    let branches = match r.peek("branches")? {
        crate::cbor::Kind::Null => {
            r.null("branches")?;
            None
        }
        _ => Some(r.array_of("branches")?),
    };
    r.leave();
    Ok(LogTip { log, height, head, branches })
}

fn decode_found(r: &mut Reader<'_>) -> Result<(u64, Vec<EntryId>), Refused> {
    r.array_exact(2, "probed position")?;
    let seq = r.uint("seq")?;
    let ids = list(r, 0, SIBLINGS_MAX, "probed ids", |r| r.array_of("entry id"))?;
    ascending(&ids, "probed ids")?;
    r.leave();
    Ok((seq, ids.into_iter().map(EntryId::from_bytes).collect()))
}

fn decode_want(r: &mut Reader<'_>) -> Result<Want, Refused> {
    r.array_exact(3, "want")?;
    let hash = BlobHash::from_bytes(r.array_of("blob")?);
    let class = BlobClass::from_code(r.uint("class")?).ok_or(Refused { check: Check::Shape, what: "class" })?;
    let have = r.bytes("have")?;
    if have.len() > CHUNKS_MAX / 8 {
        return Err(Refused { check: Check::SizeLimit, what: "have" });
    }
    r.leave();
    Ok(Want { hash, class, have: have.to_vec() })
}

fn statement_class(r: &mut Reader<'_>) -> Result<StatementClass, Refused> {
    StatementClass::from_code(r.uint("class")?).ok_or(Refused { check: Check::Shape, what: "class" })
}

fn list<T>(
    r: &mut Reader<'_>,
    least: usize,
    most: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let len = r.array(most, what)?;
    if len < least {
        return Err(Refused { check: Check::Shape, what });
    }
    let items = (0..len).map(|_| item(r)).collect::<Result<_, _>>()?;
    r.leave();
    Ok(items)
}

fn ascending<T: Ord>(items: &[T], what: &'static str) -> Result<(), Refused> {
    if items.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Refused { check: Check::Shape, what }) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        vec![
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
