//! What the ledger does not take yet: entries that a cut would cover of which other parties have not said that they hold it
//! (`spec/roster.md`, Acknowledgement).
//!
//! Such a cut does not act on what is final. If the entries were logged meanwhile, a thief's would become final while
//! a true cut waits.

use std::collections::{BTreeSet, HashMap};

use merestone_core::entry::{LogHead, Position, SignedEntry};
use merestone_core::id::StatementId;
use merestone_core::key::KeyCache;
use merestone_core::roster::{CutBy, PartyNumber, Roster, Shown};
use merestone_store::{LogTip, ReadError, Store};

use super::super::Shared;

/// Entries at seq 0 of one log that are looked at: as many siblings as a store keeps.
const STARTS_MAX: usize = 4;

/// The cuts that wait, by key.
pub(super) struct Waiting {
    cuts: HashMap<[u8; 32], Vec<WaitingCut>>,
}

struct WaitingCut {
    party: PartyNumber,
    kept: Vec<LogHead>,
}

impl Waiting {
    /// Those of a roster that do not act by the leaves, and will not by what is held and about to get one.
    pub(super) fn of(store: &Store, roster: &Roster) -> Result<Self, ReadError> {
        let mut cuts: HashMap<_, Vec<WaitingCut>> = HashMap::new();
        let Some(needed) = roster.acknowledgements_needed() else { return Ok(Self { cuts }) };
        let leaves = in_leaves(store, roster)?;
        for cut in roster.cuts() {
            let CutBy::Party(party) = cut.by() else { continue };
            let said: BTreeSet<PartyNumber> = roster.acknowledgements_of(cut.id()).map(|held| held.party()).collect();
            if said.len() < needed && leaves.acts_from(roster, cut) == u64::MAX {
                let waiting = WaitingCut { party: *party, kept: cut.kept().to_vec() };
                cuts.entry(*cut.key()).or_default().push(waiting);
            }
        }
        Ok(Self { cuts })
    }

    /// The seq below which entries of a log may be taken into the ledger; `None` if all of them may.
    pub(super) fn limit(&self, shared: &Shared, tip: &LogTip, fork: Option<u64>) -> Result<Option<u64>, ReadError> {
        let Some(cuts) = self.cuts.get(&tip.key) else { return Ok(None) };
        let parties = parties_of(shared, tip)?;
        let of_log = (tip.scope, tip.epoch);
        let limit = |cut: &WaitingCut| {
            let kept = cut.kept.iter().find(|head| head.log() == of_log);
            // What stands beside the chain of the entry kept is covered too.
            let limit = kept.map_or(0, |head| head.seq.saturating_add(1));
            fork.map_or(limit, |fork| fork.min(limit))
        };
        // A party that certified somebody else's key holds up nothing of that one's.
        Ok(cuts.iter().filter(|cut| parties.contains(&cut.party)).map(limit).min())
    }
}

/// Where the ledger's leaves have acknowledgements.
pub(super) fn in_leaves(store: &Store, roster: &Roster) -> Result<Shown, ReadError> {
    let mut leaves = Shown::default();
    for said in roster.acknowledgements() {
        if let Some(index) = store.ledger_statement(said.id())? {
            leaves.add_statement(said.id(), index);
        }
    }
    Ok(leaves)
}

/// Of these acknowledgements, which have no leaf, those that are to get one: of each cut one of each party that has none,
/// so that however many devices say the same, what the ledger has is what a cut needs.
pub(super) fn needed(shared: &Shared, ids: Vec<StatementId>) -> Result<Vec<StatementId>, ReadError> {
    let roster = shared.authority.roster();
    let mut needed = Vec::new();
    let mut said: BTreeSet<(StatementId, PartyNumber)> = BTreeSet::new();
    for id in ids {
        let Some(one) = roster.acknowledgement(id) else { continue };
        let mut is_logged = false;
        for other in roster.acknowledgements_of(one.cut()).filter(|other| other.party() == one.party()) {
            is_logged |= shared.store.ledger_statement(other.id())?.is_some();
        }
        if !is_logged && said.insert((one.cut(), one.party())) {
            needed.push(id);
        }
    }
    Ok(needed)
}

/// The parties that certified a log, as its beginnings say.
fn parties_of(shared: &Shared, tip: &LogTip) -> Result<BTreeSet<PartyNumber>, ReadError> {
    let first = shared.store.log_entries(tip.log, 0, STARTS_MAX)?;
    let (roster, mut keys) = (shared.authority.roster(), KeyCache::with_capacity(1));
    let mut parties = BTreeSet::new();
    for stored in first.iter().filter(|stored| stored.seq == 0) {
        let entry = SignedEntry::new(&stored.header, None).verify(roster.mission(), &mut keys);
        let Ok(entry) = entry else { continue };
        if let Position::First { certificate, earlier: _ } = &entry.header().position {
            parties.extend(roster.certificate(*certificate).map(|held| held.party()));
        }
    }
    Ok(parties)
}
