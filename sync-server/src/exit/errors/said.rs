//! What an observer could not say about a record, or show of it.

use merestone_node::capture::{RestateError, SpeechError};
use merestone_node::records::ExhibitError;
use merestone_node::replica::TilesError;

use super::NOT_EDITABLE;
use crate::exit::Failure;

impl From<SpeechError> for Failure {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::NothingThere { .. } => Self::input(&error, NOT_EDITABLE),
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

impl From<ExhibitError> for Failure {
    fn from(error: ExhibitError) -> Self {
        match error {
            ExhibitError::NotHeld { .. } => Self::input(&error, "see `merestone record history` for entries"),
            ExhibitError::Label { .. } => Self::input(&error, "`merestone record show` prints the names of answers"),
            ExhibitError::NoForm { .. } => Self::input(&error, "sync with a device that has it"),
            ExhibitError::NotDisclosed(_) | ExhibitError::Refused(_) => Self::input(&error, "nothing was written"),
            ExhibitError::Tiles(TilesError::Read(error)) => error.into(),
            ExhibitError::Tiles(TilesError::Missing { .. }) => Self::storage(&error, "run `merestone doctor`"),
            ExhibitError::Access(error) => error.into(),
        }
    }
}
