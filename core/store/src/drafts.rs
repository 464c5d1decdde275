//! Drafts, and what became of them.

use std::fmt;

use merestone_core::id::{EntryId, RecordId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{CommitError, ReadError};
use crate::store::Store;

/// The name of a draft: random, chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftId(pub [u8; 16]);

impl DraftId {
    /// Reads exactly the hex digits of an id.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len() == 32;
        digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(|id| Self(id.to_be_bytes()))
    }
}

/// All digits, lowercase hex.
impl fmt::Display for DraftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What became of a draft that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedDraft {
    /// The entry.
    pub entry: EntryId,
    /// The record of the entry.
    pub record: RecordId,
}

/// What a batch does with a draft.
#[derive(Debug)]
pub(crate) enum DraftStep {
    Keep { bytes: Vec<u8> },
    Change { was: Vec<u8>, bytes: Vec<u8> },
    Drop,
    Save { was: Option<Vec<u8>>, saved: SavedDraft },
}

impl DraftStep {
    /// Length of what is kept.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Keep { bytes } | Self::Change { was: _, bytes } => bytes.len(),
            Self::Drop | Self::Save { .. } => 0,
        }
    }

    pub(crate) fn apply(&self, connection: &Connection, id: DraftId) -> Result<(), CommitError> {
        let is_done = match self {
            Self::Keep { bytes } => {
                let sql = "INSERT INTO draft (id, bytes) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM saved WHERE draft = ?1)
                           ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes";
                connection.prepare_cached(sql)?.execute(params![id.0, bytes])? > 0
            }
            Self::Change { was, bytes } => {
                let sql = "UPDATE draft SET bytes = ?3 WHERE id = ?1 AND bytes = ?2";
                connection.prepare_cached(sql)?.execute(params![id.0, was, bytes])? > 0
            }
            Self::Drop => {
                connection.prepare_cached("DELETE FROM draft WHERE id = ?1")?.execute([id.0])?;
                true
            }
            Self::Save { was, saved } => take(connection, id, was.as_deref())? && note(connection, id, saved)?,
        };
        if is_done { Ok(()) } else { Err(CommitError::Draft { draft: id }) }
    }
}

/// Removes a draft that is what was signed; whether it was.
fn take(connection: &Connection, id: DraftId, was: Option<&[u8]>) -> rusqlite::Result<bool> {
    let Some(was) = was else {
        return Ok(!connection.prepare_cached("SELECT 1 FROM draft WHERE id = ?1")?.exists([id.0])?);
    };
    let sql = "DELETE FROM draft WHERE id = ?1 AND bytes = ?2";
    Ok(connection.prepare_cached(sql)?.execute(params![id.0, was])? > 0)
}

/// Remembers what became of a draft; whether nothing did before.
fn note(connection: &Connection, id: DraftId, saved: &SavedDraft) -> rusqlite::Result<bool> {
    let SavedDraft { entry, record } = saved;
    let sql = "INSERT INTO saved (draft, entry, record) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    Ok(connection.prepare_cached(sql)?.execute(params![id.0, entry.as_bytes(), record.as_bytes()])? > 0)
}

impl Store {
    /// All drafts, ascending by id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn drafts(&self) -> Result<Vec<(DraftId, Vec<u8>)>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT id, bytes FROM draft ORDER BY id")?;
            let rows = select.query_map([], |row| Ok((DraftId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One draft.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn draft(&self, id: DraftId) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT bytes FROM draft WHERE id = ?1")?;
            Ok(select.query_row([id.0], |row| row.get(0)).optional()?)
        })
    }

    /// What became of a draft; `None` if it was never saved.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn saved_draft(&self, id: DraftId) -> Result<Option<SavedDraft>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached("SELECT entry, record FROM saved WHERE draft = ?1")?;
            let saved = select.query_row([id.0], |row| {
                let (entry, record) = (EntryId::from_bytes(row.get(0)?), RecordId::from_bytes(row.get(1)?));
                Ok(SavedDraft { entry, record })
            });
            Ok(saved.optional()?)
        })
    }
}
