//! The handle to an open store.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use merestone_core::id::{MissionId, StoreId};
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use crate::batch::{Batch, Committed, Damaged, Internal};
use crate::book::Book;
use crate::error::{CommitError, OpenError, ReadError};
use crate::folder::{self, Folder};
use crate::gate::Gate;
use crate::readers::Readers;
use crate::schema;
use crate::writer::{Desk, Writer};

pub(crate) const MISSION: &str = "store/mission";
pub(crate) const STORE: &str = "store/id";

/// The key of a store's encryption at rest.
///
/// Taken from day one so that no caller has to change, and **not used yet**: encryption at rest is a property of the store
/// format that comes next. Until then whoever reads the disk reads what is stored in clear.
pub struct StoreKey {
    _bytes: Zeroizing<[u8; 32]>,
}

impl StoreKey {
    /// Another handle to the key, for whoever opens the store again.
    #[must_use]
    pub fn share(&self) -> Self {
        Self { _bytes: self._bytes.clone() }
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { _bytes: Zeroizing::new(bytes) }
    }
}

/// Shows nothing of the key.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey")
    }
}

/// Whose store this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The mission of everything in it.
    pub mission: MissionId,
    /// The store itself: random, chosen by the caller, new after a restore from a copy.
    pub store: StoreId,
}

/// On whose threads a store works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// A thread of its own commits what waits, many batches with one flush, and tidies up when nobody waits.
    #[default]
    Own,
    /// Its callers' alone: each commit is made, and tidied up after, before its call returns, in the order of the calls.
    /// For simulations, which must replay exactly, and for processes that may start no threads.
    Caller,
}

/// An open store. Shared between threads by reference; dropping it flushes, closes and unlocks, and
/// [`close`](Self::close) does so while others still hold it.
///
/// Every call blocks on the disk: async callers use a blocking thread, or [`commit_then`](Self::commit_then).
pub struct Store {
    pub(crate) folder: Folder,
    pub(crate) desk: Arc<Desk>,
    /// `None` where the callers' threads do its work.
    pub(crate) thread: Option<JoinHandle<()>>,
    pub(crate) readers: Readers,
    pub(crate) gate: Gate,
    /// Shared with the writer.
    pub(crate) book: Arc<Book>,
    /// Held while a blob's file changes its place.
    pub(crate) moving: Mutex<()>,
    /// `None` once everything is closed.
    pub(crate) lock: Mutex<Option<folder::Lock>>,
}

impl Store {
    /// Makes an empty store at `path`, a folder that is made if it is missing, and opens it.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::AlreadyOpen`], [`OpenError::Foreign`] for a folder with another database in it;
    /// or the disk refuses.
    pub fn create(path: &Path, key: StoreKey, identity: Identity) -> Result<Self, OpenError> {
        Self::create_with(path, key, identity, Threads::Own)
    }

    /// As [`create`](Self::create), on these threads.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(path: &Path, _key: StoreKey, identity: Identity, threads: Threads) -> Result<Self, OpenError> {
        let folder = Folder::new(path);
        if schema::inspect(&folder.database())? && !Self::is_unfinished(&folder)? {
            return Err(OpenError::Exists { path: path.to_owned() });
        }
        folder.make().map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let lock = folder.lock()?;
        let connection = schema::create(&folder.database(), |connection| {
            let mut insert = connection.prepare("INSERT INTO setting (name, value) VALUES (?1, ?2)")?;
            insert.execute(params![MISSION, identity.mission.as_bytes()])?;
            insert.execute(params![STORE, identity.store.as_bytes()])?;
            Ok(())
        })?;
        folder::flush_folder(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        folder.settle_name();
        Self::start(folder, lock, connection, threads)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// [`OpenError`]; whatever it is, nothing was deleted, and a foreign or newer file was not touched.
    pub fn open(path: &Path, key: StoreKey) -> Result<Self, OpenError> {
        Self::open_with(path, key, Threads::Own)
    }

    /// As [`open`](Self::open), on these threads.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: &Path, _key: StoreKey, threads: Threads) -> Result<Self, OpenError> {
        let folder = Folder::new(path);
        if !schema::inspect(&folder.database())? {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        let lock = folder.lock()?;
        // A process that was killed between writing and flushing leaves commits that look durable. They must be so before
        // anybody is shown or sent them: after a power cut the device would sign their numbers again.
        let settled = folder.settle_database().and_then(|()| folder.make());
        settled.map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let Some(connection) = schema::open(&folder.database())? else {
            return Err(OpenError::Missing { path: path.to_owned() });
        };
        Self::start(folder, lock, connection, threads)
    }

    /// Makes a batch durable: when this returns it survives a power cut.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the batch was kept.
    pub fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        batch.check_lengths()?;
        self.desk.commit(batch)
    }

