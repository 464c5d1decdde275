//! The rules that hold between changes of one record: what a change builds on, and what it replaces.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Basis, Change, OpRef};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::{Actor, ChangeHash, EntryId};

/// The entry that carries a change, as its header places it in its record and in its log.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its id.
    pub entry: EntryId,
    /// The entries its header names.
    pub refs: &'a [EntryId],
}

/// The author's own line of changes in one record, on which the next edit goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The seq of the last of them; at least 1.
    pub count: u64,
    /// The entry that carries it.
    pub last: EntryId,
}

/// What became of an entry shown to [`RecordIndex::admit`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// Its change fits; entries that name it can be decided now.
    Admitted,
    /// These entries that it names are not in the index, so nothing is decided.
    Waiting(Vec<EntryId>),
}

/// The admitted changes of one record, from which later ones are judged.
///
/// Entries are admitted in canonical order, ancestors first. An entry that names one which was refused, held or
/// found out of role is held itself (`spec/record.md`) and is not to be shown here.
///
/// Each change lies on a *chain*: the changes of one actor that each build on the one before.
/// A fork begins a new chain, so an honest record has one chain for each actor, and "is an ancestor" is one
/// comparison of positions on a chain instead of a walk through the history.
#[derive(Clone, Debug, Default)]
pub struct RecordIndex {
    nodes: Vec<Node>,
    entries: HashMap<EntryId, u32>,
    keys: HashMap<Box<str>, u32>,
    chains: Vec<Vec<u32>>,
    chains_of: HashMap<Actor, Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Node {
    hash: ChangeHash,
    actor: Actor,
    seq: u64,
    start_op: u64,
    /// The number of the key of each operation.
    keys: Box<[u32]>,
    spot: Spot,
    /// The last ancestor on each other chain, ascending by chain; shared while a chain sees nothing new.
    seen: Arc<[Spot]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    chain: u32,
    index: u32,
}

impl Node {
    fn end_op(&self) -> u64 {
        self.start_op + self.keys.len() as u64
    }

    fn is_or_descends_from(&self, spot: Spot) -> bool {
        if self.spot.chain == spot.chain {
            return self.spot.index >= spot.index;
        }
        let found = self.seen.binary_search_by_key(&spot.chain, |seen| seen.chain);
        found.is_ok_and(|at| self.seen[at].index >= spot.index)
    }
}

impl RecordIndex {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks `change` against the changes it names, and adds it if it fits.
    ///
    /// Admitting an entry again changes nothing.
    ///
    /// # Errors
    /// The first rule of `spec/entry.md` §Change between changes that fails; the index is as before.
    pub fn admit(&mut self, change: &Change<'_>, step: Step<'_>) -> Result<Admission, Refused> {
        self.admit_under(change, step, Full)
    }

    /// As [`admit`](Self::admit), under `policy`.
    ///
    /// # Errors
    /// As [`admit`](Self::admit), as far as `policy` makes the checks.
    pub fn admit_under<P: Policy>(
        &mut self,
        change: &Change<'_>,
        step: Step<'_>,
        policy: P,
    ) -> Result<Admission, Refused> {
        if self.entries.contains_key(&step.entry) {
            return Ok(Admission::Admitted);
        }
        let missing: Vec<_> = step.refs.iter().copied().filter(|entry| !self.entries.contains_key(entry)).collect();
        if !missing.is_empty() {
            return Ok(Admission::Waiting(missing));
        }
        let refs: Vec<u32> = step.refs.iter().filter_map(|entry| self.entries.get(entry).copied()).collect();
        self.check(change, &refs, policy)?;
        self.add(change, &refs, step.entry);
        Ok(Admission::Admitted)
    }

    /// How many changes were admitted.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was admitted.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The change that `entry` carries, if it was admitted.
    pub fn change_of(&self, entry: EntryId) -> Option<ChangeHash> {
        self.entries.get(&entry).map(|&node| self.node(node).hash)
    }

    /// Whether `ancestor` is `entry` or an ancestor of it; false if either was not admitted.
    pub fn is_or_descends_from(&self, entry: EntryId, ancestor: EntryId) -> bool {
        let (Some(&entry), Some(&ancestor)) = (self.entries.get(&entry), self.entries.get(&ancestor)) else {
            return false;
        };
        self.node(entry).is_or_descends_from(self.node(ancestor).spot)
    }

