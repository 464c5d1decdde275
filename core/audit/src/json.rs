//! `report.json`: the same bytes for the same bag, mission and pass, on any machine.
//!
//! Every map is a struct written in the order of its fields; lists are sorted; there is no time and no path of the
//! machine in it.

use merestone_core::audit::detail::{Answer, EntryDetail, PhotoDetail, RecordDetail, Said};
use merestone_core::audit::logs::LogSummary;
use merestone_core::audit::{Counts, Finding, Person, Place, REPORT_VERSION};
use serde::Serialize;

use crate::Report;
use crate::show;

mod custody;
mod ledger;

use custody::{Copy, End, Erasure, Scope, Times};
use ledger::{Checkpoint, Complete};

pub(crate) fn write(report: &Report) -> String {
    let facts = &report.facts;
    let page = Page {
        report_version: REPORT_VERSION,
        mission: facts.mission.to_string(),
        mission_name: facts.charter.as_ref().map(|charter| charter.name.as_str()),
        pass: facts.pass.as_str(),
        verdict: facts.verdict().as_str(),
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

#[derive(Serialize)]
struct Page<'a> {
    report_version: u64,
    mission: String,
    mission_name: Option<&'a str>,
    pass: &'static str,
    verdict: &'static str,
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

#[derive(Serialize)]
struct Someone<'a> {
    party: u64,
    party_name: String,
    observer: &'a str,
    device: &'a str,
    role: &'static str,
    key: String,
    certificate: String,
    is_cut: bool,
    entries: u64,
    receipts: u64,
    logs: Vec<String>,
}

impl<'a> Someone<'a> {
    fn of(report: &Report, person: &'a Person) -> Self {
        let Person { party, observer, device, key, certificate, role, is_cut, logs, entries, receipts } = person;
        Self {
            party: party.0,
            party_name: show::party_name(&report.facts, *party),
            observer,
            device,
            role: show::role(*role),
            key: show::hex(key),
            certificate: certificate.to_string(),
            is_cut: *is_cut,
            entries: *entries,
            receipts: *receipts,
            logs: logs.iter().map(|log| log.to_string()).collect(),
        }
    }
}

#[derive(Serialize)]
struct Log {
    log: String,
    key: Option<String>,
    scope: Option<String>,
    scope_name: Option<String>,
    epoch: Option<String>,
    entries: u64,
    height: u64,
    top_seq: Option<u64>,
    head: Option<String>,
    bodies_withheld: u64,
    covered_by_cuts: u64,
    forks: u64,
    in_ledger: u64,
    in_ledger_final: u64,
    left_out: u64,
}

impl Log {
    fn of(report: &Report, log: &LogSummary) -> Self {
        Self {
            log: log.log.to_string(),
            key: log.owner.map(|owner| show::hex(&owner.key)),
            scope: log.owner.map(|owner| owner.scope.to_string()),
            scope_name: log.owner.map(|owner| show::scope_name(&report.facts, owner.scope)),
            epoch: log.owner.map(|owner| owner.epoch.to_string()),
            entries: log.entries,
            height: log.height,
            top_seq: log.top.map(|(seq, _)| seq),
            head: log.top.map(|(_, id)| id.to_string()),
            bodies_withheld: log.withheld,
            covered_by_cuts: log.covered,
            forks: log.forks,
            in_ledger: log.in_ledger,
            in_ledger_final: log.in_final,
            left_out: log.left_out,
        }
    }
}

#[derive(Serialize)]
struct Record<'a> {
    record: String,
    kind: Option<&'a str>,
    scope: Option<String>,
    scope_name: Option<String>,
    answers: Vec<Answered<'a>>,
    entries: Vec<Step<'a>>,
}

