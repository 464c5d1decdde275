//! Entries left out, moved, doubled and rewritten; forks; epochs.

use merestone_audit::Place;
use merestone_core::change::Value;
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::EntryId;

use super::row;
use crate::chance::Chance;
use crate::craft::{bstr, int, list, place, resign};
use crate::kind::{
    BOTH, Expected,
    Forger::{Observer, Outsider},
    Kind, doubt, failure,
};
use crate::scene::{Author, Scene};
use crate::support::{Bag, Device, item, raw_item};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = left_out();
    kinds.extend(moved());
    kinds.extend(rewritten());
    kinds.extend(epochs());
    kinds
}

/// What whoever attested an entry says when it is not there.
const MISSED: &[&str] = &["receipt-missing-tail", "entry-left-out", "log-left-out"];

fn left_out() -> Vec<Kind> {
    vec![
        row("entry-left-out-of-the-middle", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(2))?;
            let at = chance.below(author.entries().len() - 1);
            without(bag, scene, author, at..at + 1);
            Some(failure("log-gap", place(&author.entries()[at])).also(MISSED))
        }),
        row("several-entries-left-out", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(4))?;
            without(bag, scene, author, 1..author.entries().len() - 1);
            let last = &author.entries()[author.entries().len() - 2];
            Some(failure("log-gap", place(last)).also(MISSED))
        }),
        row("first-entry-left-out", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(2))?;
            without(bag, scene, author, 0..1);
            Some(failure("log-gap", place(&author.entries()[0])).also(MISSED))
        }),
        row("attested-tail-left-out", Outsider, BOTH, |bag, scene, chance| {
            let mut attested = scene.plain(2);
            attested.retain(|author| author.attested == author.entries().len());
            let author = *chance.pick(&attested)?;
            let from = chance.between(1, author.entries().len() - 1);
            without(bag, scene, author, from..author.entries().len());
            Some(failure("receipt-missing-tail", place(author.entries().last()?)).also(MISSED))
        }),
        row("logged-tail-left-out", Outsider, BOTH, |bag, scene, chance| {
            let logbook = scene.logbook.as_ref()?;
            let mut logged = scene.plain(2);
            logged.retain(|author| author.entries().last().is_some_and(|entry| logbook.has_entry(entry.id())));
            let author = *chance.pick(&logged)?;
            let last = author.entries().len() - 1;
            without(bag, scene, author, last..last + 1);
            Some(failure("entry-left-out", place(author.entries().last()?)).also(MISSED))
        }),
        row("attested-log-left-out", Outsider, BOTH, |bag, scene, chance| {
            let mut attested = scene.plain(1);
            attested.retain(|author| author.attested > 0);
            let author = *chance.pick(&attested)?;
            bag.files.remove(&author.path());
            Some(failure("receipt-missing-tail", place(author.entries().last()?)).also(MISSED))
        }),
        row("logged-log-left-out", Outsider, BOTH, |bag, scene, chance| {
            let logbook = scene.logbook.as_ref()?;
            let author = *chance.pick(&scene.plain(1))?;
            logbook.has_entry(author.entries()[0].id()).then_some(())?;
            bag.files.remove(&author.path());
            let at = Place { log: Some(author.device.log()), ..Place::default() };
            Some(failure("log-left-out", at).also(MISSED))
        }),
        row("branch-of-a-fork-left-out", Outsider, BOTH, |bag, scene, chance| {
            let logbook = scene.logbook.as_ref()?;
            let author = scene.authors.iter().find(|author| author.is_forked)?;
            let last = author.entries().len() - 1;
            let at = last - chance.below(2);
            logbook.has_entry(author.entries()[at].id()).then_some(())?;
            without(bag, scene, author, at..at + 1);
            Some(failure("entry-left-out", place(&author.entries()[at])))
        }),
    ]
}

