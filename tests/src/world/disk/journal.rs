//! What a device changed on its disk and did not flush, and what a power cut leaves of it.
//!
//! Of each 512-byte sector every content since the last flush is kept; the power cut leaves any one of them, for each sector
//! on its own. Names (created, removed, renamed) are kept by folder, and each folder keeps a beginning of its changes.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::files;
use crate::chance::Chance;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// How much a power cut took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Sectors that are as they were before.
    pub sectors: usize,
    /// Files whose length is as it was before.
    pub lengths: usize,
    /// Names that are as they were before.
    pub names: usize,
}

/// Everything that is not flushed.
#[derive(Debug, Default)]
pub(super) struct Journal {
    files: BTreeMap<u64, Unflushed>,
    /// Changes of names, oldest first.
    names: Vec<NameChange>,
}

/// What one file held before.
#[derive(Debug, Default)]
struct Unflushed {
    /// Contents of a sector, oldest first; `None` where the file ended before it.
    sectors: BTreeMap<u64, Vec<Option<Box<[u8; SECTOR]>>>>,
    /// Lengths, oldest first.
    lengths: Vec<u64>,
}

#[derive(Debug)]
enum NameChange {
    Created { path: PathBuf },
    Removed { path: PathBuf, grave: PathBuf },
    Renamed { from: PathBuf, to: PathBuf, replaced: Option<PathBuf> },
}

impl NameChange {
    /// The folder whose flush makes it durable.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Created { path } | Self::Removed { path, .. } | Self::Renamed { to: path, .. } => path.parent(),
        }
    }

    fn grave(&self) -> Option<&Path> {
        match self {
            Self::Created { .. } => None,
            Self::Removed { grave, .. } => Some(grave),
            Self::Renamed { replaced, .. } => replaced.as_deref(),
        }
    }
}

impl Journal {
    /// Keeps what stands in the sectors of `len` bytes from `from` of a file of `length` bytes.
    pub(super) fn remember(
        &mut self,
        inode: u64,
        length: u64,
        from: u64,
        len: usize,
        read: impl Fn(&mut [u8], u64) -> usize,
    ) {
        if len == 0 {
            return;
        }
        let first = from / SECTOR as u64;
        let last = (from + len as u64 - 1) / SECTOR as u64;
        let held = length.div_ceil(SECTOR as u64).min(last + 1).saturating_sub(first);
        let mut old = vec![0; usize::try_from(held).unwrap_or(0) * SECTOR];
        // What lies behind the end of the file in its last sector is zeros.
        let _ = read(&mut old, first * SECTOR as u64);
        let mut old = old.chunks_exact(SECTOR);
        let unflushed = self.files.entry(inode).or_default();
        for sector in first..=last {
            let content = old.next().and_then(|content| <[u8; SECTOR]>::try_from(content).ok()).map(Box::new);
            unflushed.sectors.entry(sector).or_default().push(content);
        }
    }

    /// Keeps the length that a file has before it changes.
    pub(super) fn remember_length(&mut self, inode: u64, bytes: u64) {
        let lengths = &mut self.files.entry(inode).or_default().lengths;
        if lengths.last() != Some(&bytes) {
            lengths.push(bytes);
        }
    }

    pub(super) fn created(&mut self, path: &Path) {
        self.names.push(NameChange::Created { path: path.to_owned() });
    }

    pub(super) fn removed(&mut self, path: &Path, grave: PathBuf) {
        self.names.push(NameChange::Removed { path: path.to_owned(), grave });
    }

    pub(super) fn renamed(&mut self, from: &Path, to: &Path, replaced: Option<PathBuf>) {
        self.names.push(NameChange::Renamed { from: from.to_owned(), to: to.to_owned(), replaced });
    }

    /// The content of a file is durable.
    pub(super) fn settle_file(&mut self, inode: u64) {
        self.files.remove(&inode);
    }

