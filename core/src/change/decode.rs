//! Reads one change chunk, strictly and within bounds, in the order of the table in `spec/entry.md` §Change.

use super::columns::{Cursor, Rows, any_true, malformed, runs};
use super::encode::{ACTION_PUT, Content, HASHED_FROM, MAGIC, TYPE_CHANGE, code, column};
use super::{
    CHUNK_BYTES_MAX, COUNTER_MAX, Change, DEPS_MAX, OPS_MAX, OTHER_ACTORS_MAX, OpRef, PREDS_MAX, Put, TEXT_BYTES_MAX,
    Value,
};
use crate::check::{Check, Full, Policy, Refused};
use crate::form::Key;
use crate::id::{Actor, ChangeHash, sha256};
use crate::text::{self, Lines};

const TYPE_COMPRESSED: u8 = 2;

impl<'a> Change<'a> {
    /// Reads `chunk`, the change of an entry whose log writes as `actor`.
    ///
    /// # Errors
    /// The first check of `spec/entry.md` §Change that fails, of those that need no other change.
    pub fn decode(chunk: &'a [u8], actor: Actor) -> Result<Self, Refused> {
        Self::decode_under(chunk, actor, Full)
    }

    /// Reads `chunk` under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), as far as `policy` makes the checks.
    pub fn decode_under<P: Policy>(chunk: &'a [u8], actor: Actor, policy: P) -> Result<Self, Refused> {
        policy.require(chunk.len() <= CHUNK_BYTES_MAX, Check::ChangeSize, "chunk")?;
        let (contents, hash) = unwrap(chunk, policy)?;
        let raw = Raw::read(contents, actor, policy)?;
        let change = raw.check(chunk, hash, actor, policy)?;
        change.check_order(policy)?;
        // The header needs no comparison: its magic, type, length and checksum have one form each and were checked.
        let canonical = change.content().encode() == contents;
        policy.require(canonical, Check::ChangeNotCanonical, "change")?;
        Ok(change)
    }

    fn content(&self) -> Content<'_> {
        Content {
            deps: &self.deps,
            actor: self.actor,
            seq: self.seq,
            start_op: self.start_op,
            seed: &self.seed,
            puts: &self.puts,
        }
    }

    fn check_order<P: Policy>(&self, policy: P) -> Result<(), Refused> {
        policy.require(self.deps.is_sorted_by(|a, b| a < b), Check::ChangeDepsOrder, "dependencies")?;
        let ascending = self.puts.iter().all(|put| put.preds.is_sorted_by(|a, b| a < b));
        policy.require(ascending, Check::ChangePred, "predecessors out of order")?;
        // Under every policy: counters are added, and Automerge keeps them in 32 bits.
        let end_op = self.start_op.checked_add(self.puts.len() as u64);
        let counts = self.start_op > 0 && end_op.is_some_and(|end| end <= COUNTER_MAX);
        if counts { Ok(()) } else { Err(Refused { check: Check::ChangeStartOp, what: "start_op out of range" }) }
    }
}

/// Checks the chunk's header and gives what it wraps, and the change's hash.
fn unwrap<P: Policy>(chunk: &[u8], policy: P) -> Result<(&[u8], ChangeHash), Refused> {
    let what = "chunk header";
    let kind = *chunk.get(HASHED_FROM).ok_or(malformed(what))?;
    policy.require(kind != TYPE_COMPRESSED, Check::ChangeCompressed, what)?;
    if kind != TYPE_CHANGE || chunk[..MAGIC.len()] != MAGIC {
        return Err(malformed(what));
    }
    let mut cursor = Cursor::new(&chunk[HASHED_FROM + 1..], policy);
    let contents = cursor.prefixed("chunk length")?;
    if !cursor.is_at_end() {
        return Err(malformed("bytes after the chunk"));
    }
    let hash = sha256(&[&chunk[HASHED_FROM..]]);
    policy.require(chunk[MAGIC.len()..HASHED_FROM] == hash[..4], Check::ChangeMalformed, "chunk checksum")?;
    Ok((contents, ChangeHash::from_bytes(hash)))
}

/// A change as its bytes say it, before anything is judged.
struct Raw<'a> {
    deps: Vec<ChangeHash>,
    actor: &'a [u8],
    seq: u64,
    start_op: u64,
    time: i64,
    message: &'a str,
    ops: Ops<'a>,
    extra: &'a [u8],
}

/// The operations, column by column.
struct Ops<'a> {
    on_root: bool,
    /// Some key is an element of a list.
    by_element: bool,
    keys: Vec<Option<&'a [u8]>>,
    insert: bool,
    actions: Vec<Option<u64>>,
    values: Vec<RawValue<'a>>,
    preds: Vec<Vec<OpRef>>,
    mark: bool,
}

