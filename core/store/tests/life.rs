//! Opening, closing, killing: what was committed is there, and what is not ours is left alone.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::fs;

use common::{Author, Home, commit, copy_folder, identity, key};
use merestone_core::id::{RecordId, StatementId, StoreId};
use merestone_store::{Batch, CommitError, DraftId, OpenError, StatementClass, Store, StoredBody};

#[test]
fn everything_committed_is_there_after_reopening() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let first = author.create("first");
    let second = author.edit(&first, "second");
    let mut batch = Batch::new();
    batch.entry(first.clone()).entry(second.clone());
    batch.statement(StatementClass::Cut, Some([4; 32]), b"a cut".to_vec());
    batch.setting("install", Some(b"marker".to_vec()));
    batch.draft(DraftId([1; 16]), b"draft".to_vec());
    batch.receipt(StoreId::from_bytes([8; 16]), 3, StatementId::of(b"receipt"));
    batch.agreement([6; 32], Some(b"tips".to_vec()));
    let committed = store.commit(batch).unwrap();
    assert_eq!((committed.entries_new, committed.entries_held), (2, 0));
    assert!(!committed.low_room);
    drop(store);

    let store = home.open();
    assert_eq!(store.identity().unwrap(), identity());
    let entries = store.record_entries(first.record()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [first.id(), second.id()]);
    assert_eq!(entries[1].header, second.header_bytes());
    assert_eq!(entries[1].body, StoredBody::Held(second.body_bytes().unwrap().to_vec()));
    let tip = store.tip(first.log()).unwrap().unwrap();
    assert_eq!((tip.height, tip.head, tip.top), (2, Some(second.id()), 2));
    assert_eq!(store.statement_count(StatementClass::Cut, &[4; 32]).unwrap(), 1);
    assert_eq!(store.setting("install").unwrap().as_deref(), Some(b"marker".as_slice()));
    assert_eq!(store.drafts().unwrap(), [(DraftId([1; 16]), b"draft".to_vec())]);
    assert_eq!(store.receipts().unwrap(), [(StoreId::from_bytes([8; 16]), 3, StatementId::of(b"receipt"))]);
    assert_eq!(store.agreement(&[6; 32]).unwrap().as_deref(), Some(b"tips".as_slice()));
    let stale = store.stale_records(10).unwrap().unwrap();
    assert_eq!(stale.records, [first.record()]);
}

#[test]
fn committing_the_same_batch_again_changes_nothing() {
    let (_home, store) = Home::new();
    let mut author = Author::new(1);
    let entries = [author.create("a"), author.create("b")];
    let first = commit(&store, entries.clone());
    let second = commit(&store, entries);
    assert_eq!((second.entries_new, second.entries_held), (0, 2));
    assert_eq!(first.tips.len(), 1);
    assert_eq!(store.counts().unwrap().entries, 2);
}

#[test]
fn a_folder_copied_at_any_moment_opens_with_every_commit_acknowledged_before() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    for n in 1..=8_u64 {
        let entry = author.create(&format!("record {n}"));
        commit(&store, [entry.clone()]);
        let copy = home.dir.path().join(format!("copy {n}"));
        copy_folder(&home.path(), &copy);
        let killed = Store::open(&copy, key()).unwrap();
        let tip = killed.tip(entry.log()).unwrap().unwrap();
        assert_eq!((tip.height, tip.head), (n, Some(entry.id())));
        assert_eq!(killed.check().unwrap().entries, n);
    }
}

#[test]
fn a_second_handle_is_refused_until_the_first_is_dropped() {
    let (home, store) = Home::new();
    assert!(matches!(home.try_open(), Err(OpenError::AlreadyOpen { path }) if path == home.path()));
    assert!(matches!(
        Store::create(&home.path(), key(), identity()),
        Err(OpenError::Exists { .. } | OpenError::AlreadyOpen { .. })
    ));
    drop(store);
    home.open();
}

#[test]
fn a_second_process_is_refused() {
    const PATH: &str = "MERESTONE_STORE_OF_PARENT";
    if let Some(path) = std::env::var_os(PATH) {
        assert!(matches!(Store::open(path.as_ref(), key()), Err(OpenError::AlreadyOpen { .. })));
        return;
    }
    let (home, _store) = Home::new();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_second_process_is_refused"])
        .env(PATH, home.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn opening_nothing_or_creating_twice_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    assert!(matches!(Store::open(&path, key()), Err(OpenError::Missing { .. })));
    assert!(!path.exists());
    drop(Store::create(&path, key(), identity()).unwrap());
    assert!(matches!(Store::create(&path, key(), identity()), Err(OpenError::Exists { .. })));
}

#[test]
fn a_creation_cut_short_may_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.db"), b"").unwrap();
    assert!(matches!(Store::open(dir.path(), key()), Err(OpenError::Missing { .. })));
    assert_eq!(Store::create(dir.path(), key(), identity()).unwrap().identity().unwrap(), identity());
}

