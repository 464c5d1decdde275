//! The one writer.
//!
//! Batches that wait are committed in one transaction, so that many callers share one flush; each is answered after it.
//! If a transaction with several batches fails, each batch is tried alone: one bad batch fails alone.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};

use crate::apply::Apply;
use crate::ballast::Ballast;
use crate::batch::{Batch, Committed};
use crate::book::Book;
use crate::error::CommitError;
use crate::folder::Folder;
use crate::logs::Logs;
use crate::queue::{Done, Queue};
use crate::store::Threads;

/// Pages in the write-ahead log at which they are moved into the file (8 MiB): some 600 saves, so that it is
/// rarer than one save in a hundred and still quick.
const CHECKPOINT_PAGES: u32 = 2_048;

/// How long emptying the log waits for readers: longer than any page takes to read, shorter than a person notices.
const LOG_WAIT: Duration = Duration::from_millis(200);

/// The writer and those who wait for it.
///
/// There is one writing connection. A caller that finds it free uses it on his own thread, so that a save pays for no change
/// of threads; otherwise the batch is queued, and the thread that [`Desk::run`] is on commits all that wait together.
pub(crate) struct Desk {
    /// `None` once it is closed.
    writer: Mutex<Option<Writer>>,
    queue: Queue,
    threads: Threads,
    blob_changes: Arc<AtomicU64>,
    interrupt: InterruptHandle,
    must_end: Arc<AtomicBool>,
}

impl Desk {
    pub(crate) fn new(writer: Writer, threads: Threads) -> Self {
        let blob_changes = Arc::clone(&writer.blob_changes);
        let (interrupt, must_end) = (writer.connection.get_interrupt_handle(), Arc::clone(&writer.must_end));
        let (writer, queue) = (Mutex::new(Some(writer)), Queue::default());
        Self { writer, queue, threads, blob_changes, interrupt, must_end }
    }

    /// How many commits since the opening may have changed which blobs are named, held or missing.
    pub(crate) fn blob_changes(&self) -> u64 {
        self.blob_changes.load(Ordering::Acquire)
    }

    /// Commits a batch and waits for it.
    pub(crate) fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        match self.threads {
            Threads::Own => self.commit_soon(batch),
            Threads::Caller => self.commit_here(&batch),
        }
    }

    /// On the caller's thread, after those who came before.
    fn commit_here(&self, batch: &Batch) -> Result<Committed, CommitError> {
        // A writer that panicked leaves what it held unknown.
        let mut desk = self.writer.lock().map_err(|_| CommitError::Closed)?;
        let writer = desk.as_mut().filter(|_| !self.queue.is_closed()).ok_or(CommitError::Closed)?;
        let result = writer.commit_alone(batch);
        if writer.must_tidy() {
            writer.tidy();
        }
        result
    }

    /// On the caller's thread if the writer is free, with all that wait otherwise.
    fn commit_soon(&self, batch: Batch) -> Result<Committed, CommitError> {
        if let Ok(mut desk) = self.writer.try_lock()
            && self.queue.is_free()
            && let Some(writer) = desk.as_mut()
        {
            let result = writer.commit_alone(&batch);
            let must_tidy = writer.must_tidy();
            drop(desk);
            if must_tidy {
                self.queue.ask_to_tidy();
            }
            return result;
        }
        let (send, receive) = mpsc::sync_channel(1);
        // A send fails only when this caller is gone.
        self.queue.push(batch, Box::new(move |result| drop(send.send(result))))?;
        receive.recv().unwrap_or(Err(CommitError::Closed))
    }

    pub(crate) fn commit_then(&self, batch: Batch, done: Done) -> Result<(), CommitError> {
        match self.threads {
            Threads::Own => self.queue.push(batch, done),
            Threads::Caller => {
                done(self.commit_here(&batch));
                Ok(())
            }
        }
    }

    /// Commits what is queued, and tidies up after everybody, until the desk is closed. If it panics, or what it calls,
    /// those that wait and those that come later are answered with `Closed`.
    pub(crate) fn run(&self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.work())) {
            self.queue.abandon();
            resume_unwind(panic);
        }
    }

    fn work(&self) {
        while self.queue.wait() {
            let Ok(mut desk) = self.writer.lock() else {
                // The writer panicked; what it held is not known.
                return self.queue.abandon();
            };
            let Some(writer) = desk.as_mut() else { return self.queue.abandon() };
            // Taken while the writer is held: nobody who came later gets in between.
            let (batches, callers): (Vec<Batch>, Vec<Done>) = self.queue.take().into_iter().unzip();
            if !batches.is_empty() {
                for (done, result) in callers.into_iter().zip(writer.commit(&batches)) {
                    done(result);
                }
            }
            writer.tidy();
        }
    }

    /// Takes no more batches; those that wait are still committed.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Rolls back what is not committed by now, and refuses what waits.
    pub(crate) fn cut_short(&self) {
        self.must_end.store(true, Ordering::Release);
        self.interrupt.interrupt();
        self.queue.abandon();
    }

    /// Closes the writing connection if nobody is at it; whether it is closed.
    pub(crate) fn close_writer(&self) -> bool {
        let mut desk = match self.writer.try_lock() {
            Ok(desk) => desk,
            // A writer that panicked is closed as it is: SQLite rolls back what it had not committed.
            Err(TryLockError::Poisoned(desk)) => desk.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if let Some(writer) = desk.take() {
            // An interruption that met no statement holds until the next one begins; it would keep the log from being moved.
            let _ = writer.connection.query_row("SELECT 1", [], |_| Ok(()));
        }
        true
    }
}

