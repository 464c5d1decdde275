//! Endpoints in a network in memory, in a clock that jumps: what bad links do to a conversation.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

#[path = "../../../../tests/src/chance.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "shared with the tests that lie above this room")]
mod chance;
mod contact;
mod goodput;
mod moving;
#[path = "../../../../tests/src/net/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "shared with the tests that lie above this room")]
mod net;
mod replay;

use std::{net::SocketAddr, sync::Arc};

use merestone_link::{Connection, Endpoint, LinkLimits, TransportKey};
use net::{Host, Net, Weather};

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 4433))
}

/// A host and its endpoint; its key, address and seed follow from one number.
struct Station {
    host: Arc<Host>,
    endpoint: Endpoint,
}

fn station(net: &Net, number: u8, limits: LinkLimits) -> Station {
    let host = net.host(address(number));
    let carrier = Arc::clone(&host) as Arc<dyn merestone_link::Carrier>;
    let key = TransportKey::from_seed(&[number; 32]);
    let endpoint = Endpoint::over(carrier, Some([number; 32]), &key, limits).unwrap();
    Station { host, endpoint }
}

/// A phone and a camp, and the link between them.
struct Pair {
    net: Net,
    phone: Station,
    camp: Station,
}

impl Pair {
    fn new(seed: u64, weather: Weather, limits: LinkLimits) -> Self {
        let net = Net::new(seed, weather);
        let (phone, camp) = (station(&net, 1, limits.clone()), station(&net, 2, limits));
        Self { net, phone, camp }
    }

    async fn link(&self) -> (Connection, Connection) {
        let camp_key = Some(self.camp.endpoint.public_key());
        let answer = async { self.camp.endpoint.accept().await.unwrap().accept().await };
        let (call, answer) = tokio::join!(self.phone.endpoint.connect(address(2), camp_key), answer);
        (call.unwrap(), answer.unwrap())
    }
}
