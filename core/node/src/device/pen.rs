//! The next place in an observer's log, and what must be true before anything is signed there.

use merestone_core::check::Refused;
use merestone_core::entry::{
    DraftRefused, EARLIER_MAX, EntryDraft, Kind, LOG_ENTRIES_MAX, LogHead, Position, VerifiedEntry,
};
use merestone_core::id::{Actor, EntryId, Epoch, LogId, ScopeId, StatementId};
use merestone_core::key::{PublicKey, SignerUnavailable};
use merestone_core::roster::PartyNumber;
use merestone_store::{Batch, CommitError, DraftId};

use super::Device;
use super::error::AccessError;
use super::logbook::Logbook;
use super::observers::is_cut;
use super::settings::{self, KeptLog};
use crate::clock::NoEntropy;
use crate::vault::KeystoreError;

/// A log that this installation continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenLog {
    epoch: Epoch,
    certificate: StatementId,
    seq: u64,
    head: EntryId,
}

/// The right to sign the next entry of one log.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    pub(crate) key: PublicKey,
    pub(crate) scope: ScopeId,
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
    pub(crate) position: Position,
    certificate: StatementId,
    /// The party that issued the certificate.
    pub(crate) party: PartyNumber,
    /// The name in the certificate, which the context states.
    pub(crate) observer: String,
}

