//! `report.json`: the same bytes for the same bag, mission and pass, on any machine.
//!
//! Every map is a struct written in the order of its fields; lists are sorted; there is no time and no path of the
//! machine in it.

use merestone_core::audit::detail::RecordDetail;
use merestone_core::audit::{Counts, Finding, Place, REPORT_VERSION};
use serde::Serialize;

use crate::Report;
use crate::show;

pub(crate) mod charter;
mod custody;
mod ledger;
mod people;
mod records;

use charter::InForce;
use custody::{Copy, Erasure, Scope, Times};
use ledger::{Checkpoint, Complete};
use people::{Log, Someone};
use records::Record;

pub(crate) fn write(report: &Report) -> String {
    let facts = &report.facts;
    let page = Page {
        report_version: REPORT_VERSION,
        mission: facts.mission.to_string(),
        mission_name: facts.charter.as_ref().map(|charter| charter.name.as_str()),
        pass: facts.pass.as_str(),
        verdict: facts.verdict().as_str(),
        charter: facts.charter.as_ref().map(|charter| InForce::of(&charter.in_force)),
        completeness: Complete::of(facts),
        finding_counts: facts
            .findings
            .counts()
            .map(|(weight, code, count)| Tally { weight: weight.as_str(), code: code.as_str(), count })
            .collect(),
        findings: facts.findings.iter().map(Found::of).collect(),
        counts: Numbers::of(&facts.counts),
        standings: facts.standings.iter().map(|(standing, count)| Standing { standing, count: *count }).collect(),
        checkpoints: facts.notes.iter().map(Checkpoint::of).collect(),
        time: show::time_grounds(facts),
        times: Times::of(facts.counts.bounded),
        scopes_claimed: facts.scopes.as_ref().map(|scopes| scopes.iter().map(ToString::to_string).collect()),
        scopes: facts.by_scope.iter().map(|scope| Scope::of(facts, scope)).collect(),
        erasures: facts.erasures.iter().map(Erasure::of).collect(),
        copies: facts.holders.iter().map(Copy::of).collect(),
        statements: facts.statements.iter().map(|(_, id)| id.to_string()).collect(),
        people: facts.people.iter().map(|person| Someone::of(report, person)).collect(),
        logs: facts.logs.iter().map(|log| Log::of(report, log)).collect(),
        records_shown: facts.records.len(),
        records_max: report.records_max,
        records: facts.records.iter().map(|record| Record::of(report, record)).collect(),
        checked: show::checked(facts.pass),
        not_checked: show::not_checked(facts),
        signatures: show::SIGNATURES,
    };
    let mut json = serde_json::to_string_pretty(&page).expect("numbers, texts and lists are always JSON");
    json.push('\n');
    json
}

/// One object of `records`, in one line.
pub(crate) fn write_record(report: &Report, record: &RecordDetail) -> String {
    serde_json::to_string(&Record::of(report, record)).expect("numbers, texts and lists are always JSON")
}

#[derive(Serialize)]
struct Page<'a> {
    report_version: u64,
    mission: String,
    mission_name: Option<&'a str>,
    pass: &'static str,
    verdict: &'static str,
    charter: Option<InForce>,
    completeness: Complete,
    finding_counts: Vec<Tally>,
    findings: Vec<Found>,
    counts: Numbers,
    standings: Vec<Standing>,
    checkpoints: Vec<Checkpoint>,
    time: String,
    times: Times,
    scopes_claimed: Option<Vec<String>>,
    scopes: Vec<Scope>,
    erasures: Vec<Erasure>,
    /// Who said to hold which log.
    copies: Vec<Copy<'a>>,
    /// Certificates, cuts, erasures, receipts and forms.
    statements: Vec<String>,
    people: Vec<Someone<'a>>,
    logs: Vec<Log>,
    records_shown: usize,
    records_max: usize,
    records: Vec<Record<'a>>,
    checked: Vec<&'static str>,
    not_checked: Vec<&'static str>,
    signatures: [&'static str; 2],
}

#[derive(Serialize)]
struct Tally {
    weight: &'static str,
    code: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Standing {
    standing: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Found {
    weight: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    detail: String,
}

impl Found {
    fn of(finding: Finding) -> Self {
        let Finding { weight, code, place, detail } = finding;
        let Place { log, seq, entry, record, statement, leaf, file } = place;
        Self {
            weight: weight.as_str(),
            code: code.as_str(),
            log: log.map(|id| id.to_string()),
            seq,
            entry: entry.map(|id| id.to_string()),
            record: record.map(|id| id.to_string()),
            statement: statement.map(|id| id.to_string()),
            leaf,
            file,
            detail: detail.into_owned(),
        }
    }
}

#[derive(Serialize)]
struct Numbers {
    files: u64,
    entries: u64,
    logs: u64,
    records: u64,
    conflicts: u64,
    bodies_withheld: u64,
    bodies_erased: u64,
    covered_by_cuts: u64,
    entries_with_seen: u64,
    entries_in_ledger: u64,
    ledger_leaves: u64,
    photos: u64,
    certificates: u64,
    cuts: u64,
    erasures: u64,
    receipts: u64,
    forms: u64,
}

impl Numbers {
    fn of(counts: &Counts) -> Self {
        let Counts {
            files,
            entries,
            logs,
            records,
            conflicts,
            bodies_withheld,
            bodies_erased,
            covered,
            seen,
            in_ledger,
            leaves,
            bounded: _,
            photos,
            certificates,
            cuts,
            erasures,
            receipts,
            forms,
        } = *counts;
        Self {
            files,
            entries,
            logs,
            records,
            conflicts,
            bodies_withheld,
            bodies_erased,
            covered_by_cuts: covered,
            entries_with_seen: seen,
            entries_in_ledger: in_ledger,
            ledger_leaves: leaves,
            photos,
            certificates,
            cuts,
            erasures,
            receipts,
            forms,
        }
    }
}
