//! Worlds over real links: nothing that must hold is broken there either, and a seed gives the same world in every process.

use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};
use std::thread;

use merestone_tests::outpost;
use merestone_tests::world::luck::Tally;
use merestone_tests::world::run::{Level, Plan, run};
use merestone_tests::world::wire::dice;

/// Worlds that are lived here: about a minute on two cores in the profile of tests.
const WORLDS: u64 = 40;

/// Of these, how many another process lives too.
const AGAIN: u64 = 20;

#[test]
fn worlds_over_real_links_keep_what_was_promised_and_are_the_same_in_another_process() {
    let other = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["--level", "b", "--seed", "1", "--seeds", &AGAIN.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program of campaigns starts");
    let other = thread::spawn(move || other.wait_with_output());
    let mission = outpost::found();
    let (mut tally, mut digest) = (Tally::default(), [0; 32]);
    for seed in 1..=WORLDS {
        match run(Plan { seed, clocks: 0, events: 60, level: Level::Wires }, &mission) {
            Ok(outcome) => {
                tally += outcome.tally;
                if seed <= AGAIN {
                    digest.iter_mut().zip(outcome.digest).for_each(|(all, one)| *all ^= one);
                }
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{tally}");
    assert!(tally.live > 0 && tally.promised > 0 && tally.moves > 0 && tally.strangers > 0 && tally.lost_datagrams > 0);
    let other = other.join().expect("waiting does not panic").expect("the other process can be waited for");
    let said = String::from_utf8_lossy(&other.stdout);
    let digest: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(said.contains(&digest), "this process says {digest} and the other one\n{said}");
}

#[test]
fn a_thread_with_a_seed_draws_the_same_random_bytes_again_and_another_one_does_not() {
    let draw = || {
        let mut bytes = [0; 20];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut bytes).expect("the system has random bytes");
        (bytes, RandomState::new().hash_one(7))
    };
    assert_eq!(dice::with_seed(1, draw), dice::with_seed(1, draw));
    assert_ne!(dice::with_seed(1, draw), dice::with_seed(2, draw));
    assert_ne!(draw(), draw());
}
