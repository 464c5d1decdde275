//! The ids of a log without its bytes: what stands where, and what each names before it.

use merestone_core::entry::LOG_ENTRIES_MAX;
use merestone_core::id::{EntryId, LogId};
use rusqlite::{OptionalExtension as _, params};

use crate::error::ReadError;
use crate::store::{Store, limit};
use crate::tips::{position, seq_of};

/// Most entries named at once.
pub const PAGE_LINKS_MAX: usize = 65_536;

/// One entry's place in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its seq.
    pub seq: u64,
    /// Its id.
    pub id: EntryId,
    /// The entry before; `None` at seq 0.
    pub prev: Option<EntryId>,
}

impl Store {
    /// The first seq at which two entries of a log are held; `None` in a log without a fork.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn fork(&self, log: LogId) -> Result<Option<u64>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT fork FROM log WHERE id = ?1";
            let fork = connection.prepare_cached(sql)?.query_row([log.as_bytes()], |row| row.get(0)).optional()?;
            Ok(fork.flatten().map(i64::cast_unsigned))
        })
    }

    /// The links of a log from seq `from` on, ascending by (seq, id), siblings and entries after a gap included.
    ///
    /// At most about `links_max` (not above [`PAGE_LINKS_MAX`]); a page never ends between siblings, so the next one begins
    /// at the last seq + 1. An empty page is the end.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn links(&self, log: LogId, from: u64, links_max: usize) -> Result<Vec<Link>, ReadError> {
        if from >= LOG_ENTRIES_MAX {
            return Ok(Vec::new());
        }
        let links_max = links_max.clamp(1, PAGE_LINKS_MAX);
        self.read(|connection| {
            let sql = "SELECT log FROM log WHERE id = ?1";
            let number = connection.prepare_cached(sql)?.query_row([log.as_bytes()], |row| row.get::<_, i64>(0));
            let Some(number) = number.optional()? else { return Ok(Vec::new()) };
            let sql = "SELECT position, id, prev FROM entry WHERE position >= ?1 AND position < ?2
                       ORDER BY position LIMIT ?3";
            let mut select = connection.prepare_cached(sql)?;
            // A position has at most four entries: one page holds at least one whole position.
            let rows_max = links_max + crate::logs::SIBLINGS_MAX;
            let values = params![position(number, from), position(number + 1, 0), limit(rows_max)];
            let rows = select.query_map(values, |row| {
                let prev = row.get::<_, Option<[u8; 32]>>(2)?.map(EntryId::from_bytes);
                Ok(Link { seq: seq_of(row.get(0)?), id: EntryId::from_bytes(row.get(1)?), prev })
            })?;
            let mut links = rows.collect::<Result<Vec<_>, _>>()?;
            if links.len() == rows_max
                && let Some(last) = links.last().map(|link| link.seq)
            {
                links.retain(|link| link.seq != last);
            }
            links.sort_unstable_by_key(|link| (link.seq, link.id));
            Ok(links)
        })
    }
}
