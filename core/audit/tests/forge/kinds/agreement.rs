//! What parties say together: acknowledgements of cuts, and amendments of the charter.

use merestone_audit::Place;
use merestone_core::checkpoint::Leaf;
use merestone_core::id::{ScopeId, StatementId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::roster::{
    Acknowledgement, Changes, Class, Cut, CutBy, Party, PartyNumber, ProposedAmendment, Role, Scope,
};

use super::row;
use crate::chance::Chance;
use crate::craft::{Envelope, Fields, bstr, int, list, resign, statement};
use crate::kind::{
    BOTH, Expected,
    Forger::{Camp, Observer, Outsider, Party as OfParty},
    Kind, doubt, failure, nothing,
};
use crate::ledger::{cosigned, everybody};
use crate::scene::Scene;
use crate::support::{Bag, key};

const ACKNOWLEDGEMENT: &str = "application/vnd.merestone.acknowledgement.v1";
const AMENDMENT: &str = "application/vnd.merestone.amendment.v1";
/// The key of a second camp, and that of a party that would join.
const SECOND: u8 = 151;
const JOINING: u8 = 152;

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = acknowledgements();
    kinds.extend(amendments());
    kinds.extend(amendments_by_the_byte());
    kinds
}

fn acknowledgements() -> Vec<Kind> {
    vec![
        row("acknowledgement-of-a-cut", Camp, BOTH, |bag, scene, _| {
            put_acknowledgement(bag, &acknowledgement(scene)?);
            Some(nothing())
        }),
        row("acknowledgement-by-an-outsider", Outsider, BOTH, |bag, scene, _| {
            let at = put_acknowledgement(bag, &by(&acknowledgement(scene)?, &key(77)));
            Some(failure("acknowledgement-signer", at))
        }),
        row("acknowledgement-by-an-observer", Observer, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let certificate = author.device.certificate.id();
            let said = reacknowledged(scene, &scene.camp.key, |fields| fields.set(3, bstr(certificate.as_bytes())))?;
            Some(failure("acknowledgement-signer", put_acknowledgement(bag, &by(&said, &author.device.key))))
        }),
        row("acknowledgement-under-anothers-certificate", Camp, BOTH, |bag, scene, chance| {
            let other = chance.pick(&scene.authors)?.device.certificate.id();
            let bytes = reacknowledged(scene, &scene.camp.key, |fields| fields.set(3, bstr(other.as_bytes())))?;
            Some(failure("acknowledgement-signer", put_acknowledgement(bag, &bytes)))
        }),
        row("acknowledgement-by-the-party-that-cut", OfParty, BOTH, |bag, scene, _| {
            let (cut, party) = a_cut(scene)?;
            let certificate = scene.mission.certificate(party, SECOND, "Second camp", Role::Camp);
            bag.put(&format!("data/statements/certificate/{}.cbor", certificate.id()), certificate.as_bytes());
            let fields = Fields(vec![
                (int(1), bstr(scene.mission.id().as_bytes())),
                (int(2), bstr(cut.id().as_bytes())),
                (int(3), bstr(certificate.id().as_bytes())),
            ]);
            let at = put_acknowledgement(bag, &statement(ACKNOWLEDGEMENT, &key(SECOND), fields.write()));
            Some(failure("acknowledgement-cut", at))
        }),
        row("acknowledgement-of-no-cut", Camp, BOTH, |bag, scene, _| {
            let bytes = reacknowledged(scene, &scene.camp.key, |fields| fields.set(2, bstr(&[8; 32])))?;
            Some(failure("acknowledgement-cut", put_acknowledgement(bag, &bytes)))
        }),
        row("acknowledgement-in-another-mission", Camp, BOTH, |bag, scene, _| {
            let bytes = reacknowledged(scene, &scene.camp.key, |fields| fields.set(1, bstr(&[6; 32])))?;
            Some(failure("mission-mismatch", put_acknowledgement(bag, &bytes)))
        }),
        row("acknowledgement-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            let mut bytes = acknowledgement(scene)?;
            flip_signature(&mut bytes, chance);
            Some(failure("signature-invalid", put_acknowledgement(bag, &bytes)))
        }),
        row("acknowledgement-named-by-its-bytes", Outsider, BOTH, |bag, scene, _| {
            // Its id is that of what is signed; whoever signs again would make another one.
            let bytes = acknowledgement(scene)?;
            let path = format!("data/statements/acknowledgement/{}.cbor", StatementId::of(&bytes));
            bag.put(&path, &bytes);
            Some(failure("bag-misnamed", Place::file(&path)))
        }),
        row("logged-acknowledgement-left-out", Outsider, BOTH, |bag, scene, _| {
            let id = Class::Acknowledgement.id_of(&acknowledgement(scene)?);
            logged(bag, scene, id)
        }),
    ]
}

