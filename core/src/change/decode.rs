//! Reads one change chunk, strictly and within bounds, in the order of the table in `spec/entry.md` §Change.

use super::columns::{Cursor, malformed};
use super::encode::{ACTION_PUT, Content, HASHED_FROM, MAGIC, TYPE_CHANGE, code};
use super::raw::{Ops, Raw, RawValue};
use super::{CHUNK_BYTES_MAX, COUNTER_MAX, Change, Put, TEXT_BYTES_MAX, Value};
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

impl<'a> Raw<'a> {
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
