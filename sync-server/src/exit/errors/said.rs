//! What an observer could not say about a record.

use merestone_node::capture::{BeginError, PhotoError, RestateError, SaveError, SpeechError};
use merestone_node::device::PenError;
use merestone_node::redaction::RedactError;

use super::{AGAIN, NOT_EDITABLE};
use crate::exit::Failure;

impl From<PenError> for Failure {
    fn from(error: PenError) -> Self {
        match error {
            PenError::NotEnrolled { .. } => {
                Self::input(&error, "take up the certificate with `merestone device accept`")
            }
            PenError::Locked { .. } => Self::input(&error, AGAIN),
            PenError::Cut { .. } => Self::input(&error, "what it signed stays; ask the party for a new certificate"),
            PenError::NotGranted { .. } => Self::input(&error, "see `merestone device show` for what it grants"),
            PenError::WornOut { .. } => Self::input(&error, ""),
            PenError::Keystore(_) => Self::input(&error, ""),
            PenError::Rule(_) => Self::input(&error, ""),
            PenError::Access(error) => error.into(),
            PenError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::NotEditable { .. } => Self::input(&error, NOT_EDITABLE),
            BeginError::Access(error) => error.into(),
            BeginError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::NothingChanged => Self::input(&error, "the record says so already; nothing was signed"),
            SaveError::DraftChanged { .. } => Self::input(&error, "the same command goes on with it"),
            SaveError::TooLarge => Self::input(&error, "save a part, and go on with `merestone record edit`"),
            SaveError::NotEditable { .. } => Self::input(&error, NOT_EDITABLE),
            SaveError::NotAWriter { .. } => {
                Self::input(&error, "only the parties named with --writer when it was created can; nothing was signed")
            }
            SaveError::NoForm { .. } => Self::input(&error, "sync with a device that has it"),
            SaveError::Pen(error) => error.into(),
        }
    }
}

impl From<SpeechError> for Failure {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::NothingThere { .. } => Self::input(&error, NOT_EDITABLE),
            SpeechError::IdTaken { .. } => Self::input(&error, "choose another"),
            SpeechError::Kind => Self::input(&error, ""),
            SpeechError::WordsNeeded => Self::input(&error, "give it with --text"),
            SpeechError::TooLong { .. } => Self::input(&error, "say it in fewer words"),
            SpeechError::Pen(error) => error.into(),
        }
    }
}

impl From<RestateError> for Failure {
    fn from(error: RestateError) -> Self {
        match error {
            RestateError::NoChange { .. } => Self::input(&error, "see `merestone record history` for entries"),
            RestateError::Unreadable { .. } => Self::input(&error, "sync with a device that holds it"),
            RestateError::Applied { .. } => Self::input(&error, "change it with `merestone record edit`"),
            RestateError::Begin(error) => error.into(),
            RestateError::Save(error) => error.into(),
        }
    }
}

impl From<PhotoError> for Failure {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::Refused(_) | PhotoError::Preview(_) => Self::input(&error, "choose another file"),
            PhotoError::TooMany => Self::input(&error, ""),
            PhotoError::File { .. } => Self::input(&error, ""),
            PhotoError::NoEntropy(error) => error.into(),
            PhotoError::Draft(error) => error.into(),
        }
    }
}

impl From<RedactError> for Failure {
    fn from(error: RedactError) -> Self {
        match error {
            RedactError::NoPhoto { .. } => Self::input(&error, "see `merestone record show` for the photos"),
            RedactError::NotHeld { .. } => Self::input(&error, "sync with a peer that holds it"),
            RedactError::NoForm => Self::input(&error, "found the mission with it, or publish without photos"),
            RedactError::Picture(_) => Self::input(&error, "give each rectangle as x,y,width,height in its pixels"),
            RedactError::Begin(error) => error.into(),
            RedactError::Draft(error) => error.into(),
            RedactError::Photo(error) => error.into(),
            RedactError::Save(error) => error.into(),
            RedactError::Access(error) => error.into(),
        }
    }
}
