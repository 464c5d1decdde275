//! The ledger's leaves, links of logs, and blobs by scope.

mod common;

use common::{Author, Home, SCOPE, commit};
use merestone_core::id::{BlobHash, ScopeId, StatementId};
use merestone_store::{
    AdmittedLog, Batch, BlobClaim, BlobClass, CommitError, LeafOf, LedgerAppend, LedgerNode, NewLeaf, StatementClass,
};

fn leaf(n: u8, about: LeafOf) -> NewLeaf {
    NewLeaf { bytes: vec![n; 3], about }
}

#[test]
fn leaves_stand_in_order_and_no_two_begin_at_one_place() {
    let (home, store) = Home::new();
    let mut anna = Author::new(1);
    let entries = [anna.create("a"), anna.create("b"), anna.create("c")];
    let log = entries[0].log();
    commit(&store, entries.clone());
    let open = store.unsequenced_logs().unwrap();
    assert_eq!(
        open.iter().map(|log| (log.tip.height, log.admitted, log.has_new_branches)).collect::<Vec<_>>(),
        [(3, 0, false)]
    );

    let mut batch = Batch::new();
    batch.statement(StatementClass::Cut, None, b"cut".to_vec());
    let cut = StatementId::of(b"cut");
    store.commit(batch).unwrap();
    assert_eq!(store.unsequenced_statements(StatementClass::Cut).unwrap(), [cut]);

    let append = LedgerAppend {
        first: 0,
        leaves: vec![leaf(1, LeafOf::Statement(cut)), leaf(2, LeafOf::Other), leaf(3, LeafOf::Entry { log, seq: 0 })],
        nodes: vec![LedgerNode { level: 1, place: 0, hash: [4; 32] }, LedgerNode { level: 1, place: 2, hash: [5; 32] }],
        admitted: vec![AdmittedLog { log, admitted: 1, branches: None }],
    };
    let mut batch = Batch::new();
    batch.ledger(append.clone());
    store.commit(batch).unwrap();
    let mut again = Batch::new();
    again.ledger(append);
    assert!(matches!(store.commit(again), Err(CommitError::Ledger { first: 0, size: 3 })));

    drop(store);
    let store = home.open();
    assert_eq!(store.ledger_size().unwrap(), 3);
    assert_eq!(store.ledger_leaves(1, 9).unwrap(), [vec![2; 3], vec![3; 3]]);
    assert_eq!(store.ledger_nodes(1, 0, 9).unwrap(), [[4; 32]], "none after a gap");
    assert_eq!(store.ledger_nodes(1, 2, 9).unwrap(), [[5; 32]]);
    assert_eq!(store.ledger_statement(cut).unwrap(), Some(0));
    assert_eq!(store.ledger_leaves_of(log, 0).unwrap(), [vec![3; 3]]);
    assert_eq!(store.unsequenced_statements(StatementClass::Cut).unwrap(), []);
    assert_eq!(store.unsequenced_logs().unwrap().iter().map(|log| log.admitted).collect::<Vec<_>>(), [1]);
}

#[test]
fn links_tell_siblings_and_what_each_follows() {
    let (_home, store) = Home::new();
    let mut anna = Author::new(1);
    let (first, second) = (anna.create("a"), anna.create("b"));
    anna.back_to(&first);
    let sibling = anna.create("c");
    let log = first.log();
    assert_eq!(store.fork(log).unwrap(), None);
    commit(&store, [first.clone(), second.clone(), sibling.clone()]);
    assert_eq!(store.fork(log).unwrap(), Some(1));
    let links = store.links(log, 0, 1).unwrap();
    assert_eq!(links.iter().map(|link| (link.seq, link.id)).collect::<Vec<_>>()[0], (0, first.id()));
    let links = store.links(log, 1, 9).unwrap();
    let mut ids = [second.id(), sibling.id()];
    ids.sort_unstable();
    assert_eq!(links.iter().map(|link| link.id).collect::<Vec<_>>(), ids);
    assert!(links.iter().all(|link| link.prev == Some(first.id())));
    assert_eq!(store.links(log, 2, 9).unwrap(), []);
}

#[test]
fn blobs_are_told_by_the_scopes_of_the_entries_that_name_them() {
    let (_home, store) = Home::new();
    let entry = Author::new(1).create("a");
    let content = b"photo";
    let claim = BlobClaim { hash: BlobHash::of(content), bytes: 5, chunks: [7; 32] };
    let missing = BlobClaim { hash: BlobHash::of(b"other"), bytes: 5, chunks: [8; 32] };
    let mut batch = Batch::new();
    batch.entry(entry.clone());
    batch.blob_name(entry.id(), claim, BlobClass::Original).blob_name(entry.id(), missing, BlobClass::Thumbnail);
    batch.blob(store.write_blob(&content[..]).unwrap());
    store.commit(batch).unwrap();

    let all = [BlobClass::Thumbnail, BlobClass::Preview, BlobClass::Original];
    let other = ScopeId::from_bytes([9; 8]);
    let census = store.blob_census(&[SCOPE, other], &all).unwrap();
    assert_eq!((census.whole, census.missing), (vec![claim.hash], vec![missing.hash]));
    assert_eq!(store.blob_census(&[SCOPE], &all[1..]).unwrap().missing, []);
    assert_eq!(store.blob_census(&[other], &all).unwrap(), Default::default());
    let wanted = |scope, after| store.missing_blobs_in(&[scope], BlobClass::Thumbnail, after, 9).unwrap();
    assert_eq!(wanted(SCOPE, None).iter().map(|blob| blob.claim).collect::<Vec<_>>(), [missing]);
    assert_eq!(wanted(SCOPE, Some(missing.hash)), []);
    assert_eq!(wanted(other, None), []);
    assert_eq!(store.claims_in(&[SCOPE], claim.hash).unwrap(), [claim]);
    assert_eq!(store.claims_in(&[other], claim.hash).unwrap(), []);
}
