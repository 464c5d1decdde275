//! Where the entries of each record stand in the log files: 48 bytes an entry, and 4 more once somebody asks for an id.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;

use crate::entry::Seal;
use crate::id::{EntryId, RecordId};

/// Most logs of a bag, as of a mission.
pub const LOGS_MAX: usize = 1 << LOG_BITS;

const OFFSET_BITS: u32 = 40;
const CERTIFICATE_BITS: u32 = 7;
const LOG_BITS: u32 = 16;

/// Where an entry of the full pass is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The first 8 bytes of the record's id. Two records that share them are only read together.
    record: u64,
    seal: Seal,
    /// Log, whether the body is spoilt, certificate and offset, from the high bits down.
    packed: u64,
}

/// What a row says besides the entry and the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The number of the log's file.
    pub log: u16,
    /// Where in that file the entry begins.
    pub offset: u64,
    /// Which of the log's certificates the entry's chain leads to, from 1; 0 when it leads to none.
    pub certificate: u8,
    /// Whether the body there is not the one that was signed.
    pub is_body_wrong: bool,
}

impl Row {
    /// The row of an entry.
    pub fn new(record: RecordId, seal: Seal, spot: Spot) -> Self {
        let Spot { log, offset, certificate, is_body_wrong } = spot;
        let certificate = if certificate < 1 << CERTIFICATE_BITS { u64::from(certificate) } else { 0 };
        let high = u64::from(log) << 1 | u64::from(is_body_wrong);
        let packed = (high << CERTIFICATE_BITS | certificate) << OFFSET_BITS | offset;
        Self { record: prefix(record.as_bytes()), seal, packed }
    }

    /// That the entry verified.
    pub fn seal(&self) -> Seal {
        self.seal
    }

    /// Where it stands.
    pub fn spot(&self) -> Spot {
        let offset = self.packed & ((1 << OFFSET_BITS) - 1);
        let high = self.packed >> OFFSET_BITS;
        let certificate = (high & ((1 << CERTIFICATE_BITS) - 1)) as u8;
        let high = high >> CERTIFICATE_BITS;
        Spot { log: (high >> 1) as u16, offset, certificate, is_body_wrong: high & 1 == 1 }
    }

    fn order(&self) -> (u64, EntryId) {
        (self.record, self.seal.id())
    }

    /// Of several copies of an entry the one whose chain leads to a certificate counts, which a misplaced one never does.
    fn rank(&self) -> (bool, u64) {
        (self.spot().certificate == 0, self.packed)
    }
}

fn prefix(bytes: &[u8; 32]) -> u64 {
    bytes[..8].iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Every authentic entry of the bag, by record.
#[derive(Debug, Default)]
pub struct EntryIndex {
    /// Each sorted by record, then id.
    runs: Vec<Box<[Row]>>,
    /// The places of all rows, as run and index in one number, ascending by entry id.
    by_id: OnceLock<Box<[u32]>>,
}

impl EntryIndex {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the rows of some entries.
    pub fn add(&mut self, mut rows: Vec<Row>) {
        rows.sort_unstable_by_key(Row::order);
        if !rows.is_empty() {
            self.runs.push(rows.into_boxed_slice());
            self.by_id = OnceLock::new();
        }
    }

    /// How many entries there are; one that stands in two places counts twice.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether an entry is in the bag. The first question sorts all ids once.
    pub fn contains(&self, id: EntryId) -> bool {
        let by_id = self.by_id.get_or_init(|| {
            let mut numbers: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
            numbers.sort_unstable_by_key(|&number| self.id_at(number));
            numbers.into_boxed_slice()
        });
        by_id.binary_search_by_key(&Some(id), |&number| self.id_at(number)).is_ok()
    }

    fn id_at(&self, number: u32) -> Option<EntryId> {
        let mut at = number as usize;
        for run in &self.runs {
            match run.get(at) {
                Some(row) => return Some(row.seal.id()),
                None => at -= run.len(),
            }
        }
        None
    }

    /// The records of one of `parts` equal shares of all possible records, in ascending order, each with its rows.
    ///
    /// Records are spread evenly because their ids are hashes, so shares can be given to cores.
    pub fn records(&self, part: u64, parts: u64) -> Groups<'_> {
        let border = |part: u64| u64::try_from((u128::from(part) << 64) / u128::from(parts.max(1))).ok();
        let (low, high) = (border(part).unwrap_or(u64::MAX), border(part + 1));
        let share = |run: &'_ [Row]| {
            let start = run.partition_point(|row| row.record < low);
            let end = high.map_or(run.len(), |high| run.partition_point(|row| row.record < high));
            start..end.max(start)
        };
        Groups::new(self.runs.iter().map(|run| &run[share(run)]).collect())
    }

    /// The records from `first` on in ascending order, each with its rows.
    ///
    /// Records whose ids begin like that of `first` may come before it.
    pub fn records_from(&self, first: RecordId) -> Groups<'_> {
        let low = prefix(first.as_bytes());
        Groups::new(self.runs.iter().map(|run| &run[run.partition_point(|row| row.record < low)..]).collect())
    }
}

