//! A certified peer that does what it must not.

use crate::cbor::Writer;
use crate::check::{Check, Refused};
use crate::entry::VerifiedEntry;
use crate::id::{BlobHash, EntryId, LogId, MissionId, StatementId};
use crate::record::testing::{key, scope};
use crate::roster::Class as StatementClass;
use crate::sync::chunks::BlobFrame;
use crate::sync::frame::{BATCHES_MAX, BlobClass, Frame, LogTip, PROBES_MAX, Rest, Want};
use crate::sync::io::{Action, Admission, Class, Input};
use crate::sync::testing::{Alone, EPOCH, Host, entry, speak};
use crate::sync::wire::{Outgoing, encode_batch, encode_full};
use crate::sync::{Close, CloseCode, Version};

/// A session of 31 that talks with 32, both sides ready; 32 speaks by hand.
fn talking() -> Alone {
    let mut alone = greeted();
    let peer = Host::new(32);
    let own = peer.certificate.as_ref().expect("it is certified");
    let ids = vec![own.id()];
    assert_eq!(alone.hear(Class::Control, Frame::StatementIds(StatementClass::Certificate, ids).encode()), None);
    let statements = vec![own.as_bytes().to_vec()];
    assert_eq!(alone.hear(Class::Control, Frame::Statements(StatementClass::Certificate, statements).encode()), None);
    assert_eq!(alone.hear(Class::Control, Frame::Ready.encode()), None);
    assert!(alone.said().contains(&Frame::Ready));
    alone
}

/// The same, before any statement.
fn greeted() -> Alone {
    speak(Version::V1);
    let mut host = Host::new(31);
    host.write(31, 3);
    let mut alone = Alone::new(host, 32);
    let hello = Host::new(32).session(31).poll_send(Class::Control).expect("a hello");
    assert_eq!(alone.hear(Class::Control, hello), None);
    alone
}

fn frame_of(entries: &[VerifiedEntry]) -> Vec<u8> {
    let entries: Vec<_> =
        entries.iter().map(|entry| Outgoing { header: entry.header_bytes(), body: entry.body_bytes() }).collect();
    encode_batch(&entries).expect("headers").0
}

fn tip(log: u8) -> LogTip {
    LogTip { log: LogId::from_bytes([log; 32]), height: 1, head: EntryId::from_bytes([1; 32]), branches: None }
}

#[test]
fn frames_out_of_place_end_the_conversation() {
    let own = LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH);
    let want = |n: u8| Want { hash: BlobHash::from_bytes([n; 32]), class: BlobClass::Original, have: vec![] };
    let hello = Host::new(32).session(31).poll_send(Class::Control).expect("a hello");
    let rows: Vec<(&str, Class, Vec<u8>, CloseCode)> = vec![
        ("no CBOR", Class::Control, vec![0xff], CloseCode::Malformed),
        ("empty", Class::Control, vec![], CloseCode::Malformed),
        ("unknown type", Class::Control, vec![0x81, 0x18, 0x63], CloseCode::Malformed),
        ("hello twice", Class::Control, hello, CloseCode::Malformed),
        ("ready twice", Class::Control, Frame::Ready.encode(), CloseCode::Malformed),
        (
            "ids of a class without difference",
            Class::Control,
            Frame::StatementIds(StatementClass::Form, vec![]).encode(),
            CloseCode::Malformed,
        ),
        (
            "ids twice",
            Class::Control,
            Frame::StatementIds(StatementClass::Certificate, vec![]).encode(),
            CloseCode::Malformed,
        ),
        (
            "tips of a foreign scope",
            Class::Control,
            Frame::Tips { scope: scope(9), last: true, tips: vec![] }.encode(),
            CloseCode::Malformed,
        ),
        (
            "tips without difference",
            Class::Control,
            Frame::Tips { scope: scope(2), last: true, tips: vec![] }.encode(),
            CloseCode::Malformed,
        ),
        (
            "a log of no entries",
            Class::Control,
            Frame::Tips { scope: scope(1), last: true, tips: vec![LogTip { height: 0, ..tip(1) }] }.encode(),
            CloseCode::Malformed,
        ),
        (
            "probed without a probe",
            Class::Control,
            Frame::Probed(own, vec![(0, vec![])]).encode(),
            CloseCode::Malformed,
        ),
        ("kept without entries", Class::Control, Frame::Kept(vec![]).encode(), CloseCode::Malformed),
        (
            "again of a log not held",
            Class::Control,
            Frame::Again { log: LogId::from_bytes([7; 32]), from: 0, count: 1 }.encode(),
            CloseCode::Malformed,
        ),
        (
            "again without end",
            Class::Control,
            Frame::Again { log: own, from: 0, count: u64::MAX }.encode(),
            CloseCode::Limit,
        ),
        (
            "the same blob twice",
            Class::Control,
            Frame::Want(vec![want(1), want(2), want(2)]).encode(),
            CloseCode::Malformed,
        ),
        ("no entries", Class::Entries, vec![0x80], CloseCode::Malformed),
        ("a control frame among entries", Class::Entries, Frame::Ready.encode(), CloseCode::Malformed),
        ("no chunk", Class::Blobs(BlobClass::Preview), vec![0x81, 0x05], CloseCode::Malformed),
        ("control too long", Class::Control, vec![0; 1_048_577], CloseCode::FrameTooLong),
        ("entries too long", Class::Entries, vec![0; 1_048_577], CloseCode::FrameTooLong),
        ("chunk too long", Class::Blobs(BlobClass::Thumbnail), vec![0; 262_145], CloseCode::FrameTooLong),
    ];
    for (name, class, frame, wanted) in rows {
        let close = talking().hear(class, frame).expect(name);
        assert_eq!(close.code, wanted, "{name}: {}", close.reason);
    }
}

