//! A small mission for tests: parties 1, 2 and 3 with root keys of those seeds, scopes 1 and 2.

use std::sync::LazyLock;

use crate::id::{MissionId, ScopeId};
use crate::key::SigningKey;
use crate::roster::{
    Certificate, Charter, Class, CompleteCharter, EnrolmentRequest, Ledger, Party, PartyNumber, RequestDraft, Role,
    Roster, Scope, SignedCharter,
};

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn scope(n: u8) -> ScopeId {
    ScopeId::from_bytes([n; 8])
}

pub(crate) fn charter() -> CompleteCharter {
    static CHARTER: LazyLock<CompleteCharter> = LazyLock::new(|| charter_with_scopes(2));
    CHARTER.clone()
}

pub(crate) fn charter_with_scopes(scopes: u8) -> CompleteCharter {
    let party = |number: u8| {
        let (name, root) = (format!("Party {number}"), *key(number).public());
        Party { number: PartyNumber(number.into()), name, root, witnesses: Vec::new() }
    };
    let charter = Charter {
        name: "Test mission".into(),
        nonce: [1; 16],
        parties: vec![party(1), party(2), party(3)],
        scopes: (1..=scopes).map(|n| Scope { id: scope(n), name: format!("Scope {n}") }).collect(),
        forms: Vec::new(),
        ledger: Some(Ledger { origin: "example.org/ledger".into(), key: *key(50).public() }),
        quorum: 2,
    };
    let mut signed = SignedCharter::begin(&charter, &key(1)).expect("party 1 signs");
    for seed in 2..=3 {
        signed.sign(&key(seed)).expect("a party signs");
    }
    signed.complete().expect("all signed")
}

pub(crate) fn request(seed: u8, observer: &str) -> EnrolmentRequest {
    request_for(charter().mission(), seed, observer, "Phone")
}

pub(crate) fn request_for(mission: MissionId, seed: u8, observer: &str, device: &str) -> EnrolmentRequest {
    let draft = RequestDraft { mission, transport: [seed; 32], observer, device, nonce: [seed; 8] };
    EnrolmentRequest::make(&draft, &key(seed)).expect("well formed")
}

/// Party `party` certifies the key of `seed` for both scopes.
pub(crate) fn certificate(party: u8, seed: u8, role: Role) -> Certificate {
    let request = request(seed, "Observer");
    Certificate::issue(&charter(), &key(party), &request, role, &[scope(1), scope(2)]).expect("a party certifies")
}

pub(crate) fn roster(certificates: &[Certificate]) -> Roster {
    let mut roster = Roster::new(charter());
    for certificate in certificates {
        roster.admit(Class::Certificate, certificate.as_bytes()).expect("well formed");
    }
    roster
}
