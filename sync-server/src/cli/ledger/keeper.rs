//! The key of the mission's ledger, at the one camp that keeps it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use merestone_node::Device;
use merestone_node::replica::{Camp, LedgerKey};

use crate::camp;
use crate::cli::Context;
use crate::cli::mission::key_in;
use crate::exit::Failure;
use crate::passphrase::Asker;

/// Where the ledger's key is.
#[derive(Debug, clap::Args)]
pub(crate) struct KeeperArgs {
    /// The mission's ledger key, at the one camp that keeps the ledger.
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger_key: Option<PathBuf>,
    /// Read the ledger key's passphrase from this file. Default: as the other passphrase.
    #[arg(long, value_name = "FILE", requires = "ledger_key")]
    pub(crate) ledger_passphrase_file: Option<PathBuf>,
}

impl KeeperArgs {
    /// The key; `None` if none was named.
    ///
    /// # Errors
    /// If it cannot be read, or the charter names another.
    pub(crate) fn key(&self, context: &Context, device: &Device) -> Result<Option<LedgerKey>, Failure> {
        let Some(path) = &self.ledger_key else { return Ok(None) };
        let asker = match &self.ledger_passphrase_file {
            Some(file) => Asker::new(Some(file.clone())),
            None => context.asker.clone(),
        };
        let key = key_in(&asker, path)?;
        let charter = device.charter();
        Ok(Some(LedgerKey::new(Arc::new(key), charter.charter().ledger.as_ref())?))
    }

    /// The camp that keeps the ledger, open and answering nobody; `None` if no key was named.
    ///
    /// # Errors
    /// As [`key`](Self::key); if this is not base camp's device.
    pub(crate) fn camp(&self, context: &Context, device: &Arc<Device>) -> Result<Option<Camp>, Failure> {
        let Some(key) = self.key(context, device)? else { return Ok(None) };
        let observer = camp::camp_key(device)?;
        context.unlock(device, &observer)?;
        let replica = device.replica(&observer.key)?;
        // One checkpoint at most while this runs: the next is due when base camp serves again.
        Ok(Some(Camp::around(replica, Some(key), Duration::from_secs(900))?))
    }
}
