//! What is said of an entry where it stands, and of what receipts attest.

use super::LogWalk;
use crate::audit::Pass;
use crate::audit::authority::Expected;
use crate::audit::fast::{BodyFacts, EntryFacts};
use crate::audit::finding::{BagCode, Findings, Place};
use crate::check::Check;
use crate::entry::{Kind, LogHead};
use crate::id::{LogId, StatementId};
use crate::roster::Authority;
use crate::sync::frame::SIBLINGS_MAX;

/// How far a wall clock may go another way than the time since boot before it is said.
const JUMP_MS: u64 = 60_000;

impl LogWalk<'_> {
    pub(super) fn say_body(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) {
        match facts.body {
            BodyFacts::Held(_) => {}
            BodyFacts::Withheld => self.summary.withheld += 1,
            BodyFacts::Wrong(refused) => {
                findings.refused(refused, Place { file: self.file().file, ..at.clone() });
            }
        }
    }

    pub(super) fn say_clock(&mut self, facts: &EntryFacts, at: &Place, findings: &mut Findings) {
        let (BodyFacts::Held(Some(clock)), Some(branch)) = (facts.body, self.here.last_mut()) else { return };
        if let Some(before) = branch.clock.replace(clock) {
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

    pub(super) fn say_start(
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
            None if !roster.knows_key(&facts.key) => {}
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
    pub(super) fn say_role(&self, facts: &EntryFacts, certificate: StatementId, at: Place, findings: &mut Findings) {
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

    pub(super) fn say_attested(&self, findings: &mut Findings) {
        for said in self.grounds.attested.log(self.summary.log) {
            let found = self.found.get(&said.seq).map_or(&[][..], Vec::as_slice);
            if found.contains(&said.head) {
                continue;
            }
            let at = Place::entry(self.summary.log, said.seq, said.head);
            let place = Place { statement: Some(said.statement), ..at };
            let is_beyond = self.summary.top.is_none_or(|(top, _)| top < said.seq);
            let (code, detail) = if found.iter().filter(|id| **id < said.head).count() >= SIBLINGS_MAX {
                findings.add(BagCode::SiblingDisplaced, place, "four siblings with lower ids are there");
                continue;
            } else if !found.is_empty() {
                (BagCode::ReceiptOtherHead, "another entry stands there".to_owned())
            } else if is_beyond {
                let count = said.seq.saturating_sub(self.summary.top.map_or(0, |(top, _)| top + 1)) + 1;
                (BagCode::ReceiptMissingTail, format!("{count} entries are missing, up to this one"))
            } else {
                // The position is a gap in the middle, which is said as such.
                continue;
            };
            let (code, weight) = said.missing_as(code);
            findings.add_as(weight, code, place, detail);
        }
    }

    /// Excuses the leaves of siblings for which stores have no room beside those at the position that was just read.
    pub(super) fn say_displaced(&mut self, findings: &mut Findings) {
        if let (Some((seq, _)), Some(highest)) = (self.last, self.here.get(SIBLINGS_MAX - 1)) {
            let absent = self.comparison.displaced(self.summary.log, seq, highest.id, findings);
            self.summary.displaced += absent;
        }
    }
}
