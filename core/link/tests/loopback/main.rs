//! Two endpoints, real sockets, the loopback interface.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod ending;
mod frames;
mod handshake;
mod outsider;
#[path = "../support/relay.rs"]
mod relay;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use merestone_link::{AcceptError, Connection, Endpoint, LinkLimits, TransportKey};
use relay::Relay;
use tokio::time::timeout;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn key(seed: u8) -> TransportKey {
    TransportKey::from_seed(&[seed; 32])
}

fn endpoint(seed: u8, limits: LinkLimits) -> Endpoint {
    Endpoint::bind(ANY_PORT, &key(seed), limits).unwrap()
}

fn address(endpoint: &Endpoint) -> SocketAddr {
    endpoint.local_address().unwrap()
}

/// Takes one caller.
async fn accepted(endpoint: &Endpoint) -> Result<Connection, AcceptError> {
    endpoint.accept().await.expect("the endpoint is open").accept().await
}

/// Two ends of one link, each with an endpoint of its own.
struct Pair {
    phone: Connection,
    camp: Connection,
    phone_endpoint: Endpoint,
    camp_endpoint: Endpoint,
}

async fn pair(limits: LinkLimits) -> Pair {
    let (phone_endpoint, camp_endpoint) = (endpoint(1, limits.clone()), endpoint(2, limits));
    let target = address(&camp_endpoint);
    let (phone, camp) = tokio::join!(phone_endpoint.connect(target, None), accepted(&camp_endpoint));
    Pair { phone: phone.unwrap(), camp: camp.unwrap(), phone_endpoint, camp_endpoint }
}

/// A link over a relay that can be cut.
async fn relayed(limits: LinkLimits) -> (Connection, Connection, Relay) {
    let (phone, camp) = (endpoint(1, limits.clone()), endpoint(2, limits));
    let relay = Relay::to(address(&camp)).await.unwrap();
    let (phone, camp) = tokio::join!(phone.connect(relay.address(), Some(camp.public_key())), accepted(&camp));
    (phone.unwrap(), camp.unwrap(), relay)
}

/// A test that waits for something that never comes fails instead of hanging.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), future).await.expect("within half a minute")
}

/// Lets everything else run until `condition` holds.
async fn until(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
