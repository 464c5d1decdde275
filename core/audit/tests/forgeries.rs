//! What a forger does to a bag, with manifests that fit, and what the audit says of it.

mod support;

use merestone_audit::{BagCode, Pass, Verdict, Weight};
use merestone_core::Check;
use merestone_core::change::Value;
use merestone_core::erasure::Erased;
use merestone_core::id::BlobHash;
use merestone_core::roster::Role;
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
fn a_flipped_byte_in_a_header_is_named_at_the_entry_that_stood_there() {
    let scene = Scene::play();
    for pass in BOTH {
        let mut bag = scene.bag();
        let mut items: Vec<Vec<u8>> = scene.anna.entries.iter().map(item).collect();
        let signature = items[1].len() - scene.anna.entries[1].body_bytes().unwrap().len() - 10;
        items[1][signature] ^= 1;
        bag.put(&log_path(scene.anna.log()), &items.concat());
        let report = bag.audit(pass);
        assert_eq!(report.verdict(), Verdict::Failed);
        let found = with_code(&report, Check::SignatureInvalid);
        assert_eq!(found.len(), 1, "{}", report.to_text());
        assert_eq!(found[0].place.entry, Some(scene.anna.entries[1].id()));
        assert_eq!((found[0].place.log, found[0].place.seq), (Some(scene.anna.log()), Some(1)));
        assert!(with_code(&report, Check::LogGap).is_empty());
    }
}

#[test]
fn a_flipped_byte_in_the_last_entry_is_named_by_the_receipt() {
    let scene = Scene::play();
    let mut items: Vec<Vec<u8>> = scene.boris.entries.iter().map(item).collect();
    let signature = items[1].len() - scene.boris.entries[1].body_bytes().unwrap().len() - 10;
    items[1][signature] ^= 1;
    let mut bag = scene.bag();
    bag.put(&log_path(scene.boris.log()), &items.concat());
    let report = bag.audit(Pass::Full);
    assert_eq!(with_code(&report, Check::SignatureInvalid)[0].place.entry, Some(scene.boris.entries[1].id()));
}

#[test]
fn a_flipped_byte_in_a_body_is_named_at_its_entry_and_breaks_no_chain() {
    let scene = Scene::play();
    for pass in BOTH {
        let mut bag = scene.bag();
        let mut items: Vec<Vec<u8>> = scene.anna.entries.iter().map(item).collect();
        *items[3].last_mut().unwrap() ^= 1;
        bag.put(&log_path(scene.anna.log()), &items.concat());
        let report = bag.audit(pass);
        assert_eq!((report.verdict(), serious(&report)), (Verdict::Failed, vec!["body-hash"]));
        assert_eq!(with_code(&report, Check::BodyHash)[0].place.entry, Some(scene.anna.entries[3].id()));
    }
}

#[test]
fn a_removed_tail_is_named_by_the_receipt() {
    let scene = Scene::play();
    for pass in BOTH {
        let mut bag = scene.bag();
        bag.put_log(scene.anna.log(), &scene.anna.entries[..2]);
        let report = bag.audit(pass);
        assert_eq!(report.verdict(), Verdict::Failed);
        let found = with_code(&report, BagCode::ReceiptMissingTail);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place.log, Some(scene.anna.log()));
        assert_eq!(found[0].place.entry, Some(scene.anna.entries[3].id()));
        assert!(found[0].detail.starts_with("2 entries"));
    }
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
fn a_receipt_of_a_key_that_was_cut_fails_no_bag() {
    let mut scene = Scene::play();
    let extra = scene.anna.create(&scene.mission, &[("note", Value::Text("never sent"))], Vec::new());
    let thief =
        std::mem::replace(&mut scene.stolen, Device::new(scene.mission.id(), 99, "x", scene.anna.certificate.clone()));
    scene.mission.receipt(&thief, 1, &[&scene.anna]);
    scene.stolen = thief;
    scene.anna.entries.pop();
    let report = scene.bag().audit(Pass::Fast);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["receipt-missing-tail"]));
    assert_eq!(with_code(&report, BagCode::ReceiptMissingTail)[0].place.entry, Some(extra.id));
}

