//! `merestone record fork`: a file that shows two entries of one key at one position to somebody who holds nothing else.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::fork::Fork;
use merestone_core::id::EntryId;
use serde::Serialize;

use super::sign::entry_id;
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Report};

#[derive(Debug, clap::Args)]
pub(crate) struct ForkArgs {
    /// One of the two entries: `record history` names it.
    #[arg(value_parser = entry_id)]
    entry: EntryId,
    /// Where it goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn fork(context: &Context, args: ForkArgs) -> Result<Code, Failure> {
    let ForkArgs { entry, out } = args;
    input::refuse_existing(&out)?;
    let device = context.open(0)?;
    let bytes = device.fork_statement(entry)?;
    let shown = Fork::read(&bytes, device.mission()).ok();
    let entries = shown.iter().flat_map(|fork| &fork.entries).map(|entry| entry.id().to_string()).collect();
    let log = shown.as_ref().map_or_else(String::new, |fork| fork.entries[0].log().to_string());
    input::write_new(&out, &bytes)?;
    let mission = device.mission().to_string();
    context.screen.show(&ForkMade { log, entries, mission, bytes: bytes.len() as u64, file: out })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct ForkMade {
    log: String,
    entries: Vec<String>,
    mission: String,
    bytes: u64,
    file: PathBuf,
}

impl Report for ForkMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "fork of log {} · {}", self.log, output::bytes(self.bytes))?;
        self.entries.iter().try_for_each(|entry| writeln!(out, "  entry {entry}"))?;
        writeln!(out, "Whoever has it runs: merestone-audit fork {} --mission {}", self.file.display(), self.mission)?;
        writeln!(out, "It shows that one key signed both for one position, and not who held the key.")
    }
}
