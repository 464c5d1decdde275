//! Two devices meet over QUIC and hold the same afterwards.

mod replica_support;

use merestone_core::id::StoreId;
use merestone_core::roster::Role;
use merestone_node::replica::End;
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
