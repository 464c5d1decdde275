//! Small files that must be there whole after a power cut, or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What the name of a file ends with while it is written.
pub(crate) const TEMPORARY: &str = ".tmp";

/// The name of a file while it is written: the whole name with something behind it, which is nobody else's.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMPORARY);
    name.into()
}

/// Writes `bytes` to a new file that only its owner may read: temporary file, flush, rename, flush the folder.
///
/// A file that is there already is replaced. A kill leaves the old file or the new one, and perhaps a temporary one
/// that the next write replaces.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let temporary = temporary(path);
    // One left by a kill may have been made with other rights.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => {}
    }
    let written = private(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    flush_folder(folder)
}

/// Makes a folder and what is missing above it; a name that is not flushed in the folder above it does not outlive a power cut.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    fs::create_dir_all(folder)?;
    missing.iter().rev().filter_map(|folder| folder.parent()).try_for_each(flush_folder)
}

/// At most `bytes_max` bytes of a file; one more than that if it is longer. `None` if it is not there.
pub(crate) fn read(path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn flush_folder(folder: &Path) -> io::Result<()> {
    // Windows has no such call; NTFS journals names itself.
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_read_by_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/one.key");
        fs::create_dir_all(home.path().join("keys")).unwrap();
        fs::write(temporary(&path), b"left by a kill").unwrap();
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(read(&path, 100).unwrap().as_deref(), Some(&b"second"[..]));
        assert_eq!(read(&path, 3).unwrap().as_deref(), Some(&b"seco"[..]));
        assert_eq!(read(&home.path().join("none"), 3).unwrap(), None);
        assert!(!temporary(&path).exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        }
    }
}
