//! A bad road between a phone and base camp: a UDP relay on the loopback interface that stops forwarding.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Forwards datagrams between one phone and one target. After a stated number of bytes every datagram disappears, in
/// both directions, until a pause is over; then it carries on to the next stated number.
pub(super) struct Relay {
    address: SocketAddr,
    carried: Arc<Carried>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Carried {
    bytes: AtomicU64,
    lost: AtomicU64,
    cuts: AtomicU64,
}

/// When the link is cut, and for how long.
pub(super) struct Cuts {
    /// The link is cut whenever it has carried so many bytes more; one number for each cut.
    pub(super) after_bytes: Vec<u64>,
    /// How long nothing comes through.
    pub(super) pause: Duration,
}

impl Relay {
    /// A relay in front of `target`.
    ///
    /// # Errors
    /// If the system gives no sockets.
    pub(super) async fn to(target: SocketAddr, cuts: Cuts) -> io::Result<Self> {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        back.connect(target).await?;
        let address = front.local_addr()?;
        let carried = Arc::new(Carried::default());
        let task = tokio::spawn(forward(front, back, cuts, Arc::clone(&carried)));
        Ok(Self { address, carried, task })
    }

    /// Where the phone sends to.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that came through, both directions.
    pub(super) fn bytes(&self) -> u64 {
        self.carried.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that disappeared.
    pub(super) fn lost(&self) -> u64 {
        self.carried.lost.load(Ordering::Relaxed)
    }

    /// How often the link was cut.
    pub(super) fn cuts(&self) -> u64 {
        self.carried.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A QUIC datagram on the loopback interface is shorter than this.
const DATAGRAM_BYTES_MAX: usize = 65_536;

async fn forward(front: UdpSocket, back: UdpSocket, cuts: Cuts, carried: Arc<Carried>) {
    let mut caller = None;
    let mut remaining = cuts.after_bytes.into_iter();
    let mut budget = remaining.next();
    let mut silent_until = tokio::time::Instant::now();
    let (mut out, mut home) = (vec![0; DATAGRAM_BYTES_MAX], vec![0; DATAGRAM_BYTES_MAX]);
    loop {
        // An error is the echo of an earlier send to a closed port: a network loses such a datagram too.
        let (bytes, is_outward) = tokio::select! {
            Ok((bytes, from)) = front.recv_from(&mut out) => {
                // A phone that connects again calls from another port; answers go to the last caller.
                caller = Some(from);
                (bytes, true)
            }
            Ok(bytes) = back.recv(&mut home) => (bytes, false),
            else => continue,
        };
        let now = tokio::time::Instant::now();
        if now < silent_until {
            carried.lost.fetch_add(bytes as u64, Ordering::Relaxed);
            continue;
        }
        let sent = match (is_outward, caller) {
            (true, _) => back.send(&out[..bytes]).await,
            (false, Some(caller)) => front.send_to(&home[..bytes], caller).await,
            (false, None) => continue,
        };
        if sent.is_err() {
            continue;
        }
        carried.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(left) = budget.as_mut() {
            *left = left.saturating_sub(bytes as u64);
            if *left == 0 {
                budget = remaining.next();
                silent_until = now + cuts.pause;
                carried.cuts.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
