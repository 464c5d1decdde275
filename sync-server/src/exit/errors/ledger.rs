//! Why the ledger was not continued, copied, witnessed.

use merestone_node::replica::{CampError, LedgerError, NotForReceipts};

use super::{AGAIN, DOCTOR};
use crate::exit::{Code, Failure, advise};
use crate::witness::{MirrorError, StateError, WitnessError};

/// What to do where the leaves in a store are not what they were.
pub(crate) const LEDGER_DAMAGED: &str = "keep the folder; make base camp again in an empty one, sync, take the leaves with \
                                         `merestone ledger mirror URL` from whoever shows or copied them, then serve with \
                                         the witnesses";

/// What to do where two trees were signed.
pub(crate) const LEDGER_SPLIT: &str = "stop: the ledger's key signed two trees; write a bag now, and give it and the \
                                       witnesses' split folders to every party";

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::OtherKey => Self::input(&error, "use the key that the charter names"),
            LedgerError::KeyReplaced => Self::input(&error, "start it again with the key that the charter names now"),
            LedgerError::Behind { .. } | LedgerError::Lost { .. } => Self::storage(
                &error,
                "take the lost leaves back with `merestone ledger mirror URL`, from whoever shows or copied the ledger, then serve again",
            ),
            LedgerError::Split { .. } => Self::storage(
                &error,
                "stop, and run `merestone doctor`: it tells damage here from two trees that the ledger's key signed",
            ),
            LedgerError::Unconfirmed { .. } => {
                let advice = "ask them: `merestone serve --witness URL`, or `merestone ledger request` for a stick";
                Self::new(Code::Undecided, advise(&error, advice))
            }
            LedgerError::Unproved { .. } => {
                Self::new(Code::Undecided, advise(&error, "nothing of it was kept; ask who shows the ledger there"))
            }
            LedgerError::OtherSize { .. } => {
                Self::input(&error, "say the number that this store has, if you know that nothing was signed beyond it")
            }
            LedgerError::VouchedBefore { .. } => Self::storage(&error, "let the witnesses confirm it"),
            LedgerError::Damaged => Self::storage(&error, LEDGER_DAMAGED),
            LedgerError::Tiles(_) => Self::storage(&error, DOCTOR),
            LedgerError::Sign(_) | LedgerError::Refused(_) => Self::storage(&error, ""),
            LedgerError::Read(error) => error.into(),
            LedgerError::Commit(error) => error.into(),
        }
    }
}

impl From<WitnessError> for Failure {
    fn from(error: WitnessError) -> Self {
        match &error {
            WitnessError::State(StateError::InUse(_)) => Self::storage(&error, "end the other program first"),
            WitnessError::State(StateError::Foreign(_)) => {
                Self::input(&error, "name the folder that this witness used before, or a new one if it never cosigned")
            }
            WitnessError::State(StateError::Absent(_)) => Self::input(
                &error,
                "name the folder that it used before; --new if this key never cosigned anything, --latest NOTE if the folder was lost",
            ),
            WitnessError::State(StateError::NotNew(_)) => Self::input(&error, "leave --new and --latest away"),
            WitnessError::State(StateError::Clock { .. }) => Self::storage(
                &error,
                "set the clock; if the other time was the wrong one, remove the file latest.time in the witness's folder",
            ),
            WitnessError::State(StateError::Broken | StateError::Io(_)) => Self::storage(&error, ""),
            WitnessError::Sign(_) => Self::new(Code::Failed, advise(&error, "")),
        }
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::NoLedger => Self::input(&error, ""),
            MirrorError::Http { .. } | MirrorError::Status { .. } => {
                Self::new(Code::Unreachable, advise(&error, "ask who shows the ledger there; what came before is kept"))
            }
            MirrorError::Malformed { .. } => Self::input(&error, "nothing of it was kept"),
            MirrorError::Split(_) => Self::new(Code::Failed, advise(&error, "tell every party")),
            MirrorError::Read(error) => error.into(),
            MirrorError::Ledger(error) => error.into(),
            MirrorError::Access(error) => error.into(),
        }
    }
}

impl From<CampError> for Failure {
    fn from(error: CampError) -> Self {
        match error {
            CampError::Authority(_) => Self::storage(&error, DOCTOR),
            CampError::NotACamp => Self::input(&error, "ask the officer for a certificate of role camp"),
            CampError::Ledger(error) => error.into(),
            CampError::Thread(_) => Self::storage(&error, AGAIN),
        }
    }
}

impl From<NotForReceipts> for Failure {
    fn from(error: NotForReceipts) -> Self {
        Self::input(&error, "ask the officer for a certificate of another role")
    }
}
