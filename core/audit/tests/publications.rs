//! Publication folders, forged: by the party that signs the account and fits everything else to it, by whoever hands the
//! folder on and makes its manifests again, and by whoever changes a file on the disk.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use merestone_audit::{Pass, PublicationReport, Verdict, audit_publication};
use merestone_core::audit::bag::{CHARTER, FileHasher};
use merestone_core::disclosure::Disclosure;
use merestone_core::entry::{Kind, VerifiedEntry};
use merestone_core::form::FormDefinition;
use merestone_core::id::{EntryId, FormHash, RecordId};
use merestone_core::publication::{
    ACCOUNT, Account, AccountedEntry, AccountedLog, Decision, Examination, FormRule, HEADER, PAGE, Page, Reason,
    SignedAccount, State, TABLE, disclose, disclosures_path, lines,
};
use merestone_core::roster::PartyNumber;
use serde_json::Value;
use support::{Device, Scene, key, scope};

type Files = BTreeMap<String, Vec<u8>>;

/// What a party decides to publish of a scene.
struct Draft {
    account: Account,
    /// The disclosures of each record, ascending by entry.
    records: BTreeMap<RecordId, Vec<Vec<u8>>>,
}

type Signing = fn(&Scene, &mut Draft);
type Refitting = fn(&mut Files);
type Changing = fn(&Path);

/// What somebody does to a publication, and what is then said of it.
enum Forged {
    /// By the party, before it signs: everything else fits.
    Signed(Signing),
    /// By whoever makes the manifests again.
    Refitted(Refitting),
    /// On the disk.
    OnDisk(Changing),
}

const SHOWN: [usize; 5] = [2, 7, 8, 9, 10];

fn decisions() -> Vec<Decision> {
    let one = |at| if SHOWN.contains(&at) { Decision::Disclosed } else { Decision::Withheld(Reason::Security) };
    (0..14).map(one).collect()
}

fn form_of(scene: &Scene) -> (FormHash, FormDefinition) {
    (FormHash::of(&scene.mission.form_bytes), scene.mission.form.clone())
}

fn devices(scene: &Scene) -> [(&Device, u64); 3] {
    [(&scene.anna, 1), (&scene.boris, 2), (&scene.stolen, 1)]
}

impl Draft {
    fn of(scene: &Scene) -> Self {
        let (form, _) = form_of(scene);
        let state = |entry: &VerifiedEntry| match entry.header().kind {
            Kind::Change => State::Disclosed,
            role => State::Role(role),
        };
        let listed =
            |entry: &VerifiedEntry| AccountedEntry { seq: entry.header().seq, id: entry.id(), state: state(entry) };
        let log = |(device, party): (&Device, u64)| AccountedLog {
            key: *device.key.public().as_bytes(),
            scope: scope(),
            epoch: device.epoch,
            party: Some(PartyNumber(party)),
            entries: device.entries.iter().map(listed).collect(),
        };
        let mut logs = devices(scene).map(log).to_vec();
        logs.sort_by_key(AccountedLog::place);
        let rules = vec![FormRule { form, decisions: decisions() }];
        let account =
            Account { party: PartyNumber(1), scopes: vec![scope()], rules, exceptions: Vec::new(), logs, note: None };
        let mut draft = Self { account, records: BTreeMap::new() };
        draft.disclose(scene);
        draft
    }

    /// Discloses every change by the account's rule.
    fn disclose(&mut self, scene: &Scene) {
        let (form, definition) = form_of(scene);
        let mut shown: BTreeMap<RecordId, BTreeMap<EntryId, Vec<u8>>> = BTreeMap::new();
        let entries = devices(scene).into_iter().flat_map(|(device, _)| &device.entries);
        for entry in entries.filter(|entry| entry.header().kind == Kind::Change) {
            let decided = self.account.permits(entry.record(), form, &definition).unwrap();
            let disclosure = disclose(entry, &definition, &decided).unwrap();
            shown.entry(entry.record()).or_default().insert(entry.id(), disclosure);
        }
        self.records = shown.into_iter().map(|(record, shown)| (record, shown.into_values().collect())).collect();
    }

    fn entry(&mut self, id: EntryId) -> &mut AccountedEntry {
        let mut entries = self.account.logs.iter_mut().flat_map(|log| &mut log.entries);
        entries.find(|entry| entry.id == id).unwrap()
    }

