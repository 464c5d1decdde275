//! The cosigned note: a checkpoint and the cosignatures under it (`spec/witness.md`, Note of version 2).

use std::collections::BTreeMap;

use super::cosignature::{Cosignature, witness_name};
use super::{Confirmation, WITNESSES_MAX, Witness, Witnesses};
use crate::check::Refused;
use crate::checkpoint::note::{KEY_HASH_BYTES, KeyType, key_hash, parse_signature, split};
use crate::checkpoint::{Checkpoint, NOTE_BYTES_MAX};
use crate::id::NoteHash;
use crate::key::PublicKey;
use crate::roster::{CompleteCharter, Ledger};

/// Most signature lines of a note.
pub const LINES_MAX: usize = 1 + WITNESSES_MAX;

/// Largest note with cosignatures, in bytes: a note of version 1, and 99 lines of 134 bytes, rounded up.
pub const COSIGNED_NOTE_BYTES_MAX: usize = NOTE_BYTES_MAX + 16_384;

/// A checkpoint and the verified cosignatures under it, at most one of each witness.
///
/// Without any it is a note of version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedNote {
    checkpoint: Checkpoint,
    by_key: BTreeMap<PublicKey, Cosignature>,
}

impl CosignedNote {
    /// A checkpoint that nobody cosigned yet.
    pub fn new(checkpoint: Checkpoint) -> Self {
        Self { checkpoint, by_key: BTreeMap::new() }
    }

    /// Reads a note in the one form that it has among us: what [`encode`](Self::encode) writes.
    ///
    /// # Errors
    /// `note-malformed`, `checkpoint-invalid`, `cosignature-unknown`, `cosignature-order` or `cosignature-invalid`.
    pub fn verify(note: &[u8], witnesses: &Witnesses<'_>) -> Result<Self, NoteRefused> {
        let (head, cosignatures) = take_apart(note)?;
        let (ledgers, others) = cosignatures.split_first().ok_or(NoteRefused::Malformed)?;
        let checkpoint =
            Checkpoint::verify(&[head.as_bytes(), b"\n", ledgers.as_bytes()].concat(), witnesses.ledger())?;
        let mut read = Self::new(checkpoint);
        for line in others {
            let (name, number, signed) = parts(line)?;
            let is_named = |witness: &&Witness| name == witness_name(&witness.key) && is_of(name, number, &witness.key);
            let witness = witnesses.iter().find(is_named).ok_or(NoteRefused::Unknown)?;
            if read.by_key.last_key_value().is_some_and(|(last, _)| *last >= witness.key) {
                return Err(NoteRefused::Order);
            }
            let cosignature = Cosignature::verify(read.checkpoint.text(), &witness.key, &signed);
            read.by_key.insert(witness.key, cosignature.ok_or(NoteRefused::Invalid)?);
        }
        Ok(read)
    }

    /// Reads a note as others write it: lines in any order, witnesses under any name; lines of nobody whom the charter
    /// names, and those that do not verify, are passed over.
    ///
    /// # Errors
    /// `note-malformed`, or `checkpoint-invalid` if no line is the ledger's.
    pub fn gather(note: &[u8], witnesses: &Witnesses<'_>) -> Result<Self, NoteRefused> {
        let (_, lines) = take_apart(note)?;
        let mut read = Self::new(checkpoint_among(note, witnesses.ledger())?);
        read.add_lines(&lines, witnesses)?;
        Ok(read)
    }

    /// Takes the cosignatures in the answer of a witness: signature lines and nothing else. Tells how many of them are news.
    ///
    /// # Errors
    /// `note-malformed`; nothing is taken then.
    pub fn add(&mut self, answer: &[u8], witnesses: &Witnesses<'_>) -> Result<usize, NoteRefused> {
        if answer.len() > COSIGNED_NOTE_BYTES_MAX {
            return Err(NoteRefused::Malformed);
        }
        let answer = std::str::from_utf8(answer).map_err(|_| NoteRefused::Malformed)?;
        let lines: Vec<&str> = answer.split_inclusive('\n').take(LINES_MAX + 1).collect();
        self.add_lines(&lines, witnesses)
    }

