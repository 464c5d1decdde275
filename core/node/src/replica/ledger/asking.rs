//! What a camp asks the witnesses of its ledger, and what it makes of their answers. Carrying both is the caller's affair.

use merestone_core::checkpoint::Checkpoint;
use merestone_core::id::hex;
use merestone_core::key::{KEY_BYTES, PublicKey};
use merestone_core::roster::PartyNumber;
use merestone_core::witness::{AddCheckpoint, CosignedNote, NoteRefused, Witnesses};

use super::carried::CarriedQuestion;
use super::tiles::LedgerTiles;
use super::{LedgerError, Sequencer, carried};

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
    /// Whether it is, by the witness's clock, from before the question that it came for; then it confirms nothing to a ledger
    /// that was restored.
    pub is_old: bool,
}

/// An answer that brings nothing.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not made of signature lines.
    #[error("the answer is not made of signature lines")]
    Malformed,
    /// It is of none of the questions that are under way on sticks.
    #[error("the answer is to none of the questions that this camp wrote last to each witness")]
    NotAsked,
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

    /// As [`question`](Self::question), for a stick: the answer may take weeks. `now_s` is the time by this machine's clock.
    pub(in crate::replica) fn carried_question(
        &self,
        witness: &PublicKey,
        old: u64,
        now_s: u64,
    ) -> Result<Option<Question>, LedgerError> {
        let question = self.question(old)?;
        if let Some(question) = &question {
            let asked = CarriedQuestion { at: now_s, note: question.checkpoint.as_bytes().to_vec() };
            carried::ask(&self.shared().store, witness, asked)?;
        }
        Ok(question)
    }

    /// Takes the answer of a witness that was asked on a stick; the checkpoint that it cosigned.
    pub(in crate::replica) fn take_carried(&mut self, answer: &[u8]) -> Result<(Checkpoint, Cosigned), AnswerError> {
        for (witness, asked) in carried::open(&self.shared().store)? {
            let Some((note, party)) = self.answered(&asked, &witness, answer)? else { continue };
            let is_old = note.cosignatures().all(|by| by.time().saturating_add(carried::SLACK_S) < asked.at)
                || self.is_held_later(&note);
            let mut cosigned = self.take(&note)?;
            cosigned.is_old = is_old;
            if !is_old {
                self.confirmed_by(&format!("a stick to {}", hex(&witness)), party)?;
            }
            return Ok((note.checkpoint().clone(), cosigned));
        }
        Err(AnswerError::NotAsked)
    }

    /// Whether a line of the same witness is held that is as late, under whatever checkpoint: then this one may be old.
    fn is_held_later(&self, note: &CosignedNote) -> bool {
        let held = self.shared().authority.roster().cosigned_notes();
        let lines = || held.iter().flat_map(|held| held.cosignatures());
        note.cosignatures().any(|own| lines().any(|by| by.key() == own.key() && by.time() >= own.time()))
    }

    /// The note that a witness was asked to cosign, with its own line in the answer alone, and its party; `None` if the answer
    /// is not its own.
    fn answered(
        &self,
        asked: &CarriedQuestion,
        witness: &[u8; KEY_BYTES],
        answer: &[u8],
    ) -> Result<Option<(CosignedNote, PartyNumber)>, AnswerError> {
        let roster = self.shared().authority.roster();
        let witnesses = Witnesses::of(roster.charter().charter()).ok_or(AnswerError::NoWitness)?;
        let Ok(checkpoint) = Checkpoint::verify(&asked.note, witnesses.ledger()) else { return Ok(None) };
        let mut note = CosignedNote::new(checkpoint);
        note.add(answer, &witnesses).map_err(|_: NoteRefused| AnswerError::Malformed)?;
        let own = note.cosignatures().find(|by| by.key().as_bytes() == witness).copied();
        let Some(own) = own else { return Ok(None) };
        let mut alone = CosignedNote::new(note.checkpoint().clone());
        alone.add(own.line().as_bytes(), &witnesses).map_err(|_: NoteRefused| AnswerError::Malformed)?;
        Ok(witnesses.party_of(own.key()).map(|party| (alone, party)))
    }

    /// Takes the cosignatures in an answer to `checkpoint`, as statements of their own; the witness was asked at `asked`.
    pub(in crate::replica) fn take_answer(
        &mut self,
        checkpoint: &Checkpoint,
        answer: &[u8],
        asked: &str,
    ) -> Result<Cosigned, AnswerError> {
        let roster = self.shared().authority.roster();
        let witnesses = Witnesses::of(roster.charter().charter()).ok_or(AnswerError::NoWitness)?;
        let mut note = CosignedNote::new(checkpoint.clone());
        note.add(answer, &witnesses).map_err(|_: NoteRefused| AnswerError::Malformed)?;
        drop(roster);
        let cosigned = self.take(&note)?;
        let first = cosigned.parties.first().ok_or(AnswerError::NoWitness)?;
        self.confirmed_by(asked, *first)?;
        Ok(cosigned)
    }

    /// Keeps what a witness cosigned.
    fn take(&mut self, note: &CosignedNote) -> Result<Cosigned, AnswerError> {
        let roster = self.shared().authority.roster();
        let parties = Witnesses::of(roster.charter().charter()).ok_or(AnswerError::NoWitness)?.tally(note).signed;
        drop(roster);
        if parties.is_empty() {
            return Err(AnswerError::NoWitness);
        }
        let latest = note.cosignatures().map(|by| by.time()).max().unwrap_or_default();
        // That of the empty tree is asked for to learn whether anything is lost.
        let new = if note.checkpoint().size() > 0 { self.keep(note)? } else { 0 };
        Ok(Cosigned { parties, new, latest, is_old: false })
    }

    /// The witness that was asked there says that it cosigned so many leaves last.
    pub(in crate::replica) fn witness_told(&mut self, asked: &str, leaves: u64) -> Result<(), LedgerError> {
        self.told(asked, leaves)
    }
}
