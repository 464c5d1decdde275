//! `merestone erasure`: what enough parties agree to forget.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use merestone_core::erasure::{ERASURE_BYTES_MAX, Erased, ErasureDraft, ErasureReason, ProposedErasure};
use merestone_core::id::{BlobHash, RecordId};
use merestone_core::roster::{Class, CompleteCharter, PartyNumber};
use merestone_node::office::PartyOffice;
use serde::Serialize;

use super::Context;
use super::mission::{complete_charter, key_in, refused_by};
use super::record::{record_id, unknown_record};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Propose that a record, or one photo of it, be forgotten, and sign the proposal for your party.
    ///
    /// It names what the device at --home shows of the record now, with everything that this builds on. What must survive
    /// is restated first: see `merestone record restate`.
    #[command(
        after_help = "Example:\n  merestone erasure propose 9c0b… --reason privacy --text 'Asked for by the person.' \\\n    \
                      --key state-a.key --out wish.erasure --home camp"
    )]
    Propose(ProposeArgs),
    /// Show what a proposal would have everybody forget, why, and who has signed it.
    #[command(after_help = "Example:\n  merestone erasure show wish.erasure --charter charter.cbor")]
    Show {
        /// The proposal.
        erasure: PathBuf,
        /// The mission's charter.
        #[arg(long, value_name = "FILE")]
        charter: PathBuf,
    },
    /// Add a party's signature to a proposal, after reading it.
    #[command(after_help = "Example:\n  merestone erasure sign wish.erasure --charter charter.cbor --key state-b.key")]
    Sign {
        /// The proposal; it is replaced by one with the signature.
        erasure: PathBuf,
        /// The mission's charter.
        #[arg(long, value_name = "FILE")]
        charter: PathBuf,
        /// The party's root key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Take up an erasure that enough parties signed: this device forgets, and everybody it meets does.
    ///
    /// Bodies, photos and everything made of them are dropped; the signed headers stay, so that an audit still shows that
    /// something was here, who erased it, and why.
    #[command(after_help = "Example:\n  merestone erasure add wish.erasure --home camp")]
    Add {
        /// The erasure.
        erasure: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProposeArgs {
    /// The record.
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// Only this photo of it, by the hash that `record show` prints.
    #[arg(long, value_name = "SHA256", value_parser = photo_hash)]
    photo: Option<BlobHash>,
    /// Why.
    #[arg(long, value_enum)]
    reason: ReasonName,
    /// Why, in words that everybody will read for ever: nothing that is to be forgotten.
    #[arg(long)]
    text: Option<String>,
    /// The party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the proposal goes: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Why something is to be forgotten.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ReasonName {
    /// The privacy of a person.
    Privacy,
    /// The safety of a person.
    Safety,
    /// Unlawful content.
    Unlawful,
    /// A court ordered it.
    Court,
}

impl ReasonName {
    const fn reason(self) -> ErasureReason {
        match self {
            Self::Privacy => ErasureReason::Privacy,
            Self::Safety => ErasureReason::Safety,
            Self::Unlawful => ErasureReason::Unlawful,
            Self::Court => ErasureReason::Court,
        }
    }
}

const fn reason_name(reason: ErasureReason) -> &'static str {
    match reason {
        ErasureReason::Privacy => "privacy",
        ErasureReason::Safety => "safety",
        ErasureReason::Unlawful => "unlawful",
        ErasureReason::Court => "court",
    }
}

fn photo_hash(text: &str) -> Result<BlobHash, String> {
    BlobHash::from_hex(text)
        .ok_or_else(|| "a photo's hash is 64 hex digits; `merestone record show` prints them".into())
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Propose(args) => propose(context, args),
            Self::Show { erasure, charter } => {
                let charter = complete_charter(&charter)?;
                let (proposed, _) = read(&erasure, &charter)?;
                context.screen.show(&ErasureShown::of(&proposed, &charter, &erasure))?;
                Ok(Code::Done)
            }
            Self::Sign { erasure, charter, key } => sign(context, &erasure, &charter, &key),
            Self::Add { erasure } => add(context, &erasure),
        }
    }
}

fn propose(context: &Context, args: ProposeArgs) -> Result<Code, Failure> {
    let ProposeArgs { record, photo, reason, text, key, out } = args;
    input::refuse_existing(&out)?;
    let device = context.open(0)?;
    let view = device.record(record)?.ok_or_else(|| unknown_record(record))?;
    let erased = match photo {
        Some(photo) if view.photos.iter().any(|shown| shown.photo.sha256 == photo) => Erased::Photo(photo),
        Some(photo) => {
            let line = format!("record {record} shows no photo {photo}; see `merestone record show {record}`");
            return Err(Failure::new(Code::BadInput, line));
        }
        None if view.heads.is_empty() => {
            let line = format!("nothing of record {record} is applied here; propose it where it is, or sync first");
            return Err(Failure::new(Code::BadInput, line));
        }
        None => Erased::Heads(view.heads),
    };
    let charter = device.charter();
    let root = key_in(&context.asker, &key)?;
    let draft = ErasureDraft { record, erased, reason: reason.reason(), text };
    let proposed = PartyOffice::new(&root).propose_erasure(&charter, draft).map_err(refused_by(&key))?;
    input::write_new(&out, &proposed.encode())?;
    context.screen.show(&ErasureShown::of(&proposed, &charter, &out))?;
    Ok(Code::Done)
}

