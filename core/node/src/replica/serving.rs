//! Answering many peers at once: base camp, or a phone that waits for another.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use merestone_link::{AcceptError, Endpoint, Incoming, PeerKey, close_code};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::error::ServeError;
use super::outcome::SyncOutcome;
use super::progress::SyncProgress;
use super::talk::TalkOptions;
use super::{Shared, conversation};

/// How long conversations may take to say good-bye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Most callers that are remembered: far more than a mission has devices.
const CALLERS_MAX: usize = 1_024;

/// Most that are remembered as turned away, so that a flood of calls fills no memory and no screen.
const TURNED_AWAY_MAX: usize = 64;

/// A replica that answers. Dropping it ends every conversation at once; [`stop`](Self::stop) lets them say good-bye.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    callers: Arc<Callers>,
    task: Option<JoinHandle<()>>,
}

/// Somebody who called.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The transport key that TLS proved.
    pub transport: PeerKey,
    /// Where it called from the last time.
    pub address: SocketAddr,
    /// How many of its conversations are under way.
    pub connections: usize,
    /// How far the newest one has come.
    pub progress: SyncProgress,
    /// What the last one that ended came to.
    pub outcome: Option<Arc<SyncOutcome>>,
}

/// Somebody whose program speaks no version that this device speaks. Whoever fails in another way is nobody: a port that
/// is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// Where it called from.
    pub address: SocketAddr,
    /// Why it was not let in.
    pub error: AcceptError,
}

#[derive(Debug)]
struct Callers {
    list: Mutex<BTreeMap<PeerKey, Caller>>,
    turned_away: Mutex<Vec<TurnedAway>>,
    changes: watch::Sender<u64>,
}

impl Serving {
    pub(super) fn begin(shared: Arc<Shared>, endpoint: Endpoint) -> Result<Self, ServeError> {
        if shared.ending.is_over() {
            return Err(ServeError::Closed);
        }
        if endpoint.public_key() != shared.transport.public() {
            return Err(ServeError::OtherKey);
        }
        let address = endpoint.local_address().map_err(ServeError::NoAddress)?;
        let callers =
            Arc::new(Callers { list: Mutex::default(), turned_away: Mutex::default(), changes: watch::Sender::new(0) });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(answer_all(shared, endpoint, Arc::clone(&callers), stopped));
        Ok(Self { address, stop, callers, task: Some(task) })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everybody who called, in the order of their keys.
    pub fn callers(&self) -> Vec<Caller> {
        self.callers.list().values().cloned().collect()
    }

    /// Who was turned away, each machine once for each reason.
    pub fn turned_away(&self) -> Vec<TurnedAway> {
        self.callers.turned_away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A receiver that changes whenever [`callers`](Self::callers) or [`turned_away`](Self::turned_away) does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.callers.changes.subscribe()
    }

    /// Says good-bye to everybody, and answers no more.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // A panic in it was reported when it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn answer_all(shared: Arc<Shared>, endpoint: Endpoint, callers: Arc<Callers>, stop: watch::Receiver<bool>) {
    let mut stopped = stop;
    let mut conversations = JoinSet::new();
    // Each has its own: those who wait for one watch are woken in no order, and a simulation must replay.
    let mut stops: Vec<watch::Sender<bool>> = Vec::new();
    loop {
        // The one that may be there at all times comes last.
        tokio::select! {
            biased;
            // An error means that the handle is gone, and with it this task.
            _ = stopped.wait_for(|stop| *stop) => break,
            () = shared.ending.over() => break,
            Some(_) = conversations.join_next() => stops.retain(|stop| !stop.is_closed()),
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { break };
                let (stop, stopped) = watch::channel(false);
                stops.push(stop);
                conversations.spawn(answer(Arc::clone(&shared), incoming, Arc::clone(&callers), stopped));
            }
        }
    }
    for stop in &stops {
        stop.send_replace(true);
    }
    let all = async { while conversations.join_next().await.is_some() {} };
    let _ = timeout(GOODBYE, all).await;
    endpoint.close(close_code::DONE, "");
    let _ = timeout(GOODBYE, endpoint.wait_idle()).await;
}

async fn answer(shared: Arc<Shared>, incoming: Incoming, callers: Arc<Callers>, stop: watch::Receiver<bool>) {
    let from = incoming.remote_address();
    let connection = match incoming.accept().await {
        Ok(connection) => connection,
        Err(error) => return callers.turn_away(TurnedAway { address: from, error }),
    };
    let (transport, address) = (connection.peer(), connection.remote_address());
    let (progress, mut seen) = watch::channel(SyncProgress::default());
    callers.came(transport, address);
    let options = TalkOptions { stay: true, calls: false, ..TalkOptions::default() };
    let conversation = conversation::hold(shared, connection, options, stop, progress);
    tokio::pin!(conversation);
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut conversation => break outcome,
            Ok(()) = seen.changed() => {
                let state = seen.borrow_and_update().clone();
                callers.change(transport, |caller| caller.progress = state);
            }
        }
    };
    callers.change(transport, |caller| {
        caller.connections = caller.connections.saturating_sub(1);
        caller.progress.is_fully_synced = outcome.is_fully_synced;
        caller.outcome = Some(Arc::new(outcome));
    });
}

impl Callers {
    fn came(&self, transport: PeerKey, address: SocketAddr) {
        let mut list = self.list();
        if list.len() >= CALLERS_MAX && !list.contains_key(&transport) {
            let gone = list.values().find(|caller| caller.connections == 0).map(|caller| caller.transport);
            if let Some(gone) = gone {
                list.remove(&gone);
            }
        }
        let new = Caller { transport, address, connections: 0, progress: SyncProgress::default(), outcome: None };
        let caller = list.entry(transport).or_insert(new);
        caller.connections += 1;
        caller.address = address;
        caller.progress = SyncProgress::default();
        drop(list);
        self.changes.send_modify(|count| *count += 1);
    }

    fn turn_away(&self, away: TurnedAway) {
        match away.error {
            AcceptError::NoCommonVersion => {}
            AcceptError::TimedOut
            | AcceptError::MadeRoom
            | AcceptError::NoRawKey
            | AcceptError::Handshake { .. }
            | AcceptError::HungUp
            | AcceptError::EndpointClosed => return,
        }
        let mut all = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |told: &TurnedAway| told.address.ip() == away.address.ip() && told.error == away.error;
        if all.len() < TURNED_AWAY_MAX && !all.iter().any(is_told) {
            all.push(away);
            drop(all);
            self.changes.send_modify(|count| *count += 1);
        }
    }

    fn change(&self, transport: PeerKey, change: impl FnOnce(&mut Caller)) {
        if let Some(caller) = self.list().get_mut(&transport) {
            change(caller);
        }
        self.changes.send_modify(|count| *count += 1);
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<PeerKey, Caller>> {
        // A caller is whole after each statement.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
