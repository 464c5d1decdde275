//! `merestone record list`.

use std::io::{self, Write};

use clap::ValueEnum;
use merestone_node::Device;
use merestone_node::records::{RecordFilter, RecordLine, RecordState};
use serde::Serialize;

use super::scope_name;
use crate::cli::{Context, roster};
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
