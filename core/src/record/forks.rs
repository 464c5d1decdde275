//! Which branch of a fork is applied (`spec/record.md`, Choosing among siblings).
//!
//! What speaks for a change is kept with it and only ever shrinks, when branches above it are held. So settling costs
//! in proportion to the entries and what they name, however many forks one key makes.

use std::collections::{BTreeMap, BTreeSet};

use super::{HeldWhy, Standing};
use crate::id::{Actor, EntryId};
use crate::roster::PartyNumber;

/// A fork that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Whose it is.
    pub actor: Actor,
    /// At which of the actor's changes in this record.
    pub seq: u64,
    /// The branch that stays.
    pub chosen: EntryId,
    /// The branches that are held, ascending.
    pub others: Vec<EntryId>,
    /// What decided.
    pub by: ForkRule,
}

/// What decides between branches: the first that tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForkRule {
    /// Rulings name one branch only.
    Ruling,
    /// More parties other than the author's built on it or spoke about it.
    Parties,
    /// No cut covers it.
    Uncovered,
    /// Its entry id is lower.
    LowerId,
}

/// The entries of a record as far as forks read them.
pub(super) struct Tree {
    pub(super) entries: Vec<Node>,
    /// The changes at each seat of each actor; more than one is a fork.
    seats: BTreeMap<(Actor, u64), Vec<usize>>,
}

pub(super) struct Node {
    pub(super) id: EntryId,
    pub(super) party: Option<PartyNumber>,
    pub(super) is_covered: bool,
    /// `None` while the entry remains.
    pub(super) standing: Option<Standing>,
    /// The changes that name it, when it was planted.
    pub(super) children: Vec<usize>,
    /// The changes it names.
    parents: Vec<usize>,
    /// The signature roles that name it.
    roles: Vec<usize>,
    is_ruling: bool,
    support: Support,
}

/// What speaks for a change: itself, the remaining changes above it, and the roles that name one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Support {
    /// The parties whose uncovered entries these are, one bit each.
    parties: u64,
    is_ruled: bool,
}

impl Support {
    fn add(&mut self, other: Support) {
        self.parties |= other.parties;
        self.is_ruled |= other.is_ruled;
    }
}

/// Which bit stands for which party: a charter has at most 64.
struct Bits(Vec<PartyNumber>);

impl Bits {
    fn of(entries: &[Node]) -> Self {
        let parties: BTreeSet<PartyNumber> = entries.iter().filter_map(|entry| entry.party).collect();
        Self(parties.into_iter().collect())
    }

    fn bit(&self, party: Option<PartyNumber>) -> u64 {
        let at = party.and_then(|party| self.0.binary_search(&party).ok());
        at.and_then(|at| 1u64.checked_shl(u32::try_from(at).ok()?)).unwrap_or(0)
    }
}

impl Tree {
    pub(super) fn with_entries(count: usize) -> Self {
        let node = || Node {
            id: EntryId::from_bytes([0; 32]),
            party: None,
            is_covered: false,
            standing: None,
            children: Vec::new(),
            parents: Vec::new(),
            roles: Vec::new(),
            is_ruling: false,
            support: Support::default(),
        };
        Self { entries: std::iter::repeat_with(node).take(count).collect(), seats: BTreeMap::new() }
    }

    pub(super) fn plant_change(&mut self, number: usize, seat: (Actor, u64), named: &[usize]) {
        self.seats.entry(seat).or_default().push(number);
        self.entries[number].parents = named.to_vec();
        for &named in named {
            self.entries[named].children.push(number);
        }
    }

    pub(super) fn plant_role(&mut self, number: usize, is_ruling: bool, named: &[usize]) {
        self.entries[number].is_ruling = is_ruling;
        for &named in named {
            self.entries[named].roles.push(number);
        }
    }

