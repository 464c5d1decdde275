//! A cut over 100,000 entries: how long until every view follows it, and what the lists of records then cost.

use std::fs;
use std::path::{Path, PathBuf};

use merestone_core::entry::VerifiedEntry;
use merestone_core::record::Standing;
use merestone_core::roster::{Class, CutDraft, CutReason};
use merestone_node::Device;
use merestone_node::office::PartyOffice;
use merestone_tests::corpus::{self, BATCH, Crew, batch};
use merestone_tests::mission::{self, Mission};
use merestone_tests::timing::time_ms;

use crate::row::{Row, Target};

const ENTRIES: u64 = 100_000;
/// Records of which the rows and words are worked out again: at a millisecond each more would take minutes.
const LISTED: u64 = 2_000;
const ROUNDS: usize = 3;

pub(crate) fn measure() -> Vec<Row> {
    let mission = corpus::found();
    let home = tempfile::tempdir().expect("a temporary folder");
    let held = Held::make(&mission, &home.path().join("held"), ENTRIES);
    let obeyed: Vec<f64> = (0..ROUNDS).map(|round| held.copied(round, |device| held.obey(device, round))).collect();
    let few = Held::make(&mission, &home.path().join("listed"), LISTED);
    few.indexed();
    let listed: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            few.copied(round, |device| {
                few.obey(device, round);
                time_ms(|| device.catch_up().expect("a store that reads")).0 / (LISTED as f64 / 1e3)
            })
        })
        .collect();
    vec![
        Row::median("cut/obeyed", "ms", &obeyed)
            .target(Target::AtMost(1e3))
            .note("from the cut's arrival until a record is shown by it; 100,000 entries of the key are held"),
        Row::median("cut/lists", "ms/1000 records", &listed)
            .note("rows and words of records that the cut sets aside, judged and indexed again in the background"),
    ]
}

/// A device with entries of one key, each a record of its own, and a cut of the key.
struct Held {
    folder: PathBuf,
    entries: Vec<VerifiedEntry>,
    cut: Vec<u8>,
}

impl Held {
    fn make(mission: &Mission, folder: &Path, count: u64) -> Self {
        fs::create_dir(folder).expect("room on the disk");
        let folder = folder.join("device");
        let device = mission.create_device(&folder, mission::replayed("first"));
        let crew = Crew::certify(mission);
        crew.introduce(&device);
        let mut author = crew.spare_author();
        let entries: Vec<VerifiedEntry> = (0..count).map(|number| author.sign(author.draft(number))).collect();
        for page in entries.chunks(BATCH) {
            device.store().commit(batch(page)).expect("room on the disk");
        }
        let key = entries[0].key().as_bytes();
        let party = device.authority().roster().certificates_of(key).next().expect("a member of the crew").party();
        let office = PartyOffice::new(&mission.roots[party.0 as usize - 1]);
        let draft = CutDraft { key, kept: &[], reason: CutReason::Lost, text: None };
        let cut = office.cut(&mission.charter, &draft).expect("a party cuts its own").as_bytes().to_vec();
        Self { folder, entries, cut }
    }

    /// Brings its lists up to date.
    fn indexed(&self) {
        let device = mission::open_device(&self.folder, mission::replayed("indexed"));
        device.catch_up().expect("a store that reads");
    }

    fn copied(&self, round: usize, work: impl FnOnce(&Device) -> f64) -> f64 {
        let copy = self.folder.with_file_name(format!("copy {round}"));
        copy_folder(&self.folder, &copy);
        work(&mission::open_device(&copy, mission::replayed(&format!("again {round}"))))
    }

    fn obey(&self, device: &Device, round: usize) -> f64 {
        let last = self.entries[self.entries.len() - 1 - round].record();
        let (ms, view) = time_ms(|| {
            device.receive(Class::Cut, std::slice::from_ref(&self.cut)).expect("the store takes a cut");
            device.record(last).expect("a store that reads").expect("a record of this device")
        });
        assert!(view.standings.iter().all(|(_, standing)| *standing == Standing::SetAside), "the cut acts at once");
        ms
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("room on the disk");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a readable folder");
        let path = to.join(entry.file_name());
        if entry.file_type().expect("a file or folder").is_dir() {
            copy_folder(&entry.path(), &path);
        } else {
            fs::copy(entry.path(), path).expect("room on the disk");
        }
    }
}
