//! The end of a world: an auditor looks at what is left, and a newcomer with an empty device is given all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use merestone_audit::{BagCode, Code, Options, Weight, audit_folder};
use merestone_core::Check;
use merestone_core::id::EntryId;
use merestone_core::roster::Role;
use merestone_core::sync::Version;
use merestone_core::sync::frame::Wants;
use merestone_node::bag;

use super::{World, io};
use crate::world::check::{Shown, Violation, violated};
use crate::world::link::LinkPlan;
use crate::world::meeting::{MeetPlan, meet};
use crate::world::senses::ClockFault;
use crate::world::site::Site;

/// Meetings after which a newcomer must hold everything.
const WELCOMES: usize = 4;

impl World<'_> {
    /// Writes a bag of what a device holds and audits it: only what happened in this world may be found.
    pub(super) fn audit(&mut self, number: usize, shown: &Shown) -> Result<(), Violation> {
        let site = &self.sites[number];
        let (name, Some(up)) = (site.name(), &site.up) else { return Ok(()) };
        let target = site.disk.home().with_file_name("bag");
        let wrote = bag::write(up.device.store(), up.device.authority(), None, &target);
        let wrote =
            wrote.map_err(|error| Violation { invariant: "bag-is-written", found: format!("{name}: {error}") })?;
        let options = Options { threads: 1, records_max: usize::MAX, ..Options::default() };
        let report = audit_folder(&target, up.device.mission(), &options);
        let report =
            report.map_err(|error| Violation { invariant: "bag-is-audited", found: format!("{name}: {error}") })?;
        fs::remove_dir_all(&target).map_err(io)?;
        self.tally.audits += 1;
        for finding in report.findings() {
            if !self.is_declared(finding.code, finding.weight) {
                let found = format!("the bag of {name}: {finding:?}");
                return violated("audit-finds-only-what-happened", found);
            }
        }
        let facts = report.facts();
        let standings = facts.records.iter().flat_map(|record| &record.entries);
        let audited: BTreeMap<EntryId, &str> = standings.map(|entry| (entry.id, entry.standing)).collect();
        if audited.len() as u64 != wrote.entries {
            let found = format!("{name} wrote {} entries and {} were judged", wrote.entries, audited.len());
            return violated("audit-agrees", found);
        }
        if let Some(difference) = shown.differs_from_audit(&audited) {
            return violated("audit-agrees", format!("{name}: {difference}"));
        }
        Ok(())
    }

    /// Whether something happened here that such a finding tells of.
    fn is_declared(&self, code: Code, weight: Weight) -> bool {
        let (doubles, cuts) = (self.tally.clones + self.tally.restores > 0, self.tally.cuts > 0);
        let lost = self.tally.bit_flips + self.tally.kills + self.tally.restores + self.tally.clones > 0;
        match code {
            Code::Check(Check::LogFork) => doubles,
            Code::Bag(BagCode::RecordFork | BagCode::EarlierMissing) => doubles,
            Code::Bag(BagCode::CutKeptMissing | BagCode::SetAsideByCut) => cuts,
            // Until a final checkpoint holds the acknowledgements of a cut, no bag shows what was final before it.
            Code::Bag(BagCode::CutFinalityUnknown) => cuts,
            Code::Bag(BagCode::EntryHeld | BagCode::EntryUnappliable) => doubles || cuts,
            Code::Bag(BagCode::PhotoMissing) => lost,
            Code::Bag(BagCode::AmendmentRivals) => self.amended.len() > 1,
            // A store that was restored or copied has signed for more than it holds now.
            Code::Bag(BagCode::ReceiptMissingTail | BagCode::ReceiptOtherHead | BagCode::ReceiptLogAbsent) => doubles,
            _ => weight == Weight::Note,
        }
    }

    /// Somebody joins who holds nothing, and must come to hold and show what all others do.
    pub(super) fn welcome(&mut self, hub: usize, shown: &Shown) -> Result<(), Violation> {
        let number = self.sites.len();
        let words = format!("{}/newcomer", self.sites[hub].name());
        let words = format!("world {}/{words}", self.seed);
        let mut newcomer = Site::found(self.mission, &self.time, &words, number, Role::Observer, ClockFault::Frozen);
        let plan = MeetPlan {
            link: LinkPlan::GOOD,
            version: Version::NEWEST,
            stay: false,
            save_at: None,
            wants: [Wants::EVERYTHING; 2],
            hostile: None,
        };
        let mut ends = Vec::new();
        for _ in 0..WELCOMES {
            let pair = [&mut self.sites[hub], &mut newcomer];
            let met = meet(pair, plan, self.mission, &mut self.model, &mut self.chance)?;
            ends.push(met.map(|met| met.ended));
        }
        self.tally.newcomers += 1;
        let Some(up) = &newcomer.up else { return Ok(()) };
        let theirs = Shown::by(&up.device).map_err(|found| Violation { invariant: "store-readable", found })?;
        if let Some(difference) = shown.differs(&theirs) {
            return violated("newcomer-is-given-all", format!("{difference}; {ends:?}"));
        }
        let (ours, theirs) = (self.holding(hub)?, super::holding_of(&newcomer, self.mission)?);
        // What nobody holds any more it is not given either.
        if theirs.lacks(&ours) {
            return violated("newcomer-is-given-all", format!("{:?}; {ends:?}", ours.differs(&theirs)));
        }
        Ok(())
    }

    /// Whom an auditor visits: base camp and a phone, of those that can read all they hold.
    pub(super) fn visited(&mut self, honest: &[usize]) -> Result<BTreeSet<usize>, Violation> {
        let mut whole = Vec::new();
        for &number in honest {
            if self.holding(number)?.bodies_missing.is_empty() {
                whole.push(number);
            }
        }
        let phone = self.chance.pick(&whole).copied();
        Ok(whole.first().copied().into_iter().chain(phone).collect())
    }
}
