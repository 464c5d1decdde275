//! The specs alone are enough to judge by: a verifier in Python, written from `core/spec` without our code, agrees.
//!
//! `tests/outsiders/verifier` judges every vector; `tests/outsiders/ours_and_theirs.py` holds it to `merestone-audit`.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use merestone_tests::skip;

/// A Python that has what `tests/requirements.txt` names: the one of `tests/run`, or one made by hand.
fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let told = env::var_os("MERESTONE_PYTHON").map(PathBuf::from);
    let made = ["tests-run/venv/bin/python", "venv/bin/python"].map(|place| target.join(place));
    told.into_iter().chain(made).find(|python| python.is_file())
}

/// Runs a program of `tests/outsiders`, or says that it could not.
fn run(arguments: &[&str]) -> Option<Output> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(python) = python() else {
        skip("no Python with tests/requirements.txt (tests/run makes one): no verifier of others judges vectors");
        return None;
    };
    let output = Command::new(python)
        .args(arguments)
        .current_dir(tests.join("outsiders"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    Some(output)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_verifier_made_from_the_specs_alone_agrees_on_every_vector() {
    let Some(judged) = run(&["-m", "verifier", "vectors", "../../fixtures/vectors"]) else { return };
    assert!(judged.status.success(), "{}", said(&judged));
    assert!(said(&judged).contains("entry entries"), "{}", said(&judged));
}
