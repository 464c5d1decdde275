//! What composed changes do to Automerge documents.

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{Automerge, ROOT, ReadDoc as _, ScalarValue};

use super::{ME, SEED, actor, put};
use crate::change::{Basis, Change, Composed, OpRef, Put, Value, compose};
use crate::check::Check;
use crate::id::{Actor, ChangeHash};

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
