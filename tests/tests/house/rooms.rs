//! Which crate may depend on which: the walls between the rooms.

use crate::breach::{Breach, assert_holds, assert_refused};
use crate::graph::{Graph, Kind};

/// One room: how high it lies, and what it may name as a dependency.
struct Room {
    name: &'static str,
    /// A room depends on lower floors only, in tests too; two rooms of one floor do not know each other.
    floor: u8,
    /// Normal and build dependencies. Before adding one here, ask whether the line
    /// that needs it is in the wrong room.
    may_use: &'static [&'static str],
}

#[rustfmt::skip]
const ROOMS: &[Room] = &[
    Room { name: "merestone-core", floor: 0, may_use: &[
        "automerge", "curve25519-dalek", "data-encoding", "ed25519-dalek", "sha2", "thiserror",
        "unicode-normalization", "zstd",
    ] },
    // rustix: how much room the disk has left. sha2: a photo is hashed while it is written.
    Room { name: "merestone-store", floor: 1, may_use: &[
        "merestone-core", "rusqlite", "rustix", "sha2", "thiserror", "zeroize",
    ] },
    // ed25519-dalek: transport keys, whose seed is wiped; observer keys stay away from this room.
    Room { name: "merestone-link", floor: 1, may_use: &[
        "merestone-core", "ed25519-dalek", "getrandom", "if-addrs", "mdns-sd", "quinn", "quinn-proto", "rustls", "socket2",
        "thiserror", "tokio",
    ] },
    Room { name: "merestone-media", floor: 1, may_use: &["image", "jpeg-encoder", "memchr", "thiserror"] },
    // calamine, csv, roxmltree, serde_json, zip: what forms come in. md-5, sha1, sha2, fancy-regex, jiff: what their expressions may call.
    Room { name: "merestone-forms", floor: 1, may_use: &[
        "merestone-core", "calamine", "csv", "data-encoding", "fancy-regex", "jiff", "md-5", "roxmltree", "serde_json", "sha1",
        "sha2", "thiserror", "zip",
    ] },
    Room { name: "merestone-audit", floor: 1, may_use: &[
        "merestone-core", "askama", "clap", "data-encoding", "serde", "serde_json", "thiserror",
    ] },
    Room { name: "merestone-exchange", floor: 2, may_use: &[
        "merestone-core", "merestone-forms", "csv", "jiff", "roxmltree", "rust_xlsxwriter", "serde", "serde_json",
        "thiserror",
    ] },
    // sha2: the files of a bag are hashed while they are written.
    Room { name: "merestone-node", floor: 2, may_use: &[
        "merestone-core", "merestone-forms", "merestone-link", "merestone-media", "merestone-store",
        "argon2", "bip39", "chacha20poly1305", "data-encoding", "getrandom", "qrcode", "sha2", "thiserror",
        "tokio", "zeroize",
    ] },
    Room { name: "merestone-server", floor: 3, may_use: &[
        "merestone-audit", "merestone-core", "merestone-exchange", "merestone-forms", "merestone-link",
        "merestone-media", "merestone-node", "merestone-store", "anyhow", "askama", "axum", "clap", "csv",
        "http-body-util", "hyper", "hyper-util", "indicatif",
        "rpassword", "serde", "serde_json", "thiserror", "tokio", "tracing", "tracing-subscriber",
    ] },
    Room { name: "merestone-ffi", floor: 3, may_use: &[
        "merestone-audit", "merestone-core", "merestone-forms", "merestone-node", "thiserror", "tokio", "uniffi", "zeroize",
    ] },
    // It reads the library that was built of `ffi`, and names no room.
    Room { name: "merestone-bindgen", floor: 4, may_use: &["camino", "clap", "goblin", "heck", "uniffi_bindgen"] },
];

/// The tests lie above every room and may use what they need; nothing may use them.
const TESTS: &str = "merestone-tests";

