//! A device that is put to sleep at a bad moment loses nothing that was saved, saves nothing twice, and holds no file.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use common::{Mission, inspection, system, vault};
use merestone_core::id::EntryId;
use merestone_core::key::PublicKey;
use merestone_node::Answer;
use merestone_node::capture::{PhotoSource, SaveError};
use merestone_node::device::{AccessError, Device, Home, NoReplica, OpenDeviceError, PenError, Suspended};
use merestone_node::replica::{End, Meet, Retry, SyncError};
use merestone_store::{OpenError, StoreKey};

/// Longer than any machine takes for it, so that a test fails by what it asserts.
const AMPLE: Duration = Duration::from_secs(120);

#[track_caller]
fn assert_no_file_open(folder: &Path) {
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else { return };
    let targets = all.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let open: Vec<_> = targets.filter(|target| target.starts_with(folder)).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[track_caller]
fn suspend(device: &Arc<Device>, budget: Duration) -> Suspended {
    let suspended = Arc::clone(device).suspend(budget);
    // What had time enough was closed within it, before anybody asks again.
    if budget == AMPLE {
        assert_no_file_open(&device.home().folder);
    }
    suspended.close(AMPLE).unwrap();
    assert_no_file_open(&device.home().folder);
    suspended
}

fn entries(device: &Device) -> BTreeSet<EntryId> {
    let store = device.store();
    let mut found = BTreeSet::new();
    for tip in store.tips(None, None).unwrap() {
        for entry in store.log_entries(tip.log, 0, 4_096).unwrap() {
            assert!(found.insert(entry.id), "nothing is there twice");
        }
    }
    found
}

fn save_one(mission: &Mission, device: &Device, observer: &PublicKey, post: &str) -> EntryId {
    let mut draft = device.begin(observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text(post));
    device.save(&draft).unwrap().entry
}

#[test]
fn a_device_wakes_with_its_keys_unlocked_and_what_was_saved() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = Arc::new(mission.device(home.path(), "a"));
    let olena = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&olena, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = device.put(draft.id, "post", "Bridge").unwrap();
    let saved = device.save(&draft).unwrap();
    let open = device.keep(device.begin(&olena, mission.scope(), inspection()).unwrap()).unwrap();
    let open = device.put(open.id, "post", "Tunnel").unwrap();

    let suspended = suspend(&device, AMPLE);
    assert!(!suspended.was_busy());
    assert!(!format!("{suspended:?}").contains("key"), "{suspended:?}");
    // Whoever still holds the device is answered, and not asked for a passphrase.
    for asked in [&draft, &open] {
        let refused = device.save(asked);
        assert!(matches!(refused, Err(SaveError::Pen(PenError::Access(AccessError::Closed)))), "{refused:?}");
    }
    assert!(matches!(device.drafts(None), Err(AccessError::Closed)));
    assert!(matches!(device.replica(&olena), Err(NoReplica::Closed)));

    let awake = suspended.resume().unwrap();
    assert!(matches!(suspended.resume(), Err(OpenDeviceError::Store(OpenError::AlreadyOpen { .. }))));
    drop(suspended);
    assert!(awake.observers()[0].is_unlocked);
    // A person who taps twice, once before and once after, made one entry.
    assert_eq!(awake.save(&draft).unwrap(), saved);
    let open = awake.put(open.id, "post", "Ferry").unwrap();
    let second = awake.save(&open).unwrap();
    assert_eq!(entries(&awake), BTreeSet::from([saved.entry, second.entry]));
    assert!(awake.drafts(None).unwrap().is_empty());

    let awake = Arc::new(awake);
    let suspended = suspend(&awake, AMPLE);
    suspended.lock();
    let locked = suspended.resume().unwrap();
    assert!(!locked.observers()[0].is_unlocked);
    locked.unlock(&vault(&locked, "one"), &olena).unwrap();
}

