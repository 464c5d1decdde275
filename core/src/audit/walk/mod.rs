//! One log from its first entry to its last: position, chain, forks, authority, cuts, and what receipts say of it.
//!
//! A [`LogWalk`] takes the judged stretches of a file in order and keeps nothing of an entry that is neither at the
//! end of the chain nor signed by a key that was cut.

use std::collections::BTreeMap;

use crate::audit::Pass;
use crate::audit::against_ledger::{AgainstLedger, LedgerGrounds};
use crate::audit::authority::Attested;
use crate::audit::bag::log_path;
use crate::audit::fast::{BodyFacts, Checked, EntryFacts, Spoilt};
use crate::audit::finding::{BagCode, Findings, Place};
use crate::audit::index::{Row, Spot};
use crate::audit::ledger::Logged;
use crate::audit::logs::{LogOwner, LogSummary};
use crate::audit::times::Since;
use crate::check::{Check, Refused};
use crate::entry::{Clock, Kind, LogHead, Position};
use crate::id::{EntryId, LogId, StatementId};
use crate::roster::{Coverage, LogIndex, Roster, Shown};

mod cut;
mod said;
mod siblings;

use cut::{Break, Suspect};
use siblings::Siblings;

/// Most positions of one log at which forks are looked at one by one.
const FORKS_MAX: usize = 256;
/// Most branches of one fork that are looked at one by one.
const BRANCHES_MAX: usize = 16;

/// What logs are judged by.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The mission's statements.
    pub roster: &'a Roster,
    /// Which keys are cut.
    pub coverage: &'a Coverage,
    /// What the ledger showed before which cut.
    pub shown: &'a Shown,
    /// What receipts say.
    pub attested: &'a Attested,
    /// The ledger, if the bag shows one.
    pub ledger: Option<LedgerGrounds<'a>>,
    /// How deep the audit goes.
    pub pass: Pass,
}

/// What is kept of a log that was read to its end.
pub struct WalkedLog {
    /// What is known of it.
    pub summary: LogSummary,
    /// What the cuts of its key depend on, if it is cut.
    pub cut: Option<CutLog>,
    /// What the ledger says of it.
    pub logged: Option<Logged>,
    /// Since when its entries can have been signed; of the full pass.
    pub since: Since,
}

/// A log of a key that was cut.
pub struct CutLog {
    /// Its chains; of a log that never forked its height, and the entries that the ledger was shown to hold.
    pub chains: LogIndex,
    /// Entries that the leaves in the bag show to be final, each with its leaf.
    pub finals: Vec<(LogHead, u64)>,
}

/// A log being read.
pub struct LogWalk<'a> {
    grounds: Grounds<'a>,
    number: u16,
    summary: LogSummary,

    // The chain.
    last: Option<(u64, EntryId)>,
    here: Vec<Branch>,
    before: Vec<Branch>,
    pending: Option<Spoilt>,
    forks: Vec<(u64, Vec<EntryId>)>,
    siblings: Siblings,

    // What receipts and the ledger ask for.
    found: BTreeMap<u64, Vec<EntryId>>,
    comparison: AgainstLedger<'a>,
    since: Since,

    // Of a key that was cut.
    chains: LogIndex,
    suspects: Vec<Suspect>,
    breaks: Vec<Break>,
}

/// An entry in its place, and the certificate that its chain leads to.
#[derive(Clone, Copy)]
struct OnChain {
    certificate: Option<StatementId>,
}

#[derive(Clone, Copy)]
struct Branch {
    id: EntryId,
    certificate: Option<StatementId>,
    /// The step of the timeline from which on it can have been signed.
    step: Option<u32>,
    /// Of the entry itself, or of the last one below it of which a body was read.
    clock: Option<Clock>,
}

impl<'a> LogWalk<'a> {
    /// Begins the log whose file has this number, and of which the ledger says `logged`.
    pub fn new(grounds: Grounds<'a>, number: u16, log: LogId, logged: Option<Logged>) -> Self {
        let summary = LogSummary::new(log);
        Self {
            grounds,
            number,
            summary,
            last: None,
            here: Vec::new(),
            before: Vec::new(),
            pending: None,
            forks: Vec::new(),
            siblings: Siblings::default(),
            found: BTreeMap::new(),
            comparison: AgainstLedger::new(grounds.ledger, logged, grounds.pass),
            since: Since::default(),
            chains: LogIndex::new(),
            suspects: Vec::new(),
            breaks: Vec::new(),
        }
    }

    /// Takes the next stretch. In the full pass `rows` gets a row for each authentic entry.
    pub fn take(&mut self, stretch: &[Checked], rows: &mut Vec<Row>, findings: &mut Findings) {
        for checked in stretch {
            match &checked.outcome {
                Ok(facts) => {
                    let placed = self.place(facts, findings);
                    let certificate = placed.and_then(|on_chain| on_chain.certificate);
                    let row = self.row_in_full(facts, certificate, checked.offset);
                    match placed {
                        Some(_) => self.siblings.take(facts, row, rows),
                        None => rows.extend(row),
                    }
                }
                Err(spoilt) => {
                    self.settle_spoilt(None, findings);
                    self.pending = Some(*spoilt);
                }
            }
        }
    }

