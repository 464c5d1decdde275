//! Headers that are well encoded and say what no header may say, signed by an observer.

use merestone_core::id::{EntryId, MissionId};

use super::row;
use crate::chance::Chance;
use crate::craft::{Fields, append, bstr, int, list, next_entry, parts, resign};
use crate::kind::{BOTH, FULL, Forger::Observer, Kind, doubt, failure, note};
use crate::scene::Scene;
use crate::support::{Bag, other_scope};

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        row("entry-of-another-mission", Observer, BOTH, |bag, scene, chance| {
            let other = MissionId::from_bytes([7; 32]);
            signed(bag, scene, chance, |fields| fields.set(1, bstr(other.as_bytes())))
                .map(|at| failure("mission-mismatch", at))
        }),
        row("record-without-refs", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| fields.set(8, bstr(&[5; 32])))
                .map(|at| failure("header-create", at).or("shape"))
        }),
        row("role-that-creates-a-record", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| {
                fields.set(7, int(5));
                fields.remove(11);
                fields.remove(12);
                fields.remove(14);
            })
            .map(|at| failure("header-create", at))
        }),
        row("refs-out-of-order", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| {
                fields.remove(14);
                fields.set(8, bstr(&[5; 32]));
                fields.set(9, list(&[bstr(&[6; 32]), bstr(&[5; 32])]));
            })
            .map(|at| failure("refs-order", at))
        }),
        row("ref-twice", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| {
                fields.remove(14);
                fields.set(8, bstr(&[5; 32]));
                fields.set(9, list(&[bstr(&[6; 32]), bstr(&[6; 32])]));
            })
            .map(|at| failure("refs-order", at))
        }),
        row("more-refs-than-allowed", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| {
                fields.remove(14);
                fields.set(8, bstr(&[5; 32]));
                let refs: Vec<Vec<u8>> =
                    (0..257u16).map(|n| bstr(&[n.to_be_bytes().as_slice(), &[0; 30]].concat())).collect();
                fields.set(9, list(&refs));
            })
            .map(|at| failure("size-limit", at))
        }),
        row("writers-out-of-order", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| fields.set(14, list(&[int(2), int(1)])))
                .map(|at| failure("writers-order", at))
        }),
        row("change-without-claims", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| fields.remove(11)).map(|at| failure("shape", at))
        }),
        row("start-in-a-later-entry", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| {
                let prev = fields.find(5).unwrap().to_vec();
                fields.remove(5);
                fields.set(6, list(&[prev, list(&[])]));
            })
            .map(|at| failure("log-start", at))
        }),
        row("position-beyond-the-log", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| fields.set(4, int(1 << 20))).map(|at| failure("log-full", at))
        }),
        row("other-entry-before-it", Observer, BOTH, |bag, scene, chance| {
            signed(bag, scene, chance, |fields| fields.set(5, bstr(&[9; 32]))).map(|at| failure("log-prev", at))
        }),
        row("positions-left-out", Observer, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let (entry, device) = next_entry(scene, author);
            let beyond = author.entries().len() as u64 + 3;
            let header = resign(entry.header_bytes(), &device.key, |fields| fields.set(4, int(beyond as i64)));
            let mut at = append(bag, author, &header, entry.body_bytes());
            // Three entries between the last one and this one are said to be missing, up to the one that this names.
            (at.seq, at.entry) = (Some(beyond - 1), author.entries().last().map(|entry| entry.id()));
            Some(failure("log-gap", at))
        }),
        row("kind-of-a-later-version", Observer, BOTH, |bag, scene, chance| {
            let record = scene.records.first()?.clone();
            signed(bag, scene, chance, move |fields| {
                fields.set(7, int(8 + 1));
                fields.remove(11);
                fields.remove(12);
                fields.remove(14);
                fields.set(8, bstr(record.record.as_bytes()));
                fields.set(9, list(&[bstr(record.id.as_bytes())]));
            })
            .map(|at| note("kind-unknown", at))
        }),
        row("entry-in-a-scope-not-granted", Observer, BOTH, |bag, scene, chance| {
            // In a log of its own, since a log has one scope.
            let author = *chance.pick(&scene.plain(1))?;
            let mut device = author.device.twin();
            device.entries.clear();
            device.earlier.clear();
            device.create(&scene.mission, &[("note", merestone_core::change::Value::Null)], Vec::new());
            let (header, body) = parts(&device.entries[0]);
            let header = resign(&header, &device.key, |fields| fields.set(2, bstr(other_scope().as_bytes())));
            let log = merestone_core::id::LogId::derive(device.key.public().as_bytes(), other_scope(), device.epoch);
            bag.put(&crate::support::log_path(log), &crate::support::raw_item(&header, body.as_deref()));
            Some(note("out-of-role", merestone_audit::Place::entry(log, 0, EntryId::of(&header))))
        }),
        row("entry-on-one-that-is-not-there", Observer, FULL, |bag, scene, chance| {
            let record = scene.records.first()?.record;
            signed(bag, scene, chance, move |fields| {
                fields.remove(14);
                fields.set(8, bstr(record.as_bytes()));
                fields.set(9, list(&[bstr(&[5; 32])]));
            })
            .map(|at| doubt("entry-waiting", at))
        }),
    ]
}

/// The next entry of an observer, with other fields.
fn signed(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    edit: impl FnOnce(&mut Fields),
) -> Option<merestone_audit::Place> {
    let author = *chance.pick(&scene.plain(1))?;
    let (entry, device) = next_entry(scene, author);
    let header = resign(entry.header_bytes(), &device.key, edit);
    let mut at = append(bag, author, &header, entry.body_bytes());
    if Fields::read(&crate::craft::Envelope::read(&header).payload).find(4) == Some(&int(1 << 20)) {
        at.seq = Some(1 << 20);
    }
    Some(at)
}
