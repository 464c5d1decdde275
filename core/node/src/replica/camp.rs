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

use super::ledger::{LedgerError, LedgerKey, Sequencer};
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
}

impl Default for CampOptions {
    fn default() -> Self {
        Self { note_interval: Duration::from_secs(15 * 60), limits: LinkLimits::default(), owner: None }
    }
}

/// Shows the interval and the limits.
impl fmt::Debug for CampOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { note_interval, limits, owner: _ } = self;
        f.debug_struct("CampOptions")
            .field("note_interval", note_interval)
            .field("limits", limits)
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
    ledger: Option<LedgerThread>,
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
        let CampOptions { note_interval, limits, owner } = options;
        let mut setup = Setup::new(store, transport)?.receipts(receipts).limits(limits);
        if let Some(owner) = owner {
            setup = setup.owner(owner);
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
            Some(key) => Some(LedgerThread::begin(&replica, key, note_interval)?),
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
        let mut sequencer = lock(&ledger.sequencer);
        sequencer.append_all()?;
        sequencer.note()
    }

    /// Number of leaves in the ledger; `None` at a camp that does not sequence.
    pub fn ledger_size(&self) -> Option<u64> {
        self.ledger.as_ref().map(|ledger| lock(&ledger.sequencer).size())
    }

    /// Why the ledger was not continued the last time, if it was not.
    pub fn ledger_trouble(&self) -> Option<String> {
        self.ledger.as_ref().and_then(|ledger| lock(&ledger.trouble).clone())
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

/// The thread that continues the ledger while the camp is open.
struct LedgerThread {
    sequencer: Arc<Mutex<Sequencer>>,
    trouble: Arc<Mutex<Option<String>>>,
    wake: Option<SyncSender<()>>,
    replica: Replica,
    thread: Option<JoinHandle<()>>,
}

impl LedgerThread {
    fn begin(replica: &Replica, key: LedgerKey, note_interval: Duration) -> Result<Self, CampError> {
        let sequencer = Arc::new(Mutex::new(Sequencer::open(Arc::clone(replica.shared()), key)?));
        let trouble = Arc::new(Mutex::new(None));
        let (wake, woken) = mpsc::sync_channel(1);
        replica.shared().hub.wake_on_change(wake.clone());
        let (of_thread, told) = (Arc::clone(&sequencer), Arc::clone(&trouble));
        let work = move || keep_up(&of_thread, &woken, note_interval, &told);
        let thread = thread::Builder::new().name("merestone-ledger".into()).spawn(work).map_err(CampError::Thread)?;
        // What was committed before the last end and is not in the ledger yet.
        let _ = wake.try_send(());
        Ok(Self { sequencer, trouble, wake: Some(wake), replica: replica.clone(), thread: Some(thread) })
    }
}

impl Drop for LedgerThread {
    fn drop(&mut self) {
        self.wake = None;
        self.replica.shared().hub.wake_nobody();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported when it happened; the leaves it committed are there.
            let _ = thread.join();
        }
    }
}

/// Continues the ledger whenever something changed, and signs a note when one is due.
fn keep_up(
    sequencer: &Mutex<Sequencer>,
    woken: &Receiver<()>,
    note_interval: Duration,
    trouble: &Mutex<Option<String>>,
) {
    let mut noted: Option<Instant> = None;
    let mut is_due = false;
    loop {
        let wait = if is_due {
            noted.map_or(Duration::ZERO, |at| note_interval.saturating_sub(at.elapsed()))
        } else {
            Duration::MAX
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
        let mut sequencer = lock(sequencer);
        let mut step = || {
            is_due |= sequencer.append_all()? > 0;
            if is_due && noted.is_none_or(|at| at.elapsed() >= note_interval) {
                sequencer.note()?;
                (noted, is_due) = (Some(Instant::now()), false);
            }
            Ok::<_, LedgerError>(())
        };
        *lock(trouble) = step().err().map(|error| error.to_string());
        if lock(trouble).is_some() {
            // Tried again at the next change.
            is_due = false;
        }
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
