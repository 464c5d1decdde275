//! Successions, cuts of several parties, inclusions, siblings and times: what holders of keys and witnesses can do with them.

use merestone_audit::Place;
use merestone_core::checkpoint::Leaf;
use merestone_core::entry::{LogHead, VerifiedEntry};
use merestone_core::id::{EntryId, Epoch, StatementId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::ledger::LedgerProof;
use merestone_core::merkle;
use merestone_core::roster::{Class, Included, Inclusion, ProposedSuccession, Role, SuccessionDraft};
use merestone_core::witness::CosignedNote;

use super::row;
use crate::chance::Chance;
use crate::craft::{Fields, append, bstr, int, list, next_entry, resign, statement};
use crate::kind::{
    BOTH,
    Forger::{Camp, Ledger, Observer, Outsider, Party, Witness},
    Kind, doubt, failure, note, nothing,
};
use crate::ledger::{cosigned, everybody};
use crate::scene::{Author, Scene};
use crate::support::{Bag, cosignature_leaves, item, key, put_leaves, put_note, scope};

/// The key that takes the place of another one.
const NEW: u8 = 150;
const CUT: &str = "application/vnd.merestone.cut.v2";
const SUCCESSION: &str = "application/vnd.merestone.succession.v1";

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = successions();
    kinds.extend(agreed_cuts());
    kinds.extend(inclusions());
    kinds.extend(siblings());
    kinds.extend(times());
    kinds
}

fn successions() -> Vec<Kind> {
    vec![
        row("succession-of-what-is-there", Observer, BOTH, |bag, scene, chance| {
            succeed(bag, scene, chance, |author, heads| heads.push(author.device.head(0))).map(|_| nothing())
        }),
        row("succession-beyond-the-log", Observer, BOTH, |bag, scene, chance| {
            let (author, _) = succeed(bag, scene, chance, |author, heads| {
                let head = author.device.head(0);
                heads.push(LogHead {
                    seq: author.entries().len() as u64 + 4,
                    id: EntryId::from_bytes([8; 32]),
                    ..head
                });
            })?;
            Some(doubt("succession-head-missing", Place { log: Some(author.device.log()), ..Place::default() }))
        }),
        row("succession-of-another-head", Observer, BOTH, |bag, scene, chance| {
            let (author, _) = succeed(bag, scene, chance, |author, heads| {
                heads.push(LogHead { id: EntryId::from_bytes([0xfe; 32]), ..author.device.head(0) });
            })?;
            Some(doubt(
                "succession-head-missing",
                Place { seq: Some(0), log: Some(author.device.log()), ..Place::default() },
            ))
        }),
        row("succession-of-a-log-that-nobody-has", Observer, BOTH, |bag, scene, chance| {
            let (_, at) = succeed(bag, scene, chance, |author, heads| {
                let head = author.device.head(0);
                heads.push(LogHead { epoch: Epoch::from_bytes([0xaa; 8]), ..head });
            })?;
            Some(doubt("succession-head-missing", Place { statement: at.statement, ..Place::default() }))
        }),
        row("succession-signed-by-a-stranger", Outsider, BOTH, |bag, scene, chance| {
            resucceed(bag, scene, chance, |payload, new, _| (payload, new, key(77)))
                .map(|at| failure("succession-signatures", at))
        }),
        row("succession-without-the-new-key", Observer, BOTH, |bag, scene, chance| {
            resucceed(bag, scene, chance, |payload, _, old| (payload, key(76), old))
                .map(|at| failure("succession-signatures", at))
        }),
        row("succession-of-one-key", Observer, BOTH, |bag, scene, chance| {
            resucceed(bag, scene, chance, |payload, new, old| {
                let mut fields = Fields::read(&payload);
                fields.set(3, bstr(old.public().as_bytes()));
                (fields.write(), new, old)
            })
            .map(|at| failure("succession-order", at))
        }),
        row("succession-in-another-mission", Observer, BOTH, |bag, scene, chance| {
            resucceed(bag, scene, chance, |payload, new, old| {
                let mut fields = Fields::read(&payload);
                fields.set(1, bstr(&[6; 32]));
                (fields.write(), new, old)
            })
            .map(|at| failure("mission-mismatch", at))
        }),
        row("succession-to-a-key-of-nobody", Observer, BOTH, |bag, scene, chance| {
            resucceed(bag, scene, chance, |payload, _, old| {
                let mut fields = Fields::read(&payload);
                fields.set(3, bstr(key(75).public().as_bytes()));
                (fields.write(), key(75), old)
            })
            .map(|at| failure("succession-keys", at))
        }),
    ]
}

