//! Conversations that their caller drives: without threads, runtime, clock or socket, and on one thread over a link.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod replica_support;

use merestone_core::roster::Role;
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_core::sync::{Class, CloseCode};
use merestone_node::replica::{BehindLog, Camp, End, LedgerKey, Pace, Replica, SyncOutcome, Talk, TalkOptions};
use merestone_store::Threads;
use replica_support::{LEDGER, Mission, Site, key, meet, scope, serve, within};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

fn site(mission: &Mission, seed: u8, role: Role) -> Site {
    Site::on(Threads::Caller, mission, seed, role, &[scope(1), scope(2)])
}

fn inline(site: &Site) -> Replica {
    Replica::open(site.setup().inline())
}

/// Carries frames until one side closes or nothing moves; what was carried, as it was carried.
fn carry(one: &mut Talk, other: &mut Talk) -> Vec<(Class, Vec<u8>)> {
    let mut carried = Vec::new();
    loop {
        let before = carried.len();
        one.look();
        other.look();
        for class in Class::ALL {
            for is_first in [true, false] {
                let (from, to) = if is_first { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
                while let Some(frame) = from.next_frame(class) {
                    carried.push((class, frame.clone()));
                    to.deliver(class, frame);
                }
            }
        }
        if one.is_over() || other.is_over() || carried.len() == before {
            return carried;
        }
    }
}

/// One conversation to its end.
fn hold(caller: &Replica, answerer: &Replica, options: TalkOptions) -> (SyncOutcome, SyncOutcome) {
    let mut one = Talk::begin(caller, answerer.transport_key(), options).unwrap();
    let stay = TalkOptions { stay: true, ..TalkOptions::default() };
    let mut other = Talk::begin(answerer, caller.transport_key(), stay).unwrap();
    carry(&mut one, &mut other);
    let close = one.close().expect("the caller closes");
    other.closed_by_peer(close.code);
    (one.finish(), other.finish())
}

/// The threads of this process that are a store's, a ledger's or a runtime's; empty where the system does not name them.
fn threads() -> Vec<String> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("merestone-") || name.starts_with("tokio-")).collect()
}

