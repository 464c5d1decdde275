//! What a witness keeps: the note it cosigned last, and one that contradicts it.
//!
//! ```text
//! latest.note             as the ledger signed it; a text of no lines before the first
//! latest.time             seconds since 1970: no answer states an earlier time
//! split-<size>/           two trees of one size that the ledger signed: anybody can verify both
//!     cosigned.note
//!     refused.note
//! lock                    held by the one program that uses the folder
//! ```

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use merestone_core::checkpoint::{Checkpoint, NOTE_BYTES_MAX};
use merestone_core::roster::Ledger;
use merestone_core::witness::{Observed, checkpoint_among};

use crate::time;

const LATEST: &str = "latest.note";
const TIME: &str = "latest.time";

/// How far the time on the disk may lag behind the last one that was signed, in seconds: a flush of its own for each answer
/// would double what an answer costs.
const TIME_LAG_S: u64 = 60;

/// Earlier than this no witness of this kind existed: a clock that says so was not set since the machine lost its battery.
pub(crate) const TIME_MIN_S: u64 = 1_735_689_600;

/// With what a witness begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With what it kept when it last ran.
    Again,
    /// With nothing: it never cosigned anything, wherever.
    New,
    /// With this note, the last one that it cosigned before its folder was lost.
    After(Vec<u8>),
}

/// The state of a witness could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Another program uses the folder.
    #[error("another program is the witness of {0}")]
    InUse(PathBuf),
    /// The note that was kept is none of this ledger's: whose folder is it?
    #[error("{0} holds no note of this ledger")]
    Foreign(PathBuf),
    /// Nothing is there: a wrong folder, or a lost one. A witness that began anew could cosign a second history.
    #[error("{0} holds no state of a witness")]
    Absent(PathBuf),
    /// Something is there, and it was to begin with nothing.
    #[error("{0} holds the state of a witness already")]
    NotNew(PathBuf),
    /// The clock of this machine shows a time at which nothing may be signed.
    #[error("this machine's clock shows {}, and {} was signed already or is the least", shown(*.now), shown(*.last))]
    Clock {
        /// What it shows, in seconds since 1970.
        now: u64,
        /// What it may show at least.
        last: u64,
    },
    /// A former write failed half way; what is on the disk is not known.
    #[error("a former checkpoint could not be kept; end the witness and start it again")]
    Broken,
    /// The system refuses.
    #[error("the witness's folder cannot be used")]
    Io(#[from] io::Error),
}

/// The state in a folder.
pub(super) struct State {
    folder: PathBuf,
    latest: Option<Checkpoint>,
    /// The last time that was signed, and what the disk has of it.
    time: u64,
    time_kept: u64,
    is_broken: bool,
    /// Held as long as this is.
    _lock: File,
}

impl State {
    pub(super) fn open(folder: &Path, ledger: &Ledger, begin: &Begin) -> Result<Self, StateError> {
        let is_there = folder.join(LATEST).try_exists()?;
        match begin {
            Begin::Again if !is_there => return Err(StateError::Absent(folder.to_owned())),
            Begin::New | Begin::After(_) if is_there => return Err(StateError::NotNew(folder.to_owned())),
            Begin::Again | Begin::New | Begin::After(_) => {}
        }
        fs::create_dir_all(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(|_| StateError::InUse(folder.to_owned()))?;
        let path = folder.join(LATEST);
        match begin {
            Begin::Again => {}
            Begin::New => write(&path, b"")?,
            Begin::After(note) => {
                let latest = checkpoint_among(note, ledger).map_err(|_| StateError::Foreign(folder.to_owned()))?;
                write(&path, latest.as_bytes())?;
            }
        }
        let latest = match fs::metadata(&path) {
            Ok(found) if found.len() == 0 => None,
            Ok(found) if found.len() <= NOTE_BYTES_MAX as u64 => {
                Some(Checkpoint::verify(&fs::read(&path)?, ledger).map_err(|_| StateError::Foreign(path))?)
            }
            Ok(_) => return Err(StateError::Foreign(path)),
            Err(error) => return Err(error.into()),
        };
        let time = read_time(&folder.join(TIME))?;
        Ok(Self { folder: folder.to_owned(), latest, time, time_kept: time, is_broken: false, _lock: lock })
    }

    pub(super) fn latest(&self) -> Result<Option<Observed>, StateError> {
        if self.is_broken {
            return Err(StateError::Broken);
        }
        Ok(self.latest.as_ref().map(|note| Observed { size: note.size(), root: *note.root() }))
    }

    /// The time to sign now that the clock says `now`: never an earlier one than before, also after a crash by more than
    /// [`TIME_LAG_S`].
    pub(super) fn time(&mut self, now: u64) -> Result<u64, StateError> {
        let last = self.time.max(TIME_MIN_S);
        if now < last {
            return Err(StateError::Clock { now, last });
        }
        if now >= self.time_kept.saturating_add(TIME_LAG_S) {
            write(&self.folder.join(TIME), now.to_string().as_bytes())?;
            self.time_kept = now;
        }
        self.time = now;
        Ok(now)
    }

    /// Makes `checkpoint` the latest; when this returns it is durable.
    pub(super) fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), StateError> {
        // Asked again for the same one: what is on the disk says it already.
        if self.latest.as_ref().is_some_and(|latest| latest.as_bytes() == checkpoint.as_bytes()) {
            return Ok(());
        }
        // Until the disk has it nobody knows which of the two it has.
        self.is_broken = true;
        write(&self.folder.join(LATEST), checkpoint.as_bytes())?;
        (self.latest, self.is_broken) = (Some(checkpoint.clone()), false);
        Ok(())
    }

