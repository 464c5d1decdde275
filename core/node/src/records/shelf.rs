//! Records in memory: read from the store when somebody asks, judged as a whole, and kept as long as nothing happens to them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::entry::{Position, SignedEntry, VerifiedEntry};
use merestone_core::id::{EntryId, LogId, RecordId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::record::{HeldEntry, Judged, Setting, judge};
use merestone_core::roster::{Chains, Coverage, Link, LogIndex, Roster};
use merestone_store::{PAGE_ENTRIES_MAX, StoredEntry};

use super::sheet::Sheet;
use crate::device::{AccessError, Device};

/// Sheets that are kept: the records a person goes back and forth between. A record of 30 answers takes about 10 KiB.
const SHEETS_MAX: usize = 64;

/// What is worked out once and used by many reads.
#[derive(Default)]
pub(crate) struct Shelf {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sheets: HashMap<RecordId, Sheet>,
    /// The records of the sheets, least recently used first.
    turns: VecDeque<RecordId>,
    keys: KeyCache,
    /// What the cuts cover, for the roster of this version.
    coverage: Option<(u64, Arc<Coverage>)>,
    /// The certificate that a log names at its start: of logs with one start only.
    starts: HashMap<LogId, StatementId>,
}

impl Shelf {
    /// Works with a record's sheet if there is one.
    pub(crate) fn with<T>(&self, record: RecordId, work: impl FnOnce(&mut Sheet) -> T) -> Option<T> {
        let mut inner = self.lock();
        if inner.turns.back() != Some(&record) {
            inner.turns.retain(|other| *other != record);
            inner.turns.push_back(record);
        }
        inner.sheets.get_mut(&record).map(work)
    }

    /// Keeps a sheet.
    pub(crate) fn keep(&self, record: RecordId, sheet: Sheet) {
        let mut inner = self.lock();
        inner.turns.retain(|other| *other != record);
        inner.turns.push_back(record);
        inner.sheets.insert(record, sheet);
        while inner.turns.len() > SHEETS_MAX {
            if let Some(oldest) = inner.turns.pop_front() {
                inner.sheets.remove(&oldest);
            }
        }
    }

    /// Drops the sheet of a record to which something happened.
    pub(crate) fn drop_sheet(&self, record: RecordId) {
        self.lock().sheets.remove(&record);
    }

    /// Drops everything that rests on statements or on the chains of logs.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.sheets.clear();
        inner.turns.clear();
        inner.coverage = None;
        inner.starts.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device {
    /// To be called when entries of these records were committed that came from elsewhere: what was worked out from less
    /// is dropped, and what an erasure took away before they came is taken away again.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub fn entries_arrived(&self, records: &BTreeSet<RecordId>) -> Result<(), AccessError> {
        {
            let mut inner = self.shelf.lock();
            for record in records {
                inner.sheets.remove(record);
            }
            #[cfg(planted)]
            let before = inner.coverage.take();
            // A log that a cut names may have come further, and a log may have got a second start.
            inner.coverage = None;
            inner.starts.clear();
            // What a cut covers is thought to be a matter of cuts alone: a branch that comes after them is not covered.
            #[cfg(planted)]
            if merestone_core::planted::is("coverage-outlives-fork") {
                inner.coverage = before;
            }
        }
        self.erase_arrived(records)
    }

    /// The held entries of a record, verified.
    pub(crate) fn held(&self, record: RecordId) -> Result<Vec<HeldEntry>, AccessError> {
        let stored = self.store.record_entries(record)?;
        let mut held = Vec::with_capacity(stored.len());
        let Inner { keys, starts, .. } = &mut *self.shelf.lock();
        for entry in &stored {
            // The store checks hashes and takes verified entries only, so none is refused here unless the program changed.
            let Some(verified) = self.verified(entry, keys) else { continue };
            let certificate = self.certificate_of(&verified, entry, keys, starts)?;
            held.push(HeldEntry::new(verified, certificate));
        }
        Ok(held)
    }

    /// Judges a record and works with the result.
    pub(crate) fn judged<T>(
        &self,
        record: RecordId,
        held: &[HeldEntry],
        work: impl FnOnce(&Judged<'_>, &Roster) -> T,
    ) -> T {
        let coverage = self.coverage();
        let roster = self.authority.roster();
        let is_elsewhere = |entry: EntryId| self.store.held(&[entry]).is_ok_and(|held| held.contains(&entry));
        let setting =
            Setting { roster: &roster, coverage: &coverage, ledgered: roster.ledgered(), is_elsewhere: &is_elsewhere };
        work(&judge(record, held, &setting), &roster)
    }

    /// Works with the sheet of a record, made now if there is none; `None` while nothing of the record is applied.
    pub(crate) fn with_sheet<T>(
        &self,
        record: RecordId,
        work: impl FnOnce(&mut Sheet) -> T,
    ) -> Result<Option<T>, AccessError> {
        if !self.shelf.lock().sheets.contains_key(&record) {
            let held = self.held(record)?;
            let Some(sheet) = self.judged(record, &held, Sheet::of) else { return Ok(None) };
            self.shelf.keep(record, sheet);
        }
        Ok(self.shelf.with(record, work))
    }

    /// What the cuts cover.
    pub(crate) fn coverage(&self) -> Arc<Coverage> {
        let version = self.authority.version();
        #[cfg(planted)]
        let version = match merestone_core::planted::is("coverage-outlives-fork") {
            true => self.authority.roster().cuts().count() as u64,
            false => version,
        };
        if let Some((of, coverage)) = &self.shelf.lock().coverage
            && *of == version
        {
            return Arc::clone(coverage);
        }
        let coverage = Arc::new(Coverage::derive(&self.authority.roster(), &StoredChains { device: self }));
        self.shelf.lock().coverage = Some((version, Arc::clone(&coverage)));
        coverage
    }

    /// A stored entry as what it is; `None` only if a former version of the program admitted what this one refuses.
    pub(crate) fn verified(&self, stored: &StoredEntry, keys: &mut KeyCache) -> Option<VerifiedEntry> {
        SignedEntry::new(&stored.header, stored.body.bytes()).verify(self.mission(), keys).ok()
    }

    /// The certificate that an entry's log names at seq 0, down the entry's own chain.
    fn certificate_of(
        &self,
        entry: &VerifiedEntry,
        stored: &StoredEntry,
        keys: &mut KeyCache,
        starts: &mut HashMap<LogId, StatementId>,
    ) -> Result<Option<StatementId>, AccessError> {
        if let Some(named) = certificate(entry) {
            return Ok(Some(named));
        }
        if let Some(known) = starts.get(&stored.log) {
            return Ok(Some(*known));
        }
        let Some(tip) = self.store.tip(stored.log)? else { return Ok(None) };
        if tip.branches.is_none() {
            let is_on_it = stored.seq < tip.height;
            let first = self.store.log_entries(stored.log, 0, 1)?;
            let start =
                first.first().and_then(|first| self.verified(first, keys)).and_then(|first| certificate(&first));
            if let Some(start) = start.filter(|_| tip.top == tip.height) {
                starts.insert(stored.log, start);
            }
            return Ok(start.filter(|_| is_on_it));
        }
        self.start_by_chain(stored, keys)
    }

    /// In a forked log every entry is followed down to its own start.
    fn start_by_chain(&self, entry: &StoredEntry, keys: &mut KeyCache) -> Result<Option<StatementId>, AccessError> {
        let mut chains = LogIndex::new();
        let mut starts = HashMap::new();
        let mut from = 0;
        loop {
            let page = self.store.log_entries(entry.log, from, PAGE_ENTRIES_MAX)?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            for stored in &page {
                let Some(verified) = self.verified(stored, keys) else { continue };
                starts.extend(certificate(&verified).map(|certificate| (stored.id, certificate)));
                chains.add(stored.log, stored.seq, stored.id, prev(&verified));
            }
            if from > entry.seq {
                break;
            }
        }
        Ok(chains.start(entry.id).and_then(|start| starts.get(&start).copied()))
    }
}

/// The chains of logs as the store has them. What it cannot read counts as not held.
struct StoredChains<'a> {
    device: &'a Device,
}

impl Chains for StoredChains<'_> {
    fn is_linear(&self, log: LogId) -> bool {
        match self.device.store.tip(log) {
            Ok(Some(tip)) => tip.branches.is_none() && tip.top == tip.height,
            Ok(None) => true,
            Err(_) => false,
        }
    }

    fn height(&self, log: LogId) -> u64 {
        self.device.store.tip(log).ok().flatten().map_or(0, |tip| tip.height)
    }

    fn link(&self, entry: EntryId) -> Option<Link> {
        let stored = self.device.store.entry(entry).ok()??;
        let verified = self.device.verified(&stored, &mut KeyCache::with_capacity(1))?;
        Some(Link { log: stored.log, seq: stored.seq, prev: prev(&verified) })
    }
}

fn certificate(entry: &VerifiedEntry) -> Option<StatementId> {
    match &entry.header().position {
        Position::First { certificate, earlier: _ } => Some(*certificate),
        Position::Later { prev: _ } => None,
    }
}

fn prev(entry: &VerifiedEntry) -> Option<EntryId> {
    match &entry.header().position {
        Position::First { certificate: _, earlier: _ } => None,
        Position::Later { prev } => Some(*prev),
    }
}