    /// Whether the witnesses that judge a checkpoint of so many leaves confirm it finally.
    pub fn is_final(&self, charter: &CompleteCharter) -> bool {
        let witnesses = Witnesses::at(charter, self.checkpoint.size());
        witnesses.is_some_and(|witnesses| witnesses.tally(self).confirmation == Confirmation::Final)
    }

    /// Takes from `other` what it has about the same text, and tells whether that changed anything.
    ///
    /// In whatever order notes of one text are merged, the result is the same.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.checkpoint.text() != other.checkpoint.text() {
            return false;
        }
        other.by_key.values().filter(|cosignature| self.keep(**cosignature)).count() > 0
    }

    /// The note's bytes: the checkpoint's, then a line for each cosignature, ascending by key.
    pub fn encode(&self) -> Vec<u8> {
        let lines: String = self.by_key.values().map(Cosignature::line).collect();
        [self.checkpoint.as_bytes(), lines.as_bytes()].concat()
    }

    /// Each cosignature as a statement: the checkpoint's note with this one line.
    pub fn statements(&self) -> impl Iterator<Item = Vec<u8>> {
        self.by_key.values().map(|by| [self.checkpoint.as_bytes(), by.line().as_bytes()].concat())
    }

    /// The checkpoint, as the ledger signed it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note hash, which an entry's `seen` holds: that of the checkpoint, however many witnesses cosigned it.
    pub fn hash(&self) -> NoteHash {
        self.checkpoint.hash()
    }

    /// Its cosignatures, ascending by key.
    pub fn cosignatures(&self) -> impl Iterator<Item = &Cosignature> {
        self.by_key.values()
    }

    fn add_lines(&mut self, lines: &[&str], witnesses: &Witnesses<'_>) -> Result<usize, NoteRefused> {
        if lines.len() > LINES_MAX {
            return Err(NoteRefused::Malformed);
        }
        let parted = lines.iter().map(|line| parts(line)).collect::<Result<Vec<_>, _>>()?;
        let mut news = 0;
        for (name, number, signed) in parted {
            let Some(witness) = witnesses.iter().find(|witness| is_of(name, number, &witness.key)) else { continue };
            let cosignature = Cosignature::verify(self.checkpoint.text(), &witness.key, &signed);
            news += usize::from(cosignature.is_some_and(|cosignature| self.keep(cosignature)));
        }
        Ok(news)
    }

    /// Keeps a verified cosignature unless an earlier one of its key is held.
    fn keep(&mut self, cosignature: Cosignature) -> bool {
        let held = self.by_key.get(cosignature.key());
        let is_kept = held.is_none_or(|held| cosignature.precedes(held));
        if is_kept {
            self.by_key.insert(*cosignature.key(), cosignature);
        }
        is_kept
    }
}

/// The checkpoint in a note that may have lines of others, before and after the ledger's.
///
/// # Errors
/// `note-malformed`, or `checkpoint-invalid` if no line is the ledger's.
pub fn checkpoint_among(note: &[u8], ledger: &Ledger) -> Result<Checkpoint, NoteRefused> {
    let (text, lines) = take_apart(note)?;
    // All are read before one is verified, so that whether a note is one does not depend on their order.
    let parted = lines.iter().map(|line| parts(line)).collect::<Result<Vec<_>, _>>()?;
    let number = key_hash(&ledger.origin, KeyType::Ed25519, &ledger.key);
    let mut refused = None;
    for (line, (name, hash, _)) in lines.iter().zip(parted) {
        if name == ledger.origin && hash == number {
            match Checkpoint::verify(&[text.as_bytes(), b"\n", line.as_bytes()].concat(), ledger) {
                Ok(checkpoint) => return Ok(checkpoint),
                Err(why) => refused = Some(why),
            }
        }
    }
    let what = "no line of the ledger";
    Err(refused.unwrap_or(Refused { check: crate::Check::CheckpointInvalid, what }).into())
}

