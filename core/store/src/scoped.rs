//! Photos as one peer may ask for them: those that entries of some scopes name.

use merestone_core::id::{BlobHash, ScopeId};
use merestone_core::merkle::{CHUNK_BYTES, NodeHash};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params_from_iter};

use crate::apply::{BLOB_MISSING, BLOB_WHOLE};
use crate::claim::{BLOBS_MAX, BlobClaim, BlobClass, MissingBlob};
use crate::error::ReadError;
use crate::store::{Store, limit};

/// The blobs of some scopes, and which of them are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobCensus {
    /// Held whole, ascending.
    pub whole: Vec<BlobHash>,
    /// Neither held whole nor erased, ascending.
    pub missing: Vec<BlobHash>,
}

impl Store {
    /// Blobs of a class that entries of `scopes` name and that are not held whole, ascending by hash, above `after`;
    /// at most `blobs_max` (not above [`BLOBS_MAX`]). Each appears once: where entries describe it differently, with one of
    /// its descriptions; which is true, [`described`](Self::described) helps to find.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_blobs_in(
        &self,
        scopes: &[ScopeId],
        class: BlobClass,
        after: Option<BlobHash>,
        blobs_max: usize,
    ) -> Result<Vec<MissingBlob>, ReadError> {
        let sql = format!(
            // The other columns are those of the row with the least size.
            "SELECT b.hash, min(b.bytes), b.chunks, b.held,
                    EXISTS (SELECT 1 FROM blob d WHERE d.hash = b.hash AND d.blob <> b.blob)
             FROM blob b
             WHERE b.state = {BLOB_MISSING} AND b.class = ?1 AND b.hash > ?2 AND {}
             GROUP BY b.hash ORDER BY b.hash LIMIT ?3",
            named_in(scopes, 4)
        );
        let after = after.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
        let mut values = vec![
            Value::from(i64::from(class.code())),
            Value::from(after),
            Value::from(limit(blobs_max.min(BLOBS_MAX))),
        ];
        values.extend(as_values(scopes));
        self.read(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(params_from_iter(values.iter()), |row| {
                let bytes = row.get::<_, i64>(1)?.cast_unsigned();
                let claim = BlobClaim { hash: BlobHash::from_bytes(row.get(0)?), bytes, chunks: row.get(2)? };
                let have = row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default();
                Ok(MissingBlob { claim, class, have, is_disputed: row.get(4)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Blobs of all classes that entries of `scopes` name and that are neither held whole nor erased, ascending.
    /// What it costs grows with what is missing, not with what is held.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn missing_in(&self, scopes: &[ScopeId]) -> Result<Vec<BlobHash>, ReadError> {
        let sql = format!(
            "SELECT DISTINCT b.hash FROM blob b WHERE b.state = {BLOB_MISSING} AND {} ORDER BY b.hash",
            named_in(scopes, 1)
        );
        let values: Vec<Value> = as_values(scopes).collect();
        self.read(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(params_from_iter(values.iter()), |row| row.get(0).map(BlobHash::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The description of a missing blob, by entries of `scopes` and for this class, with this chunk root and number of
    /// chunks; `None` if nobody describes it so.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn described(
        &self,
        scopes: &[ScopeId],
        class: BlobClass,
        hash: BlobHash,
        root: NodeHash,
        chunks: u64,
    ) -> Result<Option<BlobClaim>, ReadError> {
        let sql = format!(
            "SELECT b.bytes FROM blob b
             WHERE b.hash = ?1 AND b.chunks = ?2 AND b.bytes > ?3 AND b.bytes <= ?4
                   AND b.state = {BLOB_MISSING} AND b.class = ?5 AND {} ORDER BY b.bytes LIMIT 1",
            named_in(scopes, 6)
        );
        let bytes_max = i64::try_from(chunks.saturating_mul(CHUNK_BYTES as u64)).unwrap_or(i64::MAX);
        let mut values = vec![
            Value::from(hash.as_bytes().to_vec()),
            Value::from(root.to_vec()),
            Value::from(bytes_max.saturating_sub(CHUNK_BYTES as i64)),
            Value::from(bytes_max),
            Value::from(i64::from(class.code())),
        ];
        values.extend(as_values(scopes));
        self.read(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let bytes = select.query_row(params_from_iter(values.iter()), |row| row.get::<_, i64>(0)).optional()?;
            Ok(bytes.map(|bytes| BlobClaim { hash, bytes: bytes.cast_unsigned(), chunks: root }))
        })
    }

    /// What is said about a blob that entries of `scopes` name, once for each description, ascending by chunk root.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn claims_in(&self, scopes: &[ScopeId], hash: BlobHash) -> Result<Vec<BlobClaim>, ReadError> {
        let sql = format!(
            "SELECT b.bytes, b.chunks FROM blob b WHERE b.hash = ?1 AND {} ORDER BY b.chunks",
            named_in(scopes, 2)
        );
        let mut values = vec![Value::from(hash.as_bytes().to_vec())];
        values.extend(as_values(scopes));
        self.read(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(params_from_iter(values.iter()), |row| {
                Ok(BlobClaim { hash, bytes: row.get::<_, i64>(0)?.cast_unsigned(), chunks: row.get(1)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Which blobs of these classes, named by entries of `scopes`, are held whole and which are not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn blob_census(&self, scopes: &[ScopeId], classes: &[BlobClass]) -> Result<BlobCensus, ReadError> {
        let sql = format!(
            "SELECT b.hash, min(b.class), max(b.state) FROM blob b WHERE {} GROUP BY b.hash ORDER BY b.hash",
            named_in(scopes, 1)
        );
        let values: Vec<Value> = as_values(scopes).collect();
        self.read(|connection| {
            let mut select = connection.prepare_cached(&sql)?;
            let mut rows = select.query(params_from_iter(values.iter()))?;
            let mut census = BlobCensus::default();
            while let Some(row) = rows.next()? {
                if !classes.iter().any(|class| row.get(1) == Ok(class.code())) {
                    continue;
                }
                let hash = BlobHash::from_bytes(row.get(0)?);
                match row.get::<_, u8>(2)? {
                    BLOB_MISSING => census.missing.push(hash),
                    BLOB_WHOLE => census.whole.push(hash),
                    _ => {}
                }
            }
            Ok(census)
        })
    }
}

/// The condition that a held entry of one of `scopes` names the blob; their values begin at parameter `first`.
fn named_in(scopes: &[ScopeId], first: usize) -> String {
    let places: Vec<String> = (first..first + scopes.len()).map(|place| format!("?{place}")).collect();
    format!("EXISTS (SELECT 1 FROM blob_name n WHERE n.blob = b.blob AND n.scope IN ({}))", places.join(", "))
}

fn as_values(scopes: &[ScopeId]) -> impl Iterator<Item = Value> {
    scopes.iter().map(|scope| Value::from(scope.as_bytes().to_vec()))
}
