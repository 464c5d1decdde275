//! Pictures of photos as bytes, and originals as files.

use std::io::{self, Write as _};
use std::path::Path;

use merestone_node::new_file::NewFile;

use super::Phone;
use crate::error::PhoneError;
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

    /// Writes a photo to a new file, byte for byte as it was taken. It is durable when this returns; a kill on the way leaves
    /// no file of that name, and perhaps a hidden one beside it, `.NAME.N.part`.
    ///
    /// # Errors
    /// `NotThere` where it is not held whole; `Refused` with code `exists` where a file is there.
    pub async fn save_photo(&self, hash: String, path: String) -> Result<(), PhoneError> {
        self.call(move |open| match open.device.save_photo(ids::photo(&hash)?, Path::new(&path))? {
            true => Ok(()),
            false => Err(PhoneError::not_there("the photo is not on this phone; sync with who holds it")),
        })
        .await
    }
}

/// Writes a file that is not there yet, durably and whole.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), PhoneError> {
    let write = || -> io::Result<()> {
        let mut file = NewFile::begin(path)?;
        file.write_all(bytes)?;
        file.finish()
    };
    write().map_err(|error| PhoneError::unwritten(path, &error))
}
