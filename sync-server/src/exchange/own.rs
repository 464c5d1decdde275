//! A record of this mission that comes back out of an export: where what came differs from what is here, and taking that over.
//!
//! The record is exported again and read as what came was read, so that only what somebody changed differs. Rows of an instance
//! have no ids; they are those of the record in the order in which an export writes them, and further ones are new.

use std::collections::{BTreeSet, HashMap};

use merestone_core::form::Key;
use merestone_core::id::{RecordId, hex, sha256};
use merestone_exchange::export::{self, csv};
use merestone_exchange::import::{Attachment, Exactness, NamedCsv, Source, Submission, read_csv, read_edit};
use merestone_exchange::{Held, Record, Schema, Value, instance_of, tables};
use merestone_forms::{Form, IMPORTED};
use merestone_node::Device;
use merestone_node::forms::MissionForm;

use super::gather;
use crate::exit::Failure;

/// What a record that came back says otherwise.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    /// The keys with a word for each: `recorded-here` if something else stands, `not-here` if nothing, `not-said` if it stands
    /// here only, `conflict-here` if several values stand, `derived-here` if the form gives the answer. The last two stay.
    pub(crate) changed: Vec<(String, &'static str)>,
    /// What is to be put to take that over.
    pub(super) cells: Vec<(String, Value)>,
    /// Files that are to be attached, under keys of the record.
    pub(super) files: Vec<Attachment>,
}

/// Compares a record with a submission that is an export of it, perhaps changed.
///
/// # Errors
/// If the store cannot be read, or the record cannot be told row by row.
pub(crate) fn compare(
    device: &Device,
    form: &MissionForm,
    id: RecordId,
    submission: &Submission,
) -> Result<Returned, Failure> {
    let not_told = || Failure::bad_input(format!("record {id} cannot be compared with what came of it"));
    let questions = form.questions.as_deref().ok_or_else(not_told)?;
    let record = gather::one(device, id, form)?.ok_or_else(not_told)?;
    let schema = Schema::of(questions);
    let ours = exported(&schema, &settled(&record), submission.source).ok_or_else(not_told)?;
    let rows = match submission.source {
        Source::Xml => Rows::of(&schema, &record, &ours, submission).ok_or_else(not_told)?,
        Source::Csv => Rows::default(),
    };
    let mut comparing = Comparing { form: questions, record: &record, rows, returned: Returned::default() };
    comparing.answers(&ours, submission);
    comparing.files(&ours, submission);
    comparing.gone(&ours, submission);
    comparing.extras(&ours, submission);
    Ok(comparing.returned)
}

/// The record as an export of now reads back.
fn exported(schema: &Schema, record: &Record, source: Source) -> Option<Submission> {
    if source == Source::Xml {
        let xml = export::submission(schema, record).xml;
        return read_edit(schema, &xml, Exactness::Tidied, &instance_of(&record.record)).ok();
    }
    let sheets = tables(schema, std::slice::from_ref(record));
    let name = |at: usize| if at == 0 { schema.kind.clone() } else { format!("{}-{}", schema.kind, sheets[at].name) };
    let written: Option<Vec<(String, Vec<u8>)>> =
        (0..schema.tables.len()).map(|at| Some((name(at), csv(sheets.get(at)?).ok()?))).collect();
    let written = written?;
    let named: Vec<NamedCsv<'_>> = written.iter().map(|(name, bytes)| NamedCsv { name, bytes }).collect();
    let (main, repeats) = named.split_first()?;
    read_csv(schema, *main, repeats, Exactness::Tidied).ok()?.submissions.pop()?.ok()
}

/// A record whose answers in conflict are blank, as an instance has them; what makes up its rows stays.
fn settled(record: &Record) -> Record {
    let mut settled = record.clone();
    for answer in settled.answers.iter_mut().filter(|answer| answer.values.len() > 1) {
        if !is_structure(&answer.key) {
            answer.values.truncate(1);
            answer.values.iter_mut().for_each(|held| held.value = Value::Blank);
        }
    }
    settled
}

fn is_structure(key: &str) -> bool {
    match Key::parse(key) {
        Some(Key::Cell { repeat, question, .. }) => repeat == IMPORTED || matches!(question, "within" | "withdrawn"),
        Some(Key::Answer { question }) => question == "withdrawn",
        None => true,
    }
}

struct Comparing<'c> {
    form: &'c Form,
    record: &'c Record,
    rows: Rows,
    returned: Returned,
}

