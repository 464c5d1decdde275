//! Finding peers on a local network without infrastructure: multicast DNS (RFC 6762), service discovery (RFC 6763).
//!
//! What an advertisement means, and whose it is, is for the caller to say (`spec/nearby.md`); here it is a port and bytes.
//! Nobody is believed: what is found here is an address at which to try.

mod announcing;
mod searching;

use std::time::Duration;

use mdns_sd::{IfKind, ServiceDaemon};

pub use announcing::Announcement;
pub use searching::{Found, Search};

/// What devices of this kind are announced as.
pub const SERVICE: &str = "_merestone._udp.local.";

/// How long the farewell of an announcement may take: one packet on each interface.
const FAREWELL: Duration = Duration::from_secs(2);

/// Nobody can be found, or be told of this device, on this machine now.
#[derive(Debug, thiserror::Error)]
#[error("no multicast DNS here")]
pub struct DiscoveryError(#[from] mdns_sd::Error);

/// This machine's part in service discovery: one thread, one socket on each interface and family.
pub struct Discovery {
    daemon: ServiceDaemon,
    announced: Option<String>,
}

impl Discovery {
    /// Begins to listen on every interface that is up, but for loopback, and on those that come up later.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn begin() -> Result<Self, DiscoveryError> {
        let daemon = ServiceDaemon::new()?;
        // Another process of this machine is found over any other interface; without one there is nobody else.
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        Ok(Self { daemon, announced: None })
    }

    /// Announces this device, in the place of what was announced before.
    ///
    /// # Errors
    /// If the announcement is none that DNS can carry.
    pub fn announce(&mut self, announcement: &Announcement) -> Result<(), DiscoveryError> {
        self.withdraw()?;
        let info = announcement.info()?;
        let name = info.get_fullname().to_owned();
        self.daemon.register(info)?;
        self.announced = Some(name);
        Ok(())
    }

    /// Looks for others until the [`Search`] is dropped. A later search ends the one before.
    ///
    /// # Errors
    /// If the listening thread is gone.
    pub fn search(&self) -> Result<Search, DiscoveryError> {
        Ok(Search::new(self.daemon.browse(SERVICE)?))
    }

    /// Says farewell, so that others forget this device at once.
    pub async fn end(mut self) {
        // Without a farewell they forget it when its records are old.
        let _ = self.withdraw();
        if let Ok(ended) = self.daemon.shutdown() {
            let _ = tokio::time::timeout(FAREWELL, ended.recv_async()).await;
        }
    }

    fn withdraw(&mut self) -> Result<(), DiscoveryError> {
        if let Some(name) = self.announced.take() {
            self.daemon.unregister(&name)?;
        }
        Ok(())
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        // Fails only if the thread is gone.
        let _ = self.daemon.shutdown();
    }
}

/// Shows whether something is announced.
impl std::fmt::Debug for Discovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discovery").field("announced", &self.announced.is_some()).finish_non_exhaustive()
    }
}

/// The addresses of this machine, those of private networks first, then IPv4 before IPv6; loopback and IPv6 links, which
/// mean nothing to others, are left out.
pub fn own_addresses() -> Vec<std::net::IpAddr> {
    use std::net::IpAddr;
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect();
    found.sort_by_key(|ip| match ip {
        IpAddr::V4(v4) => (!v4.is_private(), false, *ip),
        IpAddr::V6(v6) => (!v6.is_unique_local(), true, *ip),
    });
    found.dedup();
    found
}
