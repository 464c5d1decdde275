//! Frames of columns hold every entry byte for byte, in few bytes, and never more than they may.

use super::super::testing::entry;
use super::super::version::Version;
use super::super::wire::{self, Outgoing, Received};
use super::*;
use crate::cbor::Writer;
use crate::change::{Basis, OpRef, Put, Value, compose};
use crate::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Place, PlaceSource, Position, Subject,
    VerifiedEntry,
};
use crate::id::{Actor, EntryId, Epoch, FormHash, MissionId, RecordId, StatementId, sha256};
use crate::record::testing::{charter, key, scope};

const EPOCH: Epoch = Epoch::from_bytes([1; 8]);
const WORDS: [&str; 16] = [
    "post", "north", "vehicle", "truck", "closed", "open", "queue", "quiet", "heard", "burst", "river", "bridge",
    "officer", "fence", "lamp", "customs",
];

struct Author {
    seed: u8,
    chain: Vec<EntryId>,
    chance: u64,
}

impl Author {
    fn new(seed: u8) -> Self {
        Self { seed, chain: Vec::new(), chance: 0x9e37_79b9_7f4a_7c15 ^ u64::from(seed) }
    }

    fn chance(&mut self, below: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % below
    }

    fn actor(&self) -> Actor {
        Actor::derive(charter().mission(), key(self.seed).public().as_bytes(), scope(1), EPOCH)
    }

    /// A new record of 30 answers: counts, words, flags, short notes, coordinates.
    fn inspection(&mut self) -> VerifiedEntry {
        let word = |author: &mut Self| WORDS[author.chance(16) as usize];
        let answers: Vec<(String, Result<i64, String>)> = (0..30)
            .map(|number| {
                let answer = match number % 5 {
                    0 => Ok(self.chance(200) as i64),
                    1 => Err(word(self).to_owned()),
                    3 => Err([word(self), word(self), word(self)].join(" ")),
                    4 => Ok(self.chance(1_800_000_000) as i64 - 900_000_000),
                    _ => Ok(-1 - self.chance(2) as i64),
                };
                (format!("q{number:02}"), answer)
            })
            .collect();
        let value = |(number, answer): (usize, &'_ Result<i64, String>)| match answer {
            Ok(flag) if number % 5 == 2 => Value::Bool(*flag == -1),
            Ok(count) => Value::Int(*count),
            Err(_) => Value::Null,
        };
        let puts = answers.iter().enumerate().map(|(number, (key, answer))| Put {
            key,
            value: match answer {
                Err(text) => Value::Text(text),
                Ok(_) => value((number, answer)),
            },
            preds: Vec::new(),
        });
        let basis = Basis { refs: Vec::new(), deps: Vec::new(), seq: 1, start_op: 1 };
        let puts = puts.collect();
        let chunk = compose(self.actor(), self.random(), &basis, puts).expect("a change").chunk;
        self.sign(Content::Change(chunk), Subject::Creates { writers: Vec::new() })
    }

    /// Another answer in the record that `first` created.
    fn edit(&mut self, first: &VerifiedEntry) -> VerifiedEntry {
        let Ok(Some(body)) = first.body() else { panic!("a body") };
        let Content::Change(chunk) = body.content else { panic!("a change") };
        let change = crate::change::Change::decode(&chunk, self.actor()).expect("a change");
        let pred = OpRef { counter: 1, actor: self.actor() };
        let puts = vec![Put { key: "q00", value: Value::Int(7), preds: vec![pred] }];
        let basis = Basis { refs: vec![first.id()], deps: vec![change.hash()], seq: 2, start_op: 31 };
        let chunk = compose(self.actor(), self.random(), &basis, puts).expect("a change").chunk;
        let subject = Subject::Of { record: RecordId::from_bytes(*first.id().as_bytes()), refs: vec![first.id()] };
        self.sign(Content::Change(chunk), subject)
    }

