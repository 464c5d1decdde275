//! What a process prints, line by line, with the processor time it had used by then; and an end to processes that have none.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// One line.
pub struct Line {
    /// Without its end.
    pub text: String,
    /// Seconds of the process when it was read, all threads; in steps of 10 ms.
    pub cpu_s: f64,
}

/// Starts a process and listens until it ends; it is ended after `limit`.
///
/// # Errors
/// Why it did not start, the last that it complained of, or that its time was over.
///
/// # Panics
/// If the system gives no pipes although it gave a process.
pub fn lines(command: &mut Command, limit: Duration) -> Result<Vec<Line>, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
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
    // The first line of a panic says more than the last one of its stack.
    let complaint = thread::spawn(move || {
        let mut said = BufReader::new(errors).lines().map_while(Result::ok).filter(|line| !line.trim().is_empty());
        let first: Vec<String> = said.by_ref().take(2).collect();
        said.for_each(drop);
        first.join(" ")
    });
    let (began, mut said) = (Instant::now(), Vec::new());
    let ended = loop {
        match lines.recv_timeout(limit.saturating_sub(began.elapsed())) {
            Ok(line) => said.push(line),
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => break Err(format!("not done after {} s", limit.as_secs())),
        }
    };
    if ended.is_err() {
        // It may have ended this moment.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    ended?;
    if !status.success() {
        return Err(format!("{status}: {}", complaint.join().unwrap_or_default()));
    }
    Ok(said)
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