/// Text and signature lines, each with its line feed.
fn take_apart(note: &[u8]) -> Result<(&str, Vec<&str>), NoteRefused> {
    if note.len() > COSIGNED_NOTE_BYTES_MAX {
        return Err(NoteRefused::Malformed);
    }
    let (text, lines) = split(note).ok_or(NoteRefused::Malformed)?;
    let lines: Vec<&str> = lines.split_inclusive('\n').take(LINES_MAX + 1).collect();
    if lines.len() > LINES_MAX { Err(NoteRefused::Malformed) } else { Ok((text, lines)) }
}

/// Name, key hash and the rest of a signature line, which has its line feed.
fn parts(line: &str) -> Result<(&str, [u8; KEY_HASH_BYTES], Vec<u8>), NoteRefused> {
    let read = || {
        let (name, bytes) = parse_signature(line.strip_suffix('\n')?)?;
        let (number, signed) = bytes.split_first_chunk()?;
        Some((name, *number, signed.to_vec()))
    };
    read().ok_or(NoteRefused::Malformed)
}

fn is_of(name: &str, number: [u8; KEY_HASH_BYTES], key: &PublicKey) -> bool {
    number == key_hash(name, KeyType::Cosignature, key)
}

/// A note that is not the mission's ledger's, or has lines that it must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteRefused {
    /// No note, more than 100 lines, or too large.
    #[error("no signed note")]
    Malformed,
    /// The ledger's part.
    #[error(transparent)]
    Checkpoint(#[from] Refused),
    /// A line of a key that the charter does not name as a witness, or under another name than the key's.
    #[error("a line is of no witness that the charter names")]
    Unknown,
    /// Witnesses not strictly ascending by key.
    #[error("cosignatures are not strictly ascending by key")]
    Order,
    /// A cosignature that does not verify.
    #[error("a cosignature does not verify")]
    Invalid,
}

impl NoteRefused {
    /// The stable code, as the spec names it.
    pub const fn code(self) -> &'static str {
        match self {
            NoteRefused::Malformed => "note-malformed",
            NoteRefused::Checkpoint(refused) => refused.check.code(),
            NoteRefused::Unknown => "cosignature-unknown",
            NoteRefused::Order => "cosignature-order",
            NoteRefused::Invalid => "cosignature-invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{charter_with_witnesses, checkpoint};
    use super::*;
    use crate::record::testing::key;

    fn line(size: u64, seed: u8, time: u64) -> String {
        Cosignature::make(&checkpoint(size, [1; 32]), &key(seed), time).expect("it signs").line()
    }

    #[test]
    fn cosignatures_in_any_order_give_one_note_and_one_hash() {
        let charter = charter_with_witnesses(&[1, 1, 1]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let lines = [line(7, 61, 30), line(7, 62, 20), line(7, 63, 10), line(7, 63, 11)];
        let mut notes = Vec::new();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]] {
            let mut note = CosignedNote::new(checkpoint(7, [1; 32]));
            for at in order {
                note.add(lines[at].as_bytes(), &witnesses).expect("a line");
            }
            notes.push(note);
        }
        assert!(notes.iter().all(|note| note.encode() == notes[0].encode()));
        assert_eq!(notes[0].hash(), checkpoint(7, [1; 32]).hash());
        assert_eq!(notes[0].cosignatures().map(|cosignature| cosignature.time()).min(), Some(10));
        assert_eq!(CosignedNote::verify(&notes[0].encode(), &witnesses).as_ref(), Ok(&notes[0]));
        assert_eq!(
            CosignedNote::verify(checkpoint(7, [1; 32]).as_bytes(), &witnesses).map(|note| note.cosignatures().count()),
            Ok(0)
        );
        let mut merged = CosignedNote::new(checkpoint(7, [1; 32]));
        assert!(merged.merge(&notes[0]));
        assert!(!merged.merge(&notes[1]));
        assert!(!merged.merge(&CosignedNote::new(checkpoint(8, [1; 32]))));
        assert_eq!(merged, notes[0]);
    }

