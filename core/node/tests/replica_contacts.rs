//! Meetings over links that live for seconds, and of a device that moves, in a network in memory whose clock jumps.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

#[path = "../../../tests/src/chance.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "shared with the tests that lie above this room")]
mod chance;
#[path = "../../../tests/src/net/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "shared with the tests that lie above this room")]
mod net;
mod replica_support;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use merestone_core::roster::Role;
use merestone_link::{BindError, Carrier, Endpoint, LinkLimits, TransportKey};
use merestone_node::replica::{Meet, Network, Replica, Retry, SyncOutcome};
use merestone_store::Threads;
use net::{Net, Weather, paused};
use replica_support::{Mission, Site, scope, transport};
use tokio::time::{Instant, sleep, timeout};

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], port))
}

/// A phone's way into the network in memory: each meeting, and each new network, has a port of its own.
struct Radio {
    net: Net,
    ports: AtomicU16,
}

impl Radio {
    fn new(net: &Net) -> Arc<Self> {
        Arc::new(Self { net: net.clone(), ports: AtomicU16::new(1) })
    }

    fn carrier(&self, host: u8) -> Arc<dyn Carrier> {
        self.net.host(address(host, self.ports.fetch_add(1, Ordering::Relaxed)))
    }
}

impl std::fmt::Debug for Radio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Radio")
    }
}

impl Network for Radio {
    fn endpoint(&self, _: &[SocketAddr], key: &TransportKey, limits: LinkLimits) -> Result<Endpoint, BindError> {
        Endpoint::over(self.carrier(1), None, key, limits)
    }

    fn follow(&self, endpoint: &Endpoint, local: Option<IpAddr>) -> Result<(), BindError> {
        assert_eq!(local, Some(address(9, 0).ip()));
        endpoint.rebind_over(self.carrier(9))
    }
}

fn site(mission: &Mission, seed: u8, role: Role) -> Site {
    Site::on(Threads::Caller, mission, seed, role, &[scope(1), scope(2)])
}

/// The phone's entries and photos go to camp, which answers at 10.0.0.2; what `with` makes of both.
fn on_a_link(
    weather: Weather,
    entries: usize,
    photo_bytes: usize,
    with: impl AsyncFnOnce(Replica, Meet, Net) -> SyncOutcome,
) -> SyncOutcome {
    let mission = Mission::new(7);
    let (mut phone, camp) = (site(&mission, 1, Role::Observer), site(&mission, 2, Role::Camp));
    phone.write(entries, 30);
    if photo_bytes > 0 {
        phone.photograph(photo_bytes);
    }
    let outcome = paused().block_on(async {
        let net = Net::new(5, weather);
        let at_camp = Replica::open(camp.setup().inline());
        let bound = net.host(address(2, 4433));
        let endpoint = Endpoint::over(bound, None, &transport(2), LinkLimits::default()).unwrap();
        let _serving = at_camp.serve(endpoint).unwrap();
        let at_phone = Replica::open(phone.setup().inline().network(Radio::new(&net)));
        let meet = Meet::new(address(2, 4433), at_camp.transport_key());
        timeout(Duration::from_secs(3_600), with(at_phone, meet, net)).await.expect("an end within an hour")
    });
    assert_eq!(phone.holding(), camp.holding());
    outcome
}

/// Links that are up for `up` of every ten seconds, at 128 kbit/s and one datagram in twenty lost.
fn up(up: Duration) -> Weather {
    let period_us = 10_000_000;
    let down_us = period_us - up.as_micros() as u64;
    Weather {
        delay_us: 150_000,
        lost_ppm: 50_000,
        bytes_per_s: Some(16_000),
        queue_bytes: 16_000,
        period_us,
        down_us,
        ..Weather::default()
    }
}

#[test]
fn three_hundred_entries_and_a_photo_arrive_over_a_link_that_is_up_two_seconds_of_ten() {
    let weather = up(Duration::from_secs(2));
    let mut took = Duration::ZERO;
    let outcome = on_a_link(weather, 300, 50_000, async |replica, meet, net| {
        let outcome = replica.sync_until_done(meet, Retry::default()).await.unwrap();
        took = net.elapsed();
        outcome
    });
    eprintln!("done after {took:?}");
    assert!(outcome.is_fully_synced);
    // 130 kB are four contacts' worth at the link's full rate; the rest is what 300 ms and losses cost.
    assert!(took < Duration::from_secs(200), "{took:?}");
}

#[test]
fn a_device_that_joins_another_network_goes_on_in_the_same_conversation() {
    let weather = Weather { delay_us: 50_000, bytes_per_s: Some(32_000), queue_bytes: 32_000, ..Weather::default() };
    let outcome = on_a_link(weather, 100, 400_000, async |replica, meet, _net| {
        let meeting = replica.sync_with(meet);
        sleep(Duration::from_secs(5)).await;
        replica.network_changed(Some(address(9, 0).ip())).unwrap();
        meeting.outcome().await.unwrap()
    });
    assert!(outcome.is_fully_synced && outcome.peer.is_some());
}

#[test]
fn a_wait_ends_when_the_network_changes() {
    let weather = Weather { delay_us: 10_000, ..Weather::default() };
    let mut took = Duration::ZERO;
    on_a_link(weather, 1, 0, async |replica, meet, _net| {
        let nobody = LinkLimits::default().handshake;
        let long = Duration::from_secs(1_000);
        let retry = Retry { attempts_max: 2, wait: long, wait_max: long };
        let began = Instant::now();
        let nowhere = Meet { addresses: vec![address(3, 1)], ..meet.clone() };
        let waking = async {
            sleep(nobody + Duration::from_secs(5)).await;
            replica.network_changed(Some(address(9, 0).ip())).unwrap();
        };
        let (missed, ()) = tokio::join!(replica.sync_until_done(nowhere, retry), waking);
        assert!(missed.unwrap_err().is_worth_retrying());
        took = began.elapsed();
        replica.sync_with(meet).outcome().await.unwrap()
    });
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn the_address_at_which_a_peer_answers_is_found_among_those_that_lead_nowhere() {
    let weather = Weather { delay_us: 50_000, ..Weather::default() };
    let mut took = Duration::ZERO;
    on_a_link(weather, 1, 0, async |replica, meet, net| {
        let nowhere = (1..=3).map(|port| address(7, port));
        let meet = Meet { addresses: nowhere.chain(meet.addresses).collect(), ..meet };
        let outcome = replica.sync_with(meet).outcome().await.unwrap();
        took = net.elapsed();
        outcome
    });
    // Three quarters of a second until its turn, and what a meeting takes.
    assert!(took < Duration::from_secs(5), "{took:?}");
}
