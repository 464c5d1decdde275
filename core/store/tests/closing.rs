//! Closing a store that others still hold: no file of it stays open, every call is answered, and nothing is half kept.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use common::{Author, Home, commit, identity, key};
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::merkle::{CHUNK_BYTES, NodeHash, leaf_hash, root};
use merestone_store::{
    Batch, BlobClaim, BlobClass, BlobError, CommitError, DraftId, OpenError, ReadError, Store, Threads,
};

/// Longer than any machine takes for it, so that a test fails by what it asserts.
const AMPLE: Duration = Duration::from_secs(120);

/// Files of the store that this process has open.
fn open_files(store: &Path) -> Vec<PathBuf> {
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let targets = all.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    targets.filter(|target| target.starts_with(store)).collect()
}

/// Nothing of the store is open, another handle may have it, and everything in it is sound.
#[track_caller]
fn assert_closed(home: &Home) -> Store {
    assert_eq!(open_files(&home.path()), Vec::<PathBuf>::new());
    let log = std::fs::metadata(home.path().join("store.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the log was moved into the file");
    let store = home.open();
    let census = store.check().unwrap();
    assert!(census.structure.is_empty() && census.aside.is_empty() && census.blobs_lost.is_empty(), "{census:?}");
    store
}

fn draft_batch(number: u8) -> Batch {
    let mut batch = Batch::new();
    batch.draft(DraftId([number; 16]), vec![number]);
    batch
}

/// A photo that an entry names and that is not held yet.
fn named_photo(store: &Store, seed: u8, bytes: &[u8]) -> (BlobClaim, Vec<NodeHash>) {
    let hashes: Vec<NodeHash> = bytes.chunks(CHUNK_BYTES).map(leaf_hash).collect();
    let claim = BlobClaim { hash: BlobHash::of(bytes), bytes: bytes.len() as u64, chunks: root(&hashes) };
    let entry = Author::new(seed).create("with a photo");
    let mut batch = Batch::new();
    batch.blob_name(entry.id(), claim, BlobClass::Original).entry(entry);
    store.commit(batch).unwrap();
    (claim, hashes)
}

#[test]
fn a_closed_store_answers_every_call_with_closed_and_may_be_opened_by_another_handle() {
    let (home, store) = Home::new();
    let store = Arc::new(store);
    let held_elsewhere = Arc::clone(&store);
    let entry = Author::new(1).create("one");
    commit(&store, [entry.clone()]);
    // Answered from memory as long as the store is open.
    assert_eq!(store.tips(None, None).unwrap().len(), 1);
    assert!(!open_files(&home.path()).is_empty() || !Path::new("/proc/self/fd").exists());

    store.close(AMPLE).unwrap();
    store.close(Duration::ZERO).unwrap();
    let after = assert_closed(&home);
    assert_eq!(after.record_entries(entry.record()).unwrap().len(), 1);

    let old = held_elsewhere;
    assert!(matches!(old.commit(draft_batch(1)), Err(CommitError::Closed)));
    assert!(matches!(old.commit_then(draft_batch(1), |_| ()), Err(CommitError::Closed)));
    assert!(matches!(old.identity(), Err(ReadError::Closed)));
    assert!(matches!(old.tip(entry.log()), Err(ReadError::Closed)));
    assert!(matches!(old.tips(None, None), Err(ReadError::Closed)));
    assert!(matches!(old.write_blob(&b"photo"[..]), Err(BlobError::Closed)));
    let hash = BlobHash::of(b"photo");
    assert!(matches!(old.open_blob(hash), Err(BlobError::Closed)));
    assert!(matches!(old.verify_blob(hash), Err(BlobError::Closed)));
    assert!(matches!(old.written_blob(hash), Err(BlobError::Closed)));
    assert!(matches!(old.remove_erased(), Err(BlobError::Closed)));
    assert!(matches!(old.check(), Err(BlobError::Closed)));
    let claim = BlobClaim { hash, bytes: 5, chunks: [0; 32] };
    assert!(matches!(old.held_part(&claim), Err(BlobError::Closed)));
    assert!(matches!(old.write_chunks(&claim, &[]), Err(BlobError::Closed)));
    assert!(matches!(old.finish_blob(&claim), Err(BlobError::Closed)));
    // The old handle is no danger to the new one.
    drop(old);
    drop(store);
    assert!(matches!(home.try_open(), Err(OpenError::AlreadyOpen { .. })));
    commit(&after, [Author::new(2).create("two")]);
}

#[test]
fn of_batches_that_are_committed_while_the_store_closes_each_is_durable_or_refused() {
    for budget in [AMPLE, Duration::ZERO] {
        let (home, store) = Home::new();
        let store = Arc::new(store);
        let (first, begun) = mpsc::channel();
        let writers: Vec<_> = (1..=4)
            .map(|seed| {
                let (store, first) = (Arc::clone(&store), first.clone());
                thread::spawn(move || {
                    let mut author = Author::new(seed);
                    let mut durable: Vec<EntryId> = Vec::new();
                    loop {
                        let entry = author.create("text");
                        let mut batch = Batch::new();
                        batch.entry(entry.clone());
                        match store.commit(batch) {
                            Ok(_) => durable.push(entry.id()),
                            Err(CommitError::Closed) => return (durable, entry.id()),
                            Err(error) => panic!("{error}"),
                        }
                        if durable.len() == 5 {
                            first.send(()).unwrap();
                        }
                    }
                })
            })
            .collect();
        writers.iter().for_each(|_| begun.recv().unwrap());
        let mut closed = store.close(budget);
        while closed.is_err() {
            closed = store.close(AMPLE);
        }
        let results: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        let after = assert_closed(&home);
        let durable: usize = results.iter().map(|(durable, _)| durable.len()).sum();
        assert_eq!(after.counts().unwrap().entries, durable as u64);
        for (durable, refused) in results {
            assert_eq!(after.held(&durable).unwrap().len(), durable.len());
            assert!(after.held(&[refused]).unwrap().is_empty());
        }
    }
}

#[test]
fn batches_that_wait_are_all_answered_and_what_was_answered_with_closed_is_not_kept() {
    for budget in [AMPLE, Duration::ZERO] {
        let (home, store) = Home::new();
        let store = Arc::new(store);
        let (answers, answered) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        // The writer is held up by the first, so that the others wait in the queue.
        store.commit_then(draft_batch(0), move |_| wait.recv().unwrap()).unwrap();
        for number in 1..=20 {
            let answers = answers.clone();
            let done = move |result: Result<_, CommitError>| answers.send((number, result.map(drop))).unwrap();
            store.commit_then(draft_batch(number), done).unwrap();
        }
        drop(answers);
        let closing = Arc::clone(&store);
        let closer = thread::spawn(move || {
            let first = closing.close(budget);
            closing.close(AMPLE).unwrap();
            first
        });
        // While the writer is held up nothing closes, and everything is refused.
        while !matches!(store.identity(), Err(ReadError::Closed)) {
            thread::yield_now();
        }
        assert!(matches!(store.commit(draft_batch(99)), Err(CommitError::Closed)));
        assert!(matches!(home.try_open(), Err(OpenError::AlreadyOpen { .. })));
        go.send(()).unwrap();
        let first = closer.join().unwrap();
        assert!(first.is_ok() || budget == Duration::ZERO, "{first:?}");

        let answers: Vec<_> = answered.iter().collect();
        assert_eq!(answers.len(), 20);
        let after = assert_closed(&home);
        for (number, result) in answers {
            let is_there = after.draft(DraftId([number; 16])).unwrap().is_some();
            assert_eq!(is_there, result.is_ok());
            assert!(matches!(result, Ok(()) | Err(CommitError::Closed)), "{result:?}");
            assert!(result.is_ok() || budget == Duration::ZERO, "a long budget commits what waits");
        }
    }
}

#[test]
fn a_budget_that_is_too_short_says_what_is_open_and_keeps_the_folder_locked() {
    let (home, store) = Home::new();
    let (go, wait) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    store
        .commit_then(draft_batch(0), move |_| {
            began.send(()).unwrap();
            wait.recv().unwrap();
        })
        .unwrap();
    begun.recv().unwrap();
    let open = store.close(Duration::from_millis(5)).unwrap_err();
    assert!(open.is_writing, "{open}");
    assert!(matches!(home.try_open(), Err(OpenError::AlreadyOpen { .. })));
    go.send(()).unwrap();
    store.close(AMPLE).unwrap();
    assert!(assert_closed(&home).draft(DraftId([0; 16])).unwrap().is_some(), "it was durable before");
}

#[test]
fn reads_and_hashes_under_way_end_when_the_store_closes() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    commit(&store, (0..500).map(|n| author.create(&format!("record {n}"))));
    let photo: Vec<u8> = (0..40_000_000_u32).map(|n| (n % 251) as u8).collect();
    let written = store.write_blob(photo.as_slice()).unwrap();
    let store = Arc::new(store);
    let (began, begun) = mpsc::channel();
    type Work = fn(&Store, BlobHash) -> Result<(), BlobError>;
    let works: [Work; 4] = [
        |store, _| store.check().map(drop),
        |store, _| store.counts().map(drop).map_err(BlobError::from),
        |store, hash| store.written_blob(hash).map(drop),
        |store, hash| store.written_blob(hash).and_then(|_| store.write_blob(io::repeat(1).take(30_000_000)).map(drop)),
    ];
    let workers: Vec<_> = works
        .into_iter()
        .map(|work| {
            let (store, began, hash) = (Arc::clone(&store), began.clone(), written.hash());
            thread::spawn(move || {
                began.send(()).unwrap();
                loop {
                    if let Err(error) = work(&store, hash) {
                        return error;
                    }
                }
            })
        })
        .collect();
    workers.iter().for_each(|_| begun.recv().unwrap());
    store.close(AMPLE).unwrap();
    let after = assert_closed(&home);
    for worker in workers {
        let error = worker.join().unwrap();
        assert!(matches!(error, BlobError::Closed), "{error:?}");
    }
    // What was cut off left nothing behind that counts.
    assert_eq!(after.counts().unwrap().blobs, 0);
    assert_eq!(after.written_blob(written.hash()).unwrap(), Some(written));
}

