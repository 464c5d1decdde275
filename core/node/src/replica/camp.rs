//! Base camp: a replica that answers with receipts, sequences the mission's ledger, and can sign no entry.

mod keeping;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::key::PublicKey;
use merestone_core::roster::Role;
use merestone_link::{Endpoint, LinkLimits, TransportKey};
use merestone_store::Store;
use tokio::sync::watch;

use keeping::{Keeping, lock};

pub use keeping::Signed;

use super::ledger::{AnswerError, Cosigned, LedgerError, LedgerKey, Question, show_final};
use super::{Owner, ReceiptKey, Replica, ServeError, Serving, Setup};
use crate::authority::AuthorityError;

/// The keys of a camp. None of them signs entries: a [`ReceiptKey`] and a [`LedgerKey`] sign nothing but what
/// they are named for, and the transport key shows only which machine answers.
#[derive(Debug)]
pub struct CampKeys {
    /// The key by which devices find the camp; its certificate names it.
    pub transport: TransportKey,
    /// The camp's certified key.
    pub receipts: ReceiptKey,
    /// The ledger key, at the one camp that sequences.
    pub ledger: Option<LedgerKey>,
}

/// What may differ between camps.
#[derive(Clone)]
pub struct CampOptions {
    /// Shortest time between two checkpoints that are signed without being asked for.
    ///
    /// 15 minutes: the 2,048 newest notes, which every phone keeps (`spec/witness.md`, What is kept), are then three weeks of
    /// uninterrupted work.
    pub note_interval: Duration,
    /// Limits of the connections.
    pub limits: LinkLimits,
    /// Who draws the consequences of what arrives; see [`Camp::open`].
    pub owner: Option<Arc<dyn Owner>>,
    /// Starts no thread; see [`Setup::inline`].
    pub is_inline: bool,
}

impl Default for CampOptions {
    fn default() -> Self {
        Self {
            note_interval: Duration::from_secs(15 * 60),
            limits: LinkLimits::default(),
            owner: None,
            is_inline: false,
        }
    }
}

/// Shows the interval and the limits.
impl fmt::Debug for CampOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { note_interval, limits, owner: _, is_inline } = self;
        f.debug_struct("CampOptions")
            .field("note_interval", note_interval)
            .field("limits", limits)
            .field("is_inline", is_inline)
            .finish_non_exhaustive()
    }
}

/// A camp was not opened.
#[derive(Debug, thiserror::Error)]
pub enum CampError {
    /// The store holds no charter, or cannot be read.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The receipt key's certificate is not held, or its role is not *camp*.
    #[error("the receipt key has no certificate of role camp here")]
    NotACamp,
    /// The ledger cannot be continued.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The system gives no thread.
    #[error("no thread for the ledger")]
    Thread(#[source] std::io::Error),
}

/// A base camp, open. Dropping it ends the sequencing; conversations end with their [`Serving`].
pub struct Camp {
    replica: Replica,
    ledger: Option<Keeping>,
}

impl Camp {
    /// Opens the camp of a store that holds the charter and the camp's certificate.
    ///
    /// Without an [owner](CampOptions::owner), erasures that arrive are held and passed on, and take nothing away here:
    /// where a device keeps the store, make the camp [around](Self::around) the device's replica.
    ///
    /// # Errors
    /// [`CampError`].
    pub fn open(store: Arc<Store>, keys: CampKeys, options: CampOptions) -> Result<Self, CampError> {
        let CampKeys { transport, receipts, ledger } = keys;
        let CampOptions { note_interval, limits, owner, is_inline } = options;
        let mut setup = Setup::new(store, transport)?.receipts(receipts).limits(limits);
        if let Some(owner) = owner {
            setup = setup.owner(owner);
        }
        if is_inline {
            setup = setup.inline();
        }
        Self::around(Replica::open(setup), ledger, note_interval)
    }

    /// Makes a camp of a replica whose receipts are signed by a certified key of role *camp*.
    ///
    /// # Errors
    /// [`CampError::NotACamp`], or the ledger cannot be continued.
    pub fn around(replica: Replica, ledger: Option<LedgerKey>, note_interval: Duration) -> Result<Self, CampError> {
        let certificate = replica.shared().receipts.as_ref().map(ReceiptKey::certificate);
        let roster = replica.authority().roster();
        let role = certificate.and_then(|id| roster.certificate(id)).map(|held| held.role());
        drop(roster);
        if role != Some(Role::Camp) {
            return Err(CampError::NotACamp);
        }
        let ledger = match ledger {
            Some(key) => Some(Keeping::begin(&replica, key, note_interval)?),
            None => None,
        };
        Ok(Self { replica, ledger })
    }

    /// Answers every peer that calls `endpoint`.
    ///
    /// # Errors
    /// As [`Replica::serve`].
    pub fn serve(&self, endpoint: Endpoint) -> Result<Serving, ServeError> {
        self.replica.serve(endpoint)
    }

    /// Takes everything that is held into the ledger and signs a checkpoint over it. `None` at a camp that does not
    /// sequence, when the newest checkpoint covers everything, and while the one before waits for witnesses: where the mission
    /// has some, a checkpoint is shown to nobody before they [answered](Self::take_answer). Blocks on the disk.
    ///
    /// # Errors
    /// [`LedgerError`]; what is in the ledger stays there.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        let mut state = lock(&ledger.state);
        state.sequencer.append_all()?;
        let note = state.note()?;
        state.sequencer.show()?;
        Ok(note)
    }

