//! Showing what a verb did: lines for people, or one JSON object for programs.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use crate::exit::Failure;

/// What a verb has to say. The fields are what `--json` prints: their names do not change.
pub(crate) trait Report: Serialize {
    /// Writes it for people.
    fn human(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Where reports go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    is_json: bool,
}

impl Screen {
    /// Standard output, as JSON if asked for.
    pub(crate) fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Whether a program reads it.
    pub(crate) fn is_json(self) -> bool {
        self.is_json
    }

    /// Shows a report: as JSON, one object on one line.
    ///
    /// # Errors
    /// If standard output takes nothing more. A reader that went away is no error worth a word.
    pub(crate) fn show(self, report: &impl Report) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = if self.is_json {
            serde_json::to_writer(&mut out, report).map_err(io::Error::from).and_then(|()| writeln!(out))
        } else {
            // Names of files, forms and people may hold anything; none of it steers a terminal.
            let mut lines = Vec::new();
            report.human(&mut lines).and_then(|()| out.write_all(plain(&String::from_utf8_lossy(&lines)).as_bytes()))
        };
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
    }

    /// Whether a person watches: only then are pictures drawn and progress shown.
    pub(crate) fn is_watched(self) -> bool {
        !self.is_json && io::stdout().is_terminal()
    }
}

/// A text without what a terminal obeys, and without marks that make a line read otherwise than it is: U+FFFD is in their
/// place. Line feeds stay.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a terminal obeys a character instead of showing it.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of a person as part of one line: it may hold line feeds where notes may.
pub(crate) fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// A number of bytes for people: three digits, decimal units.
pub(crate) fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut scaled = count;
    let mut rest = 0;
    let mut unit = "B";
    for next in units {
        if scaled < 1_000 {
            break;
        }
        (scaled, rest, unit) = (scaled / 1_000, scaled % 1_000 / 100, next);
    }
    if unit == "B" || scaled >= 100 { format!("{scaled} {unit}") } else { format!("{scaled}.{rest} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_at_a_glance() {
        let rows: [(u64, &str); 6] = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (64_512, "64.5 kB"),
            (123_456_789, "123 MB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (count, shown) in rows {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn a_note_of_several_lines_stays_on_one() {
        assert_eq!(one_line("bridge closed\n\n  until noon"), "bridge closed / until noon");
    }
}