impl<'a> Record<'a> {
    fn of(report: &Report, record: &'a RecordDetail) -> Self {
        let RecordDetail { id, scope, kind, entries, answers } = record;
        Self {
            record: id.to_string(),
            kind: kind.as_deref(),
            scope: scope.map(|scope| scope.to_string()),
            scope_name: scope.map(|scope| show::scope_name(&report.facts, scope)),
            answers: answers.iter().map(Answered::of).collect(),
            entries: entries.iter().map(Step::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Answered<'a> {
    key: &'a str,
    values: Vec<Given<'a>>,
}

#[derive(Serialize)]
struct Given<'a> {
    value: Value<'a>,
    entry: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Blank(()),
    Bool(bool),
    Int(i64),
    Text(&'a str),
}

impl<'a> Value<'a> {
    fn of(said: &'a Said) -> Self {
        match said {
            Said::Blank => Value::Blank(()),
            Said::Bool(value) => Value::Bool(*value),
            Said::Int(value) => Value::Int(*value),
            Said::Text(value) => Value::Text(value),
        }
    }
}

impl<'a> Answered<'a> {
    fn of(answer: &'a Answer) -> Self {
        let given = |(said, entry): &'a (Said, _)| Given { value: Value::of(said), entry: entry_id(entry) };
        Self { key: &answer.key, values: answer.values.iter().map(given).collect() }
    }
}

fn entry_id(id: &merestone_core::id::EntryId) -> String {
    id.to_string()
}

#[derive(Serialize)]
struct Step<'a> {
    entry: String,
    log: String,
    seq: u64,
    kind: String,
    standing: &'static str,
    leaf: Option<u64>,
    not_before: Option<End>,
    not_after: Option<End>,
    /// What a signature role is about, and the later edits that void it.
    names: Vec<String>,
    voided_by: Vec<String>,
    party: Option<u64>,
    observer: Option<&'a str>,
    device: Option<&'a str>,
    /// Milliseconds since 1970 as the device's clock showed them, and its source: no proof of anything.
    device_clock_ms: Option<i64>,
    device_clock_offset_min: Option<i16>,
    device_clock_source: Option<&'static str>,
    place: Option<String>,
    post: Option<&'a str>,
    reason: Option<u64>,
    text: Option<&'a str>,
    photos: Vec<Photo>,
    not_applied: Vec<Unapplied<'a>>,
}

#[derive(Serialize)]
struct Photo {
    original: String,
    state: &'static str,
}

#[derive(Serialize)]
struct Unapplied<'a> {
    key: &'a str,
    value: Value<'a>,
}

impl<'a> Step<'a> {
    fn of(entry: &'a EntryDetail) -> Self {
        let EntryDetail {
            id,
            log,
            seq,
            key: _,
            party,
            observer,
            device,
            kind,
            standing,
            leaf,
            bounds,
            names,
            voided_by,
            clock,
            spot,
            post,
            text,
            reason,
            photos,
            unapplied,
        } = entry;
        let photo = |photo: &PhotoDetail| Photo { original: photo.original.to_string(), state: photo.state };
        Self {
            entry: id.to_string(),
            log: log.to_string(),
            seq: *seq,
            kind: show::kind(*kind),
            standing,
            leaf: *leaf,
            not_before: bounds.not_before.as_ref().map(End::of),
            not_after: bounds.not_after.as_ref().map(End::of),
            names: names.iter().map(entry_id).collect(),
            voided_by: voided_by.iter().map(entry_id).collect(),
            party: party.map(|party| party.0),
            observer: observer.as_deref(),
            device: device.as_deref(),
            device_clock_ms: clock.map(|clock| clock.wall_ms),
            device_clock_offset_min: clock.map(|clock| clock.offset_min),
            device_clock_source: clock.map(|clock| show::clock_source(clock.source)),
            place: spot.as_ref().map(show::spot),
            post: post.as_deref(),
            reason: *reason,
            text: text.as_deref(),
            photos: photos.iter().map(photo).collect(),
            not_applied: unapplied.iter().map(|(key, said)| Unapplied { key, value: Value::of(said) }).collect(),
        }
    }
}
