//! Two phones on a road: real QUIC between two sockets of this machine, and no server.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use merestone_link::LinkLimits;
use merestone_node::replica::{Meet, Retry, SyncOutcome};

use super::cast::Phone;
use super::mission::own_fault;
use crate::exit::Failure;

/// Any free port of this machine, for nobody outside.
pub(super) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A link on which nothing arrives for two seconds is lost. A real phone waits for half a minute; nobody watching does.
pub(super) fn limits() -> LinkLimits {
    let second = Duration::from_secs(1);
    LinkLimits { idle: 2 * second, keep_alive: second / 2, handshake: 5 * second, ..LinkLimits::default() }
}

/// `a` calls `b`; when this returns, both hold the same.
///
/// # Errors
/// If they do not.
pub(super) async fn meet(a: &Phone, b: &Phone) -> Result<SyncOutcome, Failure> {
    a.clock.meet(&b.clock);
    b.clock.meet(&a.clock);
    let (caller, host) = (a.replica()?, b.replica()?);
    let serving = host.serve(host.bind(LOOPBACK)?)?;
    let meet = Meet::new(serving.address(), host.transport_key());
    let outcome = caller.sync_until_done(meet, Retry::default()).await?;
    serving.stop().await;
    if !outcome.is_fully_synced {
        return Err(own_fault(&format!("{} and {} do not hold the same: {}", a.name, b.name, outcome.end)));
    }
    Ok(outcome)
}
