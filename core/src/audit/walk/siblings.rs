//! Which of the entries at one position take part in records (`spec/record.md`, Limits).
//!
//! Only the whole log shows what a cut keeps, so the rows of a position with more entries than take part wait for its end.

use super::{EntryFacts, Grounds, LogWalk};
use crate::audit::Pass;
use crate::audit::finding::{BagCode, Findings, Place, Weight};
use crate::audit::index::Row;
use crate::audit::logs::LogOwner;
use crate::entry::LogHead;
use crate::id::{EntryId, StatementId};
use crate::roster::Coverage;
use crate::sync::frame::SIBLINGS_MAX;

/// The position that is being read, and those before it that have too many entries.
#[derive(Default)]
pub(super) struct Siblings {
    here: Position,
    crowded: Vec<Position>,
}

/// The entries at one position, in the order in which they stand.
#[derive(Default)]
struct Position {
    seq: u64,
    ids: Vec<EntryId>,
    /// Of the same entries, in the full pass.
    rows: Vec<Row>,
}

/// What comes first takes part: what no cut covers, what was logged first under a final checkpoint, the lower id.
type Rank = (bool, u64, EntryId);

impl Siblings {
    /// Takes the next entry of the chain; `rows` gets those of the position before it, where all of them take part.
    pub(super) fn take(&mut self, facts: &EntryFacts, row: Option<Row>, rows: &mut Vec<Row>) {
        if self.here.seq != facts.seq {
            self.leave(rows);
            self.here.seq = facts.seq;
        }
        self.here.ids.push(facts.id());
        self.here.rows.extend(row);
    }

    fn leave(&mut self, rows: &mut Vec<Row>) {
        if self.here.ids.len() > SIBLINGS_MAX {
            self.crowded.push(std::mem::take(&mut self.here));
        } else {
            self.here.ids.clear();
            rows.append(&mut self.here.rows);
        }
    }
}

impl LogWalk<'_> {
    /// The row of an entry; the fast pass keeps none.
    pub(super) fn row_in_full(&self, facts: &EntryFacts, certificate: Option<StatementId>, offset: u64) -> Option<Row> {
        (self.grounds.pass == Pass::Full).then(|| self.row(facts, certificate, offset))
    }

    /// Gives out the rows that waited, and says which entries of a crowded position take no part in records.
    pub(super) fn settle_siblings(&mut self, coverage: &Coverage, rows: &mut Vec<Row>, findings: &mut Findings) {
        let mut siblings = std::mem::take(&mut self.siblings);
        siblings.leave(rows);
        for Position { seq, ids, rows: own } in siblings.crowded {
            let mut ranked: Vec<(Rank, usize)> =
                ids.iter().enumerate().map(|(at, id)| (self.rank(coverage, seq, *id), at)).collect();
            ranked.sort_unstable();
            let (first, beyond) = ranked.split_at(SIBLINGS_MAX);
            rows.extend(first.iter().filter_map(|(_, at)| own.get(*at)));
            for ((is_covered, leaf, id), _) in beyond {
                let is_kept = self.is_of_cut_key() && !is_covered;
                let weight = if *leaf < u64::MAX || is_kept { Weight::Doubt } else { Weight::Note };
                let at = Place::entry(self.summary.log, seq, *id);
                findings.add_as(weight, BagCode::EntryDisplaced, at, "four of its position come before it");
            }
        }
    }

    fn rank(&self, coverage: &Coverage, seq: u64, id: EntryId) -> Rank {
        let leaf = self.comparison.final_leaf(seq, id).into_iter().chain(self.shown_at(seq, id)).min();
        (self.is_covered(coverage, seq, id), leaf.unwrap_or(u64::MAX), id)
    }

    /// Where an inclusion shows the leaf of an entry.
    fn shown_at(&self, seq: u64, id: EntryId) -> Option<u64> {
        let LogOwner { key, scope, epoch } = self.summary.owner?;
        let Grounds { shown, .. } = self.grounds;
        let wanted = LogHead { scope, epoch, seq, id };
        shown.entries_of(&key).iter().filter(|(head, _)| *head == wanted).map(|(_, index)| *index).min()
    }

    fn is_of_cut_key(&self) -> bool {
        self.summary.owner.is_some_and(|owner| self.is_cut(&owner.key))
    }
}
