//! `merestone record list`, `show` and `history`: what records say, and who said it.

use std::io::{self, Write};

use clap::ValueEnum;
use merestone_core::entry::{Clock, Kind, Place, RenditionOrReason};
use merestone_core::id::RecordId;
use merestone_core::record::{HeldWhy, Standing, WaitingFor};
use merestone_node::records::{
    AnswerView, Author, Custody, PhotoView, RecordFilter, RecordLine, RecordState, RecordView, Step, ValueView,
};
use merestone_node::{Answer, Device};
use serde::Serialize;

use super::record::{record_id, unknown_record};
use super::{Context, roster};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};
use crate::time;

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only this scope, by name or id.
    #[arg(long)]
    scope: Option<String>,
    /// Only this kind, as its form names it.
    #[arg(long)]
    kind: Option<String>,
    /// Only records with these words; the last may be only begun.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only records that are so.
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// At most this many.
    #[arg(long, value_name = "LINES", default_value_t = 100)]
    limit: usize,
}

/// One property to filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// Some answer has several values.
    Conflict,
    /// It was withdrawn.
    Withdrawn,
    /// Some entry of it is not applied.
    Partial,
    /// Nothing of it is applied.
    Unreadable,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
}

impl ListArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let Self { scope, kind, search, only, limit } = self;
        let device = context.open(0)?;
        let charter = device.charter();
        let scope = scope.map(|name| roster::scope_named(charter.charter(), &name)).transpose()?;
        let filter = RecordFilter {
            scope,
            kind,
            text: search,
            state: match only {
                Some(Only::Partial) => Some(RecordState::Partial),
                Some(Only::Unreadable) => Some(RecordState::Unreadable),
                Some(Only::Conflict | Only::Withdrawn) | None => None,
            },
            has_conflict: (only == Some(Only::Conflict)).then_some(true),
            is_withdrawn: (only == Some(Only::Withdrawn)).then_some(true),
            since_ms: None,
        };
        // A command has the time that a screen has not: nothing is left out because much arrived at once.
        device.catch_up()?;
        let (mut records, mut after) = (Vec::new(), None);
        let has_more = loop {
            let page = device.list(&filter, after, (limit - records.len()).min(PAGE))?;
            records.extend(page.lines.iter().map(|line| LineShown::of(line, &device)));
            match page.next {
                Some(next) if records.len() < limit => after = Some(next),
                next => break next.is_some(),
            }
        };
        context.screen.show(&ListShown { records, has_more })?;
        Ok(Code::Done)
    }
}

/// Records read at a time.
const PAGE: usize = 500;

impl ShowArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let view = device.record(self.record)?.ok_or_else(|| unknown_record(self.record))?;
        let custody = device.custody(view.id.as_entry())?;
        context.screen.show(&RecordShown::of(&view, custody, &device))?;
        Ok(Code::Done)
    }
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

fn scope_name(device: &Device, scope: merestone_core::id::ScopeId) -> String {
    roster::scope_names(device.charter().charter(), &[scope]).concat()
}

#[derive(Serialize)]
struct ListShown {
    records: Vec<LineShown>,
    has_more: bool,
}

#[derive(Serialize)]
struct LineShown {
    record: String,
    scope: String,
    kind: String,
    title: String,
    observer: String,
    state: &'static str,
    conflict: bool,
    withdrawn: bool,
    entries: usize,
    photos: usize,
    device_time: String,
}

impl LineShown {
    fn of(line: &RecordLine, device: &Device) -> Self {
        Self {
            record: line.id.to_string(),
            scope: scope_name(device, line.scope),
            kind: line.kind.clone(),
            title: line.title.clone(),
            observer: line.observer.clone(),
            state: match line.state {
                RecordState::Whole => "whole",
                RecordState::Partial => "partial",
                RecordState::Unreadable => "unreadable",
            },
            conflict: line.has_conflict,
            withdrawn: line.is_withdrawn,
            entries: line.entries,
            photos: line.photos,
            device_time: time::utc(line.updated_ms),
        }
    }
}

impl Report for ListShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for line in &self.records {
            let LineShown { record, scope, kind, title, observer, entries, photos, device_time, .. } = line;
            let flags =
                [(line.conflict, "conflict"), (line.withdrawn, "withdrawn"), (line.state != "whole", line.state)];
            let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| format!(" · {flag}")).collect();
            writeln!(out, "{kind} · {} · {scope} · {observer}{flags}", output::one_line(title))?;
            writeln!(out, "    {record} · {entries} entries · {photos} photos · device clock {device_time}")?;
        }
        match (self.records.len(), self.has_more) {
            (0, _) => writeln!(out, "No records."),
            (1, false) => writeln!(out, "1 record."),
            (count, false) => writeln!(out, "{count} records."),
            (count, true) => writeln!(out, "The first {count} records; more with --limit."),
        }
    }
}

