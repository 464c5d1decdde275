//! What became of an entry in its record (`spec/record.md`, Standing).

use std::fmt;

use crate::check::Refused;
use crate::id::EntryId;

/// What became of one held entry. It is shown with every value; nothing is deleted because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Applied, or in force, and its certificate is in the ledger.
    Accepted,
    /// The same, and its certificate is not in a ledger yet.
    Provisional,
    /// Covered by a cut, and no uncovered change builds on it.
    SetAside,
    /// Kept and shown, and not applied.
    Held(HeldWhy),
    /// A rule fails against the entries it names, or its body is malformed.
    Unappliable(Refused),
    /// Its signer was not entitled to it in this record.
    OutOfRole(Refused),
    /// Something that decides about it is not held yet.
    Waiting(WaitingFor),
    /// What was said is about a state that is no longer the applied one.
    Voided,
    /// Its body is erased.
    Erased,
    /// An entry of a later version.
    UnknownKind,
}

/// Why an entry is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldWhy {
    /// It lost a fork to this entry.
    Fork(EntryId),
    /// It builds on this entry, which is not applied.
    Ancestor(EntryId),
    /// The record was erased; what must survive is restated in a new one.
    Restate,
}

/// What an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// Its body.
    Body,
    /// Its certificate, or the beginning of its log.
    Certificate,
    /// The entry that creates the record.
    Creation,
    /// An entry that it names, or what that one waits for.
    Entry(EntryId),
}

impl Standing {
    /// The word for it in the spec.
    pub const fn code(self) -> &'static str {
        match self {
            Standing::Accepted => "accepted",
            Standing::Provisional => "provisional",
            Standing::SetAside => "set-aside",
            Standing::Held(_) => "held",
            Standing::Unappliable(_) => "unappliable",
            Standing::OutOfRole(_) => "out-of-role",
            Standing::Waiting(_) => "waiting",
            Standing::Voided => "voided",
            Standing::Erased => "erased",
            Standing::UnknownKind => "unknown-kind",
        }
    }

    /// Whether the entry is applied (a change) or in force (a signature role).
    pub const fn is_applied(self) -> bool {
        matches!(self, Standing::Accepted | Standing::Provisional)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
