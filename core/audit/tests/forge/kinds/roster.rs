//! Charters, certificates and cuts that are forged, left out, or signed by who may not.

use merestone_audit::Place;
use merestone_core::cbor::Reader;
use merestone_core::id::StatementId;
use merestone_core::roster::{Class, Role};

use super::row;
use crate::chance::Chance;
use crate::craft::{Envelope, Fields, bstr, int, list, place, protected, resign, statement};
use crate::kind::{
    BOTH,
    Forger::{Observer, Outsider, Party},
    Kind, doubt, failure, note, nothing,
};
use crate::scene::{Author, Scene};
use crate::support::{Bag, key, other_scope, scope};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = charters();
    kinds.extend(certificates());
    kinds.extend(cuts());
    kinds
}

fn charters() -> Vec<Kind> {
    vec![
        row("charter-of-another-mission", Outsider, BOTH, |bag, scene, _| {
            let plan = crate::support::Plan { nonce: 0xdead, ..scene.mission.plan };
            let other = crate::support::Mission::found_by(plan);
            bag.put("data/charter.cbor", other.charter.as_bytes());
            Some(failure("mission-mismatch", Place::file("data/charter.cbor")))
        }),
        row("charter-signature-left-out", Outsider, BOTH, |bag, _, _| {
            charter(bag, |signatures| drop(signatures.pop())).map(|at| failure("charter-signatures", at))
        }),
        row("charter-signatures-exchanged", Outsider, BOTH, |bag, _, _| {
            charter(bag, |signatures| signatures.swap(0, 1)).map(|at| failure("charter-signatures", at))
        }),
        row("charter-signature-doubled", Outsider, BOTH, |bag, _, _| {
            charter(bag, |signatures| signatures.insert(0, signatures[0].clone()))
                .map(|at| failure("charter-signatures", at))
        }),
        row("charter-signature-bit-flipped", Outsider, BOTH, |bag, _, chance| {
            charter(bag, |signatures| {
                let last = signatures[0].len() - 1;
                signatures[0][last - chance.below(64)] ^= chance.bit();
            })
            .map(|at| failure("signature-invalid", at))
        }),
        row("charter-signed-by-a-stranger", Outsider, BOTH, |bag, _, _| {
            charter(bag, |signatures| {
                let own = Envelope::read(&signatures[1]);
                let label = "application/vnd.merestone.charter.v1";
                let own = Envelope { protected: protected(-19, key(77).public().as_bytes(), label), ..own };
                signatures[1] = own.sign(&key(77));
            })
            .map(|at| failure("charter-signatures", at))
        }),
        row("bytes-behind-the-charter", Outsider, BOTH, |bag, _, _| {
            bag.files.get_mut("data/charter.cbor")?.push(0);
            Some(failure("cbor-trailing", Place::file("data/charter.cbor")))
        }),
        row("charter-left-out", Outsider, BOTH, |bag, _, _| {
            bag.files.remove("data/charter.cbor");
            Some(failure("bag-unreadable", Place::file("data/charter.cbor")))
        }),
    ]
}

