//! Reading entries and logs. Every row is checked against its hashes before anybody sees it.

use std::collections::{BTreeMap, HashSet};

use merestone_core::entry::LogHead;
use merestone_core::id::{EntryId, LogId, RecordId, ScopeId, sha256};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::apply::{BODY_ERASED, BODY_HELD};
use crate::batch::Damaged;
use crate::book::Tips;
use crate::error::ReadError;
use crate::store::{Store, Trouble, limit};
use crate::tips::{LogTip, TIP_COLUMNS, log_of, position, position_end, read_tip, seq_of, walk_on};

/// An entry as it is stored: the bytes that were verified before they were committed, their hashes checked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its id.
    pub id: EntryId,
    /// Its log.
    pub log: LogId,
    /// Its place in the log.
    pub seq: u64,
    /// The record it creates or is about.
    pub record: RecordId,
    /// Number of the commit that brought it, from 1: the order of arrival in this store.
    pub arrived: u64,
    /// The header as it was signed.
    pub header: Vec<u8>,
    /// The body.
    pub body: StoredBody,
}

/// The body of a stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredBody {
    /// Its bytes.
    Held(Vec<u8>),
    /// It has not arrived.
    Missing,
    /// It was erased for good.
    Erased,
}

impl StoredBody {
    /// Its bytes, if it is held.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Held(bytes) => Some(bytes),
            Self::Missing | Self::Erased => None,
        }
    }
}

/// Most entries in one page.
pub const PAGE_ENTRIES_MAX: usize = 4_096;

/// Bytes of headers and bodies after which a page ends.
pub const PAGE_BYTES_MAX: usize = 8 << 20;

/// Most logs listed at once.
pub const PAGE_TIPS_MAX: usize = 8_192;

const ENTRY_COLUMNS: &str = "e.position, e.id, l.id, e.record, e.arrived, e.body_hash, e.body_state, e.header, e.body";

