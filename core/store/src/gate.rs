//! Who works with the files of a store, so that all of them can be closed while others still hold the store.
//!
//! A call that opens files stays inside for as long as it has them. A file that outlives its call lies in a slot, from which
//! closing takes it, whoever holds the slot.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Duration;

/// The store is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is closed")]
pub(crate) struct Shut;

impl From<Shut> for io::Error {
    fn from(shut: Shut) -> Self {
        Self::other(shut)
    }
}

/// Whether a file was not used because its store is closed.
pub(crate) fn is_shut(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Shut>())
}

#[derive(Default)]
pub(crate) struct Gate {
    is_shut: AtomicBool,
    inside: AtomicUsize,
    slots: Mutex<Vec<Weak<Slot>>>,
    waiting: Mutex<()>,
    left: Condvar,
}

type Slot = Mutex<Option<File>>;

/// A call that works with files.
pub(crate) struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
        self.0.tell_closer();
    }
}

impl Gate {
    /// Lets a call in that works with files.
    pub(crate) fn enter(&self) -> Result<Inside<'_>, Shut> {
        // Counted before looking: whoever shuts the gate either is seen here or sees this.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        self.check().map(|()| inside)
    }

    /// Whether work may go on.
    pub(crate) fn check(&self) -> Result<(), Shut> {
        if self.is_shut.load(Ordering::SeqCst) { Err(Shut) } else { Ok(()) }
    }

    /// Keeps an open file so that closing the store closes it too.
    pub(crate) fn lend(&self, file: File) -> Result<BlobFile, Shut> {
        let slot = Arc::new(Mutex::new(Some(file)));
        let mut slots = self.slots();
        self.check()?;
        slots.retain(|slot| slot.strong_count() > 0);
        slots.push(Arc::downgrade(&slot));
        Ok(BlobFile { slot })
    }

    /// Lets nobody in any more.
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
    }

    /// Closes the files in all slots; how many of these, and of the calls inside, are still at work.
    pub(crate) fn close_files(&self) -> usize {
        let mut slots = self.slots();
        slots.retain(|slot| slot.upgrade().is_some_and(|slot| !is_emptied(&slot)));
        slots.len() + self.inside.load(Ordering::SeqCst)
    }

    /// Waits until somebody leaves, at most this long.
    pub(crate) fn wait(&self, at_most: Duration) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.left.wait_timeout(waiting, at_most));
    }

    /// Wakes whoever waits for the store to close, if anybody does.
    pub(crate) fn tell_closer(&self) {
        if self.check().is_err() {
            drop(self.waiting.lock());
            self.left.notify_all();
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Weak<Slot>>> {
        // A list of handles is whole after each statement.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_emptied(slot: &Slot) -> bool {
    match slot.try_lock() {
        Ok(mut file) => drop(file.take()),
        Err(TryLockError::Poisoned(file)) => drop(file.into_inner().take()),
        Err(TryLockError::WouldBlock) => return false,
    }
    true
}

/// The file of a photo, open. When its store is [closed](crate::Store::close) so is the file, and every use of it fails;
/// [`BlobError::from`](crate::BlobError) tells that failure from others.
#[derive(Debug)]
pub struct BlobFile {
    slot: Arc<Slot>,
}

impl BlobFile {
    /// Its length.
    ///
    /// # Errors
    /// If the system refuses, or the store is closed.
    pub fn length(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.metadata()?.len()))
    }

    /// Makes its content durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.with(|file| file.sync_data())
    }

    fn with<T>(&self, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        // What a panic left behind is a file at some position, which every user sets first.
        let mut file = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        work(file.as_mut().ok_or(Shut)?)
    }
}

impl Read for BlobFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|file| file.read(buffer))
    }
}

impl Seek for BlobFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|file| file.seek(to))
    }
}

/// For the store alone, which lends nothing for writing.
pub(crate) struct Writing<'a>(pub(crate) &'a BlobFile);

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.with(|file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.with(File::flush)
    }
}
