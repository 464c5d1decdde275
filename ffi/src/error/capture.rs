//! Errors of drafts, answers, photos and what is saved, without a wildcard.

use merestone_forms::Refusal;
use merestone_node::capture::{BeginError, PhotoError, RestateError, SaveError, SpeechError};
use merestone_node::draft::DraftError;
use merestone_node::filling::{InterviewError, OpenInterviewError, WorkOutError};
use merestone_node::forms::FillError;
use merestone_node::redaction::RedactError;

use super::{PhoneError, StorageFault, whole};

impl From<Refusal> for PhoneError {
    fn from(refusal: Refusal) -> Self {
        Self::refused("answer", refusal)
    }
}

impl From<DraftError> for PhoneError {
    fn from(error: DraftError) -> Self {
        let reason = error.to_string();
        match error {
            DraftError::Damaged { .. } => Self::storage(StorageFault::Damaged, reason),
            DraftError::Missing => Self::NotThere { reason },
            DraftError::Key => Self::refused("key", reason),
            DraftError::TooLong { .. } => Self::refused("too-long", reason),
            DraftError::TooLarge => Self::refused("draft-full", reason),
            DraftError::Access(error) => error.into(),
        }
    }
}

impl From<BeginError> for PhoneError {
    fn from(error: BeginError) -> Self {
        let reason = error.to_string();
        match error {
            BeginError::NotEditable { .. } => Self::refused("not-editable", reason),
            BeginError::Access(error) => error.into(),
            BeginError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<SaveError> for PhoneError {
    fn from(error: SaveError) -> Self {
        let reason = error.to_string();
        match error {
            SaveError::NothingChanged => Self::refused("nothing-changed", reason),
            SaveError::DraftChanged { .. } => Self::refused("draft-changed", reason),
            SaveError::TooLarge => Self::refused("too-large", reason),
            SaveError::NotEditable { .. } => Self::refused("not-editable", reason),
            SaveError::NotAWriter { .. } => Self::refused("not-a-writer", reason),
            SaveError::NoForm { .. } => Self::NotThere { reason },
            SaveError::Pen(error) => error.into(),
        }
    }
}

impl From<PhotoError> for PhoneError {
    fn from(error: PhotoError) -> Self {
        let reason = whole(&error);
        match error {
            PhotoError::Refused(_) => Self::refused("photo", reason),
            PhotoError::Preview(_) => Self::refused("preview", reason),
            PhotoError::TooMany => Self::refused("too-many-photos", reason),
            PhotoError::File { .. } => Self::NotThere { reason },
            PhotoError::NoEntropy(error) => error.into(),
            PhotoError::Draft(error) => error.into(),
        }
    }
}

impl From<FillError> for PhoneError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Access(error) => error.into(),
            FillError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<OpenInterviewError> for PhoneError {
    fn from(error: OpenInterviewError) -> Self {
        match error {
            OpenInterviewError::Fill(error) => error.into(),
            OpenInterviewError::Draft(error) => error.into(),
        }
    }
}

impl From<InterviewError> for PhoneError {
    fn from(error: InterviewError) -> Self {
        match error {
            InterviewError::Refused(refusal) => refusal.into(),
            InterviewError::Photo(error) => error.into(),
            InterviewError::Draft(error) => error.into(),
            InterviewError::Save(error) => error.into(),
        }
    }
}

impl From<WorkOutError> for PhoneError {
    fn from(error: WorkOutError) -> Self {
        let reason = error.to_string();
        match error {
            WorkOutError::Refused { .. } => Self::refused("answer", reason),
            WorkOutError::Fill(error) => error.into(),
        }
    }
}

impl From<SpeechError> for PhoneError {
    fn from(error: SpeechError) -> Self {
        let reason = error.to_string();
        match error {
            SpeechError::NothingThere { .. } => Self::NotThere { reason },
            SpeechError::IdTaken { .. } => Self::refused("id-taken", reason),
            SpeechError::Kind => Self::refused("kind", reason),
            SpeechError::WordsNeeded => Self::refused("words-needed", reason),
            SpeechError::TooLong { .. } => Self::refused("too-long", reason),
            SpeechError::Pen(error) => error.into(),
        }
    }
}

impl From<RestateError> for PhoneError {
    fn from(error: RestateError) -> Self {
        let reason = error.to_string();
        match error {
            RestateError::NoChange { .. } => Self::NotThere { reason },
            RestateError::Unreadable { .. } => Self::refused("unreadable", reason),
            RestateError::Applied { .. } => Self::refused("applied", reason),
            RestateError::Begin(error) => error.into(),
            RestateError::Save(error) => error.into(),
        }
    }
}

impl From<RedactError> for PhoneError {
    fn from(error: RedactError) -> Self {
        let reason = error.to_string();
        match error {
            RedactError::NoPhoto { .. } | RedactError::NotHeld { .. } | RedactError::NoForm => {
                Self::NotThere { reason }
            }
            RedactError::Picture(_) => Self::refused("picture", reason),
            RedactError::Begin(error) => error.into(),
            RedactError::Draft(error) => error.into(),
            RedactError::Photo(error) => error.into(),
            RedactError::Save(error) => error.into(),
            RedactError::Access(error) => error.into(),
        }
    }
}
