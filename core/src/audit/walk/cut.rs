//! A log whose key was cut: what the cut covers, and what became of the forks that it ends.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{CutLog, Grounds, LogWalk};
use crate::audit::fast::EntryFacts;
use crate::audit::finding::{BagCode, Findings, Place, Weight};
use crate::audit::logs::LogOwner;
use crate::check::Check;
use crate::entry::LogHead;
use crate::id::{EntryId, StatementId};
use crate::key::KEY_BYTES;
use crate::roster::{Coverage, Cut, CutBy, LogPosition, PartyNumber};
use crate::witness::Witnesses;

pub(super) struct Suspect {
    pub(super) seq: u64,
    pub(super) id: EntryId,
    pub(super) party: PartyNumber,
}

/// An entry above a fork that does not stand on one that is there.
pub(super) struct Break {
    pub(super) seq: u64,
    pub(super) id: EntryId,
    pub(super) check: Check,
    pub(super) place: Place,
    pub(super) detail: Cow<'static, str>,
}

impl LogWalk<'_> {
    /// The entries of a key that was cut which the leaves in the bag show to be final, each with its leaf; in a log that
    /// never forked, the highest before each cut acts.
    pub(super) fn finals(&self) -> Vec<(LogHead, u64)> {
        let Some(LogOwner { key, scope, epoch }) = self.summary.owner else { return Vec::new() };
        let finals = self.suspects.iter().filter_map(|&Suspect { seq, id, .. }| {
            let leaf = self.comparison.final_leaf(seq, id)?;
            Some((LogHead { scope, epoch, seq, id }, leaf))
        });
        let finals: Vec<(LogHead, u64)> = finals.collect();
        if !self.forks.is_empty() || finals.is_empty() {
            return finals;
        }
        let Grounds { roster, shown, .. } = self.grounds;
        let from: BTreeSet<u64> = roster.cuts_of(&key).map(|cut| shown.acts_from(roster, cut)).collect();
        from.into_iter().filter_map(|from| finals.iter().rfind(|(_, leaf)| *leaf < from).copied()).collect()
    }

    pub(super) fn cut_log(&mut self, finals: Vec<(LogHead, u64)>) -> CutLog {
        let mut chains = std::mem::take(&mut self.chains);
        let shown = self.summary.owner.as_ref().map_or(&[][..], |owner| self.grounds.shown.entries_of(&owner.key));
        chains.forget_all_but(&shown.iter().chain(&finals).map(|(head, _)| head.id).collect());
        CutLog { chains, finals }
    }

    /// Says that an entry does not stand on the one before it. Above a fork of its log that is no failure: stores take
    /// there whatever the key signs, and a fork with more siblings than they keep leaves such entries behind.
    pub(super) fn say_break(
        &mut self,
        check: Check,
        facts: &EntryFacts,
        place: Place,
        detail: Cow<'static, str>,
        findings: &mut Findings,
    ) {
        if self.forks.first().is_none_or(|(fork, _)| *fork >= facts.seq) {
            findings.add(check, place, detail);
        } else if self.is_cut(&facts.key) {
            self.breaks.push(Break { seq: facts.seq, id: facts.id(), check, place, detail });
        } else {
            findings.add_as(Weight::Doubt, check, place, detail);
        }
    }

    pub(super) fn is_cut(&self, key: &[u8; KEY_BYTES]) -> bool {
        let Grounds { roster, coverage, .. } = self.grounds;
        roster.certificates_of(key).any(|certificate| coverage.is_cut(key, certificate.party()))
    }

    pub(super) fn say_covered(&mut self, coverage: &Coverage, findings: &mut Findings) {
        let Some(LogOwner { key, scope, epoch }) = self.summary.owner else { return };
        let open = self.open_cuts(&key);
        for &Suspect { seq, id, party } in &self.suspects {
            let at = LogPosition { key: &key, scope, epoch, seq, id };
            if coverage.is_covered(at, party) {
                self.summary.covered += 1;
                findings.add(BagCode::SetAsideByCut, Place::entry(self.summary.log, seq, id), "covered by a cut");
                if self.summary.unsettled.is_none() && !coverage.is_covered_by_several(at, party) {
                    let cut = coverage.covering(at, party).find(|cut| open.contains(cut));
                    self.summary.unsettled = cut.map(|cut| (seq, id, cut));
                }
            }
        }
    }

    /// The cuts of the key by one party of which the bag does not show what was final before them: all that lies below is
    /// in sight only where the last final checkpoint reaches the place from which they act.
    fn open_cuts(&self, key: &[u8; KEY_BYTES]) -> BTreeSet<StatementId> {
        let Grounds { roster, shown, ledger, .. } = self.grounds;
        let quorum = Witnesses::of(roster.charter().charter()).map(|witnesses| witnesses.quorum());
        if quorum.is_none_or(|quorum| quorum.last > quorum.parties) {
            return BTreeSet::new();
        }
        let in_final = ledger.map_or(0, |ledger| ledger.in_final);
        let is_open = |cut: &&Cut| matches!(cut.by(), CutBy::Party(_)) && in_final < shown.acts_from(roster, cut);
        roster.cuts_of(key).filter(is_open).map(Cut::id).collect()
    }

    /// Whether a cut of any party that certified the log's key covers an entry of it.
    pub(super) fn is_covered(&self, coverage: &Coverage, seq: u64, id: EntryId) -> bool {
        let Some(LogOwner { key, scope, epoch }) = self.summary.owner else { return false };
        let at = LogPosition { key: &key, scope, epoch, seq, id };
        let mut parties = self.grounds.roster.certificates_of(&key).map(|certificate| certificate.party());
        parties.any(|party| coverage.is_covered(at, party))
    }

    pub(super) fn say_breaks(&mut self, coverage: &Coverage, findings: &mut Findings) {
        for Break { seq, id, check, place, detail } in std::mem::take(&mut self.breaks) {
            let weight = if self.is_covered(coverage, seq, id) { Weight::Note } else { Weight::Doubt };
            findings.add_as(weight, check, place, detail);
        }
    }

    pub(super) fn say_forks(&self, coverage: &Coverage, findings: &mut Findings) {
        for (seq, branches) in &self.forks {
            let open = branches.iter().filter(|id| !self.is_covered(coverage, *seq, **id)).count();
            let weight = if open <= 1 { Weight::Note } else { Weight::Doubt };
            let place = Place::entry(self.summary.log, *seq, branches[1]);
            findings.add_as(weight, Check::LogFork, place, format!("{} entries at one position", branches.len()));
        }
    }
}
