//! A mission ready to work in: three parties with their offices, and devices whose observers can sign.
//!
//! Everything that is drawn is drawn from seeds, so that any process that founds the mission founds the same one.
//! Keys are wrapped with [`COST`]: trying one takes microseconds, and no thief is after them.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use merestone_core::entry::ClockSource;
use merestone_core::id::{FormHash, MissionId, ScopeId, sha256};
use merestone_core::key::{PublicKey, SigningKey};
use merestone_core::roster::{CompleteCharter, Ledger, Role};
use merestone_forms::{Form, NamedFile, standard};
use merestone_node::clock::{Clock, ClockReading, Entropy, NoEntropy};
use merestone_node::device::{Device, Home, System};
use merestone_node::office::{MissionPlan, PartyOffice};
use merestone_node::replica::{Camp, CampOptions, LedgerKey, Replica};
use merestone_node::vault::{KeyFiles, Passphrase, UnlockCost};
use merestone_store::StoreKey;

/// What it costs to unlock a key here: the least that Argon2 allows.
pub const COST: UnlockCost = UnlockCost { memory_kib: 8, passes: 1, lanes: 1 };

/// The seed of the ledger's key.
pub const LEDGER_SEED: [u8; 32] = [9; 32];

/// The seed of the key of a party's witness; parties count from 0.
pub const fn witness_seed(party: u8) -> [u8; 32] {
    [101 + party; 32]
}

/// The passphrase of every key here.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Two states and a neutral body, which agreed on one scope.
pub struct Mission {
    /// The parties' root keys, in the order of their numbers.
    pub roots: [SigningKey; 3],
    /// What they signed.
    pub charter: CompleteCharter,
    documents: Vec<String>,
}

impl Mission {
    /// The mission with the forms that come with the project.
    pub fn found() -> Self {
        Self::found_with(&[])
    }

    /// The mission with the project's forms and these documents. Other documents make another mission.
    pub fn found_with(documents: &[&str]) -> Self {
        Self::found_wide(documents, &["North"])
    }

    /// The same with a witness of each party.
    pub fn found_witnessed(documents: &[&str]) -> Self {
        Self::found_as(documents, &["North"], true)
    }

    /// [`found_with`](Self::found_with) with these scopes, of which [`scope`](Self::scope) is the first.
    pub fn found_wide(documents: &[&str], scopes: &[&str]) -> Self {
        Self::found_as(documents, scopes, false)
    }

