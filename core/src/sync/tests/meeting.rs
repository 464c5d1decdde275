//! Honest peers, on good and bad links.

use crate::id::{Epoch, LogId};
use crate::record::testing::{key, scope};
use crate::sync::config::LocalState;
use crate::sync::frame::{BATCHES_MAX, Frame};
use crate::sync::testing::{
    Alone, EPOCH, Host, assert_synced, change, file, in_each_version, join, sync, sync_shuffled, sync_until,
};
use crate::sync::{Class, Session, SessionConfig};

/// A small mission: two phones, each with entries and photos of its own.
fn phones() -> [Host; 2] {
    let (mut a, mut b) = (Host::new(31), Host::new(32));
    a.write(31, 5);
    let photos = vec![[file(1, 900), file(2, 70_000), file(3, 200_000)], [file(4, 800), vec![], file(5, 65_536)]];
    a.write_one(31, scope(1), EPOCH, photos);
    b.write(32, 3);
    b.write_one(32, scope(2), EPOCH, vec![[file(6, 700), file(7, 30_000), file(8, 131_073)]]);
    [a, b]
}

#[test]
fn two_phones_hold_the_same_after_they_met() {
    in_each_version(|| {
        let mut hosts = phones();
        sync(&mut hosts);
        assert_synced(&hosts);
        assert_eq!(hosts[0].contents().0.len(), 10);
        assert_eq!(hosts[0].contents().1.len(), 8);
        // A receipt of each, held by both.
        assert_eq!(hosts[1].roster.receipts().count(), 2);
    });
}

#[test]
fn nothing_new_costs_a_few_frames_and_no_more() {
    in_each_version(|| {
        let mut hosts = phones();
        sync(&mut hosts);
        let commits = [hosts[0].commits, hosts[1].commits];
        let link = sync(&mut hosts);
        assert_synced(&hosts);
        assert_eq!([hosts[0].commits, hosts[1].commits], commits);
        assert!(link.bytes <= 6 * 1_024 && link.frames <= 10, "{} frames, {} bytes", link.frames, link.bytes);
    });
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    in_each_version(|| {
        for seed in 0..40 {
            let mut hosts = phones();
            sync_shuffled(&mut hosts, seed);
            assert_synced(&hosts);
        }
    });
}

#[test]
fn a_link_cut_anywhere_loses_nothing_and_resumes() {
    in_each_version(|| {
        let frames = sync(&mut phones()).frames;
        assert!(frames > 30, "{frames}");
        for at in 0..frames {
            let mut hosts = phones();
            sync_until(&mut hosts, at);
            let held = [hosts[0].contents(), hosts[1].contents()];
            let link = sync(&mut hosts);
            assert_synced(&hosts);
            assert!(held.iter().all(|(entries, blobs, _)| {
                entries.is_subset(&hosts[0].contents().0) && blobs.is_subset(&hosts[0].contents().1)
            }));
            // What was durable is not sent again: the second conversation is shorter than a whole one.
            assert!(at < 20 || link.frames < frames + 8, "cut at {at}: {}", link.frames);
        }
    });
}

#[test]
fn a_link_that_breaks_again_and_again_gets_there() {
    in_each_version(|| {
        for seed in 1..25_u64 {
            let mut hosts = phones();
            hosts[0].write_one(31, scope(2), EPOCH, vec![]);
            let mut sizes = Vec::new();
            for attempt in 0.. {
                assert!(attempt < 40, "{sizes:?}");
                let mut link = join(&mut hosts).shuffled(seed * 100 + attempt);
                link.cut_at = Some(8 + (seed * 7 + attempt * 5) as usize % 23);
                link.run(&mut hosts);
                sizes.push((hosts[0].contents().0.len(), hosts[1].contents().0.len(), hosts[1].contents().1.len()));
                if hosts[0].contents().0 == hosts[1].contents().0 && hosts[0].contents().1 == hosts[1].contents().1 {
                    break;
                }
            }
            assert!(sizes.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1 && a.2 <= b.2), "{sizes:?}");
            sync(&mut hosts);
            assert_synced(&hosts);
        }
    });
}

#[test]
fn a_chunk_that_is_durable_is_not_sent_again() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        let original = file(1, 10 * 65_536);
        hosts[0].write_one(31, scope(1), EPOCH, vec![[file(2, 100), vec![], original]]);
        let whole = sync(&mut [copy_of_first(), Host::new(32)]).bytes;
        for cut in 1.. {
            let mut hosts = [copy_of_first(), Host::new(32)];
            sync_until(&mut hosts, cut);
            let durable = hosts[1].partial.values().next().map_or(0, |chunks| chunks.len());
            if durable < 5 {
                continue;
            }
            let again = sync(&mut hosts).bytes;
            assert_synced(&hosts);
            assert!(again + durable * 65_536 < whole + 4_096, "{durable} chunks, {again} of {whole} bytes");
            return;
        }
    });
}

