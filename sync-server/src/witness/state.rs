//! What a witness keeps: the note it cosigned last, and one that contradicts it.
//!
//! ```text
//! latest.note             as the ledger signed it
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
use merestone_core::witness::Observed;

const LATEST: &str = "latest.note";

/// The state of a witness could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Another program uses the folder.
    #[error("another program is the witness of {0}")]
    InUse(PathBuf),
    /// The note that was kept is none of this ledger's: whose folder is it?
    #[error("{0} holds no note of this ledger")]
    Foreign(PathBuf),
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
    is_broken: bool,
    /// Held as long as this is.
    _lock: File,
}

impl State {
    pub(super) fn open(folder: &Path, ledger: &Ledger) -> Result<Self, StateError> {
        fs::create_dir_all(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(|_| StateError::InUse(folder.to_owned()))?;
        let path = folder.join(LATEST);
        let latest = match fs::metadata(&path) {
            Ok(found) if found.len() <= NOTE_BYTES_MAX as u64 => {
                Some(Checkpoint::verify(&fs::read(&path)?, ledger).map_err(|_| StateError::Foreign(path))?)
            }
            Ok(_) => return Err(StateError::Foreign(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { folder: folder.to_owned(), latest, is_broken: false, _lock: lock })
    }

    pub(super) fn latest(&self) -> Result<Option<Observed>, StateError> {
        if self.is_broken {
            return Err(StateError::Broken);
        }
        Ok(self.latest.as_ref().map(|note| Observed { size: note.size(), root: *note.root() }))
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
        let Some(refused) = signed_part(note, ledger) else { return Ok(()) };
        let folder = self.folder.join(format!("split-{}", latest.size()));
        if folder.join("refused.note").exists() {
            return Ok(());
        }
        fs::create_dir_all(&folder)?;
        write(&folder.join("cosigned.note"), latest.as_bytes())?;
        Ok(write(&folder.join("refused.note"), refused.as_bytes())?)
    }
}

/// The checkpoint in a note that may have lines of others.
fn signed_part(note: &[u8], ledger: &Ledger) -> Option<Checkpoint> {
    let text = std::str::from_utf8(note).ok()?;
    let (head, lines) = text.split_once("\n\n")?;
    lines.lines().find_map(|line| Checkpoint::verify(format!("{head}\n\n{line}\n").as_bytes(), ledger).ok())
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