#[test]
fn frames_that_do_no_harm_are_dropped() {
    let rest = Rest { tips: [1; 32], blobs: [1; 32], missing: u64::MAX, heard: true };
    for (class, frame) in [
        (Class::Control, Frame::Absent(BlobHash::from_bytes([1; 32])).encode()),
        (Class::Control, Frame::Probe(LogId::from_bytes([7; 32]), vec![0, u64::MAX]).encode()),
        (Class::Control, Frame::Receipt(vec![1, 2]).encode()),
        (Class::Blobs(BlobClass::Original), BlobFrame::Hashes(BlobHash::from_bytes([1; 32]), vec![[0; 32]]).encode()),
        (
            Class::Blobs(BlobClass::Original),
            BlobFrame::Chunk { hash: BlobHash::from_bytes([1; 32]), index: u64::MAX, bytes: vec![1] }.encode(),
        ),
    ] {
        assert_eq!(talking().hear(class, frame), None);
    }
    // A peer that claims to rest with other contents is believed in nothing.
    let mut alone = talking();
    alone.hear(Class::Control, Frame::Tips { scope: scope(1), last: true, tips: vec![] }.encode());
    alone.hear(Class::Control, Frame::Rest(rest).encode());
    assert!(alone.host.rest().is_none_or(|rest| !rest.is_fully_synced));
}

#[test]
fn entries_before_ready_are_refused() {
    let entries = Host::new(32).write(32, 1);
    let close = greeted().hear(Class::Entries, frame_of(&entries)).expect("refused");
    assert_eq!(close, Close::new(CloseCode::Malformed, "entries before ready"));
}

fn refused(frame: Vec<u8>) -> Close {
    let mut alone = talking();
    let good = Host::new(32).write(32, 2);
    // What was committed before stays.
    assert_eq!(alone.hear(Class::Entries, frame_of(&good)), None);
    let close = alone.hear(Class::Entries, frame).expect("refused");
    assert_eq!(alone.host.contents().0.len(), 5);
    close
}

#[test]
fn entries_that_do_not_verify_are_refused_by_their_code() {
    let mut damaged = Host::new(32).write(32, 3).remove(2).header_bytes().to_vec();
    *damaged.last_mut().expect("not empty") ^= 1;
    let close = refused(encode_full(&[Outgoing { header: &damaged, body: None }]));
    assert_eq!(close, Close::new(CloseCode::RefusedEntry, Check::SignatureInvalid.code()));

    let entry = Host::new(32).write(32, 3).remove(2);
    let close = refused(encode_full(&[Outgoing { header: entry.header_bytes(), body: Some(b"another") }]));
    assert_eq!(close, Close::new(CloseCode::RefusedEntry, Check::BodyHash.code()));

    let close = refused(encode_full(&[Outgoing { header: b"\x80", body: None }]));
    assert_eq!(close.code, CloseCode::RefusedEntry);
}

#[test]
fn entries_of_another_mission_are_refused() {
    let header = foreign(MissionId::from_bytes([9; 32]));
    let close = refused(encode_full(&[Outgoing { header: &header, body: None }]));
    assert_eq!(close, Close::new(CloseCode::RefusedEntry, Check::MissionMismatch.code()));
}

