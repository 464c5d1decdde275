//! Two devices meet over QUIC and hold the same afterwards.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use merestone_core::id::{LogId, RecordId, StatementId, StoreId};
use merestone_core::roster::{Class, Role};
use merestone_node::device::AccessError;
use merestone_node::replica::{End, Owner, Replica};
use merestone_store::Batch;
use replica_support::{Mission, Site, meet, serve, sync, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_devices_merge_to_equal_tips_photos_and_receipts() {
    let mission = Mission::new(1);
    let (mut anna, mut boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    anna.write(700, 5);
    boris.write(30, 5);
    anna.photograph(200_000);
    boris.photograph(70_000);
    let (at_anna, at_boris) = (anna.replica(), boris.replica());

    let outcome = sync(&at_anna, &at_boris).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert!(matches!(outcome.end, End::Done), "{outcome:?}");
    assert!(outcome.missing_here.is_nothing() && outcome.missing_there.is_empty(), "{outcome:?}");
    assert_eq!(outcome.peer.as_ref().map(|peer| peer.person.observer.as_str()), Some("Observer 11"));
    assert_eq!(anna.holding(), boris.holding());
    assert_eq!(anna.holding().1.len(), 4);
    let both = [StoreId::from_bytes([10; 16]), StoreId::from_bytes([11; 16])];
    assert_eq!(anna.receipts_from(&at_anna), both);
    assert_eq!(boris.receipts_from(&at_boris), both);

    // Again: nothing is left to carry.
    let outcome = sync(&at_boris, &at_anna).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert_eq!((outcome.progress.entries_received, outcome.progress.entries_sent), (0, 0));
    assert!(outcome.missing_here.is_nothing() && outcome.missing_there.is_empty(), "{outcome:?}");

    // One log changed since they agreed; of the others nothing is said, and nothing of them is missing.
    for _ in 0..2 {
        anna.write(1, 5);
        let outcome = sync(&at_anna, &at_boris).await;
        assert!(outcome.is_fully_synced, "{outcome:?}");
        assert!(outcome.missing_here.is_nothing() && outcome.missing_there.is_empty(), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_connected_reaches_the_peer() {
    let mission = Mission::new(1);
    let (mut anna, boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    anna.write(3, 2);
    let (at_anna, at_boris) = (anna.replica(), boris.replica());
    let serving = serve(&at_boris);
    let mut meeting = at_anna.sync_with(merestone_node::replica::Meet { stay: true, ..meet(&serving, &at_boris) });
    within(async { while !meeting.changed().await.expect("it goes on").is_fully_synced {} }).await;
    anna.write(2, 2);
    at_anna.notify().unwrap();
    within(async {
        loop {
            let progress = meeting.changed().await.expect("it goes on");
            if progress.is_fully_synced && progress.progress.entries_sent == 5 {
                break;
            }
        }
    })
    .await;
    assert_eq!(anna.holding().0, boris.holding().0);
    meeting.stop();
    let outcome = within(meeting.outcome()).await.unwrap();
    assert!(matches!(outcome.end, End::Stopped), "{outcome:?}");
    assert!(outcome.is_fully_synced);
    within(serving.stop()).await;
}

/// Writes down what it is told.
struct Listener {
    key: [u8; 32],
    heard: Mutex<(BTreeSet<LogId>, BTreeSet<RecordId>, Vec<Class>)>,
}

impl Owner for Listener {
    fn statements_arrived(&self, class: Class, _new: &[StatementId]) {
        self.heard.lock().expect("no panic").2.push(class);
    }

    fn entries_arrived(&self, records: &BTreeSet<RecordId>) {
        self.heard.lock().expect("no panic").1.extend(records);
    }

    fn signs_with(&self, key: &[u8; 32]) -> bool {
        self.key == *key
    }

    fn peer_knows_more(&self, log: LogId) -> Result<(), AccessError> {
        self.heard.lock().expect("no panic").0.insert(log);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_hears_that_a_peer_holds_more_of_its_own_log_and_what_arrived() {
    let mission = Mission::new(1);
    let (mut anna, boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    let entries: Vec<_> = (0..3).map(|_| anna.author.create(2, Vec::new())).collect();
    let hold = |site: &Site, entries: &[merestone_core::entry::VerifiedEntry]| {
        let mut batch = Batch::new();
        for entry in entries {
            batch.entry(entry.clone());
        }
        site.store.commit(batch).unwrap();
    };
    // A restored copy: it holds the first entry, somebody else all three.
    hold(&anna, &entries[..1]);
    hold(&boris, &entries);
    boris.learn(merestone_store::StatementClass::Certificate, anna.certificate.as_bytes());
    let listener = Arc::new(Listener { key: *anna.certificate.key().as_bytes(), heard: Mutex::default() });
    let at_anna = Replica::open(anna.setup().owner(Arc::clone(&listener) as Arc<dyn Owner>));
    let outcome = sync(&at_anna, &boris.replica()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    let heard = listener.heard.lock().expect("no panic");
    assert_eq!(heard.0, BTreeSet::from([entries[0].log()]));
    assert_eq!(heard.1, entries[1..].iter().map(|entry| entry.record()).collect());
    assert!(heard.2.contains(&Class::Certificate) && heard.2.contains(&Class::Receipt));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_whose_chain_is_not_held_is_named_and_never_called_synced() {
    let mission = Mission::new(1);
    let (mut anna, boris) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    let entries: Vec<_> = (0..4).map(|_| anna.author.create(2, Vec::new())).collect();
    let mut batch = Batch::new();
    for entry in [&entries[0], &entries[1], &entries[3]] {
        batch.entry(entry.clone());
    }
    anna.store.commit(batch).unwrap();
    let gap = sync(&anna.replica(), &boris.replica()).await;
    assert_eq!(gap.missing_here.logs.iter().map(|log| (log.here, log.there)).collect::<Vec<_>>(), [(2, 4)]);
    assert_eq!(gap.missing_here.logs[0].person.as_ref().map(|person| person.device.as_str()), Some("Phone 10"));
    assert!(!gap.is_fully_synced, "{gap:?}");
}
