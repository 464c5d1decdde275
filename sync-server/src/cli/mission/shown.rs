//! A charter as people read it before they sign it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use merestone_core::checkpoint::ledger_verifier_key;
use merestone_core::key::PublicKey;
use merestone_core::roster::{Charter, Ledger, Roster, SignedCharter};
use merestone_forms::{Form, standard};
use serde::Serialize;

use super::{amend, seats};
use crate::output::Report;

/// A charter, as `mission` shows it everywhere.
#[derive(Serialize)]
pub(in crate::cli) struct CharterShown {
    mission: String,
    name: String,
    parties: Vec<PartyShown>,
    /// What the witnesses give; `null` without a ledger.
    seats: Option<seats::SeatsShown>,
    decides: seats::DecisionsShown,
    scopes: Vec<ScopeShown>,
    forms: Vec<String>,
    ledger: Option<LedgerShown>,
    /// The ledger's key for others' programs (C2SP signed-note).
    ledger_verifier_key: Option<String>,
    quorum: u64,
    complete: bool,
    /// The charter as it stands: the mission's id, or that of the last amendment in force.
    charter: String,
    amendments: Vec<amend::AmendmentShown>,
    frozen: Option<amend::FrozenShown>,
    /// Statements that only another charter would let in.
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct PartyShown {
    number: u64,
    name: String,
    key: String,
    /// The keys of its witnesses.
    witnesses: Vec<String>,
    signed: bool,
}

#[derive(Serialize)]
struct LedgerShown {
    name: String,
    key: String,
}

#[derive(Serialize)]
struct ScopeShown {
    id: String,
    name: String,
}

impl CharterShown {
    pub(super) fn of(signed: &SignedCharter) -> Self {
        let missing = signed.missing().map(|party| party.number.0).collect::<Vec<_>>();
        Self::new(signed.charter(), &signed.mission().to_string(), &missing)
    }

    fn new(charter: &Charter, mission: &str, missing: &[u64]) -> Self {
        let party = |party: &merestone_core::roster::Party| PartyShown {
            number: party.number.0,
            name: party.name.clone(),
            key: party.root.to_string(),
            witnesses: party.witnesses.iter().map(PublicKey::to_string).collect(),
            signed: !missing.contains(&party.number.0),
        };
        Self {
            mission: mission.to_owned(),
            name: charter.name.clone(),
            parties: charter.parties.iter().map(party).collect(),
            seats: seats::SeatsShown::of(charter),
            decides: seats::DecisionsShown::of(charter),
            scopes: charter
                .scopes
                .iter()
                .map(|scope| ScopeShown { id: scope.id.to_string(), name: scope.name.clone() })
                .collect(),
            forms: charter.forms.iter().map(ToString::to_string).collect(),
            ledger_verifier_key: charter.ledger.as_ref().map(ledger_verifier_key),
            ledger: charter
                .ledger
                .as_ref()
                .map(|Ledger { origin, key }| LedgerShown { name: origin.clone(), key: key.to_string() }),
            quorum: charter.quorum,
            complete: missing.is_empty(),
            charter: mission.to_owned(),
            amendments: Vec::new(),
            frozen: None,
            waiting: 0,
            file: None,
        }
    }

    pub(in crate::cli) fn of_roster(roster: &Roster) -> Self {
        let charter = roster.charter();
        Self {
            charter: charter.id().to_string(),
            amendments: roster.amendments_in_force().into_iter().map(amend::AmendmentShown::of).collect(),
            frozen: roster.frozen().map(amend::FrozenShown::of),
            waiting: roster.waiting().count(),
            ..Self::new(charter.charter(), &charter.mission().to_string(), &[])
        }
    }

    pub(super) fn kept(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl Report for CharterShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "mission  {}", self.mission)?;
        writeln!(out, "name     {}", self.name)?;
        for party in &self.parties {
            let signed = if party.signed { "signed" } else { "has not signed" };
            writeln!(out, "party {}  {} · {} · {signed}", party.number, party.name, party.key)?;
            for witness in &party.witnesses {
                writeln!(out, "witness  {witness} of {}", party.name)?;
            }
            if self.ledger.is_some() && party.witnesses.is_empty() {
                writeln!(out, "         no witness: nothing of {} confirms the ledger", party.name)?;
            }
        }
        for scope in &self.scopes {
            writeln!(out, "scope    {} · {}", scope.name, scope.id)?;
        }
        for form in &self.forms {
            writeln!(out, "form     {}", form_name(form))?;
        }
        if let Some(LedgerShown { name, key }) = &self.ledger {
            writeln!(out, "ledger   {name} · {key}")?;
        }
        if let Some(seats) = &self.seats {
            seats.human(out)?;
        }
        self.decides.human(out)?;
        for amendment in &self.amendments {
            writeln!(out, "amended  {} · signed by parties {}", amendment.charter, amendment.signed())?;
        }
        if let Some(frozen) = &self.frozen {
            frozen.human(out)?;
        }
        if self.waiting > 0 {
            writeln!(out, "waiting  {} statements that this charter does not let in", self.waiting)?;
        }
        if let Some(file) = &self.file {
            writeln!(out, "file     {}", file.display())?;
        }
        match self.complete {
            true => writeln!(out, "Every party has signed: devices can be made with it."),
            false => {
                writeln!(
                    out,
                    "Not every party has signed: send the file to the next, for `merestone mission sign`, or show it with `merestone mission show --qr`."
                )
            }
        }
    }
}

/// A form's hash, with its title where it is one that comes with the program.
fn form_name(hash: &str) -> String {
    let known =
        standard::ALL.into_iter().chain([standard::REDACTION]).filter_map(|document| Form::read_tables(document).ok());
    let mut titles = known.filter(|form| form.definition().hash().is_ok_and(|known| known.to_string() == hash));
    titles.next().map_or_else(|| hash.to_owned(), |form| format!("{} · {hash}", form.model().title))
}
