//! The phone: one installation of the app, open, suspended or closed.

mod carrying;
mod forms;
mod life;
mod meeting;
mod people;
mod photos;
mod records;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};

use merestone_node::clock::SystemEntropy;
use merestone_node::device::{Device, Home, Observer, RoomLeft, System, Watcher};
use merestone_node::replica::Replica;
use merestone_node::{DraftId, RecordId, StoreKey};
use zeroize::Zeroizing;

use crate::error::{PhoneError, StorageFault};
use crate::interview::Interview;
use crate::keys::Vaults;
use crate::log::{LogLevel, say};
use crate::provided::{ClockProvider, ConnectivityProvider, LocationProvider, PhoneClock};
use crate::record::SavedLine;
use crate::runtime::{Aside, blocking, locked, wait_for_endings};
use crate::teller::{News, Teller};
use crate::turn::Turns;
use life::Asleep;
pub use life::{SuspendReport, wipe_phone};

/// Where a phone keeps its things.
#[derive(Clone, uniffi::Record)]
pub struct PhoneHome {
    /// The folder of everything that a backup may copy.
    pub folder: String,
    /// The install marker, a file that **no backup may copy**: on Android in `noBackupFilesDir`, on iOS with
    /// `isExcludedFromBackup`. It tells a phone from its own restored copy.
    pub marker: String,
    /// For the store's encryption: taken already and not used yet, what is stored is in clear.
    pub store_key: Arc<StoreSecret>,
}

/// The store's key, from the platform's keystore. Languages show a record with all that is in it, and of this nothing.
#[derive(uniffi::Object)]
pub struct StoreSecret(StoreKey);

#[uniffi::export]
impl StoreSecret {
    /// The key of 32 bytes.
    ///
    /// # Errors
    /// `Refused` with code `store-key` for another number of bytes.
    #[uniffi::constructor]
    pub fn new(bytes: Vec<u8>) -> Result<Arc<Self>, PhoneError> {
        let bytes = Zeroizing::new(bytes);
        let key = bytes.as_slice().try_into().map(StoreKey::from_bytes);
        let key = key.map_err(|_| PhoneError::refused("store-key", "a store key has 32 bytes"))?;
        Ok(Arc::new(Self(key)))
    }
}

/// What a phone asks the app for.
#[derive(Clone, uniffi::Record)]
pub struct PhoneSettings {
    /// Minutes that the place is ahead of UTC, -1,440 to 1,440.
    pub offset_min: i16,
    /// Better clocks than the system's as a library sees it.
    #[uniffi(default = None)]
    pub clock: Option<Arc<dyn ClockProvider>>,
    /// Where the phone is.
    #[uniffi(default = None)]
    pub location: Option<Arc<dyn LocationProvider>>,
    /// What the link costs.
    #[uniffi(default = None)]
    pub connectivity: Option<Arc<dyn ConnectivityProvider>>,
}

/// Something on the phone is not as it was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Change {
    /// The records that changed, ascending.
    pub records: Vec<String>,
    /// So much changed that everything is to be asked for again.
    pub is_everything: bool,
    /// Who may do what may be another now: ask for the observers, too.
    pub has_statements: bool,
}

/// Hears of changes: at most ten times a second, and always of the last one.
#[uniffi::export(foreign)]
pub trait ChangeListener: Send + Sync {
    /// Something changed. Called on a thread of its own; what it throws is nobody's loss.
    fn on_changed(&self, change: Change);
}

/// Records that one change names; of more it says that everything changed.
const RECORDS_IN_CHANGE_MAX: usize = 500;

/// The records that changed since the app was told.
#[derive(Default)]
struct Changed {
    records: BTreeSet<RecordId>,
    is_everything: bool,
    has_statements: bool,
}

impl News for Changed {
    fn add(&mut self, later: Self) {
        self.records.extend(later.records);
        self.is_everything |= later.is_everything || self.records.len() > RECORDS_IN_CHANGE_MAX;
        self.has_statements |= later.has_statements;
        if self.is_everything {
            self.records.clear();
        }
    }
}

impl From<Changed> for Change {
    fn from(changed: Changed) -> Self {
        let Changed { records, is_everything, has_statements } = changed;
        Self { records: records.iter().map(ToString::to_string).collect(), is_everything, has_statements }
    }
}

/// The app's change listener, as the device tells it.
#[derive(Default)]
struct Listening(Mutex<Option<Teller<Changed>>>);

impl Listening {
    fn tell(&self, changed: Changed) {
        if let Some(teller) = &*locked(&self.0) {
            teller.tell(changed);
        }
    }
}

impl Watcher for Listening {
    fn entries_arrived(&self, records: &BTreeSet<RecordId>) {
        let is_everything = records.len() > RECORDS_IN_CHANGE_MAX;
        let records = if is_everything { BTreeSet::new() } else { records.clone() };
        self.tell(Changed { records, is_everything, has_statements: false });
    }

