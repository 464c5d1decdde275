//! `merestone record exhibit`: one entry in a file, for somebody who holds nothing but the mission's id.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::exhibit::Exhibit;
use merestone_core::id::EntryId;
use serde::Serialize;

use super::sign::entry_id;
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Report};

#[derive(Debug, clap::Args)]
pub(crate) struct ExhibitArgs {
    /// The entry: `record history` names it.
    #[arg(value_parser = entry_id)]
    entry: EntryId,
    /// An answer to show: a question of the form, a repeat, or context/day, context/post, context/coarse-place,
    /// context/exact-place, context/exact-time, context/observer, context/photos. Repeat for each.
    /// Default: none, only that the entry was signed.
    #[arg(long = "show", value_name = "ANSWER")]
    show: Vec<String>,
    /// Where it goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn exhibit(context: &Context, args: ExhibitArgs) -> Result<Code, Failure> {
    let ExhibitArgs { entry, show, out } = args;
    input::refuse_existing(&out)?;
    let device = context.open(0)?;
    let bytes = device.exhibit(entry, &show)?;
    let shown = Exhibit::read(&bytes, device.mission());
    let in_words = shown.ok().and_then(|exhibit| Some(exhibit.logged?.tally.to_string()));
    input::write_new(&out, &bytes)?;
    let (entry, mission) = (entry.to_string(), device.mission().to_string());
    context.screen.show(&ExhibitMade { entry, mission, bytes: bytes.len() as u64, ledger: in_words, file: out })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct ExhibitMade {
    entry: String,
    mission: String,
    bytes: u64,
    /// How far the note is confirmed that shows it in the ledger.
    ledger: Option<String>,
    file: PathBuf,
}

impl Report for ExhibitMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "exhibit of entry {} · {}", self.entry, output::bytes(self.bytes))?;
        match &self.ledger {
            Some(words) => writeln!(out, "in the ledger · {words}")?,
            None => writeln!(out, "not shown to be in the ledger: make it at base camp, once a checkpoint holds it")?,
        }
        writeln!(
            out,
            "Whoever has it runs: merestone-audit exhibit {} --mission {}",
            self.file.display(),
            self.mission
        )?;
        writeln!(out, "It also shows the header: key, log, scope and the hashes of what it builds on.")
    }
}
