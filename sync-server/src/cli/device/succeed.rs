//! `merestone device succeed`: an observer goes on under a new key.

use std::io::{self, Write};
use std::path::PathBuf;

use merestone_core::key::PublicKey;
use merestone_core::roster::{ProposedSuccession, SUCCESSION_BYTES_MAX, Succession};
use merestone_node::Device;
use serde::Serialize;

use crate::cli::{Context, choose_observer};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::Report;

#[derive(Debug, clap::Args)]
pub(crate) struct SucceedArgs {
    /// What the party wrote with `merestone roster succeed`, where the old key is lost.
    #[arg(conflicts_with_all = ["old", "new"], required_unless_present_all = ["old", "new"])]
    succession: Option<PathBuf>,
    /// The old key, where it is on this device too: its observer's name or 64 hex digits.
    #[arg(long, value_name = "KEY")]
    old: Option<String>,
    /// The new key, certified by the same party.
    #[arg(long, value_name = "KEY")]
    new: Option<String>,
}

impl SucceedArgs {
    pub(super) fn run(self, context: &Context) -> Result<Code, Failure> {
        let device = context.open(0)?;
        let made = match self {
            Self { succession: Some(file), old: _, new: _ } => {
                let bytes = input::read(&file, "a succession", SUCCESSION_BYTES_MAX)?;
                let proposed = ProposedSuccession::decode(&bytes, &device.authority().roster());
                let new = proposed.and_then(|proposed| PublicKey::admit(proposed.new_key()));
                let new = new.map_err(|refused| {
                    let line = format!("{} is no succession for this mission ({refused})", file.display());
                    Failure::new(Code::BadInput, line)
                })?;
                unlock(context, &device, &new.to_string())?;
                device.accept_succession(&bytes).map_err(|error| Failure::from(error).about(file.display()))?
            }
            Self { succession: None, old, new } => {
                let old = unlock(context, &device, old.as_deref().unwrap_or_default())?;
                let new = unlock(context, &device, new.as_deref().unwrap_or_default())?;
                device.succeed(&old, &new)?
            }
        };
        context.screen.show(&Succeeded::of(&made))?;
        Ok(Code::Done)
    }
}

fn unlock(context: &Context, device: &Device, who: &str) -> Result<PublicKey, Failure> {
    let observer = choose_observer(device, Some(who))?;
    context.unlock(device, &observer)?;
    Ok(observer.key)
}

#[derive(Serialize)]
struct Succeeded {
    succession: String,
    old: String,
    new: String,
    signed_by: &'static str,
    logs: usize,
}

impl Succeeded {
    fn of(made: &Succession) -> Self {
        let shown = |key: &[u8; 32]| PublicKey::admit(key).map_or_else(|_| String::new(), |key| key.to_string());
        Self {
            succession: made.id().to_string(),
            old: shown(made.old()),
            new: shown(made.new_key()),
            signed_by: if made.is_by_party() { "the party" } else { "the old key" },
            logs: made.heads().len(),
        }
    }
}

impl Report for Succeeded {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "key {} follows key {}, as {} states", self.new, self.old, self.signed_by)?;
        writeln!(out, "  {} logs of the old key are acknowledged", self.logs)?;
        writeln!(out, "Both are shown as one observer's wherever this device syncs.")
    }
}
