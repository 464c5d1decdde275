//! Talking with a person line by line, at a terminal or through a pipe.

use std::io::{self, BufRead, Write};

use crate::exit::Failure;
use crate::output::plain;

/// Longest line that is read: a note of the largest size, and room to say that it is too long.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Where questions are written and answers read.
pub(super) struct Talk<R, W> {
    from: R,
    to: W,
}

impl<R: BufRead, W: Write> Talk<R, W> {
    pub(super) fn new(from: R, to: W) -> Self {
        Self { from, to }
    }

    /// Writes a line. What came out of a form or a record cannot steer the terminal.
    pub(super) fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.to, "{}", plain(line)).map_err(|error| Failure::output(&error))
    }

    /// Writes a prompt and reads a line; `None` when nobody is there any more.
    pub(super) fn ask(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        let asked = write!(self.to, "{}", plain(prompt)).and_then(|()| self.to.flush());
        asked.map_err(|error| Failure::output(&error))?;
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut self.from, LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::input_file("-".as_ref(), "answers", &error))? == 0 {
            return Ok(None);
        }
        let is_whole = line.last() == Some(&b'\n');
        let mut text = String::from_utf8_lossy(&line).into_owned();
        if text.ends_with('\n') {
            text.pop();
        }
        if text.ends_with('\r') {
            text.pop();
        }
        if !is_whole && line.len() as u64 == LINE_BYTES_MAX {
            // The rest of a line that is far too long is not the next answer.
            self.skip_line()?;
        }
        Ok(Some(text))
    }

    fn skip_line(&mut self) -> Result<(), Failure> {
        loop {
            let mut rest = Vec::new();
            let mut limited = io::Read::take(&mut self.from, LINE_BYTES_MAX);
            let read = limited.read_until(b'\n', &mut rest);
            let read = read.map_err(|error| Failure::input_file("-".as_ref(), "answers", &error))?;
            if read == 0 || rest.last() == Some(&b'\n') {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whole_or_said_to_be_too_long_and_the_next_is_the_next() {
        let long = "x".repeat(3 << 20);
        let input = format!("one\r\n\n{long}\ntwo\nlast");
        let mut talk = Talk::new(input.as_bytes(), Vec::new());
        let mut lines = Vec::new();
        while let Some(line) = talk.ask("? ").expect("a buffer") {
            lines.push(line.len());
        }
        assert_eq!(lines, [3, 0, 1 << 20, 3, 4]);
    }

    #[test]
    fn a_label_cannot_steer_the_terminal() {
        let mut talk = Talk::new(&b""[..], Vec::new());
        talk.say("a\u{1b}[2Jb\u{202e}c").expect("a buffer");
        assert_eq!(String::from_utf8(talk.to).as_deref(), Ok("a\u{fffd}[2Jb\u{fffd}c\n"));
    }
}
