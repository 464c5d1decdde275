//! Ids as the app writes them: lowercase hex.

use merestone_core::id::{BlobHash, EntryId, FormHash, RecordId, ScopeId};
use merestone_node::{DraftId, PageKey};

use crate::error::PhoneError;

macro_rules! read {
    ($($(#[$meta:meta])* $name:ident: $id:ty, $what:literal;)*) => {$(
        $(#[$meta])*
        pub(crate) fn $name(text: &str) -> Result<$id, PhoneError> {
            <$id>::from_hex(text).ok_or_else(|| PhoneError::refused("id", $what))
        }
    )*};
}

read! {
    record: RecordId, "a record id has 64 hex digits";
    entry: EntryId, "an entry id has 64 hex digits";
    form: FormHash, "a form is named by 64 hex digits";
    photo: BlobHash, "a photo is named by 64 hex digits";
    scope: ScopeId, "a scope id has 16 hex digits";
    #[cfg(feature = "audit")]
    mission: merestone_core::id::MissionId, "a mission id has 64 hex digits";
    draft: DraftId, "a draft id has 32 hex digits";
    page: PageKey, "a page begins where the page before said";
}

/// Each of some ids.
pub(crate) fn each<T>(texts: &[String], read: impl Fn(&str) -> Result<T, PhoneError>) -> Result<Vec<T>, PhoneError> {
    texts.iter().map(|text| read(text)).collect()
}

/// A number of things, for languages that count in 32 bits.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
