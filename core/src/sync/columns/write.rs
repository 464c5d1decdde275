//! A frame of columns, written.

use std::collections::HashMap;

use super::body::{Context, Place, Said, other_actors};
use super::{COLUMNS, PUTS_MAX, code, number, shape};
use crate::cbor::Writer;
use crate::change::{Change, Put, Value};
use crate::check::Refused;
use crate::id::{Actor, EntryId, LogId};
use crate::sync::wire::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BODY_FIELD, CHECK_BYTES, Outgoing, Parts, refused, write_logs,
};

/// The level of version 1; other levels were not measured with columns.
const ZSTD_LEVEL: i32 = 3;

/// Encodes a frame of type 2 with as many of `entries` as fit, and says how many those are.
pub(in crate::sync) fn encode(entries: &[Outgoing<'_>]) -> Result<(Vec<u8>, usize), Refused> {
    let mut parts = Vec::new();
    let mut bytes = 0;
    for entry in entries.iter().take(BATCH_ENTRIES_MAX) {
        bytes += entry.header.len() + entry.body.map_or(0, <[u8]>::len) + 128;
        if !parts.is_empty() && bytes > BATCH_BYTES_MAX / 4 {
            break;
        }
        parts.push(Parts::of(entry.header)?);
    }
    let mut batch = Batch::default();
    for (entry, parts) in entries.iter().zip(&parts) {
        batch.add(entry, parts)?;
    }
    Ok((batch.finish()?, parts.len()))
}

#[derive(Default)]
pub(super) struct Batch<'a> {
    logs: Vec<Parts<'a>>,
    expected: HashMap<LogId, (usize, u64, EntryId)>,
    run: Option<(usize, u64)>,
    /// Where in the batch an entry, and a change, is.
    ids: HashMap<[u8; 32], usize>,
    changes: HashMap<[u8; 32], usize>,
    entries: usize,
    templates: HashMap<Vec<&'a str>, usize>,
    said: Vec<(Vec<&'a str>, Vec<Vec<Value<'a>>>)>,
    puts: usize,
    clock: (i64, i64),
    place: (i64, i64),
    // Columns that do not compress.
    signatures: Vec<u8>,
    checks: Vec<u8>,
    claims: Vec<u8>,
    seeds: Vec<u8>,
    // Columns that do.
    columns: Columns,
}

#[derive(Default)]
struct Columns {
    runs: Vec<u8>,
    shapes: Vec<u8>,
    kinds: Vec<u8>,
    back: Vec<u8>,
    ids: Vec<u8>,
    hashes: [Vec<u8>; 3],
    items: Vec<u8>,
    bodies: Vec<u8>,
    changes: Vec<u8>,
    actors: Vec<u8>,
    clocks: Vec<u8>,
    places: Vec<u8>,
    context: Vec<u8>,
}

impl<'a> Batch<'a> {
    pub(super) fn add(&mut self, entry: &Outgoing<'a>, parts: &Parts<'a>) -> Result<(), Refused> {
        let id = EntryId::of(entry.header);
        let log = LogId::derive(&parts.key, parts.scope, parts.epoch);
        self.place_in_log(parts, log, id);
        self.signatures.extend_from_slice(parts.signature);
        self.checks.extend_from_slice(&id.as_bytes()[..CHECK_BYTES]);
        let actor = |mission| Actor::derive(mission, &parts.key, parts.scope, parts.epoch);
        let mission = crate::sync::wire::mission_of(entry.header)?;
        let said = entry.body.and_then(|body| Said::of(body, actor(mission)));
        let said = said.filter(|said| self.puts + said.change.puts().len() <= PUTS_MAX);
        let mut bits = match (&entry.body, &said) {
            (None, _) => 0,
            (Some(_), None) => shape::AS_IS,
            (Some(_), Some(said)) => shape::SAID | said.context.shape(),
        };
        for (field, value) in &parts.rest {
            if *field == BODY_FIELD && entry.body.is_some() {
                continue;
            }
            bits |= shape::field(*field).ok_or(refused("header"))?;
            self.add_field(*field, value)?;
        }
        number::write(&mut self.columns.shapes, bits);
        match (entry.body, said) {
            (None, _) => {}
            (Some(body), None) => {
                number::write(&mut self.columns.bodies, body.len() as u64);
                self.columns.bodies.extend_from_slice(body);
            }
            (Some(_), Some(Said { change, context })) => {
                self.add_change(&change);
                self.add_context(&context);
                self.changes.insert(*change.hash().as_bytes(), self.entries);
            }
        }
        self.ids.insert(*id.as_bytes(), self.entries);
        self.entries += 1;
        Ok(())
    }

