//! The checkpoint: how many leaves the mission's ledger has, and their root (`spec/checkpoint.md`).
//!
//! A note is a C2SP checkpoint in a C2SP signed note. One key signed it; alone it does not show that everybody was
//! shown the same tree.

pub(crate) mod note;

use data_encoding::{BASE64, HEXLOWER};

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{EntryId, Epoch, LogId, NoteHash, ScopeId, StatementId};
use crate::key::{KEY_BYTES, SIGNATURE_BYTES, Signer};
use crate::merkle::NodeHash;
use crate::roster::{Ledger, MakeError};

use note::{KeyType, key_hash, parse_signature, parse_text, split};

/// Largest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 16_384;

/// One leaf of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// An entry, admitted in seq order within its log.
    Entry {
        /// Its log.
        log: LogId,
        /// Its position.
        seq: u64,
        /// Its id.
        id: EntryId,
    },
    /// A statement.
    Statement(StatementId),
    /// The beginning of a log, before its first entry: what its id is made of, so that nothing here can be said falsely.
    Begun {
        /// The key that signs it.
        key: [u8; KEY_BYTES],
        /// Its scope.
        scope: ScopeId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// The scope of a log as older ledgers state it, by the ledger's word alone.
    Log {
        /// The log.
        log: LogId,
        /// Its scope.
        scope: ScopeId,
    },
    /// A witness's cosignature of an earlier checkpoint: what is shown to have been written after this tree is shown to
    /// have been written after it (`spec/bounds.md`).
    Cosignature(StatementId),
}

impl Leaf {
    /// The bytes of the leaf, of which [`leaf_hash`](crate::merkle::leaf_hash) is taken.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(80);
        match self {
            Leaf::Entry { log, seq, id } => {
                writer.array(4).uint(0).bytes(log.as_bytes()).uint(*seq).bytes(id.as_bytes());
            }
            Leaf::Statement(id) => {
                writer.array(2).uint(1).bytes(id.as_bytes());
            }
            Leaf::Log { log, scope } => {
                writer.array(3).uint(2).bytes(log.as_bytes()).bytes(scope.as_bytes());
            }
            Leaf::Begun { key, scope, epoch } => {
                writer.array(4).uint(4).bytes(key).bytes(scope.as_bytes()).bytes(epoch.as_bytes());
            }
            Leaf::Cosignature(id) => {
                writer.array(2).uint(3).bytes(id.as_bytes());
            }
        }
        writer.finish()
    }

    /// Reads the bytes of a leaf.
    ///
    /// # Errors
    /// A code of CBOR, or `shape`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let what = "leaf";
        let mut reader = Reader::new(bytes);
        let items = reader.array(4, what)?;
        let leaf = match (reader.uint(what)?, items) {
            (0, 4) => Leaf::Entry {
                log: LogId::from_bytes(reader.array_of(what)?),
                seq: reader.uint(what)?,
                id: EntryId::from_bytes(reader.array_of(what)?),
            },
            (1, 2) => Leaf::Statement(StatementId::from_bytes(reader.array_of(what)?)),
            (2, 3) => Leaf::Log {
                log: LogId::from_bytes(reader.array_of(what)?),
                scope: ScopeId::from_bytes(reader.array_of(what)?),
            },
            (4, 4) => Leaf::Begun {
                key: reader.array_of(what)?,
                scope: ScopeId::from_bytes(reader.array_of(what)?),
                epoch: Epoch::from_bytes(reader.array_of(what)?),
            },
            (3, 2) => Leaf::Cosignature(StatementId::from_bytes(reader.array_of(what)?)),
            _ => return Err(Refused { check: Check::Shape, what }),
        };
        reader.leave();
        reader.finish(what)?;
        Ok(leaf)
    }
}

/// A note that the mission's ledger key signed.
///
/// Cosignatures come beside it, in a [`CosignedNote`](crate::witness::CosignedNote).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    note: Vec<u8>,
    text_bytes: usize,
    size: u64,
    root: NodeHash,
}

