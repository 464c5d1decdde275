//! A redacted copy of a photo: a record of its own that names the original and whose photo is the copy
//! (`core/spec/publication.md`, Redacted photos).

use std::io::Read as _;

use merestone_core::id::{BlobHash, RecordId};
use merestone_forms::{Answer, Form, standard};
use merestone_media::{NoRedaction, ORIGINAL_BYTES_MAX, inspect, redact};
use merestone_store::{BlobError, ReadError};

use crate::PublicKey;
use crate::capture::{BeginError, Once, PhotoError, SaveError, Saved};
use crate::device::{AccessError, Device};
use crate::draft::DraftError;

pub use merestone_media::PixelBox;

/// No redacted copy was saved.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The record has no such photo.
    #[error("record {record} has no photo {photo}")]
    NoPhoto {
        /// The record.
        record: RecordId,
        /// The photo.
        photo: BlobHash,
    },
    /// The original is not here.
    #[error("photo {photo} is not held here")]
    NotHeld {
        /// The photo.
        photo: BlobHash,
    },
    /// The charter does not list the form for redacted photos.
    #[error("the mission has no form for redacted photos")]
    NoForm,
    /// The copy cannot be made.
    #[error(transparent)]
    Picture(#[from] NoRedaction),
    /// No draft was begun.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// The draft could not be kept.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The copy could not be attached.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The draft could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<ReadError> for RedactError {
    fn from(error: ReadError) -> Self {
        Self::Access(error.into())
    }
}

impl From<BlobError> for RedactError {
    fn from(error: BlobError) -> Self {
        Self::Access(error.into())
    }
}

impl Device {
    /// Saves a copy of a photo of `record` in which `boxes` are blank, as a new record by `observer`.
    ///
    /// # Errors
    /// [`RedactError`]; nothing was saved.
    pub fn redact(
        &self,
        observer: &PublicKey,
        record: RecordId,
        photo: BlobHash,
        boxes: &[PixelBox],
    ) -> Result<Saved, RedactError> {
        self.once(None).redact(observer, record, photo, boxes)
    }

    /// The bytes of an original, which are what its hash says.
    fn original(&self, photo: BlobHash) -> Result<Vec<u8>, RedactError> {
        let mut bytes = Vec::new();
        if let Some(file) = self.store.open_blob(photo)? {
            file.take(ORIGINAL_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(BlobError::from)?;
        }
        if BlobHash::of(&bytes) == photo { Ok(bytes) } else { Err(RedactError::NotHeld { photo }) }
    }
}

impl Once<'_> {
    /// [`Device::redact`].
    ///
    /// # Errors
    /// [`RedactError`]; nothing was saved.
    pub fn redact(
        &self,
        observer: &PublicKey,
        record: RecordId,
        photo: BlobHash,
        boxes: &[PixelBox],
    ) -> Result<Saved, RedactError> {
        if let Some(saved) = self.saved()? {
            return Ok(saved);
        }
        let device = self.device;
        let view = device.record(record)?.ok_or(RedactError::NoPhoto { record, photo })?;
        let named = view.photos.iter().find(|one| one.photo.sha256 == photo);
        let entry = named.ok_or(RedactError::NoPhoto { record, photo })?.entry;
        let form = Form::read_tables(standard::REDACTION).ok().and_then(|form| form.definition().hash().ok());
        let form = form.filter(|form| device.authority.roster().form(*form).is_some()).ok_or(RedactError::NoForm)?;
        let original = device.original(photo)?;
        let facts = inspect(&original).map_err(PhotoError::from)?;
        let copy = redact(&original, &facts, boxes)?;

        let mut draft = self.begin(observer, view.scope, form)?;
        let answers = [
            ("of_record", record.to_string()),
            ("of_entry", entry.to_string()),
            ("of_photo", photo.to_string()),
            ("method", "blank".to_owned()),
        ];
        draft.answers.extend(answers.map(|(key, answer)| (key.to_owned(), Answer::text(&answer))));
        draft.photos.push(device.new_photo(&copy.bytes)?);
        Ok(device.save(&draft)?)
    }
}
