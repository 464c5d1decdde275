//! Photos: durable before they count, resumed where they stopped, set aside when damaged.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use common::{Author, Home, copy_folder, key};
use merestone_core::id::{BlobHash, EntryId};
use merestone_core::merkle::{CHUNK_BYTES, chunk_hashes, chunk_root};
use merestone_store::{AsideReason, Batch, BlobClaim, BlobClass, BlobError, Chunk, HeldPart, Store};

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
}

fn claim(content: &[u8]) -> BlobClaim {
    BlobClaim { hash: BlobHash::of(content), bytes: content.len() as u64, chunks: [1; 32] }
}

fn file_of(home: &Home, hash: BlobHash) -> PathBuf {
    let name = hash.to_string();
    home.path().join("blobs").join(&name[..2]).join(name)
}

/// Says that an entry names `content`.
fn name(store: &Store, content: &[u8]) -> (EntryId, BlobClaim) {
    let entry = Author::new(1).create("photo");
    let (id, claim) = (entry.id(), claim(content));
    let mut batch = Batch::new();
    batch.entry(entry).blob_name(id, claim, BlobClass::Original);
    store.commit(batch).unwrap();
    (id, claim)
}

fn chunk(content: &[u8], index: u32) -> Chunk<'_> {
    Chunk { index, bytes: content.chunks(CHUNK_BYTES).nth(index as usize).unwrap() }
}

#[test]
fn a_photo_counts_once_it_is_committed_with_its_entry() {
    let (home, store) = Home::new();
    let bytes = content(100_000);
    let written = store.write_blob(bytes.as_slice()).unwrap();
    assert_eq!((written.hash(), written.bytes()), (BlobHash::of(&bytes), 100_000));
    assert!(!store.is_blob_whole(written.hash()).unwrap());
    assert_eq!(store.check().unwrap().blobs_unknown, [written.hash()]);

    let entry = Author::new(1).create("photo");
    let id = entry.id();
    let mut batch = Batch::new();
    batch.entry(entry).blob_name(id, claim(&bytes), BlobClass::Original).blob(written);
    store.commit(batch).unwrap();
    drop(store);
    let store = home.open();
    let mut read = Vec::new();
    store.open_blob(written.hash()).unwrap().unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes);
    assert_eq!(store.blobs_of(id).unwrap(), [(claim(&bytes), BlobClass::Original, true)]);
    assert_eq!(store.entries_naming(written.hash()).unwrap(), [id]);
    assert_eq!(store.whole_blobs(None).unwrap(), [written.hash()]);
    assert!(store.missing_blobs(BlobClass::Original, 10).unwrap().is_empty());
}

#[test]
fn a_photo_that_is_too_large_leaves_nothing_behind() {
    let (home, store) = Home::new();
    let endless = std::io::repeat(7);
    assert!(matches!(store.write_blob(endless), Err(BlobError::TooLong { bytes_max: 67_108_864, .. })));
    assert_eq!(fs::read_dir(home.path().join("blobs/partial")).unwrap().count(), 0);
}

#[test]
fn a_partial_photo_resumes_with_exactly_the_chunks_that_were_acknowledged() {
    let (home, store) = Home::new();
    let bytes = content(3 * CHUNK_BYTES + 10);
    let (_, claim) = name(&store, &bytes);
    assert_eq!(store.missing_blobs(BlobClass::Original, 10).unwrap()[0].have, []);
    store.write_chunks(&claim, &[chunk(&bytes, 0), chunk(&bytes, 3)]).unwrap();
    assert!(matches!(store.finish_blob(&claim), Err(BlobError::Incomplete { .. })));

    let copy = home.dir.path().join("killed");
    copy_folder(&home.path(), &copy);
    drop(store);
    let store = Store::open(&copy, key()).unwrap();
    assert_eq!(store.missing_blobs(BlobClass::Original, 10).unwrap()[0].have, [0b1001_0000]);
    store.write_chunks(&claim, &[chunk(&bytes, 1), chunk(&bytes, 2)]).unwrap();
    store.finish_blob(&claim).unwrap();
    assert_eq!(store.check().unwrap().blobs, 1);
    assert_eq!(fs::read_dir(copy.join("blobs/partial")).unwrap().count(), 0);
    store.finish_blob(&claim).unwrap();
}

