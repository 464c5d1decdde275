//! What is missing, unreadable, foreign, truncated, newer, oversize or hostile: one clear line, the right exit code, and
//! everything as it was.

use std::process::Output;

use crate::world::{World, text};

/// What must be said: the exit code, and a part of the one line.
struct Refusal<'a> {
    args: &'a [&'a str],
    code: i32,
    says: &'a str,
}

fn check(world: &World, refusals: &[Refusal<'_>]) {
    for Refusal { args, code, says } in refusals {
        let output = world.run(args);
        let line = one_line(&output, args);
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {line}");
        assert!(line.starts_with("merestone: ") && line.contains(says), "{args:?}: {line}");
        assert!(output.stdout.is_empty(), "{args:?} printed {}", String::from_utf8_lossy(&output.stdout));
    }
}

fn one_line(output: &Output, args: &[&str]) -> String {
    let said = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    said.trim_end().to_owned()
}

#[test]
fn what_is_not_understood_is_named() {
    let world = World::new();
    let id = "00".repeat(32);
    check(
        &world,
        &[
            Refusal { args: &[], code: 64, says: "which verb?" },
            Refusal { args: &["mission"], code: 64, says: "which verb?" },
            Refusal { args: &["fnord"], code: 64, says: "fnord" },
            Refusal { args: &["record", "show"], code: 64, says: "<RECORD>" },
            Refusal { args: &["record", "show", "12"], code: 64, says: "64 hex digits" },
            Refusal { args: &["record", "show", &id], code: 64, says: "--home" },
            Refusal { args: &["record", "new", "--form", "f", "--place", "north"], code: 64, says: "LAT,LON" },
            Refusal { args: &["record", "new", "--form", "f", "--utc-offset", "2"], code: 64, says: "+HH:MM" },
            Refusal { args: &["record", "edit", &id, "--set", "status"], code: 64, says: "KEY=VALUE" },
            Refusal { args: &["sync", "camp"], code: 64, says: "KEY@HOST:PORT" },
            Refusal { args: &["serve", "--listen", "7411"], code: 64, says: "--listen" },
            Refusal { args: &["mission", "key", "--out", "k", "--kdf-memory-mib", "0"], code: 64, says: "kdf" },
        ],
    );
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let world = World::with_mission();
    let charter = world.read("charter.cbor");
    world.write("cut-off.cbor", &charter[..charter.len() / 2]);
    world.write("noise", &[0xff; 300]);
    world.write("huge", &vec![0; 1_100_000]);
    world.write("empty", b"");
    world.write("text", b"MERESTONE-REQUEST:AAAA\n");
    world.write("strange\nname", b"");
    std::fs::create_dir(world.path("folder")).expect("a folder");
    let key = world.read("a.key");
    world.write("cut-off.key", &key[..key.len() - 9]);
    let mut newer = key.clone();
    // The version follows the label: array head, text head, 17 bytes of label.
    newer[1 + 1 + "merestone/keyfile".len()] = 9;
    world.write("newer.key", &newer);
    world.write("wrong", b"another passphrase\n");

    let init = |file| ["device", "init", file, "--home", "phone"];
    let certify = |file| ["roster", "certify", file, "--charter", "charter.cbor", "--key", "a.key"];
    let sign = |key| ["mission", "sign", "charter.cbor", "--key", key];
    check(
        &world,
        &[
            Refusal { args: &init("none.cbor"), code: 65, says: "cannot read none.cbor as a charter: no such file" },
            Refusal { args: &init("folder"), code: 65, says: "is a directory" },
            Refusal { args: &init("empty"), code: 65, says: "empty" },
            Refusal { args: &init("noise"), code: 65, says: "noise" },
            Refusal { args: &init("huge"), code: 65, says: "longer than a charter can be (1048576 bytes)" },
            Refusal { args: &init("cut-off.cbor"), code: 65, says: "cut-off.cbor" },
            Refusal { args: &init("strange\nname"), code: 65, says: "strange?name" },
            Refusal { args: &["mission", "show", "noise"], code: 65, says: "noise is not a charter" },
            Refusal { args: &["mission", "show", "none"], code: 65, says: "no such file" },
            Refusal { args: &sign("none.key"), code: 65, says: "none.key" },
            Refusal { args: &sign("noise"), code: 65, says: "not a key file" },
            Refusal { args: &sign("cut-off.key"), code: 65, says: "damaged" },
            Refusal { args: &sign("newer.key"), code: 65, says: "version 9" },
            Refusal { args: &sign("huge"), code: 65, says: "longer than a key file can be" },
            Refusal { args: &["mission", "key", "--out", "a.key"], code: 65, says: "exists already" },
            Refusal {
                args: &[&sign("a.key")[..], &["--passphrase-file", "wrong"]].concat(),
                code: 65,
                says: "wrong passphrase",
            },
            Refusal { args: &[&sign("a.key")[..], &["--passphrase-file", "none"]].concat(), code: 65, says: "none" },
            Refusal { args: &[&sign("a.key")[..], &["--passphrase-file", "empty"]].concat(), code: 65, says: "empty" },
            Refusal { args: &[&sign("a.key")[..], &["--passphrase-file", "noise"]].concat(), code: 65, says: "UTF-8" },
            Refusal { args: &certify("none"), code: 65, says: "as a request" },
            Refusal { args: &certify("charter.cbor"), code: 65, says: "UTF-8" },
            Refusal { args: &certify("text"), code: 65, says: "checksum" },
            Refusal { args: &certify("huge"), code: 65, says: "longer than a request can be" },
            Refusal { args: &["form", "check", "none"], code: 65, says: "as a form" },
            Refusal { args: &["form", "check", "noise"], code: 65, says: "not an .xlsx" },
            Refusal { args: &["form", "check", "text"], code: 65, says: "text" },
        ],
    );
    assert!(!world.path("phone").join("store").exists(), "no store was made of a bad charter");
    assert_eq!(world.read("charter.cbor"), charter);
    assert_eq!(world.read("a.key"), key);
}

#[test]
fn the_founder_must_be_a_party_and_keys_must_be_keys() {
    let world = World::with_mission();
    let found = |party, out| {
        ["mission", "found", "--name", "M", "--scope", "S", "--party", party, "--key", "a.key", "--out", out]
    };
    let stranger =
        format!("X={}", text(&world.json(&["mission", "key", "--out", "x.key", "--kdf-memory-mib", "1"]), "key"));
    let weak = format!("X={}", "00".repeat(32));
    check(
        &world,
        &[
            Refusal { args: &found("nobody", "m.cbor"), code: 64, says: "NAME=KEY" },
            Refusal { args: &found("X=12", "m.cbor"), code: 65, says: "64 hex digits" },
            Refusal { args: &found(&weak, "m.cbor"), code: 65, says: "key" },
            Refusal { args: &found(&stranger, "m.cbor"), code: 65, says: "is the key a party's?" },
            Refusal { args: &found("=", "m.cbor"), code: 65, says: "64 hex digits" },
            Refusal { args: &["mission", "sign", "charter.cbor", "--key", "x.key"], code: 65, says: "x.key" },
        ],
    );
    assert!(!world.path("m.cbor").exists());
}

#[test]
fn a_device_refuses_what_is_not_for_it_and_stays_as_it_was() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("boris", "Boris", "b.key", "observer");
    world.write("noise", &[0xff; 300]);
    world.write("passwd.jpg", b"root:x:0:0");
    std::fs::create_dir(world.path("folder")).expect("a folder");
    let new = |form, setting| ["record", "new", "--form", form, "--set", setting, "--home", "anna"];
    let saved = ["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen", "--home", "anna"];
    let saved = [&["record", "new", "--form", "inspection", "--set", "post=North gate"], &saved[..]].concat();
    let saved = world.json(&saved);
    let record = text(&saved, "record");
    let other = "00".repeat(32);
    let before = world.snapshot("anna/keys");
    let shown = world.json(&["device", "show", "--home", "anna"]);

    let photo = |file| ["photo", "add", record, file, "--home", "anna"];
    let edit = |setting| ["record", "edit", record, "--set", setting, "--home", "anna"];
    check(
        &world,
        &[
            Refusal { args: &["device", "show", "--home", "none"], code: 65, says: "no store at none" },
            Refusal { args: &["device", "show", "--home", "noise"], code: 74, says: "noise" },
            Refusal { args: &["doctor", "--home", "folder"], code: 65, says: "no store" },
            Refusal { args: &["device", "init", "charter.cbor", "--home", "anna"], code: 65, says: "already" },
            Refusal {
                args: &["device", "accept", "boris.certificate", "--home", "anna"],
                code: 65,
                says: "not on this device",
            },
            Refusal {
                args: &["device", "accept", "anna.request", "--home", "anna"],
                code: 65,
                says: "MERESTONE-REQUEST",
            },
            Refusal { args: &["device", "accept", "noise", "--home", "anna"], code: 65, says: "UTF-8" },
            Refusal {
                args: &["device", "request", "--observer", "", "--device", "d", "--home", "anna"],
                code: 65,
                says: "name",
            },
            Refusal { args: &new("fnord", "a=b"), code: 65, says: "it has access-restriction" },
            Refusal { args: &new("inspection", "fnord=b"), code: 65, says: "fnord: the form has no such question" },
            Refusal { args: &new("inspection", "queue_low=many"), code: 65, says: "whole number" },
            Refusal { args: &new("inspection", "day=2026-02-30"), code: 65, says: "YYYY-MM-DD" },
            Refusal { args: &edit("status=open"), code: 65, says: "nothing changed" },
            Refusal { args: &edit("status=ajar"), code: 65, says: "not one of the choices" },
            Refusal {
                args: &["record", "resolve", record, "--set", "status=open", "--home", "anna"],
                code: 65,
                says: "no conflict",
            },
            Refusal { args: &["record", "show", &other, "--home", "anna"], code: 65, says: "not on this device" },
            Refusal { args: &["record", "history", &other, "--home", "anna"], code: 65, says: "not on this device" },
            Refusal { args: &["record", "list", "--scope", "West", "--home", "anna"], code: 65, says: "it has North" },
            Refusal {
                args: &[&edit("status=closed")[..], &["--observer", "Eve"]].concat(),
                code: 65,
                says: "no observer",
            },
            Refusal {
                args: &[&edit("status=closed")[..], &["--passphrase-file", "noise"]].concat(),
                code: 65,
                says: "UTF-8",
            },
            Refusal { args: &photo("none.jpg"), code: 65, says: "none.jpg" },
            Refusal { args: &photo("folder"), code: 65, says: "folder" },
            Refusal { args: &photo("passwd.jpg"), code: 65, says: "not a photo format" },
            Refusal { args: &["roster", "add", "noise", "--home", "anna"], code: 65, says: "noise" },
            Refusal { args: &["roster", "add", "charter.cbor", "--home", "anna"], code: 65, says: "refused" },
            Refusal { args: &["bag", "write", "folder/deep/er", "--home", "none"], code: 65, says: "no store" },
            Refusal { args: &["bag", "write", "anna", "--home", "anna"], code: 65, says: "not empty" },
            Refusal { args: &["sync", "127.0.0.1:0", "--home", "anna"], code: 69, says: "no link" },
            Refusal { args: &["sync", "no-such-host.invalid:7411", "--home", "anna"], code: 69, says: "no-such-host" },
        ],
    );
    assert_eq!(world.snapshot("anna/keys"), before);
    assert_eq!(world.json(&["device", "show", "--home", "anna"])["entries"], shown["entries"]);
    assert_eq!(world.json(&["device", "show", "--home", "anna"])["drafts"], 0, "what was refused leaves no draft");
}

