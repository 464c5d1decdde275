//! Removing a device for good, keys first.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use merestone_store::{OpenError, Removal};

use super::error::OpenDeviceError;
use super::{Device, Home};
use crate::durable;
use crate::vault::KEYFILE_BYTES_MAX;

/// What a wipe left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiped {
    /// What lies in the device's folder and is none of its files, in order: nobody else's files are removed.
    pub left: Vec<PathBuf>,
}

/// A device was not wiped, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum WipeError {
    /// The device is open, here or in another process, or the folder holds another program's database. Nothing was removed.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// A file could not be removed. What was removed stays removed, keys above all; wipe again for the rest.
    #[error("cannot remove {path}")]
    Remove {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// Removes the device at `home`, which nobody may have open: the key files, each overwritten first where the disk
/// lets it, then the install marker,
/// then the store with drafts, entries and photos. The rest of the mission keeps what was synced.
///
/// Durable when it returns. A kill on the way leaves a folder in which nothing can be opened or signed, and which another
/// wipe clears: until then [`Device::open`](super::Device::open) and [`create`](super::Device::create) refuse it with
/// [`OpenDeviceError::HalfWiped`]. A folder in which there is no device is left as it is.
///
/// A flash disk may keep the old bytes of an overwritten or removed file where no file system reaches them. What protects the
/// keys there is that a passphrase or the platform's keystore wraps them.
///
/// # Errors
/// [`WipeError`].
pub fn wipe(home: &Home) -> Result<Wiped, WipeError> {
    let store = Removal::begin(&home.store())?;
    if !home.folder.is_dir() {
        remove_marker(home)?;
        return Ok(Wiped::default());
    }
    let mark = mark(home);
    let is_there = store.is_some() || home.keys().is_dir() || mark.exists() || home.marker.exists();
    if is_there {
        // Where not even this can be written, the order still leaves nothing that opens or signs.
        let _ = durable::write(&mark, &[]);
    }
    // A key that stays is told when the rest is gone.
    let keys = remove_keys(&home.keys());
    remove_marker(home)?;
    let others = store.map(|store| store.finish().map_err(at(&home.store()))).transpose()?;
    let mut left = keys?;
    left.extend(others.unwrap_or_default());
    let own = [home.store(), home.keys(), mark.clone()];
    for entry in fs::read_dir(&home.folder).map_err(at(&home.folder))? {
        let path = entry.map_err(at(&home.folder))?.path();
        if !own.contains(&path) {
            left.push(path);
        }
    }
    remove(&mark)?;
    if is_there {
        // With what is left in it, it stays.
        let _ = fs::remove_dir(&home.folder);
    }
    left.sort_unstable();
    Ok(Wiped { left })
}

impl Device {
    /// Begins a wipe of this device while it is open: its key files go, each overwritten first, and it is not opened again.
    /// Close it, and [`wipe`] the rest.
    ///
    /// # Errors
    /// The first file that could not be removed; the others are gone.
    pub fn wipe_keys(&self) -> Result<(), WipeError> {
        let _ = durable::write(&mark(&self.home), &[]);
        remove_keys(&self.home.keys()).map(drop)
    }
}

/// # Errors
/// If a wipe of the folder was cut short.
pub(super) fn refuse_half_wiped(home: &Home) -> Result<(), OpenDeviceError> {
    match mark(home).try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenDeviceError::HalfWiped { folder: home.folder.clone() }),
        Err(source) => Err(OpenError::Io { path: home.folder.clone(), source }.into()),
    }
}

/// A file that is there while a wipe is under way.
fn mark(home: &Home) -> PathBuf {
    home.folder.join("wiping")
}

/// Removes the key files; what else lies among them.
fn remove_keys(folder: &Path) -> Result<Vec<PathBuf>, WipeError> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let (mut keys, mut left) = (Vec::new(), Vec::new());
    for file in files {
        let path = file.map_err(at(folder))?.path();
        if is_key_file(&path) { keys.push(path) } else { left.push(path) }
    }
    // All are worthless before the first is gone.
    for path in &keys {
        // One that lets nobody write can still be removed.
        let _ = overwrite(path);
    }
    // One that stays keeps none of the others.
    let removed: Vec<Result<(), WipeError>> = keys.iter().map(|path| remove(path)).collect();
    removed.into_iter().collect::<Result<(), WipeError>>()?;
    durable::flush_folder(folder).map_err(at(folder))?;
    // With what is left in it, it stays.
    let _ = fs::remove_dir(folder);
    Ok(left)
}

/// `<public key>.key`, or what a kill left of writing one.
fn is_key_file(path: &Path) -> bool {
    let is_key = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .is_some_and(|stem| stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_ours = path.extension().is_some_and(|extension| extension == "key" || extension == "tmp");
    is_key && is_ours && fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(KEYFILE_BYTES_MAX);
    file.write_all(&vec![0; bytes])?;
    file.sync_all()
}

fn remove_marker(home: &Home) -> Result<(), WipeError> {
    remove(&home.marker)?;
    remove(&home.marker.with_extension("tmp"))
}

/// Removes a file that may be there, durably.
fn remove(path: &Path) -> Result<(), WipeError> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), |folder| durable::flush_folder(folder).map_err(at(folder))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error)),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> WipeError {
    let path = path.to_owned();
    move |source| WipeError::Remove { path: path.clone(), source }
}
