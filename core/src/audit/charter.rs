//! Which charter a bag is judged by, and which amendments of two bags stand against each other (`spec/roster.md`, Amendment).

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{CharterId, StatementId};
use crate::roster::{Amendment, PartyNumber, Roster};

/// The charter in force, and the amendments that a bag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterInForce {
    /// Its id; the mission's own where nothing amended it.
    pub id: CharterId,
    /// How many amendments led to it.
    pub amendments: u64,
    /// Whether two amendments of it keep each other out of force, and every later one with them.
    pub is_frozen: bool,
    /// Every amendment held, in force or not, ascending by id.
    pub held: Vec<AmendmentShown>,
}

/// An amendment as it was shown, with what decides whether it acts beside another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendmentShown {
    /// The statement.
    pub id: StatementId,
    /// The charter it builds on.
    pub predecessor: CharterId,
    /// The charter that stands after it.
    pub charter: CharterId,
    /// The parties that signed it.
    pub parties: BTreeSet<PartyNumber>,
    /// The charters whose amendments its signers take back with it.
    pub instead: BTreeSet<CharterId>,
    /// How many parties it needs.
    pub needed: u64,
}

/// One of several amendments of a charter that each have enough signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RivalShown {
    /// The charter that all of them build on.
    pub predecessor: CharterId,
    /// The charter that would stand after this one.
    pub charter: CharterId,
    /// Its statement with the lowest id.
    pub statement: StatementId,
    /// The parties that signed two of the rivals or more.
    pub signed_both: BTreeSet<PartyNumber>,
}

impl CharterInForce {
    /// What a roster says.
    pub fn of(roster: &Roster) -> Self {
        let shown = |amendment: &Amendment| {
            let before = roster.charter_with(amendment.predecessor());
            AmendmentShown {
                id: amendment.id(),
                predecessor: amendment.predecessor(),
                charter: amendment.amended().id(),
                parties: amendment.signers().clone(),
                instead: amendment.changes().instead.iter().copied().collect(),
                needed: before.map_or(u64::MAX, |charter| charter.amending()),
            }
        };
        Self {
            id: roster.charter().id(),
            amendments: roster.amendments_in_force().len() as u64,
            is_frozen: roster.frozen().is_some(),
            held: roster.amendments().map(shown).collect(),
        }
    }
}

/// The amendments that would keep each other out of force if all of these were held in one place.
pub fn rivals<'a>(held: impl Iterator<Item = &'a AmendmentShown>) -> Vec<RivalShown> {
    let mut following: BTreeMap<CharterId, BTreeMap<CharterId, Vec<&AmendmentShown>>> = BTreeMap::new();
    for amendment in held {
        following.entry(amendment.predecessor).or_default().entry(amendment.charter).or_default().push(amendment);
    }
    let is_built_on = |charter: &CharterId| following.contains_key(charter);
    following.values().flat_map(|amendments| rivals_of(amendments, &is_built_on)).collect()
}

/// Those of one charter that have enough signatures when those are taken away that their signers took back.
fn rivals_of(
    amendments: &BTreeMap<CharterId, Vec<&AmendmentShown>>,
    is_built_on: &dyn Fn(&CharterId) -> bool,
) -> Vec<RivalShown> {
    let mut standing: Vec<(&AmendmentShown, BTreeSet<PartyNumber>)> = Vec::new();
    for (charter, copies) in amendments {
        let all = || amendments.values().flatten();
        let taking_back = all().filter(|other| !is_built_on(charter) && other.instead.contains(charter));
        let taken_back: BTreeSet<_> = taking_back.flat_map(|other| &other.parties).collect();
        let signers = copies.iter().flat_map(|copy| &copy.parties).filter(|party| !taken_back.contains(party));
        let signers: BTreeSet<_> = signers.copied().collect();
        let lowest = copies.iter().min_by_key(|copy| copy.id);
        if let Some(lowest) = lowest.filter(|lowest| signers.len() as u64 >= lowest.needed) {
            standing.push((lowest, signers));
        }
    }
    if standing.len() < 2 {
        return Vec::new();
    }
    let times = |party: &PartyNumber| standing.iter().filter(|(_, signers)| signers.contains(party)).count();
    let signed_both: BTreeSet<_> =
        standing.iter().flat_map(|(_, signers)| signers).filter(|party| times(party) > 1).copied().collect();
    let rival = |(amendment, _): &(&AmendmentShown, _)| RivalShown {
        predecessor: amendment.predecessor,
        charter: amendment.charter,
        statement: amendment.id,
        signed_both: signed_both.clone(),
    };
    standing.iter().map(rival).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charter(n: u8) -> CharterId {
        CharterId::from_bytes([n; 32])
    }

    /// An amendment of three parties' charter, of which two are enough.
    fn amendment(before: u8, after: u8, parties: &[u64], instead: &[u8]) -> AmendmentShown {
        AmendmentShown {
            id: StatementId::from_bytes([after; 32]),
            predecessor: charter(before),
            charter: charter(after),
            parties: parties.iter().map(|party| PartyNumber(*party)).collect(),
            instead: instead.iter().map(|n| charter(*n)).collect(),
            needed: 2,
        }
    }

    fn check(held: &[AmendmentShown], rivals_expected: &[u8], both: &[u64]) {
        let found = rivals(held.iter());
        assert_eq!(
            found.iter().map(|rival| rival.charter).collect::<Vec<_>>(),
            rivals_expected.iter().map(|n| charter(*n)).collect::<Vec<_>>()
        );
        for rival in found {
            assert_eq!(rival.signed_both, both.iter().map(|party| PartyNumber(*party)).collect());
        }
    }

    #[test]
    fn two_amendments_of_one_charter_are_rivals_and_name_who_signed_both() {
        check(&[amendment(1, 2, &[1, 2], &[])], &[], &[]);
        check(&[amendment(1, 2, &[1, 2], &[]), amendment(2, 3, &[1, 2], &[])], &[], &[]);
        check(&[amendment(1, 2, &[1, 2], &[]), amendment(1, 3, &[2, 3], &[])], &[2, 3], &[2]);
    }

    #[test]
    fn what_its_signers_took_back_is_no_rival_unless_others_built_on_it() {
        let taken = [amendment(1, 2, &[1, 2], &[]), amendment(1, 3, &[1, 2], &[2])];
        check(&taken, &[], &[]);
        let [first, second] = taken;
        check(&[first, second, amendment(2, 4, &[1, 2], &[])], &[2, 3], &[1, 2]);
    }
}
