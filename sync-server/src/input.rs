//! Files that people name: read up to a limit, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::{Code, Failure};

/// The bytes of the file at `path`, which should be `what` ("a charter"). `-` is standard input.
///
/// # Errors
/// If it is missing, cannot be read, or is longer than `bytes_max`.
pub(crate) fn read(path: &Path, what: &'static str, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let refused = |error: io::Error| Failure::input_file(path, what, &error);
    let mut bytes = Vec::new();
    // One byte more shows that there is more, without reading how much.
    let limit = bytes_max as u64 + 1;
    if path.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(refused)?;
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(refused)?;
    }
    if bytes.len() > bytes_max {
        let line = format!("{} is longer than {what} can be ({bytes_max} bytes)", path.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    Ok(bytes)
}

/// The same, of a text.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub(crate) fn read_text(path: &Path, what: &'static str, bytes_max: usize) -> Result<String, Failure> {
    let bytes = read(path, what, bytes_max)?;
    String::from_utf8(bytes).map_err(|_| {
        let line = format!("{} is not {what}: it is not text in UTF-8", path.display());
        Failure::new(Code::BadInput, line)
    })
}

/// Writes a new file: whole and flushed, or not there.
///
/// # Errors
/// If there is a file already, or the system refuses.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    refuse_existing(path)?;
    replace(path, bytes)
}

/// Says early that a file cannot be written because one is there: before a passphrase is asked for, before a key is made.
///
/// # Errors
/// If there is one.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    // A link that leads nowhere counts as a file too.
    if path.symlink_metadata().is_ok() {
        let line = format!("{} exists already; choose another name or remove it", path.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    Ok(())
}

/// Writes a file, in place of one that may be there: a kill leaves the old one or the new one.
///
/// # Errors
/// If the system refuses; then the old one is as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = beside(path);
    let written = File::create_new(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(|error| {
        if error.kind() != io::ErrorKind::AlreadyExists {
            // What was half written is of no use to anybody; if it cannot be removed either, the line below says why.
            let _ = fs::remove_file(&temporary);
        }
        Failure::output_file(path, &error)
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("four");
        write_new(&path, b"four").unwrap();
        assert_eq!(read(&path, "a word", 4).unwrap(), b"four");
        assert!(read(&path, "a word", 3).is_err());
        assert!(read(&folder.path().join("none"), "a word", 4).is_err());
        assert!(read(folder.path(), "a word", 4).is_err());
    }

    #[test]
    fn a_file_that_is_there_is_kept_unless_it_is_to_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("charter");
        write_new(&path, b"first").unwrap();
        assert!(write_new(&path, b"second").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }
}
