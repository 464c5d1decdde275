//! The audit of 1,000,000 inspections with a ledger of all of them, against raw verification on all cores in the same rounds.
//!
//! Each audit runs in a process of its own, this program again, so that the greatest memory it took can be read off.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use merestone_audit::{Options, Pass, audit_folder};
use merestone_core::id::MissionId;

use crate::archive::{Archive, Archives};
use crate::row::{Row, Target};
use merestone_tests::floor::Signatures;
use merestone_tests::timing::{median, time_ms};

/// The word that makes this program audit one bag and say what it took.
pub(crate) const CHILD: &str = "--audit-one-bag";

const ROUNDS: usize = 3;

pub(crate) fn measure(archives: &mut Archives) -> Vec<Row> {
    let signatures = Signatures::make();
    let [small, large] = archives.logged();
    let mut passes = [Pass::Fast, Pass::Full].map(|pass| (pass, Rounds::default()));
    for _ in 0..ROUNDS {
        for (pass, rounds) in &mut passes {
            let before = signatures.all_cores_per_s();
            let large = Took::audit(large, *pass);
            let after = signatures.all_cores_per_s();
            let small = Took::audit(small, *pass);
            rounds.add(f64::midpoint(before, after), &large, &small);
        }
    }
    passes.iter().flat_map(|(pass, rounds)| rounds.rows(*pass)).collect()
}

#[derive(Default)]
struct Rounds {
    ratio: Vec<f64>,
    rate: Vec<f64>,
    raw: Vec<f64>,
    entry_bytes: Vec<f64>,
    peak_mib: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, raw: f64, large: &Took, small: &Took) {
        let rate = large.entries / large.seconds;
        self.ratio.push(rate / raw);
        self.rate.push(rate);
        self.raw.push(raw);
        self.entry_bytes.push((large.peak_bytes - small.peak_bytes) / (large.entries - small.entries));
        self.peak_mib.push(large.peak_bytes / f64::from(1 << 20));
    }

    fn rows(&self, pass: Pass) -> [Row; 4] {
        let (name, ratio_min) = match pass {
            Pass::Fast => ("fast", 0.9),
            Pass::Full => ("full", 0.4),
        };
        let name = |what: &str| format!("audit/{name}-{what}");
        [
            Row::median(&name("ratio"), "× verify_strict", &self.ratio)
                .target(Target::AtLeast(ratio_min))
                .floor(1.0)
                .note("entries a second, by signatures a second, on all cores"),
            Row::median(&name("entries"), "entries/s", &self.rate).floor(median(&self.raw)),
            Row::median(&name("entry-bytes"), "bytes/entry", &self.entry_bytes)
                .target(Target::AtMost(64.0))
                .note("greatest memory of 1,000,000 entries less that of 100,000, by entry; all are in the ledger, and one of a hundred is by a key that was cut"),
            Row::median(&name("peak"), "MiB", &self.peak_mib).note("greatest memory of 1,000,000 entries"),
        ]
    }
}

/// What one audit took.
struct Took {
    entries: f64,
    seconds: f64,
    peak_bytes: f64,
}

impl Took {
    fn audit(archive: &Archive, pass: Pass) -> Self {
        let pass = match pass {
            Pass::Fast => "fast",
            Pass::Full => "full",
        };
        let program = std::env::current_exe().expect("this program is a file");
        let child = Command::new(program)
            .args([CHILD, pass, &archive.mission.id().to_string()])
            .arg(archive.bag())
            .stderr(Stdio::inherit())
            .output()
            .expect("this program runs again");
        let said = String::from_utf8(child.stdout).expect("numbers");
        let numbers: Vec<f64> = said.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [entries, seconds, peak_bytes] = numbers[..] else { panic!("the audit did not end: {}", child.status) };
        assert_eq!(entries, archive.entries as f64, "the bag holds every entry");
        Self { entries, seconds, peak_bytes }
    }
}

/// Audits one bag and gives entries, seconds and the greatest memory in bytes; `None` if the words are others.
pub(crate) fn audit_one(words: &[OsString]) -> Option<String> {
    let [pass, mission, bag] = words else { return None };
    let pass = match pass.to_str()? {
        "fast" => Pass::Fast,
        "full" => Pass::Full,
        _ => return None,
    };
    let mission = MissionId::from_hex(mission.to_str()?)?;
    let options = Options { pass, ..Options::default() };
    let (ms, report) = time_ms(|| audit_folder(Path::new(bag), mission, &options));
    let entries = report.ok()?.facts().counts.entries;
    Some(format!("{entries} {} {}\n", ms / 1e3, peak_bytes()?))
}

/// The most memory that this process ever held, as Linux counts it.
pub(crate) fn peak_bytes() -> Option<u64> {
    peak_bytes_in("/proc/self/status".as_ref())
}

/// The same of a process whose status this file holds.
pub(crate) fn peak_bytes_in(status: &std::path::Path) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1_024)
}
