//! From a checkpoint's signature to a final quorum: base camp and three witnesses, each a process, over HTTP on this machine.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::row::{Row, Target};

const NAME: &str = "ledger/checkpoint-to-final";
const ROUNDS: usize = 9;

pub(crate) fn measure() -> Vec<Row> {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("merestone"));
    let Some(command) = beside.filter(|command| command.is_file()) else {
        return vec![Row::absent(NAME, "ms", "build it first: cargo build --release --bin merestone")];
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let house = House { command, folder: folder.path() };
    house.found();
    let witnesses = ["wa", "wb", "wc"].map(|owner| {
        let (key, state) = (format!("{owner}.key"), format!("{owner}.state"));
        let args = ["witness", "serve", "--key", &key, "--charter", "charter", "--state", &state, "--new"];
        house.begin(&[&args[..], &["--listen", "127.0.0.1:0"]].concat())
    });
    let urls: Vec<&str> = witnesses.iter().map(|(_, ready)| text(ready, "url")).collect();
    let mut args = vec!["serve", "--home", "camp", "--ledger-key", "l.key", "--every", "5", "--listen", "127.0.0.1:0"];
    urls.iter().for_each(|url| args.extend(["--witness", url]));
    let (mut camp, ready) = house.begin(&args);
    let (mut rounds, mut leaves) = (Vec::new(), camp.is_final(1).0);
    for _ in 0..ROUNDS {
        let new = ["record", "new", "--form", "inspection", "--home", "anna", "--set", "post=North gate"];
        house.json(
            &[&new[..], &["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"]].concat(),
        );
        house.json(&["sync", text(&ready, "ticket"), "--home", "anna"]);
        let (now, took_ms) = camp.is_final(leaves + 1);
        leaves = now;
        rounds.extend(took_ms);
    }
    vec![
        Row::median(NAME, "ms", &rounds)
            .target(Target::AtMost(50.0))
            .note("from the signed checkpoint to the third party's cosignature durable at base camp; three witnesses flush to this disk before they answer"),
    ]
}

struct House<'f> {
    command: PathBuf,
    folder: &'f Path,
}

/// A process that prints events; killed when dropped.
struct Answering {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Answering {
    fn event(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("its output");
            assert_ne!(read, 0, "it ended before it said more");
            let event: Value = serde_json::from_str(&line).expect("each line is JSON");
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Waits for a final checkpoint of at least so many leaves: how many it has, and how long it took.
    fn is_final(&mut self, leaves: u64) -> (u64, Option<f64>) {
        loop {
            let told = self.event("cosigned");
            let size = told["leaves"].as_u64().unwrap_or_default();
            if size >= leaves && told["confirmation"] == "final" {
                return (size, told["took_ms"].as_f64());
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl House<'_> {
    /// A mission of three parties with a witness each, a phone and a camp.
    fn found(&self) {
        std::fs::write(self.folder.join("pass"), "figures only\n").expect("a file in the temporary folder");
        let key = |owner: &str, verb: &str| {
            let made = self.json(&[verb, "key", "--out", &format!("{owner}.key"), "--kdf-memory-mib", "1"]);
            text(&made, "key").to_owned()
        };
        let mut args =
            ["mission", "found", "--name", "Figures", "--scope", "North", "--key", "a.key", "--out", "charter"]
                .map(str::to_owned)
                .to_vec();
        for owner in ["a", "b", "c"] {
            let witness = key(&format!("w{owner}"), "witness");
            args.extend(["--party".into(), format!("{owner}={}", key(owner, "mission"))]);
            args.extend(["--witness".into(), format!("{owner}={witness}")]);
        }
        args.extend(["--ledger".into(), format!("figures.example/ledger={}", key("l", "mission"))]);
        self.json(&args.iter().map(String::as_str).collect::<Vec<_>>());
        for owner in ["b.key", "c.key"] {
            self.json(&["mission", "sign", "charter", "--key", owner]);
        }
        for (home, role) in [("anna", "observer"), ("camp", "camp")] {
            let (request, certificate) = (format!("{home}.request"), format!("{home}.certificate"));
            self.json(&["device", "init", "charter", "--home", home]);
            let made = ["device", "request", "--observer", home, "--device", home, "--home", home, "--out", &request];
            let made = self.json(&[&made[..], &["--kdf-memory-mib", "1"]].concat());
            let words = made["words"].as_array().expect("words").iter().filter_map(Value::as_str);
            let words = words.collect::<Vec<_>>().join(" ");
            let certify = ["roster", "certify", &request, "--charter", "charter", "--key", "a.key", "--role", role];
            self.json(&[&certify[..], &["--words", &words, "--out", &certificate]].concat());
            self.json(&["device", "accept", &certificate, "--home", home]);
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.command);
        command.args(args).arg("--json").current_dir(self.folder).stdin(Stdio::null());
        command.env("MERESTONE_PASSPHRASE_FILE", self.folder.join("pass"));
        command
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.command(args).output().expect("the command starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("--json prints JSON")
    }

    /// Starts a verb that answers, and waits until it says that it is ready.
    fn begin(&self, args: &[&str]) -> (Answering, Value) {
        let mut child = self.command(args).stdout(Stdio::piped()).spawn().expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut answering = Answering { child, lines };
        let ready = answering.event("ready");
        (answering, ready)
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}
