//! Whose turn it is to sign: one step at a time takes the next place of a log, signs and commits.
//!
//! A keystore may wait for a person while it signs, so nothing else of the device is locked meanwhile: lists, observers and
//! records can be looked at. Only another step that signs waits, and not for ever: a keystore that itself saves something
//! while it signs would wait for its own end.

use std::collections::{HashMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use merestone_core::id::ScopeId;
use merestone_core::key::PublicKey;
use merestone_store::DraftId;

use super::error::AccessError;
use super::pen::OpenLog;
use crate::capture::Saved;

/// How long a step waits for its turn: longer than a person needs to show a finger.
const TURN_MAX: Duration = Duration::from_secs(60);

/// How many saved drafts are remembered: a person taps twice on the last one, not on the thousandth before it.
const SAVED_MAX: usize = 1_024;

/// How far the logs have come that this installation continues.
#[derive(Default)]
pub(crate) struct Logbook {
    pub(super) logs: HashMap<(PublicKey, ScopeId), OpenLog>,
}

/// Drafts that were saved lately, oldest first: an app that asks twice must not make two entries. A device that was put to
/// sleep shares it with the one that wakes, since a step may come to its end in between.
#[derive(Clone, Default)]
pub(super) struct SavedLately(Arc<Mutex<VecDeque<(DraftId, Saved)>>>);

impl SavedLately {
    /// What became of a draft.
    fn of(&self, draft: DraftId) -> Option<Saved> {
        self.list().iter().find(|(id, _)| *id == draft).map(|(_, saved)| *saved)
    }

    fn note(&self, draft: DraftId, saved: Saved) {
        let mut list = self.list();
        if list.len() >= SAVED_MAX {
            list.pop_front();
        }
        list.push_back((draft, saved));
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<(DraftId, Saved)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the logbook lies when nobody writes in it.
pub(super) struct LogbookPlace {
    /// `None` while somebody does.
    lying: Mutex<Option<Logbook>>,
    given_back: Condvar,
    saved: SavedLately,
}

impl Default for LogbookPlace {
    fn default() -> Self {
        let (given_back, saved) = Default::default();
        Self { lying: Mutex::new(Some(Logbook::default())), given_back, saved }
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

    /// As it lies before anything was signed here, with what was saved lately by `before`.
    pub(super) fn after(before: &Self) -> Self {
        Self { saved: before.saved.clone(), ..Self::default() }
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

impl Turn<'_> {
    /// What became of a draft that was saved lately.
    pub(crate) fn saved(&self, draft: DraftId) -> Option<Saved> {
        self.place.saved.of(draft)
    }

    /// Notes what became of a draft.
    pub(crate) fn note_saved(&self, draft: DraftId, saved: Saved) {
        self.place.saved.note(draft, saved);
    }
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
