//! Files of keys: a party's, a ledger's, a witness's.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use merestone_core::key::SigningKey;
use merestone_core::roster::MakeError;
use merestone_node::clock::SystemEntropy;
use merestone_node::vault::{KEYFILE_BYTES_MAX, PartyKeyFile};
use serde::Serialize;

use crate::cli::{Context, UnlockCostArgs};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;
use crate::passphrase::Asker;

/// The key of a party, a ledger or a witness in a file, unlocked.
pub(in crate::cli) fn key_in(asker: &Asker, path: &Path) -> Result<SigningKey, Failure> {
    // Looked at first: nobody should type a passphrase for a file that is not there.
    input::read(path, "a key file", KEYFILE_BYTES_MAX)?;
    let passphrase = asker.ask(&path.display().to_string())?;
    Ok(PartyKeyFile::unlock(path, &passphrase)?)
}

/// Says of the key in `path` that it cannot sign.
pub(in crate::cli) fn refused_by(path: &Path) -> impl FnOnce(MakeError) -> Failure {
    move |error| Failure::from(error).about(path.display())
}

pub(super) fn make(context: &Context, out: PathBuf, cost: &UnlockCostArgs) -> Result<Code, Failure> {
    if out.symlink_metadata().is_ok() {
        let line = format!("{} exists already; a key is never replaced: name another file", out.display());
        return Err(Failure::new(Code::BadInput, line));
    }
    let passphrase = context.asker.choose(&out.display().to_string())?;
    let key = PartyKeyFile::make(&out, &passphrase, cost.cost(), &SystemEntropy)?;
    context.screen.show(&KeyMade { key: key.public().to_string(), file: out })?;
    Ok(Code::Done)
}

#[derive(Serialize)]
struct KeyMade {
    key: String,
    file: PathBuf,
}

impl Report for KeyMade {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "public key  {}", self.key)?;
        writeln!(out, "kept in     {}, wrapped by the passphrase", self.file.display())?;
        writeln!(
            out,
            "Give the public key to whoever founds the mission. Nobody can help if the passphrase is forgotten."
        )
    }
}
