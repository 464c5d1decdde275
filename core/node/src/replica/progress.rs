//! One meeting with one peer, as the person who asked for it sees it.

use std::sync::Arc;
use std::time::Duration;

use merestone_core::sync::Progress;
use merestone_link::{Connection, LinkLimits, PeerKey, close_code};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::error::SyncError;
use super::outcome::{PeerInfo, SyncOutcome};
use super::talk::TalkOptions;
use super::{Meet, Shared, agreed, conversation};

/// How long a socket waits after the end, so that the peer hears of it.
const GOODBYE: Duration = Duration::from_secs(2);

/// How far a conversation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncProgress {
    /// Who the peer proved to be; `None` until then.
    pub peer: Option<PeerInfo>,
    /// What was carried.
    pub progress: Progress,
    /// Both sides said that they hold the same and nothing is missing, and nothing changed since.
    pub is_fully_synced: bool,
}

/// A conversation under way. Dropping it ends the link; what was committed stays.
#[derive(Debug)]
pub struct Meeting {
    progress: watch::Receiver<SyncProgress>,
    stop: watch::Sender<bool>,
    task: Abort<Result<SyncOutcome, SyncError>>,
}

/// A task that ends with its handle.
#[derive(Debug)]
struct Abort<T>(JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Meeting {
    pub(super) fn begin(shared: Arc<Shared>, meet: Meet) -> Self {
        let (progress_sender, progress) = watch::channel(SyncProgress::default());
        let (stop, stopped) = watch::channel(false);
        let task = Abort(tokio::spawn(connect_and_hold(shared, meet, stopped, progress_sender)));
        Self { progress, stop, task }
    }

    pub(super) fn over(shared: Arc<Shared>, connection: Connection, options: TalkOptions) -> Self {
        let (progress_sender, progress) = watch::channel(SyncProgress::default());
        let (stop, stopped) = watch::channel(false);
        let held = async move { Ok(conversation::hold(shared, connection, options, stopped, progress_sender).await) };
        Self { progress, stop, task: Abort(tokio::spawn(held)) }
    }

    /// Waits until there is something new to show; `None` when there will be nothing more.
    pub async fn changed(&mut self) -> Option<SyncProgress> {
        self.progress.changed().await.ok()?;
        Some(self.progress())
    }

    /// The newest state.
    pub fn progress(&self) -> SyncProgress {
        self.progress.borrow().clone()
    }

    /// Ends the conversation with a good-bye.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// If no conversation came about.
    pub async fn outcome(mut self) -> Result<SyncOutcome, SyncError> {
        (&mut self.task.0).await.unwrap_or(Err(SyncError::Abandoned))
    }
}

async fn connect_and_hold(
    shared: Arc<Shared>,
    meet: Meet,
    stop: watch::Receiver<bool>,
    progress: watch::Sender<SyncProgress>,
) -> Result<SyncOutcome, SyncError> {
    let Meet { addresses, expected, stay, wants, photo_bytes_max } = meet;
    let Some(&address) = addresses.first() else { return Err(SyncError::NoAddress) };
    if shared.ending.is_over() {
        return Err(SyncError::Closed);
    }
    let mut options = TalkOptions { wants, stay, ..TalkOptions::default() };
    options.limits.blob_bytes_max = photo_bytes_max;
    let bulk = shared.limits.bulk && expects_much(&shared, expected).await;
    let limits = LinkLimits { bulk, ..shared.limits.clone() };
    let endpoint = shared
        .network
        .endpoint(&addresses, &shared.transport, limits)
        .map_err(|source| SyncError::NoSocket { address, source })?;
    let _call = shared.calls.begin(&endpoint);
    let connection = tokio::select! {
        biased;
        connected = endpoint.connect_any(&addresses, expected) => {
            connected.map_err(|source| SyncError::NoLink { address, source })?
        }
        () = shared.ending.over() => return Err(SyncError::Closed),
    };
    let outcome = conversation::hold(Arc::clone(&shared), connection, options, stop, progress).await;
    endpoint.close(close_code::DONE, "");
    // A peer that does not hear of the end finds out by itself, later.
    let _ = timeout(GOODBYE, endpoint.wait_idle()).await;
    Ok(outcome)
}

/// Whether so much may be carried that the link should look for larger datagrams.
async fn expects_much(shared: &Arc<Shared>, peer: Option<PeerKey>) -> bool {
    let Some(peer) = peer else { return true };
    if shared.is_inline {
        return agreed::expects_much(shared, peer);
    }
    let shared = Arc::clone(shared);
    spawn_blocking(move || agreed::expects_much(&shared, peer)).await.unwrap_or(true)
}
