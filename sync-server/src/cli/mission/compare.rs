//! `merestone mission compare`: who signed both of two charters, or both of two amendments.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::amend::proposal;
use super::given::Given;
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::output::Report;

pub(super) fn compare(context: &Context, files: [&Path; 2], charter: Option<&Path>) -> Result<Code, Failure> {
    let [one, other] = [Given::read(files[0])?, Given::read(files[1])?];
    let [one, other] = match (one.is_amendment(), other.is_amendment()) {
        (true, true) => [of_amendment(context, &one, charter)?, of_amendment(context, &other, charter)?],
        (false, false) => [of_charter(&one)?, of_charter(&other)?],
        _ => return Err(Failure::bad_input("one of the files is a charter and the other an amendment")),
    };
    let is_rival = one.id != other.id && one.of == other.of;
    let both = one.signers.iter().filter(|(key, _)| other.signers.contains_key(*key));
    let signed_both =
        both.filter(|_| is_rival).map(|(key, name)| SignerShown { party: name.clone(), key: key.clone() });
    let shown = Compared { one: one.id, other: other.id, is_rival, signed_both: signed_both.collect() };
    context.screen.show(&shown)?;
    Ok(if shown.is_rival { Code::Failed } else { Code::Done })
}

/// What was signed, and by whom: root keys, each with its party's name.
struct Signed {
    id: String,
    /// What both must be of, to be rivals.
    of: String,
    signers: BTreeMap<String, String>,
}

fn of_charter(given: &Given) -> Result<Signed, Failure> {
    let signed = given.signed_charter()?;
    let missing: Vec<_> = signed.missing().map(|party| party.number).collect();
    let signers = signed.charter().parties.iter().filter(|party| !missing.contains(&party.number));
    let signers = signers.map(|party| (party.root.to_string(), party.name.clone())).collect();
    Ok(Signed { id: signed.mission().to_string(), of: signed.charter().name.clone(), signers })
}

fn of_amendment(context: &Context, given: &Given, charter: Option<&Path>) -> Result<Signed, Failure> {
    let proposed = proposal(context, given, charter)?;
    let before = proposed.predecessor().charter();
    let signers = proposed.parties().filter_map(|number| before.party(number));
    let signers = signers.map(|party| (party.root.to_string(), party.name.clone())).collect();
    Ok(Signed { id: proposed.id().to_string(), of: proposed.predecessor().id().to_string(), signers })
}

#[derive(Serialize)]
struct Compared {
    one: String,
    other: String,
    /// Whether they are of the same: charters of one name, or amendments of one charter.
    #[serde(rename = "rivals")]
    is_rival: bool,
    signed_both: Vec<SignerShown>,
}

#[derive(Serialize)]
struct SignerShown {
    party: String,
    key: String,
}

impl Report for Compared {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "one      {}", self.one)?;
        writeln!(out, "other    {}", self.other)?;
        for signer in &self.signed_both {
            writeln!(out, "both     {} · {}", signer.party, signer.key)?;
        }
        match self.is_rival {
            true if self.signed_both.is_empty() => writeln!(out, "They claim to be of the same; nobody signed both."),
            true => writeln!(out, "They claim to be of the same, and those named signed both: ask them why."),
            false => writeln!(out, "They are one, or not of the same mission or charter."),
        }
    }
}
