//! The life of one device, and of two that meet.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::time::Duration;

use common::{Mission, carry, incident, inspection, open, passphrase, store_key, system, vault};
use merestone_core::entry::Kind;
use merestone_core::id::RecordId;
use merestone_core::record::Standing;
use merestone_core::roster::{Class, Role};
use merestone_link::LinkLimits;
use merestone_node::Answer;
use merestone_node::capture::{SaveError, Speech};
use merestone_node::device::{Device, Home, NoReplica, ObserverState, OpenDeviceError, PenError, UnlockError};
use merestone_node::draft::{DraftError, DraftSubject};
use merestone_node::enrolment::AcceptError;
use merestone_node::office::PartyOffice;
use merestone_node::records::{RecordFilter, RecordState};
use merestone_node::replica::{Meet, Retry, SyncError, SyncOutcome};
use merestone_node::vault::VaultError;
use merestone_store::{Batch, DraftId, OpenError, Store};

#[test]
fn a_device_is_made_enrolled_killed_and_goes_on() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let enrolment = device.request(&vault(&device, "correct horse"), "Олена Коваленко", "Phone 3").unwrap();
    assert!(enrolment.text.len() <= 1_200);
    let office = PartyOffice::new(&mission.roots[0]);
    let seen = office.read_request(&mission.charter, &enrolment.text).unwrap();
    assert_eq!(seen.words, enrolment.words);
    assert_eq!(device.observers()[0].state, ObserverState::Requested);

    // A draft can be made before the certificate comes; it cannot be saved.
    let draft = device.begin(&enrolment.key, mission.scope(), inspection()).unwrap();
    let draft = device.put(draft.id, "post", "Пункт пропуску");
    assert!(draft.is_err(), "a draft that was never kept is not there");
    let draft = device.begin(&enrolment.key, mission.scope(), inspection()).unwrap();
    let draft = device.keep(draft).unwrap();
    device.put(draft.id, "post", "Пункт пропуску \u{202e}Гоптівка").unwrap();
    device.put(draft.id, "queue_best", 40).unwrap();
    let early = device.save(&device.draft(draft.id).unwrap());
    assert!(matches!(early, Err(SaveError::Pen(PenError::NotEnrolled { .. }))), "{early:?}");
    device.accept(&mission.certify(0, &enrolment.text, Role::Observer)).unwrap();

    // A kill: nothing is closed, the store's lock ends with the process.
    drop(device);
    let device = open(folder.path(), "a2");
    let drafts = device.drafts(Some(&enrolment.key)).unwrap();
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].answers["post"], Answer::Text("Пункт пропуску Гоптівка".into()), "tidied");
    let problems = device.problems(&drafts[0]).unwrap();
    assert!(problems.iter().any(|problem| problem.key == "day"), "{problems:?}");

    let locked = device.save(&drafts[0]);
    assert!(matches!(locked, Err(SaveError::Pen(PenError::Locked { .. }))), "{locked:?}");
    device.unlock(&vault(&device, "correct horse"), &enrolment.key).unwrap();
    let saved = device.save(&drafts[0]).unwrap();
    assert_eq!(device.drafts(None).unwrap(), []);
    assert_eq!(device.save(&drafts[0]).unwrap(), saved, "a second tap makes no second record");

    let view = device.record(saved.record).unwrap().unwrap();
    assert_eq!(view.kind.as_deref(), Some("inspection"));
    assert_eq!(view.values("queue_best")[0].answer, Answer::Int(40));
    assert_eq!(view.values("queue_best")[0].author.name(), "Олена Коваленко");
    assert_eq!(view.standings, [(saved.entry, Standing::Provisional)]);
}

