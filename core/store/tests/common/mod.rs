//! A store in a temporary folder, and authors who sign entries for it.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "this is test code, outside a test function")]

use std::path::{Path, PathBuf};

use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject, VerifiedEntry,
};
use merestone_core::id::{EntryId, Epoch, FormHash, MissionId, ScopeId, StatementId, StoreId};
use merestone_core::key::SigningKey;
use merestone_store::{Batch, Committed, Identity, OpenError, Store, StoreKey};
use tempfile::TempDir;

pub(crate) const MISSION: MissionId = MissionId::from_bytes([9; 32]);
pub(crate) const SCOPE: ScopeId = ScopeId::from_bytes([3; 8]);

pub(crate) fn identity() -> Identity {
    Identity { mission: MISSION, store: StoreId::from_bytes([5; 16]) }
}

pub(crate) fn key() -> StoreKey {
    StoreKey::from_bytes([0; 32])
}

/// A folder with a store in it.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> (Self, Store) {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        let store = Store::create(&home.path(), key(), identity()).unwrap();
        (home, store)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.path(), key()).unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Store, OpenError> {
        Store::open(&self.path(), key())
    }
}

/// Copies a folder as it lies on the disk now, as a kill would leave it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.path().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// One log of one key.
pub(crate) struct Author {
    key: SigningKey,
    epoch: Epoch,
    pub(crate) last: Option<(u64, EntryId)>,
}

impl Author {
    pub(crate) fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_seed(&[seed; 32]), epoch: Epoch::from_bytes([seed; 8]), last: None }
    }

    /// Creates a record.
    pub(crate) fn create(&mut self, text: &str) -> VerifiedEntry {
        self.sign(Subject::Creates { writers: Vec::new() }, text)
    }

    /// Edits a record.
    pub(crate) fn edit(&mut self, of: &VerifiedEntry, text: &str) -> VerifiedEntry {
        self.sign(Subject::Of { record: of.record(), refs: vec![of.id()] }, text)
    }

    /// The next entry would follow `entry`.
    pub(crate) fn back_to(&mut self, entry: &VerifiedEntry) {
        self.last = Some((entry.header().seq, entry.id()));
    }

    fn sign(&mut self, subject: Subject, text: &str) -> VerifiedEntry {
        let (seq, position) = match self.last {
            None => (0, Position::First { certificate: StatementId::from_bytes([1; 32]), earlier: Vec::new() }),
            Some((seq, prev)) => (seq + 1, Position::Later { prev }),
        };
        let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
        let context = Context { clock, place: None, post: None, observer: "O".into(), photos: Vec::new() };
        let draft = EntryDraft {
            mission: MISSION,
            scope: SCOPE,
            epoch: self.epoch,
            seq,
            position,
            kind: Kind::Change,
            subject,
            body: Body { content: Content::Change(text.as_bytes().to_vec()), context },
            commitment: Some(Commitment { root: [0; 32], form: FormHash::from_bytes([0; 32]) }),
            seen: None,
        };
        let entry = draft.sign(&self.key).unwrap();
        self.last = Some((seq, entry.id()));
        entry
    }
}

/// Commits entries.
pub(crate) fn commit(store: &Store, entries: impl IntoIterator<Item = VerifiedEntry>) -> Committed {
    let mut batch = Batch::new();
    for entry in entries {
        batch.entry(entry);
    }
    store.commit(batch).unwrap()
}

/// Flips one bit of the only place on the disk where `needle` stands.
pub(crate) fn flip(home: &Home, needle: &[u8]) {
    let file = home.path().join("store.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let found: Vec<_> = (0..bytes.len() - needle.len()).filter(|&at| bytes[at..].starts_with(needle)).collect();
    assert_eq!(found.len(), 1);
    bytes[found[0] + needle.len() / 2] ^= 1;
    std::fs::write(file, bytes).unwrap();
}
