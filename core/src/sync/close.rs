//! Why a conversation ends (`spec/sync.md` §Closing).

use std::fmt;

use crate::check::Refused;

/// The reason a conversation ends, as a number both sides know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CloseCode {
    /// Done, or the person stopped it.
    Bye,
    /// A frame that the spec does not allow here.
    Malformed,
    /// Another mission.
    MissionMismatch,
    /// No certificate that can be checked.
    NotEnrolled,
    /// The certificate is of another transport key.
    PeerTransportKey,
    /// A frame beyond the limit of its class.
    FrameTooLong,
    /// An entry failed verification; the reason is its code.
    RefusedEntry,
    /// Too many conversations.
    Busy,
    /// This side cannot read or write its store.
    Storage,
    /// No progress for longer than the limit.
    TooSlow,
    /// No common version.
    Version,
    /// More logs, statements, probes or unread answers than the spec allows.
    Limit,
}

impl CloseCode {
    /// All codes, by number.
    pub const ALL: [Self; 12] = [
        Self::Bye,
        Self::Malformed,
        Self::MissionMismatch,
        Self::NotEnrolled,
        Self::PeerTransportKey,
        Self::FrameTooLong,
        Self::RefusedEntry,
        Self::Busy,
        Self::Storage,
        Self::TooSlow,
        Self::Version,
        Self::Limit,
    ];

    /// The number on the wire. The link may add a constant to it, so that its own codes stay apart.
    pub const fn number(self) -> u64 {
        match self {
            Self::Bye => 0,
            Self::Malformed => 1,
            Self::MissionMismatch => 2,
            Self::NotEnrolled => 3,
            Self::PeerTransportKey => 4,
            Self::FrameTooLong => 5,
            Self::RefusedEntry => 6,
            Self::Busy => 7,
            Self::Storage => 8,
            Self::TooSlow => 9,
            Self::Version => 10,
            Self::Limit => 11,
        }
    }

    /// The code with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The stable name, as the spec has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bye => "bye",
            Self::Malformed => "malformed",
            Self::MissionMismatch => "mission-mismatch",
            Self::NotEnrolled => "not-enrolled",
            Self::PeerTransportKey => "peer-transport-key",
            Self::FrameTooLong => "frame-too-long",
            Self::RefusedEntry => "refused-entry",
            Self::Busy => "busy",
            Self::Storage => "storage",
            Self::TooSlow => "too-slow",
            Self::Version => "version",
            Self::Limit => "limit",
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An end of the conversation that this side decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// Why, as a number.
    pub code: CloseCode,
    /// Why, in a few ASCII words: a check's code or a part's name, never a value.
    pub reason: &'static str,
}

impl Close {
    /// An end with this code and reason.
    pub const fn new(code: CloseCode, reason: &'static str) -> Self {
        Self { code, reason }
    }

    pub(crate) const fn malformed(reason: &'static str) -> Self {
        Self::new(CloseCode::Malformed, reason)
    }

    pub(crate) const fn limit(reason: &'static str) -> Self {
        Self::new(CloseCode::Limit, reason)
    }

    pub(crate) fn refused_entry(refused: Refused) -> Self {
        Self::new(CloseCode::RefusedEntry, refused.check.code())
    }
}

/// A frame that does not decode is malformed.
impl From<Refused> for Close {
    fn from(refused: Refused) -> Self {
        Self::malformed(refused.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_read_back() {
        for (number, code) in CloseCode::ALL.into_iter().enumerate() {
            assert_eq!(code.number(), number as u64);
            assert_eq!(CloseCode::from_number(number as u64), Some(code));
        }
        assert_eq!(CloseCode::from_number(12), None);
    }
}
