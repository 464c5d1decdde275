//! The ledger and its witnesses: nothing is signed that could take leaves back, and tiles show what was signed.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::sync::Arc;

use merestone_core::checkpoint::Leaf;
use merestone_core::id::StoreId;
use merestone_core::ledger::{Row, TileAddress, decode_bundle};
use merestone_core::merkle::{leaf_hash, root, verify_consistency};
use merestone_core::roster::{Class, PartyNumber, Role};
use merestone_core::witness::{Confirmation, Observed, Watched, Witnesses, decide};
use merestone_node::bag::{self, LeftOut};
use merestone_node::replica::{
    AnswerError, Camp, CampKeys, CampOptions, LedgerCopy, LedgerError, LedgerKey, LedgerTiles,
};
use merestone_store::{Batch, StatementClass, Store};
use replica_support::{LEDGER, Mission, Site, key, sync, transport};

fn mission() -> Mission {
    Mission::witnessed(1, |party| vec![60 + party])
}

fn open(site: &Site) -> Camp {
    let ledger = LedgerKey::new(Arc::new(key(LEDGER)), site.mission.charter.charter().ledger.as_ref()).unwrap();
    let keys = CampKeys { transport: transport(site.seed), receipts: site.receipt_key(), ledger: Some(ledger) };
    Camp::open(Arc::clone(&site.store), keys, CampOptions { is_inline: true, ..CampOptions::default() }).unwrap()
}

/// A witness that keeps what it cosigned last.
struct WitnessAt {
    seed: u8,
    watched: [Watched; 1],
}

impl WitnessAt {
    fn new(mission: &Mission, seed: u8) -> Self {
        let ledger = mission.charter.charter().ledger.clone().unwrap();
        Self { seed, watched: [Watched { ledger, latest: None }] }
    }

    fn old(&self) -> u64 {
        self.watched[0].latest.map_or(0, |latest| latest.size)
    }

    /// Asks it, as a camp does.
    fn ask(&mut self, camp: &Camp) -> Result<Vec<PartyNumber>, String> {
        self.ask_at(camp, NOW_S)
    }

    /// The same, by a clock that says so.
    fn ask_at(&mut self, camp: &Camp, time: u64) -> Result<Vec<PartyNumber>, String> {
        let question = camp.question(self.old()).map_err(|error| error.to_string())?.expect("something is signed");
        let (asked, answer) = (format!("witness {}", self.seed), self.answer(&question.body, time)?);
        let cosigned = camp.take_answer(&question.checkpoint, answer.as_bytes(), &asked);
        Ok(cosigned.map_err(|error| error.to_string())?.parties)
    }

    fn answer(&mut self, body: &[u8], time: u64) -> Result<String, String> {
        let accepted = decide(body, &self.watched).map_err(|refusal| refusal.to_string())?;
        self.watched[0].latest = Some(accepted.observed());
        Ok(accepted.cosign(&key(self.seed), time).unwrap())
    }
}

/// What the clocks of witnesses say.
const NOW_S: u64 = 1_764_576_000;

#[tokio::test]
async fn a_checkpoint_is_shown_to_nobody_before_enough_parties_cosigned_it() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    let shown = |camp: &Camp| camp.replica().authority().roster().newest_note().map(|note| note.size());
    let camp = open(&site);
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    let first = camp.checkpoint().unwrap().expect("a note");
    assert_eq!(witnesses[0].ask(&camp), Ok(vec![PartyNumber(1)]));
    assert_eq!((shown(&camp), camp.replica().authority().roster().ids(Class::Cosignature).len()), (None, 0));
    // Another witness is switched on in the evening only: it is asked for the same checkpoint, also after a restart.
    site.write(1, 1);
    camp.replica().notify().unwrap();
    assert_eq!(camp.checkpoint().unwrap(), None, "the one before waits");
    drop(camp);
    let camp = open(&site);
    assert_eq!(shown(&camp), None);
    assert_eq!(witnesses[1].ask(&camp), Ok(vec![PartyNumber(2)]));
    assert_eq!(shown(&camp), Some(first.size()));
    assert_eq!(camp.replica().authority().roster().ids(Class::Cosignature).len(), 2, "the first one's was kept too");
    assert!(camp.checkpoint().unwrap().is_some(), "and now the next one is signed");
}

