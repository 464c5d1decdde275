//! Entries on the wire: what the receiver knows is left out and rebuilt (`spec/sync.md` §Entries).
//!
//! The rebuilt header is compared with four bytes of its id, so that a difference between two versions costs a
//! second sending and never evidence.

use std::collections::HashMap;

use super::version::Version;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Refused};
use crate::cose::{Envelope, Label};
use crate::entry::{BODY_BYTES_MAX, HEADER_BYTES_MAX};
use crate::id::{EntryId, Epoch, LogId, MissionId, ScopeId, sha256};

/// Most entries in one batch: enough to amortise a commit, few enough that a cut link repeats little.
pub const BATCH_ENTRIES_MAX: usize = 512;
/// Longest batch before compression, in bytes; a decompressor stops there.
pub const BATCH_BYTES_MAX: usize = 4_194_304;
/// Level at which a batch took 240 to 250 bytes an entry on records of 30 answers; higher ones gained under 2 %.
const ZSTD_LEVEL: i32 = 3;
pub(super) const CHECK_BYTES: usize = 4;

/// An entry to send: bytes that were verified when they were stored.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The header, as signed.
    pub header: &'a [u8],
    /// The body, unless it is withheld, erased or not held.
    pub body: Option<&'a [u8]>,
}

/// An entry that was received: bytes nobody has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The header.
    pub header: Vec<u8>,
    /// The body, if it came.
    pub body: Option<Vec<u8>>,
}

/// What a frame of class entries held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Entries to verify, in the order of the frame.
    pub entries: Vec<Incoming>,
    /// Positions whose rebuilt header has another id: ask for them in full form.
    pub again: Vec<(LogId, u64)>,
}

