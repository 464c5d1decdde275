//! Connecting again while it is of use.

use std::time::Duration;

use tokio::time::sleep;

use super::error::SyncError;
use super::outcome::SyncOutcome;
use super::{Meet, Replica};

/// How often to try again, and how long to wait in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in a row without any progress after which to give up, at least 1.
    pub attempts_max: u32,
    /// The first wait; each further one is twice as long.
    pub wait: Duration,
    /// The longest wait.
    pub wait_max: Duration,
}

impl Default for Retry {
    /// 8 attempts, from half a second to 30: four minutes without an answer, longer than a phone needs to find its network.
    fn default() -> Self {
        Self { attempts_max: 8, wait: Duration::from_millis(500), wait_max: Duration::from_secs(30) }
    }
}

pub(super) async fn until_done(replica: &Replica, meet: Meet, retry: Retry) -> Result<SyncOutcome, SyncError> {
    let (mut idle, mut wait) = (0, retry.wait);
    loop {
        let result = replica.sync_with(meet).outcome().await;
        let (is_worth, has_moved) = match &result {
            Ok(outcome) => (!outcome.is_fully_synced && outcome.end.is_worth_retrying(), outcome.has_moved()),
            Err(error) => (error.is_worth_retrying(), false),
        };
        if has_moved {
            (idle, wait) = (0, retry.wait);
        } else {
            idle += 1;
        }
        if !is_worth || idle >= retry.attempts_max.max(1) {
            return result;
        }
        sleep(wait).await;
        wait = (wait * 2).min(retry.wait_max);
    }
}

impl SyncOutcome {
    /// Whether anything became durable on either side.
    fn has_moved(&self) -> bool {
        let blobs = self.progress.blobs.iter().any(|blobs| blobs.bytes_received > 0 || blobs.bytes_sent > 0);
        self.progress.entries_received > 0 || self.progress.entries_sent > 0 || blobs
    }
}
