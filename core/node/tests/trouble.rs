//! What goes wrong on a device, and what is there afterwards.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;
#[path = "../../../tests/src/skip.rs"]
#[allow(unreachable_pub, reason = "shared with the tests that lie above every room")]
mod skip;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use common::{Mission, carry, inspection, open, vault};
use merestone_core::entry::{EntryDraft, Position, Rendition, RenditionOrReason, SignedEntry, Subject};
use merestone_core::erasure::{Erased, ErasureDraft, ErasureReason};
use merestone_core::id::{BlobHash, EntryId, RecordId, StatementId, StoreId};
use merestone_core::key::{KeyCache, PublicKey, SigningKey};
use merestone_core::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use merestone_core::record::Standing;
use merestone_core::roster::{Class, RECEIPT_STORES_MAX, Role};
use merestone_node::Answer;
use merestone_node::capture::{PhotoSource, SaveError, Saved};
use merestone_node::device::{AccessError, Device, PenError};
use merestone_node::office::PartyOffice;
use merestone_node::records::{HeldAlone, RecordFilter};
use merestone_store::{Batch, BlobClass, SIBLINGS_MAX, StatementClass};
use skip::skip;

const DISK: &str = "MERESTONE_SMALL_DISK";

/// Runs this test again on a file system of 24 MiB. Where the system gives nobody a namespace it is skipped.
#[test]
fn on_a_full_disk_a_draft_is_kept_until_there_is_room() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(disk.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=24m small \"$MERESTONE_SMALL_DISK\" || exit 77; exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "on_a_full_disk_a_draft_is_kept_until_there_is_room", "--nocapture"]);
    let output = match command.env(DISK, dir.path()).output() {
        Ok(output) => output,
        Err(error) => return skip(&format!("unshare does not run ({error}; Debian: util-linux)")),
    };
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !said.contains("running 1 test") {
        return skip(&format!("no file system of its own: {}", said.trim()));
    }
    assert!(output.status.success(), "{said}");
}

