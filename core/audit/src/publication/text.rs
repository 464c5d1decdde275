//! The report of a publication: as lines, and as JSON.

use std::fmt::{self, Write as _};

use merestone_core::audit::{Weight, explain};
use merestone_core::publication::{Decision, Reason, label_at};
use serde::Serialize;

use super::PublicationReport;
use crate::folder::printable;
use crate::show;

/// Findings of one code that are shown in a terminal; JSON has more.
const PLACES_SHOWN: usize = 10;

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
        let party = charter.charter().party(account.party).map_or_else(String::new, |party| printable(&party.name));
        writeln!(out, "account {id}, signed by {party} (party {})", account.party.0)?;
    }
    findings(report, out)?;
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
    }
    Ok(())
}

const SAYS: &str = "Each value that is shown is one that the holder of an observer's key signed, and nothing is shown in another way \
                    than the account says.";
const SAYS_NOT: &str = "It does not say that a value is true, nor that the account is.";
const ALONE: &str =
    "Whether anything was left out that the account does not list, nobody can say without a bag: add --bag BAG.";

fn findings(report: &PublicationReport, out: &mut String) -> fmt::Result {
    if report.findings.counts().next().is_none() {
        return writeln!(out, "\nFindings: none");
    }
    writeln!(out, "\nFindings")?;
    let all: Vec<_> = report.findings.iter().collect();
    for (weight, code, count) in report.findings.counts() {
        let times = if count == 1 { String::new() } else { format!(", {count} times") };
        writeln!(out, "  {:<8} {code}{times}", weight.as_str())?;
        if let Some(explanation) = explain(code.as_str()) {
            writeln!(out, "           {}", explanation.meaning)?;
        }
        let shown = if weight == Weight::Note { 3 } else { PLACES_SHOWN };
        let own = all.iter().filter(|finding| finding.code == code && finding.weight == weight);
        for finding in own.take(shown) {
            writeln!(out, "           · {}: {}", printable(&show::place(&finding.place)), finding.detail)?;
        }
        if count > shown as u64 {
            writeln!(out, "           · and {} more", count - shown as u64)?;
        }
    }
    Ok(())
}

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
    let words = match state {
        16 => "erased",
        17 => "not held",
        18 => "applied, and nothing of it can be disclosed",
        19 => "not applied",
        20 => "of an unknown kind",
        34 => "receipts",
        35 => "host comments",
        36 => "concurrences",
        37 => "objections",
        38 => "dissents",
        39 => "rulings",
        _ => "of an unknown state",
    };
    words.to_owned()
}

#[derive(Serialize)]
struct Page {
    mission: String,
    verdict: &'static str,
    compared: Option<u64>,
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
    let PublicationReport { mission, findings, account, tally, photos, compared, .. } = report;
    let page = Page {
        mission: mission.to_string(),
        verdict: report.verdict().as_str(),
        compared: *compared,
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