#[test]
fn a_foreign_or_newer_or_damaged_store_is_left_alone() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    let database = std::fs::read(world.path("anna/store/store.db")).expect("the store");
    let mut newer = database.clone();
    // SQLite keeps `user_version` there, and the store its format in it.
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    for (home, bytes, code) in [
        ("newer", newer, 65),
        ("foreign", b"SQLite format 3\0 but not really, and shorter".to_vec(), 65),
        ("text", b"to whom it may concern".repeat(100), 65),
        ("torn", database[..database.len() / 2].to_vec(), 74),
    ] {
        std::fs::create_dir_all(world.path(home).join("store")).expect("a folder");
        world.write(&format!("{home}/store/store.db"), &bytes);
        let before = world.read(&format!("{home}/store/store.db"));
        for verb in [&["device", "show"][..], &["doctor"], &["record", "list"], &["serve"]] {
            let args = [verb, &["--home", home]].concat();
            let output = world.run(&args);
            let line = one_line(&output, &args);
            let found = output.status.code();
            assert!(found == Some(code) || found == Some(65) || found == Some(74), "{args:?}: {found:?} {line}");
            assert!(line.contains(home), "{args:?}: {line}");
            assert_eq!(world.read(&format!("{home}/store/store.db")), before, "{args:?}");
        }
    }
}

