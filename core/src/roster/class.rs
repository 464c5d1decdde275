//! What kinds of statements there are, and the order in which peers tell them (`spec/sync.md`, Control frames).

use super::acknowledgement;
use crate::id::StatementId;

/// What a statement is; peers compare the statements of each class.
///
/// Classes are ordered as they are sent, which is not the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The charter, complete.
    Charter,
    /// An amendment of the charter.
    Amendment,
    /// A certificate.
    Certificate,
    /// That two keys are the same observer's.
    Succession,
    /// A cut.
    Cut,
    /// That another party holds a cut.
    Acknowledgement,
    /// An erasure.
    Erasure,
    /// A receipt.
    Receipt,
    /// A checkpoint note.
    Note,
    /// A cosignature of a witness under a checkpoint note.
    Cosignature,
    /// That a final checkpoint held a certificate, a cut, an acknowledgement, or an entry of a key that one ends.
    Inclusion,
    /// A form definition that the charter lists.
    Form,
}

impl Class {
    /// Every class, in the order in which they are to be sent: what judges comes before what it judges.
    pub const ALL: [Class; 12] = [
        Class::Charter,
        Class::Amendment,
        Class::Certificate,
        Class::Succession,
        Class::Cut,
        Class::Acknowledgement,
        Class::Erasure,
        Class::Receipt,
        Class::Note,
        Class::Cosignature,
        Class::Inclusion,
        Class::Form,
    ];

    /// Its number on the wire.
    pub const fn code(self) -> u64 {
        match self {
            Class::Charter => 0,
            Class::Certificate => 1,
            Class::Cut => 2,
            Class::Erasure => 3,
            Class::Receipt => 4,
            Class::Note => 5,
            Class::Form => 6,
            Class::Cosignature => 7,
            Class::Inclusion => 8,
            Class::Amendment => 9,
            Class::Succession => 10,
            Class::Acknowledgement => 11,
        }
    }

    /// The class with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The id of a statement of this class: a hash of its bytes, but of an acknowledgement one of what is signed, so that
    /// signing it again makes nothing new (`spec/roster.md`, Acknowledgement).
    pub fn id_of(self, bytes: &[u8]) -> StatementId {
        let signed = if self == Class::Acknowledgement { acknowledgement::id_of(bytes) } else { None };
        signed.unwrap_or_else(|| StatementId::of(bytes))
    }

    /// Whether a statement of this class may give place to a better one, so that a peer that named it may not hold it
    /// any more.
    pub const fn makes_way(self) -> bool {
        match self {
            Class::Receipt | Class::Note | Class::Cosignature | Class::Inclusion => true,
            Class::Charter
            | Class::Amendment
            | Class::Certificate
            | Class::Cut
            | Class::Acknowledgement
            | Class::Erasure
            | Class::Succession
            | Class::Form => false,
        }
    }
}
