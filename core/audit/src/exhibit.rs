//! `merestone-audit exhibit`: one entry that somebody shows, judged with nothing but the mission's id.

use std::fmt::Write as _;

use merestone_core::change::Value;
use merestone_core::disclosure::{Fact, Opened, Said};
use merestone_core::entry::{Clock, ClockSource};
use merestone_core::exhibit::{Exhibit, ExhibitRefused};
use merestone_core::id::MissionId;
use merestone_core::roster::{Certificate, CompleteCharter, PartyNumber};
use serde::Serialize;

use crate::folder::printable;
use crate::show;

/// What an exhibit shows, ready to be written down.
#[derive(Clone, Debug, Serialize)]
pub struct ExhibitReport {
    mission: String,
    mission_name: String,
    charter: String,
    amendments: u64,
    entry: String,
    kind: String,
    record: String,
    scope: String,
    log: String,
    seq: u64,
    key: String,
    certificates: Vec<Certified>,
    ledger: Option<InLedger>,
    says: Option<Vec<Answer>>,
    does_not_show: Vec<&'static str>,
}

/// A certificate in words.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Certified {
    certificate: String,
    observer: String,
    device: String,
    party: String,
    role: &'static str,
    grants_it: bool,
}

#[derive(Clone, Debug, Serialize)]
struct InLedger {
    leaf: u64,
    checkpoint: u64,
    confirmation: &'static str,
    in_words: String,
    not_after: Option<NotAfter>,
}

#[derive(Clone, Debug, Serialize)]
struct NotAfter {
    time: u64,
    time_shown: String,
    by_parties: Vec<u64>,
    holds: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Answer {
    question: String,
    value: String,
}

const NOT_SHOWN: [&str; 4] = [
    "that the entry stands: a cut, a fork, a later edit or an objection may be elsewhere",
    "that the certificates shown are all there are of the key",
    "that the content is true, or when it was made: only until when it was there",
    "that nothing else was written or left out: for that, audit a bag",
];

/// Judges an exhibit.
///
/// # Errors
/// The first check that it fails, with its code.
pub fn exhibit(bytes: &[u8], mission: MissionId) -> Result<ExhibitReport, ExhibitRefused> {
    let exhibit = Exhibit::read(bytes, mission)?;
    let (entry, header) = (&exhibit.entry, exhibit.entry.header());
    let complete = exhibit.charter.charter();
    let charter = complete.charter();
    let scope = charter.scopes.iter().find(|scope| scope.id == header.scope);
    let certified = exhibit.certificates.iter().map(|certificate| {
        let grants_it = certificate.grants(header.scope, header.kind);
        Certified::of(certificate, complete, grants_it)
    });
    let ledger = exhibit.logged.as_ref().map(|logged| InLedger {
        leaf: logged.index,
        checkpoint: logged.note.checkpoint().size(),
        confirmation: logged.tally.confirmation.code(),
        in_words: logged.tally.to_string(),
        not_after: logged.not_after.as_ref().map(|bound| NotAfter {
            time: bound.time,
            time_shown: time(bound.time),
            by_parties: bound.by.iter().map(|party| party.0).collect(),
            holds: bound.holds,
        }),
    });
    let says = exhibit.disclosure().map(|disclosure| disclosure.opened().iter().flat_map(answers).collect());
    Ok(ExhibitReport {
        mission: mission.to_string(),
        mission_name: charter.name.clone(),
        charter: complete.id().to_string(),
        amendments: exhibit.charter.amendments(),
        entry: entry.id().to_string(),
        kind: show::kind(header.kind),
        record: entry.record().to_string(),
        scope: scope.map_or_else(|| header.scope.to_string(), |scope| scope.name.clone()),
        log: entry.log().to_string(),
        seq: header.seq,
        key: entry.key().to_string(),
        certificates: certified.collect(),
        ledger,
        says,
        does_not_show: NOT_SHOWN.to_vec(),
    })
}

impl Certified {
    pub(crate) fn of(certificate: &Certificate, charter: &CompleteCharter, grants_it: bool) -> Self {
        Self {
            certificate: certificate.id().to_string(),
            observer: certificate.request().observer().to_owned(),
            device: certificate.request().device().to_owned(),
            party: party_name(charter, certificate.party()),
            role: certificate.role().name(),
            grants_it,
        }
    }