const DATABASE: &[&str] = &["rusqlite", "libsqlite3-sys"];
const NETWORK: &[&str] = &["tokio", "quinn", "quinn-proto", "mio", "socket2", "axum", "hyper", "mdns-sd"];
const PIXELS: &[&str] = &["image"];
const GENERATOR: &[&str] = &["uniffi_bindgen", "uniffi_udl", "goblin", "cargo_metadata", "weedle2"];

fn floor(name: &str) -> Option<u8> {
    let room = ROOMS.iter().find(|room| room.name == name).map(|room| room.floor);
    room.or((name == TESTS).then_some(u8::MAX))
}

fn members_without_a_room(graph: &Graph) -> Vec<Breach> {
    graph
        .members()
        .filter(|of| floor(&of.name).is_none())
        .map(|of| Breach::new(&of.name, "has no room: give it a floor and a list in tests/tests/house/rooms.rs"))
        .collect()
}

fn dependencies_outside_the_list(graph: &Graph) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for room in ROOMS {
        for of in graph.members().filter(|of| of.name == room.name) {
            let foreign =
                of.declared.iter().filter(|dep| dep.kind != Kind::Dev && !room.may_use.contains(&dep.name.as_str()));
            breaches.extend(foreign.map(|dep| {
                Breach::new(room.name, format!("depends on {}, which is not on its list in rooms.rs", dep.name))
            }));
        }
    }
    breaches
}

fn arrows_that_do_not_point_down(graph: &Graph) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for of in graph.members() {
        for dep in &of.declared {
            if let (Some(from), Some(to)) = (floor(&of.name), floor(&dep.name))
                && to >= from
            {
                breaches.push(Breach::new(&of.name, format!("depends on {}, which does not lie below it", dep.name)));
            }
        }
    }
    breaches
}

/// What must not end up inside `name`, however it got there.
fn banned_in_tree(graph: &Graph, name: &str, banned: &[&[&str]]) -> Vec<Breach> {
    graph
        .tree(name)
        .into_iter()
        .filter(|inside| banned.iter().any(|group| group.contains(inside)))
        .map(|inside| Breach::new(name, format!("contains {inside}: see `cargo tree -p {name} -i {inside}`")))
        .collect()
}

fn published(graph: &Graph) -> Vec<Breach> {
    let open = graph.members().filter(|of| !of.unpublished);
    open.map(|of| Breach::new(&of.name, "can be published: inherit `publish.workspace = true`")).collect()
}

fn binaries_that_share_a_name(graph: &Graph) -> Vec<Breach> {
    let mut names: Vec<&String> = graph.members().flat_map(|of| &of.binaries).collect();
    names.sort();
    let doubled = names.windows(2).filter(|pair| pair[0] == pair[1]);
    doubled.map(|pair| Breach::new(pair[0], "is the name of two binaries: `cargo run --bin` must find one")).collect()
}

#[test]
fn every_crate_has_a_room() {
    assert_holds(members_without_a_room(Graph::of_workspace()));
    assert_refused(members_without_a_room(&Graph::sample(&[("merestone-attic", &[])])), "merestone-attic");
}

#[test]
fn every_room_is_a_crate() {
    let graph = Graph::of_workspace();
    for room in ROOMS {
        assert!(graph.members().any(|of| of.name == room.name), "{} is in rooms.rs and no crate", room.name);
    }
}

#[test]
fn rooms_depend_only_on_what_is_on_their_list() {
    assert_holds(dependencies_outside_the_list(Graph::of_workspace()));
    let bad = Graph::sample(&[("merestone-core", &["sha2", "tokio"])]);
    assert_refused(dependencies_outside_the_list(&bad), "merestone-core");
}

