//! Charters and proposed amendments as people hand them over: a file, or the texts of their parts, in a file or typed in.

use std::path::{Path, PathBuf};

use merestone_core::roster::{Amendment, CHARTER_FILE_BYTES_MAX, CompleteCharter, Parts, Roster, SignedCharter};

use crate::exit::{Code, Failure};
use crate::input;

/// Bytes that are meant as a charter or an amendment, read once: standard input can be read no second time.
pub(in crate::cli) struct Given {
    path: PathBuf,
    bytes: Vec<u8>,
    is_text: bool,
}

impl Given {
    /// What is at `path`; `-` is standard input.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::read(path, "a charter", CHARTER_FILE_BYTES_MAX)?;
        let path = path.to_owned();
        // CBOR of either is no text: its first byte, 0x82, begins no character.
        let Some(text) = str::from_utf8(&bytes).ok().filter(|text| Parts::are_meant_by(text)) else {
            return Ok(Self { path, bytes, is_text: false });
        };
        let parts = Parts::from_texts(text)
            .map_err(|error| Failure::new(Code::BadInput, format!("{}: {error}", name(&path))))?;
        Ok(Self { path, bytes: parts.into_bytes(), is_text: true })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a person calls it.
    pub(in crate::cli) fn name(&self) -> String {
        name(&self.path)
    }

    /// Whether it is an amendment and no charter.
    pub(super) fn is_amendment(&self) -> bool {
        Amendment::predecessor_in(&self.bytes).is_ok()
    }

    /// A charter file, whose charter every party signed.
    pub(super) fn charter_file(&self) -> Result<Roster, Failure> {
        Roster::read_charter_file(&self.bytes).map_err(|refused| {
            let name = self.name();
            let line = match SignedCharter::decode(&self.bytes) {
                Ok(_) => format!("{name}: {refused}; not every party has signed: see `merestone mission show`"),
                Err(_) => format!("{name} is not a charter ({refused}); ask for it again"),
            };
            Failure::new(Code::BadInput, line)
        })
    }

    /// A charter that some or all parties signed.
    pub(super) fn signed_charter(&self) -> Result<SignedCharter, Failure> {
        SignedCharter::decode(&self.bytes).map_err(|refused| {
            let line = format!("{} is not a charter ({refused}); ask for it again", self.name());
            Failure::new(Code::BadInput, line)
        })
    }

    /// Where `out`, or else what takes the place of this, goes. To be asked before a passphrase is.
    ///
    /// # Errors
    /// If `out` exists, or this was typed in and there is no `out`.
    pub(super) fn place<'a>(&'a self, out: Option<&'a Path>) -> Result<&'a Path, Failure> {
        match out {
            Some(out) => input::refuse_existing(out).map(|()| out),
            None if self.path.as_os_str() == "-" => Err(Failure::new(
                Code::Usage,
                "standard input cannot be replaced: say where the result goes with --out",
            )),
            None => Ok(&self.path),
        }
    }

    /// Writes what became of it: a new file, or in its place, there in the form in which it was.
    pub(super) fn write(&self, out: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
        let place = self.place(out)?;
        match (out, self.is_text) {
            (Some(_), _) => input::write_new(place, bytes),
            (None, false) => input::replace(place, bytes),
            (None, true) => input::replace(place, lines(&parts(bytes)?).as_bytes()),
        }
    }
}

/// The parts of a charter or an amendment.
pub(super) fn parts(bytes: &[u8]) -> Result<Parts, Failure> {
    Parts::of(bytes).map_err(|error| Failure::new(Code::BadInput, error.to_string()))
}

fn lines(parts: &Parts) -> String {
    parts.texts().map(|text| text + "\n").collect()
}

fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// The charter in a file or its texts, signed by every party, as it stands after the amendments behind it.
pub(in crate::cli) fn complete_charter(path: &Path) -> Result<CompleteCharter, Failure> {
    Ok(Given::read(path)?.charter_file()?.charter().clone())
}

/// The bytes of a charter file, from it or from its texts.
pub(in crate::cli) fn charter_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(Given::read(path)?.bytes)
}