fn fill(disk: &Path) {
    let mission = Mission::found();
    let device = mission.device(disk, "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = device.put(draft.id, "remarks", "x".repeat(60_000).as_str()).unwrap();
    let filler_path = disk.join("filler");
    let mut filler = std::fs::File::create(&filler_path).unwrap();
    while filler.write_all(&[7; 4_096]).is_ok() {}

    // The reserve takes a few entries more, and says so; then nothing fits, and the draft at hand is still there.
    let mut was_low = false;
    let refused = loop {
        let mut next = device.begin(&observer, mission.scope(), inspection()).unwrap();
        next.answers.clone_from(&draft.answers);
        match device.save(&next) {
            Ok(saved) => was_low |= saved.low_room,
            Err(error) => break error,
        }
    };
    assert!(was_low, "the reserve was used and nobody was told");
    assert!(matches!(refused, SaveError::Pen(PenError::Access(AccessError::Full))), "{refused:?}");
    assert!(matches!(device.save(&draft), Err(SaveError::Pen(PenError::Access(AccessError::Full)))));
    assert_eq!(device.draft(draft.id).unwrap(), draft);
    assert!(device.room().unwrap().low_room);

    drop(filler);
    std::fs::remove_file(filler_path).unwrap();
    let saved = device.save(&draft).unwrap();
    assert!(device.record(saved.record).unwrap().is_some());
    assert!(device.draft(draft.id).is_err());
}

fn save(device: &Device, mission: &Mission, observer: &merestone_core::key::PublicKey, post: &str) -> EntryId {
    let mut draft = device.begin(observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text(post));
    device.save(&draft).unwrap().entry
}

#[test]
fn an_erasure_takes_bodies_photos_and_words_away_and_leaves_headers() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let observer = mission.enrol(&a, 0, "Olena", "one");
    let draft = a.keep(a.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let photo = b"\0\0\0\x14ftypheic\0\0\0\0heic of a person";
    let draft = a.attach(draft.id, PhotoSource::Bytes(photo), None, None).unwrap().draft;
    let draft = a.put(draft.id, "remarks", "Kowalska was here").unwrap();
    let saved = a.save(&draft).unwrap();
    save(&a, &mission, &observer, "Ferry");
    let search = RecordFilter { text: Some("kowalska".into()), ..RecordFilter::default() };
    assert_eq!(a.list(&search, None, 10).unwrap().lines.len(), 1);

    let draft = ErasureDraft {
        record: saved.record,
        erased: Erased::Heads(vec![saved.entry]),
        reason: ErasureReason::Privacy,
        text: None,
    };
    let mut proposed = PartyOffice::new(&mission.roots[0]).propose_erasure(&mission.charter, draft).unwrap();
    proposed.sign(&mission.charter, &mission.roots[2]).unwrap();
    let erasure = proposed.complete(&mission.charter).unwrap();
    a.receive(Class::Erasure, &[erasure.as_bytes().to_vec()]).unwrap();

    let gone = |device: &Device| {
        let view = device.record(saved.record).unwrap().unwrap();
        assert_eq!(view.standings, [(saved.entry, Standing::Erased)]);
        assert!(view.answers.is_empty() && view.photos.is_empty());
        assert_eq!(device.photo_bytes(BlobHash::of(photo)).unwrap(), None);
        assert_eq!(device.list(&search, None, 10).unwrap().lines, []);
        assert_eq!(device.list(&RecordFilter::default(), None, 10).unwrap().lines.len(), 2);
    };
    gone(&a);
    // Elsewhere the erasure comes first and the entry after it.
    carry(&a, &b);
    gone(&b);
    drop(a);
    gone(&open(home_a.path(), "c"));
}

fn erase(mission: &Mission, device: &Device, record: RecordId, erased: Erased) {
    let draft = ErasureDraft { record, erased, reason: ErasureReason::Privacy, text: None };
    let mut proposed = PartyOffice::new(&mission.roots[0]).propose_erasure(&mission.charter, draft).unwrap();
    proposed.sign(&mission.charter, &mission.roots[2]).unwrap();
    let erasure = proposed.complete(&mission.charter).unwrap();
    device.receive(Class::Erasure, &[erasure.as_bytes().to_vec()]).unwrap();
}

fn save_photo(device: &Device, mission: &Mission, observer: &PublicKey, photo: &[u8]) -> Saved {
    let draft = device.keep(device.begin(observer, mission.scope(), inspection()).unwrap()).unwrap();
    let attached = device.attach(draft.id, PhotoSource::Bytes(photo), None, None).unwrap();
    device.save(&attached.draft).unwrap()
}

#[test]
fn an_erased_photo_is_not_wanted_again_when_its_entry_arrives_later() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let observer = mission.enrol(&a, 0, "Olena", "one");
    let photo = b"\0\0\0\x14ftypheic\0\0\0\0heic of a person";
    let saved = save_photo(&a, &mission, &observer, photo);
    erase(&mission, &a, saved.record, Erased::Photo(BlobHash::of(photo)));
    carry(&a, &b);
    for device in [&a, &b] {
        assert_eq!(device.photo_bytes(BlobHash::of(photo)).unwrap(), None);
        assert_eq!(device.store().counts().unwrap().blobs_missing, 0, "nobody asks for it any more");
        assert_eq!(device.record(saved.record).unwrap().unwrap().standings[0].1, Standing::Provisional);
    }
}

#[test]
fn a_photo_goes_with_the_last_record_that_names_it() {
    let mission = Mission::found();
    let home = tempfile::tempdir().unwrap();
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let photo = b"\0\0\0\x14ftypheic\0\0\0\0heic of a person";
    let [first, second] = [0, 1].map(|_| save_photo(&device, &mission, &observer, photo));
    erase(&mission, &device, first.record, Erased::Heads(vec![first.entry]));
    assert!(device.photo_bytes(BlobHash::of(photo)).unwrap().is_some(), "the other record names it");
    erase(&mission, &device, second.record, Erased::Heads(vec![second.entry]));
    assert_eq!(device.photo_bytes(BlobHash::of(photo)).unwrap(), None);
}