#[test]
fn locking_and_unlocking_reach_the_device_that_wakes_whichever_handle_they_come_by() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let before = Arc::new(mission.device(home.path(), "a"));
    let olena = mission.enrol(&before, 0, "Olena", "one");
    let suspended = suspend(&before, AMPLE);
    let awake = suspended.resume().unwrap();
    drop(suspended);
    assert!(awake.observers()[0].is_unlocked);
    // A call that began before the device slept ends after it woke.
    before.lock();
    assert!(!awake.observers()[0].is_unlocked);
    assert!(awake.save(&awake.begin(&olena, mission.scope(), inspection()).unwrap()).is_err());
    before.unlock(&vault(&before, "one"), &olena).unwrap();
    assert!(awake.observers()[0].is_unlocked);
    awake.lock();
    assert!(!before.observers()[0].is_unlocked, "nobody holds a key that the person locked");

    let awake = Arc::new(awake);
    awake.unlock(&vault(&awake, "one"), &olena).unwrap();
    drop(suspend(&awake, AMPLE));
    assert!(!awake.observers()[0].is_unlocked, "nobody wakes it any more");
}

#[test]
fn a_device_put_to_sleep_while_it_saves_keeps_what_was_answered_and_nothing_else() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let mut device = Arc::new(mission.device(home.path(), "a"));
    let olena = mission.enrol(&device, 0, "Olena", "one");
    let mut saved = BTreeSet::new();
    for (round, budget) in [AMPLE, Duration::ZERO, AMPLE, Duration::from_millis(2)].into_iter().enumerate() {
        let (began, begun) = mpsc::channel();
        let (scope, at_work) = (mission.scope(), Arc::clone(&device));
        let writer = thread::spawn(move || {
            let mut durable = BTreeSet::new();
            let mut drafts = (0..).map(|n| {
                let draft = at_work.keep(at_work.begin(&olena, scope, inspection()).ok()?).ok()?;
                at_work.put(draft.id, "post", format!("{round} {n}").as_str()).ok()
            });
            loop {
                let Some(Some(draft)) = drafts.next() else { return (durable, None) };
                match at_work.save(&draft) {
                    Ok(saved) => assert!(durable.insert(saved.entry)),
                    Err(_) => return (durable, Some(draft)),
                }
                if durable.len() == 3 {
                    began.send(()).unwrap();
                }
            }
        });
        begun.recv().unwrap();
        let suspended = suspend(&device, budget);
        let (durable, unsaved) = writer.join().unwrap();
        saved.extend(durable);
        device = Arc::new(suspended.resume().unwrap());
        assert_eq!(entries(&device), saved, "round {round}");
        // The one that was refused can be saved now, once.
        if let Some(draft) = unsaved {
            let (once, twice) = (device.save(&draft).unwrap(), device.save(&draft).unwrap());
            assert_eq!(once, twice);
            saved.insert(once.entry);
        }
        assert_eq!(entries(&device), saved, "round {round}");
    }
}

fn localhost() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A JPEG that is large enough to be on its way for a while, by what is appended to it.
fn large_photo(seed: u8, bytes: usize) -> Vec<u8> {
    let mut photo = Vec::new();
    let image = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8, y as u8, seed]));
    image.write_to(&mut std::io::Cursor::new(&mut photo), image::ImageFormat::Jpeg).unwrap();
    let mut state = u64::from(seed) + 1;
    while photo.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        photo.extend_from_slice(&state.to_be_bytes());
    }
    photo
}

