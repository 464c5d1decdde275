//! Peers that pass on headers without bodies, or entries without those before them.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod replica_support;

use merestone_core::id::MissionId;
use merestone_core::roster::Role;
use merestone_core::sync::{Class, Version, wire};
use merestone_node::replica::{Replica, SyncOutcome, Talk, TalkOptions};
use merestone_store::Threads;
use replica_support::{Mission, Site, scope};

fn site(mission: &Mission, seed: u8, role: Role) -> Site {
    Site::on(Threads::Caller, mission, seed, role, &[scope(1), scope(2)])
}

/// What becomes of a frame of entries on its way: which of them, by their place in it, arrive, and with their bodies or not.
fn edited(mission: MissionId, frame: &[u8], keep: impl Fn(usize) -> Option<bool>) -> Vec<u8> {
    let received = wire::decode(frame, mission, Version::V2).unwrap();
    let entries = received.entries.iter().enumerate().filter_map(|(at, entry)| {
        let has_body = keep(at)?;
        Some(wire::Outgoing { header: &entry.header, body: entry.body.as_deref().filter(|_| has_body) })
    });
    wire::encode_full(&entries.collect::<Vec<_>>())
}

/// One conversation to its end, in which the first side does to its entries what `tamper` does; the second side's outcome.
fn meet(one: &Site, other: &Site, tamper: impl Fn(Vec<u8>) -> Vec<u8>) -> SyncOutcome {
    let [at_one, at_other] = [one, other].map(|site| Replica::open(site.setup().inline()));
    let begin =
        |here: &Replica, there: &Replica| Talk::begin(here, there.transport_key(), TalkOptions::default()).unwrap();
    let mut talks = [begin(&at_one, &at_other), begin(&at_other, &at_one)];
    loop {
        let mut moves = false;
        for class in Class::ALL {
            for from in 0..2 {
                while let Some(frame) = talks[from].next_frame(class) {
                    moves = true;
                    let frame = if from == 0 && class == Class::Entries { tamper(frame) } else { frame };
                    talks[1 - from].deliver(class, frame);
                }
            }
        }
        if !moves || talks.iter().any(Talk::is_over) {
            break;
        }
    }
    let [mut first, mut second] = talks;
    match (first.close(), second.close()) {
        (Some(close), None) => second.closed_by_peer(close.code),
        (None, Some(close)) => first.closed_by_peer(close.code),
        (Some(_), Some(_)) | (None, None) => {}
    }
    first.finish();
    second.finish()
}

#[test]
fn bodies_that_one_peer_stripped_come_from_the_next_with_their_photos() {
    let mission = Mission::new(51);
    let (mut author, liar) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
    let camp = site(&mission, 9, Role::Camp);
    author.write(5, 3);
    author.photograph(150_000);
    assert!(meet(&author, &liar, |frame| frame).is_fully_synced);
    let stripped = meet(&liar, &camp, |frame| edited(mission.id(), &frame, |_| Some(false)));
    assert!(!stripped.is_fully_synced);
    assert_eq!(stripped.missing_here.bodies.len(), 6);
    let mended = meet(&author, &camp, |frame| frame);
    assert!(mended.is_fully_synced, "{mended:?}");
    assert_eq!(author.holding(), camp.holding());
    assert!(camp.store.missing_bodies(10).unwrap().is_empty());
}

#[test]
fn an_entry_without_those_before_it_leaves_nobody_with_a_gap() {
    let mission = Mission::new(52);
    let (mut liar, mut other) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
    let camp = site(&mission, 9, Role::Camp);
    liar.write(3, 3);
    other.write(1, 3);
    meet(&liar, &camp, |frame| edited(mission.id(), &frame, |at| (at == 2).then_some(true)));
    let held = |site: &Site| site.store.counts().unwrap().entries;
    assert_eq!(held(&camp), 0);
    let met = meet(&other, &camp, |frame| frame);
    assert!(met.is_fully_synced, "{met:?}");
    assert_eq!((held(&camp), held(&other)), (1, 1));
    assert!(meet(&liar, &camp, |frame| frame).is_fully_synced);
    assert_eq!(held(&camp), 4);
}
