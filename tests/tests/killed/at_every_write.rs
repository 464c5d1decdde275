//! One save with a photo, killed at every call with which it changes the disk; and the order of these calls.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use merestone_tests::examine::Examiner;
use merestone_tests::saving::Line;
use merestone_tests::skip;
use tempfile::TempDir;

use crate::victim::{Home, SAVER};

/// Everything by which a process changes files, their names or their durability. `?`: not on every processor.
const WRITES: &[&str] = &[
    "write",
    "?pwrite64",
    "writev",
    "?pwritev",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "?rename",
    "?renameat",
    "renameat2",
    "?unlink",
    "unlinkat",
    "?mkdir",
    "mkdirat",
    "?link",
    "linkat",
    "copy_file_range",
    "sendfile",
];

/// Far more calls of one kind than a save makes: beyond this the loop itself is broken.
const CALLS_MAX: usize = 2_000;

#[test]
fn a_save_killed_at_any_of_its_writes_is_there_whole_or_a_draft() {
    if let Err(reason) = can_trace() {
        return skip(&reason);
    }
    let home = Home::new();
    // Two entries, so that the killed one stands on a chain.
    for seed in ["1", "2"] {
        let saved = saver(&home, home.path(), seed, &[]);
        assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
    }
    let mut kills = Vec::new();
    for call in WRITES {
        let survived = (1..=CALLS_MAX).find(|n| !kill_at(&home, call, *n));
        kills.push((call.trim_start_matches('?'), survived.expect("the save ends") - 1));
    }
    kills.retain(|(_, kills)| *kills > 0);
    println!("killed at: {kills:?}");
    let of = |wanted: &str| kills.iter().find(|(call, _)| *call == wanted).map_or(0, |(_, kills)| *kills);
    // The store writes its log, flushes it, and a photo's file and its two renditions get their names.
    assert!(of("pwrite64") >= 3 && of("fdatasync") + of("fsync") >= 6, "{kills:?}");
    assert!(of("rename") + of("renameat") + of("renameat2") >= 3, "{kills:?}");
}

/// Kills a save at its `n`th `call`, in a copy of `home`, and examines the copy; false if there is no such call any more.
fn kill_at(home: &Home, call: &str, n: usize) -> bool {
    let copy = copy(home.path());
    let inject = format!("inject={call}:signal=SIGKILL:when={n}");
    let trace = format!("trace={call}");
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let output = saver(home, copy.path(), "3", &strace);
    let was_killed = output.status.signal() == Some(9) || output.status.code() == Some(128 + 9);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(was_killed || output.status.success(), "{call} {n}: {}", String::from_utf8_lossy(&output.stderr));

    let mut examiner = Examiner::default();
    let whole = said.split_inclusive('\n').filter_map(|line| Line::read(line.strip_suffix('\n')?));
    whole.for_each(|line| examiner.heard(line));
    println!("{call} {n}: killed: {was_killed}, {} acknowledged", examiner.acknowledged());
    examiner.examine_all(copy.path());
    assert!((2..=3).contains(&examiner.entries()), "two entries were there before");
    if !was_killed {
        assert_eq!((examiner.acknowledged(), examiner.entries()), (1, 3));
    }
    was_killed
}