fn sign(context: &Context, path: &Path, charter: &Path, key: &Path) -> Result<Code, Failure> {
    let charter = complete_charter(charter)?;
    let (mut proposed, _) = read(path, &charter)?;
    let root = key_in(&context.asker, key)?;
    proposed.sign(&charter, &root).map_err(refused_by(key))?;
    input::replace(path, &proposed.encode())?;
    context.screen.show(&ErasureShown::of(&proposed, &charter, path))?;
    Ok(Code::Done)
}

fn add(context: &Context, path: &Path) -> Result<Code, Failure> {
    let device = context.open(0)?;
    let charter = device.charter();
    let (proposed, bytes) = read(path, &charter)?;
    let shown = ErasureShown::of(&proposed, &charter, path);
    if !shown.complete {
        let line = format!(
            "{}: {} of {} parties have signed; send it to the next, for `merestone erasure sign`",
            path.display(),
            shown.signed.len(),
            shown.needed
        );
        return Err(Failure::new(Code::BadInput, line));
    }
    let received = device.receive(Class::Erasure, &[bytes])?;
    if let Some(refused) = received.refusal() {
        return Err(Failure::new(Code::BadInput, format!("{} is refused ({refused})", path.display())));
    }
    context.screen.show(&ErasureShown { taken_up: true, ..shown })?;
    Ok(Code::Done)
}

/// The proposal in a file, with its bytes.
fn read(path: &Path, charter: &CompleteCharter) -> Result<(ProposedErasure, Vec<u8>), Failure> {
    let bytes = input::read(path, "an erasure", ERASURE_BYTES_MAX)?;
    let proposed = ProposedErasure::decode(&bytes, charter).map_err(|refused| {
        let line = format!("{} is no erasure of this mission ({refused}); ask for the file again", path.display());
        Failure::new(Code::BadInput, line)
    })?;
    Ok((proposed, bytes))
}

#[derive(Serialize)]
struct ErasureShown {
    record: String,
    heads: Vec<String>,
    photo: Option<String>,
    reason: &'static str,
    text: Option<String>,
    signed: Vec<String>,
    needed: u64,
    complete: bool,
    taken_up: bool,
    file: PathBuf,
}

impl ErasureShown {
    fn of(proposed: &ProposedErasure, charter: &CompleteCharter, file: &Path) -> Self {
        let ErasureDraft { record, erased, reason, text } = proposed.draft();
        let (heads, photo) = match erased {
            Erased::Heads(heads) => (heads.iter().map(ToString::to_string).collect(), None),
            Erased::Photo(photo) => (Vec::new(), Some(photo.to_string())),
        };
        let parties: Vec<PartyNumber> = proposed.parties().collect();
        let (complete, charter) = (charter.erase(&parties), charter.charter());
        let name = |number: PartyNumber| {
            let party = charter.parties.iter().find(|party| party.number == number);
            party.map_or_else(|| number.0.to_string(), |party| party.name.clone())
        };
        Self {
            record: record.to_string(),
            heads,
            photo,
            reason: reason_name(*reason),
            text: text.clone(),
            complete,
            needed: charter.quorum,
            signed: parties.into_iter().map(name).collect(),
            taken_up: false,
            file: file.to_owned(),
        }
    }
}

impl Report for ErasureShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "record   {}", self.record)?;
        match &self.photo {
            Some(photo) => writeln!(out, "forgets  the photo {photo} and what was made of it; the entries stay")?,
            None => writeln!(out, "forgets  what these entries say, and all that they build on")?,
        }
        for head in &self.heads {
            writeln!(out, "         {head}")?;
        }
        writeln!(out, "reason   {}", self.reason)?;
        if let Some(text) = &self.text {
            writeln!(out, "         {}", crate::output::one_line(text))?;
        }
        writeln!(out, "signed   {} · {} parties are needed", self.signed.join(", "), self.needed)?;
        writeln!(out, "file     {}", self.file.display())?;
        match (self.taken_up, self.complete) {
            (true, _) => writeln!(out, "Forgotten here. Whoever syncs with this device forgets it too; headers stay."),
            (false, true) => writeln!(out, "Enough parties signed: take it up with `merestone erasure add`."),
            (false, false) => writeln!(out, "Send the file to the next party, for `merestone erasure sign`."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_name_in_and_out() {
        for name in ReasonName::value_variants() {
            let typed = name.to_possible_value().expect("no variant is skipped");
            assert_eq!(typed.get_name(), reason_name(name.reason()));
        }
        assert_eq!(ReasonName::value_variants().len(), ErasureReason::ALL.len());
    }
}
