//! What observers say about a record, what is said again, and what the parties agree to forget.

use merestone_audit::{Options, Verdict, audit_folder};
use merestone_core::id::MissionId;
use serde_json::Value;

use crate::world::{Camp, World, text};

/// What nobody may find again after an erasure.
const SECRET: &str = "Kowalska";

fn record(world: &World, home: &str) -> String {
    let new = ["record", "new", "--form", "inspection", "--home", home, "--set", "post=North gate"];
    let rest = ["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"];
    let remark = format!("remarks=seen by {SECRET}");
    text(&world.json(&[&new[..], &rest[..], &["--set", &remark]].concat()), "record").to_owned()
}

fn meet(world: &World, camp: &Camp, homes: &[&str]) {
    for home in homes {
        assert_eq!(world.json(&["sync", &camp.ticket, "--home", home])["fully_synced"], true, "{home}");
    }
}

/// Kind and standing of everything that was said, in the order of their kinds.
fn said(world: &World, home: &str, record: &str) -> Vec<(String, String)> {
    let shown = world.json(&["record", "show", record, "--home", home]);
    let said = shown["said"].as_array().expect("a list").iter();
    let mut said: Vec<_> = said.map(|one| (text(one, "kind").to_owned(), text(one, "standing").to_owned())).collect();
    said.sort();
    said
}

fn pairs(said: &[(&str, &str)]) -> Vec<(String, String)> {
    said.iter().map(|(kind, standing)| ((*kind).to_owned(), (*standing).to_owned())).collect()
}

#[test]
fn what_others_say_is_signed_travels_and_is_voided_by_an_edit() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("boris", "Boris", "b.key", "observer");
    world.enrol("otto", "Otto", "n.key", "arbiter");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let record = record(&world, "anna");
    let camp = world.serve("camp");
    meet(&world, &camp, &["anna", "boris", "otto"]);

    let sign = |home: &str, role: &str, more: &[&str]| {
        world.json(&[&["record", "sign", &record, "--as", role, "--home", home], more].concat())
    };
    let agreed = sign("boris", "concurrence", &[]);
    assert_eq!(text(&agreed, "said"), "agreed to");
    sign("boris", "co-author", &["--text", "We both counted."]);
    sign("otto", "dissent", &["--reason", "4", "--text", "It was shut at noon."]);
    // An objection without words, a reason where none belongs, a ruling by an observer, an entry of nobody.
    let refused = |home: &str, more: &[&str]| {
        world.run(&[&["record", "sign", &record, "--home", home, "--as"], more].concat()).status.code()
    };
    assert_eq!(refused("boris", &["objection"]), Some(65));
    assert_eq!(refused("boris", &["receipt", "--reason", "1"]), Some(64));
    assert_eq!(refused("boris", &["ruling"]), Some(65));
    assert_eq!(refused("boris", &["receipt", "--about", &"0".repeat(64)]), Some(65));
    meet(&world, &camp, &["boris", "otto", "anna"]);
    let (p, v) = ("provisional", "voided");
    assert_eq!(said(&world, "anna", &record), pairs(&[("co-authorship", p), ("concurrence", p), ("dissent", p)]));

    world.json(&["record", "edit", &record, "--set", "status=closed", "--home", "anna"]);
    let heads = world.json(&["record", "show", &record, "--home", "anna"])["heads"].clone();
    meet(&world, &camp, &["anna", "boris"]);
    let again = sign("boris", "concurrence", &[]);
    assert_eq!(again["about"], heads, "it is about what the record says now");
    meet(&world, &camp, &["boris", "anna"]);
    let wanted = [("co-authorship", v), ("concurrence", p), ("concurrence", v), ("dissent", v)];
    assert_eq!(said(&world, "anna", &record), pairs(&wanted));
    camp.stop();
}

