//! A bundle goes from one device to another on a stick, which may be damaged on the way or read by a device that is killed.

use std::fs;
use std::path::{Path, PathBuf};

use merestone_node::courier::{CourierOrder, CourierRead, ReadCourierError, WriteCourierError};

use super::{World, io};
use crate::world::check::{Holding, Violation, violated};

/// What happened to a stick on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    None,
    /// A bit turned around.
    Bit,
    /// Its end is gone.
    Cut,
}

impl World<'_> {
    /// Carries what `one` holds to `other`.
    pub(super) fn carry(&mut self, one: usize, other: usize) -> Result<(), Violation> {
        if one == other || !self.awake(one)? || !self.awake(other)? || self.sites[one].key == self.sites[other].key {
            return Ok(());
        }
        let stick = self.sites[one].disk.home().with_file_name("stick");
        let Some(is_for_all) = self.write_stick(one, other, &stick)? else { return Ok(()) };
        let held = self.holding(one)?;
        let harm = self.harm(&stick);
        self.tally.couriers += 1;
        self.arm(other, 400);
        let read = self.read_stick(other, &stick);
        let text = match &read {
            Ok(read) => format!(
                "{} carries to {}, {harm:?}: {} entries and {} photos are new",
                self.sites[one].name(),
                self.sites[other].name(),
                read.entries_new,
                read.blobs_new
            ),
            Err(error) => {
                // Where the World keeps its files differs from process to process.
                let error = error.to_string().replace(&*stick.to_string_lossy(), "the stick");
                format!("{} carries to {}, {harm:?}: {error}", self.sites[one].name(), self.sites[other].name())
            }
        };
        self.tell(text);
        let was_armed = self.sites[other].disk.is_armed();
        if let Err(error) = &read
            && !was_armed
            && !may_refuse(error, harm)
        {
            return violated("courier-is-read", format!("{}: {error}", self.sites[other].name()));
        }
        self.recover(other)?;
        if harm == Harm::None {
            self.read_again(one, other, &stick, &held, is_for_all)?;
        }
        fs::remove_file(&stick).map_err(io)
    }

    /// Whether the bundle is for everybody; `None` if there is none.
    fn write_stick(&mut self, one: usize, other: usize, stick: &Path) -> Result<Option<bool>, Violation> {
        let (whole, life) = (CourierOrder::default(), self.sites[one].lives());
        let made_for = self.chance.once_in(2).then(|| self.sites[other].key.to_string());
        self.arm(one, 60);
        let Some(up) = &self.sites[one].up else { return Ok(None) };
        let (device, key) = (&up.device, &self.sites[one].key);
        let written = match made_for {
            None => device.write_courier(key, stick, &whole).map(|_| true),
            Some(_) => match device.write_courier(key, stick, &CourierOrder { made_for, ..CourierOrder::default() }) {
                // They have not met, not even through others.
                Err(WriteCourierError::UnknownDevice | WriteCourierError::NoReceipt { .. }) => {
                    device.write_courier(key, stick, &whole).map(|_| true)
                }
                done => done.map(|_| false),
            },
        };
        let was_armed = self.sites[one].disk.is_armed();
        self.recover(one)?;
        match written {
            Ok(is_for_all) if self.sites[one].lives() == life => Ok(Some(is_for_all)),
            // Its person has gone on meanwhile, and the stick is of yesterday.
            Ok(_) => fs::remove_file(stick).map(|()| None).map_err(io),
            Err(_) if was_armed => Ok(None),
            Err(error) => violated("courier-is-written", format!("{}: {error}", self.sites[one].name())),
        }
    }

    fn harm(&mut self, stick: &PathBuf) -> Harm {
        if !self.luck.bit_flips || self.chance.once_in(2) {
            return Harm::None;
        }
        let length = fs::metadata(stick).unwrap_or_else(io).len();
        if self.chance.once_in(2) {
            self.sites[0].disk.flip_bit(stick, &mut self.chance).unwrap_or_else(io);
            Harm::Bit
        } else {
            let file = fs::File::options().write(true).open(stick).unwrap_or_else(io);
            file.set_len(self.chance.below(length)).unwrap_or_else(io);
            Harm::Cut
        }
    }

    fn read_stick(&self, number: usize, stick: &Path) -> Result<CourierRead, ReadCourierError> {
        match &self.sites[number].up {
            Some(up) => up.device.read_courier(&up.replica, stick),
            None => Err(ReadCourierError::NotEnrolled),
        }
    }

    /// After a kill, or none: reading goes on, everything comes, and a further reading changes nothing.
    fn read_again(
        &mut self,
        one: usize,
        other: usize,
        stick: &Path,
        held: &Holding,
        is_for_all: bool,
    ) -> Result<(), Violation> {
        let name = self.sites[other].name();
        let first = self.read_stick(other, stick);
        let first =
            first.map_err(|error| Violation { invariant: "courier-is-read", found: format!("{name}: {error}") })?;
        if let Some(refused) = first.refused.first().or(first.seen.damaged.first()) {
            return violated("courier-is-read", format!("{name} refuses {refused:?} of an honest bundle"));
        }
        let now = self.holding(other)?;
        if is_for_all && now.lacks(held) {
            let found = format!("{name} read all that {} holds, and {:?}", self.sites[one].name(), now.differs(held));
            return violated("courier-carries", found);
        }
        let again = self.read_stick(other, stick);
        let again =
            again.map_err(|error| Violation { invariant: "courier-is-read", found: format!("{name}: {error}") })?;
        if again.entries_new + again.blobs_new + again.statements_new > 0 || self.holding(other)? != now {
            return violated("courier-twice-is-once", format!("{name} took something of the same bundle again"));
        }
        Ok(())
    }
}

/// Whether a stick that was harmed so may be refused as a whole.
fn may_refuse(error: &ReadCourierError, harm: Harm) -> bool {
    let is_of_file = matches!(
        error,
        ReadCourierError::Foreign { .. }
            | ReadCourierError::Cut { .. }
            | ReadCourierError::Damaged { .. }
            | ReadCourierError::Refused { .. }
    );
    harm != Harm::None && is_of_file
}