fn copy_of_first() -> Host {
    let mut host = Host::new(31);
    host.write_one(31, scope(1), EPOCH, vec![[file(2, 100), vec![], file(1, 10 * 65_536)]]);
    host
}

#[test]
fn many_logs_of_few_entries_travel_in_few_frames() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        for epoch in 0..500_u64 {
            let epoch = Epoch::from_bytes(epoch.to_be_bytes());
            hosts[0].write_one(31, scope(1), epoch, vec![]);
            hosts[0].write_one(31, scope(1), epoch, vec![]);
        }
        let link = sync(&mut hosts);
        assert_synced(&hosts);
        assert!(link.frames < 40, "{}", link.frames);
    });
}

#[test]
fn entries_committed_while_connected_are_sent_at_once() {
    in_each_version(|| {
        let mut hosts = phones();
        let mut link = join(&mut hosts);
        let stay = |host: &Host, peer| {
            let config = SessionConfig { stay: true, ..host.config(peer) };
            Session::new(config, host.local())
        };
        link.sessions = [stay(&hosts[0], 32), stay(&hosts[1], 31)];
        link.run(&mut hosts);
        assert!(hosts.iter().all(|host| host.closed.is_none() && host.rest().is_some_and(|rest| rest.is_fully_synced)));
        for (side, author) in [(0, 31), (1, 32), (0, 31)] {
            let log = LogId::derive(key(author).public().as_bytes(), scope(1), EPOCH);
            let photos = vec![[file(20 + side as u8, 70), vec![], file(30 + side as u8, 70_000)]];
            hosts[side].write_one(author, scope(1), EPOCH, photos);
            let before = link.frames;
            link.sessions[side].handle(change(&hosts[side], log));
            link.run(&mut hosts);
            assert_eq!(hosts[0].contents().0, hosts[1].contents().0);
            assert_eq!(hosts[0].contents().1, hosts[1].contents().1);
            assert!(
                hosts.iter().all(|host| host.rest().is_some_and(|rest| rest.is_fully_synced)),
                "{:?}",
                hosts[0].rest()
            );
            assert!(link.frames - before < 24, "{}", link.frames - before);
        }
    });
}

#[test]
fn a_word_of_rest_that_waits_behind_a_slow_link_is_not_sent_after_a_change() {
    for is_changed in [false, true] {
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts[0].write(31, 3);
        sync(&mut hosts);
        let [mut host, other] = hosts;
        host.closed = None;
        let hello = other.session(31).poll_send(Class::Control).expect("a hello");
        let config = SessionConfig { stay: true, ..host.config(32) };
        let local = LocalState { agreement: host.last_agreement(32), ..host.local() };
        let mut alone = Alone { session: Session::new(config, local), host };
        assert_eq!(alone.hear(Class::Control, hello), None);
        assert!(alone.host.rest().is_some_and(|rest| rest.is_fully_synced));
        if is_changed {
            alone.host.write(31, 1);
            alone.session.handle(change(&alone.host, LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH)));
            alone.settle();
        }
        let rests = alone.said().into_iter().filter(|frame| matches!(frame, Frame::Same | Frame::Rest(_)));
        assert_eq!(rests.count(), usize::from(!is_changed));
    }
}

#[test]
fn a_peer_that_reads_slowly_makes_the_other_wait() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts[0].write(31, 1_200);
        hosts[0].write_one(31, scope(1), EPOCH, vec![[file(1, 100), vec![], file(2, 40 * 65_536)]]);
        let mut link = join(&mut hosts);
        link.window = 1;
        link.run(&mut hosts);
        assert_synced(&hosts);
        assert_eq!(hosts[0].contents().0.len(), 1_201);
    });
}

#[test]
fn no_more_frames_are_sent_than_may_be_without_acknowledgement() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        for epoch in 0..20_u64 {
            // Bodies so large that two entries fill a frame.
            hosts[0].write_large(31, Epoch::from_bytes(epoch.to_be_bytes()), 3);
        }
        let mut link = join(&mut hosts);
        link.is_mute = true;
        link.run(&mut hosts);
        assert_eq!(link.entry_frames, BATCHES_MAX);
        assert!(link.entry_frames < 20 * 3 / 2);
    });
}
