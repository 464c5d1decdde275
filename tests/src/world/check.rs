//! What must be true: of one store at any moment, and of all of them when nothing moves any more.

mod holding;
mod shown;
mod truth;

use std::fmt;

use merestone_core::id::EntryId;
use merestone_node::Device;

use super::site::Site;
pub use holding::{Holding, chain, chain_to, tips};
pub use shown::Shown;
pub use truth::truth;

/// Something that must hold and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.found)
    }
}

/// A violation.
pub fn violated<T>(invariant: &'static str, found: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { invariant, found: found.into() })
}

/// What a person was told is saved, and what peers were told is durable, is there.
///
/// # Errors
/// The first thing that is not.
pub fn duty(site: &Site) -> Result<(), Violation> {
    let Some(up) = &site.up else { return Ok(()) };
    let (device, name) = (&up.device, site.name());
    let store = device.store();
    let broken =
        |error: &dyn fmt::Display| Violation { invariant: "store-readable", found: format!("{name}: {error}") };
    for (id, photos) in &site.duty.saved {
        let held = store.entry(*id).map_err(|error| broken(&error))?;
        if held.is_none_or(|held| held.body.bytes().is_none()) {
            return violated("saved-survives", format!("{name} lost entry {id}, which was saved"));
        }
        for photo in photos {
            if !store.verify_blob(*photo).map_err(|error| broken(&error))? {
                return violated("saved-survives", format!("{name} lost photo {photo} of entry {id}"));
            }
        }
    }
    let told: Vec<EntryId> = site.duty.told.iter().copied().collect();
    let held = store.held(&told).map_err(|error| broken(&error))?;
    if let Some(lost) = told.iter().find(|id| !held.contains(*id)) {
        let found = format!("{name} told peers that it holds entry {lost}, and does not");
        return violated("acknowledged-is-durable", found);
    }
    for blob in &site.duty.blobs {
        if !store.verify_blob(*blob).map_err(|error| broken(&error))? {
            let found = format!("{name} told peers that it holds blob {blob}, and does not");
            return violated("acknowledged-is-durable", found);
        }
    }
    Ok(())
}

/// Every photo that is held whole has the bytes that its signed hash names.
///
/// # Errors
/// The first one that has not.
pub fn photos(device: &Device, holding: &Holding) -> Result<(), Violation> {
    for blob in &holding.blobs {
        match device.store().verify_blob(*blob) {
            Ok(true) => {}
            Ok(false) => return violated("nothing-unsigned", format!("blob {blob} is held whole and is another file")),
            Err(error) => return violated("store-readable", format!("blob {blob}: {error}")),
        }
    }
    Ok(())
}

/// Nothing rotted, so nothing is set aside as damaged.
///
/// # Errors
/// The first thing that is.
pub fn nothing_aside(device: &Device) -> Result<(), Violation> {
    let aside = device.store().aside();
    let aside = aside.map_err(|error| Violation { invariant: "store-readable", found: error.to_string() })?;
    match aside.iter().find(|aside| aside.reason.is_damage()) {
        None => Ok(()),
        Some(aside) => violated("nothing-aside-unless-damaged", format!("{aside:?}, and nothing rotted")),
    }
}
