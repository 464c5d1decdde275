//! What an observer says about a record without changing it: notice, comment, agreement, objection, dissent, ruling.

use merestone_core::entry::{Body, Content, Context, EntryDraft, Kind, Subject, TEXT_BYTES_MAX};
use merestone_core::id::{EntryId, RecordId};
use merestone_core::key::PublicKey;
use merestone_core::text::{Lines, tidy};
use merestone_store::Batch;

use super::Saved;
use crate::clock::NoEntropy;
use crate::device::{AccessError, Device, PenError};

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
    /// The observer cannot sign now.
    #[error(transparent)]
    Pen(#[from] PenError),
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
        let Speech { record, mut about, kind, reason, text } = speech;
        let text = text.map(|text| tidy(&text, Lines::Many).into_owned()).filter(|text| !text.is_empty());
        check(kind, text.as_deref())?;
        let sheet = self.with_sheet(record, |sheet| (sheet.scope, sheet.heads.clone()))?;
        let (scope, heads) = sheet.ok_or(SpeechError::NothingThere { record })?;
        if about.is_empty() {
            about = heads;
        }

        let mut logbook = self.turn()?;
        let pen = logbook.pen(self, observer, scope, kind, false)?;
        let context =
            Context { clock: self.now(), place: None, post: None, observer: pen.observer.clone(), photos: Vec::new() };
        let seed = self.random()?;
        let draft = EntryDraft {
            mission: self.mission(),
            scope,
            epoch: pen.epoch,
            seq: pen.seq,
            position: pen.position.clone(),
            kind,
            subject: Subject::Of { record, refs: about },
            body: Body { content: Content::Role { reason, text, seed }, context },
            commitment: None,
            seen: self.newest_note(),
        };
        let mut batch = Batch::new();
        let entry = logbook.sign(self, &pen, draft, &mut batch)?;
        let committed = match self.store.commit(batch) {
            Ok(committed) => committed,
            Err(error) => {
                logbook.forget_log(&pen.key, pen.scope);
                return Err(AccessError::from(error).into());
            }
        };
        logbook.wrote(&pen, entry.id());
        // A ruling may choose another branch of a fork.
        if kind == Kind::Ruling {
            self.shelf.drop_sheet(record);
        }
        Ok(Saved { entry: entry.id(), record, low_room: committed.low_room })
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
