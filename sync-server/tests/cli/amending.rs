//! A charter that is amended between laptops: a party joins, a camp and a phone follow, and two rivals end it.

use merestone_audit::Verdict;
use merestone_core::id::MissionId;
use serde_json::Value;

use crate::world::{World, text};

fn public(world: &World, owner: &str) -> String {
    let made = world.json(&["mission", "key", "--out", &format!("{owner}.key"), "--kdf-memory-mib", "1"]);
    text(&made, "key").to_owned()
}

fn sign(world: &World, file: &str, owner: &str) -> Value {
    world.json(&["mission", "sign", file, "--charter", "founding.cbor", "--key", &format!("{owner}.key")])
}

/// State C joins, with a scope: as signed by the three parties and by itself.
fn joined(world: &World) -> Value {
    let party = format!("State C={}", public(world, "c"));
    let amend = ["mission", "amend", "--charter", "founding.cbor", "--party", &party, "--scope", "West"];
    let begun = world.json(&[&amend[..], &["--key", "a.key", "--out", "west.amendment"]].concat());
    assert_eq!((begun["complete"].as_bool(), begun["lacks"].as_u64()), (Some(false), Some(2)));
    sign(world, "west.amendment", "b");
    assert_eq!(sign(world, "west.amendment", "n")["complete"], false, "whoever joins has not signed");
    sign(world, "west.amendment", "c")
}

#[test]
fn a_party_joins_a_camp_and_a_phone_follow_and_two_rivals_end_it_by_name() {
    let world = World::with_mission();
    world.write("founding.cbor", &world.read("charter.cbor"));
    world.enrol("camp", "Base camp", "n.key", "camp");
    world.enrol("anna", "Anna", "a.key", "observer");

    let signed = joined(&world);
    assert_eq!(signed["complete"], true);
    let amended = world.json(&["mission", "add", "west.amendment", "--home", "camp"]);
    assert_eq!((&amended["charter"], amended["parties"].as_array().map(Vec::len)), (&signed["charter"], Some(4)));
    assert_eq!(text(&amended, "mission"), text(&signed, "mission"));
    // The new party's office and its phones begin with the charter file.
    world.json(&["mission", "add", "west.amendment", "--charter", "charter.cbor"]);
    world.enrol("carla", "Carla", "c.key", "observer");

    let camp = world.serve("camp");
    for phone in ["carla", "anna"] {
        assert_eq!(world.json(&["sync", &camp.ticket, "--home", phone])["fully_synced"], true, "{phone}");
        assert_eq!(world.json(&["mission", "show", "--home", phone])["charter"], signed["charter"], "{phone}");
    }
    drop(camp);
    let people = world.json(&["roster", "show", "--home", "anna"]).to_string();
    assert!(people.contains("Carla"), "{people}");

    shows_what_rests_on_the_amendment(&world, &signed);

    // A key does not sign a second amendment of one charter unawares.
    let rival = ["mission", "amend", "--charter", "founding.cbor", "--scope", "East", "--key", "a.key"];
    let refused = world.run(&[&rival[..], &["--out", "east.amendment"]].concat());
    assert_eq!(refused.status.code(), Some(65));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains(text(&signed, "charter")) && why.contains("--instead"), "{why}");

    // Three parties that forget it on purpose.
    for owner in ["a", "b", "n"] {
        std::fs::remove_file(world.path(&format!("{owner}.key.signed"))).expect("what the key signed");
    }
    world.json(&[&rival[..], &["--out", "east.amendment"]].concat());
    sign(&world, "east.amendment", "b");
    let other = sign(&world, "east.amendment", "n");
    let frozen = world.json(&["mission", "add", "east.amendment", "--home", "camp"]);
    assert_eq!(frozen["charter"], frozen["mission"], "neither acts");
    assert_eq!(frozen["frozen"]["signed_both"], serde_json::json!([1, 2, 3]));
    let rivals = frozen["frozen"]["rivals"].to_string();
    assert!([&signed, &other].iter().all(|made| rivals.contains(text(made, "charter"))), "{rivals}");

    let compare = ["mission", "compare", "west.amendment", "east.amendment", "--charter", "founding.cbor"];
    let compared = world.json_with_code(&compare, 1);
    assert_eq!(compared["signed_both"].as_array().map(Vec::len), Some(3));
    assert_eq!((&compared["one"], &compared["other"]), (&signed["charter"], &other["charter"]));

    // The phone learns of it from the camp; what rested on the first one is kept and waits.
    let camp = world.serve("camp");
    world.run(&["sync", &camp.ticket, "--home", "anna"]);
    let shown = world.json(&["mission", "show", "--home", "anna"]);
    assert_eq!((&shown["frozen"], &shown["charter"]), (&frozen["frozen"], &shown["mission"]));
    assert!(shown["waiting"].as_u64() >= Some(1), "{shown}");
    let refused =
        world.run(&["mission", "amend", "--home", "anna", "--scope", "South", "--key", "a.key", "--out", "x"]);
    assert_eq!(refused.status.code(), Some(65));
}

/// An entry of the party that joined, shown to somebody who holds nothing but the mission's id, and published.
fn shows_what_rests_on_the_amendment(world: &World, signed: &Value) {
    let mission = MissionId::from_hex(text(signed, "mission")).expect("a mission's id");
    let answers =
        ["--set", "post=West gate", "--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"];
    let new = ["record", "new", "--form", "inspection", "--scope", "West", "--home", "carla"];
    let saved = world.json(&[&new[..], &answers[..]].concat());
    world.json(&["record", "exhibit", text(&saved, "record"), "--out", "carla.exhibit", "--home", "carla"]);
    let shown = merestone_audit::exhibit(&world.read("carla.exhibit"), mission).expect("an exhibit").to_text();
    let in_force = format!("{}, 1 amendment", text(signed, "charter"));
    assert!(shown.contains(&in_force) && shown.contains("Carla (State C"), "{shown}");

    let publish = ["publish", "public", "--scope", "West", "--key", "c.key", "--home", "carla"];
    world.json(&[&publish[..], &["--disclose", "status", "--withhold-rest", "security"]].concat());
    let published = merestone_audit::audit_publication(&world.path("public"), mission, None, 2).expect("a publication");
    assert_eq!(published.verdict(), Verdict::Passed, "{}", published.to_text());
    assert!(published.to_text().contains(&in_force), "{}", published.to_text());
}

#[test]
fn a_party_that_signs_two_charters_of_one_mission_is_named_with_both() {
    let (world, key) = (World::new(), |world: &World, owner: &str| public(world, owner));
    let parties = ["a", "b"].map(|owner| format!("State {owner}={}", key(&world, owner)));
    let found = |scope: &str, out: &str| {
        let found = ["mission", "found", "--name", "Border", "--party", &parties[0], "--party", &parties[1]];
        world.json(&[&found[..], &["--scope", scope, "--key", "a.key", "--out", out]].concat())
    };
    let made = [found("North", "one.cbor"), found("South", "other.cbor")];
    world.json(&["mission", "sign", "one.cbor", "--key", "b.key"]);
    let compared = world.json_with_code(&["mission", "compare", "one.cbor", "other.cbor"], 1);
    assert_eq!(compared["signed_both"].as_array().map(Vec::len), Some(1), "{compared}");
    assert_eq!(text(&compared["signed_both"][0], "party"), "State a");
    assert_eq!((&compared["one"], &compared["other"]), (&made[0]["mission"], &made[1]["mission"]));
    assert_eq!(world.json(&["mission", "compare", "one.cbor", "one.cbor"])["rivals"], false);
}