#[test]
fn an_erasure_reaches_what_lower_siblings_displaced() {
    let mission = Mission::found();
    let home = tempfile::tempdir().unwrap();
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let photo = b"\0\0\0\x14ftypheic\0\0\0\0heic of a person";
    let saved = save_photo(&device, &mission, &observer, photo);
    let mut keys = KeyCache::new();
    let stored = device.store().entry(saved.entry).unwrap().unwrap();
    let created = SignedEntry::new(&stored.header, stored.body.bytes()).verify(device.mission(), &mut keys).unwrap();
    let signer = merestone_node::vault::Vault::unlock(&vault(&device, "one"), &observer).unwrap().signer;
    let sibling = |n: usize| {
        let (header, mut body) = (created.header().clone(), created.body().unwrap().unwrap());
        body.context.post = Some(format!("Kowalska {n}"));
        // Each shows another picture.
        let hash = BlobHash::from_bytes([n as u8; 32]);
        body.context.photos[0].sha256 = hash;
        let draft = EntryDraft {
            mission: header.mission,
            scope: header.scope,
            epoch: header.epoch,
            seq: 1,
            position: Position::Later { prev: saved.entry },
            kind: header.kind,
            subject: Subject::Of { record: saved.record, refs: vec![saved.entry] },
            body,
            commitment: header.commitment,
            seen: None,
        };
        (draft.sign(&*signer).unwrap(), hash)
    };
    let mut siblings: Vec<_> = (0..SIBLINGS_MAX + 2).map(sibling).collect();
    siblings.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.id()));
    for (entry, _) in &siblings {
        let mut batch = Batch::new();
        merestone_node::capture::name_blobs(entry, &mut batch);
        batch.entry(entry.clone());
        device.store().commit(batch).unwrap();
    }
    device.entries_arrived(&[saved.record].into()).unwrap();
    assert_eq!(device.store().bodies_aside(saved.record).unwrap().len(), 2);
    let wanted = |device: &Device| {
        let missing = device.store().missing_blobs(BlobClass::Original, 100).unwrap();
        siblings.iter().map(|(_, hash)| missing.iter().any(|blob| blob.claim.hash == *hash)).collect::<Vec<_>>()
    };
    assert_eq!(wanted(&device), [true; SIBLINGS_MAX + 2]);

    erase(&mission, &device, saved.record, Erased::Heads(vec![saved.entry]));
    assert_eq!(device.store().bodies_aside(saved.record).unwrap(), []);
    // The erasure names the creating entry: what the kept siblings show is not erased by it.
    assert_eq!(wanted(&device), [[false; 2].as_slice(), &[true; SIBLINGS_MAX]].concat());
}

#[test]
fn erasing_a_photo_takes_no_file_that_is_named_for_another_photo() {
    let mission = Mission::found();
    let home = tempfile::tempdir().unwrap();
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let mut evidence = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(300, 200, image::Rgb([9, 9, 9]))
        .write_to(&mut evidence, image::ImageFormat::Jpeg)
        .unwrap();
    let evidence = evidence.into_inner();
    save_photo(&device, &mission, &observer, &evidence);
    // Somebody signs a photo of his own whose rendition is the evidence of the other record.
    let bait = b"\0\0\0\x14ftypheic\0\0\0\0heic of nothing";
    let mut keys = KeyCache::new();
    let saved = save_photo(&device, &mission, &observer, bait);
    let stored = device.store().entry(saved.entry).unwrap().unwrap();
    let honest = SignedEntry::new(&stored.header, stored.body.bytes()).verify(device.mission(), &mut keys).unwrap();
    let stranger = SigningKey::from_seed(&[9; 32]);
    let mut body = honest.body().unwrap().unwrap();
    let claim = |hash| Rendition { sha256: hash, bytes: evidence.len() as u64, chunks: [0; 32], width: 1, height: 1 };
    body.context.photos[0].preview = RenditionOrReason::Rendition(claim(BlobHash::of(&evidence)));
    let header = honest.header().clone();
    let forged = EntryDraft {
        mission: header.mission,
        scope: header.scope,
        epoch: header.epoch,
        seq: 0,
        position: Position::First { certificate: StatementId::from_bytes([1; 32]), earlier: Vec::new() },
        kind: header.kind,
        subject: Subject::Of { record: saved.record, refs: vec![saved.entry] },
        body,
        commitment: header.commitment,
        seen: None,
    };
    let forged = forged.sign(&stranger).unwrap();
    let mut batch = Batch::new();
    merestone_node::capture::name_blobs(&forged, &mut batch);
    batch.entry(forged);
    device.store().commit(batch).unwrap();
    device.entries_arrived(&[saved.record].into()).unwrap();

    erase(&mission, &device, saved.record, Erased::Photo(BlobHash::of(bait)));
    assert_eq!(device.photo_bytes(BlobHash::of(bait)).unwrap(), None);
    assert!(device.photo_bytes(BlobHash::of(&evidence)).unwrap().is_some());
}

