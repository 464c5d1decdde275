//! The folder that becomes a bag: written beside its place, flushed, renamed.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use merestone_core::id::BlobHash;
use sha2::{Digest, Sha256};

use super::error::BagError;

/// A bag under construction; removed when dropped before it is finished.
pub(crate) struct Building {
    target: PathBuf,
    parent: PathBuf,
    temporary: PathBuf,
    folders: Vec<PathBuf>,
    is_finished: bool,
}

/// A file of the bag while it is written.
pub(crate) struct Writing {
    path: PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

/// A file of the bag that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    pub(crate) hash: BlobHash,
    pub(crate) bytes: u64,
}

impl Building {
    /// Makes the temporary folder beside `target`.
    pub(crate) fn begin(target: &Path) -> Result<Self, BagError> {
        let no_name = || BagError::NoName { path: target.to_owned() };
        let name = target.file_name().ok_or_else(no_name)?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        match fs::read_dir(target) {
            Ok(mut inside) => {
                if inside.next().is_some() {
                    return Err(BagError::NotEmpty { path: target.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(BagError::NotEmpty { path: target.to_owned() });
            }
            Err(error) => return Err(BagError::write(target, error)),
        }
        fs::create_dir_all(&parent).map_err(|error| BagError::write(&parent, error))?;
        let temporary = make_temporary(&parent, name)?;
        let folders = vec![temporary.clone()];
        Ok(Self { target: target.to_owned(), parent, temporary, folders, is_finished: false })
    }

    /// Begins a file at a path below the bag, with `/`.
    pub(crate) fn file(&mut self, path: &str) -> Result<Writing, BagError> {
        let full = self.temporary.join(path);
        if let Some(folder) = full.parent() {
            self.make_folder(folder)?;
        }
        let file = File::options().create_new(true).write(true).open(&full);
        let file = BufWriter::new(file.map_err(|error| BagError::write(&full, error))?);
        Ok(Writing { path: full, file, digest: Sha256::new(), bytes: 0 })
    }

    /// Writes a whole file.
    pub(crate) fn put(&mut self, path: &str, content: &[u8]) -> Result<WrittenFile, BagError> {
        let mut file = self.file(path)?;
        file.write(content)?;
        file.finish()
    }

    /// Flushes every folder and gives the bag its name.
    pub(crate) fn finish(mut self) -> Result<(), BagError> {
        for folder in &self.folders {
            flush_folder(folder)?;
        }
        // Replaces an empty folder; one that was filled meanwhile refuses.
        fs::rename(&self.temporary, &self.target).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                BagError::NotEmpty { path: self.target.clone() }
            }
            _ => BagError::write(&self.target, error),
        })?;
        self.is_finished = true;
        flush_folder(&self.parent)
    }

    fn make_folder(&mut self, folder: &Path) -> Result<(), BagError> {
        if self.folders.iter().any(|made| made == folder) {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|error| BagError::write(folder, error))?;
        let above = folder.ancestors().take_while(|above| *above != self.temporary);
        let new: Vec<PathBuf> =
            above.filter(|above| !self.folders.iter().any(|made| made == above)).map(Path::to_owned).collect();
        self.folders.extend(new);
        Ok(())
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        if !self.is_finished {
            // If this fails too, a folder with a dot in front of its name stays, and no bag.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

impl Writing {
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), BagError> {
        self.digest.update(content);
        self.bytes += content.len() as u64;
        self.file.write_all(content).map_err(|error| BagError::write(&self.path, error))
    }

    /// SHA-256 of what was written so far.
    pub(crate) fn hash_so_far(&self) -> BlobHash {
        BlobHash::from_bytes(self.digest.clone().finalize().into())
    }

    /// Makes the file durable.
    pub(crate) fn finish(self) -> Result<WrittenFile, BagError> {
        let Self { path, file, digest, bytes } = self;
        let flushed = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        flushed.map_err(|error| BagError::write(&path, error))?;
        Ok(WrittenFile { hash: BlobHash::from_bytes(digest.finalize().into()), bytes })
    }

    /// Removes the file again.
    pub(crate) fn discard(self) -> Result<(), BagError> {
        let Self { path, file, .. } = self;
        drop(file);
        fs::remove_file(&path).map_err(|error| BagError::write(&path, error))
    }
}

fn make_temporary(parent: &Path, name: &OsStr) -> Result<PathBuf, BagError> {
    for n in 0_u32.. {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".writing-{n}"));
        let path = parent.join(hidden);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // Of a kill, or of somebody who writes the same bag now.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(BagError::write(&path, error)),
        }
    }
    Err(BagError::NoName { path: parent.join(name) })
}

fn flush_folder(folder: &Path) -> Result<(), BagError> {
    // Windows has no such call; NTFS journals names itself.
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(|error| BagError::write(folder, error))?;
    }
    Ok(())
}
