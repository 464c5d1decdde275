//! A publication over a small mission: an honest one has no finding, and each way to deceive with one has its code.

mod hand;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::audit::{Code, Findings, Verdict};
use crate::change::Value as Scalar;
use crate::form::FormDefinition;
use crate::id::{EntryId, FormHash, NoteHash};
use crate::record::testing::{certificate, charter, key, roster, scope};
use crate::record::{HeldEntry, Setting, judge};
use crate::roster::{Coverage, LogIndex, PartyNumber, Role};
use hand::{Hand, form};

const ROW: &str = "people/00112233445566aa";

/// Two versions of a record; the second changes the note and a person's age.
fn entries() -> Vec<HeldEntry> {
    let (name, age) = (format!("{ROW}/name"), format!("{ROW}/age"));
    let mut hand = Hand::default();
    let text = Scalar::Text;
    let first = [("note", text("x")), (&age, Scalar::Int(41)), (&name, text("Ö")), ("state", text("open"))];
    let first = hand.write(&first, false);
    vec![first, hand.write(&[("note", text("=y")), (&age, Scalar::Int(42))], false)]
}

fn choice() -> Choice {
    let shown = ["state", "note", "context/day"].map(|label| (label.to_owned(), Decision::Disclosed));
    let partly = Decision::Partly { questions: vec!["age".into()], rest: Reason::PersonalData };
    let labels = shown.into_iter().chain([("people".to_owned(), partly)]).collect();
    Choice { labels, rest: Some(Decision::Withheld(Reason::Security)) }
}

/// A publication in memory, as its maker makes it.
struct Published {
    account: Account,
    forms: BTreeMap<FormHash, FormDefinition>,
    files: BTreeMap<RecordId, Vec<Vec<u8>>>,
}

impl Published {
    fn of(held: &[HeldEntry]) -> Self {
        let (definition, hash) = (form(), form().hash().expect("valid"));
        let rule = choice().rule(hash, &definition).expect("everything is decided");
        let listed = |held: &HeldEntry| AccountedEntry {
            seq: held.entry().header().seq,
            id: held.id(),
            state: State::Disclosed,
        };
        let header = held[0].entry().header();
        let log = AccountedLog {
            key: *held[0].entry().key().as_bytes(),
            scope: header.scope,
            epoch: header.epoch,
            party: Some(PartyNumber(1)),
            entries: held.iter().map(listed).collect(),
        };
        let account = Account {
            party: PartyNumber(1),
            scopes: vec![scope(1)],
            rules: vec![rule],
            exceptions: Vec::new(),
            logs: vec![log],
            note: Some(NoteHash::from_bytes([5; 32])),
        };
        let mut published = Self { account, forms: [(hash, definition)].into(), files: BTreeMap::new() };
        published.disclose(held);
        published
    }

    /// Makes the disclosures again, as the account decides.
    fn disclose(&mut self, held: &[HeldEntry]) {
        self.files.clear();
        for held in held {
            let record = held.entry().record();
            let (hash, definition) = self.forms.first_key_value().expect("one form");
            let decided = self.account.decisions(record, *hash, definition).expect("a rule");
            let made = disclose(held.entry(), definition, &decided).expect("its claims hold");
            self.files.entry(record).or_default().push(made);
        }
        for files in self.files.values_mut() {
            files.sort_by_key(|bytes| EntryId::of(&header_of(bytes)));
        }
    }

    fn examine(&self) -> (Findings, Tally) {
        let mut examination = Examination::begin(&self.account, &charter(), &self.forms);
        for (record, files) in &self.files {
            examination.record(*record, &files.concat());
        }
        examination.finish()
    }

