//! Files that a person asked for, in a folder of theirs: whole and durable under their name, or not there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::durable;

/// A file that is being written beside its place: it gets its name when it is whole. Dropped before, it is gone.
///
/// Meanwhile it is called `.NAME.N.part`; a kill leaves that, and never anything under the name itself.
pub struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    is_finished: bool,
}

/// How many unfinished files of one name may lie about: each was left by a kill, or is being written now.
const UNFINISHED_MAX: u32 = 100;

impl NewFile {
    /// Begins the file at `path`, which must not be there.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists), or the system's reason.
    pub fn begin(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        for n in 0..UNFINISHED_MAX {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{n}.part"));
            let temporary = path.with_file_name(hidden);
            match File::options().write(true).create_new(true).open(&temporary) {
                Ok(file) => return Ok(Self { path: path.to_owned(), temporary, file, is_finished: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Makes what was written durable and gives it its name.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if somebody took the name meanwhile, or the system's reason.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        give_name(&self.temporary, &self.path)?;
        self.is_finished = true;
        durable::flush_folder(folder_of(&self.path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // If this fails too it lies about, under a name that says that it is not whole.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Gives a file its name, which nobody may have.
pub(crate) fn give_name(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Ok(()) => {
            // The file is whole under its name, whether or not the other one goes.
            let _ = fs::remove_file(temporary);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Sticks know no second names: the name is taken first. A kill in between leaves an empty file.
        Err(_) => {
            File::options().write(true).create_new(true).open(path)?;
            fs::rename(temporary, path).inspect_err(|_| drop(fs::remove_file(path)))
        }
    }
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_takes_nobodys() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("photo.jpg");
        // What a kill left is not touched.
        fs::write(home.path().join(".photo.jpg.0.part"), b"half").unwrap();
        let mut first = NewFile::begin(&path).unwrap();
        let mut second = NewFile::begin(&path).unwrap();
        first.write_all(b"first").unwrap();
        second.write_all(b"second").unwrap();
        assert!(!path.exists());
        first.finish().unwrap();
        assert_eq!(second.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(NewFile::begin(&path).map(drop).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(NewFile::begin(&home.path().join("other")).unwrap());
        assert_eq!(names(home.path()), [".photo.jpg.0.part", "photo.jpg"]);
    }
}
