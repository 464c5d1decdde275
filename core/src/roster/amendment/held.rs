//! Which amendments are in force: a pure function of those that are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Amendment;
use crate::check::{Check, Policy, Refused};
use crate::id::{CharterId, StatementId};
use crate::roster::{CompleteCharter, PartyNumber};

/// Most amendments of one first signer that are held: a mission has a few, and each takes most of the parties.
const AMENDMENTS_MAX: usize = 256;
/// Most statements of one amendment that are held, each with other signatures: whichever they are, they say the same.
const COPIES_MAX: usize = 64;

/// The amendments of a mission, each with enough signatures, in force or not.
#[derive(Clone, Debug)]
pub(in crate::roster) struct Amendments {
    founded: Arc<CompleteCharter>,
    by_id: BTreeMap<StatementId, Amendment>,

    // Derived from the above.
    /// The charter after each, whether it is in force or not.
    charters: BTreeMap<CharterId, Arc<CompleteCharter>>,
    /// Those that build on a charter: several statements may say the same.
    following: BTreeMap<CharterId, BTreeMap<CharterId, BTreeSet<StatementId>>>,
}

/// Amendments of one charter that each have enough signatures: none of them acts, and no other ever will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The charter that stays in force.
    pub charter: CharterId,
    /// Two or more, ascending.
    pub rivals: Vec<Rival>,
}

/// One of several amendments of the same charter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// The charter that would stand after it.
    pub id: CharterId,
    /// A statement of it, the one with the lowest id.
    pub statement: StatementId,
    /// The parties of the charter before that signed it, in whatever statement, and did not take that back.
    pub signers: BTreeSet<PartyNumber>,
}

impl Frozen {
    /// The parties that signed two of the rivals or more: there is always one.
    pub fn signed_both(&self) -> BTreeSet<PartyNumber> {
        let times = |party: &PartyNumber| self.rivals.iter().filter(|rival| rival.signers.contains(party)).count();
        let signers: BTreeSet<_> = self.rivals.iter().flat_map(|rival| &rival.signers).copied().collect();
        signers.into_iter().filter(|party| times(party) > 1).collect()
    }
}

impl Amendments {
    pub(in crate::roster) fn new(founded: CompleteCharter) -> Self {
        let founded = Arc::new(founded);
        let charters = BTreeMap::from([(founded.id(), Arc::clone(&founded))]);
        Self { founded, by_id: BTreeMap::new(), charters, following: BTreeMap::new() }
    }

    /// Verifies an amendment against the charter it builds on.
    pub(in crate::roster) fn verify<P: Policy>(&self, bytes: &[u8], policy: P) -> Result<Amendment, Refused> {
        let (mission, predecessor) = Amendment::named_under(bytes, policy)?;
        policy.require(mission == self.founded.mission(), Check::MissionMismatch, "amendment")?;
        let Some(charter) = self.charters.get(&predecessor) else {
            policy.require(false, Check::AmendmentPredecessor, "charter")?;
            return Amendment::verify_under(bytes, self.in_force().0, policy);
        };
        Amendment::verify_under(bytes, charter, policy)
    }

    /// Adds an amendment.
    ///
    /// # Errors
    /// `statement-limit`.
    pub(in crate::roster) fn add<P: Policy>(&mut self, amendment: Amendment, policy: P) -> Result<(), Refused> {
        let (before, after) = (amendment.predecessor(), amendment.amended().id());
        let limit = Check::StatementLimit;
        if let Some(copies) = self.following.get(&before).and_then(|rivals| rivals.get(&after)) {
            policy.require(copies.len() < COPIES_MAX, limit, "copies of an amendment")?;
        } else {
            let first = amendment.signers().first();
            let of_first = self.by_id.values().filter(|held| held.signers().first() == first);
            let count = of_first.map(|held| held.amended().id()).collect::<BTreeSet<_>>().len();
            policy.require(count < AMENDMENTS_MAX, limit, "amendments")?;
        }
        self.charters.entry(after).or_insert_with(|| Arc::clone(amendment.amended()));
        self.following.entry(before).or_default().entry(after).or_default().insert(amendment.id());
        self.by_id.insert(amendment.id(), amendment);
        Ok(())
    }

    /// The charter in force, and what freezes it.
    pub(in crate::roster) fn in_force(&self) -> (&Arc<CompleteCharter>, Option<Frozen>) {
        let mut charter = &self.founded;
        loop {
            let mut rivals = self.rivals(charter);
            match rivals.len() {
                0 => return (charter, None),
                1 => {}
                _ => return (charter, Some(Frozen { charter: charter.id(), rivals })),
            }
            let next = rivals.pop().and_then(|only| self.charters.get(&only.id));
            let Some(next) = next else { return (charter, None) };
            charter = next;
        }
    }

    /// The amendments of a charter that still have enough signatures when those are taken away that their signers took back,
    /// ascending. An id is made from what it withdraws from, so no two withdraw from each other.
    fn rivals(&self, charter: &CompleteCharter) -> Vec<Rival> {
        let Some(following) = self.following.get(&charter.id()) else { return Vec::new() };
        let signers = |statements: &BTreeSet<StatementId>| -> BTreeSet<PartyNumber> {
            let held = statements.iter().filter_map(|id| self.by_id.get(id));
            held.flat_map(|held| held.signers()).copied().collect()
        };
        let rival = |(id, statements): (&CharterId, &BTreeSet<StatementId>)| {
            let withdraws = |others: &&BTreeSet<StatementId>| {
                let other = others.first().and_then(|id| self.by_id.get(id));
                other.is_some_and(|other| other.changes().instead.contains(id))
            };
            // What others were built on is not put aside in silence: then both stand against each other.
            let is_built_on = self.following.contains_key(id);
            let withdrawing = following.values().filter(|others| !is_built_on && withdraws(others));
            let taken_back: BTreeSet<_> = withdrawing.flat_map(signers).collect();
            let signers: BTreeSet<_> = signers(statements).difference(&taken_back).copied().collect();
            let is_enough = signers.len() as u64 >= charter.amending();
            Some(Rival { id: *id, statement: *statements.first()?, signers }).filter(|_| is_enough)
        };
        following.iter().filter_map(rival).collect()
    }

    /// Those in force, in the order in which they build on each other; of several statements of one the lowest.
    pub(in crate::roster) fn chain(&self) -> Vec<&Amendment> {
        let (last, _) = self.in_force();
        let (mut chain, mut at) = (Vec::new(), &self.founded);
        while at.id() != last.id() {
            let rivals = self.rivals(at);
            let next = rivals.first().and_then(|only| self.by_id.get(&only.statement));
            let Some(next) = next else { break };
            chain.push(next);
            at = next.amended();
        }
        chain
    }

    /// The charter with this id, in force or not.
    pub(in crate::roster) fn charter(&self, id: CharterId) -> Option<&Arc<CompleteCharter>> {
        self.charters.get(&id)
    }

    /// Every charter that is held, in force or not.
    pub(in crate::roster) fn charters(&self) -> impl Iterator<Item = &Arc<CompleteCharter>> {
        self.charters.values()
    }

    pub(in crate::roster) fn get(&self, id: StatementId) -> Option<&Amendment> {
        self.by_id.get(&id)
    }

    pub(in crate::roster) fn iter(&self) -> impl Iterator<Item = &Amendment> {
        self.by_id.values()
    }

    pub(in crate::roster) fn ids(&self) -> Vec<StatementId> {
        self.by_id.keys().copied().collect()
    }
}
