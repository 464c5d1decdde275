//! Following a ledger that another camp keeps: its leaves are copied as they come, and what they show is passed on.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use merestone_node::Device;
use merestone_node::replica::{Camp, LedgerSplit, LedgerWatch};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{MirrorError, mirror, on_disk};
use crate::exit::Failure;
use crate::http::Url;
use crate::input;
use crate::output::{Report, Screen};

/// How often a ledger is looked at: a checkpoint comes every 15 minutes, and its cosignatures within seconds or hours.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait after the first trouble, doubled each time.
const PATIENCE_MIN: Duration = Duration::from_secs(5);
/// And at most.
const PATIENCE_MAX: Duration = Duration::from_secs(300);

/// The copies that a camp keeps, until this is dropped.
pub(crate) struct Following {
    _following: JoinSet<()>,
}

impl Following {
    /// Begins to copy what is shown at `url`, if one is named, and tells what happens.
    pub(crate) fn begin(screen: Screen, device: &Arc<Device>, camp: &Arc<Camp>, url: Option<&Url>) -> Self {
        let mut following = JoinSet::new();
        if let Some(url) = url {
            following.spawn(follow(screen, Arc::clone(device), Arc::clone(camp), url.clone()));
        }
        Self { _following: following }
    }
}

async fn follow(screen: Screen, device: Arc<Device>, camp: Arc<Camp>, url: Url) {
    let (mut watch, mut patience, mut said, mut shown) = (LedgerWatch::default(), PATIENCE_MIN, None, None);
    loop {
        let wait = match mirror(&device, &url, &mut watch).await {
            Ok(new) => {
                (patience, said) = (PATIENCE_MIN, None);
                let inclusions = show_new(&camp, &mut shown).await;
                if new > 0 || inclusions > 0 {
                    let leaves = device.store().ledger_size().unwrap_or_default();
                    let url = url.to_string();
                    // Whoever reads the output has gone; the camp goes on, and ends for its own reasons.
                    let _ = screen.show(&Copied { event: "ledger-copied", url, new, leaves, inclusions });
                }
                EVERY
            }
            Err(error) => {
                // Said once, and again when it is another.
                if said.replace(error.code()) != Some(error.code()) {
                    let _ = screen.show(&TroubleShown::of(&device, &url, &error, patience));
                }
                let wait = patience;
                patience = (patience * 2).min(PATIENCE_MAX);
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Makes the inclusions that this copy allows, if anything changed since the last time; how many.
async fn show_new(camp: &Arc<Camp>, shown: &mut Option<(u64, u64)>) -> usize {
    let of = Arc::clone(camp);
    let before = *shown;
    let (state, made) = on_disk(move || {
        let state = (of.replica().authority().version(), of.replica().store().ledger_size().unwrap_or_default());
        if before == Some(state) {
            return (state, 0);
        }
        let made = of.show_copied();
        let made = made.inspect_err(|error| tracing::warn!("nothing is shown of the copied ledger: {error}"));
        (state, made.unwrap_or_default())
    })
    .await;
    *shown = Some(state);
    made
}

/// Keeps a split as files of its own in a device's folder: the notes and the proof. Gives their folder.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn keep_split(home: &Path, split: &LedgerSplit) -> Result<PathBuf, Failure> {
    let folder = home.join(format!("ledger-split-{}-{}", split.smaller.size(), split.larger.size()));
    fs::create_dir_all(&folder).map_err(|error| Failure::output_file(&folder, &error))?;
    for (name, bytes) in split.files() {
        let path = folder.join(name);
        if !path.exists() {
            input::write_new(&path, &bytes)?;
        }
    }
    Ok(folder)
}

#[derive(Serialize)]
struct Copied {
    event: &'static str,
    url: String,
    new: u64,
    leaves: u64,
    inclusions: usize,
}

impl Report for Copied {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { event: _, url, new, leaves, inclusions } = self;
        writeln!(
            out,
            "copied     {leaves} leaves of the ledger at {url}, {new} of them new; {inclusions} shown to others"
        )
    }
}

#[derive(Serialize)]
struct TroubleShown {
    event: &'static str,
    url: String,
    code: &'static str,
    why: String,
    /// Where the evidence of two histories is.
    evidence: Option<PathBuf>,
    again_in_s: u64,
}

impl TroubleShown {
    fn of(device: &Device, url: &Url, error: &MirrorError, again: Duration) -> Self {
        let evidence = match error {
            MirrorError::Split(split) => keep_split(&device.home().folder, split)
                .inspect_err(|failure| tracing::error!("the evidence of two histories is not kept: {failure:?}"))
                .ok(),
            _ => None,
        };
        Self {
            event: "ledger-trouble",
            url: url.to_string(),
            code: error.code(),
            why: error.to_string(),
            evidence,
            again_in_s: again.as_secs(),
        }
    }
}

impl Report for TroubleShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { event: _, url, code, why, evidence, again_in_s } = self;
        writeln!(out, "ledger     {url}: {code}: {why}; again in {again_in_s} s, then less often")?;
        if let Some(folder) = evidence {
            writeln!(out, "evidence   {}: show it to every party", folder.display())?;
        }
        Ok(())
    }
}
