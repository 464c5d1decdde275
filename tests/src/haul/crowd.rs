//! Forty phones that come in at once, and one that comes alone.
//!
//! They are of sixteen teams, two or three phones each, and a team has a scope of its own: what a phone brings goes to the camp,
//! and from there to those of its team who are still there. Every phone takes everything, photos too, and is done when
//! it holds the same as the camp. So the camp gives as well as takes, and throughput is what it carried either way.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::homes::{self, Load};
use super::process::{Process, number, text};
use super::sample::Sample;
use super::{Bench, SITE};
use crate::corpus;
use crate::mission::Mission;
use crate::timing::{median, sorted};

const PHONES: usize = 40;

/// What each carries: 1,000 inspections, 20 of which have a photo. All photos of a phone have one size, from 200 to 400 kB:
/// what a phone's camera gives at the quality that inspectors send.
fn load(phone: usize) -> Load {
    Load { entries: 980, photos: 20, photo_bytes: 200_000 + phone % 5 * 50_000 }
}

/// One alone, with photos of the mean size, then forty at once, each time into an empty camp.
pub(super) fn forty(bench: &Bench) -> Vec<Sample> {
    let mission = corpus::found();
    let folders: Vec<PathBuf> = (0..=PHONES).map(|phone| bench.path(&format!("phone-{phone}"))).collect();
    fill(&mission, &folders);
    let (alone, together) =
        (come_in(bench, "alone", &folders[PHONES..]), come_in(bench, "together", &folders[..PHONES]));
    let all = sorted(&together.ms);
    let slowest = all.last().copied().unwrap_or(f64::NAN);
    let ratio = |of: fn(&Arrival) -> f64| of(&together) / of(&alone);
    vec![
        Sample::new("forty/alone-wall", "ms", alone.slowest_ms()),
        Sample::new("forty/wall", "ms", slowest),
        Sample::new("forty/entries-rate", "entries/s", together.entries / slowest * 1e3),
        Sample::new("forty/photos-rate", "MB/s", together.photo_bytes / slowest / 1e3),
        Sample::new("forty/alone-entries-rate", "entries/s", alone.entries / alone.slowest_ms() * 1e3),
        Sample::new("forty/alone-photos-rate", "MB/s", alone.photo_bytes / alone.slowest_ms() / 1e3),
        Sample::new("forty/throughput", "× one phone", ratio(|of| of.entries / of.slowest_ms())),
        Sample::new(
            "forty/throughput-for-cpu",
            "× one phone",
            ratio(|of| of.entries / (of.camp_cpu_s + of.phones_cpu_s)),
        ),
        Sample::new("forty/slowest", "× median", slowest / median(&together.ms)),
        Sample::new("forty/camp-memory", "MB", together.camp_memory_mb),
        Sample::new("forty/camp-cpu", "CPU-s", together.camp_cpu_s),
        Sample::new("forty/phones-cpu", "CPU-s", together.phones_cpu_s),
        Sample::new("forty/alone-cpu", "CPU-s", alone.camp_cpu_s + alone.phones_cpu_s),
        Sample::new("forty/carried", "entries", together.entries),
        Sample::new("forty/fully-synced", "phones", together.fully_synced as f64),
    ]
}

/// Makes the phones, of which the last has photos of the mean size.
fn fill(mission: &Mission, folders: &[PathBuf]) {
    let scopes = mission.scopes();
    let cores = crate::floor::cores();
    std::thread::scope(|scope| {
        for core in 0..cores {
            let scopes = &scopes;
            scope.spawn(move || {
                for (phone, folder) in folders.iter().enumerate().skip(core).step_by(cores) {
                    let name = format!("Phone {phone}");
                    let load = if phone == PHONES { load(2) } else { load(phone) };
                    homes::phone_in(mission, scopes[phone % scopes.len()], folder, &name, load);
                }
            });
        }
    });
}

struct Arrival {
    ms: Vec<f64>,
    fully_synced: usize,
    /// To the camp and from it.
    entries: f64,
    photo_bytes: f64,
    camp_memory_mb: f64,
    camp_cpu_s: f64,
    phones_cpu_s: f64,
}

impl Arrival {
    fn slowest_ms(&self) -> f64 {
        self.ms.iter().copied().fold(f64::NAN, f64::max)
    }
}

fn come_in(bench: &Bench, name: &str, folders: &[PathBuf]) -> Arrival {
    let mission = corpus::found();
    let home = bench.path(&format!("camp-{name}"));
    homes::camp_in(&mission, &mission.scopes(), &home);
    let mut camp = Process::start([SITE.as_ref(), home.as_os_str()]);
    let words = std::iter::once(OsStr::new(SITE)).chain(folders.iter().map(Path::new).map(Path::as_os_str));
    let mut phones = Process::start(words);
    let serving = camp.ask("serve");
    let cpu_s = |process: &mut Process| number(&process.ask("usage"), "cpu_s");
    let before = (cpu_s(&mut camp), cpu_s(&mut phones));
    let met = phones.ask(&format!("gather {} {}", text(&serving, "address"), text(&serving, "key")));
    let after = (cpu_s(&mut camp), cpu_s(&mut phones));
    let met = met.as_array().cloned().unwrap_or_default();
    for met in met.iter().filter(|met| met["is_fully_synced"] != true) {
        // Whoever measures wants to know why.
        let _ = writeln!(std::io::stderr(), "not synced: {met}");
    }
    let sum = |name: &str| met.iter().map(|met| number(met, name)).sum();
    Arrival {
        ms: met.iter().map(|met| number(met, "ms")).collect(),
        fully_synced: met.iter().filter(|met| met["is_fully_synced"] == true).count(),
        entries: sum("entries"),
        photo_bytes: sum("photo_bytes"),
        camp_memory_mb: number(&camp.ask("usage"), "memory_mb"),
        camp_cpu_s: after.0 - before.0,
        phones_cpu_s: after.1 - before.1,
    }
}
