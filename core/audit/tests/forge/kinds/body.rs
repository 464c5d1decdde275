//! What an authentic body says that cannot be, and names that would steer whoever reads the report.

use merestone_audit::Place;
use merestone_core::cbor::{Reader, Writer};
use merestone_core::change::{Basis, Put, Value, compose};
use merestone_core::id::Actor;
use merestone_core::roster::Role;

use super::row;
use crate::chance::Chance;
use crate::craft::{Fields, append, bstr, int, list, next_entry, resign, with_body};
use crate::kind::{
    BOTH, Expected, FULL,
    Forger::{Observer, Party},
    Kind, note, nothing,
};
use crate::scene::Scene;
use crate::support::{Bag, Device, photo, scope};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = changes();
    kinds.extend(contexts());
    kinds.extend(reports());
    kinds
}

fn changes() -> Vec<Kind> {
    vec![
        row("change-compressed", Observer, FULL, |bag, scene, chance| {
            chunk(bag, scene, chance, "change-compressed", |chunk| chunk[8] = 2)
        }),
        row("change-with-another-checksum", Observer, FULL, |bag, scene, chance| {
            chunk(bag, scene, chance, "change-malformed", |chunk| chunk[4] ^= 1)
        }),
        row("change-with-another-magic", Observer, FULL, |bag, scene, chance| {
            chunk(bag, scene, chance, "change-malformed", |chunk| chunk[0] ^= 1)
        }),
        row("bytes-behind-the-change", Observer, FULL, |bag, scene, chance| {
            chunk(bag, scene, chance, "change-malformed", |chunk| chunk.push(0))
        }),
        row("change-emptied", Observer, FULL, |bag, scene, chance| {
            chunk(bag, scene, chance, "change-malformed", Vec::clear)
        }),
        row("change-of-another-actor", Observer, FULL, |bag, scene, chance| {
            composed(bag, scene, chance, "change-actor", Basis::creation(), Some(Actor::from_bytes([0x71; 16])))
        }),
        row("change-that-forgets-its-authors-last", Observer, FULL, |bag, scene, chance| {
            composed(bag, scene, chance, "change-own-dep", Basis { seq: 7, ..Basis::creation() }, None)
        }),
        row("change-that-leaves-operations-out", Observer, FULL, |bag, scene, chance| {
            composed(bag, scene, chance, "change-start-op", Basis { start_op: 9, ..Basis::creation() }, None)
        }),
        row("change-on-what-the-header-does-not-name", Observer, FULL, |bag, scene, chance| {
            let basis = Basis { deps: vec![scene.records.first()?.hash], ..Basis::creation() };
            composed(bag, scene, chance, "change-deps-refs", basis, None)
        }),
        row("claims-of-other-answers", Observer, FULL, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let (entry, device) = next_entry(scene, author);
            let header = resign(entry.header_bytes(), &device.key, |fields| fields.set(11, bstr(&[0x72; 32])));
            let at = append(bag, author, &header, entry.body_bytes());
            Some(note("claims-mismatch", at))
        }),
        row("answer-that-the-form-does-not-ask", Observer, FULL, |bag, scene, chance| {
            written(bag, scene, chance, |scene, device| {
                device.create(&scene.mission, &[("not_asked", Value::Int(1))], Vec::new());
            })
            .map(|at| note("claims-unknown-question", at))
        }),
    ]
}

fn contexts() -> Vec<Kind> {
    vec![
        row("clock-set-to-2017", Observer, FULL, |bag, scene, chance| {
            written(bag, scene, chance, |scene, device| {
                device.wall_ms = 1_767_000_000_001;
                device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            })
            .map(|at| note("clock-backwards", at))
        }),
        row("time-since-boot-runs-backwards", Observer, FULL, |bag, scene, chance| {
            body(bag, scene, chance, |fields| {
                let mut context = Fields::read(fields.find(2).unwrap());
                let clock = list(&[int(1_900_000_000_000), int(1), bstr(&[3; 8]), int(0), int(0)]);
                context.set(1, clock);
                fields.set(2, context.write());
            })
            .map(|at| note("clock-backwards", at).saying("time since boot"))
        }),
        row("context-of-another-observer", Observer, FULL, |bag, scene, chance| {
            written(bag, scene, chance, |scene, device| {
                device.observer = "Somebody else".into();
                device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            })
            .map(|at| note("context-observer", at))
        }),
        row("photo-of-another-size-than-stated", Observer, FULL, |bag, scene, chance| {
            let (original, thumbnail) = (chance.bytes(400), chance.bytes(40));
            for blob in [&original, &thumbnail] {
                bag.put(&format!("data/photos/{}", merestone_core::id::BlobHash::of(blob)), blob);
            }
            let mut stated = photo(&original, &thumbnail);
            stated.bytes += 1;
            written(bag, scene, chance, |scene, device| {
                device.create(&scene.mission, &[("note", Value::Null)], vec![stated]);
            })
            .map(|at| note("photo-facts", at))
        }),
        row("photo-with-another-tree-than-stated", Observer, FULL, |bag, scene, chance| {
            let (original, thumbnail) = (chance.bytes(400), chance.bytes(40));
            for blob in [&original, &thumbnail] {
                bag.put(&format!("data/photos/{}", merestone_core::id::BlobHash::of(blob)), blob);
            }
            let mut stated = photo(&original, &thumbnail);
            stated.chunks = [0x73; 32];
            written(bag, scene, chance, |scene, device| {
                device.create(&scene.mission, &[("note", Value::Null)], vec![stated]);
            })
            .map(|at| note("photo-facts", at))
        }),
    ]
}

