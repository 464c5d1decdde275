//! Each rule between the changes of a record, refused under its code; ancestry against a plain walk.

use std::collections::BTreeSet;

use super::refusals::Without;
use super::{SEED, actor, put};
use crate::change::{Admission, Basis, Change, Composed, Earlier, OpRef, Put, RecordIndex, Step, Value, compose};
use crate::check::Check::{self, *};
use crate::id::{Actor, EntryId};

fn entry(number: u64) -> EntryId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    EntryId::from_bytes(bytes)
}

/// One record and the logs that write to it.
#[derive(Clone, Default)]
struct Record {
    index: RecordIndex,
}

impl Record {
    /// Admits what `author` composes on `heads`, as entry `number`.
    fn write(
        &mut self,
        number: u64,
        author: Actor,
        heads: &[u64],
        earlier: Option<Earlier>,
        puts: Vec<Put<'_>>,
    ) -> Change<'static> {
        let heads: Vec<_> = heads.iter().map(|head| entry(*head)).collect();
        let basis = self.index.basis(&heads, earlier).expect("heads were admitted");
        let change = leak(author, &basis, puts);
        let step = Step { entry: entry(number), refs: &basis.refs };
        assert_eq!(self.index.admit(&change, step), Ok(Admission::Admitted));
        change
    }
}

fn leak(author: Actor, basis: &Basis, puts: Vec<Put<'_>>) -> Change<'static> {
    let Composed { chunk, .. } = compose(author, SEED, basis, puts).unwrap();
    Change::decode(chunk.leak(), author).unwrap()
}

fn after(count: u64, last: u64) -> Option<Earlier> {
    Some(Earlier { count, last: entry(last) })
}

fn over<'a>(op: (u64, Actor), key: &'a str) -> Put<'a> {
    Put { preds: vec![OpRef { counter: op.0, actor: op.1 }], ..put(key, Value::Int(1)) }
}

const A: Actor = Actor::from_bytes([0xa; 16]);
const B: Actor = Actor::from_bytes([0xb; 16]);

/// 0: A creates (ops 1, 2 on p, q). 1: A edits p (op 3). 2: B edits q on 0 (op 3). 3: B merges 1 and 2 (op 4 on p).
fn history() -> Record {
    let mut record = Record::default();
    record.write(0, A, &[], None, vec![put("p", Value::Null), put("q", Value::Null)]);
    record.write(1, A, &[0], after(1, 0), vec![over((1, A), "p")]);
    record.write(2, B, &[0], None, vec![over((2, A), "q")]);
    record.write(3, B, &[1, 2], after(1, 2), vec![over((3, A), "p")]);
    record
}

#[test]
fn ancestry_follows_the_dependencies() {
    let record = history();
    let holds = |of: u64, ancestor: u64| record.index.is_or_descends_from(entry(of), entry(ancestor));
    assert!(holds(3, 3) && holds(3, 2) && holds(3, 1) && holds(3, 0) && holds(2, 0) && holds(1, 0));
    assert!(!holds(1, 2) && !holds(2, 1) && !holds(0, 1) && !holds(1, 3) && !holds(9, 0));
}

#[test]
fn each_rule_between_changes_is_refused_under_its_code() {
    let record = history();
    let basis = |heads: &[u64], earlier| {
        record.index.basis(&heads.iter().map(|head| entry(*head)).collect::<Vec<_>>(), earlier).unwrap()
    };
    let good = basis(&[3], after(2, 1));
    assert_eq!((good.seq, good.start_op, good.refs.len()), (3, 5, 2));
    let bend = |change_it: fn(&mut Basis)| {
        let mut bent = good.clone();
        change_it(&mut bent);
        bent
    };
    let fine = || vec![over((4, B), "p")];
    type Row<'a> = (&'a str, Basis, Vec<Put<'a>>, Check);
    let rows: Vec<Row<'_>> = vec![
        ("a dependency less", bend(|basis| _ = basis.deps.pop()), fine(), ChangeDepsRefs),
        (
            "a dependency unknown",
            bend(|basis| basis.deps[0] = crate::id::ChangeHash::from_bytes([0; 32])),
            fine(),
            ChangeDepsRefs,
        ),
        ("seq too low", bend(|basis| basis.seq = 2), fine(), ChangeSeq),
        ("seq too high", bend(|basis| basis.seq = 4), fine(), ChangeSeq),
        ("seq 0", bend(|basis| basis.seq = 0), fine(), ChangeSeq),
        ("the own change is missing", Basis { seq: 2, ..basis(&[2], None) }, fine(), ChangeOwnDep),
        ("start_op too low", bend(|basis| basis.start_op = 4), vec![over((3, B), "q")], ChangeStartOp),
        ("start_op too high", bend(|basis| basis.start_op = 6), fine(), ChangeStartOp),
        ("a predecessor on another key", good.clone(), vec![over((3, B), "p")], ChangePred),
        ("a predecessor nobody made", good.clone(), vec![over((9, A), "p")], ChangePred),
        ("a predecessor of a stranger", good.clone(), vec![over((1, actor(7)), "p")], ChangePred),
        ("a predecessor on a new key", good.clone(), vec![over((1, A), "r")], ChangePred),
        ("a predecessor of its own", good.clone(), vec![over((5, A), "p")], ChangePred),
        ("no ancestor", basis(&[1], after(2, 1)), vec![over((3, B), "q")], ChangePred),
    ];
    for (name, basis, puts, wanted) in rows {
        let change = leak(A, &basis, puts);
        let step = Step { entry: entry(10), refs: &basis.refs };
        let mut index = record.index.clone();
        assert_eq!(index.admit(&change, step).map_err(|refused| refused.check), Err(wanted), "{name}");
        assert_eq!(index.len(), record.index.len(), "{name}: nothing was added");
        let without = index.admit_under(&change, step, Without(wanted)).map_err(|refused| refused.check);
        assert_ne!(without, Err(wanted), "{name}");
    }
}

