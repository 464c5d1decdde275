//! The newest checkpoint while too few parties cosigned it to show it to anybody (`spec/witness.md`, Handing out).

use merestone_core::checkpoint::Checkpoint;
use merestone_core::roster::Roster;
use merestone_core::witness::{CosignedNote, Witnesses};
use merestone_store::{Batch, ReadError, Store};

use super::LedgerError;

/// That checkpoint, with the cosignatures that came: durable, so that a witness which only a stick reaches is asked for the
/// same one a week later.
const INSIDE: &str = "node/ledger-inside";

/// A checkpoint that is kept inside, if there is one.
#[derive(Debug)]
pub(super) struct Inside {
    note: Option<CosignedNote>,
}

impl Inside {
    pub(super) fn open(store: &Store, roster: &Roster) -> Result<Self, ReadError> {
        // Nobody was shown what cannot be read any more: another is signed instead of it.
        let note = store.setting(INSIDE)?.and_then(|bytes| {
            let witnesses = Witnesses::judging(roster.charter(), &bytes)?;
            CosignedNote::verify(&bytes, &witnesses).ok()
        });
        Ok(Self { note })
    }

    pub(super) fn into_note(self) -> Option<CosignedNote> {
        self.note
    }

    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        self.note.as_ref().map(CosignedNote::checkpoint)
    }

    /// Takes what `note` has: instead of a checkpoint of fewer leaves, beside what is there of the same; how many
    /// cosignatures of it were news. Durable when it returns.
    pub(super) fn take(&mut self, store: &Store, note: &CosignedNote) -> Result<usize, LedgerError> {
        let count = |note: &CosignedNote| note.cosignatures().count();
        let (held, before) = match &self.note {
            Some(held) if held.checkpoint().text() == note.checkpoint().text() => {
                let mut merged = held.clone();
                merged.merge(note);
                (merged, count(held))
            }
            Some(held) if held.checkpoint().size() >= note.checkpoint().size() => return Ok(0),
            Some(_) | None => (note.clone(), 0),
        };
        keep(store, Some(held.encode()))?;
        let new = count(&held) - before;
        self.note = Some(held);
        Ok(new)
    }

    /// The checkpoint that may be shown now, if it may.
    pub(super) fn ready(&self, roster: &Roster) -> Option<CosignedNote> {
        let note = self.note.as_ref()?;
        let witnesses = Witnesses::at(roster.charter(), note.checkpoint().size())?;
        // Whoever carried it out first: then it is known.
        let is_out = roster.notes().any(|held| held.text() == note.checkpoint().text());
        let signed = witnesses.tally(note).signed.len();
        // Planted: one witness is enough.
        #[cfg(planted)]
        if merestone_core::planted::is("shown-too-early") && signed > 0 {
            return Some(note.clone());
        }
        (is_out || signed >= witnesses.quorum().shown()).then(|| note.clone())
    }

    /// It is shown: nothing is inside.
    pub(super) fn clear(&mut self, store: &Store) -> Result<(), LedgerError> {
        keep(store, None)?;
        self.note = None;
        Ok(())
    }
}

fn keep(store: &Store, value: Option<Vec<u8>>) -> Result<(), LedgerError> {
    let mut batch = Batch::new();
    batch.setting(INSIDE, value);
    store.commit(batch)?;
    Ok(())
}
