//! Who has a connection: one host takes a few places and not all of them.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections at one time: a mission has a dozen witnesses, mirrors and auditors. The next caller is hung up on.
const PLACES: usize = 64;
/// Of these, for this machine and for addresses that were given something before: a crowd of strangers does not keep base
/// camp from its witnesses, nor the other way round.
const KEPT: usize = 16;
/// Of one address: a browser opens six, a mirror one.
const OF_ADDRESS: usize = 4;
/// Of one network, a /24 or a /56: what one subscriber is commonly given.
const OF_NETWORK: usize = 8;
/// Addresses that are remembered.
const KNOWN_MAX: usize = 256;

/// The places of a server.
#[derive(Clone, Default)]
pub(super) struct Guests {
    seated: Arc<Mutex<Seated>>,
}

#[derive(Default)]
struct Seated {
    all: usize,
    of_address: HashMap<IpAddr, usize>,
    of_network: HashMap<Network, usize>,
    known: VecDeque<IpAddr>,
}

/// A place, until it is dropped.
pub(super) struct Seat {
    guests: Guests,
    address: IpAddr,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 3]),
    V6([u8; 7]),
}

impl Guests {
    /// A place for a caller; `None` if there is none for this one.
    pub(super) fn seat(&self, address: IpAddr) -> Option<Seat> {
        let address = address.to_canonical();
        let mut seated = self.lock();
        let is_kept = address.is_loopback() || seated.known.contains(&address);
        let (own, near) = (seated.own(address), seated.near(address));
        // Programs of one machine are one another's neighbours, and its owner's affair.
        let has_share = address.is_loopback() || (own < OF_ADDRESS && near < OF_NETWORK);
        let places = if is_kept { PLACES } else { PLACES - KEPT };
        if !has_share || seated.all >= places {
            return None;
        }
        seated.all += 1;
        *seated.of_address.entry(address).or_default() += 1;
        *seated.of_network.entry(network(address)).or_default() += 1;
        Some(Seat { guests: self.clone(), address })
    }

    /// This caller was given what it asked for.
    pub(super) fn remember(&self, address: IpAddr) {
        let (address, mut seated) = (address.to_canonical(), self.lock());
        if !seated.known.contains(&address) {
            seated.known.push_back(address);
            if seated.known.len() > KNOWN_MAX {
                seated.known.pop_front();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seated> {
        self.seated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    fn own(&self, address: IpAddr) -> usize {
        self.of_address.get(&address).copied().unwrap_or_default()
    }

    fn near(&self, address: IpAddr) -> usize {
        self.of_network.get(&network(address)).copied().unwrap_or_default()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seated = self.guests.lock();
        seated.all -= 1;
        leave(&mut seated.of_address, self.address);
        leave(&mut seated.of_network, network(self.address));
    }
}

fn leave<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: K) {
    let left = counts.get_mut(&of).map(|count| {
        *count -= 1;
        *count
    });
    if left == Some(0) {
        counts.remove(&of);
    }
}

fn network(address: IpAddr) -> Network {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Network::V4([a, b, c])
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, ..] = address.octets();
            Network::V6([a, b, c, d, e, f, g])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(a: u8, b: u8) -> IpAddr {
        [203, 0, a, b].into()
    }

    #[test]
    fn one_host_takes_a_few_places_and_not_all() {
        let guests = Guests::default();
        let mut seats: Vec<Seat> = (0..99).filter_map(|_| guests.seat(at(1, 1))).collect();
        assert_eq!(seats.len(), OF_ADDRESS);
        seats.extend((0..99).filter_map(|n| guests.seat(at(1, n))));
        assert_eq!(seats.len(), OF_NETWORK, "nor does its network");
        assert!(guests.seat(at(2, 1)).is_some(), "others come in");
        drop(seats);
        assert!(guests.seat(at(1, 1)).is_some(), "a place that was left is free");
        assert!(guests.lock().of_address.is_empty() && guests.lock().of_network.is_empty());
    }

    #[test]
    fn a_crowd_leaves_places_for_those_who_are_known_and_for_this_machine() {
        let guests = Guests::default();
        guests.remember(at(200, 1));
        let crowd: Vec<Seat> = (0..100).filter_map(|n| guests.seat(at(n, 1))).collect();
        assert_eq!(crowd.len(), PLACES - KEPT);
        assert!(guests.seat(at(201, 1)).is_none());
        let known = guests.seat(at(200, 1));
        let own: Vec<Seat> = (0..99).filter_map(|_| guests.seat([127, 0, 0, 1].into())).collect();
        assert!(known.is_some());
        assert_eq!(own.len(), KEPT - 1);
        assert!(guests.seat("::ffff:127.0.0.1".parse().unwrap()).is_none(), "the end of all places");
    }
}
