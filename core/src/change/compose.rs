//! Makes the change of an edit: exactly what the person saw and answered.
//!
//! Never through an Automerge transaction, which deletes the loser of a conflict, writes nothing when a value is
//! confirmed again, and takes as seen what the screen never showed.

use super::encode::{Content, chunk};
use super::{Change, Put};
use crate::check::Refused;
use crate::id::{Actor, ChangeHash, EntryId};

/// What an edit builds on; made by [`RecordIndex::basis`](super::RecordIndex::basis).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The entries the header names: the heads that the screen showed when the edit began, and the author's
    /// previous change of this record. Ascending.
    pub refs: Vec<EntryId>,
    /// The changes of those entries. Ascending.
    pub deps: Vec<ChangeHash>,
    /// 1 + the number of the author's earlier changes of this record.
    pub seq: u64,
    /// 1 + the greatest operation counter of the dependencies.
    pub start_op: u64,
}

impl Basis {
    /// The basis of the change that creates a record.
    pub fn creation() -> Self {
        Self { refs: Vec::new(), deps: Vec::new(), seq: 1, start_op: 1 }
    }
}

/// A change ready to be wrapped in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The bytes for the entry's body.
    pub chunk: Vec<u8>,
    /// The change's name.
    pub hash: ChangeHash,
}

/// Composes the change that makes `puts`.
///
/// Each put names as predecessors all values of its key that were visible at the heads of `basis`;
/// two or more settle a conflict. A value that is confirmed is a put like any other.
/// `seed` is random and used for this change only. The order of `puts` and of their predecessors does not matter.
///
/// # Errors
/// The check that the change would fail at every reader: no put, a key that is no name, one key twice,
/// a text that [`text::tidy`](crate::text::tidy) would change, too large.
pub fn compose(actor: Actor, seed: [u8; 16], basis: &Basis, mut puts: Vec<Put<'_>>) -> Result<Composed, Refused> {
    puts.sort_by_key(|put| put.key);
    for put in &mut puts {
        put.preds.sort_unstable();
        put.preds.dedup();
    }
    let Basis { refs: _, deps, seq, start_op } = basis;
    let content = Content { deps, actor, seq: *seq, start_op: *start_op, seed: &seed, puts: &puts };
    let (chunk, hash) = chunk(&content.encode());
    Change::decode(&chunk, actor)?;
    Ok(Composed { chunk, hash })
}
