//! The story as it is told: plain lines that fit a terminal, and not more of them than a person reads.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::exit::Failure;

/// Longest line, in columns.
const COLUMNS_MAX: usize = 100;
/// Most lines.
pub(super) const LINES_MAX: usize = 60;

/// Where the story goes.
pub(super) struct Story {
    /// Whether lines are printed as they come; otherwise they are only kept.
    is_told: bool,
    is_bold: bool,
    lines: Vec<String>,
    began: Instant,
    step: Instant,
}

impl Story {
    /// A story that is told on standard output as it happens; headings are bold on a terminal unless `NO_COLOR` is set.
    pub(super) fn told() -> Self {
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { is_told: true, is_bold: io::stdout().is_terminal() && !no_color, ..Self::kept() }
    }

    /// A story whose lines are kept for a program.
    pub(super) fn kept() -> Self {
        let now = Instant::now();
        Self { is_told: false, is_bold: false, lines: Vec::new(), began: now, step: now }
    }

    /// A step begins: its seconds are counted from here.
    ///
    /// # Errors
    /// If the output takes nothing more.
    pub(super) fn heading(&mut self, text: &str) -> Result<(), Failure> {
        self.step = Instant::now();
        let (on, off) = if self.is_bold { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        self.put(&format!("{on}{text}{off}"))
    }

    /// One or more lines, indented; long ones are wrapped at spaces.
    ///
    /// # Errors
    /// If the output takes nothing more.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        for line in wrap(text, COLUMNS_MAX - 2) {
            self.put(&format!("  {line}"))?;
        }
        Ok(())
    }

    /// A line that stands alone, as it is.
    ///
    /// # Errors
    /// If the output takes nothing more.
    pub(super) fn alone(&mut self, text: &str) -> Result<(), Failure> {
        self.put(text)
    }

    /// How long the step has taken.
    pub(super) fn seconds(&self) -> String {
        seconds(self.step.elapsed())
    }

    /// How long everything has taken.
    pub(super) fn seconds_in_all(&self) -> String {
        seconds(self.began.elapsed())
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn put(&mut self, line: &str) -> Result<(), Failure> {
        if self.is_told {
            // A person watches: each line appears when its step is done.
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        }
        self.lines.push(line.to_owned());
        Ok(())
    }
}

/// Tenths of a second.
fn seconds(duration: Duration) -> String {
    format!("{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
}

/// `text` in lines of at most `columns_max` characters, the second and further ones indented by two.
fn wrap(text: &str, columns_max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let fits = line.chars().count() + 1 + word.chars().count() <= columns_max;
        if !line.is_empty() && !fits {
            lines.push(std::mem::replace(&mut line, format!("  {word}")));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_spaces_and_words_stay_whole() {
        assert_eq!(wrap("one two three", 8), ["one two", "  three"]);
        assert_eq!(wrap("a  table", 80), ["a  table"]);
        assert_eq!(wrap(&"x".repeat(20), 8), ["x".repeat(20)]);
    }

    #[test]
    fn a_kept_story_has_its_lines_and_no_colours() {
        let mut story = Story::kept();
        story.heading("1 First").unwrap();
        story.say(&"word ".repeat(30)).unwrap();
        assert_eq!(story.lines().len(), 3);
        assert_eq!(story.lines()[0], "1 First");
    }
}