#[tokio::test]
async fn each_witness_has_one_leaf_under_a_checkpoint_however_often_it_signs() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    let camp = open(&site);
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    camp.checkpoint().unwrap().expect("a note");
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    for round in 1..=5 {
        // Each earlier time takes the place of the one before.
        witnesses[0].ask_at(&camp, NOW_S - round).unwrap();
        site.write(1, 1);
        camp.replica().notify().unwrap();
        camp.checkpoint().unwrap();
    }
    drop(camp);
    let camp = open(&site);
    site.write(1, 1);
    camp.replica().notify().unwrap();
    camp.checkpoint().unwrap();
    let leaves = site.store.ledger_leaves(0, usize::MAX).unwrap();
    let cosigned = leaves.iter().filter(|leaf| matches!(Leaf::decode(leaf), Ok(Leaf::Cosignature(_)))).count();
    assert_eq!(cosigned, 2, "one of each witness under the first checkpoint");
}

#[tokio::test]
async fn a_restored_ledger_begins_again_by_answers_on_sticks_and_not_by_old_ones() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    let ask = |camp: &Camp, witness: &mut WitnessAt, now_s: u64, time: u64| {
        let question = camp.carried_question(key(witness.seed).public(), witness.old(), now_s).unwrap().unwrap();
        witness.answer(&question.body, time).unwrap()
    };
    let old = {
        let camp = open(&site);
        let answers = witnesses.each_mut().map(|witness| ask(&camp, witness, NOW_S, NOW_S + 5));
        assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, needed: 2 })));
        camp.take_carried(answers[0].as_bytes()).unwrap();
        drop(camp);
        // Each answer comes to a run of its own.
        let camp = open(&site);
        assert!(!camp.take_carried(answers[1].as_bytes()).unwrap().1.is_old);
        camp.checkpoint().unwrap().expect("confirmed");
        let first = witnesses.each_mut().map(|witness| ask(&camp, witness, NOW_S + 100, NOW_S + 200));
        assert_eq!(first.each_ref().map(|answer| camp.take_carried(answer.as_bytes()).unwrap().1.new), [1, 1]);
        first
    };
    let mut batch = Batch::new();
    batch.renew_store(StoreId::from_bytes([9; 16]));
    site.store.commit(batch).unwrap();
    let camp = open(&site);
    assert!(matches!(camp.take_carried(old[0].as_bytes()), Err(AnswerError::NotAsked)), "a copy asked nothing");
    let later = NOW_S + 10_000;
    let answers = witnesses.each_mut().map(|witness| ask(&camp, witness, later, later - 60));
    for answer in &old {
        assert!(camp.take_carried(answer.as_bytes()).unwrap().1.is_old);
    }
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, needed: 2 })));
    for answer in &answers {
        assert!(!camp.take_carried(answer.as_bytes()).unwrap().1.is_old);
    }
    site.write(1, 1);
    camp.replica().notify().unwrap();
    assert!(camp.checkpoint().unwrap().is_some());
    assert!(matches!(camp.take_carried(b"<html>"), Err(AnswerError::Malformed)));
}

#[tokio::test]
async fn who_vouches_for_a_ledger_means_one_store_and_one_size_once() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let camp = open(&site);
    assert!(matches!(camp.vouch(7), Err(LedgerError::OtherSize { told: 7, size: 0 })));
    camp.vouch(0).unwrap();
    camp.checkpoint().unwrap().expect("a note");
    camp.vouch(0).unwrap();
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    let told = [61, 62].map(|seed| camp.witness_told(&format!("witness {seed}"), 99));
    assert!(told[0].is_ok() && matches!(told[1], Err(LedgerError::Lost { .. })));
    drop(camp);
    let camp = open(&site);
    assert!(matches!(camp.vouch(0), Err(LedgerError::OtherSize { told: 0, size: 7 })), "it has grown since");
    camp.vouch(7).unwrap();
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    camp.witness_told("witness 61", 99).unwrap();
    assert!(camp.witness_told("witness 62", 99).is_err());
    drop(camp);
    assert!(matches!(open(&site).vouch(7), Err(LedgerError::VouchedBefore { size: 7 })));
}

#[tokio::test]
async fn a_ledger_that_has_witnesses_signs_when_a_quorum_knows_of_nothing_more() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let camp = open(&site);
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, needed: 2 })));
    assert_eq!(camp.ledger_size(), Some(0), "nor is anything appended");
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    assert_eq!(witnesses[0].ask(&camp), Ok(vec![PartyNumber(1)]));
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 1, needed: 2 })));
    assert_eq!(witnesses[1].ask(&camp), Ok(vec![PartyNumber(2)]));
    let first = camp.checkpoint().unwrap().expect("a note");
    assert_eq!(first.size(), 7, "a certificate, a log, five entries");
    for witness in &mut witnesses {
        witness.ask(&camp).unwrap();
    }
    site.write(1, 1);
    camp.replica().notify().unwrap();
    let second = camp.checkpoint().unwrap().expect("another note");
    assert_eq!(second.size(), 7 + 1 + 2, "an entry, and the cosignatures of the note before");
    let leaves = site.store.ledger_leaves(8, 9).unwrap();
    assert!(leaves.iter().all(|leaf| matches!(Leaf::decode(leaf), Ok(Leaf::Cosignature(_)))));
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    assert_eq!(camp.checkpoint().unwrap(), None, "cosignatures alone bring no checkpoint");

    let roster = camp.replica().authority().roster();
    let counting = Witnesses::of(roster.charter().charter()).unwrap();
    let notes = roster.cosigned_notes();
    assert_eq!(notes.iter().map(|note| note.checkpoint().size()).collect::<Vec<_>>(), [7, 10]);
    assert!(notes.iter().all(|note| counting.tally(note).confirmation == Confirmation::Final));
    assert_eq!(roster.ids(Class::Cosignature).len(), 4);
}