/// Encodes a frame of the type that `version` sends, with as many of `entries` as fit, and says how many those are.
///
/// # Errors
/// If bytes are no entry header; the store holds none such.
pub fn encode_page(entries: &[Outgoing<'_>], version: Version) -> Result<(Vec<u8>, usize), Refused> {
    match version {
        Version::V1 => encode_batch(entries),
        Version::V2 | Version::V3 => super::columns::encode(entries),
    }
}

/// Encodes a frame of type 0 with as many of `entries` as fit, and says how many those are.
///
/// # Errors
/// If bytes are no entry header; the store holds none such.
pub fn encode_batch(entries: &[Outgoing<'_>]) -> Result<(Vec<u8>, usize), Refused> {
    let mut logs: Vec<Parts<'_>> = Vec::new();
    let mut expected: HashMap<LogId, (usize, u64, EntryId)> = HashMap::new();
    let mut body = Writer::with_capacity(entries.len().min(BATCH_ENTRIES_MAX) * 640);
    let (mut taken, mut bytes) = (0, 0);
    for entry in entries.iter().take(BATCH_ENTRIES_MAX) {
        let parts = Parts::of(entry.header)?;
        bytes += entry.header.len() + entry.body.map_or(0, <[u8]>::len) + 128;
        if taken > 0 && bytes > BATCH_BYTES_MAX / 4 {
            break;
        }
        let id = EntryId::of(entry.header);
        let log = LogId::derive(&parts.key, parts.scope, parts.epoch);
        let index = match expected.get(&log) {
            Some((index, seq, prev)) if *seq == parts.seq && Some(*prev) == parts.prev => *index,
            // A second branch of a fork, or a jump: named as a log of its own.
            _ => {
                logs.push(parts.clone());
                logs.len() - 1
            }
        };
        expected.insert(log, (index, parts.seq + 1, id));
        body.array(5).uint(index as u64);
        parts.write_rest(entry.body.is_some(), &mut body);
        body.bytes(parts.signature);
        match entry.body {
            Some(bytes) => body.bytes(bytes),
            None => body.null(),
        };
        body.bytes(&id.as_bytes()[..CHECK_BYTES]);
        taken += 1;
    }
    let mut batch = Writer::with_capacity(bytes);
    batch.array(2);
    write_logs(&logs, &mut batch);
    batch.array(taken).raw(&body.finish());
    let batch = batch.finish();
    let packed = zstd::bulk::compress(&batch, ZSTD_LEVEL).map_err(|_| refused("batch"))?;
    let mut frame = Writer::with_capacity(packed.len() + 16);
    frame.array(3).uint(0).uint(batch.len() as u64).bytes(&packed);
    Ok((frame.finish(), taken))
}

/// Writes where the entries of each log begin.
pub(super) fn write_logs(logs: &[Parts<'_>], writer: &mut Writer) {
    writer.array(logs.len());
    for parts in logs {
        writer.array(5).bytes(&parts.key).bytes(parts.scope.as_bytes()).bytes(parts.epoch.as_bytes()).uint(parts.seq);
        match &parts.prev {
            Some(prev) => writer.bytes(prev.as_bytes()),
            None => writer.null(),
        };
    }
}

/// Encodes a frame of type 1: entries in full form, at most [`BATCH_ENTRIES_MAX`].
pub fn encode_full(entries: &[Outgoing<'_>]) -> Vec<u8> {
    let mut frame = Writer::new();
    frame.array(2).uint(1).array(entries.len());
    for entry in entries {
        frame.array(2).bytes(entry.header);
        match entry.body {
            Some(body) => frame.bytes(body),
            None => frame.null(),
        };
    }
    frame.finish()
}

/// Decodes a frame of class entries.
///
/// # Errors
/// If it is no such frame, or a batch inflates beyond the size it states or beyond [`BATCH_BYTES_MAX`].
pub fn decode(frame: &[u8], mission: MissionId, version: Version) -> Result<Received, Refused> {
    let mut reader = Reader::new(frame);
    let items = reader.array(7, "entries frame")?;
    let received = match (reader.uint("entries frame type")?, items) {
        (0, 3) if version == Version::V1 => {
            let batch = unpack(&mut reader)?;
            decode_batch(&batch, mission)?
        }
        (1, 2) => decode_full(&mut reader)?,
        (2, 7) if version >= Version::V2 => super::columns::decode(&mut reader, mission)?,
        _ => return Err(refused("entries frame")),
    };
    reader.leave();
    reader.finish("entries frame")?;
    Ok(received)
}

/// Reads a size and what inflates to it.
pub(super) fn unpack(reader: &mut Reader<'_>) -> Result<Vec<u8>, Refused> {
    let size = usize::try_from(reader.uint("batch size")?).map_err(|_| refused("batch size"))?;
    let packed = reader.bytes("batch")?;
    if size > BATCH_BYTES_MAX {
        return Err(Refused { check: Check::SizeLimit, what: "batch" });
    }
    let batch = zstd::bulk::decompress(packed, size).map_err(|_| refused("batch"))?;
    if batch.len() == size { Ok(batch) } else { Err(refused("batch size")) }
}

fn decode_full(reader: &mut Reader<'_>) -> Result<Received, Refused> {
    let mut entries = Vec::new();
    for _ in 0..reader.array(BATCH_ENTRIES_MAX, "entries")? {
        reader.array_exact(2, "entry")?;
        let header = bounded(reader, HEADER_BYTES_MAX, "header")?.to_vec();
        entries.push(Incoming { header, body: optional(reader, "body")?.map(<[u8]>::to_vec) });
        reader.leave();
    }
    reader.leave();
    Ok(Received { entries, again: Vec::new() })
}

fn decode_batch(batch: &[u8], mission: MissionId) -> Result<Received, Refused> {
    let mut reader = Reader::new(batch);
    reader.array_exact(2, "batch")?;
    let mut logs = Vec::new();
    for _ in 0..reader.array(BATCH_ENTRIES_MAX, "logs")? {
        logs.push(LogCursor::decode(&mut reader)?);
    }
    reader.leave();
    let mut received = Received::default();
    for _ in 0..reader.array(BATCH_ENTRIES_MAX, "entries")? {
        reader.array_exact(5, "entry")?;
        let index = usize::try_from(reader.uint("log")?).map_err(|_| refused("log"))?;
        let log = logs.get_mut(index).ok_or(refused("log"))?;
        let start = reader.position();
        let mut fields = reader.map("rest")?;
        let mut rest = Vec::new();
        while let Some(key) = fields.next(&mut reader)? {
            rest.push((key, reader.skip("rest")?));
        }
        if reader.since(start).len() > HEADER_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what: "rest" });
        }
        let signature = reader.array_of::<64>("signature")?;
        let body = optional(&mut reader, "body")?;
        let check = reader.array_of::<CHECK_BYTES>("check")?;
        reader.leave();
        let header = log.rebuild(mission, &rest, &signature, body)?;
        let id = EntryId::of(&header);
        if id.as_bytes()[..CHECK_BYTES] == check {
            received.entries.push(Incoming { header, body: body.map(<[u8]>::to_vec) });
        } else {
            received.again.push((log.id(), log.seq));
        }
        log.seq = log.seq.checked_add(1).ok_or(refused("seq"))?;
        log.prev = Some(id);
    }
    reader.leave();
    reader.leave();
    reader.finish("batch")?;
    Ok(received)
}

pub(super) fn bounded<'a>(reader: &mut Reader<'a>, bytes_max: usize, what: &'static str) -> Result<&'a [u8], Refused> {
    let bytes = reader.bytes(what)?;
    if bytes.len() <= bytes_max { Ok(bytes) } else { Err(Refused { check: Check::SizeLimit, what }) }
}

fn optional<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Option<&'a [u8]>, Refused> {
    match reader.peek(what)? {
        crate::cbor::Kind::Null => reader.null(what).map(|()| None),
        _ => bounded(reader, BODY_BYTES_MAX, what).map(Some),
    }
}

