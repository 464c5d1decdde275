//! What is wrong with a form, or with an answer to it.

use merestone_forms::FormRefused;
use merestone_node::draft::DraftError;
use merestone_node::filling::{InterviewError, OpenInterviewError, WorkOutError};
use merestone_node::forms::{AddFormError, FillError};

use super::AGAIN;
use crate::exit::Failure;

impl From<FormRefused> for Failure {
    fn from(error: FormRefused) -> Self {
        let has_place = error.row > 0 || !error.sheet.is_empty();
        Self::input(&error, if has_place { "mend the form there" } else { "" })
    }
}

impl From<FillError> for Failure {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Access(error) => error.into(),
            FillError::NoEntropy(error) => error.into(),
        }
    }
}

impl From<AddFormError> for Failure {
    fn from(error: AddFormError) -> Self {
        match error {
            AddFormError::Document(error) => error.into(),
            AddFormError::NotListed { .. } => Self::input(&error, "the parties list forms when they found a mission"),
            AddFormError::Access(error) => error.into(),
        }
    }
}

impl From<OpenInterviewError> for Failure {
    fn from(error: OpenInterviewError) -> Self {
        match error {
            OpenInterviewError::Fill(error) => error.into(),
            OpenInterviewError::Draft(error) => error.into(),
        }
    }
}

impl From<InterviewError> for Failure {
    fn from(error: InterviewError) -> Self {
        match error {
            InterviewError::Refused(_) => Self::input(&error, ""),
            InterviewError::Photo(error) => error.into(),
            InterviewError::Draft(error) => error.into(),
            InterviewError::Save(error) => error.into(),
        }
    }
}

impl From<WorkOutError> for Failure {
    fn from(error: WorkOutError) -> Self {
        match error {
            WorkOutError::Refused { key, refusal } => Self::bad_input(format!("--set {key}: {refusal}")),
            WorkOutError::Fill(error) => error.into(),
        }
    }
}

impl From<DraftError> for Failure {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Missing => Self::input(&error, AGAIN),
            DraftError::Damaged { .. } => {
                Self::input(&error, "copy the home folder before anything else; a newer version may read it")
            }
            DraftError::Key => Self::input(&error, "see `merestone form check` for the names of a form"),
            DraftError::TooLong { .. } | DraftError::TooLarge => Self::input(&error, ""),
            DraftError::Access(error) => error.into(),
        }
    }
}
