//! Where somebody answers, as people type, paste or scan it.

use std::net::{SocketAddr, ToSocketAddrs as _};

use merestone_core::id::MissionId;
use merestone_core::ticket::{ReadTicketError, Ticket};
use merestone_link::PeerKey;

/// Where somebody answers, and by which transport key it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// As a device's ticket says it.
    Ticket(Ticket),
    /// `KEY@HOST:PORT`, or `HOST:PORT` for whoever answers.
    Address {
        /// The transport key that it must prove.
        key: Option<PeerKey>,
        /// A name or an address, and a port.
        host: String,
    },
}

/// What is to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The transport key that the peer must prove; `None` for whoever answers.
    pub expected: Option<PeerKey>,
    /// Where it may answer, the likeliest first; at least one.
    pub addresses: Vec<SocketAddr>,
}

/// Nobody can be called there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It begins like a ticket, and something of it is not what was made.
    #[error("{0}; scan or copy it again")]
    Ticket(ReadTicketError),
    /// What stands in front of the @ is no key.
    #[error("the key in front of @ is 64 hex digits, as base camp prints them")]
    Key,
    /// Neither a ticket nor an address with a port.
    #[error("write KEY@HOST:PORT, or give the ticket, as the other device prints them")]
    Shape,
    /// The ticket is to a device of another mission.
    #[error("the ticket is for another mission than {mission}; use the device of that mission")]
    OtherMission {
        /// This device's mission.
        mission: MissionId,
    },
    /// The host's name has no address now.
    #[error("nobody is known as {host}; check the name, or give the address as numbers")]
    UnknownHost {
        /// The name and the port.
        host: String,
    },
}

impl Place {
    /// Reads a place.
    ///
    /// # Errors
    /// [`PlaceError::Ticket`], [`PlaceError::Key`], [`PlaceError::Shape`].
    pub fn read(text: &str) -> Result<Self, PlaceError> {
        let text = text.trim();
        if Ticket::is_meant_by(text) {
            return Ticket::from_text(text).map(Self::Ticket).map_err(PlaceError::Ticket);
        }
        let (key, host) = match text.split_once('@') {
            Some((key, host)) => (Some(read_key(key)?), host),
            None => (None, text),
        };
        let is_whole =
            host.rsplit_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
        if is_whole { Ok(Self::Address { key, host: host.to_owned() }) } else { Err(PlaceError::Shape) }
    }

    /// The addresses of the place, for a device of `mission`. Asks the system for those of a name, which may take seconds.
    ///
    /// # Errors
    /// [`PlaceError::OtherMission`], [`PlaceError::UnknownHost`].
    pub fn resolve(&self, mission: MissionId) -> Result<Resolved, PlaceError> {
        match self {
            Self::Ticket(ticket) if !ticket.is_for(mission) => Err(PlaceError::OtherMission { mission }),
            Self::Ticket(ticket) => Ok(Resolved {
                expected: Some(PeerKey::from_bytes(*ticket.transport())),
                addresses: ticket.addresses().to_vec(),
            }),
            Self::Address { key, host } => {
                let addresses: Vec<_> = host.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
                if addresses.is_empty() {
                    return Err(PlaceError::UnknownHost { host: host.clone() });
                }
                Ok(Resolved { expected: *key, addresses })
            }
        }
    }
}

/// A transport key as 64 hex digits.
///
/// # Errors
/// [`PlaceError::Key`].
pub fn read_key(text: &str) -> Result<PeerKey, PlaceError> {
    // Any 32 bytes: whether it is the peer's, the peer proves.
    MissionId::from_hex(text).map(|bytes| PeerKey::from_bytes(*bytes.as_bytes())).ok_or(PlaceError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        let key = PeerKey::from_bytes([0xab; 32]);
        for address in ["127.0.0.1:7411", "[::1]:7411"] {
            let text = format!("{}@{address}", "ab".repeat(32));
            assert_eq!(Place::read(&text), Ok(Place::Address { key: Some(key), host: address.to_owned() }));
        }
        assert_eq!(Place::read("camp.local:1"), Ok(Place::Address { key: None, host: "camp.local:1".to_owned() }));
        let (mission, address) = (MissionId::from_bytes([1; 32]), "10.0.0.1:7411".parse().unwrap());
        let ticket = Ticket::new(mission, [0xab; 32], &[address], None).unwrap();
        let place = Place::read(&format!(" {}\n", ticket.to_text().to_lowercase())).unwrap();
        let found = place.resolve(mission).unwrap();
        assert_eq!(found, Resolved { expected: Some(key), addresses: vec![address] });
        let other = MissionId::from_bytes([2; 32]);
        assert_eq!(place.resolve(other), Err(PlaceError::OtherMission { mission: other }));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let short = format!("{}@", "ab".repeat(32));
        for text in ["", "camp", "camp:", ":1", "ab@camp:1", "camp:70000", &short, "MERESTONE-TICKET:AAAA"] {
            assert!(Place::read(text).is_err(), "{text}");
        }
    }
}
