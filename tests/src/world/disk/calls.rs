//! What becomes of one storage call: whose disk it is for, whether it happens, and what must be remembered of it.

use std::ffi::{CStr, CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use libc::mode_t;

use super::sys;
pub use super::sys::to_c;
use super::{DISKS, IS_WORLD, Open, ROOT, State, lock};

/// What a call answered: a number from 0 up, or an error number.
pub type Answer = Result<i64, c_int>;

/// Descriptors that can be watched: more than one process may have open here.
const DESCRIPTORS: usize = 65_536;

/// The disk that an open file lies on, by descriptor; 0 is none. Looked at on every write of the process, so it takes no lock.
static OWNERS: [AtomicU32; DESCRIPTORS] = [const { AtomicU32::new(0) }; DESCRIPTORS];

/// Opens a file or folder, as `openat` does.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn open(folder: c_int, path: &CStr, flags: c_int, mode: mode_t) -> Answer {
    let Some((number, disk)) = disk_at(path) else { return sys::open_at(folder, path, flags, mode) };
    let opened = lock(&disk).open(path, flags, mode)?;
    if let Some(owner) = usize::try_from(opened).ok().and_then(|fd| OWNERS.get(fd)) {
        owner.store(number, Ordering::Relaxed);
    }
    Ok(opened)
}

/// Closes a descriptor.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn close(fd: c_int) -> Answer {
    let owner = usize::try_from(fd).ok().and_then(|fd| OWNERS.get(fd));
    let number = owner.map_or(0, |owner| owner.swap(0, Ordering::Relaxed));
    if number != 0
        && let Some(disk) = disk(number)
    {
        lock(&disk).open.remove(&fd);
    }
    sys::close(fd)
}

/// Whether writes to it are looked at.
pub fn is_watched(fd: c_int) -> bool {
    !is_world()
        && usize::try_from(fd)
            .ok()
            .and_then(|fd| OWNERS.get(fd))
            .is_some_and(|owner| owner.load(Ordering::Relaxed) != 0)
}

/// Writes at a place, or where the descriptor stands.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn write(fd: c_int, bytes: &[u8], at: Option<i64>) -> Answer {
    let Some(disk) = watched(fd) else { return write_now(fd, bytes, at) };
    let mut state = lock(&disk);
    let from = at.map_or_else(|| sys::position(fd), i64::unsigned_abs);
    if let Err(errno) = state.count() {
        if state.is_dead && state.kill_at == Some(state.calls) {
            // The kill comes in the middle of the call: some of its first sectors are there.
            let sectors = (state.calls.wrapping_mul(0x9e37_79b9) >> 7) as usize % (bytes.len() / 512 + 1);
            state.kill_at = None;
            state.remember(fd, from, sectors * 512);
            let _ = write_now(fd, &bytes[..sectors * 512], at);
        }
        return Err(errno);
    }
    let taken = state.take_room(fd, from, bytes.len())?;
    state.remember(fd, from, taken);
    write_now(fd, &bytes[..taken], at)
}

/// Makes durable what was written to a file, or the names in a folder.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn flush(fd: c_int, data_only: bool) -> Answer {
    let Some(disk) = watched(fd) else { return sys::flush(fd, data_only) };
    let mut state = lock(&disk);
    state.count()?;
    if let Some(Open { inode, folder }) = state.open.get(&fd).cloned() {
        match folder {
            Some(folder) => state.journal.settle_folder(&folder),
            None => state.journal.settle_file(inode),
        }
    }
    // It lies in memory: there is nothing to wait for.
    Ok(0)
}

/// Gives a file another length.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn truncate(fd: c_int, bytes: i64) -> Answer {
    let Some(disk) = watched(fd) else { return sys::truncate(fd, bytes) };
    let mut state = lock(&disk);
    state.count()?;
    let stat = sys::stat(fd)?;
    let to = bytes.unsigned_abs();
    let cut = usize::try_from(stat.bytes.saturating_sub(to)).unwrap_or(0);
    state.remember(fd, to.min(stat.bytes), cut);
    state.journal.remember_length(stat.inode, stat.bytes);
    if let Some(room) = &mut state.room {
        *room += cut as u64;
    }
    sys::truncate(fd, bytes)
}

/// Gives a file another name.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn rename(from: &CStr, to: &CStr) -> Answer {
    let now = |from, to| sys::rename_at(libc::AT_FDCWD, from, libc::AT_FDCWD, to);
    let (Some((_, disk)), Some((other, _))) = (disk_at(from), disk_at(to)) else { return now(from, to) };
    debug_assert!(disk_at(from).is_some_and(|(number, _)| number == other), "a device stays on its disk");
    let mut state = lock(&disk);
    state.count()?;
    let replaced = state.bury(to)?;
    now(from, to)?;
    state.journal.renamed(path(from), path(to), replaced);
    Ok(0)
}

/// Removes the name of a file.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn remove(at: &CStr) -> Answer {
    let Some((_, disk)) = disk_at(at) else { return sys::unlink_at(libc::AT_FDCWD, at, 0) };
    let mut state = lock(&disk);
    state.count()?;
    let grave = state.bury(at)?.ok_or(libc::ENOENT)?;
    state.journal.removed(path(at), grave);
    sys::unlink_at(libc::AT_FDCWD, at, 0)
}

/// Gives a file a second name.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn link(from_folder: c_int, from: &CStr, to_folder: c_int, to: &CStr, flags: c_int) -> Answer {
    let now = || sys::link_at(from_folder, from, to_folder, to, flags);
    let Some((_, disk)) = disk_at(to) else { return now() };
    let mut state = lock(&disk);
    state.count()?;
    now()?;
    state.journal.created(path(to));
    Ok(0)
}

