//! Random histories of entries, forks, cuts and final checkpoints: whatever the order in which they arrive, the same is
//! covered, and it is what the spec says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::checkpoint::{Checkpoint, Leaf};
use crate::entry::LogHead;
use crate::id::{EntryId, Epoch, LogId, StatementId};
use crate::ledger::LedgerProof;
use crate::merkle::{NodeHash, inclusion_proof, leaf_hash, root};
use crate::record::testing::{charter as plain_charter, key, scope};
use crate::roster::{
    Acknowledgement, Certificate, Class, CompleteCharter, Coverage, Cut, CutBy, CutDraft, CutReason, EnrolmentRequest,
    Included, Inclusion, LogIndex, LogPosition, PartyNumber, ProposedCut, RequestDraft, Role, Roster, SignedCharter,
};
use crate::witness::{Cosignature, CosignedNote, Witnesses};

const LOGS: u8 = 2;
const CUT_SEED: u8 = 30;

/// The test mission, where each party has a witness.
fn charter() -> CompleteCharter {
    static CHARTER: LazyLock<CompleteCharter> = LazyLock::new(|| {
        let mut charter = plain_charter().charter().clone();
        for (at, party) in (61..).zip(&mut charter.parties) {
            party.witnesses = vec![*key(at).public()];
        }
        let mut signed = SignedCharter::begin(&charter, &key(1)).expect("party 1 signs");
        for seed in 2..=3 {
            signed.sign(&key(seed)).expect("a party signs");
        }
        signed.complete().expect("all signed")
    });
    CHARTER.clone()
}

fn certificate(party: u8, seed: u8, role: Role) -> Certificate {
    let draft = RequestDraft {
        mission: charter().mission(),
        transport: [seed; 32],
        observer: "Observer",
        device: "Phone",
        nonce: [seed; 8],
        attestation: None,
        replaces: None,
    };
    let request = EnrolmentRequest::make(&draft, &key(seed)).expect("well formed");
    Certificate::issue(&charter(), &key(party), &request, role, &[scope(1)]).expect("a party certifies")
}

