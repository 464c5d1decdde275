//! Base camp: a replica that answers with receipts, sequences the mission's ledger, and can sign no entry.

use std::fmt;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use merestone_core::checkpoint::Checkpoint;
use merestone_core::roster::Role;
use merestone_link::{Endpoint, LinkLimits, TransportKey};
use merestone_store::Store;
use tokio::sync::watch;

use super::ledger::{AnswerError, Cosigned, LedgerError, LedgerKey, Question, Sequencer};
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
    /// 15 minutes: a key may sign 4,096 notes (`spec/roster.md`), which then last for six weeks of uninterrupted work.
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
    ledger: Option<Continued>,
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
            Some(key) => Some(Continued::begin(&replica, key, note_interval)?),
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
    /// sequence, and when the newest checkpoint covers everything. Blocks on the disk.
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
        let Some(Continued { state, woken: Some(woken), .. }) = &self.ledger else { return };
        let mut state = lock(state);
        let is_note_due = state.is_due && state.until_note(now_ms).is_zero();
        if lock(woken).try_recv().is_ok() || is_note_due {
            state.step(now_ms);
        }
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

    /// Lets the ledger go on although no quorum of witnesses confirmed that this store has everything that was ever signed:
    /// whoever calls this knows it, and answers for it. Blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn trust_store(&self) -> Result<(), LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        lock(&ledger.state).sequencer.trust_store()?;
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

    /// Takes the cosignatures that a witness gave to a [question](Self::question) just now: they are durable when this
    /// returns, and told to whoever is connected. Blocks on the disk.
    ///
    /// `asked` names the witness, by its address, say: each confirms its own party to a camp that was restored, and no
    /// other, whatever lines it gives. An answer that came on a stick (`None`) confirms none, because it may be old.
    ///
    /// # Errors
    /// [`AnswerError`]; at a camp that does not sequence nobody was asked, and every answer is [`AnswerError::NoWitness`].
    pub fn take_answer(
        &self,
        checkpoint: &Checkpoint,
        answer: &[u8],
        asked: Option<&str>,
    ) -> Result<Cosigned, AnswerError> {
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

/// How long nothing must have changed before the ledger is continued: a transfer in progress comes first.
const QUIET: Duration = Duration::from_millis(250);
/// How long it waits for that at most.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// The ledger at the camp that sequences, and who continues it: a thread, or whoever calls [`Camp::keep_up`].
struct Continued {
    state: Arc<Mutex<Sequencing>>,
    replica: Replica,
    /// The hub's end of the thread's, or nobody's, alarm.
    wake: Option<SyncSender<()>>,
    woken: Option<Mutex<Receiver<()>>>,
    thread: Option<JoinHandle<()>>,
}

/// The sequencer, and when it signed last.
struct Sequencing {
    sequencer: Sequencer,
    note_interval: Duration,
    /// Milliseconds of the clock that the caller of [`step`](Self::step) reads.
    noted_ms: Option<u64>,
    is_due: bool,
    trouble: Option<String>,
    signed: watch::Sender<Option<Signed>>,
}

/// A checkpoint that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its leaves.
    pub size: u64,
    /// When, by a clock that measures durations.
    pub at: Instant,
}

impl Continued {
    fn begin(replica: &Replica, key: LedgerKey, note_interval: Duration) -> Result<Self, CampError> {
        let sequencer = Sequencer::open(Arc::clone(replica.shared()), key)?;
        let state = Sequencing {
            sequencer,
            note_interval,
            noted_ms: None,
            is_due: false,
            trouble: None,
            signed: watch::Sender::new(None),
        };
        let state = Arc::new(Mutex::new(state));
        let (wake, woken) = mpsc::sync_channel(1);
        replica.shared().hub.wake_on_change(wake.clone());
        // What was committed before the last end and is not in the ledger yet.
        let _ = wake.try_send(());
        let (mut thread, mut own) = (None, None);
        if replica.shared().is_inline {
            own = Some(Mutex::new(woken));
        } else {
            let of_thread = Arc::clone(&state);
            let work = move || keep_up(&of_thread, &woken);
            let spawned = thread::Builder::new().name("merestone-ledger".into()).spawn(work);
            thread = Some(spawned.map_err(CampError::Thread)?);
        }
        Ok(Self { state, replica: replica.clone(), wake: Some(wake), woken: own, thread })
    }
}

impl Continued {
    /// What held the ledger up may be over.
    fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Continued {
    fn drop(&mut self) {
        self.wake = None;
        self.replica.shared().hub.wake_nobody();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported when it happened; the leaves it committed are there.
            let _ = thread.join();
        }
    }
}

impl Sequencing {
    /// Takes up what is new, and signs a note if one is due.
    fn step(&mut self, now_ms: u64) {
        self.trouble = self.try_step(now_ms).err().map(|error| error.to_string());
        if self.trouble.is_some() {
            // Tried again at the next change.
            self.is_due = false;
        }
    }

    fn try_step(&mut self, now_ms: u64) -> Result<(), LedgerError> {
        self.is_due |= self.sequencer.append_all()? > 0;
        if self.is_due && self.until_note(now_ms).is_zero() {
            self.note()?;
            (self.noted_ms, self.is_due) = (Some(now_ms), false);
        }
        self.sequencer.show()
    }

    /// Signs a note, and says so.
    fn note(&mut self) -> Result<Option<Checkpoint>, LedgerError> {
        let note = self.sequencer.note()?;
        if let Some(note) = &note {
            self.signed.send_replace(Some(Signed { size: note.size(), at: Instant::now() }));
        }
        Ok(note)
    }

    /// How long the next note is to wait.
    fn until_note(&self, now_ms: u64) -> Duration {
        let since = |noted| Duration::from_millis(now_ms.saturating_sub(noted));
        self.noted_ms.map_or(Duration::ZERO, |noted| self.note_interval.saturating_sub(since(noted)))
    }
}

/// Continues the ledger whenever something changed, and signs a note when one is due.
fn keep_up(state: &Mutex<Sequencing>, woken: &Receiver<()>) {
    let began = Instant::now();
    let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    loop {
        let wait = {
            let state = lock(state);
            if state.is_due { state.until_note(now_ms()) } else { Duration::MAX }
        };
        match woken.recv_timeout(wait.min(Duration::from_secs(3_600))) {
            Ok(()) => {
                if !wait_for_quiet(woken) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        lock(state).step(now_ms());
    }
}

/// `false`: the camp is closing.
fn wait_for_quiet(woken: &Receiver<()>) -> bool {
    let began = Instant::now();
    loop {
        match woken.recv_timeout(QUIET) {
            Ok(()) if began.elapsed() < QUIET_MAX => {}
            Ok(()) | Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The sequencer changes its tree only after a commit, so a panic leaves it as the store has it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