    /// Chooses at every fork and holds the other branches: actors ascending, each from its lowest seq upward.
    ///
    /// `canonical` are the entries, each after those it names.
    pub(super) fn settle(&mut self, canonical: &[usize]) -> Vec<Fork> {
        let mut seats = std::mem::take(&mut self.seats);
        seats.retain(|_, siblings| siblings.len() > 1);
        if seats.is_empty() {
            return Vec::new();
        }
        let bits = Bits::of(&self.entries);
        for &number in canonical.iter().rev() {
            self.entries[number].support = self.support(number, &bits);
        }
        let mut forks = Vec::new();
        for ((actor, seq), mut siblings) in seats {
            siblings.retain(|&sibling| self.entries[sibling].standing.is_none());
            // Numbers ascend with the ids.
            siblings.sort_unstable();
            let Some((chosen, by)) = self.choose(&siblings, &bits) else { continue };
            siblings.retain(|&sibling| sibling != chosen);
            self.hold(&siblings, chosen, &bits);
            let others = siblings.iter().map(|&loser| self.entries[loser].id).collect();
            forks.push(Fork { actor, seq, chosen: self.entries[chosen].id, others, by });
        }
        forks
    }

    /// What speaks for a change, from what speaks for its children.
    fn support(&self, number: usize, bits: &Bits) -> Support {
        let entry = &self.entries[number];
        let own = if entry.is_covered { 0 } else { bits.bit(entry.party) };
        let mut support = Support { parties: own, is_ruled: false };
        let children = entry.children.iter().map(|&child| &self.entries[child]);
        children.filter(|child| child.standing.is_none()).for_each(|child| support.add(child.support));
        for role in entry.roles.iter().map(|&role| &self.entries[role]).filter(|role| !role.is_covered) {
            support.add(Support { parties: bits.bit(role.party), is_ruled: self.is_in_force(role) });
        }
        support
    }

    /// Whether an uncovered ruling counts: no other uncovered ruling names it.
    fn is_in_force(&self, ruling: &Node) -> bool {
        let mut naming = ruling.roles.iter().map(|&role| &self.entries[role]);
        ruling.is_ruling && !naming.any(|role| role.is_ruling && !role.is_covered)
    }

    /// The sibling that stays, and what decides; `None` if there is no choice.
    fn choose(&self, siblings: &[usize], bits: &Bits) -> Option<(usize, ForkRule)> {
        if siblings.len() < 2 {
            return None;
        }
        // All of them: if only the lowest ids could be chosen, an author who made lower ones later would hold the
        // branch that others have worked on.
        let mut left = siblings.to_vec();
        let ruled: Vec<usize> = left.iter().copied().filter(|&s| self.entries[s].support.is_ruled).collect();
        if let [only] = ruled.as_slice() {
            return Some((*only, ForkRule::Ruling));
        }
        let others = |sibling: usize| {
            let Node { party, support, .. } = &self.entries[sibling];
            (support.parties & !bits.bit(*party)).count_ones()
        };
        let most = left.iter().map(|&sibling| others(sibling)).max()?;
        left.retain(|&sibling| others(sibling) == most);
        if left.len() == 1 {
            return Some((left[0], ForkRule::Parties));
        }
        if left.iter().any(|&sibling| !self.entries[sibling].is_covered) {
            left.retain(|&sibling| !self.entries[sibling].is_covered);
        }
        let by = if left.len() == 1 { ForkRule::Uncovered } else { ForkRule::LowerId };
        left.first().map(|&lowest| (lowest, by))
    }

    /// Holds branches, and takes what they said away from the changes they stood on.
    fn hold(&mut self, losers: &[usize], chosen: usize, bits: &Bits) {
        let chosen = self.entries[chosen].id;
        let mut ground = BTreeSet::<usize>::new();
        for &loser in losers {
            let root = self.entries[loser].id;
            let mut branch = vec![loser];
            while let Some(number) = branch.pop() {
                let entry = &mut self.entries[number];
                if entry.standing.is_some() {
                    continue;
                }
                let why = if number == loser { HeldWhy::Fork(chosen) } else { HeldWhy::Ancestor(root) };
                entry.standing = Some(Standing::Held(why));
                branch.extend(&entry.children);
                ground.extend(&entry.parents);
            }
        }
        while let Some(number) = ground.pop_last() {
            if self.entries[number].standing.is_some() {
                continue;
            }
            let support = self.support(number, bits);
            if support != self.entries[number].support {
                self.entries[number].support = support;
                ground.extend(&self.entries[number].parents);
            }
        }
    }
}
