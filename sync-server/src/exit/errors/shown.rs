//! What could not be shown to others: a publication, a bag, an exhibit, a fork.

use merestone_core::publication::NotPublished;
use merestone_node::bag::BagError;
use merestone_node::publish::PublishError;
use merestone_node::records::{ExhibitError, ForkError};
use merestone_node::replica::TilesError;

use super::{DOCTOR, ROOM};
use crate::exit::Failure;

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Plan(NotPublished::NotDecided { .. }) => {
                Self::input(&error, "disclose it, withhold it with a reason, or say --withhold-rest REASON")
            }
            PublishError::Plan(NotPublished::MustBeDisclosed { .. }) => {
                Self::input(&error, "disclose it, or leave the records out whole")
            }
            PublishError::Plan(NotPublished::NoRepeat { .. }) => Self::input(&error, "name the answer without a slash"),
            PublishError::UnknownLabel { .. } => Self::input(&error, "see `merestone form check` for the names"),
            PublishError::UnknownRecord { .. } => Self::input(&error, "see `merestone record list`"),
            PublishError::Account(error) => error.into(),
            PublishError::Disclosure(_) | PublishError::Faulty { .. } => Self::storage(&error, DOCTOR),
            PublishError::Folder(error) => error.into(),
            PublishError::Access(error) => error.into(),
            PublishError::Photo(_) => Self::storage(&error, DOCTOR),
        }
    }
}

impl From<BagError> for Failure {
    fn from(error: BagError) -> Self {
        match error {
            BagError::NotEmpty { .. } | BagError::NoName { .. } => Self::input(&error, ""),
            BagError::Full { .. } => Self::storage(&error, ROOM),
            BagError::Write { .. } => Self::storage(&error, ""),
            BagError::Read(error) => error.into(),
            BagError::Photo(_) | BagError::Ledger { .. } => Self::storage(&error, DOCTOR),
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

impl From<ForkError> for Failure {
    fn from(error: ForkError) -> Self {
        match error {
            ForkError::NotHeld { .. } => Self::input(&error, "see `merestone record history` for entries"),
            ForkError::NotForked { .. } => Self::input(&error, "ask whoever holds the other entry to make the file"),
            ForkError::Refused(_) => Self::input(&error, "nothing was written"),
            ForkError::Access(error) => error.into(),
        }
    }
}
