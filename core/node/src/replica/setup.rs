//! What a replica is made of, and whom it tells.

use std::collections::BTreeSet;
use std::sync::Arc;

use merestone_core::id::{LogId, RecordId, StatementId};
use merestone_core::roster::Class;
use merestone_link::{LinkLimits, TransportKey};
use merestone_store::Store;

use super::calling::{Network, System};
use super::one_at_a_time::OneAtATime;
use super::receipt::ReceiptKey;
use crate::authority::{Authority, AuthorityError};
use crate::device::AccessError;

/// What a replica tells the one whose store it carries. Called on blocking threads, after the commit.
pub trait Owner: Send + Sync + 'static {
    /// New statements of a class are held: draw the consequences (a cut, an erasure).
    fn statements_arrived(&self, class: Class, new: &[StatementId]);

    /// Entries of these records are held: what was worked out from less is old, and erasures that came before apply.
    fn entries_arrived(&self, records: &BTreeSet<RecordId>);

    /// Whether entries of this key are signed here.
    fn signs_with(&self, key: &[u8; 32]) -> bool;

    /// A peer holds more of a log of this device than the device did: the log was continued elsewhere or lost here,
    /// and its author must begin a new epoch before signing again (`spec/entry.md`, Log).
    ///
    /// # Errors
    /// If the owner could not take note of it: what the peer holds is then not stored, and the peer's word counts again.
    fn peer_knows_more(&self, log: LogId) -> Result<(), AccessError>;
}

/// What a replica is made of.
pub struct Setup {
    pub(super) store: Arc<Store>,
    pub(super) authority: Arc<Authority>,
    pub(super) transport: TransportKey,
    pub(super) receipts: Option<ReceiptKey>,
    pub(super) owner: Option<Arc<dyn Owner>>,
    pub(super) limits: LinkLimits,
    pub(super) network: Arc<dyn Network>,
    pub(super) signing: Arc<OneAtATime>,
    pub(super) is_inline: bool,
}

impl Setup {
    /// A replica of a store that nobody else has open for writing; its statements are read and verified.
    ///
    /// # Errors
    /// If the store cannot be read or holds no charter.
    pub fn new(store: Arc<Store>, transport: TransportKey) -> Result<Self, AuthorityError> {
        let mission = store.identity()?.mission;
        let authority = Arc::new(Authority::load(&store, mission)?);
        Ok(Self::sharing(store, authority, transport))
    }

    /// A replica of a device's store, sharing the roster that the device holds in memory.
    pub fn sharing(store: Arc<Store>, authority: Arc<Authority>, transport: TransportKey) -> Self {
        Self {
            store,
            authority,
            transport,
            receipts: None,
            owner: None,
            limits: LinkLimits::default(),
            network: Arc::new(System),
            signing: Arc::default(),
            is_inline: false,
        }
    }

    /// Answers with receipts signed by this key. Without one, peers do not learn what is held here.
    #[must_use]
    pub fn receipts(mut self, key: ReceiptKey) -> Self {
        self.receipts = Some(key);
        self
    }

    /// Taken while a receipt is made: what all replicas of one store that sign with one key must share, so that no two receipts
    /// have one counter.
    #[must_use]
    pub(crate) fn signing(mut self, signing: Arc<OneAtATime>) -> Self {
        self.signing = signing;
        self
    }

    /// Whom to tell of what arrived.
    #[must_use]
    pub fn owner(mut self, owner: Arc<dyn Owner>) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Other limits than [`LinkLimits::default`] for the connections that this side opens.
    #[must_use]
    pub fn limits(mut self, limits: LinkLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Calls others through this instead of the system's UDP sockets.
    #[must_use]
    pub fn network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = network;
        self
    }

    /// One thread: the replica reads, verifies and commits on the thread that drives its conversations, and starts none.
    ///
    /// For processes that may start no threads, and where a run must be repeatable exactly. Every conversation waits while one of them waits for the disk. A camp made of such a replica continues its
    /// ledger only when [told](Camp::keep_up).
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.is_inline = true;
        self
    }
}
