//! What composed changes do to Automerge documents.

use std::collections::BTreeSet;

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{Automerge, ROOT, ReadDoc as _, ScalarValue};

use super::{Dice, ME, SEED, actor, put};
use crate::change::{Admission, Basis, Change, Composed, Earlier, OpRef, Put, RecordIndex, Step, Value, compose};
use crate::check::Check;
use crate::id::{Actor, ChangeHash, EntryId};

fn apply(doc: &mut Automerge, actor: Actor, composed: &Composed) {
    let change = Change::decode(&composed.chunk, actor).unwrap();
    doc.apply_changes([change.to_automerge().unwrap()]).unwrap();
}

/// The values at `key`, and the operations that put them.
fn values(doc: &Automerge, key: &str) -> Vec<(ScalarValue, OpRef)> {
    let all = doc.get_all(ROOT, key).unwrap();
    let read = |(value, id): (automerge::Value<'_>, _)| {
        (value.as_scalar().expect("records hold scalars").clone(), OpRef::from_automerge(&id).unwrap())
    };
    all.into_iter().map(read).collect()
}

fn replacing<'a>(doc: &Automerge, key: &'a str, value: Value<'a>) -> Put<'a> {
    Put { key, value, preds: values(doc, key).into_iter().map(|(_, op)| op).collect() }
}

