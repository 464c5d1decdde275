//! Carrying what one store holds to other stores, and back: what a phone and base camp share.
//!
//! A [`Replica`] composes a store, the roster in memory, the link and the sans-IO conversation of `core::sync`. It decides
//! nothing about entries: the conversation says what to send, what to believe and what to make durable, and the replica
//! does it. A person asks it to [meet](Replica::sync_with) one peer, or to [answer](Replica::serve) many.
//!
//! ```text
//!                    ┌────────── one conversation ──────────┐
//!  link ── frames ──►│ pump ── verify ──► any core          │
//!       ◄─ frames ───│  │  └── load ────► readers           │
//!                    │  └───── commit ──► one thread ──► store's writer, many batches to a flush
//!                    └──────────────┬───────────────────────┘
//!                                  hub: what one conversation commits, the others send on
//! ```
//!
//! What a conversation does (`host`) and where it runs are apart. Over a link it runs on many threads (`pump`), or, where
//! a process may have only one, [on that](Setup::inline). Over anything else its caller drives a [`Talk`].
//!
//! # Back-pressure
//!
//! The conversation stops asking the link for frames while batches wait for the disk; the link then stops giving credit, and
//! the peer stops reading its store. In the other direction a frame is made only when the link takes one.
//!
//! # A cut link
//!
//! Every conversation begins with what the store holds, so nothing is resumed: what was committed is there, photos to the
//! chunk, and the rest is compared again. [`Replica::sync_until_done`] connects again until both sides hold the same.
//!
//! # What "synced" means
//!
//! [`SyncOutcome::is_fully_synced`] is true when both sides said that they hold the same entries and blobs and nothing is
//! missing, and at no other time. Both can speak only of the scopes that both certificates grant; the others are in
//! [`SyncOutcome::scopes_not_shared`]. Where it is false the outcome names what is missing, by log and person, by photo and
//! record.

mod acknowledging;
mod agreed;
mod answer;
mod arrivals;
mod calling;
mod camp;
pub(crate) mod carrying;
mod chain;
mod chunks;
mod codes;
mod conversation;
mod counted;
mod doubts;
mod early;
mod ending;
mod error;
mod host;
mod hub;
mod inline;
mod lanes;
mod ledger;
mod missing;
mod one_at_a_time;
mod outcome;
mod photos;
mod progress;
mod pump;
mod reading;
mod receipt;
mod retry;
mod serving;
mod setup;
mod shared;
mod storing;
mod talk;
mod tally;
mod writing;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};

use merestone_core::sync::Version;
use merestone_core::sync::frame::Wants;
use merestone_link::{Carrier, Connection, Endpoint, LinkLimits, PeerKey};
use merestone_store::{ReadError, Store};
use tokio::sync::Semaphore;

pub use calling::Network;
pub use camp::{Camp, CampError, CampKeys, CampOptions, Signed};
pub use error::{ServeError, SyncError};
pub use ledger::{
    AnswerError, Cosigned, LedgerCheck, LedgerCopy, LedgerError, LedgerKey, LedgerSplit, LedgerTiles, LedgerWatch,
    Question, TilesError, waiting_checkpoint,
};
pub use merestone_link::BindError;
pub use missing::{MissingByPerson, MissingWork};
pub(crate) use one_at_a_time::OneAtATime;
pub use outcome::{
    BehindLog, End, FailedBlob, MissingBody, MissingHere, MissingPhoto, PeerInfo, Person, RefusedStatement, SyncOutcome,
};
pub use progress::{Meeting, SyncProgress};
pub use receipt::{NoReceipt, NotForReceipts, ReceiptKey};
pub use retry::Retry;
pub use serving::{Caller, Serving, TurnedAway};
pub use setup::{Owner, Setup};
pub(crate) use shared::Shared;
pub use talk::{Pace, Talk, TalkOptions};

use crate::authority::Authority;
use arrivals::Arrivals;
use calling::Calls;
use counted::Counted;
use doubts::Doubts;
use ending::Ending;
use hub::Hub;

/// One store's side of every conversation. Clones share it.
#[derive(Clone)]
pub struct Replica(Arc<Shared>);

/// How to meet a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meet {
    /// Where it may answer, the likeliest first: all are called, a quarter of a second apart, until one answers.
    pub addresses: Vec<SocketAddr>,
    /// Which transport key it must prove; `None` shows our own key to whoever answers.
    pub expected: Option<PeerKey>,
    /// Whether to stay connected after both sides hold the same, and pass on what is written then.
    pub stay: bool,
    /// What to receive: on an expensive link perhaps no originals.
    pub wants: Wants,
    /// Most bytes of photos to ask for in one conversation; those left out come with a later one.
    pub photo_bytes_max: u64,
}

impl Meet {
    /// Meets the peer that proves `expected` at `address`, until both sides hold the same.
    pub fn new(address: SocketAddr, expected: PeerKey) -> Self {
        let wants = Wants::EVERYTHING;
        Self { addresses: vec![address], expected: Some(expected), stay: false, wants, photo_bytes_max: u64::MAX }
    }
}

impl Replica {
    /// A replica; nothing happens until it meets or answers somebody.
    pub fn open(setup: Setup) -> Self {
        let replica = Self::quiet(setup);
        replica.acknowledge();
        replica
    }

    /// Says which cuts it holds, as one that opens does; a keystore that signs may wait for a person.
    pub(crate) fn acknowledge(&self) {
        // Of cuts that came while nobody could sign; where the store refuses, the next cut or opening tries again.
        let _ = self.0.acknowledge();
    }

