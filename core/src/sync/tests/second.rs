//! What version 2 brings: short meetings, agreements, trees, certificates by name; and peers that misuse them.

use crate::id::{EntryId, Epoch, LogId, StatementId, StoreId};
use crate::record::testing::{key, scope};
use crate::roster::Class as StatementClass;
use crate::sync::frame::{Frame, LogTip, Node, NodeContent, SHORT_BYTES};
use crate::sync::io::Class;
use crate::sync::testing::{Alone, EPOCH, Host, Link, assert_synced, file, join, speak, sync, sync_shuffled};
use crate::sync::{CloseCode, Version};

fn epoch(number: u64) -> Epoch {
    Epoch::from_bytes(number.to_be_bytes())
}

/// Two phones that hold the same `logs` logs and one photo, and know it.
fn met(logs: u64) -> [Host; 2] {
    let (mut a, mut b) = (Host::new(31), Host::new(32));
    for number in 0..logs {
        let writer = if number % 2 == 0 { (&mut a, 31) } else { (&mut b, 32) };
        writer.0.write_one(writer.1, scope(1), epoch(number), Vec::new());
    }
    a.write_one(31, scope(1), EPOCH, vec![[file(1, 900), file(2, 70_000), file(3, 100_000)]]);
    let mut hosts = [a, b];
    sync(&mut hosts);
    assert_synced(&hosts);
    hosts
}

#[test]
fn two_equal_sides_part_after_one_round_trip_and_under_a_kilobyte() {
    let mut hosts = met(9);
    let commits = [hosts[0].commits, hosts[1].commits];
    let link = sync(&mut hosts);
    assert_synced(&hosts);
    assert_eq!([hosts[0].commits, hosts[1].commits], commits);
    println!("{} bytes in {} frames", link.bytes, link.frames);
    // The caller's hello, the other's, and one `same`: who is called has said it with its hello.
    assert!(link.frames == 3 && link.bytes + 4 * link.frames <= 1_000, "{} frames, {} bytes", link.frames, link.bytes);
}

#[test]
fn what_changed_since_an_agreement_is_found_from_either_side() {
    for (a_writes, b_writes) in [(1, 0), (0, 1), (3, 4), (0, 0)] {
        let mut hosts = met(60);
        (0..a_writes).for_each(|at| _ = hosts[0].write_one(31, scope(1), epoch(2 * at), Vec::new()));
        (0..b_writes).for_each(|at| _ = hosts[1].write_one(32, scope(1), epoch(2 * at + 1), Vec::new()));
        hosts[1].write_one(32, scope(2), EPOCH, Vec::new());
        hosts[0].write_one(31, scope(1), epoch(999), Vec::new());
        let mut link = join(&mut hosts);
        link.tamper = Some(|class, frame| {
            let is_tree =
                class == Class::Control && matches!(Frame::decode(frame), Ok(Frame::Nodes(of, _)) if of == scope(1));
            assert!(!is_tree, "what is agreed is not compared again");
        });
        link.run(&mut hosts);
        assert_synced(&hosts);
    }
}

#[test]
fn a_side_that_forgot_or_remembers_something_else_is_compared_by_trees() {
    for forgetful in 0..2 {
        let mut hosts = met(60);
        let old = hosts[forgetful].agreements.clone();
        hosts[0].write_one(31, scope(1), epoch(4), Vec::new());
        sync(&mut hosts);
        hosts[1].write_one(32, scope(1), epoch(5), Vec::new());
        hosts[forgetful].agreements = if forgetful == 0 { old } else { Default::default() };
        sync(&mut hosts);
        assert_synced(&hosts);
    }
}

#[test]
fn an_agreement_that_misleads_is_forgotten_and_the_next_meeting_mends_it() {
    let mut hosts = met(20);
    hosts[0].write_one(31, scope(1), epoch(4), Vec::new());
    // As a host would be that lost count of what changed.
    let tip = hosts[0].tip(LogId::derive(key(31).public().as_bytes(), scope(1), epoch(4))).expect("it is held").tip;
    hosts[0].agreements.get_mut(&32).expect("they agreed").1.insert(tip.log, tip);
    sync(&mut hosts);
    assert!(hosts.iter().all(|host| host.rest().is_some_and(|rest| !rest.is_fully_synced)));
    assert!(hosts.iter().all(|host| host.agreements.is_empty()));
    sync(&mut hosts);
    assert_synced(&hosts);
}

