//! samod: one Automerge document an inspection.

use std::path::Path;
use std::time::Duration;

use merestone_tests::haul::Sample;

use super::place::Place;
use super::said;

pub(super) fn thousand(_: &Place, program: &Path) -> Result<Vec<Sample>, String> {
    run(program, "1000", "entries-1k", Duration::from_secs(120))
}

/// Its time grows with the square: a quarter of an hour and more.
pub(super) fn ten_thousand(_: &Place, program: &Path) -> Result<Vec<Sample>, String> {
    run(program, "10000", "entries", Duration::from_secs(3_600))
}

fn run(program: &Path, documents: &str, work: &str, limit: Duration) -> Result<Vec<Sample>, String> {
    let said = said::run(program, &[documents], limit)?;
    let mut found = Vec::new();
    for (start, part) in [("(a)", ""), ("(b0)", "/unchanged"), ("(b1)", "/one-percent")] {
        let line = said.line(start)?;
        let after = |words: &str| said::number(line, words);
        let wall = line.text.split_once(": ").map_or(start, |(_, rest)| rest).split('s').next().unwrap_or_default();
        let wall: f64 = wall.parse().map_err(|_| format!("no time in `{}`", line.text))?;
        found.push(Sample::new(format!("{work}{part}/wall"), "ms", wall * 1e3));
        found.push(Sample::new(format!("{work}{part}/bytes"), "bytes on lo", after("lo tx")?));
        found.push(Sample::new(format!("{work}{part}/cpu"), "CPU-s, both sides", after("s wall,")?));
    }
    Ok(found)
}
