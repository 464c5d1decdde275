//! How far a meeting has come, and what it came to.

use std::sync::Arc;

use merestone_node::replica::{MissingByPerson, MissingWork, PeerInfo, Person, SyncOutcome, SyncProgress};

use crate::ids::count;
use crate::teller::{News, Teller};

/// Who a peer proved to be.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PeerLine {
    /// The name of its party.
    pub party: String,
    /// The name of the observer.
    pub observer: String,
    /// The name of the device.
    pub device: String,
    /// Its role.
    pub role: String,
    /// Its party cut the key.
    pub is_cut: bool,
}

/// How far a conversation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct SyncState {
    /// Who it is with, once that is proved.
    pub peer: Option<PeerLine>,
    /// Entries that the peer made durable.
    pub entries_sent: u64,
    /// Entries that are durable here.
    pub entries_received: u64,
    /// Photos and small pictures sent whole.
    pub photos_sent: u64,
    /// Photos and small pictures that are held whole now.
    pub photos_received: u64,
    /// Bytes of photos handed to the link.
    pub bytes_sent: u64,
    /// Bytes of photos that are durable here.
    pub bytes_received: u64,
    /// Both said that they hold the same and nothing is missing.
    pub is_fully_synced: bool,
}

/// What is missing of one person's work.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MissingLine {
    /// The observer; none while no certificate says whose it is.
    pub observer: Option<String>,
    /// The name of the party.
    pub party: Option<String>,
    /// The name of the device.
    pub device: Option<String>,
    /// Entries.
    pub entries: u64,
    /// Bodies of entries that are held.
    pub bodies: u64,
    /// Photos and small pictures.
    pub photos: u64,
}

/// What the last conversation of a meeting came to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// How far it came.
    pub state: SyncState,
    /// Both hold the same of the scopes that both certificates grant, and nothing is missing: the one case that may be called
    /// synced.
    pub is_fully_synced: bool,
    /// The same of what both sides wanted on this link: photos that one of them did not want may be missing.
    pub is_synced_as_wanted: bool,
    /// How it ended: a name that programs may rely on. `done` or `stopped` where nothing went wrong.
    pub end_code: String,
    /// The same for people.
    pub end_says: String,
    /// What a person can do; empty for nothing.
    pub advice: String,
    /// Scopes of this phone that the peer has no part in: nothing was said of these.
    pub scopes_not_shared: Vec<String>,
    /// Logs of which less is held here than the peer has, or with a gap.
    pub missing_logs: u32,
    /// Bodies of entries that are held and that came from nobody.
    pub missing_bodies: u32,
    /// Photos and small pictures that are not held here.
    pub missing_photos: u32,
    /// What is missing here, by person.
    pub missing_here: Vec<MissingLine>,
    /// What the peer does not hold, by person, as far as it told.
    pub missing_there: Vec<MissingLine>,
    /// Photos and small pictures that were not asked for, because `photo_bytes_max` was reached.
    pub left_out: u64,
    /// Why statements of the peer were refused: names that programs may rely on, each once.
    pub refused: Vec<String>,
    /// Why the peer was not told by a receipt what is held here.
    pub no_receipt: Option<String>,
    /// Bytes sent over the network, everything included.
    pub network_bytes_sent: u64,
    /// Bytes received.
    pub network_bytes_received: u64,
}

/// Hears how far a meeting has come: at most ten times a second, and always of the last state.
#[uniffi::export(foreign)]
pub trait SyncListener: Send + Sync {
    /// It came further. Called on a thread of its own; what it throws is nobody's loss.
    fn on_progress(&self, state: SyncState);
}

impl From<&PeerInfo> for PeerLine {
    fn from(peer: &PeerInfo) -> Self {
        let PeerInfo { store: _, certificate: _, person, role, is_cut } = peer;
        let Person { party, observer, device } = person.clone();
        Self { party, observer, device, role: role.name().to_owned(), is_cut: *is_cut }
    }
}

impl From<&SyncProgress> for SyncState {
    fn from(state: &SyncProgress) -> Self {
        let SyncProgress { peer, progress, is_fully_synced } = state;
        let sum = |of: fn(&merestone_core::sync::BlobProgress) -> u64| progress.blobs.iter().map(of).sum();
        Self {
            peer: peer.as_ref().map(Into::into),
            entries_sent: progress.entries_sent,
            entries_received: progress.entries_received,
            photos_sent: sum(|blobs| blobs.sent),
            photos_received: sum(|blobs| blobs.received),
            bytes_sent: sum(|blobs| blobs.bytes_sent),
            bytes_received: sum(|blobs| blobs.bytes_received),
            is_fully_synced: *is_fully_synced,
        }
    }
}

impl From<&SyncOutcome> for SyncReport {
    fn from(outcome: &SyncOutcome) -> Self {
        let state = SyncProgress {
            peer: outcome.peer.clone(),
            progress: outcome.progress,
            is_fully_synced: outcome.is_fully_synced,
        };
        let mut refused: Vec<String> =
            outcome.refused.iter().map(|refused| refused.refused.check.code().to_owned()).collect();
        refused.sort_unstable();
        refused.dedup();
        let missing = &outcome.missing_here;
        Self {
            state: (&state).into(),
            is_fully_synced: outcome.is_fully_synced,
            is_synced_as_wanted: outcome.is_synced_as_wanted,
            end_code: outcome.end.code().to_owned(),
            end_says: outcome.end.to_string(),
            advice: outcome.end.advice().to_owned(),
            scopes_not_shared: outcome.scopes_not_shared.iter().map(ToString::to_string).collect(),
            missing_logs: count(missing.logs.len()),
            missing_bodies: count(missing.bodies.len()),
            missing_photos: count(missing.photos.len() + missing.photos_unlisted),
            missing_here: missing_lines(missing.by_person()),
            missing_there: missing_lines(outcome.missing_there_by_person()),
            left_out: outcome.progress.blobs.iter().map(|blobs| blobs.left_out).sum(),
            refused,
            no_receipt: outcome.no_receipt.as_ref().map(ToString::to_string),
            network_bytes_sent: outcome.bytes_sent,
            network_bytes_received: outcome.bytes_received,
        }
    }
}

fn missing_lines(missing: MissingByPerson) -> Vec<MissingLine> {
    let line = |(person, work): (Option<Person>, MissingWork)| {
        let MissingWork { entries, bodies, photos } = work;
        let (observer, party, device) = match person {
            Some(Person { party, observer, device }) => (Some(observer), Some(party), Some(device)),
            None => (None, None, None),
        };
        MissingLine { observer, party, device, entries, bodies, photos }
    };
    missing.into_iter().map(line).collect()
}

/// The newest state is told, and what was before it is not.
impl News for SyncState {
    fn add(&mut self, later: Self) {
        *self = later;
    }
}

/// Tells a listener how far a meeting has come.
pub(crate) fn progress_teller(listener: Option<Arc<dyn SyncListener>>) -> Option<Teller<SyncState>> {
    listener.and_then(|listener| Teller::start(move |state| listener.on_progress(state)))
}
