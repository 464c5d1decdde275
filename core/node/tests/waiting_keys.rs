//! A keystore that waits for a person: whoever needs nothing of it goes on meanwhile, and the device can be locked and closed.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::asking::{AMPLE, Asking, in_time};
use common::{Mission, store_key, system};
use merestone_core::roster::{Class, CutDraft, CutReason, Role};
use merestone_node::device::{Device, Home, NoReplica, ObserverState};
use merestone_node::office::PartyOffice;
use merestone_node::vault::KeystoreFiles;

#[test]
fn a_prompt_for_an_acknowledgement_keeps_nobody_waiting() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = Arc::new(mission.device(dir.path(), "a"));
    let keystore = Arc::new(Asking::new());
    let files = KeystoreFiles::new(&device.home().keys(), Arc::clone(&keystore) as _);
    let request = device.request(&files, "Olena", "Phone").unwrap();
    device.accept(&mission.certify(0, &request.text, Role::Reviewer)).unwrap();
    let karim = mission.enrol(&device, 1, "Karim", "one");
    let draft = CutDraft { key: karim.as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = PartyOffice::new(&mission.roots[1]).cut(&mission.charter, &draft).unwrap();

    // Another party's cut is held, of which somebody of this party is to say so.
    device.receive(Class::Cut, &[cut.as_bytes().to_vec()]).unwrap();
    let (shown, answer) = keystore.arm();
    let (opening, olena) = (Arc::clone(&device), request.key);
    let opening = thread::spawn(move || opening.replica(&olena));
    shown.recv_timeout(AMPLE).unwrap();

    let anna = in_time({
        let (device, folder) = (Arc::clone(&device), dir.path().join("other"));
        let other = mission.device(&folder, "b");
        mission.enrol(&other, 2, "Anna", "two");
        let roster = other.authority().roster();
        let certificate = roster.certificates().next().unwrap().clone();
        drop(roster);
        move || {
            let received = device.receive(Class::Certificate, &[certificate.as_bytes().to_vec()]).unwrap();
            assert_eq!(received.new, [certificate.id()]);
            (certificate, device.observers())
        }
    });
    let (certificate, observers) = anna;
    assert!(device.authority().roster().certificate(certificate.id()).is_some());
    assert!(observers.iter().any(|one| one.key == karim && matches!(one.state, ObserverState::Cut { .. })));
    let locking = Arc::clone(&device);
    in_time(move || locking.lock());
    assert!(device.observers().iter().all(|one| !one.is_unlocked));
    let closing = Arc::clone(&device);
    let suspended = in_time(move || closing.suspend(AMPLE));
    suspended.close(Duration::ZERO).unwrap();

    answer.send(()).unwrap();
    let replica = opening.join().unwrap();
    assert!(matches!(replica, Ok(_) | Err(NoReplica::Closed)), "{replica:?}");
    drop((replica, suspended, device));
    let device = Device::open(&Home::new(dir.path()), store_key(), system("c")).unwrap();
    assert_eq!(device.authority().roster().acknowledgements().count(), 0, "it was closed before the person answered");
}
