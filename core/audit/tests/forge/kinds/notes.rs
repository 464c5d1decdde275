//! Checkpoint notes and the cosignatures under them.

use merestone_audit::Place;
use merestone_core::audit::bag::note_path;
use merestone_core::id::NoteHash;
use merestone_core::roster::Charter;
use merestone_core::witness::{Cosignature, CosignedNote};

use super::row;
use crate::kind::{
    BOTH,
    Forger::{Observer, Outsider, Witness},
    Kind, failure, note,
};
use crate::ledger::{checkpoint, cosign, put_note};
use crate::scene::Scene;
use crate::support::{Bag, key, witness_key};

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        row("note-bit-flipped", Outsider, BOTH, |bag, scene, chance| {
            edited(bag, scene, |text| {
                let mut bytes = std::mem::take(text).into_bytes();
                // Within the ledger's name, numbers and root: their last letter is flipped to another.
                let at = chance.below(20);
                bytes[at] ^= 1;
                *text = String::from_utf8(bytes).unwrap();
            })
            .map(|at| failure("checkpoint-invalid", at).or("note-malformed"))
        }),
        row("note-of-another-size", Outsider, BOTH, |bag, scene, _| {
            let size = newest(scene)?.checkpoint().size();
            edited(bag, scene, |text| *text = text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1), 1))
                .map(|at| failure("checkpoint-invalid", at))
        }),
        row("note-under-another-name", Outsider, BOTH, |bag, scene, _| {
            let path = path(newest(scene)?);
            let bytes = bag.files.remove(&path)?;
            let other = note_path(newest(scene)?.checkpoint().size(), NoteHash::from_bytes([0x61; 32]));
            bag.put(&other, &bytes);
            Some(failure("bag-misnamed", Place::file(&other)))
        }),
        row("note-without-a-signature", Outsider, BOTH, |bag, scene, _| {
            edited(bag, scene, |text| {
                let end = text.find("\n\n").unwrap() + 2;
                text.truncate(end);
            })
            .map(|at| failure("note-malformed", at))
        }),
        row("note-with-another-line-of-text", Outsider, BOTH, |bag, scene, _| {
            edited(bag, scene, |text| *text = text.replacen("\n\n", "\nextra\n\n", 1))
                .map(|at| failure("checkpoint-invalid", at))
        }),
        row("note-by-a-ledger-of-nobody", Outsider, BOTH, |bag, scene, _| {
            let logbook = scene.logbook.as_ref()?;
            let mut other = scene.mission.charter.charter().clone();
            other.ledger.as_mut()?.key = *key(77).public();
            let hashes: Vec<_> =
                logbook.leaves.iter().map(|leaf| merestone_core::merkle::leaf_hash(&leaf.encode())).collect();
            let root = merestone_core::merkle::root(&hashes);
            let (ledger, size) = (other.ledger.as_ref()?, hashes.len() as u64);
            let forged = merestone_core::checkpoint::Checkpoint::make(ledger, &key(77), size, &root).unwrap();
            let path = note_path(size, forged.hash());
            bag.put(&path, forged.as_bytes());
            Some(failure("checkpoint-invalid", Place::file(&path)))
        }),
        row("note-that-is-no-text", Outsider, BOTH, |bag, scene, chance| {
            let path = path(newest(scene)?);
            bag.put(&path, &[chance.bytes(90), vec![0xff]].concat());
            Some(failure("note-malformed", Place::file(&path)))
        }),
        row("cosignature-of-a-stranger", Outsider, BOTH, |bag, scene, _| {
            let line = Cosignature::make(newest(scene)?.checkpoint(), &key(77), 1_767_225_800).unwrap().line();
            edited(bag, scene, |text| text.push_str(&line)).map(|at| failure("cosignature-unknown", at))
        }),
        row("cosignature-under-a-witness-that-is-a-party", Outsider, BOTH, |bag, scene, _| {
            // A party's root key is no witness key.
            let line = Cosignature::make(newest(scene)?.checkpoint(), &key(1), 1_767_225_800).unwrap().line();
            edited(bag, scene, |text| text.push_str(&line)).map(|at| failure("cosignature-unknown", at))
        }),
        row("cosignature-of-another-checkpoint", Outsider, BOTH, |bag, scene, _| {
            let logbook = scene.logbook.as_ref()?;
            let fewer = checkpoint(scene.mission.charter.charter(), &logbook.leaves[..1]);
            let line = Cosignature::make(&fewer, &witness_key(1, 0), 1_767_225_800).unwrap().line();
            bare(bag, scene, &[line]).map(|at| failure("cosignature-invalid", at))
        }),
        row("cosignature-at-another-time", Outsider, BOTH, |bag, scene, _| {
            // The time is part of what is signed: a signature of one time under another.
            let note = newest(scene)?.checkpoint();
            let line = |time: u64| Cosignature::make(note, &witness_key(1, 0), time).unwrap().line();
            let mixed = splice(&line(1_767_225_800), &line(1_767_225_801))?;
            bare(bag, scene, &[mixed]).map(|at| failure("cosignature-invalid", at))
        }),
        row("cosignatures-out-of-order", Outsider, BOTH, |bag, scene, _| {
            let mut lines = lines(scene)?;
            lines.reverse();
            bare(bag, scene, &lines).map(|at| failure("cosignature-order", at))
        }),
        row("cosignature-twice", Outsider, BOTH, |bag, scene, _| {
            let lines = lines(scene)?;
            bare(bag, scene, &[lines[0].clone(), lines[0].clone()]).map(|at| failure("cosignature-order", at))
        }),
        row("cosignatures-left-out", Outsider, BOTH, |bag, scene, _| {
            newest(scene)?.cosignatures().next()?;
            let at = bare(bag, scene, &[])?;
            Some(note("checkpoint-not-final", at))
        }),
        row("two-witnesses-of-one-party", Witness, BOTH, |bag, scene, _| {
            let newest = newest(scene)?;
            newest.cosignatures().next()?;
            let charter: &Charter = scene.mission.charter.charter();
            let twice = cosign(charter, newest.checkpoint().clone(), &[(1, 0), (1, 1)], 1_767_225_800);
            put_note(bag, &twice);
            Some(note("checkpoint-not-final", Place::file(&path(newest))))
        }),
        row("one-party-pretends-a-quorum", Witness, BOTH, |bag, scene, _| {
            // Its own witness signs, and puts its line under the name of another party's.
            let newest = newest(scene)?;
            let own = Cosignature::make(newest.checkpoint(), &witness_key(1, 0), 1_767_225_800).unwrap().line();
            let others = Cosignature::make(newest.checkpoint(), &witness_key(2, 0), 1_767_225_800).unwrap().line();
            let mixed = splice(&others, &own)?;
            bare(bag, scene, &[mixed]).map(|at| failure("cosignature-invalid", at))
        }),
        row("entry-that-saw-a-checkpoint-of-nobody", Observer, BOTH, |bag, scene, chance| {
            scene.logbook.as_ref()?;
            let author = *chance.pick(&scene.plain(1))?;
            let mut device = author.device.twin();
            device.seen = Some(NoteHash::from_bytes([0x62; 32]));
            device.create(&scene.mission, &[("note", merestone_core::change::Value::Null)], Vec::new());
            let entry = device.entries.last()?;
            let at = crate::craft::append(bag, author, entry.header_bytes(), entry.body_bytes());
            Some(note("seen-unknown", at))
        }),
    ]
}