#[test]
fn custody_rests_on_receipts_over_heads_that_are_held() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let observer = mission.enrol(&a, 0, "Olena", "one");
    let camp = mission.enrol_as(&b, 0, "Camp", "two", Role::Camp);
    carry(&b, &a);
    let (first, second) = (save(&a, &mission, &observer, "Bridge"), save(&a, &mission, &observer, "Ferry"));
    let log = a.store().tips(None, None).unwrap()[0].log;
    let at_camp = |entry| a.custody(entry).unwrap().unwrap().is_at_base_camp;
    assert!(!at_camp(first));

    let certificate = a.authority().roster().certificates_of(camp.as_bytes()).next().unwrap().id();
    let keys = merestone_node::vault::Vault::unlock(&vault(&b, "two"), &camp).unwrap();
    let store = b.store().identity().unwrap().store;
    let receipt = |counter, height, head, missing| {
        let logs = vec![LogHeld { log, height, head, missing }];
        let draft = ReceiptDraft { store, counter, logs, blobs: vec![], certificate, left_out: LeftOut::default() };
        let receipt = Receipt::make(&a.authority().roster(), &*keys.signer, draft).unwrap();
        a.receive(Class::Receipt, &[receipt.as_bytes().to_vec()]).unwrap();
    };
    let alone = || a.held_alone().unwrap();
    assert_eq!((alone().entries, alone().entries_not_at_camp), (2, 2));
    receipt(1, 1, first, 0);
    assert_eq!((alone().entries, alone().entries_not_at_camp), (1, 1));
    assert_eq!((at_camp(first), at_camp(second)), (true, false));
    receipt(2, 2, EntryId::from_bytes([9; 32]), 0);
    assert_eq!((at_camp(first), at_camp(second)), (false, false), "a head that is not held says nothing");
    assert_eq!(alone().entries, 2);
    receipt(3, 2, second, 1);
    assert_eq!((at_camp(first), at_camp(second)), (false, false), "some body is missing there");
    receipt(4, 2, second, 0);
    assert_eq!(alone(), HeldAlone::default());
    assert_eq!((at_camp(first), at_camp(second)), (true, true));
    assert_eq!(a.custody(first).unwrap().unwrap().peers, 0);
    // Another key signs under the camp's store id: it speaks for itself only.
    let other = merestone_node::vault::Vault::unlock(&vault(&a, "one"), &observer).unwrap();
    let certificate = a.authority().roster().certificates_of(observer.as_bytes()).next().unwrap().id();
    let draft = ReceiptDraft {
        store,
        counter: u64::MAX,
        logs: vec![],
        blobs: vec![],
        certificate,
        left_out: LeftOut::default(),
    };
    let foreign = Receipt::make(&a.authority().roster(), &*other.signer, draft).unwrap();
    a.receive(Class::Receipt, &[foreign.as_bytes().to_vec()]).unwrap();
    assert_eq!((at_camp(first), at_camp(second)), (true, true));
    assert_eq!(a.custody(EntryId::from_bytes([9; 32])).unwrap(), None);
}