    fn statements_arrived(&self) {
        self.tell(Changed { has_statements: true, ..Changed::default() });
    }
}

/// An open device with what the app brought.
pub(crate) struct Open {
    pub(crate) device: Arc<Device>,
    pub(crate) clock: Arc<PhoneClock>,
    pub(crate) location: Option<Arc<dyn LocationProvider>>,
    pub(crate) connectivity: Option<Arc<dyn ConnectivityProvider>>,
    listening: Arc<Listening>,
    /// What carries the store in whose name; each for as long as nothing changed about the observer.
    replicas: Mutex<Vec<(Observer, Replica)>>,
}

impl Open {
    /// The same app's things around another opening of the device.
    fn with(&self, device: Arc<Device>) -> Self {
        let Self { device: _, clock, location, connectivity, listening, replicas: _ } = self;
        Self {
            device,
            clock: Arc::clone(clock),
            location: location.clone(),
            connectivity: connectivity.clone(),
            listening: Arc::clone(listening),
            replicas: Mutex::default(),
        }
    }

    /// What is to be done after a step was saved: whoever is connected gets it, and the app hears of it.
    pub(crate) fn saved(&self, saved: merestone_node::capture::Saved) -> SavedLine {
        // A peer that is not told now is when it asks, or with the next save.
        let _ = self.device.notify_peers();
        self.listening.tell(Changed { records: BTreeSet::from([saved.record]), ..Changed::default() });
        saved.into()
    }
}

/// What a phone is now.
enum Slot {
    Open(Arc<Open>),
    Asleep(Arc<Asleep>),
    Closed,
}

/// A phone through its whole life, whatever it is now.
struct Life {
    home: Home,
    slot: RwLock<Slot>,
    /// Held while it changes from one to another.
    turn: Turns,
    vaults: Vaults,
}

/// One installation of the app.
///
/// Calls may come from any number of threads at once. One that is let go of without `shut` closes by itself, and letting go
/// waits for nothing.
#[derive(uniffi::Object)]
pub struct Phone {
    life: Aside<Arc<Life>>,
    /// Drafts that a screen has.
    shown: Mutex<HashMap<DraftId, Weak<Interview>>>,
}

/// Opens the phone of a home.
///
/// # Errors
/// `NotThere` where none was made; `Storage` while another process has it open, or where the disk refuses.
#[uniffi::export]
pub async fn open_phone(home: PhoneHome, settings: PhoneSettings) -> Result<Arc<Phone>, PhoneError> {
    start(settings, move |system| Ok(Device::open(&home.place()?, home.store_key.0.share(), system)?)).await
}

/// Makes the phone of a home for the mission that the bytes of a complete charter found, and opens it.
///
/// # Errors
/// `Refused` where a phone is there already, or for a charter that not every party signed.
#[uniffi::export]
pub async fn create_phone(
    home: PhoneHome,
    settings: PhoneSettings,
    charter: Vec<u8>,
) -> Result<Arc<Phone>, PhoneError> {
    start(settings, move |system| Ok(Device::create(&home.place()?, home.store_key.0.share(), &charter, system)?)).await
}

async fn start(
    settings: PhoneSettings,
    open: impl FnOnce(System) -> Result<Device, PhoneError> + Send + 'static,
) -> Result<Arc<Phone>, PhoneError> {
    blocking(move || {
        let PhoneSettings { offset_min, clock, location, connectivity } = settings;
        let clock = Arc::new(PhoneClock::new(offset_min, clock)?);
        clock.refresh();
        wait_for_endings(life::CLOSING);
        let system = System::of(Arc::clone(&clock) as _, Arc::new(SystemEntropy));
        let device = Arc::new(open(system)?);
        let listening = Arc::new(Listening::default());
        device.watch(Some(Arc::clone(&listening) as _));
        say(LogLevel::Info, "phone open");
        let home = device.home().clone();
        let open = Open { device, clock, location, connectivity, listening, replicas: Mutex::default() };
        let (slot, turn) = (RwLock::new(Slot::Open(Arc::new(open))), Turns::default());
        Ok(Arc::new(Phone {
            life: Aside::new(Arc::new(Life { home, slot, turn, vaults: Vaults::default() })),
            shown: Mutex::default(),
        }))
    })
    .await
}

impl PhoneHome {
    /// Where it is.
    fn place(&self) -> Result<Home, PhoneError> {
        let Self { folder, marker, store_key: _ } = self;
        if folder.is_empty() || marker.is_empty() {
            return Err(PhoneError::refused("path", "a phone needs a folder and a place for its marker"));
        }
        Ok(Home { folder: folder.into(), marker: marker.into() })
    }
}

