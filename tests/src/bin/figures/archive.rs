//! Stores of many inspections, and the bags written from them: made once, used by several groups of figures.

use std::path::PathBuf;

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::entry::{LogHead, VerifiedEntry};
use merestone_core::key::SigningKey;
use merestone_core::merkle::{Tree, leaf_hash};
use merestone_core::roster::{Class, CutDraft, CutReason};
use merestone_node::office::PartyOffice;
use merestone_node::{Device, bag};
use merestone_store::{Batch, LeafOf, LedgerAppend, NewLeaf};
use merestone_tests::mission::{self, LEDGER_SEED, Mission};
use tempfile::TempDir;

use merestone_tests::corpus::{self, BATCH, Crew, batch};

/// Entries of the larger archive.
pub(crate) const ENTRIES: u64 = 100_000;

/// Leaves of a ledger that are committed together.
const APPEND_LEAVES: usize = 8_192;

/// What was made so far.
#[derive(Default)]
pub(crate) struct Archives {
    large: Option<Archive>,
    logged: Option<[Archive; 2]>,
}

impl Archives {
    /// [`ENTRIES`] inspections.
    pub(crate) fn large(&mut self) -> &Archive {
        self.large.get_or_insert_with(|| Archive::fill(ENTRIES))
    }

    /// [`ENTRIES`] inspections and ten times as many, each with a key that was cut and a ledger of everything.
    pub(crate) fn logged(&mut self) -> &[Archive; 2] {
        self.logged.get_or_insert_with(|| [ENTRIES, 10 * ENTRIES].map(Archive::fill_logged))
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

    /// The same, one entry of a hundred by a key that was cut halfway, and all of it in a ledger with a checkpoint.
    fn fill_logged(entries: u64) -> Self {
        let mut archive =
            Self { home: tempfile::tempdir().expect("a temporary folder"), mission: corpus::found(), entries };
        let device = archive.mission.create_device(&archive.folder(), mission::replayed("first"));
        let crew = Crew::certify(&archive.mission);
        crew.introduce(&device);
        let mut leaves: Vec<Leaf> =
            device.authority().roster().certificates().map(|held| Leaf::Statement(held.id())).collect();
        for log in crew.inspections(entries - entries / 100) {
            commit(&device, &log, &mut leaves);
        }
        let mut author = crew.spare_author();
        let lost: Vec<VerifiedEntry> =
            (entries..entries + entries / 100).map(|number| author.sign(author.draft(number))).collect();
        commit(&device, &lost, &mut leaves);
        let kept = &lost[lost.len() / 2];
        let head =
            LogHead { scope: kept.header().scope, epoch: kept.header().epoch, seq: kept.header().seq, id: kept.id() };
        let cut = archive.cut(&device, kept, head);
        device.receive(Class::Cut, &[cut]).expect("the store takes a cut");
        archive.entries = leaves.iter().filter(|leaf| matches!(leaf, Leaf::Entry { .. })).count() as u64;
        archive.sequence(&device, &leaves);
        archive
    }

    /// A cut of the key of `kept` at `head`, by whichever party certified it.
    fn cut(&self, device: &Device, kept: &VerifiedEntry, head: LogHead) -> Vec<u8> {
        let (key, roster) = (kept.key().as_bytes(), device.authority().roster());
        let party = roster.certificates_of(key).next().expect("a member of the crew").party();
        let office = PartyOffice::new(&self.mission.roots[party.0 as usize - 1]);
        let draft = CutDraft { key, kept: &[head], reason: CutReason::Lost, text: None };
        office.cut(&self.mission.charter, &draft).expect("a party cuts its own").as_bytes().to_vec()
    }

    /// Appends the leaves to the device's ledger and signs a checkpoint of them.
    fn sequence(&self, device: &Device, leaves: &[Leaf]) {
        let mut tree = Tree::new();
        for page in leaves.chunks(APPEND_LEAVES) {
            let first = tree.size();
            let leaves = page.iter().map(|leaf| NewLeaf { bytes: leaf.encode(), about: LeafOf::Other }).collect();
            page.iter().for_each(|leaf| tree.append(leaf_hash(&leaf.encode())));
            let mut batch = Batch::new();
            batch.ledger(LedgerAppend { first, leaves, ..LedgerAppend::default() });
            device.store().commit(batch).expect("room on the disk");
        }
        let (ledger, key) = (self.mission.charter.charter().ledger.as_ref(), SigningKey::from_seed(&LEDGER_SEED));
        let note = Checkpoint::make(ledger.expect("the mission has a ledger"), &key, tree.size(), &tree.root());
        let note = note.expect("the ledger's key signs").as_bytes().to_vec();
        device.receive(Class::Note, &[note]).expect("the store takes a note");
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

/// Commits a log, and adds its leaves to those of the ledger.
fn commit(device: &Device, log: &[VerifiedEntry], leaves: &mut Vec<Leaf>) {
    let Some(first) = log.first() else { return };
    leaves.push(Leaf::Log { log: first.log(), scope: first.header().scope });
    leaves.extend(log.iter().map(|entry| Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() }));
    for page in log.chunks(BATCH) {
        device.store().commit(batch(page)).expect("room on the disk");
    }
}
