//! Links that are cut, stores that are killed, and what is sent again.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::time::Duration;

use merestone_core::roster::Role;
use merestone_link::{Class, close_code};
use merestone_node::replica::{End, Meet, Replica, Retry, TalkOptions};
use merestone_store::{Store, StoreKey};
use replica_support::{Mission, ShortLink, Site, impatient, serve, within};
use std::sync::Arc;

/// What one conversation carried.
#[derive(Default)]
struct Carried {
    entries: u64,
    chunk_bytes: u64,
    is_done: bool,
}

/// Meets over a link that dies once the caller has sent `bytes` over it.
async fn meet_over_a_short_link(caller: &Replica, camp: &Replica, bytes: usize) -> Carried {
    let serving = serve(camp);
    let link = ShortLink::to(serving.address(), bytes).await;
    let result = within(caller.sync_with(Meet::new(link.address, camp.transport_key())).outcome()).await;
    within(serving.stop()).await;
    let outcome = match result {
        Ok(outcome) => outcome,
        // Too short for a handshake.
        Err(error) => {
            assert!(error.is_worth_retrying(), "{error}");
            return Carried::default();
        }
    };
    if !outcome.is_fully_synced {
        assert!(matches!(outcome.end, End::Lost { .. }), "{outcome:?}");
        assert!(outcome.end.is_worth_retrying());
    }
    let chunk_bytes = outcome.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum();
    Carried { entries: outcome.progress.entries_sent, chunk_bytes, is_done: outcome.is_fully_synced }
}

/// What a link may have on its way when it dies: the windows of both ends, and frames that wait in front of them.
const ON_THE_WAY: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_cut_at_many_byte_counts_goes_on_and_sends_nothing_twice_beyond_what_was_on_the_way() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    anna.write(3_000, 3);
    for bytes in [6_000_000, 2_500_000] {
        anna.photograph(bytes);
    }
    let (at_anna, at_camp) = (anna.replica_with(impatient()), camp.replica_with(impatient()));
    let (mut entries, mut bytes, mut cuts, mut height) = (0, 0, 0, 0);
    for limit in [500, 3_000, 20_000, 60_000, 90_000, 200_000, 400_000, 1_000_000, 1_700_000, 3_000_000, 3_300_000] {
        let carried = meet_over_a_short_link(&at_anna, &at_camp, limit).await;
        (entries, bytes, cuts) =
            (entries + carried.entries, bytes + carried.chunk_bytes, cuts + u64::from(!carried.is_done));
        let now = camp.store.tips(None, None).unwrap().first().map_or(0, |tip| tip.height);
        assert!(now >= height, "what was acknowledged stays");
        height = now;
    }
    assert!(cuts >= 8, "{cuts}");
    let serving = serve(&at_camp);
    let meet = Meet::new(serving.address(), at_camp.transport_key());
    let outcome = within(at_anna.sync_until_done(meet, Retry::default())).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert_eq!(anna.holding(), camp.holding());
    // Acknowledged entries are never sent again.
    entries += outcome.progress.entries_sent;
    assert!(entries <= 3_002, "{entries}");
    bytes += outcome.progress.blobs.iter().map(|blobs| blobs.bytes_sent).sum::<u64>();
    let all: u64 = 8_500_000 + 2 * 3_000;
    assert!(bytes >= all && bytes <= all + cuts * ON_THE_WAY, "{bytes} in {cuts} cuts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_goes_on_in_its_middle() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    let photo = anna.photograph(12_000_000);
    let (at_anna, at_camp) = (anna.replica_with(impatient()), camp.replica_with(impatient()));
    let first = meet_over_a_short_link(&at_anna, &at_camp, 8_000_000).await;
    assert!(first.chunk_bytes < 12_000_000 && !camp.store.is_blob_whole(photo).unwrap());
    let serving = serve(&at_camp);
    let meet = Meet::new(serving.address(), at_camp.transport_key());
    let outcome = within(at_anna.sync_until_done(meet, Retry::default())).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert!(camp.store.is_blob_whole(photo).unwrap());
    let again = outcome.progress.blobs[2].bytes_sent + first.chunk_bytes;
    assert!(again <= 12_003_000 + ON_THE_WAY, "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_had_arrived_when_a_link_was_cut_does_not_come_again() {
    const PHOTO_BYTES: u64 = 12_000_000;
    /// One chunk that was cut in its middle, and what is around chunks: their hashes twice, names and numbers.
    const AGAIN_MAX: u64 = (64 << 10) + (32 << 10);
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    let photo = anna.photograph(PHOTO_BYTES as usize);
    let (at_anna, at_camp) = (anna.replica(), camp.replica());
    let serving = serve(&at_anna);
    let endpoint = at_camp.bind(replica_support::HERE).unwrap();
    let connection = within(endpoint.connect(serving.address(), Some(at_anna.transport_key()))).await.unwrap();
    let mut meeting = at_camp.sync_over(connection.clone(), TalkOptions::default());
    while let Some(state) = within(meeting.changed()).await {
        if state.progress.blobs[2].bytes_received >= 2_000_000 {
            connection.close(close_code::DONE, "");
        }
    }
    within(meeting.outcome()).await.unwrap();
    assert!(!camp.store.is_blob_whole(photo).unwrap());
    let originals = connection.stats().class(Class::Originals);
    let meet = Meet::new(serving.address(), at_anna.transport_key());
    let outcome = within(at_camp.sync_until_done(meet, Retry::default())).await.unwrap();
    within(serving.stop()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    let arrived = originals.bytes_received + originals.bytes_unfinished + outcome.progress.blobs[2].bytes_received;
    assert!((PHOTO_BYTES..=PHOTO_BYTES + AGAIN_MAX).contains(&arrived), "{arrived}");
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
    assert!(error.is_worth_retrying() && error.code() == "no-answer", "{error}");
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