struct RawValue<'a> {
    code: u64,
    bytes: &'a [u8],
    int: Option<i64>,
}

impl<'a> Raw<'a> {
    /// `actor` is whom the first place in the list of actors stands for; whether the chunk says so too is judged later.
    fn read<P: Policy>(contents: &'a [u8], actor: Actor, policy: P) -> Result<Self, Refused> {
        let mut cursor = Cursor::new(contents, policy);
        let what = "dependencies";
        let deps = within(cursor.unsigned(what)?, DEPS_MAX, policy, what)?;
        let deps = (0..deps).map(|_| cursor.array(what).map(ChangeHash::from_bytes)).collect::<Result<Vec<_>, _>>()?;
        let own = cursor.prefixed("actor")?;
        let seq = cursor.unsigned("seq")?;
        let start_op = cursor.unsigned("start_op")?;
        let time = cursor.signed("time")?;
        let message = std::str::from_utf8(cursor.prefixed("message")?).map_err(|_| malformed("message"))?;
        let what = "other actors";
        let others = within(cursor.unsigned(what)?, OTHER_ACTORS_MAX, policy, what)?;
        let mut actors = vec![actor];
        for _ in 0..others {
            actors.push(Actor::try_from(cursor.prefixed(what)?).map_err(|_| malformed(what))?);
        }
        let columns = Columns::read(&mut cursor)?;
        let ops = Ops::read(&columns, &actors, policy)?;
        Ok(Self { deps, actor: own, seq, start_op, time, message, ops, extra: cursor.rest() })
    }

    fn check<P: Policy>(
        self,
        chunk: &'a [u8],
        hash: ChangeHash,
        actor: Actor,
        policy: P,
    ) -> Result<Change<'a>, Refused> {
        let Self { deps, actor: own, seq, start_op, time, message, ops, extra } = self;
        policy.require(extra.is_empty(), Check::ChangeExtraBytes, "bytes after the columns")?;
        policy.require(own == actor.as_bytes(), Check::ChangeActor, "actor")?;
        policy.require(time == 0, Check::ChangeTime, "time")?;
        let seed = seed(message);
        policy.require(seed.is_some(), Check::ChangeSeed, "message")?;
        let puts = ops.check(policy)?;
        Ok(Change { chunk, hash, actor, seq, start_op, deps, seed: seed.unwrap_or_default(), puts })
    }
}

impl<'a> Ops<'a> {
    fn read<P: Policy>(columns: &Columns<'a>, actors: &[Actor], policy: P) -> Result<Self, Refused> {
        let mut actions = Vec::new();
        let rows = Rows::AtMost(ceiling(OPS_MAX, policy));
        runs(
            columns.of(column::ACTION),
            rows,
            policy,
            "actions",
            |cursor| cursor.unsigned("action"),
            |action| {
                actions.push(action);
                Ok(())
            },
        )?;
        let rows = actions.len();
        let object_actor = columns.any_number(column::OBJECT_ACTOR, rows, policy, "object actors")?;
        let object_counter = columns.any_number(column::OBJECT_COUNTER, rows, policy, "object counters")?;
        let key_actor = columns.any_number(column::KEY_ACTOR, rows, policy, "key actors")?;
        let key_counter = columns.any_number(column::KEY_COUNTER, rows, policy, "key counters")?;
        Ok(Self {
            on_root: !object_actor && !object_counter,
            by_element: key_actor || key_counter,
            keys: columns.texts(column::KEY, rows, policy, "keys")?,
            insert: columns.any_true(column::INSERT, rows, policy, "inserts")?,
            values: values(columns, rows, policy)?,
            preds: preds(columns, rows, actors, policy)?,
            mark: columns.any_mark(rows, policy)?,
            actions,
        })
    }

    fn check<P: Policy>(self, policy: P) -> Result<Vec<Put<'a>>, Refused> {
        policy.require(!self.actions.is_empty(), Check::ChangeEmpty, "operations")?;
        policy.require(self.on_root, Check::ChangeObject, "object")?;
        let puts_only = !self.insert && !self.mark && self.actions.iter().all(|&action| action == Some(ACTION_PUT));
        policy.require(puts_only, Check::ChangeAction, "action")?;
        policy.require(!self.by_element, Check::ChangeKey, "key of a list")?;
        let keys = self.keys.iter().map(|key| name(*key, policy)).collect::<Result<Vec<_>, _>>()?;
        policy.require(keys.is_sorted(), Check::ChangeKey, "keys out of order")?;
        policy.require(keys.is_sorted_by(|a, b| a != b), Check::ChangeDuplicateKey, "key")?;
        let values = self.values.iter().map(|value| value.check(policy)).collect::<Result<Vec<_>, _>>()?;
        let puts = keys.into_iter().zip(values).zip(self.preds);
        Ok(puts.map(|((key, value), preds)| Put { key, value, preds }).collect())
    }
}

