//! How many connections there are, and whether one more fits.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::PeerKey;

/// The places of one endpoint. Both directions count: memory does not ask who called.
pub(crate) struct Slots {
    connections_max: usize,
    per_peer_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    handshakes: usize,
    connections: usize,
    /// Never longer than `connections_max`.
    by_peer: HashMap<PeerKey, usize>,
}

/// A place held while a handshake runs; free again when dropped.
pub(crate) struct HandshakeSlot(Arc<Slots>);

/// A place held by a proved peer; free again when dropped.
pub(crate) struct PeerSlot {
    slots: Arc<Slots>,
    peer: PeerKey,
}

/// This peer has all the connections it may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PeerFull;

impl Slots {
    pub(crate) fn new(connections_max: usize, per_peer_max: usize) -> Arc<Self> {
        Arc::new(Self { connections_max, per_peer_max, counts: Mutex::default() })
    }

    /// A place for a handshake, `None` when the endpoint is full.
    pub(crate) fn take(self: &Arc<Self>) -> Option<HandshakeSlot> {
        let mut counts = self.counts();
        if counts.handshakes + counts.connections >= self.connections_max {
            return None;
        }
        counts.handshakes += 1;
        Some(HandshakeSlot(Arc::clone(self)))
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.counts().handshakes
    }

    /// Counts are numbers, valid after every statement, so a panic elsewhere spoils nothing.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandshakeSlot {
    /// Turns the place of a handshake into that of a connection with `peer`.
    pub(crate) fn admit(self, peer: PeerKey) -> Result<PeerSlot, PeerFull> {
        let mut counts = self.0.counts();
        let held = counts.by_peer.entry(peer).or_default();
        if *held >= self.0.per_peer_max {
            return Err(PeerFull);
        }
        *held += 1;
        counts.connections += 1;
        drop(counts);
        Ok(PeerSlot { slots: Arc::clone(&self.0), peer })
    }
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        self.0.counts().handshakes -= 1;
    }
}

impl Drop for PeerSlot {
    fn drop(&mut self) {
        let mut counts = self.slots.counts();
        counts.connections -= 1;
        if let Some(held) = counts.by_peer.get_mut(&self.peer) {
            *held -= 1;
            if *held == 0 {
                counts.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerKey = PeerKey::from_bytes([1; 32]);
    const B: PeerKey = PeerKey::from_bytes([2; 32]);

    #[test]
    fn handshakes_and_connections_share_the_places() {
        let slots = Slots::new(2, 2);
        let a = slots.take().expect("empty").admit(A).expect("first");
        let handshake = slots.take().expect("one left");
        assert!(slots.take().is_none());
        drop(a);
        let _b = slots.take().expect("given back").admit(B).expect("first");
        assert!(slots.take().is_none());
        drop(handshake);
        assert!(slots.take().is_some());
    }

    #[test]
    fn one_peer_cannot_take_every_place() {
        let slots = Slots::new(9, 1);
        let a = slots.take().expect("empty").admit(A).expect("first");
        assert_eq!(slots.take().expect("room").admit(A).err(), Some(PeerFull));
        assert_eq!(slots.handshakes(), 0);
        slots.take().expect("room").admit(B).expect("another peer");
        drop(a);
        slots.take().expect("room").admit(A).expect("place given back");
        assert!(slots.counts().by_peer.is_empty());
    }
}
