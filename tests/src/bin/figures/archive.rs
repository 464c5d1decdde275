//! Stores of many inspections, and the bags written from them: made once, used by several groups of figures.

use std::path::PathBuf;

use merestone_node::bag;
use merestone_tests::mission::{self, Mission};
use tempfile::TempDir;

use merestone_tests::corpus::{self, BATCH, Crew, batch};

/// Entries of the larger archive.
pub(crate) const ENTRIES: u64 = 100_000;

/// What was made so far.
#[derive(Default)]
pub(crate) struct Archives {
    small: Option<Archive>,
    large: Option<Archive>,
}

impl Archives {
    /// A tenth of the large one.
    pub(crate) fn small(&mut self) -> &Archive {
        self.small.get_or_insert_with(|| Archive::fill(ENTRIES / 10))
    }

    /// [`ENTRIES`] inspections.
    pub(crate) fn large(&mut self) -> &Archive {
        self.large.get_or_insert_with(|| Archive::fill(ENTRIES))
    }
}

/// A device that holds inspections of eight observers.
pub(crate) struct Archive {
    home: TempDir,
    pub(crate) mission: Mission,
    pub(crate) entries: u64,
}

impl Archive {
    fn fill(entries: u64) -> Self {
        let archive =
            Self { home: tempfile::tempdir().expect("a temporary folder"), mission: corpus::found(), entries };
        let device = archive.mission.create_device(&archive.folder(), mission::replayed("first"));
        let crew = Crew::certify(&archive.mission);
        crew.introduce(&device);
        for log in crew.inspections(entries) {
            for page in log.chunks(BATCH) {
                device.store().commit(batch(page)).expect("room on the disk");
            }
        }
        archive
    }

    /// The device's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("device")
    }

    /// The bag of all of it, written at the first call.
    pub(crate) fn bag(&self) -> PathBuf {
        let path = self.home.path().join("bag");
        if !path.exists() {
            let device = mission::open_device(&self.folder(), mission::replayed("bag"));
            bag::write(device.store(), device.authority(), None, &path).expect("room on the disk");
        }
        path
    }
}
