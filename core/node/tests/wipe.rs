//! Removing a device: keys first, other people's files never, and a kill on the way leaves nothing that opens or signs.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Mission, inspection, store_key, system};
use merestone_node::capture::PhotoSource;
use merestone_node::device::{CreateError, Device, Home, OpenDeviceError, WipeError, Wiped, wipe};
use merestone_store::OpenError;

/// Every file under a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let Ok(all) = fs::read_dir(folder) else { return found };
    for path in all.flatten().map(|entry| entry.path()) {
        if path.is_dir() { found.extend(files(&path)) } else { found.extend([path]) }
    }
    found
}

/// A device with an observer, a draft, and a record with a photo; its marker lies beside its folder.
fn phone(mission: &Mission, folder: &Path) -> Home {
    let home = Home { folder: folder.join("phone"), marker: folder.join("no-backup/marker") };
    let device = Device::create(&home, store_key(), mission.charter.as_bytes(), system("a")).unwrap();
    let olena = mission.enrol(&device, 0, "Olena", "one");
    mission.enrol(&device, 0, "Piotr", "two");
    let draft = device.keep(device.begin(&olena, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = device.put(draft.id, "post", "Bridge").unwrap();
    let mut photo = Vec::new();
    image::RgbImage::new(32, 32).write_to(&mut std::io::Cursor::new(&mut photo), image::ImageFormat::Jpeg).unwrap();
    let attached = device.attach(draft.id, PhotoSource::Bytes(&photo), None, None).unwrap();
    device.save(&attached.draft).unwrap();
    device.keep(device.begin(&olena, mission.scope(), inspection()).unwrap()).unwrap();
    home
}

#[test]
fn a_wiped_device_leaves_nothing_and_another_may_be_made_in_its_place() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    assert!(files(dir.path()).len() > 5);
    assert_eq!(wipe(&home).unwrap(), Wiped::default());
    assert_eq!(files(dir.path()), BTreeSet::new());
    assert!(!home.folder.exists());
    assert_eq!(wipe(&home).unwrap(), Wiped::default(), "again changes nothing");
    let home = phone(&mission, dir.path());
    Device::open(&home, store_key(), system("b")).unwrap();
}

#[test]
fn a_device_that_is_open_is_not_wiped() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let device = Arc::new(Device::open(&home, store_key(), system("b")).unwrap());
    let before = files(dir.path());
    let refused = wipe(&home);
    assert!(matches!(refused, Err(WipeError::Store(OpenError::AlreadyOpen { .. }))), "{refused:?}");
    assert_eq!(files(dir.path()), before);
    // Asleep it is.
    let suspended = Arc::clone(&device).suspend(Duration::from_secs(120));
    assert_eq!(wipe(&home).unwrap(), Wiped::default());
    assert!(matches!(suspended.resume(), Err(OpenDeviceError::Store(OpenError::Missing { .. }))));
    drop((device, suspended));
    assert_eq!(files(dir.path()), BTreeSet::new());
}

#[test]
fn files_of_others_stay_and_are_named() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let elsewhere = dir.path().join("elsewhere");
    fs::write(&elsewhere, b"theirs").unwrap();
    let mut theirs = Vec::new();
    for name in [
        "letter.txt",
        "keys/readme",
        "keys/ab.key",
        "store/notes",
        "store/blobs/ab/cd",
        "store/blobs/x",
        "store/aside/1.0",
    ] {
        let path = home.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"theirs").unwrap();
        theirs.push(path);
    }
    #[cfg(unix)]
    {
        let link = home.keys().join(format!("{}.key", "a".repeat(64)));
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        theirs.push(link);
    }
    theirs.sort_unstable();
    let wiped = wipe(&home).unwrap();
    assert_eq!(wiped.left, theirs);
    assert!(theirs.iter().all(|path| fs::read(path).unwrap() == b"theirs"));
    let rest: BTreeSet<PathBuf> = files(dir.path()).into_iter().filter(|path| *path != elsewhere).collect();
    assert_eq!(rest, theirs.into_iter().collect(), "and nothing else does");
}

#[test]
fn files_that_only_have_the_names_of_a_devices_files_stay() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let marker = dir.path().join("state.id");
    for (path, bytes) in [(&marker, &b"sixteen or more bytes"[..]), (&dir.path().join("state.tmp"), b"theirs")] {
        fs::write(path, bytes).unwrap();
    }
    let before = files(dir.path());
    // Neither where there is no folder, nor where nothing of a device lies in it.
    let empty = dir.path().join("empty");
    for folder in [dir.path().join("gone"), empty.clone()] {
        assert_eq!(wipe(&Home { folder, marker: marker.clone() }).unwrap(), Wiped::default());
        assert_eq!(files(dir.path()), before);
        fs::create_dir_all(&empty).unwrap();
    }
    assert!(empty.is_dir());

    // A file `wiping` of somebody else's makes no phone a half wiped one.
    let home = phone(&mission, dir.path());
    let theirs = home.folder.join("wiping");
    fs::write(&theirs, b"theirs").unwrap();
    drop(Device::open(&home, store_key(), system("b")).unwrap());
    fs::write(&home.marker, b"not what a marker is").unwrap();
    assert_eq!(wipe(&home).unwrap().left, std::slice::from_ref(&theirs));
    assert_eq!(fs::read(theirs).unwrap(), b"theirs");
    assert_eq!(fs::read(&home.marker).unwrap(), b"not what a marker is");
    assert_eq!(fs::read(dir.path().join("state.tmp")).unwrap(), b"theirs");
}

