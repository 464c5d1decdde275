//! A photo that is written to a file is there whole, or not there.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, outside a test function; a child says what it did"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Mission, inspection, open};
use merestone_core::id::BlobHash;
use merestone_node::Answer;
use merestone_node::capture::PhotoSource;
use merestone_node::records::SavePhotoError;

/// So much that memory would show it.
const PHOTO_BYTES: usize = 20_000_000;

/// A JPEG with so much behind its end.
fn large_photo() -> Vec<u8> {
    let mut photo = Vec::new();
    image::RgbImage::new(64, 64).write_to(&mut std::io::Cursor::new(&mut photo), image::ImageFormat::Jpeg).unwrap();
    photo.resize(PHOTO_BYTES, 7);
    photo
}

const VICTIM: &str = "MERESTONE_SAVES_A_PHOTO";

/// Writes the photo of the device in `folder` from another process, under what the shell is told first.
fn save(folder: &Path, first: &str) -> Output {
    let test = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", &format!("{first}; exec \"$0\" --exact a_photo_is_written_whole_or_not_at_all --nocapture")])
        .arg(test)
        .env(VICTIM, folder)
        .output()
        .unwrap()
}

/// The most memory that this process ever had.
fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1_024
}

fn victim(folder: &Path) {
    let device = open(&folder.join("phone"), "b");
    let before = peak_bytes();
    assert!(!device.save_photo(BlobHash::of(b"no photo"), &folder.join("none")).unwrap());
    let hash = BlobHash::from_hex(&fs::read_to_string(folder.join("hash")).unwrap()).unwrap();
    match device.save_photo(hash, &folder.join("out.jpg")) {
        Ok(true) => println!("saved, {} bytes more", peak_bytes() - before),
        other => println!("not saved: {other:?}"),
    }
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_photo_is_written_whole_or_not_at_all() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        return victim(Path::new(&folder));
    }
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let photo = large_photo();
    let (hash, home) = (BlobHash::of(&photo), dir.path().join("phone"));
    let device = mission.device(&home, "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let mut draft = device.attach(draft.id, PhotoSource::Bytes(&photo), None, None).unwrap().draft;
    draft.answers.insert("post".into(), Answer::text("Bridge"));
    device.save(&device.keep(draft).unwrap()).unwrap();
    drop(device);
    fs::write(dir.path().join("hash"), hash.to_string()).unwrap();
    let before = names(dir.path());

    // A disk that takes no more: nothing is left of it.
    let full = save(dir.path(), "trap '' XFSZ; ulimit -f 8000");
    let said = String::from_utf8_lossy(&full.stdout);
    assert!(said.contains("not saved: Err(File"), "{said}");
    assert_eq!(names(dir.path()), before);

    // A kill in the middle: nothing under the name, and what is left of it is in nobody's way.
    let killed = save(dir.path(), "ulimit -f 8000");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(25), "{killed:?}");
    let out = dir.path().join("out.jpg");
    assert!(!out.exists());
    let left: Vec<_> = names(dir.path()).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(left, [Path::new(".out.jpg.0.part")]);

    let saved = save(dir.path(), "true");
    let said = String::from_utf8_lossy(&saved.stdout);
    let more = said.lines().find_map(|line| line.strip_prefix("saved, ")).unwrap_or_else(|| panic!("{said}"));
    let more: usize = more.split_whitespace().next().unwrap().parse().unwrap();
    assert!(more < PHOTO_BYTES / 4, "{more} bytes more while it was written");
    assert_eq!(fs::read(&out).unwrap(), photo);

    let device = open(&home, "c");
    let again = device.save_photo(hash, &out);
    assert!(
        matches!(&again, Err(SavePhotoError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists),
        "{again:?}"
    );
    // A damaged one is not given out.
    let name = hash.to_string();
    fs::write(home.join("store/blobs").join(&name[..2]).join(&name), b"something else").unwrap();
    assert!(!device.save_photo(hash, &dir.path().join("damaged.jpg")).unwrap());
    assert!(!dir.path().join("damaged.jpg").exists());
}