impl<'a> RawValue<'a> {
    fn check<P: Policy>(&self, policy: P) -> Result<Value<'a>, Refused> {
        let refused = Refused { check: Check::ChangeValue, what: "value" };
        match (self.code, self.int) {
            (code::NULL, _) => Ok(Value::Null),
            (code::FALSE, _) => Ok(Value::Bool(false)),
            (code::TRUE, _) => Ok(Value::Bool(true)),
            (code::INT, Some(int)) => Ok(Value::Int(int)),
            (code::TEXT, _) => {
                let text = std::str::from_utf8(self.bytes).map_err(|_| refused)?;
                let fits = text.len() <= TEXT_BYTES_MAX && text::check(text, Lines::Many, "value").is_ok();
                policy.require(fits, Check::ChangeValue, "value")?;
                Ok(Value::Text(text))
            }
            _ => Err(refused),
        }
    }
}

/// The columns of a chunk, each empty when absent.
struct Columns<'a>([&'a [u8]; KNOWN.len()]);

const KNOWN: [u32; 14] = [
    column::OBJECT_ACTOR,
    column::OBJECT_COUNTER,
    column::KEY_ACTOR,
    column::KEY_COUNTER,
    column::KEY,
    column::INSERT,
    column::ACTION,
    column::VALUE_META,
    column::VALUE,
    column::PRED_COUNT,
    column::PRED_ACTOR,
    column::PRED_COUNTER,
    column::EXPAND,
    column::MARK_NAME,
];

impl<'a> Columns<'a> {
    fn read<P: Policy>(cursor: &mut Cursor<'a, P>) -> Result<Self, Refused> {
        let mut lens = [0; KNOWN.len()];
        let mut unread = 0..KNOWN.len();
        for _ in 0..cursor.unsigned("columns")? {
            let spec = cursor.unsigned("columns")?;
            // Known, uncompressed, ascending: each is looked for behind the one before.
            let found = unread.find(|&index| u64::from(KNOWN[index]) == spec).ok_or(malformed("columns"))?;
            lens[found] = cursor.unsigned("columns")?;
        }
        let mut columns = [&[][..]; KNOWN.len()];
        for (column, len) in columns.iter_mut().zip(lens) {
            *column = cursor.take(len, "columns")?;
        }
        Ok(Self(columns))
    }

    fn of(&self, spec: u32) -> &'a [u8] {
        KNOWN.iter().position(|&known| known == spec).map_or(&[], |index| self.0[index])
    }

    /// Whether an optional column of numbers holds any.
    fn any_number<P: Policy>(&self, spec: u32, rows: usize, policy: P, what: &'static str) -> Result<bool, Refused> {
        let (column, mut any) = (self.of(spec), false);
        if column.is_empty() {
            return Ok(false);
        }
        // Signed or not does not matter for a number that is refused anyway, except for its shortest form.
        let signed = spec == column::KEY_COUNTER;
        let read = |cursor: &mut Cursor<'a, P>| {
            if signed { cursor.signed(what).map(|_| ()) } else { cursor.unsigned(what).map(|_| ()) }
        };
        runs(column, Rows::Exactly(rows), policy, what, read, |row| {
            any |= row.is_some();
            Ok(())
        })?;
        Ok(any)
    }

    fn any_true<P: Policy>(&self, spec: u32, rows: usize, policy: P, what: &'static str) -> Result<bool, Refused> {
        let column = self.of(spec);
        Ok(!column.is_empty() && any_true(column, rows, policy, what)?)
    }

    /// A column of numbers, 0 where it is null or left out.
    fn numbers<P: Policy>(&self, spec: u32, rows: usize, policy: P, what: &'static str) -> Result<Vec<u64>, Refused> {
        let column = self.of(spec);
        if column.is_empty() {
            return Ok(vec![0; rows]);
        }
        let mut numbers = Vec::with_capacity(rows);
        runs(
            column,
            Rows::Exactly(rows),
            policy,
            what,
            |cursor| cursor.unsigned(what),
            |number| {
                numbers.push(number.unwrap_or(0));
                Ok(())
            },
        )?;
        Ok(numbers)
    }

    fn texts<P: Policy>(
        &self,
        spec: u32,
        rows: usize,
        policy: P,
        what: &'static str,
    ) -> Result<Vec<Option<&'a [u8]>>, Refused> {
        let column = self.of(spec);
        if column.is_empty() {
            return Ok(vec![None; rows]);
        }
        let mut texts = Vec::with_capacity(rows);
        runs(
            column,
            Rows::Exactly(rows),
            policy,
            what,
            |cursor| cursor.prefixed(what),
            |text| {
                texts.push(text);
                Ok(())
            },
        )?;
        Ok(texts)
    }

    fn any_mark<P: Policy>(&self, rows: usize, policy: P) -> Result<bool, Refused> {
        let expands = self.any_true(column::EXPAND, rows, policy, "expands")?;
        let names = self.texts(column::MARK_NAME, rows, policy, "mark names")?;
        Ok(expands || names.iter().any(Option::is_some))
    }
}

