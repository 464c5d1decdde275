//! One installation: its folder, its store, its mission, and the observers who use it.

mod error;
mod install;
mod keyring;
mod logbook;
mod meeting;
mod observers;
mod pen;
mod settings;
mod suspend;
mod wipe;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use merestone_core::id::{MissionId, StoreId};
use merestone_core::roster::{Class, CompleteCharter, Roster};
use merestone_store::{Batch, Identity, Room, StatementClass, Store, StoreKey, Threads};

pub use error::{AccessError, CreateError, OpenDeviceError};
use logbook::LogbookPlace;
pub(crate) use logbook::{Logbook, Turn};
pub use meeting::{NoReplica, Watcher};
use observers::Desk;
pub use observers::{Observer, ObserverState, UnlockError};
pub use pen::PenError;
pub(crate) use pen::{Pen, WriteError, Written};
pub(crate) use settings::form as form_setting;
pub use suspend::Suspended;
pub use wipe::{WipeError, Wiped, wipe};

use crate::authority::{Authority, Received};
use crate::clock::{Clock, ClockReading, Entropy, NoEntropy, SystemClock, SystemEntropy, random};
use crate::forms::Forms;
use crate::records::Shelf;
use crate::replica::{OneAtATime, Shared};
use install::Install;

/// Where a device keeps its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The folder of everything that a backup may copy.
    pub folder: PathBuf,
    /// The install marker, a file that **no backup may copy** (on Android in `noBackupFilesDir`).
    /// It tells a device from its own restored copy.
    pub marker: PathBuf,
}

impl Home {
    /// Everything in one folder, the marker too: for machines whose backups leave out what they are told to.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), marker: folder.join("install-marker") }
    }

    /// The folder for key files.
    pub fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store")
    }
}

/// What a device asks the outside world for.
#[derive(Clone)]
pub struct System {
    /// Its clocks.
    pub clock: Arc<dyn Clock>,
    /// Its random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// On whose threads its store and its [replicas](Device::replica) work. With [`Threads::Caller`] the device starts none,
    /// and the same calls with the same clock and entropy give the same bytes.
    pub threads: Threads,
}

impl System {
    /// These clocks and random bytes, and threads of the device's own.
    pub fn of(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, threads: Threads::Own }
    }

    /// The operating system's, in a place `offset_min` minutes ahead of UTC.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn real(offset_min: i16) -> Result<Self, NoEntropy> {
        Ok(Self::of(Arc::new(SystemClock::new(offset_min)?), Arc::new(SystemEntropy)))
    }
}

/// How much room is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLeft {
    /// Bytes that the disk still gives; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// About how many more photos that is, by the size of those that are here.
    pub photos_about: Option<u64>,
    /// The reserve for the entry in hand is used up: room for very little more.
    pub low_room: bool,
}

/// Photos from which on their mean size says more than the usual one.
const PHOTOS_KNOWN: u64 = 10;

/// A 12-megapixel phone photo of 3 to 8 MB, with its renditions.
const PHOTO_BYTES_USUAL: u64 = 5_500_000;

/// One installation, open.
///
/// Shared between threads by reference. Every call blocks on the disk at most; async callers use a blocking thread.
/// Dropping it closes the store; a kill at any moment loses nothing that a call had returned.
pub struct Device {
    home: Home,
    mission: MissionId,
    system: System,
    key: StoreKey,
    pub(crate) store: Arc<Store>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) forms: Forms,
    pub(crate) shelf: Shelf,
    install: Install,
    desk: Mutex<Desk>,
    logbook: LogbookPlace,
    /// The replicas that carry this store, for as long as anybody holds them.
    replicas: Mutex<Vec<Weak<Shared>>>,
    /// Taken while one of them signs a receipt.
    signing: Arc<OneAtATime>,
    /// Who is told of what arrives.
    watcher: Mutex<Option<Arc<dyn Watcher>>>,
}

