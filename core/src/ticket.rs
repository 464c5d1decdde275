//! Tickets: where another device answers and by which key it is known, as text to scan or paste (`spec/ticket.md`).
//!
//! A ticket proves nothing: who answers is shown by TLS and the hello. Nothing here opens a socket; an address is a value.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cbor::{Kind, Reader, Writer};
use crate::check::{Check, Refused};
use crate::id::MissionId;
use crate::roster::transfer::{self, Carried, MistypedText};
use crate::text::{self, Lines};

/// Most addresses in a ticket: a laptop with two networks has six.
pub const ADDRESSES_MAX: usize = 8;
/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Bytes of the mission's id in a ticket: enough to tell that a ticket is for another mission, which hello then makes sure of.
pub const MISSION_BYTES: usize = 8;

const VERSION: u64 = 1;

/// What another device needs in order to reach this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    mission: [u8; MISSION_BYTES],
    transport: [u8; 32],
    addresses: Vec<SocketAddr>,
    name: Option<String>,
}

/// A text is no ticket that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadTicketError {
    /// The text is not whole, or another text.
    #[error("the ticket is not whole: {0}")]
    Mistyped(MistypedText),
    /// A later version made it.
    #[error("the ticket is of version {version}, and this program reads version {VERSION}")]
    Newer {
        /// Its version.
        version: u64,
    },
    /// It breaks another rule of its page.
    #[error("the ticket is refused: {0}")]
    Refused(Refused),
}

impl From<Refused> for ReadTicketError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Ticket {
    /// A ticket to the device that proves `transport` at one of `addresses`, the likeliest first.
    ///
    /// What no other device can use is left out: the unspecified address, multicast, port 0, addresses of an IPv6 link
    /// (their zone has a meaning on this device only), what comes twice, and what is beyond [`ADDRESSES_MAX`].
    ///
    /// # Errors
    /// `size-limit` if no address is left or the name is longer than [`NAME_BYTES_MAX`], or what signed text must not hold.
    pub fn new(
        mission: MissionId,
        transport: [u8; 32],
        addresses: &[SocketAddr],
        name: Option<&str>,
    ) -> Result<Self, Refused> {
        let mut kept: Vec<SocketAddr> = Vec::new();
        for address in addresses.iter().map(|address| SocketAddr::new(address.ip().to_canonical(), address.port())) {
            if is_usable(address) && !kept.contains(&address) && kept.len() < ADDRESSES_MAX {
                kept.push(address);
            }
        }
        if kept.is_empty() {
            return Err(Refused { check: Check::SizeLimit, what: "addresses" });
        }
        if let Some(name) = name {
            check_name(name)?;
        }
        let mut hint = [0; MISSION_BYTES];
        hint.copy_from_slice(&mission.as_bytes()[..MISSION_BYTES]);
        Ok(Self { mission: hint, transport, addresses: kept, name: name.map(str::to_owned) })
    }

    /// Reads a ticket from text. White space and lower case are allowed.
    ///
    /// # Errors
    /// See [`ReadTicketError`].
    pub fn from_text(text: &str) -> Result<Self, ReadTicketError> {
        Self::decode(&transfer::decode(Carried::Ticket, text).map_err(ReadTicketError::Mistyped)?)
    }

    /// Whether `text` sets out to be a ticket, be it a good one or not.
    pub fn is_meant_by(text: &str) -> bool {
        let plain = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase());
        plain.zip(Carried::Ticket.prefix().chars()).filter(|(had, wanted)| had == wanted).count()
            == Carried::Ticket.prefix().len()
    }

    /// The ticket as text, in the alphanumeric set of QR codes; at most 446 characters.
    pub fn to_text(&self) -> String {
        transfer::encode(Carried::Ticket, &self.encode())
    }

    /// Whether it is for this mission, as far as its [`MISSION_BYTES`] tell.
    pub fn is_for(&self, mission: MissionId) -> bool {
        mission.as_bytes().starts_with(&self.mission)
    }

    /// The transport key that the device must prove.
    pub fn transport(&self) -> &[u8; 32] {
        &self.transport
    }

    /// Where it answers, the likeliest first; at least one.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the device calls itself. Anybody can write any name here.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(5).uint(VERSION).bytes(&self.mission).bytes(&self.transport).array(self.addresses.len());
        for address in &self.addresses {
            let mut bytes = match address.ip() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            };
            bytes.extend(address.port().to_be_bytes());
            w.bytes(&bytes);
        }
        match &self.name {
            Some(name) => w.text(name),
            None => w.null(),
        };
        w.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReadTicketError> {
        let r = &mut Reader::new(bytes);
        let items = r.array(16, "ticket")?;
        let version = r.uint("version")?;
        if version > VERSION {
            return Err(ReadTicketError::Newer { version });
        }
        if version != VERSION || items != 5 {
            return Err(refused("ticket").into());
        }
        let (mission, transport) = (r.array_of("mission")?, r.array_of("transport key")?);
        let mut addresses = Vec::new();
        for _ in 0..r.array(ADDRESSES_MAX, "addresses")? {
            let address = decode_address(r.bytes("address")?).ok_or(refused("address"))?;
            if addresses.contains(&address) {
                return Err(refused("addresses").into());
            }
            addresses.push(address);
        }
        r.leave();
        let name = match r.peek("name")? {
            Kind::Null => r.null("name").map(|()| None)?,
            _ => Some(r.text(NAME_BYTES_MAX, "name")?.to_owned()),
        };
        r.leave();
        r.clone().finish("ticket")?;
        if addresses.is_empty() || name.as_deref().is_some_and(str::is_empty) {
            return Err(refused("ticket").into());
        }
        Ok(Self { mission, transport, addresses, name })
    }
}

