//! Bugs that are planted on purpose, so that it can be measured whether the simulated world finds them.
//!
//! A process chooses one by [`choose`]; the code concerned asks [`is`].
//! It exists under `--cfg planted` only: no product is built so, and no Cargo feature leads here.

use std::sync::OnceLock;

static CHOSEN: OnceLock<String> = OnceLock::new();

/// Every bug that can be chosen, and what goes wrong.
pub const NAMES: &[(&str, &str)] = &[
    ("acknowledge-before-commit", "entries count as kept before they are committed"),
    ("skip-fsync", "a commit returns before it is flushed"),
    ("count-blobs", "photos are held equal when their numbers are"),
    ("last-writer-wins", "of two concurrent values the one with the later device time is shown alone"),
    ("drop-batch-tail", "the last entry of a received batch is dropped"),
    ("ignore-fork-tip", "one tip of a forked log is not compared"),
    ("apply-cut-entry", "an entry that a cut covers is applied"),
    ("forget-missing-body", "a receipt does not name bodies that are missing"),
    ("resume-unverified", "a photo resumes from what lies on the disk, unchecked"),
    ("reuse-epoch", "a restored device goes on in its old log"),
];

/// Chooses the bug of this process; the first choice stays.
pub fn choose(name: &str) {
    CHOSEN.get_or_init(|| name.to_owned());
}

/// Whether this bug was chosen.
pub fn is(name: &str) -> bool {
    CHOSEN.get().is_some_and(|chosen| chosen == name)
}
