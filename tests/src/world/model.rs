//! What the people of a world did and were told, remembered without asking the product again.
//!
//! Every value that anybody writes is a word of its own, so that whatever a device shows can be traced to one save.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{BlobHash, EntryId, LogId, RecordId, StatementId};

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
    /// The newest entries of the record that the screen showed when it was begun; none in a new record.
    pub seen: Vec<EntryId>,
    /// Photos that were attached (originals).
    pub photos: Vec<BlobHash>,
    /// The entry and its record, once the person was told.
    pub told: Option<(EntryId, RecordId)>,
}

/// A cut as the party made it.
#[derive(Clone, Debug)]
pub struct CutMade {
    /// The statement.
    pub id: StatementId,
    /// The key.
    pub key: [u8; 32],
    /// The device at which the officer made it.
    pub at: usize,
    /// When.
    pub made_ms: u64,
    /// The last entry to keep of each log, and its seq.
    pub kept: BTreeMap<LogId, (u64, EntryId)>,
    /// Entries of the key that a final checkpoint held when the cut was made: whatever comes later, they count.
    pub was_final: BTreeSet<EntryId>,
    /// Entries that a final checkpoint held before enough parties held the cut, and all below them; known in peace.
    pub settled: BTreeSet<EntryId>,
}

/// The entry before each entry in its log.
pub type Chain = BTreeMap<EntryId, Option<EntryId>>;

impl CutMade {
    /// Whether an entry of its key is neither what is kept nor before it in its chain, nor was final before the cut.
    pub fn covers(&self, key: &[u8; 32], at: Place, chain: &Chain) -> bool {
        self.leaves_out(key, at, chain) && !self.settled.contains(&at.id)
    }

    /// Whether an entry of its key is neither what is kept nor before it in its chain.
    fn leaves_out(&self, key: &[u8; 32], at: Place, chain: &Chain) -> bool {
        *key == self.key && self.kept.get(&at.log).is_none_or(|(seq, kept)| !is_before(*kept, *seq, at, chain))
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its log.
    pub log: LogId,
    /// Its place in it.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
}

/// Whether an entry is `kept` or one before it; so it counts while the chain between is not held.
fn is_before(kept: EntryId, seq: u64, at: Place, chain: &Chain) -> bool {
    let Some(steps) = seq.checked_sub(at.seq) else { return false };
    let mut below = kept;
    for _ in 0..steps {
        match chain.get(&below) {
            Some(Some(before)) => below = *before,
            Some(None) | None => return true,
        }
    }
    below == at.id
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

    /// Whether it was final before every cut that does not keep it.
    pub fn was_final(&self, key: &[u8; 32], at: Place, chain: &Chain) -> bool {
        let mut cuts = self.cuts.iter().filter(|cut| cut.leaves_out(key, at, chain)).peekable();
        cuts.peek().is_some() && cuts.all(|cut| cut.was_final.contains(&at.id))
    }

    /// Whether a party cut it away.
    pub fn is_covered(&self, key: &[u8; 32], at: Place, chain: &Chain) -> bool {
        self.cuts.iter().any(|cut| cut.covers(key, at, chain))
    }
}
