//! Disks that fail: every change that a device makes to its files passes here first.
//!
//! The product is not changed and knows nothing of it: `exports.rs`, in the programs that include it, stands where libc's
//! functions stood, for Rust's `std` and the bundled SQLite alike. A [`Disk`] is the folder of one device. It counts storage calls, and can end a process at the k-th
//! (from then on every call fails and changes nothing), cut the power (what was not flushed is undone in part, to the 512-byte
//! sector), be full, fail once, and rot.
//!
//! What it does not do: it does not reorder a flush, and it keeps the names of one folder in the order in which they were
//! changed, as journalling file systems do. A file system that keeps a later name and loses an earlier one is not here.

pub mod calls;
mod journal;
mod sys;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::{fs, io};

use crate::chance::Chance;
use journal::Journal;
pub use journal::Lost;

/// What a device's disk is told to do, and what it remembers.
#[derive(Debug, Default)]
struct State {
    /// Root of everything that the device may change.
    home: PathBuf,
    /// Files that were removed and may come back with the power.
    graves: PathBuf,
    /// Storage calls so far.
    calls: u64,
    /// The process ends at this call.
    kill_at: Option<u64>,
    /// This call fails.
    fail_at: Option<u64>,
    /// Bytes that the disk still takes; `None` is without end.
    room: Option<u64>,
    is_dead: bool,
    /// A call failed since the process was started.
    has_failed: bool,
    /// Files and folders that are open.
    open: BTreeMap<c_int, Open>,
    journal: Journal,
}

#[derive(Clone, Debug)]
struct Open {
    inode: u64,
    /// Only of a folder.
    folder: Option<PathBuf>,
}

/// The disks of this process, by number.
static DISKS: RwLock<BTreeMap<u32, Arc<Mutex<State>>>> = RwLock::new(BTreeMap::new());
static NEXT: AtomicU32 = AtomicU32::new(1);
/// The folder of all disks.
static ROOT: OnceLock<PathBuf> = OnceLock::new();

thread_local! {
    /// The World itself is at work on a disk, not a device.
    static IS_WORLD: Cell<bool> = const { Cell::new(false) };
}

/// The disk of one device. Dropping it removes everything on it.
#[derive(Debug)]
pub struct Disk {
    number: u32,
    state: Arc<Mutex<State>>,
    folder: PathBuf,
}

/// Whether the process of a device is dead, for whoever carries what it says.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mutex<State>>);

impl Pulse {
    /// Whether it is.
    pub fn is_dead(&self) -> bool {
        lock(&self.0).is_dead
    }
}

