//! Connecting again while it is of use.

use std::time::Duration;

use tokio::time::timeout;

use super::error::SyncError;
use super::outcome::{End, SyncOutcome};
use super::progress::SyncProgress;
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

/// Conversations in a row that ended well, left something missing and moved nothing, after which it is missing on both
/// sides: the second says that what the first met was not the rest of a conversation before it.
const FUTILE_MAX: u32 = 2;

pub(super) async fn until_done(
    replica: &Replica,
    meet: Meet,
    retry: Retry,
    mut tell: impl FnMut(&Result<SyncOutcome, SyncError>),
    mut show: impl FnMut(SyncProgress),
) -> Result<SyncOutcome, SyncError> {
    let mut changes = replica.shared().calls.changes();
    let (mut tries, mut wait) = (Tries::default(), retry.wait);
    loop {
        changes.mark_unchanged();
        let mut meeting = replica.sync_with(meet.clone());
        while let Some(state) = meeting.changed().await {
            show(state);
        }
        let result = meeting.outcome().await;
        tell(&result);
        if !tries.go_on(&Tried::of(&result), retry.attempts_max) {
            return result;
        }
        if result.is_ok_and(|outcome| outcome.bytes_received > 0) {
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

/// What one attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// Both sides hold the same, or another attempt would end in the same way.
    Settled,
    /// It broke off before it could say what is missing; whether anything became durable.
    BrokenOff { has_moved: bool },
    /// Both sides, or the peer, said good-bye, and something is missing; whether anything became durable.
    Incomplete { has_moved: bool },
}

/// What the attempts in a row came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    /// Without anything becoming durable.
    idle: u32,
    incomplete: u32,
    /// Incomplete ones without anything becoming durable.
    futile: u32,
}

impl Tried {
    fn of(result: &Result<SyncOutcome, SyncError>) -> Self {
        let outcome = match result {
            Err(error) if error.is_worth_retrying() => return Self::BrokenOff { has_moved: false },
            Err(_) => return Self::Settled,
            Ok(outcome) => outcome,
        };
        let has_moved = outcome.has_moved();
        match outcome.end {
            // Those are for another meeting: this one may cost no more.
            End::Done if outcome.is_synced_as_wanted || outcome.has_left_out() => Self::Settled,
            End::Done => Self::Incomplete { has_moved },
            _ if outcome.is_fully_synced || !outcome.end.is_worth_retrying() => Self::Settled,
            _ => Self::BrokenOff { has_moved },
        }
    }
}

impl Tries {
    /// Whether to try once more.
    fn go_on(&mut self, tried: &Tried, attempts_max: u32) -> bool {
        let attempts_max = attempts_max.max(1);
        match *tried {
            Tried::Settled => return false,
            Tried::BrokenOff { has_moved } => {
                (self.incomplete, self.futile) = (0, 0);
                self.idle = if has_moved { 0 } else { self.idle + 1 };
            }
            Tried::Incomplete { has_moved } => {
                // Counted even when photos moved: one that turns out damaged moves each time.
                self.incomplete += 1;
                self.futile = if has_moved { 0 } else { self.futile + 1 };
                self.idle = self.futile;
            }
        }
        self.idle.max(self.incomplete) < attempts_max && self.futile < FUTILE_MAX
    }
}

impl SyncOutcome {
    /// Whether anything became durable on either side.
    fn has_moved(&self) -> bool {
        let blobs = self.progress.blobs.iter().any(|blobs| blobs.bytes_received > 0 || blobs.bytes_sent > 0);
        self.progress.entries_received > 0 || self.progress.entries_sent > 0 || blobs
    }

    /// Whether photos were left out because enough were asked for.
    fn has_left_out(&self) -> bool {
        self.progress.blobs.iter().any(|blobs| blobs.left_out > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Tried = Tried::BrokenOff { has_moved: false };
    const MOVED: Tried = Tried::BrokenOff { has_moved: true };
    const FUTILE: Tried = Tried::Incomplete { has_moved: false };
    const PARTIAL: Tried = Tried::Incomplete { has_moved: true };

    /// How many attempts are made of those that `all` would come to, with four idle ones allowed.
    fn made(all: &[Tried]) -> usize {
        let mut tries = Tries::default();
        1 + all.iter().take_while(|tried| tries.go_on(tried, 4)).count()
    }

    #[test]
    fn attempts_end_when_nothing_more_is_to_be_had_and_not_before() {
        for (all, expected) in [
            (&[Tried::Settled, MOVED][..], 1),
            (&[IDLE, IDLE, IDLE, IDLE, MOVED], 4),
            (&[IDLE, IDLE, IDLE, MOVED, IDLE, Tried::Settled, MOVED], 6),
            // A good-bye that left something missing is not the last word.
            (&[FUTILE, Tried::Settled, MOVED], 2),
            (&[FUTILE, FUTILE, MOVED], 2),
            (&[FUTILE, PARTIAL, FUTILE, Tried::Settled, MOVED], 4),
            (&[FUTILE, IDLE, FUTILE, Tried::Settled, MOVED], 4),
            // What comes and is never good ends too.
            (&[PARTIAL, PARTIAL, PARTIAL, PARTIAL, MOVED], 4),
        ] {
            assert_eq!(made(all), expected, "{all:?}");
        }
    }
}
