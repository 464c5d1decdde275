//! One log from its first entry to its last: position, chain, forks, authority, cuts, and what receipts say of it.
//!
//! A [`LogWalk`] takes the judged stretches of a file in order and keeps nothing of an entry that is neither at the
//! end of the chain nor signed by a key that was cut.

use std::collections::BTreeMap;

use super::Pass;
use super::authority::{Attested, Expected};
use super::bag::log_path;
use super::fast::{BodyFacts, Checked, EntryFacts, Spoilt};
use super::finding::{BagCode, Findings, Place, Weight};
use super::index::{Row, Spot};
use super::ledger::Logged;
use super::logged::{Comparison, LedgerGrounds};
use super::logs::{LogOwner, LogSummary};
use crate::check::{Check, Refused};
use crate::entry::{Clock, Kind, LogHead, Position};
use crate::id::{EntryId, LogId, StatementId};
use crate::roster::{Authority, Coverage, LogIndex, LogPosition, PartyNumber, Roster};

/// Most positions of one log at which forks are looked at one by one.
const FORKS_MAX: usize = 256;
/// How far a wall clock may go another way than the time since boot before it is said.
const JUMP_MS: u64 = 60_000;
/// Most branches of one fork that are looked at one by one.
const BRANCHES_MAX: usize = 16;

/// What logs are judged by.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The mission's statements.
    pub roster: &'a Roster,
    /// What cuts cover in logs that are one chain.
    pub coverage: &'a Coverage,
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
    /// The chains of a forked log of a key that was cut, because what its cut keeps depends on them.
    pub chains: Option<LogIndex>,
    /// What the ledger says of it.
    pub logged: Option<Logged>,
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
    clock: Option<Clock>,

    // What receipts and the ledger ask for.
    found: BTreeMap<u64, Vec<EntryId>>,
    comparison: Comparison<'a>,

    // Of a key that was cut.
    chains: LogIndex,
    suspects: Vec<Suspect>,
}

#[derive(Clone, Copy)]
struct Branch {
    id: EntryId,
    certificate: Option<StatementId>,
}

