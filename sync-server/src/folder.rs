//! Folders that people name: every file below them, and what was passed over, so that nothing is left out unsaid.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// Deepest folder below the one that is named. Central, Briefcase and collections of forms have two to five; a folder that
/// goes deeper is no export, and is named.
pub(crate) const FOLDERS_DEEP_MAX: usize = 16;
/// Most files below a folder: their names take some 200 MB then.
pub(crate) const FILES_MAX: usize = 1_000_000;

/// What lies below a folder.
#[derive(Debug, Default)]
pub(crate) struct Below {
    /// Every file, those of each folder in the order of their names.
    pub(crate) files: Vec<PathBuf>,
    /// Folders that are too deep, and links, which may lead in a circle or out of the folder.
    pub(crate) passed_over: Vec<PathBuf>,
}

/// Every file below a folder. Folders that `enters` refuses are left alone: they belong to something else.
///
/// # Errors
/// If a folder cannot be read, or there are more than [`FILES_MAX`] files.
pub(crate) fn below(folder: &Path, enters: impl Fn(&Path) -> bool) -> Result<Below, Failure> {
    let (mut below, mut open) = (Below::default(), vec![(folder.to_owned(), 0)]);
    while let Some((folder, deep)) = open.pop() {
        let mut inside = Vec::new();
        for (path, kind) in listed(&folder)? {
            if kind.is_file() {
                below.files.push(path);
            } else if !kind.is_dir() || deep == FOLDERS_DEEP_MAX {
                below.passed_over.push(path);
            } else if enters(&path) {
                inside.push((path, deep + 1));
            }
        }
        if below.files.len() + open.len() > FILES_MAX {
            let line = format!("{} holds more than {FILES_MAX} files; name the folders in it", folder.display());
            return Err(Failure::bad_input(line));
        }
        open.extend(inside.into_iter().rev());
    }
    Ok(below)
}

/// What lies in a folder, by name.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn listed(folder: &Path) -> Result<Vec<(PathBuf, fs::FileType)>, Failure> {
    let refused = |error: io::Error| Failure::input_file(folder, "a folder", &error);
    let entries = fs::read_dir(folder).map_err(refused)?;
    let entries = entries.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))));
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// Whether a path ends in this, whatever its capitals.
pub(crate) fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|other| other.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_in_order_and_what_is_passed_over_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let deep: PathBuf = std::iter::repeat_n("d", FOLDERS_DEEP_MAX + 1).collect();
        fs::create_dir_all(root.join(&deep)).unwrap();
        fs::create_dir_all(root.join("b-media")).unwrap();
        for file in ["a", "b-media/left", "z", "d/inner"] {
            fs::write(root.join(file), b"").unwrap();
        }
        fs::write(root.join(&deep).join("below"), b"").unwrap();
        std::os::unix::fs::symlink(root, root.join("circle")).unwrap();
        let found = below(root, |path| !path.ends_with("b-media")).unwrap();
        assert_eq!(found.files, ["a", "z", "d/inner"].map(|file| root.join(file)));
        assert_eq!(found.passed_over, [root.join("circle"), root.join(&deep)]);
        assert!(below(&root.join("none"), |_| true).is_err());
    }
}
