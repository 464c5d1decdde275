//! One entry, or a fork, for somebody who holds nothing but the mission's id; made where the ledger's leaves are and where they are not.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use common::{Mission, inspection};
use merestone_core::disclosure::Said;
use merestone_core::entry::{
    Body, Clock, ClockSource, Content, Context, EntryDraft, Kind, Position, Subject, VerifiedEntry,
};
use merestone_core::exhibit::Exhibit;
use merestone_core::fork::Fork;
use merestone_core::id::{EntryId, Epoch, RecordId};
use merestone_core::key::SigningKey;
use merestone_core::roster::{Certificate, Class, EnrolmentRequest, Ledger, RequestDraft, Role, SignedCharter};
use merestone_core::witness::{Confirmation, Watched, decide};
use merestone_node::Answer;
use merestone_node::records::{ExhibitError, ForkError};
use merestone_node::replica::{Camp, LedgerKey, Meet};
use merestone_store::Batch;

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
        camp.take_answer(&question.checkpoint, answer.as_bytes(), &seed.to_string()).unwrap();
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

#[test]
fn a_fork_is_shown_by_whoever_holds_both_entries_and_by_nobody_else() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let base = mission.device(home.path(), "b");
    let thief = SigningKey::from_seed(&[77; 32]);
    let draft = RequestDraft {
        mission: mission.charter.mission(),
        transport: [77; 32],
        observer: "Olena",
        device: "A copy of her phone",
        nonce: [7; 8],
        attestation: None,
        replaces: None,
    };
    let request = EnrolmentRequest::make(&draft, &thief).unwrap();
    let scopes = [mission.scope()];
    let certificate =
        Certificate::issue(&mission.charter, &mission.roots[0], &request, Role::Observer, &scopes).unwrap();
    base.receive(Class::Certificate, &[certificate.as_bytes().to_vec()]).unwrap();
    let entries: Vec<VerifiedEntry> =
        ["one", "two", "three"].map(|text| comment(&mission, &thief, &certificate, text)).into();
    let hold = |entry: &VerifiedEntry| {
        let mut batch = Batch::new();
        batch.entry(entry.clone());
        base.store().commit(batch).unwrap();
    };
    let first = entries[0].id();
    assert!(matches!(base.fork_statement(first), Err(ForkError::NotHeld { entry }) if entry == first));
    hold(&entries[0]);
    assert!(matches!(base.fork_statement(first), Err(ForkError::NotForked { entry }) if entry == first));
    entries[1..].iter().for_each(hold);
    let bytes = base.fork_statement(first).unwrap();
    let fork = Fork::read(&bytes, base.mission()).unwrap();
    let lowest = entries[1..].iter().map(VerifiedEntry::id).min().unwrap();
    let shown: Vec<EntryId> = fork.entries.iter().map(VerifiedEntry::id).collect();
    assert!(shown.contains(&first) && shown.contains(&lowest), "itself, and the lowest beside it");
    assert_eq!(fork.certified.unwrap().certificates[0].id(), certificate.id());
}

fn comment(mission: &Mission, key: &SigningKey, certificate: &Certificate, text: &str) -> VerifiedEntry {
    let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [1; 8], offset_min: 0, source: ClockSource::Device };
    let context = Context { clock, place: None, post: None, observer: "Olena".into(), photos: Vec::new() };
    let content = Content::Role { reason: None, text: Some(text.into()), seed: [1; 16] };
    let record = RecordId::from_bytes([5; 32]);
    let draft = EntryDraft {
        mission: mission.charter.mission(),
        scope: mission.scope(),
        epoch: Epoch::from_bytes([1; 8]),
        seq: 0,
        position: Position::First { certificate: certificate.id(), earlier: Vec::new() },
        kind: Kind::HostComment,
        subject: Subject::Of { record, refs: vec![record.as_entry()] },
        body: Body { content, context },
        commitment: None,
        seen: None,
    };
    draft.sign(key).unwrap()
}
