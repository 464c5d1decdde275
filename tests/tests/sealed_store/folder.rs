//! Folders to compare, to copy and to harm.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use merestone_core::id::EntryId;
use merestone_core::key::PublicKey;
use merestone_node::{Answer, Device};
use merestone_tests::chance::Chance;
use merestone_tests::mission::Mission;
use merestone_tests::outpost;
use merestone_tests::saving::Saver;
use tempfile::TempDir;

/// A device with one observer and a few entries, one with a photo.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) mission: Mission,
    pub(crate) observer: PublicKey,
}

impl Home {
    pub(crate) fn new() -> (Self, Device) {
        let (folder, mission) = (tempfile::tempdir().unwrap(), outpost::found());
        let device = outpost::create(&mission, folder.path());
        let observer = mission.enrol(&device, 0, "Олена");
        (Self { folder, mission, observer }, device)
    }

    /// Closed, with `entries` entries.
    pub(crate) fn closed(entries: usize) -> Self {
        let (home, device) = Self::new();
        let mut silent = |_: &_| Ok(());
        let mut saver = Saver::new(&device, home.observer, Chance::new(7), &mut silent);
        for n in 0..entries {
            saver.save_one(None, n == 0).unwrap();
        }
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Creates a record with one answer.
pub(crate) fn save(device: &Device, observer: &PublicKey, token: &str) -> EntryId {
    let scope = device.charter().charter().scopes[0].id;
    let mut draft = device.begin(observer, scope, outpost::form()).unwrap();
    draft.answers.insert("token".into(), Answer::text(token));
    device.save(&draft).unwrap().entry
}

/// The path below `folder` and the content of every file there.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(at) = open.pop() {
        for file in fs::read_dir(folder.join(&at)).unwrap() {
            let file = file.unwrap();
            let below = at.join(file.file_name());
            if file.file_type().unwrap().is_dir() {
                open.push(below);
            } else {
                found.insert(below, fs::read(file.path()).unwrap());
            }
        }
    }
    found
}

pub(crate) fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for (below, bytes) in files(from) {
        let path = to.path().join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    to
}

/// The sentences of an error and of everything below it.
pub(crate) fn said(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(reason) = cause {
        said.push_str(&format!(": {reason}"));
        cause = reason.source();
    }
    said
}
