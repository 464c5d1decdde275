//! One audit from the first file to the report: reads, hands bytes to core, spreads the work over cores.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use merestone_core::audit::against_ledger::LedgerGrounds;
use merestone_core::audit::authority::{
    Attested, NothingHeld, admit, charter_missing, ledgered, note_provisional, other_mission, read_charter,
    say_charter, shown,
};
use merestone_core::audit::bag::{self, BagInfo, Part};
use merestone_core::audit::full::{PhotoFile, leaf_tables};
use merestone_core::audit::ledger::{LedgerView, Notes};
use merestone_core::audit::logs::say_missing;
use merestone_core::audit::walk::Grounds;
use merestone_core::audit::{BagCode, Findings, Pass, Place, Records, Report as Facts};
use merestone_core::id::{BlobHash, LogId, MissionId, ScopeId, StatementId};
use merestone_core::roster::{Class, Coverage, Roster};

use crate::cores::{Cores, on_cores};
use crate::evidence::{Basis, Evidence};
use crate::folder::{Folder, Listed, OpenError, What};
use crate::leaves::read_ledger;
use crate::manifests::Manifested;
use crate::records::RecordReader;
use crate::scan::{Logs, read_logs};
use crate::{Options, Progress, Report};

/// Audits the bag in a folder for the mission asked for.
///
/// Whatever is in the folder, this ends with a report; only a path that holds no bag gives none.
///
/// # Errors
/// If `path` is no folder, holds no `bagit.txt`, or cannot be read.
pub fn audit_folder(path: &Path, mission: MissionId, options: &Options<'_>) -> Result<Report, OpenError> {
    audit_evidence(path, mission, options).map(Evidence::into_report)
}

/// The same, and keeps what is needed to show every record afterwards, however many there are.
///
/// # Errors
/// As those of [`audit_folder`].
pub fn audit_evidence(path: &Path, mission: MissionId, options: &Options<'_>) -> Result<Evidence, OpenError> {
    let folder = Folder::open(path)?;
    let (listed, is_cut_short) = folder.list();
    let mut audit = Audit { folder: &folder, listed: &listed, options, facts: Facts::new(mission, options.pass) };
    audit.facts.counts.files = listed.len() as u64;
    if is_cut_short {
        audit.facts.findings.add(BagCode::BagUnreadable, Place::bag(), "more files than a bag holds");
    }
    audit.say_strange_files();
    let info = audit.read_tags();
    let mut basis = None;
    if info.version.is_none_or(|version| version <= bag::VERSION) {
        basis = audit.read_payload(&info);
    } else {
        audit.facts.findings.add(BagCode::BagVersion, Place::file(bag::BAG_INFO), "a bag of a later version");
    }
    let thumbnails = audit.thumbnails();
    let report = Report { facts: audit.facts, thumbnails, records_max: options.records_max };
    Ok(Evidence::new(folder, report, basis))
}

/// The statements of a bag.
struct Statements {
    roster: Roster,
    notes: Notes,
    /// Those that have a file, whatever was said of it.
    there: BTreeSet<StatementId>,
}

struct Audit<'a> {
    folder: &'a Folder,
    listed: &'a [Listed],
    options: &'a Options<'a>,
    facts: Facts,
}