fn moved() -> Vec<Kind> {
    vec![
        row("entry-doubled", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let at = chance.below(author.entries().len());
            let mut items = scene.items(author);
            items.insert(at, items[at].clone());
            misplaced(bag, author, items, at)
        }),
        row("neighbours-swapped", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(2))?;
            let at = chance.below(author.entries().len() - 1);
            let mut items = scene.items(author);
            items.swap(at, at + 1);
            misplaced(bag, author, items, at).map(|wanted| wanted.also(&["log-gap"]))
        }),
        row("log-turned-around", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(3))?;
            let mut items = scene.items(author);
            items.reverse();
            misplaced(bag, author, items, 0).map(|wanted| wanted.also(&["log-gap"]))
        }),
        row("entry-copied-to-another-log", Outsider, BOTH, |bag, scene, chance| {
            let (author, other) = two(scene, chance)?;
            let at = chance.below(author.entries().len());
            let copied = scene.items(author)[at].clone();
            bag.files.get_mut(&other.path())?.extend(copied);
            Some(failure("log-misplaced", Place { file: Some(other.path()), ..place(&author.entries()[at]) }))
        }),
        row("entry-moved-to-another-log", Outsider, BOTH, |bag, scene, chance| {
            let (author, other) = two(scene, chance)?;
            let at = chance.below(author.entries().len());
            let moved = scene.items(author)[at].clone();
            without(bag, scene, author, at..at + 1);
            bag.files.get_mut(&other.path())?.extend(moved);
            let at = Place { file: Some(other.path()), ..place(&author.entries()[at]) };
            Some(failure("log-misplaced", at).also(MISSED).also(&["log-gap"]))
        }),
        row("log-under-another-name", Outsider, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let bytes = bag.files.remove(&author.path())?;
            let other = format!("data/logs/{}.cborseq", "5a".repeat(32));
            bag.put(&other, &bytes);
            let at = Place { file: Some(other), ..place(&author.entries()[0]) };
            Some(failure("log-misplaced", at).also(MISSED))
        }),
        row("logs-exchanged", Outsider, BOTH, |bag, scene, chance| {
            let (author, other) = two(scene, chance)?;
            let (own, others) = (scene.items(author).concat(), scene.items(other).concat());
            bag.put(&author.path(), &others);
            bag.put(&other.path(), &own);
            let at = Place { file: Some(other.path()), ..place(&author.entries()[0]) };
            Some(failure("log-misplaced", at).also(MISSED))
        }),
        row("log-joined-to-another", Outsider, BOTH, |bag, scene, chance| {
            let (author, other) = two(scene, chance)?;
            let own = bag.files.remove(&author.path())?;
            bag.files.get_mut(&other.path())?.extend(own);
            let at = Place { file: Some(other.path()), ..place(&author.entries()[0]) };
            Some(failure("log-misplaced", at).also(MISSED))
        }),
        row("log-emptied", Outsider, BOTH, |bag, scene, chance| {
            let mut known = scene.plain(1);
            known.retain(|author| {
                let first = author.entries()[0].id();
                author.attested > 0 || scene.logbook.as_ref().is_some_and(|logbook| logbook.has_entry(first))
            });
            let author = *chance.pick(&known)?;
            bag.put(&author.path(), b"");
            let at = Place { log: Some(author.device.log()), ..Place::default() };
            Some(failure("receipt-missing-tail", at).or("entry-left-out").also(MISSED))
        }),
    ]
}

fn rewritten() -> Vec<Kind> {
    vec![
        row("fork", Observer, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(2))?;
            let twin = rewritten_from(scene, author, author.entries().len() - 1);
            let mut entries: Vec<VerifiedEntry> = author.entries().to_vec();
            entries.extend(twin.entries.last().cloned());
            let at = entries.len() - 2;
            entries[at..].sort_by_key(VerifiedEntry::id);
            let mut items = scene.items(author);
            items.truncate(at);
            let erased = |entry: &VerifiedEntry| scene.erased.contains(&entry.record());
            let more = entries[at..]
                .iter()
                .map(|entry| if erased(entry) { raw_item(entry.header_bytes(), None) } else { item(entry) });
            items.extend(more);
            bag.put(&author.path(), &items.concat());
            Some(doubt("log-fork", place(&entries[at + 1])))
        }),
        row("attested-entry-replaced", Observer, BOTH, |bag, scene, chance| {
            let mut attested = scene.plain(1);
            attested.retain(|author| author.attested == author.entries().len());
            let author = *chance.pick(&attested)?;
            let from = author.entries().len() - 1;
            replace_from(bag, scene, author, from);
            Some(failure("receipt-other-head", place(&author.entries()[from])).also(MISSED))
        }),
        row("logged-entry-replaced", Observer, BOTH, |bag, scene, chance| {
            let logbook = scene.logbook.as_ref()?;
            let mut logged = scene.plain(1);
            logged.retain(|author| author.entries().last().is_some_and(|entry| logbook.has_entry(entry.id())));
            let author = *chance.pick(&logged)?;
            let from = author.entries().len() - 1;
            replace_from(bag, scene, author, from);
            Some(
                failure("entry-left-out", place(&author.entries()[from])).also(&["receipt-other-head", "log-left-out"]),
            )
        }),
        row("history-rewritten", Observer, BOTH, |bag, scene, chance| {
            let logbook = scene.logbook.as_ref()?;
            let author = *chance.pick(&scene.plain(3))?;
            logbook.has_entry(author.entries()[1].id()).then_some(())?;
            replace_from(bag, scene, author, 1);
            Some(failure("entry-left-out", place(&author.entries()[1])).also(&["receipt-other-head", "log-left-out"]))
        }),
    ]
}

