//! Receipts told by what differs: how short, and what happens when a peer cannot or will not.

use crate::id::{Epoch, StatementId};
use crate::receipt::RECEIPT_BYTES_MAX;
use crate::record::testing::scope;
use crate::roster::Class as StatementClass;
use crate::sync::frame::{Difference, Frame};
use crate::sync::testing::{Alone, Host, assert_synced, join, speak, sync, sync_shuffled};
use crate::sync::{Class, CloseCode, Report, Version};

fn epoch(number: u64) -> Epoch {
    Epoch::from_bytes(number.to_be_bytes())
}

/// Two phones that hold the same `logs` logs, each with the receipt of both.
fn met(logs: u64) -> [Host; 2] {
    speak(Version::NEWEST);
    let mut hosts = [Host::new(31), Host::new(32)];
    (0..logs).for_each(|number| _ = hosts[0].write_one(31, scope(1), epoch(number), Vec::new()));
    sync(&mut hosts);
    assert_synced(&hosts);
    hosts
}

fn receipts_held(host: &Host) -> usize {
    host.reports.iter().filter(|report| matches!(report, Report::ReceiptHeld(_))).count()
}

#[test]
fn one_change_in_500_logs_costs_what_changed() {
    let mut hosts = met(500);
    for number in [250, 251, 7] {
        hosts[0].write_one(31, scope(1), epoch(number), Vec::new());
        let link = sync(&mut hosts);
        assert_synced(&hosts);
        assert_eq!(hosts.each_ref().map(receipts_held), [1, 1]);
        assert!(link.bytes <= 3_000, "{} bytes", link.bytes);
    }
}

#[test]
fn receipts_of_others_are_told_by_one_another() {
    let mut hosts = met(500);
    // A third phone meets the first after each change, so that the second hears of all its receipts together.
    let mut third = Host::new(33);
    for number in 0..6 {
        hosts[0].write_one(31, scope(1), epoch(number), Vec::new());
        let [first, second] = hosts;
        let mut pair = [first, third];
        sync(&mut pair);
        assert_synced(&pair);
        let [first, moved] = pair;
        (hosts, third) = ([first, second], moved);
    }
    let link = sync(&mut hosts);
    assert_synced(&hosts);
    assert!(link.bytes <= 12_000, "{} bytes", link.bytes);
}

#[test]
fn what_cannot_be_rebuilt_is_asked_for_whole() {
    for own in [true, false] {
        let mut hosts = met(40);
        hosts[0].write_one(31, scope(1), epoch(3), Vec::new());
        if !own {
            let mut third = [std::mem::replace(&mut hosts[0], Host::new(31)), Host::new(33)];
            sync(&mut third);
            hosts[0] = third.into_iter().next().expect("it is the first");
        }
        let mut link = join(&mut hosts);
        link.tamper = Some(|class, frame| {
            if class == Class::Control
                && let Ok(Frame::Difference(difference)) = Frame::decode(frame)
            {
                *frame =
                    Frame::Difference(Difference { base: StatementId::from_bytes([9; 32]), ..difference }).encode();
            }
        });
        link.run(&mut hosts);
        assert_synced(&hosts);
        // What is held has its receipt already when a third phone was met in between.
        assert_eq!(receipts_held(&hosts[1]), usize::from(own));
    }
}

#[test]
fn the_order_of_arrival_changes_no_receipt() {
    for seed in 0..20 {
        let mut hosts = met(20);
        hosts[0].write_one(31, scope(1), epoch(3), Vec::new());
        hosts[1].write_one(32, scope(1), epoch(3), Vec::new());
        sync_shuffled(&mut hosts, seed);
        assert_synced(&hosts);
    }
}