struct Suspect {
    seq: u64,
    id: EntryId,
    party: PartyNumber,
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
            clock: None,
            found: BTreeMap::new(),
            comparison: Comparison::new(grounds.ledger, logged),
            chains: LogIndex::new(),
            suspects: Vec::new(),
        }
    }

    /// Takes the next stretch. In the full pass `rows` gets a row for each authentic entry.
    pub fn take(&mut self, stretch: &[Checked], rows: &mut Vec<Row>, findings: &mut Findings) {
        for checked in stretch {
            match &checked.outcome {
                Ok(facts) => {
                    let certificate = self.place(facts, findings);
                    if self.grounds.pass == Pass::Full {
                        rows.push(self.row(facts, certificate, checked.offset));
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

    /// Ends the log: what only the whole of it shows.
    pub fn finish(mut self, findings: &mut Findings) -> WalkedLog {
        self.settle_spoilt(None, findings);
        let is_forked = !self.forks.is_empty();
        let exact =
            (is_forked && !self.suspects.is_empty()).then(|| Coverage::derive(self.grounds.roster, &self.chains));
        let coverage = exact.as_ref().unwrap_or(self.grounds.coverage);
        self.say_covered(coverage, findings);
        self.say_forks(coverage, findings);
        self.say_attested(findings);
        let logged = self.comparison.finish(&mut self.summary, findings);
        WalkedLog { summary: self.summary, chains: exact.is_some().then_some(self.chains), logged }
    }

    fn place(&mut self, facts: &EntryFacts, findings: &mut Findings) -> Option<StatementId> {
        let at = Place::entry(facts.log, facts.seq, facts.id());
        self.say_body(facts, &at, findings);
        if self.grounds.roster.certificates_of(&facts.key).next().is_none() {
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
        self.comparison.entry(facts, &mut self.summary, &at, findings);
        self.watch(facts, certificate);
        if let Some(certificate) = certificate {
            self.say_role(facts, certificate, at, findings);
        }
        certificate
    }

    /// Puts an entry on the chain and gives the certificate that the chain leads to.
    fn chain(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) -> Option<StatementId> {
        let here_seq = self.last.map(|(seq, _)| seq);
        let is_sibling = here_seq == Some(facts.seq);
        if !is_sibling {
            let is_next = here_seq.map_or(0, |seq| seq + 1) == facts.seq;
            self.settle_spoilt(Some(facts), findings);
            self.before = std::mem::take(&mut self.here);
            if !is_next {
                self.before.clear();
            }
        }
        let certificate = match &facts.position {
            Position::First { certificate, earlier } => {
                self.say_start(facts, *certificate, earlier, at, findings);
                Some(*certificate)
            }
            Position::Later { prev } => {
                // Siblings stand in ascending order of their ids.
                let found = self.before.binary_search_by_key(prev, |branch| branch.id);
                if found.is_err() && !self.before.is_empty() {
                    findings.add(Check::LogPrev, at.clone(), "prev");
                }
                found.ok().and_then(|found| self.before[found].certificate)
            }
        };
        self.here.push(Branch { id: facts.id(), certificate });
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
            if let Some((seq, prev)) = missing {
                let detail = format!("{count} entries are missing, up to this one");
                findings.add(Check::LogGap, Place { file: self.file().file, ..Place::entry(log, seq, prev) }, detail);
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

    fn say_body(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) {
        match facts.body {
            BodyFacts::Held(_) => {}
            BodyFacts::Withheld => self.summary.withheld += 1,
            BodyFacts::Wrong(refused) => {
                findings.refused(refused, Place { file: self.file().file, ..at.clone() });
            }
        }
    }

    fn say_clock(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) {
        let BodyFacts::Held(Some(clock)) = facts.body else { return };
        if let Some(before) = self.clock.replace(clock) {
            let same_boot = before.boot == clock.boot;
            if clock.wall_ms < before.wall_ms {
                findings.add(BagCode::ClockBackwards, at.clone(), "wall clock");
            } else if same_boot && clock.uptime_ms < before.uptime_ms {
                findings.add(BagCode::ClockBackwards, at.clone(), "time since boot");
            } else if same_boot {
                let shown = clock.wall_ms.abs_diff(before.wall_ms);
                let jump = shown.abs_diff(clock.uptime_ms - before.uptime_ms);
                if jump > JUMP_MS {
                    findings.add(BagCode::ClockJump, at.clone(), format!("by {} s", jump / 1_000));
                }
            }
        }
    }

    fn say_start(
        &mut self,
        facts: &EntryFacts,
        certificate: StatementId,
        earlier: &[LogHead],
        at: &Place,
        findings: &mut Findings,
    ) {
        let roster = self.grounds.roster;
        let place = Place { statement: Some(certificate), ..at.clone() };
        match roster.certificate(certificate) {
            // A key without any certificate is named entry by entry.
            None if roster.certificates_of(&facts.key).next().is_none() => {}
            None => findings.add(BagCode::CertificateMissing, place, "certificate named at seq 0"),
            Some(held) if held.key().as_bytes() != &facts.key => {
                findings.add(Check::CertificateKey, place, "certificate named at seq 0");
            }
            Some(_) => {}
        }
        if !self.summary.certificates.contains(&certificate) {
            self.summary.certificates.push(certificate);
        }
        let expected =
            |head: &LogHead| Expected { log: LogId::derive(&facts.key, head.scope, head.epoch), head: *head };
        self.summary.earlier.extend(earlier.iter().map(expected));
    }

    /// In the full pass records say who is out of role, because they know more of it.
    fn say_role(&self, facts: &EntryFacts, certificate: StatementId, at: Place, findings: &mut Findings) {
        if self.grounds.pass == Pass::Full || matches!(facts.kind, Kind::Unknown(_)) {
            return;
        }
        let authority = self.grounds.roster.authority(certificate, &facts.key, facts.scope, facts.kind);
        if let Authority::Denied(refused) = authority
            && refused.check == Check::OutOfRole
        {
            findings.refused(refused, at);
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

    fn say_covered(&mut self, coverage: &Coverage, findings: &mut Findings) {
        let Some(LogOwner { key, scope, epoch }) = self.summary.owner else { return };
        for &Suspect { seq, id, party } in &self.suspects {
            if coverage.is_covered(LogPosition { key: &key, scope, epoch, seq, id }, party) {
                self.summary.covered += 1;
                findings.add(BagCode::SetAsideByCut, Place::entry(self.summary.log, seq, id), "covered by a cut");
            }
        }
    }

    fn say_forks(&self, coverage: &Coverage, findings: &mut Findings) {
        let Some(LogOwner { key, scope, epoch }) = self.summary.owner else { return };
        let parties: Vec<PartyNumber> =
            self.grounds.roster.certificates_of(&key).map(|certificate| certificate.party()).collect();
        for (seq, branches) in &self.forks {
            let is_covered = |id: &&EntryId| {
                let at = LogPosition { key: &key, scope, epoch, seq: *seq, id: **id };
                parties.iter().any(|&party| coverage.is_covered(at, party))
            };
            let open = branches.iter().filter(|id| !is_covered(id)).count();
            let weight = if open <= 1 { Weight::Note } else { Weight::Doubt };
            let place = Place::entry(self.summary.log, *seq, branches[1]);
            findings.add_as(weight, Check::LogFork, place, format!("{} entries at one position", branches.len()));
        }
    }

    fn say_attested(&self, findings: &mut Findings) {
        for said in self.grounds.attested.log(self.summary.log) {
            let found = self.found.get(&said.seq).map_or(&[][..], Vec::as_slice);
            if found.contains(&said.head) {
                continue;
            }
            let at = Place::entry(self.summary.log, said.seq, said.head);
            let place = Place { statement: Some(said.receipt), ..at };
            let is_beyond = self.summary.top.is_none_or(|(top, _)| top < said.seq);
            let (code, detail) = if !found.is_empty() {
                (BagCode::ReceiptOtherHead, "another entry stands there".to_owned())
            } else if is_beyond {
                let count = said.seq.saturating_sub(self.summary.top.map_or(0, |(top, _)| top + 1)) + 1;
                (BagCode::ReceiptMissingTail, format!("{count} entries are missing, up to this one"))
            } else {
                // The position is a gap in the middle, which is said as such.
                continue;
            };
            let weight = if said.is_by_cut_key { Weight::Doubt } else { Weight::Failure };
            findings.add_as(weight, code, place, detail);
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
