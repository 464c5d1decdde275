//! A bag after its audit: its records one after the other, read from the bag again and judged as the report judged them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use merestone_core::audit::detail::RecordDetail;
use merestone_core::audit::full::{PhotoFile, RecordGrounds, audit_record};
use merestone_core::audit::index::{EntryIndex, Groups};
use merestone_core::audit::ledger::LedgerView;
use merestone_core::audit::logs::LogSummary;
use merestone_core::audit::times::Since;
use merestone_core::audit::{BagCode, Findings};
use merestone_core::bounds::Timeline;
use merestone_core::form::LeafTable;
use merestone_core::id::{BlobHash, FormHash, LogId, NoteHash, RecordId, StatementId};
use merestone_core::roster::{Coverage, Roster};

use crate::Report;
use crate::folder::Folder;
use crate::json;
use crate::records::RecordReader;

/// A bag that was audited, and what it takes to show all of its records.
///
/// A report shows only so many records in full; this gives every one, and memory holds of each entry the 48 bytes of its
/// row and of one record at a time everything.
/// The bag must stay where it is while this is used.
pub struct Evidence {
    folder: Folder,
    report: Report,
    basis: Option<Basis>,
}

/// The bag is no longer what was audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bag changed after it was audited; audit it again")]
pub struct ChangedSince;

impl Evidence {
    pub(crate) fn new(folder: Folder, report: Report, basis: Option<Basis>) -> Self {
        Self { folder, report, basis }
    }

    /// The report alone; what records are shown from is dropped.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// What the audit found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether records were judged: not by the fast pass, and not where the charter could not be read.
    pub fn has_records(&self) -> bool {
        self.basis.is_some()
    }

    /// The records of the bag, ascending by id, beginning behind `after`; none where records were not judged.
    ///
    /// A record that is too large to be judged is left out here, and a finding of the report names it.
    pub fn records(&self, after: Option<RecordId>) -> EvidenceRecords<'_> {
        EvidenceRecords { after, ..self.records_from(after.unwrap_or(RecordId::from_bytes([0; 32]))) }
    }

    /// One record; `None` if no entry of the bag belongs to it, or records were not judged.
    ///
    /// # Errors
    /// If the bag changed after the audit.
    pub fn record(&self, record: RecordId) -> Result<Option<RecordDetail>, ChangedSince> {
        let mut found =
            self.records_from(record).skip_while(|found| found.as_ref().is_ok_and(|found| found.id < record));
        Ok(found.next().transpose()?.filter(|found| found.id == record))
    }

    /// A record as an object of the list `records` in `report.json` (`spec/bundle.md`, Report), in one line.
    pub fn record_json(&self, record: &RecordDetail) -> String {
        json::write_record(&self.report, record)
    }

    fn records_from(&self, first: RecordId) -> EvidenceRecords<'_> {
        let basis = self.basis.as_ref();
        EvidenceRecords {
            reader: RecordReader::new(
                &self.folder,
                self.report.facts.mission,
                basis.map(Basis::logs).unwrap_or_default(),
            ),
            from: basis.map(|basis| (basis.grounds(), basis.index.records_from(first))),
            after: None,
            ready: VecDeque::new(),
        }
    }
}

/// What records are judged by: all that an audit knows once every log was read.
pub(crate) struct Basis {
    pub(crate) roster: Roster,
    pub(crate) coverage: Coverage,
    pub(crate) tables: BTreeMap<FormHash, LeafTable>,
    pub(crate) photos: BTreeMap<BlobHash, PhotoFile>,
    pub(crate) summaries: BTreeMap<LogId, LogSummary>,
    pub(crate) index: EntryIndex,
    pub(crate) since: BTreeMap<LogId, Since>,
    pub(crate) ledger: LedgerView,
    pub(crate) sizes: BTreeMap<NoteHash, Option<u64>>,
    pub(crate) timeline: Option<Timeline>,
    pub(crate) ledgered: BTreeSet<StatementId>,
}

impl Basis {
    pub(crate) fn grounds(&self) -> RecordGrounds<'_> {
        RecordGrounds {
            roster: &self.roster,
            coverage: &self.coverage,
            tables: &self.tables,
            photos: &self.photos,
            index: &self.index,
            ledger: &self.ledger,
            notes: &self.sizes,
            since: &self.since,
            timeline: self.timeline.as_ref(),
            ledgered: &self.ledgered,
        }
    }

    /// The logs, by the number of their files.
    pub(crate) fn logs(&self) -> Vec<&LogSummary> {
        self.summaries.values().collect()
    }
}

/// The records of a bag, one after the other.
pub struct EvidenceRecords<'a> {
    reader: RecordReader<'a>,
    from: Option<(RecordGrounds<'a>, Groups<'a>)>,
    after: Option<RecordId>,
    /// Records whose ids begin alike are read together.
    ready: VecDeque<RecordDetail>,
}

impl Iterator for EvidenceRecords<'_> {
    type Item = Result<RecordDetail, ChangedSince>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Ok(record));
            }
            let (grounds, groups) = self.from.as_mut()?;
            let rows = groups.next()?;
            let mut findings = Findings::new();
            let loaded = self.reader.load_all(&rows, &mut findings).unwrap_or_default();
            if findings.count(BagCode::BagUnreadable) > 0 {
                self.from = None;
                return Some(Err(ChangedSince));
            }
            let wanted = loaded.into_iter().filter(|(id, _)| self.after.is_none_or(|after| *id > after));
            self.ready.extend(wanted.filter_map(|(id, loaded)| audit_record(id, loaded, *grounds, true).detail));
        }
    }
}
