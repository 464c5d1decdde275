//! Receipts that others sign in the name of a store.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]
#![allow(dead_code, reason = "each test file uses its part of the helpers")]

mod replica_support;

use merestone_core::receipt::{LeftOut, Receipt, ReceiptDraft};
use merestone_core::roster::Role;
use merestone_node::replica::End;
use merestone_store::StatementClass;
use replica_support::{Mission, Site, key, sync};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_receipt_with_the_greatest_counter_stops_no_store_from_signing_its_own() {
    let mission = Mission::new(1);
    let (mut anna, boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    anna.write(3, 2);
    let (at_anna, at_boris) = (anna.replica(), boris.replica());
    sync(&at_anna, &at_boris).await;
    let store = anna.store.identity().unwrap().store;
    let certificate = boris.certificate.id();
    let draft = ReceiptDraft {
        store,
        counter: u64::MAX,
        logs: vec![],
        blobs: vec![],
        certificate,
        left_out: LeftOut::default(),
    };
    let foreign = Receipt::make(&at_anna.authority().roster(), &key(11), draft).unwrap();
    anna.learn(StatementClass::Receipt, foreign.as_bytes());
    drop(at_anna);

    let at_anna = anna.replica();
    anna.write(2, 2);
    let outcome = sync(&at_anna, &at_boris).await;
    assert!(matches!(outcome.end, End::Done), "{outcome:?}");
    let roster = at_boris.authority().roster();
    let own = roster.receipts().filter(|held| held.store() == store && held.signer() == key(10).public());
    let newest = own.max_by_key(|held| held.counter()).unwrap();
    assert_eq!((newest.counter(), newest.logs()[0].height), (2, 5));
}
