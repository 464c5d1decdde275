//! 25 photos of 4 MiB: whole, with the link cut in the middle, and with the receiver killed.

use super::carry::Pair;
use super::homes::{self, Load};
use super::namespace::{loopback_bytes, settled_loopback_bytes};
use super::process::{Process, number, text};
use super::sample::Sample;
use super::{Bench, IMPATIENT_SITE, SITE};
use crate::chance::Chance;
use crate::{corpus, floor};

/// As in the bench of iroh-blobs.
const COUNT: u64 = 25;
const BYTES: usize = 4 << 20;
const TOTAL: u64 = COUNT * BYTES as u64;

/// Conversations after a transfer was broken off in which the rest has to come.
const MEETINGS_MAX: usize = 5;

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

/// The receiver closes the link at 50 random points of the way, as the bench of iroh-blobs does.
pub(super) fn cuts(bench: &Bench) -> Vec<Sample> {
    let mut arrived = 0;
    let mut taken = broken_off(bench, "cuts", &mut |mut receiver, road, at| {
        let answer = receiver.ask(&format!("pull {} {at}", road.at));
        arrived += number(&answer, "arrived") as u64;
        if answer["is_over"] == true { Broken::Over(receiver) } else { Broken::Off(Some(receiver)) }
    });
    let again = (arrived + taken.rest).saturating_sub(taken.transfers * TOTAL);
    taken.found.push(Sample::new("cuts/arrived-again", "bytes a time", again as f64 / BREAKS as f64));
    taken.found
}

/// The receiver is killed at 50 random points of the way.
pub(super) fn kills(bench: &Bench) -> Vec<Sample> {
    let taken = broken_off(bench, "kills", &mut |mut receiver, road, at| {
        receiver.tell(&format!("pull {}", road.at));
        loop {
            let answer = receiver.next();
            if answer["is_over"] == true {
                return Broken::Over(receiver);
            }
            if number(&answer, "bytes") as u64 >= at {
                receiver.kill();
                return Broken::Off(None);
            }
        }
    });
    taken.found
}

/// How one attempt ended.
enum Broken {
    /// Everything came before it could be broken off.
    Over(Process),
    /// As it should be; the receiver, if it is still there.
    Off(Option<Process>),
}

/// What [`broken_off`] took.
struct Transfers {
    found: Vec<Sample>,
    transfers: u64,
    /// Bytes of photos that arrived where nothing was broken off any more.
    rest: u64,
}

/// Breaks off [`BREAKS`] times, with as many whole transfers as that takes.
fn broken_off(
    bench: &Bench,
    name: &str,
    break_off: &mut dyn FnMut(Process, &mut Road<'_>, u64) -> Broken,
) -> Transfers {
    homes::phone(&corpus::found(), &bench.path("phone"), "Olena", Load::photos(COUNT, BYTES));
    let undisturbed = Road::begin(bench, "undisturbed").finish(None);
    let (mut chance, mut breaks, mut handed, mut carried, mut meetings) = (Chance::new(BREAKS), 0, 0_u64, 0.0, 0);
    let (mut transfers, mut arrived) = (0, 0);
    for transfer in 0.. {
        transfers += 1;
        let mut road = Road::begin(bench, &format!("{name}-{transfer}"));
        let mut receiver = None;
        while breaks < BREAKS {
            // Up to two fiftieths from where the last one broke off.
            let at = 1 + chance.below(2 * TOTAL / BREAKS);
            let lo = loopback_bytes();
            let ended = break_off(receiver.take().unwrap_or_else(|| road.receiver()), &mut road, at);
            handed += number(&road.sender.ask("sent"), "bytes") as u64;
            carried += (settled_loopback_bytes() - lo) as f64;
            match ended {
                Broken::Off(still) => receiver = still,
                Broken::Over(done) => {
                    receiver = Some(done);
                    break;
                }
            }
            breaks += 1;
        }
        let rest = road.finish(receiver);
        (handed, carried) = (handed + rest.handed, carried + rest.carried - undisturbed.carried);
        handed = handed.saturating_sub(TOTAL);
        arrived += rest.arrived;
        meetings = meetings.max(rest.meetings);
        if breaks >= BREAKS {
            break;
        }
    }
    let each = |bytes: f64| bytes / breaks.max(1) as f64;
    let found = vec![
        Sample::new(format!("{name}/breaks"), "times", breaks as f64),
        Sample::new(format!("{name}/carried-again"), "bytes on lo a time", each(carried)),
        Sample::new(format!("{name}/handed-again"), "bytes a time", each(handed as f64)),
        Sample::new(format!("{name}/meetings-for-the-rest"), "at most", meetings as f64),
    ];
    Transfers { found, transfers, rest: arrived }
}

/// A sender that answers, and the folder of a receiver that calls it.
struct Road<'a> {
    bench: &'a Bench,
    name: String,
    sender: Process,
    at: String,
}

/// What one conversation took.
struct Taken {
    /// Bytes of photos that the sender handed to its link.
    handed: u64,
    /// Bytes of photos that arrived at the receiver.
    arrived: u64,
    carried: f64,
    /// How many it were: more than one says that one ended before everything was there.
    meetings: usize,
}

impl<'a> Road<'a> {
    fn begin(bench: &'a Bench, name: &str) -> Self {
        homes::camp(&corpus::found(), &bench.path(name));
        let mut sender = Process::start([SITE.as_ref(), bench.path("phone").as_os_str()]);
        let serving = sender.ask("serve");
        let at = format!("{} {}", text(&serving, "address"), text(&serving, "key"));
        Self { bench, name: name.into(), sender, at }
    }

    fn receiver(&self) -> Process {
        Process::start([IMPATIENT_SITE.as_ref(), self.bench.path(&self.name).as_os_str()])
    }

    /// Lets the rest come, and takes the receiver's folder away.
    fn finish(mut self, receiver: Option<Process>) -> Taken {
        let mut receiver = receiver.unwrap_or_else(|| self.receiver());
        let lo = loopback_bytes();
        let mut meetings = 0;
        let (mut handed, mut arrived) = (0, 0);
        loop {
            // As many bytes never come: nothing is cut.
            let met = receiver.ask(&format!("pull {} {}", self.at, u64::MAX));
            arrived += number(&met, "arrived") as u64;
            handed += number(&self.sender.ask("sent"), "bytes") as u64;
            meetings += 1;
            if met["is_fully_synced"] == true {
                break;
            }
            assert!(meetings < MEETINGS_MAX, "the rest comes: {met}");
        }
        assert_eq!(receiver.ask("holding"), self.sender.ask("holding"), "both hold the same photos");
        let carried = (settled_loopback_bytes() - lo) as f64;
        receiver.kill();
        // What stays is only in the way.
        let _ = std::fs::remove_dir_all(self.bench.path(&self.name));
        Taken { handed, arrived, carried, meetings }
    }
}
