//! Calling a peer wherever it may be, and once more while nobody answers: the first to answer wins.
//!
//! A peer has several addresses, and most of them lead nowhere from here; so they are called a
//! quarter of a second apart and not one after another's end (RFC 8305 §5). And a link that lives
//! for two seconds has no time for QUIC's timers, which wait for a round trip nobody knows, and then
//! twice as long: so an address that is silent is called anew, beside the first call. What a call is
//! worth, this file does not know; it ends those that lost.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use quinn::{ClientConfig, TransportConfig};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{ConnectError, LinkLimits, PeerKey, tls::Identity, tls::NO_NAME};

/// From the first call of one address to that of the next.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// When an address that is silent is called anew, after the first call.
///
/// The second call comes before the worst radios we know (300 ms) can have answered: a lost datagram of the first then costs
/// nothing, and what is said after the handshake has time to be repeated, which takes QUIC a second. A cable and a Wi-Fi are
/// called once. Two seconds are enough for five handshakes, each of which is lost by itself.
const AGAIN: [Duration; 4] =
    [Duration::from_millis(150), Duration::from_millis(400), Duration::from_millis(750), Duration::from_millis(1_100)];

/// After those, a call in every such time: with the probes of each, an address is asked every second,
/// so that a link that comes back for two is noticed. It costs 20 kbit/s while it lasts.
const AND_EVERY: Duration = Duration::from_secs(2);

/// How long the later calls wait. The first waits for the whole handshake time: a link may be
/// slower than this.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// Addresses beyond these are not called: a laptop with two networks has six.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// What every call to one peer has in common.
pub(crate) struct Calls<'a> {
    pub(crate) quic: &'a quinn::Endpoint,
    pub(crate) identity: &'a Identity,
    pub(crate) limits: &'a LinkLimits,
    pub(crate) transport: &'a Arc<TransportConfig>,
    pub(crate) expected: Option<PeerKey>,
}

/// One call to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Planned {
    /// Since the first call of all.
    after: Duration,
    ends: Duration,
    address: SocketAddr,
}

type Called = (SocketAddr, Result<quinn::Connection, ConnectError>);

impl Calls<'_> {
    /// The first that answers as it should; otherwise the most telling of the failures.
    pub(crate) async fn first(&self, addresses: &[SocketAddr]) -> Result<quinn::Connection, ConnectError> {
        let began = Instant::now();
        let mut plan = plan(addresses, self.limits.handshake);
        let mut running = JoinSet::new();
        let mut failure = ConnectError::NoAnswer;
        loop {
            // Where everybody called so far has refused there is nobody to wait for.
            if running.is_empty() {
                let Some(next) = plan.pop_front() else { return Err(failure) };
                running.spawn(self.call(next, began));
            }
            let next = plan.front().map(|next| began + next.after);
            tokio::select! {
                biased;
                Some(ended) = running.join_next() => match ended {
                    Ok((_, Ok(connection))) => return Ok(connection),
                    Ok((_, Err(ConnectError::NoAnswer))) => {}
                    // An answer that will not change by asking again now.
                    Ok((address, Err(error))) => {
                        plan.retain(|next| next.address != address);
                        failure = more_telling(failure, error);
                    }
                    // A task of ours panicked, which the panic said itself.
                    Err(_panicked) => {}
                },
                () = sleep_until(next.unwrap_or(began)), if next.is_some() => {
                    if let Some(next) = plan.pop_front() {
                        running.spawn(self.call(next, began));
                    }
                }
            }
        }
    }

    /// The future only waits: the call itself is made now.
    fn call(&self, planned: Planned, began: Instant) -> impl Future<Output = Called> + Send + 'static {
        let Planned { ends, address, .. } = planned;
        let shown_instead = Arc::new(OnceLock::new());
        let crypto = self.identity.client_config(self.limits.version_max, self.expected, Arc::clone(&shown_instead));
        let mut config = ClientConfig::new(crypto);
        config.transport_config(Arc::clone(self.transport));
        let connecting = self.quic.connect_with(config, address, NO_NAME);
        async move {
            let connecting = match connecting {
                Ok(connecting) => connecting,
                Err(error) => return (address, Err(error.into())),
            };
            let result = match timeout_at(began + ends, connecting).await {
                Ok(Ok(connection)) => Ok(connection),
                Ok(Err(_)) if shown_instead.get().is_some() => Err(ConnectError::WrongKey),
                Ok(Err(error)) => Err(error.into()),
                Err(_elapsed) => Err(ConnectError::NoAnswer),
            };
            (address, result)
        }
    }
}

/// Which address to call when, in order.
fn plan(addresses: &[SocketAddr], handshake: Duration) -> VecDeque<Planned> {
    let mut plan: Vec<Planned> = Vec::new();
    let firsts = (0..).map(|turn| NEXT_ADDRESS * turn).zip(addresses.iter().take(ADDRESSES_MAX));
    for (first, &address) in firsts {
        if plan.iter().any(|planned| planned.address == address) {
            continue;
        }
        let ends = first + handshake;
        plan.push(Planned { after: first, ends, address });
        let later = (1..).map(|turn| AGAIN[AGAIN.len() - 1] + AND_EVERY * turn);
        let later = AGAIN.into_iter().chain(later).map(|after| first + after).take_while(|after| *after < ends);
        plan.extend(later.map(|after| Planned { after, ends: ends.min(after + PATIENCE), address }));
    }
    plan.sort_by_key(|planned| planned.after);
    plan.into()
}

/// Silence says the least; of two answers the first stands.
fn more_telling(before: ConnectError, now: ConnectError) -> ConnectError {
    if matches!(before, ConnectError::NoAnswer) { now } else { before }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDSHAKE: Duration = Duration::from_secs(10);

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn every_address_is_called_before_long_and_a_silent_one_every_other_second() {
        let plan = plan(&[at(1), at(2), at(1)], HANDSHAKE);
        let begin: Vec<_> = plan.iter().take(4).map(|call| (call.after.as_millis(), call.address)).collect();
        assert_eq!(begin, [(0, at(1)), (150, at(1)), (250, at(2)), (400, at(1))]);
        let first: Vec<_> = plan.iter().filter(|call| call.address == at(1)).collect();
        assert!(first.windows(2).all(|pair| pair[1].after - pair[0].after <= AND_EVERY));
        assert!(first[1..].iter().all(|call| call.ends <= HANDSHAKE && call.ends <= call.after + PATIENCE));
        assert_eq!((first[0].ends, first.len()), (HANDSHAKE, 9));
    }

    #[test]
    fn no_more_addresses_are_called_than_a_device_has() {
        let many: Vec<_> = (1..=100).map(at).collect();
        assert_eq!(plan(&many, Duration::from_millis(100)).len(), ADDRESSES_MAX);
    }
}
