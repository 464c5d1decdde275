//! Encodings that nobody may sign: an observer's device signs them nonetheless, and a forger re-encodes what was signed.

use merestone_core::entry::VerifiedEntry;
use merestone_core::key::SigningKey;
use merestone_core::roster::Role;

use super::row;
use crate::chance::Chance;
use crate::craft::{
    ENTRY, Envelope, Fields, append, bstr, int, list, next_entry, parts, protected, put_header, repay, resign, stood,
    tstr, with_body,
};
use crate::kind::{
    BOTH, Expected, FULL,
    Forger::{Observer, Outsider},
    Kind, failure, note,
};
use crate::scene::Scene;
use crate::support::Bag;

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = payloads();
    kinds.extend(envelopes());
    kinds.extend(bodies());
    kinds
}

fn payloads() -> Vec<Kind> {
    vec![
        row("number-not-minimal", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-non-minimal", |fields| fields.set(7, vec![0x18, 1]))
        }),
        row("list-of-indefinite-length", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-indefinite", |fields| fields.set(14, vec![0x9f, 1, 0xff]))
        }),
        row("float-for-a-number", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-float", |fields| fields.set(7, vec![0xf9, 0x3c, 0]))
        }),
        row("tagged-value", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-tag", |fields| fields.set(7, vec![0xc1, 1]))
        }),
        row("undefined-value", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-simple", |fields| fields.set(7, vec![0xf7]))
        }),
        row("keys-out-of-order", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-key-order", |fields| fields.0.swap(1, 2))
        }),
        row("key-twice", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-duplicate-key", |fields| fields.0.insert(1, fields.0[0].clone()))
        }),
        row("nested-too-deep", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "cbor-depth", |fields| fields.set(14, [vec![0x81; 40], vec![1]].concat()))
        }),
        row("bytes-behind-the-payload", Observer, BOTH, |bag, scene, chance| {
            let (entry, key) = next(scene, chance)?;
            let header = repay(entry.1.header_bytes(), &key, |payload| [payload, vec![0]].concat());
            let at = append(bag, entry.0, &header, None);
            Some(failure("cbor-trailing", at))
        }),
        row("unknown-key", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "shape", |fields| fields.set(15, int(1)))
        }),
        row("missing-key", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "shape", |fields| fields.remove(10))
        }),
        row("text-for-bytes", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "shape", |fields| fields.set(3, tstr("12345678")))
        }),
        row("id-too-short", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "shape", |fields| fields.set(2, bstr(&[1; 7])))
        }),
        row("null-for-absent", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "shape", |fields| fields.set(13, vec![0xf6]))
        }),
        row("text-that-is-no-utf8", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, "text-utf8", |fields| fields.set(15, vec![0x62, 0xc3, 0x28]))
        }),
    ]
}

fn envelopes() -> Vec<Kind> {
    vec![
        row("envelope-length-not-minimal", Outsider, BOTH, |bag, scene, chance| {
            reencoded(bag, scene, chance, "cbor-non-minimal", |envelope| {
                let payload =
                    [&[0x5a, 0, 0], &(envelope.payload.len() as u16).to_be_bytes()[..], &envelope.payload].concat();
                list(&[bstr(&envelope.protected), vec![0xa0], payload, bstr(&envelope.signature)])
            })
        }),
        row("envelope-tagged", Outsider, BOTH, |bag, scene, chance| {
            reencoded(bag, scene, chance, "cbor-tag", |envelope| [vec![0xd2], envelope.write()].concat())
        }),
        row("envelope-of-five", Outsider, BOTH, |bag, scene, chance| {
            reencoded(bag, scene, chance, "shape", |envelope| {
                list(&[
                    bstr(&envelope.protected),
                    vec![0xa0],
                    bstr(&envelope.payload),
                    bstr(&envelope.signature),
                    vec![0xf6],
                ])
            })
        }),
        row("unprotected-hint", Outsider, BOTH, |bag, scene, chance| {
            reencoded(bag, scene, chance, "cose-unprotected", |envelope| {
                envelope.unprotected = vec![0xa1, 0x04, 0x41, 0x01];
                envelope.write()
            })
        }),
        row("algorithm-of-the-old-number", Observer, BOTH, |bag, scene, chance| {
            enveloped(bag, scene, chance, "cose-algorithm", |key| protected(-8, key.public().as_bytes(), ENTRY))
        }),
        row("algorithm-none", Observer, BOTH, |bag, scene, chance| {
            enveloped(bag, scene, chance, "cose-algorithm", |key| protected(0, key.public().as_bytes(), ENTRY))
        }),
        row("label-of-another-version", Observer, BOTH, |bag, scene, chance| {
            enveloped(bag, scene, chance, "cose-type", |key| {
                protected(-19, key.public().as_bytes(), "application/vnd.merestone.entry.v2")
            })
        }),
        row("kid-too-short", Observer, BOTH, |bag, scene, chance| {
            enveloped(bag, scene, chance, "shape", |key| protected(-19, &key.public().as_bytes()[..31], ENTRY))
        }),
        row("request-in-the-place-of-an-entry", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let request = author.device.certificate.request().as_bytes().to_vec();
            let mut at = append(bag, author, &request, None);
            // A request has nothing at the key where an entry has its seq but the device's name.
            at.seq = None;
            Some(failure("cose-type", at))
        }),
    ]
}