/// Changes the database file of a closed store, tries to open it, and shows that nothing was changed.
fn refused(damage: impl FnOnce(&mut Vec<u8>)) -> OpenError {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    commit(&store, (0..200).map(|n| author.create(&format!("record {n}"))));
    drop(store);
    let file = home.path().join("store.db");
    let mut bytes = fs::read(&file).unwrap();
    damage(&mut bytes);
    fs::write(&file, &bytes).unwrap();
    let error = home.try_open().unwrap_err();
    assert!(error.to_string().contains("store.db"), "{error}");
    assert!(fs::read(&file).unwrap() == bytes, "touched: {error}");
    error
}

#[test]
fn a_newer_store_is_refused_untouched() {
    let error = refused(|bytes| bytes[60..64].copy_from_slice(&1_000_u32.to_be_bytes()));
    assert!(matches!(error, OpenError::Newer { found: 1_000, .. }), "{error}");
}

#[test]
fn foreign_and_damaged_files_are_refused_by_name_and_untouched() {
    let error = refused(|bytes| bytes[68..72].copy_from_slice(b"ELSE"));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let error = refused(|bytes| *bytes = b"%PDF-1.7 and so on, long enough to be read as a header of a file".to_vec());
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let error = refused(|bytes| bytes.truncate(50));
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let error = refused(|bytes| bytes.truncate(8192));
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_database_of_something_else_is_not_made_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(other);
    let before = fs::read(dir.path().join("store.db")).unwrap();
    assert!(matches!(Store::open(dir.path(), key()), Err(OpenError::Foreign { .. })));
    assert!(matches!(Store::create(dir.path(), key(), identity()), Err(OpenError::Foreign { .. })));
    assert_eq!(fs::read(dir.path().join("store.db")).unwrap(), before);
}

#[test]
fn a_batch_that_cannot_be_kept_whole_is_not_kept_at_all() {
    let (_home, store) = Home::new();
    let entry = Author::new(1).create("one");
    let mut batch = Batch::new();
    batch.entry(entry.clone()).body(entry.id(), b"another body".to_vec());
    assert!(matches!(store.commit(batch), Err(CommitError::Body)));
    assert_eq!(store.counts().unwrap().entries, 0);
    let mut batch = Batch::new();
    batch.draft(DraftId([1; 16]), vec![0; merestone_store::VALUE_BYTES_MAX + 1]);
    assert!(matches!(store.commit(batch), Err(CommitError::TooLong { what: "draft", .. })));
    assert_eq!(commit(&store, [entry]).entries_new, 1);
}

#[test]
fn batches_queued_together_are_each_answered_and_a_bad_one_fails_alone() {
    let (_home, store) = Home::new();
    let mut author = Author::new(1);
    let (send, receive) = std::sync::mpsc::channel();
    for n in 0..40_u32 {
        let entry = author.create(&format!("record {n}"));
        let mut batch = Batch::new();
        if n % 10 == 3 {
            batch.entry(entry.clone());
            batch.body(entry.id(), b"another body".to_vec());
        } else {
            batch.entry(entry);
        }
        let send = send.clone();
        store.commit_then(batch, move |result| send.send((n, result.is_ok())).unwrap()).unwrap();
    }
    drop(send);
    let answers: Vec<_> = receive.iter().collect();
    assert_eq!(answers, (0..40).map(|n| (n, n % 10 != 3)).collect::<Vec<_>>());
    assert_eq!(store.counts().unwrap().entries, 36);
}

#[test]
fn a_setting_of_the_store_itself_is_out_of_reach() {
    let (_home, store) = Home::new();
    let mut batch = Batch::new();
    batch.setting("store/mission", None).renew_store(StoreId::from_bytes([7; 16]));
    store.commit(batch).unwrap();
    let renewed = store.identity().unwrap();
    assert_eq!((renewed.mission, renewed.store), (identity().mission, StoreId::from_bytes([7; 16])));
}

#[test]
fn an_unknown_record_has_no_entries() {
    let (_home, store) = Home::new();
    assert!(store.record_entries(RecordId::from_bytes([0; 32])).unwrap().is_empty());
}
