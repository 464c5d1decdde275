//! What befalls processes and disks, and how a device comes back from it.

use merestone_core::roster::Role;

use super::World;
use crate::world::check::{self, Violation, violated};
use crate::world::deeds::{self, Done};
use crate::world::luck::Luck;

impl World<'_> {
    /// Lets something fail in what comes next, now and then.
    pub(super) fn arm(&mut self, number: usize, calls: u64) {
        let Luck { kills, power_cuts, io_errors, full_disks, .. } = self.luck;
        let disk = &self.sites[number].disk;
        if (kills || power_cuts) && self.chance.once_in(6) {
            disk.kill_in(1 + self.chance.below(calls));
        } else if io_errors && self.chance.once_in(8) {
            disk.fail_in(1 + self.chance.below(calls));
        } else if full_disks && self.chance.once_in(8) {
            disk.limit_room(Some(self.chance.below(40_000)));
            self.tally.full_disks += 1;
        }
    }

    /// After a deed: a dead process is started again, a disk that failed is sound again, and what must be there is.
    pub(super) fn recover(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        if !site.is_up() {
            return Ok(());
        }
        if site.disk.is_dead() {
            self.tally.kills += 1;
            site.kill();
            if self.luck.power_cuts && self.chance.once_in(2) {
                self.cut_power(number)?;
            }
        } else if site.disk.disarm() {
            self.tally.io_errors += 1;
            if self.chance.once_in(2) {
                site.is_shaken = true;
                return Ok(());
            }
            site.stop();
        } else {
            return Ok(());
        }
        self.sites[number].disk.revive();
        self.restart(number)
    }

    pub(super) fn cut_power(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        let name = site.name();
        match site.disk.cut_power(&mut self.chance) {
            Ok(lost) => {
                self.tally.power_cuts += 1;
                self.tally.undone += (lost.sectors + lost.lengths + lost.names) as u64;
                self.tell(format!("the power of {name} is cut: {lost:?}"));
                Ok(())
            }
            Err(error) => panic!("the World cannot write to its own folder: {error}"),
        }
    }

    /// Starts a device whose process is gone, and looks whether everything is there.
    pub(super) fn restart(&mut self, number: usize) -> Result<(), Violation> {
        let (kills, power_cuts) = (self.luck.kills, self.luck.power_cuts);
        if (kills || power_cuts) && self.chance.once_in(10) {
            // Killed while it starts.
            self.sites[number].disk.kill_in(1 + self.chance.below(40));
            let _ = self.sites[number].start();
            if self.sites[number].disk.is_dead() {
                self.tally.kills += 1;
                self.sites[number].kill();
                if power_cuts && self.chance.once_in(2) {
                    self.cut_power(number)?;
                }
            }
            self.sites[number].stop();
            self.sites[number].disk.revive();
        }
        let site = &mut self.sites[number];
        if let Err(error) = site.start() {
            return violated("opens-after-a-kill", format!("{}: {error}", site.name()));
        }
        check::duty(site)?;
        let text = format!("{} is started again (life {})", site.name(), site.lives());
        self.tell(text);
        let site = &mut self.sites[number];
        if site.role != Role::Camp {
            for done in deeds::go_on(site, &mut self.model) {
                match done {
                    Done::Saved => self.tally.entries += 1,
                    Done::Refused(_) => {}
                    Done::Storage(error) | Done::Wrong(error) => {
                        return violated("no-fault-no-refusal", format!("a draft that was left: {error}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a device runs, or can be made to.
    pub(super) fn awake(&mut self, number: usize) -> Result<bool, Violation> {
        if !self.sites[number].is_up() {
            self.restart(number)?;
        }
        Ok(self.sites[number].is_up())
    }

    /// Something that no device did.
    pub(super) fn trouble(&mut self) -> Result<(), Violation> {
        let phones: Vec<usize> =
            self.sites.iter().filter(|site| site.role != Role::Camp).map(|site| site.number).collect();
        let Some(number) = self.chance.pick(&phones).copied() else { return Ok(()) };
        match self.chance.below(6) {
            0 if self.luck.power_cuts => {
                self.sites[number].kill();
                self.tally.kills += 1;
                self.cut_power(number)?;
                self.sites[number].disk.revive();
                self.restart(number)
            }
            1 if self.luck.restores => self.back_up_or_restore(number),
            2 if self.luck.clones => self.clone_device(number),
            3 if self.luck.cuts => self.cut_key(number),
            4 | 5 if self.luck.bit_flips => self.flip(number),
            _ => Ok(()),
        }
    }
}
