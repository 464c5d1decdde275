//! Whom to meet, and how.

use std::net::SocketAddr;

use merestone_core::id::MissionId;
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_node::place::{Place, PlaceError, Resolved, read_key};
use merestone_node::replica::{Meet, Retry};

use super::NearbyLine;
use crate::error::PhoneError;
use crate::provided::LinkHint;

/// Whom to meet.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncTarget {
    /// A ticket, scanned or pasted.
    Ticket {
        /// Its text.
        text: String,
    },
    /// An address, and the transport key that must answer there; without one, whoever answers proves that it belongs to the
    /// mission, and learns this phone's transport key.
    Address {
        /// `HOST:PORT`.
        address: String,
        /// 64 hex digits.
        transport_key: Option<String>,
    },
    /// What a person typed, pasted or scanned: a ticket, `KEY@HOST:PORT` or `HOST:PORT`.
    Typed {
        /// The text.
        text: String,
    },
    /// Somebody whom `find_nearby` found.
    Peer {
        /// As it was found.
        peer: NearbyLine,
    },
}

/// How to meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct SyncOptions {
    /// Stay connected after both hold the same, and pass on what is saved then.
    #[uniffi(default = false)]
    pub stay: bool,
    /// Attempts in a row without any progress after which to give up; by default 16, which is more than three minutes.
    #[uniffi(default = None)]
    pub attempts_max: Option<u32>,
    /// Whether to fetch the camera's files. By default they are left for later on a link that the app says is metered.
    #[uniffi(default = None)]
    pub originals: Option<bool>,
    /// Most bytes of photos to fetch in one conversation; the others come with a later one.
    #[uniffi(default = None)]
    pub photo_bytes_max: Option<u64>,
}

impl SyncTarget {
    /// The addresses to try. May ask the system for those of a name.
    pub(crate) fn resolve(&self, mission: MissionId) -> Result<Resolved, PhoneError> {
        match self {
            Self::Ticket { text } | Self::Typed { text } => Ok(Place::read(text)?.resolve(mission)?),
            Self::Address { address, transport_key } => {
                let key = transport_key.as_deref().map(read_key).transpose()?;
                match Place::read(address)? {
                    Place::Address { key: None, host } => Ok(Place::Address { key, host }.resolve(mission)?),
                    Place::Address { key: Some(_), host: _ } | Place::Ticket(_) => Err(PlaceError::Shape.into()),
                }
            }
            Self::Peer { peer } => {
                let address = |text: &String| text.parse::<SocketAddr>().map_err(|_| PlaceError::Shape);
                let addresses = peer.addresses.iter().map(address).collect::<Result<_, _>>()?;
                Ok(Resolved { expected: Some(read_key(&peer.transport_key)?), addresses })
            }
        }
    }
}

impl SyncOptions {
    pub(crate) fn retry(&self) -> Retry {
        let usual = Retry::default();
        Retry { attempts_max: self.attempts_max.unwrap_or(usual.attempts_max), ..usual }
    }

    /// What to fetch from where, over a link like this.
    pub(crate) fn meet(&self, at: Resolved, link: Option<LinkHint>) -> Meet {
        let Resolved { expected, addresses } = at;
        let wants_originals = self.originals.unwrap_or(!link.is_some_and(|link| link.is_metered));
        let wants = match wants_originals {
            true => Wants::EVERYTHING,
            false => Wants::entries_and(&[BlobClass::Thumbnail, BlobClass::Preview]),
        };
        let photo_bytes_max = self.photo_bytes_max.unwrap_or(u64::MAX);
        Meet { addresses, expected, stay: self.stay, wants, photo_bytes_max }
    }
}
