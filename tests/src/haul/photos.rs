//! 25 photos of 4 MiB: whole, with the link cut in the middle, and with the receiver killed.

use super::carry::Pair;
use super::homes::{self, Load};
use super::process::{Process, number, text};
use super::sample::Sample;
use super::{Bench, SITE};
use crate::chance::Chance;
use crate::{corpus, floor};

/// As in the bench of iroh-blobs.
const COUNT: u64 = 25;
const BYTES: usize = 4 << 20;
const TOTAL: u64 = COUNT * BYTES as u64;

/// How often a transfer is broken off.
const BREAKS: u64 = 50;

/// All of it, once.
pub(super) fn whole(bench: &Bench) -> Vec<Sample> {
    let quinn = floor::quinn_mb_per_s();
    let files = floor::files_mb_per_s(bench.folder.path(), COUNT as usize, BYTES);
    let mut pair = Pair::begin(bench, Load::photos(COUNT, BYTES));
    let mut found = pair.meet("photos");
    let value = |name: &str| super::of_round(&found, name).unwrap_or(f64::NAN);
    let rate = TOTAL as f64 / value("photos/wall") / 1e3;
    let overhead = (value("photos/bytes") / TOTAL as f64 - 1.0) * 100.0;
    found.push(Sample::new("photos/rate", "MB/s", rate));
    found.push(Sample::new("photos/overhead", "%", overhead));
    found.push(Sample::new("floor/quinn", "MB/s", quinn));
    found.push(Sample::new("floor/files", "MB/s", files));
    found
}

/// The receiver closes the link at 50 random points of the way.
pub(super) fn cuts(bench: &Bench) -> Vec<Sample> {
    let mut road = Road::begin(bench);
    let mut receiver = road.receiver();
    let (mut sent, mut cuts) = (0, 0);
    for at in points() {
        let answer = receiver.ask(&format!("pull {} {at}", road.at));
        sent += number(&road.sender.ask("sent"), "bytes") as u64;
        if answer["is_over"] == true {
            break;
        }
        cuts += 1;
    }
    sent += road.finish(&mut receiver);
    broken("cuts", sent, cuts)
}

/// The receiver is killed at 50 random points of the way.
pub(super) fn kills(bench: &Bench) -> Vec<Sample> {
    let mut road = Road::begin(bench);
    let (mut sent, mut kills) = (0, 0);
    for at in points() {
        let mut receiver = road.receiver();
        receiver.tell(&format!("pull {}", road.at));
        let is_over = loop {
            let answer = receiver.next();
            if answer["is_over"] == true {
                break true;
            }
            if number(&answer, "bytes") as u64 >= at {
                break false;
            }
        };
        receiver.kill();
        sent += number(&road.sender.ask("sent"), "bytes") as u64;
        if is_over {
            break;
        }
        kills += 1;
    }
    let mut receiver = road.receiver();
    sent += road.finish(&mut receiver);
    broken("kills", sent, kills)
}

/// A sender that answers, and the folder of a receiver that calls it.
struct Road<'a> {
    bench: &'a Bench,
    sender: Process,
    at: String,
}

impl<'a> Road<'a> {
    fn begin(bench: &'a Bench) -> Self {
        let mission = corpus::found();
        homes::phone(&mission, &bench.path("phone"), "Olena", Load::photos(COUNT, BYTES));
        homes::camp(&mission, &bench.path("camp"));
        let mut sender = Process::start([SITE.as_ref(), bench.path("phone").as_os_str()]);
        let serving = sender.ask("serve");
        let at = format!("{} {}", text(&serving, "address"), text(&serving, "key"));
        Self { bench, sender, at }
    }

    fn receiver(&self) -> Process {
        Process::start([SITE.as_ref(), self.bench.path("camp").as_os_str()])
    }

    /// Lets the rest come; the bytes that were sent for it.
    fn finish(&mut self, receiver: &mut Process) -> u64 {
        let met = receiver.ask(&format!("meet {}", self.at));
        assert_eq!(met[0]["is_fully_synced"], true, "the rest comes: {met}");
        assert_eq!(receiver.ask("holding"), self.sender.ask("holding"), "both hold the same photos");
        number(&self.sender.ask("sent"), "bytes") as u64
    }
}

/// Where to break off, in bytes of a conversation's own: each next one goes on where the last was broken.
fn points() -> Vec<u64> {
    let mut chance = Chance::new(50);
    // On average less than a fiftieth of the whole, so that there is something left for the last one.
    (0..BREAKS).map(|_| 1 + chance.below(TOTAL * 2 / BREAKS * 7 / 10)).collect()
}

fn broken(name: &str, sent: u64, breaks: u64) -> Vec<Sample> {
    let again = sent.saturating_sub(TOTAL) as f64 / breaks.max(1) as f64;
    vec![
        Sample::new(format!("{name}/breaks"), "times", breaks as f64),
        Sample::new(format!("{name}/sent-again"), "bytes a time", again),
    ]
}
