//! Kills at random moments, spread over opening, drafts, photos and saves, all in one growing store.
//!
//! A longer campaign, with its counts: `MERESTONE_KILLS=5000 cargo test -p merestone-tests --test killed -- --nocapture at_random`.
//! The seed fixes what is saved and at which moments kills are aimed; where they hit is up to the machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use merestone_tests::chance::Chance;
use merestone_tests::examine::Examiner;

use crate::victim::{Home, Victim};

/// Number of kills; `MERESTONE_KILLS` asks for another.
const KILLS: usize = 500;

/// Kills after which everything is verified again from the first entry on.
const KILLS_BETWEEN_FULL: usize = 100;

/// When a saver is killed.
enum Moment {
    /// This part of the usual time of opening, in thousandths, after its start.
    Opening(u64),
    /// This part of the usual time between two lines, in thousandths, after so many lines.
    Working(u64, u64),
}

impl Moment {
    fn draw(chance: &mut Chance) -> Self {
        // A little beyond the usual time, so that its end is reached too.
        let part = chance.below(1_300);
        if chance.once_in(6) { Self::Opening(part) } else { Self::Working(1 + chance.below(12), part) }
    }
}

/// How long things take on this machine: a mean that forgets.
struct Usual(Duration);

impl Usual {
    fn learn(&mut self, took: Duration) {
        self.0 = (self.0 * 7 + took) / 8;
    }

    fn part(&self, thousandths: u64) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.as_nanos()).unwrap() * thousandths / 1_000)
    }
}

#[test]
fn five_hundred_kills_lose_nothing_that_was_acknowledged() {
    let seed = Chance::seed_from("MERESTONE_KILLS_SEED");
    let kills = std::env::var("MERESTONE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    println!("replay the plan with MERESTONE_KILLS_SEED={seed}");
    let (begun, mut chance) = (Instant::now(), Chance::new(seed));
    let (home, mut examiner) = (Home::new(), Examiner::default());
    let (mut opening, mut line) = (Usual(Duration::from_millis(60)), Usual(Duration::from_millis(5)));
    let mut moments = BTreeMap::new();

    let mut moment = Moment::draw(&mut chance);
    for kill in 1..=kills {
        let killed_after = live(&home, &moment, &mut chance, &mut examiner, &mut opening, &mut line);
        *moments.entry(killed_after).or_insert(0) += 1;
        moment = Moment::draw(&mut chance);
        if kill % KILLS_BETWEEN_FULL == 0 || kill == kills {
            examiner.examine_all(home.path());
        } else if !matches!(moment, Moment::Opening(_)) {
            // Before a kill while opening nobody looks: the store is opened as the last kill left it.
            examiner.examine(home.path());
        }
    }
    println!(
        "{kills} kills in {} s; {} entries acknowledged, {} found; last line before the kill: {moments:?}",
        begun.elapsed().as_secs(),
        examiner.acknowledged(),
        examiner.entries(),
    );
    assert!(examiner.acknowledged() >= kills / 2, "the savers had time to save");
}

/// One life of a saver, up to its kill; gives the last line that it said.
fn live(
    home: &Home,
    moment: &Moment,
    chance: &mut Chance,
    examiner: &mut Examiner,
    opening: &mut Usual,
    between: &mut Usual,
) -> &'static str {
    let mut last = "nothing";
    let mut begun = Instant::now();
    let mut victim = Victim::start(home, chance.number());
    match *moment {
        Moment::Opening(part) => spin_until(begun + opening.part(part)),
        Moment::Working(lines, part) => {
            for n in 0..=lines {
                let line = victim.next();
                if n == 0 {
                    opening.learn(begun.elapsed())
                } else {
                    between.learn(begun.elapsed())
                }
                begun = Instant::now();
                last = line.name();
                examiner.heard(line);
            }
            spin_until(begun + between.part(part));
        }
    }
    for line in victim.kill() {
        last = line.name();
        examiner.heard(line);
    }
    last
}

/// A save takes a few thousandths of a second: parking the thread would be coarser than what is aimed at.
fn spin_until(moment: Instant) {
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}