fn epochs() -> Vec<Kind> {
    vec![
        row("earlier-epoch-left-out", Outsider, BOTH, |bag, scene, _| {
            let later = scene.authors.iter().find(|author| author.is_plain() && !author.device.earlier.is_empty())?;
            let key = later.device.key.public();
            let earlier = scene
                .authors
                .iter()
                .find(|author| author.device.key.public() == key && author.device.epoch != later.device.epoch)?;
            bag.files.remove(&earlier.path());
            let is_known = earlier.attested > 0 || scene.logbook.is_some();
            let at = Place { log: Some(earlier.device.log()), ..Place::default() };
            Some(match is_known {
                true => failure("receipt-missing-tail", at).or("log-left-out").also(MISSED),
                false => doubt("earlier-missing", at).also(&["entry-waiting", "photo-missing"]),
            })
        }),
        row("earlier-head-beyond-the-log", Observer, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let mut device = fresh_epoch(author);
            let seq = author.entries().len() as u64 + 4;
            device.earlier = vec![merestone_core::entry::LogHead { seq, ..author.device.head(0) }];
            device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            bag.put_log(device.log(), &device.entries);
            let at = Place { log: Some(author.device.log()), seq: Some(seq), ..Place::default() };
            Some(doubt("earlier-missing", at))
        }),
        row("earlier-heads-out-of-order", Observer, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let mut device = fresh_epoch(author);
            device.create(&scene.mission, &[("note", Value::Null)], Vec::new());
            let head = |epoch: u8| list(&[bstr(&[1; 8]), bstr(&[epoch; 8]), int(0), bstr(&[epoch; 32])]);
            let start = list(&[bstr(device.certificate.id().as_bytes()), list(&[head(2), head(1)])]);
            let entry = &device.entries[0];
            let header = resign(entry.header_bytes(), &device.key, |fields| fields.set(6, start));
            bag.put(&crate::support::log_path(device.log()), &raw_item(&header, entry.body_bytes()));
            Some(failure("earlier-order", Place::entry(device.log(), 0, EntryId::of(&header))))
        }),
        row("epochs-mixed", Outsider, BOTH, |bag, scene, _| {
            let later = scene.authors.iter().find(|author| author.is_plain() && !author.device.earlier.is_empty())?;
            let key = later.device.key.public();
            let earlier = scene
                .authors
                .iter()
                .find(|author| author.device.key.public() == key && author.device.epoch != later.device.epoch)?;
            let copied = scene.items(later).concat();
            bag.files.get_mut(&earlier.path())?.extend(copied);
            Some(failure("log-misplaced", Place { file: Some(earlier.path()), ..place(&later.entries()[0]) }))
        }),
    ]
}

/// The log's file without the entries of a range.
fn without(bag: &mut Bag, scene: &Scene, author: &Author, range: std::ops::Range<usize>) {
    let mut items = scene.items(author);
    items.drain(range);
    bag.put(&author.path(), &items.concat());
}

fn misplaced(bag: &mut Bag, author: &Author, items: Vec<Vec<u8>>, at: usize) -> Option<Expected> {
    bag.put(&author.path(), &items.concat());
    Some(failure("log-misplaced", Place { file: Some(author.path()), ..place(&author.entries()[at]) }).also(MISSED))
}

fn two<'a>(scene: &'a Scene, chance: &mut Chance) -> Option<(&'a Author, &'a Author)> {
    let plain = scene.plain(1);
    let first = chance.below(plain.len().max(1));
    let other = plain.get((first + 1) % plain.len().max(1))?;
    (plain.len() > 1).then(|| (plain[first], *other))
}

/// The device with other entries from a position on.
fn rewritten_from(scene: &Scene, author: &Author, from: usize) -> Device {
    let mut twin = author.device.twin();
    twin.entries.truncate(from);
    for _ in from..author.entries().len() {
        twin.create(&scene.mission, &[("note", Value::Text("rewritten"))], Vec::new());
    }
    twin
}

fn replace_from(bag: &mut Bag, scene: &Scene, author: &Author, from: usize) {
    let twin = rewritten_from(scene, author, from);
    let mut items = scene.items(author);
    items.truncate(from);
    items.extend(twin.entries[from..].iter().map(item));
    bag.put(&author.path(), &items.concat());
}

/// The key in an epoch that no scene uses, which names none before.
fn fresh_epoch(author: &Author) -> Device {
    let mut device = author.device.next_epoch();
    device.epoch = merestone_core::id::Epoch::from_bytes([202; 8]);
    device.earlier.clear();
    device
}