/// The mission that a header names.
pub(super) fn mission_of(header: &[u8]) -> Result<MissionId, Refused> {
    let mut outer = Reader::new(header);
    outer.array_exact(4, "header")?;
    outer.bytes("protected")?;
    outer.skip("unprotected")?;
    let mut reader = Reader::new(outer.bytes("payload")?);
    let mut fields = reader.map("header")?;
    match fields.next(&mut reader)? {
        Some(1) => Ok(MissionId::from_bytes(reader.array_of("mission")?)),
        _ => Err(refused("mission")),
    }
}

/// A header taken apart, without judging it.
#[derive(Clone)]
pub(super) struct Parts<'a> {
    pub(super) key: [u8; 32],
    pub(super) scope: ScopeId,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) prev: Option<EntryId>,
    pub(super) rest: Vec<(i64, &'a [u8])>,
    pub(super) signature: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn of(header: &'a [u8]) -> Result<Self, Refused> {
        let envelope = Envelope::decode(Label::Entry, header)?;
        let key = *envelope.kid();
        let mut outer = Reader::new(header);
        outer.array_exact(4, "header")?;
        outer.bytes("protected")?;
        outer.skip("unprotected")?;
        let payload = outer.bytes("payload")?;
        let signature = outer.bytes("signature")?;
        let mut reader = Reader::new(payload);
        let (mut scope, mut epoch, mut seq, mut prev, mut rest) = (None, None, None, None, Vec::new());
        let mut fields = reader.map("header")?;
        while let Some(field) = fields.next(&mut reader)? {
            match field {
                1 => {
                    reader.bytes("mission")?;
                }
                2 => scope = Some(ScopeId::from_bytes(reader.array_of("scope")?)),
                3 => epoch = Some(Epoch::from_bytes(reader.array_of("epoch")?)),
                4 => seq = Some(reader.uint("seq")?),
                5 => prev = Some(EntryId::from_bytes(reader.array_of("prev")?)),
                _ => rest.push((field, reader.skip("header")?)),
            }
        }
        let (Some(scope), Some(epoch), Some(seq)) = (scope, epoch, seq) else { return Err(refused("header")) };
        Ok(Self { key, scope, epoch, seq, prev, rest, signature })
    }

    fn write_rest(&self, without_body_hash: bool, writer: &mut Writer) {
        let kept = |(field, _): &&(i64, &[u8])| !(without_body_hash && *field == BODY_FIELD);
        writer.map(self.rest.iter().filter(kept).count());
        for (field, value) in self.rest.iter().filter(kept) {
            writer.int(*field).raw(value);
        }
    }
}

pub(super) const BODY_FIELD: i64 = 10;

/// A log in a batch being read: the position of its next entry.
pub(super) struct LogCursor {
    pub(super) key: [u8; 32],
    pub(super) scope: ScopeId,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) prev: Option<EntryId>,
    protected: Vec<u8>,
}

impl LogCursor {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        reader.array_exact(5, "log")?;
        let key = reader.array_of("key")?;
        let scope = ScopeId::from_bytes(reader.array_of("scope")?);
        let epoch = Epoch::from_bytes(reader.array_of("epoch")?);
        let seq = reader.uint("seq")?;
        let prev = match reader.peek("prev")? {
            crate::cbor::Kind::Null => reader.null("prev").map(|()| None)?,
            _ => Some(EntryId::from_bytes(reader.array_of("prev")?)),
        };
        reader.leave();
        Ok(Self { key, scope, epoch, seq, prev, protected: crate::cose::protected_header(Label::Entry, &key) })
    }

    pub(super) fn id(&self) -> LogId {
        LogId::derive(&self.key, self.scope, self.epoch)
    }

    pub(super) fn rebuild(
        &self,
        mission: MissionId,
        rest: &[(i64, &[u8])],
        signature: &[u8; 64],
        body: Option<&[u8]>,
    ) -> Result<Vec<u8>, Refused> {
        if rest.iter().any(|(field, _)| *field <= 5 || (body.is_some() && *field == BODY_FIELD)) {
            return Err(refused("rest"));
        }
        let mut payload = Writer::with_capacity(384);
        payload.map(4 + usize::from(self.prev.is_some()) + rest.len() + usize::from(body.is_some()));
        payload.uint(1).bytes(mission.as_bytes()).uint(2).bytes(self.scope.as_bytes());
        payload.uint(3).bytes(self.epoch.as_bytes()).uint(4).uint(self.seq);
        if let Some(prev) = &self.prev {
            payload.uint(5).bytes(prev.as_bytes());
        }
        let below = rest.partition_point(|(field, _)| *field < BODY_FIELD);
        for (field, value) in &rest[..below] {
            payload.int(*field).raw(value);
        }
        if let Some(body) = body {
            payload.int(BODY_FIELD).bytes(&sha256(&[body]));
        }
        for (field, value) in &rest[below..] {
            payload.int(*field).raw(value);
        }
        let payload = payload.finish();
        let mut header = Writer::with_capacity(payload.len() + self.protected.len() + 80);
        header.array(4).bytes(&self.protected).map(0).bytes(&payload).bytes(signature);
        Ok(header.finish())
    }
}

