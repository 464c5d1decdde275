//! Contacts of a world over real links: what level B does where level A pumps two conversations by hand.

use std::collections::BTreeSet;

use super::super::check::{Violation, violated};
use super::super::link::{Carried, Ended, LinkPlan};
use super::super::meeting::{MeetPlan, Met};
use super::super::wire::{GatherPlan, Gathered, Stage, gather};
use super::World;

impl World<'_> {
    /// One device calls the other, over a road that the world's luck draws; in peace over a calm one.
    pub(super) fn meet_by_wire(&mut self, one: usize, other: usize, plan: MeetPlan) -> Result<Option<Met>, Violation> {
        let is_calm = plan.link == LinkPlan::GOOD && plan.save_at.is_none();
        let plan = match is_calm {
            true => GatherPlan::calm(one, other, plan.version),
            false => GatherPlan::pair(one, other, &self.luck, &mut self.chance),
        };
        let gathered = self.gather_by_wire(&plan)?;
        let ended = if gathered.dead_links > 0 { Ended::Died } else { Ended::Quiet };
        let carried = Carried { ms: gathered.ms, bytes: gathered.bytes, ..Carried::default() };
        let are_synced = gathered.synced > 0;
        let missing = (!are_synced).then_some(gathered.missing);
        let saved = !gathered.saved.is_empty() || gathered.untold > 0;
        Ok(Some(Met { ended, carried, are_synced, missing, saved, codes: gathered.codes }))
    }

    /// Many devices call one at about the same time: those that saved something meanwhile, and all that took part.
    pub(super) fn gathering(&mut self) -> Result<(Vec<usize>, Vec<usize>), Violation> {
        let hub = self.chance.below(self.sites.len() as u64) as usize;
        let hub = if self.chance.once_in(2) { 0 } else { hub };
        if self.is_away(hub) || !self.awake(hub)? {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut keys = BTreeSet::from([*self.sites[hub].key.as_bytes()]);
        let mut callers = Vec::new();
        for number in 0..self.sites.len() {
            if keys.insert(*self.sites[number].key.as_bytes())
                && !self.chance.once_in(5)
                && !self.is_away(number)
                && self.awake(number)?
            {
                callers.push(number);
            }
        }
        let plan = GatherPlan::many(hub, &callers, &self.luck, &mut self.chance);
        callers.push(hub);
        for number in &callers {
            self.arm(*number, 400);
        }
        self.tell(format!(
            "{} callers gather at {}, with {} strangers and {} places",
            plan.calls.len(),
            self.sites[hub].name(),
            plan.strangers,
            plan.connections_max
        ));
        let gathered = self.gather_by_wire(&plan)?;
        self.tally.contacts += gathered.contacts;
        self.tally.synced += gathered.synced;
        self.tally.bytes += gathered.bytes;
        self.tally.dead_links += gathered.dead_links;
        self.tally.refusals += gathered.refusals;
        self.tally.count_codes(gathered.codes);
        self.tally.old_versions += gathered.old;
        for number in &callers {
            self.recover(*number)?;
        }
        Ok((gathered.saved, callers))
    }

    fn gather_by_wire(&mut self, plan: &GatherPlan) -> Result<Gathered, Violation> {
        for number in plan.calls.iter().map(|call| call.site).chain([plan.hub]) {
            if !self.sites[number].is_up() {
                return violated("no-fault-no-refusal", format!("{} does not run", self.sites[number].name()));
            }
        }
        let stage = Stage {
            sites: &mut self.sites,
            mission: self.mission,
            model: &mut self.model,
            chance: &mut self.chance,
            time: &self.time,
        };
        let gathered = match gather(stage, plan) {
            Ok(gathered) => gathered,
            Err(found) => {
                let (violation, story) = *found;
                story.into_iter().for_each(|event| self.tell(event));
                return Err(violation);
            }
        };
        gathered.story.iter().for_each(|event| self.tell(event.clone()));
        self.digest = super::super::wire::chain(self.digest, &gathered.digest);
        self.tally.entries += gathered.saved.len() as u64;
        self.tally.untold += gathered.untold;
        self.tally.live += gathered.live;
        self.tally.promised += gathered.promised;
        self.tally.moves += gathered.moves;
        self.tally.strangers += gathered.strangers;
        self.tally.lost_datagrams += gathered.lost;
        Ok(gathered)
    }
}
