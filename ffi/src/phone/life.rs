//! A phone that is put to sleep, wakes, is closed or removed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use merestone_node::device::{Device, Home, Suspended, wipe};

use super::{Life, Open, Phone, PhoneHome, Slot};
use crate::error::{PhoneError, StorageFault};
use crate::keys::{KeyVault, Telling};
use crate::log::{LogLevel, say};
use crate::provided::PhoneClock;
use crate::runtime::{blocking, locked, wait_for_endings};

/// How long closing for good may take before it is said that something is still open.
pub(super) const CLOSING: Duration = Duration::from_secs(20);

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

impl Asleep {
    /// Forgets the keys with which it would wake.
    pub(super) fn lock(&self) {
        self.suspended.lock();
    }
}

#[uniffi::export]
impl Phone {
    /// Puts the phone to sleep within so many milliseconds: meetings say good-bye, what is being saved is saved or not, and no
    /// file of the store is open afterwards, so that a system may freeze the app. Calls under way and later ones are `Closed`.
    /// Suspending again goes on where the time was too short; where all of it went by while the phone was waking or being
    /// closed, it is as it was.
    pub async fn suspend(&self, budget_ms: u32) -> Result<SuspendReport, PhoneError> {
        let (life, began) = (Arc::clone(&self.life), Instant::now());
        blocking(move || life.suspend(began, Duration::from_millis(budget_ms.into()))).await
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
            let _turn = life.turn.take();
            life.wake()
        })
        .await
    }

    /// Closes the phone: the keys are locked, and calls that come later are `Closed`. Closing again changes nothing.
    /// (Languages with objects that end give them a `close` of their own, which lets go of the handle.)
    pub async fn shut(&self) -> Result<(), PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            let _turn = life.turn.take();
            life.close()?;
            say(LogLevel::Info, "phone closed");
            Ok(())
        })
        .await
    }

    /// Closes the phone and removes everything of it: keys first, then marker, drafts, records and photos. What was synced,
    /// others hold. Gives the paths in its folder that are none of its files and were left alone.
    ///
    /// The files of keys go before anything is waited for. Each vault that an observer was made or unlocked with since the
    /// phone was opened is told to forget that observer's key.
    ///
    /// # Errors
    /// `Storage` where something could not be closed or removed: keys go first, and wiping again goes on.
    pub async fn wipe(&self) -> Result<Vec<String>, PhoneError> {
        let life = Arc::clone(&self.life);
        blocking(move || {
            let keys = life.home.keys_held().unwrap_or_default();
            let tell = || Telling::begin(life.vaults.all(), &keys);
            let told = life.wipe_keys().then(tell);
            let left = life.wipe_rest(CLOSING);
            // Not before they are gone: another process may have the folder of a phone that was closed.
            if let Some(told) = told.or_else(|| left.is_ok().then(tell)) {
                told.end();
            }
            left
        })
        .await
    }
}

/// Removes the phone of a home that nobody has open, as `Phone.wipe` does; the store's key is not needed. `vault`, if the app
/// has one, is told to forget the keys of every observer.
///
/// # Errors
/// `Storage` while it is open, or where something could not be removed: wiping again goes on.
#[uniffi::export(default(vault = None))]
pub async fn wipe_phone(home: PhoneHome, vault: Option<Arc<dyn KeyVault>>) -> Result<Vec<String>, PhoneError> {
    let home = home.place()?;
    blocking(move || {
        wait_for_endings(CLOSING);
        let keys = home.keys_held()?;
        let left = remove(&home)?;
        Telling::begin(vault.into_iter().collect(), &keys).end();
        Ok(left)
    })
    .await
}

