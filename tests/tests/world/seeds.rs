//! Worlds from seeds: nothing that must hold is broken, and a seed gives the same world again.

use merestone_tests::chance::Chance;
use merestone_tests::outpost::Missions;
use merestone_tests::world::luck::{Luck, Tally};
use merestone_tests::world::run::{Level, Plan, run};

/// Device-hours that this test lives: about half a minute in the profile of tests. `sim` lives longer campaigns.
const DEVICE_HOURS: u64 = 60;

#[test]
fn worlds_of_bad_luck_keep_what_was_promised() {
    let missions = Missions::found();
    let mut tally = Tally::default();
    for seed in 3_000.. {
        if tally.device_hours >= DEVICE_HOURS {
            break;
        }
        match run(Plan { seed, clocks: 0, events: 60, level: Level::Talks }, &missions) {
            Ok(outcome) => tally += outcome.tally,
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{tally}");
    assert!(tally.contacts > 0 && tally.entries > 0);
}

#[test]
fn a_seed_gives_the_same_world_again() {
    let missions = Missions::found();
    let again = || {
        run(Plan { seed: 7, clocks: 0, events: 60, level: Level::Talks }, &missions)
            .unwrap_or_else(|failure| panic!("{failure}"))
    };
    let (one, other) = (again(), again());
    assert_eq!(one.tally, other.tally);
    assert_eq!(one.shown.differs(&other.shown), None);
}

#[test]
fn clocks_decide_nothing() {
    let missions = Missions::found();
    // Not bad luck that depends on how many bytes an entry has, hence how many storage calls it takes, or on which of two
    // forks has the lower id: the numbers that other clocks show are longer or shorter, and signed.
    let is_comparable = |seed: &u64| {
        let luck = Luck::draw(&mut Chance::new(*seed));
        let by_bytes =
            luck.short_links || luck.full_disks || luck.busy || luck.hostile || (luck.couriers && luck.bit_flips);
        let by_calls = luck.kills || luck.power_cuts || luck.io_errors;
        luck.clocks && !by_bytes && !by_calls && !luck.restores && !luck.clones
    };
    for seed in (5_000..).filter(is_comparable).take(2) {
        let under = |clocks| {
            run(Plan { seed, clocks, events: 60, level: Level::Talks }, &missions)
                .unwrap_or_else(|failure| panic!("{failure}"))
        };
        let (one, other) = (under(0).shown.applied_words(), under(1).shown.applied_words());
        assert!(!one.is_empty());
        assert_eq!(one, other, "world {seed}");
    }
}
