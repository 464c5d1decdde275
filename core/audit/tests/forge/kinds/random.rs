//! Mutations without an intention: no byte of the evidence can change and nobody notice.
//!
//! Nothing vouches for three things, and they are left alone here: lines of `bag-info.txt` that the layout does not name,
//! the case of digits in `tagmanifest-sha256.txt`, which nothing lists, and the absence of what nobody attests (a tail
//! of a log that no receipt and no ledger names, a cosignature, a photo's file in the fast pass).

use super::row;
use crate::chance::Chance;
use crate::kind::{BOTH, Expected, FULL, Forger::Outsider, Kind, anything};
use crate::support::{Bag, Disk};

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        row("bit-flipped-anywhere", Outsider, FULL, |bag, _, chance| {
            changed(bag, chance, |bytes, chance| {
                let at = chance.below(bytes.len());
                bytes[at] ^= chance.bit();
            })
        }),
        row("bit-flipped-outside-the-photos", Outsider, BOTH, |bag, _, chance| {
            let paths: Vec<String> = bag
                .files
                .keys()
                .filter(|path| !path.contains("/photos/") && !path.contains("/forms/"))
                .cloned()
                .collect();
            let path = chance.pick(&paths)?;
            let bytes = bag.files.get_mut(path)?;
            let at = chance.below(bytes.len());
            bytes[at] ^= chance.bit();
            Some(anything())
        }),
        row("byte-removed-anywhere", Outsider, FULL, |bag, _, chance| {
            changed(bag, chance, |bytes, chance| {
                bytes.remove(chance.below(bytes.len() - 1));
            })
        }),
        row("bytes-doubled-anywhere", Outsider, FULL, |bag, _, chance| {
            changed(bag, chance, |bytes, chance| {
                let from = chance.below(bytes.len() - 1);
                let to = chance.between(from + 1, bytes.len() - 1);
                let copied = bytes[from..to].to_vec();
                bytes.splice(from..from, copied);
            })
        }),
        row("noise-written-over-anything", Outsider, FULL, |bag, _, chance| {
            changed(bag, chance, |bytes, chance| {
                let from = chance.below(bytes.len());
                let to = chance.between(from, bytes.len() - 1);
                let noise = chance.bytes(to - from + 1);
                // One bit at least is another one.
                let first = noise[0] ^ if noise[0] == bytes[from] { 1 } else { 0 };
                bytes.splice(from..=to, noise);
                bytes[from] = first;
            })
        }),
        row("two-files-exchanged", Outsider, FULL, |bag, _, chance| {
            let paths: Vec<String> = bag.files.keys().cloned().collect();
            let (one, two) = (chance.pick(&paths)?.clone(), chance.pick(&paths)?.clone());
            let (first, second) = (bag.files[&one].clone(), bag.files[&two].clone());
            (first != second).then_some(())?;
            bag.put(&one, &second);
            bag.put(&two, &first);
            Some(anything())
        }),
        row("tag-file-bit-flipped", Outsider, BOTH, |bag, _, chance| {
            let folder = tempfile::tempdir().ok()?;
            bag.write(folder.path());
            let path = *chance.pick(&["bagit.txt", "bag-info.txt", "manifest-sha256.txt"])?;
            let mut bytes = std::fs::read(folder.path().join(path)).ok()?;
            let at = chance.below(bytes.len());
            bytes[at] ^= chance.bit();
            bag.disk.push(Disk::Put(path.into(), bytes));
            Some(anything())
        }),
    ]
}

/// A file of the payload with other bytes; manifests are made to fit.
fn changed(bag: &mut Bag, chance: &mut Chance, edit: impl FnOnce(&mut Vec<u8>, &mut Chance)) -> Option<Expected> {
    let paths: Vec<String> =
        bag.files.iter().filter(|(_, bytes)| bytes.len() > 2).map(|(path, _)| path.clone()).collect();
    let path = chance.pick(&paths)?;
    let bytes = bag.files.get_mut(path)?;
    let before = bytes.clone();
    edit(bytes, chance);
    (before != *bytes).then(anything)
}
