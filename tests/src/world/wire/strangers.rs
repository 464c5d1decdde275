//! Callers that belong to nobody: some never hear an answer, as floods with forged addresses do not; others get a link and
//! say nothing on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use merestone_link::{Endpoint, LinkLimits, TransportKey};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::net::{Host, Net};

/// Lets one call the host at `to`, again and again until the task is aborted. Those with even numbers hear nothing.
pub(super) fn call(net: &Net, hub: &Host, to: SocketAddr, number: u8, seed: [u8; 32]) -> Option<JoinHandle<()>> {
    let host = net.host(SocketAddr::from(([10, 9, 0, number], 4433)));
    if number.is_multiple_of(2) {
        net.shut(hub, &host);
    }
    let key = TransportKey::from_seed(&[number; 32]);
    let limits = LinkLimits { handshake: Duration::from_secs(2), ..LinkLimits::default() };
    let endpoint = Endpoint::over(Arc::clone(&host) as _, Some(seed), &key, limits).ok()?;
    Some(tokio::spawn(async move {
        loop {
            // A link, if there is one, is held until the other side ends it.
            if let Ok(connection) = endpoint.connect(to, None).await {
                connection.closed().await;
            }
            sleep(Duration::from_millis(200 + u64::from(number))).await;
        }
    }))
}
