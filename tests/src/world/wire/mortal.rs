//! A host whose process may die: from then on nothing leaves it and nothing reaches it, whatever its tasks still do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use merestone_link::Carrier;

use crate::net::Host;
use crate::world::disk::Pulse;

/// A host and the process on it.
#[derive(Debug)]
pub(super) struct Mortal {
    pub(super) host: Arc<Host>,
    pub(super) pulse: Pulse,
}

impl Carrier for Mortal {
    fn local_address(&self) -> io::Result<SocketAddr> {
        self.host.local_address()
    }

    fn send(&self, to: SocketAddr, datagram: &[u8]) {
        if !self.pulse.is_dead() {
            self.host.send(to, datagram);
        }
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        // Nobody wakes a dead process.
        if self.pulse.is_dead() { Poll::Pending } else { self.host.poll_receive(cx, buffer) }
    }
}