/// Removes an empty folder.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn remove_folder(at: &CStr) -> Answer {
    sys::unlink_at(libc::AT_FDCWD, at, libc::AT_REMOVEDIR)
}

/// Makes a folder.
///
/// # Errors
/// The error number, of the kernel or of the disk.
pub fn make_folder(at: &CStr, mode: mode_t) -> Answer {
    let now = || sys::make_folder_at(libc::AT_FDCWD, at, mode);
    let Some((_, disk)) = disk_at(at) else { return now() };
    let mut state = lock(&disk);
    state.count()?;
    now()?;
    state.journal.created(path(at));
    Ok(0)
}

impl State {
    /// Counts a call; whether it may happen.
    fn count(&mut self) -> Result<(), c_int> {
        if self.is_dead {
            return Err(libc::EIO);
        }
        self.calls += 1;
        if self.kill_at == Some(self.calls) {
            self.is_dead = true;
            return Err(libc::EIO);
        }
        if self.fail_at == Some(self.calls) {
            (self.fail_at, self.has_failed) = (None, true);
            return Err(libc::EIO);
        }
        Ok(())
    }

    fn open(&mut self, at: &CStr, flags: c_int, mode: mode_t) -> Answer {
        if self.is_dead {
            return Err(libc::EIO);
        }
        let creates = flags & libc::O_CREAT != 0 && sys::inode_at(at).is_none();
        let empties = flags & libc::O_TRUNC != 0 && !creates;
        if creates || empties {
            self.count()?;
        }
        if creates && self.room == Some(0) {
            return Err(libc::ENOSPC);
        }
        let opened = sys::open_at(libc::AT_FDCWD, at, flags & !libc::O_TRUNC, mode)?;
        let fd = c_int::try_from(opened).map_err(|_| libc::EMFILE)?;
        let stat = sys::stat(fd)?;
        let folder = stat.is_folder.then(|| path(at).to_owned());
        self.open.insert(fd, Open { inode: stat.inode, folder });
        if creates {
            self.journal.created(path(at));
            self.journal.remember_length(stat.inode, 0);
        }
        if empties && !stat.is_folder {
            self.remember(fd, 0, usize::try_from(stat.bytes).unwrap_or(0));
            sys::truncate(fd, 0)?;
        }
        Ok(opened)
    }

    /// How many of `len` bytes at `from` the disk takes.
    fn take_room(&mut self, fd: c_int, from: u64, len: usize) -> Result<usize, c_int> {
        let Some(room) = self.room else { return Ok(len) };
        let grows = (from + len as u64).saturating_sub(sys::stat(fd)?.bytes);
        if grows <= room {
            self.room = Some(room - grows);
            return Ok(len);
        }
        let taken = (len as u64).saturating_sub(grows - room);
        self.room = Some(0);
        match usize::try_from(taken) {
            Ok(taken) if taken > 0 => Ok(taken),
            _ => Err(libc::ENOSPC),
        }
    }

    /// Remembers what stands where `len` bytes are about to be written.
    fn remember(&mut self, fd: c_int, from: u64, len: usize) {
        let Some(Open { inode, folder: None }) = self.open.get(&fd).cloned() else { return };
        let Ok(stat) = sys::stat(fd) else { return };
        self.journal.remember_length(inode, stat.bytes);
        self.journal.remember(inode, stat.bytes, from, len, |bytes, at| sys::read_at(fd, bytes, at));
    }

    /// Keeps a second name of a file that is about to lose its own; `None` if it is not there.
    fn bury(&mut self, at: &CStr) -> Result<Option<std::path::PathBuf>, c_int> {
        if sys::inode_at(at).is_none() {
            return Ok(None);
        }
        let grave = self.graves.join(self.calls.to_string());
        let name = CString::new(grave.as_os_str().as_bytes()).map_err(|_| libc::EINVAL)?;
        sys::link_at(libc::AT_FDCWD, at, libc::AT_FDCWD, &name, 0)?;
        Ok(Some(grave))
    }
}

fn write_now(fd: c_int, bytes: &[u8], at: Option<i64>) -> Answer {
    match at {
        Some(at) => sys::write_at(fd, bytes, at),
        None => sys::write(fd, bytes),
    }
}

fn path(text: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(text.to_bytes()))
}

/// The disk of a descriptor, if a device is at work on it.
fn watched(fd: c_int) -> Option<Arc<Mutex<State>>> {
    if is_world() {
        return None;
    }
    let number = OWNERS.get(usize::try_from(fd).ok()?)?.load(Ordering::Relaxed);
    if number == 0 { None } else { disk(number) }
}

/// The disk of a path, if a device is at work on it: `ROOT/<number>/home` and what lies below.
fn disk_at(at: &CStr) -> Option<(u32, Arc<Mutex<State>>)> {
    let root = ROOT.get()?;
    let below = at.to_bytes().strip_prefix(root.as_os_str().as_bytes())?.strip_prefix(b"/")?;
    if is_world() {
        return None;
    }
    let end = below.iter().position(|byte| *byte == b'/')?;
    let rest = below[end..].strip_prefix(b"/home")?;
    if !rest.is_empty() && !rest.starts_with(b"/") {
        return None;
    }
    let number: u32 = std::str::from_utf8(&below[..end]).ok()?.parse().ok()?;
    Some((number, disk(number)?))
}

fn disk(number: u32) -> Option<Arc<Mutex<State>>> {
    DISKS.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
}

/// A thread that is ending is not the World.
fn is_world() -> bool {
    IS_WORLD.try_with(std::cell::Cell::get).unwrap_or(false)
}
