//! Ten thousand inspections, a hundred thousand, a million: what each costs to carry, and what a meeting costs after that.
//!
//! They are of many observers, in logs of two thousand: 5 logs, 50, 500. What was made once is kept below `target/scratch`,
//! and copied, because signing a million takes longer than carrying them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::carry::Pair;
use super::homes;
use super::process::{Process, text};
use super::sample::Sample;
use super::{Bench, SITE};
use crate::corpus;

const SIZES: [(&str, u64); 3] = [("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000)];

/// Each size to an empty camp; then nothing new; then a hundred new ones.
pub(super) fn growth(bench: &Bench) -> Vec<Sample> {
    let mut found = Vec::new();
    for (name, entries) in SIZES {
        found.extend(one(bench, name, entries));
    }
    let value = |name: &str| super::of_round(&found, name).unwrap_or(f64::NAN);
    let mut ratios = Vec::new();
    for what in ["wall", "cpu", "bytes"] {
        let ratio = value(&format!("growth-1m/hundred-new/{what}")) / value(&format!("growth-10k/hundred-new/{what}"));
        ratios.push(Sample::new(format!("growth/hundred-new/{what}"), "× at 10,000", ratio));
    }
    for what in ["wall-each", "cpu-each"] {
        let ratio = value(&format!("growth-1m/{what}")) / value(&format!("growth-10k/{what}"));
        ratios.push(Sample::new(format!("growth/{what}"), "× at 10,000", ratio));
    }
    found.extend(ratios);
    found
}

fn one(bench: &Bench, name: &str, entries: u64) -> Vec<Sample> {
    let (phone, camp) = (bench.path(&format!("relay-{name}")), bench.path(&format!("camp-{name}")));
    copy(&kept(entries), &phone).expect("room on the disk");
    homes::camp(&corpus::found(), &camp);
    let phone = Process::start([SITE.as_ref(), phone.as_os_str()]);
    let mut process = Process::start([SITE.as_ref(), camp.as_os_str()]);
    let serving = process.ask("serve");
    let at = format!("{} {}", text(&serving, "address"), text(&serving, "key"));
    let mut pair = Pair { phone, camp: process, at };
    let name = format!("growth-{name}");
    let mut found = pair.meet(&name);
    let each = |what: &str| super::of_round(&found, &format!("{name}/{what}")).unwrap_or(f64::NAN) / entries as f64;
    let (wall, cpu, bytes) = (each("wall") * 1e3, each("cpu") * 1e6, each("bytes"));
    found.push(Sample::new(format!("{name}/wall-each"), "µs an entry", wall));
    found.push(Sample::new(format!("{name}/cpu-each"), "CPU-µs an entry", cpu));
    found.push(Sample::new(format!("{name}/bytes-each"), "bytes an entry", bytes));
    pair.camp.ask("checkpoint");
    pair.meet("settle");
    found.extend(pair.meet(&format!("{name}/unchanged")));
    pair.phone.ask("add 100");
    found.extend(pair.meet(&format!("{name}/hundred-new")));
    found.push(Sample::new(format!("{name}/camp-memory"), "MB", pair.camp_memory_mb()));
    drop(pair);
    // A gigabyte each, and the next size needs the room.
    let _ = fs::remove_dir_all(&camp);
    found
}

/// The folder of a phone that holds as many, made if it is not there.
fn kept(entries: u64) -> PathBuf {
    let folder = super::scratch().join(format!("relay-{entries}"));
    if !folder.is_dir() {
        let unfinished = folder.with_extension("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        homes::relay(&corpus::found(), &unfinished, entries);
        fs::rename(&unfinished, &folder).expect("a folder takes another name");
    }
    folder
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy(&path, &to)? } else { fs::copy(&path, &to).map(drop)? }
    }
    Ok(())
}
