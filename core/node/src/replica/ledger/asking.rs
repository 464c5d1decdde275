//! What a camp asks the witnesses of its ledger, and what it makes of their answers. Carrying both is the caller's affair.

use merestone_core::checkpoint::Checkpoint;
use merestone_core::roster::{Class, PartyNumber};
use merestone_core::witness::{AddCheckpoint, CosignedNote, NoteRefused, Witnesses};

use super::tiles::LedgerTiles;
use super::{LedgerError, Sequencer};

/// A request that a witness cosign a checkpoint.
#[derive(Clone, Debug)]
pub struct Question {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The request's bytes, the same over HTTP and in a file.
    pub body: Vec<u8>,
}

/// What an answer brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The parties whose witnesses cosigned, ascending.
    pub parties: Vec<PartyNumber>,
    /// Cosignatures that were not held.
    pub new: usize,
    /// The latest time that a witness states, in seconds since 1970.
    pub latest: u64,
}

/// An answer that brings nothing.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not made of signature lines.
    #[error("the answer is not made of signature lines")]
    Malformed,
    /// No line of it is a cosignature of the checkpoint by a witness of the mission.
    #[error("no line of the answer is a cosignature of this checkpoint by a witness of the mission")]
    NoWitness,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Sequencer {
    /// What a witness that cosigned `old` leaves last is to be asked; `None` if nothing is signed yet.
    pub(in crate::replica) fn question(&self, old: u64) -> Result<Option<Question>, LedgerError> {
        let Some(checkpoint) = self.to_cosign(old)? else { return Ok(None) };
        let tiles = LedgerTiles::of(&self.shared().store);
        // A witness that is ahead of the newest note waits for the next one.
        let Some(proof) = tiles.consistency_proof(old, checkpoint.size())? else { return Ok(None) };
        let body = AddCheckpoint { old, proof, note: checkpoint.as_bytes().to_vec() }.encode();
        Ok(Some(Question { checkpoint, body }))
    }

    /// Takes the cosignatures in an answer to `checkpoint`, as statements of their own.
    pub(in crate::replica) fn take_answer(
        &mut self,
        checkpoint: &Checkpoint,
        answer: &[u8],
        asked: Option<&str>,
    ) -> Result<Cosigned, AnswerError> {
        let roster = self.shared().authority.roster();
        let witnesses = Witnesses::of(roster.charter().charter()).ok_or(AnswerError::NoWitness)?;
        let mut note = CosignedNote::new(checkpoint.clone());
        note.add(answer, &witnesses).map_err(|_: NoteRefused| AnswerError::Malformed)?;
        let parties = witnesses.tally(&note).signed;
        drop(roster);
        if parties.is_empty() {
            return Err(AnswerError::NoWitness);
        }
        let latest = note.cosignatures().map(|by| by.time()).max().unwrap_or_default();
        let mut new = 0;
        if checkpoint.size() > 0 {
            let take =
                |class, bytes: &[Vec<u8>]| self.shared().take_up(class, bytes, None).map_err(LedgerError::Commit);
            take(Class::Note, &[checkpoint.as_bytes().to_vec()])?;
            new = take(Class::Cosignature, &note.statements().collect::<Vec<_>>())?.new.len();
        }
        if let Some(asked) = asked {
            self.confirmed_by(asked, &parties)?;
        }
        Ok(Cosigned { parties, new, latest })
    }

    /// The person who runs the camp knows that nothing is lost.
    pub(in crate::replica) fn trust_store(&mut self) -> Result<(), LedgerError> {
        self.confirmed()
    }

    /// The witness that was asked there says that it cosigned so many leaves last.
    pub(in crate::replica) fn witness_told(&mut self, asked: &str, leaves: u64) -> Result<(), LedgerError> {
        self.told(asked, leaves)
    }
}
