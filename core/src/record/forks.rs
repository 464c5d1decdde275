//! Which branch of a fork is applied (`spec/record.md`, Choosing among siblings).

use std::collections::{BTreeMap, BTreeSet};

use super::{HeldWhy, Standing};
use crate::id::{Actor, EntryId};
use crate::roster::PartyNumber;

/// Most siblings of one fork that can be chosen: the lowest entry ids.
const SIBLINGS_MAX: usize = 4;

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
    /// The others build on it.
    Ancestor,
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
    /// The remaining changes that name it.
    pub(super) children: Vec<usize>,
    /// The remaining signature roles that name it.
    roles: Vec<usize>,
    is_ruling: bool,
}

impl Tree {
    pub(super) fn with_entries(count: usize) -> Self {
        let node = || Node {
            id: EntryId::from_bytes([0; 32]),
            party: None,
            is_covered: false,
            standing: None,
            children: Vec::new(),
            roles: Vec::new(),
            is_ruling: false,
        };
        Self { entries: std::iter::repeat_with(node).take(count).collect(), seats: BTreeMap::new() }
    }

    pub(super) fn plant_change(&mut self, number: usize, seat: (Actor, u64), named: &[usize]) {
        self.seats.entry(seat).or_default().push(number);
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

    /// A change and the remaining changes that build on it.
    fn branch(&self, root: usize) -> Vec<usize> {
        let mut seen = BTreeSet::from([root]);
        let mut queue = vec![root];
        let mut branch = Vec::new();
        while let Some(number) = queue.pop() {
            branch.push(number);
            let children = &self.entries[number].children;
            queue.extend(children.iter().filter(|&&child| self.entries[child].standing.is_none() && seen.insert(child)));
        }
        branch
    }

    /// The signature roles that speak about a branch and count.
    fn roles_on<'a>(&'a self, branch: &'a [usize]) -> impl Iterator<Item = &'a Node> {
        let roles = branch.iter().flat_map(|&number| &self.entries[number].roles);
        roles.map(|&role| &self.entries[role]).filter(|role| !role.is_covered)
    }

    /// Whether a ruling is in force for the choice: none that counts names it.
    fn is_in_force(&self, ruling: &Node) -> bool {
        ruling.is_ruling && !ruling.roles.iter().map(|&role| &self.entries[role]).any(|r| r.is_ruling && !r.is_covered)
    }

    fn hold(&mut self, loser: usize, chosen: usize) {
        let (chosen, held) = (self.entries[chosen].id, self.branch(loser));
        let root = self.entries[loser].id;
        for number in held {
            let why = if number == loser { HeldWhy::Fork(chosen) } else { HeldWhy::Ancestor(root) };
            self.entries[number].standing = Some(Standing::Held(why));
        }
    }
}

/// Chooses at every fork and holds the other branches: actors ascending, each from its lowest seq upward.
pub(super) fn settle(tree: &mut Tree) -> Vec<Fork> {
    let seats = std::mem::take(&mut tree.seats);
    let mut forks = Vec::new();
    for ((actor, seq), mut siblings) in seats {
        siblings.retain(|&sibling| tree.entries[sibling].standing.is_none());
        if siblings.len() < 2 {
            continue;
        }
        // Numbers ascend with the ids.
        siblings.sort_unstable();
        let (chosen, by) = choose(tree, &candidates(tree, &siblings));
        siblings.retain(|&sibling| sibling != chosen);
        for &loser in &siblings {
            tree.hold(loser, chosen);
        }
        let others = siblings.iter().map(|&loser| tree.entries[loser].id).collect();
        forks.push(Fork { actor, seq, chosen: tree.entries[chosen].id, others, by });
    }
    forks
}

/// The siblings that can be chosen: the lowest ids of those that build on no other sibling.
///
/// An author who builds on somebody else's change that builds on his own, without naming his own, makes a sibling of
/// an ancestor. Choosing it would hold the ground it stands on.
fn candidates(tree: &Tree, siblings: &[usize]) -> Vec<usize> {
    let above: BTreeSet<usize> = siblings.iter().flat_map(|&sibling| tree.branch(sibling).split_off(1)).collect();
    siblings.iter().copied().filter(|sibling| !above.contains(sibling)).take(SIBLINGS_MAX).collect()
}

/// What speaks for one sibling.
struct Claim {
    sibling: usize,
    is_ruled: bool,
    parties: usize,
    is_covered: bool,
}

fn choose(tree: &Tree, siblings: &[usize]) -> (usize, ForkRule) {
    if let [only] = siblings {
        return (*only, ForkRule::Ancestor);
    }
    let mut claims: Vec<Claim> = siblings.iter().map(|&sibling| Claim::of(tree, sibling)).collect();
    if claims.iter().filter(|claim| claim.is_ruled).count() == 1 {
        claims.retain(|claim| claim.is_ruled);
        return (claims[0].sibling, ForkRule::Ruling);
    }
    let most = claims.iter().map(|claim| claim.parties).max().unwrap_or(0);
    claims.retain(|claim| claim.parties == most);
    if claims.len() == 1 {
        return (claims[0].sibling, ForkRule::Parties);
    }
    if claims.iter().any(|claim| !claim.is_covered) {
        claims.retain(|claim| !claim.is_covered);
    }
    let by = if claims.len() == 1 { ForkRule::Uncovered } else { ForkRule::LowerId };
    (claims[0].sibling, by)
}

impl Claim {
    fn of(tree: &Tree, sibling: usize) -> Self {
        let branch = tree.branch(sibling);
        let Node { party: author, is_covered, .. } = tree.entries[sibling];
        let built = branch.iter().map(|&number| &tree.entries[number]).filter(|entry| !entry.is_covered);
        let parties: BTreeSet<PartyNumber> =
            built.chain(tree.roles_on(&branch)).filter_map(|entry| entry.party).filter(|&p| Some(p) != author).collect();
        let is_ruled = tree.roles_on(&branch).any(|role| tree.is_in_force(role));
        Self { sibling, is_ruled, parties: parties.len(), is_covered }
    }
}