#[test]
fn chunks_are_forgotten_with_the_file_that_held_them() {
    let (home, store) = Home::new();
    let bytes = content(2 * CHUNK_BYTES);
    let (_, claim) = name(&store, &bytes);
    store.write_chunks(&claim, &[chunk(&bytes, 0)]).unwrap();
    for file in fs::read_dir(home.path().join("blobs/partial")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    store.write_chunks(&claim, &[chunk(&bytes, 1)]).unwrap();
    assert_eq!(store.missing_blobs(BlobClass::Original, 10).unwrap()[0].have, [0b0100_0000]);
}

#[test]
fn chunks_that_nobody_wants_or_that_do_not_fit_are_refused() {
    let (_home, store) = Home::new();
    let bytes = content(CHUNK_BYTES + 10);
    let (_, claim) = name(&store, &bytes);
    let other = BlobClaim { bytes: claim.bytes + 1, ..claim };
    let bad = [Chunk { index: 0, bytes: &bytes[..11] }, Chunk { index: 2, bytes: &bytes[..1] }];
    for chunk in bad {
        assert!(matches!(store.write_chunks(&claim, &[chunk]), Err(BlobError::Chunk { .. })));
    }
    assert!(matches!(store.write_chunks(&other, &[chunk(&bytes, 0)]), Err(BlobError::NotWanted { .. })));
}

#[test]
fn wrong_content_is_set_aside_and_fetched_anew() {
    let (home, store) = Home::new();
    let bytes = content(CHUNK_BYTES + 10);
    let (_, claim) = name(&store, &bytes);
    let wrong = vec![0; bytes.len()];
    store.write_chunks(&claim, &[chunk(&wrong, 0), chunk(&wrong, 1)]).unwrap();
    assert!(matches!(store.finish_blob(&claim), Err(BlobError::Mismatch { hash }) if hash == claim.hash));
    assert!(home.path().join("aside").join(format!("{}.0", claim.hash)).exists());
    assert_eq!(store.missing_blobs(BlobClass::Original, 10).unwrap()[0].have, []);
    store.write_chunks(&claim, &[chunk(&bytes, 0), chunk(&bytes, 1)]).unwrap();
    store.finish_blob(&claim).unwrap();
    assert!(store.verify_blob(claim.hash).unwrap());
}

#[test]
fn a_false_description_does_not_keep_a_true_one_from_being_fetched() {
    let (_home, store) = Home::new();
    let bytes = content(10);
    let (entry, truth) = name(&store, &bytes);
    let lie = BlobClaim { bytes: 3 * CHUNK_BYTES as u64, ..truth };
    let mut batch = Batch::new();
    batch.blob_name(entry, lie, BlobClass::Thumbnail);
    store.commit(batch).unwrap();
    store.write_chunks(&truth, &[chunk(&bytes, 0)]).unwrap();
    store.finish_blob(&truth).unwrap();
    for class in [BlobClass::Thumbnail, BlobClass::Original] {
        assert!(store.missing_blobs(class, 10).unwrap().is_empty());
    }
}

#[test]
fn a_damaged_or_lost_photo_is_set_aside_and_wanted_again() {
    type Damage = (fn(&PathBuf), AsideReason);
    let damage: [Damage; 2] = [
        (|file| fs::write(file, b"other bytes").unwrap(), AsideReason::Damaged),
        (|file| fs::remove_file(file).unwrap(), AsideReason::Gone),
    ];
    for (damage, reason) in damage {
        let (home, store) = Home::new();
        let bytes = content(CHUNK_BYTES);
        let (_, claim) = name(&store, &bytes);
        let mut batch = Batch::new();
        batch.blob(store.write_blob(bytes.as_slice()).unwrap());
        store.commit(batch).unwrap();
        assert!(store.verify_blob(claim.hash).unwrap());
        damage(&file_of(&home, claim.hash));
        let census = store.check().unwrap();
        assert_eq!((census.blobs, census.blobs_lost.as_slice()), (0, [claim.hash].as_slice()));
        assert_eq!((census.aside[0].what.as_str(), census.aside[0].reason), ("blob", reason));
        assert_eq!(store.missing_blobs(BlobClass::Original, 10).unwrap()[0].claim, claim);
        assert!(store.open_blob(claim.hash).unwrap().is_none());
        store.write_chunks(&claim, &[chunk(&bytes, 0)]).unwrap();
        store.finish_blob(&claim).unwrap();
        assert!(store.open_blob(claim.hash).unwrap().is_some());
    }
}

#[test]
fn an_erased_photo_is_removed_even_if_a_kill_came_first_and_is_not_wanted_again() {
    let (home, store) = Home::new();
    let bytes = content(1_000);
    let (entry, claim) = name(&store, &bytes);
    let mut batch = Batch::new();
    batch.blob(store.write_blob(bytes.as_slice()).unwrap());
    store.commit(batch).unwrap();
    let mut batch = Batch::new();
    batch.erase_blob(claim.hash);
    store.commit(batch).unwrap();
    assert!(file_of(&home, claim.hash).exists());
    drop(store);
    let store = home.open();
    assert!(!file_of(&home, claim.hash).exists());
    let mut batch = Batch::new();
    batch.blob_name(entry, BlobClaim { chunks: [2; 32], ..claim }, BlobClass::Original);
    store.commit(batch).unwrap();
    assert!(store.missing_blobs(BlobClass::Original, 10).unwrap().is_empty());
    assert!(matches!(store.write_chunks(&claim, &[chunk(&bytes, 0)]), Err(BlobError::NotWanted { .. })));
    assert!(!store.is_blob_whole(claim.hash).unwrap());
}

#[test]
fn a_copy_cut_short_is_swept_away_at_the_next_opening() {
    let (home, store) = Home::new();
    drop(store);
    let file = home.path().join("blobs/partial/0.tmp");
    fs::write(&file, b"half").unwrap();
    home.open();
    assert!(!file.exists());
}

/// Says that an entry names `content`, with its true chunk root.
fn name_truly(store: &Store, content: &[u8]) -> BlobClaim {
    let entry = Author::new(1).create("photo");
    let claim = BlobClaim { chunks: chunk_root(content), ..claim(content) };
    let mut batch = Batch::new();
    batch.blob_name(entry.id(), claim, BlobClass::Original).entry(entry);
    store.commit(batch).unwrap();
    claim
}

fn partial_files(store: &std::path::Path) -> Vec<PathBuf> {
    fs::read_dir(store.join("blobs/partial")).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn a_kill_loses_no_chunk_that_was_written_and_a_damaged_one_is_fetched_again() {
    let (home, store) = Home::new();
    let bytes = content(4 * CHUNK_BYTES + 10);
    let claim = name_truly(&store, &bytes);
    let hashes = chunk_hashes(&bytes);
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Chunks(Vec::new()));
    let mut incoming = store.receive_blob(&claim, &hashes, &[]).unwrap();
    for index in [0, 2, 4] {
        incoming.write(index, chunk(&bytes, index).bytes).unwrap();
    }
    assert!(matches!(store.seal_blob(&mut incoming), Err(BlobError::Incomplete { .. })));

    let copy = home.dir.path().join("killed");
    copy_folder(&home.path(), &copy);
    let store = Store::open(&copy, key()).unwrap();
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Chunks(vec![0b1010_1000]));
    let file = partial_files(&copy).into_iter().find(|path| path.extension().unwrap() != "chunks").unwrap();
    let mut damaged = fs::read(&file).unwrap();
    damaged[2 * CHUNK_BYTES] ^= 1;
    fs::write(&file, damaged).unwrap();
    let have = store.held_part(&claim).unwrap();
    assert_eq!(have, HeldPart::Chunks(vec![0b1000_1000]));
    let HeldPart::Chunks(have) = have else { panic!("not whole") };
    let mut incoming = store.receive_blob(&claim, &hashes, &have).unwrap();
    for index in 1..4 {
        incoming.write(index, chunk(&bytes, index).bytes).unwrap();
    }
    drop((incoming, store));
    // A kill after the last chunk.
    let store = Store::open(&copy, key()).unwrap();
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Whole);
    assert!(store.verify_blob(claim.hash).unwrap());
    assert_eq!(partial_files(&copy), Vec::<PathBuf>::new());
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Whole);
}