#[cfg(unix)]
#[test]
fn keys_behind_a_link_are_named_and_stay() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(home.keys(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, home.keys()).unwrap();
    assert_eq!(wipe(&home).unwrap().left, [home.keys()]);
    assert_eq!(files(&elsewhere).len(), 2);
}

#[test]
fn a_folder_with_another_programs_database_is_not_wiped() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let database = home.folder.join("store/store.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[68..72].copy_from_slice(b"ELSE");
    fs::write(&database, &bytes).unwrap();
    let before = files(dir.path());
    let refused = wipe(&home);
    assert!(matches!(refused, Err(WipeError::Store(OpenError::Foreign { .. }))), "{refused:?}");
    assert_eq!(files(dir.path()), before);
    // A damaged one of our own goes like a sound one.
    fs::write(&database, b"damaged").unwrap();
    assert_eq!(wipe(&home).unwrap(), Wiped::default());
}

/// Key files of a phone.
fn keys(home: &Home) -> usize {
    files(&home.keys()).len()
}

#[test]
fn the_keys_of_an_open_device_go_first_and_it_is_not_opened_again() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let device = Device::open(&home, store_key(), system("b")).unwrap();
    let held = home.keys_held().unwrap();
    let mut observers: Vec<_> = device.observers().iter().map(|observer| *observer.key.as_bytes()).collect();
    observers.sort_unstable();
    assert_eq!((held.len(), &held), (2, &observers));
    device.wipe_keys().unwrap();
    assert_eq!((keys(&home), home.keys_held().unwrap()), (0, held), "a keystore can still be told which were wiped");
    assert!(home.marker.exists(), "the rest is removed by a wipe");
    drop(device);
    let opened = Device::open(&home, store_key(), system("c"));
    assert!(matches!(opened, Err(OpenDeviceError::HalfWiped { .. })), "{opened:?}");
    assert_eq!(wipe(&home).unwrap(), Wiped::default());
    assert_eq!(files(dir.path()), BTreeSet::new());
}

/// A program that runs lets nobody write its file, not even the superuser.
#[cfg(target_os = "linux")]
#[test]
fn a_key_file_that_lets_nobody_write_goes_with_the_others() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let home = phone(&mission, dir.path());
    let running = home.keys().join(format!("{}.key", "0".repeat(64)));
    // By another process: this one may be forking, and the copy would be open in its child.
    assert!(Command::new("cp").arg("/bin/sleep").arg(&running).status().unwrap().success());
    let mut program = Command::new(&running).arg("600").spawn().unwrap();
    let refused = fs::File::options().write(true).open(&running);
    let wiped = wipe(&home);
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(refused.is_err(), "a file that cannot be overwritten");
    assert_eq!(wiped.unwrap(), Wiped::default());
    assert_eq!(files(dir.path()), BTreeSet::new());
}

/// Enough that removing them takes a while.
const PHOTOS: usize = 600;

const VICTIM: &str = "MERESTONE_WIPE_OF_PARENT";

fn begin_wipe(home: &Home) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_wipe_that_is_killed_leaves_nothing_that_opens_and_another_ends_it"])
        .env(VICTIM, &home.folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_wipe_that_is_killed_leaves_nothing_that_opens_and_another_ends_it() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        let folder = PathBuf::from(folder);
        let marker = folder.parent().unwrap().join("no-backup/marker");
        wipe(&Home { folder, marker }).unwrap();
        return;
    }
    let mission = Mission::found();
    type Moment = fn(&Home) -> bool;
    let moments: [(&str, Moment); 5] = [
        ("begun", |home| home.folder.join("wiping").exists()),
        ("keys", |home| files(&home.keys()).is_empty()),
        ("marker", |home| !home.marker.exists()),
        ("database", |home| !home.folder.join("store/store.db").exists()),
        ("half of the photos", |home| files(&home.folder.join("store/blobs")).len() < 300),
    ];
    let (mut cut_short, mut rest_begun) = (0, 0);
    for (name, has_come) in moments {
        let dir = tempfile::tempdir().unwrap();
        let home = phone(&mission, dir.path());
        for n in 0..PHOTOS {
            let hash = merestone_core::id::sha256(&[&n.to_be_bytes()]);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let folder = home.folder.join("store/blobs").join(&hash[..2]);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(hash), b"photo").unwrap();
        }
        let mut victim = begin_wipe(&home);
        while !has_come(&home) {
            std::thread::yield_now();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        let is_cut_short = home.folder.exists();
        cut_short += usize::from(is_cut_short);
        if is_cut_short {
            let photos = files(&home.folder.join("store/blobs")).len();
            let is_rest_begun =
                !home.marker.exists() || !home.folder.join("store/store.db").exists() || photos < PHOTOS;
            rest_begun += usize::from(is_rest_begun);
            assert!(!is_rest_begun || keys(&home) == 0, "{name}: keys go before anything else");
            let opened = Device::open(&home, store_key(), system("b"));
            assert!(matches!(opened, Err(OpenDeviceError::HalfWiped { .. })), "{name}: {opened:?}");
            let made = Device::create(&home, store_key(), mission.charter.as_bytes(), system("b"));
            assert!(matches!(made, Err(CreateError::Open(OpenDeviceError::HalfWiped { .. }))), "{name}: {made:?}");
        }
        assert_eq!(wipe(&home).unwrap(), Wiped::default(), "{name}");
        assert_eq!(files(dir.path()), BTreeSet::new(), "{name}");
        phone(&mission, dir.path());
    }
    assert!(cut_short >= 2 && rest_begun >= 1, "the moments are caught on the way: {cut_short}, {rest_begun}");
}
