//! Rows committed by SQLite alone, and files flushed by the system alone.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use rusqlite::{Connection, params};

use crate::corpus::BATCH;
use crate::timing::time_ms;

/// Rows of one measurement: a tenth of a second.
const ROWS: usize = 10_240;

/// Bytes of one row, roughly those of an entry of 30 answers.
const ROW_BYTES: usize = 900;

/// Rows that SQLite commits in a second, [`BATCH`] with one flush (WAL, FULL), in a new database in `folder`.
///
/// # Panics
/// If the folder takes no database.
pub fn rows_per_s(folder: &Path) -> f64 {
    let path = folder.join("floor.db");
    let connection = Connection::open(&path).expect("a new database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE entry (entry INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;",
        )
        .expect("a new table");
    let ids: Vec<[u8; 32]> = (0..ROWS).map(|row| merestone_core::id::sha256(&[&row.to_be_bytes()])).collect();
    let (ms, ()) = time_ms(|| {
        for page in ids.chunks(BATCH) {
            connection.execute_batch("BEGIN").expect("no transaction is open");
            let mut insert =
                connection.prepare_cached("INSERT INTO entry (id, bytes) VALUES (?1, ?2)").expect("the table above");
            for id in page {
                insert.execute(params![id, [0x5a_u8; ROW_BYTES]]).expect("room on the disk");
            }
            connection.execute_batch("COMMIT").expect("room on the disk");
        }
    });
    drop(connection);
    for end in ["", "-wal", "-shm"] {
        // The log and its index are gone when the database was closed well.
        let _ = fs::remove_file(folder.join(format!("floor.db{end}")));
    }
    ROWS as f64 / ms * 1e3
}

/// Megabytes a second written to `count` new files of `bytes` bytes each in `folder`, each flushed once.
///
/// # Panics
/// If the folder takes no files.
pub fn files_mb_per_s(folder: &Path, count: usize, bytes: usize) -> f64 {
    let content = vec![0x5a_u8; bytes];
    let path = folder.join("floor.bin");
    let (ms, ()) = time_ms(|| {
        for _ in 0..count {
            let mut file = File::create(&path).expect("a new file");
            file.write_all(&content).expect("room on the disk");
            file.sync_data().expect("a disk that flushes");
        }
    });
    fs::remove_file(&path).expect("our own file");
    (count * bytes) as f64 / ms / 1e3
}
