//! Links that are cut, stores that are killed, and what is sent again.

mod replica_support;

use std::time::Duration;

use merestone_core::roster::Role;
use merestone_node::replica::{End, Meet, Replica, Retry};
use merestone_store::{Store, StoreKey};
use replica_support::relay::Relay;
use replica_support::{Mission, Site, impatient, serve, within};
use std::sync::Arc;

/// Meets over a relay that is cut once this many bytes of entries and photos were taken over; what was carried then.
async fn cut_after(anna: &Replica, camp: &Replica, is_enough: impl Fn(u64, u64) -> bool) -> (u64, u64) {
    let serving = serve(camp);
    let relay = Relay::to(serving.address()).await.unwrap();
    let mut meeting = anna.sync_with(Meet::new(relay.address(), camp.transport_key()));
    while let Some(state) = within(meeting.changed()).await {
        let blobs = state.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum();
        if is_enough(state.progress.entries_sent, blobs) {
            relay.cut();
            break;
        }
    }
    let outcome = within(meeting.outcome()).await.unwrap();
    within(serving.stop()).await;
    let blobs = outcome.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum();
    if !outcome.is_fully_synced {
        assert!(matches!(outcome.end, End::Lost { .. }), "{outcome:?}");
        assert!(outcome.end.is_worth_retrying());
    }
    (outcome.progress.entries_sent, blobs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_cut_at_many_moments_goes_on_and_sends_nothing_twice_beyond_what_was_on_the_way() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    anna.write(6_000, 3);
    let photos = [3_000_000, 2_500_000];
    for bytes in photos {
        anna.photograph(bytes);
    }
    let (at_anna, at_camp) = (anna.replica_with(impatient()), camp.replica_with(impatient()));
    let (mut entries, mut bytes) = (0, 0);
    for cut in 1..=4_u64 {
        let sent = cut_after(&at_anna, &at_camp, |entries, _| entries >= cut * 400).await;
        (entries, bytes) = (entries + sent.0, bytes + sent.1);
    }
    for cut in 1..=4_u64 {
        let sent = cut_after(&at_anna, &at_camp, |_, bytes| bytes >= cut * 300_000).await;
        (entries, bytes) = (entries + sent.0, bytes + sent.1);
    }
    let serving = serve(&at_camp);
    let meet = Meet::new(serving.address(), at_camp.transport_key());
    let outcome = within(at_anna.sync_until_done(meet, Retry::default())).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert_eq!(anna.holding(), camp.holding());
    entries += outcome.progress.entries_sent;
    bytes += outcome.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum::<u64>();
    // `entries_sent` counts what was acknowledged: an acknowledgement that was lost is not sent for again.
    assert!(entries <= 6_002, "{entries}");
    // At each of eight cuts: what the link and the receiver's disk had on the way.
    let on_the_way = 8 * (1_500_000 + 4_194_304);
    let all: u64 = 5_500_000 + 2 * 3_000;
    assert!(bytes >= all && bytes <= all + on_the_way, "{bytes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_goes_on_in_its_middle() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    let photo = anna.photograph(12_000_000);
    let (at_anna, at_camp) = (anna.replica_with(impatient()), camp.replica_with(impatient()));
    let (_, sent) = cut_after(&at_anna, &at_camp, |_, bytes| bytes >= 7_000_000).await;
    assert!(sent < 12_000_000, "{sent}");
    assert!(!camp.store.is_blob_whole(photo).unwrap());
    let serving = serve(&at_camp);
    let meet = Meet::new(serving.address(), at_camp.transport_key());
    let outcome = within(at_anna.sync_until_done(meet, Retry::default())).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert!(camp.store.is_blob_whole(photo).unwrap());
    let again = outcome.progress.blobs[2].bytes_sent;
    assert!(again < 12_000_000, "begun again from the start: {again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_copied_at_any_moment_goes_on_from_there() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    anna.write(4_000, 3);
    anna.photograph(2_000_000);
    let (at_anna, at_camp) = (anna.replica(), camp.replica());
    let serving = serve(&at_camp);
    let mut meeting = at_anna.sync_with(Meet::new(serving.address(), at_camp.transport_key()));
    let mut copies = Vec::new();
    // A copy of the folder as it lies on the disk is what a kill would leave.
    while let Some(state) = within(meeting.changed()).await {
        if copies.len() < 6 && state.progress.entries_sent >= copies.len() as u64 * 600 {
            let copy = tempfile::tempdir().unwrap();
            copy_folder(&camp.path(), &copy.path().join("store"));
            copies.push((copy, state.progress.entries_sent));
        }
    }
    assert!(within(meeting.outcome()).await.unwrap().is_fully_synced);
    within(serving.stop()).await;
    assert!(copies.len() > 2, "{}", copies.len());
    for (copy, acknowledged) in copies {
        let store = Store::open(&copy.path().join("store"), StoreKey::from_bytes([0; 32])).unwrap();
        let height = store.tips(None, None).unwrap().first().map_or(0, |tip| tip.height);
        assert!(height >= acknowledged, "acknowledged {acknowledged}, kept {height}");
        let killed = Site { store: Arc::new(store), ..Site::new(&mission, 60, Role::Camp) };
        let outcome = replica_support::sync(&at_anna, &killed.replica()).await;
        assert!(outcome.is_fully_synced, "{outcome:?}");
        assert_eq!(anna.holding(), killed.holding());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_after_the_last_attempt() {
    let mission = Mission::new(1);
    let anna = Site::new(&mission, 10, Role::Observer);
    let quick = merestone_link::LinkLimits { handshake: Duration::from_millis(50), ..impatient() };
    let replica = anna.replica_with(quick);
    let unused = tokio::net::UdpSocket::bind(replica_support::HERE).await.unwrap();
    let meet = Meet::new(unused.local_addr().unwrap(), replica.transport_key());
    let retry = Retry { attempts_max: 3, wait: Duration::from_millis(1), wait_max: Duration::from_millis(2) };
    let error = within(replica.sync_until_done(meet, retry)).await.unwrap_err();
    assert!(error.is_worth_retrying() && error.to_string().contains("no answer"), "{error}");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(file.file_name());
        if file.path().is_dir() {
            copy_folder(&file.path(), &target);
        } else if file.path().exists() {
            // A temporary file may be gone by now; a kill would not see it either.
            let _ = std::fs::copy(file.path(), target);
        }
    }
}
