//! What a device lends to the replica that carries its store to peers, and what it hears back.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};

use merestone_core::id::{LogId, RecordId, StatementId};
use merestone_core::key::PublicKey;
use merestone_core::roster::Class;
use merestone_link::{BindError, LinkLimits};
use merestone_store::{ReadError, Threads};

use super::{AccessError, Device};
use crate::replica::{Owner, ReceiptKey, Replica, Setup, Shared};

/// No replica works in this observer's name now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReplica {
    /// The key is locked, or no observer here has it.
    #[error("key {key} is locked")]
    Locked {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The device was suspended or closed.
    #[error("the device is closed")]
    Closed,
}

impl Device {
    /// A replica of this device's store, which shows peers this observer's certificate and signs receipts with the
    /// observer's key, where its role allows it. It goes on working when the observer locks the key.
    ///
    /// After saving, [`Replica::notify`] sends what is new to the peers that are connected.
    ///
    /// # Errors
    /// If the observer's key is locked.
    pub fn replica(self: &Arc<Self>, observer: &PublicKey) -> Result<Replica, NoReplica> {
        self.replica_with(observer, LinkLimits::default())
    }

    /// [`replica`](Self::replica) with other limits than a phone on the road needs.
    ///
    /// # Errors
    /// If the observer's key is locked.
    pub fn replica_with(self: &Arc<Self>, observer: &PublicKey, limits: LinkLimits) -> Result<Replica, NoReplica> {
        if !self.store.is_open() {
            return Err(NoReplica::Closed);
        }
        let (signer, transport, certificate) = {
            let desk = self.desk();
            let keys = desk.keys(observer).ok_or(NoReplica::Locked { key: Box::new(*observer) })?;
            (Arc::clone(&keys.signer), keys.transport.share(), desk.certificate(observer))
        };
        let mut setup = Setup::sharing(Arc::clone(&self.store), Arc::clone(&self.authority), transport)
            .signing(Arc::clone(&self.signing));
        let roster = self.authority.roster();
        let certificate = certificate.and_then(|id| roster.certificate(id));
        if let Some(Ok(key)) = certificate.map(|certificate| ReceiptKey::new(signer, certificate)) {
            setup = setup.receipts(key);
        }
        drop(roster);
        if self.system.threads == Threads::Caller {
            setup = setup.inline();
        }
        let replica = Replica::quiet(setup.limits(limits).owner(Arc::new(Lent(Arc::clone(self)))));
        self.register(&replica)?;
        // Whoever opens says at once which cuts it holds; a keystore that waits for a person keeps nobody from ending it.
        replica.acknowledge();
        Ok(replica)
    }

    /// Takes a replica among those that [`suspend`](Self::suspend) ends.
    fn register(&self, replica: &Replica) -> Result<(), NoReplica> {
        let mut replicas = self.replicas();
        replicas.retain(|replica| replica.strong_count() > 0);
        replicas.push(replica.downgrade());
        // A device that fell asleep meanwhile may have looked at the list for the last time.
        if self.store.is_open() {
            return Ok(());
        }
        drop(replicas);
        replica.end();
        Err(NoReplica::Closed)
    }

    /// Lets every meeting of this device go on from where it is now; see [`Replica::network_changed`]. An app calls this when
    /// the system says that the phone left one network for another; `local` is the new address, if the system told it.
    ///
    /// # Errors
    /// If a meeting found no socket there: it stays where it was, and the others went on.
    pub fn network_changed(&self, local: Option<IpAddr>) -> Result<(), BindError> {
        let replicas: Vec<Replica> = self.replicas().iter().filter_map(Replica::upgrade).collect();
        replicas.iter().map(|replica| replica.network_changed(local)).fold(Ok(()), Result::and)
    }

    /// Sends what was saved here since to the peers that are connected; see [`Replica::notify`].
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn notify_peers(&self) -> Result<(), ReadError> {
        let replicas: Vec<Replica> = self.replicas().iter().filter_map(Replica::upgrade).collect();
        replicas.iter().try_for_each(Replica::notify)
    }

    /// From now on tells `watcher` of what arrives from elsewhere, in place of whoever was told before.
    pub fn watch(&self, watcher: Option<Arc<dyn Watcher>>) {
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = watcher;
    }

    fn tell(&self, news: impl FnOnce(&dyn Watcher)) {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watcher) = watcher {
            news(&*watcher);
        }
    }

    /// A list of handles is whole after each statement.
    pub(super) fn replicas(&self) -> MutexGuard<'_, Vec<Weak<Shared>>> {
        self.replicas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is told of what arrives from elsewhere, by any way; a screen that shows it. Called after the commit, on the thread that
/// made it: it must be quick.
pub trait Watcher: Send + Sync {
    /// Entries of these records are held that were not.
    fn entries_arrived(&self, records: &BTreeSet<RecordId>);

    /// Statements are held that were not: what is applied, and who may save, may be another.
    fn statements_arrived(&self);
}

/// The device as its replica knows it.
struct Lent(Arc<Device>);

impl Owner for Lent {
    fn statements_arrived(&self, class: Class, new: &[StatementId]) {
        // What could not be taken away now is taken away when the device is opened again.
        let _ = self.0.follow_statements(class, new);
        self.0.tell(|watcher| watcher.statements_arrived());
    }

    fn entries_arrived(&self, records: &BTreeSet<RecordId>) {
        let _ = self.0.entries_arrived(records);
        self.0.tell(|watcher| watcher.entries_arrived(records));
    }

    fn signs_with(&self, key: &[u8; 32]) -> bool {
        self.0.has_seat(key)
    }

    fn peer_knows_more(&self, log: LogId) -> Result<(), AccessError> {
        self.0.peer_knows_more(log).map(|_| ())
    }
}