fn agreed_cuts() -> Vec<Kind> {
    vec![
        row("agreed-cut-of-all-that-somebody-signed", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &two(author), sha256)?;
            Some(note("set-aside-by-cut", crate::craft::place(author.entries().last()?)))
        }),
        row("agreed-cut-of-one-party", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &[1], sha256).map(|at| failure("cut-quorum", at))
        }),
        row("agreed-cut-of-one-party-twice", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &[1, 1], sha256).map(|at| failure("cut-quorum", at))
        }),
        row("agreed-cut-out-of-order", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &[2, 1], sha256).map(|at| failure("cut-quorum", at))
        }),
        row("agreed-cut-with-a-stranger", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &[1, 77], sha256).map(|at| failure("cut-quorum", at))
        }),
        row("agreed-cut-of-something-else", Party, BOTH, |bag, scene, chance| {
            // Two parties agreed, to other words than these.
            let author = whole(scene, chance)?;
            agreed_cut(bag, scene, author, list(&[]), &[1, 2], |_| [9; 32]).map(|at| failure("cut-quorum", at))
        }),
        row("agreed-cut-that-keeps-what-is-not-there", Party, BOTH, |bag, scene, chance| {
            let author = whole(scene, chance)?;
            let (head, seq) = (author.device.head(0), author.entries().len() as i64 + 2);
            let kept = list(&[bstr(head.scope.as_bytes()), bstr(head.epoch.as_bytes()), int(seq), bstr(&[8; 32])]);
            agreed_cut(bag, scene, author, list(&[kept]), &two(author), sha256)?;
            Some(doubt("cut-kept-missing", Place { log: Some(author.device.log()), ..Place::default() }))
        }),
    ]
}

fn inclusions() -> Vec<Kind> {
    vec![
        row("inclusion-of-a-certificate", Camp, BOTH, |bag, scene, _| include(bag, scene, |_| {}).map(|_| nothing())),
        row("inclusion-at-another-index", Camp, BOTH, |bag, scene, _| {
            include(bag, scene, |proof| proof.index += 1).map(|at| failure("inclusion-proof", at))
        }),
        row("inclusion-by-another-path", Camp, BOTH, |bag, scene, _| {
            include(bag, scene, |proof| {
                if let Some(first) = proof.path.first_mut() {
                    *first = merkle::leaf_hash(b"another");
                }
            })
            .map(|at| failure("inclusion-proof", at))
        }),
        row("inclusion-without-its-path", Camp, BOTH, |bag, scene, _| {
            include(bag, scene, |proof| proof.path.clear()).map(|at| failure("inclusion-proof", at))
        }),
        row("inclusion-under-a-bare-note", Camp, BOTH, |bag, scene, _| {
            include(bag, scene, |proof| {
                // The ledger's line is the last of the first five.
                let lines: Vec<&[u8]> = proof.note.split_inclusive(|byte| *byte == b'\n').take(5).collect();
                proof.note = lines.concat();
            })
            .map(|at| failure("inclusion-final", at))
        }),
        row("inclusion-by-an-outsider", Outsider, BOTH, |bag, scene, _| {
            let made = inclusion(scene)?;
            let payload = crate::craft::Envelope::read(&made).payload;
            let label = "application/vnd.merestone.inclusion.v1";
            Some(failure("inclusion-signer", put(bag, "inclusion", &statement(label, &key(77), payload))))
        }),
        row("inclusion-of-an-entry-of-no-cut-key", Camp, BOTH, |bag, scene, chance| {
            let author = *chance.pick(&scene.plain(1))?;
            let is_cut = scene.mission.roster.cuts().any(|cut| cut.key() == author.device.key.public().as_bytes());
            (!is_cut).then_some(())?;
            let made = inclusion(scene)?;
            let leaf = Leaf::Entry { log: author.device.log(), seq: 0, id: author.entries()[0].id() };
            let bytes = resign(&made, &scene.camp.key, |fields| {
                fields.set(2, bstr(&leaf.encode()));
                let device = &author.device;
                let log =
                    [bstr(device.key.public().as_bytes()), bstr(scope().as_bytes()), bstr(device.epoch.as_bytes())];
                fields.set(4, list(&log));
            });
            Some(failure("inclusion-leaf", put(bag, "inclusion", &bytes)).or("inclusion-proof"))
        }),
    ]
}

