//! Forty phones that come in at once, and one that comes alone.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::homes::{self, Load};
use super::process::{Process, number, text};
use super::sample::Sample;
use super::{Bench, SITE};
use crate::corpus;
use crate::timing::{median, sorted};

const PHONES: usize = 40;

/// What each carries: 1,000 inspections, 20 of which have a photo of 200 kB.
const LOAD: Load = Load { entries: 980, photos: 20, photo_bytes: 200_000 };

/// One alone, then forty at once, each time into an empty camp.
pub(super) fn forty(bench: &Bench) -> Vec<Sample> {
    let mission = corpus::found();
    let folders: Vec<PathBuf> = (0..=PHONES).map(|phone| bench.path(&format!("phone-{phone}"))).collect();
    let cores = crate::floor::cores();
    std::thread::scope(|scope| {
        for share in folders.chunks(folders.len().div_ceil(cores)) {
            let mission = &mission;
            scope.spawn(move || {
                for folder in share {
                    let name = folder.file_name().unwrap_or_default().to_string_lossy();
                    homes::phone(mission, folder, &name, LOAD);
                }
            });
        }
    });
    let alone = come_in(bench, "alone", &folders[..1]);
    let together = come_in(bench, "together", &folders[1..]);
    let all = sorted(&together.ms);
    let slowest = all.last().copied().unwrap_or(f64::NAN);
    // Forty times the work in how many times the time.
    let throughput = PHONES as f64 * alone.ms[0] / slowest;
    vec![
        Sample::new("forty/alone-wall", "ms", alone.ms[0]),
        Sample::new("forty/wall", "ms", slowest),
        Sample::new("forty/throughput", "× one phone", throughput),
        Sample::new("forty/slowest", "× median", slowest / median(&together.ms)),
        Sample::new("forty/camp-memory", "MB", together.camp_memory_mb),
        Sample::new("forty/camp-cpu", "CPU-s", together.camp_cpu_s),
        Sample::new("forty/fully-synced", "phones", together.fully_synced as f64),
    ]
}

struct Arrival {
    ms: Vec<f64>,
    fully_synced: usize,
    camp_memory_mb: f64,
    camp_cpu_s: f64,
}

fn come_in(bench: &Bench, name: &str, folders: &[PathBuf]) -> Arrival {
    let home = bench.path(&format!("camp-{name}"));
    homes::camp(&corpus::found(), &home);
    let mut camp = Process::start([SITE.as_ref(), home.as_os_str()]);
    let words = std::iter::once(OsStr::new(SITE)).chain(folders.iter().map(|folder| folder.as_os_str()));
    let mut phones = Process::start(words);
    let serving = camp.ask("serve");
    let cpu = number(&camp.ask("usage"), "cpu_s");
    let met = phones.ask(&format!("meet {} {}", text(&serving, "address"), text(&serving, "key")));
    let met = met.as_array().cloned().unwrap_or_default();
    let usage = camp.ask("usage");
    Arrival {
        ms: met.iter().map(|met| number(met, "ms")).collect(),
        fully_synced: met.iter().filter(|met| met["is_fully_synced"] == true).count(),
        camp_memory_mb: number(&usage, "memory_mb"),
        camp_cpu_s: number(&usage, "cpu_s") - cpu,
    }
}