/// A well-formed, signed header of another mission.
fn foreign(mission: MissionId) -> Vec<u8> {
    let mut payload = Writer::new();
    payload.map(9).uint(1).bytes(mission.as_bytes()).uint(2).bytes(scope(1).as_bytes()).uint(3).bytes(EPOCH.as_bytes());
    payload.uint(4).uint(0).uint(6).array(2).bytes(&[6; 32]).array(0);
    payload.uint(7).uint(1).uint(10).bytes(&[0; 32]).uint(11).bytes(&[0; 32]).uint(12).bytes(&[0; 32]);
    crate::cose::sign(crate::cose::Label::Entry, &key(32), &payload.finish()).expect("signs")
}

#[test]
fn entries_of_a_key_that_no_certificate_names_are_refused() {
    let close = refused(frame_of(&[entry(&key(99), scope(1), EPOCH, &[], 0, &[])]));
    assert_eq!(close, Close::new(CloseCode::RefusedEntry, Check::KeyNotInRoster.code()));
}

#[test]
fn entries_of_a_scope_that_is_not_shared_are_refused() {
    let close = refused(frame_of(&[entry(&key(32), scope(7), EPOCH, &[], 0, &[])]));
    assert_eq!(close, Close::new(CloseCode::Malformed, "scope of an entry"));
}

#[test]
fn a_batch_that_inflates_beyond_what_it_says_is_refused() {
    let packed = zstd::bulk::compress(&vec![0; 1 << 24], 3).expect("compression");
    let mut frame = Writer::new();
    frame.array(3).uint(0).uint(1_000).bytes(&packed);
    assert_eq!(refused(frame.finish()).code, CloseCode::Malformed);
}

#[test]
fn more_batches_than_may_be_in_flight_are_refused() {
    let mut alone = talking();
    let entries = Host::new(32).write(32, BATCHES_MAX as u64 + 1);
    // Its host verifies nothing meanwhile.
    for entry in &entries[..BATCHES_MAX] {
        alone.session.handle(Input::Frame(Class::Entries, frame_of(std::slice::from_ref(entry))));
    }
    alone.session.handle(Input::Frame(Class::Entries, frame_of(&entries[BATCHES_MAX..])));
    assert_eq!(alone.settle().map(|close| close.code), Some(CloseCode::Limit));
}

#[test]
fn a_peer_that_asks_and_does_not_read_is_left() {
    let mut alone = talking();
    let probe = Frame::Probe(LogId::from_bytes([7; 32]), (0..256).collect()).encode();
    let asked = (0..10_000).take_while(|_| alone.hear(Class::Control, probe.clone()).is_none()).count();
    assert!(asked < 5_000, "{asked}");
    assert_eq!(alone.host.closed.map(|close| close.code), Some(CloseCode::Limit));
}

#[test]
fn more_probes_than_may_be_outstanding_are_refused() {
    let own = LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH);
    let mut alone = talking();
    for _ in 0..=PROBES_MAX {
        alone.session.handle(Input::Frame(Class::Control, Frame::Probe(own, vec![0]).encode()));
    }
    assert_eq!(alone.settle().map(|close| close.code), Some(CloseCode::Limit));
}

#[test]
fn refused_statements_are_forgotten_and_too_many_end_the_conversation() {
    let mut alone = talking();
    let junk = |n: u8| Frame::Statements(StatementClass::Erasure, vec![vec![n]]).encode();
    let known = alone.session.statements.exchanged_count();
    for n in 1..64 {
        assert_eq!(alone.hear(Class::Control, junk(n)), None, "{n}");
    }
    assert_eq!(alone.session.statements.exchanged_count(), known);
    let close = alone.hear(Class::Control, junk(64)).expect("the 64th");
    assert_eq!(close, Close::new(CloseCode::Limit, "refused statements"));
}

#[test]
fn a_receipt_that_is_refused_is_counted_too() {
    let mut alone = talking();
    let heard = (0..u8::MAX).take_while(|&n| alone.hear(Class::Control, Frame::Receipt(vec![n]).encode()).is_none());
    assert_eq!(heard.count(), 63);
}

#[test]
fn statements_beyond_the_limit_of_their_signer_are_no_fault_of_the_peer() {
    let mut alone = talking();
    alone.session.handle(Input::Frame(
        Class::Control,
        Frame::Statements(StatementClass::Erasure, (0..=u8::MAX).map(|n| vec![n]).collect()).encode(),
    ));
    let Some(Action::Admit { token, statements, .. }) = alone.session.poll() else { panic!("nothing to admit") };
    let over = Refused { check: Check::StatementLimit, what: "statements" };
    let refused = statements.iter().map(|statement| (StatementId::of(statement), over)).collect();
    alone.session.handle(Input::Admitted { token, admission: Some(Admission { refused, ..Admission::default() }) });
    assert_eq!(alone.settle(), None);
}

