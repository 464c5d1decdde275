//! Requests that name an attestation, or the key that they are to follow.

use serde_json::Value;

use crate::world::{World, text};

const RECORD: [&str; 12] = [
    "record",
    "new",
    "--form",
    "inspection",
    "--set",
    "post=North gate",
    "--set",
    "day=2026-05-04",
    "--set",
    "status=open",
    "--set",
    "how_known=seen",
];

/// Makes a request on the device `home`, into the file `NAME.request`, and gives its six words and its key.
fn request(world: &World, home: &str, name: &str, more: &[&str]) -> (String, String) {
    let file = format!("{name}.request");
    let made = ["device", "request", "--observer", name, "--device", home, "--home", home, "--kdf-memory-mib", "1"];
    let made = world.json(&[&made[..], &["--out", &file], more].concat());
    let words: Vec<_> = made["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    (words.join(" "), text(&made, "key").to_owned())
}

fn meet(world: &World, home: &str, more: &[&str]) {
    let camp = world.serve("camp");
    world.json(&[&["sync", &camp.ticket, "--home", home], more].concat());
    camp.stop();
}

#[test]
fn an_attestation_is_compared_with_the_request_and_said_to_be_unchecked() {
    let world = World::with_mission();
    world.json(&["device", "init", "charter.cbor", "--home", "phone"]);
    world.write("chain", &[7; 8_192]);
    world.write("other", &[8; 8_192]);
    world.write("long", &[7; 8_193]);
    world.write("empty", b"");
    let made =
        ["device", "request", "--observer", "Anna", "--device", "phone", "--home", "phone", "--kdf-memory-mib", "1"];
    for file in ["long", "empty"] {
        let refused = world.run(&[&made[..], &["--attestation", file]].concat());
        assert_eq!(refused.status.code(), Some(65), "{file}");
    }
    assert_eq!(world.json(&["device", "show", "--home", "phone"])["observers"], serde_json::json!([]));

    let (words, _) = request(&world, "phone", "Anna", &["--attestation", "chain"]);
    let certify =
        ["roster", "certify", "Anna.request", "--charter", "charter.cbor", "--key", "a.key", "--words", &words];
    let other = world.run(&[&certify[..], &["--attestation", "other"]].concat());
    assert_eq!(other.status.code(), Some(65), "another attestation");
    let certified = world.json(&[&certify[..], &["--attestation", "chain", "--out", "anna.certificate"]].concat());
    assert_eq!(
        (&certified["attestation"]["bytes"], &certified["attestation"]["checked"]),
        (&8_192.into(), &false.into())
    );
    world.json(&["device", "accept", "anna.certificate", "--home", "phone"]);
    let shown = world.run(&["roster", "show", "--home", "phone"]);
    let shown = String::from_utf8(shown.stdout).expect("text");
    assert!(shown.contains("attestation: 8192 bytes, not checked by Merestone"), "{shown}");
}

#[test]
fn a_lost_phone_is_replaced_in_one_go() {
    let world = World::with_mission();
    world.enrol("old", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    world.json(&[&RECORD[..], &["--home", "old"]].concat());
    meet(&world, "old", &[]);
    let shown = world.json(&["device", "show", "--home", "old"]);
    let old = text(&shown["observers"][0], "key").to_owned();

    world.json(&["device", "init", "charter.cbor", "--home", "new"]);
    let (words, new) = request(&world, "new", "Anna", &["--replaces", &old]);
    let certify = ["roster", "certify", "Anna.request", "--charter", "charter.cbor", "--words", &words];
    let act = ["--succession", "anna.succession", "--cut", "lost", "--home", "camp", "--out", "anna.certificate"];
    let foreign = world.run(&[&certify[..], &["--key", "b.key"], &act[..]].concat());
    assert_eq!(foreign.status.code(), Some(65), "another party replaces nobody's key here");
    let stranger = world.run(&[&certify[..], &["--key", "a.key", "--cut", "lost", "--home", "new"]].concat());
    assert_eq!(stranger.status.code(), Some(65), "the new phone knows nothing of the old key yet");
    assert!(!world.path("anna.certificate").exists(), "nothing was certified");
    let certified = world.json(&[&certify[..], &["--key", "a.key"], &act[..]].concat());
    let replaced = &certified["replaced"];
    assert_eq!((text(replaced, "key"), &replaced["whose"]), (old.as_str(), &serde_json::json!(["Anna", "old"])));
    assert_eq!((&replaced["logs"], replaced["kept"].as_array().map(Vec::len)), (&1.into(), Some(1)));

    world.json(&["device", "accept", "anna.certificate", "--home", "new"]);
    meet(&world, "new", &[]);
    world.json(&["device", "succeed", "anna.succession", "--home", "new"]);
    let shown = world.json(&["roster", "show", "--home", "new"]);
    let person = |key: &str| {
        let people = shown["people"].as_array().expect("people");
        people.iter().find(|person| person["key"] == *key).cloned().expect("both keys")
    };
    assert_eq!(person(&new)["same_observer"], serde_json::json!([old]));
    assert_eq!((&person(&new)["cut"], &person(&old)["cut"]), (&false.into(), &true.into()));
}

#[test]
fn a_key_is_rotated_on_one_device_by_both_keys() {
    let world = World::with_mission();
    world.enrol("phone", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let shown = world.json(&["device", "show", "--home", "phone"]);
    let old = text(&shown["observers"][0], "key").to_owned();
    world.json(&[&RECORD[..], &["--home", "phone"]].concat());
    meet(&world, "phone", &[]);

    let (words, new) = request(&world, "phone", "Anna", &["--replaces", &old]);
    let certify =
        ["roster", "certify", "Anna.request", "--charter", "charter.cbor", "--key", "a.key", "--words", &words];
    let said =
        world.run(&[&certify[..], &["--cut", "replaced", "--home", "camp", "--out", "anna.certificate"]].concat());
    let said = String::from_utf8(said.stdout).expect("text");
    assert!(said.contains("The key before is that of Anna · phone.") && said.contains("is cut"), "{said}");
    world.json(&["device", "accept", "anna.certificate", "--home", "phone"]);
    let made = world.json(&["device", "succeed", "--old", &old, "--new", &new, "--home", "phone"]);
    assert_eq!(text(&made, "signed_by"), "the old key");
    // Two of its observers may sign until it hears of the cut.
    meet(&world, "phone", &["--observer", &new]);
    for home in ["phone", "camp"] {
        let shown = world.json(&["roster", "show", "--home", home]);
        let people = shown["people"].as_array().expect("people");
        let of = |key: &str| people.iter().find(|person| person["key"] == *key).expect("both keys");
        assert_eq!(
            (&of(&new)["same_observer"], &of(&new)["replaces"]),
            (&serde_json::json!([old]), &old.as_str().into())
        );
        assert_eq!((&of(&new)["cut"], &of(&old)["cut"]), (&false.into(), &true.into()));
    }
}
