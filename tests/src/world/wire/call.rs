//! One device calls another: from its first datagram to its outcome.

use std::net::SocketAddr;
use std::sync::Arc;

use merestone_link::{ConnectError, Endpoint, PeerKey};
use merestone_node::replica::{Replica, SyncError, SyncOutcome, SyncProgress, TalkOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::plan::CallPlan;
use crate::net::Host;
use crate::world::check::Holding;

/// A call that is to be made, under way, or over.
pub(super) struct Call {
    pub(super) plan: CallPlan,
    pub(super) host: Arc<Host>,
    pub(super) under_way: Option<UnderWay>,
    pub(super) result: Option<Result<SyncOutcome, Missed>>,
    /// What both sides held when it began.
    pub(super) before: Option<[Holding; 2]>,
    /// The link was shut for good.
    pub(super) is_shut: bool,
    pub(super) has_moved: bool,
    pub(super) has_saved: bool,
    /// The caller's process died.
    pub(super) is_dead: bool,
    pub(super) was_synced: bool,
    /// Two seconds of good contact were judged, or need not be.
    pub(super) is_judged: bool,
    pub(super) made_progress: bool,
}

/// A call under way.
pub(super) struct UnderWay {
    pub(super) endpoint: Endpoint,
    pub(super) task: JoinHandle<Result<SyncOutcome, Missed>>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) shown: watch::Receiver<Option<SyncProgress>>,
}

/// Why a call came to no conversation.
#[derive(Debug)]
pub(super) enum Missed {
    /// No link.
    NoLink(ConnectError),
    /// Hung up before there was one.
    HungUp,
    /// The product's own task ended without an answer.
    Abandoned(SyncError),
}

impl Call {
    pub(super) fn new(plan: CallPlan, host: Arc<Host>) -> Self {
        Self {
            plan,
            host,
            under_way: None,
            result: None,
            before: None,
            is_shut: false,
            has_moved: false,
            has_saved: false,
            is_dead: false,
            was_synced: false,
            is_judged: false,
            made_progress: false,
        }
    }

    /// What the caller is shown now, if it talks.
    pub(super) fn shown(&self) -> Option<SyncProgress> {
        self.under_way.as_ref()?.shown.borrow().clone()
    }

    /// Whether it talks with a peer that it knows, as far as the caller is shown.
    pub(super) fn is_connected(&self) -> bool {
        let talks = self.under_way.as_ref().is_some_and(|call| !call.task.is_finished());
        talks && !self.is_dead && self.shown().is_some_and(|shown| shown.peer.is_some())
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_dead || self.result.is_some() || self.under_way.as_ref().is_some_and(|call| call.task.is_finished())
    }
}

/// Begins a call.
pub(super) fn begin(endpoint: Endpoint, replica: Replica, to: (SocketAddr, PeerKey), stays: bool) -> UnderWay {
    let (stop, stopped) = watch::channel(false);
    let (show, shown) = watch::channel(None);
    let task = tokio::spawn(hold(endpoint.clone(), replica, to, stays, stopped, show));
    UnderWay { endpoint, task, stop, shown }
}

async fn hold(
    endpoint: Endpoint,
    replica: Replica,
    (address, key): (SocketAddr, PeerKey),
    stays: bool,
    mut stop: watch::Receiver<bool>,
    show: watch::Sender<Option<SyncProgress>>,
) -> Result<SyncOutcome, Missed> {
    let connection = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => return Err(Missed::HungUp),
        connected = endpoint.connect(address, Some(key)) => connected.map_err(Missed::NoLink)?,
    };
    let mut meeting = replica.sync_over(connection, TalkOptions { stay: stays, ..TalkOptions::default() });
    let mut is_stopped = false;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if !is_stopped => {
                is_stopped = true;
                meeting.stop();
            }
            progress = meeting.changed() => match progress {
                Some(progress) => drop(show.send_replace(Some(progress))),
                None => break,
            },
        }
    }
    meeting.outcome().await.map_err(Missed::Abandoned)
}