#[test]
fn a_bag_of_a_later_version_is_not_guessed_at() {
    let mut bag = Scene::play().bag();
    bag.info = "Merestone-Bag-Version: 3\n".into();
    let report = bag.audit(Pass::Full);
    assert_eq!((report.verdict(), serious(&report)), (Verdict::Indeterminate, vec!["bag-version"]));
}

#[test]
fn a_removed_middle_entry_is_a_gap_at_that_entry() {
    let scene = Scene::play();
    for pass in BOTH {
        let mut bag = scene.bag();
        let mut entries = scene.anna.entries.clone();
        let removed = entries.remove(2);
        bag.put_log(scene.anna.log(), &entries);
        let report = bag.audit(pass);
        assert_eq!(report.verdict(), Verdict::Failed);
        let found = with_code(&report, Check::LogGap);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.entry, found[0].place.seq), (Some(removed.id()), Some(2)));
    }
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
fn a_strangers_entry_is_named() {
    let scene = Scene::play();
    let foreign = scene.mission.certificate(1, 66, "Mallory", Role::Observer);
    let mut mallory = Device::new(scene.mission.id(), 66, "Mallory", foreign);
    let made = mallory.create(&scene.mission, &[("note", Value::Text("forged"))], Vec::new());
    for pass in BOTH {
        let mut bag = scene.bag();
        bag.put_log(mallory.log(), &mallory.entries);
        let report = bag.audit(pass);
        assert_eq!((report.verdict(), serious(&report)), (Verdict::Failed, vec!["key-not-in-roster"]));
        assert_eq!(with_code(&report, Check::KeyNotInRoster)[0].place.entry, Some(made.id));

        let mut bag = scene.bag();
        let mut appended = bag.files[&log_path(scene.anna.log())].clone();
        appended.extend(item(&mallory.entries[0]));
        bag.put(&log_path(scene.anna.log()), &appended);
        let report = bag.audit(pass);
        assert_eq!(serious(&report), ["key-not-in-roster", "log-misplaced"]);
        assert_eq!(with_code(&report, BagCode::LogMisplaced)[0].place.entry, Some(made.id));
    }
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
fn moved_doubled_and_disordered_entries_are_named() {
    let scene = Scene::play();
    let items: Vec<Vec<u8>> = scene.anna.entries.iter().map(item).collect();
    for order in [vec![0, 0, 1, 2, 3], vec![0, 2, 1, 3]] {
        let mut bag = scene.bag();
        let bytes: Vec<u8> = order.iter().flat_map(|&at| items[at].clone()).collect();
        bag.put(&log_path(scene.anna.log()), &bytes);
        let report = bag.audit(Pass::Full);
        assert_eq!(report.verdict(), Verdict::Failed);
        assert!(!with_code(&report, BagCode::LogMisplaced).is_empty(), "{order:?}");
    }
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

#[test]
fn dropped_certificates_cuts_and_forms_are_noticed() {
    let scene = Scene::play();
    let anna = scene.anna.certificate.id();
    let rows = [
        (format!("data/statements/certificate/{anna}.cbor"), Verdict::Failed, "key-not-in-roster"),
        ("data/forms/".to_owned(), Verdict::Indeterminate, "form-missing"),
        ("data/charter.cbor".to_owned(), Verdict::Failed, "bag-unreadable"),
    ];
    for (prefix, verdict, code) in rows {
        let mut bag = scene.bag();
        bag.files.retain(|path, _| !path.starts_with(&prefix));
        let report = bag.audit(Pass::Full);
        assert_eq!(report.verdict(), verdict, "{prefix}");
        assert!(serious(&report).contains(&code), "{prefix}: {:?}", serious(&report));
    }
}
