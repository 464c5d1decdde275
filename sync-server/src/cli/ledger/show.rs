//! `merestone ledger show`.

use std::io::{self, Write};

use merestone_core::id::hex;
use merestone_core::roster::PartyNumber;
use merestone_core::witness::{CosignedNote, Witnesses};
use merestone_node::Device;
use merestone_node::replica::waiting_checkpoint;
use serde::Serialize;

use super::pace::Pace;
use super::{no_ledger, no_note};
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::output::Report;

pub(super) fn run(context: &Context, device: &Device) -> Result<Code, Failure> {
    let roster = device.authority().roster();
    let charter = roster.charter().clone();
    let witnesses = Witnesses::of(charter.charter()).ok_or_else(no_ledger)?;
    let notes = roster.cosigned_notes();
    let name = |party: &PartyNumber| {
        charter.charter().party(*party).map_or_else(|| party.to_string(), |party| party.name.clone())
    };
    drop(roster);
    let tally_of = |note: &CosignedNote| {
        let judging = Witnesses::at(&charter, note.checkpoint().size());
        judging.map_or_else(|| witnesses.tally(note), |judging| judging.tally(note))
    };
    let waiting = waiting_checkpoint(device.store(), &device.authority().roster())?;
    let waiting = waiting.map(|note| {
        let tally = tally_of(&note);
        let (leaves, silent) = (note.checkpoint().size(), tally.silent.iter().map(&name).collect());
        Waiting { leaves, cosigned: tally.signed.len(), needed: tally.quorum.shown(), silent }
    });
    let Some(newest) = notes.last() else {
        let Some(waiting) = waiting else { return Err(no_note()) };
        context.screen.show(&waiting)?;
        return Ok(Code::Undecided);
    };
    let last_final = notes.iter().rev().find(|note| note.is_final(&charter));
    let tally = tally_of(newest);
    let cosigned = |key| {
        let of = notes.iter().rev().find(|note| note.cosignatures().any(|by| *by.key() == key));
        of.map(|note| note.checkpoint().size())
    };
    let each = witnesses.iter().map(|witness| WitnessShown {
        key: witness.key.to_string(),
        party: name(&witness.party),
        leaves: cosigned(witness.key),
    });
    context.screen.show(&Shown {
        origin: witnesses.ledger().origin.clone(),
        leaves: newest.checkpoint().size(),
        leaves_held: device.store().ledger_size()?,
        root: hex(newest.checkpoint().root()),
        note: newest.hash().to_string(),
        confirmation: tally.confirmation.code(),
        words: tally.to_string(),
        signed: tally.signed.iter().map(name).collect(),
        silent: tally.silent.iter().map(name).collect(),
        witnesses: each.collect(),
        silent_witnesses: witnesses.silent_in(&notes).iter().map(|witness| witness.key.to_string()).collect(),
        final_leaves: last_final.map(|note| note.checkpoint().size()),
        pace: Pace::of(&notes),
        waiting,
    })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct Shown {
    origin: String,
    leaves: u64,
    leaves_held: u64,
    /// To compare with what others were shown, in hex.
    root: String,
    note: String,
    confirmation: &'static str,
    words: String,
    signed: Vec<String>,
    silent: Vec<String>,
    witnesses: Vec<WitnessShown>,
    silent_witnesses: Vec<String>,
    final_leaves: Option<u64>,
    pace: Pace,
    waiting: Option<Waiting>,
}

/// A checkpoint that was signed and shown to nobody yet.
#[derive(Serialize)]
struct Waiting {
    leaves: u64,
    cosigned: usize,
    needed: usize,
    silent: Vec<String>,
}

impl Report for Waiting {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { leaves, cosigned, needed, silent } = self;
        let silent = silent.join(", ");
        writeln!(
            out,
            "waiting     a checkpoint of {leaves} leaves, cosigned by {cosigned} parties: shown to devices from {needed} on; ask {silent}"
        )
    }
}

#[derive(Serialize)]
struct WitnessShown {
    key: String,
    party: String,
    /// Of the largest checkpoint that it cosigned, of those held here.
    leaves: Option<u64>,
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
        writeln!(out, "root        {}", self.root)?;
        writeln!(out, "note        {}", self.note)?;
        writeln!(out, "confirmed   {}", self.words)?;
        for name in &self.silent {
            writeln!(out, "silent      {name} has not confirmed this checkpoint")?;
        }
        for WitnessShown { key, party, leaves } in &self.witnesses {
            match leaves {
                Some(leaves) => writeln!(out, "witness     {key} of {party}: {leaves} leaves")?,
                None => writeln!(out, "never       {key} of {party} cosigned no checkpoint that is held here")?,
            }
        }
        match self.final_leaves {
            Some(leaves) => writeln!(out, "final       {leaves} leaves")?,
            None => writeln!(out, "final       nothing yet")?,
        }
        if let Some(waiting) = &self.waiting {
            waiting.human(out)?;
        }
        self.pace.lines(out, 12)
    }
}
