//! The evidence that a publication is compared with: the authentic entries of a bag, record by record.
//!
//! What is wrong with the bag itself is for an audit of the bag to say; here an entry that does not verify is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use merestone_core::audit::authority::{admit, read_charter};
use merestone_core::audit::bag::Part;
use merestone_core::audit::fast::read_item;
use merestone_core::audit::{Findings, Place};
use merestone_core::disclosure::Disclosure;
use merestone_core::entry::{Position, VerifiedEntry};
use merestone_core::form::FormDefinition;
use merestone_core::id::{EntryId, FormHash, MissionId, RecordId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::publication::{Account, Comparison, PublicationCode};
use merestone_core::record::{HeldEntry, Setting, judge};
use merestone_core::roster::{Class, Coverage, LogIndex, Roster};

use crate::folder::{Folder, Listed, OpenError};

/// Most bytes of logs that are compared: they are held in memory at once.
const LOGS_BYTES_MAX: u64 = 2 << 30;

/// A bag's authentic entries and what they are judged by.
pub(super) struct Evidence {
    roster: Roster,
    coverage: Coverage,
    forms: BTreeMap<FormHash, FormDefinition>,
    records: BTreeMap<RecordId, Vec<HeldEntry>>,
    ids: HashSet<EntryId>,
}

impl Evidence {
    /// Reads a bag of the mission. A bag that cannot be compared is said, and counts as empty of what could not be read.
    pub(super) fn read(path: &Path, mission: MissionId, findings: &mut Findings) -> Result<Option<Self>, OpenError> {
        let folder = Folder::open(path)?;
        let (listed, _) = folder.list();
        let Some(roster) = read_roster(&folder, &listed, mission) else {
            findings.add(PublicationCode::NotInBag, Place::bag(), "the bag has no charter of this mission");
            return Ok(None);
        };
        let mut logs = Logs::default();
        let mut bytes_left = LOGS_BYTES_MAX;
        for file in listed.iter().filter(|file| file.is_file() && matches!(file.part, Part::Log(_))) {
            let bytes = folder.read(&file.path, bytes_left);
            let Some(bytes) = bytes else {
                findings.add(
                    PublicationCode::NotInBag,
                    Place::file(&file.path),
                    "too large to compare, or not readable",
                );
                continue;
            };
            bytes_left -= bytes.len() as u64;
            logs.read(&bytes, mission);
        }
        Ok(Some(logs.settle(roster)))
    }

    pub(super) fn begin<'a>(&'a self, account: &'a Account) -> Compared<'a> {
        Compared {
            evidence: self,
            comparison: Comparison::begin(account, &self.forms, &self.roster),
            done: BTreeSet::new(),
        }
    }
}

/// A comparison at work.
pub(super) struct Compared<'a> {
    evidence: &'a Evidence,
    comparison: Comparison<'a>,
    done: BTreeSet<RecordId>,
}

impl Compared<'_> {
    pub(super) fn record(&mut self, record: RecordId, shown: &[Disclosure<'_>]) {
        let Evidence { roster, coverage, records, ids, .. } = self.evidence;
        let Some(held) = records.get(&record).filter(|_| self.done.insert(record)) else { return };
        let (ledgered, is_elsewhere) = (BTreeSet::new(), |id| ids.contains(&id));
        let setting = Setting { roster, coverage, ledgered: &ledgered, is_elsewhere: &is_elsewhere };
        self.comparison.record(record, held, &judge(record, held, &setting), shown);
    }

    /// What was found, and how many entries of the scopes were compared.
    pub(super) fn finish(mut self) -> (Findings, u64) {
        let rest: Vec<RecordId> =
            self.evidence.records.keys().filter(|record| !self.done.contains(record)).copied().collect();
        for record in rest {
            self.record(record, &[]);
        }
        let compared = self.comparison.compared();
        (self.comparison.finish(), compared)
    }
}

fn read_roster(folder: &Folder, listed: &[Listed], mission: MissionId) -> Option<Roster> {
    // What the bag's own audit says of its statements is not said again.
    let mut unsaid = Findings::new();
    let charter = listed.iter().find(|file| file.part == Part::Charter && file.is_file())?;
    let bytes = folder.read(&charter.path, charter.part.bytes_max())?;
    let mut roster = read_charter(mission, &bytes, &mut unsaid)?;
    let is_statement = |file: &&Listed| matches!(file.part, Part::Statement(_, _) | Part::Form(_));
    let mut files: Vec<&Listed> = listed.iter().filter(|file| file.is_file()).filter(is_statement).collect();
    files.sort_by_key(|file| file.part);
    for file in files {
        if let Some(bytes) = folder.read(&file.path, file.part.bytes_max()) {
            admit(&mut roster, file.part, &file.path, &bytes, &mut unsaid);
        }
    }
    Some(roster)
}

/// Logs while they are read.
#[derive(Default)]
struct Logs {
    entries: Vec<VerifiedEntry>,
    chains: LogIndex,
    starts: HashMap<EntryId, StatementId>,
    ids: HashSet<EntryId>,
    keys: KeyCache,
}

impl Logs {
    fn read(&mut self, bytes: &[u8], mission: MissionId) {
        let mut at = 0;
        while let Ok((signed, len)) = read_item(&bytes[at..]) {
            at += len;
            // A body that is not the one that was signed counts as not there.
            let verified = signed.verify(mission, &mut self.keys);
            let Ok(entry) = verified.or_else(|_| signed.without_body().verify(mission, &mut self.keys)) else {
                continue;
            };
            if !self.ids.insert(entry.id()) {
                continue;
            }
            let prev = match &entry.header().position {
                Position::First { certificate, earlier: _ } => {
                    self.starts.insert(entry.id(), *certificate);
                    None
                }
                Position::Later { prev } => Some(*prev),
            };
            self.chains.add(entry.log(), entry.header().seq, entry.id(), prev);
            self.entries.push(entry);
        }
    }

    fn settle(self, roster: Roster) -> Evidence {
        let Self { entries, chains, starts, ids, keys: _ } = self;
        let coverage = Coverage::derive(&roster, &chains);
        let mut records: BTreeMap<RecordId, Vec<HeldEntry>> = BTreeMap::new();
        for entry in entries {
            let certificate = chains.start(entry.id()).and_then(|start| starts.get(&start).copied());
            records.entry(entry.record()).or_default().push(HeldEntry::new(entry, certificate));
        }
        let hashes = roster.ids(Class::Form).into_iter().map(|id| FormHash::from_bytes(*id.as_bytes()));
        let forms = hashes.filter_map(|hash| Some((hash, roster.form(hash)?.clone()))).collect();
        Evidence { roster, coverage, forms, records, ids }
    }
}
