//! A small mission for tests: parties 1, 2 and 3 with root keys of those seeds, scopes 1 and 2; and hands that write
//! entries in it, honest or not.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::HeldEntry;
use crate::change::{Basis, OpRef, Put, Value, compose};
use crate::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject, VerifiedEntry,
};
use crate::id::{Actor, ChangeHash, EntryId, Epoch, FormHash, MissionId, RecordId, ScopeId, StatementId, sha256};
use crate::key::SigningKey;
use crate::roster::{
    Certificate, Charter, Class, CompleteCharter, EnrolmentRequest, Ledger, Party, PartyNumber, RequestDraft, Role,
    Roster, Scope, SignedCharter,
};

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn scope(n: u8) -> ScopeId {
    ScopeId::from_bytes([n; 8])
}

pub(crate) fn charter() -> CompleteCharter {
    static CHARTER: LazyLock<CompleteCharter> = LazyLock::new(|| charter_with_scopes(2));
    CHARTER.clone()
}

pub(crate) fn charter_with_scopes(scopes: u8) -> CompleteCharter {
    let party = |number: u8| {
        let (name, root) = (format!("Party {number}"), *key(number).public());
        Party { number: PartyNumber(number.into()), name, root, witnesses: Vec::new() }
    };
    let charter = Charter {
        name: "Test mission".into(),
        nonce: [1; 16],
        parties: vec![party(1), party(2), party(3)],
        scopes: (1..=scopes).map(|n| Scope { id: scope(n), name: format!("Scope {n}") }).collect(),
        forms: Vec::new(),
        ledger: Some(Ledger { origin: "example.org/ledger".into(), key: *key(50).public() }),
        quorum: 2,
    };
    let mut signed = SignedCharter::begin(&charter, &key(1)).expect("party 1 signs");
    for seed in 2..=3 {
        signed.sign(&key(seed)).expect("a party signs");
    }
    signed.complete().expect("all signed")
}

pub(crate) fn request(seed: u8, observer: &str) -> EnrolmentRequest {
    request_for(charter().mission(), seed, observer, "Phone")
}

pub(crate) fn request_for(mission: MissionId, seed: u8, observer: &str, device: &str) -> EnrolmentRequest {
    let draft = RequestDraft {
        mission,
        transport: [seed; 32],
        observer,
        device,
        nonce: [seed; 8],
        attestation: None,
        replaces: None,
    };
    EnrolmentRequest::make(&draft, &key(seed)).expect("well formed")
}

/// Party `party` certifies the key of `seed` for both scopes.
pub(crate) fn certificate(party: u8, seed: u8, role: Role) -> Certificate {
    let request = request(seed, "Observer");
    Certificate::issue(&charter(), &key(party), &request, role, &[scope(1), scope(2)]).expect("a party certifies")
}

pub(crate) fn roster(certificates: &[Certificate]) -> Roster {
    let mut roster = Roster::new(charter());
    for certificate in certificates {
        roster.admit(Class::Certificate, certificate.as_bytes()).expect("well formed");
    }
    roster
}

/// One log being written. Copying a pen and writing with both makes a fork.
#[derive(Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) seed: u8,
    pub(crate) scope: ScopeId,
    pub(crate) epoch: Epoch,
    pub(crate) certificate: StatementId,
    pub(crate) seq: u64,
    pub(crate) prev: Option<EntryId>,
}

impl Pen {
    pub(crate) fn new(certificate: &Certificate, seed: u8) -> Self {
        let (scope, epoch) = (scope(1), Epoch::from_bytes([seed; 8]));
        Self { seed, scope, epoch, certificate: certificate.id(), seq: 0, prev: None }
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::derive(charter().mission(), key(self.seed).public().as_bytes(), self.scope, self.epoch)
    }

    fn sign(&mut self, kind: Kind, subject: Subject, content: Content) -> HeldEntry {
        let commitment = Commitment { root: [0; 32], form: FormHash::from_bytes([0; 32]) };
        let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
        let context = Context { clock, place: None, post: None, observer: "Observer".into(), photos: Vec::new() };
        let position = match self.prev {
            Some(prev) => Position::Later { prev },
            None => Position::First { certificate: self.certificate, earlier: Vec::new() },
        };
        let draft = EntryDraft {
            mission: charter().mission(),
            scope: self.scope,
            epoch: self.epoch,
            seq: self.seq,
            position,
            kind,
            subject,
            body: Body { content, context },
            commitment: (kind == Kind::Change).then_some(commitment),
            seen: None,
        };
        let entry = draft.sign(&key(self.seed)).expect("well formed");
        (self.seq, self.prev) = (self.seq + 1, Some(entry.id()));
        HeldEntry::new(entry, Some(self.certificate))
    }
}

