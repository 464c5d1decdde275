//! The rules that hold between changes of one record: what a change builds on, and what it replaces.

use std::collections::BTreeMap;
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
/// No change has two changes of one actor and seq among itself and its ancestors, so what it has seen of an actor is
/// one line, named by its last change. "Is an ancestor" is a descent along that line, in leaps, instead of a walk
/// through the history; and forks, however many, cost no more than the changes in them.
#[derive(Clone, Debug, Default)]
pub struct RecordIndex {
    nodes: Vec<Node>,
    entries: BTreeMap<EntryId, u32>,
    keys: BTreeMap<Box<str>, u32>,
    actors: BTreeMap<Actor, u32>,
}

/// Most actors of a change and its ancestors: each change keeps the last of each, so that a record of the most
/// entries takes 128 MiB and no more.
pub const ACTORS_MAX: usize = 256;

#[derive(Clone, Debug)]
struct Node {
    hash: ChangeHash,
    actor: u32,
    seq: u64,
    start_op: u64,
    /// The number of the key of each operation.
    keys: Box<[u32]>,
    /// The actor's change before, and one further down its line: two leaps of one length make one of the double and one.
    before: Option<u32>,
    leap: Option<u32>,
    /// The last ancestor of each other actor, ascending by actor; shared while a line sees nothing new.
    seen: Arc<[Last]>,
}

/// The last change of an actor that is an ancestor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    actor: u32,
    node: u32,
}