    /// Says that the rest of the file cannot be told apart into entries.
    pub fn break_off(&mut self, offset: u64, refused: Refused, findings: &mut Findings) {
        self.settle_spoilt(None, findings);
        let place = Place { log: Some(self.summary.log), seq: Some(self.next_seq()), ..self.file() };
        let detail = format!("{}: the file is not read from byte {offset} on", refused.what);
        findings.add(refused.check, place, detail);
    }

    /// Ends the log: what only the whole of it shows. `rows` gets those that waited for it.
    pub fn finish(mut self, rows: &mut Vec<Row>, findings: &mut Findings) -> WalkedLog {
        self.settle_spoilt(None, findings);
        self.say_displaced(findings);
        let finals = self.finals();
        let exact =
            self.summary.owner.as_ref().filter(|_| !self.suspects.is_empty()).map(|LogOwner { key, .. }| {
                let Grounds { roster, shown, .. } = self.grounds;
                Coverage::derive_of(roster, shown, key, &finals, &self.chains)
            });
        let coverage = exact.as_ref().unwrap_or(self.grounds.coverage);
        self.settle_siblings(coverage, rows, findings);
        self.say_covered(coverage, findings);
        self.say_forks(coverage, findings);
        self.say_breaks(coverage, findings);
        let is_cut = exact.is_some();
        let cut = is_cut.then(|| self.cut_log(finals));
        self.say_attested(findings);
        let logged = self.comparison.finish(&mut self.summary, findings);
        WalkedLog { summary: self.summary, cut, logged, since: self.since }
    }

    /// Puts an entry in its place; `None` if it is out of order, twice, or of another log.
    fn place(&mut self, facts: &EntryFacts, findings: &mut Findings) -> Option<OnChain> {
        let at = Place::entry(facts.log, facts.seq, facts.id());
        self.say_body(facts, &at, findings);
        if !self.grounds.roster.knows_key(&facts.key) {
            findings.add(Check::KeyNotInRoster, at.clone(), "key");
        }
        if matches!(facts.kind, Kind::Unknown(_)) {
            findings.add(BagCode::KindUnknown, at.clone(), "kind of a later version");
        }
        let order = (facts.seq, facts.id());
        if facts.log != self.summary.log || self.last.is_some_and(|last| last >= order) {
            let what =
                if facts.log == self.summary.log { "out of order or twice" } else { "in the file of another log" };
            findings.add(BagCode::LogMisplaced, Place { file: self.file().file, ..at }, what);
            return None;
        }
        let certificate = self.chain(facts, &at, findings);
        self.say_clock(facts, &at, findings);
        self.count(facts, order);
        let before = self.here.last().and_then(|branch| branch.step);
        let step = self.comparison.entry(facts, before, &mut self.summary, &at, findings);
        self.keep_since(facts, step);
        self.watch(facts, certificate);
        if let Some(certificate) = certificate {
            self.say_role(facts, certificate, at, findings);
        }
        Some(OnChain { certificate })
    }

    /// Puts an entry on the chain and gives the certificate that the chain leads to.
    fn chain(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) -> Option<StatementId> {
        let here_seq = self.last.map(|(seq, _)| seq);
        let is_sibling = here_seq == Some(facts.seq);
        if !is_sibling {
            let is_next = here_seq.map_or(0, |seq| seq + 1) == facts.seq;
            self.settle_spoilt(Some(facts), findings);
            self.say_displaced(findings);
            self.before = std::mem::take(&mut self.here);
            if !is_next {
                self.before.clear();
            }
        }
        let (certificate, step, clock) = match &facts.position {
            Position::First { certificate, earlier } => {
                self.say_start(facts, *certificate, earlier, at, findings);
                (Some(*certificate), None, None)
            }
            Position::Later { prev } => {
                // Siblings stand in ascending order of their ids.
                let found = self.before.binary_search_by_key(prev, |branch| branch.id);
                if found.is_err() && !self.before.is_empty() {
                    self.say_break(Check::LogPrev, facts, at.clone(), "prev".into(), findings);
                }
                let below = found.ok().map(|found| self.before[found]);
                below.map_or((None, None, None), |below| (below.certificate, below.step, below.clock))
            }
        };
        self.here.push(Branch { id: facts.id(), certificate, step, clock });
        if is_sibling {
            self.note_fork(facts.seq);
        } else if facts.seq == self.summary.height {
            self.summary.height += 1;
        }
        certificate
    }

