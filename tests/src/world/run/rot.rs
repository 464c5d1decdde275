//! Bits that turn around at rest, and what the product says of it.

use merestone_core::id::{BlobHash, EntryId};
use merestone_store::Census;

use super::{World, io};
use crate::world::check::{Violation, violated};
use crate::world::damage;

impl World<'_> {
    /// Bits of a closed device turn around; a person runs the check that the product offers.
    pub(super) fn flip(&mut self, number: usize) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        site.stop();
        let name = site.name();
        match self.chance.below(4) {
            0 => {
                let is_flipped = damage::partial(site, &mut self.chance).unwrap_or_else(io);
                self.tally.bit_flips += u64::from(is_flipped);
                self.restart(number)
            }
            1 => match damage::body(site, &mut self.chance).unwrap_or_else(io) {
                Some(entry) => self.flipped_body(number, entry),
                None => self.restart(number),
            },
            _ => match damage::photo(site, &mut self.chance).unwrap_or_else(io) {
                Some(photo) => self.flipped_photo(number, photo),
                None => {
                    self.tell(format!("{name} has no photo"));
                    self.restart(number)
                }
            },
        }
    }

    /// A link died, and a bit turns around in what came of a photo until then.
    pub(super) fn flip_what_is_on_its_way(&mut self, number: usize) -> Result<(), Violation> {
        if self.chance.once_in(2) || !self.sites[number].is_up() {
            return Ok(());
        }
        let site = &mut self.sites[number];
        site.stop();
        if damage::partial(site, &mut self.chance).unwrap_or_else(io) {
            self.tally.bit_flips += 1;
            let text = format!("a bit turns around of what {} has of a photo", self.sites[number].name());
            self.tell(text);
        }
        self.restart(number)
    }

    /// The only copy of what a person was told is saved may have been lost; it is said, and that is all that can be done.
    pub(super) fn flipped_photo(&mut self, number: usize, photo: BlobHash) -> Result<(), Violation> {
        let site = &mut self.sites[number];
        site.duty.blobs.remove(&photo);
        site.duty.saved.values_mut().for_each(|photos| photos.retain(|of| *of != photo));
        let census = self.census(number, "a photo")?;
        let is_noticed =
            !census.aside.is_empty() || census.blobs_lost.contains(&photo) || census.blobs_unknown.contains(&photo);
        if is_noticed {
            return Ok(());
        }
        violated("damage-reported", format!("site {number}: a bit of {photo} turned around and nobody noticed"))
    }

    pub(super) fn flipped_body(&mut self, number: usize, entry: EntryId) -> Result<(), Violation> {
        self.sites[number].duty.saved.remove(&entry);
        self.census(number, "a body")?;
        let missing = self.holding(number)?.bodies_missing;
        if missing.contains(&entry) {
            return Ok(());
        }
        violated("damage-reported", format!("site {number}: a bit of the body of {entry} turned around, unnoticed"))
    }

    pub(super) fn census(&mut self, number: usize, what: &str) -> Result<Census, Violation> {
        self.tally.bit_flips += 1;
        let site = &mut self.sites[number];
        let name = site.name();
        if let Err(error) = site.start() {
            return violated("opens-after-a-kill", format!("{name}: {error}"));
        }
        let census = site.up.as_ref().map(|up| up.device.store().check()).transpose();
        self.tell(format!("a bit of {what} of {name} turns around"));
        census
            .map(Option::unwrap_or_default)
            .map_err(|error| Violation { invariant: "damage-reported", found: format!("{name}: {error}") })
    }
}