impl Audit<'_> {
    fn say_strange_files(&mut self) {
        for listed in self.listed {
            match (listed.what, listed.part) {
                (What::File { .. }, Part::Foreign) => {
                    self.facts.findings.add(BagCode::BagForeignFile, Place::file(&listed.path), "not part of a bag");
                }
                (What::File { .. }, _) => {}
                (What::Other(what), Part::Foreign) if !what.contains("cannot be") => {
                    self.facts.findings.add(BagCode::BagForeignFile, Place::file(&listed.path), what);
                }
                (What::Other(what), _) => {
                    self.facts.findings.add(BagCode::BagUnreadable, Place::file(&listed.path), what);
                }
            }
        }
    }

    fn read_tags(&mut self) -> BagInfo {
        let read = |path: &str| self.folder.read(path, 1 << 20).and_then(|bytes| String::from_utf8(bytes).ok());
        let (bagit, info) = (read(bag::BAGIT), read(bag::BAG_INFO));
        let findings = &mut self.facts.findings;
        if !bagit.is_some_and(|text| bag::is_bagit(&text)) {
            findings.add(BagCode::BagUnreadable, Place::file(bag::BAGIT), "not a bagit.txt of BagIt 1.0 in UTF-8");
        }
        let Some(info) = info.map(|text| BagInfo::parse(&text)) else {
            findings.add(BagCode::BagUnreadable, Place::file(bag::BAG_INFO), "missing or not readable");
            return BagInfo::default();
        };
        if info.version.is_none() {
            findings.add(BagCode::BagUnreadable, Place::file(bag::BAG_INFO), "Merestone-Bag-Version");
        }
        if info.has_faulty_scopes {
            findings.add(BagCode::BagUnreadable, Place::file(bag::BAG_INFO), "Merestone-Scopes");
        }
        if info.leaves_left_out > 0 {
            let detail = format!("{} leaves", info.leaves_left_out);
            findings.add(BagCode::LedgerLeftOut, Place::file(bag::BAG_INFO), detail);
        }
        if info.mission != Some(self.facts.mission) {
            other_mission(findings, bag::BAG_INFO);
        }
        info
    }

    /// Gives what records were judged by, if they were.
    fn read_payload(&mut self, info: &BagInfo) -> Option<Basis> {
        let mut findings = Findings::new();
        let Some(Statements { roster, notes, there }) = self.read_statements(&mut findings) else {
            self.facts.findings.merge(findings);
            self.check_manifests(info, &BTreeMap::new(), &BTreeSet::new());
            return None;
        };
        let mut ledger =
            read_ledger(self.folder, self.listed, &roster, &notes, info.scopes.as_deref(), self.options, &mut findings);
        note_provisional(&roster, &ledger, &mut findings);
        let known = &roster.charter().charter().scopes;
        let is_unknown = |scope: &ScopeId| !known.iter().any(|known| known.id == *scope);
        if info.scopes.iter().flatten().any(is_unknown) {
            findings.add(BagCode::BagUnreadable, Place::file(bag::BAG_INFO), "Merestone-Scopes");
        }
        let mut in_ledger = shown(&roster, &ledger);
        let (sizes, timeline) = (ledger.sizes_of(&notes), ledger.timeline());
        let grounds_of_ledger = (ledger.trusted() > 0).then(|| LedgerGrounds {
            trusted: ledger.trusted(),
            in_final: ledger.final_leaves(),
            notes: &sizes,
            timeline: timeline.as_ref(),
        });
        let cut = Coverage::derive(&roster, &NothingHeld);
        let attested = Attested::of(&roster, &cut);
        let grounds = Grounds {
            roster: &roster,
            coverage: &cut,
            shown: &in_ledger,
            attested: &attested,
            ledger: grounds_of_ledger,
            pass: self.options.pass,
        };
        let mut logs = self.read_logs(grounds, &mut ledger, &mut findings);
        say_missing(&logs.summaries, grounds, info.scopes.as_deref(), &mut findings);
        ledger.say_missing(|id| there.contains(&id), &mut findings);
        ledger.say_confirmation(&mut findings);
        self.facts.findings.merge(findings);

        let (photos, digests) = self.read_photos();
        self.facts.counts.photos = photos.len() as u64;
        self.facts.scopes.clone_from(&info.scopes);
        self.facts.describe(&roster, &ledger, &logs.summaries);
        let whole = std::mem::take(&mut logs.whole);
        let basis = (self.options.pass == Pass::Full).then(|| {
            let timeline = timeline.filter(|_| ledger.trusted() > 0);
            logs.cut.finals.iter().for_each(|(key, head, size)| in_ledger.add_entry(key, *head, *size));
            let coverage = Coverage::derive_shown(&roster, &in_ledger, &logs.cut.chains);
            let Logs { summaries, index, since, .. } = logs;
            Basis {
                tables: leaf_tables(&roster),
                ledgered: ledgered(&roster, &ledger),
                roster,
                ledger,
                sizes,
                timeline,
                coverage,
                summaries,
                index,
                since,
                photos,
            }
        });
        if let Some(basis) = &basis {
            self.judge_records(basis);
        }
        self.check_manifests(info, &digests, &whole);
        basis
    }

    fn read_statements(&mut self, findings: &mut Findings) -> Option<Statements> {
        let charter = self.listed.iter().find(|listed| listed.part == Part::Charter && listed.is_file());
        let Some(bytes) = charter.and_then(|file| self.folder.read(&file.path, file.part.bytes_max())) else {
            charter_missing(findings, "missing, too large or not readable");
            return None;
        };
        let mut roster = read_charter(self.facts.mission, &bytes, findings)?;
        let mut files: Vec<&Listed> = self.listed.iter().filter(|listed| listed.is_file()).collect();
        files.retain(|file| {
            matches!(file.part, Part::Statement(_, _) | Part::Form(_) | Part::Note | Part::CosignedNote(_, _))
        });
        // In the order in which peers tell classes, what judges comes before what it judges.
        let rank = |part: Part| Class::ALL.iter().position(|class| Some(*class) == part.class());
        files.sort_by_key(|file| (rank(file.part), file.part));
        let (mut notes, mut there) = (Notes::new(), BTreeSet::new());
        for file in files {
            let Some(bytes) = self.folder.read(&file.path, file.part.bytes_max()) else {
                findings.add(BagCode::BagUnreadable, Place::file(&file.path), "too large or not readable");
                continue;
            };
            match file.part {
                Part::CosignedNote(size, hash) => notes.admit(&mut roster, (size, hash), &bytes, findings),
                part => admit(&mut roster, part, &file.path, &bytes, findings),
            }
            if let Part::Statement(class, named) = file.part {
                there.extend([named, class.id_of(&bytes)]);
            }
        }
        say_charter(&roster, findings);
        notes.add_bare(&roster);
        Some(Statements { roster, notes, there })
    }

    fn read_logs(&mut self, grounds: Grounds<'_>, ledger: &mut LedgerView, findings: &mut Findings) -> Logs {
        let files: Vec<(&Listed, LogId)> = files_of(self.listed, |part| match part {
            Part::Log(log) => Some(log),
            _ => None,
        });
        read_logs(self.folder, self.facts.mission, &files, grounds, ledger, self.options, findings)
    }

    /// Hashes the photos; the fast pass only knows which are there.
    fn read_photos(&mut self) -> (BTreeMap<BlobHash, PhotoFile>, BTreeMap<String, [u8; 32]>) {
        let files: Vec<(&Listed, BlobHash)> = files_of(self.listed, |part| match part {
            Part::Photo(blob) => Some(blob),
            _ => None,
        });
        let absent = |bytes| PhotoFile { bytes, is_right: false, chunks: [0; 32] };
        if self.options.pass == Pass::Fast {
            return (files.iter().map(|(file, blob)| (*blob, absent(file.bytes()))).collect(), BTreeMap::new());
        }
        let mut cores = Cores::new(self.options.threads, || ());
        let read =
            on_cores(&mut cores, &files, |(), (file, _)| self.folder.digest(&file.path, file.part.bytes_max(), true));
        let (mut photos, mut digests) = (BTreeMap::new(), BTreeMap::new());
        for ((file, blob), digest) in files.into_iter().zip(read) {
            let Some(digest) = digest else {
                let place = Place::file(&file.path);
                self.facts.findings.add(BagCode::BagUnreadable, place, "too large or not readable");
                photos.insert(blob, absent(file.bytes()));
                continue;
            };
            let is_right = digest.sha256 == *blob.as_bytes();
            photos.insert(blob, PhotoFile { bytes: digest.bytes, is_right, chunks: digest.chunks });
            digests.insert(file.path.clone(), digest.sha256);
        }
        self.options.tell(Progress { stage: "reading photos", done: photos.len() as u64, total: photos.len() as u64 });
        (photos, digests)
    }

    fn judge_records(&mut self, basis: &Basis) {
        let grounds = basis.grounds();
        let records = Mutex::new(Records::new(self.options.records_max));
        let reader = || RecordReader::new(self.folder, self.facts.mission, basis.logs());
        let mut readers = Cores::new(self.options.threads, reader);
        let parts: Vec<u64> = (0..RECORD_PARTS).collect();
        let done = Mutex::new(0);
        on_cores(&mut readers, &parts, |reader, &part| {
            for rows in basis.index.records(part, RECORD_PARTS) {
                reader.judge(&rows, grounds, &records);
            }
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            self.options.tell(Progress { stage: "judging records", done: *done, total: RECORD_PARTS });
        });
        let mut records = records.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (&blob, file) in basis.photos.iter().filter(|(blob, _)| !records.named.contains(blob)) {
            let place = Place::file(&bag::photo_path(blob));
            if file.is_right {
                records.findings.add(BagCode::BagForeignFile, place, "no entry in the bag names this photo");
            } else {
                records.findings.add(BagCode::PhotoMismatch, place, "name and hash differ");
            }
        }
        self.facts.findings.merge(std::mem::take(&mut records.findings));
        self.facts.standings = std::mem::take(&mut records.standings);
        self.facts.counts.records = records.count;
        self.facts.counts.bounded = records.bounded;
        self.facts.counts.conflicts = records.conflicts;
        self.facts.counts.bodies_erased = self.facts.findings.count(BagCode::BodyErased);
        for of_scope in &mut self.facts.by_scope {
            of_scope.erased = records.erased.get(&of_scope.scope).copied().unwrap_or(0);
        }
        self.facts.records = records.into_details();
    }

    fn check_manifests(&mut self, info: &BagInfo, known: &BTreeMap<String, [u8; 32]>, whole: &BTreeSet<String>) {
        let files =
            Manifested { folder: self.folder, listed: self.listed, known, whole, threads: self.options.threads };
        files.check(info, &mut self.facts.findings);
    }

    /// The thumbnails of the records in the report, in the order of their hashes, as many as were asked for.
    fn thumbnails(&self) -> BTreeMap<BlobHash, Vec<u8>> {
        let photos = self.facts.records.iter().flat_map(|record| &record.entries).flat_map(|entry| &entry.photos);
        let wanted: BTreeSet<BlobHash> = photos.filter_map(|photo| photo.thumbnail).collect();
        let read = |blob: BlobHash| {
            let bytes = self.folder.read(&bag::photo_path(blob), THUMBNAIL_BYTES_MAX)?;
            (BlobHash::of(&bytes) == blob).then_some((blob, bytes))
        };
        wanted.into_iter().take(self.options.thumbnails_max).filter_map(read).collect()
    }
}

/// Largest thumbnail that is put into a page: ten times what devices make.
const THUMBNAIL_BYTES_MAX: u64 = 256 << 10;

/// Shares of records that are given to cores.
const RECORD_PARTS: u64 = 64;

/// The files that are what `wanted` picks, in the order of their paths.
pub(crate) fn files_of<T>(listed: &[Listed], wanted: impl Fn(Part) -> Option<T>) -> Vec<(&Listed, T)> {
    let files = listed.iter().filter(|listed| listed.is_file());
    files.filter_map(|file| Some((file, wanted(file.part)?))).collect()
}
