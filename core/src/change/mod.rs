//! One step of a record: an Automerge change, restricted to puts of scalars on the root.
//!
//! ```text
//! bytes of a peer ── Change::decode ──> Change ── RecordIndex::admit ──> may be applied
//! edits of a screen ── compose ──> bytes that decode
//! ```
//!
//! Automerge panics on some chunks and inflates others a thousandfold, so it sees a chunk only after
//! [`Change::decode`] has accepted it. The rules are `spec/entry.md` §Change; what a change does to a
//! document is Automerge's affair and is not decided here.

mod columns;
mod compose;
mod decode;
mod encode;
mod raw;
mod rules;
#[cfg(test)]
mod tests;
mod value;

pub use compose::{Basis, Composed, compose};
pub use rules::{ACTORS_MAX, Admission, Earlier, RecordIndex, Step};
pub use value::{TEXT_BYTES_MAX, Value};

use crate::check::{Check, Refused};
use crate::form::Key;
use crate::id::{Actor, ChangeHash};

/// Longest chunk, in bytes.
pub const CHUNK_BYTES_MAX: usize = 262_144;
/// Most operations in one change.
pub const OPS_MAX: usize = 4_096;
/// Most dependencies of one change.
pub const DEPS_MAX: usize = 256;
/// Most actors a change names besides its own.
pub const OTHER_ACTORS_MAX: usize = 256;
/// Most predecessors in one change, over all its operations.
pub const PREDS_MAX: usize = 4_096;
/// Greatest operation counter; Automerge keeps counters in 32 bits.
pub const COUNTER_MAX: u64 = u32::MAX as u64;

/// A change whose chunk has passed every check that needs no other change.
///
/// Whether it fits the changes it names is decided by [`RecordIndex`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    chunk: &'a [u8],
    hash: ChangeHash,
    actor: Actor,
    seq: u64,
    start_op: u64,
    deps: Vec<ChangeHash>,
    seed: [u8; 16],
    puts: Vec<Put<'a>>,
}

/// One operation: a value put at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<'a> {
    /// The name of the answer; see [`Key`].
    pub key: &'a str,
    /// What the observer answered.
    pub value: Value<'a>,
    /// The operations on the same key that this one replaces, ascending.
    pub preds: Vec<OpRef>,
}

/// The name of an operation: its counter, and the actor who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpRef {
    /// Position in the actor's operations; 1 or more.
    pub counter: u64,
    /// Who made it.
    pub actor: Actor,
}

impl<'a> Change<'a> {
    /// The bytes it was read from.
    pub fn chunk(&self) -> &'a [u8] {
        self.chunk
    }

    /// Its name, as Automerge defines it.
    pub fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// Who made it.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Its position among the actor's changes of this record, from 1.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The counter of its first operation.
    pub fn start_op(&self) -> u64 {
        self.start_op
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u64 {
        self.start_op + self.puts.len() as u64 - 1
    }

    /// The changes it builds on, ascending.
    pub fn deps(&self) -> &[ChangeHash] {
        &self.deps
    }

    /// Random bytes that keep the change hash and the claims from being guessed.
    pub fn seed(&self) -> &[u8; 16] {
        &self.seed
    }

    /// Its operations, in ascending order of their keys; at least one.
    pub fn puts(&self) -> &[Put<'a>] {
        &self.puts
    }

    /// The name of the operation at `index` of [`puts`](Self::puts).
    pub fn op(&self, index: usize) -> OpRef {
        OpRef { counter: self.start_op + index as u64, actor: self.actor }
    }

    /// Whether it settles a conflict: some put replaces two values or more.
    pub fn resolves(&self) -> bool {
        self.puts.iter().any(|put| put.preds.len() >= 2)
    }

    /// The same change as Automerge reads it, to be applied to a document.
    ///
    /// # Errors
    /// `change-malformed` if Automerge cannot read the chunk, which no chunk that [`decode`](Self::decode)
    /// accepted makes it do; said as a refusal because the bytes came from elsewhere.
    pub fn to_automerge(&self) -> Result<automerge::Change, Refused> {
        let what = "a change Automerge cannot read";
        automerge::Change::try_from(self.chunk).map_err(|_| Refused { check: Check::ChangeMalformed, what })
    }
}

/// The chunk of a change that says this, in its one canonical form, and its hash; nothing is judged.
pub(crate) fn write(
    actor: Actor,
    seq: u64,
    start_op: u64,
    deps: &[ChangeHash],
    seed: &[u8; 16],
    puts: &[Put<'_>],
) -> (Vec<u8>, ChangeHash) {
    encode::chunk(&encode::Content { deps, actor, seq, start_op, seed, puts }.encode())
}

impl Put<'_> {
    /// The parts of its key. `None` only under a policy that does not check keys.
    pub fn name(&self) -> Option<Key<'_>> {
        Key::parse(self.key)
    }
}

impl OpRef {
    /// The operation that Automerge names `id`; `None` for the root and for actors that are not ours.
    pub fn from_automerge(id: &automerge::ObjId) -> Option<Self> {
        match id {
            automerge::ObjId::Root => None,
            automerge::ObjId::Id(counter, actor, _) => {
                Some(Self { counter: *counter, actor: Actor::try_from(actor.to_bytes()).ok()? })
            }
        }
    }
}

impl From<ChangeHash> for automerge::ChangeHash {
    fn from(hash: ChangeHash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl From<automerge::ChangeHash> for ChangeHash {
    fn from(hash: automerge::ChangeHash) -> Self {
        Self::from_bytes(hash.0)
    }
}

impl From<Actor> for automerge::ActorId {
    fn from(actor: Actor) -> Self {
        Self::from(*actor.as_bytes())
    }
}