    /// Queues a batch and calls `done`, on the writer's thread, once it is durable or refused. Batches are committed in
    /// the order in which they are queued; several that wait are committed in one transaction.
    /// With [`Threads::Caller`] it is committed, and `done` called, before this returns.
    ///
    /// Blocks while the queue is full. `done` must be quick and must not call the store.
    ///
    /// # Errors
    /// Without calling `done`: part of the batch is too long, or the store is closed.
    pub fn commit_then(
        &self,
        batch: Batch,
        done: impl FnOnce(Result<Committed, CommitError>) + Send + 'static,
    ) -> Result<(), CommitError> {
        batch.check_lengths()?;
        self.desk.commit_then(batch, Box::new(done))
    }

    /// Whether nobody [closed](Self::close) it.
    pub fn is_open(&self) -> bool {
        self.gate.check().is_ok()
    }

    /// Whose store this is.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn identity(&self) -> Result<Identity, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
            let mission = select.query_row([MISSION], |row| row.get(0)).map(MissionId::from_bytes)?;
            let store = select.query_row([STORE], |row| row.get(0)).map(StoreId::from_bytes)?;
            Ok(Identity { mission, store })
        })
    }

    /// What is kept under `name`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
            Ok(select.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    /// How many commits since the opening may have changed what [`blob_census`](Self::blob_census) says: who asks this
    /// before a census need not ask for the census again until it says something else.
    pub fn blob_changes(&self) -> u64 {
        self.desk.blob_changes()
    }

    /// How much room is left. Also asked of a closed store.
    pub fn room(&self) -> Room {
        let has_ballast = self.folder.ballast().exists();
        Room { free_bytes: folder::free_bytes(self.folder.root()), low_room: !has_ballast }
    }

    /// Runs a read on a connection of its own. A damaged row that it meets is set aside, and the read begins again without it.
    pub(crate) fn read<T>(&self, look: impl Fn(&Connection) -> Result<T, Trouble>) -> Result<T, ReadError> {
        let lent = self.readers.lend(&self.gate)?;
        let connection = lent.connection()?;
        let mut set_aside = None;
        loop {
            // One transaction: all statements of a read see the same commit.
            match connection.unchecked_transaction().map_err(Trouble::Sql).and_then(|seen| look(&seen)) {
                Ok(found) => return Ok(found),
                Err(Trouble::Sql(error)) => return Err(error.into()),
                // The structure of the file is damaged, not the row alone: a scan meets it and a search by its key does not.
                Err(Trouble::Row(damaged)) if set_aside.as_ref() == Some(&damaged) => return Err(ReadError::Damaged),
                Err(Trouble::Row(damaged)) => {
                    let mut batch = Batch::new();
                    batch.internal(Internal::Damaged(damaged.clone()));
                    self.commit(batch).map_err(ReadError::set_aside)?;
                    set_aside = Some(damaged);
                }
            }
        }
    }

    fn start(folder: Folder, lock: folder::Lock, connection: Connection, threads: Threads) -> Result<Self, OpenError> {
        let database = folder.database();
        let book = Arc::new(Book::default());
        let writer = Writer::new(connection, folder.clone(), Arc::clone(&book))
            .map_err(|error| schema::open_error(&database, error))?;
        let desk = Arc::new(Desk::new(writer, threads));
        let thread = match threads {
            Threads::Own => {
                let at_work = Arc::clone(&desk);
                let thread = thread::Builder::new().name("merestone-store".into()).spawn(move || at_work.run());
                Some(thread.map_err(|source| OpenError::Io { path: database, source })?)
            }
            Threads::Caller => None,
        };
        let readers = Readers::new(folder.database());
        let (gate, moving, lock) = (Gate::default(), Mutex::new(()), Mutex::new(Some(lock)));
        let store = Self { folder, desk, thread, readers, gate, book, moving, lock };
        store.sweep();
        // A page that cannot be read is found by whoever reads it; a row that cannot be mended would be believed.
        if let Err(ReadError::SetAside(error)) = store.mend_rows() {
            return Err(OpenError::Io { path: store.folder.database(), source: std::io::Error::other(error) });
        }
        Ok(store)
    }

    fn is_unfinished(folder: &Folder) -> Result<bool, OpenError> {
        let _lock = folder.lock()?;
        Ok(schema::open(&folder.database())?.is_none())
    }
}

/// Room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes still free for this process; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// The ballast had to be given up and there is no room yet to make it again.
    pub low_room: bool,
}

/// A number of rows as SQLite takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Why a read did not end.
pub(crate) enum Trouble {
    Sql(rusqlite::Error),
    Row(Damaged),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder.root()).finish_non_exhaustive()
    }
}

impl Store {
    /// Finishes what a kill interrupted: unfinished copies are removed (nobody was told of them),
    /// and files of erased blobs. What cannot be removed now is tried again at the next opening.
    fn sweep(&self) {
        let Ok(files) = fs::read_dir(self.folder.partial()) else { return };
        for file in files.flatten() {
            let path = file.path();
            let is_over = match path.extension().and_then(|extension| extension.to_str()) {
                Some("tmp") => true,
                // Chunk hashes of a file that is whole or gone.
                Some("chunks") => !path.with_extension("").exists(),
                _ => false,
            };
            if is_over {
                let _ = fs::remove_file(path);
            }
        }
        let _ = self.remove_erased();
    }
}
