//! One leaf shown to somebody who has nothing but the charter: a `tlog-proof` file (`spec/ledger.md`, Proof files).

use data_encoding::BASE64;

use super::Malformed;
use crate::checkpoint::Leaf;
use crate::checkpoint::note::{parse_hash, parse_number};
use crate::merkle::{self, NodeHash};
use crate::witness::{COSIGNED_NOTE_BYTES_MAX, CosignedNote, NoteRefused, Witnesses};

/// Largest proof file, in bytes.
pub const PROOF_BYTES_MAX: usize = COSIGNED_NOTE_BYTES_MAX + 4_096;

/// Most hashes of an inclusion proof.
const HASHES_MAX: usize = 64;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The content of a proof file; nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerProof {
    /// The leaf's place.
    pub index: u64,
    /// Its inclusion proof, from the leaf upwards.
    pub path: Vec<NodeHash>,
    /// The note, with cosignatures or without.
    pub note: Vec<u8>,
}

impl LedgerProof {
    /// Reads a proof file. An `extra` line is passed over: nothing vouches for it.
    ///
    /// # Errors
    /// `proof-malformed`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let read = || {
            let text = std::str::from_utf8(bytes).ok()?;
            let (head, note) = text.split_once("\n\n")?;
            let mut lines = head.split('\n').peekable();
            if lines.next()? != FIRST_LINE {
                return None;
            }
            if let Some(extra) = lines.next_if(|line| line.starts_with("extra ")) {
                BASE64.decode(&extra.as_bytes()["extra ".len()..]).ok()?;
            }
            let index = parse_number(lines.next()?.strip_prefix("index ")?)?;
            let path: Vec<NodeHash> = lines.map(parse_hash).collect::<Option<_>>()?;
            (path.len() <= HASHES_MAX).then(|| Self { index, path, note: note.as_bytes().to_vec() })
        };
        if bytes.len() <= PROOF_BYTES_MAX { read() } else { None }.ok_or(Malformed::Proof)
    }

    /// The file's bytes, without an `extra` line.
    pub fn encode(&self) -> Vec<u8> {
        let Self { index, path, note } = self;
        let mut head = format!("{FIRST_LINE}\nindex {index}\n");
        for hash in path {
            head.push_str(&BASE64.encode(hash));
            head.push('\n');
        }
        head.push('\n');
        [head.as_bytes(), note].concat()
    }

    /// Verifies that the mission's ledger has `leaf`, and gives the note that says so: how far it is confirmed is
    /// [`Witnesses::tally`].
    ///
    /// # Errors
    /// A code of [`CosignedNote::gather`], or `not-included`.
    pub fn verify(&self, leaf: &Leaf, witnesses: &Witnesses<'_>) -> Result<CosignedNote, ProofRefused> {
        let note = CosignedNote::gather(&self.note, witnesses)?;
        let (size, root) = (note.checkpoint().size(), note.checkpoint().root());
        merkle::verify_inclusion(&merkle::leaf_hash(&leaf.encode()), self.index, size, &self.path, root)
            .map_err(|merkle::ProofInvalid| ProofRefused::NotIncluded { index: self.index, size })?;
        Ok(note)
    }
}

/// A proof file that does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefused {
    /// The note is not the mission's ledger's.
    #[error(transparent)]
    Note(#[from] NoteRefused),
    /// The path does not lead from the leaf to the note's root.
    #[error("the ledger of {size} leaves does not have this leaf at {index}")]
    NotIncluded {
        /// The place that the file names.
        index: u64,
        /// The note's size.
        size: u64,
    },
}

impl ProofRefused {
    /// The stable code, as the spec names it.
    pub const fn code(self) -> &'static str {
        match self {
            ProofRefused::Note(refused) => refused.code(),
            ProofRefused::NotIncluded { .. } => "not-included",
        }
    }
}
