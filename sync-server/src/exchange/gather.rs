//! Records of a device as they go out.

use std::collections::BTreeMap;
use std::sync::Arc;

use merestone_core::entry::{ClockSource, Media, PlaceSource};
use merestone_core::id::{RecordId, ScopeId};
use merestone_exchange::{Answer, Author, Entry, Held, Made, Photo, Place, Record, Value};
use merestone_forms::{Filling, Form, Occasion, Problem, Wrong};
use merestone_node::forms::MissionForm;
use merestone_node::records::{self, AnswerView, PhotoView, RecordFilter, RecordView, Step, ValueView};
use merestone_node::{Answer as Given, Device};

use crate::cli::scope_name;
use crate::exit::Failure;

/// Records read at a time.
const PAGE: usize = 500;

/// The records of one form.
pub(crate) struct Gathered {
    /// The records, by the time at which they were made and then by id.
    pub(crate) records: Vec<Record>,
    /// How many records of other forms the device holds in these scopes.
    pub(crate) others: usize,
    /// Records whose form is not known: nothing that says it is held.
    pub(crate) unknown: Vec<RecordId>,
    /// Keys at which something that follows from the answers could not be worked out; empty where it is not known which.
    pub(crate) unsettled: Vec<(RecordId, String)>,
}

/// Reads all records of a form, those of which nothing is applied too; of one scope, if one is named.
///
/// # Errors
/// If the store cannot be read.
pub(crate) fn gather(device: &Device, form: &MissionForm, scope: Option<ScopeId>) -> Result<Gathered, Failure> {
    device.catch_up()?;
    let filter = RecordFilter { scope, ..RecordFilter::default() };
    let (records, unknown, unsettled) = Default::default();
    let (mut gathered, mut after) = (Gathered { records, others: 0, unknown, unsettled }, None);
    loop {
        let page = device.list(&filter, after, PAGE)?;
        for line in &page.lines {
            gathered.add(device, line.id, form)?;
        }
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    let time = |record: &Record| record.made.as_ref().map(|made| made.wall_ms);
    gathered.records.sort_by(|a, b| (time(a), &a.record).cmp(&(time(b), &b.record)));
    Ok(gathered)
}

impl Gathered {
    fn add(&mut self, device: &Device, id: RecordId, form: &MissionForm) -> Result<(), Failure> {
        let Some(view) = device.record(id)? else { return Ok(()) };
        let steps = device.history(id)?;
        // Of a record of which nothing is applied, the first entry that is held says the form.
        match view.form.or_else(|| steps.iter().find_map(|step| step.form)) {
            Some(of) if of == form.hash => {
                let (record, unsettled) = worked_out(device, form, &view, &steps);
                self.records.push(record);
                self.unsettled.extend(unsettled.into_iter().map(|key| (id, key)));
            }
            Some(_) => self.others += 1,
            None => self.unknown.push(id),
        }
        Ok(())
    }
}

/// One record, with what follows from it by a form; none if it is not held.
///
/// # Errors
/// If the store cannot be read.
pub(super) fn one(device: &Device, id: RecordId, form: &MissionForm) -> Result<Option<Record>, Failure> {
    let Some(view) = device.record(id)? else { return Ok(None) };
    let steps = device.history(id)?;
    Ok(Some(worked_out(device, form, &view, &steps).0))
}

/// A record with what follows from it, and the keys at which that could not be worked out.
fn worked_out(device: &Device, form: &MissionForm, view: &RecordView, steps: &[Step]) -> (Record, Vec<String>) {
    let mut record = record(device, view, steps);
    let unsettled = form.questions.as_ref().map(|form| work_out(form, view, &mut record));
    (record, unsettled.unwrap_or_default())
}

fn record(device: &Device, view: &RecordView, steps: &[Step]) -> Record {
    let creating = steps.iter().find(|step| step.entry == view.id.as_entry());
    Record {
        record: view.id.to_string(),
        scope: scope_name(device, view.scope),
        withdrawn: view.is_withdrawn,
        author: view.creator.as_ref().map(author),
        made: creating.and_then(made),
        place: creating.and_then(place),
        post: creating.and_then(|step| step.post.clone()),
        answers: view.answers.iter().map(answer).collect(),
        derived: BTreeMap::new(),
        not_relevant: Vec::new(),
        photos: view.photos.iter().map(photo).collect(),
        entries: steps.iter().map(entry).collect(),
    }
}

/// What follows from the answers by the form: what is calculated, and what is not asked any more. Gives the keys at which that
/// could not be worked out; one is empty if the form takes too much work.
fn work_out(form: &Arc<Form>, view: &RecordView, record: &mut Record) -> Vec<String> {
    let nodes = &form.model().nodes;
    if !(0..nodes.len()).any(|node| nodes[node].relevant.is_some() || form.is_derived(node)) {
        return Vec::new();
    }
    let first = |answer: &AnswerView| Some((answer.key.clone(), answer.values.first()?.answer.clone()));
    let made = record.made.as_ref();
    let occasion = Occasion {
        now_ms: made.map_or(0, |made| made.wall_ms),
        offset_minutes: made.map_or(0, |made| made.offset_min.into()),
        ..Occasion::default()
    };
    let filling = Filling::resume(Arc::clone(form), view.answers.iter().filter_map(first), occasion);
    record.derived = filling.derived().into_iter().collect();
    let is_left = |key: &&str| form.question(key).is_some() && !filling.is_asked(key);
    record.not_relevant =
        record.answers.iter().map(|answer| answer.key.as_str()).filter(is_left).map(str::to_owned).collect();
    // A constraint that cannot be worked out leaves nothing out.
    let is_of_it = |key: &str| form.question(key).is_none_or(|(node, _)| form.is_derived(node));
    let is_unsettled = |problem: &Problem| match problem.wrong {
        Wrong::Unsettled | Wrong::Rows => true,
        Wrong::Expression(_) => is_of_it(&problem.key),
        _ => false,
    };
    filling.problems().into_iter().filter(is_unsettled).map(|problem| problem.key).collect()
}

fn author(author: &records::Author) -> Author {
    Author {
        observer: author.name(),
        party: author.certified.as_ref().map(|certified| certified.party_name.clone()),
        key: author.key.to_string(),
    }
}

fn made(step: &Step) -> Option<Made> {
    let clock = step.clock.as_ref()?;
    let source = match clock.source {
        ClockSource::Device => "device",
        ClockSource::Network => "network",
        ClockSource::Satellite => "satellite",
    };
    Some(Made { wall_ms: clock.wall_ms, offset_min: clock.offset_min, source })
}

fn place(step: &Step) -> Option<Place> {
    let merestone_core::entry::Place { lat_e7, lon_e7, accuracy_m, source } = step.place?;
    let source = match source {
        PlaceSource::Satellite => "satellite",
        PlaceSource::Hand => "hand",
        PlaceSource::Registry => "registry",
        PlaceSource::Mocked => "mocked",
    };
    Some(Place { lat_e7, lon_e7, accuracy_m, source })
}

fn answer(answer: &AnswerView) -> Answer {
    Answer { key: answer.key.clone(), values: answer.values.iter().map(held).collect() }
}

fn held(held: &ValueView) -> Held {
    Held {
        value: value(&held.answer),
        entry: held.entry.to_string(),
        standing: held.standing.code(),
        observer: held.author.name(),
    }
}

pub(super) fn value(answer: &Given) -> Value {
    match answer {
        Given::Blank => Value::Blank,
        Given::Bool(value) => Value::Bool(*value),
        Given::Int(value) => Value::Int(*value),
        Given::Text(text) => Value::Text(text.clone()),
    }
}

fn photo(photo: &PhotoView) -> Photo {
    let media = match photo.photo.media {
        Media::Jpeg => "image/jpeg",
        Media::Png => "image/png",
        Media::WebP => "image/webp",
        Media::Heic => "image/heic",
        Media::Avif => "image/avif",
    };
    Photo {
        row: photo.row.clone(),
        sha256: photo.photo.sha256.to_string(),
        bytes: photo.photo.bytes,
        media,
        entry: photo.entry.to_string(),
        captions: photo.captions.clone(),
    }
}

fn entry(step: &Step) -> Entry {
    let written = step.changes.iter().filter(|_| !step.standing.is_applied());
    Entry {
        entry: step.entry.to_string(),
        standing: step.standing.code(),
        observer: step.author.name(),
        not_applied: written.map(|change| (change.key.clone(), value(&change.after))).collect(),
    }
}
