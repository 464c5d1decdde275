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
use merestone_node::replica::{AnswerError, Camp, CampKeys, CampOptions, LedgerError, LedgerKey, LedgerTiles};
use merestone_store::{Batch, Store};
use replica_support::{LEDGER, Mission, Site, key, transport};

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
        let question = camp.question(self.old()).map_err(|error| error.to_string())?.expect("something is signed");
        let accepted = decide(&question.body, &self.watched).map_err(|refusal| refusal.to_string())?;
        self.watched[0].latest = Some(accepted.observed());
        let answer = accepted.cosign(&key(self.seed), 1_764_576_000).unwrap();
        let asked = format!("witness {}", self.seed);
        let cosigned = camp.take_answer(&question.checkpoint, answer.as_bytes(), Some(&asked));
        Ok(cosigned.map_err(|error| error.to_string())?.parties)
    }
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
    // One of them gives the line of the other too, which it has seen before; then that line alone; then both on a stick.
    for answer in [lines.concat(), lines[1].clone(), lines[0].clone()] {
        camp.take_answer(&question.checkpoint, answer.as_bytes(), Some("the liar")).unwrap();
        assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 1, needed: 2 })));
    }
    camp.take_answer(&question.checkpoint, lines.concat().as_bytes(), None).unwrap();
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 1, needed: 2 })));
    camp.take_answer(&question.checkpoint, lines[1].as_bytes(), Some("the other")).unwrap();
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
        match camp.take_answer(&question.checkpoint, answer.as_bytes(), Some("a witness")) {
            Err(AnswerError::Malformed) => assert!(is_malformed, "{answer}"),
            Err(AnswerError::NoWitness) => assert!(!is_malformed, "{answer}"),
            other => panic!("{answer}: {other:?}"),
        }
    }
    assert!(matches!(camp.checkpoint(), Err(LedgerError::Unconfirmed { heard: 0, .. })));
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