fn check_name(name: &str) -> Result<(), Refused> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Refused { check: Check::SizeLimit, what: "name" });
    }
    text::check(name, Lines::One, "name")
}

fn decode_address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip = match ip.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
        _ => return None,
    };
    let address = SocketAddr::new(ip, u16::from_be_bytes(*port));
    (is_usable(address) && ip.to_canonical() == ip).then_some(address)
}

fn is_usable(address: SocketAddr) -> bool {
    let of_a_link = matches!(address.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local());
    address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast() && !of_a_link
}

fn refused(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSION: MissionId = MissionId::from_bytes([7; 32]);

    fn ticket(addresses: &[&str], name: Option<&str>) -> Result<Ticket, Refused> {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Ticket::new(MISSION, [9; 32], &addresses, name)
    }

    #[test]
    fn a_ticket_reads_back_however_it_was_copied() {
        let ticket = ticket(&["192.168.1.5:7411", "[2001:db8::5]:7411"], Some("Олена 3")).expect("a ticket");
        let text = ticket.to_text();
        let broken =
            text.as_bytes().chunks(40).map(|line| String::from_utf8_lossy(line) + "\r\n> ").collect::<String>();
        for text in [text.clone(), text.to_lowercase(), broken.replace('>', " ")] {
            assert!(Ticket::is_meant_by(&text));
            assert_eq!(Ticket::from_text(&text), Ok(ticket.clone()));
        }
        assert!(ticket.is_for(MISSION) && !ticket.is_for(MissionId::from_bytes([8; 32])));
        assert!(!Ticket::is_meant_by("MERESTONE-REQUEST:AA") && !Ticket::is_meant_by("MERE"));
    }

    #[test]
    fn the_longest_ticket_is_short() {
        let many: Vec<_> = (1..=9).map(|at| format!("[2001:db8::{at}]:7411")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let longest = ticket(&many, Some(&"n".repeat(NAME_BYTES_MAX))).expect("a ticket");
        assert_eq!(longest.addresses().len(), ADDRESSES_MAX);
        assert_eq!(longest.to_text().len(), 446);
        assert_eq!(Ticket::from_text(&longest.to_text()), Ok(longest));
    }

    #[test]
    fn what_no_other_device_can_use_is_left_out() {
        let all = [
            "0.0.0.0:1",
            "224.0.0.1:1",
            "10.0.0.1:0",
            "[fe80::1]:1",
            "10.0.0.1:1",
            "10.0.0.1:1",
            "[::ffff:10.0.0.1]:1",
        ];
        assert_eq!(ticket(&all, None).expect("one is left").addresses(), ["10.0.0.1:1".parse().expect("an address")]);
        assert!(ticket(&all[..4], None).is_err());
        for name in [String::new(), "n".repeat(65), "two\nlines".into()] {
            assert!(ticket(&["10.0.0.1:1"], Some(&name)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_later_version_is_said_and_every_other_change_is_refused() {
        let good = ticket(&["10.0.0.1:1"], None).expect("a ticket");
        let bytes = good.encode();
        let mut newer = bytes.clone();
        newer[1] = 2;
        assert_eq!(Ticket::decode(&newer), Err(ReadTicketError::Newer { version: 2 }));
        for at in 0..bytes.len() {
            assert!(Ticket::decode(&bytes[..at]).is_err(), "cut at {at}");
            let mut text = good.to_text().into_bytes();
            let at = Carried::Ticket.prefix().len() + at;
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).expect("ASCII");
            assert!(matches!(Ticket::from_text(&text), Err(ReadTicketError::Mistyped(_))), "{at}");
        }
    }
}
