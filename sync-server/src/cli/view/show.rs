//! `merestone record show`.

use std::io::{self, Write};

use merestone_core::entry::{Kind, RenditionOrReason};
use merestone_core::id::RecordId;
use merestone_node::Device;
use merestone_node::records::{AnswerView, Custody, PhotoView, RecordView, Step, ValueView};
use serde::Serialize;

use super::{AuthorShown, CustodyShown, StandingShown, json, scope_name, shown};
use crate::cli::Context;
use crate::cli::record::{record_id, unknown_record};
use crate::exit::{Code, Failure};
use crate::output::{self, Report};

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The record's id.
    #[arg(value_parser = record_id)]
    record: RecordId,
}

impl ShowArgs {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let view = device.record(self.record)?.ok_or_else(|| unknown_record(self.record))?;
        let custody = device.custody(view.id.as_entry())?;
        let said =
            device.history(view.id)?.iter().filter(|step| step.kind != Kind::Change).map(SaidShown::of).collect();
        context.screen.show(&RecordShown::of(&view, said, custody, &device))?;
        Ok(Code::Done)
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
    said: Vec<SaidShown>,
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

/// What somebody said about the record without changing it.
#[derive(Serialize)]
struct SaidShown {
    kind: &'static str,
    entry: String,
    about: Vec<String>,
    #[serde(flatten)]
    standing: StandingShown,
    author: AuthorShown,
    text: Option<String>,
    reason: Option<u64>,
}

impl SaidShown {
    fn of(step: &Step) -> Self {
        Self {
            kind: step.kind.name(),
            entry: step.entry.to_string(),
            about: step.refs.iter().map(ToString::to_string).collect(),
            standing: StandingShown::of(step.standing),
            author: AuthorShown::of(&step.author),
            text: step.text.clone(),
            reason: step.reason,
        }
    }
}

impl RecordShown {
    fn of(view: &RecordView, said: Vec<SaidShown>, custody: Option<Custody>, device: &Device) -> Self {
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
            said,
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
        for said in &self.said {
            writeln!(out, "  {} by {} · {}", said.kind, said.author.line(), said.standing.line())?;
            if let Some(text) = &said.text {
                writeln!(out, "    \"{}\"", output::one_line(text))?;
            }
        }
        let is_said = |entry: &EntryShown| self.said.iter().any(|said| said.entry == entry.entry);
        for entry in self.entries.iter().filter(|entry| !is_said(entry)) {
            match entry.standing.standing {
                "accepted" | "provisional" => {}
                "held" | "set-aside" => {
                    writeln!(out, "  entry {} is {}", entry.entry, entry.standing.line())?;
                    writeln!(out, "    kept and not applied: `merestone record restate` writes it again")?;
                }
                _ => writeln!(out, "  entry {} is {}", entry.entry, entry.standing.line())?,
            }
        }
        if self.conflicts > 0 {
            writeln!(out, "{} answers in conflict (!): settle them with `merestone record resolve`.", self.conflicts)?;
        }
        writeln!(out, "A signature says who and what, not that it is true.")
    }
}
