//! What one device shows, for comparison with another device, with an audit, and with a world of other clocks.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{EntryId, RecordId};
use merestone_core::record::Standing;
use merestone_node::records::RecordView;
use merestone_node::{Answer, Device};
use merestone_store::LogTip;

use super::holding::tips;
use super::truth::{is_of_photo, text};

/// What one device shows of everything: compared between devices when nothing moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    tips: Vec<LogTip>,
    records: BTreeMap<RecordId, Record>,
}

/// One record as a device shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    heads: Vec<EntryId>,
    values: BTreeMap<(String, EntryId), Answer>,
    /// Every held entry, and what became of it.
    standings: BTreeMap<EntryId, (&'static str, bool)>,
}

impl Shown {
    /// What a device shows.
    ///
    /// # Errors
    /// What the store says.
    pub fn by(device: &Device) -> Result<Self, String> {
        let tips = tips(device)?;
        let mut records = BTreeMap::new();
        for record in record_ids(device, &tips)? {
            let view = device.record(record).map_err(|error| error.to_string())?;
            if let Some(view) = view {
                records.insert(record, Record::of(&view));
            }
        }
        Ok(Self { tips, records })
    }

    /// The first difference, in words.
    pub fn differs(&self, other: &Self) -> Option<String> {
        // How far a log once was is a matter of one disk.
        let plain = |tip: &LogTip| (tip.log, tip.height, tip.head, tip.branches);
        for (one, another) in self.tips.iter().zip(&other.tips) {
            if plain(one) != plain(another) {
                return Some(format!("tips {one:?} and {another:?}"));
            }
        }
        if self.tips.len() != other.tips.len() {
            return Some(format!("{} and {} logs", self.tips.len(), other.tips.len()));
        }
        for (id, record) in &self.records {
            match other.records.get(id) {
                Some(same) if same == record => {}
                Some(another) => return Some(format!("record {id} is shown as {record:?} and {another:?}")),
                None => return Some(format!("record {id} is shown by one only")),
            }
        }
        (self.records.len() != other.records.len()).then(|| "one shows more records".to_owned())
    }

    /// The first entry that an audit judged otherwise, in words.
    pub fn differs_from_audit(&self, audited: &BTreeMap<EntryId, &str>) -> Option<String> {
        let shown = self.records.values().flat_map(|record| &record.standings);
        let shown: BTreeMap<EntryId, (&str, bool)> = shown.map(|(id, of)| (*id, *of)).collect();
        if shown.len() != audited.len() {
            return Some(format!("{} entries are shown and {} were audited", shown.len(), audited.len()));
        }
        let applied = [Standing::Accepted, Standing::Provisional].map(|standing| standing.code());
        shown.iter().find_map(|(id, (standing, is_applied))| {
            let said = audited.get(id)?;
            let is_same = if *is_applied { applied.contains(said) } else { standing == said };
            (!is_same).then(|| format!("entry {id} is shown as {standing} and the audit says {said}"))
        })
    }

    /// The words of all applied entries, for comparison with a world whose clocks are others.
    pub fn applied_words(&self) -> BTreeSet<String> {
        let applied = self.records.values().flat_map(|record| {
            record.values.iter().filter(|((_, entry), _)| record.standings.get(entry).is_some_and(|of| of.1))
        });
        applied.filter_map(|((key, _), answer)| text(answer).filter(|_| !is_of_photo(key)).map(str::to_owned)).collect()
    }
}

impl Record {
    fn of(view: &RecordView) -> Self {
        let mut values = BTreeMap::new();
        for answer in &view.answers {
            for value in &answer.values {
                values.insert((answer.key.clone(), value.entry), value.answer.clone());
            }
        }
        // Whether a certificate is in the ledger yet is a matter of the notes held.
        let standing = |standing: &Standing| match standing.is_applied() {
            true => ("applied", true),
            false => (standing.code(), false),
        };
        let standings = view.standings.iter().map(|(id, of)| (*id, standing(of))).collect();
        Self { heads: view.heads.clone(), values, standings }
    }
}

/// Every record of which an entry is held.
pub(super) fn record_ids(device: &Device, tips: &[LogTip]) -> Result<BTreeSet<RecordId>, String> {
    let mut records = BTreeSet::new();
    for tip in tips {
        let mut from = 0;
        loop {
            let page = device.store().log_entries(tip.log, from, usize::MAX).map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            records.extend(page.into_iter().map(|entry| entry.record));
        }
    }
    Ok(records)
}