    pub(crate) fn in_words(&self) -> String {
        let Self { certificate: _, observer, device, party, role, grants_it } = self;
        let grants = if *grants_it { "" } else { ", which does not grant this entry" };
        format!("{observer} ({party}, {device}) as {role}{grants}")
    }
}

fn party_name(charter: &CompleteCharter, number: PartyNumber) -> String {
    let party = charter.charter().parties.iter().find(|party| party.number == number);
    party.map_or_else(|| number.to_string(), |party| party.name.clone())
}

/// Seconds since 1970 as UTC.
fn time(seconds: u64) -> String {
    let wall_ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
    show::wall(&Clock { wall_ms, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Network })
}

/// An opened leaf, or the cells of an opened repeat, as questions and answers.
fn answers(opened: &Opened<'_>) -> Vec<Answer> {
    let fact = Fact::ALL.into_iter().find(|fact| fact.position() == opened.position).map(fact_name);
    let question = fact.or(opened.name).unwrap_or("unknown").to_owned();
    let one = |value: String| vec![Answer { question: question.clone(), value }];
    match &opened.said {
        None => one("(this entry does not say it)".to_owned()),
        Some(Said::CoarsePlace([lat, lon])) => one(format!("tenths of a degree {lat}, {lon}")),
        Some(Said::ExactPlace(place)) => one(show::spot(place)),
        Some(Said::Day(day)) => one(format!("day {day} since 1970-01-01")),
        Some(Said::ExactTime(clock)) => one(format!("{} by the device's clock", show::wall(clock))),
        Some(Said::Post(text) | Said::Observer(text)) => one((*text).to_owned()),
        Some(Said::Photos(photos)) => {
            let photos = photos.iter().map(|photo| format!("{} ({} bytes)", photo.sha256, photo.bytes));
            one(photos.collect::<Vec<_>>().join(", "))
        }
        Some(Said::Answer(said)) => one(value(*said)),
        Some(Said::Cells(cells)) if cells.is_empty() => one("(rows, none of which is shown)".to_owned()),
        Some(Said::Cells(cells)) => {
            let cell = |cell: &merestone_core::disclosure::ShownCell<'_>| Answer {
                question: format!("{question}/{}/{}", cell.row, cell.question),
                value: value(cell.value),
            };
            cells.iter().map(cell).collect()
        }
    }
}

const fn fact_name(fact: Fact) -> &'static str {
    match fact {
        Fact::CoarsePlace => "coarse place",
        Fact::ExactPlace => "exact place",
        Fact::Day => "day",
        Fact::ExactTime => "exact time",
        Fact::Post => "post",
        Fact::Observer => "observer",
        Fact::Photos => "photos",
        Fact::Reserved => "reserved",
    }
}

fn value(value: Value<'_>) -> String {
    match value {
        Value::Null => "(asked, left blank)".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.to_owned(),
    }
}

impl ExhibitReport {
    /// The report as lines to read in a terminal.
    pub fn to_text(&self) -> String {
        let logged = match &self.ledger {
            None => "not shown to be in the ledger".to_owned(),
            Some(InLedger { confirmation, .. }) => format!("in the ledger ({confirmation})"),
        };
        let mut out = format!("PASSED  signed; {logged}\n");
        let mut line = |name: &str, value: &str| {
            // Writing to a text cannot fail.
            _ = writeln!(out, "{name:<10} {}", printable(value));
        };
        line("mission", &format!("{} · {}", self.mission, self.mission_name));
        line("charter", &show::charter_in_force(&self.charter, self.amendments));
        line("entry", &format!("{} · {} {} of its log, in scope {}", self.entry, self.kind, self.seq + 1, self.scope));
        line("record", &self.record);
        line("key", &self.key);
        self.certificates.iter().for_each(|certified| line("certified", &certified.in_words()));
        match &self.ledger {
            None => line("ledger", "not shown to be in it"),
            Some(InLedger { leaf, checkpoint, in_words, not_after, .. }) => {
                line("ledger", &format!("leaf {leaf} of {checkpoint}; {in_words}"));
                match not_after {
                    Some(NotAfter { time_shown, by_parties, holds: true, .. }) => {
                        line("there by", &format!("{time_shown}, by witnesses of parties {by_parties:?}"));
                    }
                    Some(NotAfter { time_shown, by_parties, holds: false, .. }) => {
                        line("there by", &format!("{time_shown} for whoever trusts parties {by_parties:?} alone"));
                    }
                    None => line("there by", "no witness says when"),
                }
            }
        }
        for Answer { question, value } in self.says.iter().flatten() {
            line("says", &format!("{question} = {value}"));
        }
        for not in &self.does_not_show {
            line("not shown", not);
        }
        out
    }

    /// The report as JSON, the same bytes for the same exhibit.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("numbers, texts and lists are always JSON");
        json.push('\n');
        json
    }
}