impl Comparing<'_> {
    fn answers(&mut self, ours: &Submission, submission: &Submission) {
        for (key, value) in &submission.answers {
            if ours.answers.get(key).is_some_and(|own| text(own) == text(value)) {
                continue;
            }
            let real = self.rows.key(key);
            let value = match value {
                Value::Text(row) if key.ends_with("/within") => Value::Text(self.rows.around(row)),
                value => value.clone(),
            };
            let here = match (self.record.values(&real), self.is_derived(&real)) {
                ([only], _) if text(&only.value) == text(&value) => continue,
                (_, true) if self.record.derived.get(&real).map_or("", String::as_str) == text(&value) => continue,
                (_, true) => "derived-here",
                ([], false) => "not-here",
                ([_], false) => "recorded-here",
                (_, false) => "conflict-here",
            };
            self.change(real, here, value);
        }
    }

    fn files(&mut self, ours: &Submission, submission: &Submission) {
        for file in &submission.attachments {
            if ours.attachments.contains(file) {
                continue;
            }
            let key = self.rows.key(&file.key);
            let here = here(self.record.values(&key));
            if here != "conflict-here" {
                self.returned.files.push(Attachment { key: key.clone(), ..file.clone() });
            }
            self.returned.changed.push((key, here));
        }
    }

    /// What stands here and is not said any more: a row that is gone is withdrawn, anything else left blank.
    fn gone(&mut self, ours: &Submission, submission: &Submission) {
        let said: BTreeSet<&str> = keys(submission).collect();
        let said_rows: BTreeSet<&str> = said.iter().filter_map(|key| row_of(key)).collect();
        let blank: BTreeSet<&str> =
            ours.answers.iter().filter(|(_, value)| **value == Value::Blank).map(|(key, _)| key.as_str()).collect();
        let mut withdrawn = BTreeSet::new();
        for key in keys(ours).filter(|key| !said.contains(key)) {
            let real = self.rows.key(key);
            match row_of(&real) {
                Some(row) if row_of(key).is_some_and(|row| !said_rows.contains(row)) => {
                    withdrawn.insert(format!("{row}/withdrawn"));
                }
                _ if blank.contains(key) || self.record.values(&real).is_empty() => {}
                _ if real == "withdrawn" || real.ends_with("/withdrawn") => {
                    self.change(real, "not-said", Value::Bool(false));
                }
                _ => self.change(real, "not-said", Value::Blank),
            }
        }
        for key in withdrawn {
            self.change(key, "not-said", Value::Bool(true));
        }
    }

    /// What the form does not ask, put beside the answers and taken away again.
    fn extras(&mut self, ours: &Submission, submission: &Submission) {
        for extra in submission.extras.iter().filter(|extra| !ours.extras.contains(extra)) {
            let place = self.rows.row(&extra.place);
            let parts = [self.record.record.as_str(), &place, &extra.path, &extra.text].join("\0");
            let hash = sha256(&[b"merestone/returned/v1\0", parts.as_bytes()]);
            let row = hex(&hash[..8]);
            let cells = [("in", &place), ("path", &extra.path), ("text", &extra.text)];
            let cells = cells.into_iter().filter(|(_, text)| !text.is_empty());
            let cell = |(name, text): (&str, &String)| (format!("{IMPORTED}/{row}/{name}"), Value::Text(text.clone()));
            self.returned.cells.extend(cells.map(cell));
            self.returned.changed.push((shown_place(&place, &extra.path), "not-here"));
        }
        for extra in ours.extras.iter().filter(|extra| !submission.extras.contains(extra)) {
            let place = self.rows.row(&extra.place);
            let is_it = |row: &&str| {
                let is = |name: &str, wanted: &str| match self.record.value(&format!("{IMPORTED}/{row}/{name}")) {
                    Some(Value::Text(text)) => text == wanted,
                    _ => wanted.is_empty(),
                };
                is("in", &place) && is("path", &extra.path) && is("text", &extra.text)
            };
            let found: Vec<String> = self.record.rows(IMPORTED).filter(is_it).map(str::to_owned).collect();
            let blank = found.into_iter().map(|row| (format!("{IMPORTED}/{row}/text"), Value::Blank));
            self.returned.cells.extend(blank);
            self.returned.changed.push((shown_place(&place, &extra.path), "not-said"));
        }
    }

    fn change(&mut self, key: String, here: &'static str, value: Value) {
        if !matches!(here, "conflict-here" | "derived-here") {
            self.returned.cells.push((key.clone(), value));
        }
        self.returned.changed.push((key, here));
    }

    fn is_derived(&self, key: &str) -> bool {
        self.form.question(key).is_some_and(|(node, _)| self.form.is_derived(node))
    }
}