fn siblings() -> Vec<Kind> {
    vec![
        row("five-entries-at-one-position", Observer, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 5)?;
            put_siblings(bag, scene, author, &siblings);
            let last = siblings.last()?;
            // That the highest takes no part is a note beside the doubt that any fork is.
            let at = Place { log: Some(last.log()), seq: Some(last.header().seq), ..Place::default() };
            Some(doubt("log-fork", at).also(DOUBTS))
        }),
        row("logged-sibling-left-out-behind-four", Observer, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 5)?;
            relogged(bag, scene, &siblings)?;
            put_siblings(bag, scene, author, &siblings[..4]);
            let at = crate::craft::place(siblings.last()?);
            Some(doubt("sibling-displaced", at).also(DOUBTS))
        }),
        row("logged-sibling-left-out-behind-three", Outsider, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 4)?;
            relogged(bag, scene, &siblings)?;
            put_siblings(bag, scene, author, &siblings[..3]);
            let at = crate::craft::place(siblings.last()?);
            Some(failure("entry-left-out", at))
        }),
        row("lowest-logged-sibling-left-out", Outsider, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 5)?;
            relogged(bag, scene, &siblings)?;
            put_siblings(bag, scene, author, &siblings[1..]);
            Some(failure("entry-left-out", crate::craft::place(&siblings[0])))
        }),
        row("entry-on-nothing-above-a-fork", Observer, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 2)?;
            let (entry, _) = next_entry(scene, author);
            let seq = author.entries().len() as i64 + 1;
            let loose = resign(entry.header_bytes(), &author.device.key, |fields| {
                fields.set(4, int(seq));
                fields.set(5, bstr(&[9; 32]));
            });
            put_siblings(bag, scene, author, &siblings);
            let at = append(bag, author, &loose, entry.body_bytes());
            Some(doubt("log-prev", Place { entry: at.entry, ..Place::default() }).also(DOUBTS))
        }),
        row("entry-far-above-a-fork", Observer, BOTH, |bag, scene, chance| {
            let (author, siblings) = crowd(scene, chance, 2)?;
            let (entry, _) = next_entry(scene, author);
            let far = resign(entry.header_bytes(), &author.device.key, |fields| {
                fields.set(4, int(author.entries().len() as i64 + 40));
                fields.set(5, bstr(&[9; 32]));
            });
            put_siblings(bag, scene, author, &siblings);
            append(bag, author, &far, entry.body_bytes());
            Some(doubt("log-gap", Place { log: Some(author.device.log()), ..Place::default() }).also(DOUBTS))
        }),
    ]
}

/// What a fork brings with it.
const DOUBTS: &[&str] = &["log-fork", "record-fork", "entry-waiting", "body-missing", "form-missing"];

fn times() -> Vec<Kind> {
    vec![
        row("witnesses-who-contradict-each-other", Witness, BOTH, |bag, scene, chance| {
            let (author, entry) = seen_and_logged(bag, scene, chance, 1_900_000_000, 1_768_000_000)?;
            (scene.mission.plan.witnessed > 0).then_some(())?;
            let at = Place { log: Some(author.device.log()), entry: Some(entry.id()), ..Place::default() };
            Some(doubt("bounds-contradict", at))
        }),
        row("times-in-order", Ledger, BOTH, |bag, scene, chance| {
            seen_and_logged(bag, scene, chance, 1_768_000_000, 1_900_000_000).map(|_| nothing())
        }),
    ]
}

/// Puts a succession of an author's key into the bag; `heads` are what it acknowledges.
fn succeed<'s>(
    bag: &mut Bag,
    scene: &'s Scene,
    chance: &mut Chance,
    heads: impl FnOnce(&Author, &mut Vec<LogHead>),
) -> Option<(&'s Author, Place)> {
    let author = *chance.pick(&scene.plain(1))?;
    let mut acknowledged = Vec::new();
    heads(author, &mut acknowledged);
    let bytes = succession(bag, scene, author, &acknowledged)?;
    Some((author, put(bag, "succession", &bytes)))
}

