//! One record with its values, photos and standings.

use merestone_core::id::EntryId;
use merestone_core::record::Standing;
use merestone_node::records::{AnswerView, PhotoView, RecordView, RecordWords, ValueView};

use super::texts;
use crate::person::PersonLine;
use crate::photo::{media_type, rendition};
use crate::value::AnswerValue;

/// A record with every value and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RecordSheet {
    /// The record.
    pub id: String,
    /// Its scope.
    pub scope: String,
    /// Its kind; none while its form's definition is not held.
    pub kind: Option<String>,
    /// The form of its newest change, by its hash.
    pub form: Option<String>,
    /// Who created it; none while the creating entry is not held.
    pub creator: Option<PersonLine>,
    /// What an edit that begins now builds on.
    pub heads: Vec<String>,
    /// Whether it is withdrawn.
    pub is_withdrawn: bool,
    /// Each key that was answered, ascending.
    pub answers: Vec<AnswerLine>,
    /// Its photos.
    pub photos: Vec<PhotoLine>,
    /// Every held entry of the record and what became of it.
    pub standings: Vec<StandingLine>,
}

impl RecordSheet {
    pub(crate) fn of(view: RecordView, words: &RecordWords) -> Self {
        Self {
            id: view.id.to_string(),
            scope: view.scope.to_string(),
            kind: view.kind,
            form: view.form.map(|form| form.to_string()),
            creator: view.creator.map(Into::into),
            heads: texts(&view.heads),
            is_withdrawn: view.is_withdrawn,
            answers: view.answers.into_iter().map(|answer| AnswerLine::of(answer, words)).collect(),
            photos: view.photos.iter().map(Into::into).collect(),
            standings: view.standings.into_iter().map(Into::into).collect(),
        }
    }
}

/// One question of a record with the values that stand: more than one is a conflict.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AnswerLine {
    /// `question` or `repeat/row/question`.
    pub key: String,
    /// The question's text in the language asked for; the key while the form's questions are not here.
    pub label: String,
    /// The values, each with who put it.
    pub values: Vec<SignedValue>,
}

impl AnswerLine {
    fn of(answer: AnswerView, words: &RecordWords) -> Self {
        let values = answer.values.into_iter().map(|value| SignedValue::of(value, &answer.key, words)).collect();
        Self { label: words.label(&answer.key), key: answer.key, values }
    }
}

/// A value and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SignedValue {
    /// The value.
    pub value: AnswerValue,
    /// The value as people read it: of choices their texts.
    pub shown: String,
    /// The entry that put it, 64 hex digits.
    pub entry: String,
    /// The entry's standing, in the word of the specification.
    pub standing: String,
    /// The observer's name.
    pub observer: String,
}

impl SignedValue {
    fn of(value: ValueView, key: &str, words: &RecordWords) -> Self {
        Self {
            shown: words.shown(key, &value.answer),
            observer: value.author.name(),
            entry: value.entry.to_string(),
            standing: value.standing.code().to_owned(),
            value: value.answer.into(),
        }
    }
}

/// A photo of a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PhotoLine {
    /// Its row in the repeat `photos`, or the key of the question that it answers.
    pub row: String,
    /// The entry that attached it.
    pub entry: String,
    /// SHA-256 of the original.
    pub original: String,
    /// The original's size.
    pub bytes: u64,
    /// The original's media type.
    pub media_type: String,
    /// The smaller picture, 64 hex digits; none where none could be made.
    pub thumbnail: Option<String>,
    /// The larger picture.
    pub preview: Option<String>,
    /// The captions that stand; several are a conflict.
    pub captions: Vec<String>,
}

impl From<&PhotoView> for PhotoLine {
    fn from(view: &PhotoView) -> Self {
        Self {
            row: view.row.clone(),
            entry: view.entry.to_string(),
            original: view.photo.sha256.to_string(),
            bytes: view.photo.bytes,
            media_type: media_type(&view.photo).to_owned(),
            thumbnail: rendition(&view.photo.thumbnail),
            preview: rendition(&view.photo.preview),
            captions: view.captions.clone(),
        }
    }
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StandingLine {
    /// The entry.
    pub entry: String,
    /// Its standing, in the word of the specification.
    pub code: String,
    /// Whether it is applied, or in force.
    pub is_applied: bool,
}

impl From<(EntryId, Standing)> for StandingLine {
    fn from((entry, standing): (EntryId, Standing)) -> Self {
        Self { entry: entry.to_string(), code: standing.code().to_owned(), is_applied: standing.is_applied() }
    }
}
