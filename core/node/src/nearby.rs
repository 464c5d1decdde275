//! Being found, and finding others, where there is a network and nothing on it (`core/spec/nearby.md`), and the ticket
//! for everybody else. Whoever is found is only an address and an expected key; the meeting is the replica's affair.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use merestone_core::Refused;
use merestone_core::id::hex;
use merestone_core::nearby::Advert;
use merestone_core::roster::CompleteCharter;
use merestone_core::ticket::Ticket;
use merestone_link::PeerKey;
use merestone_link::discovery::{Announcement, Discovery, DiscoveryError, Search, own_addresses};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::PublicKey;
use crate::clock::NoEntropy;
use crate::device::{Device, ObserverState};
use crate::replica::Replica;

/// How long one salt lives (`core/spec/nearby.md`, Limits).
const SALT_LIFE: Duration = Duration::from_secs(15 * 60);

/// This device can neither be found nor find anybody.
#[derive(Debug, thiserror::Error)]
pub enum NearbyError {
    /// The system lets nobody speak multicast DNS.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// A device of the mission on this network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearbyPeer {
    /// The transport key that it must prove; expect nothing else at these addresses.
    pub transport: PeerKey,
    /// Where it says it answers, IPv4 first; at least one.
    pub addresses: Vec<SocketAddr>,
    /// Whether it says that it speaks a version that this device speaks. If not, calling it is of no use: one of the two
    /// programs needs an update.
    pub speaks_ours: bool,
}

/// A search under way; dropping it ends it.
#[derive(Debug)]
pub struct NearbySearch {
    search: Search,
    charter: CompleteCharter,
    own: PeerKey,
    seen: BTreeSet<PeerKey>,
    versions: Vec<u64>,
    // Searches as long as it is there.
    _discovery: Discovery,
}

impl NearbySearch {
    /// Begins to look for devices of the mission of `device`.
    ///
    /// # Errors
    /// If the system lets nobody speak multicast DNS.
    pub fn begin(device: &Device, replica: &Replica) -> Result<Self, NearbyError> {
        let discovery = Discovery::begin()?;
        let search = discovery.search()?;
        let (charter, own) = (device.charter(), replica.transport_key());
        let (seen, versions) = (BTreeSet::new(), replica.versions());
        Ok(Self { search, charter, own, seen, versions, _discovery: discovery })
    }

    /// The next device that was not found before in this search; `None` when nobody else will be. Waits for as long as
    /// it takes. May be dropped and called again.
    pub async fn next(&mut self) -> Option<NearbyPeer> {
        loop {
            let found = self.search.next().await?;
            let advert = Advert::from_bytes(&found.advert);
            let Some(transport) = advert.and_then(|advert| advert.recognise(&self.charter)) else { continue };
            let transport = PeerKey::from_bytes(transport);
            if transport != self.own && self.seen.insert(transport) {
                let speaks_ours = self.versions.iter().any(|version| found.versions.contains(version));
                return Some(NearbyPeer { transport, addresses: found.addresses, speaks_ours });
            }
        }
    }
}

/// A device that says it answers. Dropping it ends that; [`stop`](Self::stop) says farewell too.
#[derive(Debug)]
pub struct Advertising {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Advertising {
    /// Says on every network of this machine that the replica answers at `bound`, with a new salt every 15 minutes.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the system lets nobody speak multicast DNS, or gives no random bytes.
    pub fn begin(device: &Arc<Device>, replica: &Replica, bound: SocketAddr) -> Result<Self, NearbyError> {
        let mut discovery = Discovery::begin()?;
        let (device, transport) = (Arc::clone(device), replica.transport_key());
        let versions = replica.versions();
        discovery.announce(&announcement(&device, transport, bound, &versions)?)?;
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            while tokio::time::timeout(SALT_LIFE, stopped.wait_for(|stop| *stop)).await.is_err() {
                // Without random bytes or a network now, the salt is renewed at the next turn.
                if let Ok(next) = announcement(&device, transport, bound, &versions) {
                    let _ = discovery.announce(&next);
                }
            }
            discovery.end().await;
        });
        Ok(Self { stop, task: Some(task) })
    }

    /// Says farewell, so that others do not try an address at which nobody answers.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // A panic in it was reported when it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Advertising {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn announcement(
    device: &Device,
    transport: PeerKey,
    bound: SocketAddr,
    versions: &[u64],
) -> Result<Announcement, NoEntropy> {
    let advert = Advert::make(&device.charter(), transport.as_bytes(), device.random()?);
    let name = &advert.as_bytes()[..8];
    Ok(Announcement {
        instance: hex(name),
        port: bound.port(),
        // A socket of IPv6 answers IPv4 too, where the system lets it; one of IPv4 does not answer IPv6.
        address: (bound.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED)).then(|| bound.ip()),
        versions: versions.to_vec(),
        advert: advert.as_bytes().to_vec(),
    })
}

/// Where a device that is bound to `bound` can be reached from outside, the likeliest first.
pub fn reachable_addresses(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    // An IPv6 socket of all interfaces answers IPv4 too.
    let own = own_addresses().into_iter().filter(|ip| bound.is_ipv6() || ip.is_ipv4());
    own.map(|ip| SocketAddr::new(ip, bound.port())).collect()
}

/// There is no ticket to this device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTicket {
    /// The observer has no certificate, so nobody would know the key.
    #[error("key {key} has no certificate")]
    NotEnrolled {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The device has no address that others could use.
    #[error("this device has no address on a network")]
    NoAddress,
    /// The name is none that a ticket can hold.
    #[error("a ticket cannot say this: {0}")]
    Refused(Refused),
}

impl Device {
    /// A ticket to this device, at which `observer`'s replica answers at `bound`. No key needs to be unlocked.
    ///
    /// # Errors
    /// See [`NoTicket`].
    pub fn ticket(&self, observer: &PublicKey, bound: SocketAddr, name: Option<&str>) -> Result<Ticket, NoTicket> {
        let addresses = reachable_addresses(bound);
        if addresses.is_empty() {
            return Err(NoTicket::NoAddress);
        }
        let is_enrolled = |held: &crate::device::Observer| {
            held.key == *observer && matches!(held.state, ObserverState::Certified { .. })
        };
        let request = self.request_of(observer).filter(|_| self.observers().iter().any(is_enrolled));
        let request = request.ok_or_else(|| NoTicket::NotEnrolled { key: Box::new(*observer) })?;
        Ticket::new(self.mission(), *request.transport(), &addresses, name).map_err(NoTicket::Refused)
    }
}
