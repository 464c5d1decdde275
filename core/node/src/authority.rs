//! Who may sign what, in memory: the statements of the store, verified once, and again only when one arrives.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use merestone_core::Refused;
use merestone_core::id::{MissionId, StatementId};
use merestone_core::roster::{Admitted, Class, CompleteCharter, Roster};
use merestone_store::{Batch, CommitError, ReadError, StatementClass, Store};

/// The statements of one mission that this device holds.
///
/// The store keeps their bytes; the [`Roster`] here says what follows from them.
#[derive(Debug)]
pub struct Authority {
    roster: RwLock<Roster>,
    version: AtomicU64,
}

/// What became of statements that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Those that were not held before, durable now.
    pub new: Vec<StatementId>,
    /// Those that were held already.
    pub known: Vec<StatementId>,
    /// Those that are kept, durably, until what lets them in comes (an amendment, a certificate, a cut), and why they are not in.
    pub waiting: Vec<(StatementId, Refused)>,
    /// Those of any class that waited, and that one of the new ones let in.
    pub let_in: Vec<(Class, StatementId)>,
    /// Those that are refused, and why. A refused statement says nothing about the peer that carried it.
    pub refused: Vec<(StatementId, Refused)>,
}

impl Received {
    /// All that holds now and did not before, by class, when statements of `class` were received.
    pub(crate) fn news(&self, class: Class) -> BTreeMap<Class, Vec<StatementId>> {
        let mut news: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (class, id) in self.new.iter().map(|id| (class, *id)).chain(self.let_in.iter().copied()) {
            news.entry(class).or_default().push(id);
        }
        news
    }

    /// Why the first of those that are not in force is not, be it for ever or for now.
    pub fn refusal(&self) -> Option<Refused> {
        self.refused.iter().chain(&self.waiting).map(|(_, refused)| *refused).next()
    }
}

/// The statements of a store could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store holds no charter of its own mission: it is damaged.
    #[error("the store holds no charter of mission {mission}")]
    NoCharter {
        /// The mission it is for.
        mission: MissionId,
    },
}

impl Authority {
    /// Takes up the statements of `store`, which is for `mission`.
    ///
    /// All of them are verified again: a phone's disk is not a witness.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn load(store: &Store, mission: MissionId) -> Result<Self, AuthorityError> {
        let charters = store.statements(StatementClass::Charter)?;
        let charter = charters.iter().find_map(|(_, bytes)| CompleteCharter::verify(bytes, mission).ok());
        let mut roster = Roster::new(charter.ok_or(AuthorityError::NoCharter { mission })?);
        for class in Class::ALL {
            for (_, bytes) in store.statements(store_class(class))? {
                // What a former version admitted and this one refuses, or only another charter would admit, stays in the
                // store and is not relied on.
                let _ = roster.admit(class, &bytes);
            }
        }
        Ok(Self { roster: RwLock::new(roster), version: AtomicU64::new(0) })
    }

    /// The roster as it is now. Hold it briefly: statements that arrive wait for it.
    pub fn roster(&self) -> RwLockReadGuard<'_, Roster> {
        self.roster.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever a statement is added: what was worked out before is then to be worked out again.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Verifies statements of one class and keeps the good ones; when this returns they are durable.
    ///
    /// # Errors
    /// If the store refuses; then none of them is held.
    pub(crate) fn admit<'a>(
        &self,
        store: &Store,
        class: Class,
        statements: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Received, CommitError> {
        let mut roster = self.write();
        let before = roster.clone();
        let (mut received, mut batch, mut has_more_waiting) = (Received::default(), Batch::new(), false);
        for bytes in statements {
            let id = class.id_of(bytes);
            match roster.admit(class, bytes) {
                Ok(Admitted::New(id)) => received.new.push(id),
                Ok(Admitted::Known(id)) => received.known.push(id),
                Err(refused) if roster.waits(class, id) => {
                    received.waiting.push((id, refused));
                    if !before.waits(class, id) {
                        batch.statement(store_class(class), None, bytes.to_vec());
                        has_more_waiting = true;
                    }
                }
                Err(refused) => received.refused.push((id, refused)),
            }
        }
        if received.new.is_empty() && !has_more_waiting {
            return Ok(received);
        }
        // A receipt may make way for the next one.
        let (new, passed) = received.new.into_iter().partition(|id| roster.holds(class, *id));
        received.new = new;
        received.known.extend::<Vec<_>>(passed);
        let waited = before.waiting().map(|(class, id, ..)| (class, id));
        received.let_in =
            waited.filter(|(class, id)| roster.holds(*class, *id) && !received.new.contains(id)).collect();
        for bytes in received.new.iter().filter_map(|id| roster.bytes(class, *id)) {
            // The roster has counted it; the store's own count by signer is not used.
            batch.statement(store_class(class), None, bytes.to_vec());
        }
        // What no longer holds under the charter in force stays in the store, and waits there.
        for id in before.ids(class).into_iter().filter(|id| !roster.holds(class, *id)) {
            batch.drop_statement(store_class(class), id);
        }
        if let Err(error) = store.commit(batch) {
            *roster = before;
            return Err(error);
        }
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(received)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Roster> {
        self.roster.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store's name of a class.
pub(crate) const fn store_class(class: Class) -> StatementClass {
    match class {
        Class::Charter => StatementClass::Charter,
        Class::Certificate => StatementClass::Certificate,
        Class::Cut => StatementClass::Cut,
        Class::Erasure => StatementClass::Erasure,
        Class::Receipt => StatementClass::Receipt,
        Class::Note => StatementClass::Note,
        Class::Cosignature => StatementClass::Cosignature,
        Class::Amendment => StatementClass::Amendment,
        Class::Succession => StatementClass::Succession,
        Class::Acknowledgement => StatementClass::Acknowledgement,
        Class::Inclusion => StatementClass::Inclusion,
        Class::Form => StatementClass::Form,
    }
}