#[test]
fn a_creating_change_has_no_dependency_no_predecessor_and_starts_at_one() {
    let refused = |basis: &Basis, puts| {
        let change = leak(A, basis, puts);
        let step = Step { entry: entry(0), refs: &[] };
        RecordIndex::new().admit(&change, step).map_err(|refused| refused.check)
    };
    let creation = Basis::creation();
    let plain = || vec![put("p", Value::Null)];
    assert_eq!(refused(&creation, plain()), Ok(Admission::Admitted));
    assert_eq!(refused(&Basis { start_op: 2, ..creation.clone() }, plain()), Err(ChangeStartOp));
    assert_eq!(refused(&Basis { seq: 2, ..creation.clone() }, plain()), Err(ChangeOwnDep));
    let deps = vec![crate::id::ChangeHash::from_bytes([1; 32])];
    assert_eq!(refused(&Basis { deps, ..creation.clone() }, plain()), Err(ChangeDepsRefs));
    assert_eq!(refused(&creation, vec![over((1, A), "p")]), Err(ChangePred));
}

#[test]
fn an_entry_waits_for_those_it_names_and_is_admitted_once() {
    let record = history();
    let basis = record.index.basis(&[entry(3)], after(2, 1)).unwrap();
    let change = leak(A, &basis, vec![over((4, B), "p")]);
    let step = Step { entry: entry(4), refs: &basis.refs };
    let mut empty = RecordIndex::new();
    assert_eq!(empty.admit(&change, step), Ok(Admission::Waiting(basis.refs.clone())));
    assert!(empty.is_empty());
    let mut index = record.index.clone();
    for _ in 0..2 {
        assert_eq!(index.admit(&change, step), Ok(Admission::Admitted));
        assert_eq!(index.len(), 5);
    }
    assert_eq!(index.change_of(entry(4)), Some(change.hash()));
}

#[test]
fn both_branches_of_a_fork_are_known_apart() {
    let mut record = history();
    // A signs another second change on 0; B builds on that branch from a new log, and on both from the first.
    record.write(20, A, &[0], after(1, 0), vec![over((2, A), "q")]);
    record.write(21, actor(9), &[20], None, vec![over((3, A), "q")]);
    let holds = |of: u64, ancestor: u64| record.index.is_or_descends_from(entry(of), entry(ancestor));
    assert!(!holds(20, 1) && !holds(1, 20) && holds(21, 20) && !holds(21, 1));
    let both = record.index.basis(&[entry(20)], after(2, 3)).unwrap();
    let change = leak(B, &both, vec![over((3, A), "q")]);
    let step = Step { entry: entry(30), refs: &both.refs };
    assert_eq!(record.index.admit(&change, step).map_err(|refused| refused.check), Err(ChangeSeq));
    // Operation 3 of A is on p in one branch and on q in the other: each is an ancestor only where it was seen.
    let basis = record.index.basis(&[entry(20)], None).unwrap();
    let change = leak(actor(1), &basis, vec![over((3, A), "p")]);
    let step = Step { entry: entry(22), refs: &basis.refs };
    assert_eq!(record.index.admit(&change, step).map_err(|refused| refused.check), Err(ChangePred));
    record.write(23, actor(1), &[20], None, vec![over((3, A), "q")]);
}

