//! What an observer says about a record without changing it: notice, comment, agreement, objection, dissent, ruling.

use merestone_core::entry::{Body, Content, Context, EntryDraft, Kind, Subject, TEXT_BYTES_MAX};
use merestone_core::id::{EntryId, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_core::text::{Lines, tidy};
use merestone_store::{DraftId, SavedDraft};

use super::{Once, Saved};
use crate::clock::NoEntropy;
use crate::device::{AccessError, Device, PenError, Turn, WriteError, Written};

/// Something to say about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// The record.
    pub record: RecordId,
    /// The entries that it is about; empty: the heads that the record shows now.
    pub about: Vec<EntryId>,
    /// What it is: any kind but a change.
    pub kind: Kind,
    /// Why, as a number of the mission's own list; in an objection, a dissent and a ruling only.
    pub reason: Option<u64>,
    /// In words; an objection needs them.
    pub text: Option<String>,
}

/// Nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// Nothing of the record is applied here.
    #[error("nothing of record {record} is applied here")]
    NothingThere {
        /// The record.
        record: RecordId,
    },
    /// A change is made by saving a draft; kinds of later versions are not made here.
    #[error("this kind of entry is not said")]
    Kind,
    /// An objection without words.
    #[error("an objection needs its reason in words")]
    WordsNeeded,
    /// The text is too long.
    #[error("text of {bytes} bytes, at most {TEXT_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The id under which it was to be said is a draft's.
    #[error("id {id} is a draft's")]
    IdTaken {
        /// The id.
        id: DraftId,
    },
    /// The observer cannot sign now.
    #[error(transparent)]
    Pen(#[from] PenError),
}

impl From<WriteError> for SpeechError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Draft { draft: id } => Self::IdTaken { id },
            WriteError::Pen(error) => Self::Pen(error),
        }
    }
}

impl From<AccessError> for SpeechError {
    fn from(error: AccessError) -> Self {
        Self::Pen(error.into())
    }
}

impl From<NoEntropy> for SpeechError {
    fn from(error: NoEntropy) -> Self {
        Self::Pen(error.into())
    }
}

impl Device {
    /// Says something about a record, as one signed entry; durable when this returns.
    ///
    /// # Errors
    /// [`SpeechError`]; nothing was signed that anybody will see.
    pub fn say(&self, observer: &PublicKey, speech: Speech) -> Result<Saved, SpeechError> {
        self.once(None).say(observer, speech)
    }

    /// `None` comes back where somebody else's entry took the place.
    fn say_at(
        &self,
        turn: &mut Turn<'_>,
        observer: &PublicKey,
        (scope, speech): (ScopeId, &Speech),
        id: Option<DraftId>,
    ) -> Result<Option<Saved>, SpeechError> {
        let Speech { record, about, kind, reason, text } = speech;
        let pen = turn.pen(self, observer, scope, *kind, false)?;
        let context =
            Context { clock: self.now(), place: None, post: None, observer: pen.observer.clone(), photos: Vec::new() };
        let seed = self.random()?;
        let unsigned = EntryDraft {
            mission: self.mission(),
            scope,
            epoch: pen.epoch,
            seq: pen.seq,
            position: pen.position.clone(),
            kind: *kind,
            subject: Subject::Of { record: *record, refs: about.clone() },
            body: Body { content: Content::Role { reason: *reason, text: text.clone(), seed }, context },
            commitment: None,
            seen: self.newest_note(),
        };
        let written = turn.write(self, &pen, unsigned, |entry, batch| {
            if let Some(id) = id {
                batch.save_draft(id, None, SavedDraft { entry: entry.id(), record: *record });
            }
            Ok(())
        })?;
        Ok(written.map(|Written { entry, low_room }| Saved { entry: entry.id(), record: *record, low_room }))
    }
}

impl Once<'_> {
    /// [`Device::say`].
    ///
    /// # Errors
    /// [`SpeechError`]; nothing was signed that anybody will see.
    pub fn say(&self, observer: &PublicKey, mut speech: Speech) -> Result<Saved, SpeechError> {
        if let Some(saved) = self.saved()? {
            return Ok(saved);
        }
        let (device, record) = (self.device, speech.record);
        let tidied = speech.text.map(|text| tidy(&text, Lines::Many).into_owned());
        speech.text = tidied.filter(|text| !text.is_empty());
        check(speech.kind, speech.text.as_deref())?;
        let sheet = device.with_sheet(record, |sheet| (sheet.scope, sheet.heads.clone()))?;
        let (scope, heads) = sheet.ok_or(SpeechError::NothingThere { record })?;
        if speech.about.is_empty() {
            speech.about = heads;
        }

        let mut turn = device.turn()?;
        // The same step may have come to its end while this one waited.
        if let Some(saved) = self.saved()? {
            return Ok(saved);
        }
        let saved = loop {
            // Where somebody else's entry came to its place, it is written again at the beginning of a new log.
            if let Some(saved) = device.say_at(&mut turn, observer, (scope, &speech), self.id)? {
                break saved;
            }
        };
        // A ruling may choose another branch of a fork.
        if speech.kind == Kind::Ruling {
            device.shelf.drop_sheet(record);
        }
        Ok(saved)
    }
}

fn check(kind: Kind, text: Option<&str>) -> Result<(), SpeechError> {
    match kind {
        Kind::Change | Kind::Unknown(_) => return Err(SpeechError::Kind),
        Kind::Objection if text.is_none() => return Err(SpeechError::WordsNeeded),
        Kind::Receipt
        | Kind::HostComment
        | Kind::Concurrence
        | Kind::Objection
        | Kind::Dissent
        | Kind::Ruling
        | Kind::CoAuthorship => {}
    }
    match text.map(str::len) {
        Some(bytes) if bytes > TEXT_BYTES_MAX => Err(SpeechError::TooLong { bytes }),
        Some(_) | None => Ok(()),
    }
}
