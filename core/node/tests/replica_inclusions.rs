//! What a camp shows of its ledger to those who hold no leaves, and what that makes of a cut.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

mod replica_support;

use std::sync::Arc;

use merestone_core::entry::LogHead;
use merestone_core::id::Epoch;
use merestone_core::roster::{
    Class, Coverage, Cut, CutDraft, CutReason, Included, LogIndex, LogPosition, PartyNumber, Role,
};
use merestone_core::witness::{Watched, decide};
use merestone_node::replica::{Camp, CampKeys, CampOptions, LedgerKey};
use merestone_store::StatementClass;
use replica_support::{Author, LEDGER, Mission, Site, key, meet, scope, serve, transport, within};

const CUT_SEED: u8 = 10;

fn open(site: &Site) -> Camp {
    let ledger = LedgerKey::new(Arc::new(key(LEDGER)), site.mission.charter.charter().ledger.as_ref()).unwrap();
    let keys = CampKeys { transport: transport(site.seed), receipts: site.receipt_key(), ledger: Some(ledger) };
    Camp::open(Arc::clone(&site.store), keys, CampOptions { is_inline: true, ..CampOptions::default() }).unwrap()
}

/// Witnesses of both parties cosign what the camp signed last.
fn make_final(camp: &Camp, watched: &mut [(u8, Watched)]) {
    for (seed, watched) in watched {
        let question =
            camp.question(watched.latest.map_or(0, |latest| latest.size)).unwrap().expect("something is signed");
        let accepted = decide(&question.body, std::slice::from_ref(watched)).unwrap();
        watched.latest = Some(accepted.observed());
        let answer = accepted.cosign(&key(*seed), 1_764_576_000).unwrap();
        camp.take_answer(&question.checkpoint, answer.as_bytes(), &seed.to_string()).unwrap();
    }
    camp.checkpoint().unwrap();
}

/// The seqs of the log that are covered, as a device sees it that has these statements and the whole log.
fn covered(roster: &merestone_core::roster::Roster, site: &Site) -> Vec<u64> {
    let links = site.store.links(site.store.tips(None, None).unwrap()[0].log, 0, 100).unwrap();
    let mut index = LogIndex::new();
    let log = site.store.tips(None, None).unwrap()[0].log;
    links.iter().for_each(|link| index.add(log, link.seq, link.id, link.prev));
    let (coverage, signer) = (Coverage::derive(roster, &index), key(CUT_SEED));
    let at = |seq, id| LogPosition {
        key: signer.public().as_bytes(),
        scope: scope(1),
        epoch: Epoch::from_bytes([CUT_SEED; 8]),
        seq,
        id,
    };
    links
        .iter()
        .filter(|link| coverage.is_covered(at(link.seq, link.id), PartyNumber(1)))
        .map(|link| link.seq)
        .collect()
}

#[tokio::test]
async fn a_camp_shows_what_was_final_before_a_cut_and_a_phone_keeps_it() {
    let mission = Mission::witnessed(1, |party| vec![60 + party]);
    let mut site = Site::new(&mission, 60, Role::Camp);
    let observer = mission.certify(CUT_SEED, Role::Observer, &[scope(1)]);
    site.learn(StatementClass::Certificate, observer.as_bytes());
    site.author = Author::new(&mission, CUT_SEED, scope(1), observer.id());
    site.write(5, 1);
    let ledger = mission.charter.charter().ledger.clone().unwrap();
    let mut witnesses = [61, 62].map(|seed| (seed, Watched { ledger: ledger.clone(), latest: None }));
    let camp = open(&site);
    // A new ledger signs once its witnesses know of nothing more; then twice: what is held, and nothing else.
    make_final(&camp, &mut witnesses);
    make_final(&camp, &mut witnesses);
    let shown =
        |camp: &Camp| camp.replica().authority().roster().inclusions().map(|one| *one.included()).collect::<Vec<_>>();
    assert_eq!(shown(&camp).len(), 2, "the two certificates");
    assert!(camp.replica().authority().roster().ledgered().contains(&observer.id()));
    drop(camp);

    // Two more entries, and a cut that keeps one of all.
    site.write(2, 1);
    let log = site.store.tips(None, None).unwrap()[0].log;
    let first = site.store.links(log, 0, 1).unwrap()[0];
    let kept = [LogHead { scope: scope(1), epoch: Epoch::from_bytes([CUT_SEED; 8]), seq: 0, id: first.id }];
    let lost = key(CUT_SEED);
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &kept, reason: CutReason::Misuse, text: None };
    let cut = Cut::make(&mission.charter, &key(1), &draft).unwrap();
    site.learn(StatementClass::Cut, cut.as_bytes());
    let camp = open(&site);
    assert_eq!(covered(&camp.replica().authority().roster(), &site), [1, 2, 3, 4, 5, 6], "before anything is shown");
    camp.checkpoint().unwrap().expect("a note over the cut");
    let leaves = camp.ledger_size();
    assert_eq!(shown(&camp).len(), 3, "the log's head under the note before the cut");
    assert_eq!(covered(&camp.replica().authority().roster(), &site), [5, 6]);
    make_final(&camp, &mut witnesses);
    camp.checkpoint().unwrap();
    assert_eq!(shown(&camp).len(), 3, "nothing is shown twice, and nobody else is known to hold the cut");
    let in_ledger = |seq: u64| site.store.ledger_places_of(log, seq, u64::MAX >> 1).unwrap().len();
    assert_eq!(in_ledger(0), 5, "what the cut would cover waits");

    // A reviewer of the other party comes by, and says that it holds the cut.
    let mut phone = Site::new(&mission, 20, Role::Reviewer);
    phone.certificate = mission.certify_by(2, 20, Role::Reviewer, &[scope(1), scope(2)]);
    phone.learn(StatementClass::Certificate, phone.certificate.as_bytes());
    let (serving, replica) = (serve(camp.replica()), phone.replica());
    within(replica.sync_with(meet(&serving, camp.replica())).outcome()).await.unwrap();
    within(replica.sync_with(meet(&serving, camp.replica())).outcome()).await.unwrap();
    assert_eq!(camp.replica().authority().roster().acknowledgements_of(cut.id()).count(), 1);
    assert!(camp.checkpoint().unwrap().is_some() && camp.ledger_size() > leaves);
    assert_eq!(in_ledger(0), 7, "what is set aside is logged, after it is known to be");
    make_final(&camp, &mut witnesses);
    let said = camp.replica().authority().roster().acknowledgements().next().unwrap().id();
    assert!(shown(&camp).contains(&Included::Statement(said)));
    assert_eq!(covered(&camp.replica().authority().roster(), &site), [5, 6]);
    camp.checkpoint().unwrap();

    within(replica.sync_with(meet(&serving, camp.replica())).outcome()).await.unwrap();
    within(serving.stop()).await;
    let roster = replica.authority().roster();
    assert_eq!(roster.digest(Class::Inclusion), camp.replica().authority().roster().digest(Class::Inclusion));
    assert_eq!(covered(&roster, &phone), [5, 6]);
}
