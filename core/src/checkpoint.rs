//! The checkpoint: how many leaves the mission's ledger has, and their root (`spec/checkpoint.md`).
//!
//! A note is a C2SP checkpoint in a C2SP signed note. One key signed it; alone it does not show that everybody was
//! shown the same tree.

use data_encoding::BASE64;

use crate::cbor::Writer;
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{EntryId, LogId, NoteHash, ScopeId, StatementId, sha256};
use crate::key::{PublicKey, SIGNATURE_BYTES, Signer};
use crate::merkle::NodeHash;
use crate::roster::{Ledger, MakeError};

/// Largest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 16_384;

/// The type byte of a plain Ed25519 signature in a signed note.
const ED25519: u8 = 1;
const KEY_HASH_BYTES: usize = 4;
const SIGNATURE_LINE: &str = "\u{2014} ";

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
    /// The scope of a log, before the log's first entry.
    Log {
        /// The log.
        log: LogId,
        /// Its scope.
        scope: ScopeId,
    },
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
        }
        writer.finish()
    }
}

/// A note that the mission's ledger key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    note: Vec<u8>,
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
        let text = format!("{origin}\n{size}\n{}\n", BASE64.encode(root));
        let mut signed = key_hash(ledger).to_vec();
        signed.extend(signer.sign(text.as_bytes())?);
        let note = format!("{text}\n{SIGNATURE_LINE}{origin} {}\n", BASE64.encode(&signed));
        Ok(Self::verify(note.as_bytes(), ledger)?)
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
        let signature =
            bytes.strip_prefix(&key_hash(ledger)).and_then(|rest| <&[u8; SIGNATURE_BYTES]>::try_from(rest).ok());
        let is_signed = signature.is_some_and(|signature| ledger.key.verify(text.as_bytes(), signature).is_ok());
        policy.require(is_signed, Check::CheckpointInvalid, "signature")?;
        Ok(Self { note: note.to_vec(), size, root })
    }

    /// The note as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
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

/// The key hash of the ledger's key in signature lines.
fn key_hash(ledger: &Ledger) -> [u8; KEY_HASH_BYTES] {
    let Ledger { origin, key } = ledger;
    key_hash_of(origin, key)
}

fn key_hash_of(name: &str, key: &PublicKey) -> [u8; KEY_HASH_BYTES] {
    let digest = sha256(&[name.as_bytes(), &[b'\n', ED25519], key.as_bytes()]);
    let mut hash = [0; KEY_HASH_BYTES];
    hash.copy_from_slice(&digest[..KEY_HASH_BYTES]);
    hash
}

fn invalid(what: &'static str) -> Refused {
    Refused { check: Check::CheckpointInvalid, what }
}

/// The signed text, which ends in a line feed, and the signature lines after the empty line.
fn split(note: &[u8]) -> Option<(&str, &str)> {
    let note = std::str::from_utf8(note).ok()?;
    // No control characters but line feeds, as C2SP signed-note wants it.
    if note.chars().any(|c| c != '\n' && c.is_ascii_control()) {
        return None;
    }
    let end = note.rfind("\n\n")?;
    let (text, signatures) = (&note[..=end], &note[end + 2..]);
    (signatures.ends_with('\n') && !signatures.starts_with('\n')).then_some((text, signatures))
}

/// Origin, size and root: three lines and no more.
fn parse_text(text: &str) -> Option<(&str, u64, NodeHash)> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    if origin.is_empty() || lines.next().is_some() {
        return None;
    }
    let number: u64 = size.parse().ok()?;
    let root = BASE64.decode(root.as_bytes()).ok()?.try_into().ok()?;
    // `parse` takes a sign and leading zeros; the spec does not.
    (number.to_string() == size).then_some((origin, number, root))
}

/// Name and decoded signature of a line.
fn parse_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, coded) = line.strip_prefix(SIGNATURE_LINE)?.split_once(' ')?;
    let bytes = BASE64.decode(coded.as_bytes()).ok()?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    (is_name && bytes.len() > KEY_HASH_BYTES).then_some((name, bytes))
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
        assert_eq!((signed.len(), &signed[..4]), (68, &key_hash(&ledger())[..]));
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
        let hex = |leaf: Leaf| data_encoding::HEXLOWER.encode(&leaf.encode());
        let (ones, twos) = ("01".repeat(32), "02".repeat(32));
        assert_eq!(hex(Leaf::Entry { log, seq: 24, id }), format!("84005820{ones}18185820{twos}"));
        assert_eq!(hex(Leaf::Statement(StatementId::from_bytes([2; 32]))), format!("82015820{twos}"));
        let scope = ScopeId::from_bytes([3; 8]);
        assert_eq!(hex(Leaf::Log { log, scope }), format!("83025820{ones}48{}", "03".repeat(8)));
    }
}
