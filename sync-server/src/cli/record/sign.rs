//! `merestone record sign` and `record restate`: what is said about a record, and what is said again.

use std::io::{self, Write};

use clap::ValueEnum;
use merestone_core::entry::Kind;
use merestone_core::id::{EntryId, RecordId};
use merestone_node::capture::Speech;
use serde::Serialize;

use super::{SavedShown, SignerArgs, record_id, unknown_record};
use crate::cli::{Context, choose_observer};
use crate::exit::{Code, Failure};
use crate::output::Report;

/// What somebody signs a record as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// I made this observation together with its author.
    CoAuthor,
    /// I have taken notice of it; I do not say that I agree.
    Receipt,
    /// A comment by whoever is the host here.
    HostComment,
    /// I agree.
    Concurrence,
    /// I disagree, for the reason in --text.
    Objection,
    /// I see it otherwise.
    Dissent,
    /// I decide, as arbiter: of a fork, the branch that --about names.
    Ruling,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
    /// As what.
    #[arg(long = "as", value_enum, value_name = "ROLE")]
    role: RoleName,
    /// The entry that is meant. Repeat for each. Default: what the record says now. `record history` shows entries.
    #[arg(long = "about", value_name = "ENTRY", value_parser = entry_id)]
    about: Vec<EntryId>,
    /// In words; an objection needs them.
    #[arg(long)]
    text: Option<String>,
    /// Why, as a number of the mission's own list: of an objection, a dissent or a ruling.
    #[arg(long, value_name = "NUMBER")]
    reason: Option<u64>,
    #[command(flatten)]
    signer: SignerArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestateArgs {
    /// The entry that is kept and not applied: `record show` and `record history` name it.
    #[arg(value_parser = entry_id)]
    entry: EntryId,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Reads an entry's id.
pub(super) fn entry_id(text: &str) -> Result<EntryId, String> {
    EntryId::from_hex(text)
        .ok_or_else(|| "an entry's id is 64 hex digits; `merestone record history` shows them".to_owned())
}

impl RoleName {
    const fn kind(self) -> Kind {
        match self {
            Self::CoAuthor => Kind::CoAuthorship,
            Self::Receipt => Kind::Receipt,
            Self::HostComment => Kind::HostComment,
            Self::Concurrence => Kind::Concurrence,
            Self::Objection => Kind::Objection,
            Self::Dissent => Kind::Dissent,
            Self::Ruling => Kind::Ruling,
        }
    }

    /// What the others will read.
    const fn said(self) -> &'static str {
        match self {
            Self::CoAuthor => "signed as made together with its author",
            Self::Receipt => "taken notice of, which is no agreement",
            Self::HostComment => "commented as host",
            Self::Concurrence => "agreed to",
            Self::Objection => "objected to",
            Self::Dissent => "dissented from",
            Self::Ruling => "ruled on",
        }
    }
}

pub(super) fn sign(context: &Context, args: SignArgs) -> Result<Code, Failure> {
    let SignArgs { record, role, about, text, reason, signer } = args;
    let takes_reason = matches!(role, RoleName::Objection | RoleName::Dissent | RoleName::Ruling);
    if reason.is_some() && !takes_reason {
        let line = "--reason belongs to an objection, a dissent or a ruling; say it with --text";
        return Err(Failure::new(Code::Usage, line.to_owned()));
    }
    let device = context.open(signer.utc_offset)?;
    let observer = choose_observer(&device, signer.observer.as_deref())?;
    let view = device.record(record)?.ok_or_else(|| unknown_record(record))?;
    if let Some(foreign) = about.iter().find(|entry| !view.standings.iter().any(|(held, _)| held == *entry)) {
        let line = format!("entry {foreign} is none of record {record}; see `merestone record history {record}`");
        return Err(Failure::new(Code::BadInput, line));
    }
    let named = if about.is_empty() { view.heads } else { about.clone() };
    context.unlock(&device, &observer)?;
    let saved = device.say(&observer.key, Speech { record, about, kind: role.kind(), reason, text })?;
    let named = named.iter().map(ToString::to_string).collect();
    context.screen.show(&SaidShown { said: role.said(), about: named, saved: SavedShown::of(saved) })?;
    Ok(Code::Done)
}

pub(super) fn restate(context: &Context, args: &RestateArgs) -> Result<Code, Failure> {
    let device = context.open(args.signer.utc_offset)?;
    let observer = choose_observer(&device, args.signer.observer.as_deref())?;
    context.unlock(&device, &observer)?;
    let saved = device.restate(&observer.key, args.entry)?;
    context.screen.show(&SavedShown::of(saved))?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct SaidShown {
    said: &'static str,
    about: Vec<String>,
    #[serde(flatten)]
    saved: SavedShown,
}

impl Report for SaidShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for entry in &self.about {
            writeln!(out, "{} entry {entry}", self.said)?;
        }
        self.saved.human(out)?;
        writeln!(out, "A later edit of these entries voids it, visibly.")
    }
}