    #[test]
    fn our_own_form_is_strict_and_that_of_others_is_not() {
        let charter = charter_with_witnesses(&[1, 1]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let mut lines = [line(7, 61, 1), line(7, 62, 2)];
        if key(61).public() > key(62).public() {
            lines.reverse();
        }
        let [first, second] = &lines;
        let head = String::from_utf8(checkpoint(7, [1; 32]).as_bytes().to_vec()).expect("a text");
        let foreign = "\u{2014} elsewhere AAAAAQID\n";
        let count = |read: Result<CosignedNote, NoteRefused>| read.map(|note| note.cosignatures().count());
        let check =
            |about: &str, note: String, strict: Result<usize, NoteRefused>, lenient: Result<usize, NoteRefused>| {
                assert_eq!(count(CosignedNote::verify(note.as_bytes(), &witnesses)), strict, "{about}");
                assert_eq!(count(CosignedNote::gather(note.as_bytes(), &witnesses)), lenient, "{about}");
            };
        check("both", format!("{head}{first}{second}"), Ok(2), Ok(2));
        check("the other way round", format!("{head}{second}{first}"), Err(NoteRefused::Order), Ok(2));
        check("one twice", format!("{head}{first}{first}"), Err(NoteRefused::Order), Ok(1));
        check("of a key nobody named", format!("{head}{}", line(7, 64, 1)), Err(NoteRefused::Unknown), Ok(0));
        check("a foreign line", format!("{head}{first}{foreign}"), Err(NoteRefused::Unknown), Ok(1));
        check("of another checkpoint", format!("{head}{}", line(8, 61, 1)), Err(NoteRefused::Invalid), Ok(0));
        check(
            "no line feed",
            format!("{head}{}", first.trim_end()),
            Err(NoteRefused::Malformed),
            Err(NoteRefused::Malformed),
        );
        check(
            "101 lines",
            format!("{head}{}", foreign.repeat(100)),
            Err(NoteRefused::Malformed),
            Err(NoteRefused::Malformed),
        );
        let text_end = head.find("\n\n").expect("an empty line") + 2;
        let (text, ledgers) = head.split_at(text_end);
        let what = |what| Err(NoteRefused::Checkpoint(Refused { check: crate::Check::CheckpointInvalid, what }));
        check("the ledger's line last", format!("{text}{first}{ledgers}"), what("name"), Ok(1));
        check("no line of the ledger", format!("{text}{first}"), what("name"), what("no line of the ledger"));
    }

    #[test]
    fn an_answer_that_is_no_lines_changes_nothing() {
        let charter = charter_with_witnesses(&[1]);
        let witnesses = Witnesses::of(&charter).expect("a ledger");
        let mut note = CosignedNote::new(checkpoint(7, [1; 32]));
        for answer in
            ["oops", "oops\n", &format!("{}oops\n", line(7, 61, 1)), "\n", &"\u{2014} w AAAAAQID\n".repeat(101)]
        {
            assert_eq!(note.add(answer.as_bytes(), &witnesses), Err(NoteRefused::Malformed), "{answer}");
        }
        assert_eq!(note.add(&[0xff], &witnesses), Err(NoteRefused::Malformed));
        assert_eq!(note.add(b"", &witnesses), Ok(0));
        assert_eq!((note.cosignatures().count(), note.add(line(7, 61, 1).as_bytes(), &witnesses)), (0, Ok(1)));
    }
}
