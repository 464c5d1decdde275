//! What one auditor was shown and the other not, and whether their ledgers agree (`spec/bundle.md`, Comparing).
//!
//! Works from what reports say. What only bags can tell (the entry at a position, the root of a beginning) is asked for
//! through [`Sources`], and where nobody can answer, that is a finding.

use std::collections::{BTreeMap, BTreeSet};

use super::charter::{AmendmentShown, CharterInForce, rivals};
use super::finding::{BagCode, Findings, Place};
use super::ledger::NoteState;
use super::report::Report;
use crate::check::Check;
use crate::id::{EntryId, LogId, MissionId, NoteHash, ScopeId, StatementId};
use crate::merkle::NodeHash;

/// What an auditor was shown, as far as a comparison needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The mission it was judged for.
    pub mission: MissionId,
    /// The scopes it claims; `None` for all.
    pub scopes: Option<BTreeSet<ScopeId>>,
    /// The charter in force; `None` if none was read.
    pub charter: Option<CharterInForce>,
    /// Its logs.
    pub logs: BTreeMap<LogId, ShownLog>,
    /// Every statement held but the charter, notes and cosignatures.
    pub statements: BTreeSet<StatementId>,
    /// Its checkpoints, by size and root.
    pub notes: BTreeMap<(u64, NodeHash), ShownNote>,
}

/// A log as it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownLog {
    /// Its scope, if an entry of it was authentic.
    pub scope: Option<ScopeId>,
    /// Authentic entries.
    pub entries: u64,
    /// The greatest position, and the lowest id at it.
    pub top: Option<(u64, EntryId)>,
}

/// A checkpoint as it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownNote {
    /// The hash of one of its notes.
    pub hash: NoteHash,
    /// Whether the leaves beside it have its root.
    pub is_matching: bool,
    /// Whether enough parties cosigned it that nobody who restores the ledger can have forgotten it.
    pub is_handed_out: bool,
}

/// What bags can tell beyond their reports. A side that is a report answers `None`.
pub trait Sources {
    /// Whether a side's log has this entry at this position.
    fn has_entry(&mut self, side: Side, log: LogId, seq: u64, id: EntryId) -> Option<bool>;

    /// The root over the first `size` of a side's leaves, of which it has that many.
    fn root_at(&mut self, side: Side, size: u64) -> Option<NodeHash>;
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one named first.
    A,
    /// The one named second.
    B,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Side::A => "A",
            Side::B => "B",
        }
    }

    const fn other(self) -> Self {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

impl Shown {
    /// What a report says was shown.
    pub fn of(report: &Report) -> Self {
        let log = |log: &super::logs::LogSummary| {
            (log.log, ShownLog { scope: log.owner.map(|owner| owner.scope), entries: log.entries, top: log.top })
        };
        let notes = report.notes.iter().filter_map(|note| {
            let is_matching = note.state == NoteState::Matching;
            let is_handed_out = note.is_handed_out();
            Some(((note.size, note.root), ShownNote { hash: *note.hashes.first()?, is_matching, is_handed_out }))
        });
        Self {
            mission: report.mission,
            scopes: report.scopes.as_ref().map(|scopes| scopes.iter().copied().collect()),
            charter: report.charter.as_ref().map(|charter| charter.in_force.clone()),
            logs: report.logs.iter().map(log).collect(),
            statements: report.statements.iter().map(|(_, id)| *id).collect(),
            notes: notes.collect(),
        }
    }

    /// Leaves that a checkpoint beside them vouches for.
    fn trusted(&self) -> u64 {
        self.notes.iter().filter(|(_, note)| note.is_matching).map(|((size, _), _)| *size).max().unwrap_or(0)
    }

    /// What contradicts a note of `size` leaves with `root`, if anything here does: whether a note that was handed out is
    /// among it. `leaves` is the root of as many of the leaves here.
    fn contradicts(&self, size: u64, root: NodeHash, leaves: Option<NodeHash>) -> Option<bool> {
        let same_size = self.notes.range((size, [0; 32])..=(size, [0xff; 32]));
        let twins = same_size.filter(|((_, other), _)| *other != root).map(|(_, note)| note.is_handed_out);
        let vouching = || self.notes.range((size, [0; 32])..).any(|(_, note)| note.is_matching && note.is_handed_out);
        let leaves = leaves.filter(|other| *other != root).map(|_| vouching());
        twins.chain(leaves).reduce(|one, other| one || other)
    }

    fn claims(&self, scope: Option<ScopeId>) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scope.is_some_and(|scope| scopes.contains(&scope)))
    }
}