fn succession(bag: &mut Bag, scene: &Scene, author: &Author, heads: &[LogHead]) -> Option<Vec<u8>> {
    let certificate = scene.mission.certificate(author.party, NEW, "The same again", Role::Observer);
    bag.put(&format!("data/statements/certificate/{}.cbor", certificate.id()), certificate.as_bytes());
    let mut roster = scene.mission.roster.clone();
    roster.admit(Class::Certificate, certificate.as_bytes()).unwrap();
    let (old, new) = (*author.device.key.public().as_bytes(), *key(NEW).public().as_bytes());
    let draft = SuccessionDraft { old: &old, new: &new, heads };
    let proposed = ProposedSuccession::begin(&roster, &author.device.key, &draft).unwrap();
    Some(proposed.complete(&roster, &key(NEW)).unwrap().as_bytes().to_vec())
}

/// Puts a succession into the bag whose payload or signers are others.
fn resucceed(
    bag: &mut Bag,
    scene: &Scene,
    chance: &mut Chance,
    edit: impl FnOnce(Vec<u8>, SigningKey, SigningKey) -> (Vec<u8>, SigningKey, SigningKey),
) -> Option<Place> {
    let author = *chance.pick(&scene.plain(1))?;
    let bytes = succession(bag, scene, author, &[])?;
    let mut reader = merestone_core::cbor::Reader::new(&bytes);
    reader.array_exact(2, "succession").unwrap();
    let payload = reader.bytes("payload").unwrap().to_vec();
    let (payload, new, old) = edit(payload, key(NEW), author.device.twin().key);
    let signed = |by: &SigningKey| bstr(&statement(SUCCESSION, by, sha256(&[&payload]).to_vec()));
    let bytes = list(&[bstr(&payload), list(&[signed(&new), signed(&old)])]);
    Some(put(bag, "succession", &bytes))
}

/// An author of whose key nothing forked.
fn whole<'s>(scene: &'s Scene, chance: &mut Chance) -> Option<&'s Author> {
    let key = |author: &Author| *author.device.key.public().as_bytes();
    let mut whole = scene.plain(1);
    whole.retain(|author| scene.authors.iter().all(|other| other.is_plain() || key(other) != key(author)));
    chance.pick(&whole).copied()
}

/// The author's party and another one, in the order of their numbers.
fn two(author: &Author) -> [u8; 2] {
    if author.party == 1 { [1, 2] } else { [1, author.party] }
}

fn agreed_cut(
    bag: &mut Bag,
    scene: &Scene,
    author: &Author,
    kept: Vec<u8>,
    parties: &[u8],
    over: impl Fn(&[&[u8]]) -> [u8; 32],
) -> Option<Place> {
    let payload = Fields(vec![
        (int(1), bstr(scene.mission.id().as_bytes())),
        (int(2), bstr(author.device.key.public().as_bytes())),
        (int(3), kept),
        (int(4), int(5)),
    ])
    .write();
    let signed = |party: &u8| bstr(&statement(CUT, &key(*party), over(&[&payload]).to_vec()));
    let signatures: Vec<Vec<u8>> = parties.iter().map(signed).collect();
    Some(put(bag, "cut", &list(&[bstr(&payload), list(&signatures)])))
}

/// An inclusion by the camp of the first certificate in the ledger, under its last note if that is final.
fn inclusion(scene: &Scene) -> Option<Vec<u8>> {
    make_inclusion(scene, |_| {})
}

fn make_inclusion(scene: &Scene, edit: impl FnOnce(&mut LedgerProof)) -> Option<Vec<u8>> {
    let logbook = scene.logbook.as_ref()?;
    let final_note: &CosignedNote = logbook.notes.iter().find(|note| {
        let witnesses = merestone_core::witness::Witnesses::of(scene.mission.charter.charter()).unwrap();
        witnesses.tally(note).confirmation == merestone_core::witness::Confirmation::Final
    })?;
    let Leaf::Statement(first) = logbook.leaves[0] else { return None };
    scene.mission.roster.certificate(first)?;
    let size = final_note.checkpoint().size() as usize;
    let hashes: Vec<_> = logbook.leaves[..size].iter().map(|leaf| merkle::leaf_hash(&leaf.encode())).collect();
    (size > 1).then_some(())?;
    let path = merkle::inclusion_proof(0, &hashes)?;
    let proof = LedgerProof { index: 0, path, note: final_note.encode() };
    let honest = Inclusion::make(&scene.mission.roster, &scene.camp.key, &Included::Statement(first), &proof).unwrap();
    let mut edited = proof;
    edit(&mut edited);
    Some(resign(honest.as_bytes(), &scene.camp.key, |fields| fields.set(3, bstr(&edited.encode()))))
}

