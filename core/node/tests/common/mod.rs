//! A small mission, and devices with clocks and random bytes that can be replayed.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod asking;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use merestone_core::entry::ClockSource;
use merestone_core::form::FormDefinition;
use merestone_core::id::{FormHash, ScopeId, sha256};
use merestone_core::key::{PublicKey, SigningKey};
use merestone_core::roster::{Class, CompleteCharter, Role};
use merestone_forms::{Form, standard};
use merestone_node::clock::{Clock, ClockReading, Entropy, NoEntropy};
use merestone_node::device::{Device, Home, System};
use merestone_node::office::{MissionPlan, PartyOffice};
use merestone_node::vault::{KeyFiles, Passphrase, UnlockCost};
use merestone_store::{Batch, StoreKey};

/// Cheap to try: tests unlock many keys, and no thief is after them.
pub(crate) const COST: UnlockCost = UnlockCost { memory_kib: 8, passes: 1, lanes: 1 };

/// Goes on by one second at each look.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> ClockReading {
        let wall_ms = self.0.fetch_add(1_000, Ordering::Relaxed);
        let source = ClockSource::Device;
        ClockReading { wall_ms, uptime_ms: wall_ms.unsigned_abs(), boot: [7; 8], offset_min: 180, source }
    }
}

/// The same bytes for the same seed.
pub(crate) struct TestEntropy(String, AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for piece in out.chunks_mut(32) {
            let count = self.1.fetch_add(1, Ordering::Relaxed);
            piece.copy_from_slice(&sha256(&[self.0.as_bytes(), &count.to_be_bytes()])[..piece.len()]);
        }
        Ok(())
    }
}

pub(crate) fn system(seed: &str) -> System {
    let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
    System::of(clock, Arc::new(TestEntropy(seed.to_owned(), AtomicU64::new(0))))
}

/// Two states and a neutral body, one scope, the project's own forms.
pub(crate) struct Mission {
    pub(crate) roots: [SigningKey; 3],
    pub(crate) charter: CompleteCharter,
}

pub(crate) fn definition(document: &str) -> FormDefinition {
    Form::read_tables(document).unwrap().definition()
}

pub(crate) fn inspection() -> FormHash {
    definition(standard::INSPECTION).hash().unwrap()
}

pub(crate) fn incident() -> FormHash {
    definition(standard::INCIDENT).hash().unwrap()
}

impl Mission {
    pub(crate) fn found() -> Self {
        Self::found_with(&standard::ALL.map(|document| definition(document).hash().unwrap()))
    }

    /// The mission with other forms.
    pub(crate) fn found_with(forms: &[FormHash]) -> Self {
        let roots = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let plan = MissionPlan {
            name: "Border mission".into(),
            parties: ["State A", "State B", "Neutral body"]
                .into_iter()
                .map(String::from)
                .zip(roots.iter().map(|root| *root.public()))
                .collect(),
            scopes: vec!["North".into(), "South".into()],
            forms: forms.to_vec(),
            ledger: None,
            quorum: 2,
        };
        let charter = plan.charter(&TestEntropy("charter".into(), AtomicU64::new(0))).unwrap();
        let mut signed = PartyOffice::new(&roots[0]).found(&charter).unwrap();
        for root in &roots[1..] {
            signed.sign(root).unwrap();
        }
        let charter = signed.complete().unwrap();
        Self { roots, charter }
    }

    pub(crate) fn scope(&self) -> ScopeId {
        self.charter.charter().scopes[0].id
    }

    pub(crate) fn device(&self, folder: &Path, seed: &str) -> Device {
        Device::create(&Home::new(folder), store_key(), self.charter.as_bytes(), system(seed)).unwrap()
    }

    /// Asks, certifies and accepts: the observer can sign.
    pub(crate) fn enrol(&self, device: &Device, party: usize, name: &str, passphrase: &str) -> PublicKey {
        self.enrol_as(device, party, name, passphrase, Role::Observer)
    }

    pub(crate) fn enrol_as(
        &self,
        device: &Device,
        party: usize,
        name: &str,
        passphrase: &str,
        role: Role,
    ) -> PublicKey {
        let enrolment = device.request(&vault(device, passphrase), name, "Phone").unwrap();
        device.accept(&self.certify(party, &enrolment.text, role)).unwrap();
        enrolment.key
    }

    pub(crate) fn certify(&self, party: usize, request: &str, role: Role) -> String {
        let office = PartyOffice::new(&self.roots[party]);
        let seen = office.read_request(&self.charter, request).unwrap();
        office.certify(&self.charter, &seen.request, role, &[self.scope()]).unwrap().to_text()
    }
}

pub(crate) fn vault(device: &Device, passphrase: &str) -> KeyFiles {
    KeyFiles::with_cost(&device.home().keys(), self::passphrase(passphrase), COST)
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

pub(crate) fn store_key() -> StoreKey {
    StoreKey::from_bytes([0; 32])
}

pub(crate) fn open(folder: &Path, seed: &str) -> Device {
    Device::open(&Home::new(folder), store_key(), system(seed)).unwrap()
}

/// Carries everything from one device to another, as a conversation would in the end.
pub(crate) fn carry(from: &Device, to: &Device) {
    for class in Class::ALL {
        let statements: Vec<Vec<u8>> = {
            let roster = from.authority().roster();
            roster.ids(class).into_iter().filter_map(|id| roster.bytes(class, id).map(<[u8]>::to_vec)).collect()
        };
        to.receive(class, &statements).unwrap();
    }
    let mut records = std::collections::BTreeSet::new();
    let mut keys = merestone_core::key::KeyCache::new();
    for tip in from.store().tips(None, None).unwrap() {
        let mut batch = Batch::new();
        for stored in from.store().log_entries(tip.log, 0, 4_096).unwrap() {
            let signed = merestone_core::entry::SignedEntry::new(&stored.header, stored.body.bytes());
            let entry = signed.verify(from.mission(), &mut keys).unwrap();
            merestone_node::capture::name_blobs(&entry, &mut batch);
            records.insert(entry.record());
            batch.entry(entry);
        }
        to.store().commit(batch).unwrap();
    }
    to.entries_arrived(&records).unwrap();
}
