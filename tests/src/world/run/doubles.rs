//! Keys of which there are two: devices that were restored from a backup, and copied ones.

use std::path::PathBuf;

use super::{HOUR_MS, World, io};
use crate::world::check::Violation;
use crate::world::deeds;
use crate::world::site::Duty;

/// Records that two copies of a device are asked to correct, until one may.
const TRIES: usize = 6;

/// An old copy of a device.
pub(super) struct Backup {
    folder: PathBuf,
    duty: Duty,
    has_marker: bool,
    restored: u32,
    /// When it was restored last.
    restored_ms: Option<u64>,
}

impl Backup {
    /// Whether what was written then may have gone with the disk that it replaced.
    pub(super) fn was_restored_since(&self, ms: u64) -> bool {
        self.restored_ms.is_some_and(|restored_ms| restored_ms >= ms)
    }
}

impl World<'_> {
    pub(super) fn back_up_or_restore(&mut self, number: usize) -> Result<(), Violation> {
        let name = self.sites[number].name();
        // A device of which there are two is not restored as well: too many forks to tell them apart.
        if self.sites[number].cloned_from.is_some() || self.sites.iter().any(|site| site.cloned_from == Some(number)) {
            return Ok(());
        }
        match self.backups.get_mut(&number) {
            None => {
                let has_marker = self.chance.once_in(3);
                self.sites[number].stop();
                let folder = self.sites[number].disk.home().with_file_name("backup");
                let but: &[&str] = if has_marker { &[] } else { &["install-marker"] };
                self.sites[number].disk.back_up(&folder, but).map_err(io)?;
                let duty = self.sites[number].duty.clone();
                self.model.copy_drafts(self.sites[number].key.as_bytes());
                self.backups.insert(number, Backup { folder, duty, has_marker, restored: 0, restored_ms: None });
                self.tell(format!(
                    "{name} is backed up, {}",
                    if has_marker { "marker too" } else { "without its marker" }
                ));
                self.restart(number)
            }
            Some(backup) if backup.restored < 2 => {
                backup.restored += 1;
                backup.restored_ms = Some(self.time.now_ms());
                let site = &mut self.sites[number];
                site.kill();
                site.disk.restore(&backup.folder).map_err(io)?;
                site.duty = backup.duty.clone();
                // With its marker it cannot know that it is a copy, and goes on in logs that others hold more of.
                site.is_doubled |= backup.has_marker;
                // It holds less than it said of itself; what it said is void.
                site.duty.told.clear();
                site.duty.blobs.clear();
                site.disk.revive();
                self.tally.restores += 1;
                self.tell(format!("{name} is restored from its backup"));
                self.restart(number)
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn clone_device(&mut self, number: usize) -> Result<(), Violation> {
        let is_doubled = self.sites[number].is_doubled || self.sites[number].cloned_from.is_some();
        if is_doubled || self.backups.contains_key(&number) || self.tally.clones > 0 || self.sites[number].is_cut {
            return Ok(());
        }
        let at = self.sites.len();
        self.sites[number].stop();
        let clone = self.sites[number].clone_at(at);
        let clone = clone.unwrap_or_else(|error| panic!("the World cannot write to its own folder: {error}"));
        self.sites[number].is_doubled = true;
        self.model.copy_drafts(self.sites[number].key.as_bytes());
        self.sites.push(clone);
        self.tally.clones += 1;
        let text = format!("{} is cloned as {}", self.sites[number].name(), self.sites[at].name());
        self.tell(text);
        if self.chance.once_in(2) {
            // It is taken to where nobody else comes, and written on.
            self.sites[at].away_until_ms = self.time.now_ms() + HOUR_MS * (1 + self.chance.below(3));
        }
        self.restart(number)?;
        self.restart(at)?;
        if self.chance.once_in(2) { self.correct_both(number, at) } else { Ok(()) }
    }

    /// On both copies of a device somebody corrects the same record, and answers another question of it.
    fn correct_both(&mut self, one: usize, other: usize) -> Result<(), Violation> {
        for _ in 0..TRIES {
            let Some(record) = deeds::pick_record(&self.model, &mut self.chance) else { return Ok(()) };
            let done = deeds::correct(&mut self.sites[one], &mut self.model, record, "t01");
            if self.told(one, done)? {
                let done = deeds::correct(&mut self.sites[other], &mut self.model, record, "t02");
                return self.told(other, done).map(drop);
            }
        }
        Ok(())
    }
}