impl Checkpoint {
    /// Signs a note for a tree of `size` leaves with `root`.
    ///
    /// # Errors
    /// `checkpoint-invalid` if the signer is not the ledger's key; or if it does not sign.
    pub fn make(ledger: &Ledger, signer: &dyn Signer, size: u64, root: &NodeHash) -> Result<Self, MakeError> {
        let Ledger { origin, key } = ledger;
        Full.require(signer.public() == key, Check::CheckpointInvalid, "signer")?;
        let text = note::text(origin, size, root);
        let line = note::line(origin, &key_hash(origin, KeyType::Ed25519, key), &signer.sign(text.as_bytes())?);
        Ok(Self::verify(format!("{text}\n{line}").as_bytes(), ledger)?)
    }

    /// Verifies that `note` is a checkpoint of the mission's ledger.
    ///
    /// # Errors
    /// `checkpoint-invalid`.
    pub fn verify(note: &[u8], ledger: &Ledger) -> Result<Self, Refused> {
        Self::verify_under(note, ledger, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(note: &[u8], ledger: &Ledger, policy: P) -> Result<Self, Refused> {
        policy.require(note.len() <= NOTE_BYTES_MAX, Check::CheckpointInvalid, "note")?;
        let (text, signatures) = split(note).ok_or(invalid("note"))?;
        let (origin, size, root) = parse_text(text).ok_or(invalid("text"))?;
        policy.require(origin == ledger.origin, Check::CheckpointInvalid, "origin")?;
        // A second line that nobody can judge would make as many notes of one as anybody likes.
        let line =
            signatures.strip_suffix('\n').filter(|line| !line.contains('\n')).ok_or(invalid("signature lines"))?;
        let (name, bytes) = parse_signature(line).ok_or(invalid("signature line"))?;
        policy.require(name == ledger.origin, Check::CheckpointInvalid, "name")?;
        let number = key_hash(&ledger.origin, KeyType::Ed25519, &ledger.key);
        let signature = bytes.strip_prefix(&number).and_then(|rest| <&[u8; SIGNATURE_BYTES]>::try_from(rest).ok());
        let is_signed = signature.is_some_and(|signature| ledger.key.verify(text.as_bytes(), signature).is_ok());
        policy.require(is_signed, Check::CheckpointInvalid, "signature")?;
        Ok(Self { note: note.to_vec(), text_bytes: text.len(), size, root })
    }

    /// The note as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }

    /// The text that was signed, up to and including its last line feed.
    pub fn text(&self) -> &[u8] {
        &self.note[..self.text_bytes]
    }

    /// The hash of the note, which an entry's `seen` holds.
    pub fn hash(&self) -> NoteHash {
        NoteHash::of(&self.note)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of their tree.
    pub fn root(&self) -> &NodeHash {
        &self.root
    }
}

/// The ledger's key as others' programs are told of it (C2SP signed-note, verifier key).
pub fn ledger_verifier_key(ledger: &Ledger) -> String {
    let Ledger { origin, key } = ledger;
    let hash = HEXLOWER.encode(&key_hash(origin, KeyType::Ed25519, key));
    let coded = BASE64.encode(&[&[KeyType::Ed25519 as u8], &key.as_bytes()[..]].concat());
    format!("{origin}+{hash}+{coded}")
}

fn invalid(what: &'static str) -> Refused {
    Refused { check: Check::CheckpointInvalid, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::key;

    fn ledger() -> Ledger {
        Ledger { origin: "example.org/ledger".into(), key: *key(50).public() }
    }

    fn note() -> String {
        let made = Checkpoint::make(&ledger(), &key(50), 42, &[7; 32]).expect("the ledger signs");
        String::from_utf8(made.note).expect("a text")
    }

    fn refused(note: &str) -> Option<Check> {
        Checkpoint::verify(note.as_bytes(), &ledger()).err().map(|refused| refused.check)
    }

    #[test]
    fn a_note_has_the_layout_of_the_spec() {
        let note = note();
        let root = BASE64.encode(&[7; 32]);
        let head = format!("example.org/ledger\n42\n{root}\n\n\u{2014} example.org/ledger ");
        let coded = note.strip_prefix(&head).and_then(|rest| rest.strip_suffix('\n')).expect("the layout");
        let signed = BASE64.decode(coded.as_bytes()).expect("base64");
        assert_eq!(
            (signed.len(), &signed[..4]),
            (68, &key_hash("example.org/ledger", KeyType::Ed25519, &ledger().key)[..])
        );
        let read = Checkpoint::verify(note.as_bytes(), &ledger()).expect("signed");
        assert_eq!((read.size(), read.root()), (42, &[7; 32]));
        assert_eq!(read.hash(), NoteHash::of(note.as_bytes()));
    }

    #[test]
    fn only_the_key_of_the_ledger_signs() {
        let other = Ledger { key: *key(51).public(), ..ledger() };
        assert!(Checkpoint::verify(note().as_bytes(), &other).is_err());
        assert!(Checkpoint::make(&ledger(), &key(51), 1, &[0; 32]).is_err());
    }

    #[test]
    fn every_other_form_is_refused() {
        let note = note();
        let line = note.lines().last().expect("a signature line").to_owned();
        let rows = [
            ("empty", String::new()),
            ("other size", note.replace("\n42\n", "\n43\n")),
            ("leading zero", note.replace("\n42\n", "\n042\n")),
            ("sign", note.replace("\n42\n", "\n+42\n")),
            ("other origin", note.replacen("example.org", "example.com", 1)),
            ("extension line", note.replacen("\n\n", "\nmore\n\n", 1)),
            ("carriage returns", note.replace('\n', "\r\n")),
            ("no last line feed", note.trim_end().to_owned()),
            ("no signature", note[..note.len() - line.len() - 1].to_owned()),
            ("text after", format!("{note}more\n")),
            ("empty line after", format!("{note}\n")),
            ("hyphen for dash", note.replace('\u{2014}', "-")),
            ("a line of another key", format!("{note}\u{2014} witness.example AAAAAQID\n")),
            ("a line of another key first", note.replacen("\n\n", "\n\n\u{2014} witness.example AAAAAQID\n", 1)),
            ("the line twice", format!("{note}{line}\n")),
            ("another name", note.replacen("\u{2014} example.org", "\u{2014} example.com", 1)),
            ("too large", format!("{note}\u{2014} w {}\n", "A".repeat(16_384))),
        ];
        assert_eq!(refused(&note), None);
        for (name, note) in rows {
            assert_eq!(refused(&note), Some(Check::CheckpointInvalid), "{name}");
        }
    }

    #[test]
    fn leaves_of_different_types_never_coincide() {
        let (log, id) = (LogId::from_bytes([1; 32]), EntryId::from_bytes([2; 32]));
        let hex = |leaf: Leaf| {
            assert_eq!(Leaf::decode(&leaf.encode()), Ok(leaf));
            data_encoding::HEXLOWER.encode(&leaf.encode())
        };
        let (ones, twos) = ("01".repeat(32), "02".repeat(32));
        assert_eq!(hex(Leaf::Entry { log, seq: 24, id }), format!("84005820{ones}18185820{twos}"));
        assert_eq!(hex(Leaf::Statement(StatementId::from_bytes([2; 32]))), format!("82015820{twos}"));
        assert_eq!(hex(Leaf::Cosignature(StatementId::from_bytes([2; 32]))), format!("82035820{twos}"));
        let scope = ScopeId::from_bytes([3; 8]);
        let begun = Leaf::Begun { key: [1; 32], scope, epoch: Epoch::from_bytes([4; 8]) };
        assert_eq!(hex(begun), format!("84045820{ones}48{}48{}", "03".repeat(8), "04".repeat(8)));
        assert_eq!(hex(Leaf::Log { log, scope }), format!("83025820{ones}48{}", "03".repeat(8)));
    }
}
