//! A disk that is really full: a small file system in a namespace of its own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use merestone_node::records::RecordFilter;
use merestone_tests::chance::Chance;
use merestone_tests::examine::Examiner;
use merestone_tests::mission::vault;
use merestone_tests::outpost::{self, open};
use merestone_tests::saving::{Line, Saver};
use merestone_tests::skip;

use crate::folder::said;

const DISK: &str = "MERESTONE_FULL_DISK";
const TEST: &str = "full::a_save_on_a_full_disk_is_whole_or_refused_and_goes_on_when_there_is_room";

/// Runs itself again on a file system of 32 MiB.
#[test]
fn a_save_on_a_full_disk_is_whole_or_refused_and_goes_on_when_there_is_room() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(Path::new(&disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=32m small \"${DISK}\" || exit 77; exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    command.arg(std::env::current_exe().unwrap()).args(["--exact", TEST, "--nocapture"]);
    let output = match command.env(DISK, folder.path()).output() {
        Ok(output) => output,
        Err(error) => return skip(&format!("unshare does not run ({error}; Debian: util-linux)")),
    };
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !told.contains("running 1 test") {
        return skip(&format!("no file system of its own: {}", told.trim()));
    }
    println!("{told}");
    assert!(output.status.success(), "on the small disk");
}

fn fill(disk: &Path) {
    let home = disk.join("home");
    let mission = outpost::found();
    let device = outpost::create(&mission, &home);
    let observer = mission.enrol(&device, 0, "Олена");
    let mut lines = Vec::new();
    let mut note = |line: &Line| {
        lines.push(line.clone());
        Ok(())
    };
    let mut saver = Saver::new(&device, observer, Chance::new(3), &mut note);
    for has_photo in [false, true] {
        saver.save_one(None, has_photo).unwrap();
    }
    let list = || device.list(&RecordFilter::default(), None, 100).unwrap();
    assert_eq!((list().lines.len(), list().is_behind), (2, false));
    let filler = disk.join("filler");
    write_until_full(&filler);

    // The entry in hand: the ballast is given up for it.
    saver.save_one(None, false).unwrap();
    assert!(device.room().unwrap().low_room, "the ballast is gone");
    // And on, with and without photos, until nothing goes any more.
    let (mut refused, mut tried) = (0, 0);
    while refused < 12 && tried < 5_000 {
        tried += 1;
        if let Err(error) = saver.save_one(None, tried % 3 == 0) {
            assert_eq!(said(&*error), "storage is full");
            refused += 1;
        }
    }
    assert_eq!(refused, 12, "the disk is full");
    // What is there is shown while the disk is full.
    assert_eq!((list().lines.len(), list().is_behind), (2, true));
    drop(device);
    let while_full = open(&home).err().map(|error| said(&error));
    println!("{tried} saves tried; opened while the disk is full: {while_full:?}");

    fs::remove_file(&filler).unwrap();
    let mut examiner = Examiner::default();
    lines.into_iter().for_each(|line| examiner.heard(line));
    println!("{} acknowledged", examiner.acknowledged());
    examiner.examine_all(&home);
    assert!(examiner.acknowledged() >= 3);

    // There is room again: the drafts that were refused are saved, and new ones.
    let device = open(&home).unwrap();
    device.unlock(&vault(&device), &observer).unwrap();
    let mut later = Vec::new();
    let mut note = |line: &Line| {
        later.push(line.clone());
        Ok(())
    };
    let mut saver = Saver::new(&device, observer, Chance::new(4), &mut note);
    saver.finish_drafts().unwrap();
    saver.save_one(None, true).unwrap();
    assert_eq!(device.drafts(None).unwrap(), []);
    drop(device);
    later.into_iter().for_each(|line| examiner.heard(line));
    examiner.examine_all(&home);
    assert_eq!(examiner.acknowledged(), examiner.entries());
}

fn write_until_full(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[7; 4_096]).is_ok() {}
}
