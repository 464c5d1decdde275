//! From where a replica calls others, and following the device to another network. Whom to call and what is said then
//! is not decided here.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use merestone_link::{BindError, Endpoint, LinkLimits, TransportKey};
use tokio::sync::watch;

/// What calls leave this device through. The usual one is the system's UDP sockets; see
/// [`Setup::network`](super::Setup::network).
pub trait Network: Debug + Send + Sync + 'static {
    /// An endpoint for one meeting with a peer that may be at `towards`.
    ///
    /// # Errors
    /// See [`Endpoint::bind`].
    fn endpoint(&self, towards: &[SocketAddr], key: &TransportKey, limits: LinkLimits) -> Result<Endpoint, BindError>;

    /// Lets an endpoint of this network go on from where the device is now; from `local` if the caller knows the address.
    ///
    /// # Errors
    /// See [`Endpoint::rebind`].
    fn follow(&self, endpoint: &Endpoint, local: Option<IpAddr>) -> Result<(), BindError>;
}

/// UDP sockets of this system.
#[derive(Debug)]
pub(super) struct System;

impl Network for System {
    fn endpoint(&self, towards: &[SocketAddr], key: &TransportKey, limits: LinkLimits) -> Result<Endpoint, BindError> {
        let v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        if towards.iter().all(SocketAddr::is_ipv4) {
            return Endpoint::bind(v4, key, limits);
        }
        // Serves both families.
        let both = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        match Endpoint::bind(both, key, limits.clone()) {
            Err(BindError::NoIpv6) if towards.iter().any(SocketAddr::is_ipv4) => Endpoint::bind(v4, key, limits),
            bound => bound,
        }
    }

    fn follow(&self, endpoint: &Endpoint, local: Option<IpAddr>) -> Result<(), BindError> {
        let is_v4 = endpoint.local_address().is_ok_and(|bound| bound.is_ipv4());
        let any = if is_v4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // QUIC sends over one socket of one family.
        let here = local.filter(|local| local.is_ipv4() == is_v4).unwrap_or(any);
        endpoint.rebind(SocketAddr::new(here, 0))
    }
}

/// The endpoints of the meetings under way, and whether the network changed.
#[derive(Debug)]
pub(super) struct Calls {
    under_way: Mutex<Vec<(u64, Endpoint)>>,
    changes: watch::Sender<u64>,
}

/// An endpoint's place among the calls; ends with its meeting.
pub(super) struct Call<'a> {
    calls: &'a Calls,
    number: u64,
}

impl Default for Calls {
    fn default() -> Self {
        Self { under_way: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl Calls {
    pub(super) fn begin(&self, endpoint: &Endpoint) -> Call<'_> {
        let mut under_way = self.under_way();
        let number = under_way.last().map_or(0, |(last, _)| last + 1);
        under_way.push((number, endpoint.clone()));
        Call { calls: self, number }
    }

    /// Lets every call go on from where the device is now, and wakes those who wait to call again.
    pub(super) fn follow(&self, network: &dyn Network, local: Option<IpAddr>) -> Result<(), BindError> {
        let moved =
            self.under_way().iter().map(|(_, endpoint)| network.follow(endpoint, local)).fold(Ok(()), Result::and);
        self.wake();
        moved
    }

    /// Wakes those who wait to call again.
    pub(super) fn wake(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A receiver that changes when the network does.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A list of handles is whole after each statement.
    fn under_way(&self) -> MutexGuard<'_, Vec<(u64, Endpoint)>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.calls.under_way().retain(|(number, _)| *number != self.number);
    }
}
