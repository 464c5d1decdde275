//! The bag's folder: what lies in it, read within bounds and never out of it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use merestone_core::audit::bag::{BAGIT, FileHasher, Part};
use merestone_core::merkle::{ChunkHasher, NodeHash};

use crate::reader::{ItemReader, LogReader, read_some};

/// Most files of a bag.
pub(crate) const FILES_MAX: usize = 2_000_000;
/// Deepest folder that is looked into; the layout needs 3.
const DEPTH_MAX: usize = 16;

/// Why a path holds no bag that could be audited.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("{path}: there is nothing here; give the folder of a bag")]
    NotFound {
        /// The path as it was given.
        path: String,
    },
    /// Not a folder.
    #[error("{path}: this is a file, not a folder; unpack it first and give the folder that holds bagit.txt")]
    NotAFolder {
        /// The path as it was given.
        path: String,
    },
    /// A folder without the mark of a bag.
    #[error("{path}: no bag, because it holds no bagit.txt; give the folder of a bag")]
    NotABag {
        /// The path as it was given.
        path: String,
    },
    /// The folder cannot be read.
    #[error("{path}: this folder cannot be read; check its permissions and the disk")]
    Unreadable {
        /// The path as it was given.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// A file of the bag, or what stands in the place of one.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Below the bag, with `/`; bytes that are no UTF-8 are shown as `\xNN`.
    pub(crate) path: String,
    pub(crate) part: Part,
    pub(crate) what: What,
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    File {
        bytes: u64,
    },
    /// A link, a device, a folder that cannot be read: never opened.
    Other(&'static str),
}

pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = || printable(&path.to_string_lossy());
        let meta = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OpenError::NotFound { path: shown() },
            io::ErrorKind::NotADirectory => OpenError::NotAFolder { path: shown() },
            _ => OpenError::Unreadable { path: shown(), source },
        })?;
        if !meta.is_dir() {
            return Err(OpenError::NotAFolder { path: shown() });
        }
        fs::read_dir(path).map_err(|source| OpenError::Unreadable { path: shown(), source })?;
        if fs::symlink_metadata(path.join(BAGIT)).is_err() {
            return Err(OpenError::NotABag { path: shown() });
        }
        Ok(Self { root: path.to_owned() })
    }

    /// Everything in the bag, ascending by path; and whether there is more than is looked at.
    pub(crate) fn list(&self) -> (Vec<Listed>, bool) {
        let mut listed = Vec::new();
        let mut open = vec![(self.root.clone(), String::new(), 0)];
        let mut is_cut_short = false;
        while let Some((folder, prefix, depth)) = open.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                listed.push(Listed::other(prefix, "a folder that cannot be read"));
                continue;
            };
            for entry in entries {
                if listed.len() + open.len() >= FILES_MAX {
                    is_cut_short = true;
                    break;
                }
                let Ok(entry) = entry else {
                    listed.push(Listed::other(prefix.clone(), "a folder that cannot be read to its end"));
                    continue;
                };
                let name = printable_name(&entry.file_name());
                let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                // The type is that of the name itself: links are not followed.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && Part::of(&path) != Part::Foreign => {
                        listed.push(Listed::other(path, "a folder in the place of a file"));
                    }
                    Ok(kind) if kind.is_dir() && depth < DEPTH_MAX => open.push((entry.path(), path, depth + 1)),
                    Ok(kind) if kind.is_dir() => listed.push(Listed::other(path, "a folder nested too deep")),
                    Ok(kind) if kind.is_file() => listed.push(Listed::file(path, entry.metadata().map(|m| m.len()))),
                    Ok(kind) if kind.is_symlink() => listed.push(Listed::other(path, "a symbolic link")),
                    Ok(_) => listed.push(Listed::other(path, "no regular file")),
                    Err(_) => listed.push(Listed::other(path, "a name that cannot be looked up")),
                }
            }
        }
        listed.sort_by(|a, b| a.path.cmp(&b.path));
        (listed, is_cut_short)
    }

    /// Opens a regular file. Its path is one of the layout, so it names no other place.
    fn file(&self, path: &str) -> io::Result<File> {
        let path = self.root.join(path);
        // Between listing and opening a link or a pipe may have taken the place of the file.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("no regular file"));
        }
        File::open(path)
    }

    /// The whole of a small file; `None` if it cannot be read or has more than `bytes_max` bytes.
    pub(crate) fn read(&self, path: &str, bytes_max: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(path).ok()?.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= bytes_max).then_some(bytes)
    }

    /// The hash, size and chunk root of a file; `None` if it cannot be read or has more than `bytes_max` bytes.
    pub(crate) fn digest(&self, path: &str, bytes_max: u64, wants_chunks: bool) -> Option<Digest> {
        let mut file = self.file(path).ok()?;
        let (mut hasher, mut chunks) = (FileHasher::new(), ChunkHasher::new());
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            let read = read_some(&mut file, &mut buffer).ok()?;
            if read == 0 {
                return Some(Digest { sha256: hasher.finish(), bytes, chunks: chunks.finish() });
            }
            bytes += read as u64;
            if bytes > bytes_max {
                return None;
            }
            hasher.update(&buffer[..read]);
            if wants_chunks {
                chunks.update(&buffer[..read]);
            }
        }
    }

    pub(crate) fn log(&self, path: &str) -> io::Result<LogReader> {
        Ok(LogReader::new(self.file(path)?))
    }

    pub(crate) fn items(&self, path: &str) -> io::Result<ItemReader> {
        Ok(ItemReader::new(self.file(path)?))
    }
}

impl Listed {
    fn other(path: String, what: &'static str) -> Self {
        Self { part: Part::of(&path), path, what: What::Other(what) }
    }

    fn file(path: String, bytes: io::Result<u64>) -> Self {
        let what = bytes.map_or(What::Other("a file that cannot be looked up"), |bytes| What::File { bytes });
        Self { part: Part::of(&path), path, what }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.what, What::File { .. })
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self.what {
            What::File { bytes } => bytes,
            What::Other(_) => 0,
        }
    }
}

pub(crate) struct Digest {
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
    pub(crate) chunks: NodeHash,
}

/// A name as it can be shown: control characters and bytes that are no UTF-8 escaped.
fn printable_name(name: &std::ffi::OsStr) -> String {
    let mut shown = String::new();
    for part in name.as_encoded_bytes().utf8_chunks() {
        shown.push_str(&printable(part.valid()));
        part.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

/// A text without characters that move the cursor or turn the line around.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_bidi =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || is_bidi {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}
