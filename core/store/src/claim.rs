//! What is said about photos: which entries name which files, and which of those are held.

use merestone_core::id::{BlobHash, EntryId};
use merestone_core::merkle::NodeHash;
use rusqlite::params;

use crate::apply::BLOB_WHOLE;
use crate::error::ReadError;
use crate::store::{Store, limit};

/// A file as a signed entry describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobClaim {
    /// SHA-256 of the file.
    pub hash: BlobHash,
    /// Its size.
    pub bytes: u64,
    /// Root of its chunk tree (`spec/entry.md`, Photo).
    pub chunks: NodeHash,
}

/// What a file is for; in order of urgency, numbered as the streams of `spec/sync.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BlobClass {
    /// A small rendition.
    Thumbnail = 2,
    /// A large rendition.
    Preview = 3,
    /// The evidence itself.
    Original = 4,
}

impl BlobClass {
    /// Its number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The class with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Thumbnail, Self::Preview, Self::Original].into_iter().find(|class| class.code() == code)
    }
}

/// A blob that some entry names and that is not held whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingBlob {
    /// What is said about it.
    pub claim: BlobClaim,
    /// What it is for.
    pub class: BlobClass,
    /// Chunks that are held, most significant bit first; empty for none. The `have` of `spec/sync.md`.
    pub have: Vec<u8>,
    /// Whether entries describe it in more than one way.
    pub is_disputed: bool,
}

/// Most blobs listed at once.
pub const BLOBS_MAX: usize = 4_096;

impl Store {
    /// Blobs held whole, ascending, after `after`; at most [`BLOBS_MAX`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn whole_blobs(&self, after: Option<BlobHash>) -> Result<Vec<BlobHash>, ReadError> {
        let after = after.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
        self.read(|connection| {
            let sql = "SELECT DISTINCT hash FROM blob WHERE hash > ?1 AND state = ?2 ORDER BY hash LIMIT ?3";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select
                .query_map(params![after, BLOB_WHOLE, limit(BLOBS_MAX)], |row| row.get(0).map(BlobHash::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Blobs of a class that are wanted and not held whole; at most [`BLOBS_MAX`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_blobs(&self, class: BlobClass, blobs_max: usize) -> Result<Vec<MissingBlob>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT hash, bytes, chunks, held,
                              EXISTS (SELECT 1 FROM blob d WHERE d.hash = b.hash AND d.blob <> b.blob)
                       FROM blob b WHERE state = 0 AND class = ?1 LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map(params![class.code(), limit(blobs_max.min(BLOBS_MAX))], |row| {
                let bytes = row.get::<_, i64>(1)?.cast_unsigned();
                let claim = BlobClaim { hash: BlobHash::from_bytes(row.get(0)?), bytes, chunks: row.get(2)? };
                let have = row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default();
                Ok(MissingBlob { claim, class, have, is_disputed: row.get(4)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The blobs that an entry names, with whether each is held whole.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn blobs_of(&self, entry: EntryId) -> Result<Vec<(BlobClaim, BlobClass, bool)>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT b.hash, b.bytes, b.chunks, b.class, b.state FROM blob_name n JOIN blob b USING (blob)
                       WHERE n.entry = ?1 ORDER BY b.class, b.hash";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([entry.as_bytes()], |row| {
                let bytes = row.get::<_, i64>(1)?.cast_unsigned();
                let claim = BlobClaim { hash: BlobHash::from_bytes(row.get(0)?), bytes, chunks: row.get(2)? };
                let class = BlobClass::from_code(row.get(3)?).unwrap_or(BlobClass::Original);
                Ok((claim, class, row.get::<_, u8>(4)? == BLOB_WHOLE))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The entries that name a blob, ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn entries_naming(&self, hash: BlobHash) -> Result<Vec<EntryId>, ReadError> {
        self.read(|connection| {
            let sql =
                "SELECT DISTINCT n.entry FROM blob b JOIN blob_name n USING (blob) WHERE b.hash = ?1 ORDER BY n.entry";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([hash.as_bytes()], |row| row.get(0).map(EntryId::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
