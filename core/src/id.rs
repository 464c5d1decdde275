//! Names of things: each id is its own type, so that a record is never looked up as an entry.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// All digits of some bytes, lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn first16(digest: [u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident[$len:literal];)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Reads exactly the lowercase or uppercase hex digits of an id.
            pub fn from_hex(text: &str) -> Option<Self> {
                if text.len() != 2 * $len {
                    return None;
                }
                let mut bytes = [0; $len];
                data_encoding::HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).ok()?;
                Some(Self(bytes))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = std::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        /// All digits, lowercase hex.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

ids! {
    /// A mission: SHA-256 of its charter's payload.
    MissionId[32];
    /// A charter as it stands after an amendment: SHA-256 of the amendment's payload; before any, the mission id.
    CharterId[32];
    /// An entry: SHA-256 of its header bytes, signature included.
    EntryId[32];
    /// A record: the id of the entry that created it.
    RecordId[32];
    /// A log: one (key, scope, epoch).
    LogId[32];
    /// A statement of the roster: SHA-256 of its bytes.
    StatementId[32];
    /// A form definition: SHA-256 of its bytes.
    FormHash[32];
    /// A file's content: SHA-256 of its bytes.
    BlobHash[32];
    /// A checkpoint note: SHA-256 of its bytes.
    NoteHash[32];
    /// An Automerge change: SHA-256 of its chunk, as Automerge defines it.
    ChangeHash[32];
    /// A scope of a mission.
    ScopeId[8];
    /// One life of a key on one installation.
    Epoch[8];
    /// A store: random, new after every restore.
    StoreId[16];
    /// An Automerge actor, derived from the log's key, scope and epoch.
    Actor[16];
}

/// Length of every digest in this crate, in bytes.
pub const DIGEST_BYTES: usize = 32;

impl EntryId {
    /// The record that this entry creates.
    pub const fn as_record(self) -> RecordId {
        RecordId(self.0)
    }

    /// The id of the entry with these header bytes.
    pub fn of(header: &[u8]) -> Self {
        Self(sha256(&[header]))
    }
}

impl RecordId {
    /// The entry that created this record.
    pub const fn as_entry(self) -> EntryId {
        EntryId(self.0)
    }
}

impl StatementId {
    /// The id of the statement with these bytes.
    pub fn of(statement: &[u8]) -> Self {
        Self(sha256(&[statement]))
    }
}

impl FormHash {
    /// The hash of a form definition.
    pub fn of(definition: &[u8]) -> Self {
        Self(sha256(&[definition]))
    }
}

impl BlobHash {
    /// The hash of a file's content.
    pub fn of(content: &[u8]) -> Self {
        Self(sha256(&[content]))
    }
}

impl NoteHash {
    /// The hash of a checkpoint note.
    pub fn of(note: &[u8]) -> Self {
        Self(sha256(&[note]))
    }
}

impl LogId {
    /// The log of `key` in `scope` and `epoch`.
    pub fn derive(key: &[u8; 32], scope: ScopeId, epoch: Epoch) -> Self {
        Self(sha256(&[b"merestone/log/v1", key, scope.as_bytes(), epoch.as_bytes()]))
    }
}

impl Actor {
    /// The actor under which `key` writes in `scope` and `epoch` of `mission`.
    pub fn derive(mission: MissionId, key: &[u8; 32], scope: ScopeId, epoch: Epoch) -> Self {
        Self(first16(sha256(&[b"merestone/actor/v1", mission.as_bytes(), key, scope.as_bytes(), epoch.as_bytes()])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_reads_back_and_nothing_else_does() {
        let scope = ScopeId::from_bytes([1, 2, 3, 4, 5, 6, 7, 255]);
        assert_eq!(ScopeId::from_hex(&scope.to_string()), Some(scope));
        for bad in ["", "0102", "01020304050607zz", "010203040506070809"] {
            assert_eq!(ScopeId::from_hex(bad), None, "{bad}");
        }
    }
}
