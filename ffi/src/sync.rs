//! What a meeting of two phones looks like to an app: whom to meet, how far it has come, what it came to.

use std::net::SocketAddr;
use std::sync::Arc;

use merestone_core::id::{MissionId, hex};
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_node::nearby::NearbyPeer;
use merestone_node::place::{Place, PlaceError, Resolved, read_key};
use merestone_node::replica::{
    Caller, Meet, MissingByPerson, MissingWork, PeerInfo, Person, Retry, SyncOutcome, SyncProgress,
};

use crate::error::PhoneError;
use crate::ids::count;
use crate::person::QrLine;
use crate::provided::LinkHint;
use crate::teller::News;

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

/// Who a peer proved to be.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PeerLine {
    /// The name of its party.
    pub party: String,
    /// The name of the observer.
    pub observer: String,
    /// The name of the device.
    pub device: String,
    /// Its role.
    pub role: String,
    /// Its party cut the key.
    pub is_cut: bool,
}

/// How far a conversation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct SyncState {
    /// Who it is with, once that is proved.
    pub peer: Option<PeerLine>,
    /// Entries that the peer made durable.
    pub entries_sent: u64,
    /// Entries that are durable here.
    pub entries_received: u64,
    /// Photos and small pictures sent whole.
    pub photos_sent: u64,
    /// Photos and small pictures that are held whole now.
    pub photos_received: u64,
    /// Bytes of photos handed to the link.
    pub bytes_sent: u64,
    /// Bytes of photos that are durable here.
    pub bytes_received: u64,
    /// Both said that they hold the same and nothing is missing.
    pub is_fully_synced: bool,
}

/// What is missing of one person's work.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MissingLine {
    /// The observer; none while no certificate says whose it is.
    pub observer: Option<String>,
    /// The name of the party.
    pub party: Option<String>,
    /// The name of the device.
    pub device: Option<String>,
    /// Entries.
    pub entries: u64,
    /// Bodies of entries that are held.
    pub bodies: u64,
    /// Photos and small pictures.
    pub photos: u64,
}

/// What the last conversation of a meeting came to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// How far it came.
    pub state: SyncState,
    /// Both hold the same of the scopes that both certificates grant, and nothing is missing: the one case that may be called
    /// synced.
    pub is_fully_synced: bool,
    /// The same of what both sides wanted on this link: photos that one of them did not want may be missing.
    pub is_synced_as_wanted: bool,
    /// How it ended: a name that programs may rely on. `done` or `stopped` where nothing went wrong.
    pub end_code: String,
    /// The same for people.
    pub end_says: String,
    /// What a person can do; empty for nothing.
    pub advice: String,
    /// Scopes of this phone that the peer has no part in: nothing was said of these.
    pub scopes_not_shared: Vec<String>,
    /// Logs of which less is held here than the peer has, or with a gap.
    pub missing_logs: u32,
    /// Bodies of entries that are held and that came from nobody.
    pub missing_bodies: u32,
    /// Photos and small pictures that are not held here.
    pub missing_photos: u32,
    /// What is missing here, by person.
    pub missing_here: Vec<MissingLine>,
    /// What the peer does not hold, by person, as far as it told.
    pub missing_there: Vec<MissingLine>,
    /// Photos and small pictures that were not asked for, because `photo_bytes_max` was reached.
    pub left_out: u64,
    /// Why statements of the peer were refused: names that programs may rely on, each once.
    pub refused: Vec<String>,
    /// Why the peer was not told by a receipt what is held here.
    pub no_receipt: Option<String>,
    /// Bytes sent over the network, everything included.
    pub network_bytes_sent: u64,
    /// Bytes received.
    pub network_bytes_received: u64,
}

/// A phone or camp of the mission on this network.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NearbyLine {
    /// The transport key that it must prove, 64 hex digits.
    pub transport_key: String,
    /// Where it says that it answers, `ADDRESS:PORT`.
    pub addresses: Vec<String>,
    /// Whether it speaks a version that this phone speaks; if not, one of the two needs an update.
    pub speaks_ours: bool,
}

/// The way to this phone, for who wants to meet it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TicketLine {
    /// To be pasted.
    pub text: String,
    /// To be scanned.
    pub qr: Option<QrLine>,
}

/// Somebody who called.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallerLine {
    /// Where it called from the last time, `ADDRESS:PORT`.
    pub address: String,
    /// How many of its conversations are under way.
    pub connections: u32,
    /// How far the newest one has come.
    pub state: SyncState,
    /// What the last one that ended came to.
    pub report: Option<SyncReport>,
}

/// Hears how far a meeting has come: at most ten times a second, and always of the last state.
#[uniffi::export(foreign)]
pub trait SyncListener: Send + Sync {
    /// It came further. Called on a thread of its own; what it throws is nobody's loss.
    fn on_progress(&self, state: SyncState);
}

