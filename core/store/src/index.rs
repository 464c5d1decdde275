//! The index: what lists and searches show of records. A cache that the room above writes, lazily, and the store keeps.
//!
//! A save writes nothing for the index: new entries stand at the ends of their logs, and each log knows how far the index has
//! seen it. What changes below that end is noted in a queue. Whoever shows lists asks for the stale records, builds their rows
//! from the entries and commits them together with "indexed through". A save that comes in between stands behind that mark.

use std::collections::HashSet;
use std::fmt;

use merestone_core::id::{LogId, RecordId, ScopeId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::ReadError;
use crate::fold::{fold, query};
use crate::store::{Store, limit};
use crate::tips::seq_of;

/// What a list shows of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The record.
    pub record: RecordId,
    /// Its scope.
    pub scope: ScopeId,
    /// Its kind, as the form names it.
    pub kind: String,
    /// Bits to filter by; their meaning is the caller's.
    pub flags: u32,
    /// Sort key of lists, greatest first.
    pub updated: i64,
    /// One line about it.
    pub title: String,
    /// Whatever else a list shows; the store does not read it.
    pub status: String,
    /// All words by which it is found; not returned by lists.
    pub text: String,
}

/// How far a page of stale records went; it means something only to the open store that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleTurn {
    /// Last turn in the queue.
    pub(crate) turn: i64,
    /// Ends of logs: entries below the seq are in the page.
    pub(crate) logs: Vec<(LogId, u64)>,
}

/// Records whose rows are older than their entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The records, each once.
    pub records: Vec<RecordId>,
    /// Commit this with their rows.
    pub through: StaleTurn,
}

/// Which rows to show. The default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this scope.
    pub scope: Option<ScopeId>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only rows that have all these flags.
    pub flags_set: u32,
    /// Only rows that have none of these flags.
    pub flags_clear: u32,
}

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageKey {
    updated: i64,
    row: i64,
}

impl PageKey {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() == 32;
        let key = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()?.to_be_bytes();
        let (updated, row) = key.split_at(8);
        let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
        Some(Self { updated: number(updated)?, row: number(row)? })
    }
}

/// For programs that keep it as text between two pages: 32 hex digits.
impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.updated, self.row)
    }
}

/// Some rows, and where the next ones begin; `None` after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPage {
    /// The rows; their `text` is empty.
    pub rows: Vec<IndexRow>,
    /// The next page.
    pub next: Option<PageKey>,
}

/// Most rows in one page.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Most changes read at once when asking for stale records.
pub const STALE_MAX: usize = 4_096;

impl Store {
    /// The records of up to `changes_max` (at most [`STALE_MAX`]) changes that the index has not seen;
    /// `None` when it is up to date.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stale_records(&self, changes_max: usize) -> Result<Option<Stale>, ReadError> {
        let changes_max = limit(changes_max.min(STALE_MAX));
        self.read(|connection| {
            let mut seen = HashSet::new();
            let (mut records, mut changes) = (Vec::new(), 0);
            let mut through = StaleTurn { turn: 0, logs: Vec::new() };
            let mut note = |record| {
                let record = RecordId::from_bytes(record);
                if seen.insert(record) {
                    records.push(record);
                }
            };
            let mut select = connection.prepare_cached("SELECT turn, record FROM stale ORDER BY turn LIMIT ?1")?;
            let mut rows = select.query([changes_max])?;
            while let Some(row) = rows.next()? {
                through.turn = row.get(0)?;
                note(row.get(1)?);
                changes += 1;
            }
            // Log by log and within each by position; LIMIT ends the walk.
            let sql = "SELECT l.id, e.position, coalesce(e.record, e.id) FROM log l CROSS JOIN entry e
                       ON e.position >= (l.log << 23) | (l.indexed << 3) AND e.position < (l.log + 1) << 23
                       ORDER BY l.log, e.position LIMIT ?1";
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query([changes_max - changes])?;
            while let Some(row) = rows.next()? {
                let (log, end) = (LogId::from_bytes(row.get(0)?), seq_of(row.get(1)?) + 1);
                note(row.get(2)?);
                changes += 1;
                match through.logs.last_mut().filter(|(last, _)| *last == log) {
                    Some((_, seq)) => *seq = end,
                    None => through.logs.push((log, end)),
                }
            }
            Ok(Some(Stale { records, through }).filter(|_| changes > 0))
        })
    }

    /// One page of the list, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rows(&self, filter: &Filter, after: Option<PageKey>, rows_max: usize) -> Result<RowPage, ReadError> {
        let after = after.unwrap_or(PageKey { updated: i64::MAX, row: i64::MAX });
        let rows_max = rows_max.min(PAGE_ROWS_MAX);
        self.read(|connection| {
            let (index, condition) = narrowest(filter);
            // The inner query reads the index alone; rows are read for what is shown.
            let sql = format!(
                "SELECT r.row, r.updated, r.record, r.scope, r.kind, r.flags, r.title, r.status
                 FROM (SELECT row FROM record_row INDEXED BY {index}
                       WHERE {condition} AND (updated, row) < (?1, ?2)
                         AND (?3 IS NULL OR scope = ?3) AND (?4 IS NULL OR kind = ?4)
                         AND flags & ?5 = ?5 AND flags & ?6 = 0
                       ORDER BY updated DESC, row DESC LIMIT ?7) shown
                 CROSS JOIN record_row r USING (row)
                 ORDER BY r.updated DESC, r.row DESC"
            );
            let scope = filter.scope.as_ref().map(ScopeId::as_bytes);
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(
                params![
                    after.updated,
                    after.row,
                    scope,
                    filter.kind,
                    filter.flags_set,
                    filter.flags_clear,
                    limit(rows_max)
                ],
                read_row,
            )?;
            page(rows, rows_max)
        })
    }

    /// Rows that hold every word of `text`, the last one perhaps only begun; those indexed last come first.
    ///
    /// Case, accents, Arabic vowel signs and the forms of alef do not matter. A text without a word finds nothing.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn search(
        &self,
        text: &str,
        filter: &Filter,
        after: Option<PageKey>,
        rows_max: usize,
    ) -> Result<RowPage, ReadError> {
        let Some(query) = query(text) else {
            return Ok(RowPage { rows: Vec::new(), next: None });
        };
        let after = after.map_or(i64::MAX, |key| key.row);
        let rows_max = rows_max.min(PAGE_ROWS_MAX);
        self.read(|connection| {
            // In the order of row numbers the words' lists are read from their ends and only as far as the page needs;
            // by relevance every match would be read before the first is shown.
            let sql = "SELECT r.row, r.updated, r.record, r.scope, r.kind, r.flags, r.title, r.status
                       FROM record_text t CROSS JOIN record_row r ON r.row = t.rowid
                       WHERE record_text MATCH ?1 AND t.rowid < ?2
                         AND (?3 IS NULL OR r.scope = ?3) AND (?4 IS NULL OR r.kind = ?4)
                         AND r.flags & ?5 = ?5 AND r.flags & ?6 = 0
                       ORDER BY t.rowid DESC LIMIT ?7";
            let scope = filter.scope.as_ref().map(ScopeId::as_bytes);
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map(
                params![query, after, scope, filter.kind, filter.flags_set, filter.flags_clear, limit(rows_max)],
                read_row,
            )?;
            page(rows, rows_max)
        })
    }

    /// The row of one record.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn row(&self, record: RecordId) -> Result<Option<IndexRow>, ReadError> {
        self.read(|connection| {
            let sql =
                "SELECT row, updated, record, scope, kind, flags, title, status FROM record_row WHERE record = ?1";
            let found = connection.prepare_cached(sql)?.query_row([record.as_bytes()], read_row);
            Ok(found.optional()?.map(|(_, row)| row))
        })
    }
}

