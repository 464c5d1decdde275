//! Peers that break rules, are strangers, or were cut; and a photo that is damaged.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use merestone_core::id::ScopeId;
use merestone_core::roster::{Class, Cut, CutDraft, CutReason, Role};
use merestone_core::sync::CloseCode;
use merestone_core::sync::frame::{Frame, HelloV2, Shown, Wants};
use merestone_link::{Connection, Endpoint, LinkError, LinkLimits};
use merestone_node::replica::{End, Meet, Replica, Setup};
use merestone_store::{Batch, Identity, StatementClass, Store, StoreKey};
use replica_support::{HERE, Mission, Site, admit, key, meet, scope, serve, sync, transport, within};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_damaged_photo_is_named_and_holds_up_no_other() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    let photos: Vec<_> = (0..4).map(|_| anna.photograph(150_000)).collect();
    let name = photos[1].to_string();
    let path = anna.path().join("blobs").join(&name[..2]).join(&name);
    let mut content = std::fs::read(&path).unwrap();
    content[100_000] ^= 1;
    std::fs::write(&path, content).unwrap();
    let (at_anna, at_camp) = (anna.replica(), camp.replica());

    let outcome = sync(&at_camp, &at_anna).await;
    assert!(!outcome.is_fully_synced);
    assert_eq!(outcome.failed.iter().map(|failed| failed.hash).collect::<Vec<_>>(), [photos[1]], "{outcome:?}");
    let missing = &outcome.missing_here.photos;
    assert_eq!(missing.iter().map(|photo| photo.hash).collect::<Vec<_>>(), [photos[1]]);
    assert_eq!(missing[0].person.as_ref().map(|person| person.observer.as_str()), Some("Observer 10"));
    assert_eq!(missing[0].records.len(), 1);
    for photo in photos.iter().filter(|photo| **photo != photos[1]) {
        assert!(camp.store.is_blob_whole(*photo).unwrap());
    }
    // At the sender it is set aside, and missing there too.
    assert!(!anna.store.is_blob_whole(photos[1]).unwrap());
    assert_eq!(anna.store.aside().unwrap().iter().map(|aside| aside.what.as_str()).collect::<Vec<_>>(), ["blob"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_peer_is_closed_by_name_while_another_syncs_on() {
    let mission = Mission::new(1);
    let (mut anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    anna.write(3_000, 5);
    let (at_anna, at_camp) = (anna.replica(), camp.replica());
    let serving = serve(&at_camp);
    let meeting = at_anna.sync_with(meet(&serving, &at_camp));
    let hostile = Endpoint::bind(HERE, &transport(99), LinkLimits::default()).unwrap();
    for (class, frame) in [
        (merestone_link::Class::Control, vec![0xff; 100]),
        (merestone_link::Class::Control, Vec::new()),
        (merestone_link::Class::Control, vec![0x82, 7, 0x80]),
    ] {
        let link = within(hostile.connect(serving.address(), None)).await.unwrap();
        link.send(class, frame).await.unwrap();
        assert_eq!(closed_with(&link).await, 0x100 + CloseCode::Malformed.number() as u32);
    }
    let outcome = within(meeting.outcome()).await.unwrap();
    assert!(outcome.is_fully_synced, "{outcome:?}");
    assert_eq!(anna.holding(), camp.holding());
    within(serving.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_mission_learns_nothing_and_gives_nothing() {
    let (mut anna, mut boris) =
        (Site::new(&Mission::new(1), 10, Role::Observer), Site::new(&Mission::new(2), 11, Role::Observer));
    anna.write(2, 2);
    boris.write(2, 2);
    let (before, other) = (anna.holding(), boris.holding());
    let outcome = sync(&anna.replica(), &boris.replica()).await;
    let code = match outcome.end {
        End::ClosedHere { code, .. } => code,
        End::ClosedByPeer { code: Some(code), .. } => code,
        end => panic!("{end}"),
    };
    assert_eq!(code, CloseCode::MissionMismatch);
    assert!(!outcome.is_fully_synced && outcome.peer.is_none());
    assert_eq!((anna.holding(), boris.holding()), (before, other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_and_somebody_with_another_ones_certificate_are_turned_away() {
    let mission = Mission::new(1);
    let mut camp = Site::new(&mission, 60, Role::Camp);
    camp.write(2, 2);
    // A device without a certificate: its store holds the charter alone.
    let dir = tempfile::tempdir().unwrap();
    let identity = Identity { mission: mission.id(), store: merestone_core::id::StoreId::from_bytes([7; 16]) };
    let store = Arc::new(Store::create(&dir.path().join("store"), StoreKey::from_bytes([0; 32]), identity).unwrap());
    let mut batch = Batch::new();
    batch.statement(StatementClass::Charter, None, mission.charter.as_bytes().to_vec());
    store.commit(batch).unwrap();
    let stranger = Replica::open(Setup::new(Arc::clone(&store), transport(77)).unwrap());
    let outcome = sync(&stranger, &camp.replica()).await;
    assert!(!outcome.is_fully_synced && outcome.peer.is_none(), "{outcome:?}");
    assert!(!matches!(outcome.end, End::Done), "{outcome:?}");
    assert_eq!(store.tips(None, None).unwrap(), []);

    // Somebody who shows a certificate that belongs to another transport key.
    let anna = mission.certify(10, Role::Observer, &[scope(1)]);
    let at_camp = camp.replica();
    let serving = serve(&at_camp);
    let thief = Endpoint::bind(HERE, &transport(99), LinkLimits::default()).unwrap();
    let link = within(thief.connect(serving.address(), None)).await.unwrap();
    let hello = HelloV2 {
        mission: mission.id(),
        certificate: Shown::Whole(anna.as_bytes().to_vec()),
        store: merestone_core::id::StoreId::from_bytes([8; 16]),
        statements: [0; 32],
        tips: Vec::new(),
        wants: Wants::EVERYTHING,
        blobs: None,
        agreed: None,
    };
    link.send(merestone_link::Class::Control, Frame::HelloV2(hello).encode()).await.unwrap();
    assert_eq!(closed_with(&link).await, 0x100 + CloseCode::PeerTransportKey.number() as u32);
    within(serving.stop()).await;
}

/// Reads until the peer closes, and says with which code.
async fn closed_with(link: &Connection) -> u32 {
    let end = within(async {
        loop {
            if let Err(end) = link.recv().await {
                break end;
            }
        }
    });
    match end.await {
        LinkError::ClosedByPeer { code, .. } => code,
        other => panic!("not closed by the peer: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_device_may_give_its_entries_and_gets_only_the_cut() {
    let mission = Mission::new(1);
    let (mut anna, mut camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 11, Role::Observer));
    anna.write(5, 2);
    camp.write(7, 2);
    admit(&camp, Class::Certificate, anna.certificate.as_bytes());
    let lost = key(10);
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Stolen, text: None };
    let cut = Cut::make(&mission.charter, &key(1), &draft).unwrap();
    admit(&camp, Class::Cut, cut.as_bytes());
    let (at_anna, at_camp) = (anna.replica(), camp.replica());

    let outcome = sync(&at_anna, &at_camp).await;
    assert!(!outcome.is_fully_synced, "{outcome:?}");
    assert_eq!(anna.store.tips(None, None).unwrap().len(), 1, "it got entries");
    assert_eq!(at_anna.authority().roster().cuts().count(), 1);
    assert_eq!(camp.store.tips(None, None).unwrap().len(), 2, "its entries were not taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_one_side_is_not_granted_does_not_travel() {
    let mission = Mission::new(1);
    let mut anna = Site::with_scopes(&mission, 10, Role::Observer, &[scope(1), scope(2)]);
    anna.write(2, 2);
    let certificate = anna.certificate.id();
    anna.author = replica_support::Author::new(&mission, 10, scope(2), certificate);
    anna.write(3, 2);
    let boris = Site::with_scopes(&mission, 11, Role::Observer, &[scope(2)]);
    let outcome = sync(&anna.replica(), &boris.replica()).await;
    assert!(outcome.is_fully_synced, "{outcome:?}");
    let scopes: Vec<ScopeId> = boris.store.tips(None, None).unwrap().iter().map(|tip| tip.scope).collect();
    assert_eq!(scopes, [scope(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_device_at_the_address_is_not_taken_for_the_expected_one() {
    let mission = Mission::new(1);
    let (anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    let serving = serve(&camp.replica());
    let wrong = Meet::new(serving.address(), anna.replica().transport_key());
    let error = within(anna.replica().sync_with(wrong).outcome()).await.unwrap_err();
    assert!(!error.is_worth_retrying() && error.advice().contains("another device"), "{error}");
    within(serving.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_devices_are_answered_at_once() {
    let mission = Mission::new(1);
    let camp = Site::new(&mission, 200, Role::Camp);
    let at_camp = camp.replica();
    let serving = serve(&at_camp);
    let mut sites = Vec::new();
    for seed in 10..50 {
        let mut site = Site::new(&mission, seed, Role::Observer);
        site.write(3, 3);
        sites.push(site);
    }
    let meetings: Vec<_> = sites.iter().map(|site| site.replica().sync_with(meet(&serving, &at_camp))).collect();
    for meeting in meetings {
        let outcome = within(meeting.outcome()).await.unwrap();
        assert!(matches!(outcome.end, End::Done), "{outcome:?}");
    }
    assert_eq!(camp.store.tips(None, None).unwrap().iter().map(|tip| tip.height).collect::<Vec<_>>(), vec![3; 40]);
    assert_eq!(serving.callers().len(), 40);
    within(serving.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_a_key_that_no_certificate_names_are_refused_by_name() {
    let mission = Mission::new(1);
    let (anna, camp) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
    // Somebody planted a log of a stranger in her store.
    let mut stranger = replica_support::Author::new(&mission, 90, scope(1), anna.certificate.id());
    let mut batch = Batch::new();
    batch.entry(stranger.create(2, Vec::new()));
    anna.store.commit(batch).unwrap();
    let outcome = sync(&camp.replica(), &anna.replica()).await;
    let End::ClosedHere { code, reason } = outcome.end else { panic!("{outcome:?}") };
    assert_eq!((code, reason), (CloseCode::RefusedEntry, "key-not-in-roster"));
    assert!(!outcome.is_fully_synced);
    assert_eq!(camp.store.tips(None, None).unwrap(), []);
}
