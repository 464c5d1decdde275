//! The ledger over HTTP with programs of others: torchwood's client reads it, a witness of Go's libraries cosigns it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use merestone_core::key::SigningKey;

use crate::skip::skip;
use crate::world::{World, text};

/// The seed of the key with which the outsider cosigns, and its base64.
const SEED: ([u8; 32], &str) = ([104; 32], "aGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGg=");

fn build(folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/outsiders/go");
    let program = folder.join("outsiders");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly -buildvcs=false")])
        .output()
        .map_err(|error| format!("go does not run ({error}; https://go.dev/dl, 1.25 or later)"))?;
    let said = String::from_utf8_lossy(&built.stderr);
    if said.contains("GOPROXY=off") || said.contains("go.mod requires go") {
        return Err(format!("Go's modules of tests/outsiders/go are absent (tests/run downloads them): {said}"));
    }
    assert!(built.status.success(), "{said}");
    Ok(program)
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn outsiders_read_the_ledger_over_http_and_cosign_it() {
    let outsider = SigningKey::from_seed(&SEED.0).public().to_string();
    let world = World::with_witness_keys(&[("wa", None), ("wb", None), ("wn", Some(&outsider))]);
    let program = match build(&world.path(".")) {
        Ok(program) => program,
        Err(absent) => return skip(&absent),
    };
    world.enrol("anna", "Anna", "a.key", "observer");
    world.enrol("camp", "Base camp", "n.key", "camp");
    let vkey = world.json(&["mission", "show", "charter.cbor"]);
    let judged = world.path("judged");
    std::fs::create_dir(&judged).expect("a folder");
    world.write("judged/ledger.vkey", text(&vkey, "ledger_verifier_key").as_bytes());
    world.write("judged/seed", SEED.1.as_bytes());
    let mut command = Command::new(&program);
    let mut go = Ended(command.arg("witness").arg(&judged).stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut url = String::new();
    let said = go.0.stdout.take().expect("it is piped");
    BufReader::new(said).read_line(&mut url).expect("it says where it answers");

    let ours = ["wa", "wb"].map(|owner| {
        let (key, state) = (format!("{owner}.key"), format!("{owner}.state"));
        world.answer(&["witness", "serve", "--key", &key, "--charter", "charter.cbor", "--state", &state, "--new"])
    });
    let mut args = vec!["serve", "--home", "camp", "--ledger-key", "l.key", "--every", "5", "--http", "127.0.0.1:0"];
    args.extend(["--witness", url.trim()]);
    ours.iter().for_each(|witness| args.extend(["--witness", text(&witness.ready, "url")]));
    let mut camp = world.answer(&args);
    let http = text(&camp.event("http"), "url").to_owned();
    let mut told = camp.event("cosigned");
    for round in 0..2 {
        while told["confirmation"] != "final" {
            told = camp.event("cosigned");
        }
        if round == 0 {
            let new = ["record", "new", "--form", "inspection", "--home", "anna", "--set", "post=North gate"];
            world.json(
                &[&new[..], &["--set", "day=2026-05-04", "--set", "status=open", "--set", "how_known=seen"]].concat(),
            );
            world.json(&["sync", &camp.ticket, "--home", "anna"]);
            let before = told["leaves"].as_u64();
            while told["leaves"].as_u64() <= before {
                told = camp.event("cosigned");
            }
        }
    }
    world.write("judged/url", http.as_bytes());
    let fetch = |folder: &Path| Command::new(&program).arg("fetch").arg(folder).output().expect("it runs");
    let read = fetch(&judged);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), told["leaves"].to_string());
    // Under another ledger's key nothing of it counts.
    let other = text(&vkey, "ledger_verifier_key").replacen("border", "other", 1);
    world.write("judged/ledger.vkey", other.as_bytes());
    assert_eq!(fetch(&judged).status.code(), Some(1));
    camp.stop();
}
