//! What a set of statements keeps, refuses and answers.

use super::*;
use crate::entry::Kind;
use crate::id::{BlobHash, StoreId};
use crate::receipt::{LeftOut, ReceiptDraft};
use crate::record::testing::{certificate, charter, key, roster, scope};
use crate::roster::{CutDraft, CutReason, Role};

#[test]
fn admitting_is_idempotent_and_in_any_order() {
    let certificates = [certificate(1, 30, Role::Observer), certificate(2, 31, Role::Arbiter)];
    let lost = key(30);
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    let statements = [
        (Class::Certificate, certificates[0].as_bytes()),
        (Class::Certificate, certificates[1].as_bytes()),
        (Class::Cut, cut.as_bytes()),
    ];
    let mut rosters = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2]] {
        let mut roster = Roster::new(charter());
        for (class, bytes) in order.map(|index| statements[index]) {
            let id = StatementId::of(bytes);
            assert_eq!(roster.admit(class, bytes), Ok(Admitted::New(id)));
            assert_eq!(roster.admit(class, bytes), Ok(Admitted::Known(id)));
            assert_eq!(roster.bytes(class, id), Some(bytes));
        }
        rosters.push(Class::ALL.map(|class| roster.digest(class)));
        assert_eq!(roster.party_of(certificates[1].id()), Some(PartyNumber(2)));
        assert_eq!(roster.certificates_of(key(30).public().as_bytes()).count(), 1);
    }
    assert!(rosters.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(
        rosters[0].map(|digest| digest.is_some()),
        [true, false, true, false, true, false, false, false, false, false, false, false]
    );
}

