//! The other end of a [`site`](super::site): starts it, asks it, kills it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A process with devices in it. It is killed when dropped.
pub(super) struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program again with these words, and waits until it says that it is ready.
    ///
    /// # Panics
    /// If it does not start.
    pub(super) fn start<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        let program = std::env::current_exe().expect("a program knows its file");
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self { child, orders, answers };
        process.next();
        process
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Panics
    /// If the process ended; it has said why on standard error.
    pub(super) fn ask(&mut self, order: &str) -> Value {
        self.tell(order);
        self.next()
    }

    /// Gives an order.
    pub(super) fn tell(&mut self, order: &str) {
        // A process that is gone is noticed when it does not answer.
        let _ = writeln!(self.orders, "{order}");
        let _ = self.orders.flush();
    }

    /// Waits for the next line.
    ///
    /// # Panics
    /// As [`ask`](Self::ask).
    pub(super) fn next(&mut self) -> Value {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        assert!(read.is_ok_and(|bytes| bytes > 0), "a site ended by itself; its reason stands above");
        serde_json::from_str(&line).expect("a site answers in JSON")
    }

    /// Ends it at once, wherever it is.
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A number of an answer.
///
/// # Panics
/// If it is not there.
pub(super) fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap_or_else(|| panic!("{name} is a number in {of}"))
}

/// A text of an answer.
///
/// # Panics
/// If it is not there.
pub(super) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("{name} is a text in {of}"))
}