#[test]
fn an_edit_writes_only_what_changed() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
    for (key, answer) in
        [("post", Answer::text("Bridge")), ("queue_low", Answer::Int(3)), ("queue_high", Answer::Int(9))]
    {
        draft.answers.insert(key.into(), answer);
    }
    let record = device.save(&draft).unwrap().record;

    let mut edit = device.begin_edit(&observer, record).unwrap();
    edit.answers.insert("post".into(), Answer::text("Bridge"));
    assert!(matches!(device.save(&edit), Err(SaveError::NothingChanged)));
    edit.answers.insert("queue_low".into(), Answer::Int(4));
    device.save(&edit).unwrap();
    let mut edit = device.begin_edit(&observer, record).unwrap();
    edit.confirmed.insert("queue_high".into());
    device.save(&edit).unwrap();

    let history = device.history(record).unwrap();
    let written: Vec<Vec<&str>> =
        history.iter().map(|step| step.changes.iter().map(|change| change.key.as_str()).collect()).collect();
    assert_eq!(written, [vec!["post", "queue_high", "queue_low"], vec!["queue_low"], vec!["queue_high"]]);
    assert_eq!(history[1].changes[0].before, [(history[0].entry, Answer::Int(3))]);
    assert_eq!(history[1].changes[0].after, Answer::Int(4));
    assert_eq!(history[2].changes[0].before, [(history[0].entry, Answer::Int(9))]);
    assert!(history.iter().all(|step| step.standing == Standing::Provisional && step.author.name() == "Olena"));
    assert_eq!(history.iter().map(|step| step.seq).collect::<Vec<_>>(), [0, 1, 2]);

    // What the sheet followed is what judging from the entries gives.
    drop(device);
    let device = open(folder.path(), "b");
    assert_eq!(device.history(record).unwrap(), history);
    assert_eq!(device.record(record).unwrap().unwrap().heads, [history[2].entry]);
}

#[test]
fn a_value_that_came_in_while_a_draft_was_open_is_not_overwritten() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("remarks".into(), Answer::text("first"));
    let record = device.save(&draft).unwrap().record;

    let mut slow = device.begin_edit(&observer, record).unwrap();
    let mut quick = device.begin_edit(&observer, record).unwrap();
    quick.answers.insert("remarks".into(), Answer::text("quick"));
    device.save(&quick).unwrap();
    slow.answers.insert("remarks".into(), Answer::text("slow"));
    device.save(&slow).unwrap();
    let view = device.record(record).unwrap().unwrap();
    let mut values: Vec<_> = view.values("remarks").iter().map(|value| value.answer.clone()).collect();
    values.sort();
    assert_eq!(values, [Answer::text("quick"), Answer::text("slow")]);
    assert_eq!(view.heads.len(), 1, "the author's own line goes on");
    assert!(view.standings.iter().all(|(_, standing)| standing.is_applied()));
}

#[test]
fn two_devices_conflict_meet_and_resolve_and_both_say_the_same() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let olena = mission.enrol(&a, 0, "Olena", "one");
    let karim = mission.enrol(&b, 0, "كريم", "two");
    let mut draft = a.begin(&olena, mission.scope(), incident()).unwrap();
    draft.answers.insert("title".into(), Answer::text("Стрілянина біля мосту"));
    draft.answers.insert("description".into(), Answer::text("مُحَمَّد سمع الطلقات"));
    draft.answers.insert("casualties_best".into(), Answer::Int(0));
    let record = a.save(&draft).unwrap().record;
    carry(&a, &b);

    for (device, observer, count) in [(&a, &olena, 1), (&b, &karim, 2)] {
        let mut edit = device.begin_edit(observer, record).unwrap();
        edit.answers.insert("casualties_best".into(), Answer::Int(count));
        device.save(&edit).unwrap();
    }
    carry(&a, &b);
    carry(&b, &a);
    for device in [&a, &b] {
        let view = device.record(record).unwrap().unwrap();
        let mut values: Vec<_> = view.values("casualties_best").iter().map(|value| value.answer.clone()).collect();
        values.sort();
        assert_eq!(values, [Answer::Int(1), Answer::Int(2)], "both are shown");
        assert_eq!(view.heads.len(), 2);
        let conflicts = RecordFilter { has_conflict: Some(true), ..RecordFilter::default() };
        assert_eq!(device.list(&conflicts, None, 10).unwrap().lines.len(), 1);
    }
    assert_eq!(a.record(record).unwrap(), b.record(record).unwrap());

    b.resolve(&karim, record, "casualties_best", 2).unwrap();
    carry(&b, &a);
    assert_eq!(a.record(record).unwrap(), b.record(record).unwrap());
    assert_eq!(a.history(record).unwrap(), b.history(record).unwrap());
    let view = a.record(record).unwrap().unwrap();
    assert_eq!(view.conflicts().count(), 0);
    let history = a.history(record).unwrap();
    let last = history.last().unwrap();
    assert!(last.changes[0].resolves());
    assert_eq!(last.changes[0].before.len(), 2);
    assert_eq!(last.author.name(), "كريم");

    // Search, in both scripts, as people type.
    for text in ["стрілян", "МОСТУ", "محمد", "الطلقات"] {
        let filter = RecordFilter { text: Some(text.into()), ..RecordFilter::default() };
        let page = a.list(&filter, None, 10).unwrap();
        assert_eq!(page.lines.iter().map(|line| line.id).collect::<Vec<_>>(), [record], "{text}");
    }
    let page = a.list(&RecordFilter::default(), None, 10).unwrap();
    let line = &page.lines[0];
    assert_eq!((line.title.as_str(), line.kind.as_str()), ("Стрілянина біля мосту", "incident"));
    assert_eq!((line.entries, line.state, line.has_conflict), (4, RecordState::Whole, false));
    assert_eq!(line.observer, "Olena");
    for (filter, wanted) in [
        (RecordFilter { kind: Some("inspection".into()), ..RecordFilter::default() }, 0),
        (RecordFilter { state: Some(RecordState::Partial), ..RecordFilter::default() }, 0),
        (RecordFilter { since_ms: Some(line.updated_ms), ..RecordFilter::default() }, 1),
        (RecordFilter { since_ms: Some(line.updated_ms + 1), ..RecordFilter::default() }, 0),
        (RecordFilter { text: Some("nothing like it".into()), ..RecordFilter::default() }, 0),
    ] {
        assert_eq!(a.list(&filter, None, 10).unwrap().lines.len(), wanted, "{filter:?}");
    }
}