impl Disk {
    /// An empty disk. It lies in memory where the system offers that (`/dev/shm`): no flush then waits for anything.
    ///
    /// # Errors
    /// If its folder cannot be made; or in a program that does not include `exports.rs`, whose disks would never fail.
    pub fn make() -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = root().join(number.to_string());
        let _at_work = AtWork::begin();
        let (home, graves) = (folder.join("home"), folder.join("graves"));
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&graves)?;
        let state = State { home, graves, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        DISKS.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&state));
        let disk = Self { number, state, folder };
        disk.probe()?;
        Ok(disk)
    }

    /// Whether calls of this program pass through the disk.
    fn probe(&self) -> io::Result<()> {
        let _as_a_device = AtWork::pause();
        let probe = self.home().join("probe");
        fs::create_dir(&probe)?;
        fs::remove_dir(&probe)?;
        let mut state = self.state();
        state.journal = Journal::default();
        match std::mem::take(&mut state.calls) {
            0 => Err(io::Error::other("this program does not include world/disk/exports.rs")),
            _ => Ok(()),
        }
    }

    /// Where a device may write.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Storage calls that were made so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Ends the process of the device at the storage call that is `calls` away, 1 being the next.
    pub fn kill_in(&self, calls: u64) {
        let mut state = self.state();
        state.kill_at = Some(state.calls + calls.max(1));
    }

    /// Ends the process of the device now.
    pub fn kill(&self) {
        self.state().is_dead = true;
    }

    /// Lets the storage call that is `calls` away fail, 1 being the next, and changes nothing by it.
    pub fn fail_in(&self, calls: u64) {
        let mut state = self.state();
        state.fail_at = Some(state.calls + calls.max(1));
    }

    /// Whether something that was asked for may still come, or came: the product may then say that it cannot store.
    pub fn is_armed(&self) -> bool {
        let state = self.state();
        state.is_dead || state.has_failed || state.kill_at.is_some() || state.fail_at.is_some() || state.room.is_some()
    }

    /// Nothing that was asked for comes any more; whether a call failed since the process was started.
    pub fn disarm(&self) -> bool {
        let mut state = self.state();
        (state.kill_at, state.fail_at, state.room) = (None, None, None);
        state.has_failed
    }

    /// Lets the disk take so many more bytes; `None`: as many as there are.
    pub fn limit_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// The pulse of the process of the device.
    pub fn pulse(&self) -> Pulse {
        Pulse(Arc::clone(&self.state))
    }

    /// Whether the process of the device is dead: what it still does happens nowhere.
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// The process is started again, on a disk that has room and does not fail. What it had not flushed stays unflushed.
    pub fn revive(&self) {
        let mut state = self.state();
        (state.is_dead, state.has_failed, state.kill_at, state.fail_at, state.room) = (false, false, None, None, None);
        state.open.clear();
    }

    /// Cuts the power under a process that is dead and gone: of what was not flushed, `chance` decides what is undone.
    ///
    /// # Errors
    /// If the World cannot write to its own folder.
    pub fn cut_power(&self, chance: &mut Chance) -> io::Result<Lost> {
        let mut state = self.state();
        let _at_work = AtWork::begin();
        state.is_dead = true;
        let journal = std::mem::take(&mut state.journal);
        journal.cut(&state.home.clone(), chance)
    }

    /// Turns one bit of `file` around, as a disk does that ages; its place.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn flip_bit(&self, file: &Path, chance: &mut Chance) -> io::Result<u64> {
        use std::os::unix::fs::FileExt as _;
        let _at_work = AtWork::begin();
        let open = fs::File::options().read(true).write(true).open(file)?;
        let at = chance.below(open.metadata()?.len());
        let mut byte = [0];
        open.read_exact_at(&mut byte, at)?;
        byte[0] ^= 1 << chance.below(8);
        open.write_all_at(&byte, at)?;
        Ok(at)
    }

    /// Copies everything on it, as a backup does while the device rests. Leaves out the files with these names.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn back_up(&self, target: &Path, but: &[&str]) -> io::Result<()> {
        let _at_work = AtWork::begin();
        copy(&self.home(), target, but)
    }

    /// Puts a backup in the place of everything on it; the process must be gone.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn restore(&self, backup: &Path) -> io::Result<()> {
        let _at_work = AtWork::begin();
        self.state().journal = Journal::default();
        fs::remove_dir_all(self.home())?;
        copy(backup, &self.home(), &[])
    }

    /// Bytes of all files on it.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut sum = 0;
        for path in files(&self.home())? {
            sum += fs::metadata(path)?.len();
        }
        Ok(sum)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _at_work = AtWork::begin();
        DISKS.write().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        // What stays is removed with the folder of all disks.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// All files below a folder, ascending by path.
///
/// # Errors
/// If a folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let list = if entry.file_type()?.is_dir() { &mut open } else { &mut found };
            list.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the folder of all disks of this process; to be called when the last disk is gone.
pub fn tidy_up() {
    let _at_work = AtWork::begin();
    // It lies in memory and goes with the machine at the latest.
    let _ = fs::remove_dir_all(root());
}

fn copy(from: &Path, to: &Path, but: &[&str]) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for file in files(from)? {
        let below = file.strip_prefix(from).unwrap_or(&file);
        if below.file_name().is_some_and(|name| but.iter().any(|but| name == *but)) {
            continue;
        }
        let target = to.join(below);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(target, fs::read(&file)?)?;
    }
    Ok(())
}

fn root() -> &'static Path {
    ROOT.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        base.join(format!("merestone-world-{}", std::process::id()))
    })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // What a panic leaves behind is still what happened on the disk.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, this thread's calls are the World's own.
struct AtWork(bool);

impl AtWork {
    fn begin() -> Self {
        Self(IS_WORLD.replace(true))
    }

    /// Until it is dropped, they are a device's.
    fn pause() -> Self {
        Self(IS_WORLD.replace(false))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        IS_WORLD.set(self.0);
    }
}
