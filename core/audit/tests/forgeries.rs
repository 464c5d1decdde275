//! What one bag shows beyond code and place, when it is forged or comes to light in part: counts, pages, what an erasure
//! or a cut changes. The kinds of forgeries are in `forge`.

mod support;

use merestone_audit::{BagCode, Pass, Verdict, Weight};
use merestone_core::Check;
use merestone_core::change::Value;
use merestone_core::erasure::Erased;
use merestone_core::id::BlobHash;
use support::{Device, Scene, item, log_path, raw_item, serious, with_code};

const BOTH: [Pass; 2] = [Pass::Fast, Pass::Full];

#[test]
fn an_untouched_bag_passes_with_its_counts() {
    let scene = Scene::play();
    for pass in BOTH {
        let report = scene.bag().audit(pass);
        assert_eq!(serious(&report), [""; 0], "{}", report.to_text());
        assert_eq!(report.verdict(), Verdict::Passed);
        let counts = report.facts().counts;
        assert_eq!((counts.entries, counts.logs, counts.receipts, counts.cuts), (8, 3, 1, 1));
    }
    let report = scene.bag().audit(Pass::Full);
    let facts = report.facts();
    assert_eq!((facts.counts.records, facts.counts.conflicts, facts.counts.photos), (5, 1, 2));
    assert_eq!(facts.standings.get("provisional"), Some(&8));
}

#[test]
fn a_removed_log_is_named_by_the_receipt_and_a_partial_bag_only_doubts_it() {
    let scene = Scene::play();
    let mut bag = scene.bag();
    bag.files.remove(&log_path(scene.boris.log()));
    let report = bag.audit(Pass::Fast);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Failed, vec!["receipt-missing-tail"]));
    bag.info = format!("Merestone-Scopes: {}\n", support::scope());
    let report = bag.audit(Pass::Fast);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["receipt-log-absent"]));
}

#[test]
fn a_swapped_photo_is_named_at_the_entry_that_names_it() {
    let scene = Scene::play();
    for swapped in [&scene.original, &scene.thumbnail] {
        let mut bag = scene.bag();
        bag.put(&format!("data/photos/{}", BlobHash::of(swapped)), b"another picture");
        let report = bag.audit(Pass::Full);
        assert_eq!((report.verdict(), serious(&report)), (Verdict::Failed, vec!["photo-mismatch"]));
        let found = with_code(&report, BagCode::PhotoMismatch);
        assert_eq!(found[0].place.entry, Some(scene.anna.entries[0].id()));
        assert!(!report.to_html().contains("YW5vdGhlciBwaWN0dXJl"), "other bytes are never shown");
    }
}

#[test]
fn a_removed_photo_is_a_doubt_unless_it_was_erased() {
    let mut scene = Scene::play();
    let mut bag = scene.bag();
    bag.files.remove(&format!("data/photos/{}", BlobHash::of(&scene.original)));
    let report = bag.audit(Pass::Full);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["photo-missing"]));
    scene.mission.erase(scene.records[0].record, Erased::Photo(BlobHash::of(&scene.original)));
    let mut bag = scene.bag();
    bag.files.retain(|path, _| !path.starts_with("data/photos/"));
    assert_eq!(bag.audit(Pass::Full).verdict(), Verdict::Passed);
    let held = scene.bag().audit(Pass::Full);
    assert_eq!(with_code(&held, BagCode::ErasedButHeld).len(), 2);
}

#[test]
fn an_entry_after_a_cut_is_set_aside_and_fails_nothing() {
    let mut scene = Scene::play();
    let forged = scene.stolen.create(&scene.mission, &[("note", Value::Text("after the theft"))], Vec::new());
    for pass in BOTH {
        let report = scene.bag().audit(pass);
        assert_eq!((report.verdict(), serious(&report)), (Verdict::Passed, vec![]), "{}", report.to_text());
        let found = with_code(&report, BagCode::SetAsideByCut);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.entry, found[0].weight), (Some(forged.id), Weight::Note));
    }
    let report = scene.bag().audit(Pass::Full);
    assert_eq!(report.facts().standings.get("set-aside"), Some(&1));
    assert!(report.to_html().contains("after the theft"), "it is shown");
}

