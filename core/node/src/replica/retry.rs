//! Connecting again while it is of use.

use std::time::Duration;

use tokio::time::timeout;

use super::error::SyncError;
use super::outcome::SyncOutcome;
use super::{Meet, Replica};

/// How often to try again, and how long to wait in between.
///
/// A wait ends when the [network changes](Replica::network_changed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in a row without any progress after which to give up, at least 1.
    pub attempts_max: u32,
    /// The first wait; each further one is twice as long, until the peer answers again.
    pub wait: Duration,
    /// The longest wait.
    pub wait_max: Duration,
}

impl Default for Retry {
    /// 16 attempts, from a quarter of a second to three: links that live for seconds leave no time to wait, and an attempt
    /// without an answer takes ten seconds by itself. So it gives up after more than three minutes of silence, longer
    /// than a phone needs to find its network.
    fn default() -> Self {
        Self { attempts_max: 16, wait: Duration::from_millis(250), wait_max: Duration::from_secs(3) }
    }
}

pub(super) async fn until_done(replica: &Replica, meet: Meet, retry: Retry) -> Result<SyncOutcome, SyncError> {
    let mut changes = replica.shared().calls.changes();
    let (mut idle, mut wait) = (0, retry.wait);
    loop {
        changes.mark_unchanged();
        let result = replica.sync_with(meet.clone()).outcome().await;
        let (is_worth, has_answered, has_moved) = match &result {
            Ok(outcome) => {
                let is_worth = !outcome.is_fully_synced && outcome.end.is_worth_retrying();
                (is_worth, outcome.bytes_received > 0, outcome.has_moved())
            }
            Err(error) => (error.is_worth_retrying(), false, false),
        };
        idle = if has_moved { 0 } else { idle + 1 };
        if !is_worth || idle >= retry.attempts_max.max(1) {
            return result;
        }
        if has_answered {
            wait = retry.wait;
        }
        if let Ok(Ok(())) = timeout(wait, changes.changed()).await {
            // Another network, another chance: nothing is known of it yet.
            wait = retry.wait;
        } else {
            wait = (wait * 2).min(retry.wait_max);
        }
    }
}

impl SyncOutcome {
    /// Whether anything became durable on either side.
    fn has_moved(&self) -> bool {
        let blobs = self.progress.blobs.iter().any(|blobs| blobs.bytes_received > 0 || blobs.bytes_sent > 0);
        self.progress.entries_received > 0 || self.progress.entries_sent > 0 || blobs
    }
}