fn here(held: &[Held]) -> &'static str {
    match held {
        [] => "not-here",
        [_] => "recorded-here",
        _ => "conflict-here",
    }
}

fn shown_place(place: &str, path: &str) -> String {
    if place.is_empty() { path.to_owned() } else { format!("{place}/{path}") }
}

fn keys(submission: &Submission) -> impl Iterator<Item = &str> {
    let files = submission.attachments.iter().map(|file| file.key.as_str());
    submission.answers.keys().map(String::as_str).chain(files)
}

/// The row that a key stands in, `repeat/row`.
fn row_of(key: &str) -> Option<&str> {
    match Key::parse(key)? {
        Key::Cell { question, .. } => key.strip_suffix(question)?.strip_suffix('/'),
        Key::Answer { .. } => None,
    }
}

/// Rows of the record by those that were read. What is not in it has the same id here.
#[derive(Default)]
struct Rows {
    /// Both as `repeat/row`.
    rows: HashMap<String, String>,
    /// The ids alone, which are made of the repeat too.
    ids: HashMap<String, String>,
}

impl Rows {
    /// The rows of an instance; none if it cannot be told which of the record's they are.
    fn of(schema: &Schema, record: &Record, ours: &Submission, submission: &Submission) -> Option<Self> {
        let own: BTreeSet<&str> = keys(ours).filter_map(row_of).collect();
        let mut rows = written(schema, record)?;
        if own.iter().any(|row| !rows.contains_key(*row)) {
            return None;
        }
        // Rows are in the order of the number in front: a further one comes after all that the record ever had.
        let mut last: HashMap<&str, u32> = HashMap::new();
        let further: BTreeSet<&str> = keys(submission).filter_map(row_of).filter(|row| !own.contains(row)).collect();
        for row in further {
            let (repeat, id) = row.split_once('/')?;
            let number = |row: &str| u32::from_str_radix(row.get(..8)?, 16).ok();
            let of_record = || record.rows(repeat).filter_map(number).max().unwrap_or_default();
            let last = last.entry(repeat).or_insert_with(of_record);
            *last = last.saturating_add(1);
            rows.insert(row.to_owned(), format!("{repeat}/{last:08x}{}", id.get(8..)?));
        }
        let id = |row: &String| row.rsplit('/').next().unwrap_or_default().to_owned();
        let ids = rows.iter().map(|(read, row)| (id(read), id(row))).collect();
        Some(Self { rows, ids })
    }

    fn row(&self, row: &str) -> String {
        self.rows.get(row).cloned().unwrap_or_else(|| row.to_owned())
    }

    /// The row around another, of which only the id is said.
    fn around(&self, id: &str) -> String {
        self.ids.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// The key of the record for one that was read.
    fn key(&self, key: &str) -> String {
        let found = row_of(key).and_then(|row| Some((self.rows.get(row)?, key.strip_prefix(row)?)));
        found.map_or_else(|| key.to_owned(), |(row, question)| format!("{row}{question}"))
    }
}

/// Which rows of a record an instance has where: it is written with the id of its row for every answer, and read.
fn written(schema: &Schema, record: &Record) -> Option<HashMap<String, String>> {
    let mut named = settled(record);
    named.derived.clear();
    for answer in named.answers.iter_mut().filter(|answer| !is_structure(&answer.key)) {
        let id = row_of(&answer.key).and_then(|row| row.split_once('/')).map(|(_, id)| id.to_owned());
        if let Some(id) = id {
            answer.values.iter_mut().for_each(|held| held.value = Value::Text(id.clone()));
        }
    }
    let read = exported(schema, &named, Source::Xml)?;
    // The name of a photo begins with its answer.
    let files = read.attachments.iter().map(|file| (&file.key, file.file.split('.').next().unwrap_or_default()));
    let answers = read.answers.iter().filter_map(|(key, value)| match value {
        Value::Text(id) if !is_structure(key) => Some((key, id.as_str())),
        _ => None,
    });
    let rows = answers.chain(files).filter_map(|(key, id)| {
        let (repeat, _) = row_of(key)?.split_once('/')?;
        Some((row_of(key)?.to_owned(), format!("{repeat}/{id}")))
    });
    Some(rows.collect())
}

/// A value as text: a number may come back as the text it was.
fn text(value: &Value) -> String {
    match value {
        Value::Blank => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => text.clone(),
    }
}