#[test]
fn an_agreement_that_misleads_is_forgotten_also_by_stores_that_are_new() {
    let mut hosts = met(20);
    hosts[0].write_one(31, scope(1), epoch(4), Vec::new());
    let tip = hosts[0].tip(LogId::derive(key(31).public().as_bytes(), scope(1), epoch(4))).expect("it is held").tip;
    hosts[0].agreements.get_mut(&32).expect("they agreed").1.insert(tip.log, tip);
    // Restored, both: each still names the agreement, and neither finds that it was with this store.
    for (host, store) in hosts.iter_mut().zip([91, 92]) {
        host.store = StoreId::from_bytes([store; 16]);
    }
    sync(&mut hosts);
    assert!(hosts.iter().all(|host| host.agreements.is_empty()));
    sync(&mut hosts);
    assert_synced(&hosts);
}

#[test]
fn a_named_certificate_that_is_not_held_is_asked_for() {
    let mut hosts = met(3);
    hosts[1] = Host::new(32);
    hosts[1].write(32, 2);
    for seed in 1..20 {
        sync_shuffled(&mut hosts, seed);
        assert_synced(&hosts);
        let agreements = hosts[0].agreements.clone();
        hosts[1] = Host::new(32);
        hosts[0].agreements = agreements;
    }
}

#[test]
fn entries_that_overtake_the_hello_wait_until_it_is_judged() {
    for seed in 1..12 {
        // Both name their certificates, and the store takes its time to find them; one says nothing but entries then.
        let mut hosts = met(1);
        hosts[0].write(31, 3);
        sync_shuffled(&mut hosts, seed);
        assert_synced(&hosts);
    }
}

#[test]
fn devices_that_meet_again_and_again_end_synced_in_whatever_order_things_come() {
    for seed in 1..8 {
        let mut hosts = [Host::new(31), Host::new(32)];
        for meeting in 0..4 {
            let bits = seed * 7 + meeting * 5;
            hosts[0].write(31, bits % 3);
            hosts[1].write(32, bits / 3 % 3);
            if bits % 4 == 0 {
                let side = usize::from(bits % 8 == 0);
                let photo = [file(1, 900), file(bits as u8, 70_000), file(bits as u8, 90_000)];
                hosts[side].write_one(31 + side as u8, scope(1), epoch(bits), vec![photo]);
            }
            sync_shuffled(&mut hosts, seed * 100 + meeting);
            assert_synced(&hosts);
        }
    }
}

#[test]
fn two_versions_part_with_a_clear_code() {
    for (first, second) in [(Version::V1, Version::V2), (Version::V2, Version::V1)] {
        speak(first);
        let a = Host::new(31);
        speak(second);
        let mut hosts = [a, Host::new(32)];
        let mut link = Link::new(hosts[0].session(32), hosts[1].session(31));
        link.run(&mut hosts);
        assert!(hosts.iter().all(|host| host.closed.is_some_and(|close| close.code == CloseCode::Version)));
    }
    speak(Version::NEWEST);
}

/// A session of 31 that talks with 32 and holds 20 logs; 32 holds one, and speaks by hand.
fn talking() -> Alone {
    let mut host = Host::new(31);
    (0..20).for_each(|number| _ = host.write_one(31, scope(1), epoch(number), Vec::new()));
    let mut alone = Alone::new(host, 32);
    let mut peer = Host::new(32);
    peer.write(32, 1);
    let hello = peer.session(31).poll_send(Class::Control).expect("a hello");
    assert_eq!(alone.hear(Class::Control, hello), None);
    alone
}

fn list(prefix: Vec<u8>, log: u8) -> Node {
    let tip =
        LogTip { log: LogId::from_bytes([log; 32]), height: 1, head: EntryId::from_bytes([1; 32]), branches: None };
    Node { prefix, content: NodeContent::List(vec![tip]) }
}

