//! What the library says of its work to the app's own log: codes, counts and times, and never a name, a key or an answer.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use crate::teller::{News, Teller};

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// A mistake of ours, or the disk failed.
    Error,
    /// Something was refused or did not work.
    Warning,
    /// What was done.
    Info,
}

/// The app's log. A line may go into a crash report: there is nothing in it that names a person or says what was observed.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one line, without a line break.
    fn log(&self, level: LogLevel, line: String);
}

static TELLER: RwLock<Option<Teller<Lines>>> = RwLock::new(None);

/// Lines that wait for a sink that is slow: the oldest of more are dropped, and their number is said.
const LINES_MAX: usize = 256;

#[derive(Default)]
struct Lines {
    lines: VecDeque<(LogLevel, String)>,
    dropped: usize,
}

impl News for Lines {
    fn add(&mut self, later: Self) {
        self.lines.extend(later.lines);
        self.dropped += later.dropped;
        while self.lines.len() > LINES_MAX {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }
}

/// Sends what the library says of its work to `sink`, or to nobody. A sink that throws is not told of it.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>) {
    let teller = sink.and_then(|sink| Teller::start(move |lines: Lines| write(&*sink, lines)));
    // Of the earlier one what is left is said before it goes.
    let earlier = std::mem::replace(&mut *TELLER.write().unwrap_or_else(PoisonError::into_inner), teller);
    drop(earlier);
}

fn write(sink: &dyn LogSink, Lines { lines, dropped }: Lines) {
    if dropped > 0 {
        sink.log(LogLevel::Warning, format!("{dropped} lines were dropped"));
    }
    lines.into_iter().for_each(|(level, line)| sink.log(level, line));
}

/// Says a line of codes, counts and times.
pub(crate) fn say(level: LogLevel, line: impl Into<String>) {
    if let Some(teller) = &*TELLER.read().unwrap_or_else(PoisonError::into_inner) {
        teller.tell(Lines { lines: VecDeque::from([(level, line.into())]), dropped: 0 });
    }
}
