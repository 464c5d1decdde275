//! A bundle as a file: written aside and renamed, read by its places. What is inside is not looked at here.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use merestone_core::courier::{Contents, FRAME_HEAD_BYTES, FrameHead, MAGIC, Part, Section, TRAILER_BYTES, Trailer};
use merestone_core::id::sha256;
use merestone_core::sync::Class;
use sha2::{Digest as _, Sha256};

use super::error::{ReadCourierError, WriteCourierError};
use crate::new_file::{folder_of, give_name};

/// Bytes read or written at once: a stick is slow at small pieces.
const BUFFER_BYTES: usize = 1 << 20;

/// The temporary files that this process is writing: no two write one.
static WRITING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The right to write a temporary file, until it is dropped.
struct Claim(PathBuf);

impl Claim {
    /// `None` while somebody has it.
    fn of(temporary: &Path) -> io::Result<Option<Self>> {
        let whole = folder_of(temporary).canonicalize()?.join(temporary.file_name().unwrap_or_default());
        // Only who got it gives it back.
        let is_got = Self::writing().insert(whole.clone());
        Ok(is_got.then(|| Self(whole)))
    }

    fn writing() -> MutexGuard<'static, BTreeSet<PathBuf>> {
        WRITING.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        Self::writing().remove(&self.0);
    }
}

/// A bundle being written beside its place.
pub(super) struct Making {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    /// Where the next byte stands.
    pub(super) at: u64,
    section: Sha256,
    section_from: u64,
    is_finished: bool,
    /// Dropped after the file is removed.
    _claim: Claim,
}

impl Making {
    pub(super) fn begin(path: &Path) -> Result<Self, WriteCourierError> {
        let refused = |source| WriteCourierError::write(path, source);
        if path.symlink_metadata().is_ok() {
            return Err(WriteCourierError::Exists { path: path.to_owned() });
        }
        let name = path.file_name().ok_or_else(|| refused(io::ErrorKind::InvalidFilename.into()))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".part");
        let temporary = path.with_file_name(hidden);
        let claim = Claim::of(&temporary).map_err(refused)?;
        let claim = claim.ok_or_else(|| WriteCourierError::Exists { path: path.to_owned() })?;
        // One left by a kill is begun anew.
        let file = File::create(&temporary).map_err(refused)?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let (path, at) = (path.to_owned(), MAGIC.len() as u64);
        let mut making = Self {
            path,
            temporary,
            file,
            at,
            section: Sha256::new(),
            section_from: at,
            is_finished: false,
            _claim: claim,
        };
        making.file.write_all(MAGIC).map_err(|source| WriteCourierError::write(&making.path, source))?;
        Ok(making)
    }

    pub(super) fn frame(&mut self, class: Class, frame: &[u8]) -> Result<(), WriteCourierError> {
        let head = FrameHead::of(class, frame).encode();
        for bytes in [&head[..], frame] {
            self.section.update(bytes);
            self.file.write_all(bytes).map_err(|source| WriteCourierError::write(&self.path, source))?;
            self.at += bytes.len() as u64;
        }
        Ok(())
    }

    /// Ends a section; the next frame begins another.
    pub(super) fn section(&mut self, part: Part) -> Section {
        let digest = self.section.finalize_reset().into();
        let bytes = self.at - self.section_from;
        self.section_from = self.at;
        Section { part, bytes, digest }
    }

    /// Writes the contents, makes everything durable and gives it its name. The whole length.
    pub(super) fn finish(mut self, contents: &Contents) -> Result<u64, WriteCourierError> {
        let contents = contents.encode();
        let trailer = Trailer::of(&contents, self.at).encode();
        let done = self.close(&contents, &trailer);
        done.map_err(|source| WriteCourierError::write(&self.path, source))?;
        self.is_finished = true;
        Ok(self.at + (contents.len() + TRAILER_BYTES) as u64)
    }

    fn close(&mut self, contents: &[u8], trailer: &[u8]) -> io::Result<()> {
        self.file.write_all(contents)?;
        self.file.write_all(trailer)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        give_name(&self.temporary, &self.path)?;
        let folder = folder_of(&self.path);
        // Windows has no such call; a stick's file system may refuse it, and then has nothing better to offer.
        if cfg!(unix) {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.is_finished {
            // If this fails too, the next bundle of this name begins it anew.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A bundle that is read. The file is only ever opened for reading.
pub(super) struct Opened {
    path: PathBuf,
    file: BufReader<File>,
    pub(super) contents: Contents,
    pub(super) bytes: u64,
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Self, ReadCourierError> {
        let unreadable = |source| ReadCourierError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let mut magic = [0; MAGIC.len()];
        let is_ours = file.read_exact(&mut magic).is_ok() && magic == *MAGIC;
        if !is_ours {
            return Err(ReadCourierError::Foreign { path: path.to_owned() });
        }
        let cut = || ReadCourierError::Cut { path: path.to_owned() };
        let mut trailer = [0; TRAILER_BYTES];
        let at = bytes.checked_sub(TRAILER_BYTES as u64).ok_or_else(cut)?;
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut trailer)).map_err(unreadable)?;
        let trailer = Trailer::decode(&trailer, bytes).ok_or_else(cut)?;
        let mut contents = vec![0; trailer.contents_bytes(bytes).ok_or_else(cut)?];
        file.seek(SeekFrom::Start(trailer.offset)).and_then(|_| file.read_exact(&mut contents)).map_err(unreadable)?;
        if sha256(&[&contents]) != trailer.digest {
            return Err(ReadCourierError::Damaged { path: path.to_owned() });
        }
        let contents = Contents::decode(&contents, trailer.offset)
            .map_err(|refused| ReadCourierError::Refused { path: path.to_owned(), refused })?;
        Ok(Self { path: path.to_owned(), file: BufReader::with_capacity(BUFFER_BYTES, file), contents, bytes })
    }

    /// Whether a section is as it was written; one that the medium does not give back is not.
    pub(super) fn is_sound(&mut self, from: u64, section: &Section) -> bool {
        let mut digest = Sha256::new();
        let mut left = section.bytes;
        if self.file.seek(SeekFrom::Start(from)).is_err() {
            return false;
        }
        let mut piece = vec![0; BUFFER_BYTES];
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            if self.file.read_exact(&mut piece[..want]).is_err() {
                return false;
            }
            digest.update(&piece[..want]);
            left -= want as u64;
        }
        digest.finalize()[..] == section.digest
    }

    /// The frames of a section, one at a time.
    pub(super) fn frames(&mut self, from: u64, section: &Section) -> Result<Frames<'_>, ReadCourierError> {
        let path = &self.path;
        let sought = self.file.seek(SeekFrom::Start(from));
        sought.map_err(|source| ReadCourierError::Read { path: path.clone(), source })?;
        Ok(Frames { file: &mut self.file, left: section.bytes })
    }
}

