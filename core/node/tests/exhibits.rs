//! One entry for somebody who holds nothing but the mission's id, made where the ledger's leaves are and where they are not.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use common::{Mission, inspection};
use merestone_core::disclosure::Said;
use merestone_core::exhibit::Exhibit;
use merestone_core::key::SigningKey;
use merestone_core::roster::{Ledger, Role, SignedCharter};
use merestone_core::witness::{Confirmation, Watched, decide};
use merestone_node::Answer;
use merestone_node::records::ExhibitError;
use merestone_node::replica::{Camp, LedgerKey, Meet};

const LEDGER: [u8; 32] = [9; 32];
const WITNESSES: [u8; 3] = [31, 32, 33];

/// The mission of these tests with a ledger, and a witness of each party.
fn witnessed() -> Mission {
    let Mission { roots, charter } = Mission::found();
    let mut charter = charter.charter().clone();
    let key = *SigningKey::from_seed(&LEDGER).public();
    charter.ledger = Some(Ledger { origin: "border.example/ledger".into(), key });
    for (party, seed) in charter.parties.iter_mut().zip(WITNESSES) {
        party.witnesses = vec![*SigningKey::from_seed(&[seed; 32]).public()];
    }
    let mut signed = SignedCharter::begin(&charter, &roots[0]).unwrap();
    for root in &roots[1..] {
        signed.sign(root).unwrap();
    }
    Mission { charter: signed.complete().unwrap(), roots }
}

/// The first `count` witnesses cosign what the camp signed last.
fn cosign(camp: &Camp, watched: &mut [Watched], count: usize) {
    for (seed, watched) in WITNESSES.into_iter().zip(watched).take(count) {
        let old = watched.latest.map_or(0, |latest| latest.size);
        let Some(question) = camp.question(old).unwrap() else { continue };
        let accepted = decide(&question.body, std::slice::from_ref(watched)).unwrap();
        watched.latest = Some(accepted.observed());
        let answer = accepted.cosign(&SigningKey::from_seed(&[seed; 32]), 1_764_576_000).unwrap();
        camp.take_answer(&question.checkpoint, answer.as_bytes(), Some(&seed.to_string())).unwrap();
    }
    camp.checkpoint().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_shown_with_the_answers_that_were_chosen_and_no_others() {
    let mission = witnessed();
    let (home, home_of_camp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let phone = Arc::new(mission.device(home.path(), "a"));
    let base = Arc::new(mission.device(home_of_camp.path(), "b"));
    let observer = mission.enrol(&phone, 0, "Olena", "one");
    let key = mission.enrol_as(&base, 2, "Base camp", "two", Role::Camp);
    let ledger = mission.charter.charter().ledger.clone();
    let signs = LedgerKey::new(Arc::new(SigningKey::from_seed(&LEDGER)), ledger.as_ref()).unwrap();
    let camp = Camp::around(base.replica(&key).unwrap(), Some(signs), Duration::from_secs(900)).unwrap();

    let mut draft = phone.begin(&observer, mission.scope(), inspection()).unwrap();
    draft.answers.insert("post".into(), Answer::text("Bridge"));
    draft.answers.insert("remarks".into(), Answer::text("Kowalska was there"));
    let saved = phone.save(&draft).unwrap();
    let asked = ["post".to_owned(), "context/day".to_owned()];
    // The phone has no leaves: it shows that the entry was signed, and what it says.
    let bytes = phone.exhibit(saved.entry, &asked).unwrap();
    let exhibit = Exhibit::read(&bytes, phone.mission()).unwrap();
    assert!(exhibit.logged.is_none() && exhibit.certificates.len() == 1);

    let endpoint = camp.replica().bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
    let serving = camp.serve(endpoint).unwrap();
    let meet = Meet::new(serving.address(), camp.replica().transport_key());
    let replica = phone.replica(&observer).unwrap();
    let met = tokio::time::timeout(Duration::from_secs(120), replica.sync_with(meet).outcome()).await;
    assert!(met.expect("within two minutes").unwrap().is_fully_synced);
    serving.stop().await;

    let mut watched: Vec<Watched> =
        WITNESSES.iter().map(|_| Watched { ledger: ledger.clone().unwrap(), latest: None }).collect();
    let shown = |labels: &[String]| {
        let bytes = base.exhibit(saved.entry, labels).unwrap();
        let exhibit = Exhibit::read(&bytes, base.mission()).unwrap();
        let logged = exhibit.logged.as_ref().map(|logged| logged.tally.confirmation);
        let said = exhibit.disclosure().map(|disclosure| disclosure.opened().len());
        (bytes, logged, said)
    };
    // A new ledger signs nothing of its own before its witnesses know of nothing larger; then they cosign what it has.
    cosign(&camp, &mut watched, 3);
    cosign(&camp, &mut watched, 3);
    let (bytes, logged, said) = shown(&asked);
    assert_eq!((logged, said), (Some(Confirmation::Final), Some(2)));
    let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("Bridge") && !holds("Kowalska"));
    let exhibit = Exhibit::read(&bytes, base.mission()).unwrap();
    let disclosure = exhibit.disclosure().unwrap();
    let post = disclosure.opened().iter().find(|one| one.name == Some("post")).unwrap();
    assert!(matches!(&post.said, Some(Said::Answer(value)) if Answer::from(*value) == Answer::text("Bridge")));
    assert_eq!(shown(&[]).2, None, "without answers, only that it was signed");

    let unknown = base.exhibit(saved.entry, &["nobody".to_owned()]);
    assert!(matches!(unknown, Err(ExhibitError::Label { label, .. }) if label == "nobody"));
    let nowhere = base.exhibit(merestone_core::id::EntryId::from_bytes([1; 32]), &[]);
    assert!(matches!(nowhere, Err(ExhibitError::NotHeld { .. })));
}
