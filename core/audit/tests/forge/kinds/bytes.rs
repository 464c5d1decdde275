//! Other bytes in the place of an entry, by whoever can write to the folder.

use merestone_audit::Place;

use super::row;
use crate::chance::Chance;
use crate::craft::{Envelope, parts, place, put_header, stood};
use crate::kind::{BOTH, Expected, Forger::Outsider, Kind, failure};
use crate::scene::{Author, Scene};
use crate::support::{Bag, raw_item};

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        row("signature-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            header(bag, scene, chance, |envelope, chance| envelope.signature[chance.below(64)] ^= chance.bit())
                .map(|at| failure("signature-invalid", at).also(FOLLOWS))
        }),
        row("signed-hash-changed", Outsider, BOTH, |bag, scene, chance| {
            // The last 32 bytes of the payload are a hash that was signed: the encoding stays what it was.
            header(bag, scene, chance, |envelope, chance| {
                let last = envelope.payload.len() - 1;
                envelope.payload[last - chance.below(32)] ^= chance.bit();
            })
            .map(|at| failure("signature-invalid", at).also(FOLLOWS))
        }),
        row("signature-cut-short", Outsider, BOTH, |bag, scene, chance| {
            header(bag, scene, chance, |envelope, chance| envelope.signature.truncate(chance.below(64)))
                .map(|at| failure("shape", at).also(FOLLOWS))
        }),
        row("signature-of-another-entry", Outsider, BOTH, |bag, scene, chance| {
            let (_, entry, _) = pick(scene, chance)?;
            let other = Envelope::read(entry.header_bytes()).signature;
            let mut is_same = false;
            let at = header(bag, scene, chance, |envelope, _| {
                is_same = envelope.signature == other;
                envelope.signature.clone_from(&other);
            });
            at.filter(|_| !is_same).map(|at| failure("signature-invalid", at).also(FOLLOWS))
        }),
        row("signature-zeroed", Outsider, BOTH, |bag, scene, chance| {
            header(bag, scene, chance, |envelope, _| envelope.signature.fill(0))
                .map(|at| failure("signature-invalid", at).also(FOLLOWS))
        }),
        row("signature-malleable", Outsider, BOTH, |bag, scene, chance| {
            header(bag, scene, chance, |envelope, _| add_order(&mut envelope.signature[32..]))
                .map(|at| failure("signature-invalid", at).also(FOLLOWS))
        }),
        row("header-byte-appended", Outsider, BOTH, |bag, scene, chance| {
            raw_header(bag, scene, chance, |bytes| bytes.push(0)).map(|at| failure("cbor-trailing", at).also(FOLLOWS))
        }),
        row("header-cut-short", Outsider, BOTH, |bag, scene, chance| {
            raw_header(bag, scene, chance, |bytes| bytes.truncate(bytes.len() - 1))
                .map(|at| failure("cbor-malformed", at).also(FOLLOWS))
        }),
        row("header-emptied", Outsider, BOTH, |bag, scene, chance| {
            raw_header(bag, scene, chance, Vec::clear).map(|at| failure("cbor-malformed", at).also(FOLLOWS))
        }),
        row("header-zeroed", Outsider, BOTH, |bag, scene, chance| {
            raw_header(bag, scene, chance, |bytes| bytes.fill(0)).map(|at| failure("cbor-trailing", at).also(FOLLOWS))
        }),
        row("body-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            body(bag, scene, chance, |bytes, chance| {
                let at = chance.below(bytes.len());
                bytes[at] ^= chance.bit();
            })
        }),
        row("body-byte-appended", Outsider, BOTH, |bag, scene, chance| {
            body(bag, scene, chance, |bytes, _| bytes.push(0))
        }),
        row("body-emptied", Outsider, BOTH, |bag, scene, chance| body(bag, scene, chance, |bytes, _| bytes.clear())),
        row("body-of-another-entry", Outsider, BOTH, |bag, scene, chance| {
            let (_, other, _) = pick(scene, chance)?;
            let other = other.body_bytes()?.to_vec();
            body(bag, scene, chance, |bytes, _| bytes.clone_from(&other))
        }),
        row("file-cut-inside-an-item", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, last| bytes.truncate(bytes.len() - last / 2))
                .map(|at| failure("cbor-malformed", at).also(FOLLOWS))
        }),
        row("file-byte-appended", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, _| bytes.push(0)).map(|at| failure("shape", at).also(FOLLOWS))
        }),
        row("file-zeroed", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, _| bytes.fill(0)).map(|at| failure("shape", at).also(FOLLOWS))
        }),
        row("item-of-indefinite-length", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, _| bytes.extend([0x9f, 0xff]))
                .map(|at| failure("cbor-indefinite", at).also(FOLLOWS))
        }),
        row("item-of-three", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, _| bytes.extend([0x83, 0x40, 0xf6, 0xf6]))
                .map(|at| failure("shape", at).also(FOLLOWS))
        }),
        row("item-tagged", Outsider, BOTH, |bag, scene, chance| {
            file(bag, scene, chance, |bytes, _| bytes.extend([0xc6, 0x82, 0x40, 0xf6]))
                .map(|at| failure("cbor-tag", at).also(FOLLOWS))
        }),
        row("item-with-a-length-bomb", Outsider, BOTH, |bag, scene, chance| {
            // A byte string that says it has 2^63 - 1 bytes.
            let bomb = [&[0x82, 0x5b, 0x7f][..], &[0xff; 7]].concat();
            file(bag, scene, chance, |bytes, _| bytes.extend(&bomb))
                .map(|at| failure("cbor-malformed", at).or("size-limit").also(FOLLOWS))
        }),
        row("header-too-large", Outsider, BOTH, |bag, scene, chance| {
            let large = raw_item(&chance.bytes(32_769), None);
            file(bag, scene, chance, |bytes, _| bytes.extend(&large)).map(|at| failure("size-limit", at).also(FOLLOWS))
        }),
        row("body-too-large", Outsider, BOTH, |bag, scene, chance| {
            let large = raw_item(&chance.bytes(40), Some(&vec![0; 393_217]));
            file(bag, scene, chance, |bytes, _| bytes.extend(&large)).map(|at| failure("size-limit", at).also(FOLLOWS))
        }),
        row("noise-in-the-place-of-a-header", Outsider, BOTH, |bag, scene, chance| {
            let noise = chance.bytes(300);
            raw_header(bag, scene, chance, |bytes| bytes.clone_from(&noise)).map(|at| {
                let also = ["shape", "cbor-tag", "cbor-trailing", "cbor-indefinite", "cbor-non-minimal", "cbor-float"];
                also.iter()
                    .chain(&["cbor-simple", "text-utf8"])
                    .fold(failure("cbor-malformed", at).also(FOLLOWS), |wanted, code| wanted.or(code))
            })
        }),
    ]
}

