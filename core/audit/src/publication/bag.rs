//! The evidence that a publication is compared with: the authentic entries of a bag, record by record.
//!
//! What is wrong with the bag itself is for an audit of the bag to say; here an entry that does not verify is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use merestone_core::audit::authority::{admit, read_charter};
use merestone_core::audit::bag::Part;
use merestone_core::audit::fast::read_item;
use merestone_core::audit::ledger::{Logged, Notes};
use merestone_core::audit::{Findings, Place, Weight};
use merestone_core::disclosure::Disclosure;
use merestone_core::entry::{Position, VerifiedEntry};
use merestone_core::form::FormDefinition;
use merestone_core::id::{EntryId, FormHash, LogId, MissionId, NoteHash, RecordId, StatementId};
use merestone_core::key::KeyCache;
use merestone_core::publication::{Account, Comparison, NamedNote, PublicationCode};
use merestone_core::record::{HeldEntry, Setting, judge};
use merestone_core::roster::{Class, Coverage, LogIndex, Roster};

use crate::Options;
use crate::folder::{Folder, Listed, OpenError};
use crate::leaves::read_ledger;

/// Most bytes of logs that are compared: they are held in memory at once.
const LOGS_BYTES_MAX: u64 = 2 << 30;

/// A bag's authentic entries and what they are judged by.
pub(super) struct Evidence {
    roster: Roster,
    coverage: Coverage,
    forms: BTreeMap<FormHash, FormDefinition>,
    records: BTreeMap<RecordId, Vec<HeldEntry>>,
    ids: HashSet<EntryId>,
    ledger: BagLedger,
}

/// The ledger of a bag: what its leaves say of each log, and the notes that are of them.
#[derive(Default)]
struct BagLedger {
    logs: HashMap<LogId, Logged>,
    notes: BTreeMap<NoteHash, u64>,
    trusted: u64,
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
        let ledger = BagLedger::read(&folder, &listed, roster.clone());
        Ok(Some(Evidence { ledger, ..logs.settle(roster) }))
    }

    /// Begins a comparison; `place_of` is [`place_of`](Self::place_of) of this evidence.
    pub(super) fn begin<'a>(
        &'a self,
        account: &'a Account,
        place_of: &'a dyn Fn(LogId, u64, EntryId) -> Option<u64>,
        findings: &mut Findings,
    ) -> Compared<'a> {
        let named = account.note.map(|note| self.ledger.notes.get(&note).copied());
        let why_not = match named {
            Some(Some(_)) => None,
            _ if self.ledger.trusted == 0 => Some("the bag has no leaves of a ledger"),
            Some(None) => Some("the checkpoint that the account names is none of those that the bag's leaves are of"),
            None => Some("the account names no checkpoint"),
        };
        if let Some(why_not) = why_not {
            // With a ledger the party could have named a checkpoint, and with it what was known when it signed.
            let has_ledger = self.roster.charter().charter().ledger.is_some();
            let weight = if has_ledger { Weight::Doubt } else { Weight::Note };
            findings.add_as(weight, PublicationCode::Note, Place::bag(), why_not);
        }
        let ledger = named.flatten().map(|size| NamedNote { size, place_of });
        let comparison = Comparison::begin(account, &self.forms, &self.roster, ledger);
        Compared { evidence: self, comparison, done: BTreeSet::new() }
    }

    /// The place of the leaf of an entry, if a note vouches for it.
    pub(super) fn place_of(&self, log: LogId, seq: u64, id: EntryId) -> Option<u64> {
        let place = self.ledger.logs.get(&log)?.find(seq, id)?;
        Some(u64::from(place)).filter(|place| *place < self.ledger.trusted)
    }
}

impl BagLedger {
    /// What is wrong with the ledger is for the audit of the bag to say.
    fn read(folder: &Folder, listed: &[Listed], mut roster: Roster) -> Self {
        let (mut notes, mut unsaid) = (Notes::new(), Findings::new());
        for file in listed.iter().filter(|file| file.is_file()) {
            if let Part::CosignedNote(size, hash) = file.part
                && let Some(bytes) = folder.read(&file.path, file.part.bytes_max())
            {
                notes.admit(&mut roster, (size, hash), &bytes, &mut unsaid);
            }
        }
        let options = Options { threads: 1, ..Options::default() };
        let mut view = read_ledger(folder, listed, &roster, &notes, None, &options, &mut unsaid);
        let logs = listed.iter().filter_map(|file| match file.part {
            Part::Log(log) => Some((log, view.take_log(log)?)),
            _ => None,
        });
        let logs = logs.collect();
        let sizes = view.sizes_of(&notes);
        let notes = sizes.into_iter().filter_map(|(note, size)| Some((note, size?))).collect();
        Self { logs, notes, trusted: view.trusted() }
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
        Evidence { roster, coverage, forms, records, ids, ledger: BagLedger::default() }
    }
}
