//! How a command behaves beside its work: help, pipes, terminals, full disks.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::world::{World, merestone};

const VERBS: [&[&str]; 27] = [
    &["mission", "key"],
    &["mission", "found"],
    &["mission", "sign"],
    &["mission", "show"],
    &["device", "init"],
    &["device", "request"],
    &["device", "accept"],
    &["device", "show"],
    &["device", "ticket"],
    &["roster", "certify"],
    &["roster", "cut"],
    &["roster", "add"],
    &["roster", "show"],
    &["record", "new"],
    &["record", "edit"],
    &["record", "resolve"],
    &["record", "list"],
    &["record", "show"],
    &["record", "history"],
    &["photo", "add"],
    &["sync"],
    &["courier", "write"],
    &["courier", "read"],
    &["bag", "write"],
    &["form", "check"],
    &["serve"],
    &["doctor"],
];

#[test]
fn every_verb_explains_itself_with_an_example() {
    for verb in VERBS {
        let output = merestone().args(verb).arg("--help").output().expect("the command starts");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.code(), Some(0), "{verb:?}");
        assert!(help.contains("Example:\n  merestone ") && help.contains("--json"), "{verb:?}: {help}");
        assert!(!help.contains('\u{1b}'), "no colour where no terminal is: {verb:?}");
        // A line that is longer than the help is wide would be broken where a shell does not take it.
        assert!(help.lines().all(|line| line.trim() != "\\"), "{verb:?}: {help}");
    }
    let output = merestone().arg("--help").output().expect("the command starts");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(help.contains("A first walk") && help.contains("Exit codes"), "{help}");
}

#[test]
fn no_passphrase_can_be_given_as_an_argument() {
    for verb in VERBS {
        let output = merestone().args(verb).arg("--help").output().expect("the command starts");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!help.contains("--passphrase <"), "{verb:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::with_mission();
    let mut command = world.command(&["mission", "show", "charter.cbor"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("its output");
    assert_eq!((said.as_str(), child.wait().expect("it ends").code()), ("", Some(0)));
}

/// Without a terminal nobody can be asked, and waiting for an answer would be forever.
#[cfg(target_os = "linux")]
#[test]
fn a_passphrase_that_nobody_can_type_is_said() {
    let world = World::with_mission();
    let sign = ["--wait", env!("CARGO_BIN_EXE_merestone"), "mission", "sign", "charter.cbor", "--key", "a.key"];
    let mut command = Command::new("setsid");
    command.args(sign).current_dir(world.path("")).env_remove("MERESTONE_PASSPHRASE_FILE").stdin(Stdio::null());
    let output = command.output().expect("setsid is on every Linux");
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.lines().count() == 1 && said.contains("--passphrase-file"), "{said}");
}

/// `/dev/full` refuses every write as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let world = World::with_mission();
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = world.command(&["mission", "show", "charter.cbor"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().expect("the command starts").wait_with_output();
    let output = output.expect("it ends");
    assert_eq!(output.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the disk is full"));
}

#[test]
fn what_is_shown_for_people_is_what_programs_read() {
    let world = World::with_mission();
    world.enrol("anna", "Anna", "a.key", "observer");
    let json = world.json(&["device", "show", "--home", "anna"]);
    let text = String::from_utf8(world.run(&["device", "show", "--home", "anna"]).stdout).expect("UTF-8");
    for field in ["mission", "name"] {
        assert!(text.contains(json[field].as_str().expect("a text")), "{field} in {text}");
    }
    assert!(text.contains(json["observers"][0]["key"].as_str().expect("a key")), "{text}");
}
