//! What the people of a world did and were told, remembered without asking the product again.
//!
//! Every value that anybody writes is a word of its own, so that whatever a device shows can be traced to one save.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{BlobHash, EntryId, LogId, RecordId};

/// The people's own memory.
#[derive(Debug, Default)]
pub struct Model {
    /// Every save that was begun, by its word.
    pub attempts: BTreeMap<String, Attempt>,
    /// Every save of which a person was told that it is done.
    pub told: BTreeMap<EntryId, String>,
    /// What was cut.
    pub cuts: Vec<CutMade>,
    /// Words of drafts that stand on two disks, so that each may save them.
    pub copied: BTreeSet<String>,
    next: u64,
}

/// One save that was begun.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose it is, by key.
    pub key: [u8; 32],
    /// The device on which it was made.
    pub site: usize,
    /// What was written, by question.
    pub answers: BTreeMap<String, String>,
    /// Photos that were attached (originals).
    pub photos: Vec<BlobHash>,
    /// The entry and its record, once the person was told.
    pub told: Option<(EntryId, RecordId)>,
}

/// A cut as the party made it.
#[derive(Clone, Debug)]
pub struct CutMade {
    /// The key.
    pub key: [u8; 32],
    /// The last seq to keep of each log.
    pub kept: BTreeMap<LogId, u64>,
}

impl CutMade {
    /// Whether an entry of its key stands behind what is kept.
    pub fn covers(&self, key: &[u8; 32], log: LogId, seq: u64) -> bool {
        *key == self.key && self.kept.get(&log).is_none_or(|kept| seq > *kept)
    }
}

impl Model {
    /// A word that nobody wrote before.
    pub fn word(&mut self) -> String {
        self.next += 1;
        format!("w{}", self.next)
    }

    /// Remembers a save before it is tried.
    pub fn begin(&mut self, word: &str, attempt: Attempt) {
        self.attempts.insert(word.to_owned(), attempt);
    }

    /// The person is told that it is saved.
    pub fn tell(&mut self, word: &str, entry: EntryId, record: RecordId) {
        self.told.insert(entry, word.to_owned());
        if let Some(attempt) = self.attempts.get_mut(word) {
            attempt.told = Some((entry, record));
        }
    }

    /// The drafts of a device are copied with it.
    pub fn copy_drafts(&mut self, key: &[u8; 32]) {
        let open = self.attempts.iter().filter(|(_, attempt)| attempt.key == *key && attempt.told.is_none());
        self.copied.extend(open.map(|(word, _)| word.clone()));
    }

    /// Whether a party cut it away.
    pub fn is_covered(&self, key: &[u8; 32], log: LogId, seq: u64) -> bool {
        self.cuts.iter().any(|cut| cut.covers(key, log, seq))
    }
}