#[test]
fn what_others_say_of_a_record_stands_until_it_changes() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let olena = mission.enrol(&a, 0, "Olena", "one");
    let reviewer = mission.enrol_as(&b, 1, "Reviewer", "two", Role::Reviewer);
    let mut draft = a.begin(&olena, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text("Bridge"));
    let record = a.save(&draft).unwrap().record;
    carry(&a, &b);

    let objection = |text: Option<&str>| Speech {
        record,
        about: Vec::new(),
        kind: Kind::Objection,
        reason: None,
        text: text.map(String::from),
    };
    assert!(b.say(&reviewer, objection(None)).is_err());
    let said = b.say(&reviewer, objection(Some("Not that bridge"))).unwrap();
    assert!(b.say(&reviewer, Speech { kind: Kind::Ruling, ..objection(None) }).is_err(), "a reviewer does not rule");
    let mut edit = b.begin_edit(&reviewer, record).unwrap();
    edit.answers.insert("post".into(), Answer::text("Ferry"));
    assert!(matches!(b.save(&edit), Err(SaveError::Pen(PenError::NotGranted { .. }))));
    carry(&b, &a);
    let standing = |device: &Device| {
        let history = device.history(record).unwrap();
        let step = history.into_iter().find(|step| step.entry == said.entry).unwrap();
        (step.standing, step.text, step.author.name())
    };
    assert_eq!(standing(&a), (Standing::Provisional, Some("Not that bridge".into()), "Reviewer".into()));

    let mut edit = a.begin_edit(&olena, record).unwrap();
    edit.answers.insert("post".into(), Answer::text("Ferry"));
    a.save(&edit).unwrap();
    assert_eq!(standing(&a).0, Standing::Voided);
    a.withdraw(&olena, record).unwrap();
    assert!(a.record(record).unwrap().unwrap().is_withdrawn);
    let withdrawn = RecordFilter { is_withdrawn: Some(true), ..RecordFilter::default() };
    assert_eq!(a.list(&withdrawn, None, 10).unwrap().lines.len(), 1);
}

#[test]
fn only_the_parties_that_may_write_a_record_sign_edits_of_it() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let olena = mission.enrol(&a, 0, "Olena", "one");
    let boris = mission.enrol(&b, 1, "Boris", "two");
    let create = |writers: &[u64]| {
        let mut draft = a.begin(&olena, mission.scope(), inspection()).unwrap();
        draft.subject = DraftSubject::New { writers: writers.to_vec() };
        draft.answers.insert("post".into(), Answer::text("Bridge"));
        a.save(&draft).unwrap().record
    };
    let (own, shared) = (create(&[]), create(&[2]));
    // Nothing was said of the author's party, and it may go on.
    a.resolve(&olena, shared, "post", "Ferry").unwrap();
    carry(&a, &b);

    let refused = b.resolve(&boris, own, "post", "Road");
    assert!(matches!(refused, Err(SaveError::NotAWriter { record }) if record == own), "{refused:?}");
    assert!(matches!(b.withdraw(&boris, own), Err(SaveError::NotAWriter { .. })));
    assert_eq!(b.store().counts().unwrap().entries, 3, "nothing was signed");
    b.resolve(&boris, shared, "post", "Road").unwrap();
    carry(&b, &a);
    for device in [&a, &b] {
        let view = device.record(shared).unwrap().unwrap();
        assert_eq!(view.values("post")[0].answer, Answer::text("Road"));
        assert!(view.standings.iter().all(|(_, standing)| standing.is_applied()), "{:?}", view.standings);
    }

    // The sheet that followed the creation says the same as one that was judged.
    drop(a);
    let a = open(home_a.path(), "a2");
    a.unlock(&vault(&a, "one"), &olena).unwrap();
    a.resolve(&olena, shared, "post", "Bridge").unwrap();
}

