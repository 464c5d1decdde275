//! A publication: one folder in, and whether it shows what was signed and accounts for the rest; with a bag, whether it
//! leaves anything out.
//!
//! The rules are [`merestone_core::publication`]; this reads the files and writes the report.

mod bag;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use merestone_core::audit::bag::{BAG_INFO, BAGIT, BagInfo, CHARTER, Part, is_bagit};
use merestone_core::audit::{BagCode, Findings, Place, Verdict};
use merestone_core::checkpoint::{Checkpoint, NOTE_BYTES_MAX};
use merestone_core::disclosure::Disclosure;
use merestone_core::form::{DEFINITION_BYTES_MAX, FormDefinition};
use merestone_core::id::{BlobHash, FormHash, MissionId, RecordId, StatementId};
use merestone_core::publication::{
    ACCOUNT, ACCOUNT_BYTES_MAX, Account, DISCLOSURES_BYTES_MAX, Examination, HEADER, NOTE, PAGE, Page, PublicationCode,
    SignedAccount, TABLE, Tally, VERSION, disclosures_path, lines,
};
use merestone_core::roster::{CHARTER_FILE_BYTES_MAX, CharterFile, CompleteCharter};

use crate::folder::{Folder, Listed, OpenError, What};
use crate::manifests::Manifested;
use crate::{Options, audit_folder};
use bag::Evidence;

/// Most bytes of a table that are compared.
const TABLE_BYTES_MAX: u64 = 1 << 30;

/// What was found of a publication.
#[derive(Clone, Debug)]
pub struct PublicationReport {
    mission: MissionId,
    findings: Findings,
    charter: Option<CharterFile>,
    account: Option<(StatementId, Account)>,
    forms: BTreeMap<FormHash, FormDefinition>,
    tally: Tally,
    photos: u64,
    /// Entries of the scopes in the bag; `None`: no bag was given.
    compared: Option<u64>,
}

impl PublicationReport {
    /// What the findings add up to.
    pub fn verdict(&self) -> Verdict {
        self.findings.verdict()
    }

    /// Everything found.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What is shown and what is not, counted.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The report as lines to read in a terminal.
    pub fn to_text(&self) -> String {
        text::write(self)
    }

    /// The report as JSON. The same folders and mission give the same bytes.
    pub fn to_json(&self) -> String {
        text::json(self)
    }
}

/// Audits the publication in a folder for the mission asked for; with `bag`, compares it with that evidence.
///
/// # Errors
/// If a path is no folder, holds no `bagit.txt`, or cannot be read.
pub fn audit_publication(
    path: &Path,
    mission: MissionId,
    bag: Option<&Path>,
    threads: usize,
) -> Result<PublicationReport, OpenError> {
    let folder = Folder::open(path)?;
    let (mut listed, is_cut_short) = folder.list();
    for file in listed.iter_mut().filter(|file| is_of_publication(&file.path)) {
        // Read whole and compared with the manifests, as the files are that BagIt asks for.
        file.part = Part::Tag;
    }
    let mut findings = Findings::new();
    if is_cut_short {
        findings.add(PublicationCode::Unreadable, Place::bag(), "more files than a publication holds");
    }
    let info = read_tags(&folder, mission, &mut findings);
    let mut report = PublicationReport {
        mission,
        findings: Findings::new(),
        charter: None,
        account: None,
        forms: BTreeMap::new(),
        tally: Tally::default(),
        photos: 0,
        compared: None,
    };
    if let Some(bag) = bag {
        let options = Options { threads, records_max: 0, thumbnails_max: 0, ..Options::default() };
        if audit_folder(bag, mission, &options)?.verdict() == Verdict::Failed {
            findings.add(PublicationCode::Bag, Place::bag(), "the bag is FAILED");
        }
    }
    let evidence = bag.map(|bag| Evidence::read(bag, mission, &mut findings)).transpose()?.flatten();
    let audit = Audit { folder: &folder, listed: &listed };
    audit.examine(&mut report, evidence.as_ref(), &mut findings);
    let (known, whole) = (BTreeMap::new(), BTreeSet::new());
    let manifested = Manifested { folder: &folder, listed: &listed, known: &known, whole: &whole, threads };
    manifested.check(&info, &mut findings);
    report.findings.merge(findings);
    Ok(report)
}

