//! What is missing, by person: whose work is not in two places yet.

use std::collections::BTreeMap;

use super::outcome::{BehindLog, MissingHere, Person, SyncOutcome};

/// What is missing of one person's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingWork {
    /// Entries.
    pub entries: u64,
    /// Bodies of entries that are held.
    pub bodies: u64,
    /// Photos and renditions.
    pub photos: u64,
}

/// By person; `None` while no certificate says whose it is.
pub type MissingByPerson = BTreeMap<Option<Person>, MissingWork>;

impl MissingHere {
    /// What of this is whose, as far as it is listed.
    pub fn by_person(&self) -> MissingByPerson {
        let mut sums = MissingByPerson::new();
        for log in &self.logs {
            sums.entry(log.person.clone()).or_default().entries += log.there.saturating_sub(log.here);
        }
        for body in &self.bodies {
            sums.entry(body.person.clone()).or_default().bodies += 1;
        }
        for photo in &self.photos {
            sums.entry(photo.person.clone()).or_default().photos += 1;
        }
        sums
    }
}

impl SyncOutcome {
    /// Entries that the peer, as far as it told, does not hold, by person.
    pub fn missing_there_by_person(&self) -> MissingByPerson {
        let mut sums = MissingByPerson::new();
        for BehindLog { log: _, person, here, there } in &self.missing_there {
            sums.entry(person.clone()).or_default().entries += here.saturating_sub(*there);
        }
        sums
    }
}