fn newest(scene: &Scene) -> Option<&CosignedNote> {
    scene.logbook.as_ref()?.notes.last()
}

fn path(note: &CosignedNote) -> String {
    note_path(note.checkpoint().size(), note.hash())
}

/// The newest note's file with other text.
fn edited(bag: &mut Bag, scene: &Scene, edit: impl FnOnce(&mut String)) -> Option<Place> {
    let path = path(newest(scene)?);
    let mut text = String::from_utf8(bag.files.get(&path)?.clone()).ok()?;
    edit(&mut text);
    bag.put(&path, text.as_bytes());
    Some(Place::file(&path))
}

/// The newest note with these cosignature lines and no others.
fn bare(bag: &mut Bag, scene: &Scene, lines: &[String]) -> Option<Place> {
    let newest = newest(scene)?;
    let path = path(newest);
    bag.put(&path, &[newest.checkpoint().as_bytes(), lines.concat().as_bytes()].concat());
    Some(Place::file(&path))
}

/// The cosignature lines of two witnesses of party 1, ascending by key.
fn lines(scene: &Scene) -> Option<Vec<String>> {
    let newest = newest(scene)?;
    let both = cosign(scene.mission.charter.charter(), newest.checkpoint().clone(), &[(1, 0), (1, 1)], 1_767_225_800);
    Some(both.cosignatures().map(Cosignature::line).collect())
}

/// Name, key hash and time of one line, with the signature of another.
fn splice(head: &str, tail: &str) -> Option<String> {
    let parts = |line: &str| {
        let (name, signed) = line.trim_end().rsplit_once(' ')?;
        Some((name.to_owned(), data_encoding::BASE64.decode(signed.as_bytes()).ok()?))
    };
    let ((name, head), (_, tail)) = (parts(head)?, parts(tail)?);
    let mixed = [&head[..12], &tail[12..]].concat();
    Some(format!("{name} {}\n", data_encoding::BASE64.encode(&mixed)))
}
