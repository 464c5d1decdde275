//! Files that are newer, cut short, of something else or damaged: one clear error each, and nothing is touched.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use merestone_node::Device;
use merestone_node::device::{AccessError, OpenDeviceError, UnlockError};
use merestone_node::records::RecordFilter;
use merestone_node::vault::{KeyFileFault, VaultError};
use merestone_store::OpenError;
use merestone_tests::chance::Chance;
use merestone_tests::mission::vault;
use merestone_tests::outpost::open;
use rusqlite::Connection;

use crate::folder::{Home, copy, files, said, save};

fn database(home: &Path) -> PathBuf {
    home.join("store/store.db")
}

/// Changes a file's bytes.
fn change(path: &Path, with: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    with(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Puts `new` wherever `old` stands.
fn rename(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
}

/// The device in `home` is refused, in one line, and everything in it is as before.
fn refused(home: &Path, what: &str) -> OpenDeviceError {
    let before = files(home);
    let error = open(home).err().unwrap_or_else(|| panic!("{what}: the device opens"));
    let line = said(&error);
    println!("{what}: {line}");
    assert!(!line.is_empty() && !line.contains(char::is_control), "{what}: {line}");
    let after = files(home);
    for (path, bytes) in &before {
        assert_eq!(after.get(path), Some(bytes), "{what}: {} was touched", path.display());
    }
    // SQLite looks into a file by way of an index and an empty log beside it.
    let mut new = after.iter().filter(|(path, _)| !before.contains_key(*path));
    assert!(new.all(|(path, bytes)| path.ends_with("store.db-shm") || bytes.is_empty()), "{what}: more was made");
    error
}

const NEWER: u32 = 99;

/// Writes a format number into the header of a database file (https://www.sqlite.org/fileformat.html, user version).
fn make_newer(database: &Path) {
    change(database, |bytes| bytes[60..64].copy_from_slice(&NEWER.to_be_bytes()));
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_byte_for_byte() {
    let home = Home::closed(2);
    let newer = |error| {
        let OpenDeviceError::Store(OpenError::Newer { found, known, .. }) = error else { panic!("{error:?}") };
        assert!((found, known < found) == (NEWER, true));
    };
    let closed = copy(home.path());
    make_newer(&database(closed.path()));
    newer(refused(closed.path(), "newer, closed"));
    // Twice: the first attempt left nothing that changes the second.
    newer(refused(closed.path(), "newer, again"));

    // As a kill leaves it: the newest commits are in the write-ahead log only.
    let device = open(home.path()).unwrap();
    device.unlock(&vault(&device), &home.observer).unwrap();
    save(&device, &home.observer, "in the log");
    let killed = copy(home.path());
    drop(device);
    assert!(killed.path().join("store/store.db-wal").metadata().unwrap().len() > 0);
    make_newer(&database(killed.path()));
    newer(refused(killed.path(), "newer, killed"));
}

#[test]
fn a_database_that_is_no_sound_store_is_one_clear_error_and_stays_as_it_is() {
    let home = Home::closed(3);
    let check = |what: &str, harm: &dyn Fn(&Path), is_right: &dyn Fn(&OpenError) -> bool| {
        let copy = copy(home.path());
        harm(&database(copy.path()));
        let OpenDeviceError::Store(error) = refused(copy.path(), what) else { panic!("{what}: no error of the store") };
        assert!(is_right(&error), "{what}: {error:?}");
    };
    let write = |bytes: &'static [u8]| move |path: &Path| fs::write(path, bytes).unwrap();
    let cut = |keep: fn(usize) -> usize| move |path: &Path| change(path, |bytes| bytes.truncate(keep(bytes.len())));
    let is_missing = |error: &OpenError| matches!(error, OpenError::Missing { .. });
    let is_foreign = |error: &OpenError| matches!(error, OpenError::Foreign { .. });
    let is_damaged = |error: &OpenError| matches!(error, OpenError::Damaged { .. });

    check("gone", &|path| fs::remove_file(path).unwrap(), &is_missing);
    check("empty", &write(b""), &is_missing);
    check("a text", &write(b"Dear colleagues,\n"), &is_foreign);
    check("a long text", &write(&[b'x'; 20_000]), &is_foreign);
    check("zeros", &write(&[0; 8_192]), &is_foreign);
    check(
        "the database of something else",
        &|path| {
            fs::remove_file(path).unwrap();
            let other = Connection::open(path).unwrap();
            other.execute_batch("CREATE TABLE contact (name TEXT); INSERT INTO contact VALUES ('Anna')").unwrap();
        },
        &is_foreign,
    );
    check("of another application", &|path| change(path, |bytes| bytes[68..72].copy_from_slice(b"OTHR")), &is_foreign);
    check("cut in its header", &cut(|_| 50), &is_foreign);
    check("cut after its header", &cut(|_| 100), &|error| is_damaged(error) || is_foreign(error));
    check("cut to one page", &cut(|_| 4_096), &is_damaged);
    check("cut in half", &cut(|bytes| bytes / 2), &is_damaged);
    check("its last page gone", &cut(|bytes| bytes - 4_096), &is_damaged);
    check("a column of another name", &|path| change(path, |bytes| rename(bytes, b"arrived", b"arrivee")), &is_damaged);
    check(
        "a control character in its schema",
        &|path| change(path, |bytes| rename(bytes, b"STRICT", b"STR\x1bCT")),
        &is_damaged,
    );
    check("its schema overwritten", &|path| change(path, |bytes| bytes[100..4_096].fill(0xa5)), &is_damaged);
}

/// Any byte of the database: the device is refused, or opens and shows nothing that does not verify. So it is with a
/// file that is cut inside its last page, which SQLite fills up with zeros: a kill may leave such a file beside a log
/// that mends it, so that its length alone is no reason to refuse it.
#[test]
fn a_flipped_byte_anywhere_never_panics_never_deletes_and_never_passes_for_evidence() {
    let seed = Chance::seed_from("MERESTONE_FLIPS_SEED");
    println!("replay with MERESTONE_FLIPS_SEED={seed}");
    let (home, mut chance) = (Home::closed(6), Chance::new(seed));
    let sound: Vec<_> = entries(&open(home.path()).unwrap()).unwrap();
    assert_eq!(sound.len(), 6);
    let bytes = fs::metadata(database(home.path())).unwrap().len();
    let (mut refused, mut read) = (0, 0);
    for n in 0..80 {
        let copy = copy(home.path());
        let (at, bit) = (chance.below(bytes), chance.below(8));
        change(&database(copy.path()), |bytes| match n {
            0..72 => bytes[usize::try_from(at).unwrap()] ^= 1 << bit,
            _ => bytes.truncate(bytes.len() - 1 - usize::try_from(at % 4_095).unwrap()),
        });
        let before = files(copy.path());
        match open(copy.path()).map_err(|error| said(&error)).and_then(|device| read_all(&device)) {
            Ok(found) => {
                assert!(found.iter().all(|entry| sound.contains(entry)), "byte {at}: an entry that nobody signed");
                read += 1;
            }
            Err(line) => {
                assert!(!line.contains('\n'), "byte {at}: {line}");
                refused += 1;
            }
        }
        let after = files(copy.path());
        assert!(before.keys().all(|path| after.contains_key(path)), "byte {at}: a file is gone");
    }
    println!("{refused} refused, {read} read");
}

/// A scan meets the row and a search by its key does not, because the key in the row is another: setting the row aside is
/// a search, and must not be tried for ever.
#[test]
fn a_damaged_row_that_no_search_finds_is_told() {
    let home = Home::closed(20);
    let last = entries(&open(home.path()).unwrap()).unwrap().remove(19).1;
    change(&database(home.path()), |bytes| {
        let header = bytes.windows(last.len()).position(|part| part == last).unwrap();
        // The key of entry 19 of log 1, `1 << 23 | 19 << 3`, as the SQLite file format writes a number: 7 bits a byte.
        let key = bytes[..header].windows(4).rposition(|part| part == [0x84, 0x80, 0x81, 0x18]).unwrap();
        assert!(header - key < 4_096, "both stand in one row");
        // Key 0 would stand at the other end of the tree.
        bytes[key..key + 4].copy_from_slice(&[0x80, 0x80, 0x80, 0]);
        bytes[header + 40] ^= 1;
    });
    let line = read_all(&open(home.path()).unwrap()).unwrap_err();
    assert_eq!(line, "the store is damaged");
}

type Shown = (merestone_core::id::EntryId, Vec<u8>);

fn entries(device: &Device) -> Result<Vec<Shown>, String> {
    let told = |error: &dyn Error| said(error);
    let mut found = Vec::new();
    for tip in device.store().tips(None, None).map_err(|error| told(&error))? {
        let page = device.store().log_entries(tip.log, 0, usize::MAX).map_err(|error| told(&error))?;
        found.extend(page.into_iter().map(|entry| (entry.id, entry.header)));
    }
    Ok(found)
}

/// Everything that a person would look at.
fn read_all(device: &Device) -> Result<Vec<Shown>, String> {
    let found = entries(device)?;
    device.list(&RecordFilter::default(), None, 100).map_err(|error| said(&error))?;
    for (id, _) in &found {
        let Some(entry) = device.store().entry(*id).map_err(|error| said(&error))? else { continue };
        device.history(entry.record).map_err(|error| said(&error))?;
        device.record(entry.record).map_err(|error| said(&error))?;
    }
    device.drafts(None).map_err(|error| said(&error))?;
    device.store().check().map_err(|error| said(&error))?;
    Ok(found)
}

/// What the device itself keeps in the store is unsigned, so only its form shows damage.
#[test]
fn damaged_notes_of_a_device_never_hide_an_observer_and_never_continue_a_log() {
    let home = Home::closed(2);
    let harmed = |name: &str| {
        let copy = copy(home.path());
        let connection = Connection::open(database(copy.path())).unwrap();
        let sql = "UPDATE setting SET value = substr(value, 1, length(value) - 1) WHERE name LIKE ?1";
        assert_eq!(connection.execute(sql, [name]).unwrap(), 1, "{name}");
        drop(connection);
        copy
    };
    let observers = refused(harmed("node/observers").path(), "the list of observers");
    assert!(matches!(observers, OpenDeviceError::Access(AccessError::Damaged)), "{observers:?}");
    for name in ["node/install", "node/log/%"] {
        let copy = harmed(name);
        let device = open(copy.path()).unwrap();
        device.unlock(&vault(&device), &home.observer).unwrap();
        save(&device, &home.observer, "in a log of its own");
        let mut heights: Vec<u64> = device.store().tips(None, None).unwrap().iter().map(|tip| tip.height).collect();
        heights.sort_unstable();
        assert_eq!(heights, [1, 2], "{name}");
    }
}

#[test]
fn a_key_file_that_is_not_whole_is_one_clear_error_and_stays_as_it_is() {
    let home = Home::closed(0);
    let device = open(home.path()).unwrap();
    let path = device.home().keys().join(format!("{}.key", home.observer));
    let sound = fs::read(&path).unwrap();
    let check = |what: &str, bytes: &[u8], is_right: &dyn Fn(KeyFileFault) -> bool| {
        fs::write(&path, bytes).unwrap();
        let error = device.unlock(&vault(&device), &home.observer).unwrap_err();
        assert!(!said(&error).contains('\n'));
        let UnlockError::Vault(VaultError::KeyFile { path: named, fault }) = error else { panic!("{what}: {error:?}") };
        assert!(named == path && is_right(fault), "{what}: {fault:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{what}: the file was touched");
        assert!(!device.observers()[0].is_unlocked);
    };
    let is_foreign = |fault| fault == KeyFileFault::Foreign;
    let is_damaged = |fault| fault == KeyFileFault::Damaged;
    let is_either = |fault| is_foreign(fault) || is_damaged(fault);

    check("empty", b"", &is_foreign);
    check("a text", b"-----BEGIN PRIVATE KEY-----\n", &is_foreign);
    check("too long", &[0; 100_000], &is_foreign);
    for len in 1..sound.len() {
        check("cut", &sound[..len], &is_either);
    }
    check("longer", &[&sound[..], b"\n"].concat(), &is_damaged);
    // The version: the number after the array of eight and the label of 17 letters.
    let at = 2 + "merestone/keyfile".len();
    let mut newer = sound.clone();
    assert_eq!(newer[at], 1);
    newer[at] = 3;
    check("newer", &newer, &|fault| fault == KeyFileFault::Newer { found: 3 });
    newer[at] = 2;
    check("no file of version 2", &newer, &is_damaged);
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 1;
        check("flipped", &flipped, &|fault| is_either(fault) || matches!(fault, KeyFileFault::Newer { .. }));
    }

    fs::remove_file(&path).unwrap();
    let gone = device.unlock(&vault(&device), &home.observer).unwrap_err();
    assert!(matches!(gone, UnlockError::Vault(VaultError::Missing { .. })), "{gone:?}");
    fs::write(&path, &sound).unwrap();
    device.unlock(&vault(&device), &home.observer).unwrap();
}
