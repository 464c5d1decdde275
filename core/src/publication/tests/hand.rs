//! A hand that writes one record, one change on the other.

use std::collections::BTreeMap;

use crate::change::{Basis, Change, OpRef, Put, Value, compose};
use crate::claims::Claims;
use crate::entry::{Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject};
use crate::form::{FormDefinition, Leaf, LeafTable, Shape};
use crate::id::{Actor, Epoch, RecordId};
use crate::record::HeldEntry;
use crate::record::testing::{certificate, charter, key, scope};
use crate::roster::Role;

const EPOCH: Epoch = Epoch::from_bytes([9; 8]);

pub(super) fn form() -> FormDefinition {
    let leaf = |name: &str, shape| Leaf { name: name.into(), shape };
    FormDefinition {
        kind: "inspection".into(),
        title: "Post".into(),
        version: "1".into(),
        leaves: vec![leaf("state", Shape::Answer), leaf("note", Shape::Answer), leaf("people", Shape::Repeat)],
        source: None,
        must: vec![8],
    }
}

/// What was written, and where the next change begins.
#[derive(Default)]
pub(super) struct Hand {
    seq: u64,
    record: Option<RecordId>,
    basis: Option<Basis>,
    standing: BTreeMap<String, OpRef>,
}

impl Hand {
    /// Writes the next change; void claims are those of no body.
    pub(super) fn write(&mut self, puts: &[(&str, Value<'_>)], is_void: bool) -> HeldEntry {
        let actor = Actor::derive(charter().mission(), key(11).public().as_bytes(), scope(1), EPOCH);
        let basis = self.basis.take().unwrap_or_else(Basis::creation);
        let preds = |key: &str| self.standing.get(key).copied().into_iter().collect();
        let puts: Vec<Put<'_>> = puts.iter().map(|&(key, value)| Put { key, value, preds: preds(key) }).collect();
        let chunk = compose(actor, [self.seq as u8; 16], &basis, puts).expect("well formed").chunk;
        let change = Change::decode(&chunk, actor).expect("as composed");
        let held = self.sign(&basis, chunk.clone(), &change, is_void);
        for (index, put) in change.puts().iter().enumerate() {
            self.standing.insert(put.key.to_owned(), change.op(index));
        }
        self.record = self.record.or(Some(held.entry().record()));
        let (refs, deps) = (vec![held.id()], vec![change.hash()]);
        self.basis = Some(Basis { refs, deps, seq: basis.seq + 1, start_op: change.max_op() + 1 });
        self.seq += 1;
        held
    }

    fn sign(&self, basis: &Basis, chunk: Vec<u8>, change: &Change<'_>, is_void: bool) -> HeldEntry {
        let named = certificate(1, 11, Role::Observer).id();
        let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
        let context = Context { clock, place: None, post: None, observer: "Anna".into(), photos: Vec::new() };
        let root = Claims::compute(&LeafTable::new(&form()), change, &context).root();
        let commitment = Commitment { root: if is_void { [1; 32] } else { root }, form: form().hash().expect("valid") };
        let draft = EntryDraft {
            mission: charter().mission(),
            scope: scope(1),
            epoch: EPOCH,
            seq: self.seq,
            position: match basis.refs.first() {
                Some(&prev) => Position::Later { prev },
                None => Position::First { certificate: named, earlier: Vec::new() },
            },
            kind: Kind::Change,
            subject: match self.record {
                Some(record) => Subject::Of { record, refs: basis.refs.clone() },
                None => Subject::Creates { writers: Vec::new() },
            },
            body: Body { content: Content::Change(chunk), context },
            commitment: Some(commitment),
            seen: None,
        };
        HeldEntry::new(draft.sign(&key(11)).expect("well formed"), Some(named))
    }
}