/// Why nothing can be signed now. The draft stays.
#[derive(Debug, thiserror::Error)]
pub enum PenError {
    /// No observer here has the key, or its certificate has not come.
    #[error("key {key} has no certificate here")]
    NotEnrolled {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The key is locked.
    #[error("key {key} is locked")]
    Locked {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The party cut the key.
    #[error("key {key} is cut")]
    Cut {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The certificate does not grant this scope, or this kind of entry.
    #[error("the certificate of key {key} does not grant this in scope {scope}")]
    NotGranted {
        /// The key.
        key: Box<PublicKey>,
        /// The scope.
        scope: ScopeId,
    },
    /// The key began as many logs as a log can name: the observer needs a new one.
    #[error("key {key} has begun {EARLIER_MAX} logs: enrol again")]
    WornOut {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The keystore that holds the key did not sign.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Every reader would refuse the entry.
    #[error("the entry breaks a rule: {0}")]
    Rule(#[from] Refused),
    /// The store could not be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// An entry that is durable.
pub(crate) struct Written {
    pub(crate) entry: VerifiedEntry,
    /// The disk is so full that there is room for very little more.
    pub(crate) low_room: bool,
}

/// Nothing was written.
pub(crate) enum WriteError {
    /// The draft that the entry was made of is another by now, or its id is one's that was saved.
    Draft {
        draft: DraftId,
    },
    Pen(PenError),
}

impl From<PenError> for WriteError {
    fn from(error: PenError) -> Self {
        Self::Pen(error)
    }
}

impl From<AccessError> for WriteError {
    fn from(error: AccessError) -> Self {
        Self::Pen(error.into())
    }
}

impl Pen {
    pub(crate) fn actor(&self, device: &Device) -> Actor {
        Actor::derive(device.mission(), self.key.as_bytes(), self.scope, self.epoch)
    }

    /// Whether the entry begins a log.
    pub(crate) fn begins(&self) -> bool {
        self.seq == 0
    }
}

impl Logbook {
    /// The next place in the log in which `key` writes in `scope`; in a new log if `is_fresh`, or if the present one
    /// cannot be continued.
    pub(crate) fn pen(
        &mut self,
        device: &Device,
        key: &PublicKey,
        scope: ScopeId,
        kind: Kind,
        is_fresh: bool,
    ) -> Result<Pen, PenError> {
        let certificate = device.desk().certificate(key).ok_or(PenError::NotEnrolled { key: Box::new(*key) })?;
        let (party, observer) = {
            let roster = device.authority.roster();
            let certificate = roster.certificate(certificate).ok_or(PenError::NotEnrolled { key: Box::new(*key) })?;
            if is_cut(&roster, certificate) {
                return Err(PenError::Cut { key: Box::new(*key) });
            }
            if !certificate.grants(scope, kind) {
                return Err(PenError::NotGranted { key: Box::new(*key), scope });
            }
            (certificate.party(), certificate.request().observer().to_owned())
        };
        if device.signer_of(key).is_none() {
            if !device.store.is_open() {
                return Err(AccessError::Closed.into());
            }
            return Err(PenError::Locked { key: Box::new(*key) });
        }
        let pen = |epoch, seq, position| Pen { key: *key, scope, epoch, seq, position, certificate, party, observer };
        if !is_fresh && let Some(log) = self.open_log(device, key, scope, certificate)? {
            return Ok(pen(log.epoch, log.seq, Position::Later { prev: log.head }));
        }
        let earlier = earlier_heads(device, key)?;
        Ok(pen(Epoch::from_bytes(device.random()?), 0, Position::First { certificate, earlier }))
    }

    /// Signs a draft that was made for a pen, and makes it durable with what `beside` adds. `None`: while a person was asked,
    /// somebody else's entry came to this place, so nothing was kept; the next pen is one of a new log.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was kept.
    pub(crate) fn write(
        &mut self,
        device: &Device,
        pen: &Pen,
        draft: EntryDraft,
        beside: impl FnOnce(&VerifiedEntry, &mut Batch) -> Result<(), AccessError>,
    ) -> Result<Option<Written>, WriteError> {
        let entry = sign(device, pen, draft)?;
        let mut batch = Batch::new();
        if pen.begins() {
            let log = KeptLog { marker: *device.install().marker(), epoch: pen.epoch, certificate: pen.certificate };
            batch.setting(&settings::log(&pen.key, pen.scope), Some(settings::encode_log(&log)));
        }
        batch.entry(entry.clone());
        // Planted: the store would refuse what such a pen writes.
        #[cfg(planted)]
        let is_held_to_its_place = !merestone_core::planted::is("pen-moves-first");
        #[cfg(not(planted))]
        let is_held_to_its_place = true;
        if is_held_to_its_place {
            batch.signed_here();
        }
        beside(&entry, &mut batch)?;
        if device.logbook.is_left(entry.log()) {
            return Ok(None);
        }
        // The pen moves before the entry is durable: what is saved after a save that failed names an entry that nobody holds.
        #[cfg(planted)]
        if merestone_core::planted::is("pen-moves-first") {
            self.wrote(pen, entry.id());
        }
        match device.store.commit(batch) {
            Ok(committed) => {
                self.wrote(pen, entry.id());
                Ok(Some(Written { entry, low_room: committed.low_room }))
            }
            #[cfg(planted)]
            Err(error) if merestone_core::planted::is("pen-moves-first") => Err(AccessError::from(error).into()),
            Err(CommitError::NotNext { log, seq: _ }) => {
                device.peer_knows_more(log)?;
                Ok(None)
            }
            Err(error) => {
                self.logs.remove(&(pen.key, pen.scope));
                Err(match error {
                    CommitError::Draft { draft } => WriteError::Draft { draft },
                    error => AccessError::from(error).into(),
                })
            }
        }
    }

    /// Notes that an entry is durable.
    fn wrote(&mut self, pen: &Pen, entry: EntryId) {
        let log = OpenLog { epoch: pen.epoch, certificate: pen.certificate, seq: pen.seq + 1, head: entry };
        self.logs.insert((pen.key, pen.scope), log);
    }

    fn open_log(
        &mut self,
        device: &Device,
        key: &PublicKey,
        scope: ScopeId,
        certificate: StatementId,
    ) -> Result<Option<OpenLog>, AccessError> {
        let id_of = |epoch| LogId::derive(key.as_bytes(), scope, epoch);
        let can_go_on = |log: &OpenLog| {
            let is_left = device.logbook.is_left(id_of(log.epoch));
            log.certificate == certificate && log.seq < LOG_ENTRIES_MAX && !is_left
        };
        if let Some(log) = self.logs.get(&(*key, scope)) {
            return Ok(Some(*log).filter(can_go_on));
        }
        let kept = device.store.setting(&settings::log(key, scope))?;
        let Some(kept) = kept.and_then(|kept| settings::decode_log(&kept).ok()) else { return Ok(None) };
        // Planted: a restored copy goes on where its original was.
        #[cfg(planted)]
        let is_own = kept.marker == *device.install().marker() || merestone_core::planted::is("reuse-epoch");
        #[cfg(not(planted))]
        let is_own = kept.marker == *device.install().marker();
        if !is_own {
            return Ok(None);
        }
        let Some(tip) = device.store.tip(id_of(kept.epoch))? else { return Ok(None) };
        // A fork in our own log means that somebody else signs with this key; entries above the tip were signed by this
        // key and lost here. Either way the log is not ours alone to continue.
        let (Some(head), None, true) = (tip.head, tip.branches, tip.top == tip.height) else { return Ok(None) };
        let log = OpenLog { epoch: kept.epoch, certificate: kept.certificate, seq: tip.height, head };
        self.logs.insert((*key, scope), log);
        Ok(Some(log).filter(can_go_on))
    }
}

impl Device {
    /// To be called when a peer holds more of `log` than this device, or another entry at a place it holds: if it is the
    /// log of an observer here, the observer begins a new epoch before signing again. Says whether it is.
    ///
    /// Waits for nobody who signs: what is being signed in this log is not kept.
    ///
    /// # Errors
    /// If the store cannot be used: the log is then continued after the device was opened again.
    pub fn peer_knows_more(&self, log: LogId) -> Result<bool, AccessError> {
        let Some(tip) = self.store.tip(log)? else { return Ok(false) };
        if !self.has_seat(&tip.key) {
            return Ok(false);
        }
        let Ok(key) = PublicKey::admit(&tip.key) else { return Ok(false) };
        // Without the turn: whoever has it may be waiting for a person, and looks here before anything is kept.
        self.logbook.leave(log);
        let name = settings::log(&key, tip.scope);
        let kept = self.store.setting(&name)?;
        let is_it = |kept: &Vec<u8>| settings::decode_log(kept).is_ok_and(|kept| kept.epoch == tip.epoch);
        if let Some(kept) = kept.filter(is_it) {
            let mut batch = Batch::new();
            batch.drop_setting(&name, kept);
            self.store.commit(batch)?;
        }
        Ok(true)
    }
}

fn sign(device: &Device, pen: &Pen, draft: EntryDraft) -> Result<VerifiedEntry, PenError> {
    let signer = device.signer_of(&pen.key).ok_or(PenError::Locked { key: Box::new(pen.key) })?;
    draft.sign(&*signer).map_err(|error| match error {
        DraftRefused::Rule(refused) => PenError::Rule(refused),
        DraftRefused::Signer(SignerUnavailable::NotNow) => PenError::Keystore(KeystoreError::Refused),
        DraftRefused::Signer(SignerUnavailable::Gone) => PenError::Keystore(KeystoreError::Gone),
    })
}

/// The last known head of every log of `key`.
fn earlier_heads(device: &Device, key: &PublicKey) -> Result<Vec<LogHead>, PenError> {
    let heads = device.heads_of(key).map_err(AccessError::from)?;
    if heads.len() > EARLIER_MAX {
        return Err(PenError::WornOut { key: Box::new(*key) });
    }
    Ok(heads)
}
