//! What is in a folder of evidence, a bag or a publication, as BagIt lists it (RFC 8493).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use merestone_core::audit::bag::{BAG_INFO, BAGIT, MANIFEST, TAG_MANIFEST};
use merestone_core::id::MissionId;

use super::error::BagError;
use super::folder::{Building, WrittenFile};

const BAGIT_LINES: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The files of such a folder, by path.
#[derive(Default)]
pub(crate) struct Manifest {
    payload: Files,
    tags: Files,
}

/// Files, by path.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<String, WrittenFile>);

impl Manifest {
    /// Lists a file of evidence.
    pub(crate) fn add(&mut self, path: String, file: WrittenFile) {
        self.payload.0.insert(path, file);
    }

    /// Lists a file beside the evidence.
    pub(crate) fn add_tag(&mut self, path: &str, file: WrittenFile) {
        self.tags.0.insert(path.to_owned(), file);
    }

    /// The evidence.
    pub(crate) fn payload(&self) -> &Files {
        &self.payload
    }

    /// Writes the tag files and both manifests. `version` is the first line of `bag-info.txt`, `more` are its last ones.
    /// Gives what lies beside the evidence.
    pub(crate) fn finish(
        mut self,
        version: &str,
        mission: MissionId,
        more: &str,
        building: &mut Building,
    ) -> Result<Files, BagError> {
        let (files, bytes) = (self.payload.count(), self.payload.bytes());
        let info = format!("{version}\nExternal-Identifier: {mission}\nPayload-Oxum: {bytes}.{files}\n{more}");
        for (path, content) in [(BAGIT, BAGIT_LINES), (BAG_INFO, &info), (MANIFEST, &self.payload.list())] {
            let file = building.put(path, content.as_bytes())?;
            self.add_tag(path, file);
        }
        let over_tags = building.put(TAG_MANIFEST, self.tags.list().as_bytes())?;
        self.add_tag(TAG_MANIFEST, over_tags);
        Ok(self.tags)
    }
}

impl Files {
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Their bytes together.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().map(|file| file.bytes).sum()
    }

    fn list(&self) -> String {
        let mut lines = String::new();
        for (path, file) in &self.0 {
            // A String takes everything.
            let _ = writeln!(lines, "{}  {path}", file.hash);
        }
        lines
    }
}
