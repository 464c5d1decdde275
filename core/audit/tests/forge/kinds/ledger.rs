//! Leaves: changed by whoever makes the bag, or signed for by whoever holds the ledger's key.

use merestone_audit::Place;
use merestone_core::audit::bag::note_path;
use merestone_core::checkpoint::Leaf;
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{EntryId, LogId, StatementId};

use super::row;
use crate::kind::{
    BOTH, Expected,
    Forger::{Ledger, Outsider},
    Kind, doubt, failure, note, nothing,
};
use crate::ledger::{Logbook, cosigned, everybody, put_note};
use crate::scene::{Author, Scene};
use crate::support::{Bag, other_scope};

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = by_outsiders();
    kinds.extend(by_the_ledger());
    kinds.extend(broken_rules());
    kinds
}

fn by_outsiders() -> Vec<Kind> {
    vec![
        row("leaf-changed", Outsider, BOTH, |bag, scene, chance| {
            with_leaves(bag, scene, |leaves| {
                let at = chance.below(leaves.len());
                leaves[at] = Leaf::Statement(StatementId::from_bytes([0x4d; 32]));
            })
        }),
        row("leaves-swapped", Outsider, BOTH, |bag, scene, chance| {
            with_leaves(bag, scene, |leaves| {
                let at = chance.below(leaves.len() - 1);
                leaves.swap(at, at + 1);
            })
        }),
        row("leaf-replaced-by-its-neighbour", Outsider, BOTH, |bag, scene, chance| {
            with_leaves(bag, scene, |leaves| {
                let at = chance.below(leaves.len() - 1);
                leaves[at] = leaves[at + 1];
            })
        }),
        row("leaf-moved-to-the-end", Outsider, BOTH, |bag, scene, _| {
            with_leaves(bag, scene, |leaves| {
                let first = leaves.remove(0);
                leaves.push(first);
            })
        }),
        row("leaves-cut-short", Outsider, BOTH, |bag, scene, _| {
            // The newest note speaks of more leaves than there are; the bag is complete as of an earlier one, and says so.
            let mut logbook = scene.logbook.clone()?;
            logbook.leaves.pop();
            logbook.put(bag);
            Some(note("note-beyond-leaves", at_newest(scene)?))
        }),
        row("leaves-left-out", Outsider, BOTH, |bag, scene, _| {
            scene.logbook.as_ref()?;
            bag.files.retain(|path, _| !path.starts_with("data/ledger/tile/"));
            Some(unassessed(scene))
        }),
        row("ledger-left-out", Outsider, BOTH, |bag, scene, _| {
            scene.logbook.as_ref()?;
            bag.files.retain(|path, _| !path.starts_with("data/ledger/"));
            Some(unassessed(scene))
        }),
        row("bundle-of-noise", Outsider, BOTH, |bag, scene, chance| {
            scene.logbook.as_ref()?;
            let path = bundle(bag)?;
            bag.put(&path, &chance.bytes(400));
            Some(failure("bundle-malformed", Place::file(&path)))
        }),
        row("byte-behind-a-bundle", Outsider, BOTH, |bag, scene, _| {
            scene.logbook.as_ref()?;
            let path = bundle(bag)?;
            bag.files.get_mut(&path)?.push(0);
            Some(failure("bundle-malformed", Place::file(&path)))
        }),
        row("bundle-of-another-width", Outsider, BOTH, |bag, scene, _| {
            let size = scene.logbook.as_ref()?.leaves.len();
            let path = bundle(bag)?;
            let bytes = bag.files.remove(&path)?;
            let path = path.replace(&format!(".p/{size}"), &format!(".p/{}", size + 1));
            bag.put(&path, &bytes);
            Some(failure("bundle-malformed", Place::file(&path)))
        }),
    ]
}

