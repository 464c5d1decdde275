//! The folder of a store: which file lies where, and who may open it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use merestone_core::id::BlobHash;

use crate::error::OpenError;

/// The paths of one store.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("store.db")
    }

    /// SQLite's write-ahead log.
    pub(crate) fn database_log(&self) -> PathBuf {
        self.root.join("store.db-wal")
    }

    pub(crate) fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn partial(&self) -> PathBuf {
        self.root.join("blobs/partial")
    }

    pub(crate) fn aside(&self) -> PathBuf {
        self.root.join("aside")
    }

    /// Blobs are spread over 256 folders, so that no listing is long.
    pub(crate) fn blob(&self, hash: BlobHash) -> PathBuf {
        let name = hash.to_string();
        self.root.join("blobs").join(&name[..2]).join(&name)
    }

    /// The partial file of a blob, by the number of its row.
    pub(crate) fn partial_blob(&self, hash: BlobHash, row: i64) -> PathBuf {
        self.partial().join(format!("{hash}.{row}"))
    }

    /// Makes the folders that every store has, durably.
    ///
    /// They are flushed at every opening: a process that was killed may have made one and not come to that.
    pub(crate) fn make(&self) -> io::Result<()> {
        for path in [self.root.clone(), self.blobs(), self.partial(), self.aside()] {
            make_folder(&path)?;
        }
        flush_folder(&self.root)?;
        flush_folder(&self.blobs())
    }

    /// Makes durable what the database and its log hold now, whoever wrote it.
    pub(crate) fn settle_database(&self) -> io::Result<()> {
        for path in [self.database_log(), self.database()] {
            // Windows flushes only what is open for writing.
            match File::options().read(true).write(true).open(&path) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes the name of the store durable in the folder above it, and so on upwards as far as this process may look.
    pub(crate) fn settle_name(&self) {
        for folder in self.root.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            // What lies above belongs to the system, which keeps its own folders.
            if flush_folder(folder).is_err() {
                return;
            }
        }
    }

    /// Takes the lock that keeps a second handle out; it ends with the file, also when the process is killed.
    pub(crate) fn lock(&self) -> Result<Lock, OpenError> {
        let path = self.root.join("lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|source| OpenError::Io { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::AlreadyOpen { path: self.root.clone() }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
        }
    }

    /// Moves a file to `aside/<name>.<n>` under the first number that is free.
    /// Whether something of this name is set aside.
    pub(crate) fn is_aside(&self, name: &str) -> bool {
        self.aside().join(format!("{name}.0")).exists()
    }

    pub(crate) fn set_aside(&self, file: &Path, name: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(self.aside())?;
        let free = (0_u64..).map(|n| self.aside().join(format!("{name}.{n}"))).find(|path| !path.exists());
        let target = free.ok_or(io::ErrorKind::StorageFull)?;
        fs::rename(file, &target)?;
        flush_folder(&self.aside())?;
        if let Some(parent) = file.parent() {
            flush_folder(parent)?;
        }
        Ok(target)
    }
}

/// The lock on a folder.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that this process is just starting holds the same open file until it
        // runs its program, and the folder would look open for as long.
        let _ = self.0.unlock();
    }
}

/// Makes a folder and what is missing above it, durably: a folder whose name was not flushed in the one above it is gone
/// after a power cut, with everything that was flushed inside.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.is_dir()).collect();
    fs::create_dir_all(path)?;
    for folder in missing.iter().rev().filter_map(|folder| folder.parent()) {
        flush_folder(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    }
    Ok(())
}

/// Makes names in `folder` durable: a renamed file survives a power cut only after this.
pub(crate) fn flush_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such call; NTFS journals names itself.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Bytes that the disk under `path` still gives to this process; `None` where the system does not say.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let room = rustix::fs::statvfs(path).ok()?;
        Some(room.f_bavail.saturating_mul(room.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
