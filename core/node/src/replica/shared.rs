//! What all conversations of a replica have in common.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merestone_core::id::StatementId;
use merestone_core::key::KeyCache;
use merestone_core::roster::{Certificate, Class, Roster};
use merestone_core::sync::{CutKey, LocalChange};
use merestone_link::{LinkLimits, PeerKey, TransportKey};
use merestone_store::{CommitError, Store};
use tokio::sync::Semaphore;

use super::arrivals::Arrivals;
use super::calling::{Calls, Network};
use super::counted::Counted;
use super::doubts::Doubts;
use super::ending::Ending;
use super::hub::{self, Hub};
use super::one_at_a_time::OneAtATime;
use super::receipt::ReceiptKey;
use super::setup::Owner;
use crate::authority::{Authority, Received};

/// What all conversations of a replica have in common.
pub(crate) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) authority: Arc<Authority>,
    pub(super) transport: TransportKey,
    pub(super) receipts: Option<ReceiptKey>,
    pub(super) owner: Option<Arc<dyn Owner>>,
    pub(super) limits: LinkLimits,
    pub(super) network: Arc<dyn Network>,
    pub(super) calls: Calls,
    pub(super) ending: Ending,
    /// All work is done where conversations are driven; see [`Setup::inline`].
    pub(super) is_inline: bool,

    pub(super) hub: Hub,
    /// Photos that conversations are receiving.
    pub(super) arrivals: Arrivals,
    /// Photos as they were counted last.
    pub(super) counted: Counted,
    /// As many batches are verified at once as there are cores, however many peers there are.
    pub(super) cores: Arc<Semaphore>,
    /// Keys admitted before; as many caches as were ever used at one time.
    pub(super) key_caches: Mutex<Vec<KeyCache>>,
    /// Taken while a receipt is made: no two have one counter.
    pub(super) signing: Arc<OneAtATime>,
    /// Keys of this device of which a peer said, without showing it, that it knows more: each peer is believed once.
    pub(super) warnings: Mutex<BTreeSet<(PeerKey, [u8; 32])>>,
    /// Descriptions of blobs that turned out false.
    pub(super) doubts: Doubts,
}

impl Shared {
    /// Takes up statements that a peer sent or that were made here; tells the owner and every conversation but `but`.
    pub(super) fn take_up(
        &self,
        class: Class,
        statements: &[Vec<u8>],
        but: Option<hub::Member>,
    ) -> Result<Received, CommitError> {
        let received = self.authority.admit(&self.store, class, statements.iter().map(Vec::as_slice))?;
        let news = received.news(class);
        for (of, new) in &news {
            if let Some(owner) = &self.owner {
                owner.statements_arrived(*of, new);
            }
            let cuts = if *of == Class::Cut { cut_keys(&self.authority.roster(), new) } else { Vec::new() };
            let statements = new.iter().map(|id| (*of, *id)).collect();
            // An erasure takes photos away from the census.
            let change = LocalChange { statements, cuts, blobs: *of == Class::Erasure, ..LocalChange::default() };
            self.hub.publish(but, &change);
        }
        if news.contains_key(&Class::Cut) {
            // The cut is held, whether or not there is room to say so.
            let _ = self.acknowledge();
        }
        Ok(received)
    }

    /// The certificate to show: of this replica's transport key, not cut, with the most scopes.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        let roster = self.authority.roster();
        let transport = self.transport.public();
        let is_cut = |of: &Certificate| roster.cuts().any(|cut| cut.ends(of.key().as_bytes(), of.party()));
        let own = roster.certificates().filter(|held| held.request().transport() == transport.as_bytes());
        own.min_by_key(|held| (is_cut(held), std::cmp::Reverse(held.scopes().len()), held.id())).cloned()
    }

    pub(super) fn key_caches(&self) -> MutexGuard<'_, Vec<KeyCache>> {
        // Whatever a panic left behind is a list of caches.
        self.key_caches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn warnings(&self) -> MutexGuard<'_, BTreeSet<(PeerKey, [u8; 32])>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the cuts with these ids cut.
pub(super) fn cut_keys(roster: &Roster, ids: &[StatementId]) -> Vec<CutKey> {
    let new: Vec<_> = roster.cuts().filter(|cut| ids.contains(&cut.id())).collect();
    CutKey::told(roster, &new)
}
