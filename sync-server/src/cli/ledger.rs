//! `merestone ledger`: how far the ledger is confirmed, and witnesses that only a stick reaches.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use merestone_core::roster::Class;
use merestone_core::witness::{
    AddCheckpoint, COSIGNED_NOTE_BYTES_MAX, CosignedNote, NoteRefused, Witnesses, parse_conflict,
};
use merestone_node::Device;
use merestone_node::replica::LedgerTiles;
use serde::Serialize;

use super::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::http::Url;
use crate::input;
use crate::output::Report;
use crate::{camp, witness};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the newest checkpoint that this device holds: who confirmed it, and who is silent.
    #[command(after_help = "Example:\n  merestone ledger show --home phone")]
    Show,
    /// Write a request that a witness cosign the newest checkpoint, to carry on a stick: see `merestone witness sign`.
    #[command(after_help = "Example:\n  merestone ledger request --out ledger.request --home camp")]
    Request {
        /// Where the request goes: a new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The witness's public key: the request proves from the largest checkpoint that is held with its cosignature.
        #[arg(long, value_name = "KEY", conflicts_with = "old")]
        witness: Option<String>,
        /// How many leaves the witness cosigned last, as its answer says. Default: none.
        #[arg(long, value_name = "LEAVES")]
        old: Option<u64>,
    },
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
    #[command(after_help = "Example:\n  merestone ledger accept ledger.answer --home camp")]
    Accept {
        /// The answer.
        answer: PathBuf,
    },
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        match self {
            Self::Show => show(context, &device),
            Self::Request { out, witness, old } => request(context, &device, &out, witness.as_deref(), old),
            Self::Accept { answer } => accept(context, &device, &answer),
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

fn show(context: &Context, device: &Device) -> Result<Code, Failure> {
    let roster = device.authority().roster();
    let charter = roster.charter().clone();
    let witnesses = Witnesses::of(charter.charter()).ok_or_else(no_ledger)?;
    let notes = roster.cosigned_notes();
    drop(roster);
    let newest = notes.last().ok_or_else(no_note)?;
    let last_final = notes
        .iter()
        .rev()
        .find(|note| witnesses.tally(note).confirmation == merestone_core::witness::Confirmation::Final);
    let tally = witnesses.tally(newest);
    let name = |party: &merestone_core::roster::PartyNumber| {
        charter.charter().party(*party).map_or_else(|| party.to_string(), |party| party.name.clone())
    };
    context.screen.show(&Shown {
        origin: witnesses.ledger().origin.clone(),
        leaves: newest.checkpoint().size(),
        leaves_held: device.store().ledger_size()?,
        note: newest.hash().to_string(),
        confirmation: tally.confirmation.code(),
        words: tally.to_string(),
        signed: tally.signed.iter().map(name).collect(),
        silent: tally.silent.iter().map(name).collect(),
        silent_witnesses: witnesses.silent_in(&notes).iter().map(|witness| witness.key.to_string()).collect(),
        final_leaves: last_final.map(|note| note.checkpoint().size()),
    })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct Shown {
    origin: String,
    leaves: u64,
    leaves_held: u64,
    note: String,
    confirmation: &'static str,
    words: String,
    signed: Vec<String>,
    silent: Vec<String>,
    silent_witnesses: Vec<String>,
    final_leaves: Option<u64>,
}

impl Report for Shown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "ledger      {}", self.origin)?;
        writeln!(
            out,
            "checkpoint  {} leaves, of which {} are held here",
            self.leaves,
            self.leaves_held.min(self.leaves)
        )?;
        writeln!(out, "note        {}", self.note)?;
        writeln!(out, "confirmed   {}", self.words)?;
        for name in &self.silent {
            writeln!(out, "silent      {name} has not confirmed this checkpoint")?;
        }
        for key in &self.silent_witnesses {
            writeln!(out, "never       {key} cosigned no checkpoint that is held here")?;
        }
        match self.final_leaves {
            Some(leaves) => writeln!(out, "final       {leaves} leaves"),
            None => writeln!(out, "final       nothing yet"),
        }
    }
}

