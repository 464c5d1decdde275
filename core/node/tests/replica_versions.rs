//! Devices whose programs are of different ages: what an older one does not know passes through it unharmed.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod replica_support;

use merestone_core::entry::Kind;
use merestone_core::roster::Role;
use merestone_link::{LinkLimits, Version};
use merestone_store::Batch;
use replica_support::{Mission, Site, sync};

/// What a program of the version before allows.
fn old() -> LinkLimits {
    LinkLimits { version_max: Version::V1, ..LinkLimits::default() }
}

#[tokio::test]
async fn an_entry_of_a_later_kind_passes_through_devices_that_do_not_know_it() {
    let mission = Mission::new(7);
    let mut author = Site::new(&mission, 10, Role::Observer);
    let carrier = Site::new(&mission, 11, Role::Observer);
    let reader = Site::new(&mission, 12, Role::Observer);
    let created = author.author.create(5, Vec::new());
    let later = author.author.say(Kind::Unknown(200), &created);
    let after = author.author.create(5, Vec::new());
    let mut batch = Batch::new();
    for entry in [&created, &later, &after] {
        batch.entry(entry.clone());
    }
    author.store.commit(batch).unwrap();

    // The first two speak the version before, the others the newest: each form of an entry on the wire carries it.
    let carried = sync(&carrier.replica_with(old()), &author.replica()).await;
    let read = sync(&reader.replica(), &carrier.replica()).await;

    assert!(carried.is_fully_synced && read.is_fully_synced, "{carried:?} {read:?}");
    assert_eq!(author.holding(), reader.holding());
    for entry in [&created, &later, &after] {
        let kept = reader.store.entry(entry.id()).unwrap().expect("it came");
        assert_eq!((&kept.header[..], kept.body.bytes()), (entry.header_bytes(), entry.body_bytes()));
    }
}