#[test]
fn two_observers_share_a_device_and_each_signs_with_a_key_of_their_own() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let olena = mission.enrol(&device, 0, "Olena", "one");
    let petro = mission.enrol(&device, 1, "Petro", "two");
    assert_ne!(olena, petro);
    for (observer, post) in [(olena, "Bridge"), (petro, "Ferry")] {
        let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
        draft.answers.insert("post".into(), Answer::text(post));
        let saved = device.save(&draft).unwrap();
        let creator = device.record(saved.record).unwrap().unwrap().creator.unwrap();
        assert_eq!(creator.key, observer);
    }
    device.lock();
    let vault_of_one = vault(&device, "one");
    assert!(matches!(device.unlock(&vault_of_one, &petro), Err(UnlockError::Vault(VaultError::WrongPassphrase))));
    device.unlock(&vault_of_one, &olena).unwrap();
    let unlocked: Vec<_> = device.observers().into_iter().map(|observer| observer.is_unlocked).collect();
    assert_eq!(unlocked, [true, false]);
    let device = std::sync::Arc::new(device);
    assert!(matches!(device.replica(&petro), Err(NoReplica::Locked { .. })));
    let replica = device.replica(&olena).unwrap();
    assert_eq!(
        device.authority().roster().certificates_of(olena.as_bytes()).next().unwrap().request().transport(),
        replica.transport_key().as_bytes()
    );
}

#[test]
fn a_copy_without_the_install_marker_begins_a_new_epoch_and_names_the_old_head() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text("Bridge"));
    let first = device.save(&draft).unwrap();
    let store = device.store().identity().unwrap().store;
    drop(device);

    // The same marker: the log goes on.
    let device = open(folder.path(), "b");
    device.unlock(&vault(&device, "one"), &observer).unwrap();
    assert_eq!(device.store().identity().unwrap().store, store);
    let second = device.withdraw(&observer, first.record).unwrap();
    assert_eq!(device.store().tips(None, None).unwrap().len(), 1);
    drop(device);

    std::fs::remove_file(folder.path().join("install-marker")).unwrap();
    let device = open(folder.path(), "c");
    assert_ne!(device.store().identity().unwrap().store, store, "earlier receipts are void");
    device.unlock(&vault(&device, "one"), &observer).unwrap();
    let third = device.resolve(&observer, first.record, "post", "Ferry").unwrap();
    let logs = device.store().tips(None, None).unwrap();
    assert_eq!(logs.len(), 2);
    let stored = device.store().entry(third.entry).unwrap().unwrap();
    assert_eq!(stored.seq, 0);
    let signed = merestone_core::entry::SignedEntry::new(&stored.header, stored.body.bytes());
    let entry = signed.verify(device.mission(), &mut merestone_core::key::KeyCache::new()).unwrap();
    match &entry.header().position {
        merestone_core::entry::Position::First { certificate: _, earlier } => {
            assert_eq!(earlier.iter().map(|head| (head.seq, head.id)).collect::<Vec<_>>(), [(1, second.entry)]);
        }
        position => panic!("{position:?}"),
    }
    let view = device.record(first.record).unwrap().unwrap();
    assert_eq!(view.values("post")[0].answer, Answer::text("Ferry"));
    assert!(view.standings.iter().all(|(_, standing)| standing.is_applied()));

    // A peer that holds more of the present log has the same effect.
    assert!(device.peer_knows_more(stored.log).unwrap());
    let fourth = device.resolve(&observer, first.record, "post", "Bridge").unwrap();
    assert_eq!(device.store().entry(fourth.entry).unwrap().unwrap().seq, 0);
    assert_eq!(device.store().tips(None, None).unwrap().len(), 3);
}

