//! Taking over the leaves of a ledger that another camp shows over HTTP, each verified against a checkpoint before it is kept.

use std::sync::Arc;

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::ledger::{
    BUNDLE_BYTES_MAX, LookupError, Row, TILE_WIDTH, TileAddress, consistency_proof, decode_bundle,
};
use merestone_core::merkle::NodeHash;
use merestone_core::roster::Class;
use merestone_core::witness::{COSIGNED_NOTE_BYTES_MAX, CosignedNote, Witnesses};
use merestone_node::Device;
use merestone_node::device::AccessError;
use merestone_node::replica::{LedgerCopy, LedgerError, LedgerSplit, LedgerWatch};
use merestone_store::ReadError;
use tokio::runtime::Handle;

use super::on_disk;
use crate::http::{Answer, HttpError, Url, get};

/// Leaves that are fetched before they are kept: 256 bundles, 5 MB in memory, and a proof of two tiles of each level.
const PAGE_LEAVES: u64 = 256 * TILE_WIDTH as u64;
/// Largest tile of hashes.
const TILE_BYTES_MAX: usize = 32 * TILE_WIDTH as usize;

/// Leaves were not taken over, or not all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MirrorError {
    /// The mission has no ledger.
    #[error("the mission's charter names no ledger")]
    NoLedger,
    /// Nothing came that could be read.
    #[error("{path}: {source}")]
    Http {
        /// What was asked for.
        path: String,
        /// Why.
        source: HttpError,
    },
    /// It is not there.
    #[error("{path}: status {status}{}", if path == "checkpoint" && *status == 404 { ": nothing was handed out there yet" } else { "" })]
    Status {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// What came is not what was asked for.
    #[error("{path} is not what its name says")]
    Malformed {
        /// What was asked for.
        path: String,
    },
    /// The ledger signed two histories.
    #[error("the ledger signed checkpoints of {} and {} leaves that contradict each other", .0.smaller.size(), .0.larger.size())]
    Split(Box<LedgerSplit>),
    /// The ledger here.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The device.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store here.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl MirrorError {
    /// A name that programs may rely on.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Http { source: HttpError::Unreachable, .. } => "mirror-unreachable",
            Self::Http { source: HttpError::TooSlow, .. } => "mirror-slow",
            Self::Http { .. } | Self::Status { .. } | Self::Malformed { .. } => "mirror-garbage",
            Self::Ledger(LedgerError::Unproved { .. }) => "mirror-unproved",
            Self::Split(_) => "ledger-split",
            Self::NoLedger | Self::Ledger(_) | Self::Access(_) | Self::Read(_) => "ledger-stopped",
        }
    }
}

/// Takes over what `url` shows and is not held; the number of new leaves. `watch` remembers what was compared.
///
/// Leaves come page by page, each with the consistency proof from the tree that they make to that of the newest checkpoint
/// shown, so that a copy of any size needs no checkpoint between.
///
/// # Errors
/// [`MirrorError`]; what was taken over before stays.
pub(crate) async fn mirror(device: &Arc<Device>, url: &Url, watch: &mut LedgerWatch) -> Result<u64, MirrorError> {
    let shown = take_checkpoint(device, url).await?;
    // A copy cannot go back: it follows what enough witnesses cosigned, and not whoever has the ledger's key.
    let newest = device.authority().roster().newest_shown_within(shown.size()).cloned();
    let Some(newest) = newest else { return Ok(0) };
    let begun = device.store().ledger_size()?;
    let mut held = begun;
    while held < newest.size() {
        let page_end = (held / PAGE_LEAVES + 1) * PAGE_LEAVES;
        let to = page_end.min(newest.size());
        let leaves = between(url, held, to).await?;
        let proof = prove(url, to, newest.size()).await?;
        let (of, until) = (Arc::clone(device), newest.clone());
        let extended = on_disk(move || LedgerCopy::of(of.store())?.extend(&until, &leaves, &proof)).await;
        match extended {
            Err(error @ LedgerError::Unproved { .. }) => return Err(contradiction(device, url, shown, error).await),
            other => other?,
        }
        held = to;
    }
    let split = watch.look(device.store(), &device.authority().roster())?;
    split.map_or(Ok(held - begun), |split| Err(MirrorError::Split(Box::new(split))))
}

