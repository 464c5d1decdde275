//! Saving: one draft becomes one entry, whatever happens between the first try and the last.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use common::asking::{AMPLE, Asking, in_time};
use common::{Mission, carry, inspection, open, vault};
use merestone_core::entry::Kind;
use merestone_core::key::PublicKey;
use merestone_core::roster::Role;
use merestone_node::capture::{SaveError, Saved, Speech};
use merestone_node::device::Device;
use merestone_node::draft::{Draft, DraftError};
use merestone_node::vault::KeystoreFiles;
use merestone_node::{Answer, DraftId};

/// As many answers as an entry can have.
const ANSWERS_MAX: usize = 4_096;

#[test]
fn what_a_draft_cannot_hold_is_refused_and_what_it_holds_stays() {
    let site = Site::new();
    let mut draft = site.draft("Bridge");
    for n in 1..ANSWERS_MAX {
        draft.answers.insert(format!("cargo/{n:016x}/count"), Answer::Int(1));
    }
    let draft = site.device.keep(draft).unwrap();
    assert_eq!(draft.answers.len(), ANSWERS_MAX);
    let one_more = site.device.put(draft.id, "remarks", "one more");
    assert!(matches!(one_more, Err(DraftError::TooLarge)), "{one_more:?}");
    assert_eq!(site.device.draft(draft.id).unwrap(), draft);
    site.device.put(draft.id, "post", "Tunnel").unwrap();
}

/// A device whose observer's key is in a keystore that asks a person.
struct Site {
    mission: Mission,
    home: tempfile::TempDir,
    device: Arc<Device>,
    keystore: Arc<Asking>,
    observer: PublicKey,
}

impl Site {
    fn new() -> Self {
        let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
        let device = Arc::new(mission.device(home.path(), "a"));
        let keystore = Arc::new(Asking::new());
        let request = device.request(&files(&device, &keystore), "Olena", "Phone").unwrap();
        device.accept(&mission.certify(0, &request.text, Role::Observer)).unwrap();
        Self { mission, home, device, keystore, observer: request.key }
    }

    fn draft(&self, post: &str) -> Draft {
        let device = &self.device;
        let draft = device.keep(device.begin(&self.observer, self.mission.scope(), inspection()).unwrap()).unwrap();
        device.put(draft.id, "post", post).unwrap()
    }

    fn saving(&self, draft: &Draft) -> JoinHandle<Result<Saved, SaveError>> {
        let (device, draft) = (Arc::clone(&self.device), draft.clone());
        thread::spawn(move || device.save(&draft))
    }

    /// The same installation on another machine, marker and all: it can sign with the same key in the same log.
    fn copy(&self, folder: &Path) -> Device {
        let copied = Command::new("cp").arg("-r").arg(format!("{}/.", self.home.path().display())).arg(folder).status();
        assert!(copied.unwrap().success());
        let copy = open(folder, "copy");
        copy.unlock(&files(&copy, &self.keystore), &self.observer).unwrap();
        copy
    }
}

fn files(device: &Device, keystore: &Arc<Asking>) -> KeystoreFiles {
    KeystoreFiles::new(&device.home().keys(), Arc::clone(keystore) as _)
}

fn posts(device: &Device, saved: Saved) -> Vec<Answer> {
    let view = device.record(saved.record).unwrap().unwrap();
    view.values("post").iter().map(|standing| standing.answer.clone()).collect()
}

fn entries(device: &Device) -> u64 {
    device.store().counts().unwrap().entries
}

#[test]
fn what_is_answered_or_thrown_away_while_a_person_is_asked_is_not_signed_without_it() {
    let site = Site::new();
    let device = &site.device;
    let draft = site.draft("North");
    let (shown, answer) = site.keystore.arm();
    let saving = site.saving(&draft);
    shown.recv_timeout(AMPLE).unwrap();
    let changed = device.put(draft.id, "remarks", "armed").unwrap();
    answer.send(()).unwrap();
    let refused = saving.join().unwrap();
    assert!(matches!(refused, Err(SaveError::DraftChanged { draft: id }) if id == draft.id), "{refused:?}");
    assert_eq!((entries(device), device.draft(draft.id).unwrap()), (0, changed.clone()));
    let early = device.save(&draft);
    assert!(matches!(early, Err(SaveError::DraftChanged { .. })), "another screen's answer is not left out: {early:?}");
    let saved = device.save(&changed).unwrap();
    assert_eq!(device.record(saved.record).unwrap().unwrap().values("remarks")[0].answer, Answer::text("armed"));

    let draft = site.draft("South");
    let (shown, answer) = site.keystore.arm();
    let saving = site.saving(&draft);
    shown.recv_timeout(AMPLE).unwrap();
    device.discard(draft.id).unwrap();
    answer.send(()).unwrap();
    let refused = saving.join().unwrap();
    assert!(matches!(refused, Err(SaveError::DraftChanged { .. })), "{refused:?}");
    assert_eq!((entries(device), device.drafts(None).unwrap()), (1, vec![]));
}

#[test]
fn an_interview_whose_draft_another_screen_changed_shows_it_before_it_is_saved() {
    let site = Site::new();
    let device = &site.device;
    let draft = site.draft("North");
    let mut interview = device.interview(draft.clone(), true).unwrap().unwrap();
    device.put(draft.id, "remarks", "armed").unwrap();
    let refused = interview.save(device);
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(interview.draft(), &device.draft(draft.id).unwrap());
    assert_eq!(interview.filling().answers().get("remarks"), Some(&Answer::text("armed")));
    let saved = interview.save(device).unwrap();
    assert_eq!(device.record(saved.record).unwrap().unwrap().values("remarks")[0].answer, Answer::text("armed"));
    assert_eq!(interview.save(device).unwrap(), saved);
}

