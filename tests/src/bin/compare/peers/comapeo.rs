//! CoMapeo core: 10,000 observations of 540 bytes, and photos.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use merestone_tests::haul::Sample;
use serde_json::Value;

use super::place::{Place, logged};
use super::said;

/// A bench in JavaScript, ready to run; its folder.
pub(super) fn build(place: &Place, bench: &str) -> Result<PathBuf, String> {
    let folder = install(place, bench)?;
    let sqlite = folder.join("node_modules/better-sqlite3");
    if !sqlite.join("build/Release/better_sqlite3.node").is_file() {
        let mut command = Command::new("npx");
        command.args(["node-gyp", "rebuild", "--release"]).current_dir(&sqlite);
        logged(&mut command, &place.log(bench))?;
    }
    time_the_processor(&folder)?;
    Ok(folder)
}

/// Copies a bench and fetches what it needs.
pub(super) fn install(place: &Place, bench: &str) -> Result<PathBuf, String> {
    let folder = place.copy(bench)?;
    if !folder.join("node_modules/.package-lock.json").is_file() {
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund"]).current_dir(&folder);
        logged(&mut command, &place.log(bench))?;
    }
    Ok(folder)
}

/// Lets the copy of the bench say what both processes used before and after the first sync; it says it only for their whole
/// lives otherwise.
fn time_the_processor(folder: &Path) -> Result<(), String> {
    const SYNC: &str = "r.fullSync = await sync('waitDocs', { expected: docs })";
    const TIMED: &str = "const used = async () => { const all = await Promise.all([a.call('stats'), b.call('stats')]); \
        return all.reduce((sum, { cpu }) => sum + (cpu.user + cpu.system) / 1e6, 0) }; const usedBefore = await used(); \
        r.fullSync = await sync('waitDocs', { expected: docs }); r.fullSyncCpu = await used() - usedBefore";
    let path = folder.join("bench.mjs");
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if text.contains("fullSyncCpu") {
        return Ok(());
    }
    fs::write(&path, text.replace(SYNC, TIMED)).map_err(|error| error.to_string())
}

pub(super) fn entries(_: &Place, folder: &Path) -> Result<Vec<Sample>, String> {
    let told = run(folder, &["--docs", "10000"], Duration::from_secs(180))?;
    let mut found = Vec::new();
    for (part, work) in [("fullSync", ""), ("noChange", "/unchanged"), ("onePercent", "/one-percent")] {
        let of = |name: &str| told[part][name].as_f64().ok_or_else(|| format!("no {part}.{name}"));
        found.push(Sample::new(format!("entries{work}/wall"), "ms", of("seconds")? * 1e3));
        found.push(Sample::new(format!("entries{work}/bytes"), "bytes on lo", of("bytes")?));
    }
    if let Some(cpu) = told["fullSyncCpu"].as_f64() {
        found.push(Sample::new("entries/cpu", "CPU-s, both sides", cpu));
    }
    Ok(found)
}

pub(super) fn photos(_: &Place, folder: &Path) -> Result<Vec<Sample>, String> {
    let words = ["--docs", "100", "--photos", "50", "--photo-bytes", "2000000"];
    let told = run(folder, &words, Duration::from_secs(90))?;
    let of = |name: &str| told["photoSync"][name].as_f64().ok_or_else(|| format!("no photoSync.{name}"));
    let bytes = told["photoBytes"].as_f64().ok_or("no photoBytes")?;
    Ok(vec![
        Sample::new("photos/wall", "ms", of("seconds")? * 1e3),
        Sample::new("photos/rate", "MB/s", bytes / 1e6 / of("seconds")?),
        Sample::new("photos/bytes", "bytes on lo", of("bytes")?),
        Sample::new("photos/overhead", "%", (of("bytes")? / bytes - 1.0) * 100.0),
    ])
}

/// One run of the bench; what it says of it.
pub(super) fn run(folder: &Path, words: &[&str], limit: Duration) -> Result<Value, String> {
    let script = folder.join("bench.mjs").to_string_lossy().into_owned();
    let words: Vec<&str> = [script.as_str(), "--runs", "1"].into_iter().chain(words.iter().copied()).collect();
    let said = said::run(Path::new("node"), &words, limit)?;
    serde_json::from_str(&said.line("{")?.text).map_err(|error| error.to_string())
}