impl Device {
    /// Makes a device for the mission of a complete charter (`charter` are its bytes) and opens it.
    ///
    /// The forms that the project ships are taken over where the charter lists them.
    ///
    /// # Errors
    /// [`CreateError`].
    pub fn create(home: &Home, key: StoreKey, charter: &[u8], system: System) -> Result<Self, CreateError> {
        let roster = Roster::read_charter_file(charter).map_err(CreateError::Charter)?;
        let mission = roster.mission();
        let store = StoreId::from_bytes(random(&*system.entropy)?);
        wipe::refuse_half_wiped(home)?;
        let store = Store::create_with(&home.store(), key.share(), Identity { mission, store }, system.threads)?;
        let mut batch = Batch::new();
        batch.statement(StatementClass::Charter, None, roster.charter().as_bytes().to_vec());
        for amendment in roster.amendments() {
            batch.statement(StatementClass::Amendment, None, amendment.as_bytes().to_vec());
        }
        store.commit(batch)?;
        let device = Self::start(home, key, store, system)?;
        device.add_standard_forms()?;
        Ok(device)
    }

    /// Opens a device.
    ///
    /// If its install marker is missing or another, the store was copied or restored: it gets a new store id, and each
    /// observer begins a new epoch before signing again.
    ///
    /// # Errors
    /// [`OpenDeviceError`].
    pub fn open(home: &Home, key: StoreKey, system: System) -> Result<Self, OpenDeviceError> {
        wipe::refuse_half_wiped(home)?;
        let store = Store::open_with(&home.store(), key.share(), system.threads)?;
        Self::start(home, key, store, system)
    }

    fn start(home: &Home, key: StoreKey, store: Store, system: System) -> Result<Self, OpenDeviceError> {
        let mission = store.identity()?.mission;
        let authority = Authority::load(&store, mission)?;
        let install = Install::check(&home.marker, &store, &*system.entropy)?;
        let desk = Desk::load(&store)?;
        let device = Self {
            home: home.clone(),
            mission,
            system,
            key,
            store: Arc::new(store),
            authority: Arc::new(authority),
            forms: Forms::default(),
            shelf: Shelf::default(),
            install,
            desk: Mutex::new(desk),
            logbook: LogbookPlace::default(),
            replicas: Mutex::default(),
            signing: Arc::default(),
            watcher: Mutex::default(),
        };
        // A kill may have come between an erasure and what it takes away.
        device.erase_everything_erased()?;
        Ok(device)
    }

    /// Takes up statements of one class that came from elsewhere: the ones that hold are durable when this returns,
    /// and what follows from them (a cut, an erasure) is in force.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn receive(&self, class: Class, statements: &[Vec<u8>]) -> Result<Received, AccessError> {
        let received = self.authority.admit(&self.store, class, statements.iter().map(Vec::as_slice))?;
        for (class, new) in received.news(class) {
            self.follow_statements(class, &new)?;
        }
        Ok(received)
    }

    /// Where it keeps its things.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its mission.
    pub fn mission(&self) -> MissionId {
        self.mission
    }

    /// What founds the mission.
    pub fn charter(&self) -> CompleteCharter {
        self.authority.roster().charter().clone()
    }

    /// Who may sign what.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// The store, for whoever carries its content to peers. What it holds is changed through the device only.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// How much room is left, in bytes and in photos.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn room(&self) -> Result<RoomLeft, AccessError> {
        let Room { free_bytes, low_room } = self.store.room();
        let counts = self.store.counts()?;
        // A photo is an original and usually two renditions.
        let photos = counts.blobs / 3;
        let photo_bytes = if photos >= PHOTOS_KNOWN { counts.blob_bytes / photos } else { PHOTO_BYTES_USUAL };
        let photos_about = free_bytes.map(|free| free / photo_bytes.max(1));
        Ok(RoomLeft { free_bytes, photos_about, low_room })
    }

    /// What the clocks show now.
    pub fn now(&self) -> ClockReading {
        self.system.clock.now()
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        random(&*self.system.entropy)
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.system.entropy
    }

    pub(crate) fn install(&self) -> &Install {
        &self.install
    }

    /// The turn to sign; nothing else of the device may be locked when it is asked for.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, AccessError> {
        self.logbook.take()
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        // Seats and keys are whole after each statement.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows where it is, and nothing of what is in it.
impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("home", &self.home.folder).finish_non_exhaustive()
    }
}
