//! What an edit needs to know of a record, kept between edits: heads, values, and the places in each author's line.
//!
//! A sheet is made by judging the record, and then follows the saves of this device without judging again: an entry that
//! an observer here signs on applied heads is applied. Everything else that happens to a record (an entry arrives, a key is
//! cut) drops the sheet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use merestone_core::change::{Basis, Change, Earlier, OpRef, Put, RecordIndex, Step};
use merestone_core::entry::Subject;
use merestone_core::id::{Actor, EntryId, FormHash, ScopeId};
use merestone_core::record::{ChangeEntry, EpochNeeded, HeldEntry, Judged, View};
use merestone_core::roster::{PartyNumber, Roster};

use merestone_forms::Answer;

/// A value that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) answer: Answer,
    pub(crate) entry: EntryId,
    pub(crate) op: OpRef,
}

/// Values by key, more than one in a conflict.
pub(crate) type Values = BTreeMap<String, Vec<Standing>>;

/// One record, ready to be edited.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) scope: ScopeId,
    /// The parties whose observers may change it.
    writers: BTreeSet<u64>,
    /// The form of the newest applied change, which the next edit follows.
    pub(crate) form: FormHash,
    pub(crate) heads: Vec<EntryId>,
    pub(crate) values: Values,
    index: RecordIndex,
    /// The changes that each author's log has made; or the one of them that is not applied.
    lines: HashMap<Actor, Result<Earlier, EpochNeeded>>,
}

impl Sheet {
    /// The sheet of a judged record; `None` while nothing of it is applied.
    pub(crate) fn of(judged: &Judged<'_>, roster: &Roster) -> Option<Self> {
        // Every change builds on the creating entry, so that it is applied if anything is, and comes first.
        let (first, last) = (judged.applied().first()?, judged.applied().last()?);
        let form = last.held.entry().header().commitment?.form;
        let mut lines = HashMap::new();
        for actor in judged.actors().collect::<BTreeSet<_>>() {
            match judged.earlier(actor) {
                Ok(Some(earlier)) => drop(lines.insert(actor, Ok(earlier))),
                Ok(None) => {}
                Err(needed) => drop(lines.insert(actor, Err(needed))),
            }
        }
        Some(Self {
            scope: last.held.entry().header().scope,
            writers: writers(first.held, roster),
            form,
            heads: judged.heads(),
            values: owned(&View::of(judged)),
            index: judged.index().clone(),
            lines,
        })
    }

    /// Whether changes by this party are in role (`core/spec/record.md`, Writers).
    pub(crate) fn is_written_by(&self, party: PartyNumber) -> bool {
        self.writers.contains(&party.0)
    }

    /// What a change by `actor` builds on that began when the screen showed `heads`; `None` if one of them is not known.
    ///
    /// # Errors
    /// If an earlier change by `actor` is not applied.
    pub(crate) fn basis(&self, heads: &[EntryId], actor: Actor) -> Result<Option<Basis>, EpochNeeded> {
        let earlier = self.lines.get(&actor).copied().transpose()?;
        Ok(self.index.basis(heads, earlier))
    }

    /// Takes up a change that this device just saved on this sheet. `false`: it does not fit, and the sheet is to be dropped.
    pub(crate) fn follow(&mut self, entry: EntryId, form: FormHash, basis: &Basis, change: &Change<'_>) -> bool {
        let actor = change.actor();
        if matches!(self.lines.get(&actor), Some(Err(_))) {
            return false;
        }
        // A draft may rest on what a cut took away since it began. Once saved it keeps all that applied, and that is not in the values.
        let is_applied = |on: &EntryId| {
            self.heads.contains(on) || self.heads.iter().any(|&head| self.index.is_or_descends_from(head, *on))
        };
        if !basis.refs.iter().all(is_applied) {
            return false;
        }
        let step = Step { entry, refs: &basis.refs };
        if !matches!(self.index.admit(change, step), Ok(merestone_core::change::Admission::Admitted)) {
            return false;
        }
        for (index, put) in change.puts().iter().enumerate() {
            replace(&mut self.values, put, entry, change.op(index));
        }
        self.heads.retain(|head| !basis.refs.contains(head));
        self.heads.push(entry);
        self.heads.sort_unstable();
        self.lines.insert(actor, Ok(Earlier { count: change.seq(), last: entry }));
        self.form = form;
        true
    }

    /// The sheet of a record that this device just created.
    pub(crate) fn created(
        entry: EntryId,
        scope: ScopeId,
        writers: BTreeSet<u64>,
        form: FormHash,
        change: &Change<'_>,
    ) -> Option<Self> {
        let mut sheet = Self {
            scope,
            writers,
            form,
            heads: Vec::new(),
            values: Values::new(),
            index: RecordIndex::new(),
            lines: HashMap::new(),
        };
        sheet.follow(entry, form, &Basis::creation(), change).then_some(sheet)
    }
}

/// The parties that a creating entry names, or its author's.
fn writers(creation: &HeldEntry, roster: &Roster) -> BTreeSet<u64> {
    match &creation.entry().header().subject {
        Subject::Creates { writers } if !writers.is_empty() => writers.iter().copied().collect(),
        Subject::Creates { writers: _ } | Subject::Of { record: _, refs: _ } => {
            creation.certificate().and_then(|id| roster.party_of(id)).into_iter().map(|party| party.0).collect()
        }
    }
}

/// The values that stood at `heads`: what a screen showed that was drawn then, also where a cut took a head away since.
pub(crate) fn values_at(judged: &Judged<'_>, heads: &[EntryId]) -> Values {
    let index = judged.index();
    let is_shown =
        |change: &&ChangeEntry<'_>| heads.iter().any(|&head| index.is_or_descends_from(head, change.held.id()));
    let mut values = Values::new();
    let mut shown: Vec<&ChangeEntry<'_>> = judged.applied().iter().chain(judged.unapplied()).filter(is_shown).collect();
    shown.sort_unstable_by_key(|change| (change.depth, change.held.id()));
    for change in shown {
        for (at, put) in change.change.puts().iter().enumerate() {
            replace(&mut values, put, change.held.id(), change.change.op(at));
        }
    }
    values
}

fn owned(view: &View<'_>) -> Values {
    let own = |shown: &merestone_core::record::Shown<'_>| Standing {
        answer: shown.value.into(),
        entry: shown.entry,
        op: shown.op,
    };
    view.keys().map(|(key, values)| (key.to_owned(), values.iter().map(own).collect())).collect()
}

fn replace(values: &mut Values, put: &Put<'_>, entry: EntryId, op: OpRef) {
    let new = Standing { answer: put.value.into(), entry, op };
    let Some(standing) = values.get_mut(put.key) else {
        values.insert(put.key.to_owned(), vec![new]);
        return;
    };
    standing.retain(|standing| !put.preds.contains(&standing.op));
    standing.push(new);
    standing.sort_by_key(|standing| standing.entry);
}