fn request(
    context: &Context,
    device: &Device,
    out: &Path,
    witness: Option<&str>,
    old: Option<u64>,
) -> Result<Code, Failure> {
    input::refuse_existing(out)?;
    let notes = device.authority().roster().cosigned_notes();
    let newest = notes.last().ok_or_else(no_note)?.checkpoint();
    let old = match witness.map(public_key).transpose()? {
        Some(key) => last_of(&notes, &key),
        None => old.unwrap_or(0),
    };
    if old > newest.size() {
        let line = format!("the witness cosigned {old} leaves, and the newest checkpoint here has {}", newest.size());
        return Err(Failure::new(
            Code::Failed,
            format!("{line}: leaves were lost here; sign nothing, ask the parties"),
        ));
    }
    let proof = LedgerTiles::of(device.store()).consistency_proof(old, newest.size());
    let proof = proof.map_err(|error| {
        Failure::new(Code::Undecided, format!("{error}; make the request at the camp that keeps the ledger"))
    })?;
    let body = AddCheckpoint { old, proof: proof.unwrap_or_default(), note: newest.as_bytes().to_vec() }.encode();
    input::write_new(out, &body)?;
    context.screen.show(&Requested { old, leaves: newest.size(), file: out.to_owned() })?;
    Ok(Code::Done)
}

fn mirror_from(context: &Context, device: &Device, url: &Url) -> Result<Code, Failure> {
    let new = camp::runtime()?.block_on(witness::mirror(device, url))?;
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

/// The leaves of the largest checkpoint that `key` cosigned.
fn last_of(notes: &[CosignedNote], key: &merestone_core::key::PublicKey) -> u64 {
    let of = notes.iter().rev().find(|note| note.cosignatures().any(|by| by.key() == key));
    of.map_or(0, |note| note.checkpoint().size())
}

#[derive(Serialize)]
struct Requested {
    old: u64,
    leaves: u64,
    file: PathBuf,
}

impl Report for Requested {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { old, leaves, file } = self;
        writeln!(out, "request     to cosign {leaves} leaves after {old}, in {}", file.display())?;
        writeln!(out, "the witness merestone witness sign {} --out ledger.answer …", file.display())
    }
}

fn accept(context: &Context, device: &Device, path: &Path) -> Result<Code, Failure> {
    let answer = input::read(path, "the answer of a witness", COSIGNED_NOTE_BYTES_MAX)?;
    if let Some(size) = parse_conflict(&answer) {
        let line = format!("the witness cosigned {size} leaves last: write the request again with --old {size}");
        return Err(Failure::new(Code::Undecided, line));
    }
    let roster = device.authority().roster();
    let charter = roster.charter().clone();
    let notes = roster.cosigned_notes();
    drop(roster);
    let witnesses = Witnesses::of(charter.charter()).ok_or_else(no_ledger)?;
    // A cosignature names no note: it is of the one under which it verifies, mostly the newest.
    for note in notes.iter().rev() {
        let mut alone = CosignedNote::new(note.checkpoint().clone());
        let added = alone
            .add(&answer, &witnesses)
            .map_err(|_: NoteRefused| Failure::bad_input(format!("{} is no answer of a witness", path.display())))?;
        if added == 0 {
            continue;
        }
        let statements: Vec<Vec<u8>> = alone.statements().collect();
        let received = device.receive(Class::Cosignature, &statements)?;
        let tally = witnesses.tally(&device.authority().roster().cosigned(note.checkpoint()));
        context.screen.show(&Accepted {
            leaves: note.checkpoint().size(),
            new: received.new.len(),
            confirmation: tally.confirmation.code(),
            words: tally.to_string(),
        })?;
        return Ok(Code::Done);
    }
    Err(Failure::bad_input(format!(
        "{} holds no cosignature of a checkpoint that is held here, by a witness of the mission",
        path.display()
    )))
}

#[derive(Serialize)]
struct Accepted {
    leaves: u64,
    new: usize,
    confirmation: &'static str,
    words: String,
}

impl Report for Accepted {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "cosigned    {} leaves; {} new cosignatures", self.leaves, self.new)?;
        writeln!(out, "confirmed   {}", self.words)
    }
}
