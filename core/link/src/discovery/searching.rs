//! What is heard of others. Anybody on the network can say anything, so everything is bounded.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use mdns_sd::{Receiver, ResolvedService, ScopedIp, ServiceEvent};

/// Most announcements looked at in one search: a room full of phones, or somebody who makes them up.
const FOUND_MAX: usize = 256;
/// Most addresses of one announcement.
const ADDRESSES_MAX: usize = 16;
/// Most versions of one announcement.
const VERSIONS_MAX: usize = 16;
/// Longest advert, in bytes.
const ADVERT_BYTES_MAX: usize = 120;

/// A search under way.
pub struct Search {
    events: Receiver<ServiceEvent>,
    looked_at: usize,
}

/// Somebody announced this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Versions of the conversation that it says it speaks.
    pub versions: Vec<u64>,
    /// Its bytes.
    pub advert: Vec<u8>,
    /// Where it says it answers, with the interface on which it was heard where an address needs one; IPv4 first.
    pub addresses: Vec<SocketAddr>,
}

impl Search {
    pub(super) fn new(events: Receiver<ServiceEvent>) -> Self {
        Self { events, looked_at: 0 }
    }

    /// The next announcement that is one; the same may come again with other addresses. `None` when there were as many
    /// as one search looks at, or listening has ended. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Found> {
        while self.looked_at < FOUND_MAX {
            let ServiceEvent::ServiceResolved(service) = self.events.recv_async().await.ok()? else { continue };
            self.looked_at += 1;
            if let Some(found) = read(&service) {
                return Some(found);
            }
        }
        None
    }
}

/// Shows how many were looked at.
impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("looked_at", &self.looked_at).finish_non_exhaustive()
    }
}

fn read(service: &ResolvedService) -> Option<Found> {
    let advert = unhex(service.get_property_val_str("a")?)?;
    let versions = service.get_property_val_str("v")?.split(',').take(VERSIONS_MAX);
    let versions = versions.map(|version| version.parse().ok()).collect::<Option<Vec<u64>>>()?;
    let port = service.get_port();
    let mut addresses: Vec<_> = service.get_addresses().iter().map(|ip| address(ip, port)).collect();
    addresses.sort();
    addresses.truncate(ADDRESSES_MAX);
    (port != 0 && !addresses.is_empty()).then_some(Found { versions, advert, addresses })
}

fn address(ip: &ScopedIp, port: u16) -> SocketAddr {
    match (ip, ip.to_ip_addr()) {
        // An address of a link is one only together with the interface it was heard on.
        (ScopedIp::V6(scoped), IpAddr::V6(ip)) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, port, 0, scoped.scope_id().index).into()
        }
        (_, ip) => SocketAddr::new(ip, port),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() > 2 * ADVERT_BYTES_MAX || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::Announcement;

    #[test]
    fn an_announcement_is_read_as_it_was_made() {
        let made = Announcement {
            instance: "0011223344556677".into(),
            port: 7_411,
            address: Some(IpAddr::from([10, 0, 0, 1])),
            versions: vec![2, 1],
            advert: (0..56).collect(),
        };
        let heard = made.info().expect("DNS can carry it").as_resolved_service();
        let wanted =
            Found { versions: vec![2, 1], advert: made.advert, addresses: vec!["10.0.0.1:7411".parse().unwrap()] };
        assert_eq!(read(&heard), Some(wanted));
    }

    #[test]
    fn what_is_no_announcement_of_ours_is_passed_over() {
        let good = ["2,1", "00ff"];
        for [versions, advert] in
            [["two", good[1]], [good[0], "0"], [good[0], "zz"], [good[0], &"00".repeat(121)], ["", good[1]]]
        {
            let text = [("v", versions), ("a", advert)];
            let info = mdns_sd::ServiceInfo::new(super::super::SERVICE, "x", "x.local.", "10.0.0.1", 1, &text[..]);
            assert_eq!(read(&info.expect("DNS can carry it").as_resolved_service()), None, "{text:?}");
        }
        assert!(unhex("00ff").is_some());
    }
}