#[test]
fn receipts_that_made_way_are_gone_from_the_store() {
    let mission = Mission::found();
    let home = tempfile::tempdir().unwrap();
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let signer = merestone_node::vault::Vault::unlock(&vault(&device, "one"), &observer).unwrap().signer;
    let certificate = device.authority().roster().certificates_of(observer.as_bytes()).next().unwrap().id();
    let receipt = |store: u8, counter: u64| {
        let draft = ReceiptDraft {
            store: StoreId::from_bytes([store; 16]),
            counter,
            logs: vec![],
            blobs: vec![],
            certificate,
            left_out: LeftOut::default(),
        };
        Receipt::make(&device.authority().roster(), &*signer, draft).unwrap().as_bytes().to_vec()
    };
    let in_store = || device.store().statement_ids(StatementClass::Receipt).unwrap();
    let received = device.receive(Class::Receipt, &[receipt(1, 1), receipt(1, 2)]).unwrap();
    assert_eq!((received.new.len(), received.known.len()), (1, 1), "the first is covered by the second");
    assert_eq!(in_store(), received.new);
    for store in 2..=RECEIPT_STORES_MAX as u8 + 4 {
        device.receive(Class::Receipt, &[receipt(store, 9)]).unwrap();
    }
    assert_eq!(in_store().len(), RECEIPT_STORES_MAX);
    assert_eq!(in_store(), device.authority().roster().ids(Class::Receipt));
    let held = in_store();
    drop(device);
    assert_eq!(open(home.path(), "b").authority().roster().ids(Class::Receipt), held);
}

#[test]
fn a_device_that_poses_as_many_stores_is_one_peer() {
    let mission = Mission::found();
    let (home_a, home_b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (mission.device(home_a.path(), "a"), mission.device(home_b.path(), "b"));
    let observer = mission.enrol(&a, 0, "Olena", "one");
    let peers = [("Boris", "two"), ("Karim", "three")]
        .map(|(name, passphrase)| (mission.enrol(&b, 1, name, passphrase), passphrase));
    carry(&b, &a);
    let head = save(&a, &mission, &observer, "Bridge");
    let log = a.store().tips(None, None).unwrap()[0].log;
    for (count, (peer, passphrase)) in peers.into_iter().enumerate() {
        let signer = merestone_node::vault::Vault::unlock(&vault(&b, passphrase), &peer).unwrap().signer;
        let certificate = a.authority().roster().certificates_of(peer.as_bytes()).next().unwrap().id();
        for n in 0..5 {
            let logs = vec![LogHeld { log, height: 1, head, missing: 0 }];
            let store = StoreId::from_bytes([n; 16]);
            let draft =
                ReceiptDraft { store, counter: 1, logs, blobs: vec![], certificate, left_out: LeftOut::default() };
            let receipt = Receipt::make(&a.authority().roster(), &*signer, draft).unwrap();
            a.receive(Class::Receipt, &[receipt.as_bytes().to_vec()]).unwrap();
            assert_eq!(a.custody(head).unwrap().unwrap().peers, count + 1);
        }
    }
}

#[test]
fn a_log_that_somebody_else_continued_is_left_alone() {
    let mission = Mission::found();
    let (home, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let device = mission.device(home.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    let record = device
        .record(merestone_core::id::EntryId::as_record(save(&device, &mission, &observer, "Bridge")))
        .unwrap()
        .unwrap()
        .id;
    drop(device);
    // A copy of everything, the marker too: nothing on the copy can tell.
    let copied = Command::new("cp").arg("-r").arg(format!("{}/.", home.path().display())).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    let (device, copied) = (open(home.path(), "b"), open(copy.path(), "c"));
    for (device, post) in [(&device, "Ferry"), (&copied, "Road")] {
        device.unlock(&vault(device, "one"), &observer).unwrap();
        device.resolve(&observer, record, "post", post).unwrap();
    }
    carry(&copied, &device);
    let logs = device.store().tips(None, None).unwrap();
    assert!(logs[0].branches.is_some(), "the fork is kept");
    let view = device.record(record).unwrap().unwrap();
    assert_eq!(view.values("post").len(), 1);
    assert_eq!(view.standings.iter().filter(|(_, standing)| standing.code() == "held").count(), 1);

    // From here on this installation writes a log of its own.
    assert!(device.peer_knows_more(logs[0].log).unwrap());
    let saved = device.resolve(&observer, record, "post", "Tunnel").unwrap();
    assert_eq!(device.store().entry(saved.entry).unwrap().unwrap().seq, 0);
    let view = device.record(record).unwrap().unwrap();
    assert_eq!(view.values("post")[0].answer, Answer::text("Tunnel"));
    assert_eq!(view.heads, [saved.entry]);
}
