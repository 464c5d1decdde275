//! Devices that know nothing of each other but the mission, in two network namespaces with a cable between them:
//! no router, no default route, no name server. Needs root on Linux.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::skip;
use crate::world::{Camp, World, text};

/// Two namespaces; gone when dropped.
struct Cabled {
    names: [String; 2],
}

impl Cabled {
    /// Namespaces without any cable; `None`, and said aloud, where that cannot be had.
    fn new(purpose: &str) -> Option<Self> {
        let names = ["a", "b"].map(|end| format!("merestone-{purpose}-{end}-{}", std::process::id()));
        let cabled = Self { names };
        for name in &cabled.names {
            if !ip(&["netns", "add", name]) || !ip(&["-n", name, "link", "set", "lo", "up"]) {
                skip::skip("network namespaces need root and Linux with iproute2");
                return None;
            }
        }
        Some(cabled)
    }

    /// Lays a cable. Its ends have these IPv4 addresses, or only those that IPv6 gives by itself.
    fn cable(&self, number: usize, addresses: Option<[&str; 2]>) {
        let ends = ["a", "b"].map(|end| format!("m{end}{number}x{}", std::process::id() % 100_000));
        let made = ["link", "add", &ends[0], "netns", &self.names[0], "type", "veth", "peer", "name", &ends[1]];
        assert!(ip(&[&made[..], &["netns", &self.names[1]]].concat()), "a cable");
        for at in 0..2 {
            let (name, end) = (&self.names[at], &ends[at]);
            // An address is there at once, without waiting whether somebody else on a cable of two has it.
            let dad = format!("/proc/sys/net/ipv6/conf/{end}/accept_dad");
            self.command(at, "sh").args(["-c", "echo 0 > \"$0\"", &dad]).status().expect("sh starts");
            if let Some(addresses) = addresses {
                assert!(ip(&["-n", name, "address", "add", addresses[at], "dev", end]), "an address");
            }
            assert!(ip(&["-n", name, "link", "set", end, "up"]), "a cable that is plugged in");
        }
    }

    /// A program inside one of the two.
    fn command(&self, at: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[at], program]).stdin(Stdio::null());
        command
    }

    /// The command of `world` inside one of the two.
    fn merestone(&self, at: usize, world: &World, args: &[&str]) -> Command {
        let mut command = self.command(at, env!("CARGO_BIN_EXE_merestone"));
        command.args(args).current_dir(world.path("")).env("MERESTONE_PASSPHRASE_FILE", world.path("pass"));
        command.env_remove("MERESTONE_HOME").args(["--json"]);
        command
    }
}

impl Drop for Cabled {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&["netns", "delete", name]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    let run = Command::new("ip").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

fn world() -> World {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let new = ["record", "new", "--form", "inspection", "--home", "anna", "--set", "post=North gate"];
    world.json(&[&new[..], &["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"]].concat());
    world
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).expect("--json prints JSON")
}

/// Base camp in one namespace, and Anna, who knows no address, in the other.
fn meet_nearby(cabled: &Cabled, serve: &[&str]) -> Value {
    let world = world();
    let args = [&["serve", "--home", "camp", "--listen", "[::]:7411"], serve].concat();
    let _camp = Camp::start(cabled.merestone(0, &world, &args));
    let args = ["sync", "--nearby", "--seconds", "30", "--home", "anna"];
    let met = report(&cabled.merestone(1, &world, &args).output().expect("the command starts"));
    assert_eq!((&met["found"], &met["met"][0]["fully_synced"]), (&Value::from(1), &Value::Bool(true)), "{met}");
    assert_eq!(text(&met["met"][0]["peer"], "observer"), "Base camp");
    met
}

#[test]
fn two_devices_on_a_cable_without_router_find_each_other() {
    let Some(cabled) = Cabled::new("one") else { return };
    cabled.cable(0, Some(["10.99.0.1/24", "10.99.0.2/24"]));
    meet_nearby(&cabled, &[]);
}

#[test]
fn a_device_with_two_networks_is_found_on_the_one_that_both_have() {
    let Some(cabled) = Cabled::new("two") else { return };
    // A network on which nobody else is.
    let inside = |args: &[&str]| assert!(ip(&[&["-n", &cabled.names[0]], args].concat()), "{args:?}");
    inside(&["link", "add", "dead", "type", "veth", "peer", "name", "end"]);
    inside(&["address", "add", "10.98.0.1/24", "dev", "dead"]);
    inside(&["link", "set", "dead", "up"]);
    inside(&["link", "set", "end", "up"]);
    cabled.cable(0, Some(["10.99.0.1/24", "10.99.0.2/24"]));
    cabled.cable(1, Some(["10.97.0.1/24", "10.97.0.2/24"]));
    meet_nearby(&cabled, &[]);
}

#[test]
fn devices_whose_only_addresses_are_those_of_an_ipv6_link_find_each_other() {
    let Some(cabled) = Cabled::new("six") else { return };
    cabled.cable(0, None);
    meet_nearby(&cabled, &[]);
}

#[test]
fn who_is_of_another_mission_or_quiet_is_not_found() {
    let Some(cabled) = Cabled::new("not") else { return };
    cabled.cable(0, Some(["10.99.0.1/24", "10.99.0.2/24"]));
    let (world, other) = (world(), world());
    let listen = ["--listen", "[::]:0"];
    let _quiet =
        Camp::start(cabled.merestone(0, &world, &[&["serve", "--home", "camp", "--quiet"], &listen[..]].concat()));
    let _other = Camp::start(cabled.merestone(0, &other, &[&["serve", "--home", "camp"], &listen[..]].concat()));
    let args = ["sync", "--nearby", "--seconds", "5", "--home", "anna"];
    let output = cabled.merestone(1, &world, &args).output().expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(69), 1), "{said}");
    assert!(said.contains("no device of this mission was found nearby"), "{said}");
}

#[test]
fn a_phone_that_waits_is_found_by_another_which_shows_its_name_to_nobody_else() {
    let Some(cabled) = Cabled::new("phone") else { return };
    cabled.cable(0, Some(["10.99.0.1/24", "10.99.0.2/24"]));
    let world = world();
    world.enrol("boris", "Boris", "b.key", "observer");
    let mut boris =
        Camp::start(cabled.merestone(0, &world, &["sync", "--wait", "--home", "boris", "--listen", "[::]:0"]));
    let args = ["sync", "--nearby", "--seconds", "30", "--home", "anna"];
    let met = report(&cabled.merestone(1, &world, &args).output().expect("the command starts"));
    assert_eq!(text(&met["met"][0]["peer"], "observer"), "Boris");
    assert_eq!(boris.next()["fully_synced"], true);
    boris.ends();
}
