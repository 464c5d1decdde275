//! One device of the world: its disk, its person, and the process that is alive or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::id::{BlobHash, EntryId, StoreId};
use merestone_core::key::{PublicKey, SigningKey};
use merestone_core::roster::Role;
use merestone_node::Device;
use merestone_node::device::Home;
use merestone_node::replica::{Camp, LedgerKey, Replica};

use super::disk::Disk;
use super::senses::{ClockFault, Time, system};
use crate::mission::{LEDGER_SEED, Mission, PASSPHRASE, store_key, vault};

/// How often a camp signs a checkpoint by itself, in the time of the world.
const NOTE_INTERVAL: Duration = Duration::from_secs(3_600);

/// A device, running or not.
pub struct Site {
    /// Its number in the world.
    pub number: usize,
    /// What it is.
    pub role: Role,
    /// The party of its person, from 0.
    pub party: usize,
    /// The key of its person.
    pub key: PublicKey,
    /// Where its files lie.
    pub disk: Disk,
    /// What is wrong with its clock.
    pub clock: ClockFault,
    /// What its disk must hold, by what the World was told; see [`Duty`].
    pub duty: Duty,
    /// The process, if it runs.
    pub up: Option<Up>,
    /// Whether its key was cut.
    pub is_cut: bool,
    /// The same key is at work on another device, or was before this one went back to an old backup.
    pub is_doubled: bool,
    /// A storage call failed and the process goes on.
    pub is_shaken: bool,
    /// What a cloned device was copied from.
    pub cloned_from: Option<usize>,
    /// Until when nobody can meet it.
    pub away_until_ms: u64,
    words: String,
    time: Time,
    lives: u32,
}

/// What the disk of a site must hold whenever it is opened.
#[derive(Clone, Debug, Default)]
pub struct Duty {
    /// Entries that the person was told are saved, with their photos.
    pub saved: BTreeMap<EntryId, Vec<BlobHash>>,
    /// Entries of which the store said to peers that it holds them durably, under its present id.
    pub told: BTreeSet<EntryId>,
    /// Blobs it said so of.
    pub blobs: BTreeSet<BlobHash>,
}

/// A running process.
pub struct Up {
    /// The device.
    pub device: Arc<Device>,
    /// Its replica.
    pub replica: Replica,
    /// At a camp that sequences.
    pub camp: Option<Camp>,
}

impl Site {
    /// A new device of a new person, running.
    ///
    /// # Panics
    /// If the product does not found a device on a sound disk.
    pub fn found(mission: &Mission, time: &Time, words: &str, number: usize, role: Role, clock: ClockFault) -> Self {
        let disk = Disk::make().expect("the World can write to its own folder");
        // Each camp is another party's, so that two parties hold what a third one cuts.
        let party = if role == Role::Camp { (number + 2) % 3 } else { number % 3 };
        let words = format!("{words}/{number}");
        let device = mission.create_device(&disk.home().join("device"), system(time, clock, format!("{words}/0")));
        let key = mission.enrol_as(&device, party, &format!("Person {number}"), role);
        let (duty, up) = (Duty::default(), None);
        let mut site = Self {
            number,
            role,
            party,
            key,
            disk,
            clock,
            duty,
            up,
            is_cut: false,
            is_doubled: false,
            is_shaken: false,
            cloned_from: None,
            away_until_ms: 0,
            words,
            time: time.clone(),
            lives: 1,
        };
        site.run(device);
        site
    }

    /// A device with the same files on a disk of its own, as somebody makes who copies a phone, marker and all. Not running.
    ///
    /// # Errors
    /// If the World cannot copy.
    pub fn clone_at(&self, number: usize) -> std::io::Result<Self> {
        let disk = Disk::make()?;
        self.disk.back_up(&disk.home(), &[])?;
        Ok(Self {
            number,
            role: self.role,
            party: self.party,
            key: self.key,
            disk,
            clock: self.clock,
            duty: self.duty.clone(),
            up: None,
            is_cut: self.is_cut,
            is_doubled: true,
            is_shaken: false,
            cloned_from: Some(self.number),
            away_until_ms: 0,
            words: format!("{}/clone", self.words),
            time: self.time.clone(),
            lives: 0,
        })
    }

    /// Starts the process on what is on the disk.
    ///
    /// # Errors
    /// What the product says.
    pub fn start(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        (self.lives, self.is_shaken) = (self.lives + 1, false);
        let system = system(&self.time, self.clock, format!("{}/{}", self.words, self.lives));
        let device = Device::open(&self.home(), store_key(), system)?;
        device.unlock(&vault(&device), &self.key)?;
        let device = Arc::new(device);
        let (replica, camp) = self.replica(&device)?;
        self.up = Some(Up { device, replica, camp });
        Ok(())
    }

    /// Ends the process in good order.
    pub fn stop(&mut self) {
        self.up = None;
    }

    /// Ends the process as a kill does: nothing that it still does reaches the disk.
    pub fn kill(&mut self) {
        self.disk.kill();
        self.up = None;
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.up.is_some()
    }

    /// The camp that keeps the ledger, where it runs.
    pub fn camp(&self) -> Option<&Camp> {
        self.up.as_ref()?.camp.as_ref()
    }

    /// How many times it was started.
    pub fn lives(&self) -> u32 {
        self.lives
    }

    /// A name for a story.
    pub fn name(&self) -> String {
        let what = match self.role {
            Role::Camp => "camp",
            Role::Auditor => "auditor",
            _ => "phone",
        };
        format!("{what} {}", self.number)
    }

    /// The folder of the device on its disk.
    pub fn home(&self) -> Home {
        Home::new(&self.folder())
    }

    /// The path of [`home`](Self::home).
    pub fn folder(&self) -> PathBuf {
        self.disk.home().join("device")
    }

    /// The id of its store, while it runs.
    pub fn store_id(&self) -> Option<StoreId> {
        self.up.as_ref()?.device.store().identity().ok().map(|identity| identity.store)
    }

    fn run(&mut self, device: Device) {
        debug_assert!(!PASSPHRASE.is_empty());
        let device = Arc::new(device);
        let (replica, camp) = self.replica(&device).expect("a new device has a replica");
        self.up = Some(Up { device, replica, camp });
    }

    fn replica(&self, device: &Arc<Device>) -> Result<(Replica, Option<Camp>), Box<dyn std::error::Error>> {
        let replica = device.replica(&self.key)?;
        // One camp keeps the ledger; the others mirror.
        let sequences = self.role == Role::Camp && self.number == 0;
        if !sequences {
            return Ok((replica, None));
        }
        let charter = device.charter();
        let key = Arc::new(SigningKey::from_seed(&LEDGER_SEED));
        let ledger = LedgerKey::new(key, charter.charter().ledger.as_ref())?;
        let camp = Camp::around(replica.clone(), Some(ledger), NOTE_INTERVAL)?;
        Ok((replica, Some(camp)))
    }
}
