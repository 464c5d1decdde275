//! Who else holds what this phone holds.

use merestone_core::id::EntryId;
use merestone_node::records::{Custody, HeldAlone};

use crate::ids::count;

/// Who else holds an entry, each word of it shown by a signed receipt.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CustodyLine {
    /// The entry.
    pub entry: String,
    /// How many other devices signed that they hold it; base camps are not among them.
    pub peers: u32,
    /// Whether a base camp did.
    pub is_at_base_camp: bool,
    /// How many photos it names.
    pub photos: u32,
    /// How many of these some other device holds whole.
    pub photos_elsewhere: u32,
    /// How many of these a base camp holds whole.
    pub photos_at_base_camp: u32,
    /// Losing this phone would lose the entry or a photo of it.
    pub is_only_here: bool,
    /// A base camp has all of it.
    pub is_handed_over: bool,
}

/// What is held on this phone and, as far as receipts show it, nowhere else: what would be lost with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HeldAloneLine {
    /// Entries that no other phone or camp signed for.
    pub entries: u64,
    /// Entries that no base camp signed for.
    pub entries_not_at_camp: u64,
    /// Camera's files that no other phone or camp signed for.
    pub photos: u64,
    /// Camera's files that no base camp signed for.
    pub photos_not_at_camp: u64,
}

impl From<HeldAlone> for HeldAloneLine {
    fn from(alone: HeldAlone) -> Self {
        let HeldAlone { entries, entries_not_at_camp, photos, photos_not_at_camp } = alone;
        Self { entries, entries_not_at_camp, photos, photos_not_at_camp }
    }
}

impl From<(EntryId, Custody)> for CustodyLine {
    fn from((entry, custody): (EntryId, Custody)) -> Self {
        Self {
            entry: entry.to_string(),
            peers: count(custody.peers),
            is_at_base_camp: custody.is_at_base_camp,
            photos: count(custody.photos),
            photos_elsewhere: count(custody.photos_elsewhere),
            photos_at_base_camp: count(custody.photos_at_base_camp),
            is_only_here: custody.is_only_here(),
            is_handed_over: custody.is_handed_over(),
        }
    }
}