#[tokio::test]
async fn a_restored_ledger_asks_first_and_one_that_lost_leaves_signs_nothing() {
    let mission = mission();
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let mut witnesses = [WitnessAt::new(&mission, 61), WitnessAt::new(&mission, 62)];
    {
        let camp = open(&site);
        witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
        camp.checkpoint().unwrap().expect("a note");
        witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    }
    // A copy finds its install marker gone, and takes a new id.
    let mut batch = Batch::new();
    batch.renew_store(StoreId::from_bytes([9; 16]));
    site.store.commit(batch).unwrap();
    site.write(1, 1);
    let camp = open(&site);
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, needed: 2 })));
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    assert_eq!(camp.checkpoint().unwrap().map(|note| note.size()), Some(10));
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());

    // A witness that saw more: whatever is signed now would take that back.
    assert!(matches!(camp.question(99), Err(LedgerError::Lost { told: 99, size: 10 })));
    camp.witness_told("witness 61", 99).unwrap();
    site.write(1, 1);
    camp.replica().notify().unwrap();
    assert!(camp.checkpoint().unwrap().is_some(), "one that may lie stops nothing");
    assert!(matches!(camp.witness_told("witness 62", 120), Err(LedgerError::Lost { told: 99, .. })));
    site.write(1, 1);
    camp.replica().notify().unwrap();
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Lost { told: 99, .. })));
    drop(camp);
    assert!(matches!(open(&site).checkpoint(), Err(LedgerError::Unconfirmed { .. })), "nor after a restart");
}

#[tokio::test]
async fn the_witnesses_of_one_party_do_not_stop_a_ledger_however_many_they_are() {
    let mission = Mission::witnessed(1, |party| vec![60 + party, 70 + party]);
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(5, 2);
    let camp = open(&site);
    let mut witnesses = [61, 71, 62].map(|seed| WitnessAt::new(&mission, seed));
    witnesses.iter_mut().for_each(|witness| _ = witness.ask(&camp).unwrap());
    for liar in ["witness 61", "witness 71", "the same under another name"] {
        camp.witness_told(liar, 1 << 60).unwrap();
    }
    assert!(camp.checkpoint().unwrap().is_some());
    assert!(matches!(camp.witness_told("witness 62", 99), Err(LedgerError::Lost { told: 99, .. })));
}

#[tokio::test]
async fn a_witness_confirms_its_own_party_and_nobody_elses() {
    let mission = mission();
    let site = Site::new(&mission, 60, Role::Camp);
    let camp = open(&site);
    let question = camp.question(0).unwrap().expect("the empty tree");
    let lines: Vec<String> = [61, 62]
        .map(|seed| {
            let accepted = decide(&question.body, &WitnessAt::new(&mission, seed).watched).unwrap();
            accepted.cosign(&key(seed), 1_764_576_000).unwrap()
        })
        .to_vec();
    // One of them gives the line of the other too, which it has seen before; then that line alone.
    for answer in [lines.concat(), lines[1].clone(), lines[0].clone()] {
        camp.take_answer(&question.checkpoint, answer.as_bytes(), "the liar").unwrap();
        assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 1, needed: 2 })));
    }
    camp.take_answer(&question.checkpoint, lines[1].as_bytes(), "the other").unwrap();
    assert!(camp.checkpoint().unwrap().is_some());
}

