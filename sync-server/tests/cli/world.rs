//! A folder with a mission in it, and the command to work on it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The command, in a clean environment.
pub(crate) fn merestone() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_merestone"));
    command.env_remove("MERESTONE_HOME").env_remove("MERESTONE_PASSPHRASE_FILE").stdin(Stdio::null());
    command
}

/// A temporary folder in which commands run, with a passphrase file `pass`.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        world.write("pass", b"a passphrase of several words\n");
        world
    }

    /// A mission of three parties, signed by all: `charter.cbor`, the keys `a.key`, `b.key`, `n.key` of its
    /// parties, and the key `l.key` of its ledger.
    pub(crate) fn with_mission() -> Self {
        Self::with_witness_keys(&[])
    }

    /// The same, whose parties have a witness each: the keys `wa.key`, `wb.key`, `wn.key`.
    pub(crate) fn with_witnesses() -> Self {
        Self::with_witness_keys(&[("wa", None), ("wb", None), ("wn", None)])
    }

    /// The same, with a witness for each party in order: the name of a key that is made, or one that is given.
    pub(crate) fn with_witness_keys(witness_keys: &[(&str, Option<&str>)]) -> Self {
        let world = Self::new();
        let keys = ["a", "b", "n", "l"].map(|owner| {
            let made = world.json(&["mission", "key", "--out", &format!("{owner}.key"), "--kdf-memory-mib", "1"]);
            text(&made, "key").to_owned()
        });
        let parties = ["State A", "State B", "Neutral body"];
        let [a, b, n] = [0, 1, 2].map(|at: usize| format!("{}={}", parties[at], keys[at]));
        let ledger = format!("border.example/ledger={}", keys[3]);
        let found = ["mission", "found", "--name", "Border mission", "--scope", "North", "--key", "a.key"];
        let rest = ["--party", &a, "--party", &b, "--party", &n, "--ledger", &ledger, "--out", "charter.cbor"];
        let mut witnesses = Vec::new();
        for ((owner, given), party) in witness_keys.iter().zip(parties) {
            let make = || {
                let made = world.json(&["witness", "key", "--out", &format!("{owner}.key"), "--kdf-memory-mib", "1"]);
                world.write(&format!("{owner}.public"), text(&made, "key").as_bytes());
                text(&made, "key").to_owned()
            };
            let key = given.map_or_else(make, ToOwned::to_owned);
            witnesses.extend(["--witness".to_owned(), format!("{party}={key}")]);
        }
        let witnesses: Vec<&str> = witnesses.iter().map(String::as_str).collect();
        assert_eq!(world.json(&[&found[..], &rest[..], &witnesses[..]].concat())["complete"], false);
        world.json(&["mission", "sign", "charter.cbor", "--key", "b.key"]);
        assert_eq!(world.json(&["mission", "sign", "charter.cbor", "--key", "n.key"])["complete"], true);
        world
    }

    /// The public key of a witness, as the charter names it.
    pub(crate) fn witness_key(&self, owner: &str) -> String {
        String::from_utf8(self.read(&format!("{owner}.public"))).expect("hex digits")
    }

    /// A device `home` whose observer a party certified.
    pub(crate) fn enrol(&self, home: &str, observer: &str, party_key: &str, role: &str) {
        let (request, certificate) = (format!("{home}.request"), format!("{home}.certificate"));
        self.json(&["device", "init", "charter.cbor", "--home", home]);
        let made = ["device", "request", "--observer", observer, "--device", home, "--home", home];
        let made = self.json(&[&made[..], &["--out", &request, "--kdf-memory-mib", "1"]].concat());
        let words: Vec<_> = made["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
        let certify = ["roster", "certify", &request, "--charter", "charter.cbor", "--key", party_key, "--role", role];
        self.json(&[&certify[..], &["--words", &words.join(" "), "--out", &certificate]].concat());
        let accepted = self.json(&["device", "accept", &certificate, "--home", home]);
        assert_eq!((text(&accepted, "state"), text(&accepted, "role")), ("certified", role));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file in the temporary folder");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("a file in the temporary folder")
    }

    /// The command in this folder, with the passphrase file.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = merestone();
        command.current_dir(self.folder.path()).args(args).env("MERESTONE_PASSPHRASE_FILE", self.path("pass"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the command starts")
    }

    /// Runs a verb that must be done, and reads what `--json` prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.json_with_code(args, 0)
    }

    /// Runs a verb that must end with `code` and print a report, and reads it.
    pub(crate) fn json_with_code(&self, args: &[&str], code: i32) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        assert_eq!(printed.lines().count(), 1, "one object on one line: {printed}");
        serde_json::from_str(&printed).expect("--json prints JSON")
    }

    /// Starts base camp on loopback, and waits until it says that it is ready.
    pub(crate) fn serve(&self, home: &str) -> Camp {
        self.answer(&["serve", "--home", home, "--ledger-key", "l.key"])
    }

    /// Starts a verb that answers on loopback, and waits until it says that it is ready.
    pub(crate) fn answer(&self, args: &[&str]) -> Camp {
        let command = self.command(&[args, &["--listen", "127.0.0.1:0", "--json"]].concat());
        Camp::start(command)
    }

    /// Every file below `folder` with its content, to see whether something changed.
    pub(crate) fn snapshot(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path(folder), &mut files);
        files.sort();
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
}

/// A base camp at work; killed when dropped.
pub(crate) struct Camp {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub(crate) ready: Value,
    pub(crate) ticket: String,
}

impl Camp {
    /// Starts a command that answers and prints JSON, and waits until it says that it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut camp = Self { child, lines, ready: Value::Null, ticket: String::new() };
        camp.ready = camp.event("ready");
        camp.ticket = camp.ready["ticket"].as_str().unwrap_or_default().to_owned();
        camp
    }

    /// Reads events up to the next of this name.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        loop {
            let event = self.next();
            if event["event"] == name {
                return event;
            }
        }
    }

    /// The next object that it prints.
    pub(crate) fn next(&mut self) -> Value {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("its output");
        assert_ne!(read, 0, "it ended before it said more");
        serde_json::from_str(&line).expect("each line is JSON")
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        self.event("stopped");
        self.ends();
    }

    /// Waits until it ends by itself.
    pub(crate) fn ends(mut self) {
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

impl Drop for Camp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text in a field.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}
