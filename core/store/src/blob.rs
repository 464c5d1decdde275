//! Photos and their renditions: files beside the database, named by the SHA-256 of their content.
//!
//! A file gets its name only once its bytes are durable, and a row says "held" only once the name is:
//! temporary file → write → flush → rename → flush the folder → row.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use merestone_core::entry::PHOTO_BYTES_MAX;
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::merkle::{CHUNK_BYTES, NodeHash};
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::apply::{BLOB_BEING_ERASED, BLOB_MISSING, BLOB_WHOLE};
use crate::batch::{Batch, Internal};
use crate::bits::{Bits, chunk_len};
use crate::error::{BlobError, ReadError};
use crate::folder::flush_folder;
use crate::store::{Store, Trouble, limit};

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

/// A blob whose file is durable under its name, made by the store alone. Commit it with the entry that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeBlob {
    hash: BlobHash,
    bytes: u64,
}

impl WholeBlob {
    /// SHA-256 of the content.
    pub fn hash(&self) -> BlobHash {
        self.hash
    }

    /// Size of the content.
    pub fn bytes(&self) -> u64 {
        self.bytes
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
}

/// One chunk of a blob, verified by the caller against the signed chunk root.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Its number.
    pub index: u32,
    /// Its bytes: 65,536, in the last chunk what remains.
    pub bytes: &'a [u8],
}

/// Most blobs listed at once.
pub const BLOBS_MAX: usize = 4_096;

impl Store {
    /// Writes a new blob, whatever its name turns out to be, and makes its file durable.
    ///
    /// Until the answer is [committed](Batch::blob) the store does not count it as held.
    ///
    /// # Errors
    /// If it is larger than a photo may be, or the disk refuses; nothing is left behind.
    pub fn write_blob(&self, mut content: impl Read) -> Result<WholeBlob, BlobError> {
        let (file, path) = self.temporary()?;
        let written = copy_hashed(&mut content, file);
        let moved = written.and_then(|blob| self.adopt(&path, blob));
        if moved.is_err() {
            // If this fails too, the next opening removes it.
            let _ = fs::remove_file(&path);
        }
        moved
    }

