//! A conversation over a link, on one thread: every read, commit and verification happens where the link is pumped.
//!
//! For processes that may start no threads. It blocks its runtime for as long as the disk takes. Branches are taken in a
//! fixed order and all waiting is tokio's, so that a run can be repeated exactly.

use std::time::Duration;

use merestone_link::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::answer::{readable, session_class};
use super::codes::{end_of, wire_code};
use super::lanes::Lanes;
use super::outcome::SyncOutcome;
use super::progress::SyncProgress;
use super::talk::Talk;
use super::tally::Traffic;

/// How often the session learns the time; it asks for once a second.
const WAKE: Duration = Duration::from_secs(1);

/// Holds the conversation until it ends.
pub(super) async fn run(
    mut talk: Talk,
    connection: Connection,
    mut stop: watch::Receiver<bool>,
    progress: watch::Sender<SyncProgress>,
) -> SyncOutcome {
    let began = Instant::now();
    let mut lanes = Lanes::open(&connection);
    let mut ticks = interval(WAKE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_stopped = false;
    loop {
        while lanes.feed(|class| talk.next_frame(class)) {}
        if talk.take_news() {
            if talk.knows_peer() {
                connection.vouch();
            }
            progress.send_replace(talk.progress());
        }
        if let Some(close) = talk.close() {
            connection.close(wire_code(close.code), close.reason);
        }
        if talk.is_over() {
            break;
        }
        let readable = readable(|class| talk.is_receiving(class));
        // The rare ones first: frames may be there at all times, and must not keep the others from their turn.
        tokio::select! {
            biased;
            Ok(_) = stop.wait_for(|stop| *stop), if !is_stopped => {
                is_stopped = true;
                talk.stop();
            }
            _ = ticks.tick() => talk.wake(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
            () = lanes.freed() => {}
            change = talk.news() => talk.take_up(change),
            frame = connection.recv_of(&readable), if !readable.is_empty() => match frame {
                Ok((class, frame)) => talk.deliver(session_class(class), frame),
                Err(error) => talk.ended(end_of(error)),
            },
            info = connection.closed(), if readable.is_empty() => talk.ended(end_of(info.into())),
        }
    }
    talk.count(Traffic::from(connection.stats()));
    let outcome = talk.finish();
    progress.send_modify(|state| state.is_fully_synced = outcome.is_fully_synced);
    outcome
}
