//! Keys that nobody certified, keys of no use, and keys used for what they were not certified for.

use merestone_audit::Place;
use merestone_core::change::Value;
use merestone_core::id::{EntryId, MissionId, StatementId};
use merestone_core::roster::Role;

use super::row;
use crate::craft::{ENTRY, Envelope, append, bstr, next_entry, protected, put_header, resign, stood};
use crate::kind::{
    BOTH,
    Forger::{Camp, Observer, Outsider},
    Kind, failure, note,
};
use crate::scene::Scene;
use crate::support::{Device, key};

/// An admitted key of nobody.
const STRANGER: u8 = 77;

/// A key with a part of order 8, from the vectors of `entry.md`.
const MIXED_ORDER: &str = "bec057a2fd540866e97183dbfc7358ec1987770480fcddd2af4ba4d4e9fa3e87";

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = strangers();
    kinds.extend(useless());
    kinds.extend(misused());
    kinds
}

fn strangers() -> Vec<Kind> {
    vec![
        row("log-of-a-stranger", Outsider, BOTH, |bag, scene, _| {
            let device = stranger(scene);
            bag.put_log(device.log(), &device.entries);
            Some(failure("key-not-in-roster", crate::craft::place(&device.entries[0])))
        }),
        row("log-of-a-stranger-who-certified-himself", Outsider, BOTH, |bag, scene, _| {
            let device = stranger(scene);
            bag.put_log(device.log(), &device.entries);
            // As party 1 would, but with a key of his own.
            let bytes = Envelope::read(device.certificate.as_bytes());
            let label = "application/vnd.merestone.certificate.v1";
            let own = Envelope { protected: protected(-19, key(STRANGER).public().as_bytes(), label), ..bytes };
            let bytes = own.sign(&key(STRANGER));
            let id = StatementId::of(&bytes);
            bag.put(&format!("data/statements/certificate/{id}.cbor"), &bytes);
            let at = Place { statement: Some(id), ..Place::default() };
            Some(failure("certificate-signer", at).also(&["key-not-in-roster"]))
        }),
        row("entry-of-a-stranger-in-a-log", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let device = stranger(scene);
            let entry = &device.entries[0];
            append(bag, author, entry.header_bytes(), entry.body_bytes());
            let at = Place { file: Some(author.path()), ..crate::craft::place(entry) };
            Some(failure("log-misplaced", at).also(&["key-not-in-roster"]))
        }),
        row("entry-signed-by-a-stranger-in-anothers-name", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let number = chance.below(author.entries().len());
            let header = Envelope::read(author.entries()[number].header_bytes()).sign(&key(STRANGER));
            put_header(bag, scene, author, number, &header);
            let at = stood(scene, author, number, &header);
            Some(failure("signature-invalid", at).also(&["receipt-missing-tail", "entry-left-out", "log-left-out"]))
        }),
        row("entry-taken-over-by-a-stranger", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let number = chance.below(author.entries().len());
            let entry = Envelope::read(author.entries()[number].header_bytes());
            let own = Envelope { protected: protected(-19, key(STRANGER).public().as_bytes(), ENTRY), ..entry };
            let header = own.sign(&key(STRANGER));
            put_header(bag, scene, author, number, &header);
            let at = Place { entry: Some(EntryId::of(&header)), seq: Some(number as u64), ..Place::default() };
            let also =
                ["log-misplaced", "log-gap", "receipt-missing-tail", "entry-left-out", "log-left-out", "body-hash"];
            Some(failure("key-not-in-roster", at).also(&also))
        }),
    ]
}

