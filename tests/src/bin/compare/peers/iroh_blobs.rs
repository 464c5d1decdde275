//! iroh-blobs: 25 files of 4 MiB, one after the other, over a connection that stands already.

use std::path::Path;
use std::time::Duration;

use merestone_tests::haul::Sample;

use super::place::Place;
use super::said;

const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(_: &Place, program: &Path) -> Result<Vec<Sample>, String> {
    let said = said::run(program, &["25", "4", "fs"], LIMIT)?;
    let (before, fetched) = (said.line("bytes on lo during cut transfer")?, said.line("fetch sequential")?);
    let seconds = said::number(fetched, "MiB:")?;
    Ok(vec![
        Sample::new("photos/wall", "ms", seconds * 1e3),
        Sample::new("photos/rate", "MB/s", said::number(fetched, "s =")?),
        Sample::new("photos/bytes", "bytes on lo", said::number(fetched, "lo tx")?),
        Sample::new("photos/overhead", "%", said::number(fetched, "overhead")?),
        Sample::new("photos/cpu", "CPU-s, both sides", fetched.cpu_s - before.cpu_s),
    ])
}
