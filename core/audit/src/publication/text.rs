//! The report of a publication: as lines, and as JSON.

use std::fmt::{self, Write as _};

use merestone_core::publication::{Decision, Reason, State, label_at};
use serde::Serialize;

use super::PublicationReport;
use crate::folder::printable;
use crate::show;

pub(super) fn write(report: &PublicationReport) -> String {
    let mut out = String::new();
    all(report, &mut out).expect("a String takes every text");
    out
}

fn all(report: &PublicationReport, out: &mut String) -> fmt::Result {
    let compared = match report.compared {
        Some(entries) => format!("compared with a bag of {entries} entries in its scopes"),
        None => "not compared with a bag".to_owned(),
    };
    writeln!(out, "{}  publication, {compared}", report.verdict())?;
    writeln!(out, "mission {}", report.mission)?;
    if let (Some((id, account)), Some(charter)) = (&report.account, &report.charter) {
        let party =
            charter.charter().charter().party(account.party).map_or_else(String::new, |party| printable(&party.name));
        writeln!(out, "account {id}, signed by {party} (party {})", account.party.0)?;
        let id = charter.charter().id().to_string();
        writeln!(out, "charter {}", show::charter_in_force(&id, charter.amendments()))?;
    }
    show::findings(&report.findings, out)?;
    let tally = &report.tally;
    writeln!(out, "\nAccount")?;
    writeln!(out, "  lists {} entries in {} logs", tally.entries, tally.logs)?;
    writeln!(out, "  shows {} leaves of {} entries in {} records", tally.leaves, tally.shown, tally.records)?;
    for (state, count) in tally.states.iter().filter(|(state, _)| **state != 0) {
        writeln!(out, "  does not show {count}: {}", state_in_words(*state))?;
    }
    writeln!(out, "  {} photos and pictures", report.photos)?;
    withheld(report, out)?;
    writeln!(out, "\nWhat this says\n  {SAYS}\n  {SAYS_NOT}")?;
    if report.compared.is_none() {
        writeln!(out, "  {ALONE}")?;
        let has_ledger = report.charter.as_ref().is_some_and(|file| file.charter().charter().ledger.is_some());
        if has_ledger && report.account.as_ref().is_some_and(|(_, account)| account.note.is_none()) {
            writeln!(out, "  {NO_NOTE}")?;
        }
    }
    Ok(())
}

const SAYS: &str = "Each value that is shown is one that the holder of an observer's key signed, and nothing is shown in another way \
                    than the account says.";
const SAYS_NOT: &str = "It does not say that a value is true, nor that the account is.";
const ALONE: &str =
    "Whether anything was left out that the account does not list, nobody can say without a bag: add --bag BAG.";
const NO_NOTE: &str = "The account names no checkpoint of the mission's ledger: nothing shows that it is whole.";

/// What is withheld of each form, and why.
fn withheld(report: &PublicationReport, out: &mut String) -> fmt::Result {
    let Some((_, account)) = &report.account else { return Ok(()) };
    for rule in &account.rules {
        let Some(form) = report.forms.get(&rule.form) else { continue };
        writeln!(out, "\nWithheld in every record of {} (form {})", printable(&form.kind), rule.form)?;
        for reason in Reason::ALL {
            let labels = (0..).zip(&rule.decisions).filter_map(|(position, decision)| {
                let label = label_at(form, position)?;
                match decision {
                    Decision::Withheld(why) if *why == reason => Some(label.to_owned()),
                    Decision::Partly { questions, rest } if *rest == reason => {
                        Some(format!("{label} but for {}", questions.join(" and ")))
                    }
                    _ => None,
                }
            });
            let labels: Vec<String> = labels.collect();
            if !labels.is_empty() {
                writeln!(out, "  {}: {}", reason.as_str(), printable(&labels.join(", ")))?;
            }
        }
    }
    if !account.exceptions.is_empty() {
        writeln!(out, "\nDecided otherwise in {} records", account.exceptions.len())?;
    }
    Ok(())
}

fn state_in_words(state: u64) -> String {
    if let Some(reason) = Reason::from_code(state) {
        return format!("left out by decision, {}", reason.as_str());
    }
    State::words_of(state).unwrap_or("of an unknown state").to_owned()
}

#[derive(Serialize)]
struct Page {
    mission: String,
    verdict: &'static str,
    compared: Option<u64>,
    charter: Option<String>,
    account: Option<String>,
    party: Option<u64>,
    logs: u64,
    entries: u64,
    shown: u64,
    records: u64,
    leaves: u64,
    photos: u64,
    states: Vec<(u64, u64)>,
    finding_counts: Vec<Count>,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Count {
    weight: &'static str,
    code: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Found {
    weight: &'static str,
    code: &'static str,
    place: String,
    detail: String,
}

pub(super) fn json(report: &PublicationReport) -> String {
    let PublicationReport { mission, findings, charter, account, forms: _, tally, photos, compared } = report;
    let page = Page {
        mission: mission.to_string(),
        verdict: report.verdict().as_str(),
        compared: *compared,
        charter: charter.as_ref().map(|file| file.charter().id().to_string()),
        account: account.as_ref().map(|(id, _)| id.to_string()),
        party: account.as_ref().map(|(_, account)| account.party.0),
        logs: tally.logs,
        entries: tally.entries,
        shown: tally.shown,
        records: tally.records,
        leaves: tally.leaves,
        photos: *photos,
        states: tally.states.iter().map(|(state, count)| (*state, *count)).collect(),
        finding_counts: findings
            .counts()
            .map(|(weight, code, count)| Count { weight: weight.as_str(), code: code.as_str(), count })
            .collect(),
        findings: findings
            .iter()
            .map(|finding| Found {
                weight: finding.weight.as_str(),
                code: finding.code.as_str(),
                place: show::place(&finding.place),
                detail: finding.detail.into_owned(),
            })
            .collect(),
    };
    let mut json = serde_json::to_string_pretty(&page).expect("numbers, texts and lists are always JSON");
    json.push('\n');
    json
}
