//! The bytes of photos: small pictures for a screen, originals into files.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use merestone_core::entry::PHOTO_BYTES_MAX;
use merestone_core::id::BlobHash;
use merestone_store::{BlobError, BlobFile};
use sha2::{Digest as _, Sha256};

use crate::device::{AccessError, Device};
use crate::new_file::NewFile;

/// Bytes of a photo that are in memory while it is copied.
const PIECE_BYTES: usize = 1 << 16;

/// A photo was not written to a file; there is no file of that name by this.
#[derive(Debug, thiserror::Error)]
pub enum SavePhotoError {
    /// The file cannot be written, or is there already.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The photo cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Device {
    /// The bytes of a photo or a rendition that an entry names; `None` when it is not held whole.
    ///
    /// They are hashed before they are given out. A damaged file is set aside and fetched again from a peer.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn photo_bytes(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, AccessError> {
        Ok(self.photo_bytes_within(hash, PHOTO_BYTES_MAX)?.unwrap_or(None))
    }

    /// As [`photo_bytes`](Self::photo_bytes), unless there are more bytes than `bytes_max`: then how many.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn photo_bytes_within(
        &self,
        hash: BlobHash,
        bytes_max: u64,
    ) -> Result<Result<Option<Vec<u8>>, u64>, AccessError> {
        let Some(file) = self.store.open_blob(hash)? else { return Ok(Ok(None)) };
        let length = file.length().map_err(BlobError::from)?;
        if length > bytes_max {
            return Ok(Err(length));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(BlobError::from)?;
        if BlobHash::of(&bytes) == hash {
            return Ok(Ok(Some(bytes)));
        }
        self.store.verify_blob(hash)?;
        Ok(Ok(None))
    }

    /// Writes a photo or a rendition that an entry names to a new file, byte for byte; `false` when it is not held whole.
    ///
    /// It is durable when this returns. However large it is, little of it is in memory at once, and a kill on the way leaves
    /// no file of that name ([`NewFile`]).
    ///
    /// # Errors
    /// [`SavePhotoError`].
    pub fn save_photo(&self, hash: BlobHash, path: &Path) -> Result<bool, SavePhotoError> {
        let Some(mut photo) = self.store.open_blob(hash).map_err(AccessError::from)? else { return Ok(false) };
        let failed = |source| SavePhotoError::File { path: path.to_owned(), source };
        let mut file = NewFile::begin(path).map_err(failed)?;
        if copy_hashed(&mut photo, &mut file, failed)? == hash {
            file.finish().map_err(failed)?;
            return Ok(true);
        }
        drop(file);
        self.store.verify_blob(hash).map_err(AccessError::from)?;
        Ok(false)
    }
}

/// Copies a photo; the hash of what it was.
fn copy_hashed(
    photo: &mut BlobFile,
    file: &mut NewFile,
    failed: impl Fn(io::Error) -> SavePhotoError,
) -> Result<BlobHash, SavePhotoError> {
    let (mut piece, mut hasher) = (vec![0; PIECE_BYTES], Sha256::new());
    loop {
        let bytes = match photo.read(&mut piece) {
            Ok(0) => return Ok(BlobHash::from_bytes(hasher.finalize().into())),
            Ok(bytes) => &piece[..bytes],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(AccessError::from(BlobError::from(error)).into()),
        };
        hasher.update(bytes);
        file.write_all(bytes).map_err(&failed)?;
    }
}
