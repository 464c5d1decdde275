//! An erasure takes content away at base camp too, where a device keeps the camp's store.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{Mission, inspection, open};
use merestone_core::erasure::{Erased, ErasureDraft, ErasureReason};
use merestone_core::id::BlobHash;
use merestone_core::record::Standing;
use merestone_core::roster::{Class, Role};
use merestone_node::capture::PhotoSource;
use merestone_node::device::Device;
use merestone_node::office::PartyOffice;
use merestone_node::records::RecordFilter;
use merestone_node::replica::{Camp, Meet, Replica};
use merestone_store::StoredBody;

/// What nobody may find again.
const SECRET: &[u8] = b"Kowalska";

/// One conversation of a phone with base camp, to its end.
async fn sync(phone: &Replica, camp: &Camp) {
    let endpoint = camp.replica().bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
    let serving = camp.serve(endpoint).unwrap();
    let meet = Meet::new(serving.address(), camp.replica().transport_key());
    let met = tokio::time::timeout(Duration::from_secs(120), phone.sync_with(meet).outcome()).await;
    let outcome = met.expect("within two minutes").unwrap();
    assert!(outcome.is_fully_synced, "{outcome:?}");
    serving.stop().await;
}

/// Whether a file below `folder` holds `needle`.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.into_iter().any(|path| match path.is_dir() {
        true => holds(&path, needle),
        false => std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_reaches_base_camp_takes_bodies_rows_and_photos_away() {
    let mission = Mission::found();
    let (home, home_of_camp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (phone, base) = (mission.device(home.path(), "a"), mission.device(home_of_camp.path(), "b"));
    let (phone, base) = (Arc::new(phone), Arc::new(base));
    let observer = mission.enrol(&phone, 0, "Olena", "one");
    let key = mission.enrol_as(&base, 2, "Base camp", "two", Role::Camp);
    let camp = Camp::around(base.replica(&key).unwrap(), None, Duration::from_secs(900)).unwrap();

    let photo = [b"\0\0\0\x14ftypheic\0\0\0\0heic of ".as_slice(), SECRET].concat();
    let draft = phone.keep(phone.begin(&observer, mission.scope(), inspection()).unwrap()).unwrap();
    let draft = phone.attach(draft.id, PhotoSource::Bytes(&photo), None, None).unwrap().draft;
    let draft = phone.put(draft.id, "remarks", format!("{} Kowalska", "padding ".repeat(500)).as_str()).unwrap();
    let saved = phone.save(&draft).unwrap();
    let replica = phone.replica(&observer).unwrap();
    sync(&replica, &camp).await;
    let search = RecordFilter { text: Some("kowalska".into()), ..RecordFilter::default() };
    assert_eq!(base.list(&search, None, 10).unwrap().lines.len(), 1);
    assert!(base.photo_bytes(BlobHash::of(&photo)).unwrap().is_some());
    assert!(holds(home_of_camp.path(), SECRET));

    let (record, erased) = (saved.record, Erased::Heads(vec![saved.entry]));
    let erasure = ErasureDraft { record, erased, reason: ErasureReason::Privacy, text: None };
    let mut proposed = PartyOffice::new(&mission.roots[0]).propose_erasure(&mission.charter, erasure).unwrap();
    proposed.sign(&mission.charter, &mission.roots[2]).unwrap();
    let erasure = proposed.complete(&mission.charter).unwrap();
    phone.receive(Class::Erasure, &[erasure.as_bytes().to_vec()]).unwrap();
    sync(&replica, &camp).await;

    let gone = |base: &Device| {
        assert_eq!(base.store().entry(saved.entry).unwrap().unwrap().body, StoredBody::Erased);
        assert_eq!(base.record(saved.record).unwrap().unwrap().standings, [(saved.entry, Standing::Erased)]);
        assert_eq!(base.list(&search, None, 10).unwrap().lines, []);
        assert_eq!(base.photo_bytes(BlobHash::of(&photo)).unwrap(), None);
        let counts = base.store().counts().unwrap();
        assert_eq!((counts.blobs, counts.blobs_missing, counts.bodies_missing), (0, 0, 0));
    };
    gone(&base);
    assert!(!holds(home_of_camp.path(), SECRET), "nor on its disk");
    assert!(!holds(home_of_camp.path(), b"kowalska"), "nor folded, in the index");
    drop((camp, base));
    gone(&open(home_of_camp.path(), "c"));
}