/// A session of 31 that talks with 32, both hold the same statements; 32 speaks by hand.
fn talking() -> (Alone, Host) {
    let [mut first, mut second] = met(40);
    first.closed = None;
    second.write(32, 1);
    let mut alone = Alone::new(first, 32);
    let hello = second.session(31).poll_send(Class::Control).expect("a hello");
    assert_eq!(alone.hear(Class::Control, hello), None);
    alone.said();
    (alone, second)
}

#[test]
fn a_difference_that_gives_another_receipt_or_too_much_is_asked_for_whole_and_costs_nothing() {
    let (_, peer) = talking();
    let base = peer.roster.receipts().next().expect("both hold receipts");
    let bytes = base.as_bytes();
    let pack = |bytes: &[u8]| {
        zstd::bulk::Compressor::with_dictionary(3, base.as_bytes()).and_then(|mut c| c.compress(bytes)).expect("zstd")
    };
    let other = [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1][..]].concat();
    let honest = || Difference {
        own: false,
        id: StatementId::of(&other),
        base: base.id(),
        size: other.len() as u64,
        packed: pack(&other),
    };
    let rows = [
        ("another id", Difference { id: StatementId::from_bytes([1; 32]), ..honest() }),
        ("no base", Difference { base: StatementId::from_bytes([1; 32]), ..honest() }),
        ("another base", Difference { base: peer.roster.receipts().nth(1).expect("of both").id(), ..honest() }),
        ("a size less", Difference { size: honest().size - 1, ..honest() }),
        ("a size more", Difference { size: honest().size + 1, ..honest() }),
        ("a bomb", Difference { size: u64::MAX, packed: pack(&vec![0; 1 << 26]), ..honest() }),
        ("beyond a receipt", Difference { size: 2 << 20, packed: pack(&vec![0; 2 << 20]), ..honest() }),
        (
            "a bomb of a small size",
            Difference { size: RECEIPT_BYTES_MAX as u64, packed: pack(&vec![0; 1 << 26]), ..honest() },
        ),
        ("no zstd", Difference { packed: vec![7; 90], ..honest() }),
        ("nothing", Difference { packed: vec![], ..honest() }),
    ];
    for (name, difference) in rows {
        let (mut alone, _) = talking();
        let id = difference.id;
        assert_eq!(alone.hear(Class::Control, Frame::Difference(difference).encode()), None, "{name}");
        assert!(alone.said().contains(&Frame::Whole(id)), "{name}");
    }
    // It is rebuilt, and then judged as any other.
    let (mut alone, _) = talking();
    assert_eq!(alone.hear(Class::Control, Frame::Difference(honest()).encode()), None);
    assert!(!alone.said().iter().any(|frame| matches!(frame, Frame::Whole(_))));
    assert!(alone.host.reports.iter().any(|report| matches!(
        report,
        Report::StatementRefused { class: StatementClass::Receipt, id, .. } if *id == StatementId::of(&other)
    )));
}

#[test]
fn whole_of_what_was_not_told_by_difference_ends_the_conversation() {
    let (mut alone, peer) = talking();
    let held = peer.roster.receipts().next().expect("both hold receipts").id();
    let close = alone.hear(Class::Control, Frame::Whole(held).encode());
    assert_eq!(close.map(|close| close.code), Some(CloseCode::Malformed));
}

#[test]
fn a_flood_of_differences_ends_the_conversation() {
    let (mut alone, _) = talking();
    let flood = (0..100_u8).find_map(|number| {
        let difference = Difference {
            own: true,
            id: StatementId::from_bytes([number; 32]),
            base: StatementId::from_bytes([200; 32]),
            size: 10,
            packed: vec![],
        };
        // The store answers nothing meanwhile.
        alone.session.handle(crate::sync::Input::Frame(Class::Control, Frame::Difference(difference).encode()));
        std::iter::from_fn(|| alone.session.poll()).find_map(|action| match action {
            crate::sync::Action::Close(close) => Some(close.code),
            _ => None,
        })
    });
    assert_eq!(flood, Some(CloseCode::Limit));
}
