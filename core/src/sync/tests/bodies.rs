//! Bodies that are missing under headers both sides hold: lost by a disk, or withheld by a peer.

use crate::id::LogId;
use crate::record::testing::{charter, key, scope};
use crate::sync::frame::Frame;
use crate::sync::io::{Class, Input};
use crate::sync::testing::{Alone, EPOCH, Host, assert_synced, file, join, sync};
use crate::sync::{Action, CloseCode, LocalState, Session, SessionConfig, Version, wire};

fn log_of(author: u8) -> LogId {
    LogId::derive(key(author).public().as_bytes(), scope(1), EPOCH)
}

fn missing(host: &Host) -> usize {
    host.without_bodies(&[scope(1)]).count()
}

/// Two phones that hold the same entries of one log.
fn met(entries: u64) -> [Host; 2] {
    let mut hosts = [Host::new(31), Host::new(32)];
    hosts[0].write(31, entries);
    sync(&mut hosts);
    assert_synced(&hosts);
    hosts
}

/// A session of one of them that has heard the hello of the other.
fn talking() -> Alone {
    let [mut host, other] = met(3);
    host.closed = None;
    let hello = other.session(31).poll_send(Class::Control).expect("a hello");
    // They hold the same, and stay for what is written later.
    let config = SessionConfig { stay: true, ..host.config(32) };
    let local = LocalState { agreement: host.last_agreement(32), ..host.local() };
    let mut alone = Alone { session: Session::new(config, local), host };
    assert_eq!(alone.hear(Class::Control, hello), None);
    alone
}

/// What a peer does that passes on headers and keeps what was observed.
fn withhold(class: Class, frame: &mut Vec<u8>) {
    if class == Class::Entries {
        let received = wire::decode(frame, charter().mission(), Version::V2).expect("an honest frame");
        let headers = received.entries.iter().map(|entry| wire::Outgoing { header: &entry.header, body: None });
        *frame = wire::encode_full(&headers.collect::<Vec<_>>());
    }
}

#[test]
fn bodies_that_either_side_lost_come_back_though_the_tips_are_equal() {
    for seed in 0..3 {
        let mut hosts = met(1_300);
        // On one side more than may be outstanding.
        hosts[0].lose_bodies(log_of(31), (0..1_300).filter(|seq| seq % 10 != 3));
        hosts[1].lose_bodies(log_of(31), (0..1_300).filter(|seq| seq % 10 == 3));
        let mut link = join(&mut hosts);
        if seed > 0 {
            link = link.shuffled(seed);
        }
        link.run(&mut hosts);
        assert_synced(&hosts);
        assert_eq!([missing(&hosts[0]), missing(&hosts[1])], [0, 0], "{seed}");
    }
}

#[test]
fn bodies_that_one_peer_withheld_come_from_another_with_the_photos_they_name() {
    let (author, liar, camp) = (Host::new(31), Host::new(32), Host::new(33));
    let mut hosts = [author, liar];
    hosts[0].write(31, 3);
    hosts[0].write_one(31, scope(1), EPOCH, vec![[file(1, 900), file(2, 70_000), file(3, 100_000)]]);
    sync(&mut hosts);
    let [author, liar] = hosts;

    let mut hosts = [liar, camp];
    let mut link = join(&mut hosts);
    link.tamper = Some(withhold);
    link.run(&mut hosts);
    assert_eq!(hosts[1].tip(log_of(31)), author.tip(log_of(31)), "headers are kept");
    assert_eq!((missing(&hosts[1]), hosts[1].blobs.len()), (4, 0));
    let rest = hosts[1].rest().expect("it ends");
    assert!(!rest.is_fully_synced && rest.missing_here == 4, "{rest:?}");
    let [_, camp] = hosts;

    let mut hosts = [author, camp];
    sync(&mut hosts);
    assert_synced(&hosts);
    assert_eq!((missing(&hosts[1]), hosts[1].blobs.len()), (0, 3));
}

#[test]
fn a_body_that_nobody_holds_is_missing_and_nobody_waits_for_it() {
    let mut hosts = met(5);
    for host in &mut hosts {
        host.lose_bodies(log_of(31), [2, 3]);
    }
    sync(&mut hosts);
    for host in &hosts {
        let rest = host.rest().expect("it ends");
        assert!(!rest.is_fully_synced && rest.missing_here == 2, "{rest:?}");
    }
    assert!(hosts.iter().any(|host| host.closed.is_some_and(|close| close.code == CloseCode::Bye)));
}

#[test]
fn bodies_of_a_log_that_is_not_shared_are_as_good_as_not_held() {
    let mut alone = talking();
    let foreign = LogId::from_bytes([9; 32]);
    assert_eq!(alone.hear(Class::Control, Frame::Bodies(foreign, vec![0, 7]).encode()), None);
    assert!(alone.said().contains(&Frame::Bodiless(foreign, vec![0, 7])));
}

#[test]
fn a_peer_that_asks_for_more_bodies_than_may_be_outstanding_is_left() {
    let Alone { mut session, .. } = talking();
    for from in 0..5 {
        let seqs = (from * 256..(from + 1) * 256).collect();
        session.handle(Input::Frame(Class::Control, Frame::Bodies(log_of(31), seqs).encode()));
    }
    let closed = std::iter::from_fn(|| session.poll()).find_map(|action| match action {
        Action::Close(close) => Some(close.code),
        _ => None,
    });
    assert_eq!(closed, Some(CloseCode::Limit));
}
