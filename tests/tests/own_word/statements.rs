//! The same of statements: acknowledgements, inclusions, successions and receipts, as whoever holds a certified key makes them.
//!
//! A receipt that lies about a log is no matter of its own signer: it fails a bag until its party cuts the key (`spec/bundle.md`).
//! Here receipts say less than there is, and say it as often as they like.

use merestone_core::checkpoint::Leaf;
use merestone_core::entry::LogHead;
use merestone_core::id::{BlobHash, StoreId};
use merestone_core::key::SigningKey;
use merestone_core::ledger::LedgerProof;
use merestone_core::merkle;
use merestone_core::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use merestone_core::roster::{
    Acknowledgement, Certificate, Cut, CutDraft, CutReason, Included, Inclusion, ProposedSuccession, Roster,
    SuccessionDraft,
};
use merestone_core::witness::{CosignedNote, Watched, decide};
use merestone_store::StatementClass;

use super::*;

/// The first of the keys that party 1 cuts, and how many.
const LOST: u8 = 20;
const LOST_KEYS: u8 = 3;
/// The other key of whoever states all this.
const OTHER: u8 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_certified_key_states_and_a_camp_accepts_its_bag_is_not_failed() {
    let seed = Chance::seed_from("MERESTONE_SEED");
    println!("MERESTONE_SEED={seed}");
    let mut stated = [0; 3];
    for run in 0..RUNS {
        let mut chance = Chance::new(seed.wrapping_add(run));
        let mission = Mission::witnessed(run as u8 + 1, |party| vec![60 + party]);
        let mut site = Site::new(&mission, 60, Role::Camp);
        let ledger = mission.charter.charter().ledger.clone().unwrap();
        let mut witnesses = [61, 62].map(|seed| (seed, Watched { ledger: ledger.clone(), latest: None }));
        let stater = Stater::of(&mission);
        stater
            .certificates
            .iter()
            .for_each(|certificate| site.learn(StatementClass::Certificate, certificate.as_bytes()));
        let mut accepted = 0;
        for meeting in 0..MEETINGS as u8 {
            write(&mut site, &mission, LOST + meeting % LOST_KEYS, 1 + chance.below(3));
            let camp = open(&site);
            make_final(&camp, &mut witnesses);
            let roster = camp.replica().authority().roster().clone();
            drop(camp);
            if (1..=LOST_KEYS).contains(&meeting) {
                cut(&site, &mission, LOST + meeting - 1, &mut chance);
            }
            for turn in 0..6 + chance.below(12) {
                let Some((class, bytes)) = stater.state(turn % 4, &mut chance, &roster, &site) else { continue };
                site.learn(class, &bytes);
                accepted += 1;
            }
        }
        let camp = open(&site);
        make_final(&camp, &mut witnesses);
        let report = audited(&camp, &site, &mission);
        let roster = camp.replica().authority().roster();
        assert!(accepted > 10, "run {run} of {seed}: {accepted}");
        let held = [roster.acknowledgements().count(), roster.receipts().count(), roster.successions().count()];
        stated.iter_mut().zip(held).for_each(|(stated, held)| *stated += held);
        assert_ne!(report.verdict(), Verdict::Failed, "run {run} of seed {seed}: {:#?}", failures(&report));
    }
    assert!(stated.iter().all(|stated| *stated > 0), "seed {seed} shows nothing of a class: {stated:?}");
}

/// Witnesses of both parties cosign: the first time that nothing is lost, then what was signed last and what it showed.
fn make_final(camp: &Camp, witnesses: &mut [(u8, Watched)]) {
    for _ in 0..3 {
        for (seed, watched) in witnesses.iter_mut() {
            let question = camp.question(watched.latest.map_or(0, |latest| latest.size)).unwrap();
            let Some(question) = question else { continue };
            let accepted = decide(&question.body, std::slice::from_ref(watched)).unwrap();
            watched.latest = Some(accepted.observed());
            let answer = accepted.cosign(&key(*seed), 1_764_576_000).unwrap();
            camp.take_answer(&question.checkpoint, answer.as_bytes(), &seed.to_string()).unwrap();
        }
        camp.checkpoint().unwrap();
    }
}

/// An observer of party 1 who will lose his phone writes some more.
fn write(site: &mut Site, mission: &Mission, seed: u8, records: u64) {
    let certificate = mission.certify(seed, Role::Observer, &[scope(1)]);
    site.learn(StatementClass::Certificate, certificate.as_bytes());
    let mut author = replica_support::Author::new(mission, seed, scope(1), certificate.id());
    let log = merestone_core::id::LogId::derive(key(seed).public().as_bytes(), scope(1), Epoch::from_bytes([seed; 8]));
    author.last = site.store.log_entries(log, 0, 100).unwrap().last().map(|last| (last.seq, last.id));
    let mut batch = Batch::new();
    (0..records).for_each(|_| _ = batch.entry(author.create(1, Vec::new())));
    site.store.commit(batch).unwrap();
}

/// His party cuts his key, at some height.
fn cut(site: &Site, mission: &Mission, seed: u8, chance: &mut Chance) {
    let (lost, epoch) = (key(seed), Epoch::from_bytes([seed; 8]));
    let log = merestone_core::id::LogId::derive(lost.public().as_bytes(), scope(1), epoch);
    let held = site.store.log_entries(log, 0, 100).unwrap();
    let head = chance.pick(&held).map(|entry| LogHead { scope: scope(1), epoch, seq: entry.seq, id: entry.id });
    let kept: Vec<LogHead> = head.into_iter().collect();
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &kept, reason: CutReason::Stolen, text: None };
    let cut = Cut::make(&mission.charter, &key(1), &draft).unwrap();
    site.learn(StatementClass::Cut, cut.as_bytes());
}

