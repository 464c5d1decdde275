//! A file of no use but its room: released when the disk is full, so that the entry in hand still commits.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::folder::{self, Folder};

/// Length of the ballast.
///
/// The largest entry (header 32 KiB, body 384 KiB) is written twice, to the write-ahead log and then to the database,
/// with a page for each index: 0.83 MiB. The next power of two.
pub(crate) const BALLAST_BYTES: usize = 1 << 20;

/// Free room at which the ballast is made again: enough that making it does not fill the disk at once.
const REMAKE_FREE_BYTES: u64 = 8 * BALLAST_BYTES as u64;

#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    folder: Folder,
    present: bool,
}

impl Ballast {
    /// Finds the ballast of a store, or makes it where there is room.
    pub(crate) fn find(folder: &Folder) -> Self {
        let path = folder.ballast();
        let present = fs::metadata(&path).is_ok_and(|meta| meta.len() == BALLAST_BYTES as u64);
        let mut ballast = Self { path, folder: folder.clone(), present };
        ballast.remake();
        ballast
    }

    /// Gives the room back to the disk; says whether there was any to give.
    pub(crate) fn release(&mut self) -> bool {
        let released = self.present && fs::remove_file(&self.path).is_ok();
        self.present = self.present && !released;
        released
    }

    /// Makes the ballast again when the disk has room for it. Failure is no error: the room is low and stays so.
    pub(crate) fn remake(&mut self) {
        if self.present || folder::free_bytes(self.folder.root()).is_some_and(|free| free < REMAKE_FREE_BYTES) {
            return;
        }
        self.present = self.write().is_ok();
        if !self.present {
            // Half a ballast only takes room; should it stay, its length tells the next one.
            let _ = fs::remove_file(&self.path);
        }
    }

    pub(crate) fn is_present(&self) -> bool {
        self.present
    }

    /// Written byte by byte and not as a hole, and not compressible, so that it takes the room that it promises.
    fn write(&self) -> io::Result<()> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = Vec::with_capacity(BALLAST_BYTES);
        while bytes.len() < BALLAST_BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        let mut file = File::create(&self.path)?;
        file.write_all(&bytes)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ballast_takes_its_room_and_gives_it_back_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(home.path());
        let mut ballast = Ballast::find(&folder);
        assert!(ballast.is_present());
        assert_eq!(fs::metadata(folder.ballast()).unwrap().len(), BALLAST_BYTES as u64);
        assert!(ballast.release());
        assert!(!ballast.release());
        assert!(!folder.ballast().exists());
        ballast.remake();
        assert!(folder.ballast().exists());
    }
}
