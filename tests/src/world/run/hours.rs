//! The hours of a world: everybody saves and meets, in some order.

use std::collections::BTreeSet;

use merestone_core::roster::Role;
use merestone_core::sync::Version;
use merestone_core::sync::frame::{BlobClass, Wants};

use super::{HOUR_MS, Level, World};
use crate::world::check::{Violation, violated};
use crate::world::deeds::{self, Done};
use crate::world::link::{Ended, LinkPlan};
use crate::world::meeting::{MeetPlan, Met, meet};
use crate::world::site::Site;

enum Deed {
    Save(usize),
    Meet(usize, usize),
    Carry(usize, usize),
    Trouble,
    Gather,
    Witness,
    Cut,
    Amend,
}

impl World<'_> {
    /// Everybody saves and meets, in some order, and something goes wrong.
    pub(super) fn hour(&mut self, hour: u64) -> Result<(), Violation> {
        let mut deeds = Vec::new();
        for number in 0..self.sites.len() {
            if self.sites[number].role != Role::Camp {
                deeds.extend((0..1 + self.chance.below(2)).map(|_| Deed::Save(number)));
            }
        }
        for number in 0..self.sites.len() {
            let key = self.sites[number].key;
            let others: Vec<usize> = (0..self.sites.len()).filter(|other| self.sites[*other].key != key).collect();
            deeds.extend(self.chance.pick(&others).map(|other| Deed::Meet(number, *other)));
        }
        deeds.push(Deed::Trouble);
        deeds.push(Deed::Trouble);
        if self.level == Level::Wires {
            deeds.push(Deed::Gather);
        }
        if self.luck.witnesses {
            deeds.push(Deed::Witness);
            deeds.push(Deed::Witness);
            if self.luck.cuts && self.chance.once_in(3) {
                deeds.push(Deed::Cut);
            }
            if self.chance.once_in(16) {
                deeds.push(Deed::Amend);
            }
        }
        if self.luck.couriers && self.chance.once_in(2) {
            let mut anybody = || self.chance.below(self.sites.len() as u64) as usize;
            let (one, other) = (anybody(), anybody());
            let island = (0..self.sites.len()).find(|number| self.is_away(*number));
            let other = island.filter(|_| self.chance.once_in(2)).unwrap_or(other);
            deeds.push(Deed::Carry(one, other));
        }
        for at in (1..deeds.len()).rev() {
            deeds.swap(at, self.chance.below(at as u64 + 1) as usize);
        }
        let (mut saved, mut met) = (BTreeSet::new(), BTreeSet::new());
        let minutes = 60_u64;
        let steps = deeds.len() as u64;
        for (at, deed) in (0..).zip(deeds) {
            self.time.pass_to(hour * HOUR_MS + at * minutes * 60_000 / steps);
            match deed {
                Deed::Save(number) => {
                    // Who may not correct one record writes another.
                    if self.save(number)? || self.save(number)? {
                        saved.insert(number);
                    }
                }
                Deed::Meet(one, other) => {
                    if self.contact(one, other)? {
                        met.extend([one, other]);
                    }
                }
                Deed::Carry(one, other) => self.carry(one, other)?,
                Deed::Trouble => self.trouble()?,
                Deed::Witness => self.go_round()?,
                Deed::Cut => self.cut_somebody()?,
                Deed::Amend => self.amend()?,
                Deed::Gather => {
                    let (savers, there) = self.gathering()?;
                    saved.extend(savers);
                    met.extend(there);
                }
            }
        }
        for site in self.sites.iter().filter(|site| site.role != Role::Camp) {
            let counts = saved.contains(&site.number) && met.contains(&site.number);
            *(if counts { &mut self.tally.device_hours } else { &mut self.tally.idle_hours }) += 1;
        }
        if let Some(camp) = self.sites[0].camp() {
            camp.keep_up(self.time.now_ms());
        }
        self.recover(0)?;
        self.only_shown_what_enough_cosigned()
    }

    /// A save, perhaps with a kill in it; whether the person was told that it is done.
    pub(super) fn save(&mut self, number: usize) -> Result<bool, Violation> {
        if !self.awake(number)? {
            return Ok(false);
        }
        self.arm(number, 40);
        let site = &mut self.sites[number];
        let done = match self.chance.below(6) {
            0 => deeds::settle(site, &mut self.model, &mut self.chance),
            _ => deeds::save(site, self.mission, &mut self.model, &mut self.chance),
        };
        self.told(number, done)
    }

    /// What a person was told of a save; whether it is that it is done.
    pub(super) fn told(&mut self, number: usize, done: Done) -> Result<bool, Violation> {
        let name = self.sites[number].name();
        self.tell(format!("{name} saves: {done:?}"));
        let is_saved = matches!(done, Done::Saved);
        let is_shaken = self.sites[number].is_shaken;
        let is_armed = self.sites[number].disk.is_armed() || is_shaken;
        match done {
            Done::Saved => self.tally.entries += 1,
            Done::Refused(_) => {}
            Done::Storage(_) if is_armed => self.tally.untold += 1,
            Done::Storage(error) => return violated("no-fault-no-refusal", format!("{name}: {error}")),
            Done::Wrong(_) if is_armed => self.tally.untold += 1,
            Done::Wrong(error) => return violated("no-fault-no-refusal", format!("{name}: {error}")),
        }
        if is_shaken && !is_saved && !self.sites[number].disk.is_dead() {
            // After a failed flush nothing is written any more until the app is started again, on a disk that is sound.
            self.sites[number].stop();
            self.sites[number].disk.revive();
            self.restart(number)?;
        }
        self.recover(number)?;
        Ok(is_saved)
    }

    /// A meeting over some link, perhaps with a kill in it; whether it was tried.
    pub(super) fn contact(&mut self, one: usize, other: usize) -> Result<bool, Violation> {
        if !self.awake(one)? || !self.awake(other)? {
            return Ok(false);
        }
        // A clone shows the same key as its original: a device does not call itself.
        if self.sites[one].key == self.sites[other].key || self.is_away(one) || self.is_away(other) {
            return Ok(false);
        }
        let mut link = LinkPlan::draw(&mut self.chance);
        if !self.luck.short_links {
            (link.lives_ms, link.bytes_max) = (u64::MAX, u64::MAX);
        }
        let side = self.chance.below(2) as usize;
        let save_at = (self.luck.busy && self.chance.once_in(3)).then(|| (self.chance.below(2_000), side));
        let hostile = [one, other].iter().position(|number| self.hostile == Some(*number));
        let hostile = hostile.filter(|_| self.chance.once_in(2)).map(|side| (side, self.chance.number()));
        let version = self.version(one, other);
        let mut wants = [Wants::EVERYTHING; 2];
        if self.chance.once_in(6) {
            // A person who pays for each byte leaves the originals for later.
            wants[self.chance.below(2) as usize] = Wants::entries_and(&[BlobClass::Thumbnail, BlobClass::Preview]);
        }
        let plan = MeetPlan { link, version, stay: save_at.is_some(), save_at, wants, hostile };
        self.tally.old_versions += u64::from(version < Version::NEWEST);
        self.arm(one, 400);
        self.arm(other, 400);
        let Some(met) = self.meet(one, other, plan)? else {
            let is_sound = |site: &Site| !site.disk.is_armed() && !site.is_shaken;
            if is_sound(&self.sites[one]) && is_sound(&self.sites[other]) {
                return violated("no-fault-no-refusal", format!("{one} and {other} cannot begin to talk"));
            }
            self.recover(one)?;
            self.recover(other)?;
            return Ok(true);
        };
        self.tally.contacts += 1;
        self.tally.bytes += met.carried.bytes;
        self.tally.synced += u64::from(met.are_synced);
        self.tally.dead_links += u64::from(met.ended == Ended::Died);
        self.tally.hostile += u64::from(hostile.is_some());
        self.tally.refusals += met.codes.iter().sum::<u64>();
        self.tally.count_codes(met.codes);
        self.recover(one)?;
        self.recover(other)?;
        if self.luck.bit_flips && matches!(met.ended, Ended::Died | Ended::Killed { .. }) {
            self.flip_what_is_on_its_way(one)?;
            self.flip_what_is_on_its_way(other)?;
        }
        Ok(true)
    }

    /// Whether nobody can meet a device now.
    pub(super) fn is_away(&self, number: usize) -> bool {
        self.time.now_ms() < self.sites[number].away_until_ms
    }

    /// The newest version that both speak; where programs are old, every third device has not been updated, some of them
    /// never.
    pub(super) fn version(&self, one: usize, other: usize) -> Version {
        self.luck.version_of(one).min(self.luck.version_of(other))
    }

    pub(super) fn meet(&mut self, one: usize, other: usize, plan: MeetPlan) -> Result<Option<Met>, Violation> {
        if self.level == Level::Wires {
            return self.meet_by_wire(one, other, plan);
        }
        let [first, second] = self.sites.get_disjoint_mut([one, other]).expect("two different devices meet");
        let names = format!("{} meets {}", first.name(), second.name());
        let one_is_cut = first.is_cut || second.is_cut;
        let met = meet([first, second], plan, self.mission, &mut self.model, &mut self.chance);
        let text = match &met {
            Ok(Some(met)) => format!(
                "{names}: {:?}, {} bytes in {} ms{}{}{}",
                met.ended,
                met.carried.bytes,
                met.carried.ms,
                if met.are_synced { ", synced" } else { "" },
                if plan.hostile.is_some() { ", one hostile" } else { "" },
                if one_is_cut { ", one cut" } else { "" },
            ),
            Ok(None) => format!("{names}: not begun"),
            Err(violation) => format!("{names}: {violation}"),
        };
        self.tell(text);
        met
    }
}