#[test]
fn what_rests_on_a_certificate_or_a_cut_may_come_before_it() {
    let (lost, camp) = (certificate(1, 30, Role::Observer), certificate(2, 31, Role::Camp));
    let draft = CutDraft { key: lost.key().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    let mut held = roster(&[lost.clone(), camp.clone()]);
    held.admit(Class::Cut, cut.as_bytes()).expect("of a certified key");
    let said = Acknowledgement::make(&held, &key(31), camp.id(), cut.id()).expect("another party's camp");
    held.admit(Class::Acknowledgement, said.as_bytes()).expect("of a held cut");
    let statements = [
        (Class::Certificate, lost.as_bytes()),
        (Class::Certificate, camp.as_bytes()),
        (Class::Cut, cut.as_bytes()),
        (Class::Acknowledgement, said.as_bytes()),
    ];
    for order in [[3, 2, 1, 0], [3, 1, 2, 0], [2, 3, 0, 1], [3, 0, 1, 2], [1, 2, 3, 0]] {
        let mut roster = Roster::new(charter());
        for (class, bytes) in order.map(|index| statements[index]) {
            assert!(roster.admit(class, bytes).is_ok() || roster.waits(class, class.id_of(bytes)), "{order:?}");
        }
        assert_eq!(roster.waiting().count(), 0, "{order:?}");
        assert_eq!(
            Class::ALL.map(|class| roster.digest(class)),
            Class::ALL.map(|class| held.digest(class)),
            "{order:?}"
        );
    }
}

#[test]
fn nothing_that_nobody_vouches_for_takes_the_room_of_a_cut_that_waits() {
    let (lost, camp) = (certificate(1, 30, Role::Observer), certificate(2, 31, Role::Camp));
    let draft = CutDraft { key: lost.key().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    let mut roster = roster(&[camp]);
    // Cuts with a wrong signature: anybody can make any number of them.
    let mut refused = 0;
    for number in 0..1_100_u64 {
        let mut junk = cut.as_bytes().to_vec();
        let end = junk.len();
        junk[end - 8..].copy_from_slice(&number.to_be_bytes());
        refused += usize::from(roster.admit(Class::Cut, &junk).is_err());
    }
    assert_eq!(refused, 1_100);
    roster.admit(Class::Cut, cut.as_bytes()).expect_err("nobody here knows the key");
    assert!(roster.waits(Class::Cut, cut.id()));
    assert_eq!(roster.cuts_waiting().iter().map(Cut::id).collect::<Vec<_>>(), [cut.id()]);
    roster.admit(Class::Certificate, lost.as_bytes()).expect("well formed");
    assert!(roster.holds(Class::Cut, cut.id()));
}

#[test]
fn statements_of_another_class_or_mission_are_refused() {
    let mut roster = Roster::new(charter());
    let certificate = certificate(1, 30, Role::Observer);
    let rows = [(Class::Cut, Check::CoseType), (Class::Receipt, Check::CoseType), (Class::Charter, Check::Shape)];
    for (class, wanted) in rows {
        let refused = roster.admit(class, certificate.as_bytes()).expect_err("another class");
        assert_eq!(refused.check, wanted, "{class:?}");
    }
    let other = crate::record::testing::charter_with_scopes(5);
    let refused = roster.admit(Class::Charter, other.as_bytes()).expect_err("another mission");
    assert_eq!(refused.check, Check::MissionMismatch);
    let own = roster.admit(Class::Charter, charter().as_bytes()).map(Admitted::id);
    assert_eq!(own.ok(), roster.ids(Class::Charter).pop());
}

#[test]
fn a_receipt_makes_way_for_a_later_one_that_covers_it() {
    let camp = certificate(1, 30, Role::Camp);
    let held = roster(std::slice::from_ref(&camp));
    let receipt = |counter, blobs: &[u8]| {
        let blobs = blobs.iter().map(|&blob| BlobHash::from_bytes([blob; 32])).collect();
        let store = StoreId::from_bytes([1; 16]);
        let draft =
            ReceiptDraft { store, counter, logs: vec![], blobs, certificate: camp.id(), left_out: LeftOut::default() };
        Receipt::make(&held, &key(30), draft).expect("a certified key signs")
    };
    let receipts = [receipt(1, &[1]), receipt(2, &[1, 2]), receipt(3, &[3])];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let mut roster = held.clone();
        for index in order {
            roster.admit(Class::Receipt, receipts[index].as_bytes()).expect("well formed");
        }
        let mut counters: Vec<_> = roster.receipts().map(Receipt::counter).collect();
        counters.sort_unstable();
        assert_eq!(counters, [2, 3]);
    }
}

#[test]
fn of_one_signer_the_newest_stores_and_the_newest_receipts_of_each_are_kept_in_any_order() {
    let camps = [certificate(1, 30, Role::Camp), certificate(1, 31, Role::Camp)];
    let held = roster(&camps);
    let receipt = |signer: usize, store: u8, counter: u64, blob: u8| {
        let store = StoreId::from_bytes([store; 16]);
        let blobs = vec![BlobHash::from_bytes([blob; 32])];
        let draft = ReceiptDraft {
            store,
            counter,
            logs: vec![],
            blobs,
            certificate: camps[signer].id(),
            left_out: LeftOut::default(),
        };
        Receipt::make(&held, &key([30, 31][signer]), draft).expect("a certified key signs")
    };
    // Each states something that no other does: none covers another.
    let mut all: Vec<_> = (1..=20).map(|store| receipt(0, store, 100 + u64::from(store % 10), store)).collect();
    all.extend((1..=6).map(|counter| receipt(0, 21, 1_000 + counter, counter as u8)));
    all.push(receipt(1, 1, 1, 1));
    let mut kept: BTreeSet<_> = [9, 19, 8, 18, 7, 17, 6, 16, 5, 15, 4, 14, 3, 13, 2].map(|at| all[at - 1].id()).into();
    kept.extend(all[22..26].iter().map(Receipt::id));
    kept.insert(all[26].id());
    for step in [1, 5, 8, 26] {
        let mut roster = held.clone();
        // Steps that have no factor in common with 27 reach every receipt.
        for at in (0..all.len()).map(|at| (at + 1) * step % all.len()) {
            let admitted = roster.admit(Class::Receipt, all[at].as_bytes()).expect("well formed");
            assert_eq!(admitted == Admitted::New(all[at].id()), roster.holds(Class::Receipt, all[at].id()));
        }
        assert_eq!(roster.receipts().map(Receipt::id).collect::<BTreeSet<_>>(), kept, "step {step}");
    }
}

#[test]
fn a_party_cuts_only_keys_that_it_certified() {
    let mut roster = roster(&[certificate(1, 30, Role::Observer)]);
    let lost = key(30);
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let [own, foreign] = [1, 2].map(|party| Cut::make(&charter(), &key(party), &draft).expect("a root key signs"));
    assert_eq!(roster.admit(Class::Cut, foreign.as_bytes()).expect_err("foreign").check, Check::CutSigner);
    assert!(roster.admit(Class::Cut, own.as_bytes()).is_ok());
}

#[test]
fn authority_is_that_of_the_certificate_the_log_names() {
    let [own, other, reviewer] =
        [certificate(1, 30, Role::Observer), certificate(1, 31, Role::Observer), certificate(2, 32, Role::Reviewer)];
    let roster = roster(&[own.clone(), other.clone(), reviewer.clone()]);
    let code = |certificate: StatementId, seed: u8, n: u8| {
        let signer = key(seed);
        match roster.authority(certificate, signer.public().as_bytes(), scope(n), Kind::Change) {
            Authority::Granted(_) => None,
            Authority::Denied(refused) => Some(refused.check.code()),
            Authority::Unknown(refused) => Some(refused.map_or("unknown", |refused| refused.check.code())),
        }
    };
    let absent = StatementId::from_bytes([0; 32]);
    assert_eq!(code(own.id(), 30, 1), None);
    assert_eq!(code(own.id(), 30, 9), Some("out-of-role"));
    assert_eq!(code(reviewer.id(), 32, 1), Some("out-of-role"));
    assert_eq!(code(other.id(), 30, 1), Some("certificate-key"));
    assert_eq!(code(absent, 30, 1), Some("unknown"));
    assert_eq!(code(absent, 33, 1), Some("key-not-in-roster"));
}

#[test]
fn one_signer_fills_only_its_own_share() {
    let mut roster = roster(&[certificate(1, 30, Role::Observer), certificate(2, 31, Role::Observer)]);
    let cut = |signer: u8, n: u64| {
        let (lost, text) = (key(29 + signer), n.to_string());
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: Some(&text) };
        Cut::make(&charter(), &key(signer), &draft).expect("a party cuts")
    };
    roster.counts.insert((Class::Cut, *key(1).public().as_bytes()), STATEMENTS_MAX - 1);
    assert!(roster.admit(Class::Cut, cut(1, 1).as_bytes()).is_ok());
    let refused = roster.admit(Class::Cut, cut(1, 2).as_bytes()).expect_err("over the limit");
    assert_eq!(refused.check, Check::StatementLimit);
    assert!(roster.admit(Class::Cut, cut(2, 2).as_bytes()).is_ok());
}
