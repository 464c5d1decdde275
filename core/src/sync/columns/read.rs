//! A frame of columns, read within bounds and rebuilt.

use super::body::{Context, Place, two};
use super::number::Column;
use super::{COLUMNS, PUTS_MAX, code, shape};
use crate::cbor::{Reader, Writer};
use crate::change::{self, CHUNK_BYTES_MAX, DEPS_MAX, OPS_MAX, OTHER_ACTORS_MAX, OpRef, PREDS_MAX, Put, Value};
use crate::check::{Check, Refused};
use crate::entry::{BODY_BYTES_MAX, HEADER_BYTES_MAX, REFS_MAX};
use crate::id::{Actor, ChangeHash, EntryId, MissionId};
use crate::sync::wire::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BODY_FIELD, CHECK_BYTES, Incoming, LogCursor, Received, refused, unpack,
};

/// Decodes what follows the type of a frame of type 2.
pub(in crate::sync) fn decode(reader: &mut Reader<'_>, mission: MissionId) -> Result<Received, Refused> {
    let plain = Plain {
        signatures: Column(reader.bytes("signatures")?),
        checks: Column(reader.bytes("checks")?),
        claims: Column(reader.bytes("claims")?),
        seeds: Column(reader.bytes("seeds")?),
    };
    let batch = unpack(reader)?;
    let mut reader = Reader::new(&batch);
    reader.array_exact(4, "batch")?;
    let logs = list(&mut reader, BATCH_ENTRIES_MAX, "logs", LogCursor::decode)?;
    let templates = list(&mut reader, BATCH_ENTRIES_MAX, "templates", template)?;
    reader.array_exact(COLUMNS, "columns")?;
    let mut columns = [Column::default(); COLUMNS];
    for column in &mut columns {
        *column = Column(reader.bytes("column")?);
    }
    reader.leave();
    reader.array_exact(2, "values")?;
    let (numbers, bytes) = (Column(reader.bytes("values")?), Column(reader.bytes("values")?));
    reader.leave();
    reader.leave();
    reader.finish("batch")?;
    let batch = Batch {
        mission,
        logs,
        templates,
        plain,
        columns: Columns::of(columns),
        rows: Vec::new(),
        values: Vec::new(),
        ids: Vec::new(),
        changes: Vec::new(),
        clock: (0, 0),
        place: (0, 0),
        bytes: 0,
    };
    batch.read(numbers, bytes)
}

/// Columns that came as they are.
struct Plain<'a> {
    signatures: Column<'a>,
    checks: Column<'a>,
    claims: Column<'a>,
    seeds: Column<'a>,
}

struct Columns<'a> {
    runs: Column<'a>,
    shapes: Column<'a>,
    kinds: Column<'a>,
    back: Column<'a>,
    ids: Column<'a>,
    absent: Column<'a>,
    forms: Column<'a>,
    seen: Column<'a>,
    items: Column<'a>,
    bodies: Column<'a>,
    changes: Column<'a>,
    actors: Column<'a>,
    clocks: Column<'a>,
    places: Column<'a>,
    context: Column<'a>,
}

