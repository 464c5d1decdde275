//! Photos and their renditions: files beside the database, named by the SHA-256 of their content.
//!
//! A file gets its name only once its bytes are durable, and a row says "held" only once the name is:
//! temporary file → write → flush → rename → flush the folder → row.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use merestone_core::entry::PHOTO_BYTES_MAX;
use merestone_core::id::BlobHash;
use merestone_core::merkle::CHUNK_BYTES;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::apply::{BLOB_BEING_ERASED, BLOB_WHOLE};
use crate::aside::AsideReason;
use crate::batch::{Batch, Internal};
use crate::error::{BlobError, ReadError};
use crate::folder::flush_folder;
use crate::gate::{BlobFile, Gate, Writing};
use crate::incoming::hashes_beside;
use crate::store::{Store, Trouble};

/// A blob whose file is durable under its name, made by the store alone. Commit it with the entry that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeBlob {
    pub(crate) hash: BlobHash,
    pub(crate) bytes: u64,
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

impl Store {
    /// Writes a new blob, whatever its name turns out to be, and makes its file durable.
    ///
    /// Until the answer is [committed](Batch::blob) the store does not count it as held.
    ///
    /// # Errors
    /// If it is larger than a photo may be, or the disk refuses; nothing is left behind.
    pub fn write_blob(&self, mut content: impl Read) -> Result<WholeBlob, BlobError> {
        let inside = self.gate.enter()?;
        let (file, path) = self.temporary()?;
        let file = self.gate.lend(file)?;
        // Where the content comes from may take any time; the file is closed meanwhile if the store is.
        drop(inside);
        let written = copy_hashed(&mut content, file, &self.gate);
        // Of a store that was closed, the next opening removes it: by now the name may be that of another file.
        let _inside = self.gate.enter()?;
        let moved = written.and_then(|blob| self.adopt(&path, blob));
        if moved.is_err() {
            // If this fails too, the next opening removes it.
            let _ = fs::remove_file(&path);
        }
        moved
    }

    /// Opens a blob that is held whole; `None` when it is not.
    ///
    /// A file that is gone is noted as missing again.
    ///
    /// # Errors
    /// If it cannot be looked for.
    pub fn open_blob(&self, hash: BlobHash) -> Result<Option<BlobFile>, BlobError> {
        let _inside = self.gate.enter()?;
        if !self.is_blob_whole(hash)? {
            return Ok(None);
        }
        match File::open(self.folder.blob(hash)) {
            Ok(file) => Ok(Some(self.gate.lend(file)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lose_blob(hash, AsideReason::Gone)?;
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
        let _inside = self.gate.enter()?;
        let path = self.folder.blob(hash);
        match hash_file(&path, &self.gate) {
            Ok(found) if found.hash == hash => Ok(true),
            Ok(_) => {
                let moving = self.moving();
                self.folder.set_aside(&path, &hash.to_string())?;
                drop(moving);
                self.lose_blob(hash, AsideReason::Damaged)?;
                Ok(false)
            }
            Err(BlobError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.lose_blob(hash, AsideReason::Gone)?;
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

    /// Removes the files of blobs that were erased; says how many are gone now.
    ///
    /// Called after a batch with [`erase_blob`](Batch::erase_blob); opening a store calls it too.
    /// A file system may keep the bytes of a removed file until it writes over them.
    ///
    /// # Errors
    /// If a file cannot be removed; it stays noted for the next time.
    pub fn remove_erased(&self) -> Result<usize, BlobError> {
        let _inside = self.gate.enter()?;
        let rows = self.read(being_erased)?;
        if rows.is_empty() {
            return Ok(0);
        }
        let _moving = self.moving();
        for (blob, hash) in &rows {
            let partial = self.folder.partial_blob(*hash, *blob);
            let mut paths = vec![self.folder.blob(*hash), hashes_beside(&partial), partial];
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

    /// Keeps files of blobs where they are, until it is dropped.
    pub(crate) fn moving(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lose_blob(&self, hash: BlobHash, reason: AsideReason) -> Result<(), BlobError> {
        let mut batch = Batch::new();
        batch.internal(Internal::LostBlob { hash, reason });
        self.commit(batch)?;
        Ok(())
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
        let folder = self.rename_whole(&self.moving(), path, blob)?;
        flush_folder(&folder)?;
        Ok(blob)
    }

    /// Gives a durable file its name, and says which folder is to be flushed before that counts: by then other files may move.
    pub(crate) fn rename_whole(
        &self,
        _moving: &MutexGuard<'_, ()>,
        path: &Path,
        blob: WholeBlob,
    ) -> Result<PathBuf, BlobError> {
        let target = self.folder.blob(blob.hash);
        let folder = target.parent().unwrap_or(self.folder.root());
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            if let Err(error) = flush_folder(&self.folder.blobs()) {
                // The next blob must not find a folder whose name is not durable and take it for one that is.
                let _ = fs::remove_dir(folder);
                return Err(error.into());
            }
        }
        fs::rename(path, &target)?;
        Ok(folder.to_owned())
    }
}

fn being_erased(connection: &Connection) -> Result<Vec<(i64, BlobHash)>, Trouble> {
    // The number itself, so that the planner knows the partial index.
    const { assert!(BLOB_BEING_ERASED == 2) };
    let mut select = connection.prepare_cached("SELECT blob, hash FROM blob WHERE state = 2")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, BlobHash::from_bytes(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Copies to a file that is durable when this returns, and hashes on the way.
fn copy_hashed(content: &mut impl Read, file: BlobFile, gate: &Gate) -> Result<WholeBlob, BlobError> {
    let blob = hash_while(content, gate, |piece| Writing(&file).write_all(piece))?;
    file.sync()?;
    Ok(blob)
}

/// Hashes a file; it ends soon after the store is closed.
pub(crate) fn hash_file(path: &Path, gate: &Gate) -> Result<WholeBlob, BlobError> {
    hash_while(&mut File::open(path)?, gate, |_| Ok(()))
}

fn hash_while(
    content: &mut impl Read,
    gate: &Gate,
    mut with: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<WholeBlob, BlobError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        gate.check()?;
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