/// Gives bytes, and then waits until it is told to end.
struct Stuck {
    left: usize,
    is_waiting: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
}

impl Read for Stuck {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.is_waiting.send(()).unwrap();
            self.go.recv().unwrap();
        }
        let len = buffer.len().min(self.left);
        self.left -= len;
        Ok(len)
    }
}

#[test]
fn a_photo_whose_source_never_ends_keeps_no_store_open() {
    let (home, store) = Home::new();
    let store = Arc::new(store);
    let (is_waiting, waits) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let source = Stuck { left: 200_000, is_waiting, go: wait };
    let writing = Arc::clone(&store);
    let writer = thread::spawn(move || writing.write_blob(source));
    waits.recv().unwrap();
    store.close(AMPLE).unwrap();
    let after = assert_closed(&home);
    // The same name among the temporary files is taken by another photo now.
    let (is_waiting, waits) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let source = Stuck { left: 200_000, is_waiting, go: wait };
    let after = Arc::new(after);
    let again = Arc::clone(&after);
    let second = thread::spawn(move || again.write_blob(source));
    waits.recv().unwrap();
    go.send(()).unwrap();
    assert!(matches!(writer.join().unwrap(), Err(BlobError::Closed)));
    go_on.send(()).unwrap();
    let written = second.join().unwrap().unwrap();
    assert!(after.verify_blob(written.hash()).unwrap());
}

