//! Files against the manifests of the bag: that finds accidents of copying, and proves nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use merestone_core::audit::bag::{self, BagInfo, Manifest, Part};
use merestone_core::audit::{BagCode, Findings, Place};

use crate::cores::{Cores, on_cores};
use crate::folder::{Folder, Listed, printable};

/// The files of a bag, and what is known of their content.
pub(crate) struct Manifested<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) listed: &'a [Listed],
    /// Hashes that were taken before.
    pub(crate) known: &'a BTreeMap<String, [u8; 32]>,
    /// Logs that were read to their end.
    pub(crate) whole: &'a BTreeSet<String>,
    pub(crate) threads: usize,
}

impl Manifested<'_> {
    /// Compares both manifests and the payload's size with the files.
    pub(crate) fn check(&self, info: &BagInfo, findings: &mut Findings) {
        let files = self.listed.iter().filter(|listed| listed.is_file());
        let (payload, tags): (Vec<&Listed>, Vec<&Listed>) = files.partition(|file| file.path.starts_with("data/"));
        let oxum = (payload.iter().map(|file| file.bytes()).sum(), payload.len() as u64);
        if info.oxum.is_some_and(|said| said != oxum) {
            findings.add(BagCode::BagManifest, Place::file(bag::BAG_INFO), "Payload-Oxum");
        }
        if let Some(manifest) = self.read(bag::MANIFEST, findings) {
            self.compare(&manifest, &payload, findings);
        }
        if let Some(manifest) = self.read(bag::TAG_MANIFEST, findings) {
            // BagIt lets a bag have other files beside its payload, and a manifest may leave them out.
            let said: BTreeSet<String> = manifest.files.keys().map(|path| printable(path)).collect();
            let is_listed = |file: &&Listed| match file.part {
                Part::Foreign => said.contains(&file.path),
                part => part == Part::Tag && file.path != bag::TAG_MANIFEST,
            };
            let tags: Vec<&Listed> = tags.into_iter().filter(is_listed).collect();
            self.compare(&manifest, &tags, findings);
        }
    }

    fn read(&self, path: &str, findings: &mut Findings) -> Option<Manifest> {
        let bytes = self.folder.read(path, bag::MANIFEST_BYTES_MAX);
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            findings.add(BagCode::BagUnreadable, Place::file(path), "missing, too large or not readable");
            return None;
        };
        let manifest = Manifest::parse(&text);
        if manifest.faulty > 0 {
            findings.add(BagCode::BagManifest, Place::file(path), format!("{} lines say nothing", manifest.faulty));
        }
        Some(manifest)
    }

    fn compare(&self, manifest: &Manifest, files: &[&Listed], findings: &mut Findings) {
        let is_read = |file: &&Listed| match file.part {
            Part::Photo(_) => self.known.contains_key(&file.path),
            Part::Log(_) => self.whole.contains(&file.path),
            _ => true,
        };
        let read: Vec<&Listed> = files.iter().copied().filter(is_read).collect();
        let mut cores = Cores::new(self.threads, || ());
        let digests = on_cores(&mut cores, &read, |(), file| match self.known.get(&file.path) {
            Some(digest) => Some(*digest),
            None => self.folder.digest(&file.path, file.part.bytes_max(), false).map(|digest| digest.sha256),
        });
        let digests: HashMap<&str, Option<[u8; 32]>> =
            read.iter().map(|file| file.path.as_str()).zip(digests).collect();
        // Files are listed under names that can be shown, and a manifest has them as they are.
        let said: BTreeMap<String, [u8; 32]> =
            manifest.files.iter().map(|(path, digest)| (printable(path), *digest)).collect();
        let there: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for file in files {
            let differs = match (said.get(&file.path), digests.get(file.path.as_str())) {
                (None, _) => Some("not listed"),
                // What cannot be read was said before.
                (Some(_), None | Some(None)) => None,
                (Some(said), Some(Some(found))) => (said != found).then_some("differs"),
            };
            if let Some(differs) = differs {
                findings.add(BagCode::BagManifest, Place::file(&file.path), differs);
            }
        }
        for path in said.keys().filter(|path| !there.contains(path.as_str())) {
            findings.add(BagCode::BagManifest, Place::file(path), "listed, and not there");
        }
    }
}
