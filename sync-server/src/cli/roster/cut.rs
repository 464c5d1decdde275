//! `merestone roster cut`.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::Check;
use merestone_core::entry::LogHead;
use merestone_core::roster::{Class, Cut, CutDraft, Shown};
use merestone_node::Device;
use merestone_node::office::PartyOffice;
use serde::Serialize;

use super::agree::CutProposed;
use super::{ActsShown, ReasonName};
use crate::cli::mission::{key_in, refused_by};
use crate::cli::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(crate) struct CutArgs {
    /// The key to end, 64 hex digits.
    observer_key: String,
    /// Why.
    #[arg(long, value_enum)]
    reason: ReasonName,
    /// Why, in words that everybody will read.
    #[arg(long)]
    text: Option<String>,
    /// Keep nothing of the key, not even what is held.
    #[arg(long)]
    keep_nothing: bool,
    /// Your party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Write the cut into this new file too, for other devices: see `merestone roster add`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a proposal into this new file, and cut nothing before the charter's quorum of parties signed it with
    /// `merestone roster agree`: such a cut acts also below what a final checkpoint holds.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    propose: Option<PathBuf>,
}

pub(super) fn cut(context: &Context, args: &CutArgs) -> Result<Code, Failure> {
    let key = public_key(&args.observer_key)?;
    let device = context.open(0)?;
    for file in [&args.out, &args.propose].into_iter().flatten() {
        input::refuse_existing(file)?;
    }
    let kept = if args.keep_nothing { Vec::new() } else { device.heads_of(&key)? };
    let root = key_in(&context.asker, &args.key)?;
    let text = args.text.as_deref();
    let draft = CutDraft { key: key.as_bytes(), kept: &kept, reason: args.reason.reason(), text };
    let (office, charter) = (PartyOffice::new(&root), device.charter());
    if let Some(file) = &args.propose {
        let proposed = office.propose_cut(&charter, &draft).map_err(refused_by(&args.key))?;
        input::write_new(file, &proposed.encode())?;
        context.screen.show(&CutProposed::of(&proposed, &charter, file))?;
        return Ok(Code::Done);
    }
    let cut = office.cut(&charter, &draft).map_err(refused_by(&args.key))?;
    take_up(&device, cut.as_bytes().to_vec())?;
    if let Some(out) = &args.out {
        input::write_new(out, cut.as_bytes())?;
    }
    let kept = kept.iter().map(KeptShown::of).collect();
    let acts = acts(&device, &cut);
    context.screen.show(&CutMade { cut: cut.id().to_string(), key: key.to_string(), kept, acts })?;
    Ok(Code::Done)
}

fn acts(device: &Device, cut: &Cut) -> Option<ActsShown> {
    let roster = device.authority().roster();
    ActsShown::of(&roster, &Shown::of(&roster), cut)
}

/// Gives a cut to a device.
///
/// # Errors
/// If it is refused, or the store is.
pub(super) fn take_up(device: &Device, cut: Vec<u8>) -> Result<(), Failure> {
    let received = device.receive(Class::Cut, &[cut])?;
    match received.refusal() {
        None => Ok(()),
        Some(refused) => {
            let why = match refused.check {
                Check::CutSigner => "a party can cut the keys that it certified itself",
                Check::CutQuorum => "more parties must sign it: `roster agree`",
                Check::StatementLimit => "this party has as many cuts as a roster holds",
                _ => "see `merestone-audit explain`",
            };
            let line = format!("the cut is refused ({refused}); {why}");
            Err(Failure::new(Code::BadInput, line))
        }
    }
}

#[derive(Serialize)]
pub(super) struct KeptShown {
    scope: String,
    epoch: String,
    seq: u64,
    entry: String,
}

impl KeptShown {
    pub(super) fn of(head: &LogHead) -> Self {
        let LogHead { scope, epoch, seq, id } = head;
        Self { scope: scope.to_string(), epoch: epoch.to_string(), seq: *seq, entry: id.to_string() }
    }

    /// What is kept of a key, log by log.
    pub(super) fn list(kept: &[Self], out: &mut dyn Write) -> io::Result<()> {
        for kept in kept {
            writeln!(out, "  kept up to entry {} of its log in scope {}", kept.seq + 1, kept.scope)?;
        }
        if kept.is_empty() { writeln!(out, "  nothing of it is kept") } else { Ok(()) }
    }
}

#[derive(Serialize)]
struct CutMade {
    cut: String,
    key: String,
    kept: Vec<KeptShown>,
    /// `None` in a mission in which nothing becomes final.
    #[serde(skip_serializing_if = "Option::is_none")]
    acts: Option<ActsShown>,
}

impl Report for CutMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "key {} is cut", self.key)?;
        KeptShown::list(&self.kept, out)?;
        let Some(acts) = &self.acts else { return writeln!(out, "Whatever else it signed is set aside and shown.") };
        writeln!(out, "Whatever else it signed is set aside and shown, but for what is final.")?;
        if acts.is_stuck() {
            return writeln!(
                out,
                "On that it does not act: {acts}. Let them certify one, or agree to the cut with them: `roster cut --propose`."
            );
        }
        writeln!(
            out,
            "It acts on what becomes final once camps, reviewers or arbiters of other parties hold it: sync with one of them, then with base camp; `roster show` says when."
        )
    }
}
