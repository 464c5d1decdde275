//! One entry shown to somebody who holds nothing but the mission's id (`spec/exhibit.md`).

mod read;
mod write;

pub use read::{Exhibit, ExhibitRefused, Logged};
pub use write::{Parts, Shown, write};

/// Largest exhibit, in bytes: more than its parts together can be.
pub const EXHIBIT_BYTES_MAX: usize = 2_555_904;

/// Most certificates of the key that are shown.
pub const CERTIFICATES_MAX: usize = 16;

/// The only version there is.
const VERSION: u64 = 1;
