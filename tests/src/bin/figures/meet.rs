//! A phone that was offline for months meets an empty base camp, over QUIC on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use merestone_core::key::PublicKey;
use merestone_node::Device;
use merestone_node::device::ObserverState;
use merestone_node::replica::{Meet, SyncOutcome};
use merestone_node::vault::Vault as _;
use merestone_tests::mission::{self, Mission};

use crate::row::{Row, Target};
use merestone_tests::corpus::{self, Author, BATCH, batch};
use merestone_tests::floor::Signatures;
use merestone_tests::timing::{median, time_ms};

const ROUNDS: usize = 5;
const ENTRIES: u64 = 10_000;

pub(crate) fn measure() -> Vec<Row> {
    let mission = corpus::found();
    let home = tempfile::tempdir().expect("a temporary folder");
    let phone = Arc::new(mission.create_device(&home.path().join("phone"), mission::replayed("phone")));
    let observer = mission.enrol(&phone, 0, "Olena");
    write(&mission, &phone, &observer);

    let runtime = tokio::runtime::Runtime::new().expect("a system with threads");
    let signatures = Signatures::make();
    let (mut rates, mut bytes, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        floor.push(signatures.all_cores_per_s());
        let camp = home.path().join(format!("camp-{round}"));
        let (ms, outcome) = runtime.block_on(meet(&mission, &phone, &observer, &camp));
        rates.push(ENTRIES as f64 / ms * 1e3);
        bytes.push((outcome.bytes_sent + outcome.bytes_received) as f64 / ENTRIES as f64);
        std::fs::remove_dir_all(&camp).expect("our own folder");
    }
    vec![
        Row::median("meet/entries", "entries/s", &rates)
            .target(Target::AtLeast(8_000.0))
            .floor(median(&floor))
            .note("from the call until both said that they hold the same; the floor is verify_strict on all cores"),
        Row::median("meet/bytes", "bytes/entry", &bytes).note("all of UDP, both directions"),
    ]
}

/// Inspections in the observer's log.
fn write(mission: &Mission, phone: &Device, observer: &PublicKey) {
    let state = phone.observers().into_iter().find(|held| held.key == *observer).map(|held| held.state);
    let Some(ObserverState::Certified { certificate, .. }) = state else { panic!("the observer was enrolled") };
    let keys = mission::vault(phone).unlock(observer).expect("the key is in its file");
    let mut author = Author::new(mission, &*keys.signer, certificate, "Olena");
    let entries: Vec<_> = (0..ENTRIES).map(|number| author.sign(author.draft(number))).collect();
    for page in entries.chunks(BATCH) {
        phone.store().commit(batch(page)).expect("room on the disk");
    }
}

/// Milliseconds until an empty camp holds everything.
async fn meet(
    mission: &Mission,
    phone: &Arc<Device>,
    observer: &PublicKey,
    folder: &std::path::Path,
) -> (f64, SyncOutcome) {
    let camp = mission.create_camp(folder, mission::replayed("camp"));
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = camp.serve(camp.replica().bind(here).expect("a loopback")).expect("an endpoint of its own");
    let peer = Meet::new(serving.address(), camp.replica().transport_key());
    let replica = phone.replica(observer).expect("the key is unlocked");
    let start = std::time::Instant::now();
    let outcome = replica.sync_with(peer).outcome().await.expect("a camp that answers");
    let ms = start.elapsed().as_secs_f64() * 1e3;
    assert!(outcome.is_fully_synced, "the phone and the camp hold the same at the end: {:?}", outcome.end);
    let (_, counts) = time_ms(|| camp.replica().store().counts().expect("a store that reads"));
    assert_eq!(counts.entries, ENTRIES, "all of it is in the camp's store");
    serving.stop().await;
    (ms, outcome)
}
