//! Addresses that people type and read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use merestone_core::id::hex;
use merestone_link::{BindError, Endpoint, PeerKey};
use merestone_node::replica::Replica;

use crate::exit::Failure;

/// The port of base camp, unless another is chosen: unassigned at IANA, and above those that need rights.
pub(crate) const PORT: u16 = 7_411;

/// A key and an address, as they are typed.
pub(crate) fn ticket(key: PeerKey, address: SocketAddr) -> String {
    format!("{}@{address}", hex(key.as_bytes()))
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
    fn a_bound_address_is_its_own() {
        let bound = "127.0.0.1:9".parse().expect("an address");
        assert_eq!(reachable(bound), Some(bound));
    }
}
