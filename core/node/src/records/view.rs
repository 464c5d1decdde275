//! One record as a screen shows it: every value with who put it, and photos.

use merestone_core::entry::Photo;
use merestone_core::form::Key;
use merestone_core::id::{BlobHash, EntryId, FormHash, RecordId, ScopeId};
use merestone_core::record::{HeldEntry, Judged, Standing, View};
use merestone_core::roster::Roster;

use super::author::Author;
use crate::device::{AccessError, Device};
use merestone_forms::{Answer, IMPORTED};

/// A record as this device holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// The record.
    pub id: RecordId,
    /// Its scope.
    pub scope: ScopeId,
    /// Its kind, as its form names it; `None` while the definition is not held.
    pub kind: Option<String>,
    /// The form of its newest change; `None` while nothing is applied.
    pub form: Option<FormHash>,
    /// Who created it; `None` while the creating entry is not held.
    pub creator: Option<Author>,
    /// What an edit that begins now builds on.
    pub heads: Vec<EntryId>,
    /// Whether some value at `withdrawn` is true.
    pub is_withdrawn: bool,
    /// Each key that was answered, ascending by key.
    pub answers: Vec<AnswerView>,
    /// The photos whose rows stand, in the order of their rows.
    pub photos: Vec<PhotoView>,
    /// Every held entry of the record and what became of it, ascending by id.
    pub standings: Vec<(EntryId, Standing)>,
}

/// One key with the values that stand: more than one is a conflict, shown as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerView {
    /// `question` or `repeat/row/question`.
    pub key: String,
    /// The values, ascending by entry id.
    pub values: Vec<ValueView>,
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueView {
    /// The value.
    pub answer: Answer,
    /// The entry that put it.
    pub entry: EntryId,
    /// The entry's standing.
    pub standing: Standing,
    /// Who signed it.
    pub author: Author,
}

/// A photo of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoView {
    /// Its row in the repeat `photos`; or the key of the question that it answers.
    pub row: String,
    /// What the entry says of it.
    pub photo: Photo,
    /// The entry that attached it.
    pub entry: EntryId,
    /// The captions that stand; several are a conflict.
    pub captions: Vec<String>,
}

impl RecordView {
    /// The values of a key.
    pub fn values(&self, key: &str) -> &[ValueView] {
        let at = self.answers.binary_search_by(|answer| answer.key.as_str().cmp(key));
        at.map_or(&[], |at| &self.answers[at].values)
    }

    /// The keys in conflict.
    pub fn conflicts(&self) -> impl Iterator<Item = &AnswerView> {
        self.answers.iter().filter(|answer| answer.values.len() > 1)
    }
}

impl Device {
    /// One record; `None` when nothing of it is held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn record(&self, record: RecordId) -> Result<Option<RecordView>, AccessError> {
        let held = self.held(record)?;
        if held.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.judged(record, &held, |judged, roster| view(judged, &held, roster))))
    }
}

fn view(judged: &Judged<'_>, held: &[HeldEntry], roster: &Roster) -> RecordView {
    let shown = View::of(judged);
    let find = |entry: EntryId| held.iter().find(|held| held.id() == entry);
    let newest = judged.applied().last().map(|last| last.held.entry().header());
    let form = newest.and_then(|header| header.commitment).map(|commitment| commitment.form);
    let creation = find(judged.record().as_entry());
    let scope = creation.or(held.first()).map_or(ScopeId::from_bytes([0; 8]), |held| held.entry().header().scope);
    let value = |value: &merestone_core::record::Shown<'_>| {
        let author = find(value.entry).map(|held| Author::of(held, roster))?;
        let standing = judged.standing(value.entry)?;
        Some(ValueView { answer: value.value.into(), entry: value.entry, standing, author })
    };
    let answers = shown
        .keys()
        .map(|(key, values)| AnswerView { key: key.to_owned(), values: values.iter().filter_map(value).collect() });
    let is_true = |key: &str| shown.values(key).iter().any(|shown| Answer::from(shown.value) == Answer::Bool(true));
    RecordView {
        id: judged.record(),
        scope,
        kind: form.and_then(|form| roster.form(form)).map(|definition| definition.kind.clone()),
        form,
        creator: creation.map(|creation| Author::of(creation, roster)),
        heads: shown.heads().to_vec(),
        is_withdrawn: is_true("withdrawn"),
        answers: answers.collect(),
        photos: photos(&shown, held),
        standings: judged.standings().iter().map(|(&id, &standing)| (id, standing)).collect(),
    }
}

/// The photos that answers name, and whose rows stand. An answer that names a photo its own entry does not describe shows
/// none: no byte is shown but what a signed entry describes.
fn photos(shown: &View<'_>, held: &[HeldEntry]) -> Vec<PhotoView> {
    let is_true = |key: String| shown.values(&key).iter().any(|v| Answer::from(v.value) == Answer::Bool(true));
    let mut photos = Vec::new();
    for (key, values) in shown.keys() {
        let (row, captions) = match Key::parse(key) {
            Some(Key::Cell { repeat: IMPORTED, .. }) | None => continue,
            Some(Key::Cell { repeat, row, .. }) if is_true(format!("{repeat}/{row}/withdrawn")) => continue,
            Some(Key::Cell { repeat: "photos", row, question: "file" }) => {
                (row, shown.values(&format!("photos/{row}/caption")))
            }
            Some(Key::Cell { .. } | Key::Answer { .. }) => (key, &[][..]),
        };
        for value in values {
            let Some(hash) = text(value.value.into()).and_then(|hex| BlobHash::from_hex(&hex)) else { continue };
            let entry = held.iter().find(|held| held.id() == value.entry);
            let described = entry.and_then(HeldEntry::body).map_or(&[][..], |body| &body.context.photos);
            let photo = described.iter().find(|photo| photo.sha256 == hash);
            photos.extend(photo.map(|photo| PhotoView {
                row: row.to_owned(),
                photo: photo.clone(),
                entry: value.entry,
                captions: captions.iter().filter_map(|caption| text(caption.value.into())).collect(),
            }));
        }
    }
    photos
}

fn text(answer: Answer) -> Option<String> {
    match answer {
        Answer::Text(text) => Some(text),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) => None,
    }
}
