//! What records say, entry by entry.

use merestone_core::audit::detail::{Answer, EntryDetail, PhotoDetail, RecordDetail, Said};
use merestone_core::entry::Place as Spot;
use serde::Serialize;

use super::custody::End;
use crate::Report;
use crate::show;

#[derive(Serialize)]
pub(super) struct Record<'a> {
    record: String,
    kind: Option<&'a str>,
    scope: Option<String>,
    scope_name: Option<String>,
    answers: Vec<Answered<'a>>,
    entries: Vec<Step<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn of(report: &Report, record: &'a RecordDetail) -> Self {
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
    /// The same in numbers.
    position: Option<Position>,
    post: Option<&'a str>,
    reason: Option<u64>,
    text: Option<&'a str>,
    photos: Vec<Photo>,
    not_applied: Vec<Unapplied<'a>>,
}

/// Where, in units of 10^-7 degrees.
#[derive(Serialize)]
struct Position {
    lat_e7: i32,
    lon_e7: i32,
    accuracy_m: u64,
    source: &'static str,
}

impl Position {
    fn of(spot: &Spot) -> Self {
        let Spot { lat_e7, lon_e7, accuracy_m, source } = *spot;
        Self { lat_e7, lon_e7, accuracy_m, source: show::place_source(source) }
    }
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
            position: spot.as_ref().map(Position::of),
            post: post.as_deref(),
            reason: *reason,
            text: text.as_deref(),
            photos: photos.iter().map(photo).collect(),
            not_applied: unapplied.iter().map(|(key, said)| Unapplied { key, value: Value::of(said) }).collect(),
        }
    }
}