#[test]
fn frames_of_version_2_out_of_place_end_the_conversation() {
    let nodes = |prefix, log| Frame::Nodes(scope(1), vec![list(prefix, log)]);
    let deep =
        |depth: usize| Node { prefix: vec![1; depth], content: NodeContent::Inner([Some([1; SHORT_BYTES]); 16]) };
    let classes = || Frame::Classes(vec![(0, [1; 32])]);
    let rows: Vec<(&str, Vec<Frame>)> = vec![
        ("same, and is not", vec![Frame::Same]),
        ("classes twice", vec![classes(), classes()]),
        ("ids before classes", vec![Frame::StatementIds(StatementClass::Certificate, vec![])]),
        ("a certificate nobody asked for", vec![Frame::Certificate(vec![1])]),
        ("show twice", vec![Frame::Show, Frame::Show]),
        ("list twice", vec![Frame::List(scope(1)), Frame::List(scope(1))]),
        ("a list of a foreign scope", vec![Frame::List(scope(9))]),
        ("nodes of a foreign scope", vec![Frame::Nodes(scope(9), vec![list(vec![], 1)])]),
        ("nodes of an equal scope", vec![Frame::Nodes(scope(2), vec![list(vec![], 1)])]),
        ("a node before its parent", vec![nodes(vec![1], 0x11)]),
        ("a node twice", vec![nodes(vec![], 1), nodes(vec![], 1)]),
        ("a tip elsewhere", vec![Frame::Nodes(scope(1), vec![deep(0)]), nodes(vec![1], 0x22)]),
        (
            "more nodes than logs",
            (0..64).map(|depth| Frame::Nodes(scope(1), vec![deep(depth)])).chain([nodes(vec![1; 64], 1)]).collect(),
        ),
        ("tips without an agreement", vec![Frame::Tips { scope: scope(1), last: true, tips: vec![] }]),
        ("also without an agreement", vec![Frame::Also { scope: scope(1), last: true, tips: vec![] }]),
    ];
    for (name, frames) in rows {
        let mut alone = talking();
        let closes: Vec<_> = frames.iter().map(|frame| alone.hear(Class::Control, frame.encode())).collect();
        let close = closes.last().copied().flatten().expect(name);
        assert!(matches!(close.code, CloseCode::Malformed | CloseCode::Limit), "{name}: {close:?}");
    }
}

#[test]
fn a_peer_that_never_shows_its_certificate_is_heard_so_far_and_no_further() {
    let mut alone = Alone::new(Host::new(31), 32);
    let [_, peer] = met(1);
    let hello = peer.session(31).poll_send(Class::Control).expect("a hello");
    assert_eq!(alone.hear(Class::Control, hello), None);
    assert!(alone.said().contains(&Frame::Show));
    let other = Frame::Certificate(vec![1; 400]).encode();
    assert_eq!(alone.hear(Class::Control, other).map(|close| close.code), Some(CloseCode::Malformed));

    let mut alone = Alone::new(Host::new(31), 32);
    let hello = peer.session(31).poll_send(Class::Control).expect("a hello");
    alone.hear(Class::Control, hello);
    let ids: Vec<_> =
        (0..16_000_u64).map(|at| StatementId::from_bytes(crate::id::sha256(&[&at.to_be_bytes()]))).collect();
    let mut ids = ids;
    ids.sort_unstable();
    let long = Frame::StatementIds(StatementClass::Certificate, ids).encode();
    let closes: Vec<_> = (0..6).filter_map(|_| alone.hear(Class::Control, long.clone())).collect();
    assert_eq!(closes.first().map(|close| close.code), Some(CloseCode::Limit));
}

#[test]
fn every_control_frame_of_version_2_with_a_flipped_byte_is_taken_without_a_panic() {
    let frames = [
        Frame::Classes(vec![(0, [1; 32])]),
        Frame::Nodes(scope(1), vec![list(vec![], 1), list(vec![3], 0x33)]),
        Frame::Also { scope: scope(1), last: true, tips: vec![] },
        Frame::List(scope(1)),
        Frame::Same,
        Frame::Show,
    ];
    for frame in frames {
        let bytes = frame.encode();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x41;
            talking().hear(Class::Control, flipped);
        }
    }
}
