//! The one thread that writes.
//!
//! Batches that wait are committed in one transaction, so that many callers share one flush; each is answered after it.
//! If a transaction with several batches fails, each batch is tried alone: one bad batch fails alone.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rusqlite::Connection;

use crate::apply::Apply;
use crate::ballast::Ballast;
use crate::batch::{Batch, Committed};
use crate::error::CommitError;
use crate::folder::Folder;
use crate::logs::Logs;

/// Batches that may wait: enough for every screen and peer at once, few enough that memory stays bounded.
pub(crate) const QUEUE_JOBS: usize = 64;

/// Bytes that one transaction takes on, roughly: its pages stay in the cache.
const GROUP_BYTES: usize = 8 << 20;

/// Pages in the write-ahead log at which they are moved into the file (8 MiB): about 400 saves, so that it is
/// rarer than one save in a hundred and still quick.
const CHECKPOINT_PAGES: u32 = 2_048;

/// How long emptying the log waits for readers: longer than any page takes to read, shorter than a person notices.
const LOG_WAIT: Duration = Duration::from_millis(200);

/// A batch and whom to tell.
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) done: Box<dyn FnOnce(Result<Committed, CommitError>) + Send>,
}

pub(crate) struct Writer {
    connection: Connection,
    ballast: Ballast,
    logs: Logs,
    /// Number of the newest commit that brought entries.
    arrived: i64,
    /// Newest turn in the queue of stale records.
    turn: i64,
    /// Pages in the write-ahead log after the newest commit.
    log_pages: Arc<AtomicU32>,
    /// A flush failed.
    is_broken: bool,
    /// Something was erased and may still stand in the write-ahead log.
    must_empty_log: bool,
}

impl Writer {
    pub(crate) fn new(mut connection: Connection, folder: Folder) -> rusqlite::Result<Self> {
        let log_pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&log_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        let arrived = connection.query_row("SELECT coalesce(max(arrived), 0) FROM log", [], |row| row.get(0))?;
        let turn = connection.query_row("SELECT coalesce(max(turn), 0) FROM stale", [], |row| row.get(0))?;
        // Only emptying the log waits for anybody (readers), and it is tried again after the next commit.
        connection.busy_timeout(LOG_WAIT)?;
        // A kill may have left a log with content that was erased since.
        let must_empty_log = fs::metadata(folder.database_log()).is_ok_and(|log| log.len() > 0);
        let ballast = Ballast::find(&folder);
        let logs = Logs::default();
        Ok(Self { connection, ballast, logs, arrived, turn, log_pages, is_broken: false, must_empty_log })
    }

    /// Works until every sender is gone.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut weight = first.batch.weight();
            let mut group = vec![first];
            while weight < GROUP_BYTES
                && let Ok(next) = jobs.try_recv()
            {
                weight += next.batch.weight();
                group.push(next);
            }
            for (job, result) in self.commit(group) {
                job(result);
            }
            self.tidy();
        }
    }

    #[allow(clippy::type_complexity, reason = "the callers' closures, each with its answer")]
    fn commit(
        &mut self,
        group: Vec<Job>,
    ) -> Vec<(Box<dyn FnOnce(Result<Committed, CommitError>) + Send>, Result<Committed, CommitError>)> {
        let (batches, callers): (Vec<Batch>, Vec<_>) = group.into_iter().map(|job| (job.batch, job.done)).unzip();
        let results = match batches.as_slice() {
            [one] => vec![self.commit_alone(one)],
            many => match self.transact(many) {
                Ok(committed) => committed.into_iter().map(Ok).collect(),
                Err(_) => many.iter().map(|batch| self.commit_alone(batch)).collect(),
            },
        };
        callers.into_iter().zip(results).collect()
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
        let erases = batches.iter().any(Batch::erases);
        let result = self.transact_secure(batches, erases);
        if result.is_err() {
            self.logs.clear();
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
            self.empty_log();
        }
        for one in &mut committed {
            one.low_room = !self.ballast.is_present();
            one.log_emptied = !self.must_empty_log;
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
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let (arrived, mut turn) = (self.arrived + 1, self.turn);
        let mut committed = Vec::with_capacity(batches.len());
        for batch in batches {
            let apply = Apply { connection: &self.connection, logs: &mut self.logs, arrived, turn: &mut turn };
            committed.push(apply.all(batch)?);
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.arrived = arrived;
        self.turn = turn;
        Ok(committed)
    }

    /// What nobody waits for.
    fn tidy(&mut self) {
        if self.must_empty_log {
            self.empty_log();
        }
        if self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES {
            // What a reader still needs stays for the next time.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            self.log_pages.store(0, Ordering::Relaxed);
        }
        self.ballast.remake();
    }

    fn empty_log(&mut self) {
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.must_empty_log = !matches!(busy, Ok(0));
    }
}
