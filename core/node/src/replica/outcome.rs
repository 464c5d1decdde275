//! How a conversation ended, and what is missing where: by person, by log, by photo.

use std::collections::HashSet;
use std::fmt;

use merestone_core::check::Refused;
use merestone_core::id::{BlobHash, EntryId, LogId, RecordId, ScopeId, StatementId, StoreId};
use merestone_core::roster::{Certificate, Class, Role, Roster};
use merestone_core::sync::frame::BlobClass;
use merestone_core::sync::{BlobFailure, CloseCode, Progress, RestState, Session};
use merestone_link::{Loss, PeerKey, Violation, close_code};
use merestone_store::{LogTip, PAGE_LINKS_MAX, ReadError, Store};

use super::Shared;
use super::receipt::NoReceipt;
use crate::device::AccessError;

/// Most items of one list in an outcome; [`MissingHere`] counts the rest.
const LIST_MAX: usize = 4_096;

/// What a conversation came to.
#[derive(Debug)]
pub struct SyncOutcome {
    /// Who the peer proved to be; `None` if it ended before that.
    pub peer: Option<PeerInfo>,
    /// The transport key that TLS proved.
    pub transport: PeerKey,
    /// Both sides said at the end that they hold the same of the scopes that both certificates grant, and nothing is missing:
    /// the one case that is called synced.
    pub is_fully_synced: bool,
    /// The same of everything that both sides wanted on this link: photos that one of them did not want may be missing.
    pub is_synced_as_wanted: bool,
    /// How it ended.
    pub end: End,
    /// How both sides compared when they last rested; `None` if they never did.
    pub rest: Option<RestState>,
    /// Scopes that this device's certificate grants and the peer's does not, ascending: nothing was said of them, and what was
    /// written there is no more in two places than before. Empty as long as the peer is not known.
    pub scopes_not_shared: Vec<ScopeId>,
    /// What is not held here.
    pub missing_here: MissingHere,
    /// Logs of which the peer, as far as it told, holds less than this side.
    pub missing_there: Vec<BehindLog>,
    /// Statements of the peer that were refused.
    pub refused: Vec<RefusedStatement>,
    /// Photos that did not come, and why.
    pub failed: Vec<FailedBlob>,
    /// Why this side gave no receipt although what it holds had changed: the peer does not know what is held here.
    pub no_receipt: Option<NoReceipt>,
    /// What was carried.
    pub progress: Progress,
    /// Bytes sent over the network, everything included.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Of these what was said: the frames alone, without QUIC around them and without repeats.
    pub frame_bytes_sent: u64,
    /// The same of what was heard.
    pub frame_bytes_received: u64,
}

/// Who a peer proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its store.
    pub store: StoreId,
    /// Its certificate.
    pub certificate: StatementId,
    /// Whose it is.
    pub person: Person,
    /// Its role.
    pub role: Role,
    /// Its key is cut: it may send, and receives the cut and what its sending needs.
    pub is_cut: bool,
}

/// Whose a key is, as a certificate of the mission says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The party's name.
    pub party: String,
    /// The observer's name.
    pub observer: String,
    /// The device's name.
    pub device: String,
}

/// What is not held here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingHere {
    /// Logs of which the peer holds more, or of which an entry before others is missing.
    pub logs: Vec<BehindLog>,
    /// Bodies neither held nor erased.
    pub bodies: Vec<MissingBody>,
    /// Photos and renditions that entries name.
    pub photos: Vec<MissingPhoto>,
    /// How many more photos there are than are listed.
    pub photos_unlisted: usize,
}

/// One side holds less of a log than the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BehindLog {
    /// The log.
    pub log: LogId,
    /// Whose it is; `None` while nothing of it is held here.
    pub person: Option<Person>,
    /// How many entries this side holds without a gap.
    pub here: u64,
    /// How many the peer does, or how many there are at least.
    pub there: u64,
}

/// A body that is not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingBody {
    /// Its entry.
    pub entry: EntryId,
    /// The entry's log.
    pub log: LogId,
    /// The entry's place in it.
    pub seq: u64,
    /// Whose log it is.
    pub person: Option<Person>,
}

/// A photo or rendition that is not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPhoto {
    /// Its name.
    pub hash: BlobHash,
    /// The records whose entries name it, ascending.
    pub records: Vec<RecordId>,
    /// Who named it first, by log.
    pub person: Option<Person>,
}

/// A statement that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedStatement {
    /// Its class.
    pub class: Class,
    /// Its id.
    pub id: StatementId,
    /// Why.
    pub refused: Refused,
}

/// A photo that did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedBlob {
    /// Its name.
    pub hash: BlobHash,
    /// What it is for.
    pub class: BlobClass,
    /// Why.
    pub failure: BlobFailure,
}

