//! Who takes part: eight observers on ten devices. They stand in for whoever saw what is replayed.

use std::path::Path;
use std::sync::Arc;

use merestone_core::key::PublicKey;
use merestone_core::roster::Role;
use merestone_node::Device;
use merestone_node::device::{Home, System};
use merestone_node::replica::Replica;
use merestone_node::vault::{KeyFiles, UnlockCost};
use merestone_store::StoreKey;

use super::meet::limits;
use super::mission::{Mission, NEUTRAL, own_fault, passphrase};
use super::replay::{ReplayClock, entropy};
use crate::exit::Failure;

/// The place of state B in `PARTIES`.
pub(super) const PARTY_B: usize = 1;

/// A device of the cast: its name, its party (a place in `PARTIES`), and who uses it.
type Part = (&'static str, usize, &'static [&'static str]);

const A: usize = 0;
const B: usize = PARTY_B;
const N: usize = NEUTRAL;

/// Ten devices. Observers 1 of both states and observer 3 of state A have two; observers 1 and 2 of state A share one.
const PARTS: [Part; 10] = [
    ("A3 phone", A, &["State A observer 3"]),
    ("B1 phone", B, &["State B observer 1"]),
    ("A shared tablet", A, &["State A observer 1", "State A observer 2"]),
    ("A1 phone", A, &["State A observer 1"]),
    ("A3 tablet", A, &["State A observer 3"]),
    ("B1 tablet", B, &["State B observer 1"]),
    ("B2 phone", B, &["State B observer 2"]),
    ("B3 phone", B, &["State B observer 3"]),
    ("N1 phone", N, &["Neutral observer 1"]),
    ("N2 phone", N, &["Neutral observer 2"]),
];

/// The device of state A's team leader, in [`Cast::phones`].
pub(super) const LEADER_A: usize = 0;
/// The device of state B's team leader.
pub(super) const LEADER_B: usize = 1;
/// The device that will be lost.
pub(super) const LOST: usize = 7;

/// One device with its observers.
pub(super) struct Phone {
    pub(super) name: &'static str,
    pub(super) device: Arc<Device>,
    pub(super) clock: Arc<ReplayClock>,
    /// The observers' keys, unlocked, in the order of the cast.
    pub(super) observers: Vec<PublicKey>,
}

impl Phone {
    /// Carries the device's store to peers, in the name of its first observer.
    ///
    /// # Errors
    /// If the observer's key is locked, which it is not here.
    pub(super) fn replica(&self) -> Result<Replica, Failure> {
        Ok(self.device.replica_with(&self.observers[0], limits())?)
    }
}

/// Everybody, enrolled.
pub(super) struct Cast {
    pub(super) phones: Vec<Phone>,
}

impl Cast {
    /// Makes the devices in `folder` and enrols their observers.
    ///
    /// # Errors
    /// If a device cannot be made.
    pub(super) fn enrol(folder: &Path, mission: &Mission, seed: Option<u64>) -> Result<Self, Failure> {
        // Half of the time goes into the keys' passphrases, which are slow on purpose.
        let phones = std::thread::scope(|scope| {
            let begun = PARTS.map(|part| scope.spawn(move || enrol(folder, mission, seed, part)));
            begun.map(|phone| phone.join().unwrap_or_else(|_| Err(own_fault("an enrolment"))))
        });
        Ok(Self { phones: phones.into_iter().collect::<Result<_, _>>()? })
    }

    /// How many observers there are, each counted once.
    pub(super) fn observers(&self) -> usize {
        let names: std::collections::BTreeSet<&str> =
            PARTS.iter().flat_map(|(_, _, observers)| *observers).copied().collect();
        names.len()
    }

    /// How many keys sign.
    pub(super) fn keys(&self) -> usize {
        self.phones.iter().map(|phone| phone.observers.len()).sum()
    }
}

fn enrol(folder: &Path, mission: &Mission, seed: Option<u64>, (name, party, people): Part) -> Result<Phone, Failure> {
    let home = Home::new(&folder.join(name.to_lowercase().replace(' ', "-")));
    let entropy = entropy(seed, name);
    let mut boot = [0; 8];
    entropy.fill(&mut boot)?;
    // State A keeps the time of its capital, two hours ahead; the others three.
    let clock = Arc::new(ReplayClock::new(boot, if party == A { 120 } else { 180 }));
    let system = System::of(Arc::clone(&clock) as _, entropy);
    let device = Device::create(&home, StoreKey::from_bytes([0; 32]), mission.charter.as_bytes(), system)?;
    let vault = KeyFiles::with_cost(&home.keys(), passphrase(), UnlockCost::PHONE);
    let mut observers = Vec::new();
    for person in people {
        let enrolment = device.request(&vault, person, name)?;
        let seen = mission.office(party).read_request(&mission.charter, &enrolment.text)?;
        if seen.words != enrolment.words {
            return Err(own_fault("the six words of a request"));
        }
        let certificate = mission.certify(party, &seen.request, Role::Observer)?;
        device.accept(&certificate.to_text())?;
        observers.push(enrolment.key);
    }
    Ok(Phone { name, device: Arc::new(device), clock, observers })
}