fn values<'a, P: Policy>(columns: &Columns<'a>, rows: usize, policy: P) -> Result<Vec<RawValue<'a>>, Refused> {
    let what = "values";
    let mut rest = Cursor::new(columns.of(column::VALUE), policy);
    let value = |meta: u64| {
        let code = meta & 15;
        let bytes = rest.take(meta >> 4, what)?;
        match code {
            // Automerge would leave these bytes to the next value.
            code::NULL | code::FALSE | code::TRUE if !bytes.is_empty() => Err(malformed(what)),
            code::INT => Ok(RawValue { code, bytes, int: Some(whole(bytes, policy)?) }),
            _ => Ok(RawValue { code, bytes, int: None }),
        }
    };
    let metas = columns.numbers(column::VALUE_META, rows, policy, what)?;
    let values = metas.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
    if rest.is_at_end() { Ok(values) } else { Err(malformed(what)) }
}

fn whole<P: Policy>(bytes: &[u8], policy: P) -> Result<i64, Refused> {
    let mut cursor = Cursor::new(bytes, policy);
    let value = cursor.signed("value")?;
    if cursor.is_at_end() { Ok(value) } else { Err(malformed("value")) }
}

fn preds<P: Policy>(
    columns: &Columns<'_>,
    rows: usize,
    actors: &[Actor],
    policy: P,
) -> Result<Vec<Vec<OpRef>>, Refused> {
    let what = "predecessors";
    let counts = columns.numbers(column::PRED_COUNT, rows, policy, what)?;
    let total = counts.iter().fold(0, |total: u64, count| total.saturating_add(*count));
    let total = within(total, PREDS_MAX, policy, what)?;
    let mut makers = Vec::with_capacity(total);
    runs(
        columns.of(column::PRED_ACTOR),
        Rows::Exactly(total),
        policy,
        what,
        |cursor| cursor.unsigned(what),
        |index| {
            let index = index.and_then(|index| usize::try_from(index).ok());
            makers.push(*index.and_then(|index| actors.get(index)).ok_or(malformed(what))?);
            Ok(())
        },
    )?;
    let mut counter = 0i64;
    let mut ops = Vec::with_capacity(total);
    runs(
        columns.of(column::PRED_COUNTER),
        Rows::Exactly(total),
        policy,
        what,
        |cursor| cursor.signed(what),
        |delta| {
            counter = delta.and_then(|delta| counter.checked_add(delta)).ok_or(malformed(what))?;
            let counter = u64::try_from(counter).ok().filter(|counter| (1..=COUNTER_MAX).contains(counter));
            ops.push(OpRef { counter: counter.ok_or(malformed(what))?, actor: makers[ops.len()] });
            Ok(())
        },
    )?;
    let mut ops = ops.into_iter();
    Ok(counts.into_iter().map(|count| ops.by_ref().take(count as usize).collect()).collect())
}

fn name<P: Policy>(key: Option<&[u8]>, policy: P) -> Result<&str, Refused> {
    let refused = Refused { check: Check::ChangeKey, what: "key" };
    let key = std::str::from_utf8(key.ok_or(refused)?).map_err(|_| refused)?;
    policy.require(Key::parse(key).is_some(), Check::ChangeKey, "key")?;
    Ok(key)
}

fn seed(message: &str) -> Option<[u8; 16]> {
    let mut seed = [0; 16];
    if message.len() != 2 * seed.len() {
        return None;
    }
    data_encoding::HEXLOWER.decode_mut(message.as_bytes(), &mut seed).ok()?;
    Some(seed)
}

/// What a count may be at most. Without the check it is twice the limit, never unbounded.
fn ceiling<P: Policy>(limit: usize, policy: P) -> usize {
    if policy.enforces(Check::ChangeSize) { limit } else { 2 * limit }
}

fn within<P: Policy>(count: u64, limit: usize, policy: P, what: &'static str) -> Result<usize, Refused> {
    let count = usize::try_from(count).ok().filter(|&count| count <= ceiling(limit, policy));
    count.ok_or(Refused { check: Check::ChangeSize, what })
}
