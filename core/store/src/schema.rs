//! The database file: how it is opened, which version it has, and how it gets there.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Fault, OpenError, fault};

/// Written into the file, so that a database of something else is told apart: "MERE".
const APPLICATION_ID: i32 = 0x4d45_5245;

/// Each changes one thing and is never edited once a release wrote a store with it.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001-settings.sql"),
    include_str!("migrations/0002-statements.sql"),
    include_str!("migrations/0003-entries.sql"),
    include_str!("migrations/0004-drafts.sql"),
    include_str!("migrations/0005-blobs.sql"),
    include_str!("migrations/0006-peers.sql"),
    include_str!("migrations/0007-index.sql"),
    include_str!("migrations/0008-aside.sql"),
    include_str!("migrations/0009-ledger.sql"),
    include_str!("migrations/0010-agreements.sql"),
    include_str!("migrations/0011-wanted.sql"),
    include_str!("migrations/0012-ledger-nodes.sql"),
    include_str!("migrations/0013-saved.sql"),
];

/// The newest format that this program knows.
#[allow(clippy::cast_possible_truncation, reason = "there are a few of them")]
pub(crate) const FORMAT: u32 = MIGRATIONS.len() as u32;

/// What a connection that writes needs beyond what every connection needs.
const WRITER_PRAGMAS: &str = "
    -- A commit appends to the log instead of rewriting pages in place: one flush for each commit, readers go on.
    PRAGMA journal_mode = WAL;
    -- Saved means saved: with NORMAL a power cut rolls the last commits back.
    PRAGMA synchronous = FULL;
    -- On Apple systems an ordinary flush stops at the drive's cache.
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    -- A name of a blob without its blob would be a bug of ours.
    PRAGMA foreign_keys = ON;
    -- The writer checkpoints itself after it has answered, so that no save waits for it.
    PRAGMA wal_autocheckpoint = 0;
    -- After a bulk import the log shrinks again to this (32 MiB).
    PRAGMA journal_size_limit = 33554432;
    -- Removed content is zeroed where its page is written anyway; erasure turns this up to ON for its own commit.
    PRAGMA secure_delete = FAST;
    -- Inner pages of the indexes of a store of 1,000,000 entries, and the leaves in use (16 MiB).
    PRAGMA cache_size = -16384;
";

/// What every connection needs.
const COMMON_PRAGMAS: &str = "
    -- Mapped, a file that is cut short under us would end the process by a signal; read, it is an error.
    PRAGMA mmap_size = 0;
    -- No temporary files: they would hold clear text outside the folder.
    PRAGMA temp_store = MEMORY;
    -- The schema of a damaged or hostile file calls no functions.
    PRAGMA trusted_schema = OFF;
    -- Damage inside a page is found when the page is read, not when it is followed.
    PRAGMA cell_size_check = ON;
";

/// Reads the first bytes of a database file, before anything else touches it.
///
/// `Ok(false)`: there is no database yet (no file, or an empty one).
pub(crate) fn inspect(path: &Path) -> Result<bool, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io(error)),
    };
    let mut head = Vec::with_capacity(100);
    file.by_ref().take(100).read_to_end(&mut head).map_err(io)?;
    if head.is_empty() {
        return Ok(false);
    }
    // https://www.sqlite.org/fileformat.html, The Database Header.
    let number = |at: usize| head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    let (Some(format), Some(application), true) = (number(60), number(68), head.starts_with(b"SQLite format 3\0"))
    else {
        return Err(OpenError::Foreign { path: path.to_owned() });
    };
    if format == 0 && application == 0 {
        // Either a creation was interrupted, or it belongs to somebody else: SQLite will tell.
        return Ok(true);
    }
    check_version(path, application.cast_signed(), format)?;
    Ok(true)
}

/// Whether a database file says that it belongs to another program. A file that is missing or no database says nothing.
pub(crate) fn is_of_another_program(path: &Path) -> std::io::Result<bool> {
    match inspect(path) {
        Ok(_) | Err(OpenError::Newer { .. }) => Ok(false),
        Err(OpenError::Foreign { .. }) => {
            let mut head = [0; 16];
            let is_database = File::open(path)?.read(&mut head)? == head.len() && head == *b"SQLite format 3\0";
            Ok(is_database)
        }
        Err(OpenError::Io { path: _, source }) => Err(source),
        Err(error) => Err(std::io::Error::other(error)),
    }
}

fn check_version(path: &Path, application: i32, format: u32) -> Result<(), OpenError> {
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if format > FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    Ok(())
}

/// A fresh database, or the remains of a creation that was interrupted.
pub(crate) fn create(
    path: &Path,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<Connection, OpenError> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let (application, format, tables) = versions(&connection).map_err(|error| open_error(path, error))?;
    if application != 0 || format != 0 || tables != 0 {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    (|| {
        // One page is one block of flash and of most file systems: no commit tears another's page.
        connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;")?;
        connection.execute_batch(WRITER_PRAGMAS)?;
        migrate(&mut connection, 0, fill)
    })()
    .map_err(|error| open_error(path, error))?;
    Ok(connection)
}

/// The connection that writes, brought to the newest format.
///
/// `Ok(None)`: the creation of this store was never finished.
pub(crate) fn open(path: &Path) -> Result<Option<Connection>, OpenError> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let (application, format, tables) = versions(&connection).map_err(|error| open_error(path, error))?;
    if application == 0 && format == 0 && tables == 0 {
        return Ok(None);
    }
    check_version(path, application, format)?;
    (|| {
        connection.execute_batch(WRITER_PRAGMAS)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        migrate(&mut connection, format, |_| Ok(()))
    })()
    .map_err(|error| open_error(path, error))?;
    Ok(Some(connection))
}

/// A connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(COMMON_PRAGMAS)?;
    // A page of a list and the inner pages above it; each of the few readers has its own (4 MiB).
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096;")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    (|| {
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // Until the version is known, closing must not move pages from the log into the file.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch(COMMON_PRAGMAS)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    })()
    .map_err(|error| open_error(path, error))
}

fn versions(connection: &Connection) -> rusqlite::Result<(i32, u32, u32)> {
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let format = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, format, tables))
}

/// Applies what is missing above `format`, all of it or nothing.
fn migrate(
    connection: &mut Connection,
    format: u32,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    if format == FORMAT {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in &MIGRATIONS[format as usize..] {
        transaction.execute_batch(migration)?;
    }
    fill(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    // The version must stand in the file itself: an older program reads it there before it touches anything.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

pub(crate) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match fault(&error) {
        Fault::Foreign => OpenError::Foreign { path },
        Fault::Full => OpenError::Full { path },
        Fault::Damaged => OpenError::Damaged { path, source: Box::new(without_words(error)) },
        Fault::Flush | Fault::Closed | Fault::Other => OpenError::Io { path, source: std::io::Error::other(error) },
    }
}

/// SQLite's code without its sentence, which quotes what stands in a damaged file: names, texts, control characters.
fn without_words(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. } => {
            rusqlite::Error::SqliteFailure(error, None)
        }
        other => other,
    }
}