#[test]
fn dependencies_point_downward_only() {
    assert_holds(arrows_that_do_not_point_down(Graph::of_workspace()));
    let up = Graph::sample(&[("merestone-core", &["merestone-store"]), ("merestone-store", &[])]);
    assert_refused(arrows_that_do_not_point_down(&up), "merestone-core");
    let sideways = Graph::sample(&[("merestone-link", &["merestone-store"]), ("merestone-store", &[])]);
    assert_refused(arrows_that_do_not_point_down(&sideways), "merestone-link");
    let tests = Graph::sample(&[("merestone-node", &["merestone-tests"]), ("merestone-tests", &[])]);
    assert_refused(arrows_that_do_not_point_down(&tests), "merestone-node");
}

#[test]
fn core_contains_no_runtime_no_network_no_database_no_pixels() {
    let banned = &[DATABASE, NETWORK, PIXELS];
    assert_holds(banned_in_tree(Graph::of_workspace(), "merestone-core", banned));
    let bad = Graph::sample(&[("merestone-core", &["helper"]), ("helper", &["mio"])]);
    assert_refused(banned_in_tree(&bad, "merestone-core", banned), "merestone-core");
}

/// As many as somebody can look through in a day.
const AUDIT_CRATES_MAX: usize = 100;

#[test]
fn the_audit_is_small_enough_to_be_looked_through() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["tree", "--offline", "-e", "normal", "--prefix", "none", "-p", "merestone-audit"];
    let tree = std::process::Command::new(cargo).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let tree = String::from_utf8(tree.expect("cargo runs").stdout).expect("names");
    // Name and version; what follows is where it comes from, or that it was listed before.
    let crates: std::collections::BTreeSet<Vec<&str>> =
        tree.lines().map(|line| line.split(' ').take(2).collect()).collect();
    assert!((10..=AUDIT_CRATES_MAX).contains(&crates.len()), "{} crates: {crates:?}", crates.len());
}

#[test]
fn the_audit_contains_no_network_no_database_no_pixels() {
    let banned = &[DATABASE, NETWORK, PIXELS];
    assert_holds(banned_in_tree(Graph::of_workspace(), "merestone-audit", banned));
    let bad = Graph::sample(&[("merestone-audit", &["helper"]), ("helper", &["socket2"])]);
    assert_refused(banned_in_tree(&bad, "merestone-audit", banned), "merestone-audit");
}

#[test]
fn a_phone_carries_no_generator() {
    assert_holds(banned_in_tree(Graph::of_workspace(), "merestone-ffi", &[GENERATOR]));
    let bad = Graph::sample(&[("merestone-ffi", &["uniffi"]), ("uniffi", &["uniffi_bindgen"])]);
    assert_refused(banned_in_tree(&bad, "merestone-ffi", &[GENERATOR]), "merestone-ffi");
    let tree = Graph::of_workspace().tree("merestone-bindgen");
    assert!(tree.contains("uniffi_bindgen") && tree.contains("goblin"), "the rule knows the generator's crates");
}

#[test]
fn pixels_are_decoded_in_one_room() {
    let graph = Graph::of_workspace();
    for room in ["merestone-store", "merestone-link", "merestone-forms"] {
        assert_holds(banned_in_tree(graph, room, &[PIXELS]));
    }
    assert!(graph.tree("merestone-media").contains("image"), "the walk through the tree reaches what is there");
}

#[test]
fn no_crate_can_be_published() {
    assert_holds(published(Graph::of_workspace()));
    let mut bad = Graph::sample(&[("merestone-core", &[])]);
    bad.crates.get_mut("merestone-core").expect("in the sample").unpublished = false;
    assert_refused(published(&bad), "merestone-core");
}

#[test]
fn a_binary_name_is_taken_once() {
    assert_holds(binaries_that_share_a_name(Graph::of_workspace()));
    let mut bad = Graph::sample(&[("merestone-server", &[]), ("merestone-node", &[])]);
    for of in bad.crates.values_mut() {
        of.binaries = vec!["merestone".to_owned()];
    }
    assert_refused(binaries_that_share_a_name(&bad), "merestone");
}