#[test]
fn a_change_with_too_many_actors_below_it_is_refused() {
    let mut record = Record::default();
    record.write(0, actor(0), &[], None, vec![put("p", Value::Null)]);
    let who = |number: u64| {
        let mut bytes = [0xee; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Actor::from_bytes(bytes)
    };
    let most = crate::change::ACTORS_MAX as u64;
    // Each builds on the one before, under a name of its own: actor 0 and 255 more.
    for number in 1..most {
        record.write(number, who(number), &[number - 1], None, vec![put("p", Value::Null)]);
    }
    let last = most - 1;
    let basis = record.index.basis(&[entry(last)], None).unwrap();
    let change = leak(who(most), &basis, vec![put("p", Value::Null)]);
    let step = Step { entry: entry(most), refs: &basis.refs };
    assert_eq!(record.index.admit(&change, step).map_err(|refused| refused.check), Err(ChangeSize));
    record.write(most, who(last), &[], after(1, last), vec![put("p", Value::Null)]);
    assert!(record.index.is_or_descends_from(entry(most), entry(0)));
}

#[test]
fn a_line_through_forks_upon_forks_is_one_line() {
    let mut record = Record::default();
    record.write(0, A, &[], None, vec![put("p", Value::Null)]);
    let mut below = 0;
    for seq in 1..2_000u64 {
        // Two siblings, and the next two upon the second.
        for number in [2 * seq - 1, 2 * seq] {
            record.write(number, A, &[], after(seq, below), vec![put("p", Value::Null)]);
        }
        below = 2 * seq;
    }
    assert_eq!(record.index.len(), 3_999);
    let holds = |ancestor: u64| record.index.is_or_descends_from(entry(below), entry(ancestor));
    assert!((1..2_000).all(|seq| holds(2 * seq) && !holds(2 * seq - 1)));
}

#[test]
fn random_histories_agree_with_a_walk_through_the_dependencies() {
    let mut dice = super::Dice::new(5);
    let mut record = Record::default();
    // Of each change: itself and its ancestors, and its place as author and seq.
    let (mut below, mut places): (Vec<BTreeSet<u64>>, Vec<(usize, usize)>) = Default::default();
    let mut logs: [Vec<u64>; 4] = Default::default();
    let mut refusals = 0;
    for number in 0..240u64 {
        let who = dice.below(4) as usize;
        let mut heads: Vec<u64> = (0..1 + dice.below(2)).filter(|_| number > 0).map(|_| dice.below(number)).collect();
        // Of its own changes an author names the last one of the branch only.
        heads.retain(|&head| places[head as usize].0 != who);
        // Now and then a log goes back to an earlier point: a fork.
        if dice.below(10) == 0 {
            let keep = dice.below(logs[who].len() as u64 + 1) as usize;
            logs[who].truncate(keep);
        }
        let earlier = logs[who].last().and_then(|last| after(logs[who].len() as u64, *last));
        let own: BTreeSet<u64> = logs[who].last().map(|last| below[*last as usize].clone()).unwrap_or_default();
        let mut all: BTreeSet<u64> =
            heads.iter().flat_map(|head| below[*head as usize].clone()).chain(own.clone()).collect();
        let place = (who, logs[who].len());
        let taken: BTreeSet<(usize, usize)> = all.iter().map(|step| places[*step as usize]).collect();
        if taken.len() < all.len() || taken.contains(&place) {
            let heads: Vec<EntryId> = heads.iter().map(|head| entry(*head)).collect();
            let basis = record.index.basis(&heads, earlier).expect("heads were admitted");
            let change = leak(actor(who as u8), &basis, vec![put("p", Value::Int(number as i64))]);
            let step = Step { entry: entry(number), refs: &basis.refs };
            let found = record.index.admit(&change, step).map_err(|refused| refused.check);
            assert_eq!(found, Err(ChangeSeq), "{number}");
            (all, refusals) = (own, refusals + 1);
            record.write(number, actor(who as u8), &[], earlier, vec![put("p", Value::Int(number as i64))]);
        } else {
            record.write(number, actor(who as u8), &heads, earlier, vec![put("p", Value::Int(number as i64))]);
        }
        all.insert(number);
        below.push(all);
        places.push(place);
        logs[who].push(number);
    }
    assert!((20..220).contains(&refusals), "{refusals}");
    for of in 0..240 {
        for ancestor in 0..240 {
            let walked = below[of as usize].contains(&ancestor);
            assert_eq!(record.index.is_or_descends_from(entry(of), entry(ancestor)), walked, "{of} {ancestor}");
        }
    }
}