/// How a conversation ended.
#[derive(Debug)]
pub enum End {
    /// Both had nothing more to say, or the peer said good-bye.
    Done,
    /// The person on this side stopped it.
    Stopped,
    /// The link was lost: connect again, and it goes on where it was.
    Lost {
        /// What was noticed.
        cause: Loss,
    },
    /// This side ended it.
    ClosedHere {
        /// Why.
        code: CloseCode,
        /// In a few words.
        reason: &'static str,
    },
    /// The peer ended it.
    ClosedByPeer {
        /// Why; `None` for a code that this version does not know.
        code: Option<CloseCode>,
        /// The number as it came.
        number: u32,
        /// In a few printable words of the peer's.
        reason: String,
    },
    /// The peer's link refused this one, whatever was said on it.
    RefusedByLink {
        /// See [`close_code`].
        number: u32,
        /// In a few printable words of the peer's.
        reason: String,
    },
    /// The peer broke the framing.
    Misbehaved {
        /// Which rule.
        violation: Violation,
    },
    /// QUIC or TLS gave up.
    Aborted {
        /// RFC 9000 §20.1.
        transport_code: u64,
    },
    /// This side's store refused.
    Storage(AccessError),
}

impl End {
    /// Whether connecting again may go on without anybody changing anything.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Aborted { .. } => true,
            Self::ClosedByPeer { code, .. } => {
                matches!(code, Some(CloseCode::Busy | CloseCode::TooSlow | CloseCode::Storage))
            }
            Self::ClosedHere { code, .. } => *code == CloseCode::TooSlow,
            // After too many of one key a newer link of this device goes on in its place.
            Self::RefusedByLink { number, .. } => *number == close_code::MADE_ROOM,
            Self::Done | Self::Stopped | Self::Misbehaved { .. } | Self::Storage(_) => false,
        }
    }

    /// A name that programs may rely on: of a refusal that of its [code](CloseCode::name).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Lost { .. } => "link-lost",
            Self::ClosedHere { code, .. } | Self::ClosedByPeer { code: Some(code), .. } => code.name(),
            Self::ClosedByPeer { code: None, .. } => "unknown-code",
            Self::RefusedByLink { number: close_code::TOO_MANY_FROM_PEER, .. } => "too-many-connections",
            Self::RefusedByLink { number: close_code::MADE_ROOM, .. } => CloseCode::Busy.name(),
            Self::RefusedByLink { .. } | Self::Misbehaved { .. } => "framing",
            Self::Aborted { .. } => "link-aborted",
            Self::Storage(_) => "storage",
        }
    }

    /// What a person can do; empty when there is nothing to do.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Done | Self::Stopped => "",
            Self::Lost { .. } => "connect again: it goes on where it was cut",
            Self::ClosedHere { code, .. } => code_advice(*code),
            Self::ClosedByPeer { code: Some(CloseCode::Storage), .. } => "the other side cannot store: make room there",
            Self::ClosedByPeer { code: Some(code), .. } => code_advice(*code),
            Self::ClosedByPeer { code: None, .. } => "the other side is of another version: update both",
            Self::RefusedByLink { number: close_code::TOO_MANY_FROM_PEER, .. } => {
                "newer links of this device go on in its place: there is nothing to do"
            }
            Self::RefusedByLink { .. } => "one side does not keep to the protocol: update both",
            Self::Misbehaved { .. } => "the other side does not keep to the protocol: update it, or do not trust it",
            Self::Aborted { .. } => "the secure connection failed: try again",
            Self::Storage(AccessError::Full) => "the disk is full: make room and connect again",
            Self::Storage(AccessError::Internal) => "try again, and report it: this is a mistake of the program",
            Self::Storage(_) => "the store refused: run a check",
        }
    }
}

fn code_advice(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Bye => "",
        CloseCode::Malformed | CloseCode::FrameTooLong => "one side does not keep to the protocol: update both",
        CloseCode::MissionMismatch => "the two devices belong to different missions",
        CloseCode::NotEnrolled => "one device has no certificate of this mission: enrol it",
        CloseCode::PeerTransportKey => "the certificate belongs to another device: enrol this one",
        CloseCode::RefusedEntry => "an entry failed verification: keep both devices and report the entry",
        CloseCode::Busy => "the other side is full: try again in a minute",
        CloseCode::Storage => "the store refused: make room or run a check",
        CloseCode::TooSlow => "nothing moved for too long: try again with a better connection",
        CloseCode::Version => "the other side is of another version: update both",
        CloseCode::Limit => "one side passed a limit of the protocol: report it",
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Stopped => f.write_str("stopped"),
            Self::Lost { cause } => write!(f, "the link is lost: {cause}"),
            Self::ClosedHere { code, reason } => write!(f, "closed here: {code} ({reason})"),
            Self::ClosedByPeer { code: Some(code), reason, .. } => write!(f, "closed by the peer: {code} ({reason})"),
            Self::ClosedByPeer { code: None, number, .. } => write!(f, "closed by the peer with code {number}"),
            Self::RefusedByLink { number, reason } => {
                write!(f, "the peer's link refused with code {number} ({reason})")
            }
            Self::Misbehaved { violation } => write!(f, "the peer broke the framing: {violation}"),
            Self::Aborted { transport_code } => write!(f, "the link was aborted with code {transport_code:#x}"),
            Self::Storage(error) => error.fmt(f),
        }
    }
}

