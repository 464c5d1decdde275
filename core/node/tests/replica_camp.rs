//! Base camp: receipts, the ledger, and that it signs nothing else.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::sync::Arc;

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::id::LogId;
use merestone_core::merkle::{leaf_hash, root};
use merestone_core::roster::{Class, Role};
use merestone_node::replica::{Camp, CampError, CampKeys, CampOptions, LedgerError, LedgerKey, ReceiptKey};
use merestone_store::{Batch, StatementClass, Store, StoreKey};
use replica_support::{HERE, LEDGER, Mission, Site, key, meet, sync, transport, within};

fn ledger_key(mission: &Mission) -> LedgerKey {
    LedgerKey::new(Arc::new(key(LEDGER)), mission.charter.charter().ledger.as_ref()).unwrap()
}

fn open(site: &Site) -> Camp {
    try_open(site).unwrap()
}

fn try_open(site: &Site) -> Result<Camp, CampError> {
    let receipts = site.receipt_key();
    let keys = CampKeys { transport: transport(site.seed), receipts, ledger: Some(ledger_key(&site.mission)) };
    Camp::open(Arc::clone(&site.store), keys, CampOptions::default())
}

/// The root over the leaves in the store, worked out anew.
fn root_in_store(store: &Store) -> [u8; 32] {
    let leaves = store.ledger_leaves(0, usize::MAX).unwrap();
    root(&leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_covers_everything_and_reaches_the_phones() {
    let mission = Mission::new(1);
    let (mut anna, boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    let site = Site::new(&mission, 60, Role::Camp);
    anna.write(20, 3);
    let camp = open(&site);
    let outcome = sync(&anna.replica(), camp.replica()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    let note = camp.checkpoint().unwrap();
    let newest = camp.replica().authority().roster().newest_note().cloned().expect("a note");
    if let Some(note) = note {
        assert_eq!(note, newest);
    }
    // Two certificates, one log, twenty entries.
    assert_eq!((newest.size(), camp.ledger_size()), (23, Some(23)));
    assert_eq!(newest.root(), &root_in_store(&site.store));
    assert_eq!(camp.checkpoint().unwrap(), None, "nothing changed");

    let leaves = site.store.ledger_leaves(0, 100).unwrap();
    let log = anna.store.tips(None, None).unwrap()[0];
    assert_eq!(leaves[2], Leaf::Begun { key: log.key, scope: log.scope, epoch: log.epoch }.encode());
    let last = Leaf::Entry { log: log.log, seq: 19, id: log.head.unwrap() };
    assert_eq!(leaves[22], last.encode());

    let (at_anna, at_boris) = (anna.replica(), boris.replica());
    for replica in [&at_anna, &at_boris] {
        assert!(sync(replica, camp.replica()).await.is_fully_synced);
        let held = replica.authority().roster().newest_note().cloned();
        assert_eq!(held.as_ref().map(Checkpoint::as_bytes), Some(newest.as_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camp_killed_between_leaves_and_note_goes_on_from_its_leaves() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    let mut site = Site::new(&mission, 60, Role::Camp);
    anna.write(5, 2);
    let first = {
        let camp = open(&site);
        assert!(sync(&anna.replica(), camp.replica()).await.is_fully_synced);
        camp.checkpoint().unwrap();
        camp.replica().authority().roster().newest_note().cloned().unwrap()
    };
    anna.write(4, 2);
    for round in 0..2 {
        let store = std::mem::replace(&mut site.store, Arc::clone(&anna.store));
        drop(Arc::try_unwrap(store).expect("nobody else holds it"));
        site.store = Arc::new(Store::open(&site.path(), StoreKey::from_bytes([0; 32])).unwrap());
        let camp = open(&site);
        if round == 0 {
            assert!(sync(&anna.replica(), camp.replica()).await.is_fully_synced);
        }
        camp.checkpoint().unwrap();
        let newest = camp.replica().authority().roster().newest_note().cloned().unwrap();
        assert_eq!((first.size(), newest.size()), (8, 12));
        assert_eq!(newest.root(), &root_in_store(&site.store));
        let leaves = site.store.ledger_leaves(0, 8).unwrap();
        assert_eq!(first.root(), &root(&leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()), "a prefix");
    }
}

#[tokio::test]
async fn both_branches_of_a_fork_are_in_the_ledger_once() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    let site = Site::new(&mission, 60, Role::Camp);
    let camp = open(&site);
    let commit = |entries: &[&merestone_core::entry::VerifiedEntry]| {
        let mut batch = Batch::new();
        for entry in entries {
            batch.entry((*entry).clone());
        }
        site.store.commit(batch).unwrap();
        camp.replica().notify().unwrap();
        camp.checkpoint().unwrap();
    };
    let (first, second) = (anna.author.create(1, Vec::new()), anna.author.create(2, Vec::new()));
    commit(&[&first, &second]);
    anna.author.last = Some((0, first.id()));
    let (sibling, after) = (anna.author.create(3, Vec::new()), anna.author.create(4, Vec::new()));
    commit(&[&sibling, &after]);
    commit(&[]);
    let log: LogId = first.log();
    let mut found = site.store.ledger_leaves_of(log, 0).unwrap();
    let mut wanted: Vec<Vec<u8>> = [&first, &second, &sibling, &after]
        .map(|entry| Leaf::Entry { log, seq: entry.header().seq, id: entry.id() }.encode())
        .to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(camp.ledger_size(), Some(1 + 1 + 4), "one certificate, one log");
    assert_eq!(site.store.unsequenced_logs().unwrap(), []);
}

#[tokio::test]
async fn a_camp_that_lost_leaves_signs_nothing() {
    let mission = Mission::new(1);
    let site = Site::new(&mission, 60, Role::Camp);
    let ledger = mission.charter.charter().ledger.clone().unwrap();
    let larger = Checkpoint::make(&ledger, &key(LEDGER), 99, &[1; 32]).unwrap();
    site.learn(StatementClass::Note, larger.as_bytes());
    let camp = open(&site);
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Behind { noted: 99, size: 0 })));

    let mut split = Site::new(&mission, 61, Role::Camp);
    split.write(3, 1);
    open(&split).checkpoint().unwrap();
    let other = Checkpoint::make(&ledger, &key(LEDGER), 2, &[1; 32]).unwrap();
    split.learn(StatementClass::Note, other.as_bytes());
    split.write(1, 1);
    assert!(matches!(open(&split).checkpoint(), Err(LedgerError::Split { size: 2 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camp_answers_with_a_receipt_over_exact_heads() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    anna.write(3, 2);
    let photo = anna.photograph(1_000);
    let site = Site::new(&mission, 60, Role::Camp);
    let camp = open(&site);
    let at_anna = anna.replica();
    assert!(sync(&at_anna, camp.replica()).await.is_fully_synced);
    let roster = at_anna.authority().roster();
    let receipts: Vec<_> = roster.receipts().filter(|receipt| receipt.certificate() == site.certificate.id()).collect();
    let newest = receipts.iter().max_by_key(|receipt| receipt.counter()).expect("a receipt of the camp");
    let tip = anna.store.tips(None, None).unwrap()[0];
    let held = newest.log(tip.log).expect("the log");
    assert_eq!((held.height, Some(held.head), held.missing), (4, tip.head, 0));
    assert!(newest.holds_blob(photo));
}

#[tokio::test]
async fn only_keys_certified_for_a_camp_open_one() {
    let mission = Mission::new(1);
    let observer = Site::new(&mission, 10, Role::Observer);
    assert!(matches!(try_open(&observer), Err(CampError::NotACamp)));
    let auditor = Site::new(&mission, 11, Role::Auditor);
    assert!(ReceiptKey::new(Arc::new(key(11)), &auditor.certificate).is_err());
    assert!(ReceiptKey::new(Arc::new(key(12)), &observer.certificate).is_err());
    assert!(LedgerKey::new(Arc::new(key(12)), mission.charter.charter().ledger.as_ref()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_follows_by_itself_and_a_note_that_is_due_is_sent_to_whoever_is_connected() {
    let mission = Mission::new(1);
    let mut anna = Site::new(&mission, 10, Role::Observer);
    let site = Site::new(&mission, 60, Role::Camp);
    anna.write(4, 2);
    let camp = open(&site);
    let serving = camp.serve(camp.replica().bind(HERE).unwrap()).unwrap();
    let at_anna = anna.replica();
    let stay = merestone_node::replica::Meet { stay: true, ..meet(&serving, camp.replica()) };
    let mut meeting = at_anna.sync_with(stay);
    within(async { while !meeting.changed().await.expect("it goes on").is_fully_synced {} }).await;
    camp.checkpoint().unwrap();
    within(async {
        while at_anna.authority().roster().newest_note().is_none_or(|note| note.size() < 7) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(at_anna.authority().roster().ids(Class::Note).len(), at_anna.authority().roster().notes().count());
    meeting.stop();
    within(meeting.outcome()).await.unwrap();
    within(serving.stop()).await;
}
