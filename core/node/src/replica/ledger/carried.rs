//! Questions that go to a witness on a stick: what was asked, of whom and when, until the answer is back.

use std::collections::BTreeMap;

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::checkpoint::NOTE_BYTES_MAX;
use merestone_core::key::{KEY_BYTES, PublicKey};
use merestone_core::witness::WITNESSES_MAX;
use merestone_store::{Batch, Store};

use super::LedgerError;

/// The questions of this store that are under way.
const ASKED: &str = "node/ledger-asked";

/// How much earlier than the question a witness's clock may put its answer, in seconds: clocks of laptops differ by minutes,
/// and a line that was made for an earlier question is mostly older.
pub(super) const SLACK_S: u64 = 600;

/// What a witness was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CarriedQuestion {
    /// By the clock of this machine, in seconds since 1970.
    pub(super) at: u64,
    /// The note that it is to cosign.
    pub(super) note: Vec<u8>,
}

/// By the key of the witness.
pub(super) type Questions = BTreeMap<[u8; KEY_BYTES], CarriedQuestion>;

/// The questions under way. Those that a copy of this store asked are none: answers to them may be old.
pub(super) fn open(store: &Store) -> Result<Questions, LedgerError> {
    let id = store.identity()?.store;
    let Some(bytes) = store.setting(ASKED)? else { return Ok(Questions::new()) };
    let (of, questions) = read(&bytes).map_err(|_| LedgerError::Damaged)?;
    Ok(if of == *id.as_bytes() { questions } else { Questions::new() })
}

/// Notes a question; the one before to the same witness is over.
pub(super) fn ask(store: &Store, witness: &PublicKey, asked: CarriedQuestion) -> Result<(), LedgerError> {
    let mut questions = open(store)?;
    questions.insert(*witness.as_bytes(), asked);
    let mut batch = Batch::new();
    batch.setting(ASKED, Some(write(store.identity()?.store.as_bytes(), &questions)));
    store.commit(batch)?;
    Ok(())
}

fn write(store: &[u8], questions: &Questions) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).bytes(store).array(questions.len());
    for (witness, CarriedQuestion { at, note }) in questions {
        writer.array(3).bytes(witness).uint(*at).bytes(note);
    }
    writer.finish()
}

fn read(bytes: &[u8]) -> Result<([u8; 16], Questions), Refused> {
    let mut reader = Reader::new(bytes);
    reader.array_exact(2, "asked")?;
    let (store, mut questions) = (reader.array_of("store")?, Questions::new());
    for _ in 0..reader.array(WITNESSES_MAX, "questions")? {
        reader.array_exact(3, "question")?;
        let witness = reader.array_of("witness")?;
        let at = reader.uint("at")?;
        let note = reader.bytes("note")?;
        if note.len() <= NOTE_BYTES_MAX {
            questions.insert(witness, CarriedQuestion { at, note: note.to_vec() });
        }
        reader.leave();
    }
    reader.leave();
    reader.leave();
    reader.finish("asked")?;
    Ok((store, questions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_read_back() {
        let mut questions = Questions::new();
        for n in 0..4_u8 {
            assert_eq!(read(&write(&[7; 16], &questions)), Ok(([7; 16], questions.clone())));
            questions.insert([n; 32], CarriedQuestion { at: n.into(), note: vec![n; 9] });
        }
        assert!(read(&write(&[7; 15], &questions)).is_err());
    }
}
