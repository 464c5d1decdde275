//! Whatever a certified key signs about itself and a base camp accepts, the camp's bag is not FAILED.
//!
//! Entries are generated over all fields of a header, go through conversations and the store, are logged and displaced
//! between them, and come out through the bag's writer. `MERESTONE_SEED=N cargo test --test own_word` replays a run.

#![allow(clippy::unwrap_used, reason = "helpers of a test may unwrap as its tests may")]
#![allow(clippy::print_stdout, reason = "the seed of a run is what it is replayed by")]

// The small mission that conversations of devices are tested with.
#[path = "../../../core/node/tests/replica_support/mod.rs"]
mod replica_support;
mod statements;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use merestone_audit::{Options, Report, Verdict, Weight, audit_folder};
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, LogHead, Position, Subject, VerifiedEntry,
};
use merestone_core::id::{EntryId, Epoch, FormHash, NoteHash, RecordId, StatementId};
use merestone_core::roster::Role;
use merestone_node::bag;
use merestone_node::replica::{Camp, CampKeys, CampOptions, LedgerKey};
use merestone_store::Batch;
use merestone_tests::chance::Chance;
use replica_support::{LEDGER, Mission, Site, key, scope, sync, transport};

const MALLORY: u8 = 11;

/// Runs of the suite; each plays another mission.
const RUNS: u64 = 6;
/// Meetings of a run, with a checkpoint after each.
const MEETINGS: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_certified_key_signs_and_a_camp_accepts_its_bag_is_not_failed() {
    let seed = Chance::seed_from("MERESTONE_SEED");
    println!("MERESTONE_SEED={seed}");
    for run in 0..RUNS {
        let mut chance = Chance::new(seed.wrapping_add(run));
        let mission = Mission::new(run as u8 + 1);
        let (mut anna, camp_site) = (Site::new(&mission, 10, Role::Observer), Site::new(&mission, 60, Role::Camp));
        anna.write(3, 2);
        let camp = open(&camp_site);
        assert!(sync(&anna.replica(), camp.replica()).await.is_fully_synced);
        let mut mallory = Mallory::of(&mission, &anna);
        for meeting in 0..MEETINGS {
            let phone = Site::new(&mission, MALLORY, Role::Observer);
            let entries: Vec<VerifiedEntry> =
                (0..6 + chance.below(30)).filter_map(|_| mallory.sign(&mut chance)).collect();
            if meeting.is_multiple_of(2) {
                let mut batch = Batch::new();
                entries.into_iter().for_each(|entry| _ = batch.entry(entry));
                phone.store.commit(batch).unwrap();
                sync(&phone.replica(), camp.replica()).await;
            } else {
                // A peer that sends what no device of ours would: the camp's store takes it as from a conversation.
                sync(&phone.replica(), camp.replica()).await;
                for entry in entries {
                    let mut batch = Batch::new();
                    batch.connected().entry(entry);
                    camp_site.store.commit(batch).unwrap();
                }
                camp.replica().notify().unwrap();
            }
            mallory.notes.extend(camp.checkpoint().unwrap().map(|note| note.hash()));
        }
        let report = audited(&camp, &camp_site, &mission);
        assert!(report.facts().counts.entries > 10, "run {run} of {seed}");
        assert_ne!(report.verdict(), Verdict::Failed, "run {run} of seed {seed}: {:#?}", failures(&report));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logged_entry_that_lower_siblings_displaced_is_in_the_bag_and_not_left_out() {
    let mission = Mission::new(1);
    let camp_site = Site::new(&mission, 60, Role::Camp);
    let camp = open(&camp_site);
    let phone = Site::new(&mission, MALLORY, Role::Observer);
    sync(&phone.replica(), camp.replica()).await;
    let mut mallory = Mallory::of(&mission, &phone);
    let first = mallory.at(0, Position::First { certificate: mallory.own, earlier: Vec::new() }, "first");
    let after = Position::Later { prev: first.id() };
    let victim =
        (0..).map(|n| mallory.at(1, after.clone(), &format!("victim {n}"))).find(|one| one.id().as_bytes()[0] > 0x80);
    let victim = victim.unwrap();
    let on_top = mallory.at(2, Position::Later { prev: victim.id() }, "on top");
    let commit = |entries: &[&VerifiedEntry]| {
        let mut batch = Batch::new();
        batch.connected();
        entries.iter().for_each(|entry| _ = batch.entry((*entry).clone()));
        camp_site.store.commit(batch).unwrap();
        camp.replica().notify().unwrap();
    };
    commit(&[&first, &victim, &on_top]);
    assert_eq!(camp.checkpoint().unwrap().map(|note| note.size()), Some(2 + 1 + 3));
    let lower = (0..).map(|n| mallory.at(1, after.clone(), &format!("lower {n}"))).filter(|one| one.id() < victim.id());
    let lower: Vec<VerifiedEntry> = lower.take(4).collect();
    commit(&lower.iter().collect::<Vec<_>>());
    assert!(!camp_site.store.log_entries(first.log(), 0, 100).unwrap().iter().any(|held| held.id == victim.id()));
    // Far above the fork, on an entry at another position: no leaf may follow from it.
    commit(&[&mallory.at(900, Position::Later { prev: first.id() }, "far")]);
    camp.checkpoint().unwrap();
    let report = audited(&camp, &camp_site, &mission);
    assert_eq!(failures(&report), Vec::<String>::new());
    assert_eq!(report.facts().counts.entries, 8, "the one that was displaced too");
    assert!(report.to_text().contains("complete as of checkpoint"), "{}", report.to_text());
}

fn open(site: &Site) -> Camp {
    let ledger = LedgerKey::new(Arc::new(key(LEDGER)), site.mission.charter.charter().ledger.as_ref()).unwrap();
    let keys = CampKeys { transport: transport(site.seed), receipts: site.receipt_key(), ledger: Some(ledger) };
    Camp::open(Arc::clone(&site.store), keys, CampOptions { is_inline: true, ..CampOptions::default() }).unwrap()
}

fn audited(camp: &Camp, site: &Site, mission: &Mission) -> Report {
    let target = site.dir.path().join("bag");
    bag::write(&site.store, camp.replica().authority(), None, &target).unwrap();
    audit_folder(Path::new(&target), mission.id(), &Options::default()).unwrap()
}

fn failures(report: &Report) -> Vec<String> {
    let failures = report.facts().findings.iter().filter(|finding| finding.weight == Weight::Failure);
    failures.map(|finding| format!("{} {:?} {}", finding.code, finding.place, finding.detail)).collect()
}

/// A certified observer who signs what comes to mind.
struct Mallory {
    mission: Mission,
    /// His own certificate.
    own: StatementId,
    certificates: Vec<StatementId>,
    /// What he signed and what others did: log place, id, record.
    known: Vec<(u64, EntryId, RecordId)>,
    at: BTreeMap<(u8, u8, u64), Vec<EntryId>>,
    notes: Vec<NoteHash>,
    count: u64,
}

impl Mallory {
    fn of(mission: &Mission, anna: &Site) -> Self {
        let own = mission.certify(MALLORY, Role::Observer, &[scope(1), scope(2)]).id();
        let stranger = StatementId::from_bytes([7; 32]);
        let certificates = vec![own, own, own, anna.certificate.id(), stranger];
        let held = anna.store.tips(None, None).unwrap();
        let held = held.iter().flat_map(|tip| anna.store.log_entries(tip.log, 0, 100).unwrap());
        let known = held.map(|entry| (entry.seq, entry.id, entry.record)).collect();
        let (at, notes) = (BTreeMap::new(), Vec::new());
        Self { mission: mission.clone(), own, certificates, known, at, notes, count: 0 }
    }

    /// A comment at a place, on a record of nobody.
    fn at(&mut self, seq: u64, position: Position, text: &str) -> VerifiedEntry {
        let subject = Subject::Of { record: RecordId::from_bytes([8; 32]), refs: vec![EntryId::from_bytes([8; 32])] };
        self.draft(seq, position, Kind::HostComment, subject, text).sign(&key(MALLORY)).unwrap()
    }

    /// An entry with fields by chance; `None` where no entry can have them.
    fn sign(&mut self, chance: &mut Chance) -> Option<VerifiedEntry> {
        self.count += 1;
        let (scope_n, epoch) = (1 + chance.below(2) as u8, chance.below(2) as u8);
        let seq = match chance.below(12) {
            0..=2 => 0,
            3 => chance.below(1 << 20),
            _ => 1 + chance.below(5),
        };
        let position = self.position(chance, (scope_n, epoch), seq);
        let kind = match chance.below(8) {
            0..=2 => Kind::Change,
            3 => Kind::from_code(9 + chance.below(200)).unwrap_or(Kind::HostComment),
            4 => Kind::CoAuthorship,
            _ => Kind::from_code(2 + chance.below(6)).unwrap_or(Kind::HostComment),
        };
        let subject = self.subject(chance, kind);
        let mut draft = self.draft(seq, position, kind, subject, &format!("number {}", self.count));
        (draft.scope, draft.epoch) = (scope(scope_n), Epoch::from_bytes([epoch; 8]));
        draft.seen = match chance.below(3) {
            0 => Some(NoteHash::from_bytes([chance.below(200) as u8; 32])),
            1 => chance.pick(&self.notes).copied(),
            _ => None,
        };
        let entry = draft.sign(&key(MALLORY)).ok()?;
        self.at.entry((scope_n, epoch, seq)).or_default().push(entry.id());
        self.known.push((seq, entry.id(), entry.record()));
        Some(entry)
    }

    fn position(&self, chance: &mut Chance, (scope_n, epoch): (u8, u8), seq: u64) -> Position {
        let Some(below) = seq.checked_sub(1) else {
            let certificate = *chance.pick(&self.certificates).unwrap();
            let head = |seq, id| LogHead { scope: scope(1), epoch: Epoch::from_bytes([99; 8]), seq, id };
            let known = chance.pick(&self.known).map(|(seq, id, _)| head(*seq, *id));
            let earlier = known.filter(|_| chance.once_in(3)).into_iter().collect();
            return Position::First { certificate, earlier };
        };
        let before = self.at.get(&(scope_n, epoch, below)).map_or(&[][..], Vec::as_slice);
        let prev = match chance.below(6) {
            0 => EntryId::from_bytes([chance.below(256) as u8; 32]),
            1 => chance.pick(&self.known).map_or(EntryId::from_bytes([1; 32]), |(_, id, _)| *id),
            _ => chance.pick(before).copied().unwrap_or(EntryId::from_bytes([2; 32])),
        };
        Position::Later { prev }
    }

    fn subject(&self, chance: &mut Chance, kind: Kind) -> Subject {
        if kind == Kind::Change && chance.once_in(2) {
            let writers = [vec![], vec![1], vec![1, 2]];
            return Subject::Creates { writers: chance.pick(&writers).cloned().unwrap_or_default() };
        }
        let named = chance.pick(&self.known).copied();
        let (_, id, record) = named.unwrap_or((0, EntryId::from_bytes([3; 32]), RecordId::from_bytes([3; 32])));
        let mut refs = vec![if chance.once_in(5) { EntryId::from_bytes([4; 32]) } else { id }];
        refs.extend(chance.pick(&self.known).map(|(_, id, _)| *id).filter(|_| chance.once_in(3)));
        refs.sort_unstable();
        refs.dedup();
        Subject::Of { record, refs }
    }

    fn draft(&self, seq: u64, position: Position, kind: Kind, subject: Subject, text: &str) -> EntryDraft {
        let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [9; 8], offset_min: 0, source: ClockSource::Device };
        let context = Context { clock, place: None, post: None, observer: text.to_owned(), photos: Vec::new() };
        let content = match kind {
            // No change at all: that is for whoever judges the record.
            Kind::Change => Content::Change(text.as_bytes().to_vec()),
            _ => Content::Role { reason: None, text: Some(text.to_owned()), seed: [5; 16] },
        };
        let root = merestone_core::id::sha256(&[text.as_bytes()]);
        let form = FormHash::from_bytes([3; 32]);
        EntryDraft {
            mission: self.mission.id(),
            scope: scope(1),
            epoch: Epoch::from_bytes([MALLORY; 8]),
            seq,
            position,
            kind,
            subject,
            body: Body { content, context },
            commitment: (kind == Kind::Change).then_some(Commitment { root, form }),
            seen: None,
        }
    }
}
