//! What `merestone roster certify` does about the key that a request names as the one before: in one go what
//! `roster succeed` and `roster cut` do.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::key::{PublicKey, Signer};
use merestone_core::roster::{Certificate, Class, CutDraft, PartyNumber};
use merestone_node::Device;
use merestone_node::office::{PartyOffice, SeenRequest};
use serde::Serialize;

use super::ReasonName;
use super::cut::{KeptShown, take_up};
use super::succeed::vouch;
use crate::cli::Context;
use crate::exit::{Code, Failure};
use crate::input;

#[derive(Debug, clap::Args)]
pub(super) struct ReplaceArgs {
    /// Vouch that the key follows the one that the request names, which is lost: the succession goes into this new file,
    /// for `merestone device succeed` on the new device. Of the old key counts what the device at --home holds.
    #[arg(long, value_name = "FILE")]
    succession: Option<PathBuf>,
    /// End the key that the request names, at what the device at --home holds of it, for this reason.
    #[arg(long, value_enum, value_name = "REASON")]
    cut: Option<ReasonName>,
}

/// The key before, and whose it is where a device is at hand that knows it.
pub(super) struct Replacing {
    old: PublicKey,
    known: Option<Known>,
}

struct Known {
    device: Device,
    /// Observer and device in the old key's certificate.
    whose: Option<[String; 2]>,
}

impl ReplaceArgs {
    fn asks(&self) -> bool {
        self.succession.is_some() || self.cut.is_some()
    }

    /// Finds out whose key is to be replaced, before anything is asked or signed. `None`: the request replaces none.
    ///
    /// # Errors
    /// If something is to be done about the old key and the device at --home does not know it as this party's.
    pub(super) fn find(
        &self,
        context: &Context,
        seen: &SeenRequest,
        party: Option<PartyNumber>,
    ) -> Result<Option<Replacing>, Failure> {
        let Some(old) = seen.request.replaces() else {
            let line = "the request names no key that it is to follow; use `roster succeed` and `roster cut`";
            return if self.asks() { Err(Failure::new(Code::BadInput, line)) } else { Ok(None) };
        };
        let old = PublicKey::admit(old).map_err(|refused| {
            Failure::new(Code::BadInput, format!("the key that the request is to follow is refused: {refused}"))
        })?;
        if let Some(file) = &self.succession {
            input::refuse_existing(file)?;
        }
        // A charter is enough to certify: the device is asked where it must be, or where one is named anyway.
        if !self.asks() && context.home().is_err() {
            return Ok(Some(Replacing { old, known: None }));
        }
        let device = context.open(0)?;
        let whose = {
            let roster = device.authority().roster();
            let of_party = |held: &&Certificate| *held.key() == old && Some(held.party()) == party;
            let held = roster.certificates().find(of_party);
            held.map(|held| [held.request().observer(), held.request().device()].map(str::to_owned))
        };
        if whose.is_none() && self.asks() {
            let line = format!(
                "the device at --home knows no certificate of your party for key {old}; sync it first. Nothing was certified"
            );
            return Err(Failure::new(Code::BadInput, line));
        }
        Ok(Some(Replacing { old, known: Some(Known { device, whose }) }))
    }

    /// Vouches for the new key and ends the old one, as far as the officer asked for it.
    ///
    /// # Errors
    /// If the device at --home refuses one of them; the certificate stands.
    pub(super) fn act(
        &self,
        replacing: &Replacing,
        root: &dyn Signer,
        certificate: &Certificate,
    ) -> Result<ReplacedShown, Failure> {
        let Replacing { old, known } = replacing;
        let (key, whose) = (old.to_string(), known.as_ref().and_then(|known| known.whose.clone()));
        let mut shown = ReplacedShown { key, whose, succession: None, logs: None, cut: None, kept: Vec::new() };
        let Some(Known { device, .. }) = known else { return Ok(shown) };
        if let Some(file) = &self.succession {
            device.receive(Class::Certificate, &[certificate.as_bytes().to_vec()])?;
            shown.logs = Some(vouch(device, root, [old, certificate.key()], file)?);
            shown.succession = Some(file.clone());
        }
        if let Some(reason) = self.cut {
            let kept = device.heads_of(old)?;
            let draft = CutDraft { key: old.as_bytes(), kept: &kept, reason: reason.reason(), text: None };
            let cut = PartyOffice::new(root).cut(&device.charter(), &draft)?;
            take_up(device, cut.as_bytes().to_vec())?;
            shown.cut = Some(cut.id().to_string());
            shown.kept = kept.iter().map(KeptShown::of).collect();
        }
        Ok(shown)
    }
}

impl Replacing {
    /// What the officer must know before answering for it.
    pub(super) fn question(&self) -> String {
        let whose = self.known.as_ref().and_then(|known| known.whose.as_ref());
        let whose = whose.map_or_else(String::new, |[observer, device]| format!(", of {observer} · {device}"));
        format!("It is to follow key {}{whose}.", self.old)
    }
}

/// What was done about the key before.
#[derive(Serialize)]
pub(super) struct ReplacedShown {
    key: String,
    whose: Option<[String; 2]>,
    succession: Option<PathBuf>,
    logs: Option<usize>,
    cut: Option<String>,
    kept: Vec<KeptShown>,
}

impl ReplacedShown {
    pub(super) fn human(&self, new: &str, out: &mut dyn Write) -> io::Result<()> {
        let Self { key, whose, succession, cut, .. } = self;
        if let Some([observer, device]) = whose {
            writeln!(out, "The key before is that of {observer} · {device}.")?;
        }
        match (succession, self.logs) {
            (Some(file), Some(logs)) => {
                writeln!(out, "The new key follows it, with {logs} logs as they are held here.")?;
                writeln!(out, "Give {} to the observer, for `merestone device succeed`.", file.display())?;
            }
            _ => {
                writeln!(out, "Nothing says yet that the new key follows it. If the old one is lost:")?;
                writeln!(out, "  merestone roster succeed {key} {new}")?;
                writeln!(out, "If it is not, the device that has both keys says so: `merestone device succeed`.")?;
            }
        }
        if cut.is_some() {
            writeln!(out, "The key before is cut:")?;
            return KeptShown::list(&self.kept, out);
        }
        writeln!(out, "The old key still signs: end it with `merestone roster cut {key}`.")
    }
}