    fn codes(&self) -> BTreeSet<&'static str> {
        codes(&self.examine().0)
    }

    fn compare(&self, held: &[HeldEntry]) -> Findings {
        self.compare_in(held, None)
    }

    fn compare_in(&self, held: &[HeldEntry], ledger: Option<NamedNote<'_>>) -> Findings {
        let mut examination = Examination::begin(&self.account, &charter(), &self.forms);
        let roster = roster(&[certificate(1, 11, Role::Observer)]);
        let mut comparison = Comparison::begin(&self.account, &self.forms, &roster, ledger);
        let coverage = Coverage::derive(&roster, &LogIndex::new());
        let (ledgered, is_elsewhere) = (BTreeSet::new(), |_| false);
        let setting =
            Setting { roster: &roster, coverage: &coverage, ledgered: &ledgered, is_elsewhere: &is_elsewhere };
        let record = held[0].entry().record();
        let bytes = self.files.get(&record).map(|files| files.concat()).unwrap_or_default();
        let shown = examination.record(record, &bytes);
        comparison.record(record, held, &judge(record, held, &setting), &shown);
        comparison.finish()
    }
}

fn header_of(disclosure: &[u8]) -> Vec<u8> {
    let mut reader = crate::cbor::Reader::new(disclosure);
    let mut fields = reader.map("disclosure").expect("a map");
    let mut header = Vec::new();
    while let Some(key) = fields.next(&mut reader).expect("a key") {
        match key {
            2 => header = reader.bytes("header").expect("bytes").to_vec(),
            _ => _ = reader.skip("rest").expect("an item"),
        }
    }
    header
}

/// The codes found, without the notes that every test's form gets.
fn codes(findings: &Findings) -> BTreeSet<&'static str> {
    let codes = findings.counts().map(|(_, code, _)| code);
    codes.filter(|&code| code != Code::Publication(PublicationCode::FormUnsigned)).map(Code::as_str).collect()
}

#[test]
fn an_honest_publication_has_no_finding_and_agrees_with_the_bag() {
    let held = entries();
    let published = Published::of(&held);
    let (findings, tally) = published.examine();
    assert_eq!((findings.verdict(), codes(&findings).len()), (Verdict::Passed, 0));
    assert_eq!((tally.entries, tally.shown, tally.records, tally.logs), (2, 2, 1, 1));
    assert_eq!(codes(&published.compare(&held)), BTreeSet::new());
    let signed = SignedAccount::make(&charter(), &key(1), published.account.clone()).expect("party 1 signs");
    assert_eq!(signed.account(), &published.account);
    assert_eq!(SignedAccount::verify(signed.as_bytes(), &charter()), Ok(signed));
}

#[test]
fn the_table_says_what_stands_and_nothing_that_is_withheld() {
    let held = entries();
    let published = Published::of(&held);
    let mut examination = Examination::begin(&published.account, &charter(), &published.forms);
    let (record, files) = published.files.first_key_value().expect("a record");
    let bytes = files.concat();
    let shown = examination.record(*record, &bytes);
    let table = lines(*record, &shown, |id| examination.party(id), |form| published.forms.get(&form));
    let row = |at: usize, rest: &str| format!("{record},{},1,{rest}\n", held[at].id());
    for line in [
        row(0, "note,,,x,no"),
        row(1, "note,,,'=y,yes"),
        row(0, "state,,,open,yes"),
        row(0, "people,00112233445566aa,age,41,no"),
        row(1, "people,00112233445566aa,age,42,yes"),
        row(0, "context/day,,,1970-01-01,"),
    ] {
        assert!(table.contains(&line), "{line} in\n{table}");
    }
    assert_eq!((table.lines().count(), table.contains('Ö')), (7, false));
}

