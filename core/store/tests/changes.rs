//! What changed since a commit: of which logs the tips moved, and whether another census of photos is due.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Author, Home, commit, flip};
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{BlobHash, ScopeId};
use merestone_store::{Batch, BlobClaim, BlobClass, LogTip, Store};

/// What is told of a log: everything but when it changed.
fn told(tip: LogTip) -> LogTip {
    LogTip { changed: 0, ..tip }
}

fn tip(store: &Store, entry: &VerifiedEntry) -> LogTip {
    store.tip(entry.log()).unwrap().unwrap()
}

#[test]
fn a_tip_never_moves_without_a_later_number_and_the_number_never_goes_back() {
    let mut author = Author::new(1);
    let trunk: Vec<_> = (0..80).map(|n| author.create(&format!("{n}"))).collect();
    author.back_to(&trunk[78]);
    let fork = author.create("fork");
    author.back_to(&trunk[20]);
    let low = author.create("low fork");
    // An end, a gap and its filling, more than a row lags behind, the same again, forks at the end and inside.
    let steps: Vec<Vec<VerifiedEntry>> = vec![
        trunk[..3].to_vec(),
        trunk[4..5].to_vec(),
        trunk[3..4].to_vec(),
        trunk[5..6].to_vec(),
        trunk[..6].to_vec(),
        trunk[6..80].to_vec(),
        vec![fork],
        vec![low],
    ];
    for is_reopened in [false, true] {
        let (home, mut store) = Home::new();
        let mut other = Author::new(2);
        let mut before: Option<LogTip> = None;
        for (at, step) in steps.iter().enumerate() {
            commit(&store, step.clone());
            let now = tip(&store, &trunk[0]);
            if let Some(before) = before {
                let moved = told(before) != told(now);
                assert!(now.changed > before.changed || !moved, "step {at}: {before:?} {now:?}");
                assert!(now.changed == before.changed || at != 4, "nothing came: {before:?} {now:?}");
            }
            before = Some(now);
            // Another log has the greatest number of all, and is written in between.
            let others = commit(&store, [other.create(&format!("{at}"))]);
            assert!(others.tips[0].changed > now.changed);
            if is_reopened {
                drop(store);
                store = home.open();
                assert_eq!(tip(&store, &trunk[0]), now, "an opening changes nothing");
            }
        }
    }
}

#[test]
fn evidence_set_aside_and_a_list_brought_up_to_date_are_told_apart() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..4).map(|n| author.create(&format!("{n}"))).collect();
    commit(&store, entries.clone());
    let before = tip(&store, &entries[0]);
    let stale = store.stale_records(100).unwrap().unwrap();
    let mut batch = Batch::new();
    batch.indexed(stale.through);
    store.commit(batch).unwrap();
    assert_eq!(tip(&store, &entries[0]), before, "a list is no change of a log");
    drop(store);
    let header = entries[3].header_bytes();
    flip(&home, &header[header.len() - 32..]);
    let store = home.open();
    assert_eq!(store.log_entries(entries[0].log(), 0, 10).unwrap().len(), 3);
    let after = tip(&store, &entries[0]);
    assert_eq!((after.height, after.top), (3, 4));
    assert!(after.changed > before.changed);
    drop(store);
    assert_eq!(tip(&home.open(), &entries[0]), after);
}

#[test]
fn another_census_is_due_when_photos_are_named_held_lost_or_erased_and_not_for_text() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let photo = b"a photo".to_vec();
    let hash = BlobHash::of(&photo);
    let claim = BlobClaim { hash, bytes: photo.len() as u64, chunks: [1; 32] };
    let mut seen = store.blob_changes();
    let mut is_due = |store: &Store| std::mem::replace(&mut seen, store.blob_changes()) != store.blob_changes();
    let entries: Vec<_> = (0..3).map(|n| author.create(&format!("{n}"))).collect();
    commit(&store, entries[..1].to_vec());
    assert!(!is_due(&store), "text at the end of a log");
    let mut batch = Batch::new();
    batch.entry(entries[1].clone()).blob_name(entries[1].id(), claim, BlobClass::Original);
    store.commit(batch).unwrap();
    assert!(is_due(&store), "named");
    let mut batch = Batch::new();
    batch.blob(store.write_blob(photo.as_slice()).unwrap());
    store.commit(batch).unwrap();
    assert!(is_due(&store), "held");
    let hex = hash.to_string();
    std::fs::remove_file(home.path().join("blobs").join(&hex[..2]).join(&hex)).unwrap();
    assert!(!store.verify_blob(hash).unwrap());
    assert!(is_due(&store), "lost");
    let mut batch = Batch::new();
    batch.erase_blob(hash);
    store.commit(batch).unwrap();
    assert!(is_due(&store), "erased");
    let last = author.create("after a gap");
    commit(&store, [last]);
    is_due(&store);
    commit(&store, entries[2..].to_vec());
    assert!(is_due(&store), "below another: it may be named already");
}

#[test]
fn tips_that_were_read_before_commits_are_those_that_a_new_opening_reads() {
    let (home, mut store) = Home::new();
    let mut author = Author::new(1);
    let trunk: Vec<_> = (0..80).map(|n| author.create(&format!("{n}"))).collect();
    author.back_to(&trunk[20]);
    let fork = author.create("fork");
    let mut other = Author::new(2);
    let early: Vec<_> = (0..3).map(|n| other.create(&format!("other {n}"))).collect();
    assert_eq!(store.tips(None, None).unwrap(), []);
    // A new log, a gap and its filling, more than a row lags behind, a fork, the same again, a log without its first entry.
    let steps: Vec<Vec<VerifiedEntry>> = vec![
        trunk[..3].to_vec(),
        trunk[4..5].to_vec(),
        trunk[3..4].to_vec(),
        trunk[5..].to_vec(),
        vec![fork],
        trunk[..6].to_vec(),
        early[1..].to_vec(),
    ];
    for (at, step) in steps.into_iter().enumerate() {
        let before = store.tips(None, None).unwrap().iter().map(|tip| tip.changed).max().unwrap_or(0);
        let committed = commit(&store, step);
        let known = store.tips(None, None).unwrap();
        assert!(committed.tips.iter().all(|tip| known.contains(tip)), "step {at}");
        let later: Vec<_> = known.iter().copied().filter(|tip| tip.changed > before).collect();
        assert_eq!(store.tips_changed_since(before).unwrap(), later, "step {at}");
        drop(store);
        store = home.open();
        assert_eq!(store.tips(None, None).unwrap(), known, "step {at}");
    }
    let scope = trunk[0].header().scope;
    let (first, all) = (store.tips(Some(scope), None).unwrap()[0], store.tips(None, None).unwrap());
    assert_eq!(store.tips(Some(scope), Some(first.log)).unwrap(), all[1..]);
    assert_eq!(store.tips(Some(ScopeId::from_bytes([0xee; 8])), None).unwrap(), []);
}

#[test]
fn tips_that_are_known_follow_an_entry_that_is_set_aside() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..5).map(|n| author.create(&format!("text {n}"))).collect();
    commit(&store, entries.clone());
    drop(store);
    flip(&home, &entries[2].header_bytes()[entries[2].header_bytes().len() - 32..]);
    let store = home.open();
    assert_eq!(store.tips(None, None).unwrap()[0].height, 5, "nobody has looked at the entry yet");
    assert_eq!(store.entry(entries[2].id()).unwrap(), None);
    let known = store.tips(None, None).unwrap();
    assert_eq!((known[0].height, known[0].top), (2, 5));
    drop(store);
    assert_eq!(home.open().tips(None, None).unwrap(), known);
}
