//! Worlds over real links: nothing that must hold is broken there either, and a seed gives the same world in every process.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::process::{Command, Output, Stdio};
use std::thread::{self, JoinHandle};

use merestone_tests::outpost::Missions;
use merestone_tests::world::luck::Tally;
use merestone_tests::world::run::{Level, Plan, run};
use merestone_tests::world::wire::dice;

/// Worlds that are lived here and in another process, and as many more in a third: about a minute on two cores in the profile
/// of tests.
const WORLDS: u64 = 20;

#[test]
fn worlds_over_real_links_keep_what_was_promised_and_are_the_same_in_another_process() {
    let [same, further] = [1, 1 + WORLDS].map(campaign);
    let missions = Missions::found();
    let (mut tally, mut digest) = (Tally::default(), [0; 32]);
    for seed in 1..=WORLDS {
        match run(Plan { seed, clocks: 0, events: 60, level: Level::Wires }, &missions) {
            Ok(outcome) => {
                tally += outcome.tally;
                digest.iter_mut().zip(outcome.digest).for_each(|(all, one)| *all ^= one);
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{tally}");
    assert!(tally.live > 0 && tally.promised > 0 && tally.moves > 0 && tally.strangers > 0 && tally.lost_datagrams > 0);
    let digest: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    for (other, wanted) in [(same, &digest[..]), (further, "")] {
        let said = other.join().expect("waiting does not panic").expect("the other process can be waited for");
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{text}");
        assert!(text.contains(wanted), "this process says {wanted} and the other one\n{text}");
    }
}

/// Worlds from a seed on in a process of their own.
fn campaign(seed: u64) -> JoinHandle<io::Result<Output>> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sim"));
    program.args(["--level", "b", "--seed", &seed.to_string(), "--seeds", &WORLDS.to_string()]);
    let running = program.stdout(Stdio::piped()).spawn().expect("the program of campaigns starts");
    thread::spawn(move || running.wait_with_output())
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