#[test]
fn each_way_to_deceive_has_its_code() {
    type Edit = fn(&mut Published, &[HeldEntry]);
    let rows: &[(&str, Edit)] = &[
        ("publication-missing", |published, _| {
            published.files.values_mut().for_each(|files| _ = files.pop());
        }),
        ("publication-foreign", |published, _| published.account.logs[0].entries[1].state = State::NotApplied),
        ("publication-foreign", |published, _| {
            let files = published.files.pop_first().expect("a record").1;
            published.files.insert(RecordId::from_bytes([3; 32]), files);
        }),
        ("publication-foreign", |published, _| published.files.values_mut().for_each(|files| files.reverse())),
        ("publication-place", |published, _| published.account.logs[0].epoch = crate::id::Epoch::from_bytes([8; 8])),
        ("publication-leaf", |published, _| {
            published.account.rules[0].decisions[9] = Decision::Withheld(Reason::ThirdParty);
        }),
        ("publication-leaf", |published, _| {
            published.account.rules[0].decisions[2] = Decision::Withheld(Reason::Legal)
        }),
        ("publication-leaf", |published, _| published.account.rules[0].decisions[5] = Decision::Disclosed),
        ("publication-leaf", |published, _| published.account.rules[0].decisions[10] = Decision::Disclosed),
        ("publication-leaf", |published, _| {
            let questions = vec!["name".to_owned()];
            published.account.rules[0].decisions[10] = Decision::Partly { questions, rest: Reason::Legal };
        }),
        ("publication-must", |published, held| {
            published.account.rules[0].decisions[8] = Decision::Withheld(Reason::Security);
            published.disclose(held);
        }),
        ("publication-must", |published, held| {
            let labels = vec![("state".to_owned(), Decision::Withheld(Reason::Security))];
            published.account.exceptions.push(Exception { record: held[0].entry().record(), labels });
            published.disclose(held);
        }),
        ("publication-picked", |published, held| {
            let record = held[0].entry().record();
            published.account.logs[0].entries[1].state = State::LeftOut { reason: Reason::Legal, record };
            published.disclose(&held[..1]);
        }),
        ("publication-picked", |published, held| {
            published.account.logs[0].entries[0].state = State::NotApplied;
            published.disclose(&held[1..]);
        }),
        ("publication-uncounted", |published, held| {
            published.account.logs[0].entries.remove(0);
            published.disclose(&held[1..]);
        }),
        ("publication-gap", |published, held| {
            published.account.logs[0].entries.remove(0);
            published.disclose(&held[1..]);
        }),
        ("publication-form", |published, _| published.forms.clear()),
        ("publication-form", |published, _| _ = published.account.rules[0].decisions.pop()),
        ("publication-form", |published, _| {
            published.account.rules[0].decisions[7] = Decision::Withheld(Reason::Legal);
        }),
        ("publication-form", |published, _| {
            let questions = vec!["age".to_owned()];
            published.account.rules[0].decisions[9] = Decision::Partly { questions, rest: Reason::Legal };
        }),
        ("disclosure-root", |published, _| {
            let file = published.files.values_mut().next().expect("a record").first_mut().expect("a disclosure");
            *file.last_mut().expect("bytes") ^= 1;
        }),
    ];
    let held = entries();
    for (number, (wanted, edit)) in rows.iter().enumerate() {
        let mut published = Published::of(&held);
        edit(&mut published, &held);
        let found = published.codes();
        assert!(found.contains(wanted), "row {number}: {wanted} is not among {found:?}");
    }
}

