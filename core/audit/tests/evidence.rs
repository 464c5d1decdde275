//! Every record of a bag, shown one after the other and as the report shows it, however few the report keeps.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod support;

use std::fs;
use std::path::Path;

use merestone_audit::{ChangedSince, Evidence, Options, Pass, audit_evidence};
use merestone_core::id::RecordId;
use support::{Bag, Scene, log_path};

fn evidence(bag: &Bag, folder: &Path, pass: Pass) -> Evidence {
    let options = Options { pass, threads: 2, records_max: 1, ..Options::default() };
    audit_evidence(folder, bag.mission.unwrap(), &options).unwrap()
}

fn ids(evidence: &Evidence, after: Option<RecordId>) -> Vec<RecordId> {
    evidence.records(after).map(|record| record.unwrap().id).collect()
}

#[test]
fn every_record_is_shown_as_a_report_that_keeps_all_shows_it() {
    let (folder, bag) = (tempfile::tempdir().unwrap(), Scene::play().bag());
    bag.write(folder.path());
    let whole = bag.audit_in(folder.path(), Pass::Full);
    let evidence = evidence(&bag, folder.path(), Pass::Full);
    assert_eq!(evidence.report().facts().records.len(), 1, "the report keeps what it was told to");

    let wanted = serde_json::from_str::<serde_json::Value>(&whole.to_json()).unwrap()["records"].take();
    let shown: Vec<serde_json::Value> = evidence
        .records(None)
        .map(|record| serde_json::from_str(&evidence.record_json(&record.unwrap())).unwrap())
        .collect();
    assert_eq!(serde_json::Value::Array(shown), wanted);
    assert_eq!(wanted.as_array().unwrap().len() as u64, whole.facts().counts.records);
}

#[test]
fn records_go_on_behind_any_id_and_each_is_found_by_its_own() {
    let (folder, bag) = (tempfile::tempdir().unwrap(), Scene::play().bag());
    bag.write(folder.path());
    let evidence = evidence(&bag, folder.path(), Pass::Full);
    let all = ids(&evidence, None);
    assert!(all.len() > 3 && all.is_sorted());
    for (at, id) in all.iter().enumerate() {
        assert_eq!(ids(&evidence, Some(*id)), all[at + 1..]);
        assert_eq!(evidence.record(*id).unwrap().unwrap().id, *id);
    }
    assert_eq!(ids(&evidence, Some(RecordId::from_bytes([255; 32]))), []);
    let mut beside = *all[0].as_bytes();
    beside[31] ^= 1;
    assert!(evidence.record(RecordId::from_bytes(beside)).unwrap().is_none(), "an id that only begins like a record's");
}

#[test]
fn the_fast_pass_shows_no_records_and_says_so() {
    let (folder, bag) = (tempfile::tempdir().unwrap(), Scene::play().bag());
    bag.write(folder.path());
    let evidence = evidence(&bag, folder.path(), Pass::Fast);
    assert!(!evidence.has_records());
    assert_eq!(ids(&evidence, None), []);
}

#[test]
fn a_bag_that_changed_since_is_never_shown_as_what_was_audited() {
    let (folder, scene) = (tempfile::tempdir().unwrap(), Scene::play());
    let bag = scene.bag();
    bag.write(folder.path());
    let evidence = evidence(&bag, folder.path(), Pass::Full);
    let path = folder.path().join(log_path(scene.anna.log()));
    let bytes = fs::read(&path).unwrap();
    let mut turned = bytes.clone();
    *turned.last_mut().unwrap() ^= 1;
    for other in [turned, Vec::new()] {
        fs::write(&path, other).unwrap();
        let shown: Vec<_> = evidence.records(None).collect();
        assert_eq!(shown.iter().filter(|record| matches!(record, Err(ChangedSince))).count(), 1);
        assert!(shown.last().unwrap().is_err(), "nothing is shown behind it");
    }
    fs::write(&path, bytes).unwrap();
    assert!(evidence.records(None).all(|record| record.is_ok()));
}
