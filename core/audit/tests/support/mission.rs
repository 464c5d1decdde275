//! A mission: its charter, its form, and whoever is certified.

use merestone_core::entry::LogHead;
use merestone_core::erasure::{Erased, ErasureDraft, ErasureReason, ProposedErasure};
use merestone_core::form::FormDefinition;
use merestone_core::id::{FormHash, MissionId, RecordId, StoreId};
use merestone_core::key::SigningKey;
use merestone_core::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use merestone_core::roster::{
    Certificate, Charter, Class, CompleteCharter, Cut, CutDraft, CutReason, EnrolmentRequest, Ledger, Party,
    PartyNumber, RequestDraft, Role, Roster, Scope, SignedCharter,
};

use super::{Device, form, key, other_scope, scope};

pub(crate) struct Mission {
    pub(crate) charter: CompleteCharter,
    pub(crate) form: FormDefinition,
    pub(crate) form_bytes: Vec<u8>,
    pub(crate) roster: Roster,
    pub(crate) plan: Plan,
}

/// What a mission is founded with.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) parties: u8,
    /// How many of the parties have witnesses; without any there is no ledger.
    pub(crate) witnessed: u8,
    /// Goes into the nonce, so that every mission is another one.
    pub(crate) nonce: u64,
}

/// The ledger's key.
pub(crate) fn ledger_key() -> SigningKey {
    key(90)
}

/// A witness of a party: each has two.
pub(crate) fn witness_key(party: u8, number: u8) -> SigningKey {
    key(100 + party * 2 + number)
}

impl Mission {
    pub(crate) fn found() -> Self {
        Self::found_by(Plan { parties: 3, witnessed: 0, nonce: 0x0101_0101_0101_0101 })
    }

    pub(crate) fn found_by(plan: Plan) -> Self {
        let form = form();
        let form_bytes = form.encode().unwrap();
        let charter = Self::charter(plan, &form_bytes);
        let mut signed = SignedCharter::begin(&charter, &key(1)).unwrap();
        for party in 2..=plan.parties {
            signed.sign(&key(party)).unwrap();
        }
        let charter = signed.complete().unwrap();
        let mut roster = Roster::new(charter.clone());
        roster.admit(Class::Form, &form_bytes).unwrap();
        Self { charter, form, form_bytes, roster, plan }
    }

    fn charter(plan: Plan, form_bytes: &[u8]) -> Charter {
        let party = |number: u8| Party {
            number: PartyNumber(number.into()),
            name: ["State A", "State B", "Neutral body", "Région <d>", "Пятая"][usize::from(number - 1) % 5].into(),
            root: *key(number).public(),
            witnesses: match number <= plan.witnessed {
                true => [0, 1].map(|of| *witness_key(number, of).public()).to_vec(),
                false => Vec::new(),
            },
        };
        let half = plan.nonce.to_be_bytes();
        let nonce = [half, half].concat();
        let ledger = || Ledger { origin: "ledger.example/forge".into(), key: *ledger_key().public() };
        Charter {
            name: "Спостереження معبر".into(),
            nonce: nonce.try_into().unwrap(),
            parties: (1..=plan.parties).map(party).collect(),
            scopes: vec![
                Scope { id: scope(), name: "North".into() },
                Scope { id: other_scope(), name: "South".into() },
            ],
            forms: vec![FormHash::of(form_bytes)],
            ledger: (plan.witnessed > 0).then(ledger),
            quorum: 2,
        }
    }

    pub(crate) fn id(&self) -> MissionId {
        self.charter.mission()
    }

    pub(crate) fn enrol(&mut self, party: u8, seed: u8, observer: &str, role: Role) -> Device {
        let certificate = self.certificate(party, seed, observer, role);
        self.roster.admit(Class::Certificate, certificate.as_bytes()).unwrap();
        Device::new(self.id(), seed, observer, certificate)
    }

    pub(crate) fn certificate(&self, party: u8, seed: u8, observer: &str, role: Role) -> Certificate {
        let device = format!("{observer}'s phone");
        let draft = RequestDraft {
            mission: self.id(),
            transport: [seed; 32],
            observer,
            device: &device,
            nonce: [seed; 8],
            attestation: None,
            replaces: None,
        };
        let request = EnrolmentRequest::make(&draft, &key(seed)).unwrap();
        Certificate::issue(&self.charter, &key(party), &request, role, &[scope()]).unwrap()
    }

    pub(crate) fn cut(&mut self, party: u8, device: &Device, kept: &[LogHead]) -> Cut {
        let key_bytes = *device.key.public().as_bytes();
        let draft = CutDraft { key: &key_bytes, kept, reason: CutReason::Stolen, text: None };
        let cut = Cut::make(&self.charter, &key(party), &draft).unwrap();
        self.roster.admit(Class::Cut, cut.as_bytes()).unwrap();
        cut
    }

    pub(crate) fn receipt(&mut self, camp: &Device, counter: u64, devices: &[&Device]) {
        let held = |device: &&Device| LogHeld {
            log: device.log(),
            height: device.entries.len() as u64,
            head: device.entries.last().unwrap().id(),
            missing: 0,
        };
        let draft = ReceiptDraft {
            store: StoreId::from_bytes([9; 16]),
            counter,
            logs: devices.iter().map(held).collect(),
            blobs: Vec::new(),
            certificate: camp.certificate.id(),
            left_out: LeftOut::default(),
        };
        let receipt = Receipt::make(&self.roster, &camp.key, draft).unwrap();
        self.roster.admit(Class::Receipt, receipt.as_bytes()).unwrap();
    }

    pub(crate) fn erase(&mut self, record: RecordId, erased: Erased) {
        let draft = ErasureDraft { record, erased, reason: ErasureReason::Privacy, text: None };
        let mut proposed = ProposedErasure::begin(&self.charter, &key(1), draft).unwrap();
        proposed.sign(&self.charter, &key(2)).unwrap();
        let erasure = proposed.complete(&self.charter).unwrap();
        self.roster.admit(Class::Erasure, erasure.as_bytes()).unwrap();
    }
}
