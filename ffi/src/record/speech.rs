//! What people say about a record.

use merestone_core::entry::Kind;
use merestone_node::capture::Speech;

use crate::error::PhoneError;
use crate::ids;

/// What can be said about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SpeechKind {
    /// Taken notice of; not agreement.
    Receipt,
    /// A comment by the host.
    HostComment,
    /// Agreement.
    Concurrence,
    /// Disagreement, with its reason in words.
    Objection,
    /// A dissenting view.
    Dissent,
    /// An arbiter's decision.
    Ruling,
    /// The signer made the observation together with its author.
    CoAuthorship,
}

impl From<SpeechKind> for Kind {
    fn from(kind: SpeechKind) -> Self {
        match kind {
            SpeechKind::Receipt => Self::Receipt,
            SpeechKind::HostComment => Self::HostComment,
            SpeechKind::Concurrence => Self::Concurrence,
            SpeechKind::Objection => Self::Objection,
            SpeechKind::Dissent => Self::Dissent,
            SpeechKind::Ruling => Self::Ruling,
            SpeechKind::CoAuthorship => Self::CoAuthorship,
        }
    }
}

/// Something to say about a record.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpeechOrder {
    /// The record.
    pub record: String,
    /// The entries that it is about; empty: what the record shows now.
    #[uniffi(default = [])]
    pub about: Vec<String>,
    /// What it is.
    pub kind: SpeechKind,
    /// Why, as a number of the mission's own list; in an objection, a dissent and a ruling only.
    #[uniffi(default = None)]
    pub reason: Option<u64>,
    /// In words; an objection needs them.
    #[uniffi(default = None)]
    pub text: Option<String>,
}

impl SpeechOrder {
    pub(crate) fn speech(self) -> Result<Speech, PhoneError> {
        let Self { record, about, kind, reason, text } = self;
        let (record, about) = (ids::record(&record)?, ids::each(&about, ids::entry)?);
        Ok(Speech { record, about, kind: kind.into(), reason, text })
    }
}