/// A power cut is not a kill: what was written and not flushed is gone. So nothing may be said before it is flushed.
#[test]
fn nothing_is_said_to_be_durable_before_it_is_flushed() {
    if let Err(reason) = can_trace() {
        return skip(&reason);
    }
    let home = Home::new();
    let trace = home.path().join("trace");
    let calls = format!("trace={}", WRITES.join(","));
    let file = trace.to_str().unwrap();
    let output = saver(&home, home.path(), "1", &["strace", "-f", "-y", "-qq", "-o", file, "-e", &calls]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let trace = fs::read_to_string(trace).unwrap();
    let lines = trace.lines().filter_map(|line| line.split_once(' ').map(|(thread, call)| (thread, call.trim_start())));
    // A save flushes in its own thread, whose calls stand in the order in which they were made.
    let saving = lines.clone().find(|(_, call)| call.contains("\"saved ")).expect("it saved").0;
    let (mut open, mut said) = (BTreeSet::new(), Vec::new());
    for (_, call) in lines.filter(|(thread, _)| *thread == saving) {
        follow(call, home.path(), &mut open, &mut said);
    }
    assert_eq!(said, ["kept", "photo", "saving", "saved"], "{trace}");
}

#[test]
fn a_trace_in_which_something_is_not_flushed_is_refused() {
    let check = |calls: &[&str]| {
        let (mut open, mut said) = (BTreeSet::new(), Vec::new());
        let followed = catch_unwind(AssertUnwindSafe(|| {
            calls.iter().for_each(|call| follow(call, Path::new("/h"), &mut open, &mut said));
        }));
        followed.is_ok() && said == ["saved"]
    };
    let (write, flush) = ("pwrite64(9</h/store.db-wal>, \"..\", 4096, 0) = 4096", "fdatasync(9</h/store.db-wal>) = 0");
    let (photo, flush_photo) = ("write(5</h/1.tmp>, \"..\", 100) = 100", "fsync(5</h/1.tmp>) = 0");
    let (rename, flush_name) = ("rename(\"/h/1.tmp\", \"/h/ab/abcd\") = 0", "fsync(6</h/ab>) = 0");
    let saved = "write(1<pipe:[7]>, \"saved 12 34\\n\", 12) = 12";
    assert!(check(&[photo, flush_photo, rename, flush_name, write, flush, saved]));
    assert!(!check(&[write, saved, flush]), "the log is flushed too late");
    assert!(!check(&[write, flush, write, saved]), "only the first part of the log is flushed");
    assert!(!check(&[photo, rename, flush_photo, flush_name, saved]), "a photo is named before it is flushed");
    assert!(!check(&[photo, flush_photo, rename, saved]), "the name of a photo is not flushed");
}

/// Follows one call: which files and folders have changes that are not flushed, and what was said.
fn follow(call: &str, home: &Path, open: &mut BTreeSet<PathBuf>, said: &mut Vec<String>) {
    let Some((name, arguments)) = call.split_once('(') else { return };
    // `fsync(7</a/file>)`: what the number stands for is between the brackets.
    let of_number = || Some(PathBuf::from(arguments.split_once('<')?.1.split_once('>')?.0));
    match name {
        "fsync" | "fdatasync" => {
            open.remove(&of_number().expect("a flush is of a file"));
        }
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
            let names: Vec<&str> = arguments.split('"').skip(1).step_by(2).collect();
            let [from, to] = names[..] else { panic!("{call}") };
            assert!(!open.contains(Path::new(from)), "named before it was flushed: {call}");
            open.insert(Path::new(to).parent().unwrap().to_owned());
        }
        "write" if arguments.starts_with("1<") => {
            let word = arguments.split('"').nth(1).and_then(|text| text.split([' ', '\\']).next()).unwrap_or_default();
            if word != "ready" {
                assert_eq!(*open, BTreeSet::new(), "said before it was flushed: {call}");
                said.push(word.to_owned());
            }
        }
        "write" | "pwrite64" | "writev" | "pwritev" | "ftruncate" | "fallocate" => {
            let path = of_number().expect("a write is to a file");
            // The index of the write-ahead log is made again from the log, and is never flushed.
            let is_index = path.extension().is_some_and(|extension| extension == "db-shm");
            if path.starts_with(home) && !is_index {
                open.insert(path);
            }
        }
        _ => {}
    }
}

/// Saves one entry with a photo, run by `before` if that is not empty.
fn saver(home: &Home, folder: &Path, seed: &str, before: &[&str]) -> Output {
    let mut words = before.iter().chain(&[SAVER]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).arg(folder).arg(home.observer.to_string()).args([seed, "photo"]);
    command.stdin(Stdio::null()).output().unwrap()
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(to.path().join(&folder)).unwrap();
        for file in fs::read_dir(from.join(&folder)).unwrap() {
            let file = file.unwrap();
            let below = folder.join(file.file_name());
            if file.file_type().unwrap().is_dir() {
                folders.push(below);
            } else {
                fs::copy(file.path(), to.path().join(below)).unwrap();
            }
        }
    }
    to
}

/// Whether strace is here and may trace.
fn can_trace() -> Result<(), String> {
    let tried = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).output();
    match tried {
        Err(error) => Err(format!("strace does not run ({error}; Debian: strace)")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("strace may not trace: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