pub(crate) struct Writer {
    connection: Connection,
    ballast: Ballast,
    logs: Logs,
    book: Arc<Book>,
    /// Number of the newest commit that brought entries.
    arrived: i64,
    /// Newest turn in the queue of stale records.
    turn: i64,
    /// Pages in the write-ahead log after the newest commit.
    log_pages: Arc<AtomicU32>,
    /// Commits that may have changed what is held of the blobs.
    blob_changes: Arc<AtomicU64>,
    /// A flush failed.
    is_broken: bool,
    /// Something was erased and may still stand in the write-ahead log.
    must_empty_log: bool,
    /// The store closes, and its time is short.
    must_end: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn new(mut connection: Connection, folder: Folder, book: Arc<Book>) -> rusqlite::Result<Self> {
        // Planted: a commit is not flushed.
        #[cfg(planted)]
        if merestone_core::planted::is("skip-fsync") {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        }
        let log_pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        // A log's row may be older than its last entry.
        let sql = "SELECT coalesce(max(max(arrived, coalesce((SELECT arrived FROM entry
                       WHERE position < (l.log + 1) << 23 ORDER BY position DESC LIMIT 1), 0))), 0) FROM log l";
        let arrived = connection.query_row(sql, [], |row| row.get(0))?;
        let turn = connection.query_row("SELECT coalesce(max(turn), 0) FROM stale", [], |row| row.get(0))?;
        // A kill may have left a log with content that was erased since.
        let must_empty_log = fs::metadata(folder.database_log()).is_ok_and(|log| log.len() > 0);
        let ballast = Ballast::find(&folder);
        let logs = Logs::default();
        let blob_changes = Arc::new(AtomicU64::new(0));
        Ok(Self {
            connection,
            ballast,
            logs,
            book,
            arrived,
            turn,
            log_pages,
            blob_changes,
            is_broken: false,
            must_empty_log,
            must_end: Arc::default(),
        })
    }

    /// Commits batches, in one transaction if that succeeds; the answers are in their order.
    pub(crate) fn commit(&mut self, batches: &[Batch]) -> Vec<Result<Committed, CommitError>> {
        if let [one] = batches {
            return vec![self.commit_alone(one)];
        }
        match self.transact(batches) {
            Ok(committed) => committed.into_iter().map(Ok).collect(),
            Err(_) => batches.iter().map(|batch| self.commit_alone(batch)).collect(),
        }
    }

    /// One batch; on a full disk once more without the ballast.
    fn commit_alone(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let mut result = self.transact(std::slice::from_ref(batch));
        if matches!(result, Err(CommitError::Full)) && !batch.is_refetchable && self.ballast.release() {
            result = self.transact(std::slice::from_ref(batch));
        }
        result.map(|mut committed| committed.pop().unwrap_or_default())
    }

    /// Commits all of `batches` in one transaction, or nothing of them.
    fn transact(&mut self, batches: &[Batch]) -> Result<Vec<Committed>, CommitError> {
        if self.is_broken {
            return Err(CommitError::Broken);
        }
        if self.must_end.load(Ordering::Acquire) {
            return Err(CommitError::Closed);
        }
        let erases = batches.iter().any(Batch::erases);
        let result = self.transact_secure(batches, erases);
        if result.is_err() {
            #[cfg(planted)]
            let before = std::mem::take(&mut self.logs);
            self.logs.clear();
            // What the lost transaction made of the logs is believed from now on, and acknowledged with the next one.
            #[cfg(planted)]
            if merestone_core::planted::is("tips-outlive-rollback") {
                self.logs = before;
            }
            if !self.connection.is_autocommit() {
                // If even this fails, the next BEGIN does, and says why.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        }
        if matches!(result, Err(CommitError::Broken)) {
            self.is_broken = true;
        }
        let mut committed = result?;
        if erases {
            self.must_empty_log = true;
            self.empty_log(LOG_WAIT);
        }
        for one in &mut committed {
            one.low_room = !self.ballast.is_present();
            one.log_emptied = erases && !self.must_empty_log;
        }
        Ok(committed)
    }

    fn transact_secure(&mut self, batches: &[Batch], erases: bool) -> Result<Vec<Committed>, CommitError> {
        if !erases {
            return self.transact_once(batches);
        }
        // Erased content is overwritten with zeros in the pages it stood in, also in pages that become free.
        self.connection.execute_batch("PRAGMA secure_delete = ON")?;
        let result = self.transact_once(batches);
        self.connection.execute_batch("PRAGMA secure_delete = FAST")?;
        result
    }

    fn transact_once(&mut self, batches: &[Batch]) -> Result<Vec<Committed>, CommitError> {
        #[cfg(planted)]
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let (arrived, mut turn) = (self.arrived + 1, self.turn);
        let mut committed = Vec::with_capacity(batches.len());
        for batch in batches {
            let apply = Apply { connection: &self.connection, logs: &mut self.logs, arrived, turn: &mut turn };
            committed.push(apply.all(batch)?);
        }
        // Planted: what comes from peers is answered now and committed with the next batch.
        #[cfg(planted)]
        let is_left_open = merestone_core::planted::is("acknowledge-before-commit")
            && batches.iter().all(|batch| batch.is_refetchable && !batch.entries.is_empty());
        #[cfg(not(planted))]
        let is_left_open = false;
        if !is_left_open {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        self.arrived = arrived;
        self.turn = turn;
        self.book.follow(self.logs.take_moved());
        if batches.iter().any(Batch::touches_blobs) || committed.iter().any(|one| one.is_inside) {
            self.blob_changes.fetch_add(1, Ordering::Release);
        }
        Ok(committed)
    }

    fn must_tidy(&self) -> bool {
        let is_log_long = self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES;
        self.must_empty_log || is_log_long || !self.ballast.is_present()
    }

    /// What nobody waits for.
    fn tidy(&mut self) {
        if self.must_end.load(Ordering::Acquire) {
            return;
        }
        if self.must_empty_log {
            self.empty_log(Duration::ZERO);
        }
        if self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
            // What a reader still needs stays for the next time.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            self.log_pages.store(0, Ordering::Relaxed);
        }
        self.ballast.remake();
    }

    /// Moves the write-ahead log into the file and cuts it to nothing, unless a reader needs it for longer than `wait`.
    fn empty_log(&mut self, wait: Duration) {
        // Nothing else that the writer does waits for anybody.
        let _ = self.connection.busy_timeout(wait);
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.must_empty_log = !matches!(busy, Ok(0));
    }
}