/// The final note over these leaves.
fn final_note(leaves: &[NodeHash]) -> Vec<u8> {
    let (charter, size) = (charter(), leaves.len() as u64);
    let witnesses = Witnesses::of(charter.charter()).expect("a ledger");
    let checkpoint = Checkpoint::make(witnesses.ledger(), &key(50), size, &root(leaves)).expect("the ledger signs");
    let mut note = CosignedNote::new(checkpoint);
    for seed in 61..=63 {
        let line = Cosignature::make(note.checkpoint(), &key(seed), 9).expect("it signs").line();
        note.add(line.as_bytes(), &witnesses).expect("a line");
    }
    note.encode()
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

fn epoch(log: u8) -> Epoch {
    Epoch::from_bytes([log; 8])
}

fn log_id(log: u8) -> LogId {
    LogId::derive(key(CUT_SEED).public().as_bytes(), scope(1), epoch(log))
}

#[derive(Clone, Copy, Debug)]
struct Link {
    log: u8,
    seq: u64,
    id: EntryId,
    prev: Option<EntryId>,
}

impl Link {
    fn head(&self) -> LogHead {
        LogHead { scope: scope(1), epoch: epoch(self.log), seq: self.seq, id: self.id }
    }

    fn included(&self) -> Included {
        Included::Entry { key: *key(CUT_SEED).public().as_bytes(), head: self.head() }
    }
}

/// Everything that was ever written in one mission about one key.
struct History {
    links: Vec<Link>,
    cuts: Vec<Cut>,
    acknowledgements: Vec<Acknowledgement>,
    leaves: Vec<Included>,
    /// Index and size of each inclusion that was made.
    inclusions: Vec<(usize, u64, Inclusion)>,
    statements: Vec<(Class, Vec<u8>)>,
}

impl History {
    fn random(dice: &mut Dice) -> Self {
        let links = Self::links(dice);
        let camp = certificate(3, 40, Role::Camp);
        let people = [certificate(1, CUT_SEED, Role::Observer), certificate(2, CUT_SEED, Role::Observer), camp];
        let hands = [1, 2, 3].map(|party| certificate(party, 40 + party, Role::Reviewer));
        let mut all = Roster::new(charter());
        let mut statements = Vec::new();
        let mut take = |roster: &mut Roster, class, bytes: &[u8]| {
            roster.admit(class, bytes).expect("well formed");
            statements.push((class, bytes.to_vec()));
        };
        people.iter().chain(&hands).for_each(|person| take(&mut all, Class::Certificate, person.as_bytes()));
        let cuts: Vec<Cut> = (0..1 + dice.below(3)).map(|_| Self::cut(&links, dice)).collect();
        cuts.iter().for_each(|cut| take(&mut all, Class::Cut, cut.as_bytes()));

        let acknowledgements = Self::acknowledgements(&all, &cuts, &hands, dice);
        acknowledgements.iter().for_each(|said| take(&mut all, Class::Acknowledgement, said.as_bytes()));
        let stated = cuts.iter().map(Cut::id).chain(acknowledgements.iter().map(Acknowledgement::id)).collect();
        let leaves = Self::leaves(&links, stated, dice);
        let hashes: Vec<NodeHash> = leaves.iter().map(|leaf| leaf_hash(&leaf.leaf().encode())).collect();
        let mut inclusions = Vec::new();
        for _ in 0..dice.below(4) {
            let size = 1 + dice.below(leaves.len());
            let note = final_note(&hashes[..size]);
            for _ in 0..dice.below(5) {
                let index = dice.below(size);
                let path = inclusion_proof(index as u64, &hashes[..size]).expect("a leaf of the tree");
                let proof = LedgerProof { index: index as u64, path, note: note.clone() };
                let made = Inclusion::make(&all, &key(40), &leaves[index], &proof).expect("a final note");
                take(&mut all, Class::Inclusion, made.as_bytes());
                inclusions.push((index, size as u64, made));
            }
        }
        Self { links, cuts, acknowledgements, leaves, inclusions, statements }
    }

    /// Some parties, or none, say that they hold each cut of another one.
    fn acknowledgements(
        roster: &Roster,
        cuts: &[Cut],
        hands: &[Certificate; 3],
        dice: &mut Dice,
    ) -> Vec<Acknowledgement> {
        let mut made = Vec::new();
        for cut in cuts {
            for (hand, seed) in hands.iter().zip(41..) {
                let is_another = matches!(cut.by(), CutBy::Party(party) if *party != hand.party());
                if is_another && dice.below(3) > 0 {
                    made.push(Acknowledgement::make(roster, &key(seed), hand.id(), cut.id()).expect("it holds it"));
                }
            }
        }
        made
    }

    /// Logs that may fork once.
    fn links(dice: &mut Dice) -> Vec<Link> {
        let mut links = Vec::new();
        for log in 1..=LOGS {
            let (length, fork) = (1 + dice.below(8) as u64, dice.below(12) as u64);
            let id = |branch: u8, seq: u64| {
                EntryId::from_bytes([log, branch, seq as u8].repeat(11)[..32].try_into().expect("32 bytes"))
            };
            for seq in 0..length {
                links.push(Link { log, seq, id: id(0, seq), prev: seq.checked_sub(1).map(|below| id(0, below)) });
            }
            for seq in fork..(fork + 3).min(length + 1) {
                let prev = seq.checked_sub(1).map(|below| id(u8::from(seq > fork), below));
                links.push(Link { log, seq, id: id(1, seq), prev });
            }
        }
        links
    }

    fn cut(links: &[Link], dice: &mut Dice) -> Cut {
        let mut kept = Vec::new();
        for log in 1..=LOGS {
            let of: Vec<&Link> = links.iter().filter(|link| link.log == log).collect();
            if dice.below(3) > 0 {
                kept.push(of[dice.below(of.len())].head());
            }
        }
        let (lost, text) = (key(CUT_SEED), dice.below(1 << 20).to_string());
        let draft = CutDraft { key: lost.public().as_bytes(), kept: &kept, reason: CutReason::Lost, text: Some(&text) };
        match dice.below(3) {
            0 => {
                let mut proposed = ProposedCut::begin(&charter(), &key(1), &draft).expect("a party signs");
                proposed.sign(&charter(), &key(3)).expect("a party signs");
                proposed.complete(&charter()).expect("a quorum")
            }
            party => Cut::make(&charter(), &key(party as u8), &draft).expect("a party cuts"),
        }
    }

    /// Entries after those they name, and statements between them.
    fn leaves(links: &[Link], mut stated: Vec<StatementId>, dice: &mut Dice) -> Vec<Included> {
        let mut open: Vec<&Link> = links.iter().collect();
        let (mut leaves, mut logged) = (Vec::new(), BTreeSet::new());
        while !open.is_empty() || !stated.is_empty() {
            let ready: Vec<usize> =
                (0..open.len()).filter(|at| open[*at].prev.is_none_or(|prev| logged.contains(&prev))).collect();
            if ready.is_empty() || (!stated.is_empty() && dice.below(4) == 0) {
                leaves.push(Included::Statement(stated.remove(dice.below(stated.len()))));
                continue;
            }
            let link = open.remove(ready[dice.below(ready.len())]);
            logged.insert(link.id);
            leaves.push(link.included());
            if dice.below(4) == 0 {
                leaves.push(Self::invented(link, dice));
            }
        }
        leaves
    }

    /// What the ledger's key may log although nobody signed it there.
    fn invented(link: &Link, dice: &mut Dice) -> Included {
        let (head, unknown) = (link.head(), EntryId::from_bytes([dice.below(200) as u8; 32]));
        let head = match dice.below(4) {
            0 => LogHead { seq: 1_000_000, id: unknown, ..head },
            1 => LogHead { seq: head.seq + dice.below(3) as u64, id: unknown, ..head },
            2 => LogHead { seq: head.seq + 1 + dice.below(3) as u64, ..head },
            _ => LogHead { epoch: epoch(1 + dice.below(3) as u8), ..head },
        };
        Included::Entry { key: *key(CUT_SEED).public().as_bytes(), head }
    }

    /// What the spec says is covered of what `party` certified, where every entry is held.
    fn covered(&self, party: PartyNumber) -> BTreeSet<EntryId> {
        let by_id: BTreeMap<EntryId, &Link> = self.links.iter().map(|link| (link.id, link)).collect();
        let below = |head: EntryId| {
            let chain = std::iter::successors(by_id.get(&head), |link| link.prev.and_then(|prev| by_id.get(&prev)));
            chain.map(|link| link.id).collect::<Vec<_>>()
        };
        let mut covered = BTreeSet::new();
        for cut in self.cuts.iter().filter(|cut| cut.by().parties().contains(&party)) {
            let mut spared: BTreeSet<EntryId> = cut.kept().iter().flat_map(|head| below(head.id)).collect();
            if cut.by().parties().len() == 1 {
                // Of three parties one may lie: with the party itself one more is enough.
                let says = |id| self.acknowledgements.iter().any(|said| said.id() == id && said.cut() == cut.id());
                let shown = |(index, _, _): &&(usize, u64, Inclusion)| matches!(self.leaves[*index], Included::Statement(id) if says(id));
                let stands = self.inclusions.iter().filter(shown).map(|(index, _, _)| *index as u64).min();
                for (index, _, _) in &self.inclusions {
                    if let Included::Entry { head, .. } = self.leaves[*index]
                        && stands.is_none_or(|stands| (*index as u64) < stands)
                        && by_id.get(&head.id).is_some_and(|link| link.head() == head)
                    {
                        spared.extend(below(head.id));
                    }
                }
            }
            covered.extend(self.links.iter().map(|link| link.id).filter(|id| !spared.contains(id)));
        }
        covered
    }
}

fn found(links: &[Link], coverage: &Coverage, party: PartyNumber) -> BTreeSet<EntryId> {
    let signer = key(CUT_SEED);
    let is_covered = |link: &&Link| {
        let LogHead { scope, epoch, seq, id } = link.head();
        coverage.is_covered(LogPosition { key: signer.public().as_bytes(), scope, epoch, seq, id }, party)
    };
    links.iter().filter(is_covered).map(|link| link.id).collect()
}

/// Takes statements and entries in the order given, statements again and again until nothing is news.
fn replica(statements: &[(Class, Vec<u8>)], links: &[Link]) -> (Roster, Coverage) {
    let mut roster = Roster::new(charter());
    while statements
        .iter()
        .filter(|(class, bytes)| matches!(roster.admit(*class, bytes), Ok(crate::roster::Admitted::New(_))))
        .count()
        > 0
    {}
    let mut index = LogIndex::new();
    links.iter().for_each(|link| index.add(log_id(link.log), link.seq, link.id, link.prev));
    let coverage = Coverage::derive(&roster, &index);
    (roster, coverage)
}

#[test]
fn the_same_statements_and_entries_cover_the_same_in_every_order_and_what_the_spec_says() {
    let mut covered_some = 0;
    for seed in 1..=60 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let history = History::random(&mut dice);
        let (mut statements, mut links) = (history.statements.clone(), history.links.clone());
        for _ in 0..2 {
            dice.shuffle(&mut statements);
            dice.shuffle(&mut links);
            let (_, coverage) = replica(&statements, &links);
            for party in [1, 2].map(PartyNumber) {
                let (found, wanted) = (found(&history.links, &coverage, party), history.covered(party));
                assert_eq!(found, wanted, "seed {seed}, party {party}");
                covered_some += usize::from(!wanted.is_empty());
            }
        }
        // A part of it, in two orders.
        let (some, few) = (1 + dice.below(statements.len()), dice.below(links.len() + 1));
        let (statements, links) = (&mut statements[..some], &mut links[..few]);
        let (roster, here) = replica(statements, links);
        dice.shuffle(statements);
        dice.shuffle(links);
        let (other, there) = replica(statements, links);
        assert_eq!(roster.digest(Class::Inclusion), other.digest(Class::Inclusion), "seed {seed}");
        for party in [1, 2].map(PartyNumber) {
            assert_eq!(found(links, &here, party), found(links, &there, party), "seed {seed}, party {party}");
        }
    }
    assert!(covered_some > 40, "{covered_some}");
}