#[test]
fn an_erasure_of_enough_parties_takes_a_record_from_everybody_and_the_audit_says_by_whom() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("ada", "Ada", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let record = record(&world, "anna");
    let camp = world.serve("camp");
    meet(&world, &camp, &["anna", "ada"]);
    camp.stop();
    assert!(
        holds(&world, "camp") && holds(&world, "anna") && holds(&world, "ada"),
        "the search finds it while it is there"
    );
    // Ada, far away, adds something that nobody asked to forget.
    let edited = world.json(&["record", "edit", &record, "--set", "status=closed", "--home", "ada"]);

    let propose = ["erasure", "propose", &record, "--reason", "privacy", "--text", "Asked for.", "--key", "a.key"];
    let proposed = world.json(&[&propose[..], &["--out", "wish", "--home", "camp"]].concat());
    assert_eq!((&proposed["complete"], &proposed["needed"]), (&Value::Bool(false), &Value::from(2)));
    let early = world.run(&["erasure", "add", "wish", "--home", "camp"]);
    assert_eq!(early.status.code(), Some(65), "one party alone erases nothing");
    // A ledger's key is no party's.
    let foreign = world.run(&["erasure", "sign", "wish", "--charter", "charter.cbor", "--key", "l.key"]);
    assert_eq!(foreign.status.code(), Some(65));
    let signed = world.json(&["erasure", "sign", "wish", "--charter", "charter.cbor", "--key", "b.key"]);
    assert_eq!(signed["complete"], true);
    assert_eq!(world.json(&["erasure", "show", "wish", "--charter", "charter.cbor"])["signed"], signed["signed"]);
    world.json(&["erasure", "add", "wish", "--home", "camp"]);
    assert!(!holds(&world, "camp"));

    let camp = world.serve("camp");
    meet(&world, &camp, &["anna", "ada", "anna"]);
    camp.stop();
    for home in ["anna", "ada", "camp"] {
        assert!(!holds(&world, home), "{home} still has it");
    }
    // What Ada wrote is kept, held, and restated in a record that names the old one.
    let shown = world.json(&["record", "show", &record, "--home", "ada"]);
    let kept = shown["entries"].as_array().expect("entries").iter().find(|one| one["standing"] == "held");
    let entry = text(kept.expect("Ada's edit is held"), "entry").to_owned();
    assert_eq!(entry, text(&edited, "entry"));
    let restated = world.json(&["record", "restate", &entry, "--home", "ada"]);
    assert_ne!(text(&restated, "record"), record);
    let again = world.json(&["record", "show", text(&restated, "record"), "--home", "ada"]);
    let answers = again["answers"].as_array().expect("answers");
    let value =
        |key: &str| answers.iter().find(|one| text(one, "key").ends_with(key)).map(|one| &one["values"][0]["value"]);
    assert_eq!(value("/restates"), Some(&Value::from(record.as_str())));
    assert_eq!(value("status"), Some(&Value::from("closed")));
    let twice = world.run(&["record", "restate", text(&restated, "entry"), "--home", "ada"]);
    assert_eq!(twice.status.code(), Some(65), "what is applied needs no restating");

    world.json(&["bag", "write", "bag", "--home", "camp"]);
    let mission =
        MissionId::from_hex(text(&world.json(&["mission", "show", "charter.cbor"]), "mission")).expect("an id");
    let report = audit_folder(&world.path("bag"), mission, &Options::default()).expect("a bag");
    let found = report.to_text();
    assert_eq!(report.verdict(), Verdict::Passed, "{found}");
    assert!(found.contains("body-erased"), "{found}");
    assert!(!found.contains(SECRET));
}

#[test]
fn what_a_cut_set_aside_is_written_again_under_a_new_key() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("ada", "Ada", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let record = record(&world, "anna");
    let camp = world.serve("camp");
    meet(&world, &camp, &["anna", "ada"]);
    world.json(&["record", "edit", &record, "--set", "status=closed", "--home", "anna"]);
    camp.stop();
    // The cut keeps what base camp holds; what Anna wrote after that comes later.
    let key = text(&world.json(&["device", "show", "--home", "anna"])["observers"][0], "key").to_owned();
    world.json(&["roster", "cut", &key, "--reason", "lost", "--home", "camp", "--key", "a.key"]);
    let camp = world.serve("camp");
    let _ = world.run(&["sync", &camp.ticket, "--home", "anna"]);
    meet(&world, &camp, &["ada"]);
    camp.stop();
    let shown = world.json(&["record", "show", &record, "--home", "ada"]);
    let aside = shown["entries"].as_array().expect("entries").iter().find(|one| one["standing"] == "set-aside");
    let entry = text(aside.expect("the later edit is set aside"), "entry").to_owned();
    let restated = world.json(&["record", "restate", &entry, "--home", "ada"]);
    assert_eq!(text(&restated, "record"), record, "the record goes on");
    let shown = world.json(&["record", "show", &record, "--home", "ada"]);
    let status = shown["answers"].as_array().expect("answers").iter().find(|one| one["key"] == "status");
    let values = &status.expect("status")["values"];
    assert_eq!((values[0]["value"].as_str(), text(&values[0]["author"], "observer")), (Some("closed"), "Ada"));
}

/// Whether any file of a device has the secret.
fn holds(world: &World, home: &str) -> bool {
    let files = world.snapshot(home);
    files.iter().any(|(_, bytes)| bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()))
}