/// Why the leaves of `newest` are not shown to follow those that are held: because the ledger signed two histories, if the
/// tiles there show that.
async fn contradiction(device: &Arc<Device>, url: &Url, newest: Checkpoint, error: LedgerError) -> MirrorError {
    let held = match device.store().ledger_size() {
        Ok(held) => held,
        Err(error) => return error.into(),
    };
    let earlier = device.authority().roster().newest_shown_within(held).cloned();
    let Some(earlier) = earlier else { return error.into() };
    let (from, url) = (Handle::current(), url.clone());
    let proved = on_disk(move || LedgerSplit::prove(&earlier, &newest, |address| tile(&from, &url, address))).await;
    match proved {
        Ok(Some(split)) => MirrorError::Split(Box::new(split)),
        Ok(None) => error.into(),
        Err(LookupError::Read { path: _, source }) => source,
        Err(LookupError::Length { path }) => MirrorError::Malformed { path },
    }
}

async fn take_checkpoint(device: &Device, url: &Url) -> Result<Checkpoint, MirrorError> {
    let path = "checkpoint";
    let bytes = fetch(url, path, COSIGNED_NOTE_BYTES_MAX).await?;
    let charter = device.charter();
    let witnesses = Witnesses::judging(&charter, &bytes).ok_or(MirrorError::NoLedger)?;
    let note =
        CosignedNote::gather(&bytes, &witnesses).map_err(|_| MirrorError::Malformed { path: path.to_owned() })?;
    device.receive(Class::Note, &[note.checkpoint().as_bytes().to_vec()])?;
    device.receive(Class::Cosignature, &note.statements().collect::<Vec<_>>())?;
    Ok(note.checkpoint().clone())
}

/// The consistency proof between two sizes of the tree there.
async fn prove(url: &Url, from: u64, to: u64) -> Result<Vec<NodeHash>, MirrorError> {
    let (handle, url) = (Handle::current(), url.clone());
    let proof = on_disk(move || consistency_proof(from, to, |address| tile(&handle, &url, address))).await;
    proof.map(Option::unwrap_or_default).map_err(|error| match error {
        LookupError::Read { path: _, source } => source,
        LookupError::Length { path } => MirrorError::Malformed { path },
    })
}

/// Fetches a tile of hashes, on a thread that may wait.
fn tile(handle: &Handle, url: &Url, address: &TileAddress) -> Result<Vec<u8>, MirrorError> {
    handle.block_on(fetch(url, &address.path(), TILE_BYTES_MAX))
}

async fn between(url: &Url, from: u64, to: u64) -> Result<Vec<Leaf>, MirrorError> {
    let (width, mut leaves) = (u64::from(TILE_WIDTH), Vec::new());
    for index in from / width..to.div_ceil(width) {
        let Some(address) = TileAddress::in_tree(Row::Entries, index, to) else { break };
        let path = address.path();
        let bytes = fetch(url, &path, BUNDLE_BYTES_MAX).await?;
        let bundle = decode_bundle(address, &bytes).map_err(|_| MirrorError::Malformed { path })?;
        let held = usize::try_from(from.saturating_sub(index * width)).unwrap_or(usize::MAX);
        leaves.extend(bundle.into_iter().skip(held));
    }
    Ok(leaves)
}

async fn fetch(url: &Url, path: &str, bytes_max: usize) -> Result<Vec<u8>, MirrorError> {
    let answer = get(url, path, bytes_max).await;
    match answer.map_err(|source| MirrorError::Http { path: path.to_owned(), source })? {
        Answer { status: 200, body } => Ok(body),
        Answer { status, .. } => Err(MirrorError::Status { path: path.to_owned(), status }),
    }
}