fn basis(deps: &[&Composed], seq: u64, start_op: u64) -> Basis {
    let mut deps: Vec<ChangeHash> = deps.iter().map(|composed| composed.hash).collect();
    deps.sort_unstable();
    Basis { refs: Vec::new(), deps, seq, start_op }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the transaction is what composing is compared with")]
fn an_ordinary_put_gives_the_bytes_of_a_transaction() {
    let mut doc = Automerge::new().with_actor(ME.into());
    let mut transact = |values: &[(&str, ScalarValue)]| {
        let mut transaction = doc.transaction();
        for (key, value) in values {
            transaction.put(ROOT, *key, value.clone()).unwrap();
        }
        let message = data_encoding::HEXLOWER.encode(&SEED);
        transaction.commit_with(CommitOptions::default().with_message(message).with_time(0));
        doc.get_last_local_change().unwrap().raw_bytes().to_vec()
    };
    let long = "long ".repeat(100);
    let first =
        [put("a", Value::Int(1)), put("b", Value::Text(&long)), put("c", Value::Bool(true)), put("d", Value::Null)];
    let first = compose(ME, SEED, &Basis::creation(), first.to_vec()).unwrap();
    assert_eq!(first.chunk, transact(&[("a", 1.into()), ("b", (&*long).into()), ("c", true.into()), ("d", ().into())]));
    let pred = OpRef { counter: 2, actor: ME };
    let second = vec![Put { preds: vec![pred], ..put("b", Value::Text("short")) }];
    let second = compose(ME, SEED, &basis(&[&first], 2, 5), second).unwrap();
    assert_eq!(second.chunk, transact(&[("b", "short".into())]));
}

#[test]
fn concurrent_values_are_kept_until_a_put_that_saw_them_all_resolves_them() {
    let mut doc = Automerge::new();
    let created = compose(ME, SEED, &Basis::creation(), vec![put("wind", Value::Int(1))]).unwrap();
    apply(&mut doc, ME, &created);
    let edit = replacing(&doc, "wind", Value::Int(2));
    let mine = compose(ME, SEED, &basis(&[&created], 2, 2), vec![edit.clone()]).unwrap();
    let theirs = Put { value: Value::Int(3), ..edit };
    let theirs = compose(actor(1), SEED, &basis(&[&created], 1, 2), vec![theirs]).unwrap();
    apply(&mut doc, actor(1), &theirs);
    apply(&mut doc, ME, &mine);
    let mut both: Vec<i64> = values(&doc, "wind").iter().map(|(value, _)| value.as_i64().unwrap()).collect();
    both.sort_unstable();
    assert_eq!(both, [2, 3]);

    let resolution = replacing(&doc, "wind", Value::Int(3));
    assert_eq!(resolution.preds.len(), 2);
    let resolved = compose(ME, SEED, &basis(&[&mine, &theirs], 3, 3), vec![resolution]).unwrap();
    assert!(Change::decode(&resolved.chunk, ME).unwrap().resolves());
    apply(&mut doc, ME, &resolved);
    assert_eq!(values(&doc, "wind"), [(ScalarValue::Int(3), OpRef { counter: 3, actor: ME })]);
    let before = [mine.hash.into(), theirs.hash.into()];
    assert_eq!(doc.get_all_at(ROOT, "wind", &before).unwrap().len(), 2, "history still shows both");
    assert_eq!(doc.get_changes(&[]).len(), 4);
}

#[test]
fn a_value_confirmed_again_is_an_operation_of_its_own() {
    let mut doc = Automerge::new();
    let created = compose(ME, SEED, &Basis::creation(), vec![put("mood", Value::Text("calm"))]).unwrap();
    apply(&mut doc, ME, &created);
    let confirmed = vec![replacing(&doc, "mood", Value::Text("calm"))];
    let confirmed = compose(actor(1), SEED, &basis(&[&created], 1, 2), confirmed).unwrap();
    apply(&mut doc, actor(1), &confirmed);
    assert_eq!(values(&doc, "mood"), [("calm".into(), OpRef { counter: 2, actor: actor(1) })]);
}

#[test]
fn a_draft_does_not_overwrite_what_its_screen_never_showed() {
    let mut doc = Automerge::new();
    let created = compose(ME, SEED, &Basis::creation(), vec![put("mood", Value::Text("calm"))]).unwrap();
    apply(&mut doc, ME, &created);
    let draft = replacing(&doc, "mood", Value::Text("tense"));
    let meanwhile = vec![replacing(&doc, "mood", Value::Text("shots heard"))];
    apply(&mut doc, actor(1), &compose(actor(1), SEED, &basis(&[&created], 1, 2), meanwhile).unwrap());
    apply(&mut doc, ME, &compose(ME, SEED, &basis(&[&created], 2, 2), vec![draft]).unwrap());
    assert_eq!(values(&doc, "mood").len(), 2);
}

#[test]
fn an_edit_that_no_reader_would_take_is_not_composed() {
    let rows: [(Vec<Put<'_>>, Check); 5] = [
        (vec![], Check::ChangeEmpty),
        (vec![put("no name", Value::Null)], Check::ChangeKey),
        (vec![put("q", Value::Null), put("q", Value::Int(1))], Check::ChangeDuplicateKey),
        (vec![put("q", Value::Text("e\u{301}"))], Check::ChangeValue),
        (
            vec![Put { preds: vec![OpRef { counter: u64::MAX, actor: ME }], ..put("q", Value::Null) }],
            Check::ChangeMalformed,
        ),
    ];
    for (puts, wanted) in rows {
        let refused = compose(ME, SEED, &Basis::creation(), puts).map_err(|refused| refused.check);
        assert_eq!(refused, Err(wanted));
    }
}

#[test]
fn the_order_of_puts_and_predecessors_does_not_matter() {
    let preds = vec![OpRef { counter: 2, actor: actor(1) }, OpRef { counter: 1, actor: actor(9) }];
    let mut puts = vec![put("b", Value::Null), Put { preds, ..put("a", Value::Int(1)) }];
    let basis = Basis { start_op: 7, ..Basis::creation() };
    let one = compose(ME, SEED, &basis, puts.clone()).unwrap();
    puts.reverse();
    puts[0].preds.reverse();
    assert_eq!(one, compose(ME, SEED, &basis, puts).unwrap());
}

/// Random edits by four people, each on heads of his own choosing, held against a model of which values stay visible.
#[test]
fn admitted_histories_give_the_values_a_plain_model_gives() {
    for seed in 0..12 {
        let mut history = History { dice: Dice::new(seed), ..History::default() };
        for number in 0..60 {
            history.write(number);
        }
        let changes = history.steps.iter().map(|step| step.change.to_automerge().unwrap());
        let mut doc = Automerge::new();
        doc.apply_changes(changes.collect::<Vec<_>>()).unwrap();
        let all: BTreeSet<usize> = (0..60).collect();
        for key in KEYS {
            let shown: BTreeSet<OpRef> = values(&doc, key).into_iter().map(|(_, op)| op).collect();
            assert_eq!(shown, history.visible(key, &all), "seed {seed}, {key}");
        }
    }
}

const KEYS: [&str; 3] = ["mood", "photos/0000000000000000/file", "wind"];

#[derive(Default)]
struct History {
    dice: Dice,
    steps: Vec<Written>,
    index: RecordIndex,
    own: [Vec<usize>; 4],
}

struct Written {
    change: Change<'static>,
    ancestors: BTreeSet<usize>,
}

impl History {
    fn write(&mut self, number: usize) {
        let who = if number == 0 { 0 } else { self.dice.below(4) as usize };
        let heads = (0..number.min(2)).map(|_| self.dice.below(number as u64) as usize);
        let heads: BTreeSet<usize> = heads.chain(self.own[who].last().copied()).collect();
        let ancestors: BTreeSet<usize> = heads.iter().flat_map(|head| self.steps[*head].ancestors.clone()).collect();
        let last = self.own[who].last();
        let earlier = last.map(|last| Earlier { count: self.own[who].len() as u64, last: entry(*last) });
        let refs: Vec<EntryId> = heads.iter().map(|head| entry(*head)).collect();
        let basis = self.index.basis(&refs, earlier).unwrap();
        let edited = 1 + self.dice.below(7);
        let keys = KEYS.iter().enumerate().filter(|(at, _)| edited >> at & 1 == 1);
        let puts = keys.map(|(_, key)| {
            let preds = self.visible(key, &ancestors).into_iter().collect();
            Put { preds, ..put(key, Value::Int(number as i64)) }
        });
        let composed = compose(actor(who as u8), SEED, &basis, puts.collect()).unwrap();
        let change = Change::decode(composed.chunk.leak(), actor(who as u8)).unwrap();
        let step = Step { entry: entry(number), refs: &basis.refs };
        assert_eq!(self.index.admit(&change, step), Ok(Admission::Admitted));
        let ancestors = ancestors.into_iter().chain([number]).collect();
        self.steps.push(Written { change, ancestors });
        self.own[who].push(number);
    }

    /// The operations on `key` in `steps` that no other operation in `steps` replaced.
    fn visible(&self, key: &str, steps: &BTreeSet<usize>) -> BTreeSet<OpRef> {
        let changes = || steps.iter().map(|step| &self.steps[*step].change);
        let puts = |change: &Change<'static>| -> Vec<(OpRef, Vec<OpRef>)> {
            let puts = change.puts().iter().enumerate().filter(|(_, put)| put.key == key);
            puts.map(|(index, put)| (change.op(index), put.preds.clone())).collect()
        };
        let replaced: BTreeSet<OpRef> = changes().flat_map(puts).flat_map(|(_, preds)| preds).collect();
        changes().flat_map(puts).map(|(op, _)| op).filter(|op| !replaced.contains(op)).collect()
    }
}

fn entry(number: usize) -> EntryId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    EntryId::from_bytes(bytes)
}
