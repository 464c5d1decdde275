//! automerge-repo: one Automerge document an observation, 1,000 of them; it does not get through 10,000.

use std::path::{Path, PathBuf};
use std::time::Duration;

use merestone_tests::haul::Sample;

use super::comapeo;
use super::place::Place;

pub(super) fn build(place: &Place, bench: &str) -> Result<PathBuf, String> {
    comapeo::install(place, bench)
}

pub(super) fn run(_: &Place, folder: &Path) -> Result<Vec<Sample>, String> {
    let told = comapeo::run(folder, &["--docs", "1000"], Duration::from_secs(120))?;
    let mut found = Vec::new();
    for (part, work) in [("fullSync", ""), ("offlineOnePercent", "/one-percent")] {
        let of = |name: &str| told[part][name].as_f64().ok_or_else(|| format!("no {part}.{name}"));
        found.push(Sample::new(format!("entries-1k{work}/wall"), "ms", of("seconds")? * 1e3));
        found.push(Sample::new(format!("entries-1k{work}/bytes"), "bytes on lo", of("bytes")?));
    }
    Ok(found)
}