impl<'a> Columns<'a> {
    fn of(columns: [Column<'a>; COLUMNS]) -> Self {
        let [
            runs,
            shapes,
            kinds,
            back,
            ids,
            absent,
            forms,
            seen,
            items,
            bodies,
            changes,
            actors,
            clocks,
            places,
            context,
        ] = columns;
        Self {
            runs,
            shapes,
            kinds,
            back,
            ids,
            absent,
            forms,
            seen,
            items,
            bodies,
            changes,
            actors,
            clocks,
            places,
            context,
        }
    }
}

/// An entry, before its values are known.
struct Row {
    log: usize,
    shape: u64,
    change: Option<Said>,
}

/// What a change says, but for its values and for ids that need the entries before it.
struct Said {
    template: usize,
    seq: u64,
    start_op: u64,
    deps: usize,
    others: Vec<Actor>,
    /// For each put: indexes into `others`, one up, and counters.
    preds: Vec<Vec<(u64, u64)>>,
}

struct Batch<'a> {
    mission: MissionId,
    logs: Vec<LogCursor>,
    templates: Vec<Vec<&'a str>>,
    plain: Plain<'a>,
    columns: Columns<'a>,
    rows: Vec<Row>,
    /// For each row the values of its change.
    values: Vec<Vec<Value<'a>>>,
    /// Ids of the entries and changes rebuilt.
    ids: Vec<EntryId>,
    changes: Vec<Option<ChangeHash>>,
    clock: (i64, i64),
    place: (i64, i64),
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn read(mut self, numbers: Column<'a>, bytes: Column<'a>) -> Result<Received, Refused> {
        self.read_rows()?;
        self.read_values(numbers, bytes)?;
        let mut received = Received::default();
        for row in std::mem::take(&mut self.rows) {
            self.rebuild(&row, &mut received)?;
        }
        let Plain { signatures, checks, claims, seeds } = self.plain;
        let Columns { back, ids, absent, forms, seen, items, bodies, actors, clocks, places, context, .. } =
            self.columns;
        let read_on = [back, ids, absent, forms, seen, items, bodies, actors, clocks, places, context];
        let all = [signatures, checks, claims, seeds].into_iter().chain(read_on);
        all.into_iter().try_for_each(Column::finish)?;
        Ok(received)
    }

    fn read_rows(&mut self) -> Result<(), Refused> {
        let mut puts = 0;
        while !self.columns.runs.0.is_empty() {
            let log = self.columns.runs.count(self.logs.len().saturating_sub(1))?;
            if self.logs.is_empty() {
                return Err(refused("log"));
            }
            for _ in 0..self.columns.runs.count(BATCH_ENTRIES_MAX - self.rows.len())? {
                let shape = self.columns.shapes.number()?;
                if !shape::is_possible(shape) {
                    return Err(refused("shape"));
                }
                let change = (shape & shape::SAID != 0).then(|| self.read_change()).transpose()?;
                puts += change.as_ref().map_or(0, |change| change.preds.len());
                if puts > PUTS_MAX {
                    return Err(Refused { check: Check::SizeLimit, what: "values" });
                }
                self.rows.push(Row { log, shape, change });
            }
        }
        self.columns.shapes.finish()?;
        self.columns.changes.finish()
    }

    fn read_change(&mut self) -> Result<Said, Refused> {
        let column = &mut self.columns.changes;
        let template = column.count(self.templates.len().saturating_sub(1))?;
        let keys = self.templates.get(template).ok_or(refused("template"))?.len();
        let (seq, start_op) = (column.number()?, column.number()?);
        let deps = column.count(DEPS_MAX)?;
        let others = column.count(OTHER_ACTORS_MAX)?;
        let actors = &mut self.columns.actors;
        let others =
            (0..others).map(|_| actors.array().map(|actor| Actor::from_bytes(*actor))).collect::<Result<_, _>>()?;
        let mut left = PREDS_MAX;
        let mut preds = Vec::with_capacity(keys);
        for _ in 0..keys {
            let count = column.count(left)?;
            left -= count;
            preds.push((0..count).map(|_| Ok((column.number()?, column.number()?))).collect::<Result<_, Refused>>()?);
        }
        Ok(Said { template, seq, start_op, deps, others, preds })
    }

    /// Reads the answers, question by question.
    fn read_values(&mut self, mut numbers: Column<'a>, mut bytes: Column<'a>) -> Result<(), Refused> {
        self.values = self.rows.iter().map(|_| Vec::new()).collect();
        for (template, keys) in self.templates.iter().enumerate() {
            let is_of = |row: &Row| row.change.as_ref().is_some_and(|change| change.template == template);
            let of: Vec<usize> = (0..self.rows.len()).filter(|at| is_of(&self.rows[*at])).collect();
            for _ in keys {
                let mut texts: Vec<&'a str> = Vec::new();
                for at in &of {
                    self.values[*at].push(value(&mut numbers, &mut bytes, &mut texts)?);
                }
            }
        }
        numbers.finish()?;
        bytes.finish()
    }