/// Remembers what was written, so that the next change can name what it builds on.
#[derive(Default)]
pub(crate) struct Book {
    changes: HashMap<EntryId, Made>,
    signed: u64,
}

struct Made {
    refs: Vec<EntryId>,
    hash: ChangeHash,
    actor: Actor,
    pub(crate) seq: u64,
    start_op: u64,
    puts: Vec<(String, Vec<OpRef>)>,
}

impl Book {
    pub(crate) fn create(&mut self, pen: &mut Pen, writers: &[u64], puts: &[(&str, i64)]) -> HeldEntry {
        let subject = Subject::Creates { writers: writers.to_vec() };
        self.write(pen, subject, Basis::creation(), puts)
    }

    /// A change on `refs`, replacing all values of its keys that stand there.
    pub(crate) fn change(&mut self, pen: &mut Pen, on: &[&HeldEntry], puts: &[(&str, i64)]) -> HeldEntry {
        let refs: Vec<EntryId> = on.iter().map(|held| held.id()).collect();
        self.change_with(pen, on[0].entry().record(), &refs, puts, |_| ())
    }

    /// The same, after `edit` spoiled what it builds on.
    pub(crate) fn change_with(
        &mut self,
        pen: &mut Pen,
        record: RecordId,
        refs: &[EntryId],
        puts: &[(&str, i64)],
        edit: impl Fn(&mut Basis),
    ) -> HeldEntry {
        let named: Vec<&Made> = refs.iter().map(|id| &self.changes[id]).collect();
        let (mut refs, mut deps) = (refs.to_vec(), named.iter().map(|made| made.hash).collect::<Vec<_>>());
        refs.sort_unstable();
        refs.dedup();
        deps.sort_unstable();
        deps.dedup();
        let own = named.iter().filter(|made| made.actor == pen.actor()).map(|made| made.seq);
        let seq = 1 + own.max().unwrap_or(0);
        let start_op = named.iter().map(|made| made.start_op + made.puts.len() as u64).max().unwrap_or(1);
        let mut basis = Basis { refs, deps, seq, start_op };
        edit(&mut basis);
        self.write(pen, Subject::Of { record, refs: basis.refs.clone() }, basis, puts)
    }

    pub(crate) fn role(&mut self, pen: &mut Pen, kind: Kind, on: &[&HeldEntry]) -> HeldEntry {
        let refs = on.iter().map(|held| held.id()).collect();
        let subject = Subject::Of { record: on[0].entry().record(), refs };
        let content = Content::Role { reason: None, text: Some("text".into()), seed: self.seed() };
        pen.sign(kind, subject, content)
    }

    fn write(&mut self, pen: &mut Pen, subject: Subject, basis: Basis, puts: &[(&str, i64)]) -> HeldEntry {
        let mut keys: Vec<&str> = puts.iter().map(|&(key, _)| key).collect();
        keys.sort_unstable();
        let seed = self.seed();
        let preds = |key: &str| self.standing_ops(&basis.refs, key);
        let made = keys.iter().map(|&key| (key.to_owned(), preds(key))).collect();
        let puts = puts.iter().map(|&(key, value)| Put { key, value: Value::Int(value), preds: preds(key) });
        let composed = compose(pen.actor(), seed, &basis, puts.collect()).expect("well formed");
        let held = pen.sign(Kind::Change, subject, Content::Change(composed.chunk));
        let Basis { refs, deps: _, seq, start_op } = basis;
        let made = Made { refs, hash: composed.hash, actor: pen.actor(), seq, start_op, puts: made };
        self.changes.insert(held.id(), made);
        held
    }

    /// The operations on `key` that stand at `heads`.
    fn standing_ops(&self, heads: &[EntryId], key: &str) -> Vec<OpRef> {
        let (mut seen, mut queue) = (BTreeSet::new(), heads.to_vec());
        let (mut ops, mut replaced) = (BTreeSet::new(), BTreeSet::new());
        while let Some(id) = queue.pop() {
            let Some(made) = self.changes.get(&id).filter(|_| seen.insert(id)) else { continue };
            queue.extend(&made.refs);
            if let Ok(index) = made.puts.binary_search_by(|(name, _)| name.as_str().cmp(key)) {
                ops.insert(OpRef { counter: made.start_op + index as u64, actor: made.actor });
                replaced.extend(made.puts[index].1.iter().copied());
            }
        }
        ops.difference(&replaced).copied().collect()
    }

    fn seed(&mut self) -> [u8; 16] {
        self.signed += 1;
        let digest = sha256(&[&self.signed.to_be_bytes()]);
        std::array::from_fn(|index| digest[index])
    }
}

/// The same entry without its body.
pub(crate) fn without_body(held: &HeldEntry) -> HeldEntry {
    let mut entry: VerifiedEntry = held.entry().clone();
    entry.remove_body();
    HeldEntry::new(entry, held.certificate())
}
