//! A disk that is really full: a small file system in a namespace of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;
#[path = "../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use common::{Author, identity, key};
use merestone_store::{Batch, BlobError, CommitError, Store};
use skip::skip;

const DISK: &str = "MERESTONE_SMALL_DISK";

/// Runs this test again on a file system of 16 MiB. Where the system gives nobody a namespace it is skipped.
#[test]
fn on_a_full_disk_the_entry_in_hand_still_commits() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(disk.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=16m small \"$MERESTONE_SMALL_DISK\" || exit 77; exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "on_a_full_disk_the_entry_in_hand_still_commits", "--nocapture"]);
    let output = match command.env(DISK, dir.path()).output() {
        Ok(output) => output,
        Err(error) => return skip(&format!("unshare does not run ({error}; Debian: util-linux)")),
    };
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !said.contains("running 1 test") {
        return skip(&format!("no file system of its own: {}", said.trim()));
    }
    assert!(output.status.success(), "{said}");
}

fn fill(disk: &Path) {
    let path = disk.join("store");
    let store = Store::create(&path, key(), identity()).unwrap();
    let mut author = Author::new(1);
    let mut first = Batch::new();
    first.entry(author.create("first"));
    assert!(!store.commit(first).unwrap().low_room);

    let mut filler = std::fs::File::create(disk.join("filler")).unwrap();
    while filler.write_all(&[7; 4_096]).is_ok() {}
    assert!(matches!(store.write_blob(std::io::repeat(7).take(100_000)), Err(BlobError::Full)));

    // What can be had again waits for room.
    let long = "x".repeat(200_000);
    let mut fetched = Batch::new();
    fetched.entry(Author::new(2).create(&long)).refetchable();
    assert!(matches!(store.commit(fetched), Err(CommitError::Full)));
    assert!(!store.room().low_room);

    // What a person just wrote does not.
    let mut saved = 1;
    loop {
        let entry = author.create(&long);
        let mut batch = Batch::new();
        batch.entry(entry.clone());
        match store.commit(batch) {
            Ok(committed) => {
                assert!(committed.low_room);
                saved += 1;
                assert_eq!(store.tip(entry.log()).unwrap().unwrap().height, saved);
            }
            Err(error) => {
                assert!(matches!(error, CommitError::Full), "{error}");
                break;
            }
        }
    }
    assert!(saved >= 2, "the ballast saved nothing");
    assert!(store.room().low_room);
    drop(store);

    // Full or not, the store opens, and with room it is as before.
    let store = Store::open(&path, key()).unwrap();
    assert_eq!(store.check().unwrap().entries, saved);
    drop(filler);
    std::fs::remove_file(disk.join("filler")).unwrap();
    let mut batch = Batch::new();
    batch.entry(Author::new(3).create(&long));
    store.commit(batch).unwrap();
    drop(store);
    assert!(!Store::open(&path, key()).unwrap().room().low_room);
}
