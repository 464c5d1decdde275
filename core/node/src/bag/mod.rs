//! The bag: a folder with a mission's evidence, for an auditor who is alone and offline (`core/spec/bundle.md`).
//!
//! Writing the same evidence again gives the same bytes: nothing in a bag depends on when, where or by whom it was written.
//! A bag appears whole or not at all. It is written beside its place under a name that begins with a dot, flushed, and
//! then renamed. A kill leaves such a folder behind, which may be removed, and no bag.
//!
//! Photos are hashed while they are copied. One that is damaged is set aside in the store, left out of the bag, and named.

mod displaced;
mod error;
pub(crate) mod folder;
mod ledger;
pub(crate) mod manifest;
mod payload;
mod reach;

use std::path::Path;

use merestone_core::audit::bag::VERSION;
use merestone_core::id::{BlobHash, ScopeId, StatementId};
use merestone_store::Store;

pub use error::BagError;

use crate::authority::Authority;
use folder::Building;
use manifest::Manifest;

/// A bag that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenBag {
    /// Logs in it.
    pub logs: u64,
    /// Entries in it.
    pub entries: u64,
    /// Bodies that are not in it: withheld, erased or not held.
    pub bodies_absent: u64,
    /// Photos and renditions in it.
    pub photos: u64,
    /// Checkpoints in it.
    pub notes: u64,
    /// Leaves of the ledger in it.
    pub leaves: u64,
    /// Files of evidence in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was left out although it is evidence.
    pub left_out: Vec<LeftOut>,
}

/// Something that is not in a bag, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// A photo's file is damaged or gone. It is set aside, and fetched again from any peer that holds it.
    DamagedPhoto(BlobHash),
    /// An entry of the scopes names a photo that is not held.
    AbsentPhoto(BlobHash),
    /// Leaves of the ledger that are held, because something that they name is not: sync with who holds it.
    Leaves {
        /// How many are held under a checkpoint.
        held: u64,
        /// How many are in the bag.
        used: u64,
    },
    /// So many siblings for which forks had no room in the store, beyond those that a bag takes.
    Siblings(u64),
    /// A receipt speaks of logs outside the scopes that were asked for, and would accuse the bag of missing them.
    Receipt(StatementId),
}

/// Writes the evidence of `scopes` (`None`: of all scopes) to a bag at `target`, a folder that does not exist or is empty.
///
/// Blocks on the disk for as long as copying takes.
///
/// # Errors
/// [`BagError`]; nothing was left at `target`.
pub fn write(
    store: &Store,
    authority: &Authority,
    scopes: Option<&[ScopeId]>,
    target: &Path,
) -> Result<WrittenBag, BagError> {
    let mut building = Building::begin(target)?;
    let mut manifest = Manifest::default();
    let mut written = WrittenBag::default();
    payload::write(store, authority, scopes, &mut building, &mut manifest, &mut written)?;
    (written.files, written.bytes) = (manifest.payload().count(), manifest.payload().bytes());
    let leaves = written.left_out.iter().map(|left| match left {
        LeftOut::Leaves { held, used } => held - used,
        LeftOut::DamagedPhoto(_) | LeftOut::AbsentPhoto(_) | LeftOut::Receipt(_) | LeftOut::Siblings(_) => 0,
    });
    let version = format!("Merestone-Bag-Version: {VERSION}");
    let more = what_is_left_out(scopes, leaves.sum());
    manifest.finish(&version, authority.roster().mission(), &more, &mut building)?;
    building.finish()?;
    Ok(written)
}

/// Lines of `bag-info.txt`: the scopes of a bag that does not hold all, and how many leaves of the ledger are held and not in
/// it.
fn what_is_left_out(scopes: Option<&[ScopeId]>, leaves: u64) -> String {
    let mut lines = String::new();
    if let Some(scopes) = scopes {
        let mut scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        scopes.sort_unstable();
        scopes.dedup();
        lines.push_str(&format!("Merestone-Scopes: {}\n", scopes.join(" ")));
    }
    if leaves > 0 {
        lines.push_str(&format!("Merestone-Leaves-Left-Out: {leaves}\n"));
    }
    lines
}