#[test]
fn a_store_that_is_open_elsewhere_and_a_port_in_use_are_said() {
    let world = World::with_mission();
    world.enrol("camp", "Base camp", "n.key", "camp");
    world.enrol("other", "Base camp", "n.key", "camp");
    let camp = world.serve("camp");
    let (_, address) = camp.ticket.split_once('@').expect("a ticket");
    check(
        &world,
        &[
            Refusal { args: &["record", "list", "--home", "camp"], code: 74, says: "open already" },
            Refusal { args: &["serve", "--listen", address, "--home", "other"], code: 69, says: "in use" },
            Refusal {
                args: &["serve", "--listen", "192.0.2.1:0", "--home", "other"],
                code: 69,
                says: "not an address of this machine",
            },
        ],
    );
}

#[test]
fn a_device_that_does_not_belong_here_is_told_so_and_base_camp_goes_on() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    world.json(&["device", "init", "charter.cbor", "--home", "new"]);
    let request = ["device", "request", "--observer", "Eve", "--device", "new", "--home", "new"];
    world.json(&[&request[..], &["--kdf-memory-mib", "1"]].concat());
    let other = World::with_mission();
    other.enrol("phone", "Anna", "a.key", "observer");

    let camp = world.serve("camp");
    let (_, address) = camp.ticket.split_once('@').expect("a ticket");
    let another_key = format!("{}@{address}", "ab".repeat(32));
    for (world, home, ticket, code, says) in [
        (&other, "phone", &camp.ticket, 65, "mission"),
        (&world, "new", &camp.ticket, 65, "enrol"),
        (&world, "anna", &another_key, 69, "another key"),
    ] {
        let args = ["sync", ticket, "--home", home];
        let output = world.run(&args);
        let line = one_line(&output, &args);
        assert_eq!(output.status.code(), Some(code), "{home}: {line}");
        assert!(line.contains(says), "{home}: {line}");
    }
    assert_eq!(world.json(&["sync", &camp.ticket, "--home", "anna"])["fully_synced"], true);
}