#[test]
fn a_withheld_body_is_a_doubt_and_an_erased_one_is_not() {
    let mut scene = Scene::play();
    let without_body = |scene: &Scene| {
        let mut bag = scene.bag();
        let mut items: Vec<Vec<u8>> = scene.anna.entries.iter().map(item).collect();
        items[3] = raw_item(scene.anna.entries[3].header_bytes(), None);
        bag.put(&log_path(scene.anna.log()), &items.concat());
        bag
    };
    let report = without_body(&scene).audit(Pass::Full);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["body-missing"]));
    assert_eq!(without_body(&scene).audit(Pass::Fast).facts().counts.bodies_withheld, 1);

    let third = scene.records[2].clone();
    scene.mission.erase(third.record, Erased::Heads(vec![third.id]));
    let report = without_body(&scene).audit(Pass::Full);
    assert_eq!((report.verdict(), report.facts().counts.bodies_erased), (Verdict::Passed, 1));
    assert!(report.to_text().contains("erased, headers only"));
    let report = scene.bag().audit(Pass::Full);
    assert_eq!(with_code(&report, BagCode::ErasedButHeld)[0].place.entry, Some(third.id));
}

#[test]
fn a_fork_is_a_doubt_until_a_cut_covers_all_branches_but_one() {
    let scene = || {
        let mut scene = Scene::play();
        let mut twin = Device::new(scene.mission.id(), 32, "ليلى", scene.stolen.certificate.clone());
        twin.entries = scene.stolen.entries[..1].to_vec();
        twin.wall_ms += 9_000_000;
        let other = twin.create(&scene.mission, &[("note", Value::Text("twin"))], Vec::new());
        let mut entries = scene.stolen.entries.clone();
        entries.push(twin.entries[1].clone());
        entries[1..].sort_by_key(|entry| entry.id());
        scene.stolen.entries = entries;
        (scene, other)
    };
    let (forked, other) = scene();
    let report = forked.bag().audit(Pass::Full);
    let found = with_code(&report, Check::LogFork);
    assert_eq!((found.len(), found[0].weight), (1, Weight::Note), "{}", report.to_text());
    assert_eq!(with_code(&report, BagCode::SetAsideByCut)[0].place.entry, Some(other.id));
    assert_eq!(report.verdict(), Verdict::Passed);

    let mut bag = forked.bag();
    bag.files.retain(|path, _| !path.starts_with("data/statements/cut/"));
    let report = bag.audit(Pass::Fast);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["log-fork"]));
}

#[test]
fn four_lower_siblings_do_not_take_an_entry_that_a_cut_keeps_out_of_its_record() {
    let mut scene = Scene::play();
    let kept = scene.stolen.entries[1].id();
    let thieves = (0..).map(|n| {
        let mut twin = scene.stolen.twin();
        twin.entries.truncate(1);
        twin.create(&scene.mission, &[("count_best", Value::Int(n))], Vec::new());
        twin.entries.remove(1)
    });
    let lower: Vec<_> = thieves.filter(|entry| entry.id() < kept).take(4).collect();
    let displaced = lower.iter().map(|entry| entry.id()).max().unwrap();
    scene.stolen.entries.extend(lower);
    scene.stolen.entries[1..].sort_by_key(|entry| entry.id());
    for pass in BOTH {
        let report = scene.bag().audit(pass);
        let found = with_code(&report, BagCode::EntryDisplaced);
        assert_eq!(found.len(), 1, "{}", report.to_text());
        assert_eq!((found[0].place.entry, found[0].weight), (Some(displaced), Weight::Note));
        assert_eq!(report.verdict(), Verdict::Passed, "{}", report.to_text());
    }
    let report = scene.bag().audit(Pass::Full);
    let entries = report.facts().records.iter().flat_map(|record| &record.entries);
    assert_eq!(
        entries.filter(|entry| entry.id == kept).map(|entry| entry.standing).collect::<Vec<_>>(),
        ["provisional"]
    );

    // Without the cut nothing tells them apart but their ids.
    let mut bag = scene.bag();
    bag.files.retain(|path, _| !path.starts_with("data/statements/cut/"));
    let report = bag.audit(Pass::Full);
    assert_eq!(with_code(&report, BagCode::EntryDisplaced)[0].place.entry, Some(kept));
    assert_eq!(report.verdict(), Verdict::Indeterminate);
}

#[test]
fn the_mission_id_of_the_auditor_decides() {
    let scene = Scene::play();
    let folder = tempfile::tempdir().unwrap();
    scene.bag().write(folder.path());
    let other = merestone_core::id::MissionId::from_bytes([7; 32]);
    let report = merestone_audit::audit_folder(folder.path(), other, &merestone_audit::Options::default()).unwrap();
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Failed, vec!["mission-mismatch"]));
    assert_eq!(report.facts().counts.entries, 0, "nothing is judged without the root of trust");
}
