//! The records of the bag, one after the other: their entries read again from the log files, and judged together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use merestone_core::Check;
use merestone_core::audit::bag::log_path;
use merestone_core::audit::fast::read_item;
use merestone_core::audit::full::{Loaded, RECORD_BYTES_MAX, RecordGrounds, audit_record};
use merestone_core::audit::index::Row;
use merestone_core::audit::logs::LogSummary;
use merestone_core::audit::{BagCode, Findings, Place, Records};
use merestone_core::entry::{SignedEntry, VerifiedEntry};
use merestone_core::id::{MissionId, RecordId};
use merestone_core::key::KeyCache;
use merestone_core::record::ENTRIES_MAX;

use crate::folder::Folder;
use crate::reader::ItemReader;

/// Log files that one core keeps open: far below what systems allow, far above the logs of one record.
const OPEN_FILES_MAX: usize = 64;

/// What one core needs to read records.
pub(crate) struct RecordReader<'a> {
    folder: &'a Folder,
    mission: MissionId,
    /// By the number of the log's file.
    logs: Vec<&'a LogSummary>,
    keys: KeyCache,
    open: BTreeMap<u16, ItemReader>,
}

impl<'a> RecordReader<'a> {
    pub(crate) fn new(folder: &'a Folder, mission: MissionId, logs: Vec<&'a LogSummary>) -> Self {
        Self { folder, mission, logs, keys: KeyCache::new(), open: BTreeMap::new() }
    }

    /// Judges the record, or the few records, that `rows` belong to.
    pub(crate) fn judge(&mut self, rows: &[Row], grounds: RecordGrounds<'_>, records: &Mutex<Records>) {
        let mut findings = Findings::new();
        let loaded = self.load_all(rows, &mut findings);
        let unjudged = if loaded.is_none() { rows.len() as u64 } else { 0 };
        let lock = || records.lock().unwrap_or_else(PoisonError::into_inner);
        lock().findings.merge(findings);
        lock().bounded.open += unjudged;
        for (record, loaded) in loaded.unwrap_or_default() {
            let is_detailed = lock().wants(record);
            let outcome = audit_record(record, loaded, grounds, is_detailed);
            lock().add(outcome);
        }
    }

    /// The entries of `rows`, by record; `None`, and a finding, where they are too many to be judged.
    pub(crate) fn load_all(
        &mut self,
        rows: &[Row],
        findings: &mut Findings,
    ) -> Option<BTreeMap<RecordId, Vec<Loaded>>> {
        let mut loaded: BTreeMap<RecordId, Vec<Loaded>> = BTreeMap::new();
        let mut bytes_left = RECORD_BYTES_MAX;
        for row in rows {
            let Some(entry) = self.load(row, findings) else { continue };
            let bytes = entry.entry.header_bytes().len() + entry.entry.body_bytes().map_or(0, <[u8]>::len);
            bytes_left = bytes_left.saturating_sub(bytes as u64);
            if bytes_left == 0 || rows.len() > ENTRIES_MAX {
                let place = Place { record: Some(entry.entry.record()), ..Place::default() };
                findings.add(BagCode::RecordTooLarge, place, "not judged");
                return None;
            }
            loaded.entry(entry.entry.record()).or_default().push(entry);
        }
        Some(loaded)
    }

    /// The entry of a row, read again.
    fn load(&mut self, row: &Row, findings: &mut Findings) -> Option<Loaded> {
        let spot = row.spot();
        let log = *self.logs.get(usize::from(spot.log))?;
        let reopened = self.reopen(row, log);
        if reopened.is_none() {
            let place = Place { entry: Some(row.seal().id()), ..Place::file(&log_path(log.log)) };
            findings.add(BagCode::BagUnreadable, place, "changed while it was read");
        }
        let certificate = usize::from(spot.certificate).checked_sub(1).and_then(|at| log.certificates.get(at).copied());
        Some(Loaded { entry: reopened?, certificate, is_body_wrong: spot.is_body_wrong })
    }

    fn reopen(&mut self, row: &Row, log: &LogSummary) -> Option<VerifiedEntry> {
        let spot = row.spot();
        if !self.open.contains_key(&spot.log) {
            if self.open.len() >= OPEN_FILES_MAX {
                self.open.clear();
            }
            self.open.insert(spot.log, self.folder.items(&log_path(log.log)).ok()?);
        }
        let reader = self.open.get_mut(&spot.log)?;
        for is_large in [false, true] {
            let bytes = reader.at(spot.offset, is_large).ok()?;
            let (item, _) = match read_item(bytes) {
                Ok(item) => item,
                // Longer than what was read at first.
                Err(refused) if refused.check == Check::CborMalformed && !is_large => continue,
                Err(_) => return None,
            };
            let item = if spot.is_body_wrong { item.without_body() } else { item };
            return SignedEntry::reopen(&item, row.seal(), self.mission, &mut self.keys).ok();
        }
        None
    }
}
