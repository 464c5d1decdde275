//! Forms and drafts, as lines of a screen.

use merestone_forms::model::Language;
use merestone_node::draft::{DamagedDraft, Draft, DraftSubject};
use merestone_node::forms::MissionForm;

use crate::ids::count;

/// A form of the mission.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FormLine {
    /// Its hash, as the charter and each entry name it.
    pub hash: String,
    /// The kind of record it makes.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Whether its questions are here. If not, only its signed definition is: answers can be saved and are not checked.
    pub can_be_asked: bool,
    /// The languages of its texts.
    pub languages: Vec<LanguageLine>,
    /// The one that is shown unless another is chosen, by its place in `languages`.
    pub default_language: Option<u32>,
}

/// A language of a form.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LanguageLine {
    /// As the form names it.
    pub name: String,
    /// Its code (BCP 47), where the name has one.
    pub code: Option<String>,
    /// Whether it is written from right to left.
    pub is_right_to_left: bool,
}

impl From<&Language> for LanguageLine {
    fn from(language: &Language) -> Self {
        Self {
            name: language.0.clone(),
            code: language.code().map(ToOwned::to_owned),
            is_right_to_left: language.is_right_to_left(),
        }
    }
}

impl From<&MissionForm> for FormLine {
    fn from(form: &MissionForm) -> Self {
        let model = form.questions.as_ref().map(|questions| questions.model());
        Self {
            hash: form.hash.to_string(),
            kind: form.kind.clone(),
            title: form.title.clone(),
            version: form.version.clone(),
            can_be_asked: model.is_some(),
            languages: model.map_or(Vec::new(), |model| model.languages.iter().map(Into::into).collect()),
            default_language: model.and_then(|model| model.default_language).map(count),
        }
    }
}

/// Something begun and not saved.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DraftLine {
    /// The draft, 32 hex digits.
    pub id: String,
    /// Whose it is.
    pub observer: String,
    /// Where it belongs.
    pub scope: String,
    /// The form it follows, by its hash.
    pub form: String,
    /// The record that it changes; none for a new one.
    pub record: Option<String>,
    /// How many answers it has.
    pub answers: u32,
    /// How many photos it has.
    pub photos: u32,
    /// Whether an import began it, and no person.
    pub is_import: bool,
}

impl From<&Draft> for DraftLine {
    fn from(draft: &Draft) -> Self {
        Self {
            id: draft.id.to_string(),
            observer: draft.observer.to_string(),
            scope: draft.scope.to_string(),
            form: draft.form.to_string(),
            record: record_of(draft),
            answers: count(draft.answers.len()),
            photos: count(draft.photos.len()),
            is_import: draft.is_import,
        }
    }
}

/// The record that a draft changes.
pub(crate) fn record_of(draft: &Draft) -> Option<String> {
    match &draft.subject {
        DraftSubject::New { writers: _ } => None,
        DraftSubject::Edit { record, base: _ } => Some(record.to_string()),
    }
}

/// A draft that cannot be read. It is kept as it is, for the version of the program that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DamagedDraftLine {
    /// The draft.
    pub id: String,
    /// How many bytes are kept of it.
    pub bytes: u64,
}

impl From<DamagedDraft> for DamagedDraftLine {
    fn from(draft: DamagedDraft) -> Self {
        Self { id: draft.id.to_string(), bytes: draft.bytes as u64 }
    }
}