    /// Writes chunks of a blob that some entry names, and notes them as held once they are durable.
    ///
    /// Many chunks in one call share two flushes.
    ///
    /// # Errors
    /// If no entry says `claim` or the blob was erased, if a chunk does not fit its place, or the disk refuses.
    pub fn write_chunks(&self, claim: &BlobClaim, chunks: &[Chunk<'_>]) -> Result<(), BlobError> {
        let hash = claim.hash;
        for chunk in chunks {
            if chunk_len(claim.bytes, chunk.index) != Some(chunk.bytes.len()) {
                return Err(BlobError::Chunk { hash, index: chunk.index });
            }
        }
        let row = self.claimed(claim)?.ok_or(BlobError::NotWanted { hash })?;
        if row.state == BLOB_WHOLE {
            return Ok(());
        }
        let _moving = self.moving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        let row = self.claimed(claim)?.ok_or(BlobError::NotWanted { hash })?;
        let blob = WholeBlob { hash, bytes: claim.bytes };
        if row.state == BLOB_WHOLE {
            return Ok(blob);
        }
        if !Bits::of(Some(row.have), claim.bytes).is_all() {
            return Err(BlobError::Incomplete { hash });
        }
        let path = self.folder.partial_blob(hash, row.blob);
        let found = hash_file(&path)?;
        if found != blob {
            let moving = self.moving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            self.folder.set_aside(&path, &hash.to_string())?;
            drop(moving);
            let mut batch = Batch::new();
            batch.internal(Internal::ForgetChunks { row: row.blob });
            batch.internal(Internal::LostBlob { hash, reason: "content is not that of its name" });
            self.commit(batch)?;
            return Err(BlobError::Mismatch { hash });
        }
        self.adopt(&path, blob)?;
        let mut batch = Batch::new();
        batch.blob(blob).refetchable();
        self.commit(batch)?;
        Ok(blob)
    }

    /// Opens a blob that is held whole; `None` when it is not.
    ///
    /// A file that is gone is noted as missing again.
    ///
    /// # Errors
    /// If it cannot be looked for.
    pub fn open_blob(&self, hash: BlobHash) -> Result<Option<File>, BlobError> {
        if !self.is_blob_whole(hash)? {
            return Ok(None);
        }
        match File::open(self.folder.blob(hash)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lose_blob(hash, "file is gone")?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Hashes a blob that is held whole. `false`: it was damaged or gone, was set aside, and is missing now.
    ///
    /// # Errors
    /// If it cannot be read or set aside.
    pub fn verify_blob(&self, hash: BlobHash) -> Result<bool, BlobError> {
        let path = self.folder.blob(hash);
        match hash_file(&path) {
            Ok(found) if found.hash == hash => Ok(true),
            Ok(_) => {
                let moving = self.moving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                self.folder.set_aside(&path, &hash.to_string())?;
                drop(moving);
                self.lose_blob(hash, "content is not that of its name")?;
                Ok(false)
            }
            Err(BlobError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.lose_blob(hash, "file is gone")?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a blob is held whole.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_blob_whole(&self, hash: BlobHash) -> Result<bool, ReadError> {
        self.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM blob WHERE hash = ?1 AND state = ?2)";
            Ok(connection.prepare_cached(sql)?.query_row(params![hash.as_bytes(), BLOB_WHOLE], |row| row.get(0))?)
        })
    }

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
            let sql = "SELECT hash, bytes, chunks, held FROM blob WHERE state = 0 AND class = ?1 LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map(params![class.code(), limit(blobs_max.min(BLOBS_MAX))], |row| {
                let bytes = row.get::<_, i64>(1)?.cast_unsigned();
                let claim = BlobClaim { hash: BlobHash::from_bytes(row.get(0)?), bytes, chunks: row.get(2)? };
                Ok(MissingBlob { claim, class, have: row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default() })
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

    /// Removes the files of blobs that were erased; says how many are gone now.
    ///
    /// Called after a batch with [`erase_blob`](Batch::erase_blob); opening a store calls it too.
    /// A file system may keep the bytes of a removed file until it writes over them.
    ///
    /// # Errors
    /// If a file cannot be removed; it stays noted for the next time.
    pub fn remove_erased(&self) -> Result<usize, BlobError> {
        let rows = self.read(being_erased)?;
        if rows.is_empty() {
            return Ok(0);
        }
        let _moving = self.moving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (blob, hash) in &rows {
            let mut paths = vec![self.folder.blob(*hash), self.folder.partial_blob(*hash, *blob)];
            paths.extend(files_named(&self.folder.aside(), &hash.to_string())?);
            for path in paths {
                remove_if_there(&path)?;
            }
        }
        let hashes: Vec<BlobHash> = rows.into_iter().map(|(_, hash)| hash).collect();
        let count = hashes.len();
        let mut batch = Batch::new();
        batch.internal(Internal::BlobsGone { hashes });
        self.commit(batch)?;
        Ok(count)
    }

    pub(crate) fn lose_blob(&self, hash: BlobHash, reason: &'static str) -> Result<(), BlobError> {
        let mut batch = Batch::new();
        batch.internal(Internal::LostBlob { hash, reason });
        self.commit(batch)?;
        Ok(())
    }

    fn claimed(&self, claim: &BlobClaim) -> Result<Option<BlobRow>, ReadError> {
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

    fn temporary(&self) -> Result<(File, std::path::PathBuf), BlobError> {
        for n in 0_u64.. {
            let path = self.folder.partial().join(format!("{n}.tmp"));
            match File::options().create_new(true).write(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(BlobError::Full)
    }

    /// Gives a durable file its name, durably. The same content again replaces itself.
    fn adopt(&self, path: &Path, blob: WholeBlob) -> Result<WholeBlob, BlobError> {
        let _moving = self.moving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let target = self.folder.blob(blob.hash);
        let folder = target.parent().unwrap_or(self.folder.root());
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            flush_folder(&self.folder.blobs())?;
        }
        fs::rename(path, &target)?;
        flush_folder(folder)?;
        Ok(blob)
    }
}

struct BlobRow {
    blob: i64,
    state: u8,
    have: Vec<u8>,
}

fn being_erased(connection: &Connection) -> Result<Vec<(i64, BlobHash)>, Trouble> {
    let mut select = connection.prepare_cached("SELECT blob, hash FROM blob WHERE state = 2")?;
    debug_assert_eq!(BLOB_BEING_ERASED, 2);
    let rows = select.query_map([], |row| Ok((row.get(0)?, BlobHash::from_bytes(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Copies to a file that is durable when this returns, and hashes on the way.
fn copy_hashed(content: &mut impl Read, mut file: File) -> Result<WholeBlob, BlobError> {
    let blob = hash_while(content, |piece| file.write_all(piece))?;
    file.sync_all()?;
    Ok(blob)
}

fn hash_file(path: &Path) -> Result<WholeBlob, BlobError> {
    hash_while(&mut File::open(path)?, |_| Ok(()))
}

fn hash_while(content: &mut impl Read, mut with: impl FnMut(&[u8]) -> io::Result<()>) -> Result<WholeBlob, BlobError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let len = match content.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        bytes += len as u64;
        if bytes > PHOTO_BYTES_MAX {
            return Err(BlobError::TooLong { bytes, bytes_max: PHOTO_BYTES_MAX });
        }
        hasher.update(&piece[..len]);
        with(&piece[..len])?;
    }
    Ok(WholeBlob { hash: BlobHash::from_bytes(hasher.finalize().into()), bytes })
}

/// Files in `folder` called `<name>.<n>`.
fn files_named(folder: &Path, name: &str) -> io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.file_stem().is_some_and(|stem| stem == name) {
            found.push(path);
        }
    }
    Ok(found)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => return Ok(()),
        Ok(()) => {}
    }
    path.parent().map_or(Ok(()), flush_folder)
}
