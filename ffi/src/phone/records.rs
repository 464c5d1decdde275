//! Records of a phone: lists, one whole, its history, and what is said about it.

use std::path::Path;

use super::Phone;
use crate::error::PhoneError;
use crate::ids;
use crate::page::part;
use crate::photo::PixelBoxLine;
use crate::record::{
    CustodyLine, HeldAloneLine, RecordQuery, RecordSheet, RecordsPage, SavedLine, SpeechOrder, StepLine,
};
use crate::value::AnswerValue;

#[uniffi::export]
impl Phone {
    /// One page of records, from where the page before said, or from the beginning; at most 1,000 lines.
    pub async fn records(
        &self,
        query: RecordQuery,
        after: Option<String>,
        lines_max: u32,
    ) -> Result<RecordsPage, PhoneError> {
        self.call(move |open| {
            let after = after.as_deref().map(ids::page).transpose()?;
            let lines_max = usize::try_from(lines_max).unwrap_or(usize::MAX);
            Ok(open.device.list(&query.filter()?, after, lines_max)?.into())
        })
        .await
    }

    /// Brings lists up to date with everything that is held: after much arrived, in the background.
    pub async fn catch_up(&self) -> Result<(), PhoneError> {
        self.call(|open| Ok(open.device.catch_up()?)).await
    }

    /// One record, in a language of its form by its place in the form's; none when nothing of it is held.
    #[uniffi::method(default(language = None))]
    pub async fn record(&self, id: String, language: Option<u32>) -> Result<Option<RecordSheet>, PhoneError> {
        self.call(move |open| {
            let Some(view) = open.device.record(ids::record(&id)?)? else { return Ok(None) };
            let words = open.device.words(&view, language.map(|language| language as usize))?;
            Ok(Some(RecordSheet::of(view, &words)))
        })
        .await
    }

    /// The held entries of a record, applied or not, in order, from the one at place `from` on: at most `lines_max` and 1,000;
    /// none behind the last, or when nothing of it is held.
    #[uniffi::method(default(language = None, from = 0, lines_max = 1_000))]
    pub async fn history(
        &self,
        id: String,
        language: Option<u32>,
        from: u32,
        lines_max: u32,
    ) -> Result<Vec<StepLine>, PhoneError> {
        self.call(move |open| {
            let record = ids::record(&id)?;
            let Some(view) = open.device.record(record)? else { return Ok(Vec::new()) };
            let words = open.device.words(&view, language.map(|language| language as usize))?;
            let steps = part(open.device.history(record)?, from, lines_max);
            Ok(steps.map(|step| StepLine::of(step, &words)).collect())
        })
        .await
    }

    /// Settles a conflict: `answer` takes the place of all values of `key` that the record shows now.
    ///
    /// With an `id` it is done once; see `save_new`.
    #[uniffi::method(default(id = None))]
    pub async fn resolve(
        &self,
        observer: String,
        record: String,
        key: String,
        answer: AnswerValue,
        id: Option<String>,
    ) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let (observer, record) = (open.observer(&observer)?, ids::record(&record)?);
            Ok(open.saved(open.once(id)?.resolve(&observer, record, &key, answer)?))
        })
        .await
    }

    /// Withdraws a record: it stays, with everything in it, and is shown as withdrawn.
    ///
    /// With an `id` it is done once; see `save_new`.
    #[uniffi::method(default(id = None))]
    pub async fn withdraw(
        &self,
        observer: String,
        record: String,
        id: Option<String>,
    ) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let (observer, record) = (open.observer(&observer)?, ids::record(&record)?);
            Ok(open.saved(open.once(id)?.withdraw(&observer, record)?))
        })
        .await
    }

    /// Says something about a record, as one signed entry.
    ///
    /// With an `id` it is done once; see `save_new`.
    #[uniffi::method(default(id = None))]
    pub async fn say(
        &self,
        observer: String,
        speech: SpeechOrder,
        id: Option<String>,
    ) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let observer = open.observer(&observer)?;
            Ok(open.saved(open.once(id)?.say(&observer, speech.speech()?)?))
        })
        .await
    }

    /// Writes again, on what the record shows now, what an entry wrote that is not applied.
    ///
    /// With an `id` it is done once; see `save_new`.
    #[uniffi::method(default(id = None))]
    pub async fn restate(&self, observer: String, entry: String, id: Option<String>) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let (observer, entry) = (open.observer(&observer)?, ids::entry(&entry)?);
            Ok(open.saved(open.once(id)?.restate(&observer, entry)?))
        })
        .await
    }

    /// Saves a copy of a photo in which `boxes` are blank, as a new record.
    ///
    /// With an `id` it is done once; see `save_new`.
    #[uniffi::method(default(id = None))]
    pub async fn redact(
        &self,
        observer: String,
        record: String,
        photo: String,
        boxes: Vec<PixelBoxLine>,
        id: Option<String>,
    ) -> Result<SavedLine, PhoneError> {
        self.signing(move |open| {
            let (observer, record) = (open.observer(&observer)?, ids::record(&record)?);
            let boxes: Vec<_> = boxes.into_iter().map(Into::into).collect();
            Ok(open.saved(open.once(id)?.redact(&observer, record, ids::photo(&photo)?, &boxes)?))
        })
        .await
    }

    /// Who else holds an entry; none when this phone does not hold it.
    pub async fn custody(&self, entry: String) -> Result<Option<CustodyLine>, PhoneError> {
        self.call(move |open| {
            let entry = ids::entry(&entry)?;
            Ok(open.device.custody(entry)?.map(|custody| (entry, custody).into()))
        })
        .await
    }

    /// Who else holds each entry of a record that this phone holds, ascending by id, from the one at place `from` on: at most
    /// `lines_max` and 1,000, and none behind the last.
    #[uniffi::method(default(from = 0, lines_max = 1_000))]
    pub async fn custody_of(&self, record: String, from: u32, lines_max: u32) -> Result<Vec<CustodyLine>, PhoneError> {
        self.call(move |open| {
            let Some(view) = open.device.record(ids::record(&record)?)? else { return Ok(Vec::new()) };
            let mut lines = Vec::new();
            for (entry, _) in part(view.standings, from, lines_max) {
                lines.extend(open.device.custody(entry)?.map(|custody| (entry, custody).into()));
            }
            Ok(lines)
        })
        .await
    }

    /// What would be lost with this phone, whoever wrote it: before it is handed in or wiped.
    pub async fn held_alone(&self) -> Result<HeldAloneLine, PhoneError> {
        self.call(|open| Ok(open.device.held_alone()?.into())).await
    }

    /// Writes an exhibit to a new file: what shows a third party that an entry was signed and that the ledger has it, with
    /// the answers of `labels`.
    pub async fn write_exhibit(&self, entry: String, labels: Vec<String>, path: String) -> Result<(), PhoneError> {
        self.call(move |open| {
            let bytes = open.device.exhibit(ids::entry(&entry)?, &labels)?;
            super::photos::write_new(Path::new(&path), &bytes)
        })
        .await
    }
}
