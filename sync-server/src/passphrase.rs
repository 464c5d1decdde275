//! Asking for a passphrase: at a prompt that shows nothing, or from a file. Never from the command line, which every user
//! of the machine can list.

use std::path::{Path, PathBuf};

use merestone_node::vault::Passphrase;

use crate::exit::{Code, Failure};
use crate::input;

/// Longest passphrase file, in bytes: what a person can type, and a careless file name cannot fill memory.
const FILE_BYTES_MAX: usize = 4_096;

/// Where passphrases come from.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    file: Option<PathBuf>,
}

impl Asker {
    /// Passphrases from `file`, or from the person at the terminal.
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// The passphrase of a key that exists; `whose` says which, for the prompt.
    ///
    /// # Errors
    /// If the file cannot be read, nobody is there to ask, or nothing was typed.
    pub(crate) fn ask(&self, whose: &str) -> Result<Passphrase, Failure> {
        let typed = match &self.file {
            Some(file) => from_file(file)?,
            None => prompt(&format!("Passphrase of {whose}: "))?,
        };
        Passphrase::new(typed).ok_or_else(empty)
    }

    /// A passphrase for a new key: at the terminal it is typed twice.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and if the two differ.
    pub(crate) fn choose(&self, whose: &str) -> Result<Passphrase, Failure> {
        if self.file.is_some() {
            return self.ask(whose);
        }
        let typed = prompt(&format!("New passphrase for {whose}: "))?;
        if typed != prompt("The same again: ")? {
            return Err(Failure::new(Code::BadInput, "the two passphrases differ; nothing was made"));
        }
        Passphrase::new(typed).ok_or_else(empty)
    }
}

/// The first line of a file.
fn from_file(path: &Path) -> Result<String, Failure> {
    let mut text = input::read_text(path, "a passphrase file", FILE_BYTES_MAX)?;
    text.truncate(text.find(['\n', '\r']).unwrap_or(text.len()));
    Ok(text)
}

fn prompt(question: &str) -> Result<String, Failure> {
    rpassword::prompt_password(question).map_err(|_| {
        let line = "there is no terminal to ask for the passphrase; give --passphrase-file FILE \
                    or set MERESTONE_PASSPHRASE_FILE";
        Failure::new(Code::Usage, line)
    })
}

fn empty() -> Failure {
    Failure::new(Code::BadInput, "the passphrase is empty; type one, or put one into the first line of the file")
}