    fn found_as(documents: &[&str], scopes: &[&str], is_witnessed: bool) -> Self {
        let roots = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let names = ["State A", "State B", "Neutral body"].map(String::from);
        let plan = MissionPlan {
            name: "Border mission".into(),
            parties: names.into_iter().zip(roots.iter().map(|root| *root.public())).collect(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            forms: standard::ALL.iter().chain(documents).map(|document| form_hash(document)).collect(),
            ledger: Some(Ledger {
                origin: "border.example/ledger".into(),
                key: *SigningKey::from_seed(&LEDGER_SEED).public(),
            }),
            quorum: 2,
        };
        let mut charter = plan.charter(&SeededEntropy::new("charter")).unwrap();
        if is_witnessed {
            for (party, witness) in charter.parties.iter_mut().zip(0..) {
                party.witnesses = vec![*SigningKey::from_seed(&witness_seed(witness)).public()];
            }
        }
        let mut signed = PartyOffice::new(&roots[0]).found(&charter).unwrap();
        for root in &roots[1..] {
            signed.sign(root).unwrap();
        }
        let documents = documents.iter().map(|document| (*document).to_owned()).collect();
        Self { roots, charter: signed.complete().unwrap(), documents }
    }

    /// Its id.
    pub fn id(&self) -> MissionId {
        self.charter.mission()
    }

    /// Its one scope, or the first of them.
    pub fn scope(&self) -> ScopeId {
        self.charter.charter().scopes[0].id
    }

    /// All its scopes.
    pub fn scopes(&self) -> Vec<ScopeId> {
        self.charter.charter().scopes.iter().map(|scope| scope.id).collect()
    }

    /// Makes a device in `folder`, with all forms of the mission.
    pub fn create_device(&self, folder: &Path, system: System) -> Device {
        let device = Device::create(&Home::new(folder), store_key(), self.charter.as_bytes(), system).unwrap();
        for document in &self.documents {
            device.add_form(NamedFile { name: "form.md", bytes: document.as_bytes() }, &[]).unwrap();
        }
        device
    }

    /// Enrols an observer of the party at `party` (from 0): asked, certified, accepted, unlocked.
    pub fn enrol(&self, device: &Device, party: usize, name: &str) -> PublicKey {
        self.enrol_as(device, party, name, Role::Observer)
    }

    /// [`enrol`](Self::enrol) in another role.
    pub fn enrol_as(&self, device: &Device, party: usize, name: &str, role: Role) -> PublicKey {
        self.enrol_in(device, party, name, role, &[self.scope()])
    }

    /// [`enrol_as`](Self::enrol_as) in these scopes.
    pub fn enrol_in(&self, device: &Device, party: usize, name: &str, role: Role, scopes: &[ScopeId]) -> PublicKey {
        let enrolment = device.request(&vault(device), name, "Phone").unwrap();
        device.accept(&self.certify_in(party, &enrolment.text, role, scopes)).unwrap();
        enrolment.key
    }

    /// Opens base camp over a new device in `folder`; it keeps the mission's ledger. Must be called within a tokio runtime
    /// when it is to answer.
    pub fn create_camp(&self, folder: &Path, system: System) -> Camp {
        let device = Arc::new(self.create_device(folder, system));
        let key = self.enrol_as(&device, 2, "Base camp", Role::Camp);
        self.camp_around(device.replica(&key).unwrap())
    }

    /// Base camp around the replica of a device whose observer is certified as one; it keeps the mission's ledger.
    pub fn camp_around(&self, replica: Replica) -> Camp {
        let ledger =
            LedgerKey::new(Arc::new(SigningKey::from_seed(&LEDGER_SEED)), self.charter.charter().ledger.as_ref());
        Camp::around(replica, Some(ledger.unwrap()), CampOptions::default().note_interval).unwrap()
    }

    /// The certificate, as text, with which the office of the party at `party` answers a request.
    pub fn certify(&self, party: usize, request: &str, role: Role) -> String {
        self.certify_in(party, request, role, &[self.scope()])
    }

    fn certify_in(&self, party: usize, request: &str, role: Role, scopes: &[ScopeId]) -> String {
        let office = PartyOffice::new(&self.roots[party]);
        let seen = office.read_request(&self.charter, request).unwrap();
        office.certify(&self.charter, &seen.request, role, scopes).unwrap().to_text()
    }
}

/// Opens the device in `folder` and unlocks every observer on it.
pub fn open_device(folder: &Path, system: System) -> Device {
    let device = Device::open(&Home::new(folder), store_key(), system).unwrap();
    for observer in device.observers() {
        device.unlock(&vault(&device), &observer.key).unwrap();
    }
    device
}

/// The hash under which a charter lists the form of a document.
pub fn form_hash(document: &str) -> FormHash {
    Form::read_tables(document).unwrap().definition().hash().unwrap()
}

/// The key files of a device, under [`PASSPHRASE`].
pub fn vault(device: &Device) -> KeyFiles {
    KeyFiles::with_cost(&device.home().keys(), Passphrase::new(PASSPHRASE.to_owned()).unwrap(), COST)
}

/// The store key of every device here.
pub fn store_key() -> StoreKey {
    StoreKey::from_bytes([0; 32])
}

/// A clock that goes on by one second at each look, and random bytes that are the same for the same seed.
///
/// Whoever opens a device again must take another seed, as no real device draws the same bytes twice.
pub fn replayed(seed: &str) -> System {
    let clock = SteppedClock(AtomicI64::new(1_700_000_000_000));
    System::of(Arc::new(clock), Arc::new(SeededEntropy::new(seed)))
}

struct SteppedClock(AtomicI64);

impl Clock for SteppedClock {
    fn now(&self) -> ClockReading {
        let wall_ms = self.0.fetch_add(1_000, Ordering::Relaxed);
        let source = ClockSource::Device;
        ClockReading { wall_ms, uptime_ms: wall_ms.unsigned_abs(), boot: [7; 8], offset_min: 180, source }
    }
}

struct SeededEntropy {
    seed: String,
    drawn: AtomicU64,
}

impl SeededEntropy {
    fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned(), drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for piece in out.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::Relaxed);
            piece.copy_from_slice(&sha256(&[self.seed.as_bytes(), &count.to_be_bytes()])[..piece.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use merestone_node::Answer;

    #[test]
    fn an_observer_of_the_mission_can_save_and_go_on_after_a_restart() {
        let mission = Mission::found();
        let home = tempfile::tempdir().unwrap();
        let device = mission.create_device(home.path(), replayed("first"));
        let observer = mission.enrol(&device, 0, "Olena");
        let mut draft = device.begin(&observer, mission.scope(), form_hash(standard::INSPECTION)).unwrap();
        draft.answers.insert("post".into(), Answer::text("Bridge"));
        let record = device.save(&draft).unwrap().record;
        drop(device);
        let device = open_device(home.path(), replayed("second"));
        assert_eq!(device.mission(), Mission::found().id());
        assert!(device.withdraw(&observer, record).is_ok());
    }
}
