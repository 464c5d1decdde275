//! Answering until somebody says stop, and telling what happens meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use merestone_link::PeerKey;
use merestone_node::replica::{Caller, Serving, SyncOutcome, TurnedAway};

use super::outcome::PersonShown;
use crate::exit::{Code, Failure};

/// Something that happened at base camp.
pub(crate) enum Event {
    /// A device proved who it is.
    Met { who: PersonShown, from: SocketAddr },
    /// Both sides hold the same, and nothing is missing.
    Synced { who: PersonShown },
    /// A conversation ended.
    Ended { who: Option<PersonShown>, from: SocketAddr, outcome: Arc<SyncOutcome> },
    /// Somebody was not let in.
    TurnedAway(TurnedAway),
}

/// Who is told.
pub(crate) trait Teller {
    /// Takes an event, and says whether that was enough.
    ///
    /// # Errors
    /// If nobody can be told any more.
    fn tell(&mut self, event: Event) -> Result<ControlFlow<()>, Failure>;
}

/// What was told of a caller.
#[derive(Default)]
struct Told {
    met: bool,
    synced: bool,
    outcome: Option<Arc<SyncOutcome>>,
}

/// Tells what happens until that is enough or `stopped` is over; then says good-bye to everybody.
///
/// # Errors
/// If nobody can be told any more.
pub(crate) async fn answer(
    serving: Serving,
    teller: &mut impl Teller,
    stopped: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut changes = serving.changes();
    let mut told = BTreeMap::new();
    let mut away = 0;
    tokio::pin!(stopped);
    let ended = loop {
        match tell_all(&serving, &mut told, &mut away, teller) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break Ok(()),
            Err(failure) => break Err(failure),
        }
        tokio::select! {
            () = &mut stopped => break Ok(()),
            changed = changes.changed() => if changed.is_err() { break Ok(()) },
        }
    };
    serving.stop().await;
    ended
}

fn tell_all(
    serving: &Serving,
    told: &mut BTreeMap<PeerKey, Told>,
    away: &mut usize,
    teller: &mut impl Teller,
) -> Result<ControlFlow<()>, Failure> {
    let turned_away: Vec<_> = serving.turned_away().into_iter().skip(*away).map(Event::TurnedAway).collect();
    *away += turned_away.len();
    let callers = serving.callers();
    for event in turned_away.into_iter().chain(callers.iter().flat_map(|caller| news(told, caller))) {
        event.log();
        if teller.tell(event)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

impl Event {
    /// Notes it in the log: addresses and numbers, no names.
    fn log(&self) {
        match self {
            Self::Met { who: _, from } => tracing::info!(%from, "met"),
            Self::Synced { who: _ } => tracing::info!("synced"),
            Self::TurnedAway(TurnedAway { address, error }) => tracing::warn!(from = %address, %error, "turned away"),
            Self::Ended { who: _, from, outcome } => tracing::info!(
                %from,
                end = %outcome.end,
                entries_received = outcome.progress.entries_received,
                entries_sent = outcome.progress.entries_sent,
                bytes_received = outcome.bytes_received,
                bytes_sent = outcome.bytes_sent,
                "ended"
            ),
        }
    }
}

/// What is new about a caller.
fn news(told: &mut BTreeMap<PeerKey, Told>, caller: &Caller) -> Vec<Event> {
    let told = told.entry(caller.transport).or_default();
    let who = caller.progress.peer.as_ref().map(|peer| PersonShown::of(&peer.person));
    let mut events = Vec::new();
    if let Some(who) = who.as_ref().filter(|_| caller.connections > 0) {
        if !told.met {
            events.push(Event::Met { who: who.clone(), from: caller.address });
        }
        if caller.progress.is_fully_synced && !told.synced {
            events.push(Event::Synced { who: who.clone() });
        }
        (told.met, told.synced) = (true, caller.progress.is_fully_synced);
    }
    if let Some(outcome) = &caller.outcome
        && !told.outcome.as_ref().is_some_and(|before| Arc::ptr_eq(before, outcome))
    {
        events.push(Event::Ended { who, from: caller.address, outcome: Arc::clone(outcome) });
        *told = Told { met: false, synced: false, outcome: Some(Arc::clone(outcome)) };
    }
    events
}

/// Ends when the process is asked to stop: by Ctrl-C, or politely by the system.
///
/// # Errors
/// If the system gives no signals.
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let refused = |_| Failure::new(Code::Storage, "the system gives no signals; waiting could not be stopped");
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = refused;
        Ok(async {
            // Without signals the process is ended from outside, which loses nothing that was acknowledged.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending().await
            }
        })
    }
}
