//! Photos that arrive in pieces.
//!
//! A chunk is noted as held only after its bytes are durable, so that no kill leaves a bit without its bytes.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};

use merestone_core::merkle::CHUNK_BYTES;
use rusqlite::{OptionalExtension as _, params};

use crate::apply::{BLOB_MISSING, BLOB_WHOLE};
use crate::batch::{Batch, Internal};
use crate::bits::{Bits, is_chunk_len};
use crate::blob::{WholeBlob, hash_file};
use crate::claim::BlobClaim;
use crate::error::{BlobError, ReadError};
use crate::folder::flush_folder;
use crate::store::Store;

/// One chunk of a blob, verified by the caller against the signed chunk root.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Its number.
    pub index: u32,
    /// Its bytes: 65,536, in the last chunk what remains, whatever the size says that is signed beside the root.
    pub bytes: &'a [u8],
}

impl Store {
    /// Writes chunks of a blob that some entry names, and notes them as held once they are durable.
    ///
    /// Many chunks in one call share two flushes.
    ///
    /// # Errors
    /// If no entry says `claim` or the blob was erased, if a chunk does not fit its place, or the disk refuses.
    pub fn write_chunks(&self, claim: &BlobClaim, chunks: &[Chunk<'_>]) -> Result<(), BlobError> {
        let hash = claim.hash;
        for chunk in chunks {
            if !is_chunk_len(claim.bytes, chunk.index, chunk.bytes.len()) {
                return Err(BlobError::Chunk { hash, index: chunk.index });
            }
        }
        let _inside = self.gate.enter()?;
        // Before the row is read: an erasure in between would leave a file that no row knows.
        let _moving = self.moving();
        let row = self.claimed(claim)?.ok_or(BlobError::NotWanted { hash })?;
        if row.state == BLOB_WHOLE {
            return Ok(());
        }
        let path = self.folder.partial_blob(hash, row.blob);
        let is_new = !path.exists();
        let mut batch = Batch::new();
        batch.refetchable();
        if is_new && !row.have.is_empty() {
            // The bits outlived their bytes; none of them is true.
            batch.internal(Internal::ForgetChunks { row: row.blob });
        }
        let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
        for chunk in chunks {
            self.gate.check()?;
            file.seek(SeekFrom::Start(u64::from(chunk.index) * CHUNK_BYTES as u64))?;
            file.write_all(chunk.bytes)?;
        }
        file.sync_data()?;
        if is_new {
            flush_folder(&self.folder.partial())?;
        }
        let indexes = chunks.iter().map(|chunk| chunk.index).collect();
        batch.internal(Internal::Chunks { row: row.blob, chunks: indexes });
        self.commit(batch)?;
        Ok(())
    }

    /// Makes a blob whole of which every chunk is held: hashes the file, names it and notes it as held.
    ///
    /// # Errors
    /// [`BlobError::Incomplete`]; [`BlobError::Mismatch`] when the content is another: the file is then set aside
    /// and the blob begun anew. Or the disk refuses.
    pub fn finish_blob(&self, claim: &BlobClaim) -> Result<WholeBlob, BlobError> {
        let hash = claim.hash;
        let _inside = self.gate.enter()?;
        let row = self.claimed(claim)?.ok_or(BlobError::NotWanted { hash })?;
        if row.state == BLOB_WHOLE {
            return Ok(WholeBlob { hash, bytes: claim.bytes });
        }
        if !Bits::of(Some(row.have), claim.bytes).is_all() {
            return Err(BlobError::Incomplete { hash });
        }
        let path = self.folder.partial_blob(hash, row.blob);
        let blob = hash_file(&path, &self.gate)?;
        if blob.hash != hash {
            return self.refuse_whole(hash, &path, row.blob);
        }
        self.name_whole(claim, &path, blob)
    }

    pub(crate) fn claimed(&self, claim: &BlobClaim) -> Result<Option<BlobRow>, ReadError> {
        self.read(|connection| {
            let sql = "SELECT blob, state, held FROM blob
                       WHERE hash = ?1 AND chunks = ?2 AND bytes = ?3 AND state IN (?4, ?5)";
            let mut select = connection.prepare_cached(sql)?;
            let values =
                params![claim.hash.as_bytes(), claim.chunks, claim.bytes.cast_signed(), BLOB_MISSING, BLOB_WHOLE];
            let row = select.query_row(values, |row| {
                let have = row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default();
                Ok(BlobRow { blob: row.get(0)?, state: row.get(1)?, have })
            });
            Ok(row.optional()?)
        })
    }
}

pub(crate) struct BlobRow {
    pub(crate) blob: i64,
    pub(crate) state: u8,
    /// Chunks that were flushed before they were noted.
    pub(crate) have: Vec<u8>,
}
