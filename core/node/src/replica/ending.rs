//! How the conversations of a replica hear that its device is put to sleep, and how long any of them is at work.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub(super) struct Ending {
    is_over: watch::Sender<bool>,
    at_work: Mutex<usize>,
    left: Condvar,
}

/// A conversation at work.
pub(super) struct AtWork<'a>(&'a Ending);

impl Default for Ending {
    fn default() -> Self {
        Self { is_over: watch::Sender::new(false), at_work: Mutex::default(), left: Condvar::new() }
    }
}

impl Ending {
    /// Lets a conversation begin; `None`: the replica ended.
    pub(super) fn enter(&self) -> Option<AtWork<'_>> {
        let mut at_work = self.at_work();
        if *self.is_over.borrow() {
            return None;
        }
        *at_work += 1;
        Some(AtWork(self))
    }

    /// Whether the replica ended.
    pub(super) fn is_over(&self) -> bool {
        *self.is_over.borrow()
    }

    /// Waits for the end of the replica. Dropping the future loses nothing.
    pub(super) async fn over(&self) {
        // The sender lives as long as this.
        let _ = self.is_over.subscribe().wait_for(|over| *over).await;
    }

    /// Ends every conversation, and lets none begin any more; whether any was at work.
    pub(super) fn end(&self) -> bool {
        let at_work = self.at_work();
        self.is_over.send_replace(true);
        *at_work > 0
    }

    /// Waits until no conversation is at work, at most until then.
    pub(super) fn wait(&self, until: Instant) {
        let rest: Duration = until.saturating_duration_since(Instant::now());
        drop(self.left.wait_timeout_while(self.at_work(), rest, |at_work| *at_work > 0));
    }

    fn at_work(&self) -> MutexGuard<'_, usize> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        *self.0.at_work() -= 1;
        self.0.left.notify_all();
    }
}