#[test]
fn lent_files_are_closed_under_their_holders_and_what_came_is_there_afterwards() {
    let (home, store) = Home::new();
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 253) as u8).collect();
    let whole = store.write_blob(&b"a photo"[..]).unwrap();
    named_photo(&store, 1, b"a photo");
    let mut batch = Batch::new();
    batch.blob(whole);
    store.commit(batch).unwrap();
    let (claim, hashes) = named_photo(&store, 2, &bytes);
    let mut incoming = store.receive_blob(&claim, &hashes, &[]).unwrap();
    incoming.write(0, &bytes[..CHUNK_BYTES]).unwrap();
    let mut lent = store.open_blob(whole.hash()).unwrap().unwrap();
    store.close(AMPLE).unwrap();

    let after = assert_closed(&home);
    assert!(matches!(incoming.write(1, &bytes[CHUNK_BYTES..2 * CHUNK_BYTES]), Err(BlobError::Closed)));
    assert!(matches!(store.seal_blob(&mut incoming), Err(BlobError::Closed)));
    let error = lent.read(&mut [0; 4]).unwrap_err();
    assert!(matches!(BlobError::from(error), BlobError::Closed));
    let merestone_store::HeldPart::Chunks(have) = after.held_part(&claim).unwrap() else { panic!("it is not whole") };
    assert_eq!(have[0] & 0b1100_0000, 0b1000_0000, "the first chunk came and the second did not");
    let mut incoming = after.receive_blob(&claim, &hashes, &have).unwrap();
    for (index, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
        incoming.write(index, chunk).unwrap();
    }
    assert_eq!(after.seal_blob(&mut incoming).unwrap().hash(), claim.hash);
}

#[test]
fn a_store_on_its_callers_threads_closes_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = Store::create_with(&path, key(), identity(), Threads::Caller).unwrap();
    store.commit(draft_batch(1)).unwrap();
    store.close(AMPLE).unwrap();
    assert!(open_files(&path).is_empty());
    assert!(matches!(store.commit(draft_batch(2)), Err(CommitError::Closed)));
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    // Refused without being called, or called with the refusal: told once either way.
    let result = store.commit_then(draft_batch(2), move |result| tell.store(result.is_err(), Ordering::Relaxed));
    assert!(result.is_err() ^ told.load(Ordering::Relaxed));
    let after = Store::open(&path, key()).unwrap();
    assert!(after.draft(DraftId([1; 16])).unwrap().is_some() && after.draft(DraftId([2; 16])).unwrap().is_none());
}

#[test]
fn a_panic_where_batches_are_answered_leaves_nobody_waiting_and_the_store_closes() {
    let (home, store) = Home::new();
    let (has_begun, begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let panics = move |_| {
        has_begun.send(()).unwrap();
        may_go_on.recv().unwrap();
        panic!("planned by the test");
    };
    store.commit_then(draft_batch(1), panics).unwrap();
    begun.recv_timeout(AMPLE).unwrap();
    let (send, answer) = mpsc::channel();
    store.commit_then(draft_batch(2), move |result| drop(send.send(result))).unwrap();
    go_on.send(()).unwrap();
    assert!(matches!(answer.recv_timeout(AMPLE), Ok(Err(CommitError::Closed))));
    assert!(matches!(store.commit(draft_batch(3)), Err(CommitError::Closed)));
    store.close(AMPLE).unwrap();
    drop(store);
    let kept: Vec<DraftId> = assert_closed(&home).drafts().unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(kept, [DraftId([1; 16])]);
}
