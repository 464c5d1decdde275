//! Pictures of photos as bytes, and originals as files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::Phone;
use crate::error::{PhoneError, StorageFault};
use crate::ids;
use crate::photo::PICTURE_BYTES_MAX;

#[uniffi::export]
impl Phone {
    /// The bytes of a small picture; none where it is not held whole.
    ///
    /// # Errors
    /// `Refused` with code `by-path` for what is larger than 1 MiB: megabytes go by `save_photo`.
    pub async fn picture(&self, hash: String) -> Result<Option<Vec<u8>>, PhoneError> {
        self.call(move |open| {
            let bytes = open.device.photo_bytes_within(ids::photo(&hash)?, PICTURE_BYTES_MAX)?;
            bytes.map_err(|bytes| {
                PhoneError::refused("by-path", format!("the photo has {bytes} bytes: save it to a file"))
            })
        })
        .await
    }

    /// Writes a photo to a new file, byte for byte as it was taken.
    ///
    /// # Errors
    /// `NotThere` where it is not held whole; `Refused` with code `exists` where a file is there.
    pub async fn save_photo(&self, hash: String, path: String) -> Result<(), PhoneError> {
        self.call(move |open| {
            let bytes = open.device.photo_bytes(ids::photo(&hash)?)?;
            let bytes =
                bytes.ok_or_else(|| PhoneError::not_there("the photo is not on this phone; sync with who holds it"))?;
            write_new(Path::new(&path), &bytes)
        })
        .await
    }
}

/// Writes a file that is not there yet, durably; what could not be written whole is taken away again.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), PhoneError> {
    let failed = |error: io::Error| {
        let reason = format!("cannot write {}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::AlreadyExists => PhoneError::refused("exists", reason),
            io::ErrorKind::NotFound => PhoneError::NotThere { reason },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                PhoneError::storage(StorageFault::Full, reason)
            }
            _ => PhoneError::storage(StorageFault::Failed, reason),
        }
    };
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = fs::remove_file(path);
        failed(error)
    })
}