#[test]
fn a_certificate_is_accepted_only_if_it_is_ours() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let enrolment = device.request(&vault(&device, "one"), "Olena", "Phone").unwrap();
    let text = mission.certify(0, &enrolment.text, Role::Observer);

    let mut mistyped = text.clone();
    mistyped.replace_range(60..61, if &text[60..61] == "A" { "B" } else { "A" });
    assert!(matches!(device.accept(&mistyped), Err(AcceptError::Mistyped(_))));
    assert!(matches!(device.accept(&enrolment.text), Err(AcceptError::Mistyped(_))), "a request is no certificate");

    let elsewhere = tempfile::tempdir().unwrap();
    let other = mission.device(elsewhere.path(), "b");
    let foreign = other.request(&vault(&other, "two"), "Petro", "Phone").unwrap();
    let refused = device.accept(&mission.certify(0, &foreign.text, Role::Observer));
    assert!(matches!(refused, Err(AcceptError::OtherKey { .. })), "{refused:?}");

    // A charter with the same roots and another name is another mission.
    let mut plan = mission.charter.charter().clone();
    plan.name = "Another mission".into();
    let mut signed = PartyOffice::new(&mission.roots[0]).found(&plan).unwrap();
    for root in &mission.roots[1..] {
        signed.sign(root).unwrap();
    }
    let another = Mission {
        roots: [1, 2, 3].map(|seed| merestone_core::key::SigningKey::from_seed(&[seed; 32])),
        charter: signed.complete().unwrap(),
    };
    let third = tempfile::tempdir().unwrap();
    let stranger = another.device(third.path(), "c");
    let theirs = stranger.request(&vault(&stranger, "three"), "Ivan", "Phone").unwrap();
    let refused = device.accept(&another.certify(0, &theirs.text, Role::Observer));
    assert!(matches!(refused, Err(AcceptError::OtherMission { .. })), "{refused:?}");

    assert_eq!(device.observers()[0].state, ObserverState::Requested, "nothing changed");
    device.accept(&text.to_lowercase()).unwrap();
    assert!(matches!(device.observers()[0].state, ObserverState::Certified { .. }));
}

#[test]
fn a_cut_ends_what_a_key_may_sign_and_keeps_what_it_named() {
    use merestone_core::entry::LogHead;
    use merestone_core::roster::{CutDraft, CutReason};
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let mut records = Vec::new();
    for post in ["Bridge", "Ferry"] {
        let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
        draft.answers.insert("post".into(), Answer::text(post));
        records.push(device.save(&draft).unwrap());
    }
    assert_eq!(device.list(&RecordFilter::default(), None, 10).unwrap().lines.len(), 2);
    let tip = device.store().tips(None, None).unwrap()[0];
    let kept = [LogHead { scope: tip.scope, epoch: tip.epoch, seq: 0, id: records[0].entry }];
    let draft = CutDraft { key: observer.as_bytes(), kept: &kept, reason: CutReason::Stolen, text: None };
    let cut = PartyOffice::new(&mission.roots[0]).cut(&mission.charter, &draft).unwrap();
    device.receive(Class::Cut, &[cut.as_bytes().to_vec()]).unwrap();

    let standing = |at: usize| device.record(records[at].record).unwrap().unwrap().standings[0].1;
    assert_eq!((standing(0), standing(1)), (Standing::Provisional, Standing::SetAside));
    let unreadable = RecordFilter { state: Some(RecordState::Unreadable), ..RecordFilter::default() };
    let lines = device.list(&unreadable, None, 10).unwrap().lines;
    assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [records[1].record]);
    let mut draft = device.begin(&observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text("Road"));
    assert!(matches!(device.save(&draft), Err(SaveError::Pen(PenError::Cut { .. }))));
    assert!(matches!(device.observers()[0].state, ObserverState::Cut { .. }));
}

