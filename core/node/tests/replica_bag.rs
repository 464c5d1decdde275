//! Bags: the same bytes each time, whole or not at all, and exactly what the specification's example is.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use merestone_core::cbor::{Kind, Reader};
use merestone_core::entry::SignedEntry;
use merestone_core::id::{BlobHash, MissionId, StoreId, sha256};
use merestone_core::key::KeyCache;
use merestone_core::roster::Role;
use merestone_node::bag::{self, BagError, LeftOut};
use merestone_node::replica::{Replica, Setup};
use merestone_store::{Batch, Identity, LeafOf, LedgerAppend, NewLeaf, StatementClass, Store, StoreKey};
use replica_support::{Author, Mission, Site, scope, sync, transport};

/// Every file below a folder, by path with `/`.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(inside) = open.pop() {
        for file in fs::read_dir(inside).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    BlobHash::from_bytes(sha256(&[bytes])).to_string()
}

/// What a BagIt reader checks.
fn check_manifests(files: &BTreeMap<String, Vec<u8>>) {
    let is_payload = |path: &str| path.starts_with("data/");
    for (manifest, listed) in [("manifest-sha256.txt", true), ("tagmanifest-sha256.txt", false)] {
        let text = String::from_utf8(files[manifest].clone()).unwrap();
        let lines: BTreeMap<&str, &str> =
            text.lines().map(|line| line.split_once("  ").unwrap()).map(|(hash, path)| (path, hash)).collect();
        let wanted = files.iter().filter(|(path, _)| is_payload(path) == listed && *path != "tagmanifest-sha256.txt");
        let wanted: BTreeMap<&str, String> = wanted.map(|(path, content)| (path.as_str(), hex(content))).collect();
        assert_eq!(lines.len(), wanted.len(), "{manifest}");
        for (path, hash) in wanted {
            assert_eq!(lines[path], hash, "{path}");
        }
    }
    let payload: Vec<_> = files.iter().filter(|(path, _)| is_payload(path)).collect();
    let bytes: usize = payload.iter().map(|(_, content)| content.len()).sum();
    let info = String::from_utf8(files["bag-info.txt"].clone()).unwrap();
    assert!(info.contains(&format!("Payload-Oxum: {bytes}.{}\n", payload.len())), "{info}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bag_written_twice_and_on_another_device_has_the_same_bytes() {
    let mission = Mission::new(1);
    let (mut anna, mut boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    anna.write(20, 4);
    boris.write(3, 4);
    anna.photograph(100_000);
    let (at_anna, at_boris) = (anna.replica(), boris.replica());
    assert!(sync(&at_anna, &at_boris).await.is_fully_synced);
    assert!(sync(&at_anna, &at_boris).await.is_fully_synced);
    let out = tempfile::tempdir().unwrap();
    let mut bags = Vec::new();
    for (name, replica) in [("one", &at_anna), ("two", &at_anna), ("three", &at_boris)] {
        let target = out.path().join("deep/er").join(name);
        let written = bag::write(replica.store(), replica.authority(), None, &target).unwrap();
        assert_eq!((written.logs, written.entries, written.photos, written.left_out), (2, 24, 2, vec![]));
        let files = files(&target);
        check_manifests(&files);
        bags.push(files);
    }
    assert!(bags[0].keys().any(|path| path.starts_with("data/statements/receipt/")));
    assert_eq!(bags[0], bags[1]);
    assert_eq!(bags[0], bags[2]);
    assert_eq!(fs::read_dir(out.path().join("deep/er")).unwrap().count(), 3, "nothing else is left behind");
}

#[test]
fn bags_of_the_vectors_are_written_byte_for_byte() {
    for name in ["one-record-2", "ledger-final", "ledger-last-final", "ledger-notes-only"] {
        write_as_in_vector(name);
    }
}

fn write_as_in_vector(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/bundle/valid");
    let path = folder.join(format!("{name}.json"));
    let vector: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mission = MissionId::from_hex(vector["mission"].as_str().unwrap()).unwrap();
    let decode = |text: &serde_json::Value| data_encoding::HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap();
    let wanted: BTreeMap<String, Vec<u8>> =
        vector["files"].as_object().unwrap().iter().map(|(path, content)| (path.clone(), decode(content))).collect();

    let dir = tempfile::tempdir().unwrap();
    let identity = Identity { mission, store: StoreId::from_bytes([1; 16]) };
    let store = Store::create(&dir.path().join("store"), StoreKey::from_bytes([0; 32]), identity).unwrap();
    let (mut batch, mut keys) = (Batch::new(), KeyCache::new());
    for (path, content) in &wanted {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match folder {
            "data" => drop(batch.statement(StatementClass::Charter, None, content.clone())),
            "data/statements/certificate" => drop(batch.statement(StatementClass::Certificate, None, content.clone())),
            "data/ledger/notes" => {
                let note = String::from_utf8(content.clone()).unwrap();
                let lines: Vec<&str> = note.split_inclusive('\n').collect();
                // Origin, size, root, an empty line, the ledger's line; then a line for each witness.
                let (own, witnesses) = lines.split_at(5);
                batch.statement(StatementClass::Note, None, own.concat().into_bytes());
                for line in witnesses {
                    let one = format!("{}{line}", own.concat());
                    batch.statement(StatementClass::Cosignature, None, one.into_bytes());
                }
            }
            "data/ledger/tile/entries/000.p" => {
                let (mut leaves, mut rest) = (Vec::new(), content.as_slice());
                while let Some((len, after)) = rest.split_first_chunk::<2>() {
                    let (leaf, after) = after.split_at(u16::from_be_bytes(*len).into());
                    leaves.push(NewLeaf { bytes: leaf.to_vec(), about: LeafOf::Other });
                    rest = after;
                }
                batch.ledger(LedgerAppend { first: 0, leaves, ..LedgerAppend::default() });
            }
            "data/forms" => drop(batch.statement(StatementClass::Form, None, content.clone())),
            "data/logs" => {
                let mut reader = Reader::new(content);
                while !reader.is_at_end() {
                    reader.array_exact(2, "entry").unwrap();
                    let header = reader.bytes("header").unwrap();
                    let body = match reader.peek("body").unwrap() {
                        Kind::Null => reader.null("body").map(|()| None).unwrap(),
                        _ => Some(reader.bytes("body").unwrap()),
                    };
                    reader.leave();
                    batch.entry(SignedEntry::new(header, body).verify(mission, &mut keys).unwrap());
                }
            }
            _ => {}
        }
    }
    store.commit(batch).unwrap();
    let replica = Replica::open(Setup::new(Arc::new(store), transport(1)).unwrap());
    let target = dir.path().join("bag");
    bag::write(replica.store(), replica.authority(), None, &target).unwrap();
    assert_eq!(files(&target), wanted, "{name}");
}

#[test]
fn nothing_is_overwritten_and_nothing_half_written_is_left() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    anna.write(2, 2);
    let replica = anna.replica();
    let write = |target: &Path| bag::write(replica.store(), replica.authority(), None, target);
    let out = tempfile::tempdir().unwrap();
    let (full, empty, file) = (out.path().join("full"), out.path().join("empty"), out.path().join("file"));
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), b"mine").unwrap();
    fs::create_dir(&empty).unwrap();
    fs::write(&file, b"mine").unwrap();
    assert!(matches!(write(&full), Err(BagError::NotEmpty { .. })));
    assert!(matches!(write(&file), Err(BagError::NotEmpty { .. })));
    assert!(matches!(write(Path::new("/")), Err(BagError::NoName { .. } | BagError::NotEmpty { .. })));
    assert!(matches!(write(&file.join("below")), Err(BagError::Write { .. } | BagError::NotEmpty { .. })));
    assert!(write(&empty).is_ok());
    assert_eq!((fs::read(full.join("mine")).unwrap(), fs::read(&file).unwrap()), (b"mine".to_vec(), b"mine".to_vec()));
    let mut names: Vec<_> = fs::read_dir(out.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["empty", "file", "full"]);
}

