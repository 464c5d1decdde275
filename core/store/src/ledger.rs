//! The leaves of a ledger that this store sequences, and how far each log has been admitted.
//!
//! What a leaf says, its hash and the tree over all of them are made elsewhere; here a leaf is bytes at a number.

use std::collections::HashMap;

use merestone_core::id::{LogId, StatementId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::batch::StatementClass;
use crate::error::{CommitError, ReadError};
use crate::store::{Store, limit};
use crate::tips::LogTip;

/// Most nodes read at once.
pub const PAGE_NODES_MAX: usize = 65_536;

const SEQ_BITS: u32 = 20;

/// Most leaves read at once.
pub const PAGE_LEAVES_MAX: usize = 65_536;

/// Leaves to append to the ledger, all of them or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerAppend {
    /// The number of the first of them: as many as the ledger has already.
    pub first: u64,
    /// The leaves in order.
    pub leaves: Vec<NewLeaf>,
    /// What they complete: the hash over each tile that is full by them.
    pub nodes: Vec<LedgerNode>,
    /// How far logs are admitted after this.
    pub admitted: Vec<AdmittedLog>,
}

/// The hash over a full tile, in the row above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerNode {
    /// The level of the row in which it stands: at least 1.
    pub level: u8,
    /// Its number in the row.
    pub place: u64,
    /// The hash.
    pub hash: [u8; 32],
}

/// One leaf to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLeaf {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is about.
    pub about: LeafOf,
}

/// What a leaf is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafOf {
    /// An entry.
    Entry {
        /// Its log, which is held.
        log: LogId,
        /// Its place in it.
        seq: u64,
    },
    /// A statement.
    Statement(StatementId),
    /// Anything else.
    Other,
}

/// How far a log is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmittedLog {
    /// The log, which is held.
    pub log: LogId,
    /// All of its main branch below this seq is in the ledger.
    pub admitted: u64,
    /// The siblings in the ledger, as [`LogTip::branches`] had them.
    pub branches: Option<[u8; 32]>,
}

/// A log of which something is not in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsequenced {
    /// The log as it is now.
    pub tip: LogTip,
    /// All of its main branch below this seq is in the ledger.
    pub admitted: u64,
    /// Something is beside its main branch that was not, or not the same, when it was last admitted.
    pub has_new_branches: bool,
}

