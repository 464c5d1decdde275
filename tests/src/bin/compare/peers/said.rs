//! What a bench prints, line by line, with the processor time it had used by then.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{sync::mpsc, thread};

use merestone_tests::haul::{apart, scratch};

/// One line.
pub(super) struct Line {
    pub(super) text: String,
    /// Seconds of the process when it was read, all threads; in steps of 10 ms.
    pub(super) cpu_s: f64,
}

/// Everything a bench said until it ended.
pub(super) struct Said(Vec<Line>);

/// Runs a bench in a namespace of its own and listens; it is ended after `limit`.
pub(super) fn run<S: AsRef<OsStr>>(program: &Path, words: &[S], limit: Duration) -> Result<Said, String> {
    let mut command = apart(program);
    command.args(words).env("TMPDIR", scratch()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("does not start: {error}"))?;
    let (out, errors) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let id = child.id();
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for text in BufReader::new(out).lines().map_while(Result::ok) {
            if tell.send(Line { text, cpu_s: cpu_s(id) }).is_err() {
                break;
            }
        }
    });
    let complaint = thread::spawn(move || BufReader::new(errors).lines().map_while(Result::ok).last());
    let (began, mut said) = (Instant::now(), Vec::new());
    let ended = loop {
        match lines.recv_timeout(limit.saturating_sub(began.elapsed())) {
            Ok(line) => said.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => break Ok(()),
            Err(mpsc::RecvTimeoutError::Timeout) => break Err(format!("not done after {} s", limit.as_secs())),
        }
    };
    if ended.is_err() {
        // It may have ended this moment.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    ended?;
    if !status.success() {
        let last = complaint.join().ok().flatten().unwrap_or_default();
        return Err(format!("{status}: {last}"));
    }
    Ok(Said(said))
}

impl Said {
    /// The first line that begins with `start`, spaces aside.
    pub(super) fn line(&self, start: &str) -> Result<&Line, String> {
        let mut lines = self.0.iter();
        lines.find(|line| line.text.trim_start().starts_with(start)).ok_or_else(|| format!("it did not say `{start}`"))
    }
}

impl Line {
    /// The number that follows `before`.
    pub(super) fn number(&self, before: &str) -> Result<f64, String> {
        number_after(&self.text, before).ok_or_else(|| format!("no number after `{before}` in `{}`", self.text))
    }
}

fn number_after(text: &str, before: &str) -> Option<f64> {
    let (_, rest) = text.split_once(before)?;
    let rest = rest.trim_start();
    let end =
        rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// User and system time of a process, and of its children that ended.
fn cpu_s(id: u32) -> f64 {
    /// `USER_HZ`, the same on every Linux that people run.
    const TICKS_PER_S: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name before it may hold anything.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields.get(11..15).unwrap_or_default().iter().filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_S
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
