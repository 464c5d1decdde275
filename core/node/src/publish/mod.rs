//! Publishing: chosen answers of the records of some scopes, for everybody, with an account of all that is withheld
//! (`core/spec/publication.md`).
//!
//! What is decided comes in as a [`Plan`]; which entries there are and what may be shown of them is worked out by the
//! rules of `merestone_core::publication`, and what was made is held against them again before it is given its name.
//! A publication appears whole or not at all, as a [bag](crate::bag) does.
//!
//! Nothing is published that somebody did not name: no body, no certificate, no name of a file, no time of the machine.
//! A photo's file is left out, and named, when it carries anything beside its pixels.

mod gather;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use merestone_core::audit::Finding;
use merestone_core::disclosure::NotDisclosed;
use merestone_core::id::{BlobHash, RecordId, ScopeId, StatementId};
use merestone_core::key::Signer;
use merestone_core::publication::{Choice, Decision, NotPublished, Reason, Tally};
use merestone_core::roster::{MakeError, PartyNumber};
use merestone_store::{BlobError, ReadError};

use crate::bag::BagError;
use crate::device::{AccessError, Device};

/// What is decided about a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The scopes, at least one.
    pub scopes: Vec<ScopeId>,
    /// What is decided of each label.
    pub choice: Choice,
    /// What is decided otherwise in single records.
    pub exceptions: BTreeMap<RecordId, BTreeMap<String, Decision>>,
    /// Records that are left out whole.
    pub left_out: BTreeMap<RecordId, Reason>,
}

/// A publication that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The party that signed the account.
    pub party: PartyNumber,
    /// The account.
    pub account: StatementId,
    /// What it shows and does not show.
    pub tally: Tally,
    /// Photos and renditions in it.
    pub photos: u64,
    /// Photos that are named in it, and are not.
    pub photos_left_out: Vec<(BlobHash, PhotoLeftOut)>,
    /// Its files, those for people among them.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why a photo that is named in a publication does not lie in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhotoLeftOut {
    /// Its file carries more than pixels: a place, a camera's number, a name. A redacted copy can be published.
    Metadata,
    /// Its file is not held here, damaged, or erased.
    NotHeld,
}

/// Nothing was published, and nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The plan breaks a rule.
    #[error(transparent)]
    Plan(#[from] NotPublished),
    /// No form that is held has a leaf of this label: it was mistyped.
    #[error("no form here has a leaf {label}")]
    UnknownLabel {
        /// The label.
        label: String,
    },
    /// The plan speaks of a record of which there is nothing to publish in these scopes.
    #[error("the plan names record {record}, of which there is nothing to publish in these scopes")]
    UnknownRecord {
        /// The record.
        record: RecordId,
    },
    /// The account was not signed.
    #[error(transparent)]
    Account(#[from] MakeError),
    /// An entry that can be disclosed was not: a fault of ours, or of the disk.
    #[error(transparent)]
    Disclosure(#[from] NotDisclosed),
    /// What was made does not hold against its own account: a fault of ours.
    #[error("the publication would be refused: {}", .finding.code)]
    Faulty {
        /// The worst thing found.
        finding: Box<Finding>,
    },
    /// The folder could not be written.
    #[error(transparent)]
    Folder(#[from] BagError),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A photo's file could not be read.
    #[error("cannot read a photo of the store")]
    Photo(#[source] BlobError),
}

impl From<ReadError> for PublishError {
    fn from(error: ReadError) -> Self {
        Self::Access(error.into())
    }
}

/// Publishes what `plan` says at `target`, a folder that does not exist or is empty; `signer` holds a party's root key.
///
/// Blocks for as long as reading every entry of the scopes and writing takes.
///
/// # Errors
/// [`PublishError`]; nothing was left at `target`.
pub fn publish(device: &Device, plan: &Plan, signer: &dyn Signer, target: &Path) -> Result<Published, PublishError> {
    let gathered = gather::gather(device, plan, signer)?;
    write::write(device, &gathered, target)
}