fn useless() -> Vec<Kind> {
    vec![
        row("key-of-small-order", Outsider, BOTH, |bag, scene, chance| {
            let mut identity = [0; 32];
            identity[0] = 1;
            with_kid(bag, scene, chance, &identity).map(|at| failure("key-weak", at))
        }),
        row("key-not-canonical", Outsider, BOTH, |bag, scene, chance| {
            // p + 1, which some decoders take for 1.
            let mut beyond = [0xff; 32];
            (beyond[0], beyond[31]) = (0xee, 0x7f);
            with_kid(bag, scene, chance, &beyond).map(|at| failure("key-not-canonical", at))
        }),
        row("key-of-mixed-order", Outsider, BOTH, |bag, scene, chance| {
            let mixed = data_encoding::HEXLOWER.decode(MIXED_ORDER.as_bytes()).unwrap();
            with_kid(bag, scene, chance, &mixed).map(|at| failure("key-mixed-order", at))
        }),
        row("key-with-its-sign-changed", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let mut other = *author.device.key.public().as_bytes();
            other[31] ^= 0x80;
            with_kid(bag, scene, chance, &other).map(|at| failure("signature-invalid", at))
        }),
    ]
}

fn misused() -> Vec<Kind> {
    vec![
        row("log-under-anothers-certificate", Observer, BOTH, |bag, scene, chance| {
            let plain = scene.plain(1);
            let author = *chance.pick(&plain)?;
            let other = plain.iter().find(|other| other.device.certificate.id() != author.device.certificate.id())?;
            let mut device = author.device.next_epoch();
            device.epoch = merestone_core::id::Epoch::from_bytes([201; 8]);
            device.earlier.clear();
            device.certificate = other.device.certificate.clone();
            device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            bag.put_log(device.log(), &device.entries);
            let at =
                Place { statement: Some(other.device.certificate.id()), ..crate::craft::place(&device.entries[0]) };
            Some(note("certificate-key", at))
        }),
        row("entries-by-a-base-camp", Camp, BOTH, |bag, scene, _| {
            let mut camp = scene.camp.twin();
            camp.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            bag.put_log(camp.log(), &camp.entries);
            Some(note("out-of-role", crate::craft::place(&camp.entries[0])))
        }),
        row("entry-brought-over-from-another-mission", Outsider, BOTH, |bag, scene, chance| {
            // The same observer signed it, elsewhere.
            let author = *chance.pick(&scene.plain(1))?;
            let (entry, device) = next_entry(scene, author);
            let elsewhere = MissionId::from_bytes([0xe1; 32]);
            let header = resign(entry.header_bytes(), &device.key, |fields| fields.set(1, bstr(elsewhere.as_bytes())));
            let at = append(bag, author, &header, entry.body_bytes());
            Some(failure("mission-mismatch", at))
        }),
        row("witness-key-that-signs-entries", crate::kind::Forger::Witness, BOTH, |bag, scene, _| {
            (scene.mission.plan.witnessed > 0).then_some(())?;
            let certificate = scene.camp.certificate.clone();
            // The first witness of party 1, as a device.
            let mut device = Device::new(scene.mission.id(), 102, "Witness", certificate);
            device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            bag.put_log(device.log(), &device.entries);
            Some(failure("key-not-in-roster", crate::craft::place(&device.entries[0])).also(&["certificate-key"]))
        }),
    ]
}

/// A device that no party certified, with one entry; its certificate is not in the bag.
fn stranger(scene: &Scene) -> Device {
    let certificate = scene.mission.certificate(1, STRANGER, "Mallory", Role::Observer);
    let mut device = Device::new(scene.mission.id(), STRANGER, "Mallory", certificate);
    device.create(&scene.mission, &[("note", Value::Text("forged"))], Vec::new());
    device
}

/// The next entry of somebody, with other bytes as its key; nobody can sign for those.
fn with_kid(
    bag: &mut crate::support::Bag,
    scene: &Scene,
    chance: &mut crate::chance::Chance,
    kid: &[u8],
) -> Option<Place> {
    let author = *chance.pick(&scene.plain(1))?;
    let (entry, _) = next_entry(scene, author);
    let mut envelope = Envelope::read(entry.header_bytes());
    envelope.protected = protected(-19, kid, ENTRY);
    // R is the identity and S is 0: what passes for everything where small orders are let through.
    envelope.signature.fill(0);
    envelope.signature[0] = 1;
    Some(append(bag, author, &envelope.write(), entry.body_bytes()))
}
