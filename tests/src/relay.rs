//! A UDP relay that makes a bad link out of the loopback interface, from a seed.
//!
//! Real processes talk through it in real time: each direction is a [`Road`], shared by all callers,
//! as a radio is. It needs no rights and no kernel module, and knows nothing of what it carries.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::net::{Road, Weather};

/// Forwards datagrams between any number of callers and one target until it is dropped.
pub struct Relay {
    address: SocketAddr,
    began: Instant,
    there: Arc<Lane>,
    back: Arc<Lane>,
    _tasks: JoinSet<()>,
}

/// What a relay saw in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Datagrams that came to the relay.
    pub taken: u64,
    /// Their bytes, without IP and UDP headers.
    pub taken_bytes: u64,
    /// Datagrams that it sent on.
    pub forwarded: u64,
    /// Their bytes, without IP and UDP headers.
    pub forwarded_bytes: u64,
}

impl Relay {
    /// A relay on the loopback interface in front of `target`, with one weather there and one back.
    ///
    /// # Errors
    /// If no socket can be had.
    pub async fn to(target: SocketAddr, there: Weather, back: Weather, seed: u64) -> io::Result<Self> {
        let front = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = front.local_addr()?;
        let began = Instant::now();
        let there = Arc::new(Lane::new(began, Road::new(there, seed)));
        let back = Arc::new(Lane::new(began, Road::new(back, seed.wrapping_add(1))));
        let mut tasks = JoinSet::new();
        tasks.spawn(deliver(Arc::clone(&there)));
        tasks.spawn(deliver(Arc::clone(&back)));
        tasks.spawn(forward(front, target, Arc::clone(&there), Arc::clone(&back)));
        Ok(Self { address, began, there, back, _tasks: tasks })
    }

    /// Where callers send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, towards the target and back.
    pub fn set_weather(&self, there: Weather, back: Weather) {
        self.there.state().road.set_weather(there);
        self.back.state().road.set_weather(back);
    }

    /// The time since the relay began: the beginning of its roads' periods.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What passed towards the target so far.
    pub fn there(&self) -> Passed {
        self.there.state().passed
    }

    /// What passed back to the callers so far.
    pub fn back(&self) -> Passed {
        self.back.state().passed
    }
}

/// One direction: a road, and what is under way on it.
struct Lane {
    began: Instant,
    changed: Notify,
    state: Mutex<State>,
}

struct State {
    road: Road,
    due: BinaryHeap<Reverse<Due>>,
    passed: Passed,
    /// Gives datagrams that are due at one time their order.
    order: u64,
}

/// A datagram under way, first by time, then in the order it came.
struct Due {
    key: (u64, u64),
    through: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Lane {
    fn new(began: Instant, road: Road) -> Self {
        let state = State { road, due: BinaryHeap::new(), passed: Passed::default(), order: 0 };
        Self { began, changed: Notify::new(), state: Mutex::new(state) }
    }

    fn take(&self, datagram: &[u8], through: &Arc<UdpSocket>, to: SocketAddr) {
        let now_us = self.now_us();
        let mut state = self.state();
        state.passed.taken += 1;
        state.passed.taken_bytes += datagram.len() as u64;
        let fate = state.road.take(now_us, datagram.len());
        for at_us in fate.arrivals_us.into_iter().flatten() {
            state.order += 1;
            let (key, bytes) = ((at_us, state.order), fate.deliver(datagram));
            state.due.push(Reverse(Due { key, through: Arc::clone(through), to, bytes }));
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What is due now, or when the next datagram is.
    fn next(&self) -> Result<Due, Option<Instant>> {
        let now_us = self.now_us();
        let mut state = self.state();
        match state.due.peek() {
            Some(Reverse(due)) if due.key.0 > now_us => Err(Some(self.began + Duration::from_micros(due.key.0))),
            Some(_) => {
                let Some(Reverse(due)) = state.due.pop() else { return Err(None) };
                state.passed.forwarded += 1;
                state.passed.forwarded_bytes += due.bytes.len() as u64;
                Ok(due)
            }
            None => Err(None),
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Numbers and bytes, valid after every statement, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Sends what is due.
async fn deliver(lane: Arc<Lane>) {
    loop {
        match lane.next() {
            // A socket that takes nothing now, or an echo of an earlier send to a closed port: lost.
            Ok(due) => drop(due.through.send_to(&due.bytes, due.to).await),
            Err(None) => lane.changed.notified().await,
            Err(Some(at)) => {
                tokio::select! {
                    biased;
                    () = lane.changed.notified() => {}
                    () = sleep_until(at) => {}
                }
            }
        }
    }
}

/// Callers to the target; each caller gets its own socket, so that answers find back.
async fn forward(front: Arc<UdpSocket>, target: SocketAddr, there: Arc<Lane>, back: Arc<Lane>) {
    let mut behind: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut answers = JoinSet::new();
    let mut datagram = vec![0; 65_536];
    loop {
        let Ok((bytes, caller)) = front.recv_from(&mut datagram).await else { continue };
        let through = match behind.get(&caller) {
            Some(through) => Arc::clone(through),
            None => {
                let Ok(through) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await else { continue };
                let through = Arc::new(through);
                answers.spawn(answer(Arc::clone(&through), Arc::clone(&front), caller, Arc::clone(&back)));
                behind.insert(caller, Arc::clone(&through));
                through
            }
        };
        there.take(&datagram[..bytes], &through, target);
    }
}

/// The target's answers to one caller.
async fn answer(through: Arc<UdpSocket>, front: Arc<UdpSocket>, caller: SocketAddr, back: Arc<Lane>) {
    let mut datagram = vec![0; 65_536];
    loop {
        let Ok((bytes, _target)) = through.recv_from(&mut datagram).await else { continue };
        back.take(&datagram[..bytes], &front, caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_relay_delays_loses_and_answers() {
        let target = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let weather = Weather { lost_ppm: 500_000, ..Weather::slow(20_000) };
        let there = target.local_addr().expect("bound");
        let relay = Relay::to(there, weather, Weather::slow(20_000), 5).await.expect("a relay");
        let caller = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let began = Instant::now();
        for number in 0..100 {
            caller.send_to(&[number], relay.address()).await.expect("sent");
        }
        let mut byte = [0; 1];
        let (_, from) = target.recv_from(&mut byte).await.expect("some arrive");
        target.send_to(&byte, from).await.expect("answered");
        let mut echoed = [0; 1];
        caller.recv_from(&mut echoed).await.expect("answered");
        assert_eq!(echoed, byte);
        assert!(began.elapsed() >= Duration::from_millis(40));
        let (passed, back) = (relay.there(), relay.back());
        assert_eq!((passed.taken, back.taken, back.forwarded), (100, 1, 1));
        assert!((30..70).contains(&passed.forwarded), "{passed:?}");
    }
}