#[test]
fn two_stores_hold_the_same_after_a_talk_that_started_no_thread() {
    let mission = Mission::new(31);
    let (mut anna, mut camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.write(700, 3);
    anna.photograph(200_000);
    camp.author = replica_support::Author::new(&mission, 9, scope(2), camp.certificate.id());
    let (here, there) = hold(&inline(&anna), &inline(&camp), TalkOptions::default());
    assert_eq!(threads(), Vec::<String>::new());
    assert!(here.is_fully_synced && there.is_fully_synced, "{here:?} {there:?}");
    assert!(matches!((&here.end, &there.end), (End::Done, End::Done)));
    assert_eq!(anna.holding(), camp.holding());
    assert!(here.bytes_sent > 200_000 && here.bytes_sent == there.bytes_received);
    assert_eq!(here.progress.entries_sent, 701);
}

#[test]
fn the_same_calls_on_the_same_stores_give_the_same_frames() {
    let run = || {
        let mission = Mission::new(32);
        let (mut anna, mut boris) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
        anna.write(40, 3);
        boris.write(25, 3);
        anna.photograph(150_000);
        let (at_anna, at_boris) = (inline(&anna), inline(&boris));
        let mut one = Talk::begin(&at_anna, at_boris.transport_key(), TalkOptions::default()).unwrap();
        let mut other = Talk::begin(&at_boris, at_anna.transport_key(), TalkOptions::default()).unwrap();
        (carry(&mut one, &mut other), anna.holding(), boris.holding())
    };
    let (first, second) = (run(), run());
    assert!(first == second);
    assert_eq!(first.1, first.2);
}

#[test]
fn a_log_that_the_peer_does_not_hold_is_named_when_the_link_is_lost_before_it() {
    let mission = Mission::new(40);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.write(7, 3);
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    let mut one = Talk::begin(&at_anna, at_camp.transport_key(), TalkOptions::default()).unwrap();
    let mut other = Talk::begin(&at_camp, at_anna.transport_key(), TalkOptions::default()).unwrap();
    // Everything is said, and no entry gets through.
    loop {
        let (here, there) = (one.next_frame(Class::Control), other.next_frame(Class::Control));
        if here.is_none() && there.is_none() {
            break;
        }
        here.into_iter().for_each(|frame| other.deliver(Class::Control, frame));
        there.into_iter().for_each(|frame| one.deliver(Class::Control, frame));
    }
    one.lost();
    other.lost();
    let heights = |logs: &[BehindLog]| logs.iter().map(|log| (log.here, log.there)).collect::<Vec<_>>();
    assert_eq!(heights(&one.finish().missing_there), [(7, 0)]);
    assert_eq!(heights(&other.finish().missing_here.logs), [(0, 7)]);
}

/// Carries frames, the least urgent class first, between sides whose stores take their time: the first one's works when nothing
/// else can be done, the second one's when the first has nothing to do either.
fn carry_slowly(one: &mut Talk, other: &mut Talk) {
    let mut wires: [BTreeMap<Class, VecDeque<Vec<u8>>>; 2] = Default::default();
    while !one.is_over() && !other.is_over() {
        let mut moves = false;
        for (side, wires) in wires.iter_mut().enumerate() {
            let (from, to) = if side == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
            for class in Class::ALL {
                while let Some(frame) = from.next_frame(class) {
                    wires.entry(class).or_default().push_back(frame);
                }
            }
            let next = wires.iter_mut().rev().find(|(class, wire)| to.is_receiving(**class) && !wire.is_empty());
            if let Some((class, frame)) = next.and_then(|(class, wire)| Some((*class, wire.pop_front()?))) {
                to.deliver(class, frame);
                moves = true;
            }
        }
        if !moves && !one.work() && !other.work() {
            return;
        }
    }
}

#[test]
fn a_slow_store_and_classes_that_overtake_each_other_change_nothing() {
    let mission = Mission::new(41);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    let options = TalkOptions { pace: Pace::WhenTold, ..TalkOptions::default() };
    // The first time with nothing; from the second on each names its certificate, which the other's store has to find.
    for meeting in 0..4 {
        let mut one = Talk::begin(&at_anna, at_camp.transport_key(), options).unwrap();
        let mut other = Talk::begin(&at_camp, at_anna.transport_key(), options).unwrap();
        carry_slowly(&mut one, &mut other);
        let (here, there) = (one.close(), other.close());
        here.into_iter().for_each(|close| other.closed_by_peer(close.code));
        there.into_iter().for_each(|close| one.closed_by_peer(close.code));
        let (here, there) = (one.finish(), other.finish());
        assert!(here.is_fully_synced && there.is_fully_synced, "{meeting}: {here:?} {there:?}");
        assert_eq!(anna.holding(), camp.holding());
        anna.write(3, 3);
        anna.photograph(70_000);
    }
}

#[test]
fn what_is_written_during_a_talk_is_passed_on() {
    let mission = Mission::new(33);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.write(2, 3);
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    at_anna.notify().unwrap();
    let stay = TalkOptions { stay: true, ..TalkOptions::default() };
    let mut one = Talk::begin(&at_anna, at_camp.transport_key(), stay).unwrap();
    let mut other = Talk::begin(&at_camp, at_anna.transport_key(), stay).unwrap();
    carry(&mut one, &mut other);
    assert!(one.progress().is_fully_synced && other.progress().is_fully_synced);
    anna.write(3, 3);
    at_anna.notify().unwrap();
    assert!(one.look() && !one.progress().is_fully_synced);
    carry(&mut one, &mut other);
    assert!(one.progress().is_fully_synced && other.progress().is_fully_synced);
    assert_eq!(anna.holding(), camp.holding());
    one.stop();
    assert_eq!(one.close().map(|close| close.code), Some(CloseCode::Bye));
    assert!(matches!(one.finish().end, End::Stopped));
    other.lost();
    assert!(matches!(other.finish().end, End::Lost { .. }));
}

#[test]
fn originals_stay_behind_on_a_link_that_wants_none() {
    let mission = Mission::new(34);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    let original = anna.photograph(300_000);
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    let wants = Wants::entries_and(&[BlobClass::Thumbnail, BlobClass::Preview]);
    let (there, here) = hold(&at_camp, &at_anna, TalkOptions { wants, ..TalkOptions::default() });
    assert!(here.bytes_sent < 50_000);
    assert!(!there.is_fully_synced, "a photo that an entry names is not here");
    assert_eq!(there.missing_here.photos.iter().map(|photo| photo.hash).collect::<Vec<_>>(), [original]);
    let (there, _) = hold(&at_camp, &at_anna, TalkOptions::default());
    assert!(there.is_fully_synced);
}

#[test]
fn a_frame_that_is_none_ends_a_talk_with_its_code() {
    let mission = Mission::new(35);
    let (anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    let mut talk = Talk::begin(&inline(&camp), inline(&anna).transport_key(), TalkOptions::default()).unwrap();
    talk.deliver(Class::Control, b"GET / HTTP/1.1".to_vec());
    assert_eq!(talk.close().map(|close| close.code), Some(CloseCode::Malformed));
    assert_eq!(talk.next_frame(Class::Control), None);
    assert!(matches!(talk.finish().end, End::ClosedHere { code: CloseCode::Malformed, .. }));
}

#[test]
fn a_silent_peer_is_left_by_the_callers_clock() {
    let mission = Mission::new(36);
    let (anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    let mut talk = Talk::begin(&inline(&camp), inline(&anna).transport_key(), TalkOptions::default()).unwrap();
    assert!(talk.next_frame(Class::Control).is_some());
    for second in 0..200 {
        talk.wake(second * 1_000);
    }
    assert_eq!(talk.close().map(|close| close.code), Some(CloseCode::TooSlow));
}

#[test]
fn a_camp_without_threads_continues_its_ledger_when_told() {
    let mission = Mission::new(37);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.write(5, 3);
    let ledger = LedgerKey::new(Arc::new(key(LEDGER)), mission.charter.charter().ledger.as_ref()).unwrap();
    let camp_of = Camp::around(inline(&camp), Some(ledger), Duration::from_secs(60)).unwrap();
    hold(&inline(&anna), camp_of.replica(), TalkOptions::default());
    assert_eq!(camp_of.ledger_size(), Some(0));
    camp_of.keep_up(0);
    let size = camp_of.ledger_size().unwrap();
    assert!(size >= 5 && camp_of.ledger_trouble().is_none());
    let notes = || camp_of.replica().authority().roster().newest_note().map(|note| note.size());
    assert_eq!(notes(), Some(size));
    anna.write(1, 3);
    hold(&inline(&anna), camp_of.replica(), TalkOptions::default());
    camp_of.keep_up(1_000);
    assert_eq!((camp_of.ledger_size(), notes()), (Some(size + 1), Some(size)));
    camp_of.keep_up(61_000);
    assert_eq!(notes(), Some(size + 1));
}

#[tokio::test(flavor = "current_thread")]
async fn one_thread_holds_conversations_over_a_link() {
    let mission = Mission::new(38);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.write(1_200, 3);
    anna.photograph(700_000);
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    let serving = serve(&at_camp);
    let outcome = within(at_anna.sync_with(meet(&serving, &at_camp)).outcome()).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert_eq!(anna.holding(), camp.holding());
    assert_eq!(threads(), Vec::<String>::new());
}

/// Carries frames until `limit` frames of originals were delivered to `to`, or nothing moves; how many were.
fn carry_originals(from: &mut Talk, to: &mut Talk, limit: usize) -> usize {
    let mut originals = 0;
    loop {
        let mut is_busy = false;
        for class in Class::ALL {
            while let Some(frame) = to.next_frame(class) {
                from.deliver(class, frame);
                is_busy = true;
            }
            while let Some(frame) = from.next_frame(class) {
                is_busy = true;
                to.deliver(class, frame);
                originals += usize::from(class == Class::Blobs(BlobClass::Original));
                if originals == limit {
                    return originals;
                }
            }
        }
        if !is_busy || from.is_over() || to.is_over() {
            return originals;
        }
    }
}

#[test]
fn a_link_cut_after_every_chunk_sends_no_chunk_twice() {
    const CHUNKS: usize = 20;
    let mission = Mission::new(39);
    let (mut anna, camp) = (site(&mission, 3, Role::Observer), site(&mission, 9, Role::Camp));
    anna.photograph(CHUNKS * 65_536);
    let (at_anna, at_camp) = (inline(&anna), inline(&camp));
    let mut frames = 0;
    let mut cuts = 0;
    while anna.holding() != camp.holding() {
        let mut one = Talk::begin(&at_anna, at_camp.transport_key(), TalkOptions::default()).unwrap();
        let mut other = Talk::begin(&at_camp, at_anna.transport_key(), TalkOptions::default()).unwrap();
        // The chunk hashes and one chunk.
        frames += carry_originals(&mut one, &mut other, 2);
        cuts += 1;
        assert!(cuts <= CHUNKS + 1);
    }
    assert_eq!(frames, cuts + CHUNKS);
}

#[test]
fn of_two_sources_one_sends_a_photo_and_the_other_goes_on_when_it_is_lost() {
    const CHUNKS: usize = 12;
    let mission = Mission::new(40);
    let (mut anna, boris) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
    let camp = site(&mission, 9, Role::Camp);
    anna.photograph(CHUNKS * 65_536);
    let (at_anna, at_boris, at_camp) = (inline(&anna), inline(&boris), inline(&camp));
    assert!(hold(&at_anna, &at_boris, TalkOptions::default()).0.is_fully_synced);
    let begin = |of: &Replica, with: &Replica| Talk::begin(of, with.transport_key(), TalkOptions::default()).unwrap();
    let (mut one, mut from_one) = (begin(&at_anna, &at_camp), begin(&at_camp, &at_anna));
    let first = carry_originals(&mut one, &mut from_one, 5);
    let (mut two, mut from_two) = (begin(&at_boris, &at_camp), begin(&at_camp, &at_boris));
    assert_eq!(carry_originals(&mut two, &mut from_two, usize::MAX), 0, "it comes from the other");
    assert!(!from_two.is_over());
    drop(from_one);
    assert!(from_two.look());
    let rest = carry_originals(&mut two, &mut from_two, usize::MAX);
    // Each sent the chunk hashes once.
    assert_eq!(first + rest, CHUNKS + 2);
    assert!(from_two.progress().is_fully_synced || from_two.finish().is_fully_synced);
    assert_eq!(boris.holding(), camp.holding());
}

#[test]
fn two_sources_that_are_met_at_once_send_different_photos() {
    const PHOTOS: usize = 24;
    let mission = Mission::new(41);
    let (mut anna, boris) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
    let camp = site(&mission, 9, Role::Camp);
    (0..PHOTOS).for_each(|more| _ = anna.photograph(70_000 + more));
    let (at_anna, at_boris, at_camp) = (inline(&anna), inline(&boris), inline(&camp));
    assert!(hold(&at_anna, &at_boris, TalkOptions::default()).0.is_fully_synced);
    let begin = |of: &Replica, with: &Replica| Talk::begin(of, with.transport_key(), TalkOptions::default()).unwrap();
    let (mut one, mut from_one) = (begin(&at_anna, &at_camp), begin(&at_camp, &at_anna));
    let (mut two, mut from_two) = (begin(&at_boris, &at_camp), begin(&at_camp, &at_boris));
    let mut brought = [0, 0];
    while anna.holding() != camp.holding() {
        let before = brought;
        brought[0] += carry_originals(&mut one, &mut from_one, 1);
        from_two.look();
        brought[1] += carry_originals(&mut two, &mut from_two, 1);
        from_one.look();
        assert_ne!(brought, before, "somebody brings what is missing");
    }
    // Of each photo the chunk hashes and two chunks, whoever brought it.
    assert_eq!(brought.iter().sum::<usize>(), PHOTOS * 3);
    assert!(brought.iter().all(|frames| *frames >= PHOTOS / 4), "{brought:?}");
}