fn certificates() -> Vec<Kind> {
    vec![
        row("certificate-left-out", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            bag.files.remove(&certificate_path(author));
            Some(failure("key-not-in-roster", place(&author.entries()[0])).also(&["statement-left-out", "cut-signer"]))
        }),
        row("logged-certificate-left-out", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            scene.logbook.as_ref()?.has_statement(author.device.certificate.id()).then_some(())?;
            bag.files.remove(&certificate_path(author));
            let at = Place { statement: Some(author.device.certificate.id()), ..Place::default() };
            Some(failure("statement-left-out", at).also(&["key-not-in-roster"]))
        }),
        row("certificate-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let path = certificate_path(author);
            let bytes = bag.files.get_mut(&path)?;
            let last = bytes.len() - 1;
            bytes[last - chance.below(64)] ^= chance.bit();
            let also = ["bag-misnamed", "key-not-in-roster", "statement-left-out"];
            Some(failure("signature-invalid", Place::file(&path)).also(&also))
        }),
        row("certificate-under-another-name", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let bytes = bag.files.remove(&certificate_path(author))?;
            let path = format!("data/statements/certificate/{}.cbor", "00".repeat(32));
            bag.put(&path, &bytes);
            Some(failure("bag-misnamed", Place::file(&path)).also(&["statement-left-out"]))
        }),
        row("certificate-among-the-cuts", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let bytes = author.device.certificate.as_bytes().to_vec();
            let path = format!("data/statements/cut/{}.cbor", author.device.certificate.id());
            bag.put(&path, &bytes);
            Some(failure("cose-type", Place::file(&path)).or("shape"))
        }),
        row("certificate-by-another-party", Party, BOTH, |bag, scene, chance| {
            certified(bag, scene, chance, |_, fields, _| fields.set(2, int(2)), 1)
                .map(|at| failure("certificate-signer", at))
        }),
        row("certificate-of-an-unknown-role", Party, BOTH, |bag, scene, chance| {
            certified(bag, scene, chance, |_, fields, _| fields.set(4, int(9)), 1)
                .map(|at| failure("certificate-role", at))
        }),
        row("certificate-of-an-unknown-scope", Party, BOTH, |bag, scene, chance| {
            certified(bag, scene, chance, |_, fields, _| fields.set(5, list(&[bstr(&[0x77; 8])])), 1)
                .map(|at| failure("certificate-scope", at))
        }),
        row("certificate-scopes-out-of-order", Party, BOTH, |bag, scene, chance| {
            let scopes = |_: &Scene, fields: &mut Fields, _: &mut Chance| {
                fields.set(5, list(&[bstr(other_scope().as_bytes()), bstr(scope().as_bytes())]));
            };
            certified(bag, scene, chance, scopes, 1).map(|at| failure("certificate-scope", at))
        }),
        row("certificate-for-another-mission", Party, BOTH, |bag, scene, chance| {
            certified(bag, scene, chance, |_, fields, _| fields.set(1, bstr(&[6; 32])), 1)
                .map(|at| failure("mission-mismatch", at))
        }),
        row("certificate-without-possession", Party, BOTH, |bag, scene, chance| {
            // The request names the key of somebody who did not sign it.
            let swapped = |scene: &Scene, fields: &mut Fields, _: &mut Chance| {
                let request = Envelope::read(scene.authors[0].device.certificate.request().as_bytes());
                let label = "application/vnd.merestone.request.v1";
                let other = Envelope { protected: protected(-19, key(78).public().as_bytes(), label), ..request };
                fields.set(3, bstr(&other.write()));
            };
            certified(bag, scene, chance, swapped, 1)
                .map(|at| failure("certificate-possession", at).or("signature-invalid"))
        }),
    ]
}