    /// Continues the ledger if anything changed since the last call, and signs a checkpoint when one is due: at a camp of an
    /// [inline](Setup::inline) replica nobody else does. `now_ms` are milliseconds of a clock that does not jump.
    /// Blocks on the disk; trouble is told by [`ledger_trouble`](Self::ledger_trouble).
    pub fn keep_up(&self, now_ms: u64) {
        if let Some(ledger) = &self.ledger {
            ledger.keep_up(now_ms);
        }
    }

    /// Makes, at a camp that holds a copy of the ledger, the inclusions that final checkpoints allow and nobody made yet; how
    /// many. At the camp that sequences that is done with each checkpoint. Blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn show_copied(&self) -> Result<usize, LedgerError> {
        show_final(self.replica.shared())
    }

    /// Number of leaves in the ledger; `None` at a camp that does not sequence.
    pub fn ledger_size(&self) -> Option<u64> {
        self.ledger.as_ref().map(|ledger| lock(&ledger.state).sequencer.size())
    }

    /// Why the ledger was not continued the last time, if it was not.
    pub fn ledger_trouble(&self) -> Option<String> {
        self.ledger.as_ref().and_then(|ledger| lock(&ledger.state).trouble.clone())
    }

    /// The checkpoint that was signed last since this camp was opened, whenever there is a new one; `None` at a camp that does
    /// not sequence.
    pub fn signed(&self) -> Option<watch::Receiver<Option<Signed>>> {
        self.ledger.as_ref().map(|ledger| lock(&ledger.state).signed.subscribe())
    }

    /// Lets the ledger of `leaves` leaves go on although no quorum of witnesses confirmed that this store has everything that
    /// was ever signed: whoever calls this knows it, and answers for it. Where witnesses confirmed it nothing changes. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// [`LedgerError::OtherSize`] if this store has not so many; [`LedgerError::VouchedBefore`] the second time of one store and
    /// size; if the store cannot be written.
    pub fn vouch(&self, leaves: u64) -> Result<(), LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        lock(&ledger.state).sequencer.vouch(leaves)?;
        ledger.wake();
        Ok(())
    }

    /// What a witness that cosigned `old` leaves of this ledger last is to be asked: to cosign the newest checkpoint. `None` at
    /// a camp that does not sequence, and where nothing is signed that such a witness could cosign. Blocks on the disk.
    ///
    /// # Errors
    /// [`LedgerError::Lost`] if this ledger has fewer leaves.
    pub fn question(&self, old: u64) -> Result<Option<Question>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        lock(&ledger.state).sequencer.question(old)
    }

    /// A [question](Self::question) that goes to `witness` on a stick. It is noted, with `now_s`, the time by this machine's
    /// clock in seconds since 1970; the one before to the same witness is over.
    ///
    /// # Errors
    /// As [`question`](Self::question).
    pub fn carried_question(&self, witness: &PublicKey, old: u64, now_s: u64) -> Result<Option<Question>, LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(None) };
        lock(&ledger.state).sequencer.carried_question(witness, old, now_s)
    }

    /// Takes the answer to a [carried question](Self::carried_question), and gives the checkpoint that the witness cosigned.
    ///
    /// To a camp that was restored it confirms the party of that witness, if the witness's clock does not put it before the
    /// question ([`Cosigned::is_old`]): lines are public, and old ones could be carried instead.
    ///
    /// # Errors
    /// As [`take_answer`](Self::take_answer); [`AnswerError::NotAsked`].
    pub fn take_carried(&self, answer: &[u8]) -> Result<(Checkpoint, Cosigned), AnswerError> {
        let Some(ledger) = &self.ledger else { return Err(AnswerError::NoWitness) };
        let taken = lock(&ledger.state).sequencer.take_carried(answer)?;
        ledger.wake();
        Ok(taken)
    }

    /// Takes the cosignatures that a witness gave to a [question](Self::question) just now: they are durable when this
    /// returns, and told to whoever is connected as soon as enough parties cosigned. Blocks on the disk.
    ///
    /// `asked` names the witness, by its address, say: each confirms its own party to a camp that was restored, and no
    /// other, whatever lines it gives.
    ///
    /// # Errors
    /// [`AnswerError`]; at a camp that does not sequence nobody was asked, and every answer is [`AnswerError::NoWitness`].
    pub fn take_answer(&self, checkpoint: &Checkpoint, answer: &[u8], asked: &str) -> Result<Cosigned, AnswerError> {
        let Some(ledger) = &self.ledger else { return Err(AnswerError::NoWitness) };
        let cosigned = lock(&ledger.state).sequencer.take_answer(checkpoint, answer, asked)?;
        ledger.wake();
        Ok(cosigned)
    }

    /// The witness `asked` says that it cosigned so many leaves last. Where this ledger has fewer, and more witnesses say so
    /// than may lie, it signs nothing more.
    ///
    /// # Errors
    /// [`LedgerError::Lost`] if that is so; if the store cannot be written.
    pub fn witness_told(&self, asked: &str, leaves: u64) -> Result<(), LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        lock(&ledger.state).sequencer.witness_told(asked, leaves)
    }

    /// The replica.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }
}

/// Shows the replica.
impl fmt::Debug for Camp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Camp").field("replica", &self.replica).finish_non_exhaustive()
    }
}
