//! What a bench prints, line by line, with the processor time it had used by then.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use merestone_tests::haul::bounded::{self, Line};
use merestone_tests::haul::{apart, scratch};

/// Everything a bench said until it ended.
pub(super) struct Said(Vec<Line>);

/// Runs a bench in a namespace of its own and listens; it is ended after `limit`.
pub(super) fn run<S: AsRef<OsStr>>(program: &Path, words: &[S], limit: Duration) -> Result<Said, String> {
    let mut command = apart(program);
    command.args(words).env("TMPDIR", scratch());
    bounded::lines(&mut command, limit).map(Said)
}

impl Said {
    /// The first line that begins with `start`, spaces aside.
    pub(super) fn line(&self, start: &str) -> Result<&Line, String> {
        let mut lines = self.0.iter();
        lines.find(|line| line.text.trim_start().starts_with(start)).ok_or_else(|| format!("it did not say `{start}`"))
    }
}

/// The number that follows `before` in a line.
pub(super) fn number(line: &Line, before: &str) -> Result<f64, String> {
    number_after(&line.text, before).ok_or_else(|| format!("no number after `{before}` in `{}`", line.text))
}

fn number_after(text: &str, before: &str) -> Option<f64> {
    let (_, rest) = text.split_once(before)?;
    let rest = rest.trim_start();
    let end =
        rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_behind_their_words() {
        let text = "(a) full sync: entries 4000 in 0.80s, sync finished -1.00s; lo tx 3759913 B in 7088 pkts";
        let row = |before: &str| number_after(text, before);
        assert_eq!(row("entries"), Some(4000.0));
        assert_eq!(row("sync finished"), Some(-1.0));
        assert_eq!(row("lo tx"), Some(3_759_913.0));
        assert_eq!(row("waited"), None);
    }
}