/// A mission as its charter says.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MissionLine {
    /// The mission, 64 hex digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its parties, ascending by number.
    pub parties: Vec<PartyLine>,
    /// Its scopes.
    pub scopes: Vec<ScopeLine>,
}

/// A party of the mission.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PartyLine {
    /// Its number.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// The key that signs for it.
    pub key: String,
}

/// A scope of the mission.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScopeLine {
    /// The scope, 16 hex digits.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How much room is left.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RoomLine {
    /// Bytes that the disk still gives, where the system says.
    pub free_bytes: Option<u64>,
    /// About how many more photos that is, by the size of those that are here.
    pub photos_about: Option<u64>,
    /// Room for very little more: even the reserve for the entry in hand is used up.
    pub low_room: bool,
}

#[uniffi::export]
impl Phone {
    /// The mission.
    pub async fn mission(&self) -> Result<MissionLine, PhoneError> {
        self.call(|open| {
            let (id, charter) = (open.device.mission(), open.device.charter());
            let charter = charter.charter();
            let party = |party: &merestone_core::roster::Party| PartyLine {
                number: party.number.0,
                name: party.name.clone(),
                key: party.root.to_string(),
            };
            let scope = |scope: &merestone_core::roster::Scope| ScopeLine {
                id: scope.id.to_string(),
                name: scope.name.clone(),
            };
            Ok(MissionLine {
                id: id.to_string(),
                name: charter.name.clone(),
                parties: charter.parties.iter().map(party).collect(),
                scopes: charter.scopes.iter().map(scope).collect(),
            })
        })
        .await
    }

    /// How much room is left, in bytes and in photos.
    pub async fn room(&self) -> Result<RoomLine, PhoneError> {
        self.call(|open| {
            let RoomLeft { free_bytes, photos_about, low_room } = open.device.room()?;
            Ok(RoomLine { free_bytes, photos_about, low_room })
        })
        .await
    }

    /// Tells `listener`, or nobody, of what changes on this phone from now on.
    pub async fn set_change_listener(&self, listener: Option<Arc<dyn ChangeListener>>) -> Result<(), PhoneError> {
        self.call(move |open| {
            let teller = listener
                .and_then(|listener| Teller::start(move |changed: Changed| listener.on_changed(changed.into())));
            drop(std::mem::replace(&mut *locked(&open.listening.0), teller));
            Ok(())
        })
        .await
    }

    /// Whether calls can be made: it is neither suspended nor closed.
    pub fn is_open(&self) -> bool {
        self.open().is_ok()
    }
}

impl Phone {
    /// The open device; `Closed` where it is not.
    pub(crate) fn open(&self) -> Result<Arc<Open>, PhoneError> {
        match &*self.life.slot() {
            Slot::Open(open) => Ok(Arc::clone(open)),
            Slot::Asleep(_) => {
                Err(PhoneError::Closed { is_suspended: true, reason: "the phone is suspended; resume it".into() })
            }
            Slot::Closed => Err(Life::closed()),
        }
    }

    /// What an error of a call that was under way says by now: a phone that was closed for good is not resumed.
    pub(crate) fn explain(&self, error: PhoneError) -> PhoneError {
        match (&error, &*self.life.slot()) {
            (PhoneError::Closed { .. }, Slot::Closed) => Life::closed(),
            _ => error,
        }
    }

    /// One call of the device, on a thread that may wait for the disk.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Open) -> Result<T, PhoneError> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let open = self.open()?;
        let called = Arc::downgrade(&open);
        let done = blocking(move || work(&open)).await;
        done.map_err(|error| self.explain(self.explain_awake(&called, error)))
    }

    /// What `Closed` says of a phone that nobody closed: a panic ended what writes its store, and waking it helps nobody.
    fn explain_awake(&self, called: &Weak<Open>, error: PhoneError) -> PhoneError {
        match (&error, &*self.life.slot()) {
            (PhoneError::Closed { .. }, Slot::Open(now))
                if Weak::ptr_eq(called, &Arc::downgrade(now)) && now.device.store().is_open() =>
            {
                let reason =
                    "what writes the store ended by a mistake of the program: shut the phone and open it again";
                PhoneError::storage(StorageFault::Failed, reason)
            }
            _ => error,
        }
    }

    /// A call that may sign: the app's clock is read before it.
    pub(crate) async fn signing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Open) -> Result<T, PhoneError> + Send + 'static,
    ) -> Result<T, PhoneError> {
        self.call(|open| {
            open.clock.refresh();
            work(open)
        })
        .await
    }
}

impl Life {
    fn slot(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts another in its place; what it was.
    fn put(&self, slot: Slot) -> Slot {
        std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), slot)
    }

    fn closed() -> PhoneError {
        PhoneError::Closed { is_suspended: false, reason: "the phone is closed".into() }
    }
}
