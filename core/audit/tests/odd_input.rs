//! Whatever lies in the folder: one clear line or a report, and never a panic.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use merestone_audit::{BagCode, Options, Pass, Report, Verdict, audit_folder};
use support::{Bag, Scene, log_path, serious, with_code};

fn audit(folder: &Path, bag: &Bag, threads: usize) -> Report {
    audit_folder(folder, bag.mission.unwrap(), &Options { threads, ..Options::default() }).unwrap()
}

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_merestone-audit")).args(arguments).output().unwrap()
}

fn line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn a_path_that_is_no_bag_gives_one_line_and_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("bag.zip"), b"PK\x03\x04").unwrap();
    fs::create_dir(path("empty")).unwrap();
    let id = "0f".repeat(32);
    let rows = [
        (vec![path("absent"), "--mission".into(), id.clone()], 65, "nothing here"),
        (vec![path("bag.zip"), "--mission".into(), id.clone()], 65, "unpack it"),
        (vec![path("bag.zip/x"), "--mission".into(), id.clone()], 65, "not a folder"),
        (vec![path("empty"), "--mission".into(), id.clone()], 65, "bagit.txt"),
        (vec![path("empty"), "--mission".into(), "12".into()], 64, "64 hex digits"),
        (vec!["explain".into(), "nonsense\u{1b}[31m".into()], 64, "lists all"),
    ];
    for (arguments, code, text) in rows {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = command(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(line(&output).contains(text), "{arguments:?}: {}", line(&output));
        assert!(!line(&output).contains('\u{1b}'));
    }
    assert_eq!(command(&[&path("empty")]).status.code(), Some(64), "without a mission");
}

#[test]
fn the_command_prints_and_writes_where_it_is_told_and_nowhere_else() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bag = Scene::play().bag();
    bag.write(folder.path());
    let (path, id) = (folder.path().to_str().unwrap(), bag.mission.unwrap().to_string());
    let reports = out.path().join("a/b");
    let output = command(&[path, "--mission", &id, "--json", "--report", reports.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, fs::read(reports.join("report.json")).unwrap());
    let mut names: Vec<_> = fs::read_dir(&reports).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["report.html", "report.json", "report.txt"]);

    let inside = folder.path().join("data/report");
    let output = command(&[path, "--mission", &id, "--report", inside.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(64));
    assert!(line(&output).contains("lies in the bag") && !inside.exists());
    fs::write(out.path().join("file"), b"").unwrap();
    let output = command(&[path, "--mission", &id, "--report", out.path().join("file").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(74));
    assert!(line(&output).contains("cannot be written"));
}

#[test]
fn reports_are_the_same_bytes_under_any_environment_and_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bag = Scene::play().bag();
    bag.write(folder.path());
    let id = bag.mission.unwrap().to_string();
    let run = |zone: &str, language: &str, threads: &str, directory: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_merestone-audit"))
            .args([folder.path().to_str().unwrap(), "--mission", &id, "--json", "--threads", threads])
            .env("TZ", zone)
            .env("LANG", language)
            .env("LC_ALL", language)
            .current_dir(directory)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        output.stdout
    };
    let first = run("UTC", "C", "1", Path::new("/"));
    assert_eq!(first, run("Asia/Kathmandu", "ar_EG.UTF-8", "7", folder.path()));
    let text = String::from_utf8(first).unwrap();
    assert!(!text.contains(folder.path().to_str().unwrap()), "no path of this machine");
    let page = |threads| audit(folder.path(), &bag, threads).to_html();
    assert_eq!(page(1), page(5));
}

