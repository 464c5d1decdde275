//! Tickets: printed by one device, typed or scanned at another.

use serde_json::Value;

use crate::world::{World, text};

#[test]
fn a_ticket_leads_to_the_device_that_printed_it_however_it_was_copied() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let camp = world.serve("camp");
    let ticket = text(&camp.ready, "ticket_text").to_owned();
    assert!(ticket.starts_with("MERESTONE-TICKET:") && ticket.len() < 200, "{ticket}");
    let copied = ticket.to_lowercase().chars().collect::<Vec<_>>();
    let copied = copied.chunks(30).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join("\n  ");
    assert_eq!(world.json(&["sync", &copied, "--home", "anna"])["fully_synced"], true);

    // One letter is another: nothing is tried.
    let last = if ticket.ends_with('A') { "B" } else { "A" };
    let wrong = format!("{}{last}", &ticket[..ticket.len() - 1]);
    let refused = world.run(&["sync", &wrong, "--home", "anna"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!((refused.status.code(), said.lines().count()), (Some(64), 1), "{said}");
    assert!(said.contains("checksum"), "{said}");

    // A ticket for another mission is told apart before anybody is called.
    let other = World::with_mission();
    other.enrol("phone", "Anna", "a.key", "observer");
    let refused = other.run(&["sync", &ticket, "--home", "phone"]);
    assert_eq!(refused.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another mission"));
}

#[test]
fn a_device_says_where_it_will_answer_without_a_passphrase() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.write("pass", b"not the passphrase\n");
    let args = ["device", "ticket", "--address", "192.168.1.5", "--home", "anna"];
    let made = world.json(&[&args[..], &["--qr", "ticket.svg"]].concat());
    assert_eq!(made["addresses"], Value::from(vec!["192.168.1.5:7411"]));
    assert_eq!(text(&made, "name"), "anna");
    assert!(world.read("ticket.svg").starts_with(b"<svg"));
    let nameless = world.json(&[&args[..], &["--no-name", "--port", "9"]].concat());
    assert_eq!((&nameless["name"], &nameless["addresses"]), (&Value::Null, &Value::from(vec!["192.168.1.5:9"])));
    let refused = world.run(&["device", "ticket", "--address", "fe80::1", "--home", "anna"]);
    assert_eq!(refused.status.code(), Some(65), "an address of a link is one for this device only");
}
