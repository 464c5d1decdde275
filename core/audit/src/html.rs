//! `report.html`: one page without any other file, script or address. Everything in it is escaped by the template.

use std::collections::BTreeMap;

use askama::Template;
use data_encoding::BASE64;
use merestone_core::audit::custody::ScopeFacts;
use merestone_core::audit::detail::{Answer, EntryDetail, RecordDetail};
use merestone_core::audit::ledger::SeenNote;
use merestone_core::audit::{Counts, Weight, explain};
use merestone_core::id::LogId;

use crate::Report;
use crate::show;

/// Findings of one code that the page shows; `report.json` lists more.
const PLACES_SHOWN: usize = 50;

pub(crate) fn write(report: &Report) -> String {
    Page::of(report).render().expect("a String takes every text, and the template calls nothing that fails")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    mission: String,
    mission_name: String,
    verdict: &'static str,
    pass: &'static str,
    completeness: String,
    charter: String,
    checkpoints: Vec<CheckpointView>,
    scopes: Vec<ScopeView>,
    erasures: Vec<String>,
    findings: Vec<Group>,
    counts: Vec<(&'static str, u64)>,
    standings: Vec<(&'static str, u64)>,
    parties: Vec<PartyView>,
    devices: Vec<DeviceView>,
    records: Vec<RecordView>,
    records_total: u64,
    is_full: bool,
    time: String,
    checked: Vec<&'static str>,
    not_checked: Vec<&'static str>,
    signatures: [&'static str; 2],
}

struct Group {
    weight: &'static str,
    code: &'static str,
    count: u64,
    meaning: &'static str,
    advice: &'static str,
    places: Vec<(String, String)>,
    more: u64,
}

/// Checkpoints that the page shows, the newest first.
const CHECKPOINTS_SHOWN: usize = 20;

/// Erasures that the page names.
const ERASURES_SHOWN: usize = 100;

struct ScopeView {
    name: String,
    is_claimed: bool,
    entries: u64,
    logs: u64,
    withheld: u64,
    erased: u64,
    left_out: u64,
}

impl ScopeView {
    fn of(report: &Report, facts: &ScopeFacts) -> Self {
        let ScopeFacts { scope, is_claimed, logs, entries, withheld, erased, left_out } = *facts;
        Self { name: show::scope_name(&report.facts, scope), is_claimed, entries, logs, withheld, erased, left_out }
    }
}

struct CheckpointView {
    size: u64,
    state: &'static str,
    confirmation: String,
    root: String,
}

impl CheckpointView {
    fn of(note: &SeenNote) -> Self {
        Self {
            size: note.size,
            state: note.state.code(),
            confirmation: note.tally.to_string(),
            root: show::hex(&note.root),
        }
    }
}

struct PartyView {
    name: String,
    people: Vec<PersonView>,
}

struct PersonView {
    observer: String,
    device: String,
    role: &'static str,
    is_cut: bool,
    entries: u64,
    receipts: u64,
    key: String,
    attestation: Option<String>,
    logs: Vec<String>,
}

struct DeviceView {
    name: String,
    logs: Vec<LogView>,
}

struct LogView {
    name: String,
    scope: String,
    entries: u64,
    moments: Vec<Moment>,
}

struct Moment {
    seq: u64,
    clock: String,
    source: &'static str,
    kind: String,
    standing: &'static str,
    record: String,
    title: String,
    short: String,
}

struct RecordView {
    id: String,
    kind: String,
    scope: String,
    provenance: Vec<(String, String)>,
    answers: Vec<AnswerView>,
    entries: Vec<EntryView>,
    photos: Vec<PhotoView>,
    conflicts: usize,
}

struct AnswerView {
    key: String,
    values: Vec<(String, String)>,
    is_conflict: bool,
}

struct EntryView {
    short: String,
    seq: u64,
    kind: String,
    standing: &'static str,
    is_applied: bool,
    who: String,
    clock: String,
    place: String,
    post: String,
    said: String,
    unapplied: Vec<(String, String)>,
    bounds: String,
    voided: String,
}

struct PhotoView {
    short: String,
    state: &'static str,
    data: Option<String>,
}

impl Page {
    fn of(report: &Report) -> Self {
        let facts = &report.facts;
        Self {
            mission: facts.mission.to_string(),
            mission_name: facts.charter.as_ref().map_or_else(String::new, |charter| charter.name.clone()),
            verdict: facts.verdict().as_str(),
            pass: facts.pass.as_str(),
            completeness: show::completeness(facts),
            charter: show::charter(facts),
            checkpoints: facts.notes.iter().rev().take(CHECKPOINTS_SHOWN).map(CheckpointView::of).collect(),
            scopes: facts.by_scope.iter().map(|scope| ScopeView::of(report, scope)).collect(),
            erasures: facts.erasures.iter().take(ERASURES_SHOWN).map(|erasure| show::erasure(facts, erasure)).collect(),
            findings: groups(report),
            counts: counts(&facts.counts),
            standings: facts.standings.iter().map(|(&standing, &count)| (standing, count)).collect(),
            parties: parties(report),
            devices: devices(report),
            records: facts.records.iter().map(|record| RecordView::of(report, record)).collect(),
            records_total: facts.counts.records,
            is_full: facts.pass == merestone_core::audit::Pass::Full,
            time: show::time_grounds(facts),
            checked: show::checked(facts.pass),
            not_checked: show::not_checked(facts),
            signatures: show::SIGNATURES,
        }
    }
}

fn groups(report: &Report) -> Vec<Group> {
    let all: Vec<_> = report.facts.findings.iter().collect();
    let group = |(weight, code, count): (Weight, merestone_core::audit::Code, u64)| {
        let own = all.iter().filter(|finding| finding.code == code && finding.weight == weight);
        let places: Vec<(String, String)> = own
            .take(PLACES_SHOWN)
            .map(|finding| (show::place(&finding.place), finding.detail.clone().into_owned()))
            .collect();
        let explanation = explain(code.as_str());
        Group {
            weight: weight.as_str(),
            code: code.as_str(),
            count,
            meaning: explanation.map_or("", |explanation| explanation.meaning),
            advice: explanation.map_or("", |explanation| explanation.advice),
            more: count.saturating_sub(places.len() as u64),
            places,
        }
    };
    report.facts.findings.counts().map(group).collect()
}

fn counts(counts: &Counts) -> Vec<(&'static str, u64)> {
    vec![
        ("entries", counts.entries),
        ("logs", counts.logs),
        ("records", counts.records),
        ("answers in conflict", counts.conflicts),
        ("bodies not in the bag", counts.bodies_withheld),
        ("erased, headers only", counts.bodies_erased),
        ("covered by a cut", counts.covered),
        ("in the ledger", counts.in_ledger),
        ("leaves of the ledger", counts.leaves),
        ("photos and renditions", counts.photos),
        ("certificates", counts.certificates),
        ("cuts", counts.cuts),
        ("erasures", counts.erasures),
        ("receipts", counts.receipts),
        ("files", counts.files),
    ]
}

fn parties(report: &Report) -> Vec<PartyView> {
    let mut parties: Vec<PartyView> = Vec::new();
    let mut last = None;
    for person in &report.facts.people {
        if last.replace(person.party) != Some(person.party) {
            parties.push(PartyView { name: show::party_name(&report.facts, person.party), people: Vec::new() });
        }
        let Some(party) = parties.last_mut() else { continue };
        let logs = report.facts.logs.iter().filter(|log| person.logs.contains(&log.log));
        let described = logs.map(|log| {
            let scope = log.owner.map_or_else(String::new, |owner| show::scope_name(&report.facts, owner.scope));
            let name = short(&log.log.to_string());
            let head = log.top.map_or_else(String::new, |(_, head)| format!(", head {}", short(&head.to_string())));
            let (entries, logged, last) = (log.entries, log.in_ledger, log.in_final);
            let copies: Vec<String> = show::copies(&report.facts, log.log).collect();
            let held = if copies.is_empty() { String::new() } else { format!("; held by {}", copies.join(", ")) };
            format!("{name} {scope}: {entries} entries{head}; {logged} in the ledger, {last} of them final{held}")
        });
        party.people.push(PersonView {
            observer: person.observer.clone(),
            device: person.device.clone(),
            role: person.role.name(),
            is_cut: person.is_cut,
            entries: person.entries,
            receipts: person.receipts,
            key: short(&show::hex(&person.key)),
            attestation: person.attestation.map(|attestation| attestation.to_string()),
            logs: described.collect(),
        });
    }
    parties
}

/// Every entry of the records shown, by device and log, in the order of the log: what the device's clock said.
fn devices(report: &Report) -> Vec<DeviceView> {
    let facts = &report.facts;
    let mut by_log: BTreeMap<LogId, Vec<(&RecordDetail, &EntryDetail)>> = BTreeMap::new();
    for record in &facts.records {
        for entry in &record.entries {
            by_log.entry(entry.log).or_default().push((record, entry));
        }
    }
    let mut devices: BTreeMap<String, Vec<LogView>> = BTreeMap::new();
    for log in &facts.logs {
        let Some(mut entries) = by_log.remove(&log.log) else { continue };
        entries.sort_by_key(|(_, entry)| (entry.seq, entry.id));
        let first = entries.first().map(|(_, entry)| *entry);
        let device = first.and_then(|entry| entry.device.clone()).unwrap_or_else(|| "no known device".into());
        let observer = first.and_then(|entry| entry.observer.clone()).unwrap_or_else(|| "no known observer".into());
        let moment = |(record, entry): &(&RecordDetail, &EntryDetail)| Moment {
            seq: entry.seq,
            clock: entry.clock.as_ref().map_or_else(|| "no body".into(), show::wall),
            source: entry.clock.map_or("", |clock| show::clock_source(clock.source)),
            kind: show::kind(entry.kind),
            standing: entry.standing,
            record: record.id.to_string(),
            short: short(&record.id.to_string()),
            title: record.kind.clone().unwrap_or_else(|| "record".into()),
        };
        devices.entry(device).or_default().push(LogView {
            name: observer,
            scope: log.owner.map_or_else(String::new, |owner| show::scope_name(facts, owner.scope)),
            entries: log.entries,
            moments: entries.iter().map(moment).collect(),
        });
    }
    devices.into_iter().map(|(name, logs)| DeviceView { name, logs }).collect()
}

impl RecordView {
    fn of(report: &Report, record: &RecordDetail) -> Self {
        let answers: Vec<AnswerView> = record.answers.iter().map(AnswerView::of).collect();
        let stated = record.answers.iter().filter(|answer| show::is_provenance(&answer.key));
        let provenance = stated
            .flat_map(|answer| answer.values.iter().map(|(said, _)| (answer.key.clone(), show::said(said))))
            .collect();
        let photos = record.entries.iter().flat_map(|entry| &entry.photos);
        let photos = photos.map(|photo| PhotoView {
            short: short(&photo.original.to_string()),
            state: photo.state,
            data: photo.thumbnail.and_then(|blob| report.thumbnails.get(&blob)).map(|bytes| BASE64.encode(bytes)),
        });
        Self {
            id: record.id.to_string(),
            kind: record.kind.clone().unwrap_or_else(|| "record".into()),
            scope: record.scope.map_or_else(String::new, |scope| show::scope_name(&report.facts, scope)),
            provenance,
            conflicts: answers.iter().filter(|answer| answer.is_conflict).count(),
            answers,
            entries: record.entries.iter().map(|entry| EntryView::of(report, entry)).collect(),
            photos: photos.collect(),
        }
    }
}

impl AnswerView {
    fn of(answer: &Answer) -> Self {
        let values: Vec<(String, String)> =
            answer.values.iter().map(|(said, entry)| (show::said(said), short(&entry.to_string()))).collect();
        Self { key: answer.key.clone(), is_conflict: values.len() > 1, values }
    }
}

impl EntryView {
    fn of(report: &Report, entry: &EntryDetail) -> Self {
        let party = entry.party.map(|party| show::party_name(&report.facts, party));
        let known = [entry.observer.clone(), entry.device.clone(), party];
        let who: Vec<String> = known.into_iter().flatten().collect();
        let who = if who.is_empty() { format!("key {}", short(&show::hex(&entry.key))) } else { who.join(", ") };
        let said = match (entry.reason, &entry.text) {
            (Some(reason), Some(text)) => format!("reason {reason}: {text}"),
            (Some(reason), None) => format!("reason {reason}"),
            (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        };
        Self {
            short: short(&entry.id.to_string()),
            seq: entry.seq,
            kind: show::kind(entry.kind),
            standing: entry.standing,
            is_applied: matches!(entry.standing, "accepted" | "provisional"),
            who,
            clock: entry.clock.as_ref().map_or_else(|| "no body".into(), show::wall),
            place: entry.spot.as_ref().map_or_else(String::new, show::spot),
            post: entry.post.clone().unwrap_or_default(),
            said,
            bounds: show::bounds(&entry.bounds),
            voided: entry.voided_by.iter().map(|id| short(&id.to_string())).collect::<Vec<_>>().join(", "),
            unapplied: entry.unapplied.iter().map(|(key, said)| (key.clone(), show::said(said))).collect(),
        }
    }
}

/// The first digits of an id, enough to find it on the page.
fn short(id: &str) -> String {
    format!("{}…", id.get(..12).unwrap_or(id))
}
