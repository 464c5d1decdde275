//! Taking over the leaves of a ledger that another camp shows over HTTP, each verified against a checkpoint before it is kept.

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::ledger::{Row, TILE_WIDTH, TileAddress, decode_bundle};
use merestone_core::roster::Class;
use merestone_core::witness::{COSIGNED_NOTE_BYTES_MAX, CosignedNote, Witnesses};
use merestone_node::Device;
use merestone_node::device::AccessError;
use merestone_node::replica::{LedgerCopy, LedgerError};

use crate::http::{Answer, HttpError, Url, get};

/// Most leaves between two checkpoints: they are held in memory until the later one was compared.
const LEAVES_MAX: u64 = 1 << 20;
/// Largest bundle: 256 leaves of 79 bytes, each after its length.
const BUNDLE_BYTES_MAX: usize = 256 * 81;

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
    #[error("{path}: status {status}")]
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
    /// Too many leaves without a checkpoint.
    #[error("{leaves} leaves without a checkpoint between them are more than {LEAVES_MAX}")]
    TooMany {
        /// How many.
        leaves: u64,
    },
    /// The ledger here.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The device.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Takes over what `url` shows and is not held; the number of new leaves.
///
/// # Errors
/// [`MirrorError`]; what was taken over before stays.
pub(crate) async fn mirror(device: &Device, url: &Url) -> Result<u64, MirrorError> {
    take_checkpoint(device, url).await?;
    let mut copy = LedgerCopy::of(device.store())?;
    let begun = copy.size();
    // Checkpoint by checkpoint: each is something to verify against.
    for note in notes_beyond(device, begun) {
        let leaves = between(url, copy.size(), note.size()).await?;
        copy.extend(&note, &leaves)?;
    }
    Ok(copy.size() - begun)
}

/// The notes of more leaves than `size` that the device holds, one of each size, ascending.
fn notes_beyond(device: &Device, size: u64) -> Vec<Checkpoint> {
    let roster = device.authority().roster();
    let mut notes: Vec<Checkpoint> = roster.notes().filter(|note| note.size() > size).cloned().collect();
    notes.sort_by_key(Checkpoint::size);
    notes.dedup_by_key(|note| note.size());
    notes
}

async fn take_checkpoint(device: &Device, url: &Url) -> Result<(), MirrorError> {
    let path = "checkpoint";
    let bytes = fetch(url, path, COSIGNED_NOTE_BYTES_MAX).await?;
    let charter = device.charter();
    let witnesses = Witnesses::of(charter.charter()).ok_or(MirrorError::NoLedger)?;
    let note =
        CosignedNote::gather(&bytes, &witnesses).map_err(|_| MirrorError::Malformed { path: path.to_owned() })?;
    device.receive(Class::Note, &[note.checkpoint().as_bytes().to_vec()])?;
    device.receive(Class::Cosignature, &note.statements().collect::<Vec<_>>())?;
    Ok(())
}

async fn between(url: &Url, from: u64, to: u64) -> Result<Vec<Leaf>, MirrorError> {
    if to - from > LEAVES_MAX {
        return Err(MirrorError::TooMany { leaves: to - from });
    }
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
