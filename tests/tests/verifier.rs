//! The specs alone are enough to judge by: a verifier in Python, written from `core/spec` without our code, agrees.
//!
//! `tests/outsiders/verifier` judges every vector; PyPI `cwt` reads our signed items as COSE.
//! `tests/run` also holds `merestone-audit` to that verifier and to PyPI `bagit` (`tests/outsiders/ours_and_theirs.py`).
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use merestone_tests::skip;

/// The first that is there: what the variable names, or what `tests/run` or a person made below the target folder.
fn python(told: &str, made: &[&str]) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let made = made.iter().map(|place| target.join(place).join("bin/python"));
    env::var_os(told).map(PathBuf::from).into_iter().chain(made).find(|python| python.is_file())
}

/// Runs a program of `tests/outsiders`.
fn run(python: &Path, arguments: &[&str]) -> Output {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(python)
        .args(arguments)
        .current_dir(tests.join("outsiders"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_verifier_made_from_the_specs_alone_agrees_on_every_vector() {
    let Some(python) = python("MERESTONE_PYTHON", &["tests-run/venv", "venv"]) else {
        return skip("no Python below the target folder (tests/run makes one): no second verifier judges vectors");
    };
    let judged = run(&python, &["-m", "verifier", "vectors", "../../fixtures/vectors"]);
    assert!(judged.status.success(), "{}", said(&judged));
    assert!(said(&judged).contains("entry entries"), "{}", said(&judged));
}

#[test]
fn an_outsider_reads_signed_items_as_cose_and_refuses_forgeries() {
    let Some(python) = python("MERESTONE_OUTSIDERS_PYTHON", &["tests-run/outsiders-venv"]) else {
        return skip(
            "no Python with tests/outsiders/requirements.txt (tests/run makes one): cwt reads no signed items",
        );
    };
    let judged = run(&python, &["cose_by_cwt.py", "../../fixtures/vectors"]);
    assert!(judged.status.success(), "{}", said(&judged));
}