/// Who signed, for people and programs.
#[derive(Serialize)]
struct AuthorShown {
    observer: Option<String>,
    device: Option<String>,
    party: Option<String>,
    key: String,
}

impl AuthorShown {
    fn of(author: &Author) -> Self {
        let certified = author.certified.as_ref();
        Self {
            observer: certified.map(|certified| certified.observer.clone()),
            device: certified.map(|certified| certified.device.clone()),
            party: certified.map(|certified| certified.party_name.clone()),
            key: author.key.to_string(),
        }
    }

    fn line(&self) -> String {
        match (&self.observer, &self.device, &self.party) {
            (Some(observer), Some(device), Some(party)) => format!("{observer} ({party}, {device})"),
            _ => format!("key {} (no certificate here)", self.key),
        }
    }
}

/// An entry's standing: the spec's word, and what it is about.
#[derive(Serialize)]
struct StandingShown {
    standing: &'static str,
    why: Option<String>,
}

impl StandingShown {
    fn of(standing: Standing) -> Self {
        let why = match standing {
            Standing::Accepted
            | Standing::Provisional
            | Standing::SetAside
            | Standing::Voided
            | Standing::Erased
            | Standing::UnknownKind => None,
            Standing::Held(HeldWhy::Fork(entry)) => Some(format!("lost a fork to {entry}")),
            Standing::Held(HeldWhy::Ancestor(entry)) => Some(format!("builds on {entry}")),
            Standing::Held(HeldWhy::Restate) => Some("the record was erased".to_owned()),
            Standing::Unappliable(refused) | Standing::OutOfRole(refused) => Some(refused.to_string()),
            Standing::Waiting(WaitingFor::Body) => Some("its body".to_owned()),
            Standing::Waiting(WaitingFor::Certificate) => Some("its certificate".to_owned()),
            Standing::Waiting(WaitingFor::Creation) => Some("the entry that creates the record".to_owned()),
            Standing::Waiting(WaitingFor::Entry(entry)) => Some(format!("entry {entry}")),
        };
        Self { standing: standing.code(), why }
    }

