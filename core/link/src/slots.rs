//! How many connections there are, whether one more fits, and which one makes room for it.
//!
//! A phone that comes again is at the newest of its connections: on links that live for two seconds it has left five behind
//! before the first is known to be dead, and a caller that called twice hung up the slower one, which may go unheard. So the
//! peer that has as many as it may have loses one on which it never said anything, or else its oldest.
//!
//! A place whose peer somebody [vouched](Vouch) for is its own. The others are strangers': when all places are taken, the oldest
//! stranger's of the most crowded network goes, if that has more than the caller's would, and more than one device makes.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{PeerKey, close_code};

/// The places of one endpoint. Both directions count: memory does not ask who called.
pub(crate) struct Slots {
    connections_max: usize,
    per_peer_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    next: u64,
    /// By number, so the oldest first. Never more than `connections_max`.
    places: BTreeMap<u64, Place>,
}

struct Place {
    /// The network it was called from; `None`: by us, or vouched for.
    stranger: Option<IpAddr>,
    holder: Holder,
}

enum Holder {
    Handshake { made_room: Arc<Notify> },
    Peer { peer: PeerKey, lodger: Box<dyn Lodger> },
}

/// A connection, as far as its place asks.
pub(crate) trait Lodger: Send {
    /// Whether the peer said nothing on it so far.
    fn is_mute(&self) -> bool;

    /// Ends it with one of [`close_code`].
    fn make_room(&self, code: u32);
}

/// A place held while a handshake runs; free again when dropped.
pub(crate) struct HandshakeSlot {
    place: Held,
    made_room: Arc<Notify>,
}

/// A place held by a proved peer; free again when dropped.
pub(crate) struct PeerSlot(Held);

/// Says of a place that its peer is no stranger.
pub(crate) struct Vouch {
    slots: Arc<Slots>,
    id: u64,
}

struct Held {
    slots: Arc<Slots>,
    id: u64,
}

/// This peer has all the connections it may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PeerFull;

impl Slots {
    pub(crate) fn new(connections_max: usize, per_peer_max: usize) -> Arc<Self> {
        Arc::new(Self { connections_max, per_peer_max, counts: Mutex::default() })
    }

    /// A place for a handshake with who calls from `caller`, or with `None` whom we call; `None` when nobody makes room.
    pub(crate) fn take(self: &Arc<Self>, caller: Option<IpAddr>) -> Option<HandshakeSlot> {
        let stranger = caller.map(network);
        let mut counts = self.counts();
        if counts.places.len() >= self.connections_max {
            counts.make_room(stranger, self.per_peer_max)?.leave(close_code::MADE_ROOM);
        }
        let (id, made_room) = (counts.next, Arc::new(Notify::new()));
        counts.next += 1;
        let holder = Holder::Handshake { made_room: Arc::clone(&made_room) };
        counts.places.insert(id, Place { stranger, holder });
        drop(counts);
        Some(HandshakeSlot { place: Held { slots: Arc::clone(self), id }, made_room })
    }

    pub(crate) fn handshakes(&self) -> usize {
        self.counts().places.values().filter(|place| matches!(place.holder, Holder::Handshake { .. })).count()
    }

    /// Places are whole after every statement, so a panic elsewhere spoils nothing.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Takes the place of a stranger from the network that has most, if it has more than `newcomer` would have, and more than
    /// the `crowd` that one device may be.
    fn make_room(&mut self, newcomer: Option<IpAddr>, crowd: usize) -> Option<Place> {
        let mut crowds: HashMap<IpAddr, (usize, u64)> = HashMap::new();
        for (id, network) in self.places.iter().filter_map(|(id, place)| Some((id, place.stranger?))) {
            crowds.entry(network).or_insert((0, *id)).0 += 1;
        }
        let own = newcomer.map_or(0, |network| crowds.get(&network).map_or(0, |(count, _)| *count) + 1);
        let (count, oldest) = crowds.into_values().max_by_key(|(count, oldest)| (*count, u64::MAX - oldest))?;
        if count > own.max(crowd) { self.places.remove(&oldest) } else { None }
    }

    /// The places of a peer, the oldest first, and whether it never said anything there.
    fn of(&self, wanted: PeerKey) -> Vec<(u64, bool)> {
        let held = |(id, place): (&u64, &Place)| match &place.holder {
            Holder::Peer { peer, lodger } if *peer == wanted => Some((*id, lodger.is_mute())),
            Holder::Peer { .. } | Holder::Handshake { .. } => None,
        };
        self.places.iter().filter_map(held).collect()
    }
}

impl Place {
    fn leave(self, code: u32) {
        match self.holder {
            Holder::Handshake { made_room } => made_room.notify_one(),
            Holder::Peer { peer: _, lodger } => lodger.make_room(code),
        }
    }
}

/// What one household or one attacker has many addresses of: an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

impl HandshakeSlot {
    /// Turns the place of a handshake that this side began into that of a connection with `peer`.
    pub(crate) fn admit(self, peer: PeerKey, lodger: Box<dyn Lodger>) -> Result<PeerSlot, PeerFull> {
        let mut counts = self.place.slots.counts();
        if counts.of(peer).len() >= self.place.slots.per_peer_max {
            return Err(PeerFull);
        }
        self.give(&mut counts, peer, lodger);
        drop(counts);
        Ok(PeerSlot(self.place))
    }

    /// The same for a peer that called: it has a place, whatever it held before.
    pub(crate) fn admit_caller(self, peer: PeerKey, lodger: Box<dyn Lodger>) -> PeerSlot {
        let mut counts = self.place.slots.counts();
        let mut held = counts.of(peer);
        while held.len() >= self.place.slots.per_peer_max {
            let at = held.iter().position(|(_, is_mute)| *is_mute).unwrap_or(0);
            let (id, _) = held.remove(at);
            counts.places.remove(&id).into_iter().for_each(|place| place.leave(close_code::TOO_MANY_FROM_PEER));
        }
        self.give(&mut counts, peer, lodger);
        drop(counts);
        PeerSlot(self.place)
    }