/// The index in which a filter passes over the fewest rows, and what its rows have in common.
///
/// Left to itself SQLite walks one for all, because what the filter holds is not known when the query is prepared.
/// Of a scope with few records among many all rows are still looked at: 4 MB of index for 100,000 records.
fn narrowest(filter: &Filter) -> (&'static str, &'static str) {
    let Filter { scope: _, kind, flags_set, flags_clear: _ } = filter;
    match (kind, flags_set) {
        (_, 1..) => ("record_row_flagged", "flags <> 0"),
        (Some(_), 0) => ("record_row_by_kind", "kind = ?4"),
        (None, 0) => ("record_row_by_updated", "TRUE"),
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<(i64, IndexRow)> {
    let index = IndexRow {
        record: RecordId::from_bytes(row.get(2)?),
        scope: ScopeId::from_bytes(row.get(3)?),
        kind: row.get(4)?,
        flags: row.get(5)?,
        updated: row.get(1)?,
        title: row.get(6)?,
        status: row.get(7)?,
        text: String::new(),
    };
    Ok((row.get(0)?, index))
}

fn page<E>(found: impl Iterator<Item = rusqlite::Result<(i64, IndexRow)>>, rows_max: usize) -> Result<RowPage, E>
where
    E: From<rusqlite::Error>,
{
    let (mut rows, mut last) = (Vec::new(), None);
    for item in found {
        let (row, index) = item?;
        last = Some(PageKey { updated: index.updated, row });
        rows.push(index);
    }
    let is_full = rows.len() == rows_max;
    Ok(RowPage { rows, next: last.filter(|_| is_full) })
}

/// Puts a row and its words in place of the earlier ones.
pub(crate) fn put(connection: &Connection, row: &IndexRow) -> rusqlite::Result<()> {
    let IndexRow { record, scope, kind, flags, updated, title, status, text } = row;
    let sql = "INSERT INTO record_row (record, scope, kind, flags, updated, title, status)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (record) DO UPDATE SET scope = ?2, kind = ?3, flags = ?4, updated = ?5, title = ?6, status = ?7
               RETURNING row";
    let values = params![record.as_bytes(), scope.as_bytes(), kind, flags, updated, title, status];
    let number: i64 = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    let folded = fold(text);
    let sql = "SELECT text FROM record_text WHERE rowid = ?1";
    let before: Option<String> = connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
    // Most edits change a value and no word; rewriting the words is the dearer half.
    if before.as_ref() == Some(&folded) {
        return Ok(());
    }
    if before.is_some() {
        connection.prepare_cached("DELETE FROM record_text WHERE rowid = ?1")?.execute([number])?;
    }
    connection
        .prepare_cached("INSERT INTO record_text (rowid, text) VALUES (?1, ?2)")?
        .execute(params![number, folded])?;
    Ok(())
}

/// Removes a record's row and its words.
pub(crate) fn drop_record(connection: &Connection, record: RecordId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM record_row WHERE record = ?1 RETURNING row";
    let number: Option<i64> =
        connection.prepare_cached(sql)?.query_row([record.as_bytes()], |row| row.get(0)).optional()?;
    if let Some(number) = number {
        connection.prepare_cached("DELETE FROM record_text WHERE rowid = ?1")?.execute([number])?;
    }
    Ok(())
}
