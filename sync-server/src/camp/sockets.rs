//! Addresses that people type and read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};

use merestone_link::{BindError, Endpoint, PeerKey};
use merestone_node::replica::Replica;

use crate::exit::{Code, Failure};

/// The port of base camp, unless another is chosen: unassigned at IANA, and above those that need rights.
const PORT: u16 = 7_411;

/// Where somebody answers, and by which transport key it is known: `KEY@HOST:PORT`, or `HOST:PORT` for whoever answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) key: Option<PeerKey>,
    pub(crate) host: String,
}

impl Ticket {
    /// Reads a ticket.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (key, host) = match text.split_once('@') {
            Some((key, host)) => {
                let id = merestone_core::id::MissionId::from_hex(key);
                let id = id.ok_or("the key in front of @ is 64 hex digits, as base camp prints them")?;
                (Some(PeerKey::from_bytes(*id.as_bytes())), host)
            }
            None => (None, text),
        };
        let is_whole =
            host.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
        if !is_whole {
            return Err("write KEY@HOST:PORT, as base camp prints it".to_owned());
        }
        Ok(Self { key, host: host.to_owned() })
    }
}

/// The ticket for a key and an address.
pub(crate) fn ticket(key: PeerKey, address: SocketAddr) -> String {
    let key: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{key}@{address}")
}

/// The addresses of a host.
///
/// # Errors
/// If its name is not known.
pub(crate) fn resolve(host: &str) -> Result<Vec<SocketAddr>, Failure> {
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
    fn a_ticket_reads_back() {
        let key = PeerKey::from_bytes([0xab; 32]);
        for address in ["127.0.0.1:7411", "[::1]:7411"] {
            let text = ticket(key, address.parse().expect("an address"));
            assert_eq!(Ticket::read(&text), Ok(Ticket { key: Some(key), host: address.to_owned() }));
        }
        assert_eq!(Ticket::read("camp.local:1"), Ok(Ticket { key: None, host: "camp.local:1".to_owned() }));
    }

    #[test]
    fn what_is_no_ticket_is_refused() {
        for text in ["", "camp", "camp:", ":1", "ab@camp:1", "camp:70000", &format!("{}@", "ab".repeat(32))] {
            assert!(Ticket::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bound_address_is_its_own() {
        let bound = "127.0.0.1:9".parse().expect("an address");
        assert_eq!(reachable(bound), Some(bound));
    }
}