    /// Waits until the place was given to somebody else, which may never be.
    pub(crate) async fn made_room(&self) {
        self.made_room.notified().await;
    }

    fn give(&self, counts: &mut Counts, peer: PeerKey, lodger: Box<dyn Lodger>) {
        match counts.places.get_mut(&self.place.id) {
            Some(place) => place.holder = Holder::Peer { peer, lodger },
            // It made room in this very moment.
            None => lodger.make_room(close_code::MADE_ROOM),
        }
    }
}

impl PeerSlot {
    /// By which somebody can say that the peer is no stranger.
    pub(crate) fn vouch(&self) -> Vouch {
        Vouch { slots: Arc::clone(&self.0.slots), id: self.0.id }
    }
}

impl Vouch {
    /// From now on the place is the peer's own.
    pub(crate) fn give(&self) {
        if let Some(place) = self.slots.counts().places.get_mut(&self.id) {
            place.stranger = None;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.slots.counts().places.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const A: PeerKey = PeerKey::from_bytes([1; 32]);
    const B: PeerKey = PeerKey::from_bytes([2; 32]);

    struct Guest {
        is_mute: bool,
        /// With which code it had to leave.
        left: Arc<AtomicU32>,
    }

    impl Lodger for Guest {
        fn is_mute(&self) -> bool {
            self.is_mute
        }

        fn make_room(&self, code: u32) {
            self.left.store(code, Ordering::Relaxed);
        }
    }

    fn guest(is_mute: bool) -> (Box<dyn Lodger>, Arc<AtomicU32>) {
        let left = Arc::new(AtomicU32::new(0));
        (Box::new(Guest { is_mute, left: Arc::clone(&left) }), left)
    }

    fn at(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn handshakes_and_connections_share_the_places() {
        let slots = Slots::new(2, 2);
        let a = slots.take(at(1)).expect("empty").admit_caller(A, guest(false).0);
        let handshake = slots.take(at(2)).expect("one left");
        assert!(slots.take(at(3)).is_none());
        drop(a);
        let _b = slots.take(at(3)).expect("given back").admit_caller(B, guest(false).0);
        assert!(slots.take(at(4)).is_none());
        drop(handshake);
        assert!(slots.take(at(4)).is_some());
    }

    #[test]
    fn one_peer_cannot_take_every_place() {
        let slots = Slots::new(9, 1);
        let a = slots.take(None).expect("empty").admit(A, guest(false).0).expect("first");
        assert_eq!(slots.take(None).expect("room").admit(A, guest(false).0).err(), Some(PeerFull));
        assert_eq!(slots.handshakes(), 0);
        slots.take(None).expect("room").admit(B, guest(false).0).expect("another peer");
        drop(a);
        slots.take(None).expect("room").admit(A, guest(false).0).expect("place given back");
        assert!(slots.counts().places.is_empty());
    }

    #[test]
    fn a_caller_that_comes_again_loses_what_it_left_behind() {
        let slots = Slots::new(9, 3);
        let ((one, one_left), (two, two_left), (mute, mute_left)) = (guest(false), guest(false), guest(true));
        let mut places: Vec<PeerSlot> = Vec::new();
        for lodger in [one, two, mute] {
            places.push(slots.take(at(1)).expect("room").admit_caller(A, lodger));
        }
        places.push(slots.take(at(1)).expect("room").admit_caller(A, guest(false).0));
        let left = || [&one_left, &two_left, &mute_left].map(|left| left.load(Ordering::Relaxed));
        assert_eq!(left(), [0, 0, close_code::TOO_MANY_FROM_PEER]);
        places.push(slots.take(at(1)).expect("room").admit_caller(A, guest(false).0));
        assert_eq!(left(), [close_code::TOO_MANY_FROM_PEER, 0, close_code::TOO_MANY_FROM_PEER]);
        assert_eq!(slots.counts().places.len(), 3);
        drop(places);
        assert!(slots.counts().places.is_empty());
    }

    #[test]
    fn strangers_of_a_crowd_make_room_oldest_first_and_known_peers_never() {
        let slots = Slots::new(5, 2);
        let (known, known_left) = guest(true);
        let known = slots.take(at(1)).expect("empty").admit_caller(A, known);
        known.vouch().give();
        let (oldest, oldest_left) = guest(false);
        let oldest = slots.take(at(1)).expect("room").admit_caller(B, oldest);
        let crowd: Vec<_> = (0..3).map(|_| slots.take(at(1)).expect("room")).collect();
        assert!(slots.take(at(1)).is_none(), "the crowd makes no room for more of itself");
        let _newcomer = slots.take(at(2)).expect("the oldest of the crowd goes");
        let left = [&oldest_left, &known_left].map(|left| left.load(Ordering::Relaxed));
        assert_eq!(left, [close_code::MADE_ROOM, 0]);
        drop((oldest, crowd));
        let _second = slots.take(at(3)).expect("the places are free again");
        assert_eq!(slots.counts().places.len(), 3, "who made room gives nothing back twice");
    }

    #[test]
    fn addresses_of_one_network_are_one_crowd() {
        let slots = Slots::new(2, 1);
        let address = |last: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]));
        let _crowd: Vec<_> = (1..3).map(|last| slots.take(address(last)).expect("room")).collect();
        assert!(slots.take(address(3)).is_none());
        assert!(slots.take(at(1)).is_some());
        assert_eq!(slots.counts().places.len(), 1, "who made room is gone");
    }
}
