//! How the program ends: every error of the rooms below becomes one exit code and one line, here and nowhere else.
//!
//! The line names the thing and says what to do.

mod errors;

pub(crate) use errors::{LEDGER_DAMAGED, LEDGER_SPLIT};

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// What the program says to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Done; an audit passed.
    Done,
    /// Looked, and found something wrong: damage, a refused form.
    Failed,
    /// Done as far as it goes, and something is missing that keeps it from being called done.
    Undecided,
    /// The command was not understood.
    Usage,
    /// Something that was given (a file, an id, a passphrase) is not what it should be.
    BadInput,
    /// Nobody answers there, or this machine cannot be reached there.
    Unreachable,
    /// The disk is full, failing or damaged.
    Storage,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        // BSD sysexits where there is one; 0, 1 and 2 are the audit's verdicts.
        Self::from(match code {
            Code::Done => 0,
            Code::Failed => 1,
            Code::Undecided => 2,
            Code::Usage => 64,
            Code::BadInput => 65,
            Code::Unreachable => 69,
            Code::Storage => 74,
        })
    }
}

/// Why a verb was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: Code,
    /// Empty when there is nothing to say: the reader of our output went away.
    line: String,
}

impl Failure {
    pub(crate) fn new(code: Code, line: impl Into<String>) -> Self {
        Self { code, line: line.into() }
    }

    /// Says on standard error why, in one line, and gives the code.
    pub(crate) fn leave(self) -> ExitCode {
        if !self.line.is_empty() {
            // File names may hold anything; a line must stay one, and must not paint the terminal.
            let line: String = self.line.chars().map(|c| if crate::output::is_hidden(c) { '?' } else { c }).collect();
            // Nobody is left to tell if this fails too.
            let _ = writeln!(io::stderr(), "merestone: {line}");
        }
        self.code.into()
    }

    /// Something that was given is not what it should be.
    pub(crate) fn bad_input(line: impl Into<String>) -> Self {
        Self::new(Code::BadInput, line)
    }

    /// How the program ends.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What it says.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// The same, about `subject`: "x" becomes "subject: x".
    pub(crate) fn about(mut self, subject: impl Display) -> Self {
        if !self.line.is_empty() {
            self.line = format!("{subject}: {}", self.line);
        }
        self
    }

    /// Standard output takes nothing more.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Code::Done, String::new());
        }
        Self::new(Code::Storage, format!("cannot write the output: {}", system(error)))
    }

    /// A file that was named as `what` cannot be read.
    pub(crate) fn input_file(path: &Path, what: &str, error: &io::Error) -> Self {
        Self::new(Code::BadInput, format!("cannot read {} as {what}: {}", path.display(), system(error)))
    }

    /// A file cannot be written.
    pub(crate) fn output_file(path: &Path, error: &io::Error) -> Self {
        Self::new(Code::Storage, format!("cannot write {}: {}", path.display(), system(error)))
    }

    fn storage(error: &dyn Error, advice: &str) -> Self {
        Self::new(Code::Storage, advise(error, advice))
    }

    fn input(error: &dyn Error, advice: &str) -> Self {
        Self::new(Code::BadInput, advise(error, advice))
    }
}

/// An error, its causes, and what to do.
fn advise(error: &dyn Error, advice: &str) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.downcast_ref::<io::Error>().map_or_else(|| error.to_string(), system);
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        cause = error.source();
    }
    if advice.is_empty() { line } else { format!("{line}; {advice}") }
}

/// What the system said, without its number.
fn system(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; make room and try again".to_owned()
        }
        _ => {
            let said = error.to_string();
            said.split(" (os error").next().unwrap_or(&said).to_lowercase()
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use merestone_store::OpenError;

    #[test]
    fn a_cause_is_said_once_and_without_numbers() {
        let source = io::Error::from_raw_os_error(13);
        let error = OpenError::Io { path: "/x".into(), source };
        assert_eq!(Failure::from(error).line, "cannot open /x: permission denied");
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(Failure::output_file(Path::new("/x"), &full).line.contains("the disk is full"));
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(gone, Failure { code: Code::Done, line: String::new() });
        assert_eq!(gone.about("list").line, "");
    }
}