#[tokio::test]
async fn answers_that_are_no_cosignatures_bring_nothing() {
    let mission = mission();
    let site = Site::new(&mission, 60, Role::Camp);
    let camp = open(&site);
    let question = camp.question(0).unwrap().expect("the empty tree");
    let foreign = {
        let ledger = mission.charter.charter().ledger.clone().unwrap();
        let latest = None::<Observed>;
        let accepted = decide(&question.body, &[Watched { ledger, latest }]).unwrap();
        accepted.cosign(&key(77), 5).unwrap()
    };
    for (answer, is_malformed) in [("", false), ("oops\n", true), ("{\"error\": 1}", true), (foreign.as_str(), false)] {
        match camp.take_answer(&question.checkpoint, answer.as_bytes(), "a witness") {
            Err(AnswerError::Malformed) => assert!(is_malformed, "{answer}"),
            Err(AnswerError::NoWitness) => assert!(!is_malformed, "{answer}"),
            other => panic!("{answer}: {other:?}"),
        }
    }
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_runs_ahead_of_what_was_synced_shows_only_what_it_has() {
    let mission = Mission::new(1);
    let mut site = Site::new(&mission, 60, Role::Camp);
    site.write(3, 1);
    let camp = open(&site);
    let first = camp.checkpoint().unwrap().expect("a note");
    let other = Site::new(&mission, 61, Role::Camp);
    let at_other = other.replica();
    assert!(sync(&site.replica(), &at_other).await.is_fully_synced);
    site.write(2, 1);
    camp.replica().notify().unwrap();
    let second = camp.checkpoint().unwrap().expect("another note");
    let leaves = |from: u64, to: u64| -> Vec<Leaf> {
        let bytes = site.store.ledger_leaves(from, usize::try_from(to - from).unwrap()).unwrap();
        bytes.iter().map(|leaf| Leaf::decode(leaf).unwrap()).collect()
    };
    let mut batch = Batch::new();
    batch.statement(StatementClass::Note, None, second.as_bytes().to_vec());
    other.store.commit(batch).unwrap();
    let mut copy = LedgerCopy::of(&other.store).unwrap();
    let mut forged = leaves(0, second.size());
    forged.swap(0, 1);
    assert!(matches!(copy.extend(&second, &forged, &[]), Err(LedgerError::Unproved { .. })));
    assert_eq!(copy.size(), 0, "nothing is kept that nothing proves");
    // A part of it, with the proof that it is one.
    let proof = LedgerTiles::of(&site.store).consistency_proof(first.size(), second.size()).unwrap().unwrap();
    copy.extend(&second, &leaves(0, first.size()), &proof).unwrap();
    copy.extend(&second, &leaves(first.size(), second.size()), &[]).unwrap();
    assert_eq!(LedgerTiles::of(&other.store).root(second.size()).unwrap(), *second.root());

    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let replica = other.replica();
        bag::write(&other.store, replica.authority(), None, &dir.path().join(name)).unwrap()
    };
    let written = write("ahead");
    assert_eq!((written.leaves, written.notes), (first.size(), 2));
    assert_eq!(written.left_out, [LeftOut::Leaves { held: second.size(), used: first.size() }]);
    let info = |name: &str| {
        let info = std::fs::read_to_string(dir.path().join(name).join("bag-info.txt")).unwrap();
        merestone_core::audit::bag::BagInfo::parse(&info).leaves_left_out
    };
    assert_eq!(info("ahead"), second.size() - first.size(), "the auditor is told");
    assert!(sync(&site.replica(), &other.replica()).await.is_fully_synced);
    let written = write("synced");
    assert_eq!((written.leaves, written.left_out), (second.size(), vec![]));
    assert_eq!(info("synced"), 0);
}

#[test]
fn tiles_and_proofs_are_those_of_the_leaves() {
    let mut site = Site::new(&Mission::new(1), 60, Role::Camp);
    site.write(600, 50);
    open(&site).checkpoint().unwrap().expect("a note");
    let store: &Store = &site.store;
    let leaves = store.ledger_leaves(0, usize::MAX).unwrap();
    let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let tiles = LedgerTiles::of(store);
    let size = hashes.len() as u64;
    for earlier in [0, 1, 255, 256, 257, 511, 512, 513, size] {
        let old = root(&hashes[..earlier as usize]);
        assert_eq!(tiles.root(earlier).unwrap(), old, "{earlier}");
        let proof = tiles.consistency_proof(earlier, size).unwrap().expect("not more");
        assert_eq!(verify_consistency(earlier, &old, size, &root(&hashes), &proof), Ok(()), "{earlier}");
    }
    let bundle = TileAddress::in_tree(Row::Entries, 2, size).unwrap();
    let read = decode_bundle(bundle, &tiles.read(&bundle).unwrap().expect("a bundle")).unwrap();
    assert_eq!(read.iter().map(Leaf::encode).collect::<Vec<_>>(), leaves[512..]);
    assert_eq!(tiles.read(&TileAddress::new(Row::Hashes(0), 2, 256).unwrap()).unwrap(), None, "not full");
    assert!(tiles.root(size + 1).is_err());
}
