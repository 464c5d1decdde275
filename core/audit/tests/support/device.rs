//! A device that signs: its log, and changes that others can build on.

use merestone_core::change::{Basis, Change, OpRef, Put, Value, compose};
use merestone_core::checkpoint::Leaf;
use merestone_core::claims::Claims;
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, LogHead, Photo, Position, Subject,
    VerifiedEntry,
};
use merestone_core::form::LeafTable;
use merestone_core::id::{Actor, ChangeHash, EntryId, Epoch, FormHash, LogId, MissionId, NoteHash, RecordId};
use merestone_core::key::SigningKey;
use merestone_core::roster::Certificate;

use super::{Mission, key, scope};

/// A change that others can build on.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) id: EntryId,
    pub(crate) record: RecordId,
    pub(crate) hash: ChangeHash,
    pub(crate) actor: Actor,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) keys: Vec<String>,
}

pub(crate) struct Device {
    seed: u8,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
    pub(crate) epoch: Epoch,
    pub(crate) entries: Vec<VerifiedEntry>,
    pub(crate) mission: MissionId,
    pub(crate) observer: String,
    pub(crate) wall_ms: i64,
    /// The heads of earlier epochs that the next log begins with.
    pub(crate) earlier: Vec<LogHead>,
    /// The checkpoint that the next entries name.
    pub(crate) seen: Option<NoteHash>,
    seeds: u8,
}

impl Device {
    pub(crate) fn new(mission: MissionId, seed: u8, observer: &str, certificate: Certificate) -> Self {
        Self {
            seed,
            key: key(seed),
            certificate,
            epoch: Epoch::from_bytes([seed; 8]),
            entries: Vec::new(),
            mission,
            observer: observer.into(),
            wall_ms: 1_767_225_600_000,
            earlier: Vec::new(),
            seen: None,
            seeds: 0,
        }
    }

    /// A copy of the device: what it signs from here on forks the log.
    pub(crate) fn twin(&self) -> Self {
        Self {
            seed: self.seed,
            key: key(self.seed),
            certificate: self.certificate.clone(),
            epoch: self.epoch,
            entries: self.entries.clone(),
            mission: self.mission,
            observer: self.observer.clone(),
            wall_ms: self.wall_ms,
            earlier: self.earlier.clone(),
            seen: self.seen,
            seeds: self.seeds.wrapping_add(128),
        }
    }

    /// The same key in a new epoch, which names the last entry of this one.
    pub(crate) fn next_epoch(&self) -> Self {
        let mut next = self.twin();
        next.epoch = Epoch::from_bytes(self.epoch.as_bytes().map(|byte| byte.wrapping_add(100)));
        next.earlier = vec![self.head(self.entries.len() - 1)];
        next.entries = Vec::new();
        next
    }

    pub(crate) fn log(&self) -> LogId {
        LogId::derive(self.key.public().as_bytes(), scope(), self.epoch)
    }

    /// The ledger's leaf of its log.
    pub(crate) fn begun(&self) -> Leaf {
        Leaf::Begun { key: *self.key.public().as_bytes(), scope: scope(), epoch: self.epoch }
    }

    pub(crate) fn head(&self, seq: usize) -> LogHead {
        LogHead { scope: scope(), epoch: self.epoch, seq: seq as u64, id: self.entries[seq].id() }
    }

    fn actor(&self) -> Actor {
        Actor::derive(self.mission, self.key.public().as_bytes(), scope(), self.epoch)
    }

    fn context(&mut self, photos: Vec<Photo>) -> Context {
        self.wall_ms += 60_000;
        let clock = Clock {
            wall_ms: self.wall_ms,
            uptime_ms: self.wall_ms as u64 - 1_767_000_000_000,
            boot: [3; 8],
            offset_min: 120,
            source: ClockSource::Device,
        };
        Context { clock, place: None, post: Some("Ягодин".into()), observer: self.observer.clone(), photos }
    }

    fn place(&self) -> (u64, Position) {
        match self.entries.last() {
            None => (0, Position::First { certificate: self.certificate.id(), earlier: self.earlier.clone() }),
            Some(last) => (self.entries.len() as u64, Position::Later { prev: last.id() }),
        }
    }

    pub(crate) fn sign(
        &mut self,
        kind: Kind,
        subject: Subject,
        body: Body,
        commitment: Option<Commitment>,
    ) -> VerifiedEntry {
        let (seq, position) = self.place();
        let draft = EntryDraft {
            mission: self.mission,
            scope: scope(),
            epoch: self.epoch,
            seq,
            position,
            kind,
            subject,
            body,
            commitment,
            seen: self.seen,
        };
        let entry = draft.sign(&self.key).unwrap();
        self.entries.push(entry.clone());
        entry
    }

    pub(crate) fn create(&mut self, mission: &Mission, answers: &[(&str, Value<'_>)], photos: Vec<Photo>) -> Made {
        self.write(mission, None, answers, photos, (1..=u64::from(mission.plan.parties)).collect())
    }

    pub(crate) fn edit(&mut self, mission: &Mission, on: &Made, answers: &[(&str, Value<'_>)]) -> Made {
        self.write(mission, Some(on), answers, Vec::new(), Vec::new())
    }

    fn write(
        &mut self,
        mission: &Mission,
        on: Option<&Made>,
        answers: &[(&str, Value<'_>)],
        photos: Vec<Photo>,
        writers: Vec<u64>,
    ) -> Made {
        let actor = self.actor();
        let basis = match on {
            None => Basis::creation(),
            Some(on) => Basis {
                refs: vec![on.id],
                deps: vec![on.hash],
                seq: if on.actor == actor { on.seq + 1 } else { 1 },
                start_op: on.start_op + on.keys.len() as u64,
            },
        };
        let preds = |key: &str| -> Vec<OpRef> {
            let Some(on) = on else { return Vec::new() };
            let at = on.keys.iter().position(|known| known == key);
            at.map(|at| OpRef { counter: on.start_op + at as u64, actor: on.actor }).into_iter().collect()
        };
        let puts = answers.iter().map(|&(key, value)| Put { key, value, preds: preds(key) }).collect();
        self.seeds += 1;
        let made = compose(actor, [self.seeds; 16], &basis, puts).unwrap();
        let context = self.context(photos);
        let change = Change::decode(&made.chunk, actor).unwrap();
        let keys = change.puts().iter().map(|put| put.key.to_owned()).collect();
        let root = Claims::compute(&LeafTable::new(&mission.form), &change, &context).root();
        let commitment = Commitment { root, form: FormHash::of(&mission.form_bytes) };
        let subject = match on {
            None => Subject::Creates { writers },
            Some(on) => Subject::Of { record: on.record, refs: basis.refs.clone() },
        };
        let body = Body { content: Content::Change(made.chunk.clone()), context };
        let entry = self.sign(Kind::Change, subject, body, Some(commitment));
        Made {
            id: entry.id(),
            record: entry.record(),
            hash: made.hash,
            actor,
            seq: basis.seq,
            start_op: basis.start_op,
            keys,
        }
    }

    pub(crate) fn object(&mut self, to: &Made, text: &str) -> VerifiedEntry {
        self.seeds += 1;
        let content = Content::Role { reason: Some(1), text: Some(text.into()), seed: [self.seeds; 16] };
        let body = Body { content, context: self.context(Vec::new()) };
        self.sign(Kind::Objection, Subject::Of { record: to.record, refs: vec![to.id] }, body, None)
    }
}
