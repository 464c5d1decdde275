//! A phone that is put to sleep, wakes, is closed or removed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use merestone_node::device::{Device, Home, Suspended, wipe};

use super::{Life, Open, Phone, PhoneHome, Slot};
use crate::error::{PhoneError, StorageFault};
use crate::log::{LogLevel, say};
use crate::provided::PhoneClock;
use crate::runtime::{blocking, locked};

/// How long closing for good may take before it is said that something is still open.
const CLOSING: Duration = Duration::from_secs(20);

/// How a phone fell asleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SuspendReport {
    /// Meetings were ended, or calls were under way.
    pub was_busy: bool,
    /// No file of the store is open any more. If not, the time was too short: suspend it again.
    pub is_closed: bool,
    /// How long it took.
    pub took_ms: u32,
}

/// A phone that sleeps, with what the app brought.
pub(super) struct Asleep {
    suspended: Suspended,
    open: Open,
}

#[uniffi::export]
impl Phone {
    /// Puts the phone to sleep within so many milliseconds: meetings say good-bye, what is being saved is saved or not, and no
    /// file of the store is open afterwards, so that a system may freeze the app. Calls under way and later ones are `Closed`.
    /// Suspending again goes on where the time was too short.
    pub async fn suspend(&self, budget_ms: u32) -> Result<SuspendReport, PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            let began = Instant::now();
            let _turn = locked(&life.turn);
            let budget = Duration::from_millis(budget_ms.into());
            let was_busy = life.fall_asleep(budget.saturating_sub(began.elapsed()))?;
            let is_closed = life.is_closed_within(budget.saturating_sub(began.elapsed()));
            let took_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
            say(LogLevel::Info, "phone suspended");
            Ok(SuspendReport { was_busy, is_closed, took_ms })
        })
        .await
    }

    /// Wakes the phone: keys that were unlocked still are. Whoever answered peers serves again. Nothing changes where it is
    /// awake.
    ///
    /// # Errors
    /// As `open_phone`; it stays asleep, and may be woken again.
    pub async fn resume(&self) -> Result<(), PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            // While nobody waits for it: the app's clock may take its time, or call the phone.
            if let Some(clock) = life.sleeping_clock() {
                clock.refresh();
            }
            let _turn = locked(&life.turn);
            life.wake()
        })
        .await
    }

    /// Closes the phone: the keys are locked, and calls that come later are `Closed`. Closing again changes nothing.
    /// (Languages with objects that end give them a `close` of their own, which lets go of the handle.)
    pub async fn shut(&self) -> Result<(), PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            let _turn = locked(&life.turn);
            life.close()?;
            say(LogLevel::Info, "phone closed");
            Ok(())
        })
        .await
    }

    /// Closes the phone and removes everything of it: keys first, then marker, drafts, records and photos. What was synced,
    /// others hold. Gives the paths in its folder that are none of its files and were left alone.
    ///
    /// # Errors
    /// `Storage` where something could not be closed or removed: keys go first, and wiping again goes on.
    pub async fn wipe(&self) -> Result<Vec<String>, PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            let _turn = locked(&life.turn);
            life.wipe()
        })
        .await
    }
}

/// Removes the phone of a home that nobody has open, as `Phone.wipe` does; the store's key is not needed.
///
/// # Errors
/// `Storage` while it is open, or where something could not be removed: wiping again goes on.
#[uniffi::export]
pub async fn wipe_phone(home: PhoneHome) -> Result<Vec<String>, PhoneError> {
    let PhoneHome { folder, marker, store_key } = home;
    drop(zeroize::Zeroizing::new(store_key));
    if folder.is_empty() || marker.is_empty() {
        return Err(PhoneError::refused("path", "a phone has a folder and a place for its marker"));
    }
    blocking(move || remove(&Home { folder: folder.into(), marker: marker.into() })).await
}

fn remove(home: &Home) -> Result<Vec<String>, PhoneError> {
    let left = wipe(home)?.left;
    say(LogLevel::Warning, "phone wiped");
    Ok(left.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

/// Each is called by whoever has the turn, so that none meets another.
impl Life {
    /// Whether it was busy; nothing happens where it sleeps already.
    fn fall_asleep(&self, budget: Duration) -> Result<bool, PhoneError> {
        let open = match &*self.slot() {
            Slot::Open(open) => Arc::clone(open),
            Slot::Asleep(_) => return Ok(false),
            Slot::Closed => return Err(Self::closed()),
        };
        // The slot's, and this one.
        let has_calls = Arc::strong_count(&open) > 2;
        let suspended = Arc::clone(&open.device).suspend(budget);
        let was_busy = has_calls || suspended.was_busy();
        // Their replicas are over; calls under way may hold the rest for as long as they take.
        locked(&open.replicas).clear();
        self.put(Slot::Asleep(Box::new(Asleep { suspended, open: open.with(Arc::clone(&open.device)) })));
        Ok(was_busy)
    }

    /// Whether everything of a sleeper's store is closed.
    fn is_closed_within(&self, budget: Duration) -> bool {
        match &*self.slot() {
            Slot::Asleep(asleep) => asleep.suspended.close(budget).is_ok(),
            Slot::Open(_) => false,
            Slot::Closed => true,
        }
    }

    /// The clock of a phone that sleeps.
    fn sleeping_clock(&self) -> Option<Arc<PhoneClock>> {
        match &*self.slot() {
            Slot::Asleep(asleep) => Some(Arc::clone(&asleep.open.clock)),
            Slot::Open(_) | Slot::Closed => None,
        }
    }

    /// Removes everything, keys first: they wait neither for peers nor for a call that hangs.
    fn wipe(&self) -> Result<Vec<String>, PhoneError> {
        let device = match &*self.slot() {
            Slot::Open(open) => Some(Arc::clone(&open.device)),
            Slot::Asleep(_) | Slot::Closed => None,
        };
        if let Some(device) = device {
            device.lock();
            // What is left of them goes, or is told, below.
            let _ = device.wipe_keys();
            drop(device);
            self.fall_asleep(Duration::ZERO)?;
        }
        self.close()?;
        remove(&self.home)
    }

    fn wake(&self) -> Result<(), PhoneError> {
        let device: Device = match &*self.slot() {
            Slot::Open(_) => return Ok(()),
            Slot::Closed => return Err(Self::closed()),
            Slot::Asleep(asleep) => {
                // What hung when it fell asleep may have ended since.
                let _ = asleep.suspended.close(CLOSING);
                asleep.suspended.resume()?
            }
        };
        let device = Arc::new(device);
        let before = self.put(Slot::Closed);
        if let Slot::Asleep(asleep) = before {
            let open = asleep.open.with(Arc::clone(&device));
            device.watch(Some(Arc::clone(&open.listening) as _));
            self.put(Slot::Open(Arc::new(open)));
        }
        say(LogLevel::Info, "phone resumed");
        Ok(())
    }

    /// Closes everything, and locks the keys.
    fn close(&self) -> Result<(), PhoneError> {
        if matches!(&*self.slot(), Slot::Open(_)) {
            self.fall_asleep(CLOSING)?;
        }
        if !self.is_closed_within(CLOSING) {
            let reason = "a call that hangs keeps the store open; close it again";
            return Err(PhoneError::storage(StorageFault::InUse, reason));
        }
        drop(self.put(Slot::Closed));
        Ok(())
    }
}
