//! Keeping the ledger up at the camp that sequences it: a thread, or whoever calls [`Camp::keep_up`](super::Camp::keep_up).

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use merestone_core::checkpoint::Checkpoint;
use tokio::sync::watch;

use super::CampError;
use crate::replica::Replica;
use crate::replica::ledger::{LedgerError, LedgerKey, Sequencer};

/// How long nothing must have changed before the ledger is continued: a transfer in progress comes first.
const QUIET: Duration = Duration::from_millis(250);
/// How long it waits for that at most.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// The ledger at the camp that sequences, and who continues it.
pub(super) struct Keeping {
    pub(super) state: Arc<Mutex<Sequencing>>,
    replica: Replica,
    /// The hub's end of the thread's, or nobody's, alarm.
    wake: Option<SyncSender<()>>,
    woken: Option<Mutex<Receiver<()>>>,
    thread: Option<JoinHandle<()>>,
}

/// The sequencer, and when it signed last.
pub(super) struct Sequencing {
    pub(super) sequencer: Sequencer,
    note_interval: Duration,
    /// Milliseconds of the clock that the caller of [`step`](Self::step) reads.
    noted_ms: Option<u64>,
    is_due: bool,
    pub(super) trouble: Option<String>,
    pub(super) signed: watch::Sender<Option<Signed>>,
}

/// A checkpoint that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its leaves.
    pub size: u64,
    /// When, by a clock that measures durations.
    pub at: Instant,
}

impl Keeping {
    pub(super) fn begin(replica: &Replica, key: LedgerKey, note_interval: Duration) -> Result<Self, CampError> {
        let sequencer = Sequencer::open(Arc::clone(replica.shared()), key)?;
        // A kill may come between leaves and the note over them.
        let is_due = sequencer.has_unsigned();
        let state = Sequencing {
            sequencer,
            note_interval,
            noted_ms: None,
            is_due,
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

    /// As [`Camp::keep_up`](super::Camp::keep_up), where there is no thread.
    pub(super) fn keep_up(&self, now_ms: u64) {
        let Some(woken) = &self.woken else { return };
        let mut state = lock(&self.state);
        let is_note_due = state.until_note(now_ms).is_some_and(|wait| wait.is_zero());
        if lock(woken).try_recv().is_ok() || is_note_due {
            state.step(now_ms);
        }
    }

    /// What held the ledger up may be over.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Keeping {
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
        if self.until_note(now_ms).is_some_and(|wait| wait.is_zero()) {
            self.note()?;
            (self.noted_ms, self.is_due) = (Some(now_ms), false);
        }
        self.sequencer.show()
    }

    /// Signs a note, and says so.
    pub(super) fn note(&mut self) -> Result<Option<Checkpoint>, LedgerError> {
        let note = self.sequencer.note()?;
        if let Some(note) = &note {
            self.signed.send_replace(Some(Signed { size: note.size(), at: Instant::now() }));
        }
        Ok(note)
    }

    /// How long the next note is to wait; `None` if none is due, or the one before waits for its witnesses.
    fn until_note(&self, now_ms: u64) -> Option<Duration> {
        let since = |noted| Duration::from_millis(now_ms.saturating_sub(noted));
        let wait = || self.noted_ms.map_or(Duration::ZERO, |noted| self.note_interval.saturating_sub(since(noted)));
        (self.is_due && !self.sequencer.is_waiting()).then(wait)
    }
}

/// Continues the ledger whenever something changed, and signs a note when one is due.
fn keep_up(state: &Mutex<Sequencing>, woken: &Receiver<()>) {
    let began = Instant::now();
    let now_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    loop {
        let wait = {
            let state = lock(state);
            state.until_note(now_ms()).unwrap_or(Duration::MAX)
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The sequencer changes its tree only after a commit, so a panic leaves it as the store has it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
