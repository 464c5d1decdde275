//! What a rule reports, and the two ways a test looks at it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One place where a rule does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// A file with a line, or a crate.
    pub(crate) place: String,
    /// What is wrong there, and what to do instead.
    pub(crate) what: String,
}

impl Breach {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

/// The rule holds for the house as it stands.
#[track_caller]
pub(crate) fn assert_holds(breaches: Vec<Breach>) {
    let list: String = breaches.iter().map(|breach| format!("\n  {breach}")).collect();
    assert!(breaches.is_empty(), "{} breach(es):{list}", breaches.len());
}

/// The rule sees exactly one breach in a bad sample, at `place`.
#[track_caller]
pub(crate) fn assert_refused(breaches: Vec<Breach>, place: &str) {
    let places: Vec<&str> = breaches.iter().map(|breach| breach.place.as_str()).collect();
    assert_eq!(places, [place], "the bad sample must be refused once: {breaches:?}");
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the workspace").to_owned()
}
