//! Saying the first words of a call again where the way is long.
//!
//! What a caller sends when its handshake completes, and what it says right after, has nothing behind it that would show a
//! loss. QUIC then waits for most of a second, and may repeat only the handshake until that is confirmed: one lost datagram
//! takes two seconds from a link that lives for as long. So these few are sent twice more within a moment, as a network may
//! do that doubles datagrams; the other side drops what it has. It knows nothing of what they hold, and does it for no one who
//! is called: an answer to a forged address must not grow.
//!
//! Measured in the network in memory (`tests/rough`): of 500 contacts of two seconds with a round trip of 300 ms and a tenth
//! lost, 32 exchanged nothing without it, 11 with it.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{EcnCodepoint, RecvMeta, Transmit},
};
use tokio::time::{Instant, sleep};

/// A way from which on it is worth it: on a shorter one QUIC's own timers, of three round trips, cost a third of a second.
const FAR: Duration = Duration::from_millis(100);

/// When they are sent again: after bursts of a radio, and before an answer can be there.
const AGAIN: [Duration; 2] = [Duration::from_millis(30), Duration::from_millis(60)];

/// The end of the handshake left before whoever waits for it could wake.
const JUST_NOW: Duration = Duration::from_millis(10);

/// Datagrams of one address that are kept: the end of the handshake, and a longest hello.
const KEPT_MAX: usize = 6;

/// A longer transmission is many datagrams, which first words are not.
const KEPT_BYTES_MAX: usize = 1_500;

/// The first words of the connections of one endpoint.
#[derive(Default)]
pub(crate) struct FirstWords {
    calls: Mutex<Vec<Called>>,
    /// How many there are, for those who send to look at without waiting.
    count: AtomicUsize,
}

/// An address of a handshake under way, and what was sent there last.
struct Called {
    address: SocketAddr,
    number: usize,
    sent: VecDeque<Said>,
}

#[derive(Clone)]
struct Said {
    at: Instant,
    over: Arc<dyn AsyncUdpSocket>,
    contents: Vec<u8>,
    ecn: Option<EcnCodepoint>,
    src_ip: Option<IpAddr>,
}

/// A handshake whose words are kept until this is dropped.
pub(crate) struct Listening {
    words: Arc<FirstWords>,
    address: SocketAddr,
    number: usize,
}

/// A socket whose first words are kept.
pub(crate) struct Insisting {
    socket: Arc<dyn AsyncUdpSocket>,
    words: Arc<FirstWords>,
}

impl FirstWords {
    /// From now on keeps what is sent to `address`.
    pub(crate) fn listen(self: &Arc<Self>, address: SocketAddr) -> Listening {
        let mut calls = self.calls();
        let number = calls.last().map_or(0, |last| last.number + 1);
        calls.push(Called { address, number, sent: VecDeque::new() });
        self.count.store(calls.len(), Ordering::Relaxed);
        Listening { words: Arc::clone(self), address, number }
    }

    fn keep(&self, over: &Arc<dyn AsyncUdpSocket>, transmit: &Transmit<'_>) {
        let is_short = transmit.contents.len() <= KEPT_BYTES_MAX && transmit.segment_size.is_none();
        if self.count.load(Ordering::Relaxed) == 0 || !is_short {
            return;
        }
        let mut calls = self.calls();
        for called in calls.iter_mut().filter(|called| called.address == transmit.destination) {
            if called.sent.len() == KEPT_MAX {
                called.sent.pop_front();
            }
            let (contents, ecn, src_ip) = (transmit.contents.to_vec(), transmit.ecn, transmit.src_ip);
            called.sent.push_back(Said { at: Instant::now(), over: Arc::clone(over), contents, ecn, src_ip });
        }
    }

    /// A list is whole after each statement.
    fn calls(&self) -> MutexGuard<'_, Vec<Called>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handshake is complete: what is said now is said again, if the way is long.
    pub(crate) fn insist(self, round_trip: Duration) {
        if round_trip < FAR {
            return;
        }
        let now = Instant::now();
        let began = now.checked_sub(JUST_NOW).unwrap_or(now);
        tokio::spawn(async move {
            let mut said = Vec::new();
            for wait in AGAIN {
                sleep(wait).await;
                if said.is_empty() {
                    said = self.said_since(began);
                }
                said.iter().for_each(|said| said.again(self.address));
            }
        });
    }

    fn said_since(&self, began: Instant) -> Vec<Said> {
        let calls = self.words.calls();
        let called = calls.iter().find(|called| called.number == self.number);
        called.map_or_else(Vec::new, |called| called.sent.iter().filter(|said| said.at >= began).cloned().collect())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut calls = self.words.calls();
        calls.retain(|called| called.number != self.number);
        self.words.count.store(calls.len(), Ordering::Relaxed);
    }
}

impl Said {
    fn again(&self, destination: SocketAddr) {
        let Self { at: _, over, contents, ecn, src_ip } = self;
        // What cannot be sent now is lost once more, as it may be.
        let _ = over.try_send(&Transmit { destination, ecn: *ecn, contents, segment_size: None, src_ip: *src_ip });
    }
}

impl Insisting {
    pub(crate) fn over(socket: Arc<dyn AsyncUdpSocket>, words: &Arc<FirstWords>) -> Arc<Self> {
        Arc::new(Self { socket, words: Arc::clone(words) })
    }
}

impl AsyncUdpSocket for Insisting {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.words.keep(&self.socket, transmit);
        self.socket.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(cx, bufs, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

impl fmt::Debug for Insisting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Insisting").field(&self.socket).finish()
    }
}