    /// Keeps the latest note and one of as many leaves that contradicts it; of each size the first.
    pub(super) fn keep_refused(&self, note: &[u8], ledger: &Ledger) -> Result<(), StateError> {
        let Some(latest) = &self.latest else { return Ok(()) };
        let Ok(refused) = checkpoint_among(note, ledger) else { return Ok(()) };
        let folder = self.folder.join(format!("split-{}", latest.size()));
        if folder.join("refused.note").exists() {
            return Ok(());
        }
        fs::create_dir_all(&folder)?;
        write(&folder.join("cosigned.note"), latest.as_bytes())?;
        Ok(write(&folder.join("refused.note"), refused.as_bytes())?)
    }
}

fn shown(seconds: u64) -> String {
    time::utc(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
}

/// A time that was kept; 0 where none was.
fn read_time(path: &Path) -> Result<u64, StateError> {
    match fs::metadata(path) {
        Ok(found) if found.len() <= 20 => {
            fs::read_to_string(path)?.trim().parse().map_err(|_| StateError::Foreign(path.to_owned()))
        }
        Ok(_) => Err(StateError::Foreign(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Temporary file, flush, rename, flush the folder.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent().filter(|_| cfg!(unix)) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_core::key::SigningKey;

    fn ledger() -> Ledger {
        Ledger { origin: "border.example/ledger".into(), key: *SigningKey::from_seed(&[5; 32]).public() }
    }

    fn note(size: u64) -> Checkpoint {
        Checkpoint::make(&ledger(), &SigningKey::from_seed(&[5; 32]), size, &[1; 32]).expect("it signs")
    }

    #[test]
    fn a_witness_begins_with_nothing_only_where_that_is_asked_for_and_true() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("state");
        let open = |begin: &Begin| State::open(&folder, &ledger(), begin);
        assert!(matches!(open(&Begin::Again), Err(StateError::Absent(_))));
        assert!(!folder.exists(), "a typo leaves nothing behind");
        assert!(open(&Begin::New).is_ok_and(|state| state.latest.is_none()));
        assert!(matches!(open(&Begin::New), Err(StateError::NotNew(_))));
        let mut state = open(&Begin::Again).expect("it is there");
        state.keep(&note(7)).expect("it writes");
        drop(state);
        assert!(matches!(open(&Begin::New), Err(StateError::NotNew(_))));
        let lost = home.path().join("lost");
        let after = |bytes: &[u8]| State::open(&lost, &ledger(), &Begin::After(bytes.to_vec()));
        assert!(matches!(after(b"oops"), Err(StateError::Foreign(_))));
        let state = after(&[note(9).as_bytes(), "\u{2014} somebody AAAAAQID\n".as_bytes()].concat()).expect("a note");
        assert_eq!(state.latest().expect("whole").map(|latest| latest.size), Some(9));
    }

    #[test]
    fn no_time_is_signed_that_is_before_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = TIME_MIN_S + 1_000;
        let mut state = State::open(folder.path(), &ledger(), &Begin::New).expect("a new one");
        assert!(matches!(state.time(TIME_MIN_S - 1), Err(StateError::Clock { .. })), "a clock that was never set");
        assert_eq!(state.time(now).expect("a time"), now);
        assert_eq!(state.time(now + 30).expect("a time"), now + 30);
        assert!(matches!(state.time(now + 29), Err(StateError::Clock { .. })));
        drop(state);
        let mut state = State::open(folder.path(), &ledger(), &Begin::Again).expect("it is there");
        assert!(matches!(state.time(now - 1), Err(StateError::Clock { .. })), "nor after a restart");
        assert!(state.time(now).is_ok());
    }
}
