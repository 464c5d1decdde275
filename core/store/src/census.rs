//! Counting and checking everything that is held, on demand.

use std::fs;

use merestone_core::entry::LOG_ENTRIES_MAX;
use merestone_core::id::BlobHash;

use crate::aside::Aside;
use crate::batch::StatementClass;
use crate::error::{BlobError, Fault, ReadError, fault};
use crate::store::Store;

/// What a census found. Damage that could be set aside was; it is fetched again from any peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Entries whose header, and body if held, is that of their hashes.
    pub entries: u64,
    /// Statements that are those of their ids.
    pub statements: u64,
    /// Blobs whose content is that of their name.
    pub blobs: u64,
    /// Blobs that were found damaged or gone now.
    pub blobs_lost: Vec<BlobHash>,
    /// Files in the blob folders that no row says are held: a kill came between file and row. They are left alone.
    pub blobs_unknown: Vec<BlobHash>,
    /// Everything that is set aside, from now or before.
    pub aside: Vec<Aside>,
    /// What SQLite says about the structure of its file; empty when it is sound. No row can be trusted to be found otherwise.
    pub structure: Vec<String>,
}

impl Store {
    /// Reads and hashes every row and every blob: as long as reading the disk takes.
    ///
    /// # Errors
    /// If the store cannot be read, or something damaged cannot be set aside.
    pub fn check(&self) -> Result<Census, BlobError> {
        let mut census = Census { structure: self.structure()?, ..Census::default() };
        if census.structure.is_empty() {
            self.mend_rows()?;
            self.check_entries(&mut census)?;
            for class in StatementClass::ALL {
                census.statements += self.statements(class)?.len() as u64;
            }
        }
        self.check_blobs(&mut census)?;
        census.aside = self.aside()?;
        Ok(census)
    }

    fn structure(&self) -> Result<Vec<String>, ReadError> {
        self.read(|connection| {
            let mut select = connection.prepare("PRAGMA integrity_check(100)")?;
            let mut found = Vec::new();
            for line in select.query_map([], |row| row.get::<_, String>(0))? {
                match line {
                    Ok(line) if line == "ok" => {}
                    Ok(line) => found.push(line),
                    // Some damage ends the check itself; that is a finding like the others.
                    Err(error) if fault(&error) == Fault::Damaged => {
                        found.push("the check cannot go on: a page is damaged".to_owned());
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(found)
        })
    }

    fn check_entries(&self, census: &mut Census) -> Result<(), ReadError> {
        for tip in self.each_tip(None) {
            let (tip, mut from) = (tip?, 0);
            while from < LOG_ENTRIES_MAX {
                let page = self.log_entries(tip.log, from, crate::entries::PAGE_ENTRIES_MAX)?;
                let Some(last) = page.last() else { break };
                from = last.seq + 1;
                census.entries += page.len() as u64;
            }
        }
        Ok(())
    }

    fn check_blobs(&self, census: &mut Census) -> Result<(), BlobError> {
        let mut after = None;
        loop {
            let hashes = self.whole_blobs(after)?;
            let Some(last) = hashes.last() else { break };
            after = Some(*last);
            for hash in hashes {
                if self.verify_blob(hash)? {
                    census.blobs += 1;
                } else {
                    census.blobs_lost.push(hash);
                }
            }
        }
        let _inside = self.gate.enter()?;
        for folder in fs::read_dir(self.folder.blobs())? {
            let folder = folder?.path();
            if folder == self.folder.partial() || !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder)? {
                let name = file?.file_name();
                let Some(hash) = name.to_str().and_then(BlobHash::from_hex) else { continue };
                if !self.is_blob_whole(hash)? {
                    census.blobs_unknown.push(hash);
                }
            }
        }
        census.blobs_unknown.sort_unstable();
        Ok(())
    }
}