fn bodies() -> Vec<Kind> {
    vec![
        row("body-text-not-normal", Observer, FULL, |bag, scene, chance| {
            context(bag, scene, chance, "text-not-nfc", |fields| fields.set(3, tstr("e\u{301}")))
        }),
        row("body-text-turned-around", Observer, FULL, |bag, scene, chance| {
            context(bag, scene, chance, "text-forbidden", |fields| fields.set(3, tstr("a\u{202e}b")))
        }),
        row("body-text-with-an-escape", Observer, FULL, |bag, scene, chance| {
            context(bag, scene, chance, "text-forbidden", |fields| fields.set(3, tstr("\u{1b}[2J")))
        }),
        row("body-text-empty", Observer, FULL, |bag, scene, chance| {
            context(bag, scene, chance, "shape", |fields| fields.set(3, tstr("")))
        }),
        row("body-clock-beyond-its-range", Observer, FULL, |bag, scene, chance| {
            let clock = list(&[int(1), int(1), bstr(&[0; 8]), int(1_441), int(0)]);
            context(bag, scene, chance, "shape", |fields| fields.set(1, clock))
        }),
        row("body-place-off-the-globe", Observer, FULL, |bag, scene, chance| {
            let place = list(&[int(900_000_001), int(0), int(1), int(1)]);
            context(bag, scene, chance, "shape", |fields| fields.set(2, place))
        }),
        row("body-post-too-long", Observer, FULL, |bag, scene, chance| {
            context(bag, scene, chance, "size-limit", |fields| {
                let text = "x".repeat(129);
                fields.set(3, [&[0x78, 129][..], text.as_bytes()].concat());
            })
        }),
        row("body-with-an-unknown-key", Observer, FULL, |bag, scene, chance| {
            body(bag, scene, chance, "shape", |fields| fields.set(9, int(1)))
        }),
    ]
}

type Next<'a> = (&'a crate::scene::Author, VerifiedEntry);

/// The next entry of an observer in good standing, and the key.
fn next<'a>(scene: &'a Scene, chance: &mut Chance) -> Option<(Next<'a>, SigningKey)> {
    let author = *chance.pick(&scene.plain(1))?;
    debug_assert_eq!(author.device.certificate.role(), Role::Observer);
    let (entry, device) = next_entry(scene, author);
    Some(((author, entry), device.key))
}

fn signed(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    edit: fn(&mut Fields),
) -> Option<Expected> {
    let ((author, entry), key) = next(scene, chance)?;
    let (header, body) = parts(&entry);
    let header = resign(&header, &key, edit);
    let mut at = append(bag, author, &header, body.as_deref());
    // Where the map cannot be read, its seq cannot either, and the position is the next one anyway.
    at.seq = Some(author.entries().len() as u64);
    Some(failure(code, at))
}

fn reencoded(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    edit: fn(&mut Envelope) -> Vec<u8>,
) -> Option<Expected> {
    let author = *chance.pick(&scene.plain(1))?;
    let number = chance.below(author.entries().len());
    let header = edit(&mut Envelope::read(author.entries()[number].header_bytes()));
    put_header(bag, scene, author, number, &header);
    let at = stood(scene, author, number, &header);
    Some(failure(code, at).also(&["receipt-missing-tail", "entry-left-out", "log-left-out"]))
}

fn enveloped(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    protect: fn(&SigningKey) -> Vec<u8>,
) -> Option<Expected> {
    let ((author, entry), key) = next(scene, chance)?;
    let mut envelope = Envelope::read(entry.header_bytes());
    envelope.protected = protect(&key);
    let at = append(bag, author, &envelope.sign(&key), entry.body_bytes());
    Some(failure(code, at))
}

/// The entry stays authentic: its change is what cannot be applied.
fn body(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    edit: impl FnOnce(&mut Fields),
) -> Option<Expected> {
    let ((author, entry), key) = next(scene, chance)?;
    let mut fields = Fields::read(entry.body_bytes()?);
    edit(&mut fields);
    let body = fields.write();
    let header = with_body(entry.header_bytes(), &key, &body);
    let at = append(bag, author, &header, Some(&body));
    Some(note("entry-unappliable", at).saying(code))
}

fn context(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    edit: impl FnOnce(&mut Fields),
) -> Option<Expected> {
    body(bag, scene, chance, code, |fields| {
        let mut context = Fields::read(fields.find(2).unwrap());
        edit(&mut context);
        fields.set(2, context.write());
    })
}
