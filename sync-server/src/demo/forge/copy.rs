//! A copy of a bag in the hands of a forger, who knows the layout and mends the manifests after each change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use merestone_core::audit::bag::{BAG_INFO, MANIFEST, Manifest, TAG_MANIFEST, log_path};
use merestone_core::audit::fast::read_item;
use merestone_core::cbor::Writer;
use merestone_core::entry::{SignedEntry, VerifiedEntry};
use merestone_core::id::{BlobHash, LogId, MissionId, sha256};
use merestone_core::key::KeyCache;

use crate::demo::mission::own_fault;
use crate::exit::Failure;

/// An entry as it stands in a log file: the two byte strings.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) header: Vec<u8>,
    pub(super) body: Option<Vec<u8>>,
}

/// A log file of an honest bag, read.
pub(super) struct Log {
    pub(super) id: LogId,
    pub(super) items: Vec<Item>,
    pub(super) entries: Vec<VerifiedEntry>,
}

/// A bag that is being forged.
pub(super) struct Copy {
    root: PathBuf,
    payload: BTreeMap<String, [u8; 32]>,
}

impl Copy {
    /// Copies `bag` to the new folder `to`.
    pub(super) fn of(bag: &Path, to: &Path) -> Result<Self, Failure> {
        copy_folder(bag, to)?;
        let copy = Self { root: to.to_owned(), payload: BTreeMap::new() };
        let manifest = copy.text(MANIFEST)?;
        Ok(Self { payload: Manifest::parse(&manifest).files, ..copy })
    }

    /// Puts other bytes into a file of the payload, or makes one.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.write(path, bytes)?;
        self.payload.insert(path.to_owned(), sha256(&[bytes]));
        Ok(())
    }

    /// Puts other entries into a log.
    pub(super) fn put_log(&mut self, log: LogId, items: &[Item]) -> Result<(), Failure> {
        let mut writer = Writer::new();
        for Item { header, body } in items {
            writer.array(2).bytes(header);
            match body {
                Some(body) => writer.bytes(body),
                None => writer.null(),
            };
        }
        self.put(&log_path(log), &writer.finish())
    }

    /// Makes manifests that fit what the files hold now: BagIt finds accidents, not forgers.
    pub(super) fn seal(self) -> Result<(), Failure> {
        let mut bytes = 0;
        for path in self.payload.keys() {
            let path = self.root.join(path);
            bytes += fs::metadata(&path).map_err(|error| Failure::output_file(&path, &error))?.len();
        }
        let oxum = format!("Payload-Oxum: {bytes}.{}", self.payload.len());
        let info: Vec<String> = self
            .text(BAG_INFO)?
            .lines()
            .map(|line| if line.starts_with("Payload-Oxum:") { oxum.clone() } else { line.to_owned() })
            .collect();
        self.write(BAG_INFO, format!("{}\n", info.join("\n")).as_bytes())?;
        self.write(MANIFEST, manifest(&self.payload).as_bytes())?;
        let mut tags = Manifest::parse(&self.text(TAG_MANIFEST)?).files;
        for (path, digest) in &mut tags {
            *digest = sha256(&[&self.read(path)?]);
        }
        self.write(TAG_MANIFEST, manifest(&tags).as_bytes())
    }

    /// The bytes of a file.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        read_file(&self.root.join(path))
    }

    fn text(&self, path: &str) -> Result<String, Failure> {
        String::from_utf8(self.read(path)?).map_err(|_| own_fault("a tag file of the bag"))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.root.join(path);
        fs::write(&path, bytes).map_err(|error| Failure::output_file(&path, &error))
    }
}

/// All logs of an honest bag, the longest first.
pub(super) fn logs(bag: &Path, mission: MissionId) -> Result<Vec<Log>, Failure> {
    let (mut logs, mut keys) = (Vec::new(), KeyCache::new());
    for path in files(&bag.join("data/logs"))? {
        let bytes = read_file(&path)?;
        let (mut items, mut entries, mut at) = (Vec::new(), Vec::new(), 0);
        while at < bytes.len() {
            let fault = |_| own_fault("a log of the bag");
            let (signed, len) = read_item(&bytes[at..]).map_err(fault)?;
            let entry = signed.verify(mission, &mut keys).map_err(fault)?;
            items.push(Item { header: entry.header_bytes().to_vec(), body: entry.body_bytes().map(<[u8]>::to_vec) });
            entries.push(entry);
            at += len;
        }
        if let Some(first) = entries.first() {
            logs.push(Log { id: first.log(), items, entries });
        }
    }
    logs.sort_by_key(|log| (std::cmp::Reverse(log.items.len()), log.id));
    Ok(logs)
}

/// A photo's original in the bag, and the entry that names it.
pub(super) fn photos(logs: &[Log]) -> Vec<(BlobHash, &VerifiedEntry)> {
    let entries = logs.iter().flat_map(|log| &log.entries);
    let named = entries.flat_map(|entry| {
        let body = entry.body().ok().flatten();
        let photos = body.map_or_else(Vec::new, |body| body.context.photos);
        photos.into_iter().map(move |photo| (photo.sha256, entry))
    });
    named.collect()
}

/// The item of an entry that a store gave out.
pub(super) fn item(entry: &SignedEntry<'_>, mission: MissionId) -> Result<(Item, VerifiedEntry), Failure> {
    let entry = entry.verify(mission, &mut KeyCache::new()).map_err(|_| own_fault("an entry of a device"))?;
    let item = Item { header: entry.header_bytes().to_vec(), body: entry.body_bytes().map(<[u8]>::to_vec) };
    Ok((item, entry))
}

fn manifest(files: &BTreeMap<String, [u8; 32]>) -> String {
    files.iter().map(|(path, digest)| format!("{}  {path}\n", BlobHash::from_bytes(*digest))).collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|error| Failure::output_file(to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| Failure::output_file(from, &error))? {
        let entry = entry.map_err(|error| Failure::output_file(from, &error))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(|error| Failure::output_file(&target, &error))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = listed.map_err(|error| Failure::output_file(folder, &error))?;
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::output_file(path, &error))
}
