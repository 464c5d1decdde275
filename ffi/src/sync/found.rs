//! Who is near, who called, and the way to this phone.

use merestone_core::id::hex;
use merestone_node::nearby::NearbyPeer;
use merestone_node::replica::Caller;

use super::{SyncReport, SyncState};
use crate::ids::count;
use crate::person::QrLine;
use crate::teller::News;

/// A phone or camp of the mission on this network.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NearbyLine {
    /// The transport key that it must prove, 64 hex digits.
    pub transport_key: String,
    /// Where it says that it answers, `ADDRESS:PORT`.
    pub addresses: Vec<String>,
    /// Whether it speaks a version that this phone speaks; if not, one of the two needs an update.
    pub speaks_ours: bool,
}

/// The way to this phone, for who wants to meet it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TicketLine {
    /// To be pasted.
    pub text: String,
    /// To be scanned.
    pub qr: Option<QrLine>,
}

/// Somebody who called.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallerLine {
    /// Where it called from the last time, `ADDRESS:PORT`.
    pub address: String,
    /// How many of its conversations are under way.
    pub connections: u32,
    /// How far the newest one has come.
    pub state: SyncState,
    /// What the last one that ended came to.
    pub report: Option<SyncReport>,
}

/// Hears who is found, each once, as soon as it is.
#[uniffi::export(foreign)]
pub trait NearbyListener: Send + Sync {
    /// Somebody is there. Called on a thread of its own; what it throws is nobody's loss.
    fn on_found(&self, peer: NearbyLine);
}

impl From<&NearbyPeer> for NearbyLine {
    fn from(peer: &NearbyPeer) -> Self {
        let NearbyPeer { transport, addresses, speaks_ours } = peer;
        Self {
            transport_key: hex(transport.as_bytes()),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            speaks_ours: *speaks_ours,
        }
    }
}

impl From<Caller> for CallerLine {
    fn from(caller: Caller) -> Self {
        let Caller { transport: _, address, connections, progress, outcome } = caller;
        Self {
            address: address.to_string(),
            connections: count(connections),
            state: (&progress).into(),
            report: outcome.as_deref().map(Into::into),
        }
    }
}

/// Everybody who was found since the app was told.
pub(crate) struct Found(pub(crate) Vec<NearbyLine>);

impl News for Found {
    fn add(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}
