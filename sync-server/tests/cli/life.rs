//! The whole path: found, enrol, record, meet base camp, disagree, settle, hand over to the auditors.

use std::path::Path;

use merestone_audit::{Options, Verdict, audit_folder};
use merestone_core::id::MissionId;
use serde_json::Value;

use crate::world::{World, text};

const INSPECTION: [&str; 8] =
    ["--set", "post=North gate", "--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"];

fn record_inspection(world: &World, home: &str) -> Value {
    let new = ["record", "new", "--form", "inspection", "--home", home, "--writer", "State B"];
    world.json(&[&new[..], &INSPECTION[..]].concat())
}

fn edit(world: &World, home: &str, record: &str, setting: &str) -> Value {
    world.json(&["record", "edit", record, "--set", setting, "--home", home])
}

fn sync(world: &World, home: &str, ticket: &str) {
    let outcome = world.json(&["sync", ticket, "--home", home]);
    assert_eq!(outcome["fully_synced"], true, "{outcome}");
}

/// The values that stand at `key`.
fn values(record: &Value, key: &str) -> Vec<Value> {
    let answers = record["answers"].as_array().expect("answers");
    let answer = answers.iter().find(|answer| answer["key"] == key);
    let values = answer.and_then(|answer| answer["values"].as_array());
    values.map_or(Vec::new(), |values| values.iter().map(|value| value["value"].clone()).collect())
}

#[test]
fn a_record_goes_from_one_phone_over_base_camp_to_another_and_into_a_bag() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("boris", "Boris", "b.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");

    // Offline: Anna records, attaches a photo, and changes her mind.
    let saved = record_inspection(&world, "anna");
    let record = text(&saved, "record").to_owned();
    world.write("gate.png", PNG);
    world.json(&["photo", "add", &record, "gate.png", "--caption", "the gate", "--home", "anna"]);
    edit(&world, "anna", &record, "status=restricted");
    let history = world.json(&["record", "history", &record, "--home", "anna"]);
    assert_eq!(history["steps"].as_array().map(Vec::len), Some(3));
    let changed = &history["steps"][2]["changes"][0];
    assert_eq!((text(changed, "key"), text(changed, "after")), ("status", "restricted"));
    assert_eq!(text(&changed["before"][0], "value"), "open");

    // Base camp collects, and brings it to Boris.
    let mut camp = world.serve("camp");
    let ticket = camp.ticket.clone();
    sync(&world, "anna", &ticket);
    assert_eq!(text(&camp.event("met")["who"], "observer"), "Anna");
    sync(&world, "boris", &ticket);
    let list = world.json(&["record", "list", "--home", "boris"]);
    assert_eq!(text(&list["records"][0], "record"), record);
    let found = world.json(&["record", "list", "--search", "gate", "--kind", "inspection", "--home", "boris"]);
    assert_eq!(found["records"].as_array().map(Vec::len), Some(1));
    let shown = world.json(&["record", "show", &record, "--home", "boris"]);
    assert_eq!(shown["photos"][0]["held"], true, "{shown}");

    // Both edit without having met: nothing is decided silently.
    edit(&world, "anna", &record, "status=open");
    edit(&world, "boris", &record, "status=closed");
    for home in ["anna", "boris", "anna"] {
        sync(&world, home, &ticket);
    }
    let shown = world.json(&["record", "show", &record, "--home", "anna"]);
    assert_eq!(shown["conflicts"], 1);
    assert_eq!(values(&shown, "status").len(), 2);
    world.json(&["record", "resolve", &record, "--set", "status=closed", "--home", "anna"]);
    for home in ["anna", "boris", "anna"] {
        sync(&world, home, &ticket);
    }
    let shown = world.json(&["record", "show", &record, "--home", "boris"]);
    assert_eq!(values(&shown, "status"), ["closed"]);

    // Anna sees that base camp signed for everything, the photo included.
    let history = world.json(&["record", "history", &record, "--home", "anna"]);
    for step in history["steps"].as_array().expect("steps") {
        assert_eq!(step["custody"]["at_base_camp"], true, "{step}");
        assert_eq!(step["custody"]["photos"], step["custody"]["photos_at_base_camp"], "{step}");
    }
    camp.stop();

    let bag = world.json(&["bag", "write", "evidence", "--home", "camp"]);
    assert_eq!(bag["left_out"].as_array().map(Vec::len), Some(0), "{bag}");
    let notes = std::fs::read_dir(world.path("evidence/data/ledger/notes")).expect("the checkpoints of the camp");
    assert!(notes.count() > 0);
    passes_audit(&world.path("evidence"), text(&bag, "mission"));

    let diagnosis = world.json(&["doctor", "--home", "camp"]);
    assert_eq!(diagnosis["entries"], bag["entries"]);
    let ledger = &diagnosis["ledger"];
    assert_eq!((&ledger["damaged"], &ledger["leaves_checked"]), (&Value::Bool(false), &ledger["leaves"]), "{ledger}");
    assert!(ledger["checkpoints_checked"].as_u64() > Some(0), "{ledger}");
}