#[test]
fn a_party_alone_cannot_cut_below_what_was_final_before_and_a_quorum_can() {
    let links: Vec<Link> =
        History::links(&mut Dice(7)).into_iter().filter(|link| link.log == 1 && link.id.as_bytes()[1] == 0).collect();
    let top = links.last().copied().expect("a log has an entry");
    let (lost, mut roster) = (key(CUT_SEED), Roster::new(charter()));
    let camp = certificate(3, 40, Role::Camp);
    for person in [&certificate(1, CUT_SEED, Role::Observer), &camp] {
        roster.admit(Class::Certificate, person.as_bytes()).expect("well formed");
    }
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Misuse, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    let mut holding = roster.clone();
    holding.admit(Class::Cut, cut.as_bytes()).expect("well formed");
    let said = Acknowledgement::make(&holding, &key(40), camp.id(), cut.id()).expect("another party");
    // The party that runs the ledger logged the cut before anything else, and showed it to nobody.
    let mut leaves = vec![Included::Statement(cut.id())];
    leaves.extend(links[..links.len() - 1].iter().map(Link::included));
    let before = leaves.len();
    leaves.push(Included::Statement(said.id()));
    leaves.push(top.included());
    let hashes: Vec<NodeHash> = leaves.iter().map(|leaf| leaf_hash(&leaf.leaf().encode())).collect();
    let proof = |index: usize, size: usize| {
        let path = inclusion_proof(index as u64, &hashes[..size]).expect("a leaf");
        LedgerProof { index: index as u64, path, note: final_note(&hashes[..size]) }
    };
    let mut index = LogIndex::new();
    links.iter().for_each(|link| index.add(log_id(1), link.seq, link.id, link.prev));
    let covered = |roster: &Roster| found(&links, &Coverage::derive(roster, &index), PartyNumber(1)).len();

    let early = Inclusion::make(&roster, &key(40), &leaves[before - 1], &proof(before - 1, before));
    assert!(early.is_err(), "about a key that no cut ends");
    roster.admit(Class::Cut, cut.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), links.len(), "nothing is final: a party cuts at any height");
    let hidden = Inclusion::make(&roster, &key(40), &leaves[0], &proof(0, before)).expect("final");
    roster.admit(Class::Inclusion, hidden.as_bytes()).expect("well formed");

    // What stands in the ledger after the acknowledgement was not there before it, and the newest note shows both.
    let late = Inclusion::make(&roster, &key(40), &top.included(), &proof(before + 1, before + 2)).expect("final");
    roster.admit(Class::Inclusion, late.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), 0, "nobody else is known to hold the cut");
    roster.admit(Class::Acknowledgement, said.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), 0, "where the acknowledgement stands is not known");
    let stands = Inclusion::make(&roster, &key(40), &leaves[before], &proof(before, before + 1)).expect("final");
    roster.admit(Class::Inclusion, stands.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), links.len());

    let below = Inclusion::make(&roster, &key(40), &leaves[before - 1], &proof(before - 1, before + 2)).expect("final");
    roster.admit(Class::Inclusion, below.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), 1, "all but the last was in the ledger before, whichever note shows it");

    let mut proposed = ProposedCut::begin(&charter(), &key(1), &draft).expect("a party signs");
    proposed.sign(&charter(), &key(2)).expect("a party signs");
    let agreed = proposed.complete(&charter()).expect("a quorum");
    roster.admit(Class::Cut, agreed.as_bytes()).expect("well formed");
    assert_eq!(covered(&roster), links.len(), "a quorum cuts below");
}

