//! What kinds of statements there are, and the order in which peers tell them (`spec/sync.md`, Control frames).

/// What a statement is; peers compare the statements of each class.
///
/// Classes are ordered as they are sent, which is not the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The charter, complete.
    Charter,
    /// A certificate.
    Certificate,
    /// That two keys are the same observer's.
    Succession,
    /// A cut.
    Cut,
    /// An erasure.
    Erasure,
    /// A receipt.
    Receipt,
    /// A checkpoint note.
    Note,
    /// A cosignature of a witness under a checkpoint note.
    Cosignature,
    /// That a final checkpoint held a certificate, a cut, or an entry of a key that one ends.
    Inclusion,
    /// A form definition that the charter lists.
    Form,
}

impl Class {
    /// Every class, in the order in which they are to be sent: what judges comes before what it judges.
    pub const ALL: [Class; 10] = [
        Class::Charter,
        Class::Certificate,
        Class::Succession,
        Class::Cut,
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
            Class::Succession => 10,
        }
    }

    /// The class with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// Whether a statement of this class may give place to a better one, so that a peer that named it may not hold it
    /// any more.
    pub const fn makes_way(self) -> bool {
        match self {
            Class::Receipt | Class::Cosignature => true,
            Class::Charter
            | Class::Certificate
            | Class::Cut
            | Class::Erasure
            | Class::Note
            | Class::Inclusion
            | Class::Succession
            | Class::Form => false,
        }
    }
}
