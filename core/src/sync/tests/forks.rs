//! Logs that were written on from two copies.

use crate::id::LogId;
use crate::record::testing::{key, scope};
use crate::sync::testing::{EPOCH, Host, assert_synced, in_each_version, join, sync, sync_shuffled, sync_until};
use crate::sync::{LocalState, Session, SessionConfig};

fn log() -> LogId {
    LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH)
}

/// The phone of 31 and a copy of it, as a backup makes one: `shared` entries, then some of their own.
fn copies(shared: u64, mine: u64, theirs: u64) -> [Host; 2] {
    let (mut a, mut b) = (Host::new(31), Host::new(32));
    a.write(31, shared);
    b.logs = a.logs.clone();
    for certificate in [a.certificate.clone(), b.certificate.clone()].into_iter().flatten() {
        for host in [&mut a, &mut b] {
            host.roster.admit(crate::roster::Class::Certificate, certificate.as_bytes()).expect("well formed");
        }
    }
    a.write(31, mine);
    b.write(31, theirs);
    [a, b]
}

#[test]
fn both_branches_of_a_fork_are_held_by_both() {
    in_each_version(|| {
        for (shared, mine, theirs) in
            [(5, 1, 1), (0, 2, 3), (300, 40, 7), (7, 600, 1), (1, 1, 900), (4, 0, 3), (4, 3, 0)]
        {
            let mut hosts = copies(shared, mine, theirs);
            sync(&mut hosts);
            assert_synced(&hosts);
            assert_eq!(hosts[0].contents().0.len() as u64, shared + mine + theirs, "{shared} {mine} {theirs}");
            assert_eq!(hosts[0].tip(log()), hosts[1].tip(log()));
        }
    });
}

#[test]
fn a_fork_costs_its_own_length_and_not_the_logs() {
    in_each_version(|| {
        let mut hosts = copies(2_000, 3, 3);
        let link = sync(&mut hosts);
        assert_synced(&hosts);
        assert!(link.bytes < 24_000, "{}", link.bytes);
    });
}

#[test]
fn a_fork_reaches_a_third_that_knows_one_branch() {
    in_each_version(|| {
        let mut hosts = copies(10, 4, 6);
        let (mut third, fourth) = (Host::new(33), Host::new(34));
        third.logs = hosts[1].logs.clone();
        sync(&mut hosts);
        let [a, _b] = hosts;
        for peer in [third, fourth] {
            let mut copy = Host::new(31);
            copy.logs = a.logs.clone();
            let mut pair = [copy, peer];
            sync(&mut pair);
            assert_synced(&pair);
            assert_eq!(pair[1].contents().0.len(), 20);
        }
    });
}

#[test]
fn of_many_branches_both_keep_the_same_four() {
    in_each_version(|| {
        let mut hosts = copies(3, 0, 0);
        for (side, salts) in [(0, 40..43), (1, 50..54)] {
            let base = hosts[side].logs[&log()].main();
            for salt in salts {
                let entry = crate::sync::testing::entry(&key(31), scope(1), EPOCH, &base, salt, &[]);
                hosts[side].keep(&entry);
            }
        }
        sync(&mut hosts);
        let link = sync(&mut hosts);
        assert_synced(&hosts);
        assert_eq!(hosts[0].contents().0.len(), 7);
        assert!(link.frames < 16, "{}", link.frames);
    });
}

#[test]
fn a_receipt_that_a_cut_link_kept_back_is_given_at_the_next_meeting_also_to_who_stays() {
    in_each_version(|| {
        let frames = sync(&mut copies(20, 5, 9)).frames;
        for at in 0..frames {
            let mut hosts = copies(20, 5, 9);
            sync_until(&mut hosts, at);
            let mut link = join(&mut hosts);
            let config = SessionConfig { stay: true, calls: false, ..hosts[1].config(31) };
            link.sessions[1] =
                Session::new(config, LocalState { agreement: hosts[1].last_agreement(31), ..hosts[1].local() });
            link.run(&mut hosts);
            assert_synced(&hosts);
        }
    });
}

#[test]
fn forks_come_together_in_any_order() {
    in_each_version(|| {
        for seed in 0..30 {
            let mut hosts = copies(20, 5, 9);
            hosts[1].write(32, 3);
            sync_shuffled(&mut hosts, seed);
            assert_synced(&hosts);
        }
    });
}

#[test]
fn a_fork_survives_a_link_cut_anywhere() {
    in_each_version(|| {
        let frames = sync(&mut copies(20, 5, 9)).frames;
        for at in 0..frames {
            let mut hosts = copies(20, 5, 9);
            sync_until(&mut hosts, at);
            sync(&mut hosts);
            assert_synced(&hosts);
        }
    });
}
