//! One conversation over one link, from its first frame to its outcome.

use std::sync::Arc;

use merestone_core::sync::CloseCode;
use merestone_link::Connection;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::answer::session_version;
use super::codes::wire_code;
use super::host::Host;
use super::outcome::{End, SyncOutcome};
use super::progress::SyncProgress;
use super::pump::Pump;
use super::talk::{Pace, Talk, TalkOptions};
use super::tally::{Tally, Traffic};
use super::{Shared, inline};
use crate::device::AccessError;

/// Holds one conversation until it ends.
///
/// It is held in the version that the link agreed on. `stop` becomes true when the person ends it, and the replica's end is the
/// same to it; `progress` always shows the newest state.
pub(super) async fn hold(
    shared: Arc<Shared>,
    connection: Connection,
    options: TalkOptions,
    mut stop: watch::Receiver<bool>,
    progress: watch::Sender<SyncProgress>,
) -> SyncOutcome {
    let of_replica = Arc::clone(&shared);
    let Some(_at_work) = of_replica.ending.enter() else { return refuse(&connection, AccessError::Closed) };
    let (stopper, stopped) = watch::channel(false);
    let held = hold_until(shared, connection, options, stopped, progress);
    let told = async {
        tokio::select! {
            biased;
            // An error means that nobody can stop it by this any more.
            Ok(_) = stop.wait_for(|stop| *stop) => {}
            () = of_replica.ending.over() => {}
        }
        stopper.send_replace(true);
    };
    tokio::pin!(held);
    tokio::select! {
        biased;
        outcome = &mut held => outcome,
        () = told => held.await,
    }
}

async fn hold_until(
    shared: Arc<Shared>,
    connection: Connection,
    options: TalkOptions,
    stop: watch::Receiver<bool>,
    progress: watch::Sender<SyncProgress>,
) -> SyncOutcome {
    let peer = connection.peer();
    let options = TalkOptions { version: session_version(connection.version()), ..options };
    if shared.is_inline {
        return match Host::begin(&shared, peer, options) {
            Ok(opening) => inline::run(Talk::open(peer, opening, Pace::AtOnce), connection, stop, progress).await,
            Err(error) => refuse(&connection, error),
        };
    }
    match spawn_blocking(move || Host::begin(&shared, peer, options)).await {
        Ok(Ok(opening)) => Pump::new(opening, connection, progress).run(stop).await,
        Ok(Err(error)) => refuse(&connection, error),
        Err(_panic) => refuse(&connection, AccessError::Internal),
    }
}

/// The outcome of a conversation that never began, because the store cannot be read.
fn refuse(connection: &Connection, error: AccessError) -> SyncOutcome {
    connection.close(wire_code(CloseCode::Storage), CloseCode::Storage.name());
    Tally::default().outcome(connection.peer(), Traffic::default(), End::Storage(error), Ok(Default::default()))
}