fn amendments() -> Vec<Kind> {
    vec![
        row("amendment-by-every-party", OfParty, BOTH, |bag, scene, _| {
            put_amendment(bag, &amendment(scene, &added(1), everyone(scene)));
            Some(nothing())
        }),
        row("amendment-by-one-party", OfParty, BOTH, |bag, scene, _| {
            Some(failure("amendment-quorum", put_amendment(bag, &amendment(scene, &added(1), 1..=1))))
        }),
        row("amendment-whose-new-party-did-not-sign", OfParty, BOTH, |bag, scene, _| {
            let number = PartyNumber(u64::from(scene.mission.plan.parties) + 1);
            let party = Party { number, name: "Joining".into(), root: *key(JOINING).public(), witnesses: Vec::new() };
            let changes = Changes { parties: vec![party], ..Changes::default() };
            Some(failure("amendment-quorum", put_amendment(bag, &amendment(scene, &changes, everyone(scene)))))
        }),
        row("two-amendments-of-one-charter", OfParty, BOTH, |bag, scene, _| {
            let at = [1, 2].map(|n| put_amendment(bag, &amendment(scene, &added(n), everyone(scene))));
            Some(doubt("amendment-rivals", Place { statement: at[0].statement, ..Place::default() }))
        }),
        row("two-amendments-one-instead-of-the-other", OfParty, BOTH, |bag, scene, _| {
            let first = amendment(scene, &added(1), everyone(scene));
            let taken_back = ProposedAmendment::decode(&first, &std::sync::Arc::new(scene.mission.charter.clone()));
            let changes = Changes { instead: vec![taken_back.unwrap().id()], ..added(2) };
            put_amendment(bag, &first);
            put_amendment(bag, &amendment(scene, &changes, everyone(scene)));
            Some(nothing())
        }),
        row("logged-amendment-left-out", Outsider, BOTH, |bag, scene, _| {
            logged(bag, scene, StatementId::of(&amendment(scene, &added(1), everyone(scene))))
        }),
    ]
}

fn amendments_by_the_byte() -> Vec<Kind> {
    vec![
        row("amendment-of-another-mission", OfParty, BOTH, |bag, scene, _| {
            edited(bag, scene, |fields| fields.set(1, bstr(&[6; 32]))).map(|at| failure("mission-mismatch", at))
        }),
        row("amendment-of-an-unknown-charter", OfParty, BOTH, |bag, scene, _| {
            edited(bag, scene, |fields| fields.set(2, bstr(&[6; 32]))).map(|at| failure("amendment-predecessor", at))
        }),
        row("amendment-of-nothing", OfParty, BOTH, |bag, scene, _| {
            edited(bag, scene, |fields| fields.remove(4)).map(|at| failure("amendment-change", at))
        }),
        row("amendment-with-a-note-for-nothing", OfParty, BOTH, |bag, scene, _| {
            let note = scene.logbook.as_ref()?.notes.first()?.encode();
            edited(bag, scene, |fields| fields.set(8, bstr(&note))).map(|at| failure("amendment-note", at))
        }),
        row("amendment-with-a-stranger", OfParty, BOTH, |bag, scene, _| {
            let payload = payload_of(&amendment(scene, &added(1), 1..=1));
            let bytes = signed_by(&payload, &[key(1), key(77)], sha256);
            Some(failure("amendment-signatures", put_amendment(bag, &bytes)))
        }),
        row("amendment-signed-twice-by-one", OfParty, BOTH, |bag, scene, _| {
            let payload = payload_of(&amendment(scene, &added(1), 1..=1));
            let bytes = signed_by(&payload, &[key(1), key(1)], sha256);
            Some(failure("amendment-signatures", put_amendment(bag, &bytes)))
        }),
        row("amendment-of-something-else", OfParty, BOTH, |bag, scene, _| {
            // Every party agreed, to other words than these.
            let payload = payload_of(&amendment(scene, &added(1), 1..=1));
            let keys: Vec<SigningKey> = everyone(scene).map(key).collect();
            let bytes = signed_by(&payload, &keys, |_| [9; 32]);
            Some(failure("amendment-signatures", put_amendment(bag, &bytes)))
        }),
        row("amendment-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            let mut bytes = amendment(scene, &added(1), everyone(scene));
            flip_signature(&mut bytes, chance);
            Some(failure("signature-invalid", put_amendment(bag, &bytes)))
        }),
    ]
}