    /// The names in a folder are durable.
    pub(super) fn settle_folder(&mut self, folder: &Path) {
        let (settled, kept) = std::mem::take(&mut self.names)
            .into_iter()
            .partition(|change: &NameChange| change.folder() == Some(folder));
        self.names = kept;
        for change in settled {
            if let Some(grave) = change.grave().and_then(c_path) {
                let _ = super::sys::unlink_at(libc::AT_FDCWD, &grave, 0);
            }
            if let NameChange::Renamed { from, .. } = change {
                // A name that was given up durably had been made before.
                self.names.retain(|other| !matches!(other, NameChange::Created { path } if *path == from));
            }
        }
    }

    /// Undoes what a power cut undoes in `home`.
    pub(super) fn cut(mut self, home: &Path, chance: &mut Chance) -> io::Result<Lost> {
        let mut lost = Lost::default();
        for path in files(home)? {
            let inode = fs::metadata(&path)?.ino();
            if let Some(unflushed) = self.files.remove(&inode) {
                unflushed.cut(&path, chance, &mut lost)?;
            }
        }
        self.cut_names(chance, &mut lost)?;
        Ok(lost)
    }

    fn cut_names(self, chance: &mut Chance, lost: &mut Lost) -> io::Result<()> {
        let mut kept: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for change in &self.names {
            *kept.entry(change.folder().unwrap_or(Path::new("")).to_owned()).or_default() += 1;
        }
        let mut undone: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for (folder, changes) in kept {
            undone.insert(folder, chance.below(changes + 1));
        }
        for change in self.names.iter().rev() {
            let left = undone.get_mut(change.folder().unwrap_or(Path::new("")));
            if let Some(left) = left.filter(|left| **left > 0) {
                *left -= 1;
                lost.names += usize::from(undo(change)?);
            }
        }
        for grave in self.names.iter().filter_map(NameChange::grave) {
            let _ = fs::remove_file(grave);
        }
        Ok(())
    }
}

impl Unflushed {
    fn cut(self, path: &Path, chance: &mut Chance, lost: &mut Lost) -> io::Result<()> {
        let file = fs::File::options().read(true).write(true).open(path)?;
        let now = file.metadata()?.len();
        let newest = self.lengths.len() as u64;
        let length = match chance.below(newest + 1) {
            chosen if chosen == newest => now,
            chosen => usize::try_from(chosen).ok().and_then(|at| self.lengths.get(at)).copied().unwrap_or(now),
        };
        lost.lengths += usize::from(length != now);
        file.set_len(length)?;
        for (sector, contents) in self.sectors {
            let chosen = usize::try_from(chance.below(contents.len() as u64 + 1)).unwrap_or(0);
            let Some(content) = contents.get(chosen) else { continue };
            let from = sector * SECTOR as u64;
            let Some(len) = length.checked_sub(from).filter(|len| *len > 0) else { continue };
            let len = usize::try_from(len).unwrap_or(SECTOR).min(SECTOR);
            let content = content.as_deref().unwrap_or(&[0; SECTOR]);
            file.write_all_at(&content[..len], from)?;
            lost.sectors += 1;
        }
        Ok(())
    }
}

/// Undoes a change of a name, unless the name means something else by now; whether it was undone.
fn undo(change: &NameChange) -> io::Result<bool> {
    match change {
        NameChange::Created { path } => match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(path)?,
            Ok(_) => fs::remove_file(path)?,
            Err(_) => return Ok(false),
        },
        NameChange::Removed { path, grave } => {
            let has_parent = path.parent().is_some_and(Path::exists);
            if path.exists() || !grave.exists() || !has_parent {
                return Ok(false);
            }
            fs::rename(grave, path)?;
        }
        NameChange::Renamed { from, to, replaced } => {
            if from.exists() || !to.exists() || !from.parent().is_some_and(Path::exists) {
                return Ok(false);
            }
            fs::rename(to, from)?;
            if let Some(replaced) = replaced {
                fs::rename(replaced, to)?;
            }
        }
    }
    Ok(true)
}

fn c_path(path: &Path) -> Option<std::ffi::CString> {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::CString::new(path.as_os_str().as_bytes()).ok()
}