#[test]
fn hashes_of_another_file_are_refused_and_torn_ones_are_asked_for_again() {
    let (home, store) = Home::new();
    let bytes = content(3 * CHUNK_BYTES);
    let claim = name_truly(&store, &bytes);
    let others = chunk_hashes(&content(3 * CHUNK_BYTES - 1));
    assert!(matches!(store.receive_blob(&claim, &others, &[]), Err(BlobError::Mismatch { .. })));
    let mut incoming = store.receive_blob(&claim, &chunk_hashes(&bytes), &[]).unwrap();
    incoming.write(0, chunk(&bytes, 0).bytes).unwrap();
    let beside = partial_files(&home.path()).into_iter().find(|path| path.extension().unwrap() == "chunks").unwrap();
    fs::write(&beside, [0; 64]).unwrap();
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Chunks(Vec::new()));
    let mut incoming = store.receive_blob(&claim, &chunk_hashes(&bytes), &[]).unwrap();
    (0..3).for_each(|index| incoming.write(index, chunk(&bytes, index).bytes).unwrap());
    store.seal_blob(&mut incoming).unwrap();
}

#[test]
fn a_file_named_before_a_kill_is_held_without_being_fetched_again() {
    let (home, store) = Home::new();
    let bytes = content(2 * CHUNK_BYTES);
    let claim = name_truly(&store, &bytes);
    store.write_blob(bytes.as_slice()).unwrap();
    drop(store);
    let store = home.open();
    assert!(!store.is_blob_whole(claim.hash).unwrap());
    assert_eq!(store.held_part(&claim).unwrap(), HeldPart::Whole);
    assert!(store.is_blob_whole(claim.hash).unwrap());
    assert!(matches!(store.receive_blob(&claim, &chunk_hashes(&bytes), &[]), Err(BlobError::NotWanted { .. })));
}

#[test]
fn a_blob_erased_while_it_came_leaves_no_file() {
    let (home, store) = Home::new();
    let bytes = content(2 * CHUNK_BYTES);
    let claim = name_truly(&store, &bytes);
    let mut incoming = store.receive_blob(&claim, &chunk_hashes(&bytes), &[]).unwrap();
    (0..2).for_each(|index| incoming.write(index, chunk(&bytes, index).bytes).unwrap());
    let mut batch = Batch::new();
    batch.erase_blob(claim.hash);
    store.commit(batch).unwrap();
    store.remove_erased().unwrap();
    assert!(matches!(store.seal_blob(&mut incoming), Err(BlobError::NotWanted { .. })));
    assert_eq!(partial_files(&home.path()), Vec::<PathBuf>::new());
    assert!(!file_of(&home, claim.hash).exists());
}