fn cuts() -> Vec<Kind> {
    vec![
        row("cut-by-another-party", Party, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let party = if author.party == 1 { 2 } else { 1 };
            cut(bag, scene, author, party, list(&[])).map(|at| failure("cut-signer", at))
        }),
        row("cut-by-a-stranger", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            cut(bag, scene, author, 77, list(&[])).map(|at| failure("cut-signer", at))
        }),
        row("cut-kept-out-of-order", Party, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let head = |epoch: u8| list(&[bstr(&[1; 8]), bstr(&[epoch; 8]), int(0), bstr(&[epoch; 32])]);
            cut(bag, scene, author, author.party, list(&[head(2), head(1)])).map(|at| failure("cut-order", at))
        }),
        row("cut-of-all-that-somebody-signed", Party, BOTH, |bag, scene, chance| {
            let mut whole = scene.plain(1);
            // A fork in another epoch of the key would be settled by the same cut.
            let key = |author: &Author| *author.device.key.public().as_bytes();
            whole.retain(|author| scene.authors.iter().all(|other| other.is_plain() || key(other) != key(author)));
            let author = *chance.pick(&whole)?;
            cut(bag, scene, author, author.party, list(&[]))?;
            let last = author.entries().last()?;
            // What was final before, a party alone does not cut.
            let is_final = scene.logbook.as_ref().is_some_and(|logbook| logbook.is_final(last.id()));
            Some(if is_final { nothing() } else { note("set-aside-by-cut", place(last)) })
        }),
        row("cut-that-keeps-what-is-not-there", Party, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let head = author.device.head(0);
            let seq = author.entries().len() as u64 + 2;
            let kept =
                list(&[bstr(head.scope.as_bytes()), bstr(head.epoch.as_bytes()), int(seq as i64), bstr(&[8; 32])]);
            cut(bag, scene, author, author.party, list(&[kept]))?;
            let at = Place { log: Some(author.device.log()), seq: Some(seq), ..Place::default() };
            Some(doubt("cut-kept-missing", at))
        }),
        row("cut-bit-flipped", Outsider, BOTH, |bag, _, chance| {
            let path = bag.files.keys().find(|path| path.starts_with("data/statements/cut/"))?.clone();
            let bytes = bag.files.get_mut(&path)?;
            let last = bytes.len() - 1;
            bytes[last - chance.below(64)] ^= chance.bit();
            let also = ["bag-misnamed", "statement-left-out"];
            Some(failure("signature-invalid", Place::file(&path)).also(&also))
        }),
        row("logged-cut-left-out", Outsider, BOTH, |bag, scene, _| {
            let id = *scene.statements(Class::Cut).first()?;
            scene.logbook.as_ref()?.has_statement(id).then_some(())?;
            bag.files.remove(&format!("data/statements/cut/{id}.cbor"));
            Some(failure("statement-left-out", Place { statement: Some(id), ..Place::default() }))
        }),
        row("work-with-a-key-that-was-cut", Observer, BOTH, |bag, scene, _| {
            let author = scene.authors.iter().find(|author| author.is_cut)?;
            let (entry, _) = crate::craft::next_entry(scene, author);
            let at = crate::craft::append(bag, author, entry.header_bytes(), entry.body_bytes());
            Some(note("set-aside-by-cut", at))
        }),
    ]
}

fn certificate_path(author: &Author) -> String {
    format!("data/statements/certificate/{}.cbor", author.device.certificate.id())
}

/// Puts a statement under its own id.
pub(super) fn put(bag: &mut Bag, class: &str, bytes: &[u8]) -> Option<Place> {
    let id = StatementId::of(bytes);
    let path = format!("data/statements/{class}/{id}.cbor");
    bag.put(&path, bytes);
    Some(Place::statement(id, &path))
}

/// The charter with other signatures.
fn charter(bag: &mut Bag, edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Option<Place> {
    let bytes = bag.files.get("data/charter.cbor")?;
    let mut reader = Reader::new(bytes);
    reader.array_exact(2, "charter").ok()?;
    let payload = reader.bytes("payload").ok()?.to_vec();
    let count = reader.array(64, "signatures").ok()?;
    let mut signatures: Vec<Vec<u8>> = (0..count).map(|_| reader.bytes("signature").unwrap().to_vec()).collect();
    edit(&mut signatures);
    let signatures: Vec<Vec<u8>> = signatures.iter().map(|signature| bstr(signature)).collect();
    bag.put("data/charter.cbor", &list(&[bstr(&payload), list(&signatures)]));
    Some(Place::file("data/charter.cbor"))
}

/// One more certificate of party `by`, for a person of its own, with other fields.
fn certified(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    edit: fn(&Scene, &mut Fields, &mut Chance),
    by: u8,
) -> Option<Place> {
    let valid = scene.mission.certificate(by, 79, "Somebody", Role::Observer);
    let bytes = resign(valid.as_bytes(), &key(by), |fields| edit(scene, fields, chance));
    put(bag, "certificate", &bytes)
}

fn cut(bag: &mut Bag, scene: &Scene, author: &Author, by: u8, kept: Vec<u8>) -> Option<Place> {
    let fields = Fields(vec![
        (int(1), bstr(scene.mission.id().as_bytes())),
        (int(2), bstr(author.device.key.public().as_bytes())),
        (int(3), kept),
        (int(4), int(5)),
    ]);
    put(bag, "cut", &statement("application/vnd.merestone.cut.v1", &key(by), fields.write()))
}
