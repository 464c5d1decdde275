//! Control frames from bytes: strict, within the maxima of this module.

use super::hello::{Hello, HelloV2, Shown};
use super::tree::decode_node;
use super::{
    BlobClass, CHUNKS_MAX, CLASSES_MAX, Difference, Frame, HELLO_BYTES_MAX, LogTip, NODES_MAX, PROBE_SEQS_MAX, Rest,
    SCOPES_MAX, SIBLINGS_MAX, STATEMENT_IDS_MAX, StatementClass, TIPS_MAX, WANTS_MAX, Want, Wants,
};
use crate::cbor::{Kind, Reader};
use crate::check::{Check, Refused};
use crate::id::{BlobHash, DIGEST_BYTES, EntryId, LogId, MissionId, ScopeId, StatementId, StoreId};

impl Frame {
    /// Decodes one control frame.
    ///
    /// # Errors
    /// If it is not exactly one frame of `spec/sync.md` within the maxima of this module.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let r = &mut Reader::new(bytes);
        let items = r.array(9, "frame")?;
        let kind = r.uint("frame type")?;
        let frame = match (kind, items) {
            (0, 8) if bytes.len() <= HELLO_BYTES_MAX => Self::Hello(decode_hello(r)?),
            (1, 3) => {
                let code = r.uint("class")?;
                let ids = list(r, 0, STATEMENT_IDS_MAX, "statement ids", |r| r.array_of("statement id"))?;
                ascending(&ids, "statement ids")?;
                let ids = ids.into_iter().map(StatementId::from_bytes).collect();
                match StatementClass::from_code(code) {
                    Some(class) => Self::StatementIds(class, ids),
                    None => Self::LaterIds(code, ids),
                }
            }
            (2, 3) => {
                let code = r.uint("class")?;
                let statements = list(r, 1, STATEMENT_IDS_MAX, "statements", |r| Ok(r.bytes("statement")?.to_vec()))?;
                match StatementClass::from_code(code) {
                    Some(class) => Self::Statements(class, statements),
                    None => Self::LaterStatements(code, statements),
                }
            }
            (3, 1) => Self::Ready,
            (4, 4) => {
                let (scope, last, tips) = tips(r)?;
                Self::Tips { scope, last, tips }
            }
            (5, 3) => {
                let (log, seqs) = positions(r, "probe")?;
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
            (13, 9) if bytes.len() <= HELLO_BYTES_MAX => Self::HelloV2(decode_hello_v2(r)?),
            (14, 2) => Self::Classes(classes(r)?),
            (15, 1) => Self::Show,
            (16, 2) if bytes.len() <= HELLO_BYTES_MAX => Self::Certificate(r.bytes("certificate")?.to_vec()),
            (17, 3) => {
                let scope = ScopeId::from_bytes(r.array_of("scope")?);
                Self::Nodes(scope, list(r, 1, NODES_MAX, "nodes", decode_node)?)
            }
            (18, 4) => {
                let (scope, last, tips) = tips(r)?;
                Self::Also { scope, last, tips }
            }
            (19, 2) => Self::List(ScopeId::from_bytes(r.array_of("scope")?)),
            (20, 1) => Self::Same,
            (21, 6) => Self::Difference(Difference {
                own: r.bool("own")?,
                id: StatementId::from_bytes(r.array_of("receipt id")?),
                base: StatementId::from_bytes(r.array_of("base")?),
                size: r.uint("size")?,
                packed: r.bytes("receipt")?.to_vec(),
            }),
            (22, 2) => Self::Whole(StatementId::from_bytes(r.array_of("receipt id")?)),
            (23, 3) => {
                let (log, seqs) = positions(r, "bodies")?;
                Self::Bodies(log, seqs)
            }
            (24, 3) => {
                let (log, seqs) = positions(r, "bodiless")?;
                Self::Bodiless(log, seqs)
            }
            _ => return Err(Refused { check: Check::Shape, what: "frame" }),
        };
        r.leave();
        r.clone().finish("frame")?;
        Ok(frame)
    }
}

fn positions(r: &mut Reader<'_>, what: &'static str) -> Result<(LogId, Vec<u64>), Refused> {
    let log = LogId::from_bytes(r.array_of("log")?);
    let seqs = list(r, 1, PROBE_SEQS_MAX, what, |r| r.uint("seq"))?;
    ascending(&seqs, what)?;
    Ok((log, seqs))
}

