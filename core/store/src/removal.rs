//! Removing a store for good.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use merestone_core::id::BlobHash;

use crate::error::OpenError;
use crate::folder::{Folder, Lock, flush_folder};
use crate::schema;

/// A store that is about to be removed: nobody else has it open, and nobody can open it.
#[derive(Debug)]
pub struct Removal {
    folder: Folder,
    _lock: Lock,
}

impl Removal {
    /// Takes hold of the store at `path`; nothing is removed yet. `None`: there is no such folder.
    ///
    /// A store that is damaged, or of which a removal was cut short, may be removed too.
    ///
    /// # Errors
    /// [`OpenError::AlreadyOpen`]; [`OpenError::Foreign`] if the database is of another program: nothing here is a store's.
    pub fn begin(path: &Path) -> Result<Option<Self>, OpenError> {
        let folder = Folder::new(path);
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(OpenError::Foreign { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        }
        if schema::is_of_another_program(&folder.database()).map_err(io)? {
            return Err(OpenError::Foreign { path: folder.database() });
        }
        let lock = folder.lock()?;
        Ok(Some(Self { folder, _lock: lock }))
    }

    /// Removes the store: the database first, so that a removal that is cut short leaves none that could be opened, then
    /// photos and everything else. Says which files lie there that are none of a store's; those stay.
    ///
    /// The bytes of removed files stay on the disk until it writes over them.
    ///
    /// # Errors
    /// If a file cannot be removed. What was removed stays removed; call it again for the rest.
    pub fn finish(self) -> io::Result<Vec<PathBuf>> {
        let Self { folder, _lock } = &self;
        let root = folder.root();
        // Without the database nobody reads its log; with the log gone first an older state would open.
        remove_file(&folder.database())?;
        flush_folder(root)?;
        for name in ["store.db-wal", "store.db-shm", "store.db-journal", "ballast"] {
            remove_file(&root.join(name))?;
        }
        let mut left = Vec::new();
        for entry in list(&folder.blobs())? {
            let is_spread = name_of(&entry).is_some_and(|name| name.len() == 2 && is_hex(name));
            match () {
                () if entry == folder.partial() => clear(&entry, &is_partial, &mut left)?,
                () if is_spread => clear(&entry, &is_blob, &mut left)?,
                () => left.push(entry),
            }
        }
        clear(&folder.blobs(), &|_| false, &mut Vec::new())?;
        clear(&folder.aside(), &is_aside, &mut left)?;
        let own = ["lock", "blobs", "aside"].map(|name| root.join(name));
        left.extend(list(root)?.into_iter().filter(|path| !own.contains(path)));
        // Last: until here nobody can have made another store in the folder.
        remove_file(&root.join("lock"))?;
        remove_folder(root)?;
        if let Some(above) = root.parent() {
            flush_folder(above)?;
        }
        left.sort_unstable();
        Ok(left)
    }
}

/// Removes the files of a folder that are ours by their names, and then the folder if nothing else is in it.
fn clear(folder: &Path, is_ours: &dyn Fn(&str) -> bool, left: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in list(folder)? {
        let is_file = fs::symlink_metadata(&path)?.is_file();
        match name_of(&path) {
            Some(name) if is_file && is_ours(name) => remove_file(&path)?,
            Some(_) | None => left.push(path),
        }
    }
    remove_folder(folder)
}

/// What lies in a folder; nothing if it is not there, or is a link to elsewhere.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect(),
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Removes a folder, unless something is in it.
fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(error)
        }
        Err(_) | Ok(()) => Ok(()),
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn is_hex(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_blob(name: &str) -> bool {
    BlobHash::from_hex(name).is_some()
}

/// `<hash>.<n>`.
fn is_aside(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| is_blob(hash) && number.parse::<u64>().is_ok())
}

/// `<hash>.<row>`, `<hash>.<row>.chunks` and `<n>.tmp`.
fn is_partial(name: &str) -> bool {
    let is_copy = name.strip_suffix(".tmp").is_some_and(|number| number.parse::<u64>().is_ok());
    is_copy || is_aside(name.strip_suffix(".chunks").unwrap_or(name))
}