    /// Everything but what BagIt asks for; table and page are made of what is there, whatever it is worth.
    fn files(&self, scene: &Scene) -> Files {
        let (form, definition) = form_of(scene);
        let forms = BTreeMap::from([(form, definition)]);
        let charter = &scene.mission.charter;
        let signed = SignedAccount::make(charter, &key(1), self.account.clone()).unwrap();
        let mut files = Files::from([
            (CHARTER.to_owned(), charter.as_bytes().to_vec()),
            (ACCOUNT.to_owned(), signed.as_bytes().to_vec()),
            (format!("data/forms/{form}.cbor"), scene.mission.form_bytes.clone()),
        ]);
        let mut examination = Examination::begin(&self.account, charter, &forms);
        let mut table = HEADER.to_owned();
        let mut page = Page::begin(charter, &signed, &forms);
        for (&record, shown) in &self.records {
            let bytes = shown.concat();
            let read: Vec<Disclosure<'_>> = examination.record(record, &bytes);
            table += &lines(record, &read, |id| examination.party(id), |form| forms.get(&form));
            page.record(record, &read, |id| examination.party(id));
            files.insert(disclosures_path(record), bytes);
        }
        let (_, tally) = examination.finish();
        files.insert(TABLE.to_owned(), table.into_bytes());
        files.insert(PAGE.to_owned(), page.finish(&tally).into_bytes());
        files
    }
}

fn listed(files: &Files) -> Vec<u8> {
    let line = |(path, bytes): (&String, &Vec<u8>)| {
        let mut hasher = FileHasher::new();
        hasher.update(bytes);
        format!("{}  {path}\n", data_encoding::HEXLOWER.encode(&hasher.finish()))
    };
    files.iter().map(line).collect::<String>().into_bytes()
}

