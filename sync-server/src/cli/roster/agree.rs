//! `merestone roster agree`: a cut that several parties sign, and that then acts at any height.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use merestone_core::key::PublicKey;
use merestone_core::roster::{CUT_BYTES_MAX, CompleteCharter, PartyNumber, ProposedCut};
use serde::Serialize;

use super::cut::KeptShown;
use super::reason_name;
use crate::cli::Context;
use crate::cli::mission::{complete_charter, key_in, refused_by};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Report};

#[derive(Debug, clap::Args)]
pub(crate) struct AgreeArgs {
    /// The cut, as `merestone roster cut --propose` wrote it; it is replaced by one with the signature.
    cut: PathBuf,
    /// The mission's charter.
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
    /// Your party's root key; without it the cut is only shown.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(super) fn agree(context: &Context, args: &AgreeArgs) -> Result<Code, Failure> {
    let charter = complete_charter(&args.charter)?;
    let bytes = input::read(&args.cut, "a cut", CUT_BYTES_MAX)?;
    let mut proposed = ProposedCut::decode(&bytes, &charter).map_err(|refused| {
        let line = format!(
            "{} is no cut that several parties sign ({refused}); see `merestone roster cut --propose`",
            args.cut.display()
        );
        Failure::new(Code::BadInput, line)
    })?;
    if let Some(key) = &args.key {
        let root = key_in(&context.asker, key)?;
        proposed.sign(&charter, &root).map_err(refused_by(key))?;
        input::replace(&args.cut, &proposed.encode())?;
    }
    context.screen.show(&CutProposed::of(&proposed, &charter, &args.cut))?;
    Ok(Code::Done)
}

/// A cut that parties sign one after the other.
#[derive(Serialize)]
pub(super) struct CutProposed {
    key: String,
    reason: &'static str,
    text: Option<String>,
    kept: Vec<KeptShown>,
    signed: Vec<String>,
    needed: u64,
    complete: bool,
    file: PathBuf,
}

impl CutProposed {
    pub(super) fn of(proposed: &ProposedCut, charter: &CompleteCharter, file: &Path) -> Self {
        let parties: Vec<PartyNumber> = proposed.parties().collect();
        let (complete, charter) = (charter.cut(&parties), charter.charter());
        let name =
            |number: PartyNumber| charter.party(number).map_or_else(|| number.to_string(), |party| party.name.clone());
        Self {
            key: PublicKey::admit(proposed.key()).map_or_else(|_| String::new(), |key| key.to_string()),
            reason: reason_name(proposed.reason()),
            text: proposed.text().map(str::to_owned),
            kept: proposed.kept().iter().map(KeptShown::of).collect(),
            complete,
            signed: parties.into_iter().map(name).collect(),
            needed: charter.cutting(),
            file: file.to_owned(),
        }
    }
}

impl Report for CutProposed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let text = self.text.as_deref().map_or_else(String::new, |text| format!(": {}", output::one_line(text)));
        writeln!(out, "cut of key {} ({}){text}", self.key, self.reason)?;
        KeptShown::list(&self.kept, out)?;
        writeln!(out, "signed by {}; it takes {} parties", self.signed.join(", "), self.needed)?;
        let file = self.file.display();
        match self.complete {
            true => writeln!(out, "Enough parties signed: take it up with `merestone roster add {file}`."),
            false => writeln!(out, "Send {file} to another party, for `merestone roster agree`."),
        }
    }
}
