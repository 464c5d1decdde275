//! Photos that somebody else's entries describe falsely come all the same.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod replica_support;

use merestone_core::roster::Role;
use merestone_core::sync::Class;
use merestone_node::replica::{Replica, SyncOutcome, Talk, TalkOptions};
use merestone_store::{Batch, BlobClaim, BlobClass, Threads};
use replica_support::{Mission, Site, scope};

fn site(mission: &Mission, seed: u8, role: Role) -> Site {
    Site::on(Threads::Caller, mission, seed, role, &[scope(1), scope(2)])
}

fn meet(caller: &Replica, answerer: &Replica) -> SyncOutcome {
    let mut one = Talk::begin(caller, answerer.transport_key(), TalkOptions::default()).unwrap();
    let stay = TalkOptions { stay: true, ..TalkOptions::default() };
    let mut other = Talk::begin(answerer, caller.transport_key(), stay).unwrap();
    loop {
        let mut moves = false;
        one.look();
        other.look();
        for class in Class::ALL {
            while let Some(frame) = one.next_frame(class) {
                other.deliver(class, frame);
                moves = true;
            }
            while let Some(frame) = other.next_frame(class) {
                one.deliver(class, frame);
                moves = true;
            }
        }
        if one.is_over() || other.is_over() || !moves {
            return one.finish();
        }
    }
}

/// Whether camp holds a photo of Anna whole after one meeting, where an entry of Boris described it with `lies` before.
fn comes_despite(lies: impl Fn(BlobClaim) -> Vec<(BlobClaim, BlobClass)>) -> bool {
    let mission = Mission::new(77);
    let (mut anna, mut boris) = (site(&mission, 3, Role::Observer), site(&mission, 4, Role::Observer));
    let camp = site(&mission, 9, Role::Camp);
    let hash = anna.photograph(400_000);
    let claim = anna.store.claims_in(&[scope(1), scope(2)], hash).unwrap()[0];
    boris.write(1, 3);
    let (anna_at, boris_at, camp_at) = (
        Replica::open(anna.setup().inline()),
        Replica::open(boris.setup().inline()),
        Replica::open(camp.setup().inline()),
    );
    assert!(meet(&boris_at, &camp_at).is_fully_synced);
    let liar = boris.store.tips(None, None).unwrap()[0].head.unwrap();
    let mut batch = Batch::new();
    for (lie, class) in lies(claim) {
        batch.blob_name(liar, lie, class);
    }
    camp.store.commit(batch).unwrap();
    let outcome = meet(&anna_at, &camp_at);
    assert!(outcome.is_fully_synced || !camp.store.is_blob_whole(hash).unwrap(), "{outcome:?}");
    camp.store.is_blob_whole(hash).unwrap()
}

#[test]
fn an_original_described_falsely_as_a_thumbnail_comes() {
    assert!(comes_despite(|claim| vec![(BlobClaim { chunks: [0xff; 32], ..claim }, BlobClass::Thumbnail)]));
}

#[test]
fn a_photo_described_first_with_a_false_size_comes() {
    assert!(comes_despite(|claim| vec![(BlobClaim { bytes: claim.bytes - 1, ..claim }, BlobClass::Original)]));
    assert!(comes_despite(|claim| vec![(BlobClaim { bytes: 1, ..claim }, BlobClass::Original)]));
}

#[test]
fn a_photo_described_falsely_in_very_many_ways_comes() {
    let root = |n: u16| {
        let mut root = [0; 32];
        root[1..3].copy_from_slice(&n.to_be_bytes());
        root
    };
    assert!(comes_despite(|claim| {
        (0..300).map(|n| (BlobClaim { chunks: root(n), ..claim }, BlobClass::Original)).collect()
    }));
}