    fn place_in_log(&mut self, parts: &Parts<'a>, log: LogId, id: EntryId) {
        let index = match self.expected.get(&log) {
            Some((index, seq, prev)) if *seq == parts.seq && Some(*prev) == parts.prev => *index,
            // A second branch of a fork, or a jump: named as a log of its own.
            _ => {
                self.logs.push(parts.clone());
                self.logs.len() - 1
            }
        };
        self.expected.insert(log, (index, parts.seq + 1, id));
        match &mut self.run {
            Some((of, count)) if *of == index => *count += 1,
            _ => {
                self.end_run();
                self.run = Some((index, 1));
            }
        }
    }

    fn end_run(&mut self) {
        if let Some((index, count)) = self.run.take() {
            number::write(&mut self.columns.runs, index as u64);
            number::write(&mut self.columns.runs, count);
        }
    }

    fn add_field(&mut self, field: i64, value: &[u8]) -> Result<(), Refused> {
        let mut reader = crate::cbor::Reader::new(value);
        match field {
            7 => number::write(&mut self.columns.kinds, reader.uint("kind")?),
            8 => self.add_id(&reader.array_of("record")?),
            9 => {
                let refs = reader.array(crate::entry::REFS_MAX, "refs")?;
                number::write(&mut self.columns.back, refs as u64);
                for _ in 0..refs {
                    self.add_id(&reader.array_of("ref")?);
                }
            }
            BODY_FIELD => self.columns.hashes[0].extend_from_slice(&reader.array_of::<32>("body")?),
            11 => self.claims.extend_from_slice(&reader.array_of::<32>("claims")?),
            12 => self.columns.hashes[1].extend_from_slice(&reader.array_of::<32>("form")?),
            13 => self.columns.hashes[2].extend_from_slice(&reader.array_of::<32>("seen")?),
            _ => self.columns.items.extend_from_slice(value),
        }
        Ok(())
    }

    /// An entry's id: how far back it is in the batch, or itself.
    fn add_id(&mut self, id: &[u8; 32]) {
        let at = self.ids.get(id).copied();
        self.add_back(at, id);
    }

    fn add_back(&mut self, at: Option<usize>, id: &[u8; 32]) {
        number::write(&mut self.columns.back, at.map_or(0, |at| (self.entries - at) as u64));
        if at.is_none() {
            self.columns.ids.extend_from_slice(id);
        }
    }

