//! Reading what is kept beside the entries: statements, receipts, agreements, and how much there is.

use merestone_core::id::{StatementId, StoreId};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::batch::{Damaged, StatementClass};
use crate::error::ReadError;
use crate::store::{Store, Trouble};

/// How much the store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logs of which anything is held.
    pub logs: u64,
    /// Entries, siblings and those after a gap included.
    pub entries: u64,
    /// Records in the index.
    pub records: u64,
    /// Bodies neither held nor erased.
    pub bodies_missing: u64,
    /// Statements of all classes.
    pub statements: u64,
    /// Blobs held whole.
    pub blobs: u64,
    /// Bytes of these.
    pub blob_bytes: u64,
    /// Blobs wanted and not held whole.
    pub blobs_missing: u64,
    /// Bytes of these, as the entries that name them say.
    pub blob_bytes_missing: u64,
    /// Items set aside because they are damaged or lost.
    pub aside: u64,
    /// Entries displaced by lower siblings: beside each of them stands a fork.
    pub displaced: u64,
}

impl Store {
    /// The ids of all statements of a class, ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn statement_ids(&self, class: StatementClass) -> Result<Vec<StatementId>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT id FROM statement WHERE class = ?1 ORDER BY id")?;
            let rows = select.query_map([class.code()], |row| row.get(0).map(StatementId::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All statements of a class, ascending by id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn statements(&self, class: StatementClass) -> Result<Vec<(StatementId, Vec<u8>)>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT statement, id, bytes FROM statement WHERE class = ?1 ORDER BY id";
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query([class.code()])?;
            let mut statements = Vec::new();
            while let Some(row) = rows.next()? {
                statements.push(read_statement(row, class)?);
            }
            Ok(statements)
        })
    }

    /// One statement.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn statement(&self, class: StatementClass, id: StatementId) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT statement, id, bytes FROM statement WHERE class = ?1 AND id = ?2";
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query(params![class.code(), id.as_bytes()])?;
            let found = rows.next()?.map(|row| read_statement(row, class)).transpose()?;
            Ok(found.map(|(_, bytes)| bytes))
        })
    }

    /// How many statements of a class one signer has here (`statement-limit`).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn statement_count(&self, class: StatementClass, signer: &[u8; 32]) -> Result<u64, ReadError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM statement WHERE class = ?1 AND signer = ?2";
            let count = connection.prepare_cached(sql)?.query_row(params![class.code(), signer], |row| row.get(0));
            Ok(count.map(i64::cast_unsigned)?)
        })
    }

    /// The newest receipt of each other store, as (store, counter, receipt among the statements).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn receipts(&self) -> Result<Vec<(StoreId, u64, StatementId)>, ReadError> {
        self.read(|connection| {
            let mut select =
                connection.prepare_cached("SELECT holder, counter, statement FROM receipt ORDER BY holder")?;
            let rows = select.query_map([], |row| {
                let counter = row.get::<_, i64>(1)?.cast_unsigned();
                Ok((StoreId::from_bytes(row.get(0)?), counter, StatementId::from_bytes(row.get(2)?)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What was last agreed with a peer.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn agreement(&self, peer: &[u8; 32]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT value FROM agreement WHERE peer = ?1")?;
            Ok(select.query_row([peer], |row| row.get(0)).optional()?)
        })
    }

    /// How much the store holds.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn counts(&self) -> Result<Counts, ReadError> {
        self.read(|connection| {
            let number = |sql: &str| -> Result<u64, Trouble> {
                Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
            };
            Ok(Counts {
                logs: number("SELECT count(*) FROM log")?,
                entries: number("SELECT count(*) FROM entry INDEXED BY entry_by_id")?,
                records: number("SELECT count(*) FROM record_row")?,
                bodies_missing: number("SELECT count(*) FROM entry WHERE body_state = 0")?,
                statements: number("SELECT count(*) FROM statement")?,
                blobs: number("SELECT count(DISTINCT hash) FROM blob WHERE state = 1")?,
                blob_bytes: number("SELECT coalesce(sum(bytes), 0) FROM blob WHERE state = 1")?,
                blobs_missing: number("SELECT count(*) FROM blob WHERE state = 0")?,
                blob_bytes_missing: number("SELECT coalesce(sum(bytes), 0) FROM blob WHERE state = 0")?,
                aside: number("SELECT count(*) FROM aside WHERE reason <> 2")?,
                displaced: number("SELECT count(*) FROM aside WHERE reason = 2")?,
            })
        })
    }
}

fn read_statement(row: &Row<'_>, class: StatementClass) -> Result<(StatementId, Vec<u8>), Trouble> {
    let damaged = |number| Trouble::Row(Damaged::Statement { row: number });
    let number = row.get(0)?;
    let id = StatementId::from_bytes(row.get(1).map_err(|_| damaged(number))?);
    let bytes: Vec<u8> = row.get(2).map_err(|_| damaged(number))?;
    if class.id_of(&bytes) == id { Ok((id, bytes)) } else { Err(damaged(number)) }
}
