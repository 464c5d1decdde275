//! Addresses that people type and read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};

use merestone_core::id::{MissionId, hex};
use merestone_core::ticket::Ticket;
use merestone_link::{BindError, Endpoint, PeerKey};
use merestone_node::replica::Replica;

use crate::exit::{Code, Failure};

/// The port of base camp, unless another is chosen: unassigned at IANA, and above those that need rights.
pub(crate) const PORT: u16 = 7_411;

/// Where somebody answers, and by which transport key it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// As `merestone device ticket` says it.
    Ticket(Ticket),
    /// `KEY@HOST:PORT`, or `HOST:PORT` for whoever answers.
    Address { key: Option<PeerKey>, host: String },
}

/// What is to be tried.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) expected: Option<PeerKey>,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Place {
    /// Reads a place.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if Ticket::is_meant_by(text) {
            return Ticket::from_text(text)
                .map(Self::Ticket)
                .map_err(|error| format!("{error}; scan or copy it again"));
        }
        let (key, host) = match text.split_once('@') {
            Some((key, host)) => {
                let id = MissionId::from_hex(key);
                let id = id.ok_or("the key in front of @ is 64 hex digits, as base camp prints them")?;
                (Some(PeerKey::from_bytes(*id.as_bytes())), host)
            }
            None => (None, text),
        };
        let is_whole =
            host.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
        if !is_whole {
            return Err("write KEY@HOST:PORT, or give the ticket, as the other device prints them".to_owned());
        }
        Ok(Self::Address { key, host: host.to_owned() })
    }

    /// The addresses of the place, for a device of `mission`.
    ///
    /// # Errors
    /// If the ticket is another mission's, or the host's name is not known.
    pub(crate) fn resolve(&self, mission: MissionId) -> Result<Resolved, Failure> {
        match self {
            Self::Ticket(ticket) if !ticket.is_for(mission) => {
                let line = format!("the ticket is for another mission than {mission}; use the device of that mission");
                Err(Failure::new(Code::BadInput, line))
            }
            Self::Ticket(ticket) => Ok(Resolved {
                expected: Some(PeerKey::from_bytes(*ticket.transport())),
                addresses: ticket.addresses().to_vec(),
            }),
            Self::Address { key, host } => Ok(Resolved { expected: *key, addresses: resolve(host)? }),
        }
    }
}

/// A key and an address, as they are typed.
pub(crate) fn ticket(key: PeerKey, address: SocketAddr) -> String {
    format!("{}@{address}", hex(key.as_bytes()))
}

/// The addresses of a host.
///
/// # Errors
/// If its name is not known.
fn resolve(host: &str) -> Result<Vec<SocketAddr>, Failure> {
    let found: Vec<_> = host.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    if found.is_empty() {
        let line = format!("nobody is known as {host}; check the name, or give the address as numbers");
        return Err(Failure::new(Code::Unreachable, line));
    }
    Ok(found)
}

/// Binds the address asked for; without one, [`PORT`] on every interface, with IPv6 where the system has it.
///
/// # Errors
/// If the system refuses.
pub(crate) fn bind(replica: &Replica, address: Option<SocketAddr>) -> Result<Endpoint, Failure> {
    if let Some(address) = address {
        return Ok(replica.bind(address)?);
    }
    match replica.bind((Ipv6Addr::UNSPECIFIED, PORT).into()) {
        Err(BindError::NoIpv6) => {
            tracing::warn!("this system has no IPv6: answering on IPv4 only");
            Ok(replica.bind((Ipv4Addr::UNSPECIFIED, PORT).into())?)
        }
        bound => Ok(bound?),
    }
}

/// An address at which others can reach one that is bound to every interface: the one that this machine would call from.
/// `None` if it has no network.
pub(crate) fn reachable(bound: SocketAddr) -> Option<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return Some(bound);
    }
    // Connecting a UDP socket sends nothing; the system only chooses the interface. The addresses are for documentation.
    let towards: [SocketAddr; 2] =
        [(Ipv4Addr::new(192, 0, 2, 1), PORT).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), PORT).into()];
    let own = |towards: SocketAddr| {
        let any: IpAddr = if towards.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(towards).ok()?;
        socket.local_addr().ok()
    };
    let candidates = towards.into_iter().filter(|towards| bound.is_ipv6() || towards.is_ipv4());
    candidates.filter_map(own).next().map(|own| SocketAddr::new(own.ip(), bound.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        let key = PeerKey::from_bytes([0xab; 32]);
        for address in ["127.0.0.1:7411", "[::1]:7411"] {
            let text = ticket(key, address.parse().expect("an address"));
            assert_eq!(Place::read(&text), Ok(Place::Address { key: Some(key), host: address.to_owned() }));
        }
        assert_eq!(Place::read("camp.local:1"), Ok(Place::Address { key: None, host: "camp.local:1".to_owned() }));
        let (mission, address) = (MissionId::from_bytes([1; 32]), "10.0.0.1:7411".parse().expect("an address"));
        let ticket = Ticket::new(mission, [0xab; 32], &[address], None).expect("a ticket");
        let place = Place::read(&ticket.to_text().to_lowercase()).expect("a ticket");
        let found = place.resolve(mission).expect("its mission");
        assert_eq!((found.expected, found.addresses), (Some(key), vec![address]));
        assert!(place.resolve(MissionId::from_bytes([2; 32])).is_err());
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let short = format!("{}@", "ab".repeat(32));
        for text in ["", "camp", "camp:", ":1", "ab@camp:1", "camp:70000", &short, "MERESTONE-TICKET:AAAA"] {
            assert!(Place::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bound_address_is_its_own() {
        let bound = "127.0.0.1:9".parse().expect("an address");
        assert_eq!(reachable(bound), Some(bound));
    }
}
