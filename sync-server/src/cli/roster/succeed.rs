//! `merestone roster succeed`: the party vouches that a new key is the observer's whose key is lost.

use std::path::{Path, PathBuf};

use merestone_core::key::{KeyCache, PublicKey, Signer};
use merestone_core::roster::{Certificate, Class, SuccessionDraft};
use merestone_node::Device;
use merestone_node::office::PartyOffice;
use serde::Serialize;
use std::io::{self, Write};

use crate::cli::device::read_carried;
use crate::cli::mission::key_in;
use crate::cli::{Context, public_key};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(crate) struct SucceedArgs {
    /// The key that is lost, 64 hex digits.
    old: String,
    /// The new key of the same observer, which your party certified.
    new: String,
    /// The new key's certificate, if the device at --home does not have it yet.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Your party's root key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the succession goes, for `merestone device succeed` on the new device: a new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn succeed(context: &Context, args: &SucceedArgs) -> Result<Code, Failure> {
    let (old, new) = (public_key(&args.old)?, public_key(&args.new)?);
    input::refuse_existing(&args.out)?;
    let device = context.open(0)?;
    if let Some(file) = &args.certificate {
        let text = read_carried(file, "a certificate")?;
        let certificate = Certificate::from_text(&text, &device.charter(), &mut KeyCache::with_capacity(2))
            .map_err(|error| Failure::from(error).about(file.display()))?;
        device.receive(Class::Certificate, &[certificate.as_bytes().to_vec()])?;
    }
    let root = key_in(&context.asker, &args.key)?;
    let logs = vouch(&device, &root, [&old, &new], &args.out)?;
    let (old, new) = (old.to_string(), new.to_string());
    context.screen.show(&Vouched { old, new, logs, file: args.out.clone() })?;
    Ok(Code::Done)
}

/// Writes the party's half of a succession into a new file, with the heads that the device holds: so many logs.
///
/// # Errors
/// If the party did not certify both keys, or the file cannot be written.
pub(super) fn vouch(
    device: &Device,
    root: &dyn Signer,
    [old, new]: [&PublicKey; 2],
    out: &Path,
) -> Result<usize, Failure> {
    let heads = device.heads_of(old)?;
    let draft = SuccessionDraft { old: old.as_bytes(), new: new.as_bytes(), heads: &heads };
    let proposed = {
        let roster = device.authority().roster();
        PartyOffice::new(root).succeed(&roster, &draft).map_err(|error| {
            Failure::from(error).about("both keys must be certified by your party, and known to the device at --home")
        })?
    };
    input::write_new(out, &proposed.encode())?;
    Ok(heads.len())
}

#[derive(Serialize)]
struct Vouched {
    old: String,
    new: String,
    logs: usize,
    file: PathBuf,
}

impl Report for Vouched {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "key {} follows key {}", self.new, self.old)?;
        writeln!(out, "  {} logs of the old key are acknowledged as they are held here", self.logs)?;
        writeln!(out, "Give {} to the observer, for `merestone device succeed`.", self.file.display())?;
        writeln!(out, "The old key still signs: end it with `merestone roster cut`.")
    }
}