    fn random(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sha256(&[&self.chance(u64::MAX).to_be_bytes()])[..16]);
        bytes
    }

    fn sign(&mut self, content: Content, subject: Subject) -> VerifiedEntry {
        let seq = self.chain.len() as u64;
        let position = match self.chain.last() {
            Some(prev) => Position::Later { prev: *prev },
            None => Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
        };
        let wall_ms = 1_790_000_000_000 + seq as i64 * 60_000 + self.chance(9_000) as i64;
        let uptime_ms = (wall_ms - 1_789_999_000_000) as u64;
        let clock = Clock { wall_ms, uptime_ms, boot: [3; 8], offset_min: 120, source: ClockSource::Network };
        let place = Place {
            lat_e7: 482_345_678 + self.chance(1_000) as i32,
            lon_e7: 372_345_678 + self.chance(1_000) as i32,
            accuracy_m: 5 + self.chance(20),
            source: PlaceSource::Satellite,
        };
        let context =
            Context { clock, place: Some(place), post: None, observer: "O. Kovalenko".into(), photos: Vec::new() };
        let root = sha256(&[b"claims", &self.chance(u64::MAX).to_be_bytes()]);
        let draft = EntryDraft {
            mission: charter().mission(),
            scope: scope(1),
            epoch: EPOCH,
            seq,
            position,
            kind: Kind::Change,
            subject,
            body: Body { content, context },
            commitment: Some(Commitment { root, form: FormHash::from_bytes([11; 32]) }),
            seen: None,
        };
        let entry = draft.sign(&key(self.seed)).expect("a good draft");
        self.chain.push(entry.id());
        entry
    }
}

fn outgoing(entries: &[VerifiedEntry]) -> Vec<Outgoing<'_>> {
    entries.iter().map(|entry| Outgoing { header: entry.header_bytes(), body: entry.body_bytes() }).collect()
}

fn read(frame: &[u8]) -> Received {
    wire::decode(frame, charter().mission(), Version::V2).expect("a frame")
}

fn check(sent: &[Outgoing<'_>]) -> usize {
    let (frame, taken) = encode(sent).expect("headers");
    assert_eq!(taken, sent.len());
    let received = read(&frame);
    assert_eq!(received.again, []);
    let got: Vec<_> = received.entries.iter().map(|entry| (entry.header.as_slice(), entry.body.as_deref())).collect();
    let wanted: Vec<_> = sent.iter().map(|entry| (entry.header, entry.body)).collect();
    assert_eq!(got, wanted);
    frame.len()
}

#[test]
fn an_inspection_of_thirty_answers_takes_less_than_245_bytes() {
    let mut author = Author::new(31);
    let entries: Vec<_> = (0..512).map(|_| author.inspection()).collect();
    let rows = wire::encode_batch(&outgoing(&entries)).expect("headers").0.len();
    let columns = check(&outgoing(&entries));
    println!("{} bytes an entry in rows, {} in columns", rows / entries.len(), columns / entries.len());
    let (plain, batch) = open(&encode(&outgoing(&entries)).expect("headers").0);
    let mut reader = crate::cbor::Reader::new(&batch);
    reader.array_exact(4, "batch").expect("a batch");
    let parts = ["logs", "templates", "columns", "values"].map(|part| (part, reader.skip(part).expect("a part")));
    for (part, bytes) in parts {
        let packed = zstd::bulk::compress(bytes, 3).expect("compression").len();
        println!("{part}: {:.1} bytes an entry", packed as f64 / 512.0);
    }
    println!("not compressed: {:?}", plain.map(|column| column.len() / 512));
    assert!(columns <= 245 * entries.len(), "{columns}");
}

#[test]
fn a_shape_whose_bits_contradict_each_other_is_none() {
    use super::shape::{ALL, AS_IS, PHOTOS, PLACE, POST, SAID, is_possible};
    assert!([0, AS_IS, SAID, SAID | PLACE, SAID | PLACE | POST | PHOTOS].into_iter().all(is_possible));
    assert!(![AS_IS | SAID, PLACE, AS_IS | POST, AS_IS | PHOTOS, ALL, ALL + 1].into_iter().any(is_possible));
}

#[test]
fn a_batch_of_version_1_is_no_frame_of_version_2() {
    let entries = [Author::new(31).inspection()];
    let (rows, _) = wire::encode_batch(&outgoing(&entries)).expect("headers");
    assert_eq!(wire::decode(&rows, charter().mission(), Version::V1).expect("a frame").entries.len(), 1);
    assert!(wire::decode(&rows, charter().mission(), Version::V2).is_err());
}

#[test]
fn every_entry_arrives_byte_for_byte_whatever_its_form() {
    let (mut a, mut b) = (Author::new(31), Author::new(32));
    let first = a.inspection();
    let edits: Vec<_> = (0..3).map(|_| a.edit(&first)).collect();
    let other: Vec<_> = (0..3).map(|_| b.inspection()).collect();
    // Its content is no change that anybody could apply.
    let odd = entry(&key(33), scope(2), EPOCH, &[], 1, &[[vec![1], vec![], vec![2]]]);
    let all: Vec<_> = [vec![first], edits, other, vec![odd]].concat();
    let mut sent = outgoing(&all);
    check(&sent);
    // Withheld, out of order, twice, and with what they name outside the batch.
    sent[1].body = None;
    sent.swap(2, 5);
    sent.push(sent[3]);
    check(&sent);
    check(&sent[2..3]);
    check(&outgoing(&all)[1..4]);
}

#[test]
fn edits_name_what_stands_before_them_by_its_place() {
    let mut author = Author::new(31);
    let first = author.inspection();
    let mut entries = vec![first];
    entries.extend((0..200).map(|_| author.inspection()).collect::<Vec<_>>());
    let alone = check(&outgoing(&entries));
    let edits: Vec<_> = entries.clone().iter().map(|first| author.edit(first)).collect();
    entries.extend(edits);
    let each = (check(&outgoing(&entries)) - alone) / 201;
    println!("{each} bytes an edit");
    assert!(each <= 150, "{each}");
}

#[test]
fn another_mission_or_signature_is_asked_for_again() {
    let mut author = Author::new(31);
    let entries: Vec<_> = (0..3).map(|_| author.inspection()).collect();
    let (frame, _) = encode(&outgoing(&entries)).expect("headers");
    let received = wire::decode(&frame, MissionId::from_bytes([2; 32]), Version::V2).expect("a frame");
    assert_eq!(received.again.iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(wire::decode(&frame, charter().mission(), Version::V1).is_err(), "version 1 has no columns");
}

#[test]
fn every_cut_or_flipped_frame_is_refused_or_read_without_panic() {
    let mut author = Author::new(31);
    let first = author.inspection();
    let entries = [first.clone(), author.edit(&first), entry(&key(33), scope(2), EPOCH, &[], 1, &[])];
    let (frame, _) = encode(&outgoing(&entries)).expect("headers");
    // What is inside the compression is flipped too: bit flips outside seldom get that far.
    let (plain, batch) = open(&frame);
    for at in 0..batch.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut flipped = batch.clone();
            flipped[at] ^= bit;
            let _ = wire::decode(&close(&plain, &flipped), charter().mission(), Version::V2);
        }
        let _ = wire::decode(&close(&plain, &batch[..at]), charter().mission(), Version::V2);
    }
    for at in 0..frame.len() {
        assert!(wire::decode(&frame[..at], charter().mission(), Version::V2).is_err());
        let mut flipped = frame.clone();
        flipped[at] ^= 0x10;
        let _ = wire::decode(&flipped, charter().mission(), Version::V2);
    }
}

