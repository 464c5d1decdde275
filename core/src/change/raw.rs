//! What the bytes of a change say, read within bounds and not yet judged.

use super::columns::{Cursor, Rows, any_true, malformed, runs};
use super::encode::{code, column};
use super::{COUNTER_MAX, DEPS_MAX, OPS_MAX, OTHER_ACTORS_MAX, OpRef, PREDS_MAX};
use crate::check::{Check, Policy, Refused};
use crate::id::{Actor, ChangeHash};

/// A change as its bytes say it, before anything is judged.
pub(super) struct Raw<'a> {
    pub(super) deps: Vec<ChangeHash>,
    pub(super) actor: &'a [u8],
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) message: &'a str,
    pub(super) ops: Ops<'a>,
    pub(super) extra: &'a [u8],
}

/// The operations, column by column.
pub(super) struct Ops<'a> {
    pub(super) on_root: bool,
    /// Some key is an element of a list.
    pub(super) by_element: bool,
    pub(super) keys: Vec<Option<&'a [u8]>>,
    pub(super) insert: bool,
    pub(super) actions: Vec<Option<u64>>,
    pub(super) values: Vec<RawValue<'a>>,
    pub(super) preds: Vec<Vec<OpRef>>,
    pub(super) mark: bool,
}

pub(super) struct RawValue<'a> {
    pub(super) code: u64,
    pub(super) bytes: &'a [u8],
    pub(super) int: Option<i64>,
}
impl<'a> Raw<'a> {
    /// `actor` is whom the first place in the list of actors stands for; whether the chunk says so too is judged later.
    pub(super) fn read<P: Policy>(contents: &'a [u8], actor: Actor, policy: P) -> Result<Self, Refused> {
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

/// What a count may be at most. Without the check it is twice the limit, never unbounded.
fn ceiling<P: Policy>(limit: usize, policy: P) -> usize {
    if policy.enforces(Check::ChangeSize) { limit } else { 2 * limit }
}

fn within<P: Policy>(count: u64, limit: usize, policy: P, what: &'static str) -> Result<usize, Refused> {
    let count = usize::try_from(count).ok().filter(|&count| count <= ceiling(limit, policy));
    count.ok_or(Refused { check: Check::ChangeSize, what })
}