    /// Says what became of bytes that are no entry, and of a gap before `next`.
    fn settle_spoilt(&mut self, next: Option<&EntryFacts>, findings: &mut Findings) {
        let log = self.summary.log;
        let missing = next.and_then(|facts| match facts.position {
            Position::Later { prev } if facts.seq > self.next_seq() => Some((facts.seq - 1, prev)),
            Position::Later { prev: _ } | Position::First { certificate: _, earlier: _ } => None,
        });
        let count = missing.map_or(0, |(seq, _)| seq + 1 - self.next_seq());
        let Some(spoilt) = self.pending.take() else {
            if let Some(((seq, prev), facts)) = missing.zip(next) {
                let detail = format!("{count} entries are missing, up to this one");
                let place = Place { file: self.file().file, ..Place::entry(log, seq, prev) };
                self.say_break(Check::LogGap, facts, place, detail.into(), findings);
            }
            return;
        };
        // The entry that follows, a receipt, or the ledger says which entry stood there.
        let attested = self.grounds.attested.log(log).iter().find(|said| said.seq == self.next_seq());
        let claimed = spoilt.seq.unwrap_or(self.next_seq());
        let was = match (missing, next, attested) {
            (Some((seq, prev)), _, _) if count == 1 => (seq, prev),
            (None, None, Some(said)) => (said.seq, said.head),
            _ => (claimed, self.comparison.only_at(claimed).unwrap_or(spoilt.id)),
        };
        self.comparison.is_spoilt(was.0, was.1);
        let place = Place { file: self.file().file, ..Place::entry(log, was.0, was.1) };
        findings.refused(spoilt.refused, place);
        if let Some((seq, prev)) = missing.filter(|_| count > 1) {
            let detail = format!("{count} entries are missing, up to this one");
            findings.add(Check::LogGap, Place { file: self.file().file, ..Place::entry(log, seq, prev) }, detail);
        }
    }

    fn count(&mut self, facts: &EntryFacts, order: (u64, EntryId)) {
        let owner = LogOwner { key: facts.key, scope: facts.scope, epoch: facts.epoch };
        self.summary.owner = Some(owner);
        self.summary.entries += 1;
        self.summary.seen += u64::from(facts.seen.is_some());
        if self.summary.top.is_none_or(|(seq, _)| seq < facts.seq) {
            self.summary.top = Some(order);
        }
        self.last = Some(order);
    }

    /// Remembers what a receipt or a cut makes worth remembering.
    fn watch(&mut self, facts: &EntryFacts, certificate: Option<StatementId>) {
        let attested = self.grounds.attested.log(self.summary.log);
        if attested.binary_search_by_key(&facts.seq, |said| said.seq).is_ok() {
            self.found.entry(facts.seq).or_default().push(facts.id());
        }
        let roster = self.grounds.roster;
        let named = certificate.and_then(|id| roster.certificate(id)).map(|held| held.party());
        // Behind a gap the certificate is not known; the key's first one stands in for it.
        let party = named.or_else(|| roster.certificates_of(&facts.key).next().map(|held| held.party()));
        let Some(party) = party.filter(|&party| self.grounds.coverage.is_cut(&facts.key, party)) else { return };
        let prev = match facts.position {
            Position::First { certificate: _, earlier: _ } => None,
            Position::Later { prev } => Some(prev),
        };
        self.chains.add(self.summary.log, facts.seq, facts.id(), prev);
        self.suspects.push(Suspect { seq: facts.seq, id: facts.id(), party });
    }

    /// Keeps since when an entry can have been signed, for those that build on it.
    fn keep_since(&mut self, facts: &EntryFacts, step: Option<u32>) {
        let Some((newest, others)) = self.here.split_last_mut() else { return };
        newest.step = step;
        if self.grounds.pass == Pass::Full {
            if let [first] = others {
                self.since.fork(facts.seq, first.id, first.step);
            }
            self.since.add(facts.seq, facts.id(), step);
        }
    }

    fn note_fork(&mut self, seq: u64) {
        let Some(newest) = self.here.last().map(|branch| branch.id) else { return };
        match self.forks.last_mut().filter(|(at, _)| *at == seq) {
            Some((_, branches)) if branches.len() < BRANCHES_MAX => branches.push(newest),
            Some(_) => {}
            None => {
                self.summary.forks += 1;
                if self.forks.len() < FORKS_MAX {
                    self.forks.push((seq, self.here.iter().map(|branch| branch.id).collect()));
                }
            }
        }
    }

    fn row(&self, facts: &EntryFacts, certificate: Option<StatementId>, offset: u64) -> Row {
        let named = certificate.and_then(|id| self.summary.certificates.iter().position(|&known| known == id));
        let certificate = named.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0);
        let is_body_wrong = matches!(facts.body, BodyFacts::Wrong(_));
        Row::new(facts.record, facts.seal, Spot { log: self.number, offset, certificate, is_body_wrong })
    }

    fn next_seq(&self) -> u64 {
        self.last.map_or(0, |(seq, _)| seq + 1)
    }

    fn file(&self) -> Place {
        Place::file(&log_path(self.summary.log))
    }
}