/// What an entry that cannot be read leaves behind: whoever attested it says that it is missing.
const FOLLOWS: &[&str] = &["receipt-missing-tail", "entry-left-out", "log-left-out"];

/// A log of a key in good standing, and one of its entries.
fn pick<'a>(
    scene: &'a Scene,
    chance: &mut Chance,
) -> Option<(&'a Author, &'a merestone_core::entry::VerifiedEntry, usize)> {
    let author = *chance.pick(&scene.plain(1))?;
    let at = chance.below(author.entries().len());
    Some((author, &author.entries()[at], at))
}

fn header(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    edit: impl FnOnce(&mut Envelope, &mut Chance),
) -> Option<Place> {
    let (author, entry, at) = pick(scene, chance)?;
    let mut envelope = Envelope::read(entry.header_bytes());
    edit(&mut envelope, chance);
    let bytes = envelope.write();
    put_header(bag, scene, author, at, &bytes);
    Some(stood(scene, author, at, &bytes))
}

fn raw_header(bag: &mut Bag, scene: &Scene, chance: &mut Chance, edit: impl FnOnce(&mut Vec<u8>)) -> Option<Place> {
    let (author, entry, at) = pick(scene, chance)?;
    let mut bytes = entry.header_bytes().to_vec();
    edit(&mut bytes);
    put_header(bag, scene, author, at, &bytes);
    Some(stood(scene, author, at, &bytes))
}

fn body(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    edit: impl FnOnce(&mut Vec<u8>, &mut Chance),
) -> Option<Expected> {
    let (author, entry, at) = pick(scene, chance)?;
    if scene.erased.contains(&entry.record()) {
        return None;
    }
    let (header, body) = parts(entry);
    let mut other = body.clone()?;
    edit(&mut other, chance);
    if body.as_ref() == Some(&other) {
        return None;
    }
    let mut items = scene.items(author);
    items[at] = raw_item(&header, Some(&other));
    bag.put(&author.path(), &items.concat());
    Some(failure("body-hash", place(entry)))
}

/// Edits a whole file, told how long its last item is; the file is not read from its first wrong item on.
fn file(bag: &mut Bag, scene: &Scene, chance: &mut Chance, edit: impl FnOnce(&mut Vec<u8>, usize)) -> Option<Place> {
    let (author, _, _) = pick(scene, chance)?;
    let last = scene.items(author).last()?.len();
    let bytes = bag.files.get_mut(&author.path())?;
    edit(bytes, last);
    Some(Place { log: Some(author.device.log()), ..Place::file(&author.path()) })
}

/// Adds the group's order to a scalar: the same scalar to whoever does not compare it with the order.
fn add_order(scalar: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, more) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}
