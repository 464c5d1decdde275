//! Photos and bodies: exchanged, left out, brought back, too large.

use merestone_audit::Place;
use merestone_core::id::BlobHash;

use super::row;
use crate::chance::Chance;
use crate::kind::{BOTH, FULL, Forger::Outsider, Kind, doubt, failure, note, nothing};
use crate::scene::Scene;
use crate::support::{Bag, Disk, item};

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        row("photo-replaced", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            bag.put(&path, b"another picture");
            Some(failure("photo-mismatch", at))
        }),
        row("photo-bit-flipped", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            let bytes = bag.files.get_mut(&path)?;
            let byte = chance.below(bytes.len());
            bytes[byte] ^= chance.bit();
            Some(failure("photo-mismatch", at))
        }),
        row("photo-cut-short", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            bag.files.get_mut(&path)?.pop();
            Some(failure("photo-mismatch", at))
        }),
        row("photo-emptied", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            bag.put(&path, b"");
            Some(failure("photo-mismatch", at))
        }),
        row("photo-left-out", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            bag.files.remove(&path);
            Some(doubt("photo-missing", at))
        }),
        row("photos-exchanged", Outsider, FULL, |bag, scene, chance| {
            let (path, at) = photo(bag, scene, chance)?;
            let (other, _) = photo(bag, scene, chance)?;
            let (own, others) = (bag.files.get(&path)?.clone(), bag.files.get(&other)?.clone());
            if path == other {
                return None;
            }
            bag.put(&path, &others);
            bag.put(&other, &own);
            Some(failure("photo-mismatch", at))
        }),
        row("photo-larger-than-any", Outsider, FULL, |bag, scene, chance| {
            let (path, mut at) = photo(bag, scene, chance)?;
            bag.disk.push(Disk::Grow(path.clone(), (64 << 20) + 1));
            at = Place::file(&at.file?);
            Some(failure("bag-unreadable", at).also(&["photo-mismatch", "bag-manifest"]))
        }),
        row("photo-of-nobody", Outsider, FULL, |bag, _, chance| {
            let bytes = chance.bytes(500);
            let path = format!("data/photos/{}", BlobHash::of(&bytes));
            bag.put(&path, &bytes);
            Some(note("bag-foreign-file", Place::file(&path)))
        }),
        row("photo-of-nobody-under-a-wrong-name", Outsider, FULL, |bag, _, chance| {
            let path = format!("data/photos/{}", "3c".repeat(32));
            bag.put(&path, &chance.bytes(500));
            Some(failure("photo-mismatch", Place::file(&path)))
        }),
        row("photo-that-decodes-to-a-bomb", Outsider, FULL, |bag, _, _| {
            // A PNG of 2^31 - 1 pixels squared under its right name: nobody here decodes it.
            let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            bytes.extend([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 6, 0, 0, 0]);
            bag.put(&format!("data/photos/{}", BlobHash::of(&bytes)), &bytes);
            Some(nothing())
        }),
        row("body-left-out", Outsider, FULL, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let at = chance.below(author.entries().len());
            let entry = &author.entries()[at];
            if scene.erased.contains(&entry.record()) {
                return None;
            }
            let mut items = scene.items(author);
            items[at] = crate::support::raw_item(entry.header_bytes(), None);
            bag.put(&author.path(), &items.concat());
            Some(doubt("body-missing", crate::craft::place(entry)).also(&["entry-waiting"]))
        }),
        row("erased-body-brought-back", Outsider, FULL, |bag, scene, _| {
            let record = *scene.erased.first()?;
            let author = scene
                .authors
                .iter()
                .find(|author| author.entries().iter().any(|entry| entry.id() == record.as_entry()))?;
            let at = author.entries().iter().position(|entry| entry.id() == record.as_entry())?;
            let mut items = scene.items(author);
            items[at] = item(&author.entries()[at]);
            bag.put(&author.path(), &items.concat());
            Some(note("erased-but-held", crate::craft::place(&author.entries()[at])))
        }),
        row("erased-photo-brought-back", Outsider, FULL, |bag, scene, _| {
            let is_erased = |blob: &[u8]| scene.mission.roster.is_photo_erased(BlobHash::of(blob));
            let (original, _, entry) = scene.photos.iter().find(|(original, _, _)| is_erased(original))?;
            let path = format!("data/photos/{}", BlobHash::of(original));
            bag.put(&path, original);
            Some(note("erased-but-held", Place { entry: Some(*entry), ..Place::file(&path) }))
        }),
        row("form-left-out", Outsider, FULL, |bag, _, _| {
            bag.files.retain(|path, _| !path.starts_with("data/forms/"));
            Some(doubt("form-missing", Place::default()))
        }),
        row("form-with-another-title", Outsider, BOTH, |bag, scene, _| {
            let path = bag.files.keys().find(|path| path.starts_with("data/forms/"))?.clone();
            let bytes = bag.files.get_mut(&path)?;
            let at = bytes.windows(10).position(|window| window == b"Inspection")?;
            bytes[at] = b'A';
            debug_assert!(scene.mission.form_bytes != *bytes);
            Some(failure("bag-misnamed", Place::file(&path)).also(&["shape"]))
        }),
    ]
}

/// A photo or thumbnail in the bag, and the entry that names it.
fn photo(bag: &Bag, scene: &Scene, chance: &mut Chance) -> Option<(String, Place)> {
    let mut held = Vec::new();
    for (original, thumbnail, entry) in &scene.photos {
        for blob in [original, thumbnail] {
            let path = format!("data/photos/{}", BlobHash::of(blob));
            if bag.files.contains_key(&path) {
                held.push((path.clone(), Place { entry: Some(*entry), ..Place::file(&path) }));
            }
        }
    }
    chance.pick(&held).cloned()
}
