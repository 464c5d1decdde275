//! Batches that wait for the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::batch::{Batch, Committed};
use crate::error::CommitError;

/// Batches that may wait: enough for every screen and peer at once, few enough that memory stays bounded.
const QUEUE_JOBS: usize = 64;

/// Bytes that one transaction takes on, roughly: its pages stay in the cache.
const GROUP_BYTES: usize = 8 << 20;

/// Whom to tell what became of a batch.
pub(crate) type Done = Box<dyn FnOnce(Result<Committed, CommitError>) + Send>;

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// There is something to do.
    work: Condvar,
    /// There is room for another batch.
    room: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Batch, Done)>,
    must_tidy: bool,
    is_closed: bool,
}

impl Queue {
    /// Adds a batch; waits while the queue is full.
    pub(crate) fn push(&self, batch: Batch, done: Done) -> Result<(), CommitError> {
        let full = |state: &mut State| state.jobs.len() >= QUEUE_JOBS && !state.is_closed;
        let mut state = self.room.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return Err(CommitError::Closed);
        }
        state.jobs.push_back((batch, done));
        self.work.notify_one();
        Ok(())
    }

    /// The batches of the next transaction, oldest first.
    pub(crate) fn take(&self) -> Vec<(Batch, Done)> {
        let mut state = self.lock();
        state.must_tidy = false;
        let (mut group, mut weight) = (Vec::new(), 0);
        while weight < GROUP_BYTES
            && let Some(job) = state.jobs.pop_front()
        {
            weight += job.0.weight();
            group.push(job);
        }
        self.room.notify_all();
        group
    }

    /// Waits until there is something to do; `false` when the queue is closed and empty.
    pub(crate) fn wait(&self) -> bool {
        let idle = |state: &mut State| state.jobs.is_empty() && !state.must_tidy && !state.is_closed;
        let state = self.work.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        !state.jobs.is_empty() || state.must_tidy
    }

    /// Whether somebody who comes now need not wait behind anybody.
    pub(crate) fn is_free(&self) -> bool {
        let state = self.lock();
        state.jobs.is_empty() && !state.is_closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Asks for what nobody waits for.
    pub(crate) fn ask_to_tidy(&self) {
        self.lock().must_tidy = true;
        self.work.notify_one();
    }

    /// Takes no more; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Takes no more and commits nothing of what waits: each caller learns that the store is closed.
    pub(crate) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut self.lock().jobs);
        for (_, done) in jobs {
            done(Err(CommitError::Closed));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