impl Node {
    fn end_op(&self) -> u64 {
        self.start_op + self.keys.len() as u64
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
        let seen = self.check(change, &refs, policy)?;
        self.add(change, &refs, seen, step.entry);
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
        self.last_of(entry, self.node(ancestor).actor).is_some_and(|last| self.is_on_line(last, ancestor))
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

    /// What the change has seen of other actors, if it fits.
    fn check<P: Policy>(&self, change: &Change<'_>, refs: &[u32], policy: P) -> Result<Arc<[Last]>, Refused> {
        let mut hashes: Vec<ChangeHash> = refs.iter().map(|&node| self.node(node).hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        policy.require(hashes == change.deps, Check::ChangeDepsRefs, "dependencies and refs")?;
        // Read from what is named and not from the log, so that no verdict depends on which other records are held.
        let actor = self.actors.get(&change.actor).copied();
        let own = refs.iter().map(|&node| self.node(node)).filter(|node| Some(node.actor) == actor);
        let own = own.map(|node| node.seq).max();
        policy.require(change.seq <= 1 || own.is_some(), Check::ChangeOwnDep, "own change among refs")?;
        policy.require(change.seq.checked_sub(1) == Some(own.unwrap_or(0)), Check::ChangeSeq, "seq")?;
        let start_op = refs.iter().map(|&node| self.node(node).end_op()).max().unwrap_or(1);
        let seen = self.seen(change, refs, policy)?;
        policy.require(change.start_op == start_op, Check::ChangeStartOp, "start_op")?;
        let known = change.puts.iter().all(|put| {
            let key = self.keys.get(put.key).copied();
            put.preds.iter().all(|&pred| key.is_some_and(|key| self.is_ancestral(pred, key, refs)))
        });
        policy.require(known, Check::ChangePred, "predecessor")?;
        Ok(seen)
    }

    /// Whether `op` is an operation on `key` of one of `refs` or of an ancestor of them.
    fn is_ancestral(&self, op: OpRef, key: u32, refs: &[u32]) -> bool {
        let Some(&actor) = self.actors.get(&op.actor) else { return false };
        refs.iter().any(|&node| {
            let last = self.last_of(node, actor);
            let maker = last.and_then(|last| self.down_to(last, |node| node.start_op <= op.counter));
            let Some(maker) = maker.map(|maker| self.node(maker)) else { return false };
            let put = usize::try_from(op.counter - maker.start_op).ok().and_then(|put| maker.keys.get(put));
            put == Some(&key)
        })
    }

    /// The last change of `actor` among `node` and its ancestors.
    fn last_of(&self, node: u32, actor: u32) -> Option<u32> {
        let Node { actor: own, seen, .. } = self.node(node);
        if *own == actor {
            return Some(node);
        }
        seen.binary_search_by_key(&actor, |last| last.actor).ok().map(|at| seen[at].node)
    }

    /// Whether `node` is `last` or before it on its line.
    fn is_on_line(&self, last: u32, node: u32) -> bool {
        self.down_to(last, |other| other.seq <= self.node(node).seq) == Some(node)
    }

    /// The first change on the line down from `node` of which `is_low` is true; it is true of all below, too.
    fn down_to(&self, mut node: u32, is_low: impl Fn(&Node) -> bool) -> Option<u32> {
        while !is_low(self.node(node)) {
            let Node { before, leap, .. } = self.node(node);
            node = leap.filter(|&leap| !is_low(self.node(leap))).or(*before)?;
        }
        Some(node)
    }

    fn add(&mut self, change: &Change<'_>, refs: &[u32], seen: Arc<[Last]>, entry: EntryId) {
        let node = self.nodes.len() as u32;
        let keys = change.puts.iter().map(|put| self.key(put.key)).collect();
        let next = self.actors.len() as u32;
        let Change { hash, actor, seq, start_op, .. } = *change;
        let actor = *self.actors.entry(actor).or_insert(next);
        let before = refs.iter().copied().filter(|&node| self.node(node).actor == actor);
        let before = before.max_by_key(|&node| self.node(node).seq);
        let leap = before.map(|before| self.leap(before));
        self.nodes.push(Node { hash, actor, seq, start_op, keys, before, leap, seen });
        self.entries.insert(entry, node);
    }

    /// Where the change after `before` leaps to.
    fn leap(&self, before: u32) -> u32 {
        let leap_of = |node: u32| self.node(node).leap.unwrap_or(node);
        let (middle, end) = (leap_of(before), leap_of(leap_of(before)));
        let length = |from: u32, to: u32| self.node(from).seq.abs_diff(self.node(to).seq);
        if middle != before && length(before, middle) == length(middle, end) { end } else { before }
    }

    fn key(&mut self, key: &str) -> u32 {
        if let Some(&known) = self.keys.get(key) {
            return known;
        }
        let number = self.keys.len() as u32;
        self.keys.insert(key.into(), number);
        number
    }

    /// The last ancestor of each other actor, when no two of the change and its ancestors have one actor and seq.
    fn seen<P: Policy>(&self, change: &Change<'_>, refs: &[u32], policy: P) -> Result<Arc<[Last]>, Refused> {
        let actor = self.actors.get(&change.actor).copied();
        if let [only] = refs
            && Some(self.node(*only).actor) == actor
        {
            return Ok(Arc::clone(&self.node(*only).seen));
        }
        let mut seen: Vec<Last> = Vec::new();
        for &node in refs {
            seen.push(Last { actor: self.node(node).actor, node });
            seen.extend(self.node(node).seen.iter());
        }
        // Of each actor the last change stays, the first of its run; the others are on its line, or beside it.
        seen.sort_unstable_by_key(|last| (last.actor, std::cmp::Reverse((self.node(last.node).seq, last.node))));
        seen.dedup();
        for run in seen.chunk_by(|a, b| a.actor == b.actor) {
            let is_line = run.iter().all(|other| self.is_on_line(run[0].node, other.node));
            policy.require(is_line, Check::ChangeSeq, "two branches of a fork")?;
            let is_over = Some(run[0].actor) == actor && self.node(run[0].node).seq >= change.seq;
            policy.require(!is_over, Check::ChangeSeq, "own change passed over")?;
        }
        seen.dedup_by_key(|last| last.actor);
        seen.retain(|last| Some(last.actor) != actor);
        policy.require(seen.len() < ACTORS_MAX, Check::ChangeSize, "actors")?;
        Ok(seen.into())
    }
}
