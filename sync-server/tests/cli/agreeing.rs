//! What parties decide together about keys.

use crate::world::{World, text};

#[test]
fn a_cut_that_parties_agree_to_is_taken_up_once_enough_signed() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let people = world.json(&["roster", "show", "--home", "anna"]);
    let key = text(&people["people"][0], "key").to_owned();
    let propose =
        ["roster", "cut", &key, "--reason", "misuse", "--key", "a.key", "--propose", "anna.cut", "--home", "anna"];
    let proposed = world.json(&propose);
    assert_eq!((&proposed["complete"], &proposed["needed"]), (&false.into(), &2.into()));
    let early = world.run(&["roster", "add", "anna.cut", "--home", "anna"]);
    assert_eq!(early.status.code(), Some(65), "one party alone has not agreed");
    let ledger = world.run(&["roster", "agree", "anna.cut", "--charter", "charter.cbor", "--key", "l.key"]);
    assert_eq!(ledger.status.code(), Some(65), "a ledger's key is no party's");
    let agreed = world.json(&["roster", "agree", "anna.cut", "--charter", "charter.cbor", "--key", "b.key"]);
    assert_eq!(agreed["complete"], true);
    assert_eq!(world.json(&["roster", "agree", "anna.cut", "--charter", "charter.cbor"])["signed"], agreed["signed"]);
    let taken = world.json(&["roster", "add", "anna.cut", "--home", "anna"]);
    assert_eq!(taken["people"][0]["cut"], true);
    assert_eq!(taken["cuts"][0]["parties"], serde_json::json!([1, 2]));
}

#[test]
fn a_lost_phone_is_followed_by_a_new_one_that_is_shown_as_the_same_observers() {
    let world = World::with_mission();
    for (home, observer) in [("old", "Anna"), ("new", "Anna again"), ("other", "Boris")] {
        world.enrol(home, observer, if home == "other" { "b.key" } else { "a.key" }, "observer");
    }
    let key = |home: &str| text(&world.json(&["device", "show", "--home", home])["observers"][0], "key").to_owned();
    let (old, new) = (key("old"), key("new"));
    let inspection =
        ["--set", "post=North gate", "--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"];
    world.json(&[&["record", "new", "--form", "inspection", "--home", "old"][..], &inspection[..]].concat());

    world.enrol("camp", "Base camp", "n.key", "camp");
    let meet = |home: &str| {
        let camp = world.serve("camp");
        world.json(&["sync", &camp.ticket, "--home", home]);
        camp.stop();
    };
    meet("old");

    let vouch = ["roster", "succeed", &old, &new, "--certificate", "new.certificate", "--out", "anna.succession"];
    let foreign = world.run(&[&vouch[..], &["--key", "b.key", "--home", "camp"]].concat());
    assert_eq!(foreign.status.code(), Some(65), "another party vouches for nobody here");
    let vouched = world.json(&[&vouch[..], &["--key", "a.key", "--home", "camp"]].concat());
    assert_eq!(vouched["logs"], 1);
    let elsewhere = world.run(&["device", "succeed", "anna.succession", "--home", "other"]);
    assert_eq!(elsewhere.status.code(), Some(65), "another device has not the new key");

    // The new device learns of the old key from base camp.
    meet("new");
    let made = world.json(&["device", "succeed", "anna.succession", "--home", "new"]);
    assert_eq!((text(&made, "old"), text(&made, "signed_by")), (old.as_str(), "the party"));
    let shown = world.json(&["roster", "show", "--home", "new"]);
    let people = shown["people"].as_array().expect("people");
    let of_new = people.iter().find(|person| person["key"] == *new).expect("the new key");
    assert_eq!(of_new["same_observer"], serde_json::json!([old]));
}

#[test]
fn a_cut_that_no_other_party_can_acknowledge_says_that_what_is_final_stays() {
    let world = World::with_witnesses();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "a.key", "camp");
    let key = text(&world.json(&["device", "show", "--home", "anna"])["observers"][0], "key").to_owned();
    let cut = ["roster", "cut", &key, "--reason", "lost", "--key", "a.key", "--home", "anna"];
    let said = world.run(&cut);
    let words = String::from_utf8(said.stdout).expect("text");
    assert!(words.contains("one other party must hold it, and none has a camp, reviewer or arbiter"), "{words}");
    assert!(words.contains("roster cut --propose"), "{words}");
    let doctor = world.json(&["doctor", "--home", "anna"]);
    assert_eq!(text(&doctor["ledger"]["stuck_cuts"][0], "key"), key);
}
