//! Tests of changes: a writer of chunks that can be told to misbehave, and what it is used for.

mod documents;
mod forge;
mod fuzz;
mod oracle;
mod refusals;
mod rules;

use super::{OpRef, Put, Value};
use crate::id::{Actor, ChangeHash};

pub(super) const ME: Actor = Actor::from_bytes([0x50; 16]);
pub(super) const SEED: [u8; 16] = [0xa5; 16];

pub(super) fn actor(number: u8) -> Actor {
    Actor::from_bytes([number; 16])
}

pub(super) fn put<'a>(key: &'a str, value: Value<'a>) -> Put<'a> {
    Put { key, value, preds: Vec::new() }
}

/// A repeatable stream of numbers (xorshift64*), so that a failure names its seed.
#[derive(Default)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

const TEXTS: [&str; 6] =
    ["", "x", "Ягодин", "two\nlines", "معبر", "0123456789 0123456789 0123456789 0123456789 0123456789 01234567"];
const INTS: [i64; 10] = [0, 1, -1, 63, 64, -64, -65, 8_192, i64::MAX, i64::MIN];

/// A change such as a screen might make, or a stranger: any mixture the subset allows.
pub(super) struct Sample {
    pub(super) deps: Vec<ChangeHash>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) seed: [u8; 16],
    keys: Vec<String>,
    values: Vec<Value<'static>>,
    preds: Vec<Vec<OpRef>>,
}

impl Sample {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let spread = if dice.below(4) == 0 { 60 } else { 6 };
        let ops = 1 + dice.below(spread);
        let mut keys: Vec<String> = (0..ops).map(|_| key(dice)).collect();
        keys.sort_unstable();
        keys.dedup();
        let values = keys.iter().map(|_| value(dice)).collect();
        let start_op = 1 + dice.below(5_000);
        let preds = keys.iter().map(|_| preds(dice, start_op)).collect();
        let mut deps: Vec<_> = (0..dice.below(4)).map(|_| hash(dice)).collect();
        deps.sort_unstable();
        let seed = u128::from(dice.next()).to_le_bytes();
        Self { deps, seq: 1 + dice.below(300), start_op, seed, keys, values, preds }
    }

    pub(super) fn puts(&self) -> Vec<Put<'_>> {
        let rows = self.keys.iter().zip(&self.values).zip(&self.preds);
        rows.map(|((key, value), preds)| Put { key, value: *value, preds: preds.clone() }).collect()
    }

    pub(super) fn compose(&self) -> Vec<u8> {
        let basis = super::Basis { refs: Vec::new(), deps: self.deps.clone(), seq: self.seq, start_op: self.start_op };
        super::compose(ME, self.seed, &basis, self.puts()).expect("a valid change").chunk
    }
}

fn hash(dice: &mut Dice) -> ChangeHash {
    ChangeHash::from_bytes(std::array::from_fn(|_| dice.next() as u8))
}

fn key(dice: &mut Dice) -> String {
    match dice.below(3) {
        0 => format!("photos/{:016x}/{}", dice.below(3), ["file", "caption", "withdrawn"][dice.below(3) as usize]),
        1 => format!("q{}", dice.below(40)),
        _ => format!("Question_{}.a-b", dice.below(40)),
    }
}

fn value(dice: &mut Dice) -> Value<'static> {
    match dice.below(6) {
        0 => Value::Null,
        1 => Value::Bool(dice.below(2) == 0),
        2 | 3 => Value::Int(INTS[dice.below(10) as usize]),
        _ => Value::Text(TEXTS[dice.below(6) as usize]),
    }
}

fn preds(dice: &mut Dice, below: u64) -> Vec<OpRef> {
    let count = if dice.below(2) == 0 { 0 } else { dice.below(4) };
    let actors = [ME, actor(1), actor(0x60), actor(0xff)];
    let pred = |dice: &mut Dice| OpRef { counter: 1 + dice.below(below), actor: actors[dice.below(4) as usize] };
    let mut preds: Vec<_> = (0..count).map(|_| pred(dice)).collect();
    preds.sort_unstable();
    preds.dedup();
    preds
}