fn read_tags(folder: &Folder, mission: MissionId, findings: &mut Findings) -> BagInfo {
    let read = |path: &str| folder.read(path, 1 << 20).and_then(|bytes| String::from_utf8(bytes).ok());
    if !read(BAGIT).is_some_and(|text| is_bagit(&text)) {
        findings.add(PublicationCode::Unreadable, Place::file(BAGIT), "not a bagit.txt of BagIt 1.0 in UTF-8");
    }
    let text = read(BAG_INFO).unwrap_or_default();
    let version = text.lines().find_map(|line| line.strip_prefix("Merestone-Publication-Version:"));
    if version.and_then(|version| version.trim().parse().ok()) != Some(VERSION) {
        findings.add(PublicationCode::Unreadable, Place::file(BAG_INFO), "Merestone-Publication-Version");
    }
    let info = BagInfo::parse(&text);
    if info.mission != Some(mission) {
        findings.add(merestone_core::Check::MissionMismatch, Place::file(BAG_INFO), "External-Identifier");
    }
    info
}

struct Audit<'a> {
    folder: &'a Folder,
    listed: &'a [Listed],
}

impl Audit<'_> {
    fn examine(&self, report: &mut PublicationReport, evidence: Option<&Evidence>, findings: &mut Findings) {
        let Some(file) = self.charter(report.mission, findings) else { return };
        let charter = file.charter();
        let Some(signed) = self.account(charter, findings) else { return };
        let account = signed.account();
        let forms = self.forms(account, findings);
        let mut examination = Examination::begin(account, charter, &forms);
        let place_of = |log, seq, id| evidence.and_then(|evidence| evidence.place_of(log, seq, id));
        let mut comparison = evidence.map(|evidence| evidence.begin(account, &place_of, findings));
        let mut table = String::from(HEADER);
        let mut page = Page::begin(charter, &signed, &forms);
        for listed in self.listed {
            let Some(record) = record_of(&listed.path) else { continue };
            let Some(bytes) = self.read(&listed.path, DISCLOSURES_BYTES_MAX, findings) else { continue };
            let shown: Vec<Disclosure<'_>> = examination.record(record, &bytes);
            table.push_str(&lines(record, &shown, |id| examination.party(id), |form| forms.get(&form)));
            page.record(record, &shown, |id| examination.party(id));
            if let Some(comparison) = &mut comparison {
                comparison.record(record, &shown);
            }
        }
        if self.folder.read(TABLE, TABLE_BYTES_MAX).is_none_or(|said| said != table.as_bytes()) {
            findings.add(PublicationCode::Table, Place::file(TABLE), "not there, or other lines");
        }
        self.say_note(charter, account, findings);
        report.photos = self.photos(examination.photos(), findings);
        self.say_foreign(account, findings);
        let (found, tally) = examination.finish();
        findings.merge(found);
        let page = page.finish(&tally);
        if self.folder.read(PAGE, TABLE_BYTES_MAX).is_none_or(|said| said != page.as_bytes()) {
            findings.add(PublicationCode::Page, Place::file(PAGE), "not there, or another page");
        }
        if let Some(comparison) = comparison {
            let (found, compared) = comparison.finish();
            findings.merge(found);
            report.compared = Some(compared);
        }
        report.tally = tally;
        report.account = Some((signed.id(), account.clone()));
        report.charter = Some(file);
        report.forms = forms;
    }

    fn charter(&self, mission: MissionId, findings: &mut Findings) -> Option<CharterFile> {
        let bytes = self.read(CHARTER, CHARTER_FILE_BYTES_MAX as u64, findings)?;
        let verified = CharterFile::read(&bytes, mission);
        verified.map_err(|refused| findings.refused(refused, Place::file(CHARTER))).ok()
    }

    fn account(&self, charter: &CompleteCharter, findings: &mut Findings) -> Option<SignedAccount> {
        let bytes = self.read(ACCOUNT, ACCOUNT_BYTES_MAX as u64, findings)?;
        let verified = SignedAccount::verify(&bytes, charter);
        verified.map_err(|refused| findings.refused(refused, Place::file(ACCOUNT))).ok()
    }

    /// The definitions of the forms that the account has rules for.
    fn forms(&self, account: &Account, findings: &mut Findings) -> BTreeMap<FormHash, FormDefinition> {
        let mut forms = BTreeMap::new();
        for rule in &account.rules {
            let path = form_path(rule.form);
            let Some(bytes) = self.read(&path, DEFINITION_BYTES_MAX as u64, findings) else { continue };
            match FormDefinition::decode(&bytes) {
                Ok(definition) if FormHash::of(&bytes) == rule.form => _ = forms.insert(rule.form, definition),
                Ok(_) => findings.add(BagCode::BagMisnamed, Place::file(&path), "name and hash differ"),
                Err(refused) => findings.refused(refused, Place::file(&path)),
            }
        }
        forms
    }

    /// The note that the account names lies beside it.
    fn say_note(&self, charter: &CompleteCharter, account: &Account, findings: &mut Findings) {
        let (Some(wanted), Some(_)) = (account.note, &charter.charter().ledger) else { return };
        let Some(bytes) = self.read(NOTE, NOTE_BYTES_MAX as u64, findings) else { return };
        let Some(ledger) = &charter.judging_note(&bytes).ledger else { return };
        match Checkpoint::verify(&bytes, ledger) {
            Ok(note) if note.hash() == wanted => {}
            Ok(_) => {
                findings.add(PublicationCode::Unreadable, Place::file(NOTE), "not the note that the account names")
            }
            Err(refused) => findings.refused(refused, Place::file(NOTE)),
        }
    }

    /// Photos are what their names say, and named by what is shown.
    fn photos(&self, named: &BTreeSet<BlobHash>, findings: &mut Findings) -> u64 {
        let mut count = 0;
        for listed in self.listed.iter().filter(|listed| listed.is_file()) {
            let Part::Photo(blob) = listed.part else { continue };
            let place = Place::file(&listed.path);
            match self.folder.digest(&listed.path, listed.part.bytes_max(), false) {
                Some(digest) if digest.sha256 != *blob.as_bytes() => {
                    findings.add(BagCode::PhotoMismatch, place, "name and hash differ");
                }
                Some(_) if !named.contains(&blob) => {
                    findings.add(PublicationCode::Foreign, place, "no leaf that is shown names this photo");
                }
                Some(_) => count += 1,
                None => findings.add(PublicationCode::Unreadable, place, "too large or not readable"),
            }
        }
        count
    }

    /// Files that the layout does not know.
    fn say_foreign(&self, account: &Account, findings: &mut Findings) {
        let forms: BTreeSet<String> = account.rules.iter().map(|rule| form_path(rule.form)).collect();
        for Listed { path, part, what } in self.listed {
            let is_known = match part {
                Part::Tag | Part::Charter | Part::Photo(_) | Part::Note => true,
                _ => forms.contains(path),
            };
            match what {
                What::File { .. } if is_known => {}
                What::File { .. } => {
                    findings.add(BagCode::BagForeignFile, Place::file(path), "not part of a publication");
                }
                What::Other(what) => findings.add(PublicationCode::Unreadable, Place::file(path), *what),
            }
        }
    }

    fn read(&self, path: &str, bytes_max: u64, findings: &mut Findings) -> Option<Vec<u8>> {
        let bytes = self.folder.read(path, bytes_max);
        if bytes.is_none() {
            findings.add(PublicationCode::Unreadable, Place::file(path), "missing, too large or not readable");
        }
        bytes
    }
}

/// Whether a path is one of the layout of a publication and of no other bag.
fn is_of_publication(path: &str) -> bool {
    [PAGE, TABLE, ACCOUNT, CHARTER].contains(&path) || record_of(path).is_some()
}

fn form_path(form: FormHash) -> String {
    format!("data/forms/{form}.cbor")
}

/// The record of a file of disclosures; only its one name counts.
fn record_of(path: &str) -> Option<RecordId> {
    let name = path.strip_prefix("data/disclosures/")?.strip_suffix(".cborseq")?;
    RecordId::from_hex(name).filter(|&record| disclosures_path(record) == path)
}
