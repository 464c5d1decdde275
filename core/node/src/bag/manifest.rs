//! What is in a bag, as BagIt lists it (RFC 8493).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use merestone_core::audit::bag::VERSION;
use merestone_core::id::{MissionId, ScopeId};

use super::error::BagError;
use super::folder::{Building, WrittenFile};

const BAGIT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The files of evidence of a bag, by path.
#[derive(Default)]
pub(super) struct Manifest {
    payload: BTreeMap<String, WrittenFile>,
}

impl Manifest {
    pub(super) fn add(&mut self, path: String, file: WrittenFile) {
        self.payload.insert(path, file);
    }

    pub(super) fn files(&self) -> u64 {
        self.payload.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.payload.values().map(|file| file.bytes).sum()
    }

    /// Writes the tag files and both manifests; `scopes` are those of a bag that does not hold all.
    pub(super) fn finish(
        self,
        mission: MissionId,
        scopes: Option<&[ScopeId]>,
        building: &mut Building,
    ) -> Result<(), BagError> {
        let mut info = format!(
            "Merestone-Bag-Version: {VERSION}\nExternal-Identifier: {mission}\nPayload-Oxum: {}.{}\n",
            self.bytes(),
            self.files()
        );
        if let Some(scopes) = scopes {
            let mut scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            scopes.sort_unstable();
            scopes.dedup();
            let _ = writeln!(info, "Merestone-Scopes: {}", scopes.join(" "));
        }
        let payload = list(&self.payload);
        let mut tags = BTreeMap::new();
        let files = [("bagit.txt", BAGIT), ("bag-info.txt", &info), ("manifest-sha256.txt", &payload)];
        for (path, content) in files {
            tags.insert(path.to_owned(), building.put(path, content.as_bytes())?);
        }
        building.put("tagmanifest-sha256.txt", list(&tags).as_bytes())?;
        Ok(())
    }
}

fn list(files: &BTreeMap<String, WrittenFile>) -> String {
    let mut lines = String::new();
    for (path, file) in files {
        // A String takes everything.
        let _ = writeln!(lines, "{}  {path}", file.hash);
    }
    lines
}
