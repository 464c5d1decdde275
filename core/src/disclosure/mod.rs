//! Chosen answers of one entry, shown alone under the observer's own signature (`spec/disclosure.md`).
//!
//! ```text
//! VerifiedEntry with its body ──make──▶ bytes
//!
//! bytes ──read──▶ SealedDisclosure ──open, with the form definition──▶ Disclosure
//! ```
//!
//! A [`SealedDisclosure`] is signed and says which form it needs; it has no way to its answers.
//! A [`Disclosure`] shows what the key committed to. Whose key it is, whether a cut covers the entry and whether a later
//! one changed the answer is decided elsewhere: the roster and the record.

mod leaves;
mod make;
mod path;
mod read;

pub use leaves::{Opened, Said, ShownCell};
pub use make::{Chosen, NotDisclosed, make};
pub use read::{Disclosure, SealedDisclosure};

use crate::form::{LEAVES_MAX, STANDARD_LEAVES};

/// Largest disclosure, in bytes: more than all of any entry, which is a header, the texts of one change and one context,
/// and for each leaf and cell a salt, a few heads and at most one hash.
pub const DISCLOSURE_BYTES_MAX: usize = 1_048_576;

/// Most leaves of an entry.
const OPENED_MAX: usize = LEAVES_MAX + STANDARD_LEAVES as usize;

/// The only version there is.
const VERSION: u64 = 1;

/// A fact of the standard block: what every form has before its own questions (`spec/claims.md`, Leaf table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fact {
    /// The cell of a tenth of a degree.
    CoarsePlace = 0,
    /// The place as the device had it.
    ExactPlace = 1,
    /// The local day.
    Day = 2,
    /// The clocks as the device had them.
    ExactTime = 3,
    /// The name of the post.
    Post = 4,
    /// The name of the observer.
    Observer = 5,
    /// Hashes and sizes of the photos and their renditions.
    Photos = 6,
    /// Always absent.
    Reserved = 7,
}

impl Fact {
    /// All of them, by position.
    pub const ALL: [Fact; STANDARD_LEAVES as usize] = [
        Fact::CoarsePlace,
        Fact::ExactPlace,
        Fact::Day,
        Fact::ExactTime,
        Fact::Post,
        Fact::Observer,
        Fact::Photos,
        Fact::Reserved,
    ];

    /// Its position.
    pub const fn position(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