#[test]
fn a_damaged_photo_is_left_out_by_name_and_set_aside() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    let (good, bad) = (anna.photograph(90_000), anna.photograph(90_000));
    let name = bad.to_string();
    let path = anna.path().join("blobs").join(&name[..2]).join(&name);
    let mut content = fs::read(&path).unwrap();
    content.truncate(89_999);
    fs::write(&path, content).unwrap();
    let replica = anna.replica();
    let target = anna.dir.path().join("bag");
    let written = bag::write(replica.store(), replica.authority(), None, &target).unwrap();
    assert_eq!((written.photos, written.left_out), (3, vec![LeftOut::DamagedPhoto(bad)]));
    let files = files(&target);
    check_manifests(&files);
    assert!(files.contains_key(&format!("data/photos/{good}")) && !files.contains_key(&format!("data/photos/{bad}")));
    assert!(!anna.store.is_blob_whole(bad).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bag_of_some_scopes_holds_no_log_of_another_and_no_receipt_that_would_miss_it() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    anna.write(2, 2);
    let certificate = anna.certificate.id();
    anna.author = Author::new(&mission, 10, scope(2), certificate);
    anna.write(3, 2);
    let camp = Site::new(&mission, 60, Role::Camp);
    let at_anna = anna.replica();
    assert!(sync(&at_anna, &camp.replica()).await.is_fully_synced);
    let target = anna.dir.path().join("bag");
    let written = bag::write(&anna.store, at_anna.authority(), Some(&[scope(2)]), &target).unwrap();
    assert_eq!((written.logs, written.entries), (1, 3));
    assert!(!written.left_out.is_empty() && written.left_out.iter().all(|left| matches!(left, LeftOut::Receipt(_))));
    assert!(!files(&target).keys().any(|path| path.contains("/receipt/")));
}