    /// A replica that has said nothing yet.
    pub(crate) fn quiet(setup: Setup) -> Self {
        let Setup { store, authority, transport, receipts, owner, limits, network, signing, is_inline } = setup;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self(Arc::new(Shared {
            store,
            authority,
            transport,
            receipts,
            owner,
            limits,
            network,
            calls: Calls::default(),
            ending: Ending::default(),
            is_inline,
            hub: Hub::default(),
            arrivals: Arrivals::default(),
            counted: Counted::default(),
            cores: Arc::new(Semaphore::new(cores)),
            key_caches: Mutex::default(),
            signing,
            warnings: Mutex::default(),
            doubts: Doubts::default(),
        }))
    }

    /// Meets one peer. Must be called within a tokio runtime; dropping the [`Meeting`] ends it.
    pub fn sync_with(&self, meet: Meet) -> Meeting {
        Meeting::begin(Arc::clone(&self.0), meet)
    }

    /// Holds a conversation over a link that is there already, with the peer that it proved. Must be called within a tokio
    /// runtime; dropping the [`Meeting`] ends it.
    pub fn sync_over(&self, connection: Connection, options: TalkOptions) -> Meeting {
        Meeting::over(Arc::clone(&self.0), connection, options)
    }

    /// Meets one peer again and again until both sides hold the same, or it is of no use to try again.
    ///
    /// A conversation that ended well and left something missing is followed by another: it may have met what was left of one
    /// before it. Two of these in a row in which nothing moved say that it is missing on both sides.
    ///
    /// # Errors
    /// The last [`SyncError`], when there never was a conversation after the last attempt allowed.
    pub async fn sync_until_done(&self, meet: Meet, retry: Retry) -> Result<SyncOutcome, SyncError> {
        self.sync_until_done_telling(meet, retry, |_| ()).await
    }

    /// As [`sync_until_done`](Self::sync_until_done); tells what each attempt came to, the last one too.
    ///
    /// # Errors
    /// As there.
    pub async fn sync_until_done_telling(
        &self,
        meet: Meet,
        retry: Retry,
        tell: impl FnMut(&Result<SyncOutcome, SyncError>),
    ) -> Result<SyncOutcome, SyncError> {
        retry::until_done(self, meet, retry, tell, |_| ()).await
    }

    /// As [`sync_until_done`](Self::sync_until_done); shows how far each conversation has come whenever it has.
    ///
    /// # Errors
    /// As there.
    pub async fn sync_until_done_showing(
        &self,
        meet: Meet,
        retry: Retry,
        show: impl FnMut(SyncProgress),
    ) -> Result<SyncOutcome, SyncError> {
        retry::until_done(self, meet, retry, |_| (), show).await
    }

    /// Lets every meeting under way go on from where the device is now, and ends the waits of
    /// [`sync_until_done`](Self::sync_until_done). To be called when the system says that the network changed; `local` is
    /// this device's new address, if the system told it. Without this a meeting notices only that its peer fell silent.
    ///
    /// # Errors
    /// If a meeting found no socket there: it stays where it was.
    pub fn network_changed(&self, local: Option<IpAddr>) -> Result<(), merestone_link::BindError> {
        self.0.calls.follow(&*self.0.network, local)
    }

    /// Answers every peer that calls `endpoint`, each in a conversation of its own.
    ///
    /// # Errors
    /// If the endpoint shows another transport key than this replica's.
    pub fn serve(&self, endpoint: Endpoint) -> Result<Serving, ServeError> {
        Serving::begin(Arc::clone(&self.0), endpoint)
    }

    /// Binds an endpoint with this replica's transport key, to [serve](Self::serve) with.
    ///
    /// # Errors
    /// See [`merestone_link::BindError`].
    pub fn bind(&self, address: SocketAddr) -> Result<Endpoint, merestone_link::BindError> {
        Endpoint::bind(address, &self.0.transport, self.0.limits.clone())
    }

    /// An endpoint with this replica's transport key over anything that takes datagrams: another radio, a tunnel, or a
    /// network in memory. See [`Endpoint::over`] for the seed.
    ///
    /// # Errors
    /// See [`merestone_link::BindError`].
    pub fn bind_over(
        &self,
        carrier: Arc<dyn Carrier>,
        seed: Option<[u8; 32]>,
        limits: LinkLimits,
    ) -> Result<Endpoint, merestone_link::BindError> {
        Endpoint::over(carrier, seed, &self.0.transport, limits)
    }

    /// Looks for what was committed by anybody else, for instance the person at this device, and sends it to all
    /// peers that are connected. Blocks on the disk.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn notify(&self) -> Result<(), ReadError> {
        let Shared { store, authority, hub, .. } = &*self.0;
        hub.look(store, authority)
    }

    /// The key by which peers know this replica.
    pub fn transport_key(&self) -> PeerKey {
        self.0.transport.public()
    }

    /// The numbers of the versions of the conversation that it offers, newest first.
    pub(crate) fn versions(&self) -> Vec<u64> {
        let newest = answer::session_version(self.0.limits.version_max).number();
        Version::ALL.iter().map(|version| version.number()).filter(|number| *number <= newest).collect()
    }

    /// Ends every conversation with a good-bye, and lets none begin any more; whether any was under way.
    pub(crate) fn end(&self) -> bool {
        let was_busy = self.0.ending.end();
        self.0.calls.wake();
        was_busy
    }

    /// Waits until the conversations that [`end`](Self::end) ended have, at most until then. Blocks.
    pub(crate) fn wait_for_end(&self, until: std::time::Instant) {
        self.0.ending.wait(until);
    }

    /// Its store.
    pub fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    /// Who may sign what.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.0.authority
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// A handle that does not keep the replica.
    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &Weak<Shared>) -> Option<Self> {
        weak.upgrade().map(Self)
    }
}

/// Shows the key by which peers know it.
impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("transport_key", &self.transport_key()).finish_non_exhaustive()
    }
}