#[test]
fn the_order_in_which_files_were_made_changes_nothing() {
    let bag = Scene::play().bag();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    bag.write(folders[0].path());
    let mut files = Vec::new();
    let mut open = vec![folders[0].path().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() { open.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    for path in files.iter().rev() {
        let to = folders[1].path().join(path.strip_prefix(folders[0].path()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
    let reports = folders.map(|folder| audit(folder.path(), &bag, 2).to_json());
    assert_eq!(reports[0], reports[1]);
}

#[test]
fn links_folders_pipes_and_strange_names_are_named_and_never_opened() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let scene = Scene::play();
    let bag = scene.bag();
    bag.write(folder.path());
    let log = log_path(scene.boris.log());
    fs::rename(folder.path().join(&log), outside.path().join("log")).unwrap();
    symlink(outside.path().join("log"), folder.path().join(&log)).unwrap();
    let id = "ee".repeat(32);
    fs::create_dir_all(folder.path().join(format!("data/photos/{id}/x"))).unwrap();
    let pipe = folder.path().join(format!("data/logs/{id}.cborseq"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink(outside.path(), folder.path().join("data/elsewhere")).unwrap();
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"a\xff\n\x1b[31m");
    fs::write(folder.path().join(name), b"x").unwrap();
    fs::write(folder.path().join("README"), b"x").unwrap();

    let report = audit(folder.path(), &bag, 2);
    assert_eq!(report.verdict(), Verdict::Failed);
    let unreadable: Vec<String> =
        with_code(&report, BagCode::BagUnreadable).into_iter().filter_map(|finding| finding.place.file).collect();
    let mut wanted = [log, format!("data/logs/{id}.cborseq"), format!("data/photos/{id}")];
    wanted.sort();
    assert_eq!(unreadable, wanted);
    let foreign = with_code(&report, BagCode::BagForeignFile);
    let foreign: Vec<String> = foreign.into_iter().filter_map(|finding| finding.place.file).collect();
    assert_eq!(foreign, ["README", "a\\xff\\u{a}\\u{1b}[31m", "data/elsewhere"]);
    assert!(!report.to_text().contains('\u{1b}') && !report.to_text().contains("outside"));
}

#[test]
fn files_without_permission_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::play();
    let bag = scene.bag();
    bag.write(folder.path());
    let log = folder.path().join(log_path(scene.anna.log()));
    fs::set_permissions(&log, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything; then there is nothing to see.
    if fs::File::open(&log).is_err() {
        let report = audit(folder.path(), &bag, 2);
        assert!(serious(&report).contains(&"bag-unreadable"));
    }
}

#[test]
fn files_far_larger_than_they_may_be_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::play();
    let bag = scene.bag();
    bag.write(folder.path());
    let mut grown: Vec<String> = bag.files.keys().filter(|path| !path.contains("/logs/")).cloned().collect();
    grown.push("manifest-sha256.txt".into());
    for path in &grown {
        // Sparse: no room is taken, and no reader gets to the end of it.
        fs::File::options().write(true).open(folder.path().join(path)).unwrap().set_len(1 << 42).unwrap();
    }
    let log = folder.path().join(log_path(scene.anna.log()));
    fs::File::options().write(true).open(log).unwrap().set_len(1 << 42).unwrap();
    let report = audit(folder.path(), &bag, 2);
    assert_eq!(report.verdict(), Verdict::Failed);
    assert!(
        with_code(&report, BagCode::BagUnreadable)
            .iter()
            .any(|finding| { finding.place.file.as_deref() == Some("data/charter.cbor") })
    );

    fs::write(folder.path().join("data/charter.cbor"), &bag.files["data/charter.cbor"]).unwrap();
    let report = audit(folder.path(), &bag, 2);
    assert!(serious(&report).contains(&"shape"), "the zeros behind a log are no entries: {:?}", serious(&report));
}

#[test]
fn every_single_file_may_be_missing_empty_or_nonsense() {
    let scene = Scene::play();
    let bag = scene.bag();
    let mut paths: Vec<String> = bag.files.keys().cloned().collect();
    paths.extend(["bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "bagit.txt"].map(String::from));
    for path in paths {
        for content in [None, Some(Vec::new()), Some(vec![0xff; 300]), Some(b"\x82\x9f".to_vec())] {
            let folder = tempfile::tempdir().unwrap();
            bag.write(folder.path());
            let file = folder.path().join(&path);
            match &content {
                None => fs::remove_file(file).unwrap(),
                Some(bytes) => fs::write(file, bytes).unwrap(),
            }
            match audit_folder(folder.path(), bag.mission.unwrap(), &Options::default()) {
                Ok(report) => assert_ne!(report.verdict(), Verdict::Passed, "{path} {content:?}"),
                Err(error) => assert!(path == "bagit.txt" && content.is_none(), "{path}: {error}"),
            }
        }
    }
}

#[test]
fn many_names_are_counted_and_a_page_of_them_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let bag = Scene::play().bag();
    bag.write(folder.path());
    for n in 0..3_000 {
        fs::write(folder.path().join(format!("name-{n:05}")), b"").unwrap();
    }
    let report = audit(folder.path(), &bag, 2);
    assert_eq!(report.facts().findings.count(BagCode::BagForeignFile), 3_000);
    assert_eq!(with_code(&report, BagCode::BagForeignFile).len(), 1_000);
    assert_eq!(report.verdict(), Verdict::Passed);
}

#[test]
fn whoever_stops_reading_is_not_shouted_at() {
    let output = Command::new("sh")
        .args(["-c", &format!("{} explain | head -n 1", env!("CARGO_BIN_EXE_merestone-audit"))])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// Every byte a signature or a hash covers: whatever is flipped, the bag does not pass.
#[test]
fn no_flipped_byte_passes() {
    let scene = Scene::play();
    let bag = scene.bag();
    let whole: Vec<(&String, usize)> =
        bag.files.iter().flat_map(|(path, bytes)| (0..bytes.len()).map(move |at| (path, at))).collect();
    let payload: Vec<&(&String, usize)> = whole.iter().filter(|(path, _)| !path.contains("/photos/")).collect();
    // A fixed walk over all bytes but the photos, in steps that share no factor with any length of interest.
    let step = 17;
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    for (path, at) in payload.into_iter().step_by(step) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut forged = bag.clone();
        forged.files.get_mut(*path).unwrap()[*at] ^= 1 << (seed >> 61);
        let report = forged.audit(Pass::Full);
        assert_ne!(report.verdict(), Verdict::Passed, "{path} byte {at}");
        report.to_html();
    }
    for (path, at) in whole.iter().filter(|(path, _)| path.contains("/photos/")).step_by(9_973) {
        let mut forged = bag.clone();
        forged.files.get_mut(*path).unwrap()[*at] ^= 1;
        assert_eq!(forged.audit(Pass::Full).verdict(), Verdict::Failed, "{path} byte {at}");
    }
}
