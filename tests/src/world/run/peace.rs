//! Peace: everybody meets until nothing moves, and then everything must be the same everywhere.

use std::collections::BTreeSet;

use merestone_core::id::BlobHash;
use merestone_core::sync::frame::Wants;

use super::{HOUR_MS, World};
use crate::world::check::{self, Shown, Violation, violated};
use crate::world::link::LinkPlan;
use crate::world::luck::Luck;
use crate::world::meeting::MeetPlan;

/// Rounds of meetings in peace after which everything must have come together.
const PEACE_ROUNDS: usize = 8;

impl World<'_> {
    /// Nothing goes wrong any more: everybody meets until nothing moves, and then everything must be the same everywhere.
    pub(super) fn peace(&mut self) -> Result<Shown, Violation> {
        self.hostile = None;
        let calm = Luck { kills: false, power_cuts: false, full_disks: false, io_errors: false, ..self.luck };
        self.luck = Luck {
            short_links: false,
            bit_flips: false,
            busy: false,
            restores: false,
            clones: false,
            cuts: false,
            hostile: false,
            ..calm
        };
        self.time.pass_to(self.time.now_ms() + HOUR_MS);
        self.tell("peace");
        for number in 0..self.sites.len() {
            self.sites[number].disk.revive();
            if self.sites[number].is_shaken {
                self.sites[number].stop();
            }
            let _ = self.awake(number)?;
            self.sites[number].away_until_ms = 0;
        }
        let there: Vec<usize> = self.sites.iter().filter(|site| site.is_up()).map(|site| site.number).collect();
        if self.luck.witnesses {
            // A camp that was started again waits until every party's witness says that nothing is lost.
            self.make_final()?;
        }
        self.gather(&there)?;
        self.forget_lost_cuts()?;
        self.cut_people_know_it(&there)?;
        if self.luck.witnesses {
            self.make_final()?;
            self.gather(&there)?;
            self.only_shown_what_enough_cosigned()?;
            self.settle_cuts()?;
            self.one_roster(&there)?;
            self.nothing_waits_in_vain(&there)?;
        }
        self.compare(&there)
    }

    pub(super) fn gather(&mut self, there: &[usize]) -> Result<(), Violation> {
        let hub = there[0];
        let mut amount = 0;
        for round in 0..PEACE_ROUNDS {
            let mut unsynced = String::new();
            for &number in &there[1..] {
                let version = self.version(hub, number);
                let (link, wants) = (LinkPlan::GOOD, [Wants::EVERYTHING; 2]);
                let plan = MeetPlan { link, version, stay: false, save_at: None, wants, hostile: None };
                let Some(met) = self.meet(hub, number, plan)? else {
                    return violated("no-fault-no-refusal", format!("{number} cannot begin to talk in peace"));
                };
                self.tally.contacts += 1;
                if !met.are_synced && !self.sites[number].is_cut {
                    unsynced = met.missing.unwrap_or_default();
                }
            }
            if round == 0
                && let Some(camp) = self.sites[hub].camp()
            {
                camp.keep_up(self.time.now_ms());
                if let Some(trouble) = camp.ledger_trouble() {
                    return violated("ledger-continues", trouble);
                }
            }
            let mut now = 0;
            for &number in there {
                now += self.holding(number)?.amount();
            }
            if round > 0 && unsynced.is_empty() {
                return Ok(());
            }
            if round > 1 && now == amount {
                return self.only_what_is_lost(there, &unsynced);
            }
            amount = now;
        }
        violated("peace-brings-together", format!("still not the same after {PEACE_ROUNDS} rounds"))
    }

    /// Nothing moves, and not all say "synced": then something must be held by nobody at all.
    pub(super) fn only_what_is_lost(&mut self, there: &[usize], unsynced: &str) -> Result<(), Violation> {
        let (mut whole, mut missing, mut is_body_missing) = (BTreeSet::new(), BTreeSet::new(), false);
        for &number in there.iter().filter(|number| !self.sites[**number].is_cut) {
            let holding = self.holding(number)?;
            whole.extend(holding.blobs);
            missing.extend(holding.blobs_missing);
            is_body_missing |= !holding.bodies_missing.is_empty();
        }
        match missing.iter().find(|blob| whole.contains(*blob)) {
            Some(blob) => violated("peace-brings-together", format!("blob {blob} is held and does not pass")),
            // A body that rotted comes again by courier only.
            None if missing.is_empty() && !is_body_missing => {
                let found =
                    format!("nothing moves, nothing is missing, and not all say that they are synced: {unsynced}");
                violated("peace-brings-together", found)
            }
            None => Ok(()),
        }
    }

    /// A photo that somebody holds, of an entry that everybody can read, is held by everybody.
    fn photos_reached_everybody(&self, honest: &[usize]) -> Result<(), Violation> {
        let mut holdings = Vec::new();
        for &number in honest {
            let holding = self.holding(number)?;
            holdings.extend(Some((number, holding)).filter(|(_, holding)| holding.bodies_missing.is_empty()));
        }
        let all: BTreeSet<BlobHash> = holdings.iter().flat_map(|(_, holding)| holding.blobs.iter().copied()).collect();
        for (number, holding) in &holdings {
            if let Some(lacked) = all.iter().find(|blob| !holding.blobs.contains(*blob)) {
                let found = format!("{} neither holds nor misses blob {lacked}", self.sites[*number].name());
                return violated("photos-reach-everybody", found);
            }
        }
        Ok(())
    }

    pub(super) fn compare(&mut self, there: &[usize]) -> Result<Shown, Violation> {
        let doubled: BTreeSet<[u8; 32]> =
            self.sites.iter().filter(|site| site.is_doubled).map(|site| *site.key.as_bytes()).collect();
        let honest: Vec<usize> = there.iter().copied().filter(|number| !self.sites[*number].is_cut).collect();
        let mut reference: Option<(String, Shown)> = None;
        let said = |error: String| Violation { invariant: "store-readable", found: error };
        for &number in &honest {
            check::duty(&self.sites[number])?;
            let Some(up) = &self.sites[number].up else { continue };
            let holding = self.holding(number)?;
            check::photos(&up.device, &holding)?;
            if self.tally.bit_flips == 0 {
                check::nothing_aside(&up.device)?;
            }
            // What it cannot read of an entry it says, and cannot show.
            if !holding.bodies_missing.is_empty() {
                continue;
            }
            let shown = Shown::by(&up.device).map_err(said)?;
            match &reference {
                None => {
                    check::truth(&up.device, &self.model, &doubled)?;
                    reference = Some((self.sites[number].name(), shown));
                }
                Some((name, reference)) => {
                    if let Some(difference) = reference.differs(&shown) {
                        let found = format!("{name} and {}: {difference}", self.sites[number].name());
                        return violated("honest-nodes-converge", found);
                    }
                }
            }
        }
        self.photos_reached_everybody(&honest)?;
        let hub = self.holding(honest[0])?;
        for site in self.sites.iter().filter(|site| site.is_up()) {
            if let Some(lost) = site.duty.saved.keys().find(|id| !hub.entries.contains_key(*id)) {
                let found = format!("entry {lost} of {} reached nobody in peace", site.name());
                return violated("saved-survives", found);
            }
        }
        // Perhaps each of them lacks the body of something.
        let Some((_, shown)) = reference else { return Ok(Shown::default()) };
        for number in self.visited(&honest)? {
            self.audit(number, &shown)?;
        }
        if hub.bodies_missing.is_empty() {
            self.welcome(honest[0], &shown)?;
        }
        Ok(shown)
    }
}