impl Store {
    /// How far the logs of a scope have come (`None`: of all scopes), ascending by log, after `after`;
    /// at most [`PAGE_TIPS_MAX`]. A log of which the first entry is not held has no head.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn tips(&self, scope: Option<ScopeId>, after: Option<LogId>) -> Result<Vec<LogTip>, ReadError> {
        self.all_tips(|tips| tips.after(scope, after).take(PAGE_TIPS_MAX).copied().collect())
    }

    /// How far each log of a scope has come (`None`: of all scopes), ascending by log. They are read page by page, so a log that
    /// begins meanwhile may be among them or not.
    ///
    /// # Errors
    /// If the store cannot be read; nothing comes after that.
    pub fn each_tip(&self, scope: Option<ScopeId>) -> impl Iterator<Item = Result<LogTip, ReadError>> {
        let (mut page, mut after, mut is_over) = (Vec::new().into_iter(), None, false);
        std::iter::from_fn(move || {
            if page.len() == 0 && !is_over {
                let next = self.tips(scope, after);
                is_over = next.as_ref().map_or(true, Vec::is_empty);
                match next {
                    Ok(tips) => page = tips.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
            let tip: LogTip = page.next()?;
            after = Some(tip.log);
            Some(Ok(tip))
        })
    }

    /// The last entry of every log of a key along its main branch, ascending by log.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn heads_of(&self, key: &[u8; 32]) -> Result<Vec<LogHead>, ReadError> {
        let head = |tip: &LogTip| {
            let (id, seq) = (tip.head?, tip.height.checked_sub(1)?);
            Some(LogHead { scope: tip.scope, epoch: tip.epoch, seq, id })
        };
        self.all_tips(|tips| tips.after(None, None).filter(|tip| tip.key == *key).filter_map(head).collect())
    }

    /// The logs of which a commit after number `changed` brought an entry or set one aside ([`LogTip::changed`]), ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn tips_changed_since(&self, changed: u64) -> Result<Vec<LogTip>, ReadError> {
        self.all_tips(|tips| tips.after(None, None).filter(|tip| tip.changed > changed).copied().collect())
    }

    pub(crate) fn all_tips<T>(&self, look: impl FnOnce(Tips<'_>) -> T) -> Result<T, ReadError> {
        self.gate.check()?;
        self.book.all(|| self.read(read_tips), look)
    }

    /// How far one log has come; `None` when nothing of it is held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn tip(&self, log: LogId) -> Result<Option<LogTip>, ReadError> {
        self.gate.check()?;
        if let Some(known) = self.book.tip(log) {
            return Ok(known);
        }
        self.read(|connection| {
            let sql = format!("SELECT {TIP_COLUMNS} FROM log WHERE id = ?1");
            let found = connection.prepare_cached(&sql)?.query_row([log.as_bytes()], read_tip).optional()?;
            let Some((log, mut tip)) = found else { return Ok(None) };
            walk_on(connection, log, &mut tip, |_| {})?;
            Ok(Some(tip))
        })
    }

    /// Entries of a log from seq `from` on, ascending by (seq, id), siblings and entries after a gap included.
    ///
    /// At most `entries_max` (not above [`PAGE_ENTRIES_MAX`]) and about [`PAGE_BYTES_MAX`]; a page never ends between siblings,
    /// so the next one begins at the last seq + 1. An empty page is the end.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn log_entries(&self, log: LogId, from: u64, entries_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        let entries_max = entries_max.clamp(1, PAGE_ENTRIES_MAX);
        self.read(|connection| {
            let Some(number) = log_number(connection, log)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT {ENTRY_COLUMNS} FROM entry e CROSS JOIN log l ON l.log = ?3
                 WHERE e.position >= ?1 AND e.position < ?2 ORDER BY e.position"
            );
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query(params![position(number, from), position(number + 1, 0), number])?;
            let mut page: Vec<StoredEntry> = Vec::new();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let is_full = page.len() >= entries_max || bytes >= PAGE_BYTES_MAX;
                if is_full && page.last().is_some_and(|last| last.seq != seq_of(row.get(0).unwrap_or(0))) {
                    break;
                }
                let entry = read_entry(row)?;
                bytes += entry.header.len() + entry.body.bytes().map_or(0, <[u8]>::len);
                page.push(entry);
            }
            page.sort_by_key(|entry| (entry.seq, entry.id));
            Ok(page)
        })
    }

    /// The ids held at each of `seqs` of a log, ascending: the answer to a probe.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn ids_at(&self, log: LogId, seqs: &[u64]) -> Result<Vec<(u64, Vec<EntryId>)>, ReadError> {
        self.read(|connection| {
            let number = log_number(connection, log)?;
            let sql = "SELECT id FROM entry WHERE position BETWEEN ?1 AND ?2 ORDER BY id";
            let mut select = connection.prepare_cached(sql)?;
            let mut found = Vec::with_capacity(seqs.len());
            for &seq in seqs {
                let Some(number) = number.filter(|_| seq < merestone_core::entry::LOG_ENTRIES_MAX) else {
                    found.push((seq, Vec::new()));
                    continue;
                };
                let places = [position(number, seq), position_end(number, seq)];
                let ids = select.query_map(places, |row| row.get(0).map(EntryId::from_bytes))?;
                found.push((seq, ids.collect::<Result<_, _>>()?));
            }
            Ok(found)
        })
    }

    /// One entry.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn entry(&self, id: EntryId) -> Result<Option<StoredEntry>, ReadError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {ENTRY_COLUMNS} FROM entry e JOIN log l ON l.log = e.position >> 23
                 WHERE substr(e.id, 1, 8) = substr(?1, 1, 8) AND e.id = ?1"
            );
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query([id.as_bytes()])?;
            rows.next()?.map(read_entry).transpose()
        })
    }

    /// Which of `ids` are held, whatever became of their bodies.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn held(&self, ids: &[EntryId]) -> Result<HashSet<EntryId>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE substr(id, 1, 8) = substr(?1, 1, 8) AND id = ?1)";
            let mut select = connection.prepare_cached(sql)?;
            let mut held = HashSet::new();
            for id in ids {
                if select.query_row([id.as_bytes()], |row| row.get(0))? {
                    held.insert(*id);
                }
            }
            Ok(held)
        })
    }

    /// All entries of a record, the creating one included, in order of arrival.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn record_entries(&self, record: RecordId) -> Result<Vec<StoredEntry>, ReadError> {
        self.read(|connection| {
            let mut entries = Vec::new();
            let by_id = "substr(e.id, 1, 8) = substr(?1, 1, 8) AND e.id = ?1 AND e.record IS NULL";
            let by_record = "substr(e.record, 1, 8) = substr(?1, 1, 8) AND e.record = ?1 AND e.record IS NOT NULL";
            for condition in [by_id, by_record] {
                let sql = format!(
                    "SELECT {ENTRY_COLUMNS} FROM entry e CROSS JOIN log l ON l.log = e.position >> 23 WHERE {condition}"
                );
                let mut select = connection.prepare_cached(&sql)?;
                let mut rows = select.query([record.as_bytes()])?;
                while let Some(row) = rows.next()? {
                    entries.push(read_entry(row)?);
                }
            }
            entries.sort_by_key(|entry| (entry.arrived, entry.log, entry.seq, entry.id));
            Ok(entries)
        })
    }

    /// Entries whose body is neither held nor erased, as (log, seq, entry); at most `entries_max`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_bodies(&self, entries_max: usize) -> Result<Vec<(LogId, u64, EntryId)>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT l.id, e.position, e.id FROM entry e CROSS JOIN log l ON l.log = e.position >> 23
                       WHERE e.body_state = 0 ORDER BY e.position LIMIT ?1";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([limit(entries_max)], |row| {
                Ok((LogId::from_bytes(row.get(0)?), seq_of(row.get(1)?), EntryId::from_bytes(row.get(2)?)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Number of bodies in the prefix of each log that are neither held nor erased; logs without one are left out.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_body_counts(&self) -> Result<Vec<(LogId, u64)>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT position FROM entry WHERE body_state = 0 ORDER BY position";
            let mut select = connection.prepare_cached(sql)?;
            let mut missing: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
            for place in select.query_map([], |row| row.get(0))? {
                let place = place?;
                missing.entry(log_of(place)).or_default().push(seq_of(place));
            }
            let sql = format!("SELECT {TIP_COLUMNS} FROM log WHERE log = ?1");
            let mut counts = Vec::new();
            for (log, seqs) in missing {
                let (_, mut tip) = connection.prepare_cached(&sql)?.query_row([log], read_tip)?;
                walk_on(connection, log, &mut tip, |_| {})?;
                let count = seqs.iter().filter(|seq| **seq < tip.height).count() as u64;
                if count > 0 {
                    counts.push((tip.log, count));
                }
            }
            counts.sort_unstable();
            Ok(counts)
        })
    }
}