/// Nothing is wrong with these: what counts is that the report shows them as text.
fn reports() -> Vec<Kind> {
    vec![
        row("observer-whose-name-is-markup", Party, BOTH, |bag, scene, _| {
            named(bag, scene, "<script>alert(1)</script>").map(|()| nothing())
        }),
        row("observer-whose-name-is-an-attribute", Party, BOTH, |bag, scene, _| {
            named(bag, scene, "\"><img src=x onerror=\"alert(1)\">").map(|()| nothing())
        }),
        row("answers-with-markup", Observer, FULL, |bag, scene, chance| {
            written(bag, scene, chance, |scene, device| {
                let text = "</td><b>x</b><img src=x onerror=\"alert(1)\"><!--";
                device.create(&scene.mission, &[("note", Value::Text(text))], Vec::new());
            })
            .map(|_| nothing())
        }),
        row("answers-over-many-lines", Observer, FULL, |bag, scene, chance| {
            // A text that would look like the report's own lines.
            written(bag, scene, chance, |scene, device| {
                let text = "x\n\nPASSED\n\nNothing was left out.\n".repeat(40);
                device.create(&scene.mission, &[("note", Value::Text(&text))], Vec::new());
            })
            .map(|_| nothing())
        }),
        row("objection-with-markup", Observer, FULL, |bag, scene, chance| {
            let record = scene.records.first()?.clone();
            written(bag, scene, chance, move |_, device| {
                device.object(&record, "</td><b>no</b><script>alert(2)</script>");
            })
            .map(|_| nothing())
        }),
    ]
}

/// One more entry of an observer, written by `write`, and where it stands.
fn written(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    write: impl FnOnce(&Scene, &mut Device),
) -> Option<Place> {
    let author = *chance.pick(&scene.plain(1))?;
    let mut device = author.device.twin();
    write(scene, &mut device);
    let entry = device.entries.last()?;
    Some(append(bag, author, entry.header_bytes(), entry.body_bytes()))
}

/// The next entry of an observer over a body with other fields.
fn body(bag: &mut Bag, scene: &Scene, chance: &mut Chance, edit: impl FnOnce(&mut Fields)) -> Option<Place> {
    let author = *chance.pick(&scene.plain(1))?;
    let (entry, device) = next_entry(scene, author);
    let mut fields = Fields::read(entry.body_bytes()?);
    edit(&mut fields);
    let body = fields.write();
    let header = with_body(entry.header_bytes(), &device.key, &body);
    Some(append(bag, author, &header, Some(&body)))
}

/// The same over other bytes of the change; the entry stays authentic, and its change is not applied.
fn chunk(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    edit: fn(&mut Vec<u8>),
) -> Option<Expected> {
    let at = body(bag, scene, chance, |fields| {
        let mut reader = Reader::new(fields.find(1).unwrap());
        let mut bytes = reader.bytes("change").unwrap().to_vec();
        edit(&mut bytes);
        let mut writer = Writer::new();
        writer.bytes(&bytes);
        fields.set(1, writer.finish());
    })?;
    Some(note("entry-unappliable", at).saying(code))
}

/// The same over a change that builds on something else, by another actor if one is given.
fn composed(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    code: &'static str,
    basis: Basis,
    by: Option<Actor>,
) -> Option<Expected> {
    let author = *chance.pick(&scene.plain(1))?;
    let (entry, device) = next_entry(scene, author);
    let own = Actor::derive(scene.mission.id(), device.key.public().as_bytes(), scope(), device.epoch);
    let puts = vec![Put { key: "note", value: Value::Text("composed"), preds: Vec::new() }];
    let made = compose(by.unwrap_or(own), [0x74; 16], &basis, puts).unwrap();
    let mut fields = Fields::read(entry.body_bytes()?);
    fields.set(1, bstr(&made.chunk));
    let body = fields.write();
    let header = with_body(entry.header_bytes(), &device.key, &body);
    let at = append(bag, author, &header, Some(&body));
    Some(note("entry-unappliable", at).saying(code))
}

/// A person of this name, certified by party 1, with a record.
fn named(bag: &mut Bag, scene: &Scene, name: &str) -> Option<()> {
    let certificate = scene.mission.certificate(1, 80, name, Role::Observer);
    let path = format!("data/statements/certificate/{}.cbor", certificate.id());
    bag.put(&path, certificate.as_bytes());
    let mut device = Device::new(scene.mission.id(), 80, name, certificate);
    device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
    bag.put_log(device.log(), &device.entries);
    Some(())
}