    /// What an edit builds on that began when the screen showed `heads`; `None` if an entry was not admitted.
    ///
    /// `earlier` is the author's own line in this record, under the actor that will carry the edit.
    pub fn basis(&self, heads: &[EntryId], earlier: Option<Earlier>) -> Option<Basis> {
        let mut refs: Vec<EntryId> = heads.iter().copied().chain(earlier.map(|earlier| earlier.last)).collect();
        refs.sort_unstable();
        refs.dedup();
        let nodes = refs.iter().map(|entry| self.entries.get(entry).map(|&node| self.node(node)));
        let nodes = nodes.collect::<Option<Vec<_>>>()?;
        let start_op = nodes.iter().map(|node| node.end_op()).max().unwrap_or(1);
        let mut deps: Vec<ChangeHash> = nodes.iter().map(|node| node.hash).collect();
        deps.sort_unstable();
        deps.dedup();
        Some(Basis { refs, deps, seq: earlier.map_or(0, |earlier| earlier.count) + 1, start_op })
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    fn check<P: Policy>(&self, change: &Change<'_>, refs: &[u32], policy: P) -> Result<(), Refused> {
        let mut hashes: Vec<ChangeHash> = refs.iter().map(|&node| self.node(node).hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        policy.require(hashes == change.deps, Check::ChangeDepsRefs, "dependencies and refs")?;
        // Read from what is named and not from the log, so that no verdict depends on which other records are held.
        let own =
            refs.iter().map(|&node| self.node(node)).filter(|node| node.actor == change.actor).map(|node| node.seq);
        let own = own.max();
        policy.require(change.seq <= 1 || own.is_some(), Check::ChangeOwnDep, "own change among refs")?;
        policy.require(change.seq.checked_sub(1) == Some(own.unwrap_or(0)), Check::ChangeSeq, "seq")?;
        let start_op = refs.iter().map(|&node| self.node(node).end_op()).max().unwrap_or(1);
        policy.require(change.start_op == start_op, Check::ChangeStartOp, "start_op")?;
        let known = change.puts.iter().all(|put| {
            let key = self.keys.get(put.key).copied();
            put.preds.iter().all(|&pred| key.is_some_and(|key| self.is_ancestral(pred, key, refs)))
        });
        policy.require(known, Check::ChangePred, "predecessor")
    }

    /// Whether `op` is an operation on `key` of one of `refs` or of an ancestor of them.
    fn is_ancestral(&self, op: OpRef, key: u32, refs: &[u32]) -> bool {
        let chains = self.chains_of.get(&op.actor).map_or(&[][..], Vec::as_slice);
        chains.iter().any(|&chain| {
            let chain = &self.chains[chain as usize];
            let after = chain.partition_point(|&node| self.node(node).start_op <= op.counter);
            let Some(maker) = after.checked_sub(1).map(|at| self.node(chain[at])) else { return false };
            let put = usize::try_from(op.counter - maker.start_op).ok().and_then(|put| maker.keys.get(put));
            put == Some(&key) && refs.iter().any(|&node| self.node(node).is_or_descends_from(maker.spot))
        })
    }

    fn add(&mut self, change: &Change<'_>, refs: &[u32], entry: EntryId) {
        let node = self.nodes.len() as u32;
        let keys = change.puts.iter().map(|put| self.key(put.key)).collect();
        let spot = self.spot(change, refs);
        let seen = self.seen(spot.chain, refs);
        let Change { hash, actor, seq, start_op, .. } = *change;
        self.nodes.push(Node { hash, actor, seq, start_op, keys, spot, seen });
        self.chains[spot.chain as usize].push(node);
        self.entries.insert(entry, node);
    }

    fn key(&mut self, key: &str) -> u32 {
        if let Some(&known) = self.keys.get(key) {
            return known;
        }
        let number = self.keys.len() as u32;
        self.keys.insert(key.into(), number);
        number
    }

    /// Behind the actor's change before, if that ends its chain; else the start of a new chain.
    fn spot(&mut self, change: &Change<'_>, refs: &[u32]) -> Spot {
        let before = refs.iter().map(|&node| self.node(node)).find(|node| {
            let is_last = self.chains[node.spot.chain as usize].len() == node.spot.index as usize + 1;
            is_last && node.actor == change.actor && node.seq + 1 == change.seq
        });
        if let Some(before) = before {
            return Spot { chain: before.spot.chain, index: before.spot.index + 1 };
        }
        let chain = self.chains.len() as u32;
        self.chains.push(Vec::new());
        self.chains_of.entry(change.actor).or_default().push(chain);
        Spot { chain, index: 0 }
    }

    fn seen(&self, chain: u32, refs: &[u32]) -> Arc<[Spot]> {
        if let [only] = refs
            && self.node(*only).spot.chain == chain
        {
            return Arc::clone(&self.node(*only).seen);
        }
        let mut seen: Vec<Spot> = Vec::new();
        for node in refs.iter().map(|&node| self.node(node)) {
            seen.push(node.spot);
            seen.extend(node.seen.iter());
        }
        seen.retain(|spot| spot.chain != chain);
        // Of each chain the last spot stays: sorted downward, the first of each run.
        seen.sort_unstable_by(|a, b| b.cmp(a));
        seen.dedup_by_key(|spot| spot.chain);
        seen.reverse();
        seen.into()
    }
}
