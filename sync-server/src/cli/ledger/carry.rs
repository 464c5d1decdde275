//! Requests to witnesses that only a stick reaches, and their answers.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::key::PublicKey;
use merestone_core::roster::Class;
use merestone_core::witness::{
    AddCheckpoint, COSIGNED_NOTE_BYTES_MAX, CosignedNote, NoteRefused, Witnesses, parse_conflict,
};
use merestone_node::Device;
use merestone_node::replica::{AnswerError, Camp, Cosigned, LedgerError, LedgerTiles};
use serde::Serialize;

use super::keeper::KeeperArgs;
use super::{no_ledger, no_note};
use crate::cli::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::output::Report;
use crate::{input, time};

/// What a request is to say.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// Where the request goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The witness's public key: the request proves from the largest checkpoint that is held with its cosignature.
    #[arg(long, value_name = "KEY")]
    witness: Option<String>,
    /// How many leaves the witness cosigned last, as its answer says. Default: as --witness has it, else none.
    #[arg(long, value_name = "LEAVES")]
    old: Option<u64>,
    #[command(flatten)]
    keeper: KeeperArgs,
}

impl RequestArgs {
    pub(crate) fn run(&self, context: &Context, device: &Arc<Device>) -> Result<Code, Failure> {
        input::refuse_existing(&self.out)?;
        let witness = self.witness.as_deref().map(public_key).transpose()?;
        let notes = device.authority().roster().cosigned_notes();
        let known = witness.map_or(0, |key| last_of(&notes, &key));
        let old = self.old.unwrap_or(known);
        let (leaves, body) = match self.keeper.camp(context, device)? {
            Some(camp) => by_keeper(&camp, witness, old)?,
            None => by_anybody(device, &notes, old)?,
        };
        input::write_new(&self.out, &body)?;
        context.screen.show(&Requested { old, leaves, file: self.out.clone() })?;
        Ok(Code::Done)
    }
}

/// At the camp that keeps the ledger: also a checkpoint that nobody was shown yet, or the question of a ledger that was
/// restored.
fn by_keeper(camp: &Camp, witness: Option<PublicKey>, old: u64) -> Result<(u64, Vec<u8>), Failure> {
    let Some(witness) = witness else {
        return Err(Failure::bad_input("name the witness: --witness KEY; its answer counts for its party alone"));
    };
    match camp.checkpoint() {
        // Then this is what it is to be asked for.
        Ok(_) | Err(LedgerError::Unconfirmed { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let question = camp.carried_question(&witness, old, time::now_s())?;
    let question = question.ok_or_else(|| {
        let line = format!("nothing is signed that a witness which cosigned {old} leaves could cosign");
        Failure::new(Code::Undecided, line)
    })?;
    Ok((question.checkpoint.size(), question.body))
}

/// Anywhere else: the newest checkpoint that was shown.
fn by_anybody(device: &Device, notes: &[CosignedNote], old: u64) -> Result<(u64, Vec<u8>), Failure> {
    let newest = notes.last().ok_or_else(no_note)?.checkpoint();
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
    Ok((newest.size(), body))
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

/// What came back.
#[derive(Debug, clap::Args)]
pub(crate) struct AcceptArgs {
    /// The answer.
    answer: PathBuf,
    #[command(flatten)]
    keeper: KeeperArgs,
}

impl AcceptArgs {
    pub(crate) fn run(&self, context: &Context, device: &Arc<Device>) -> Result<Code, Failure> {
        let path = &self.answer;
        let answer = input::read(path, "the answer of a witness", COSIGNED_NOTE_BYTES_MAX)?;
        if let Some(size) = parse_conflict(&answer) {
            let line = format!("the witness cosigned {size} leaves last: write the request again with --old {size}");
            return Err(Failure::new(Code::Undecided, line));
        }
        let accepted = match self.keeper.camp(context, device)? {
            Some(camp) => to_keeper(&camp, device, &answer, path)?,
            None => to_anybody(device, &answer, path)?,
        };
        context.screen.show(&accepted)?;
        Ok(Code::Done)
    }
}

fn to_keeper(camp: &Camp, device: &Device, answer: &[u8], path: &Path) -> Result<Accepted, Failure> {
    let taken = camp.take_carried(answer);
    let (checkpoint, cosigned) = taken.map_err(|error| match error {
        AnswerError::Ledger(error) => error.into(),
        error @ (AnswerError::Malformed | AnswerError::NoWitness | AnswerError::NotAsked) => {
            let advice = "write the request again with `merestone ledger request --witness KEY`, and carry the new one";
            Failure::bad_input(format!("{}: {error}; {advice}", path.display()))
        }
    })?;
    let Cosigned { new, is_old, parties: _, latest: _ } = cosigned;
    // What it confirmed may let the ledger go on.
    let waits = match camp.checkpoint() {
        Ok(_) => None,
        Err(error @ LedgerError::Unconfirmed { .. }) => Some(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    Ok(Accepted { is_old, waits, ..Accepted::of(device, &checkpoint, new)? })
}

fn to_anybody(device: &Device, answer: &[u8], path: &Path) -> Result<Accepted, Failure> {
    let roster = device.authority().roster();
    let charter = roster.charter().clone();
    let notes = roster.cosigned_notes();
    drop(roster);
    // A cosignature names no note: it is of the one under which it verifies, mostly the newest.
    for note in notes.iter().rev() {
        let witnesses = Witnesses::at(&charter, note.checkpoint().size()).ok_or_else(no_ledger)?;
        let mut alone = CosignedNote::new(note.checkpoint().clone());
        let added = alone
            .add(answer, &witnesses)
            .map_err(|_: NoteRefused| Failure::bad_input(format!("{} is no answer of a witness", path.display())))?;
        if added == 0 {
            continue;
        }
        let statements: Vec<Vec<u8>> = alone.statements().collect();
        let received = device.receive(Class::Cosignature, &statements)?;
        return Accepted::of(device, note.checkpoint(), received.new.len());
    }
    Err(Failure::bad_input(format!(
        "{} holds no cosignature of a checkpoint that was shown here, by a witness of the mission; at the camp that keeps the ledger name its key: --ledger-key FILE",
        path.display()
    )))
}

#[derive(Serialize)]
struct Accepted {
    leaves: u64,
    new: usize,
    confirmation: &'static str,
    words: String,
    /// Whether the witness's clock puts the answer before the question, so that it confirms nothing to a restored ledger.
    #[serde(rename = "old")]
    is_old: bool,
    /// Why the ledger does not go on yet.
    waits: Option<String>,
}

impl Accepted {
    fn of(device: &Device, checkpoint: &Checkpoint, new: usize) -> Result<Self, Failure> {
        let roster = device.authority().roster();
        let witnesses = Witnesses::at(roster.charter(), checkpoint.size()).ok_or_else(no_ledger)?;
        let tally = witnesses.tally(&roster.cosigned(checkpoint));
        let (confirmation, words) = (tally.confirmation.code(), tally.to_string());
        Ok(Self { leaves: checkpoint.size(), new, confirmation, words, is_old: false, waits: None })
    }
}

impl Report for Accepted {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "cosigned    {} leaves; {} new cosignatures", self.leaves, self.new)?;
        if self.is_old {
            writeln!(out, "old         by its own clock the witness signed before it was asked: ask it again")?;
        }
        if let Some(waits) = &self.waits {
            writeln!(out, "waiting     {waits}")?;
        }
        writeln!(out, "confirmed   {}", self.words)
    }
}