#[test]
fn two_phones_meet_without_base_camp() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("boris", "Boris", "b.key", "observer");
    let of_anna = record_inspection(&world, "anna");
    let of_boris = record_inspection(&world, "boris");
    let mut anna = world.answer(&["sync", "--wait", "--home", "anna"]);
    sync(&world, "boris", &anna.ticket.clone());
    let outcome = anna.next();
    assert_eq!((&outcome["fully_synced"], text(&outcome["peer"], "observer")), (&Value::Bool(true), "Boris"));
    anna.ends();
    for home in ["anna", "boris"] {
        for record in [&of_anna, &of_boris] {
            let shown = world.json(&["record", "show", text(record, "record"), "--home", home]);
            assert_eq!(values(&shown, "status"), ["open"]);
        }
    }
}

#[test]
fn a_link_without_originals_brings_the_rest_and_is_not_called_synced() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("boris", "Boris", "b.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let saved = record_inspection(&world, "anna");
    world.write("gate.png", PNG);
    world.json(&["photo", "add", text(&saved, "record"), "gate.png", "--home", "anna"]);
    let camp = world.serve("camp");
    sync(&world, "anna", &camp.ticket);
    let outcome = world.json(&["sync", &camp.ticket, "--no-originals", "--home", "boris"]);
    let said = (&outcome["fully_synced"], &outcome["synced_as_wanted"]);
    assert_eq!(said, (&Value::Bool(false), &Value::Bool(true)), "{outcome}");
    assert_eq!(world.json(&["device", "show", "--home", "boris"])["photos_missing"], 1);
    sync(&world, "boris", &camp.ticket);
    assert_eq!(world.json(&["device", "show", "--home", "boris"])["photos_missing"], 0);
}

#[test]
fn a_damaged_photo_is_named_and_comes_again() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let saved = record_inspection(&world, "anna");
    let record = text(&saved, "record");
    world.write("gate.png", PNG);
    world.json(&["photo", "add", record, "gate.png", "--home", "anna"]);
    let camp = world.serve("camp");
    sync(&world, "anna", &camp.ticket);

    let shown = world.json(&["record", "show", record, "--home", "anna"]);
    let photo = text(&shown["photos"][0], "sha256");
    world.write(&format!("anna/store/blobs/{}/{photo}", &photo[..2]), b"not the gate");
    let diagnosis = world.json_with_code(&["doctor", "--home", "anna"], 1);
    assert!(diagnosis.to_string().contains(photo), "{diagnosis}");
    sync(&world, "anna", &camp.ticket);
    let diagnosis = world.json(&["doctor", "--home", "anna"]);
    assert_eq!(diagnosis["photos_missing"], 0);
}

#[test]
fn a_cut_ends_a_key_here_and_where_it_travels() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let before = record_inspection(&world, "anna");
    let camp = world.serve("camp");
    let ticket = camp.ticket.clone();
    sync(&world, "anna", &ticket);
    camp.stop();

    let device = world.json(&["device", "show", "--home", "anna"]);
    let key = text(&device["observers"][0], "key");
    let cut = ["roster", "cut", key, "--reason", "stolen", "--home", "camp", "--out", "anna.cut"];
    // Another party has no say about Anna's key.
    let refused = world.run(&[&cut[..], &["--key", "b.key"]].concat());
    assert_eq!(refused.status.code(), Some(65));
    let made = world.json(&[&cut[..], &["--key", "a.key"]].concat());
    assert_eq!(made["kept"].as_array().map(Vec::len), Some(1));

    let roster = world.json(&["roster", "add", "anna.cut", "--home", "anna"]);
    let anna = roster["people"].as_array().and_then(|people| people.iter().find(|one| one["key"] == key));
    assert_eq!(anna.map(|anna| &anna["cut"]), Some(&Value::Bool(true)));
    let record = text(&before, "record");
    let after = world.run(&["record", "edit", record, "--set", "status=closed", "--home", "anna"]);
    assert_eq!(after.status.code(), Some(65));
    // What was kept stands.
    let shown = world.json(&["record", "show", record, "--home", "camp"]);
    assert_eq!(values(&shown, "status"), ["open"]);
}

#[test]
fn base_camp_holds_nobody_elses_key() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    let refused = world.run(&["serve", "--listen", "127.0.0.1:0", "--home", "anna"]);
    assert_eq!(refused.status.code(), Some(65));
    world.enrol("camp", "Base camp", "n.key", "camp");
    let new = ["record", "new", "--form", "inspection", "--home", "camp"];
    let refused = world.run(&[&new[..], &INSPECTION[..]].concat());
    assert_eq!(refused.status.code(), Some(65), "a key of role camp signs no record");
}

fn passes_audit(bag: &Path, mission: &str) {
    let mission = MissionId::from_hex(mission).expect("64 hex digits");
    let report = audit_folder(bag, mission, &Options::default()).expect("a folder that can be read");
    assert_eq!(report.verdict(), Verdict::Passed, "{}", report.to_text());
}

/// A picture of four pixels.
#[rustfmt::skip]
pub(crate) const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00, 0x57, 0xdd, 0x52,
    0xf8, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0xf8, 0x0f, 0x84,
    0x00, 0x06, 0x00, 0x01, 0xff, 0x93, 0xd1, 0xe4, 0x89, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];
