//! A device that was copied or restored from a backup: it never continues a log that may go on elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use merestone_core::entry::{LogHead, Position, SignedEntry};
use merestone_core::key::{KeyCache, PublicKey};
use merestone_core::roster::Class;
use merestone_node::Device;
use merestone_store::{Batch, LogTip};
use merestone_tests::mission::vault;
use merestone_tests::outpost::{self, open};

use crate::folder::{Home, copy, save};

fn unlocked(folder: &Path, observer: &PublicKey) -> Device {
    let device = open(folder).unwrap();
    device.unlock(&vault(&device), observer).unwrap();
    device
}

fn tips(device: &Device) -> Vec<LogTip> {
    device.store().tips(None, None).unwrap()
}

fn head(tip: &LogTip) -> LogHead {
    LogHead { scope: tip.scope, epoch: tip.epoch, seq: tip.height - 1, id: tip.head.unwrap() }
}

/// What the first entry of a log says of the key's earlier logs.
fn earlier(device: &Device, tip: &LogTip) -> Vec<LogHead> {
    let first = device.store().log_entries(tip.log, 0, 1).unwrap().remove(0);
    let entry = SignedEntry::new(&first.header, first.body.bytes());
    match entry.verify(device.mission(), &mut KeyCache::new()).unwrap().header().position.clone() {
        Position::First { certificate: _, earlier } => earlier,
        Position::Later { prev: _ } => panic!("a log begins with its first entry"),
    }
}

/// Carries everything from one device to another, as a conversation would in the end.
fn carry(from: &Device, to: &Device) {
    for class in Class::ALL {
        let roster = from.authority().roster();
        let ids = roster.ids(class);
        let statements: Vec<Vec<u8>> =
            ids.into_iter().filter_map(|id| roster.bytes(class, id).map(<[u8]>::to_vec)).collect();
        drop(roster);
        to.receive(class, &statements).unwrap();
    }
    let (mut keys, mut records) = (KeyCache::new(), BTreeSet::new());
    for tip in tips(from) {
        let mut batch = Batch::new();
        for stored in from.store().log_entries(tip.log, 0, usize::MAX).unwrap() {
            let entry = SignedEntry::new(&stored.header, stored.body.bytes());
            batch.entry(entry.verify(from.mission(), &mut keys).unwrap());
            records.insert(stored.record);
        }
        to.store().commit(batch).unwrap();
    }
    to.entries_arrived(&records).unwrap();
}

/// What a copy whose marker was changed by `harm` does, and how original and copy come together again.
fn check(harm: impl Fn(&Path)) {
    let home = Home::closed(3);
    let backup = copy(home.path());
    let original = unlocked(home.path(), &home.observer);
    save(&original, &home.observer, "after the backup");
    let [before] = tips(&original)[..] else { panic!("one log") };
    harm(&backup.path().join("install-marker"));

    let restored = unlocked(backup.path(), &home.observer);
    let of = |device: &Device| device.store().identity().unwrap().store;
    assert_ne!(of(&restored), of(&original), "a copy is another store");
    let [known] = tips(&restored)[..] else { panic!("one log") };
    assert_eq!((known.log, known.height), (before.log, 3));
    let first = save(&restored, &home.observer, "on the copy");
    save(&restored, &home.observer, "and again");
    // It stays the log of the copy, also when it is opened again.
    drop(restored);
    let restored = unlocked(backup.path(), &home.observer);
    save(&restored, &home.observer, "and after opening again");

    let all = tips(&restored);
    assert_eq!(all.len(), 2, "the new log beside the old one");
    let new = all.iter().find(|tip| tip.log != before.log).unwrap();
    assert_eq!((new.key, new.scope, new.height), (before.key, before.scope, 3));
    assert_ne!(new.epoch, before.epoch);
    assert_eq!(restored.store().log_entries(new.log, 0, 1).unwrap()[0].id, first);
    assert_eq!(earlier(&restored, new), [head(&known)], "the last head that the copy knew is named");

    // The original is still the original; and where both meet there is no fork.
    save(&original, &home.observer, "meanwhile");
    carry(&restored, &original);
    carry(&original, &restored);
    for device in [&original, &restored] {
        save(device, &home.observer, "after they met");
        let tips = tips(device);
        assert_eq!(tips.len(), 2);
        assert!(tips.iter().all(|tip| tip.branches.is_none() && tip.top == tip.height), "{tips:?}");
    }
    assert_eq!(original.store().tip(before.log).unwrap().unwrap().height, 6);
    assert_eq!(restored.store().tip(new.log).unwrap().unwrap().height, 4);
}

#[test]
fn a_copy_without_its_marker_begins_a_log_of_its_own_before_it_signs() {
    check(|marker| fs::remove_file(marker).unwrap());
}

#[test]
fn a_copy_with_the_marker_of_another_installation_begins_a_log_of_its_own() {
    check(|marker| fs::write(marker, [9; 16]).unwrap());
}

#[test]
fn a_copy_with_a_damaged_marker_begins_a_log_of_its_own() {
    check(|marker| fs::write(marker, []).unwrap());
    check(|marker| fs::write(marker, [9; 17]).unwrap());
}

/// The same phone, put back to an older state with a backup that leaves the marker out, as backups must.
#[test]
fn a_device_put_back_to_an_older_state_writes_no_position_twice() {
    let home = Home::closed(2);
    let backup = copy(home.path());
    fs::remove_file(backup.path().join("install-marker")).unwrap();
    let device = unlocked(home.path(), &home.observer);
    save(&device, &home.observer, "lost with the phone, and held by a peer");
    let peer_folder = tempfile::tempdir().unwrap();
    let peer = outpost::create(&home.mission, peer_folder.path());
    carry(&device, &peer);
    drop(device);

    let restored = unlocked(backup.path(), &home.observer);
    save(&restored, &home.observer, "after the restore");
    carry(&restored, &peer);
    carry(&peer, &restored);
    for device in [&peer, &restored] {
        let mut heights: Vec<u64> = tips(device).iter().map(|tip| tip.height).collect();
        heights.sort_unstable();
        assert_eq!(heights, [1, 3], "nothing is lost and nothing stands at one place with another");
        assert!(tips(device).iter().all(|tip| tip.branches.is_none()));
    }
}
