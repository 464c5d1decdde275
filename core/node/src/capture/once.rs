//! Steps that make one entry without a draft that anybody sees, each done once however often it is asked for.

use merestone_core::id::{FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_forms::Answer;
use merestone_store::DraftId;

use super::{BeginError, SaveError, Saved};
use crate::device::{AccessError, Device};
use crate::draft::Draft;

/// The key by which a record is withdrawn (`core/spec/record.md`, Shape).
const WITHDRAWN: &str = "withdrawn";

/// A step under an id that whoever asks for it chose: see [`Device::once`].
#[derive(Clone, Copy, Debug)]
pub struct Once<'a> {
    pub(crate) device: &'a Device,
    pub(super) id: Option<DraftId>,
}

impl Device {
    /// The next step under `id`, 16 bytes that are chosen at random for this step alone. Whoever had no answer, because a call
    /// was cancelled or the app killed, asks for the same step with the same id: if it was done, the answer is the same and
    /// nothing is signed. Another step with an id that was used is answered so, too.
    ///
    /// Without an id it is done again each time.
    pub fn once(&self, id: Option<DraftId>) -> Once<'_> {
        Once { device: self, id }
    }

    /// Settles a conflict: `answer` takes the place of all values of `key` that the record shows now.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn resolve(
        &self,
        observer: &PublicKey,
        record: RecordId,
        key: &str,
        answer: impl Into<Answer>,
    ) -> Result<Saved, SaveError> {
        self.once(None).resolve(observer, record, key, answer)
    }

    /// Withdraws a record: it stays, with everything in it, and is shown as withdrawn.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn withdraw(&self, observer: &PublicKey, record: RecordId) -> Result<Saved, SaveError> {
        self.once(None).withdraw(observer, record)
    }
}

impl Once<'_> {
    /// What became of the step, if it was done.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn saved(&self) -> Result<Option<Saved>, AccessError> {
        self.id.map_or(Ok(None), |id| self.device.saved(id))
    }

    /// [`Device::begin`].
    ///
    /// # Errors
    /// As there.
    pub fn begin(&self, observer: &PublicKey, scope: ScopeId, form: FormHash) -> Result<Draft, BeginError> {
        let draft = self.device.begin(observer, scope, form)?;
        Ok(self.named(draft))
    }

    /// [`Device::resolve`].
    ///
    /// # Errors
    /// As [`save`](Device::save).
    pub fn resolve(
        &self,
        observer: &PublicKey,
        record: RecordId,
        key: &str,
        answer: impl Into<Answer>,
    ) -> Result<Saved, SaveError> {
        self.write_one(observer, record, key, answer.into().tidied())
    }

    /// [`Device::withdraw`].
    ///
    /// # Errors
    /// As [`save`](Device::save).
    pub fn withdraw(&self, observer: &PublicKey, record: RecordId) -> Result<Saved, SaveError> {
        self.write_one(observer, record, WITHDRAWN, Answer::Bool(true))
    }

    fn write_one(&self, observer: &PublicKey, record: RecordId, key: &str, answer: Answer) -> Result<Saved, SaveError> {
        if let Some(saved) = self.saved()? {
            return Ok(saved);
        }
        let draft = self.device.begin_edit(observer, record).map_err(|error| match error {
            BeginError::NotEditable { record } => SaveError::NotEditable { record },
            BeginError::Access(error) => error.into(),
            BeginError::NoEntropy(error) => error.into(),
        })?;
        let mut draft = self.named(draft);
        draft.answers.insert(key.to_owned(), answer);
        self.device.save(&draft)
    }

    /// A draft that is this step's.
    pub(crate) fn named(&self, draft: Draft) -> Draft {
        Draft { id: self.id.unwrap_or(draft.id), ..draft }
    }
}
