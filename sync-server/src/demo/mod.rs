//! `merestone demo`: the whole way of a record on one machine, from a border post to an auditor, and six forgeries.
//!
//! Everything is what the product does elsewhere: real stores, real key files, real QUIC, a real bag and the real audit.
//! Only four things are staged. The observers stand in for whoever saw what is replayed; their clocks show the days of the
//! records; the road to base camp is a relay that stops forwarding; and a link counts as lost after two silent seconds.
//!
//! ```text
//! source/   what is replayed: public records, or the project's own set
//! replay    clocks and, for debugging, random bytes
//! mission   the charter and the parties' keys
//! cast      observers and devices
//! teams     work without a network
//! meet      phone to phone
//! relay     the bad road
//! camp      base camp
//! loss      a lost phone: its key is cut, and a thief goes on writing
//! forge/    six forged copies
//! witnesses of each party, over HTTP
//! verdict   what the audit says of a bag
//! acts/     the story, act by act
//! ```

mod acts;
mod camp;
mod cast;
mod forge;
mod loss;
mod meet;
mod mission;
mod relay;
mod replay;
mod source;
mod story;
mod teams;
mod verdict;
mod witnesses;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::story::Story;
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::output::Report;

/// Found a mission, record real public data on ten devices, sync them over a bad link, audit the result, and forge it.
///
/// Takes about a minute, needs no network and no rights, and leaves everything in one folder: the devices' stores, the bag
/// for auditors, its report, and six forged copies with what the audit found in each.
/// With the external fixture set (in ../shared, or where MERESTONE_SHARED says) it replays public records of real events;
/// without, a set that the project made up.
///
/// Example: merestone demo --out demo
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Put everything into this folder, which must be empty or absent.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Draw keys and ids from this number instead of the system's random bytes, to look at a fault twice.
    /// Such keys are no secret.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

impl DemoArgs {
    /// Tells the whole story on standard output.
    ///
    /// # Errors
    /// If the folder is not empty, the disk refuses, or something does not come out as it must.
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self { out, seed } = self;
        prepare(&out)?;
        let material = source::Material::load(&shared())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Storage, format!("no threads for the demonstration: {error}")))?;
        let is_json = context.screen.is_json();
        let mut story = if is_json { Story::kept() } else { Story::told() };
        let played = runtime.block_on(acts::play(&mut story, &out, &material, seed))?;
        if story.lines().len() > story::LINES_MAX {
            return Err(mission::own_fault("the story is too long"));
        }
        context.screen.show(&Told { played, story: story.lines() })?;
        Ok(Code::Done)
    }
}

/// The whole story for a program; a person has read it already.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    played: acts::Played,
    story: &'a [String],
}

impl Report for Told<'_> {
    fn human(&self, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}

/// Where the external fixture set may be.
fn shared() -> PathBuf {
    env::var_os("MERESTONE_SHARED").filter(|path| !path.is_empty()).map_or_else(|| "../shared".into(), PathBuf::from)
}

/// Makes the folder, or sees that it is empty.
fn prepare(out: &Path) -> Result<(), Failure> {
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let line = format!("{} is not empty; name an empty or a new folder with --out", out.display());
                return Err(Failure::new(Code::BadInput, line));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(out).map_err(|error| Failure::output_file(out, &error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let line = format!("{} is a file; name an empty or a new folder with --out", out.display());
            return Err(Failure::new(Code::BadInput, line));
        }
        Err(error) => return Err(Failure::output_file(out, &error)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(prepare(folder.path()).is_ok());
        let new = folder.path().join("a/b");
        assert!(prepare(&new).is_ok() && new.is_dir());
        let file = folder.path().join("file");
        fs::write(&file, b"kept").unwrap();
        assert!(prepare(folder.path()).is_err());
        assert!(prepare(&file).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }
}
