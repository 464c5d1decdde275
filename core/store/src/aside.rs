//! What is set aside: damage kept as evidence, and siblings for which a fork has no room.

use std::fmt;

use merestone_core::id::{EntryId, RecordId};
use rusqlite::{OptionalExtension as _, params};

use crate::error::ReadError;
use crate::store::{Store, limit};

/// One item that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// "entry", "body", "statement" or "blob"; or "log", for a row that was made again from its entries.
    pub what: String,
    /// The id under which it was stored, in hex.
    pub id: String,
    /// Why.
    pub reason: AsideReason,
}

/// Why something was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AsideReason {
    /// Its bytes are not those of its id, its header or its name.
    Damaged = 0,
    /// The file of a photo that was held is not there any more.
    Gone = 1,
    /// Nothing is wrong with it: [`SIBLINGS_MAX`](crate::SIBLINGS_MAX) siblings with lower ids took its place at a fork.
    Displaced = 2,
}

impl AsideReason {
    const ALL: [Self; 3] = [Self::Damaged, Self::Gone, Self::Displaced];

    /// Whether the item is damaged or lost, and wanted again.
    pub const fn is_damage(self) -> bool {
        match self {
            Self::Damaged | Self::Gone => true,
            Self::Displaced => false,
        }
    }

    /// Its number in the schema.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The reason with this number; of a row that is damaged itself, damage.
    fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::Damaged)
    }
}

impl fmt::Display for AsideReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "its bytes are not what its name says",
            Self::Gone => "its file is gone",
            Self::Displaced => "a sibling beyond those kept at a fork",
        })
    }
}

/// A sibling for which a fork had no room, as it was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplacedEntry {
    /// Its place among what is set aside, ascending with the time at which it was.
    pub number: i64,
    /// Its header.
    pub header: Vec<u8>,
}

/// A displaced entry with its body, if that was held and is not erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplacedWhole {
    /// Its header.
    pub header: Vec<u8>,
    /// Its body.
    pub body: Option<Vec<u8>>,
}

/// Most displaced entries read at once.
pub const PAGE_DISPLACED_MAX: usize = 1_024;

impl Store {
    /// Entries that lower siblings displaced and that are not held again, after the one with number `after`; at most
    /// [`PAGE_DISPLACED_MAX`]. An entry may be there more than once.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn displaced(&self, after: i64) -> Result<Vec<DisplacedEntry>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT a.aside, a.bytes FROM aside a
                       WHERE a.aside > ?1 AND a.what = 'entry' AND a.reason = ?2 AND a.bytes IS NOT NULL
                         AND NOT EXISTS (
                           SELECT 1 FROM entry e WHERE substr(e.id, 1, 8) = substr(a.id, 1, 8) AND e.id = a.id)
                       ORDER BY a.aside LIMIT ?3";
            let mut select = connection.prepare_cached(sql)?;
            let values = params![after, AsideReason::Displaced.code(), limit(PAGE_DISPLACED_MAX)];
            let rows =
                select.query_map(values, |row| Ok(DisplacedEntry { number: row.get(0)?, header: row.get(1)? }))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The displaced entry with this number.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn displaced_at(&self, number: i64) -> Result<Option<DisplacedWhole>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT bytes, body FROM aside WHERE aside = ?1 AND what = 'entry' AND reason = ?2";
            let values = params![number, AsideReason::Displaced.code()];
            let mut select = connection.prepare_cached(sql)?;
            let read = |row: &rusqlite::Row<'_>| Ok(DisplacedWhole { header: row.get(0)?, body: row.get(1)? });
            Ok(select.query_row(values, read).optional()?)
        })
    }

    /// Everything that is set aside, oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn aside(&self) -> Result<Vec<Aside>, ReadError> {
        self.read(|connection| {
            let mut select =
                connection.prepare_cached("SELECT what, lower(hex(id)), reason FROM aside ORDER BY aside")?;
            let rows = select.query_map([], |row| {
                Ok(Aside { what: row.get(0)?, id: row.get(1)?, reason: AsideReason::from_code(row.get(2)?) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Entries of a record that lower siblings displaced, that are not held again, and whose bodies lie aside; ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn bodies_aside(&self, record: RecordId) -> Result<Vec<EntryId>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT DISTINCT a.id FROM aside a
                       WHERE a.record = ?1 AND a.reason = ?2 AND a.body IS NOT NULL AND NOT EXISTS (
                           SELECT 1 FROM entry e WHERE substr(e.id, 1, 8) = substr(a.id, 1, 8) AND e.id = a.id)
                       ORDER BY a.id";
            let mut select = connection.prepare_cached(sql)?;
            let values = params![record.as_bytes(), AsideReason::Displaced.code()];
            let rows = select.query_map(values, |row| row.get(0).map(EntryId::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