/// Hears who is found, each once, as soon as it is.
#[uniffi::export(foreign)]
pub trait NearbyListener: Send + Sync {
    /// Somebody is there. Called on a thread of its own; what it throws is nobody's loss.
    fn on_found(&self, peer: NearbyLine);
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

impl From<&PeerInfo> for PeerLine {
    fn from(peer: &PeerInfo) -> Self {
        let PeerInfo { store: _, certificate: _, person, role, is_cut } = peer;
        let Person { party, observer, device } = person.clone();
        Self { party, observer, device, role: role.name().to_owned(), is_cut: *is_cut }
    }
}

impl From<&SyncProgress> for SyncState {
    fn from(state: &SyncProgress) -> Self {
        let SyncProgress { peer, progress, is_fully_synced } = state;
        let sum = |of: fn(&merestone_core::sync::BlobProgress) -> u64| progress.blobs.iter().map(of).sum();
        Self {
            peer: peer.as_ref().map(Into::into),
            entries_sent: progress.entries_sent,
            entries_received: progress.entries_received,
            photos_sent: sum(|blobs| blobs.sent),
            photos_received: sum(|blobs| blobs.received),
            bytes_sent: sum(|blobs| blobs.bytes_sent),
            bytes_received: sum(|blobs| blobs.bytes_received),
            is_fully_synced: *is_fully_synced,
        }
    }
}

impl From<&SyncOutcome> for SyncReport {
    fn from(outcome: &SyncOutcome) -> Self {
        let state = SyncProgress {
            peer: outcome.peer.clone(),
            progress: outcome.progress,
            is_fully_synced: outcome.is_fully_synced,
        };
        let mut refused: Vec<String> =
            outcome.refused.iter().map(|refused| refused.refused.check.code().to_owned()).collect();
        refused.sort_unstable();
        refused.dedup();
        let missing = &outcome.missing_here;
        Self {
            state: (&state).into(),
            is_fully_synced: outcome.is_fully_synced,
            is_synced_as_wanted: outcome.is_synced_as_wanted,
            end_code: outcome.end.code().to_owned(),
            end_says: outcome.end.to_string(),
            advice: outcome.end.advice().to_owned(),
            scopes_not_shared: outcome.scopes_not_shared.iter().map(ToString::to_string).collect(),
            missing_logs: count(missing.logs.len()),
            missing_bodies: count(missing.bodies.len()),
            missing_photos: count(missing.photos.len() + missing.photos_unlisted),
            missing_here: missing_lines(missing.by_person()),
            missing_there: missing_lines(outcome.missing_there_by_person()),
            left_out: outcome.progress.blobs.iter().map(|blobs| blobs.left_out).sum(),
            refused,
            no_receipt: outcome.no_receipt.as_ref().map(ToString::to_string),
            network_bytes_sent: outcome.bytes_sent,
            network_bytes_received: outcome.bytes_received,
        }
    }
}

fn missing_lines(missing: MissingByPerson) -> Vec<MissingLine> {
    let line = |(person, work): (Option<Person>, MissingWork)| {
        let MissingWork { entries, bodies, photos } = work;
        let (observer, party, device) = match person {
            Some(Person { party, observer, device }) => (Some(observer), Some(party), Some(device)),
            None => (None, None, None),
        };
        MissingLine { observer, party, device, entries, bodies, photos }
    };
    missing.into_iter().map(line).collect()
}

impl From<&NearbyPeer> for NearbyLine {
    fn from(peer: &NearbyPeer) -> Self {
        let NearbyPeer { transport, addresses, speaks_ours } = peer;
        Self {
            transport_key: hex(transport.as_bytes()),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            speaks_ours: *speaks_ours,
        }
    }
}

impl From<Caller> for CallerLine {
    fn from(caller: Caller) -> Self {
        let Caller { transport: _, address, connections, progress, outcome } = caller;
        Self {
            address: address.to_string(),
            connections: count(connections),
            state: (&progress).into(),
            report: outcome.as_deref().map(Into::into),
        }
    }
}

/// The newest state is told, and what was before it is not.
impl News for SyncState {
    fn add(&mut self, later: Self) {
        *self = later;
    }
}

/// Everybody who was found since the app was told.
pub(crate) struct Found(pub(crate) Vec<NearbyLine>);

impl News for Found {
    fn add(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

/// Tells a listener how far a meeting has come.
pub(crate) fn progress_teller(listener: Option<Arc<dyn SyncListener>>) -> Option<crate::teller::Teller<SyncState>> {
    listener.and_then(|listener| crate::teller::Teller::start(move |state| listener.on_progress(state)))
}
