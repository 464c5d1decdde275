//! Removing a device for good, keys first.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use merestone_core::key::KEY_BYTES;
use merestone_store::{OpenError, Removal};

use super::error::OpenDeviceError;
use super::install::MARKER_BYTES;
use super::suspend::Suspended;
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
        return Ok(Wiped::default());
    }
    let (keys_found, _) = key_files(&home.keys())?;
    let is_there = store.is_some() || !keys_found.is_empty() || is_half_wiped(home);
    if is_there {
        write_mark(home);
    }
    // A key that stays is told when the rest is gone.
    let keys = remove_keys(&home.keys());
    if is_there {
        remove_marker(home)?;
    }
    let others = store.map(|store| store.finish().map_err(at(&home.store()))).transpose()?;
    let mut left = keys?;
    left.extend(others.unwrap_or_default());
    let own = [home.store(), mark(home)];
    for entry in fs::read_dir(&home.folder).map_err(at(&home.folder))? {
        let path = entry.map_err(at(&home.folder))?.path();
        // Of a folder of keys what is left in it was named; a link of that name is somebody's.
        let is_own = own.contains(&path) || path == home.keys() && is_folder(&path);
        if !is_own {
            left.push(path);
        }
    }
    // Last: until here an opening is refused.
    if is_half_wiped(home) {
        remove(&mark(home))?;
    } else if fs::symlink_metadata(mark(home)).is_ok() {
        left.push(mark(home));
    }
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
        write_mark(&self.home);
        remove_keys(&self.home.keys()).map(drop)
    }
}

impl Suspended {
    /// As [`Device::wipe_keys`], of a device that sleeps and that [`close`](Self::close) could not close wholly yet: of one that
    /// is closed, whoever opens the folder next is the owner, and [`wipe`] is the way.
    ///
    /// # Errors
    /// The first file that could not be removed; the others are gone.
    pub fn wipe_keys(&self) -> Result<(), WipeError> {
        self.device().wipe_keys()
    }
}

impl Home {
    /// The public halves of the observers' keys that have a file here, by the files' names, or had one when a wipe began that
    /// was cut short, ascending: those that a keystore is told to forget when the device is wiped.
    ///
    /// # Errors
    /// If the folder of keys cannot be read.
    pub fn keys_held(&self) -> Result<Vec<[u8; KEY_BYTES]>, WipeError> {
        let (files, _) = key_files(&self.keys())?;
        let mut keys: Vec<_> = files.iter().filter_map(|path| named_key(path)).collect();
        let noted = read_mark(self).ok().flatten().unwrap_or_default();
        keys.extend(noted.lines().filter_map(hex_key));
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

/// # Errors
/// If a wipe of the folder was cut short, or that cannot be seen.
pub(super) fn refuse_half_wiped(home: &Home) -> Result<(), OpenDeviceError> {
    match look_for_mark(home) {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenDeviceError::HalfWiped { folder: home.folder.clone() }),
        Err(source) => Err(OpenError::Io { path: home.folder.clone(), source }.into()),
    }
}

/// A file that is there while a wipe is under way.
fn mark(home: &Home) -> PathBuf {
    home.folder.join("wiping")
}

/// How it begins, so that a file of that name which somebody else put there is none. The keys that had a file follow, one a
/// line: a wipe that goes on after a kill names them, too.
const MARK: &str = "merestone: this device is being wiped\n";

/// Longer than with a key for every observer that a phone ever had.
const MARK_BYTES_MAX: usize = 64 << 10;

/// Where it cannot be written, the order of a wipe still leaves nothing that signs.
fn write_mark(home: &Home) {
    let mark = mark(home);
    if fs::symlink_metadata(&mark).is_err() {
        let keys = home.keys_held().unwrap_or_default();
        let lines: String = keys.iter().map(|key| HEXLOWER.encode(key) + "\n").collect();
        let _ = durable::write(&mark, format!("{MARK}{lines}").as_bytes());
    }
}

/// Whether a wipe of the folder was begun; a mark that cannot be read tells nothing.
fn is_half_wiped(home: &Home) -> bool {
    look_for_mark(home).unwrap_or(false)
}

fn look_for_mark(home: &Home) -> io::Result<bool> {
    read_mark(home).map(|mark| mark.is_some())
}

/// What follows in the mark, if there is one.
fn read_mark(home: &Home) -> io::Result<Option<String>> {
    let mark = mark(home);
    match fs::symlink_metadata(&mark) {
        Ok(found) if found.is_file() => {
            let text = durable::read(&mark, MARK_BYTES_MAX)?.and_then(|bytes| String::from_utf8(bytes).ok());
            Ok(text.as_deref().and_then(|text| text.strip_prefix(MARK)).map(str::to_owned))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the key files; what else lies among them.
fn remove_keys(folder: &Path) -> Result<Vec<PathBuf>, WipeError> {
    if !is_folder(folder) {
        return Ok(Vec::new());
    }
    let (keys, left) = key_files(folder)?;
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

/// The key files in a folder, and what else lies among them. A link is not followed: it may lead to somebody else's keys.
fn key_files(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), WipeError> {
    let (mut keys, mut left) = (Vec::new(), Vec::new());
    if is_folder(folder) {
        for file in fs::read_dir(folder).map_err(at(folder))? {
            let path = file.map_err(at(folder))?.path();
            let is_key = named_key(&path).is_some() && is_file(&path);
            if is_key { keys.push(path) } else { left.push(path) }
        }
    }
    Ok((keys, left))
}

/// The key that a key file is named after: `<public key>.key`, or what a kill left of writing one, `<public key>.key.tmp` or
/// `<public key>.tmp`.
fn named_key(path: &Path) -> Option<[u8; KEY_BYTES]> {
    let name = path.file_name()?.to_str()?;
    hex_key(match name.strip_suffix(durable::TEMPORARY) {
        Some(unfinished) => unfinished.strip_suffix(".key").unwrap_or(unfinished),
        None => name.strip_suffix(".key")?,
    })
}

fn hex_key(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut bytes = [0; KEY_BYTES];
    let is_whole = text.len() == 2 * KEY_BYTES;
    is_whole.then(|| HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).ok()).flatten()?;
    Some(bytes)
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(KEYFILE_BYTES_MAX);
    file.write_all(&vec![0; bytes])?;
    file.sync_all()
}

/// Removes the install marker, and what a kill left of writing it; a file that cannot be one is somebody else's.
fn remove_marker(home: &Home) -> Result<(), WipeError> {
    let bytes = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len());
    if bytes(&home.marker) == Some(MARKER_BYTES as u64) {
        remove(&home.marker)?;
    }
    let unfinished = durable::temporary(&home.marker);
    match bytes(&unfinished) {
        Some(found) if found <= MARKER_BYTES as u64 => remove(&unfinished),
        Some(_) | None => Ok(()),
    }
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