    fn line(&self) -> String {
        match &self.why {
            Some(why) => format!("{} ({why})", self.standing),
            None => self.standing.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct CustodyShown {
    on_peers: usize,
    at_base_camp: bool,
    photos: usize,
    photos_elsewhere: usize,
    photos_at_base_camp: usize,
}

impl CustodyShown {
    fn of(custody: Custody) -> Self {
        let Custody { peers, is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp } = custody;
        Self { on_peers: peers, at_base_camp: is_at_base_camp, photos, photos_elsewhere, photos_at_base_camp }
    }

    fn line(&self) -> String {
        let camp = if self.at_base_camp { ", at base camp" } else { "" };
        let photos = match self.photos {
            0 => String::new(),
            photos => format!(
                "; of {photos} photos {} elsewhere, {} at base camp",
                self.photos_elsewhere, self.photos_at_base_camp
            ),
        };
        format!("here, on {} peers{camp}{photos}", self.on_peers)
    }
}

fn json(answer: &Answer) -> serde_json::Value {
    match answer {
        Answer::Blank => serde_json::Value::Null,
        Answer::Bool(value) => (*value).into(),
        Answer::Int(value) => (*value).into(),
        Answer::Text(value) => value.clone().into(),
    }
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "(left blank)".to_owned(),
        serde_json::Value::String(text) => output::one_line(text),
        other => other.to_string(),
    }
}

#[derive(Serialize)]
struct RecordShown {
    record: String,
    scope: String,
    kind: Option<String>,
    form: Option<String>,
    creator: Option<AuthorShown>,
    withdrawn: bool,
    conflicts: usize,
    answers: Vec<AnswerShown>,
    photos: Vec<PhotoShown>,
    heads: Vec<String>,
    entries: Vec<EntryShown>,
    custody: Option<CustodyShown>,
}

#[derive(Serialize)]
struct AnswerShown {
    key: String,
    values: Vec<ValueShown>,
}

#[derive(Serialize)]
struct ValueShown {
    value: serde_json::Value,
    entry: String,
    #[serde(flatten)]
    standing: StandingShown,
    author: AuthorShown,
}

#[derive(Serialize)]
struct PhotoShown {
    row: String,
    sha256: String,
    bytes: u64,
    captions: Vec<String>,
    thumbnail: Option<String>,
    preview: Option<String>,
    entry: String,
    held: bool,
}

#[derive(Serialize)]
struct EntryShown {
    entry: String,
    #[serde(flatten)]
    standing: StandingShown,
}

impl RecordShown {
    fn of(view: &RecordView, custody: Option<Custody>, device: &Device) -> Self {
        let answer = |answer: &AnswerView| AnswerShown {
            key: answer.key.clone(),
            values: answer.values.iter().map(ValueShown::of).collect(),
        };
        Self {
            record: view.id.to_string(),
            scope: scope_name(device, view.scope),
            kind: view.kind.clone(),
            form: view.form.map(|form| form.to_string()),
            creator: view.creator.as_ref().map(AuthorShown::of),
            withdrawn: view.is_withdrawn,
            conflicts: view.conflicts().count(),
            answers: view.answers.iter().map(answer).collect(),
            photos: view.photos.iter().map(|photo| PhotoShown::of(photo, device)).collect(),
            heads: view.heads.iter().map(ToString::to_string).collect(),
            entries: view
                .standings
                .iter()
                .map(|(entry, standing)| EntryShown {
                    entry: entry.to_string(),
                    standing: StandingShown::of(*standing),
                })
                .collect(),
            custody: custody.map(CustodyShown::of),
        }
    }
}

impl ValueShown {
    fn of(value: &ValueView) -> Self {
        Self {
            value: json(&value.answer),
            entry: value.entry.to_string(),
            standing: StandingShown::of(value.standing),
            author: AuthorShown::of(&value.author),
        }
    }
}

impl PhotoShown {
    fn of(photo: &PhotoView, device: &Device) -> Self {
        let hash = |rendition: &RenditionOrReason| match rendition {
            RenditionOrReason::Rendition(rendition) => Some(rendition.sha256.to_string()),
            RenditionOrReason::Missing(_) => None,
        };
        Self {
            row: photo.row.clone(),
            sha256: photo.photo.sha256.to_string(),
            bytes: photo.photo.bytes,
            captions: photo.captions.clone(),
            thumbnail: hash(&photo.photo.thumbnail),
            preview: hash(&photo.photo.preview),
            entry: photo.entry.to_string(),
            held: device.store().is_blob_whole(photo.photo.sha256).unwrap_or(false),
        }
    }
}

impl Report for RecordShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "record   {}", self.record)?;
        let withdrawn = if self.withdrawn { " · withdrawn" } else { "" };
        writeln!(out, "kind     {} · {}{withdrawn}", self.kind.as_deref().unwrap_or("not known here"), self.scope)?;
        if let Some(creator) = &self.creator {
            writeln!(out, "creator  {}", creator.line())?;
        }
        if let Some(custody) = &self.custody {
            writeln!(out, "held     {}", custody.line())?;
        }
        for answer in &self.answers {
            for value in &answer.values {
                let mark = if answer.values.len() > 1 { "!" } else { " " };
                writeln!(out, "{mark} {:<24} {}", answer.key, shown(&value.value))?;
                writeln!(out, "    {} · {}", value.author.line(), value.standing.line())?;
            }
        }
        for photo in &self.photos {
            let held = if photo.held { "" } else { " · not here yet" };
            let captions = photo.captions.iter().map(|text| output::one_line(text)).collect::<Vec<_>>().join(" | ");
            writeln!(out, "  photo {} · {}{held} · {captions}", photo.sha256, output::bytes(photo.bytes))?;
        }
        for entry in self.entries.iter().filter(|entry| !matches!(entry.standing.standing, "accepted" | "provisional"))
        {
            writeln!(out, "  entry {} is {}", entry.entry, entry.standing.line())?;
        }
        if self.conflicts > 0 {
            writeln!(out, "{} answers in conflict (!): settle them with `merestone record resolve`.", self.conflicts)?;
        }
        writeln!(out, "A signature says who and what, not that it is true.")
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
        let change = |change: &merestone_node::records::Changed| ChangeShown {
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
            kind: kind_name(step.kind),
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

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Change => "change",
        Kind::Receipt => "receipt",
        Kind::HostComment => "host-comment",
        Kind::Concurrence => "concurrence",
        Kind::Objection => "objection",
        Kind::Dissent => "dissent",
        Kind::Ruling => "ruling",
        Kind::Unknown(_) => "unknown",
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