fn by_the_ledger() -> Vec<Kind> {
    vec![
        row("two-trees-of-one-size", Ledger, BOTH, |bag, scene, _| {
            let mut other = scene.logbook.clone()?.leaves;
            *other.last_mut()? = Leaf::Statement(StatementId::from_bytes([0x4e; 32]));
            let twin = everybody_signs(scene, &other);
            put_note(bag, &twin);
            let path = note_path(twin.checkpoint().size(), twin.hash());
            // Where nobody was handed the newest note of the scene, only the other one was shown.
            let newest = scene.logbook.as_ref()?.notes.last()?;
            newest.cosignatures().next()?;
            Some(failure("ledger-split", Place::file(&path)))
        }),
        row("two-trees-of-which-one-was-kept-inside", Ledger, BOTH, |bag, scene, _| {
            let mut other = scene.logbook.clone()?.leaves;
            *other.last_mut()? = Leaf::Statement(StatementId::from_bytes([0x4e; 32]));
            let twin = cosigned(scene.mission.charter.charter(), &other, &[], 0);
            put_note(bag, &twin);
            let path = note_path(twin.checkpoint().size(), twin.hash());
            Some(doubt("ledger-split-unshown", Place::file(&path)))
        }),
        row("leaves-of-a-tree-that-was-kept-inside", Ledger, BOTH, |bag, scene, _| {
            // A tree of the ledger's that nobody cosigned takes the place of the one that was handed out.
            let mut logbook = scene.logbook.clone()?;
            logbook.notes.last()?.cosignatures().next()?;
            let newest = logbook.notes.pop()?;
            logbook.leaves.swap(0, 1);
            logbook.notes = vec![cosigned(scene.mission.charter.charter(), &logbook.leaves, &[], 0)];
            logbook.put(bag);
            put_note(bag, &newest);
            let path = note_path(newest.checkpoint().size(), newest.hash());
            Some(failure("ledger-root", Place::file(&path)))
        }),
        row("tree-that-is-no-extension", Ledger, BOTH, |bag, scene, _| {
            let mut logbook = scene.logbook.clone()?;
            // Two statements changed places after the earlier note was signed.
            logbook.leaves.swap(0, 1);
            let last = logbook.notes.len() - 1;
            logbook.notes[last] = everybody_signs(scene, &logbook.leaves);
            logbook.put(bag);
            let earlier = &logbook.notes[0];
            let at = Place::file(&note_path(earlier.checkpoint().size(), earlier.hash()));
            Some(failure("ledger-split", at))
        }),
        row("note-of-leaves-nobody-has", Ledger, BOTH, |bag, scene, _| {
            let mut more = scene.logbook.clone()?.leaves;
            more.extend([Leaf::Statement(StatementId::from_bytes([0x4f; 32])); 3]);
            let beyond = everybody_signs(scene, &more);
            put_note(bag, &beyond);
            let path = note_path(beyond.checkpoint().size(), beyond.hash());
            Some(note("note-beyond-leaves", Place::file(&path)))
        }),
        row("entry-that-nobody-signed-logged", Ledger, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let (log, seq, id) = (author.device.log(), author.entries().len() as u64, EntryId::from_bytes([0x51; 32]));
            // Only behind all entries of the log, which may not all be in the ledger.
            let is_logged = scene.logbook.as_ref()?.has_entry(author.entries().last()?.id());
            is_logged.then_some(())?;
            relogged(bag, scene, |leaves| leaves.push(Leaf::Entry { log, seq, id }))?;
            Some(failure("entry-left-out", Place::entry(log, seq, id)))
        }),
        row("log-that-nobody-has-logged", Ledger, BOTH, |bag, scene, _| {
            let (log, id) = (LogId::from_bytes([0x52; 32]), EntryId::from_bytes([0x53; 32]));
            relogged(bag, scene, |leaves| {
                leaves.push(Leaf::Log { log, scope: crate::support::scope() });
                leaves.push(Leaf::Entry { log, seq: 0, id });
            })?;
            Some(failure("log-left-out", Place { log: Some(log), ..Place::default() }).also(&["entry-left-out"]))
        }),
        row("statement-that-nobody-has-logged", Ledger, BOTH, |bag, scene, _| {
            let id = StatementId::from_bytes([0x54; 32]);
            relogged(bag, scene, |leaves| leaves.push(Leaf::Statement(id)))?;
            Some(failure("statement-left-out", Place { statement: Some(id), ..Place::default() }))
        }),
        row("cosignature-that-nobody-has-logged", Ledger, BOTH, |bag, scene, _| {
            let id = StatementId::from_bytes([0x55; 32]);
            relogged(bag, scene, |leaves| leaves.push(Leaf::Cosignature(id)))?;
            Some(nothing())
        }),
    ]
}