/// The rows of one record after the other.
#[derive(Debug)]
pub struct Groups<'a> {
    runs: Vec<&'a [Row]>,
    /// The first record of each run that has one, the least on top, with the run's number.
    next: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'a> Groups<'a> {
    fn new(runs: Vec<&'a [Row]>) -> Self {
        let next = runs.iter().enumerate().filter_map(|(at, run)| Some(Reverse((run.first()?.record, at)))).collect();
        Self { runs, next }
    }
}

impl Iterator for Groups<'_> {
    /// The rows of one record, or of several whose ids begin alike; ascending by entry id, no entry twice.
    type Item = Vec<Row>;

    fn next(&mut self) -> Option<Vec<Row>> {
        let Reverse((record, _)) = *self.next.peek()?;
        let mut rows = Vec::new();
        while let Some(&Reverse((_, at))) = self.next.peek().filter(|top| top.0.0 == record) {
            self.next.pop();
            let own = self.runs[at].iter().take_while(|row| row.record == record).count();
            let (taken, rest) = self.runs[at].split_at(own);
            rows.extend_from_slice(taken);
            self.runs[at] = rest;
            self.next.extend(rest.first().map(|row| Reverse((row.record, at))));
        }
        rows.sort_unstable_by_key(|row| (row.order(), row.rank()));
        rows.dedup_by_key(|row| row.seal);
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::sealed;

    #[test]
    fn a_row_keeps_what_it_was_given() {
        assert_eq!(size_of::<Row>(), 48);
        let seal = sealed(1)[0];
        for (log, offset, certificate, is_body_wrong) in
            [(0, 0, 0, false), (u16::MAX, (1 << OFFSET_BITS) - 1, 127, true), (9, 77, 1, false)]
        {
            let spot = Spot { log, offset, certificate, is_body_wrong };
            let row = Row::new(RecordId::from_bytes([3; 32]), seal, spot);
            assert_eq!((row.spot(), row.seal()), (spot, seal));
        }
    }

    #[test]
    fn groups_hold_every_entry_of_a_record_once_over_all_runs_and_shares() {
        let seals = sealed(20);
        let record = |n: usize| RecordId::from_bytes([(n % 5) as u8 * 60; 32]);
        let spot = |n: usize| Spot { log: 0, offset: n as u64, certificate: 1, is_body_wrong: false };
        let row = |n: usize| Row::new(record(n), seals[n], spot(n));
        let mut index = EntryIndex::new();
        for part in 0..3 {
            index.add((0..20).filter(|n| n % 3 == part).map(row).collect());
        }
        // A copy in the file of another log, which comes first.
        let elsewhere = Spot { certificate: 0, offset: 0, ..spot(7) };
        index.add(vec![row(7), Row::new(record(7), seals[7], elsewhere)]);
        let groups: Vec<Vec<Row>> = (0..4).flat_map(|part| index.records(part, 4)).collect();
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [4; 5]);
        assert!(groups.iter().flatten().all(|row| row.spot().certificate == 1), "the copy in its place");
        assert!(seals.iter().all(|seal| index.contains(seal.id())));
        assert!(!index.contains(EntryId::from_bytes([9; 32])));
        assert_eq!(index.records(0, 1).count(), 5);
        for from in 0..5 {
            assert_eq!(index.records_from(record(from)).collect::<Vec<_>>(), groups[from..]);
        }
        assert_eq!(index.records_from(RecordId::from_bytes([241; 32])).count(), 0);
    }
}