/// A key of the other party with several certificates, that states what comes to mind.
struct Stater {
    key: SigningKey,
    certificates: Vec<Certificate>,
    /// Another key of his, certified by the same party.
    other: SigningKey,
}

impl Stater {
    fn of(mission: &Mission) -> Self {
        let certify = |role| mission.certify_by(2, MALLORY, role, &[scope(1), scope(2)]);
        let mut certificates = [Role::Reviewer, Role::Camp, Role::Observer].map(certify).to_vec();
        certificates.push(mission.certify_by(2, OTHER, Role::Observer, &[scope(1)]));
        Self { key: key(MALLORY), certificates, other: key(OTHER) }
    }

    /// A statement of one of four classes that the mission lets in; `None` where chance made one that it does not.
    fn state(
        &self,
        class: u64,
        chance: &mut Chance,
        roster: &Roster,
        site: &Site,
    ) -> Option<(StatementClass, Vec<u8>)> {
        let certificate = chance.pick(&self.certificates)?.id();
        match class {
            0 => {
                let cuts: Vec<StatementId> = roster.cuts().map(Cut::id).collect();
                let made = Acknowledgement::make(roster, &self.key, certificate, *chance.pick(&cuts)?).ok()?;
                Some((StatementClass::Acknowledgement, made.as_bytes().to_vec()))
            }
            1 => {
                let made = self.include(chance, roster, site)?;
                Some((StatementClass::Inclusion, made.as_bytes().to_vec()))
            }
            2 => {
                let made = self.succeed(chance, roster, site)?;
                Some((StatementClass::Succession, made))
            }
            _ => {
                let made = Receipt::make(roster, &self.key, less_than_there_is(chance, site, certificate)).ok()?;
                Some((StatementClass::Receipt, made.as_bytes().to_vec()))
            }
        }
    }

    /// One of his keys follows the other, above whatever entries of anybody.
    fn succeed(&self, chance: &mut Chance, roster: &Roster, site: &Site) -> Option<Vec<u8>> {
        let tips = site.store.tips(None, None).unwrap();
        let tip = chance.pick(&tips)?;
        let held = site.store.log_entries(tip.log, 0, 100).unwrap();
        let seq = chance.below(1 << 20);
        let head = chance.pick(&held).map(|entry| LogHead { scope: tip.scope, epoch: tip.epoch, seq, id: entry.id });
        let heads: Vec<LogHead> = head.into_iter().collect();
        let (old, new) = if chance.once_in(2) { (&self.key, &self.other) } else { (&self.other, &self.key) };
        let draft = SuccessionDraft { old: old.public().as_bytes(), new: new.public().as_bytes(), heads: &heads };
        let proposed = ProposedSuccession::begin(roster, old, &draft).ok()?;
        Some(proposed.complete(roster, new).ok()?.as_bytes().to_vec())
    }

    /// Any leaf under any note.
    fn include(&self, chance: &mut Chance, roster: &Roster, site: &Site) -> Option<Inclusion> {
        let notes: Vec<CosignedNote> = roster.cosigned_notes();
        let note = chance.pick(&notes)?;
        let size = note.checkpoint().size();
        let leaves = site.store.ledger_leaves(0, usize::try_from(size).ok()?).unwrap();
        let hashes: Vec<_> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        let index = chance.below(size);
        let proof = LedgerProof { index, path: merkle::inclusion_proof(index, &hashes)?, note: note.encode() };
        let included = match Leaf::decode(leaves.get(index as usize)?).ok()? {
            Leaf::Statement(id) => Included::Statement(id),
            Leaf::Entry { log, seq, id } => {
                let (lost, epoch) = (LOST..LOST + LOST_KEYS)
                    .map(|seed| (*key(seed).public().as_bytes(), Epoch::from_bytes([seed; 8])))
                    .find(|(key, epoch)| merestone_core::id::LogId::derive(key, scope(1), *epoch) == log)?;
                Included::Entry { key: lost, head: LogHead { scope: scope(1), epoch, seq, id } }
            }
            _ => return None,
        };
        Inclusion::make(roster, &self.key, &included, &proof).ok()
    }
}

/// A receipt over some logs, to some heights at which they are, with the rest by chance.
fn less_than_there_is(chance: &mut Chance, site: &Site, certificate: StatementId) -> ReceiptDraft {
    let mut logs = Vec::new();
    for tip in site.store.tips(None, None).unwrap() {
        let held = site.store.log_entries(tip.log, 0, 100).unwrap();
        if let Some(entry) = chance.pick(&held).filter(|_| tip.height > 0) {
            logs.push(LogHeld {
                log: tip.log,
                height: entry.seq + 1,
                head: entry.id,
                missing: chance.below(entry.seq + 2),
            });
        }
    }
    logs.sort_unstable_by_key(|held| held.log);
    ReceiptDraft {
        store: StoreId::from_bytes([chance.below(3) as u8; 16]),
        counter: chance.below(1 << 40),
        logs,
        blobs: (0..chance.below(3)).map(|_| BlobHash::from_bytes([chance.below(200) as u8; 32])).collect(),
        certificate,
        left_out: LeftOut { logs: chance.below(5), blobs: chance.below(5) },
    }
}