/// A draft begins before the cut and is saved after it: what it names is applied again, and the next edit builds on all of it.
#[test]
fn a_draft_saved_on_what_was_cut_since_brings_it_back_for_the_next_edit_too() {
    use merestone_core::roster::{CutDraft, CutReason};
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let [lost, other] = [mission.enrol(&device, 0, "Olena", "one"), mission.enrol(&device, 0, "Marko", "two")];
    let answer = |observer, record: Option<RecordId>, key: &str, text: &str| {
        let mut draft = match record {
            Some(record) => device.begin_edit(observer, record).unwrap(),
            None => device.begin(observer, mission.scope(), inspection()).unwrap(),
        };
        draft.answers.insert(key.into(), Answer::text(text));
        draft
    };
    let first = device.save(&answer(&other, None, "post", "Bridge")).unwrap();
    let record = first.record;
    let second = device.save(&answer(&lost, Some(record), "post", "Old bridge")).unwrap();
    let mut begun_before = answer(&other, Some(record), "title", "Closed");
    begun_before.answers.insert("post".into(), Answer::text("Rebuilt bridge"));

    let draft = CutDraft { key: lost.as_bytes(), kept: &[], reason: CutReason::Stolen, text: None };
    let cut = PartyOffice::new(&mission.roots[0]).cut(&mission.charter, &draft).unwrap();
    device.receive(Class::Cut, &[cut.as_bytes().to_vec()]).unwrap();
    let heads = || device.record(record).unwrap().unwrap().heads;
    assert_eq!(heads(), [first.entry], "entry {} is set aside", second.entry);
    assert_eq!(
        device.begin_edit(&other, record).unwrap().subject,
        DraftSubject::Edit { record, base: vec![first.entry] }
    );

    let third = device.save(&begun_before).unwrap();
    assert_eq!(heads(), [third.entry]);
    let conflicts = device.record(record).unwrap().unwrap().conflicts().count();
    assert_eq!(conflicts, 0, "what the screen showed was replaced, cut since or not");
    let next = answer(&other, Some(record), "post", "New bridge");
    assert_eq!(next.subject, DraftSubject::Edit { record, base: vec![third.entry] });
    device.save(&next).unwrap();
    assert_eq!(device.record(record).unwrap().unwrap().conflicts().count(), 0);
}

#[test]
fn a_device_is_open_once_and_made_of_a_complete_charter_only() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let again = Device::open(&Home::new(folder.path()), store_key(), system("b"));
    assert!(matches!(again, Err(OpenDeviceError::Store(OpenError::AlreadyOpen { .. }))), "{again:?}");
    drop(device);
    let incomplete = PartyOffice::new(&mission.roots[0]).found(mission.charter.charter()).unwrap().encode();
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(Device::create(&Home::new(elsewhere.path()), store_key(), &incomplete, system("c")).is_err());
    let none = Device::open(&Home::new(elsewhere.path()), store_key(), system("d"));
    assert!(matches!(none, Err(OpenDeviceError::Store(OpenError::Missing { .. }))), "{none:?}");
    drop(passphrase("x"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_tells_its_meetings_that_the_network_changed() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = std::sync::Arc::new(mission.device(folder.path(), "a"));
    let observer = mission.enrol(&device, 0, "Olena", "correct horse");
    let limits = LinkLimits { handshake: Duration::from_millis(50), ..LinkLimits::default() };
    let replica = device.replica_with(&observer, limits).unwrap();
    let unused = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let meet = Meet::new(unused.local_addr().unwrap(), replica.transport_key());
    let retry = Retry { attempts_max: 2, wait: Duration::MAX, wait_max: Duration::MAX };
    let mut attempts = 0;
    let tell = |_: &Result<SyncOutcome, SyncError>| {
        attempts += 1;
        device.network_changed(None).unwrap();
    };
    // Between the two attempts it would wait for ever.
    let error = replica.sync_until_done_telling(meet, retry, tell).await.unwrap_err();
    assert!(error.is_worth_retrying(), "{error}");
    assert_eq!(attempts, 2);
}

#[test]
fn a_draft_that_cannot_be_read_is_shown_and_never_taken_away() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(folder.path(), "a");
    let anna = mission.enrol(&device, 0, "Anna", "correct horse");
    let whole = device.keep(device.begin(&anna, mission.scope(), inspection()).unwrap()).unwrap();
    drop(device);

    let (id, bytes) = (DraftId([7; 16]), b"what a newer version keeps".to_vec());
    let store = Store::open(&folder.path().join("store"), store_key()).unwrap();
    let mut batch = Batch::new();
    batch.draft(id, bytes.clone());
    store.commit(batch).unwrap();
    drop(store);

    let device = open(folder.path(), "a2");
    let damaged: Vec<_> = device.damaged_drafts().unwrap().iter().map(|one| (one.id, one.bytes)).collect();
    assert_eq!(damaged, [(id, bytes.len())]);
    assert_eq!(device.drafts(None).unwrap(), [whole], "beside those that can be read");
    for refused in [device.draft(id).map(|_| ()), device.put(id, "post", "x").map(|_| ()), device.discard(id)] {
        assert!(matches!(refused, Err(DraftError::Damaged { .. })), "{refused:?}");
    }
    assert!(!device.draft(id).unwrap_err().to_string().contains("newer"), "no content in a message");
    assert_eq!(device.store().draft(id).unwrap(), Some(bytes));
}
