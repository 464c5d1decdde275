//! Erasures and receipts that are forged, left out, or signed by who may not.

use merestone_audit::Place;
use merestone_core::erasure::{Erased, ErasureDraft, ErasureReason, ProposedErasure};
use merestone_core::id::{EntryId, LogId, StoreId};
use merestone_core::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use merestone_core::roster::Class;

use super::roster::put;
use super::row;
use crate::craft::{Envelope, statement};
use crate::kind::{
    BOTH, FULL,
    Forger::{Camp, Observer, Outsider, Party},
    Kind, doubt, failure,
};
use crate::scene::Scene;
use crate::support::{Bag, Device, key, scope};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = erasures();
    kinds.extend(receipts());
    kinds
}

fn erasures() -> Vec<Kind> {
    vec![
        row("erasure-by-one-party", Party, BOTH, |bag, scene, chance| {
            let record = chance.pick(&scene.records)?;
            let draft = ErasureDraft {
                record: record.record,
                erased: Erased::Heads(vec![record.id]),
                reason: ErasureReason::Privacy,
                text: None,
            };
            let bytes = ProposedErasure::begin(&scene.mission.charter, &key(1), draft).unwrap().encode();
            put(bag, "erasure", &bytes).map(|at| failure("erasure-quorum", at))
        }),
        row("erasure-left-out", Outsider, FULL, |bag, scene, _| {
            let record = *scene.erased.first()?;
            bag.files.retain(|path, _| !path.starts_with("data/statements/erasure/"));
            if scene.logbook.is_some() {
                let id = *scene.statements(Class::Erasure).first()?;
                return Some(failure("statement-left-out", Place { statement: Some(id), ..Place::default() }));
            }
            Some(doubt("body-missing", Place { entry: Some(record.as_entry()), ..Place::default() }))
        }),
        row("erasure-bit-flipped", Outsider, BOTH, |bag, _, chance| {
            let path = bag.files.keys().find(|path| path.starts_with("data/statements/erasure/"))?.clone();
            let bytes = bag.files.get_mut(&path)?;
            let last = bytes.len() - 1;
            bytes[last - chance.below(64)] ^= chance.bit();
            Some(failure("signature-invalid", Place::file(&path)).also(&["bag-misnamed", "statement-left-out"]))
        }),
    ]
}

fn receipts() -> Vec<Kind> {
    vec![
        row("receipt-for-more-than-was-signed", Camp, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let height = author.entries().len() as u64 + 3;
            receipt(bag, scene, &scene.camp, author.device.log(), height)?;
            let at = Place { log: Some(author.device.log()), seq: Some(height - 1), ..Place::default() };
            Some(failure("receipt-missing-tail", at))
        }),
        row("receipt-for-another-entry", Camp, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let height = chance.between(1, author.entries().len()) as u64;
            receipt(bag, scene, &scene.camp, author.device.log(), height)?;
            let at = Place { log: Some(author.device.log()), seq: Some(height - 1), ..Place::default() };
            Some(failure("receipt-other-head", at))
        }),
        row("receipt-of-an-observer-for-more-than-was-signed", Observer, BOTH, |bag, scene, chance| {
            let (by, author) = (*chance.pick(&scene.plain(1))?, *chance.pick(&scene.plain(1))?);
            let height = author.entries().len() as u64 + 3;
            receipt(bag, scene, &by.device, author.device.log(), height)?;
            let at = Place { log: Some(author.device.log()), seq: Some(height - 1), ..Place::default() };
            Some(doubt("receipt-missing-tail", at))
        }),
        row("receipt-of-an-observer-for-another-entry", Observer, BOTH, |bag, scene, chance| {
            let (by, author) = (*chance.pick(&scene.plain(1))?, *chance.pick(&scene.plain(1))?);
            let height = chance.between(1, author.entries().len()) as u64;
            receipt(bag, scene, &by.device, author.device.log(), height)?;
            let at = Place { log: Some(author.device.log()), seq: Some(height - 1), ..Place::default() };
            Some(doubt("receipt-other-head", at))
        }),
        row("receipt-by-a-key-that-was-cut", Observer, BOTH, |bag, scene, chance| {
            let thief = scene.authors.iter().find(|author| author.is_cut)?;
            let author = *chance.pick(&scene.plain(1))?;
            let height = author.entries().len() as u64 + 3;
            receipt(bag, scene, &thief.device, author.device.log(), height)?;
            let at = Place { log: Some(author.device.log()), seq: Some(height - 1), ..Place::default() };
            Some(doubt("receipt-missing-tail", at))
        }),
        row("receipt-for-a-log-elsewhere", Camp, BOTH, |bag, scene, _| {
            let log = LogId::from_bytes([0x5c; 32]);
            receipt(bag, scene, &scene.camp, log, 4)?;
            bag.info = format!("Merestone-Scopes: {}\n", scope());
            Some(doubt("receipt-log-absent", Place { log: Some(log), ..Place::default() }))
        }),
        row("receipt-by-a-stranger", Outsider, BOTH, |bag, scene, _| {
            let id = *scene.statements(Class::Receipt).first()?;
            let bytes = scene.mission.roster.bytes(Class::Receipt, id)?;
            let label = "application/vnd.merestone.receipt.v1";
            let forged = statement(label, &key(77), Envelope::read(bytes).payload);
            put(bag, "receipt", &forged).map(|at| failure("receipt-signer", at))
        }),
        row("receipt-bit-flipped", Outsider, BOTH, |bag, _, chance| {
            let path = bag.files.keys().find(|path| path.starts_with("data/statements/receipt/"))?.clone();
            let bytes = bag.files.get_mut(&path)?;
            let last = bytes.len() - 1;
            bytes[last - chance.below(64)] ^= chance.bit();
            Some(failure("signature-invalid", Place::file(&path)).also(&["bag-misnamed"]))
        }),
    ]
}

/// A receipt that says that a log has so many entries, of which the last is one that nobody has.
fn receipt(bag: &mut Bag, scene: &Scene, by: &Device, log: LogId, height: u64) -> Option<Place> {
    let held = LogHeld { log, height, head: EntryId::from_bytes([0xaa; 32]), missing: 0 };
    let draft = ReceiptDraft {
        store: StoreId::from_bytes([8; 16]),
        counter: 1,
        logs: vec![held],
        blobs: Vec::new(),
        certificate: by.certificate.id(),
        left_out: LeftOut::default(),
    };
    let receipt = Receipt::make(&scene.mission.roster, &by.key, draft).unwrap();
    put(bag, "receipt", receipt.as_bytes())
}