    fn add_change(&mut self, change: &Change<'a>) {
        let keys: Vec<&'a str> = change.puts().iter().map(|put: &Put<'a>| put.key).collect();
        let next = self.templates.len();
        let template = *self.templates.entry(keys).or_insert_with_key(|keys| {
            self.said.push((keys.clone(), Vec::new()));
            next
        });
        self.said[template].1.push(change.puts().iter().map(|put| put.value).collect());
        self.puts += change.puts().len();
        self.seeds.extend_from_slice(change.seed());
        for value in [template as u64, change.seq(), change.start_op(), change.deps().len() as u64] {
            number::write(&mut self.columns.changes, value);
        }
        for dep in change.deps() {
            let at = self.changes.get(dep.as_bytes()).copied();
            self.add_back(at, dep.as_bytes());
        }
        let others = other_actors(change);
        number::write(&mut self.columns.changes, others.len() as u64);
        others.iter().for_each(|actor| self.columns.actors.extend_from_slice(actor.as_bytes()));
        for put in change.puts() {
            number::write(&mut self.columns.changes, put.preds.len() as u64);
            for pred in &put.preds {
                let index = others.binary_search(&pred.actor).map_or(0, |found| found as u64 + 1);
                number::write(&mut self.columns.changes, index);
                number::write(&mut self.columns.changes, pred.counter);
            }
        }
    }

    fn add_context(&mut self, context: &Context<'_>) {
        let Context { wall_ms, uptime_ms, boot, clock, place, post, observer, photos } = context;
        let booted = wall_ms.wrapping_sub(*uptime_ms);
        let columns = &mut self.columns;
        number::write_signed(&mut columns.clocks, wall_ms.wrapping_sub(self.clock.0));
        number::write_signed(&mut columns.clocks, booted.wrapping_sub(self.clock.1));
        self.clock = (*wall_ms, booted);
        columns.context.extend_from_slice(boot);
        columns.context.extend_from_slice(clock);
        if let Some(Place { lat_e7, lon_e7, rest }) = place {
            number::write_signed(&mut columns.places, lat_e7.wrapping_sub(self.place.0));
            number::write_signed(&mut columns.places, lon_e7.wrapping_sub(self.place.1));
            self.place = (*lat_e7, *lon_e7);
            columns.context.extend_from_slice(rest);
        }
        [*post, Some(observer), *photos].into_iter().flatten().for_each(|item| columns.context.extend_from_slice(item));
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, Refused> {
        self.end_run();
        let (values, texts) = values(&self.said);
        let Columns { runs, shapes, kinds, back, ids, hashes, items, bodies, changes, actors, clocks, places, context } =
            self.columns;
        let [absent, forms, seen] = hashes;
        let columns: [Vec<u8>; COLUMNS] = [
            runs, shapes, kinds, back, ids, absent, forms, seen, items, bodies, changes, actors, clocks, places,
            context,
        ];
        let mut batch = Writer::new();
        batch.array(4);
        write_logs(&self.logs, &mut batch);
        batch.array(self.said.len());
        for (keys, _) in &self.said {
            batch.array(keys.len());
            keys.iter().for_each(|key| _ = batch.bytes(key.as_bytes()));
        }
        batch.array(COLUMNS);
        columns.iter().for_each(|column| _ = batch.bytes(column));
        batch.array(2).bytes(&values).bytes(&texts);
        let batch = batch.finish();
        let packed = zstd::bulk::compress(&batch, ZSTD_LEVEL).map_err(|_| refused("batch"))?;
        let plain = [&self.signatures, &self.checks, &self.claims, &self.seeds];
        let mut frame =
            Writer::with_capacity(packed.len() + plain.iter().map(|column| column.len() + 5).sum::<usize>());
        frame.array(7).uint(2);
        plain.iter().for_each(|column| _ = frame.bytes(column));
        frame.uint(batch.len() as u64).bytes(&packed);
        Ok(frame.finish())
    }
}

/// Question by question, how each entry answered it: numbers, and bytes of whole numbers and texts.
fn values(said: &[(Vec<&str>, Vec<Vec<Value<'_>>>)]) -> (Vec<u8>, Vec<u8>) {
    let (mut numbers, mut bytes) = (Vec::new(), Vec::new());
    for (keys, answers) in said {
        for at in 0..keys.len() {
            let mut texts: HashMap<&str, u64> = HashMap::new();
            for value in answers.iter().filter_map(|answers| answers.get(at)) {
                let how = match *value {
                    Value::Null => code::NULL,
                    Value::Bool(false) => code::FALSE,
                    Value::Bool(true) => code::TRUE,
                    Value::Int(value) => {
                        number::write_signed(&mut bytes, value);
                        code::INT
                    }
                    Value::Text(text) => {
                        let next = texts.len() as u64;
                        match texts.entry(text) {
                            std::collections::hash_map::Entry::Occupied(known) => known.get() << 4 | code::AGAIN,
                            std::collections::hash_map::Entry::Vacant(new) => {
                                new.insert(next);
                                bytes.extend_from_slice(text.as_bytes());
                                (text.len() as u64) << 4 | code::TEXT
                            }
                        }
                    }
                };
                number::write(&mut numbers, how);
            }
        }
    }
    (numbers, bytes)
}
