//! iroh-docs: 10,000 entries of about 710 bytes, then a hundredth more, then nothing new.

use std::path::Path;
use std::time::Duration;

use merestone_tests::haul::Sample;

use super::place::Place;
use super::said;

const ENTRIES: f64 = 10_000.0;

const SILENCE_S: f64 = 20.0;

/// It waits 20 s for what does not come, up to three times, before it says so.
const LIMIT: Duration = Duration::from_secs(150);

pub(super) fn run(_: &Place, program: &Path) -> Result<Vec<Sample>, String> {
    let said = said::run(program, &["10000"], LIMIT)?;
    let (made, full) = (said.line("iroh-docs")?, said.line("(a)")?);
    // Neither its events nor its lists say whether the contents are there; the census asks for each by its hash.
    let complete = said::number(said.line("after (a)")?, "COMPLETE")?;
    let is_complete = complete >= ENTRIES;
    let mut found = vec![
        Sample::new("entries/done-is-complete", "of 1", f64::from(is_complete)),
        Sample::new("entries/cpu", "CPU-s, both sides", full.cpu_s - made.cpu_s),
    ];
    if is_complete {
        // It ends its waiting after 20 s of silence; what it waited for then was an event, for the contents are there.
        let waited = said::number(full, "waited")?;
        let seconds = if waited < SILENCE_S { waited } else { said::number(full, "entries 10000 in")? };
        found.push(Sample::new("entries/wall", "ms", seconds * 1e3));
        found.push(Sample::new("entries/bytes", "bytes on lo", said::number(full, "lo tx")?));
        let (one, none) = (said.line("(b) ")?, said.line("(b0)")?);
        found.push(Sample::new("entries/one-percent/wall", "ms", said::number(one, "entries 100 in")? * 1e3));
        found.push(Sample::new("entries/one-percent/bytes", "bytes on lo", said::number(one, "lo tx")?));
        found.push(Sample::new("entries/unchanged/wall", "ms", said::number(none, "sync finished")? * 1e3));
        found.push(Sample::new("entries/unchanged/bytes", "bytes on lo", said::number(none, "lo tx")?));
    }
    Ok(found)
}