#[test]
fn a_text_named_again_and_again_does_not_grow_beyond_the_limit() {
    // One text of 60 kB, and 500 entries that name it by number: 30 MB if it were believed.
    let mut author = Author::new(31);
    let text = "x".repeat(60_000);
    let long = |author: &mut Author| {
        let puts = vec![Put { key: "note", value: Value::Text(&text), preds: Vec::new() }];
        let basis = Basis { refs: Vec::new(), deps: Vec::new(), seq: 1, start_op: 1 };
        let chunk = compose(author.actor(), author.random(), &basis, puts).expect("a change").chunk;
        author.sign(Content::Change(chunk), Subject::Creates { writers: Vec::new() })
    };
    let entries: Vec<_> = (0..100).map(|_| long(&mut author)).collect();
    let mut batch = super::write::Batch::default();
    for entry in outgoing(&entries) {
        batch.add(&entry, &wire::Parts::of(entry.header).expect("a header")).expect("an entry");
    }
    let frame = batch.finish().expect("a frame");
    assert!(frame.len() < 100_000);
    let refused = wire::decode(&frame, charter().mission(), Version::V2).expect_err("6 MB");
    assert_eq!(refused.check, crate::check::Check::SizeLimit);
}

/// The columns that came as they are, and the batch.
fn open(frame: &[u8]) -> ([Vec<u8>; 4], Vec<u8>) {
    let mut reader = crate::cbor::Reader::new(frame);
    reader.array(7, "frame").expect("a frame");
    reader.uint("type").expect("a type");
    let plain = std::array::from_fn(|_| reader.bytes("column").expect("a column").to_vec());
    (plain, wire::unpack(&mut reader).expect("a batch"))
}

fn close(plain: &[Vec<u8>; 4], batch: &[u8]) -> Vec<u8> {
    let mut frame = Writer::new();
    frame.array(7).uint(2);
    plain.iter().for_each(|column| _ = frame.bytes(column));
    let packed = zstd::bulk::compress(batch, 1).expect("compression");
    frame.uint(batch.len() as u64).bytes(&packed);
    frame.finish()
}