    fn rebuild(&mut self, row: &Row, received: &mut Received) -> Result<(), Refused> {
        let at = self.ids.len();
        let (mut fields, mut change) = (Vec::new(), None);
        for field in (6..=14).filter(|field| shape::field(*field).is_some_and(|bit| row.shape & bit != 0)) {
            fields.push((field, self.field(field, row.shape)?));
        }
        let body = if row.shape & shape::AS_IS != 0 {
            let len = self.columns.bodies.count(BODY_BYTES_MAX)?;
            Some(self.columns.bodies.take(len)?.to_vec())
        } else if let Some(said) = &row.change {
            let values = std::mem::take(self.values.get_mut(at).ok_or(refused("values"))?);
            let (chunk, hash) = self.chunk(row.log, said, values)?;
            change = Some(hash);
            Some(self.context(row.shape)?.write_with(&chunk))
        } else {
            None
        };
        let signature = self.plain.signatures.array()?;
        let check: &[u8; CHECK_BYTES] = self.plain.checks.array()?;
        let rest: Vec<(i64, &[u8])> = fields.iter().map(|(field, value)| (*field, value.as_slice())).collect();
        let log = self.logs.get_mut(row.log).ok_or(refused("log"))?;
        let header = log.rebuild(self.mission, &rest, signature, body.as_deref())?;
        self.bytes += header.len() + body.as_ref().map_or(0, Vec::len);
        if self.bytes > BATCH_BYTES_MAX || header.len() > HEADER_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what: "rebuilt entries" });
        }
        let id = EntryId::of(&header);
        if id.as_bytes()[..CHECK_BYTES] == *check {
            received.entries.push(Incoming { header, body });
        } else {
            received.again.push((log.id(), log.seq));
        }
        log.seq = log.seq.checked_add(1).ok_or(refused("seq"))?;
        log.prev = Some(id);
        self.ids.push(id);
        self.changes.push(change);
        Ok(())
    }

    /// The value of a header's field, encoded.
    fn field(&mut self, field: i64, shape: u64) -> Result<Vec<u8>, Refused> {
        let mut writer = Writer::new();
        let columns = &mut self.columns;
        match field {
            7 => writer.uint(columns.kinds.number()?),
            8 => writer.bytes(&self.id()?),
            9 => {
                let refs = columns.back.count(REFS_MAX)?;
                writer.array(refs);
                for _ in 0..refs {
                    writer.bytes(&self.id()?);
                }
                &mut writer
            }
            BODY_FIELD if shape & (shape::AS_IS | shape::SAID) != 0 => return Err(refused("body hash beside a body")),
            BODY_FIELD => writer.bytes(columns.absent.array::<32>()?),
            11 => writer.bytes(self.plain.claims.array::<32>()?),
            12 => writer.bytes(columns.forms.array::<32>()?),
            13 => writer.bytes(columns.seen.array::<32>()?),
            _ => {
                let mut reader = Reader::new(columns.items.0);
                let item = reader.skip("header")?;
                columns.items.take(item.len())?;
                writer.raw(item)
            }
        };
        Ok(writer.finish())
    }

    /// The id of an entry: so far back in the batch, or itself.
    fn id(&mut self) -> Result<[u8; 32], Refused> {
        match self.back()? {
            Some(at) => self.ids.get(at).map(|id| *id.as_bytes()).ok_or(refused("entry before")),
            None => self.columns.ids.array().copied(),
        }
    }

    fn back(&mut self) -> Result<Option<usize>, Refused> {
        let here = self.ids.len();
        let back = self.columns.back.count(here)?;
        Ok((back > 0).then(|| here - back))
    }

    fn chunk(&mut self, log: usize, said: &Said, values: Vec<Value<'a>>) -> Result<(Vec<u8>, ChangeHash), Refused> {
        let mut deps = Vec::with_capacity(said.deps);
        for _ in 0..said.deps {
            deps.push(match self.back()? {
                Some(at) => self.changes.get(at).copied().flatten().ok_or(refused("change before"))?,
                None => ChangeHash::from_bytes(*self.columns.ids.array()?),
            });
        }
        let log = self.logs.get(log).ok_or(refused("log"))?;
        let own = Actor::derive(self.mission, &log.key, log.scope, log.epoch);
        let keys = self.templates.get(said.template).ok_or(refused("template"))?;
        let mut bytes = 0;
        let mut puts = Vec::with_capacity(keys.len());
        for ((key, value), preds) in keys.iter().zip(values).zip(&said.preds) {
            bytes += key.len() + if let Value::Text(text) = value { text.len() } else { 0 };
            let pred = |(actor, counter): &(u64, u64)| {
                let actor = match actor.checked_sub(1) {
                    None => Some(own),
                    Some(other) => usize::try_from(other).ok().and_then(|other| said.others.get(other).copied()),
                };
                Some(OpRef { counter: *counter, actor: actor? })
            };
            let preds = preds.iter().map(pred).collect::<Option<Vec<_>>>().ok_or(refused("actor"))?;
            puts.push(Put { key, value, preds });
        }
        // A text that is named again takes a byte here and all its bytes there.
        if bytes > CHUNK_BYTES_MAX {
            return Err(Refused { check: Check::SizeLimit, what: "change" });
        }
        let seed = self.plain.seeds.array()?;
        Ok(change::write(own, said.seq, said.start_op, &deps, seed, &puts))
    }

    fn context(&mut self, bits: u64) -> Result<Context<'a>, Refused> {
        let columns = &mut self.columns;
        let wall_ms = self.clock.0.wrapping_add(columns.clocks.signed()?);
        let booted = self.clock.1.wrapping_add(columns.clocks.signed()?);
        self.clock = (wall_ms, booted);
        let boot = *columns.context.array()?;
        let mut reader = Reader::new(columns.context.0);
        let what = "context";
        let clock = two(&mut reader).ok_or(refused(what))?;
        let mut context =
            Context { wall_ms, uptime_ms: wall_ms.wrapping_sub(booted), boot, clock, ..Context::default() };
        if bits & shape::PLACE != 0 {
            let lat_e7 = self.place.0.wrapping_add(columns.places.signed()?);
            let lon_e7 = self.place.1.wrapping_add(columns.places.signed()?);
            self.place = (lat_e7, lon_e7);
            context.place = Some(Place { lat_e7, lon_e7, rest: two(&mut reader).ok_or(refused(what))? });
        }
        let mut item = |bit: u64| (bits & bit != 0).then(|| reader.skip(what)).transpose();
        context.post = item(shape::POST)?;
        context.observer = item(bits)?.ok_or(refused(what))?;
        context.photos = item(shape::PHOTOS)?;
        columns.context.take(reader.position())?;
        Ok(context)
    }
}

fn value<'a>(numbers: &mut Column<'a>, bytes: &mut Column<'a>, texts: &mut Vec<&'a str>) -> Result<Value<'a>, Refused> {
    let how = numbers.number()?;
    let rest = usize::try_from(how >> 4).map_err(|_| refused("value"))?;
    match how & 15 {
        code::NULL if rest == 0 => Ok(Value::Null),
        code::FALSE if rest == 0 => Ok(Value::Bool(false)),
        code::TRUE if rest == 0 => Ok(Value::Bool(true)),
        code::INT if rest == 0 => bytes.signed().map(Value::Int),
        code::TEXT => {
            let text = std::str::from_utf8(bytes.take(rest)?).map_err(|_| refused("text"))?;
            texts.push(text);
            Ok(Value::Text(text))
        }
        code::AGAIN => texts.get(rest).copied().map(Value::Text).ok_or(refused("text again")),
        _ => Err(refused("value")),
    }
}

fn template<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Refused> {
    list(reader, OPS_MAX, "template", |reader| std::str::from_utf8(reader.bytes("key")?).map_err(|_| refused("key")))
}

fn list<'a, T>(
    reader: &mut Reader<'a>,
    most: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let items = (0..reader.array(most, what)?).map(|_| item(reader)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(items)
}