/// A cut by one party that is not the camp's, and that party.
fn a_cut(scene: &Scene) -> Option<(&Cut, u8)> {
    let party_of = |cut: &Cut| match cut.by() {
        CutBy::Party(party) => u8::try_from(party.0).ok(),
        CutBy::Quorum(_) => None,
    };
    let camps = scene.mission.plan.parties;
    scene.mission.roster.cuts().find_map(|cut| Some((cut, party_of(cut).filter(|party| *party != camps)?)))
}

/// The camp's acknowledgement of a cut of another party.
fn acknowledgement(scene: &Scene) -> Option<Vec<u8>> {
    let (cut, _) = a_cut(scene)?;
    let (roster, camp) = (&scene.mission.roster, &scene.camp);
    let made = Acknowledgement::make(roster, &camp.key, camp.certificate.id(), cut.id()).unwrap();
    Some(made.as_bytes().to_vec())
}

/// The same with other fields.
fn reacknowledged(scene: &Scene, signer: &SigningKey, edit: impl FnOnce(&mut Fields)) -> Option<Vec<u8>> {
    Some(resign(&acknowledgement(scene)?, signer, edit))
}

/// What this says, under the name of the key that signs it.
fn by(bytes: &[u8], signer: &SigningKey) -> Vec<u8> {
    statement(ACKNOWLEDGEMENT, signer, Envelope::read(bytes).payload)
}

fn put_acknowledgement(bag: &mut Bag, bytes: &[u8]) -> Place {
    let id = Class::Acknowledgement.id_of(bytes);
    let path = format!("data/statements/acknowledgement/{id}.cbor");
    bag.put(&path, bytes);
    Place::statement(id, &path)
}

fn put_amendment(bag: &mut Bag, bytes: &[u8]) -> Place {
    let id = StatementId::of(bytes);
    let path = format!("data/statements/amendment/{id}.cbor");
    bag.put(&path, bytes);
    Place::statement(id, &path)
}

/// The last bytes are those of a signature.
fn flip_signature(bytes: &mut [u8], chance: &mut Chance) {
    let last = bytes.len() - 1;
    bytes[last - chance.below(64)] ^= chance.bit();
}

/// A ledger that has a statement which the bag has not.
fn logged(bag: &mut Bag, scene: &Scene, id: StatementId) -> Option<Expected> {
    let mut logbook = scene.logbook.clone()?;
    logbook.leaves.push(Leaf::Statement(id));
    let charter = scene.mission.charter.charter();
    logbook.notes = vec![cosigned(charter, &logbook.leaves, &everybody(scene.mission.plan.witnessed), 1_767_225_900)];
    logbook.put(bag);
    Some(failure("statement-left-out", Place { statement: Some(id), ..Place::default() }))
}

fn everyone(scene: &Scene) -> std::ops::RangeInclusive<u8> {
    1..=scene.mission.plan.parties
}

/// One more scope.
fn added(n: u8) -> Changes {
    let scope = Scope { id: ScopeId::from_bytes([0x60 + n; 8]), name: format!("West {n}") };
    Changes { scopes: vec![scope], ..Changes::default() }
}

/// The founding charter's amendment with these changes, signed by these parties, enough or not.
fn amendment(scene: &Scene, changes: &Changes, parties: std::ops::RangeInclusive<u8>) -> Vec<u8> {
    let mut signers = parties.map(key);
    let first = signers.next().unwrap();
    let mut proposed = ProposedAmendment::begin(&scene.mission.charter, &first, changes).unwrap();
    for signer in signers {
        proposed.sign(&signer).unwrap();
    }
    proposed.encode()
}

fn payload_of(bytes: &[u8]) -> Vec<u8> {
    let mut reader = merestone_core::cbor::Reader::new(bytes);
    reader.array_exact(2, "amendment").unwrap();
    reader.bytes("payload").unwrap().to_vec()
}

fn signed_by(payload: &[u8], keys: &[SigningKey], over: impl Fn(&[&[u8]]) -> [u8; 32]) -> Vec<u8> {
    let signed = |by: &SigningKey| bstr(&statement(AMENDMENT, by, over(&[payload]).to_vec()));
    list(&[bstr(payload), list(&keys.iter().map(signed).collect::<Vec<_>>())])
}

/// An amendment by every party whose payload is another one.
fn edited(bag: &mut Bag, scene: &Scene, edit: impl FnOnce(&mut Fields)) -> Option<Place> {
    let mut fields = Fields::read(&payload_of(&amendment(scene, &added(1), 1..=1)));
    edit(&mut fields);
    let keys: Vec<SigningKey> = everyone(scene).map(key).collect();
    Some(put_amendment(bag, &signed_by(&fields.write(), &keys, sha256)))
}