#[test]
fn a_draft_that_was_saved_stays_saved_after_its_device_was_opened_again() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = device.put(draft.id, "post", "North").unwrap();
    let saved = device.save(&draft).unwrap();
    drop(device);
    let device = open(home.path(), "b");
    device.unlock(&vault(&device, "one"), &observer).unwrap();
    assert_eq!(device.save(&draft).unwrap(), saved);
    assert_eq!(device.saved(draft.id).unwrap(), Some(saved));
    let changed = Draft { post: Some("Gate".into()), ..draft.clone() };
    assert!(matches!(device.keep(changed.clone()), Err(DraftError::Missing)));
    assert!(matches!(device.put(draft.id, "post", "South"), Err(DraftError::Missing)));
    assert_eq!(device.save(&changed).unwrap(), saved);
    assert_eq!((entries(&device), device.drafts(None).unwrap()), (1, vec![]));
}

#[test]
fn two_screens_of_one_draft_keep_each_others_answers() {
    let site = Site::new();
    let draft = site.draft("North");
    let screens = ["queue_best", "queue_worst"].map(|key| {
        let (device, id) = (Arc::clone(&site.device), draft.id);
        thread::spawn(move || {
            for number in 0..40 {
                device.put(id, key, number).unwrap();
            }
        })
    });
    screens.into_iter().for_each(|screen| screen.join().unwrap());
    let draft = site.device.draft(draft.id).unwrap();
    let last = ["post", "queue_best", "queue_worst"].map(|key| draft.answers[key].clone());
    assert_eq!(last, [Answer::text("North"), Answer::Int(39), Answer::Int(39)]);
}

#[test]
fn a_step_that_is_asked_for_again_with_its_id_is_done_once() {
    let site = Site::new();
    let device = &site.device;
    let record = device.save(&site.draft("North")).unwrap().record;
    let id = |number| Some(DraftId([number; 16]));
    let objection =
        || Speech { record, about: vec![], kind: Kind::Objection, reason: None, text: Some("It was the ferry".into()) };
    let steps: [&dyn Fn() -> Saved; 3] = [
        &|| device.once(id(1)).say(&site.observer, objection()).unwrap(),
        &|| device.once(id(2)).resolve(&site.observer, record, "post", "Ferry").unwrap(),
        &|| device.once(id(3)).withdraw(&site.observer, record).unwrap(),
    ];
    let done: Vec<Saved> = steps.iter().map(|step| step()).collect();
    assert_eq!(entries(device), 4);
    let again: Vec<Saved> = steps.iter().map(|step| step()).collect();
    assert_eq!((again, entries(device)), (done, 4));
    // Without an id every tap counts.
    device.once(None).say(&site.observer, objection()).unwrap();
    device.once(None).say(&site.observer, objection()).unwrap();
    assert_eq!(entries(device), 6);
    // An id is for one step: a draft is none.
    let draft = site.draft("South");
    let refused = device.once(Some(draft.id)).say(&site.observer, objection());
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(device.draft(draft.id).unwrap(), draft);
}

#[test]
fn a_step_asked_for_again_while_a_person_is_asked_waits_for_the_first() {
    let site = Site::new();
    let record = site.device.save(&site.draft("North")).unwrap().record;
    let (shown, answer) = site.keystore.arm();
    let objecting = || {
        let (device, observer) = (Arc::clone(&site.device), site.observer);
        thread::spawn(move || {
            let text = Some("It was the ferry".into());
            let speech = Speech { record, about: vec![], kind: Kind::Objection, reason: None, text };
            device.once(Some(DraftId([1; 16]))).say(&observer, speech).unwrap()
        })
    };
    let first = objecting();
    shown.recv_timeout(AMPLE).unwrap();
    let again = objecting();
    answer.send(()).unwrap();
    assert_eq!(first.join().unwrap(), again.join().unwrap());
    assert_eq!(entries(&site.device), 2);
}

/// While a person is asked for the signature at one place of a log, a copy of the phone has signed there: `hear` is how the
/// device comes to know of it.
fn overtaken(hear: impl FnOnce(&Arc<Device>, &Device)) {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let device = &site.device;
    let record = device.save(&site.draft("North")).unwrap().record;
    let copy = site.copy(folder.path());
    let elsewhere = copy.withdraw(&site.observer, record).unwrap();
    let log = device.store().tips(None, None).unwrap()[0].log;

    let draft = site.draft("South");
    let (shown, answer) = site.keystore.arm();
    let saving = site.saving(&draft);
    shown.recv_timeout(AMPLE).unwrap();
    hear(device, &copy);
    answer.send(()).unwrap();
    let saved = saving.join().unwrap().unwrap();

    carry(&copy, device);
    assert_eq!(device.store().fork(log).unwrap(), None, "one key signed twice at one place");
    assert!(device.store().entry(elsewhere.entry).unwrap().is_some());
    let stored = device.store().entry(saved.entry).unwrap().unwrap();
    assert_eq!((stored.seq, stored.log == log), (0, false), "it begins a new log");
    assert_eq!(posts(device, saved), [Answer::text("South")]);
    let next = device.save(&site.draft("East")).unwrap();
    assert_eq!(device.store().entry(next.entry).unwrap().unwrap().log, stored.log);
}

#[test]
fn a_peer_that_says_it_knows_more_is_heard_while_a_person_is_asked() {
    overtaken(|device, _| {
        let (device, log) = (Arc::clone(device), device.store().tips(None, None).unwrap()[0].log);
        assert!(in_time(move || device.peer_knows_more(log)).unwrap());
    });
}

#[test]
fn an_entry_that_comes_while_a_person_is_asked_keeps_its_place() {
    overtaken(|device, copy| carry(copy, device));
}
