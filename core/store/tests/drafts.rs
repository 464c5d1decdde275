//! Drafts: each step names what it stands on, so that nobody writes over what another did, and nothing is saved twice.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Author, Home, commit};
use merestone_core::entry::VerifiedEntry;
use merestone_store::{Batch, CommitError, DraftId, SavedDraft, Store};

const DRAFT: DraftId = DraftId([1; 16]);

fn kept(bytes: &[u8]) -> (Home, Store) {
    let (home, store) = Home::new();
    store.commit(keep(bytes)).unwrap();
    (home, store)
}

fn keep(bytes: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.draft(DRAFT, bytes.to_vec());
    batch
}

fn change(was: &[u8], bytes: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.change_draft(DRAFT, was.to_vec(), bytes.to_vec());
    batch
}

fn save(was: Option<&[u8]>, entry: &VerifiedEntry) -> Batch {
    let mut batch = Batch::new();
    let saved = SavedDraft { entry: entry.id(), record: entry.record() };
    batch.entry(entry.clone()).save_draft(DRAFT, was.map(<[u8]>::to_vec), saved);
    batch
}

/// Refused because of the draft, and nothing of the batch was kept.
#[track_caller]
fn refused(store: &Store, batch: Batch) {
    let before = (store.draft(DRAFT).unwrap(), store.saved_draft(DRAFT).unwrap(), store.counts().unwrap());
    assert!(matches!(store.commit(batch), Err(CommitError::Draft { draft: DRAFT })));
    let after = (store.draft(DRAFT).unwrap(), store.saved_draft(DRAFT).unwrap(), store.counts().unwrap());
    assert_eq!(before, after);
}

#[test]
fn a_change_stands_on_what_it_read_and_brings_nothing_back() {
    let (_home, store) = kept(b"one");
    store.commit(change(b"one", b"two")).unwrap();
    refused(&store, change(b"one", b"of somebody who read too early"));
    let mut batch = Batch::new();
    batch.drop_draft(DRAFT);
    store.commit(batch).unwrap();
    refused(&store, change(b"two", b"of somebody who did not know"));
    assert_eq!(store.draft(DRAFT).unwrap(), None);
}

#[test]
fn a_draft_becomes_one_entry_that_is_known_after_reopening() {
    let (home, store) = kept(b"one");
    let mut author = Author::new(1);
    let entry = author.create("one");
    refused(&store, save(Some(b"another"), &entry));
    refused(&store, save(None, &entry));
    store.commit(save(Some(b"one"), &entry)).unwrap();
    drop(store);
    let store = home.open();
    let saved = Some(SavedDraft { entry: entry.id(), record: entry.record() });
    assert_eq!((store.draft(DRAFT).unwrap(), store.saved_draft(DRAFT).unwrap()), (None, saved));
    let again = author.create("again");
    refused(&store, save(None, &again));
    refused(&store, save(Some(b"one"), &again));
    refused(&store, keep(b"one"));
    refused(&store, change(b"one", b"two"));
    assert_eq!(store.saved_draft(DraftId([2; 16])).unwrap(), None);
}

#[test]
fn an_entry_signed_here_goes_to_the_end_of_its_log_or_nowhere() {
    let (_home, store) = Home::new();
    let (mut here, mut elsewhere) = (Author::new(1), Author::new(1));
    let signed = |entry: &VerifiedEntry| {
        let mut batch = Batch::new();
        batch.entry(entry.clone()).signed_here();
        batch
    };
    let first = here.create("first");
    elsewhere.last = here.last;
    store.commit(signed(&first)).unwrap();
    let of_a_peer = elsewhere.create("second, elsewhere");
    commit(&store, [of_a_peer.clone()]);
    let late = here.create("second, here");
    let refused = store.commit(signed(&late));
    assert!(matches!(refused, Err(CommitError::NotNext { log, seq: 1 }) if log == late.log()), "{refused:?}");
    assert_eq!(store.fork(late.log()).unwrap(), None);
    store.commit(signed(&elsewhere.create("third"))).unwrap();
    // A gap and a fork are no places to go on from, either.
    let above = elsewhere.create("fourth");
    let after_a_gap = elsewhere.create("fifth");
    assert!(matches!(store.commit(signed(&after_a_gap)), Err(CommitError::NotNext { seq: 4, .. })));
    commit(&store, [late]);
    assert!(matches!(store.commit(signed(&above)), Err(CommitError::NotNext { seq: 3, .. })));
}

#[test]
fn a_store_of_the_format_before_is_opened_with_its_drafts() {
    let (home, store) = kept(b"one");
    drop(store);
    let database = rusqlite::Connection::open(home.path().join("store.db")).unwrap();
    database.execute_batch("DROP TABLE saved; PRAGMA user_version = 12").unwrap();
    drop(database);
    let store = home.open();
    let entry = Author::new(1).create("one");
    store.commit(save(Some(b"one"), &entry)).unwrap();
    assert_eq!(store.saved_draft(DRAFT).unwrap().map(|saved| saved.entry), Some(entry.id()));
}