fn remove(home: &Home) -> Result<Vec<String>, PhoneError> {
    let left = wipe(home)?.left;
    say(LogLevel::Warning, "phone wiped");
    Ok(left.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

impl Life {
    /// Falls asleep with what is left of the budget that began to run at `began`.
    fn suspend(&self, began: Instant, budget: Duration) -> Result<SuspendReport, PhoneError> {
        let left = || budget.saturating_sub(began.elapsed());
        let report = |was_busy, is_closed| {
            let took_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
            Ok(SuspendReport { was_busy, is_closed, took_ms })
        };
        let Some(_turn) = self.turn.take_within(left()) else { return report(true, false) };
        let was_busy = self.fall_asleep(left())?;
        let is_closed = self.is_closed_within(left());
        say(LogLevel::Info, "phone suspended");
        report(was_busy, is_closed)
    }

    /// Locks the keys and removes their files, where this phone has the folder; this waits for nobody. What is left of them
    /// goes, or is told, with the rest.
    fn wipe_keys(&self) -> bool {
        let (awake, asleep) = match &*self.slot() {
            Slot::Open(open) => (Some(Arc::clone(open)), None),
            Slot::Asleep(asleep) => (None, Some(Arc::clone(asleep))),
            Slot::Closed => (None, None),
        };
        if let Some(open) = awake {
            open.device.lock();
            return open.device.wipe_keys().is_ok();
        }
        let Some(asleep) = asleep else { return false };
        asleep.suspended.lock();
        // Where all of it is closed the folder may be another's by now.
        asleep.suspended.close(Duration::ZERO).is_err() && asleep.suspended.wipe_keys().is_ok()
    }

    /// Removes everything else, after waiting so long for the turn; the keys of a phone that was open are gone already.
    fn wipe_rest(&self, wait: Duration) -> Result<Vec<String>, PhoneError> {
        let Some(_turn) = self.turn.take_within(wait) else {
            let reason = "the phone is still waking or closing; its keys are removed, wipe it again";
            return Err(PhoneError::storage(StorageFault::InUse, reason));
        };
        // Those of a phone that was just waking.
        self.wipe_keys();
        if matches!(&*self.slot(), Slot::Open(_)) {
            self.fall_asleep(Duration::ZERO)?;
        }
        self.close()?;
        remove(&self.home)
    }
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
        self.put(Slot::Asleep(Arc::new(Asleep { suspended, open: open.with(Arc::clone(&open.device)) })));
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

    fn wake(&self) -> Result<(), PhoneError> {
        let asleep = match &*self.slot() {
            Slot::Open(_) => return Ok(()),
            Slot::Closed => return Err(Self::closed()),
            Slot::Asleep(asleep) => Arc::clone(asleep),
        };
        // What hung when it fell asleep may have ended since.
        let _ = asleep.suspended.close(CLOSING);
        let device: Arc<Device> = Arc::new(asleep.suspended.resume()?);
        device.watch(Some(Arc::clone(&asleep.open.listening) as _));
        drop(self.put(Slot::Open(Arc::new(asleep.open.with(device)))));
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

#[cfg(test)]
mod tests {
    use std::sync::RwLock;

    use super::*;
    use crate::keys::Vaults;
    use crate::turn::Turns;

    fn nowhere() -> Life {
        let home = Home::new(std::path::Path::new("/nowhere"));
        Life { home, slot: RwLock::new(Slot::Closed), turn: Turns::default(), vaults: Vaults::default() }
    }

    #[test]
    fn while_another_has_the_turn_suspending_and_wiping_wait_no_longer_than_they_may() {
        let life = nowhere();
        let turn = life.turn.take();
        let late = Instant::now().checked_sub(Duration::from_secs(60)).unwrap_or_else(Instant::now);
        for (began, budget) in [(late, Duration::from_secs(30)), (Instant::now(), Duration::from_millis(5))] {
            let report = life.suspend(began, budget).unwrap();
            assert!(report.was_busy && !report.is_closed && report.took_ms >= 5, "{report:?}");
        }
        let wiped = life.wipe_rest(Duration::from_millis(5));
        assert!(matches!(wiped, Err(PhoneError::Storage { fault: StorageFault::InUse, .. })), "{wiped:?}");
        drop(turn);
        let suspended = life.suspend(Instant::now(), Duration::ZERO);
        assert!(matches!(suspended, Err(PhoneError::Closed { is_suspended: false, .. })), "{suspended:?}");
    }
}
