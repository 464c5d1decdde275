//! Saying aloud that a test did not run its point, because something is absent on this machine.
//!
//! Tests of a room below include this file by its path, because no room may depend on this crate.

use std::fs::OpenOptions;
use std::io::Write;
use std::{env, thread};

/// The file that `tests/run` collects skips in; unset when cargo is called by hand.
const FILE: &str = "MERESTONE_SKIPS";

/// Says that the calling test is skipped, and why; the test then returns.
///
/// One line `SKIPPED: test: reason` is appended to the file named by `MERESTONE_SKIPS`,
/// because cargo swallows what a passing test prints. `tests/run` counts and prints these lines.
/// Without the variable the line goes to standard error.
///
/// ```
/// fn zbarimg() -> Option<std::path::PathBuf> { None }
///
/// let Some(_zbarimg) = zbarimg() else {
///     return merestone_tests::skip("zbarimg is not installed (Debian: zbar-tools)");
/// };
/// ```
///
/// # Panics
/// If the file cannot be written: a skip that nobody hears would be a silent pass.
pub fn skip(reason: &str) {
    let line = line(thread::current().name().unwrap_or("a test"), reason);
    let Some(path) = env::var_os(FILE) else {
        eprint!("{line}");
        return;
    };
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        // One write, so that tests in other threads and processes cannot cut into the line.
        .and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("the file of skips can be written");
}

fn line(test: &str, reason: &str) -> String {
    let reason = reason.replace(['\n', '\r'], " ");
    format!("SKIPPED: {test}: {reason}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_one_line_whatever_the_reason() {
        assert_eq!(line("story::qr", "no\nzbarimg"), "SKIPPED: story::qr: no zbarimg\n");
    }
}
