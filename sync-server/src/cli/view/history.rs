//! `merestone record history`.

use std::io::{self, Write};

use merestone_core::entry::{Clock, Place};
use merestone_core::id::RecordId;
use merestone_node::records::{Changed, Custody, Step};
use serde::Serialize;

use super::{AuthorShown, CustodyShown, StandingShown, json, shown};
use crate::cli::Context;
use crate::cli::record::{record_id, unknown_record};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};
use crate::time;

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
}

impl HistoryArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let steps = device.history(self.record)?;
        if steps.is_empty() {
            return Err(unknown_record(self.record));
        }
        let step = |step: &Step| Ok(StepShown::of(step, device.custody(step.entry)?));
        let steps = steps.iter().map(step).collect::<Result<_, Failure>>()?;
        context.screen.show(&HistoryShown { record: self.record.to_string(), steps })?;
        Ok(Code::Done)
    }
}

#[derive(Serialize)]
struct HistoryShown {
    record: String,
    steps: Vec<StepShown>,
}

#[derive(Serialize)]
struct StepShown {
    entry: String,
    log: String,
    seq: u64,
    kind: &'static str,
    #[serde(flatten)]
    standing: StandingShown,
    author: AuthorShown,
    refs: Vec<String>,
    device_time: Option<String>,
    utc_offset_min: Option<i16>,
    place: Option<PlaceShown>,
    post: Option<String>,
    photos: usize,
    changes: Vec<ChangeShown>,
    text: Option<String>,
    reason: Option<u64>,
    custody: Option<CustodyShown>,
}

#[derive(Serialize)]
struct PlaceShown {
    lat_e7: i32,
    lon_e7: i32,
    accuracy_m: u64,
}

#[derive(Serialize)]
struct ChangeShown {
    key: String,
    before: Vec<BeforeShown>,
    after: serde_json::Value,
    resolves: bool,
}

#[derive(Serialize)]
struct BeforeShown {
    entry: String,
    value: serde_json::Value,
}

impl StepShown {
    fn of(step: &Step, custody: Option<Custody>) -> Self {
        let change = |change: &Changed| ChangeShown {
            key: change.key.clone(),
            before: change
                .before
                .iter()
                .map(|(entry, answer)| BeforeShown { entry: entry.to_string(), value: json(answer) })
                .collect(),
            after: json(&change.after),
            resolves: change.resolves(),
        };
        let place =
            |place: Place| PlaceShown { lat_e7: place.lat_e7, lon_e7: place.lon_e7, accuracy_m: place.accuracy_m };
        Self {
            entry: step.entry.to_string(),
            log: step.log.to_string(),
            seq: step.seq,
            kind: step.kind.name(),
            standing: StandingShown::of(step.standing),
            author: AuthorShown::of(&step.author),
            refs: step.refs.iter().map(ToString::to_string).collect(),
            device_time: step.clock.map(|Clock { wall_ms, .. }| time::utc(wall_ms)),
            utc_offset_min: step.clock.map(|clock| clock.offset_min),
            place: step.place.map(place),
            post: step.post.clone(),
            photos: step.photos,
            changes: step.changes.iter().map(change).collect(),
            text: step.text.clone(),
            reason: step.reason,
            custody: custody.map(CustodyShown::of),
        }
    }
}

impl Report for HistoryShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "record {}", self.record)?;
        for step in &self.steps {
            writeln!(out, "{} by {} · {}", step.kind, step.author.line(), step.standing.line())?;
            let time = step.device_time.as_deref().unwrap_or("not held");
            writeln!(out, "    entry {} · {} in its log · device clock {time}", step.entry, step.seq + 1)?;
            if let Some(custody) = &step.custody {
                writeln!(out, "    held {}", custody.line())?;
            }
            for change in &step.changes {
                let before = change.before.iter().map(|before| shown(&before.value)).collect::<Vec<_>>().join(" | ");
                let before = if before.is_empty() { String::new() } else { format!(" (before: {before})") };
                writeln!(out, "    {} = {}{before}", change.key, shown(&change.after))?;
            }
            if let Some(text) = &step.text {
                writeln!(out, "    \"{}\"", output::one_line(text))?;
            }
        }
        Ok(())
    }
}
