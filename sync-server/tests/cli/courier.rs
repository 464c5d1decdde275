//! Bundles on a stick: written by one device, read by another, cut, damaged, killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::life::PNG;
use crate::world::{World, text};

fn record(world: &World, home: &str, post: &str) -> String {
    let new = ["record", "new", "--form", "inspection", "--home", home, "--set", post];
    let rest = ["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"];
    text(&world.json(&[&new[..], &rest[..]].concat()), "record").to_owned()
}

/// Anna with two records and a photo, so small that one rendition serves for two; base camp that has never met her.
fn apart() -> World {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let first = record(&world, "anna", "post=North gate");
    record(&world, "anna", "post=South gate");
    world.write("gate.png", PNG);
    world.json(&["photo", "add", &first, "gate.png", "--home", "anna"]);
    world
}

fn records(world: &World, home: &str) -> usize {
    world.json(&["record", "list", "--home", home])["records"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_stick_brings_everything_to_a_device_that_never_met_its_maker() {
    let world = apart();
    let written = world.json(&["courier", "write", "stick.courier", "--home", "anna"]);
    assert_eq!((&written["entries"], &written["photos"]), (&Value::from(3), &Value::from(2)), "{written}");
    let before = world.read("stick.courier");
    fs::set_permissions(world.path("stick.courier"), fs::Permissions::from_mode(0o444)).expect("its own file");

    let dry = world.json(&["courier", "read", "stick.courier", "--dry-run", "--home", "camp"]);
    assert_eq!((text(&dry, "maker"), &dry["entries"]), ("Anna · anna", &Value::from(3)));
    assert_eq!(records(&world, "camp"), 0, "a dry run takes nothing");

    let read = world.json(&["courier", "read", "stick.courier", "--home", "camp"]);
    assert_eq!((&read["entries_new"], &read["photos_new"]), (&Value::from(3), &Value::from(2)), "{read}");
    assert_eq!((&read["photos_missing"], &read["bodies_missing"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(records(&world, "camp"), 2);
    assert_eq!(world.read("stick.courier"), before);

    // Twice is once.
    let again = world.json(&["courier", "read", "stick.courier", "--home", "camp"]);
    for nothing in ["entries_new", "photos_new", "statements_new"] {
        assert_eq!(again[nothing], 0, "{again}");
    }
    // Nobody loses a file to a typing error.
    let refused = world.run(&["courier", "write", "stick.courier", "--home", "anna"]);
    assert_eq!(refused.status.code(), Some(65));
    let camp = world.serve("camp");
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "anna"])["entries_sent"], 0, "base camp has it all");
}

#[test]
fn a_bundle_for_one_device_holds_what_that_device_lacked() {
    let world = apart();
    let camp = world.serve("camp");
    world.json(&["sync", &camp.ticket, "--home", "anna"]);
    camp.stop();
    record(&world, "anna", "post=East gate");
    let written = world.json(&["courier", "write", "new.courier", "--for", "Base camp", "--home", "anna"]);
    assert_eq!((&written["entries"], &written["photos"]), (&Value::from(1), &Value::from(0)), "{written}");
    let read = world.json(&["courier", "read", "new.courier", "--home", "camp"]);
    assert_eq!(read["entries_new"], 1);
    assert_eq!(records(&world, "camp"), 3);

    for (who, says) in [("Nobody", "no device with that name"), ("Anna", "")] {
        let output = world.run(&["courier", "write", "x.courier", "--for", who, "--home", "camp"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(0) || said.contains(says), "{who}: {said}");
    }
}

#[test]
fn a_bundle_that_was_cut_or_damaged_is_noticed_before_anything_is_taken() {
    let world = apart();
    world.json(&["courier", "write", "good.courier", "--home", "anna"]);
    let good = world.read("good.courier");
    for cut in [0, 10, 100, good.len() / 2, good.len() - 1] {
        world.write("cut.courier", &good[..cut]);
        let output = world.run(&["courier", "read", "cut.courier", "--home", "camp"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(65), 1), "{cut}: {said}");
    }
    let mut contents = good.clone();
    let at = contents.len() - 60;
    contents[at] ^= 1;
    world.write("contents.courier", &contents);
    assert_eq!(world.run(&["courier", "read", "contents.courier", "--home", "camp"]).status.code(), Some(65));
    assert_eq!(records(&world, "camp"), 0);

    // A damaged photo costs that photo, and nothing else.
    let at = good.windows(PNG.len()).rposition(|window| window == PNG).expect("the photo is in it");
    let mut photo = good.clone();
    photo[at + 20] ^= 1;
    world.write("photo.courier", &photo);
    let dry = world.json_with_code(&["courier", "read", "photo.courier", "--dry-run", "--home", "camp"], 1);
    assert!(text(&dry["damaged"][0], "what").starts_with("original "), "{dry}");
    let read = world.json_with_code(&["courier", "read", "photo.courier", "--home", "camp"], 1);
    assert_eq!((&read["entries_new"], &read["photos_new"]), (&Value::from(3), &Value::from(1)), "{read}");
    assert_eq!(read["photos_missing"], 1);
    // The good stick mends it.
    let read = world.json(&["courier", "read", "good.courier", "--home", "camp"]);
    assert_eq!((&read["photos_new"], &read["photos_missing"]), (&Value::from(1), &Value::from(0)));
}

#[test]
fn what_does_not_fit_is_named_by_record_and_goes_onto_the_next_stick() {
    let world = apart();
    let small = world.json_with_code(&["courier", "write", "text.courier", "--no-originals", "--home", "anna"], 2);
    assert_eq!((&small["photos"], text(&small["left_out"][0], "class")), (&Value::from(1), "original"), "{small}");
    assert!(small["left_out"][0]["record"].is_string());
    let bytes = small["bytes"].as_u64().expect("a length");
    let args = ["courier", "write", "tiny.courier", "--bytes-max", "1000", "--home", "anna"];
    let output = world.run(&args);
    assert_eq!(output.status.code(), Some(65));
    assert!(!world.path("tiny.courier").exists());
    let max = (bytes + 1_500).to_string();
    let first = ["courier", "write", "first.courier", "--bytes-max", &max, "--home", "anna"];
    let first = world.run(&[&first[..], &["--json"]].concat());
    assert!(matches!(first.status.code(), Some(0 | 2)));
    assert!(fs::metadata(world.path("first.courier")).expect("written").len() <= bytes + 1_500);
    let second = world.json(&["courier", "write", "second.courier", "--beside", "first.courier", "--home", "anna"]);
    let first: Value = serde_json::from_slice(&first.stdout).expect("--json prints JSON");
    assert_eq!(first["photos"].as_u64().zip(second["photos"].as_u64()).map(|(a, b)| a + b), Some(2));
    for stick in ["first.courier", "second.courier"] {
        world.json(&["courier", "read", stick, "--home", "camp"]);
    }
    assert_eq!(world.json(&["device", "show", "--home", "camp"])["photos_missing"], 0);
}

#[test]
fn a_bundle_of_another_mission_or_for_a_device_without_certificate_is_refused() {
    let world = apart();
    world.json(&["courier", "write", "stick.courier", "--home", "anna"]);
    let other = World::with_mission();
    other.enrol("phone", "Anna", "a.key", "observer");
    let stick = world.path("stick.courier").display().to_string();
    let output = other.run(&["courier", "read", &stick, "--home", "phone"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(65), 1), "{said}");
    assert!(said.contains("the bundle is of mission"), "{said}");

    world.json(&["device", "init", "charter.cbor", "--home", "new"]);
    let request =
        ["device", "request", "--observer", "Eve", "--device", "new", "--home", "new", "--kdf-memory-mib", "1"];
    world.json(&request);
    let output = world.run(&["courier", "read", &stick, "--home", "new"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(65) && said.contains("no certificate"), "{said}");
    let output = world.run(&["courier", "read", "pass", "--home", "camp"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no courier bundle"));
}

/// Wherever a kill comes, the next reading ends with the same.
#[test]
fn a_reading_that_is_killed_goes_on_when_it_is_begun_again() {
    let world = apart();
    for post in ["post=A", "post=B", "post=C", "post=D"] {
        record(&world, "anna", post);
    }
    world.json(&["courier", "write", "stick.courier", "--home", "anna"]);
    for wait_ms in [0, 30, 60, 90, 120, 150] {
        let mut child = world.command(&["courier", "read", "stick.courier", "--home", "camp"]);
        let mut child = child.stdout(std::process::Stdio::null()).spawn().expect("the command starts");
        // No waiting for something: the moment of the kill is what varies.
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < wait_ms && child.try_wait().expect("it runs").is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().expect("it ends");
    }
    world.json(&["courier", "read", "stick.courier", "--home", "camp"]);
    assert_eq!(records(&world, "camp"), 6);
    assert_eq!(world.json(&["doctor", "--home", "camp"])["photos_missing"], 0);
    let again = world.json(&["courier", "read", "stick.courier", "--home", "camp"]);
    assert_eq!((&again["entries_new"], &again["photos_new"]), (&Value::from(0), &Value::from(0)));
}