/// Compares what two auditors were shown.
pub fn compare(a: &Shown, b: &Shown, sources: &mut dyn Sources) -> Findings {
    let mut comparison = Comparison { a, b, sources, findings: Findings::new() };
    if a.mission != b.mission {
        comparison.findings.add(Check::MissionMismatch, Place::bag(), "A and B were judged for different missions");
        return comparison.findings;
    }
    if a.scopes != b.scopes {
        comparison.findings.add(
            BagCode::ShownScopes,
            Place::bag(),
            "logs of scopes that only one claims are not compared",
        );
    }
    comparison.charters();
    comparison.ledgers();
    for side in [Side::A, Side::B] {
        comparison.logs(side);
        comparison.statements(side);
    }
    comparison.findings
}

struct Comparison<'a> {
    a: &'a Shown,
    b: &'a Shown,
    sources: &'a mut dyn Sources,
    findings: Findings,
}

impl Comparison<'_> {
    fn of(&self, side: Side) -> &Shown {
        match side {
            Side::A => self.a,
            Side::B => self.b,
        }
    }

    /// Whether both were judged by one charter, and which amendments of the two stand against each other.
    fn charters(&mut self) {
        let [a, b] = [self.a, self.b].map(|shown| shown.charter.as_ref());
        let ids = [a, b].map(|charter| charter.map(|charter| charter.id));
        if ids[0] != ids[1] {
            let said = |charter: Option<&CharterInForce>| {
                charter.map_or_else(
                    || "none that was read".to_owned(),
                    |charter| format!("{} after {} amendments", charter.id, charter.amendments),
                )
            };
            let detail = format!("A's charter in force is {}, B's {}", said(a), said(b));
            self.findings.add(BagCode::ShownCharter, Place::bag(), detail);
        }
        let held = |charter: Option<&CharterInForce>| charter.map_or_else(Vec::new, |charter| charter.held.clone());
        let [of_a, of_b] = [held(a), held(b)];
        let shows = |held: &[AmendmentShown], charter| held.iter().any(|amendment| amendment.charter == charter);
        for rival in rivals(of_a.iter().chain(&of_b)) {
            let [in_a, in_b] = [&of_a, &of_b].map(|held| shows(held, rival.charter));
            let both: Vec<String> = rival.signed_both.iter().map(ToString::to_string).collect();
            let detail = format!(
                "charter {} after {}, shown to {}; party {} signed more than one",
                rival.charter,
                rival.predecessor,
                match (in_a, in_b) {
                    (true, true) => "both",
                    (true, false) => Side::A.name(),
                    (false, _) => Side::B.name(),
                },
                both.join(", ")
            );
            let place = Place { statement: Some(rival.statement), ..Place::default() };
            self.findings.add(BagCode::AmendmentRivals, place, detail);
        }
    }

    /// Every checkpoint of either side against those and the leaves of the other.
    fn ledgers(&mut self) {
        let mut common = None;
        let mut is_split = false;
        for side in [Side::A, Side::B] {
            let (own, other) = (self.of(side).clone(), self.of(side.other()).clone());
            for (&(size, root), note) in &own.notes {
                let place = || Place::statement(StatementId::from_bytes(*note.hash.as_bytes()), "");
                let place = Place { file: None, ..place() };
                let is_within = size <= other.trusted();
                let leaves = is_within.then(|| self.sources.root_at(side.other(), size)).flatten();
                if let Some(by_handed_out) = other.contradicts(size, root, leaves) {
                    let is_shown = by_handed_out && note.is_handed_out;
                    is_split |= is_shown;
                    let code = if is_shown { BagCode::LedgerSplit } else { BagCode::LedgerSplitUnshown };
                    let detail = format!(
                        "{}'s checkpoint of {size} leaves has another root than {}'s",
                        side.name(),
                        side.other().name()
                    );
                    self.findings.add(code, place, detail);
                } else if other.notes.contains_key(&(size, root)) || leaves.is_some() {
                    common = common.max(Some(size));
                }
                if !other.notes.contains_key(&(size, root)) {
                    let place = Place::statement(StatementId::from_bytes(*note.hash.as_bytes()), "");
                    let detail = format!("only {} was shown the checkpoint of {size} leaves", side.name());
                    self.findings.add(BagCode::ShownNote, Place { file: None, ..place }, detail);
                }
            }
        }
        match common {
            _ if is_split => {}
            Some(size) => {
                self.findings.add(BagCode::LedgersAgree, Place::bag(), format!("up to leaf {size}"));
            }
            None => {
                let why = "no checkpoint of one could be compared with a checkpoint or the leaves of the other";
                self.findings.add(BagCode::LedgersNotCompared, Place::bag(), why);
            }
        }
    }

    /// What `side` was shown of logs and the other was not.
    fn logs(&mut self, side: Side) {
        let (own, other) = (self.of(side).logs.clone(), self.of(side.other()).clone());
        for (log, held) in own.into_iter().filter(|(_, held)| held.entries > 0 && other.claims(held.scope)) {
            let Some((seq, id)) = held.top else { continue };
            let place = Place::entry(log, seq, id);
            let Some(theirs) = other.logs.get(&log).and_then(|log| Some((log.entries, log.top?))) else {
                let detail =
                    format!("only {} was shown this log, {} entries up to this one", side.name(), held.entries);
                self.findings.add(BagCode::ShownLog, place, detail);
                continue;
            };
            let (entries, (top, head)) = theirs;
            if held.entries > entries {
                let detail = format!(
                    "{} was shown {} entries of this log, {} {entries}, up to seq {top}",
                    side.name(),
                    held.entries,
                    side.other().name()
                );
                self.findings.add(BagCode::ShownEntries, place, detail);
            }
            self.heads(side, log, (seq, id), (top, head));
        }
    }

    /// Whether the head that the other side was shown is on this side's log.
    fn heads(&mut self, side: Side, log: LogId, (seq, id): (u64, EntryId), (top, head): (u64, EntryId)) {
        let is_there = match top.cmp(&seq) {
            std::cmp::Ordering::Greater => return,
            // Said once for both.
            std::cmp::Ordering::Equal if side == Side::B => return,
            std::cmp::Ordering::Equal if head == id => return,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => self.sources.has_entry(side, log, top, head),
        };
        let place = Place::entry(log, top, head);
        match is_there {
            Some(true) => {}
            Some(false) => {
                let detail = format!("{} was shown another entry at this position", side.name());
                self.findings.add(Check::LogFork, place, detail);
            }
            None if top == seq => {
                self.findings.add(
                    Check::LogFork,
                    place,
                    format!("{}'s last entry at this position is another", side.name()),
                );
            }
            None => {
                let detail =
                    format!("whether {}'s log has this entry: its report does not say, its bag does", side.name());
                self.findings.add(BagCode::ShownNotCompared, place, detail);
            }
        }
    }

    fn statements(&mut self, side: Side) {
        let (own, other) = (self.of(side).statements.clone(), self.of(side.other()).statements.clone());
        for id in own.difference(&other) {
            let place = Place { statement: Some(*id), ..Place::default() };
            self.findings.add(BagCode::ShownStatement, place, format!("only {} was shown it", side.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Verdict;
    use crate::id::CharterId;
    use crate::roster::PartyNumber;

    /// A world in which logs are what they are and leaves have the root `[size; 32]`.
    struct Bags {
        entries: BTreeSet<(LogId, u64, EntryId)>,
        roots: BTreeMap<u64, NodeHash>,
    }

    impl Sources for Bags {
        fn has_entry(&mut self, _: Side, log: LogId, seq: u64, id: EntryId) -> Option<bool> {
            (!self.entries.is_empty()).then(|| self.entries.contains(&(log, seq, id)))
        }

        fn root_at(&mut self, _: Side, size: u64) -> Option<NodeHash> {
            self.roots.get(&size).copied()
        }
    }

    fn nothing() -> Bags {
        Bags { entries: BTreeSet::new(), roots: BTreeMap::new() }
    }

    fn log(n: u8) -> LogId {
        LogId::from_bytes([n; 32])
    }

    fn shown(logs: &[(u8, u64, u8)], notes: &[(u64, u8)]) -> Shown {
        let scope = Some(ScopeId::from_bytes([1; 8]));
        let held = |&(number, entries, head): &(u8, u64, u8)| {
            (log(number), ShownLog { scope, entries, top: Some((entries - 1, EntryId::from_bytes([head; 32]))) })
        };
        let note = |&(size, root): &(u64, u8)| {
            (
                (size, [root; 32]),
                ShownNote { hash: NoteHash::from_bytes([root; 32]), is_matching: true, is_handed_out: true },
            )
        };
        Shown {
            mission: MissionId::from_bytes([7; 32]),
            scopes: None,
            charter: Some(founding()),
            logs: logs.iter().map(held).collect(),
            statements: BTreeSet::new(),
            notes: notes.iter().map(note).collect(),
        }
    }

    fn founding() -> CharterInForce {
        CharterInForce { id: CharterId::from_bytes([7; 32]), amendments: 0, is_frozen: false, held: Vec::new() }
    }

    /// The founding charter with one amendment of parties 1 and 2, which are enough.
    fn amended(after: u8, third: u64) -> CharterInForce {
        let amendment = AmendmentShown {
            id: StatementId::from_bytes([after; 32]),
            predecessor: founding().id,
            charter: CharterId::from_bytes([after; 32]),
            parties: [PartyNumber(1), PartyNumber(third)].into(),
            instead: BTreeSet::new(),
            needed: 2,
        };
        CharterInForce { id: amendment.charter, amendments: 1, is_frozen: false, held: vec![amendment] }
    }

    fn codes(findings: &Findings) -> Vec<&'static str> {
        findings.counts().map(|(_, code, _)| code.as_str()).collect()
    }

    #[test]
    fn the_same_shown_to_both_passes() {
        let a = shown(&[(1, 5, 9)], &[(8, 1)]);
        let found = compare(&a, &a, &mut nothing());
        assert_eq!((found.verdict(), codes(&found)), (Verdict::Passed, vec!["ledgers-agree"]));
    }

    #[test]
    fn two_roots_of_one_size_fail_and_so_does_a_checkpoint_of_another_beginning() {
        let (a, b) = (shown(&[], &[(8, 1)]), shown(&[], &[(8, 2)]));
        assert_eq!(compare(&a, &b, &mut nothing()).verdict(), Verdict::Failed);
        let b = shown(&[], &[(5, 2)]);
        let found = compare(&a, &b, &mut nothing());
        assert_eq!(codes(&found), ["ledgers-not-compared", "shown-note"]);
        let mut bags = Bags { roots: BTreeMap::from([(5, [3; 32])]), ..nothing() };
        assert_eq!(compare(&a, &b, &mut bags).count(BagCode::LedgerSplit), 1);
        let mut bags = Bags { roots: BTreeMap::from([(5, [2; 32])]), ..nothing() };
        assert_eq!(codes(&compare(&a, &b, &mut bags)), ["ledgers-agree", "shown-note"]);
    }

    #[test]
    fn a_checkpoint_that_few_parties_cosigned_accuses_nobody_and_is_said() {
        let a = shown(&[], &[(8, 1)]);
        let mut b = shown(&[], &[(8, 2)]);
        b.notes.values_mut().for_each(|note| note.is_handed_out = false);
        for (one, other) in [(&a, &b), (&b, &a)] {
            let found = compare(one, other, &mut nothing());
            assert_eq!((found.verdict(), found.count(BagCode::LedgerSplitUnshown)), (Verdict::Indeterminate, 2));
            assert_eq!(found.count(BagCode::LedgerSplit), 0);
        }
    }

    #[test]
    fn what_only_one_was_shown_is_named_with_its_log_and_place() {
        let (a, b) = (shown(&[(1, 5, 9), (2, 1, 4)], &[(8, 1)]), shown(&[(1, 3, 8)], &[(8, 1)]));
        let found = compare(&a, &b, &mut nothing());
        assert_eq!(codes(&found), ["shown-entries", "shown-log", "shown-not-compared", "ledgers-agree"]);
        assert_eq!(found.verdict(), Verdict::Indeterminate);
        let mut bags = Bags { entries: BTreeSet::from([(log(1), 2, EntryId::from_bytes([8; 32]))]), ..nothing() };
        assert_eq!(codes(&compare(&a, &b, &mut bags)), ["shown-entries", "shown-log", "ledgers-agree"]);
        let mut bags = Bags { entries: BTreeSet::from([(log(1), 2, EntryId::from_bytes([7; 32]))]), ..nothing() };
        assert_eq!(compare(&a, &b, &mut bags).count(Check::LogFork), 1);
    }

    #[test]
    fn charters_in_force_that_differ_are_said_and_rivals_in_two_bags_name_who_signed_both() {
        let with = |charter: Option<CharterInForce>| Shown { charter, ..shown(&[], &[(8, 1)]) };
        let (founded, one, two) = (with(Some(founding())), with(Some(amended(1, 2))), with(Some(amended(2, 3))));
        assert_eq!(codes(&compare(&one, &one, &mut nothing())), ["ledgers-agree"]);
        let found = compare(&founded, &one, &mut nothing());
        assert_eq!(codes(&found), ["shown-charter", "ledgers-agree"]);
        assert_eq!(found.verdict(), Verdict::Indeterminate);
        assert_eq!(compare(&founded, &with(None), &mut nothing()).count(BagCode::ShownCharter), 1);
        let found = compare(&one, &two, &mut nothing());
        assert_eq!(codes(&found), ["amendment-rivals", "shown-charter", "ledgers-agree"]);
        assert!(found.iter().any(|finding| finding.detail.ends_with("shown to A; party 1 signed more than one")));
        assert!(found.iter().any(|finding| finding.detail.ends_with("shown to B; party 1 signed more than one")));
    }

    #[test]
    fn scopes_that_only_one_claims_are_not_held_against_the_other() {
        let a = shown(&[(1, 5, 9)], &[(8, 1)]);
        let mut b = shown(&[], &[(8, 1)]);
        b.scopes = Some(BTreeSet::from([ScopeId::from_bytes([2; 8])]));
        assert_eq!(codes(&compare(&a, &b, &mut nothing())), ["ledgers-agree", "shown-scopes"]);
    }
}
