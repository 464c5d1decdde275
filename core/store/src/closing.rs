//! Closing a store that others still hold.

use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::Store;

/// How long to wait for whoever is still at work before looking again: a statement that begins just now is interrupted then.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The time was too short to close everything. The store takes no calls any more; what is still open closes with a later
/// [`close`](Store::close), or when the store is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("not closed in time: {reads} reads and {files} files at work, the writer {}", if *.is_writing { "too" } else { "not" })]
pub struct StillOpen {
    /// Reads that did not end.
    pub reads: usize,
    /// Photos that are being written, read or hashed.
    pub files: usize,
    /// A batch is being committed, or the log moved into the file.
    pub is_writing: bool,
}

impl Store {
    /// Closes the store although others hold it: when this returns `Ok`, no file of it is open, its log is moved into the
    /// database and its folder is unlocked. Calling it again changes nothing.
    ///
    /// From the first moment every call is answered with the `Closed` of its error. Reads under way are interrupted, files
    /// that are lent ([`open_blob`](Self::open_blob), [`receive_blob`](Self::receive_blob)) are closed under their holders.
    /// Batches that wait are committed while half of `budget` lasts; those left then are answered with
    /// [`CommitError::Closed`](crate::CommitError::Closed), and nothing of them is kept.
    ///
    /// One flush of the disk is not interrupted, however long it takes.
    ///
    /// # Errors
    /// If not everything could be closed within `budget`; the folder then stays locked.
    pub fn close(&self, budget: Duration) -> Result<(), StillOpen> {
        let began = Instant::now();
        self.gate.shut();
        self.desk.close();
        loop {
            let spent = began.elapsed();
            let open = self.close_now();
            if open == StillOpen::default() {
                // Last: whoever opens the folder next finds everything closed.
                drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
                return Ok(());
            }
            if spent >= budget / 2 {
                self.desk.cut_short();
            }
            if spent >= budget || self.is_own_thread() {
                return Err(open);
            }
            self.gate.wait(LOOK_AGAIN);
        }
    }

    /// Closes what nobody is at; what is left.
    fn close_now(&self) -> StillOpen {
        let reads = self.readers.close();
        let files = self.gate.close_files();
        // The last connection to close moves the log into the file, and only the writer may.
        let is_writing = reads > 0 || !self.is_thread_over() || !self.desk.close_writer();
        StillOpen { reads, files, is_writing }
    }

    /// Whether what was queued is done.
    fn is_thread_over(&self) -> bool {
        self.thread.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// Whether this is called by what a batch called when it was done: that thread cannot wait for itself.
    fn is_own_thread(&self) -> bool {
        self.thread.as_ref().is_some_and(|own| own.thread().id() == thread::current().id())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A thread that panicked has said so already; its callers were answered with `Closed`.
        let _ = self.close(Duration::MAX);
    }
}
