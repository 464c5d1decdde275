//! A network of hosts in memory: unmodified QUIC runs over it in the runtime's own time.
//!
//! Between any two hosts lies one [`Road`] per direction, whose weather can be changed at any
//! moment. In a runtime from [`paused`] the same seed gives the same datagrams at the same times
//! (their encrypted bytes differ), and hours pass in seconds. It knows nothing of what it carries.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use merestone_link::Carrier;
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, Sleep, sleep_until},
};

use crate::chance::Chance;

mod road;

pub use road::{Fate, HEADER_BYTES, Road, Weather};

/// A runtime of one thread whose clock stands still while anything can be done, and then jumps.
///
/// # Panics
/// If the system lets no runtime be built.
pub fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime of one thread")
}

/// A network of hosts. Clones are handles to the same one.
#[derive(Clone)]
pub struct Net(Arc<Mutex<State>>);

/// One host's place in a network: what an endpoint is bound to.
pub struct Host {
    net: Net,
    id: usize,
    /// Wakes this host when the next datagram is due; only its own endpoint waits for it.
    timer: Mutex<Pin<Box<Sleep>>>,
}

/// A datagram that a host sent: when (µs since the network began), from where, to where, how long.
pub type Sent = (u64, SocketAddr, SocketAddr, usize);

/// Totals of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams that hosts sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that arrived somewhere; one that is doubled counts twice.
    pub arrived: u64,
    /// Datagrams that a road lost or damaged.
    pub lost: u64,
}

struct State {
    began: Instant,
    seed: u64,
    weather: Weather,
    hosts: Vec<Place>,
    roads: BTreeMap<(usize, usize), Road>,
    shut: BTreeMap<(usize, usize), ()>,
    traffic: Traffic,
    trace: Option<Vec<Sent>>,
    /// Gives datagrams that are due at one time their order.
    order: u64,
}

struct Place {
    address: SocketAddr,
    due: BinaryHeap<Reverse<Due>>,
    waker: Option<Waker>,
}

/// A datagram under way: first by time, then in the order it was sent.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at_us: u64,
    order: u64,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Net {
    /// A network without hosts, whose roads have `weather`. Call it inside the runtime it will run in.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self(Arc::new(Mutex::new(State {
            began: Instant::now(),
            seed,
            weather,
            hosts: Vec::new(),
            roads: BTreeMap::new(),
            shut: BTreeMap::new(),
            traffic: Traffic::default(),
            trace: None,
            order: 0,
        })))
    }

    /// Adds a host at `address`.
    ///
    /// # Panics
    /// If another host is there.
    pub fn host(&self, address: SocketAddr) -> Arc<Host> {
        let mut state = self.state();
        assert!(state.hosts.iter().all(|host| host.address != address), "{address} is taken");
        state.hosts.push(Place { address, due: BinaryHeap::new(), waker: None });
        let (net, id) = (self.clone(), state.hosts.len() - 1);
        Arc::new(Host { net, id, timer: Mutex::new(Box::pin(sleep_until(Instant::now()))) })
    }

    /// Sets the weather from one host to another, one way.
    pub fn set_weather(&self, from: &Host, to: &Host, weather: Weather) {
        self.state().road(from.id, to.id).set_weather(weather);
    }

    /// Sets the weather between two hosts, both ways.
    pub fn set_weather_between(&self, a: &Host, b: &Host, weather: Weather) {
        self.set_weather(a, b, weather);
        self.set_weather(b, a, weather);
    }

    /// Lets nothing through from one host to another, one way, until [`Net::open`]ed.
    pub fn shut(&self, from: &Host, to: &Host) {
        self.state().shut.insert((from.id, to.id), ());
    }

    /// Lets datagrams through again.
    pub fn open(&self, from: &Host, to: &Host) {
        self.state().shut.remove(&(from.id, to.id));
    }

    /// From now on keeps a list of all datagrams sent.
    pub fn record(&self) {
        self.state().trace.get_or_insert_default();
    }

    /// The datagrams since [`Net::record`].
    pub fn trace(&self) -> Vec<Sent> {
        self.state().trace.clone().unwrap_or_default()
    }

    /// Totals so far.
    pub fn traffic(&self) -> Traffic {
        self.state().traffic
    }

    /// What passed the bottleneck from one host to another so far, headers included.
    pub fn carried_bytes(&self, from: &Host, to: &Host) -> u64 {
        self.state().road(from.id, to.id).carried_bytes()
    }

    /// The time since the network began.
    pub fn elapsed(&self) -> Duration {
        self.state().began.elapsed()
    }

    /// A network is numbers and bytes, valid after every statement, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn road(&mut self, from: usize, to: usize) -> &mut Road {
        let (weather, seed) = (self.weather, self.seed);
        self.roads.entry((from, to)).or_insert_with(|| {
            // A road's fortune is its own: it does not depend on what other roads carried.
            let place = (from as u64) << 32 | to as u64;
            Road::new(weather, Chance::new(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).number())
        })
    }

    fn send(&mut self, from: usize, to: SocketAddr, datagram: &[u8]) {
        let now_us = self.now_us();
        let source = self.hosts[from].address;
        self.traffic.sent += 1;
        self.traffic.sent_bytes += datagram.len() as u64;
        if let Some(trace) = &mut self.trace {
            trace.push((now_us, source, to, datagram.len()));
        }
        let Some(target) = self.hosts.iter().position(|host| host.address == to) else { return };
        if self.shut.contains_key(&(from, target)) {
            return;
        }
        let fate = self.road(from, target).take(now_us, datagram.len());
        let is_lost = fate.arrivals_us == [None; 2] || fate.damaged_bit.is_some();
        self.traffic.lost += u64::from(is_lost);
        for at_us in fate.arrivals_us.into_iter().flatten() {
            self.order += 1;
            let bytes = fate.deliver(datagram);
            let host = &mut self.hosts[target];
            host.due.push(Reverse(Due { at_us, order: self.order, from: source, bytes }));
            if let Some(waker) = host.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Host {
    /// From now on this host has another address, and nothing sent to the old one arrives: a router
    /// on the way changed its mind. The host itself does not notice.
    pub fn move_to(&self, address: SocketAddr) {
        let mut state = self.net.state();
        assert!(state.hosts.iter().all(|host| host.address != address), "{address} is taken");
        state.hosts[self.id].address = address;
    }
}

impl Carrier for Host {
    fn local_address(&self) -> io::Result<SocketAddr> {
        Ok(self.net.state().hosts[self.id].address)
    }

    fn send(&self, to: SocketAddr, datagram: &[u8]) {
        self.net.state().send(self.id, to, datagram);
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut state = self.net.state();
            let (began, now_us) = (state.began, state.now_us());
            let host = &mut state.hosts[self.id];
            match host.due.peek() {
                Some(Reverse(next)) if next.at_us > now_us => {
                    let at = began + Duration::from_micros(next.at_us);
                    host.waker = Some(cx.waker().clone());
                    drop(state);
                    if timer.deadline() != at {
                        timer.as_mut().reset(at);
                    }
                    match timer.as_mut().poll(cx) {
                        Poll::Ready(()) => {}
                        Poll::Pending => return Poll::Pending,
                    }
                }
                Some(_) => {
                    let Some(Reverse(due)) = host.due.pop() else { continue };
                    state.traffic.arrived += 1;
                    let bytes = due.bytes.len().min(buffer.len());
                    buffer[..bytes].copy_from_slice(&due.bytes[..bytes]);
                    return Poll::Ready(Ok((bytes, due.from)));
                }
                None => {
                    host.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("id", &self.id).finish_non_exhaustive()
    }
}
