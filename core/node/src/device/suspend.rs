//! A device that sleeps, and wakes with the keys that were unlocked.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use merestone_store::StillOpen;

use super::error::OpenDeviceError;
use super::{Device, Home};
use crate::replica::Replica;

/// A device whose store is closed. It carries what opening it again needs: where it is, the store's key, its clocks, and the
/// keys of those observers that were unlocked. Dropping it forgets these keys, unless a device woke with them.
pub struct Suspended {
    device: Arc<Device>,
    was_busy: bool,
    /// A device woke that shares the keys.
    is_resumed: AtomicBool,
}

/// How much of the time goes to saying good-bye to peers. They would find out by themselves, later.
const GOODBYE_SHARE: u32 = 4;

impl Device {
    /// Puts the device to sleep within `budget`: peers are told good-bye, what is being committed ends, and the store is closed,
    /// with no file of it left open. A system that suspends an app would otherwise kill it for holding the database, or
    /// leave a camp waiting for a peer that does not answer.
    ///
    /// It does not matter who else holds the device or a replica of it: their calls, also those under way, are answered with
    /// [`AccessError::Closed`](super::AccessError::Closed), and what they had not committed is not kept. Conversations end with
    /// [`End::Stopped`](crate::replica::End::Stopped), and none begins any more.
    ///
    /// Blocks. Conversations need their runtime meanwhile to say good-bye: from within it, call this on a blocking thread.
    #[must_use = "whether everything was closed, and the way back"]
    pub fn suspend(self: Arc<Self>, budget: Duration) -> Suspended {
        let began = Instant::now();
        let replicas: Vec<Replica> = self.replicas().iter().filter_map(Replica::upgrade).collect();
        let mut was_busy = false;
        for replica in &replicas {
            was_busy |= replica.end();
        }
        if let Some(until) = began.checked_add(budget / GOODBYE_SHARE) {
            replicas.iter().for_each(|replica| replica.wait_for_end(until));
        }
        // What could not be closed is said by `Suspended::close`.
        let _ = self.store.close(budget.saturating_sub(began.elapsed()));
        // Those that began meanwhile; none is registered any more.
        let late: Vec<Replica> = self.replicas().iter().filter_map(Replica::upgrade).collect();
        for replica in &late {
            replica.end();
        }
        Suspended { device: self, was_busy, is_resumed: AtomicBool::new(false) }
    }
}

impl Suspended {
    /// Goes on closing what the budget of [`Device::suspend`] was too short for; `Ok` at once if everything is closed.
    ///
    /// # Errors
    /// What is still open after `budget`.
    pub fn close(&self, budget: Duration) -> Result<(), StillOpen> {
        self.device.store.close(budget)
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Whether a conversation with a peer was under way.
    pub fn was_busy(&self) -> bool {
        self.was_busy
    }

    /// Where the device keeps its things.
    pub fn home(&self) -> &Home {
        &self.device.home
    }

    /// Forgets the keys that were unlocked: after [`resume`](Self::resume) everybody unlocks again, also after one that is under
    /// way or was before.
    pub fn lock(&self) {
        self.device.lock();
    }

    /// Opens the device again. The keys that were unlocked are; drafts, replicas and tickets are as after any opening, so
    /// whoever served or met peers does so anew.
    ///
    /// # Errors
    /// [`OpenDeviceError`]; call it again when the reason is gone. [`OpenError::AlreadyOpen`](merestone_store::OpenError) where
    /// not everything was [closed](Self::close).
    pub fn resume(&self) -> Result<Device, OpenDeviceError> {
        let Device { home, system, key, .. } = &*self.device;
        let device = Device::open(home, key.share(), system.clone())?;
        device.desk().take_over(&self.device.desk());
        self.is_resumed.store(true, Ordering::Release);
        Ok(device)
    }
}

/// Shows where it is.
impl fmt::Debug for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspended").field("home", &self.device.home.folder).finish_non_exhaustive()
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        // A call that hangs may hold the device for longer than this.
        if !self.is_resumed.load(Ordering::Acquire) {
            self.device.lock();
        }
    }
}
