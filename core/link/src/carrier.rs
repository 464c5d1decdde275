//! Carriers of datagrams that are no socket of this system.
//!
//! A link needs something that takes a datagram to an address, perhaps. This room's own is a UDP
//! socket; this file lets anything else be one: another radio, a tunnel, or a network that exists
//! in memory only. It adds no promises to those of UDP.

use std::{
    fmt::Debug,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};

/// Carries datagrams of up to 1,200 bytes, and may lose, repeat, reorder and damage them.
///
/// It must not block, and need not keep what it cannot send: whoever uses it sends again.
pub trait Carrier: Debug + Send + Sync + 'static {
    /// The address that peers see on what is sent from here.
    ///
    /// # Errors
    /// If it has none.
    fn local_address(&self) -> io::Result<SocketAddr>;

    /// Takes a datagram towards `to`, or drops it.
    fn send(&self, to: SocketAddr, datagram: &[u8]);

    /// The next datagram that arrived: it is put at the beginning of `buffer`, and its length and
    /// the address it says it comes from are returned. What does not fit is cut off.
    ///
    /// One task asks at a time, and is woken when there is one.
    ///
    /// # Errors
    /// If none will ever come again.
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;
}

/// The bytes of a datagram on a carrier: what QUIC requires of any path (RFC 9000 §14).
pub(crate) const DATAGRAM_BYTES_MAX: u16 = 1200;

/// A carrier as quinn takes it.
#[derive(Debug)]
pub(crate) struct Carried(pub(crate) Arc<dyn Carrier>);

impl AsyncUdpSocket for Carried {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.0.send(transmit.destination, transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        self.0.poll_receive(cx, buffer).map_ok(|(bytes, from)| {
            *meta = RecvMeta { addr: from, len: bytes, stride: bytes, ecn: None, dst_ip: None };
            1
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_address()
    }

    /// Keeps quinn from probing for longer datagrams than a carrier promises to take.
    fn may_fragment(&self) -> bool {
        true
    }
}

/// A carrier drops what it cannot take.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
