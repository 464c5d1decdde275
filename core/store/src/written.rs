//! Blobs whose file is durable while no row counts them yet: photos of a draft that outlived a kill.

use std::io;

use merestone_core::id::BlobHash;

use crate::blob::{WholeBlob, hash_file};
use crate::error::BlobError;
use crate::store::Store;

impl Store {
    /// A blob that [`write_blob`](Self::write_blob) made durable, perhaps before the store was last opened; its file is hashed
    /// again. `None` when there is no file of that name or its content is another.
    ///
    /// Until the answer is [committed](crate::Batch::blob) the store does not count it as held.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn written_blob(&self, hash: BlobHash) -> Result<Option<WholeBlob>, BlobError> {
        let _inside = self.gate.enter()?;
        match hash_file(&self.folder.blob(hash), &self.gate) {
            Ok(found) => Ok(Some(found).filter(|found| found.hash() == hash)),
            Err(BlobError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