fn include(bag: &mut Bag, scene: &Scene, edit: impl FnOnce(&mut LedgerProof)) -> Option<Place> {
    let bytes = make_inclusion(scene, edit)?;
    Some(put(bag, "inclusion", &bytes))
}

/// So many entries that an author signed behind the last of the log, ascending by id.
fn crowd<'s>(scene: &'s Scene, chance: &mut Chance, count: usize) -> Option<(&'s Author, Vec<VerifiedEntry>)> {
    let author = *chance.pick(&scene.plain(1))?;
    let mut device = author.device.twin();
    let at = device.entries.len();
    let mut siblings = Vec::new();
    for n in 0..count {
        device.entries.truncate(at);
        let text = format!("sibling {n}");
        device.create(&scene.mission, &[("note", merestone_core::change::Value::Text(&text))], Vec::new());
        siblings.extend(device.entries.pop());
    }
    siblings.sort_by_key(VerifiedEntry::id);
    Some((author, siblings))
}

fn put_siblings(bag: &mut Bag, scene: &Scene, author: &Author, siblings: &[VerifiedEntry]) {
    let mut items = scene.items(author);
    items.extend(siblings.iter().map(item));
    bag.put(&author.path(), &items.concat());
}

/// The bag's ledger with the leaves of these entries behind it, under a note of everybody.
fn relogged(bag: &mut Bag, scene: &Scene, entries: &[VerifiedEntry]) -> Option<()> {
    let mut logbook = scene.logbook.clone()?;
    let log = entries.first()?.log();
    let author = scene.authors.iter().find(|author| author.device.log() == log)?;
    logbook.has_entry(author.entries().last()?.id()).then_some(())?;
    let leaf = |entry: &VerifiedEntry| Leaf::Entry { log, seq: entry.header().seq, id: entry.id() };
    logbook.leaves.extend(entries.iter().map(leaf));
    let charter = scene.mission.charter.charter();
    logbook.notes = vec![cosigned(charter, &logbook.leaves, &everybody(scene.mission.plan.witnessed), 1_767_225_900)];
    logbook.put(bag);
    Some(())
}

/// An author signs once more, with a checkpoint that holds what witnesses signed at `before`; what he signed is under one that
/// they cosign at `after`.
fn seen_and_logged<'s>(
    bag: &mut Bag,
    scene: &'s Scene,
    chance: &mut Chance,
    before: u64,
    after: u64,
) -> Option<(&'s Author, VerifiedEntry)> {
    let logbook = scene.logbook.as_ref()?;
    let author = *chance.pick(&scene.plain(1))?;
    logbook.has_entry(author.entries().last()?.id()).then_some(())?;
    let (charter, all) = (scene.mission.charter.charter(), everybody(scene.mission.plan.witnessed));
    let mut leaves = logbook.leaves.clone();
    let first = cosigned(charter, &leaves, &all, before);
    leaves.extend(cosignature_leaves(&first));
    let second = cosigned(charter, &leaves, &[], 0);
    let mut device = author.device.twin();
    device.seen = Some(second.hash());
    device.wall_ms = i64::try_from(before.min(after)).ok()? * 1_000;
    device.create(&scene.mission, &[("note", merestone_core::change::Value::Text("in time"))], Vec::new());
    let entry = device.entries.last()?.clone();
    leaves.push(Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() });
    let third = cosigned(charter, &leaves, &all, after);
    bag.files.retain(|path, _| !path.starts_with("data/ledger/"));
    put_leaves(bag, &leaves);
    [&first, &second, &third].into_iter().for_each(|note| put_note(bag, note));
    put_siblings(bag, scene, author, std::slice::from_ref(&entry));
    Some((author, entry))
}

/// Puts a statement under its own id, and says where.
fn put(bag: &mut Bag, folder: &str, bytes: &[u8]) -> Place {
    let id = StatementId::of(bytes);
    let path = format!("data/statements/{folder}/{id}.cbor");
    bag.put(&path, bytes);
    Place::statement(id, &path)
}
