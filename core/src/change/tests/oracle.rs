//! Automerge itself as the judge of what the bytes mean and how they are written.

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::{ActorId, ExpandedChange};

use super::{Dice, ME, Sample};
use crate::change::{Change, Put};

/// The change as Automerge's own encoder takes it.
fn expanded(sample: &Sample) -> ExpandedChange {
    let operations = sample.puts().iter().map(operation).collect();
    ExpandedChange {
        operations,
        actor_id: ME.into(),
        hash: None,
        seq: sample.seq,
        start_op: sample.start_op.try_into().unwrap(),
        time: 0,
        message: Some(data_encoding::HEXLOWER.encode(&sample.seed)),
        deps: sample.deps.iter().map(|dep| (*dep).into()).collect(),
        extra_bytes: Vec::new(),
        author: None,
    }
}

fn operation(put: &Put<'_>) -> Op {
    let preds = put.preds.iter().map(|pred| OpId::new(pred.counter, &ActorId::from(pred.actor)));
    Op {
        action: OpType::Put(put.value.into()),
        obj: ObjectId::Root,
        key: Key::Map(put.key.into()),
        pred: preds.collect::<SortedVec<_>>(),
        insert: false,
    }
}

/// Whether Automerge reads the same change out of the same bytes.
pub(super) fn assert_same_meaning(change: &Change<'_>, name: &str) {
    let automerge = change.to_automerge().unwrap_or_else(|refused| panic!("{name}: {refused}"));
    assert_eq!(automerge.hash().0, *change.hash().as_bytes(), "{name}");
    let read = automerge.decode();
    let operations: Vec<Op> = change.puts().iter().map(operation).collect();
    assert_eq!(read.operations, operations, "{name}");
    assert_eq!(read.actor_id, change.actor().into(), "{name}");
    assert_eq!((read.seq, read.start_op.get(), read.time), (change.seq(), change.start_op(), 0), "{name}");
    assert_eq!(read.message, Some(data_encoding::HEXLOWER.encode(change.seed())), "{name}");
    assert!(read.deps.iter().map(|dep| &dep.0).eq(change.deps().iter().map(|dep| dep.as_bytes())), "{name}");
    assert!(read.extra_bytes.is_empty(), "{name}");
    assert_eq!(automerge.max_op(), change.max_op(), "{name}");
}

#[test]
fn composed_bytes_are_those_automerge_writes_and_mean_the_same() {
    for seed in 0..600 {
        let sample = Sample::new(&mut Dice::new(seed));
        let chunk = sample.compose();
        let theirs = automerge::Change::from(expanded(&sample));
        assert_eq!(chunk, theirs.raw_bytes(), "seed {seed}");
        let change = Change::decode(&chunk, ME).unwrap();
        assert_eq!(change.puts(), sample.puts(), "seed {seed}");
        assert_same_meaning(&change, &format!("seed {seed}"));
    }
}
