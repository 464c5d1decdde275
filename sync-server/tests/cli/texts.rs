//! A mission that three laptops found, sign and amend with nothing between them but texts.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::world::{World, text};

/// A laptop of a party, with its root key; gives its public key too.
fn laptop(name: &str) -> (World, String) {
    let world = World::new();
    let made = world.json(&["mission", "key", "--out", "root.key", "--kdf-memory-mib", "1"]);
    let key = format!("{name}={}", text(&made, "key"));
    (world, key)
}

/// What a file says as texts, in the order of their numbers.
fn texts(world: &World, file: &str) -> Vec<String> {
    let output = world.run(&["mission", "show", file, "--text"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("texts").lines().map(str::to_owned).collect()
}

/// Runs a verb with `given` typed in.
fn typed(world: &World, args: &[&str], given: &str) -> Value {
    let mut command = world.command(&[args, &["--json"]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    child.stdin.take().expect("piped").write_all(given.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    serde_json::from_slice(&output.stdout).expect("--json prints JSON")
}

/// What a verb that is refused says, on one line.
fn refused(world: &World, args: &[&str], code: i32) -> String {
    let output = world.run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{args:?}: {said}");
    said
}

#[test]
fn three_laptops_found_sign_and_amend_a_mission_by_texts_alone() {
    let [(a, of_a), (b, of_b), (n, of_n)] = ["State A", "State B", "Neutral body"].map(laptop);
    let parties = ["--party", &of_a, "--party", &of_b, "--party", &of_n];
    let found =
        ["mission", "found", "--name", "Border", "--scope", "North", "--key", "root.key", "--out", "charter.cbor"];
    let founded = a.json(&[&found[..], &parties].concat());
    let mut carried = texts(&a, "charter.cbor");
    assert!(carried.len() > 2 && carried.iter().all(|text| text.len() <= 475), "{}", carried.len());

    // B saves what arrived, last first and one twice, and signs: the file of texts becomes one of the signed charter.
    carried.reverse();
    carried.push(carried[1].to_lowercase());
    b.write("arrived.txt", carried.join("\n\n").as_bytes());
    assert_eq!(b.json(&["mission", "show", "arrived.txt"])["mission"], founded["mission"]);
    b.json(&["mission", "sign", "arrived.txt", "--key", "root.key"]);
    let signed = String::from_utf8(b.read("arrived.txt")).expect("texts still");
    assert!(signed.starts_with("MERESTONE-CHARTER:1/"), "{signed}");

    // N types it in, signs, and everybody has the whole charter from N's texts.
    let complete = typed(&n, &["mission", "sign", "-", "--key", "root.key", "--out", "charter.cbor"], &signed);
    assert_eq!((&complete["complete"], &complete["mission"]), (&Value::Bool(true), &founded["mission"]));
    let charter = texts(&n, "charter.cbor").join("\n");
    for laptop in [&a, &b] {
        laptop.write("charter.txt", charter.as_bytes());
        assert_eq!(laptop.json(&["mission", "show", "charter.txt"])["complete"], true);
    }
    let device = typed(&b, &["device", "init", "-", "--home", "phone"], &charter);
    assert_eq!(device["mission"], founded["mission"]);
    let shown = b.json(&["mission", "show", "--home", "phone", "--text"]);
    assert_eq!(text(&shown["parts"][0], "text"), charter.lines().next().expect("a part"));

    // An amendment goes the same way, and into a charter that is a file of texts.
    let amend = ["mission", "amend", "--charter", "charter.txt", "--scope", "West", "--key", "root.key"];
    a.json(&[&amend[..], &["--out", "west.cbor"]].concat());
    let mut west = texts(&a, "west.cbor").join("\n");
    for laptop in [&b, &n] {
        laptop.write("charter.txt", charter.as_bytes());
        let sign = ["mission", "sign", "-", "--charter", "charter.txt", "--key", "root.key", "--out", "west.cbor"];
        typed(laptop, &sign, &west);
        west = texts(laptop, "west.cbor").join("\n");
    }
    let amended = typed(&a, &["mission", "add", "-", "--charter", "charter.txt"], &west);
    assert_eq!(amended["scopes"].as_array().map(Vec::len), Some(2));
    assert_eq!(a.json(&["mission", "show", "charter.txt"])["charter"], amended["charter"]);
    let init = a.json(&["device", "init", "charter.txt", "--home", "phone"]);
    assert_eq!(init["mission"], founded["mission"]);
}

#[test]
fn what_is_missing_or_mixed_is_said_and_nothing_is_signed() {
    let (a, of_a) = laptop("State A");
    let (_, of_b) = laptop("State B");
    let found = |name: &str, out: &str| {
        let found = ["mission", "found", "--name", name, "--scope", "North", "--key", "root.key", "--out", out];
        a.json(&[&found[..], &["--party", &of_a, "--party", &of_b]].concat());
        texts(&a, out)
    };
    let (one, other) = (found("One", "one.cbor"), found("Other", "other.cbor"));
    let count = one.len();
    assert!(count > 1);
    let sign = ["mission", "sign", "given.txt", "--key", "root.key"];
    let lacking = [&one[..1], &one[2..]].concat().join("\n");
    a.write("given.txt", lacking.as_bytes());
    let said = refused(&a, &sign, 65);
    assert!(said.contains(&format!("part 2 of {count} is missing")), "{said}");
    assert_eq!(a.read("given.txt"), lacking.as_bytes());

    a.write("given.txt", [one[0].as_str(), &other[1]].join("\n").as_bytes());
    let said = refused(&a, &sign, 65);
    let ids = [&one, &other].map(|texts| texts[0].split('/').nth(2).expect("an id").to_owned());
    assert!(ids.iter().all(|id| said.contains(id)), "{said}");

    // Only the part that is missing is shown again, and as a picture.
    let again = a.json(&["mission", "show", "one.cbor", "--qr", "--part", "2"]);
    assert_eq!((text(&again["parts"][0], "text"), again["parts"].as_array().map(Vec::len)), (one[1].as_str(), Some(1)));
    let drawn = a.run(&["mission", "show", "one.cbor", "--qr", "--part", "2"]);
    let drawn = String::from_utf8_lossy(&drawn.stdout).into_owned();
    assert!(drawn.starts_with(&format!("part 2 of {count}\n█")), "{drawn}");
    assert!(drawn.lines().all(|line| line.chars().count() <= 77));
    refused(&a, &["mission", "show", "one.cbor", "--text", "--part", "99"], 65);

    // What is typed in cannot be replaced.
    let said = refused(&a, &["mission", "sign", "one.cbor", "--key", "root.key", "--out", "other.cbor"], 65);
    assert!(said.contains("exists already"), "{said}");
}