fn photograph(mission: &Mission, device: &Device, observer: &PublicKey, seed: u8) -> EntryId {
    let draft = device.keep(device.begin(observer, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = device.put(draft.id, "post", format!("Post {seed}").as_str()).unwrap();
    let photo = large_photo(seed, 3_000_000);
    let attached = device.attach(draft.id, PhotoSource::Bytes(&photo), None, None).unwrap();
    device.save(&attached.draft).unwrap().entry
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_put_to_sleep_while_they_meet_go_on_and_hold_the_same_in_the_end() {
    let (mission, [home_a, home_b]) = (Mission::found(), [(); 2].map(|()| tempfile::tempdir().unwrap()));
    let mut a = Arc::new(mission.device(home_a.path(), "a"));
    let mut b = Arc::new(mission.device(home_b.path(), "b"));
    let (olena, karim) = (mission.enrol(&a, 0, "Olena", "one"), mission.enrol(&b, 1, "Karim", "two"));
    common::carry(&a, &b);
    common::carry(&b, &a);
    let mut all: BTreeSet<EntryId> = (0..6).map(|seed| photograph(&mission, &a, &olena, seed)).collect();
    all.extend((0..30).map(|n| save_one(&mission, &b, &karim, &format!("Post {n}"))));

    // The caller sleeps, then the one that answers, then both at once.
    for round in 0..3 {
        let (calling, answering) = (a.replica(&olena).unwrap(), b.replica(&karim).unwrap());
        let serving = answering.serve(answering.bind(localhost()).unwrap()).unwrap();
        let meet = Meet::new(serving.address(), answering.transport_key());
        let mut meeting = calling.sync_with(meet.clone());
        // Something moved, and much is still on its way.
        while meeting
            .changed()
            .await
            .is_some_and(|state| state.progress.entries_sent + state.progress.entries_received == 0)
        {}
        let (one, other) = (Arc::clone(&a), Arc::clone(&b));
        let slept = tokio::task::spawn_blocking(move || {
            let budget = if round == 2 { Duration::ZERO } else { AMPLE };
            let a = (round != 1).then(|| suspend(&one, budget));
            let b = (round != 0).then(|| suspend(&other, budget));
            (a, b)
        });
        let (slept_a, slept_b) = slept.await.unwrap();
        let outcome = meeting.outcome().await;
        if round != 1 {
            let ended = outcome.as_ref().is_ok_and(|outcome| {
                matches!(outcome.end, End::Stopped | End::Done | End::Storage(AccessError::Closed))
            });
            assert!(ended || matches!(outcome, Err(SyncError::Closed)), "{outcome:?}");
            let again = calling.sync_until_done(meet, Retry::default()).await;
            assert!(matches!(again, Err(SyncError::Closed)), "{again:?}");
        }
        if let Some(suspended) = slept_a {
            assert!(suspended.was_busy() || round == 2);
            a = Arc::new(suspended.resume().unwrap());
        }
        if let Some(suspended) = slept_b {
            b = Arc::new(suspended.resume().unwrap());
        }
        drop(serving);
        assert!(entries(&a).is_subset(&all) && entries(&b).is_subset(&all));
    }

    let (calling, answering) = (a.replica(&olena).unwrap(), b.replica(&karim).unwrap());
    let serving = answering.serve(answering.bind(localhost()).unwrap()).unwrap();
    let meet = Meet::new(serving.address(), answering.transport_key());
    let outcome = calling.sync_until_done(meet, Retry::default()).await.unwrap();
    assert!(outcome.is_fully_synced, "{outcome:?}");
    serving.stop().await;
    assert_eq!((entries(&a), entries(&b)), (all.clone(), all));
    let census = b.store().check().unwrap();
    assert!(census.aside.is_empty() && census.structure.is_empty() && census.blobs >= 6, "{census:?}");
}

/// Says why not, with all causes.
fn write_bag(device: &Device, path: &Path) -> Result<(), String> {
    let written = merestone_node::bag::write(device.store(), device.authority(), None, path);
    written.map(drop).map_err(|error| format!("{error:?}").to_lowercase())
}

#[test]
fn a_bag_that_is_being_written_when_the_device_sleeps_fails_and_is_written_after_it() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = Arc::new(mission.device(home.path(), "a"));
    let olena = mission.enrol(&device, 0, "Olena", "one");
    for seed in 0..8 {
        photograph(&mission, &device, &olena, seed);
    }
    let out = tempfile::tempdir().unwrap();
    let (began, begun) = mpsc::channel();
    let (at_work, target) = (Arc::clone(&device), out.path().to_owned());
    let writer = thread::spawn(move || {
        for n in 0.. {
            let path = target.join(n.to_string());
            if let Err(error) = write_bag(&at_work, &path) {
                return (error, path);
            }
            began.send(()).unwrap();
        }
        unreachable!("it fails before it counts to the end")
    });
    begun.recv().unwrap();
    let suspended = suspend(&device, AMPLE);
    let (error, path) = writer.join().unwrap();
    assert!(error.contains("closed"), "{error}");
    assert!(!path.exists(), "what is not whole has no name of a bag");
    let awake = suspended.resume().unwrap();
    write_bag(&awake, &path).unwrap();
}

#[test]
fn a_device_that_cannot_wake_yet_can_later() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = Arc::new(mission.device(home.path(), "a"));
    mission.enrol(&device, 0, "Olena", "one");
    let suspended = suspend(&device, AMPLE);
    let other = Device::open(&Home::new(home.path()), StoreKey::from_bytes([0; 32]), system("b")).unwrap();
    assert!(matches!(suspended.resume(), Err(OpenDeviceError::Store(OpenError::AlreadyOpen { .. }))));
    drop(other);
    assert!(suspended.resume().unwrap().observers()[0].is_unlocked);
}