/// The tips of all logs as they are on the disk.
fn read_tips(connection: &Connection) -> Result<Vec<LogTip>, Trouble> {
    let mut select = connection.prepare_cached(&format!("SELECT {TIP_COLUMNS} FROM log"))?;
    let mut tips = Vec::new();
    for found in select.query_map([], read_tip)? {
        let (log, mut tip) = found?;
        walk_on(connection, log, &mut tip, |_| {})?;
        tips.push(tip);
    }
    Ok(tips)
}

fn log_number(connection: &Connection, log: LogId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT log FROM log WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([log.as_bytes()], |row| row.get(0)).optional()
}

/// Reads [`ENTRY_COLUMNS`] and checks both hashes.
fn read_entry(row: &Row<'_>) -> Result<StoredEntry, Trouble> {
    let position: i64 = row.get(0)?;
    let damaged = || Trouble::Row(Damaged::Entry { position });
    // A damaged row may hold anything: a value of another shape is damage like another hash.
    let id = EntryId::from_bytes(row.get(1).map_err(|_| damaged())?);
    let header: Vec<u8> = row.get(7).map_err(|_| damaged())?;
    if EntryId::of(&header) != id {
        return Err(damaged());
    }
    let record = row.get::<_, Option<[u8; 32]>>(3).map_err(|_| damaged())?;
    let state: u8 = row.get(6).map_err(|_| damaged())?;
    let body = match (state, row.get::<_, Option<Vec<u8>>>(8).map_err(|_| damaged())?) {
        (BODY_HELD, Some(body)) => {
            if row.get::<_, [u8; 32]>(5).map_err(|_| damaged())? != sha256(&[&body]) {
                return Err(Trouble::Row(Damaged::Body { position }));
            }
            StoredBody::Held(body)
        }
        (BODY_ERASED, _) => StoredBody::Erased,
        _ => StoredBody::Missing,
    };
    Ok(StoredEntry {
        id,
        log: LogId::from_bytes(row.get(2)?),
        seq: seq_of(position),
        record: record.map_or(id.as_record(), RecordId::from_bytes),
        arrived: row.get::<_, i64>(4).map_err(|_| damaged())?.cast_unsigned(),
        header,
        body,
    })
}