/// The frames of one section.
pub(super) struct Frames<'a> {
    file: &'a mut BufReader<File>,
    left: u64,
}

impl Frames<'_> {
    /// The next frame; `None` at the end, and where a frame is none: the section said so with a good digest, so its maker
    /// wrote nonsense.
    pub(super) fn next(&mut self) -> Option<Result<(Class, Vec<u8>), NoFrame>> {
        if self.left == 0 {
            return None;
        }
        Some(self.read().ok_or(NoFrame))
    }

    fn read(&mut self) -> Option<(Class, Vec<u8>)> {
        let mut head = [0; FRAME_HEAD_BYTES];
        let body_max = self.left.checked_sub(FRAME_HEAD_BYTES as u64)?;
        self.file.read_exact(&mut head).ok()?;
        let head = FrameHead::decode(head).ok()?;
        self.left = body_max.checked_sub(head.bytes as u64)?;
        let mut frame = vec![0; head.bytes];
        self.file.read_exact(&mut frame).ok()?;
        Some((head.class, frame))
    }
}

/// There is no frame where one should be.
pub(super) struct NoFrame;

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }

    #[test]
    fn two_never_write_one_bundle_and_the_first_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle");
        let first = Making::begin(&path).unwrap();
        let begun = files(folder.path());
        let same = folder.path().join(".").join("bundle");
        assert!(matches!(Making::begin(&same), Err(WriteCourierError::Exists { .. })));
        assert_eq!(files(folder.path()), begun, "what the first writes is left alone");
        drop(first);
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
        // What a kill left is begun anew.
        fs::write(&begun[0], b"left by a kill").unwrap();
        drop(Making::begin(&path).unwrap());
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (temporary, path) = (folder.path().join(".bundle.part"), folder.path().join("bundle"));
        fs::write(&temporary, b"ours").unwrap();
        fs::write(&path, b"theirs").unwrap();
        let given = give_name(&temporary, &path);
        assert_eq!(given.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        fs::remove_file(&path).unwrap();
        give_name(&temporary, &path).unwrap();
        assert_eq!((fs::read(&path).unwrap(), files(folder.path())), (b"ours".to_vec(), vec![path]));
    }
}
