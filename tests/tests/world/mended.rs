//! What the World found, each as the shortest story that shows it.

use merestone_core::roster::Role;
use merestone_tests::chance::Chance;
use merestone_tests::outpost;
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