fn broken_rules() -> Vec<Kind> {
    vec![
        row("log-leaf-behind-its-entry", Ledger, BOTH, |bag, scene, chance| {
            let device = &chance.pick(&scene.plain(1))?.device;
            let (log, begun) = (device.log(), device.begun());
            relogged(bag, scene, |leaves| {
                let at = leaves.iter().position(|leaf| *leaf == begun).unwrap();
                if at + 1 < leaves.len() {
                    leaves.swap(at, at + 1);
                }
            })?;
            let at = Place { log: Some(log), ..Place::default() };
            scene
                .logbook
                .as_ref()?
                .has_entry(scene.authors.iter().find(|author| author.device.log() == log)?.entries()[0].id())
                .then(|| failure("ledger-order", at))
        }),
        row("entry-leaf-before-the-one-it-names", Ledger, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(2))?;
            let (first, second) = (author.entries()[0].id(), author.entries()[1].id());
            scene.logbook.as_ref()?.has_entry(second).then_some(())?;
            relogged(bag, scene, |leaves| {
                let of = |id: EntryId| {
                    leaves.iter().position(|leaf| matches!(leaf, Leaf::Entry { id: of, .. } if *of == id))
                };
                let (one, two) = (of(first).unwrap(), of(second).unwrap());
                leaves.swap(one, two);
            })?;
            Some(failure("ledger-order", Place { log: Some(author.device.log()), ..Place::default() }))
        }),
        row("leaf-twice", Ledger, BOTH, |bag, scene, chance| {
            let number = chance.below(scene.logbook.as_ref()?.leaves.len());
            relogged(bag, scene, |leaves| leaves.push(leaves[number]))?;
            let leaf = scene.logbook.as_ref()?.leaves.len() as u64;
            Some(failure("ledger-order", Place { leaf: Some(leaf), ..Place::default() }))
        }),
        row("log-leaf-of-another-scope", Ledger, BOTH, |bag, scene, chance| {
            let device = &chance.pick(&scene.plain(1))?.device;
            let (wanted, begun) = (device.log(), device.begun());
            relogged(bag, scene, |leaves| {
                for leaf in leaves {
                    if *leaf == begun {
                        *leaf = Leaf::Log { log: wanted, scope: other_scope() };
                    }
                }
            })?;
            Some(failure("ledger-scope", Place { log: Some(wanted), ..Place::default() }))
        }),
    ]
}

/// The bag's bundles with other leaves, under the notes that were signed over the right ones.
fn with_leaves(bag: &mut Bag, scene: &Scene, edit: impl FnOnce(&mut Vec<Leaf>)) -> Option<Expected> {
    let mut logbook = scene.logbook.clone()?;
    edit(&mut logbook.leaves);
    if logbook.leaves == scene.logbook.as_ref()?.leaves {
        return None;
    }
    logbook.put(bag);
    let also = ["ledger-order", "entry-left-out", "statement-left-out", "log-left-out"];
    Some(failure("ledger-root", at_newest(scene)?).also(&also))
}

/// The bag with another ledger, for which its key and all witnesses signed.
fn relogged(bag: &mut Bag, scene: &Scene, edit: impl FnOnce(&mut Vec<Leaf>)) -> Option<()> {
    let mut logbook: Logbook = scene.logbook.clone()?;
    edit(&mut logbook.leaves);
    logbook.notes = vec![everybody_signs(scene, &logbook.leaves)];
    logbook.put(bag);
    Some(())
}

fn everybody_signs(scene: &Scene, leaves: &[Leaf]) -> merestone_core::witness::CosignedNote {
    cosigned(scene.mission.charter.charter(), leaves, &everybody(scene.mission.plan.witnessed), 1_767_225_900)
}

fn bundle(bag: &Bag) -> Option<String> {
    bag.files.keys().find(|path| path.starts_with("data/ledger/tile/entries/")).cloned()
}

/// The file of the newest note.
fn at_newest(scene: &Scene) -> Option<Place> {
    let newest = scene.logbook.as_ref()?.notes.last()?;
    Some(Place::file(&note_path(newest.checkpoint().size(), newest.hash())))
}

/// What a bag without leaves says; of a key that its party cut too, once what the cut keeps is not all there is.
fn unassessed(scene: &Scene) -> Expected {
    let mut cut: Vec<&Author> = scene.authors.iter().filter(|author| author.is_cut).collect();
    cut.sort_by_key(|author| author.device.log());
    let is_final = |entry: &VerifiedEntry| scene.logbook.as_ref().is_some_and(|logbook| logbook.is_final(entry.id()));
    let beyond = |author: &&Author| beyond_its_cut(scene, author).next().is_some();
    // Where the cut is open in the untouched bag, nothing new is said.
    let was_open = cut.iter().any(|author| beyond_its_cut(scene, author).any(|entry| !is_final(entry)));
    match cut.into_iter().find(beyond).filter(|_| !was_open) {
        None => note("completeness-not-assessed", Place::default()),
        Some(author) => doubt("cut-finality-unknown", Place { log: Some(author.device.log()), ..Place::default() }),
    }
}

/// The entries of an author's log that the cut of its key does not keep.
fn beyond_its_cut<'s>(scene: &'s Scene, author: &'s Author) -> impl Iterator<Item = &'s VerifiedEntry> {
    let cuts = scene.mission.roster.cuts_of(author.device.key.public().as_bytes());
    let kept = cuts.flat_map(|cut| cut.kept()).find(|head| head.epoch == author.device.epoch);
    let beyond = kept.map_or(0, |head| head.seq + 1);
    author.entries().iter().filter(move |entry| entry.header().seq >= beyond)
}
