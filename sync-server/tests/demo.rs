//! The demonstration, run as a person runs it: the story, its figures, what it leaves behind, and what it refuses.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const MERESTONE: &str = env!("CARGO_BIN_EXE_merestone");

/// Runs the demonstration without the external fixture set.
fn demo(out: &Path, further: &[&str]) -> Output {
    demo_with(&out.join("nowhere"), out, further)
}

fn demo_with(shared: &Path, out: &Path, further: &[&str]) -> Output {
    Command::new(MERESTONE)
        .args(["demo", "--out"])
        .arg(out)
        .args(further)
        .env("MERESTONE_SHARED", shared)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn the_story_is_told_and_every_forgery_is_named_at_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let told = demo(&out, &["--seed", "7"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let story = String::from_utf8(told.stdout).unwrap();
    assert!(story.contains("made up by this project"), "{story}");
    look_at(&out, &story);
}

#[test]
fn public_records_of_real_events_take_the_same_way() {
    // Seen from the workspace's root.
    let named = std::env::var_os("MERESTONE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(named);
    if !["events", "maps", "photos"].iter().all(|part| shared.join("fixtures").join(part).is_dir()) {
        return skip::skip("the external fixture set is absent (MERESTONE_SHARED names its folder)");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let told = demo_with(&shared, &out, &["--json"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let lines: Vec<&str> = told["story"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let story = lines.join("\n");
    assert!(lines.contains(&told["mission"].as_str().unwrap()));
    assert!(story.contains("the observers here only stand in") && story.contains("CC BY 4.0"), "{story}");
    assert!(story.contains("no thumbnail: 4 HEIC or AVIF"), "{story}");
    look_at(&out, &story);
}

/// What must hold whatever was replayed.
fn look_at(out: &Path, story: &str) {
    assert!(story.lines().count() <= 60, "{story}");
    assert!(story.lines().all(|line| line.chars().count() <= 100 || line.contains(&*out.to_string_lossy())), "{story}");
    assert!(!story.contains('\u{1b}'), "no colours: {story}");
    let is_id = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert_eq!(story.lines().filter(is_id).count(), 1, "{story}");

    let tamper: Value = serde_json::from_slice(&fs::read(out.join("tamper.json")).unwrap()).unwrap();
    let wanted = [
        ("flipped-byte", "body-hash", "FAILED"),
        ("tail-removed", "receipt-missing-tail", "FAILED"),
        ("middle-removed", "log-gap", "FAILED"),
        ("photo-swapped", "photo-mismatch", "FAILED"),
        ("entry-after-cut", "set-aside-by-cut", "PASSED"),
        ("stranger", "key-not-in-roster", "FAILED"),
    ];
    assert_eq!(tamper.as_object().unwrap().len(), wanted.len());
    let mut entries = BTreeSet::new();
    for (name, code, verdict) in wanted {
        assert_eq!(tamper[name]["code"], code, "{name}");
        assert_eq!(tamper[name]["verdict"], verdict, "{name}");
        entries.insert(tamper[name]["at"]["entry"].as_str().unwrap().to_owned());
        assert!(out.join("forged").join(name).join("bagit.txt").is_file(), "{name}");
    }
    assert_eq!(entries.len(), wanted.len(), "each forgery is about another entry");

    assert!(out.join("bag/bagit.txt").is_file());
    let report: Value = serde_json::from_slice(&fs::read(out.join("report/report.json")).unwrap()).unwrap();
    assert_eq!(report["verdict"], "PASSED");
    let complete = &report["completeness"];
    assert_eq!(complete["confirmation"], "final", "{complete}");
    assert!(story.contains("final: witnesses of 3 of 3 parties cosigned it"), "{story}");
    assert!(story.contains(&format!("complete as of checkpoint {} (final)", complete["as_of"])), "{story}");
    let records = report["records"].as_array().unwrap();
    let kinds: BTreeSet<&str> = records.iter().filter_map(|record| record["kind"].as_str()).collect();
    let wanted = ["access-restriction", "crossing-count", "incident", "inspection", "patrol"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted, "each form that comes with the program has a record");
    let answer = |record: &Value, key: &str| {
        let answers = record["answers"].as_array().unwrap();
        answers.iter().find(|answer| answer["key"] == key).map(|answer| answer["values"][0]["value"].clone())
    };
    let nil = records.iter().find(|record| answer(record, "nil_report") == Some("yes".into())).unwrap();
    let observed = nil["answers"].as_array().unwrap().iter();
    let observed = observed.filter(|answer| answer["key"].as_str().unwrap().ends_with("/observed"));
    let observed: Vec<&Value> = observed.map(|answer| &answer["values"][0]["value"]).collect();
    assert_eq!(observed, ["nothing"; 3], "a nil report names its places");
    assert!(story.contains("One patrol is a nil report: 3 places"), "{story}");
    assert!(fs::read_to_string(out.join("report/report.html")).unwrap().contains("<html"));
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kept"), b"kept").unwrap();
    let refused = demo(folder.path(), &[]);
    assert_eq!(refused.status.code(), Some(65));
    assert_eq!(refused.stdout, b"");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("not empty") && said.lines().count() == 1, "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_external_set_that_is_not_what_it_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["events", "maps", "photos"] {
        fs::create_dir_all(folder.path().join("fixtures").join(part)).unwrap();
    }
    fs::write(folder.path().join("fixtures/maps/ukraine-border-crossings.csv"), "a,b\n1,2\n").unwrap();
    let run = demo_with(folder.path(), &folder.path().join("demo"), &[]);
    assert_eq!(run.status.code(), Some(65));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("row 2") && said.lines().count() == 1, "{said}");
}
