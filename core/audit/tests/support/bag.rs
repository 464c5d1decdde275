//! The files of a bag, written as whoever wants to be believed writes them.

use std::collections::BTreeMap;
use std::path::Path;

use merestone_audit::{Options, Pass, Report, audit_folder};
use merestone_core::audit::bag::FileHasher;
use merestone_core::cbor::Writer;
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{BlobHash, FormHash, LogId, MissionId};
use merestone_core::roster::Class;

use super::{Device, Mission};

/// What is done to the folder after it was written.
#[derive(Clone)]
pub(crate) enum Disk {
    /// Other bytes in the place of a file, in spite of any manifest.
    Put(String, Vec<u8>),
    Remove(String),
    Folder(String),
    /// A symbolic link at a path, to another.
    Link(String, String),
    Pipe(String),
    /// A file of this length that takes no room.
    Grow(String, u64),
    /// One text for another in a file.
    Replace(String, String, String),
    /// So many empty files in a folder.
    Many(String, usize),
}

/// The files of a bag, without the manifests, which writing makes.
#[derive(Clone, Default)]
pub(crate) struct Bag {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) mission: Option<MissionId>,
    /// Further lines of `bag-info.txt`.
    pub(crate) info: String,
    /// Further lines of the payload manifest.
    pub(crate) lines: String,
    pub(crate) disk: Vec<Disk>,
}

impl Bag {
    pub(crate) fn of(mission: &Mission, devices: &[&Device], blobs: &[&[u8]]) -> Self {
        let mut bag = Bag { mission: Some(mission.id()), ..Bag::default() };
        bag.put("data/charter.cbor", mission.charter.as_bytes());
        let hash = FormHash::of(&mission.form_bytes);
        bag.put(&format!("data/forms/{hash}.cbor"), &mission.form_bytes);
        let classes = [
            (Class::Certificate, "certificate"),
            (Class::Cut, "cut"),
            (Class::Erasure, "erasure"),
            (Class::Receipt, "receipt"),
        ];
        for (class, name) in classes {
            for id in mission.roster.ids(class) {
                let bytes = mission.roster.bytes(class, id).unwrap().to_vec();
                bag.put(&format!("data/statements/{name}/{id}.cbor"), &bytes);
            }
        }
        for device in devices {
            bag.put_log(device.log(), &device.entries);
        }
        for blob in blobs {
            bag.put(&format!("data/photos/{}", BlobHash::of(blob)), blob);
        }
        bag
    }

    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    pub(crate) fn put_log(&mut self, log: LogId, entries: &[VerifiedEntry]) {
        self.put(&log_path(log), &entries.iter().flat_map(item).collect::<Vec<u8>>());
    }

    /// Writes the bag as whoever wants to be believed writes it: with manifests that fit.
    pub(crate) fn write(&self, folder: &Path) {
        let mut files = self.files.clone();
        let (bytes, count) = (files.values().map(Vec::len).sum::<usize>(), files.len());
        let mission = self.mission.unwrap();
        let more = &self.info;
        let info =
            format!("Merestone-Bag-Version: 2\nExternal-Identifier: {mission}\nPayload-Oxum: {bytes}.{count}\n{more}");
        let listed = manifest(&files) + &self.lines;
        let tags: BTreeMap<String, Vec<u8>> = [
            ("bag-info.txt".to_owned(), info.into_bytes()),
            ("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec()),
            ("manifest-sha256.txt".to_owned(), listed.into_bytes()),
        ]
        .into();
        let tag_manifest = manifest(&tags);
        files.extend(tags);
        files.insert("tagmanifest-sha256.txt".into(), tag_manifest.into_bytes());
        for (path, bytes) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        self.disk.iter().for_each(|change| change.make(folder));
    }

    pub(crate) fn audit(&self, pass: Pass) -> Report {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        self.audit_in(folder.path(), pass)
    }

    /// Audits the folder that the bag was written to.
    pub(crate) fn audit_in(&self, folder: &Path, pass: Pass) -> Report {
        let options = Options { pass, threads: 2, ..Options::default() };
        audit_folder(folder, self.mission.unwrap(), &options).unwrap()
    }
}

impl Disk {
    fn make(&self, folder: &Path) {
        let at = |path: &str| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        let clear = |path: &Path| {
            if std::fs::symlink_metadata(path).is_ok() {
                std::fs::remove_file(path).unwrap();
            }
        };
        match self {
            Disk::Put(path, bytes) => std::fs::write(at(path), bytes).unwrap(),
            Disk::Remove(path) => std::fs::remove_file(at(path)).unwrap(),
            Disk::Folder(path) => {
                clear(&at(path));
                std::fs::create_dir_all(at(path)).unwrap();
            }
            Disk::Link(path, to) => {
                clear(&at(path));
                std::os::unix::fs::symlink(to, at(path)).unwrap();
            }
            Disk::Pipe(path) => {
                clear(&at(path));
                assert!(std::process::Command::new("mkfifo").arg(at(path)).status().unwrap().success());
            }
            Disk::Grow(path, bytes) => {
                let file = std::fs::File::options().write(true).create(true).truncate(false).open(at(path)).unwrap();
                file.set_len(*bytes).unwrap();
            }
            Disk::Replace(path, from, to) => {
                let text = std::fs::read_to_string(at(path)).unwrap();
                assert!(text.contains(from.as_str()), "{path} has no such text");
                std::fs::write(at(path), text.replace(from.as_str(), to)).unwrap();
            }
            Disk::Many(path, count) => {
                for number in 0..*count {
                    std::fs::write(at(&format!("{path}/{number:05}")), b"").unwrap();
                }
            }
        }
    }
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(path, bytes): (&String, &Vec<u8>)| {
        let mut hasher = FileHasher::new();
        hasher.update(bytes);
        let digits: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}  {path}\n")
    };
    files.iter().map(line).collect()
}

pub(crate) fn log_path(log: LogId) -> String {
    format!("data/logs/{log}.cborseq")
}

pub(crate) fn item(entry: &VerifiedEntry) -> Vec<u8> {
    raw_item(entry.header_bytes(), entry.body_bytes())
}

pub(crate) fn raw_item(header: &[u8], body: Option<&[u8]>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).bytes(header);
    match body {
        Some(body) => writer.bytes(body),
        None => writer.null(),
    };
    writer.finish()
}