#[test]
fn whoever_holds_the_bag_finds_what_is_hidden() {
    let held = entries();
    let mut hidden = Published::of(&held);
    hidden.account.logs[0].entries.remove(0);
    hidden.disclose(&held[1..]);
    assert!(codes(&hidden.compare(&held)).contains("publication-incomplete"));

    let older = Published::of(&held[..1]);
    assert_eq!(codes(&older.compare(&held)), BTreeSet::from(["publication-own"]));
    let mut others = Published::of(&held[..1]);
    others.account.party = PartyNumber(2);
    assert_eq!(codes(&others.compare(&held)), BTreeSet::from(["publication-later"]));
    // The second entry has leaf 7. Whether that is below the note that the account names decides.
    let place_of = |_, seq, _| Some(6 + seq);
    let mut without_log = Published::of(&held);
    without_log.account.logs.clear();
    without_log.files.clear();
    for (published, size, wanted) in [
        (&others, 8, "publication-incomplete"),
        (&others, 7, "publication-later"),
        (&without_log, 8, "publication-incomplete"),
        (&without_log, 6, "publication-own"),
    ] {
        let ledger = Some(NamedNote { size, place_of: &place_of });
        assert_eq!(codes(&published.compare_in(&held, ledger)), BTreeSet::from([wanted]), "{size}");
    }
    let ledger = Some(NamedNote { size: 7, place_of: &place_of });
    let stale = Published::of(&held).compare_in(&held, ledger);
    assert_eq!((codes(&stale), stale.verdict()), (BTreeSet::from(["publication-note"]), Verdict::Passed));
    assert_eq!(codes(&Published::of(&held).compare(&held[..1])), BTreeSet::from(["publication-not-in-bag"]));

    let mut denied = Published::of(&held[..1]);
    let second = AccountedEntry { seq: 1, id: held[1].id(), state: State::NotApplied };
    denied.account.logs[0].entries.push(second);
    let doubts = denied.compare(&held);
    assert_eq!(codes(&doubts), BTreeSet::from(["publication-current", "publication-standing"]));
    assert_eq!(doubts.verdict(), Verdict::Indeterminate);
    for state in [State::Role(crate::entry::Kind::CoAuthorship), State::UnknownKind, State::Erased] {
        denied.account.logs[0].entries[1].state = state;
        let found = denied.compare(&held);
        assert!(codes(&found).contains("publication-denied"), "{state:?}");
        assert_eq!(found.verdict(), Verdict::Failed, "{state:?}");
    }

    let mut foreign = Published::of(&held);
    foreign.account.logs[0].party = Some(PartyNumber(2));
    assert_eq!(codes(&foreign.compare(&held)), BTreeSet::from(["publication-party"]));

    // Of the ages of a repeat that is shown in part, one is kept back.
    let mut fewer = Published::of(&held);
    let all = std::mem::replace(
        &mut fewer.account.rules[0].decisions[10],
        Decision::Partly { questions: vec!["nobody".into()], rest: Reason::PersonalData },
    );
    fewer.disclose(&held);
    fewer.account.rules[0].decisions[10] = all;
    assert_eq!(fewer.codes(), BTreeSet::new(), "the disclosures alone do not show it");
    assert!(codes(&fewer.compare(&held)).contains("publication-cells"));
}

#[test]
fn an_entry_whose_claims_are_void_is_no_entry_to_disclose() {
    let held = Hand::default().write(&[("state", Scalar::Text("open"))], true);
    let standing = Some(crate::record::Standing::Provisional);
    assert_eq!(condition(&held, standing, Some(&form())), Condition::Fixed(State::Void));
    assert_eq!(condition(&held, standing, None), Condition::Fixed(State::Void));
    assert_eq!(condition(&entries()[0], standing, Some(&form())), Condition::Shown);
}

#[test]
fn a_choice_that_leaves_a_leaf_open_or_hides_what_must_be_shown_is_no_rule() {
    let hash = form().hash().expect("valid");
    let refused = |choice: Choice| choice.rule(hash, &form()).expect_err("refused");
    let open = Choice { rest: None, ..choice() };
    assert_eq!(refused(open), NotPublished::NotDecided { form: hash, label: "context/coarse-place".into() });
    let mut hiding = choice();
    hiding.labels.insert("state".into(), Decision::Withheld(Reason::Legal));
    assert_eq!(refused(hiding), NotPublished::MustBeDisclosed { form: hash, label: "state".into() });
    let mut partly = choice();
    let decision = Decision::Partly { questions: vec!["a".into()], rest: Reason::Legal };
    partly.labels.insert("note".into(), decision);
    assert_eq!(refused(partly), NotPublished::NoRepeat { form: hash, label: "note".into() });
}