pub(super) fn refused(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::Kind;

    const MISSION: MissionId = MissionId::from_bytes([1; 32]);

    /// Headers as they look on the wire; nothing here judges signatures.
    fn log(key: u8, entries: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut out: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for seq in 0..entries {
            let body = vec![seq as u8; 40];
            let mut payload = Writer::new();
            payload
                .map(7)
                .uint(1)
                .bytes(MISSION.as_bytes())
                .uint(2)
                .bytes(&[2; 8])
                .uint(3)
                .bytes(&[3; 8])
                .uint(4)
                .uint(seq);
            match out.last() {
                Some((header, _)) => payload.uint(5).bytes(EntryId::of(header).as_bytes()),
                None => payload.uint(6).array(2).bytes(&[9; 32]).array(0),
            };
            payload.uint(7).uint(1).uint(10).bytes(&sha256(&[&body]));
            let mut header = Writer::new();
            let protected = crate::cose::protected_header(Label::Entry, &[key; 32]);
            header.array(4).bytes(&protected).map(0).bytes(&payload.finish()).bytes(&[7; 64]);
            out.push((header.finish(), body));
        }
        out
    }

    fn outgoing(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<Outgoing<'_>> {
        entries.iter().map(|(header, body)| Outgoing { header, body: Some(body) }).collect()
    }

    #[test]
    fn entries_arrive_byte_for_byte_with_and_without_bodies() {
        let (a, b) = (log(4, 5), log(5, 3));
        let mut sent = outgoing(&a);
        sent.extend(outgoing(&b));
        sent.insert(3, sent[6]);
        sent[1].body = None;
        let (frame, taken) = encode_batch(&sent).expect("headers");
        assert_eq!(taken, sent.len());
        for frame in [frame, encode_full(&sent)] {
            let received = decode(&frame, MISSION, Version::V1).expect("a frame");
            assert_eq!(received.again, vec![]);
            let got: Vec<_> = received.entries.iter().map(|e| (e.header.as_slice(), e.body.as_deref())).collect();
            let wanted: Vec<_> = sent.iter().map(|e| (e.header, e.body)).collect();
            assert_eq!(got, wanted);
        }
    }

    #[test]
    fn a_header_that_rebuilds_differently_is_asked_for_again() {
        let entries = log(4, 3);
        let (frame, _) = encode_batch(&outgoing(&entries)).expect("headers");
        let received = decode(&frame, MissionId::from_bytes([2; 32]), Version::V1).expect("a frame");
        assert_eq!(received.entries, vec![]);
        assert_eq!(received.again.iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), vec![0, 1, 2]);
    }

    #[test]
    fn a_batch_that_inflates_beyond_what_it_says_is_refused() {
        for (said, real) in [(10usize, 1000usize), (1000, 10), (BATCH_BYTES_MAX + 1, BATCH_BYTES_MAX + 1)] {
            let packed = zstd::bulk::compress(&vec![0; real], 3).expect("compression");
            let mut frame = Writer::new();
            frame.array(3).uint(0).uint(said as u64).bytes(&packed);
            assert!(decode(&frame.finish(), MISSION, Version::V1).is_err(), "{said} {real}");
        }
    }

    #[test]
    fn every_cut_or_flipped_frame_is_refused_or_read_without_panic() {
        let entries = log(4, 2);
        let (frame, _) = encode_batch(&outgoing(&entries)).expect("headers");
        for at in 0..frame.len() {
            assert!(decode(&frame[..at], MISSION, Version::V1).is_err());
            let mut flipped = frame.clone();
            flipped[at] ^= 0x10;
            let _ = decode(&flipped, MISSION, Version::V1);
        }
        assert_eq!(Reader::new(&frame).peek("frame"), Ok(Kind::Array));
    }
}
