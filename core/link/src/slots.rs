//! How many connections there are, whether one more fits, and which one makes room for it.
//!
//! A phone that comes again is at the newest of its connections: on links that live for two seconds it has left five behind
//! before the first is known to be dead, and a caller that called twice hung up the slower one, which may go unheard. So the
//! peer that has as many as it may have loses one on which it never said anything, or else its oldest.

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
    by_peer: HashMap<PeerKey, Lodgers>,
    /// How many were ever admitted: a number for each.
    admitted: u64,
}

/// The connections with one peer, the oldest first, each with its number.
type Lodgers = Vec<(u64, Box<dyn Lodger>)>;

/// A connection, as far as its place asks.
pub(crate) trait Lodger: Send {
    /// Whether the peer said nothing on it so far.
    fn is_mute(&self) -> bool;

    /// Ends it, for the same peer came again.
    fn make_room(&self);
}

/// A place held while a handshake runs; free again when dropped.
pub(crate) struct HandshakeSlot(Arc<Slots>);

/// A place held by a proved peer; free again when dropped.
pub(crate) struct PeerSlot {
    slots: Arc<Slots>,
    peer: PeerKey,
    number: u64,
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
    /// Turns the place of a handshake that this side began into that of a connection with `peer`.
    pub(crate) fn admit(self, peer: PeerKey, lodger: Box<dyn Lodger>) -> Result<PeerSlot, PeerFull> {
        let mut counts = self.0.counts();
        match counts.by_peer.get(&peer) {
            Some(held) if held.len() >= self.0.per_peer_max => Err(PeerFull),
            _ => Ok(self.give(&mut counts, peer, lodger)),
        }
    }

    /// The same for a peer that called: it has a place, whatever it held before.
    pub(crate) fn admit_caller(self, peer: PeerKey, lodger: Box<dyn Lodger>) -> PeerSlot {
        let mut counts = self.0.counts();
        let held = counts.by_peer.entry(peer).or_default();
        while held.len() >= self.0.per_peer_max {
            let at = held.iter().position(|(_, before)| before.is_mute()).unwrap_or(0);
            held.remove(at).1.make_room();
        }
        self.give(&mut counts, peer, lodger)
    }

    fn give(&self, counts: &mut Counts, peer: PeerKey, lodger: Box<dyn Lodger>) -> PeerSlot {
        let number = counts.admitted;
        counts.admitted += 1;
        counts.connections += 1;
        counts.by_peer.entry(peer).or_default().push((number, lodger));
        PeerSlot { slots: Arc::clone(&self.0), peer, number }
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
            held.retain(|(number, _)| *number != self.number);
            if held.is_empty() {
                counts.by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const A: PeerKey = PeerKey::from_bytes([1; 32]);
    const B: PeerKey = PeerKey::from_bytes([2; 32]);

    struct Guest {
        is_mute: bool,
        has_left: Arc<AtomicBool>,
    }

    impl Lodger for Guest {
        fn is_mute(&self) -> bool {
            self.is_mute
        }

        fn make_room(&self) {
            self.has_left.store(true, Ordering::Relaxed);
        }
    }

    fn guest(is_mute: bool) -> (Box<dyn Lodger>, Arc<AtomicBool>) {
        let has_left = Arc::new(AtomicBool::new(false));
        (Box::new(Guest { is_mute, has_left: Arc::clone(&has_left) }), has_left)
    }

    #[test]
    fn handshakes_and_connections_share_the_places() {
        let slots = Slots::new(2, 2);
        let a = slots.take().expect("empty").admit(A, guest(false).0).expect("first");
        let handshake = slots.take().expect("one left");
        assert!(slots.take().is_none());
        drop(a);
        let _b = slots.take().expect("given back").admit(B, guest(false).0).expect("first");
        assert!(slots.take().is_none());
        drop(handshake);
        assert!(slots.take().is_some());
    }

    #[test]
    fn one_peer_cannot_take_every_place() {
        let slots = Slots::new(9, 1);
        let a = slots.take().expect("empty").admit(A, guest(false).0).expect("first");
        assert_eq!(slots.take().expect("room").admit(A, guest(false).0).err(), Some(PeerFull));
        assert_eq!(slots.handshakes(), 0);
        slots.take().expect("room").admit(B, guest(false).0).expect("another peer");
        drop(a);
        slots.take().expect("room").admit(A, guest(false).0).expect("place given back");
        assert!(slots.counts().by_peer.is_empty());
    }

    #[test]
    fn a_caller_that_comes_again_loses_what_it_left_behind() {
        let slots = Slots::new(9, 3);
        let ((one, one_left), (two, two_left), (mute, mute_left)) = (guest(false), guest(false), guest(true));
        let mut places: Vec<PeerSlot> = Vec::new();
        for lodger in [one, two, mute] {
            places.push(slots.take().expect("room").admit_caller(A, lodger));
        }
        places.push(slots.take().expect("room").admit_caller(A, guest(false).0));
        let left = || [&one_left, &two_left, &mute_left].map(|left| left.load(Ordering::Relaxed));
        assert_eq!(left(), [false, false, true]);
        places.push(slots.take().expect("room").admit_caller(A, guest(false).0));
        assert_eq!(left(), [true, false, true]);
        // The place is free again when the link is really gone.
        assert_eq!(slots.counts().connections, 5);
        drop(places);
        let counts = slots.counts();
        assert_eq!((counts.connections, counts.by_peer.len()), (0, 0));
    }
}
