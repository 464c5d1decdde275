//! Camps that mirror each other: what a phone gives to one, another phone gets at the other.

use serde_json::Value;

use crate::world::{World, text};

#[test]
fn what_one_camp_is_given_the_other_has_for_the_next_phone() {
    let world = World::with_mission();
    for (home, name, key, role) in [
        ("anna", "Anna", "a.key", "observer"),
        ("boris", "Boris", "b.key", "observer"),
        ("north", "North camp", "n.key", "camp"),
        ("south", "South camp", "a.key", "camp"),
    ] {
        world.enrol(home, name, key, role);
    }
    let new = ["record", "new", "--form", "inspection", "--home", "anna", "--set", "post=North gate"];
    world.json(&[&new[..], &["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"]].concat());

    let north = world.serve("north");
    let ticket = text(&north.ready, "ticket_text").to_owned();
    let mut south = world.answer(&["serve", "--home", "south", "--mirror", &ticket]);
    while south.event("mirror")["state"] != "synced" {}
    assert_eq!(world.json(&["sync", &north.ticket, "--home", "anna"])["fully_synced"], true);
    // Live, over the conversation that is open.
    let told = loop {
        let told = south.event("mirror");
        if told["state"] == "synced" && told["entries_received"] != 0 {
            break told;
        }
    };
    assert_eq!(text(&told["who"], "observer"), "North camp");
    assert_eq!(world.json(&["sync", &south.ticket, "--home", "boris"])["fully_synced"], true);
    let list = world.json(&["record", "list", "--home", "boris"]);
    assert_eq!(list["records"].as_array().map(Vec::len), Some(1));

    // The other camp goes; this one says so, and calls again.
    north.stop();
    while south.event("mirror")["state"] != "waiting" {}
    south.stop();
}

#[test]
fn a_mirror_of_another_mission_is_refused_at_once() {
    let (world, other) = (World::with_mission(), World::with_mission());
    world.enrol("camp", "Base camp", "n.key", "camp");
    other.enrol("camp", "Base camp", "n.key", "camp");
    let ticket = other.json(&["device", "ticket", "--address", "10.0.0.1", "--home", "camp"]);
    let args = ["serve", "--home", "camp", "--listen", "127.0.0.1:0", "--mirror", text(&ticket, "ticket")];
    let output = world.run(&[&args[..], &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(65), 1), "{said}");
    assert!(said.contains("another mission"), "{said}");
    let ready: Value = serde_json::from_slice(&output.stdout).expect("it was ready");
    assert_eq!(text(&ready, "event"), "ready");
}