impl Store {
    /// Number of leaves.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_size(&self) -> Result<u64, ReadError> {
        self.read(|connection| {
            let sql = "SELECT coalesce(max(leaf) + 1, 0) FROM ledger_leaf";
            Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
        })
    }

    /// The bytes of leaves from number `from` on; at most `leaves_max` (not above [`PAGE_LEAVES_MAX`]).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_leaves(&self, from: u64, leaves_max: usize) -> Result<Vec<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT bytes FROM ledger_leaf WHERE leaf >= ?1 ORDER BY leaf LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let rows =
                select.query_map([from.cast_signed(), limit(leaves_max.min(PAGE_LEAVES_MAX))], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The hashes of a row of tiles from number `from` on; at most `nodes_max` (not above [`PAGE_NODES_MAX`]), and none after a
    /// number that is not there. Rows begin at level 1.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_nodes(&self, level: u8, from: u64, nodes_max: usize) -> Result<Vec<[u8; 32]>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT place, hash FROM ledger_node WHERE level = ?1 AND place >= ?2 ORDER BY place LIMIT ?3";
            let mut select = connection.prepare_cached(sql)?;
            let page = limit(nodes_max.min(PAGE_NODES_MAX));
            let rows = select.query_map(params![level, from.cast_signed(), page], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
            })?;
            let mut hashes = Vec::new();
            for (row, wanted) in rows.zip(from..) {
                let (place, hash) = row?;
                if place != wanted {
                    break;
                }
                hashes.push(hash);
            }
            Ok(hashes)
        })
    }

    /// The number of the leaf that is this statement, if it is in the ledger.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_statement(&self, id: StatementId) -> Result<Option<u64>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT leaf FROM ledger_statement WHERE id = ?1";
            let found: Option<i64> =
                connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
            Ok(found.map(i64::cast_unsigned))
        })
    }

    /// The bytes of the leaves about entries of a log from seq `from` on.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_leaves_of(&self, log: LogId, from: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let Some(number) = log_number(connection, log)? else { return Ok(Vec::new()) };
            let sql = "SELECT bytes FROM ledger_leaf WHERE place >= ?1 AND place < ?2 ORDER BY place, leaf";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([place(number, from), place(number + 1, 0)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Number and bytes of the leaves about entries of a log from seq `from` on, among the first `size` leaves; ascending by
    /// seq.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_places_of(&self, log: LogId, from: u64, size: u64) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        let sql =
            "SELECT leaf, bytes FROM ledger_leaf WHERE place >= ?1 AND place < ?2 AND leaf < ?3 ORDER BY place, leaf";
        self.places(log, from, size, sql)
    }

    /// Number and bytes of the leaf about the entry of a log with the highest seq, among the first `size` leaves.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ledger_last_of(&self, log: LogId, size: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let sql = "SELECT leaf, bytes FROM ledger_leaf WHERE place >= ?1 AND place < ?2 AND leaf < ?3
                   ORDER BY place DESC LIMIT 1";
        Ok(self.places(log, 0, size, sql)?.pop())
    }

    fn places(&self, log: LogId, from: u64, size: u64, sql: &str) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        self.read(|connection| {
            let Some(number) = log_number(connection, log)? else { return Ok(Vec::new()) };
            let mut select = connection.prepare_cached(sql)?;
            let range = params![place(number, from), place(number + 1, 0), size.cast_signed()];
            let rows = select.query_map(range, |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Logs of which something is not in the ledger, ascending by log.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn unsequenced_logs(&self) -> Result<Vec<Unsequenced>, ReadError> {
        let admitted = self.read(|connection| {
            let sql = "SELECT l.id, g.admitted, g.branches FROM ledger_log g CROSS JOIN log l ON l.log = g.log";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([], |row| {
                let admitted = row.get::<_, i64>(1)?.cast_unsigned();
                Ok((LogId::from_bytes(row.get(0)?), (admitted, row.get::<_, Option<[u8; 32]>>(2)?)))
            })?;
            Ok(rows.collect::<Result<HashMap<_, _>, _>>()?)
        })?;
        let unsequenced = |tip: &LogTip| {
            let (admitted, branches) = admitted.get(&tip.log).copied().unwrap_or_default();
            let has_new_branches = tip.branches != branches;
            let is_open = tip.height > admitted || has_new_branches;
            is_open.then_some(Unsequenced { tip: *tip, admitted, has_new_branches })
        };
        self.all_tips(|tips| tips.after(None, None).filter_map(unsequenced).collect())
    }

    /// Statements of a class that are not in the ledger, ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn unsequenced_statements(&self, class: StatementClass) -> Result<Vec<StatementId>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT id FROM statement WHERE class = ?1
                       AND NOT EXISTS (SELECT 1 FROM ledger_statement g WHERE g.id = statement.id) ORDER BY id";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([class.code()], |row| row.get(0).map(StatementId::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Writes the leaves of an append inside a transaction. A ledger of another length than expected refuses them.
pub(crate) fn append(connection: &Connection, append: &LedgerAppend) -> Result<(), CommitError> {
    let LedgerAppend { first, leaves, nodes, admitted } = append;
    let size: i64 = connection
        .prepare_cached("SELECT coalesce(max(leaf) + 1, 0) FROM ledger_leaf")?
        .query_row([], |row| row.get(0))?;
    if size.cast_unsigned() != *first {
        return Err(CommitError::Ledger { first: *first, size: size.cast_unsigned() });
    }
    let mut number: Option<(LogId, Option<i64>)> = None;
    let mut insert = connection.prepare_cached("INSERT INTO ledger_leaf (leaf, bytes, place) VALUES (?1, ?2, ?3)")?;
    for (leaf, NewLeaf { bytes, about }) in (size..).zip(leaves) {
        let place = match about {
            LeafOf::Entry { log, seq } => {
                let held = match number {
                    Some((last, held)) if last == *log => held,
                    _ => log_number(connection, *log)?,
                };
                number = Some((*log, held));
                held.map(|held| place(held, *seq))
            }
            LeafOf::Statement(id) => {
                let sql = "INSERT INTO ledger_statement (id, leaf) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                connection.prepare_cached(sql)?.execute(params![id.as_bytes(), leaf])?;
                None
            }
            LeafOf::Other => None,
        };
        insert.execute(params![leaf, bytes, place])?;
    }
    for LedgerNode { level, place, hash } in nodes {
        let sql =
            "INSERT INTO ledger_node (level, place, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET hash = ?3";
        connection.prepare_cached(sql)?.execute(params![level, place.cast_signed(), hash])?;
    }
    for AdmittedLog { log, admitted, branches } in admitted {
        let sql = "INSERT INTO ledger_log (log, admitted, branches) SELECT log, ?2, ?3 FROM log WHERE id = ?1
                   ON CONFLICT (log) DO UPDATE SET admitted = ?2, branches = ?3";
        connection.prepare_cached(sql)?.execute(params![log.as_bytes(), admitted.cast_signed(), branches])?;
    }
    Ok(())
}

fn place(log: i64, seq: u64) -> i64 {
    (log << SEQ_BITS) | seq.cast_signed()
}

fn log_number(connection: &Connection, log: LogId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT log FROM log WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([log.as_bytes()], |row| row.get(0)).optional()
}
