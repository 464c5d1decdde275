//! What is announced of this device; it is not made up here.

use std::net::IpAddr;

use mdns_sd::{IfKind, ServiceInfo};

use super::SERVICE;

/// An announcement: public to the whole network, so it names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Names the instance and the host in every record: lowercase hex digits, new for each announcement.
    pub instance: String,
    /// The UDP port at which the device answers.
    pub port: u16,
    /// The address at which it answers; `None` for all that this machine has, also later, and 0.0.0.0 for its IPv4 ones.
    pub address: Option<IpAddr>,
    /// Versions of the conversation, newest first.
    pub versions: Vec<u64>,
    /// Bytes that those whom it concerns understand.
    pub advert: Vec<u8>,
}

impl Announcement {
    pub(super) fn info(&self) -> Result<ServiceInfo, mdns_sd::Error> {
        let versions: Vec<_> = self.versions.iter().map(u64::to_string).collect();
        let text = [("v", versions.join(",")), ("a", hex(&self.advert))];
        let host = format!("{}.local.", self.instance);
        let one = self.address.filter(|address| !address.is_unspecified());
        let addresses: Vec<IpAddr> = one.into_iter().collect();
        let mut info = ServiceInfo::new(SERVICE, &self.instance, &host, addresses.as_slice(), self.port, &text[..])?;
        match (one, self.address) {
            (Some(address), _) => info.set_interfaces(vec![IfKind::Addr(address)]),
            (None, Some(_)) => {
                info = info.enable_addr_auto();
                info.set_interfaces(vec![IfKind::IPv4]);
            }
            (None, None) => info = info.enable_addr_auto(),
        }
        // The name is random: asking whether somebody has it would take three quarters of a second of a short meeting.
        info.set_requires_probe(false);
        Ok(info)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