fn decode_hello(r: &mut Reader<'_>) -> Result<Hello, Refused> {
    let version = r.uint("version")?;
    let mission = MissionId::from_bytes(r.array_of("mission")?);
    let certificate = match r.peek("certificate")? {
        Kind::Null => {
            r.null("certificate")?;
            None
        }
        _ => Some(r.bytes("certificate")?.to_vec()),
    };
    let store = StoreId::from_bytes(r.array_of("store")?);
    let statements = known_classes(r)?;
    let tips = scopes(r)?;
    let wants = wants(r)?;
    Ok(Hello { version, mission, certificate, store, statements, tips, wants })
}

fn decode_hello_v2(r: &mut Reader<'_>) -> Result<HelloV2, Refused> {
    let mission = MissionId::from_bytes(r.array_of("mission")?);
    let certificate = match optional(r, "certificate", |r| r.bytes("certificate"))? {
        None => Shown::Nothing,
        // No certificate is that short.
        Some(bytes) => match <[u8; DIGEST_BYTES]>::try_from(bytes) {
            Ok(id) => Shown::Named(StatementId::from_bytes(id)),
            Err(_) => Shown::Whole(bytes.to_vec()),
        },
    };
    let store = StoreId::from_bytes(r.array_of("store")?);
    let statements = r.array_of("statements digest")?;
    let tips = scopes(r)?;
    let wants = wants(r)?;
    let blobs = optional(r, "blobs", |r| {
        r.array_exact(2, "blobs")?;
        let blobs = (r.array_of("blobs")?, r.uint("missing")?);
        r.leave();
        Ok(blobs)
    })?;
    let agreed = optional(r, "agreed", |r| r.array_of("agreed"))?;
    Ok(HelloV2 { mission, certificate, store, statements, tips, wants, blobs, agreed })
}

fn optional<'a, T>(
    r: &mut Reader<'a>,
    what: &'static str,
    item: impl FnOnce(&mut Reader<'a>) -> Result<T, Refused>,
) -> Result<Option<T>, Refused> {
    match r.peek(what)? {
        Kind::Null => r.null(what).map(|()| None),
        _ => item(r).map(Some),
    }
}

fn known_classes(r: &mut Reader<'_>) -> Result<Vec<(StatementClass, [u8; 32])>, Refused> {
    let unknown = Refused { check: Check::Shape, what: "class" };
    let known = |(code, digest)| StatementClass::from_code(code).map(|class| (class, digest)).ok_or(unknown);
    classes(r)?.into_iter().map(known).collect()
}

fn classes(r: &mut Reader<'_>) -> Result<Vec<(u64, [u8; 32])>, Refused> {
    let statements = list(r, 0, CLASSES_MAX, "statement digests", |r| {
        r.array_exact(2, "statement digest")?;
        let pair = (r.uint("class")?, r.array_of("statement digest")?);
        r.leave();
        Ok(pair)
    })?;
    ascending(&statements.iter().map(|(class, _)| *class).collect::<Vec<_>>(), "statement digests")?;
    Ok(statements)
}

fn scopes(r: &mut Reader<'_>) -> Result<Vec<(ScopeId, [u8; 32])>, Refused> {
    let tips = list(r, 0, SCOPES_MAX, "tips digests", |r| {
        r.array_exact(2, "tips digest")?;
        let pair = (ScopeId::from_bytes(r.array_of("scope")?), r.array_of("tips digest")?);
        r.leave();
        Ok(pair)
    })?;
    ascending(&tips.iter().map(|(scope, _)| *scope).collect::<Vec<_>>(), "tips digests")?;
    Ok(tips)
}

fn wants(r: &mut Reader<'_>) -> Result<Wants, Refused> {
    let bits = u8::try_from(r.uint("wants")?).ok().filter(|bits| *bits < 16);
    bits.map(Wants).ok_or(Refused { check: Check::Shape, what: "wants" })
}

fn tips(r: &mut Reader<'_>) -> Result<(ScopeId, bool, Vec<LogTip>), Refused> {
    let scope = ScopeId::from_bytes(r.array_of("scope")?);
    let last = r.bool("last")?;
    let tips = list(r, 0, TIPS_MAX, "tips", decode_tip)?;
    ascending(&tips.iter().map(|tip| tip.log).collect::<Vec<_>>(), "tips")?;
    Ok((scope, last, tips))
}

pub(super) fn decode_tip(r: &mut Reader<'_>) -> Result<LogTip, Refused> {
    r.array_exact(4, "tip")?;
    let log = LogId::from_bytes(r.array_of("log")?);
    let height = r.uint("height")?;
    let head = EntryId::from_bytes(r.array_of("head")?);
    let branches = match r.peek("branches")? {
        Kind::Null => {
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

pub(super) fn list<T>(
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

pub(super) fn ascending<T: Ord>(items: &[T], what: &'static str) -> Result<(), Refused> {
    if items.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Refused { check: Check::Shape, what }) }
}
