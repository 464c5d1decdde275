//! Siblings for which forks had no room in the store: a bag shows them too, because a ledger may have them.

use merestone_core::entry::{SignedEntry, VerifiedEntry};
use merestone_core::id::{EntryId, LogId, MissionId};
use merestone_core::key::KeyCache;
use merestone_store::{DisplacedWhole, PAGE_DISPLACED_MAX, ReadError, Store};

/// Most displaced siblings in a bag: 80 bytes each are held while it is written. Whoever holds a key can make as many as
/// he likes, of his own logs; an audit does without those that are left out (`spec/bundle.md`, `sibling-displaced`).
const DISPLACED_MAX: usize = 262_144;

/// Where the displaced siblings of a store are, by log.
#[derive(Default)]
pub(super) struct Displaced {
    rows: Vec<Row>,
    /// How many there are beyond [`DISPLACED_MAX`].
    pub(super) beyond: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    log: LogId,
    pub(super) seq: u64,
    pub(super) id: EntryId,
    number: i64,
}

impl Displaced {
    /// Reads which there are; what does not verify any more is damaged, and left aside.
    pub(super) fn read(store: &Store, mission: MissionId) -> Result<Self, ReadError> {
        let (mut rows, mut beyond, mut after) = (Vec::new(), 0, i64::MIN);
        let mut keys = KeyCache::new();
        loop {
            let page = store.displaced(after)?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for entry in &page {
                let verified = SignedEntry::new(&entry.header, None).verify(mission, &mut keys);
                match verified {
                    Ok(entry_at) if rows.len() < DISPLACED_MAX => rows.push(Row::of(&entry_at, entry.number)),
                    Ok(_) => beyond += 1,
                    Err(_) => {}
                }
            }
            if page.len() < PAGE_DISPLACED_MAX {
                break;
            }
        }
        rows.sort_unstable();
        rows.dedup_by_key(|row| (row.log, row.seq, row.id));
        Ok(Self { rows, beyond })
    }

    /// Those of a log, ascending by (seq, id).
    pub(super) fn of_log(&self, log: LogId) -> &[Row] {
        let from = self.rows.partition_point(|row| row.log < log);
        let to = self.rows.partition_point(|row| row.log <= log);
        &self.rows[from..to]
    }
}

impl Row {
    fn of(entry: &VerifiedEntry, number: i64) -> Self {
        Self { log: entry.log(), seq: entry.header().seq, id: entry.id(), number }
    }

    /// Reads the sibling; `None` if it is not aside any more. A body that is damaged is left there.
    pub(super) fn read(&self, store: &Store, mission: MissionId) -> Result<Option<DisplacedWhole>, ReadError> {
        let Some(DisplacedWhole { header, body }) = store.displaced_at(self.number)? else { return Ok(None) };
        let is_sound = |body: &Vec<u8>| {
            SignedEntry::new(&header, Some(body)).verify(mission, &mut KeyCache::with_capacity(1)).is_ok()
        };
        let body = body.filter(is_sound);
        Ok(Some(DisplacedWhole { header, body }))
    }
}
