//! Forged bags, made from valid ones by many kinds of forgers: nothing forged passes, nobody honest is accused, and the
//! report names what was done at the entry it was done to.
//!
//! Each seed plays another mission ([`scene`]), whose bag must pass untouched but for the doubts that the mission itself
//! raises. Then each kind of the table ([`kinds`]) forges a copy at a place of its choice, and the audit's findings are
//! compared with what the kind expects. A run of more seeds:
//!
//! ```sh
//! FORGE_SEEDS=200 cargo test -p merestone-audit --test forge -- --nocapture
//! FORGE_FIRST=17 FORGE_SEEDS=1 FORGE_KIND=entry-moved cargo test -p merestone-audit --test forge -- --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

#[path = "../support/mod.rs"]
mod support;

mod chance;
mod craft;
mod kind;
mod kinds;
mod ledger;
mod run;
mod scene;

use std::collections::BTreeSet;

use run::{Half, Run};

#[test]
fn no_forged_log_passes_and_nobody_honest_is_accused() {
    judge(Run::of(Half::Logs));
}

#[test]
fn nothing_forged_around_the_logs_passes_and_nobody_honest_is_accused() {
    judge(Run::of(Half::Around));
}

#[allow(clippy::print_stdout, reason = "the table is what somebody who runs more seeds reads")]
fn judge(run: Run) {
    println!("{}", run.table());
    let shown = &run.wrong[..run.wrong.len().min(40)];
    assert!(run.wrong.is_empty(), "{} wrong answers:\n{}", run.wrong.len(), shown.join("\n"));
    let idle = run.idle();
    assert!(idle.is_empty() || run::wanted().is_some(), "never applied: {idle:?}");
}

#[test]
fn kinds_have_names_of_their_own() {
    let kinds = kinds::all();
    let names: BTreeSet<&str> = kinds.iter().map(|(_, kind)| kind.name).collect();
    assert_eq!(names.len(), kinds.len());
    assert!(names.len() >= 100, "{} kinds", names.len());
}