#[test]
fn what_shows_nothing_final_about_something_held_is_refused_by_name() {
    use crate::check::Check;
    use crate::roster::MakeError;

    let (lost, mut roster) = (key(CUT_SEED), Roster::new(charter()));
    let camp = certificate(3, 40, Role::Camp);
    let auditor = certificate(3, 41, Role::Auditor);
    for person in [&certificate(1, CUT_SEED, Role::Observer), &camp, &auditor] {
        roster.admit(Class::Certificate, person.as_bytes()).expect("well formed");
    }
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    roster.admit(Class::Cut, cut.as_bytes()).expect("well formed");
    let leaves = [Included::Statement(camp.id()), Included::Statement(cut.id())];
    let hashes = leaves.map(|leaf| leaf_hash(&leaf.leaf().encode()));
    let path = inclusion_proof(1, &hashes).expect("a leaf");
    let good = LedgerProof { index: 1, path, note: final_note(&hashes) };
    let check = |signer: u8, included: &Included, proof: &LedgerProof| match Inclusion::make(
        &roster,
        &key(signer),
        included,
        proof,
    ) {
        Err(MakeError::Refused(refused)) => Some(refused.check),
        Err(MakeError::Signer(_)) => panic!("the key signs"),
        Ok(_) => None,
    };
    let absent = Included::Statement(StatementId::from_bytes([1; 32]));
    let checkpoint =
        Checkpoint::make(charter().charter().ledger.as_ref().expect("a ledger"), &key(50), 2, &root(&hashes));
    let alone = checkpoint.expect("it signs").as_bytes().to_vec();
    assert_eq!(check(40, &leaves[1], &good), None);
    assert_eq!(check(42, &leaves[1], &good), Some(Check::InclusionSigner));
    assert_eq!(check(41, &leaves[1], &good), Some(Check::InclusionSigner), "an auditor signs nothing");
    assert_eq!(check(40, &absent, &good), Some(Check::InclusionProof), "another statement");
    assert_eq!(check(40, &leaves[0], &good), Some(Check::InclusionProof), "another leaf");
    assert_eq!(check(40, &leaves[1], &LedgerProof { index: 0, ..good.clone() }), Some(Check::InclusionProof));
    assert_eq!(check(40, &leaves[1], &LedgerProof { note: alone, ..good.clone() }), Some(Check::InclusionFinal));
    assert!(matches!(leaves[1].leaf(), Leaf::Statement(_)));
}
