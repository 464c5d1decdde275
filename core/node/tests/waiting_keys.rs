//! A keystore that waits for a person: whoever needs nothing of it goes on meanwhile, and the device can be locked and closed.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{Mission, store_key, system};
use merestone_core::key::{SIGNATURE_BYTES, SigningKey};
use merestone_core::roster::{Class, CutDraft, CutReason, Role};
use merestone_node::device::{Device, Home, NoReplica, ObserverState};
use merestone_node::office::PartyOffice;
use merestone_node::vault::{Keystore, KeystoreError, KeystoreFiles};
use zeroize::Zeroizing;

/// Longer than any machine takes for it, so that a test fails by what it asserts.
const AMPLE: Duration = Duration::from_secs(60);

/// Holds one key, and once it is [armed](Self::arm) asks a person before each signature.
struct Asking {
    key: SigningKey,
    prompt: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Asking {
    fn new() -> Self {
        Self { key: SigningKey::from_seed(&[77; 32]), prompt: Mutex::default() }
    }

    /// What hears of the next prompt, and what answers it.
    fn arm(&self) -> (Receiver<()>, Sender<()>) {
        let ((shows, shown), (answer, answered)) = (mpsc::channel(), mpsc::channel());
        *self.prompt.lock().unwrap() = Some((shows, answered));
        (shown, answer)
    }
}

impl Keystore for Asking {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, KeystoreError> {
        Ok(secret.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        Ok(Zeroizing::new(wrapped.to_vec()))
    }

    fn make_signing_key(&self) -> Result<Option<[u8; 32]>, KeystoreError> {
        Ok(Some(*self.key.public().as_bytes()))
    }

    fn sign(&self, _: &[u8; 32], message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], KeystoreError> {
        let prompt = self.prompt.lock().unwrap().take();
        if let Some((shows, answered)) = prompt {
            shows.send(()).unwrap();
            answered.recv().unwrap();
        }
        Ok(self.key.sign(message))
    }
}

/// What `work` gives, if nothing keeps it from ending.
#[track_caller]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(work()));
    receive.recv_timeout(AMPLE).expect("nothing waits for the person")
}

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
