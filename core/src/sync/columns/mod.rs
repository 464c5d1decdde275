//! Entries on the wire in version 2: what is alike stands together, and what the receiver can work out is left out
//! (`spec/sync.md` §Columns).
//!
//! A change is sent as what it says; its bytes have one form (`change-not-canonical`), so the receiver writes them
//! again. What is no such change is sent as it is. The check of each entry decides whether it was rebuilt.

mod body;
mod number;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::decode;
pub(super) use write::encode;

/// Columns of a batch, in their order.
const COLUMNS: usize = 15;
/// Most operations of all changes of a batch that are sent as what they say: memory of the receiver.
const PUTS_MAX: usize = 65_536;

/// What is at hand of an entry: bits of its shape.
mod shape {
    /// The body is sent as it is.
    pub(super) const AS_IS: u64 = 1;
    /// The body is sent as what it says.
    pub(super) const SAID: u64 = 2;
    /// The context has a place.
    pub(super) const PLACE: u64 = 4;
    /// The context has a post.
    pub(super) const POST: u64 = 8;
    /// The context has photos.
    pub(super) const PHOTOS: u64 = 16;
    /// The header has the field 6, and so on upward.
    pub(super) const START: u64 = 32;
    /// All bits there are: fields 6 to 14.
    pub(super) const ALL: u64 = START * 512 - 1;

    /// Whether the bits of `shape` agree: one body at most, and a context only of one that is sent as what it says.
    pub(super) fn is_possible(shape: u64) -> bool {
        let (is_as_is, is_said) = (shape & AS_IS != 0, shape & SAID != 0);
        let has_context = shape & (PLACE | POST | PHOTOS) != 0;
        shape <= ALL && !(is_as_is && is_said) && (is_said || !has_context)
    }

    /// The bit of a header's field.
    pub(super) fn field(field: i64) -> Option<u64> {
        (6..=14).contains(&field).then(|| START << (field - 6))
    }
}

/// How a value is sent, in the low four bits of its number.
mod code {
    pub(super) const NULL: u64 = 0;
    pub(super) const FALSE: u64 = 1;
    pub(super) const TRUE: u64 = 2;
    pub(super) const INT: u64 = 4;
    /// A text; the rest of the number is its length.
    pub(super) const TEXT: u64 = 6;
    /// A text that an earlier entry answered the same question with; the rest of the number says which.
    pub(super) const AGAIN: u64 = 7;
}