impl MissingHere {
    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        let Self { logs, bodies, photos, photos_unlisted } = self;
        logs.is_empty() && bodies.is_empty() && photos.is_empty() && *photos_unlisted == 0
    }
}

impl PeerInfo {
    pub(super) fn new(store: StoreId, certificate: &Certificate, is_cut: bool, roster: &Roster) -> Self {
        let person = Person::of(certificate, roster);
        Self { store, certificate: certificate.id(), person, role: certificate.role(), is_cut }
    }
}

impl Person {
    fn of(certificate: &Certificate, roster: &Roster) -> Self {
        let party = roster.charter().charter().party(certificate.party());
        Self {
            party: party.map_or_else(String::new, |party| party.name.clone()),
            observer: certificate.request().observer().to_owned(),
            device: certificate.request().device().to_owned(),
        }
    }

    fn of_key(key: &[u8; 32], roster: &Roster) -> Option<Self> {
        roster.certificates_of(key).next().map(|certificate| Self::of(certificate, roster))
    }
}

/// What is missing on both sides, for logs of `scopes`, as far as the peer told the session of itself.
pub(super) fn missing(
    shared: &Shared,
    session: &Session,
    scopes: &[ScopeId],
) -> Result<(MissingHere, Vec<BehindLog>), ReadError> {
    let store = &shared.store;
    let (mut here, mut there) = (MissingHere::default(), Vec::new());
    for tip in store.each_tip(None) {
        let tip = tip?;
        if !scopes.contains(&tip.scope) {
            continue;
        }
        let told = session.peer_height(tip.log, tip.scope);
        let behind = |there| {
            let person = Person::of_key(&tip.key, &shared.authority.roster());
            BehindLog { log: tip.log, person, here: tip.height, there }
        };
        // In a forked log a longer branch may stand beside the main one, and the peer may have told of either.
        let is_forked = tip.branches.is_some();
        let whole = if is_forked { unbroken(store, &tip)? } else { tip.height };
        let at_least = told.unwrap_or(0).max(tip.top);
        if at_least > whole {
            here.logs.push(behind(at_least));
        }
        if let Some(told) = told.filter(|told| *told < tip.height && (!is_forked || *told == 0)) {
            there.push(behind(told));
        }
    }
    for theirs in session.peer_tips() {
        let (log, height) = (theirs.log, theirs.height);
        if store.tip(log)?.is_none() {
            here.logs.push(BehindLog { log, person: None, here: 0, there: height });
        }
    }
    here.logs.sort_by_key(|behind| behind.log);
    let person =
        |log| Ok::<_, ReadError>(store.tip(log)?.and_then(|tip| Person::of_key(&tip.key, &shared.authority.roster())));
    for (log, seq, entry) in store.missing_bodies(LIST_MAX)? {
        here.bodies.push(MissingBody { entry, log, seq, person: person(log)? });
    }
    let absent = store.missing_in(scopes)?;
    here.photos_unlisted = absent.len().saturating_sub(LIST_MAX);
    for hash in absent.into_iter().take(LIST_MAX) {
        here.photos.push(named(store, hash, &person)?);
    }
    Ok((here, there))
}

/// How far a forked log is held on its longest branch, if of every held entry the one before is held too; else how far
/// its main branch is.
fn unbroken(store: &Store, tip: &LogTip) -> Result<u64, ReadError> {
    let (mut held, mut from, mut reach) = (HashSet::new(), 0, 0);
    loop {
        let page = store.links(tip.log, from, PAGE_LINKS_MAX)?;
        let Some(last) = page.last() else { return Ok(reach) };
        from = last.seq + 1;
        for link in page {
            if link.prev.is_some_and(|prev| !held.contains(&prev)) {
                return Ok(tip.height);
            }
            held.insert(link.id);
            reach = reach.max(link.seq + 1);
        }
    }
}

fn named(
    store: &Store,
    hash: BlobHash,
    person: &impl Fn(LogId) -> Result<Option<Person>, ReadError>,
) -> Result<MissingPhoto, ReadError> {
    let mut photo = MissingPhoto { hash, records: Vec::new(), person: None };
    for entry in store.entries_naming(hash)? {
        let Some(entry) = store.entry(entry)? else { continue };
        photo.records.push(entry.record);
        if photo.person.is_none() {
            photo.person = person(entry.log)?;
        }
    }
    photo.records.sort_unstable();
    photo.records.dedup();
    Ok(photo)
}

/// The class of a statement as the roster names it.
pub(super) const fn refused(
    class: merestone_core::sync::frame::StatementClass,
    id: StatementId,
    refused: Refused,
) -> RefusedStatement {
    RefusedStatement { class, id, refused }
}
