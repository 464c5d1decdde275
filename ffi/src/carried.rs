//! What leaves and enters a phone as files: a courier's bundle, and a bag for auditors.

use merestone_node::bag::{LeftOut, WrittenBag};
use merestone_node::courier::{CourierOrder, CourierRead, CourierSeen, CourierWritten, RefusedPart};

use crate::ids::count;

/// What to write for a courier.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CourierOrderLine {
    /// The file, which must not be there.
    pub path: String,
    /// A device's name or key: only what that one lacked when it last signed for what it holds.
    #[uniffi(default = None)]
    pub made_for: Option<String>,
    /// Leave the camera's files out.
    #[uniffi(default = false)]
    pub without_originals: bool,
    /// Longest file; the largest photos are left out to keep to it.
    #[uniffi(default = None)]
    pub bytes_max: Option<u64>,
}

/// A bundle that was written.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CourierWrittenLine {
    /// Length of the file.
    pub bytes: u64,
    /// Statements in it.
    pub statements: u64,
    /// Entries in it.
    pub entries: u64,
    /// Photos and small pictures in it.
    pub blobs: u64,
    /// Photos and small pictures that it should carry and does not.
    pub left_out: u64,
    /// Photos whose files are damaged here: set aside, and fetched again with the next sync.
    pub damaged: u64,
}

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CourierLine {
    /// Who made it, as it says: the observer. What is inside proves itself.
    pub maker_observer: String,
    /// The device.
    pub maker_device: String,
    /// The maker's key is cut by its party.
    pub is_maker_cut: bool,
    /// The scopes whose entries it carries.
    pub scopes: Vec<String>,
    /// Length of the file.
    pub bytes: u64,
    /// Statements in it.
    pub statements: u64,
    /// Entries in it.
    pub entries: u64,
    /// Photos and small pictures in it.
    pub blobs: u32,
    /// Those that it should carry and does not.
    pub left_out: u64,
    /// Sections that are damaged: none of these is taken, and everything else is.
    pub damaged: u32,
}

/// What came of reading a bundle.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CourierReadLine {
    /// Entries that were not held before.
    pub entries_new: u64,
    /// Statements that were not held before.
    pub statements_new: u64,
    /// Photos and small pictures that were not held before.
    pub blobs_new: u64,
    /// Entries of scopes that this phone's certificate does not grant; they were not taken.
    pub entries_of_other_scopes: u64,
    /// Why sections were refused: names that programs may rely on, one for each section.
    pub refused: Vec<String>,
}

/// A bag that was written.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BagLine {
    /// Logs in it.
    pub logs: u64,
    /// Entries in it.
    pub entries: u64,
    /// Photos and small pictures in it.
    pub photos: u64,
    /// Checkpoints in it.
    pub notes: u64,
    /// Leaves of the ledger in it.
    pub leaves: u64,
    /// Files of evidence in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was left out although it is evidence: `damaged-photo`, `absent-photo` and `receipt` with an id, `leaves` and
    /// `siblings` with a number.
    pub left_out: Vec<String>,
}

impl CourierOrderLine {
    pub(crate) fn order(self) -> CourierOrder {
        let Self { path: _, made_for, without_originals, bytes_max } = self;
        CourierOrder { made_for, without_originals, bytes_max, ..CourierOrder::default() }
    }
}

impl From<CourierWritten> for CourierWrittenLine {
    fn from(written: CourierWritten) -> Self {
        let CourierWritten { bytes, statements, entries, blobs, made_for: _, left_out, damaged } = written;
        let (left_out, damaged) = (left_out.len() as u64, damaged.len() as u64);
        Self { bytes, statements, entries, blobs, left_out, damaged }
    }
}

impl From<CourierSeen> for CourierLine {
    fn from(seen: CourierSeen) -> Self {
        let (maker_observer, maker_device) = seen.maker;
        Self {
            maker_observer,
            maker_device,
            is_maker_cut: seen.is_maker_cut,
            scopes: seen.scopes.iter().map(ToString::to_string).collect(),
            bytes: seen.bytes,
            statements: seen.statements,
            entries: seen.entries,
            blobs: count(seen.blobs.len()),
            left_out: seen.left_out,
            damaged: count(seen.damaged.len()),
        }
    }
}

impl From<CourierRead> for CourierReadLine {
    fn from(read: CourierRead) -> Self {
        let code = |part: &RefusedPart| part.fault.code().to_owned();
        Self {
            entries_new: read.entries_new,
            statements_new: read.statements_new,
            blobs_new: read.blobs_new,
            entries_of_other_scopes: read.entries_of_other_scopes,
            refused: read.refused.iter().map(code).collect(),
        }
    }
}

impl From<WrittenBag> for BagLine {
    fn from(bag: WrittenBag) -> Self {
        let WrittenBag { logs, entries, bodies_absent: _, photos, notes, leaves, files, bytes, left_out } = bag;
        let left_out = left_out.iter().map(left_out_name).collect();
        Self { logs, entries, photos, notes, leaves, files, bytes, left_out }
    }
}

fn left_out_name(left: &LeftOut) -> String {
    match left {
        LeftOut::DamagedPhoto(hash) => format!("damaged-photo {hash}"),
        LeftOut::AbsentPhoto(hash) => format!("absent-photo {hash}"),
        LeftOut::Leaves { held, used } => format!("leaves {}", held - used),
        LeftOut::Siblings(number) => format!("siblings {number}"),
        LeftOut::Receipt(id) => format!("receipt {id}"),
    }
}
