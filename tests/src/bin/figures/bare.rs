//! The least that a durable save can cost: one row, one commit, SQLite alone.

use std::path::Path;

use rusqlite::{Connection, params};

/// A database with one table and nothing else, with the same durability as the store.
pub(crate) struct Bare {
    connection: Connection,
}

impl Bare {
    pub(crate) fn create(path: &Path) -> Self {
        let connection = Connection::open(path).expect("a new database");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE entry (entry INTEGER PRIMARY KEY, header BLOB NOT NULL, body BLOB NOT NULL) STRICT;",
            )
            .expect("a new table");
        Self { connection }
    }

    /// Commits many rows at once.
    pub(crate) fn fill<'a>(&self, rows: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
        self.connection.execute_batch("BEGIN").expect("no transaction is open");
        rows.for_each(|(header, body)| self.commit(header, body));
        self.connection.execute_batch("COMMIT").expect("room on the disk");
    }

    /// Commits one row.
    pub(crate) fn commit(&self, header: &[u8], body: &[u8]) {
        let sql = "INSERT INTO entry (header, body) VALUES (?1, ?2)";
        self.connection
            .prepare_cached(sql)
            .expect("the table above")
            .execute(params![header, body])
            .expect("room on the disk");
    }
}
