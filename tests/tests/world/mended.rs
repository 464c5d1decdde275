//! What the World found, each as the shortest story that shows it.

use std::path::Path;

use merestone_core::id::{MissionId, StoreId};
use merestone_core::roster::Role;
use merestone_store::{Batch, CommitError, Identity, Store, StoreKey, Threads};
use merestone_tests::chance::Chance;
use merestone_tests::outpost;
use merestone_tests::world::disk::Disk;
use merestone_tests::world::senses::{ClockFault, Time};
use merestone_tests::world::site::Site;

#[test]
fn a_device_that_was_just_made_survives_a_power_cut() {
    let mission = outpost::found();
    for seed in 0..8 {
        let words = format!("made {seed}");
        let mut site = Site::found(&mission, &Time::default(), &words, 1, Role::Observer, ClockFault::Right);
        site.kill();
        site.disk.cut_power(&mut Chance::new(seed)).unwrap();
        site.disk.revive();
        site.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// A kill between SQLite's write and its flush leaves a commit that nobody was told of and that looks like any other.
#[test]
fn what_a_store_shows_after_a_kill_survives_a_power_cut() {
    let mut shown_untold = 0;
    for call in 1..12 {
        for seed in 0..4 {
            let disk = Disk::make().unwrap();
            let path = disk.home().join("store");
            let identity = Identity { mission: MissionId::from_bytes([1; 32]), store: StoreId::from_bytes([2; 16]) };
            let store = Store::create_with(&path, StoreKey::from_bytes([0; 32]), identity, Threads::Caller).unwrap();
            disk.kill_in(call);
            let told = (1..=9_u8).take_while(|n| note(&store, *n).is_ok()).last().unwrap_or(0);
            drop(store);
            disk.kill();
            disk.revive();

            let store = open(&path);
            let shown = newest(&store);
            assert!(shown >= told, "killed at call {call}: {told} was told and {shown} is there");
            shown_untold += u32::from(shown > told);
            // Closing would flush; a power cut leaves no time for that.
            disk.kill();
            drop(store);
            disk.cut_power(&mut Chance::new(seed)).unwrap();
            disk.revive();
            let left = newest(&open(&path));
            assert!(left >= shown, "killed at call {call}, power cut {seed}: {shown} was shown and {left} is left");
        }
    }
    assert!(shown_untold > 0, "a kill came between a write and its flush");
}

fn note(store: &Store, number: u8) -> Result<(), CommitError> {
    let mut batch = Batch::new();
    batch.setting("newest", Some(vec![number]));
    store.commit(batch).map(drop)
}

/// The store as its next process opens it, read before it writes anything.
fn open(path: &Path) -> Store {
    Store::open_with(path, StoreKey::from_bytes([0; 32]), Threads::Caller).expect("a store opens after a kill")
}

fn newest(store: &Store) -> u8 {
    store.setting("newest").expect("a sound store is read").map_or(0, |value| value[0])
}
