//! Whose turn it is to sign: one step at a time takes the next place of a log, signs and commits.
//!
//! A keystore may wait for a person while it signs, so nothing else of the device is locked meanwhile: lists, observers and
//! records can be looked at. Only another step that signs waits, and not for ever: a keystore that itself saves something
//! while it signs would wait for its own end.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use merestone_core::id::{LogId, ScopeId};
use merestone_core::key::PublicKey;

use super::error::AccessError;
use super::pen::OpenLog;

/// How long a step waits for its turn: longer than a person needs to show a finger.
const TURN_MAX: Duration = Duration::from_secs(60);

/// How far the logs have come that this installation continues.
#[derive(Default)]
pub(crate) struct Logbook {
    pub(super) logs: HashMap<(PublicKey, ScopeId), OpenLog>,
}

/// Where the logbook lies when nobody writes in it.
pub(super) struct LogbookPlace {
    /// `None` while somebody does.
    lying: Mutex<Option<Logbook>>,
    given_back: Condvar,
    /// Logs that are not continued: a peer knows more of them. Whoever has the turn may be waiting for a person.
    left: Mutex<BTreeSet<LogId>>,
}

impl Default for LogbookPlace {
    fn default() -> Self {
        let (given_back, left) = Default::default();
        Self { lying: Mutex::new(Some(Logbook::default())), given_back, left }
    }
}

impl LogbookPlace {
    /// Waits for the turn.
    ///
    /// # Errors
    /// [`AccessError::Busy`], when another step did not come to its end in a minute.
    pub(super) fn take(&self) -> Result<Turn<'_>, AccessError> {
        let waited = self.given_back.wait_timeout_while(self.lying(), TURN_MAX, |lying| lying.is_none());
        let (mut lying, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let logbook = lying.take().ok_or(AccessError::Busy)?;
        Ok(Turn { place: self, logbook: Some(logbook) })
    }

    /// Notes that a log is not continued, whoever has the turn.
    pub(super) fn leave(&self, log: LogId) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(log);
    }

    /// Whether a log is not continued.
    pub(super) fn is_left(&self, log: LogId) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).contains(&log)
    }

    fn lying(&self) -> MutexGuard<'_, Option<Logbook>> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn to sign; ends when dropped, also in a panic, which leaves at most a position that is asked for again.
pub(crate) struct Turn<'a> {
    place: &'a LogbookPlace,
    /// `None` only while it is given back.
    logbook: Option<Logbook>,
}

impl Deref for Turn<'_> {
    type Target = Logbook;

    fn deref(&self) -> &Logbook {
        self.logbook.as_ref().expect("held until it is dropped")
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Logbook {
        self.logbook.as_mut().expect("held until it is dropped")
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut logbook = self.logbook.take().unwrap_or_default();
        if std::thread::panicking() {
            logbook.logs.clear();
        }
        *self.place.lying() = Some(logbook);
        self.place.given_back.notify_one();
    }
}