/// Writes the folder with manifests that fit.
fn write(files: &Files, scene: &Scene, folder: &Path) {
    let (payload, mut tags): (Files, Files) =
        files.clone().into_iter().partition(|(path, _)| path.starts_with("data/"));
    let bytes: usize = payload.values().map(Vec::len).sum();
    let info = format!(
        "Merestone-Publication-Version: 1\nExternal-Identifier: {}\nPayload-Oxum: {bytes}.{}\n",
        scene.mission.id(),
        payload.len()
    );
    tags.entry("bag-info.txt".to_owned()).or_insert(info.into_bytes());
    tags.insert("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec());
    tags.insert("manifest-sha256.txt".to_owned(), listed(&payload));
    tags.insert("tagmanifest-sha256.txt".to_owned(), listed(&tags));
    for (path, bytes) in payload.iter().chain(&tags) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn audited(scene: &Scene, forged: &Forged) -> PublicationReport {
    let mut draft = Draft::of(scene);
    if let Forged::Signed(forge) = forged {
        forge(scene, &mut draft);
    }
    let mut files = draft.files(scene);
    if let Forged::Refitted(forge) = forged {
        forge(&mut files);
    }
    let folder = tempfile::tempdir().unwrap();
    write(&files, scene, folder.path());
    if let Forged::OnDisk(forge) = forged {
        forge(folder.path());
    }
    audit_publication(folder.path(), scene.mission.id(), None, 2).unwrap()
}

/// The codes that a report says, with their weights.
fn said(report: &PublicationReport) -> BTreeSet<(String, String)> {
    let page: Value = serde_json::from_str(&report.to_json()).unwrap();
    let text = |count: &Value, field: &str| count[field].as_str().unwrap().to_owned();
    page["finding_counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| (text(count, "weight"), text(count, "code")))
        .collect()
}

fn check(name: &str, forged: &Forged, verdict: Verdict, code: &str) {
    let scene = Scene::play();
    let report = audited(&scene, forged);
    let found = said(&report);
    assert_eq!(report.verdict(), verdict, "{name}\n{}", report.to_text());
    assert!(code.is_empty() || found.iter().any(|(_, said)| said == code), "{name}: {code} is not in {found:?}");
}

#[test]
fn an_untouched_publication_passes_alone_and_beside_its_bag() {
    let scene = Scene::play();
    let draft = Draft::of(&scene);
    let (folder, bag) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(&draft.files(&scene), &scene, folder.path());
    scene.bag().write(bag.path());
    for beside in [None, Some(bag.path())] {
        let report = audit_publication(folder.path(), scene.mission.id(), beside, 2).unwrap();
        assert_eq!(report.verdict(), Verdict::Passed, "{}", report.to_text());
    }
    assert_eq!(scene.bag().audit(Pass::Fast).verdict(), Verdict::Passed);
}

#[test]
fn a_party_that_signs_another_account_than_it_shows_is_found_by_name() {
    let rows: [(&str, Signing, &str); 11] = [
        ("entry-not-shown", |_, draft| drop(draft.records.values_mut().next().unwrap().pop()), "publication-missing"),
        (
            "entry-not-counted",
            |scene, draft| {
                let first = scene.anna.entries[0].id();
                draft.account.logs.iter_mut().for_each(|log| log.entries.retain(|entry| entry.id != first));
                draft.records.values_mut().for_each(|shown| shown.retain(|item| !holds(item, &scene.anna.entries[0])));
            },
            "publication-uncounted",
        ),
        (
            "entry-picked-out-of-its-record",
            |scene, draft| {
                let edit = &scene.anna.entries[2];
                let record = edit.record();
                draft.entry(edit.id()).state = State::LeftOut { reason: Reason::Security, record };
                draft.records.get_mut(&record).unwrap().retain(|item| !holds(item, edit));
            },
            "publication-picked",
        ),
        (
            "entry-at-another-position",
            |scene, draft| {
                draft.entry(scene.anna.entries[3].id()).seq = 9;
            },
            "publication-place",
        ),
        (
            "leaf-shown-against-the-rule",
            |_, draft| {
                draft.account.rules[0].decisions[10] = Decision::Withheld(Reason::PersonalData);
            },
            "publication-leaf",
        ),
        (
            "leaf-kept-back-against-the-rule",
            |scene, draft| {
                draft.account.rules[0].decisions[10] = Decision::Withheld(Reason::PersonalData);
                draft.disclose(scene);
                draft.account.rules[0].decisions[10] = Decision::Disclosed;
            },
            "publication-leaf",
        ),
        ("rule-one-decision-short", |_, draft| drop(draft.account.rules[0].decisions.pop()), "publication-form"),
        (
            "header-withheld",
            |_, draft| {
                draft.account.rules[0].decisions[7] = Decision::Withheld(Reason::Security);
            },
            "publication-form",
        ),
        (
            "shown-and-said-not-to-be-applied",
            |scene, draft| {
                draft.entry(scene.anna.entries[3].id()).state = State::NotApplied;
            },
            "publication-foreign",
        ),
        (
            "disclosure-in-another-record",
            |scene, draft| {
                let moved = draft.records.remove(&scene.anna.entries[3].record()).unwrap();
                draft.records.get_mut(&scene.anna.entries[1].record()).unwrap().extend(moved);
            },
            "publication-foreign",
        ),
        (
            "disclosures-out-of-order",
            |scene, draft| {
                draft.records.get_mut(&scene.anna.entries[0].record()).unwrap().reverse();
            },
            "publication-foreign",
        ),
    ];
    for (name, forge, code) in rows {
        check(name, &Forged::Signed(forge), Verdict::Failed, code);
    }
}

/// Whether a disclosure is of this entry: it holds the header as it was signed.
fn holds(disclosure: &[u8], entry: &VerifiedEntry) -> bool {
    disclosure.windows(entry.header_bytes().len()).any(|window| window == entry.header_bytes())
}

/// Changes the file whose path begins so.
fn edit(files: &mut Files, begins: &str, change: impl FnOnce(&mut Vec<u8>)) {
    change(files.iter_mut().find(|(path, _)| path.starts_with(begins)).unwrap().1);
}

#[test]
fn files_changed_with_their_manifests_are_found_by_name() {
    let rows: [(&str, Refitting, Verdict, &str); 16] = [
        ("table-changed", |files| edit(files, TABLE, |table| table.extend(b"x")), Verdict::Failed, "publication-table"),
        ("page-changed", |files| edit(files, PAGE, |page| page.extend(b"x")), Verdict::Failed, "publication-page"),
        ("table-left-out", |files| drop(files.remove(TABLE)), Verdict::Failed, "publication-table"),
        ("page-left-out", |files| drop(files.remove(PAGE)), Verdict::Failed, "publication-page"),
        ("account-left-out", |files| drop(files.remove(ACCOUNT)), Verdict::Failed, "publication-unreadable"),
        ("charter-left-out", |files| drop(files.remove(CHARTER)), Verdict::Failed, "publication-unreadable"),
        (
            "form-left-out",
            |files| files.retain(|path, _| !path.starts_with("data/forms/")),
            Verdict::Failed,
            "publication-form",
        ),
        (
            "record-left-out",
            |files| {
                let path = files.keys().find(|path| path.starts_with("data/disclosures/")).unwrap().clone();
                files.remove(&path);
            },
            Verdict::Failed,
            "publication-missing",
        ),
        (
            "record-under-another-name",
            |files| {
                let path = files.keys().find(|path| path.starts_with("data/disclosures/")).unwrap().clone();
                let bytes = files.remove(&path).unwrap();
                files.insert(disclosures_path(RecordId::from_bytes([0x21; 32])), bytes);
            },
            Verdict::Failed,
            "publication-foreign",
        ),
        (
            "disclosure-cut-short",
            |files| edit(files, "data/disclosures/", |bytes| bytes.truncate(bytes.len() - 1)),
            Verdict::Failed,
            "cbor-malformed",
        ),
        (
            "hash-of-a-disclosure-changed",
            |files| {
                edit(files, "data/disclosures/", |bytes| {
                    *bytes.last_mut().unwrap() ^= 1;
                })
            },
            Verdict::Failed,
            "disclosure-root",
        ),
        (
            "account-bit-flipped",
            |files| edit(files, ACCOUNT, |bytes| *bytes.last_mut().unwrap() ^= 1),
            Verdict::Failed,
            "signature-invalid",
        ),
        (
            "photo-that-nothing-names",
            |files| {
                let name = merestone_core::id::BlobHash::of(b"photo");
                files.insert(format!("data/photos/{name}"), b"photo".to_vec());
            },
            Verdict::Failed,
            "publication-foreign",
        ),
        (
            "info-of-another-mission",
            |files| {
                let info = format!("Merestone-Publication-Version: 1\nExternal-Identifier: {}\n", "ab".repeat(32));
                files.insert("bag-info.txt".to_owned(), info.into_bytes());
            },
            Verdict::Failed,
            "mission-mismatch",
        ),
        (
            "file-of-nobody-in-the-payload",
            |files| {
                files.insert("data/more".to_owned(), b"more".to_vec());
            },
            Verdict::Passed,
            "bag-foreign-file",
        ),
        (
            "file-of-nobody-at-the-top",
            |files| {
                files.insert("readme.txt".to_owned(), b"read me".to_vec());
            },
            Verdict::Passed,
            "bag-foreign-file",
        ),
    ];
    for (name, forge, verdict, code) in rows {
        check(name, &Forged::Refitted(forge), verdict, code);
    }
}

#[test]
fn files_changed_on_the_disk_are_found_by_the_manifests() {
    let rows: [(&str, Changing, Verdict, &str); 5] = [
        (
            "late-file-in-the-payload",
            |folder| std::fs::write(folder.join("data/late"), b"late").unwrap(),
            Verdict::Failed,
            "bag-manifest",
        ),
        (
            "late-file-at-the-top",
            |folder| std::fs::write(folder.join("late.txt"), b"late").unwrap(),
            Verdict::Passed,
            "bag-foreign-file",
        ),
        (
            "table-changed",
            |folder| std::fs::write(folder.join(TABLE), HEADER).unwrap(),
            Verdict::Failed,
            "bag-manifest",
        ),
        (
            "manifest-removed",
            |folder| std::fs::remove_file(folder.join("manifest-sha256.txt")).unwrap(),
            Verdict::Failed,
            "bag-unreadable",
        ),
        (
            "account-in-the-place-of-the-charter",
            |folder| {
                std::fs::copy(folder.join(ACCOUNT), folder.join(CHARTER)).map(drop).unwrap();
            },
            Verdict::Failed,
            "bag-manifest",
        ),
    ];
    for (name, forge, verdict, code) in rows {
        check(name, &Forged::OnDisk(forge), verdict, code);
    }
}
