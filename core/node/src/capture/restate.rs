//! Restating: what an entry wrote that is not applied, written again by a person who means it (`core/spec/record.md`).

use merestone_core::entry::{Kind, Photo};
use merestone_core::form::Key;
use merestone_core::id::{BlobHash, EntryId, FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_core::record::Standing;
use merestone_forms::filling::RowId;
use merestone_forms::{Answer, IMPORTED};

use super::{BeginError, Once, SaveError, Saved};
use crate::device::{AccessError, Device};
use crate::draft::{Draft, DraftPhoto, DraftSubject};

/// The cell of the repeat `imported` that names, in a record made by restating, the record it comes from.
const RESTATES: &str = "restates";

/// An entry was not restated.
#[derive(Debug, thiserror::Error)]
pub enum RestateError {
    /// The entry is not here, or is no change.
    #[error("entry {entry} is no change that is held here")]
    NoChange {
        /// The entry.
        entry: EntryId,
    },
    /// Its body is not held, erased, or breaks a rule: nobody can read what it wrote.
    #[error("what entry {entry} wrote cannot be read here ({standing})")]
    Unreadable {
        /// The entry.
        entry: EntryId,
        /// What became of it.
        standing: Standing,
    },
    /// The entry is applied: there is nothing to restate.
    #[error("entry {entry} is applied as it is")]
    Applied {
        /// The entry.
        entry: EntryId,
    },
    /// The observer could not begin.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// It was not saved.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<AccessError> for RestateError {
    fn from(error: AccessError) -> Self {
        Self::Save(error.into())
    }
}

/// What an entry wrote.
struct Written {
    record: RecordId,
    scope: ScopeId,
    form: FormHash,
    answers: Vec<(String, Answer)>,
    photos: Vec<Photo>,
}

impl Device {
    /// Writes again, on the current heads of its record and in the name of `observer`, what an entry wrote that is not
    /// applied. Where nothing of the record is applied any more, because it was erased or its beginning was cut, a new
    /// record is made, which names the old one.
    ///
    /// # Errors
    /// [`RestateError`]; nothing was signed that anybody will see.
    pub fn restate(&self, observer: &PublicKey, entry: EntryId) -> Result<Saved, RestateError> {
        self.once(None).restate(observer, entry)
    }

    /// What an entry wrote, if it is a change that is held and not applied.
    fn written(&self, entry: EntryId) -> Result<Written, RestateError> {
        let stored = self.store.entry(entry).map_err(AccessError::from)?.ok_or(RestateError::NoChange { entry })?;
        let header = {
            let verified = self.verified(&stored, &mut merestone_core::key::KeyCache::with_capacity(1));
            verified.ok_or(RestateError::NoChange { entry })?
        };
        let (record, scope) = (header.record(), header.header().scope);
        let commitment = header.header().commitment.filter(|_| header.header().kind == Kind::Change);
        let form = commitment.ok_or(RestateError::NoChange { entry })?.form;
        let held = self.held(record)?;
        self.judged(record, &held, |judged, _| {
            let standing = judged.standing(entry).ok_or(RestateError::NoChange { entry })?;
            if standing.is_applied() {
                return Err(RestateError::Applied { entry });
            }
            let change = judged.unapplied().iter().find(|change| change.held.id() == entry);
            let body = held.iter().find(|held| held.id() == entry).and_then(|held| held.body());
            let (Some(change), Some(body)) = (change, body.filter(|_| standing != Standing::Erased)) else {
                return Err(RestateError::Unreadable { entry, standing });
            };
            let answers = change.change.puts().iter().map(|put| (put.key.to_owned(), put.value.into())).collect();
            Ok(Written { record, scope, form, answers, photos: body.context.photos.clone() })
        })
    }
}

impl Once<'_> {
    /// [`Device::restate`].
    ///
    /// # Errors
    /// [`RestateError`]; nothing was signed that anybody will see.
    pub fn restate(&self, observer: &PublicKey, entry: EntryId) -> Result<Saved, RestateError> {
        if let Some(saved) = self.saved()? {
            return Ok(saved);
        }
        let device = self.device;
        let written = device.written(entry)?;
        let heads = device.with_sheet(written.record, |sheet| sheet.heads.clone())?;
        let mut draft = self.named(match heads {
            Some(_) => device.begin_edit(observer, written.record)?,
            None => device.begin(observer, written.scope, written.form)?,
        });
        if let DraftSubject::New { .. } = draft.subject {
            let from = format!("{IMPORTED}/{}/{RESTATES}", row_of(written.record));
            draft.answers.insert(from, Answer::Text(written.record.to_string()));
        }
        let Written { answers, photos, .. } = written;
        for (key, answer) in answers {
            put(&mut draft, key, answer, &photos);
        }
        Ok(device.save(&draft)?)
    }
}

/// Puts an answer into a draft; one that names a photo of the entry takes the photo along.
fn put(draft: &mut Draft, key: String, answer: Answer, photos: &[Photo]) {
    let named = match &answer {
        Answer::Text(text) => BlobHash::from_hex(text),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) => None,
    };
    let photo = named.and_then(|hash| photos.iter().find(|photo| photo.sha256 == hash));
    let Some(photo) = photo else {
        draft.answers.insert(key, answer);
        return;
    };
    let row = match Key::parse(&key) {
        Some(Key::Cell { repeat: "photos", row, question: "file" }) if RowId::parse(row).is_some() => row.to_owned(),
        Some(_) | None => key,
    };
    draft.photos.push(DraftPhoto { row, photo: photo.clone() });
}

/// The row in which a restated record names the one it comes from: the same on every device.
fn row_of(record: RecordId) -> String {
    record.to_string().chars().take(16).collect()
}