#[test]
fn more_logs_than_a_mission_has_are_refused() {
    let mut alone = talking();
    for page in 0..9_u8 {
        let tips = (0..8_192_u64).map(|n| {
            let mut log = [page; 32];
            log[8..16].copy_from_slice(&n.to_be_bytes());
            LogTip { log: LogId::from_bytes(log), ..tip(1) }
        });
        let frame = Frame::Tips { scope: scope(1), last: false, tips: tips.collect() };
        if let Some(close) = alone.hear(Class::Control, frame.encode()) {
            // Eight pages are 65,536.
            assert_eq!((close.code, page), (CloseCode::Limit, 8));
            return;
        }
    }
    panic!("it took them all");
}

#[test]
fn a_peer_that_names_statements_and_sends_none_is_too_slow() {
    let mut alone = greeted();
    let ids = vec![StatementId::from_bytes([1; 32])];
    alone.hear(Class::Control, Frame::StatementIds(StatementClass::Certificate, ids).encode());
    alone.said();
    for now_ms in [0, 10, 90_000, 90_100] {
        alone.session.handle(Input::Wake(now_ms));
    }
    assert_eq!(alone.settle().map(|close| close.code), Some(CloseCode::TooSlow));
}

#[test]
fn a_peer_that_keeps_nothing_is_sent_everything_once() {
    let mut alone = talking();
    assert_eq!(alone.hear(Class::Control, Frame::Tips { scope: scope(1), last: true, tips: vec![] }.encode()), None);
    let mut sent = 0;
    for _ in 0..100 {
        while alone.session.poll_send(Class::Entries).is_some() {
            sent += 1;
            alone.settle();
            assert_eq!(alone.hear(Class::Control, Frame::Kept(vec![]).encode()), None);
        }
    }
    assert_eq!(sent, 1);
}

#[test]
fn a_position_that_cannot_be_rebuilt_is_asked_for_in_full_form() {
    let mut alone = talking();
    let entries = Host::new(32).write(32, 2);
    let mut frame = frame_of(&entries[..1]);
    // The check is the last of the batch: pack it again with another one.
    let mut reader = crate::cbor::Reader::new(&frame);
    reader.array_exact(3, "frame").expect("a frame");
    reader.uint("type").expect("a type");
    let size = reader.uint("size").expect("a size") as usize;
    let mut batch = zstd::bulk::decompress(reader.bytes("batch").expect("a batch"), size).expect("zstd");
    *batch.last_mut().expect("not empty") ^= 1;
    let mut writer = Writer::new();
    writer.array(3).uint(0).uint(size as u64).bytes(&zstd::bulk::compress(&batch, 3).expect("zstd"));
    frame = writer.finish();
    assert_eq!(alone.hear(Class::Entries, frame), None);
    let log = entries[0].log();
    let said = alone.said();
    assert!(said.contains(&Frame::Again { log, from: 0, count: 1 }), "{said:?}");
    assert!(said.contains(&Frame::Kept(vec![])), "{said:?}");
    let full = encode_full(&[Outgoing { header: entries[0].header_bytes(), body: entries[0].body_bytes() }]);
    assert_eq!(alone.hear(Class::Entries, full), None);
    assert!(alone.host.contents().0.contains(&entries[0].id()));
    // And the other way round.
    let own = LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH);
    assert_eq!(alone.hear(Class::Control, Frame::Again { log: own, from: 1, count: 2 }.encode()), None);
    let frame = alone.session.poll_send(Class::Entries).expect("a frame");
    assert_eq!(
        crate::sync::wire::decode(&frame, crate::record::testing::charter().mission(), Version::V1)
            .expect("a frame")
            .entries
            .len(),
        2
    );
    assert_eq!(frame[1], 1, "full form");
}

#[test]
fn every_control_frame_with_a_flipped_byte_is_taken_without_a_panic() {
    let own = LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH);
    let frames = [
        Frame::Tips { scope: scope(1), last: true, tips: vec![tip(1)] },
        Frame::Probe(own, vec![0, 1, 2]),
        Frame::Want(vec![Want { hash: BlobHash::from_bytes([1; 32]), class: BlobClass::Preview, have: vec![0xff] }]),
        Frame::Again { log: own, from: 0, count: 3 },
        Frame::StatementIds(StatementClass::Receipt, vec![StatementId::from_bytes([1; 32])]),
        Frame::Receipt(vec![1, 2, 3]),
    ];
    for frame in frames {
        let bytes = frame.encode();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x11;
            let mut alone = talking();
            alone.hear(Class::Control, flipped);
            alone.said();
        }
    }
}
