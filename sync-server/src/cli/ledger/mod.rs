//! `merestone ledger`: how far the ledger is confirmed, copies of it, and witnesses that only a stick reaches.

mod carry;
mod keeper;
mod pace;
mod show;

pub(crate) use keeper::KeeperArgs;
pub(crate) use pace::Pace;

use std::io::{self, Write};
use std::sync::Arc;

use clap::Subcommand;
use merestone_node::Device;
use merestone_node::replica::LedgerWatch;
use serde::Serialize;

use super::Context;
use crate::exit::{Code, Failure};
use crate::http::Url;
use crate::output::Report;
use crate::witness::MirrorError;
use crate::{camp, witness};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the newest checkpoint that this device holds: who confirmed it, who is silent, and how fast the ledger grows.
    #[command(after_help = "Example:\n  merestone ledger show --home phone")]
    Show,
    /// Write a request that a witness cosign the newest checkpoint, to carry on a stick: see `merestone witness sign`.
    ///
    /// At the camp that keeps the ledger, with --ledger-key, also one that nobody was shown yet, and that of a ledger which
    /// begins or was restored and waits until its witnesses confirmed that nothing is lost. Base camp must not be serving
    /// meanwhile.
    #[command(
        after_help = "Example:\n  merestone ledger request --witness KEY --ledger-key l.key --out ledger.request --home camp"
    )]
    Request(carry::RequestArgs),
    /// Take over the ledger's leaves from a camp that shows them over HTTP, so that bags written here have them too.
    ///
    /// Each leaf is kept after a checkpoint of the mission's ledger was found to cover it.
    #[command(after_help = "Example:\n  merestone ledger mirror http://camp.example:7413 --home second-camp")]
    Mirror {
        /// Where the ledger is shown: see `merestone serve --http`.
        #[arg(value_parser = Url::read)]
        url: Url,
    },
    /// Take in the answer of a witness.
    #[command(after_help = "Example:\n  merestone ledger accept ledger.answer --ledger-key l.key --home camp")]
    Accept(carry::AcceptArgs),
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = Arc::new(context.open(0)?);
        match self {
            Self::Show => show::run(context, &device),
            Self::Request(args) => args.run(context, &device),
            Self::Accept(args) => args.run(context, &device),
            Self::Mirror { url } => mirror_from(context, &device, &url),
        }
    }
}

fn no_ledger() -> Failure {
    Failure::bad_input("the mission's charter names no ledger")
}

fn no_note() -> Failure {
    Failure::new(Code::Undecided, "no checkpoint is held here; base camp with the ledger's key signs the first")
}

fn mirror_from(context: &Context, device: &Arc<Device>, url: &Url) -> Result<Code, Failure> {
    let mirrored = camp::runtime()?.block_on(witness::mirror(device, url, &mut LedgerWatch::default()));
    let new = match mirrored {
        Err(MirrorError::Split(split)) => {
            let folder = witness::keep_split(&device.home().folder, &split)?;
            let line = format!("{}: {} has both and shows it to anybody", MirrorError::Split(split), folder.display());
            return Err(Failure::new(Code::Failed, line));
        }
        other => other?,
    };
    context.screen.show(&Mirrored { new, leaves: device.store().ledger_size()? })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct Mirrored {
    new: u64,
    leaves: u64,
}

impl Report for Mirrored {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "ledger      {} leaves are held here, {} of them new", self.leaves, self.new)
    }
}
