//! The bags that nobody's Rust wrote: every file of them as `fixtures/vectors/bundle` has it.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use merestone_audit::{Options, Report, audit_folder};
use merestone_core::id::MissionId;
use serde_json::Value;

fn vectors(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/bundle").join(kind);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn audit(vector: &Value) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in vector["files"].as_object().unwrap() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, HEXLOWER.decode(content.as_str().unwrap().as_bytes()).unwrap()).unwrap();
    }
    let mission = MissionId::from_hex(vector["mission"].as_str().unwrap()).unwrap();
    audit_folder(folder.path(), mission, &Options::default()).unwrap()
}

#[test]
fn every_bundle_vector_has_its_verdict_and_its_codes() {
    let (valid, invalid) = (vectors("valid"), vectors("invalid"));
    assert!(!valid.is_empty() && invalid.len() >= 5);
    for path in valid.iter().chain(&invalid) {
        let (report, wanted) = (audit(&read(path)), read(&path.with_extension("expected")));
        let codes: BTreeSet<&str> = report.findings().iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(report.verdict().as_str(), wanted["verdict"], "{}\n{}", path.display(), report.to_text());
        match (wanted["findings"].as_array(), wanted["code"].as_str()) {
            (Some(all), _) => {
                let all: BTreeSet<&str> = all.iter().map(|code| code.as_str().unwrap()).collect();
                assert_eq!(codes, all, "{}", path.display());
            }
            (None, code) => assert!(codes.contains(code.unwrap()), "{}: {codes:?}", path.display()),
        }
    }
}
