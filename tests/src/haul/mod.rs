//! Hauls: what one device carries to another over the loopback interface, and what that costs both.
//!
//! A *haul* is one measurement from beginning to end, in a process of its own within a network namespace of its own, so that
//! nothing of another is in its counters. It makes the devices' folders, starts one process for the phone (or the phones)
//! and one for base camp, each with a real store on the disk, and lets them meet over QUIC.
//! Both sides share the machine, as in the benches of the systems that [`compare`](../../compare/index.html) sets beside us.
//!
//! A program that measures calls [`child`] first, because it starts itself again.

mod acts;
pub mod bounded;
mod carry;
mod crowd;
mod growth;
mod homes;
mod namespace;
mod photos;
mod process;
mod sample;
mod site;
mod speak;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use merestone_link::LinkLimits;

pub use namespace::{apart, is_available as can_be_apart};
pub use sample::{Sample, of_round};

/// First word of a process with devices in it.
const SITE: &str = "--site";

/// First word of one that notices soon that its peer is gone.
const IMPATIENT_SITE: &str = "--impatient-site";

/// First word of a process that measures one haul.
const HAUL: &str = "--haul";

/// How long a link of an [`IMPATIENT_SITE`] is silent before it is lost: fifty peers are killed one after the other.
const IDLE: Duration = Duration::from_millis(500);

/// Everything that can be measured, by the names of `--only`.
pub const HAULS: &[Haul] = &[
    Haul { name: "entries-1k", is_long: false, rounds_max: usize::MAX, run: carry::thousand },
    Haul { name: "entries", is_long: false, rounds_max: usize::MAX, run: carry::entries },
    Haul { name: "phone", is_long: false, rounds_max: 1, run: carry::whole_phone },
    Haul { name: "photos", is_long: false, rounds_max: usize::MAX, run: photos::whole },
    Haul { name: "cuts", is_long: false, rounds_max: 2, run: photos::cuts },
    Haul { name: "kills", is_long: false, rounds_max: 1, run: photos::kills },
    Haul { name: "live", is_long: false, rounds_max: 2, run: speak::live },
    Haul { name: "urgent", is_long: false, rounds_max: 1, run: speak::urgent },
    Haul { name: "round-trips", is_long: false, rounds_max: 1, run: speak::round_trips },
    Haul { name: "forty", is_long: false, rounds_max: 2, run: crowd::forty },
    Haul { name: "growth", is_long: true, rounds_max: 1, run: growth::growth },
    Haul { name: "entries-100k", is_long: true, rounds_max: 2, run: carry::hundred_thousand },
    Haul { name: "entries-1m", is_long: true, rounds_max: 1, run: carry::million },
];

/// One thing to measure.
#[derive(Clone, Copy)]
pub struct Haul {
    /// Its name.
    pub name: &'static str,
    /// Whether it takes minutes.
    pub is_long: bool,
    /// Rounds after which another one says nothing new for its time.
    pub rounds_max: usize,
    run: fn(&Bench) -> Vec<Sample>,
}

/// Where a haul takes place.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A folder on the disk under measurement, in which nothing is yet.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Haul {
    /// Measures once, in a process and a namespace of its own; it is ended after its time.
    ///
    /// # Errors
    /// What the process said when it failed, or that its time was over.
    pub fn measure(&self) -> Result<Vec<Sample>, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = apart(&program);
        command.args([HAUL, self.name]).env("TMPDIR", scratch());
        let limit = if self.is_long { LIMIT_LONG } else { LIMIT };
        let lines = bounded::lines(&mut command, limit).map_err(|why| format!("{} failed: {why}", self.name))?;
        Ok(lines.iter().filter_map(|line| Sample::read(&line.text)).collect())
    }
}

/// How long a haul of seconds may take on a machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(900);

/// The same of one of minutes.
const LIMIT_LONG: Duration = Duration::from_secs(3_600);

/// The folder in which everybody's stores lie while they are measured: on the disk of the build, because `/tmp` is memory
/// on many machines, and what is durable there costs nothing.
pub fn scratch() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    // target/release/compare → target/scratch
    let target = program.parent().and_then(std::path::Path::parent).unwrap_or(std::path::Path::new("."));
    let folder = target.join("scratch");
    // What cannot be made is noticed by whoever wants to work in it.
    let _ = std::fs::create_dir_all(&folder);
    folder
}

/// Does what a process is for that this program started as a part of a haul; `None` when it was started by a person.
pub fn child(words: &[OsString]) -> Option<ExitCode> {
    let (first, rest) = words.split_first()?;
    if first == SITE {
        return Some(site::main(rest, &LinkLimits::default()));
    }
    if first == IMPATIENT_SITE {
        let limits = LinkLimits { idle: IDLE, keep_alive: IDLE / 4, ..LinkLimits::default() };
        return Some(site::main(rest, &limits));
    }
    if first != HAUL {
        return None;
    }
    let haul = HAULS.iter().find(|haul| rest.first().is_some_and(|name| name == haul.name))?;
    let bench = Bench { folder: tempfile::tempdir().expect("a temporary folder") };
    (haul.run)(&bench).iter().for_each(Sample::say);
    Some(ExitCode::SUCCESS)
}
