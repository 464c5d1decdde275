//! Turns that one waits for with a limit.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What one at a time does; a lock of the standard library cannot be waited for with a limit.
#[derive(Default)]
pub(crate) struct Turns {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

impl Turns {
    /// Waits for the turn.
    pub(crate) fn take(&self) -> Turn<'_> {
        let free = self.given_back.wait_while(self.is_taken(), |is_taken| *is_taken);
        *free.unwrap_or_else(PoisonError::into_inner) = true;
        Turn(self)
    }

    /// Waits for the turn for so long; `None` if somebody had it all that time.
    pub(crate) fn take_within(&self, time: Duration) -> Option<Turn<'_>> {
        let waited = self.given_back.wait_timeout_while(self.is_taken(), time, |is_taken| *is_taken);
        let (mut is_taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Turn(self))
    }

    fn is_taken(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn; ends when dropped.
#[must_use = "the turn ends when it is dropped"]
pub(crate) struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.is_taken() = false;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_is_taken_comes_to_nobody_else_before_it_ends() {
        let turns = Turns::default();
        let first = turns.take();
        assert!(turns.take_within(Duration::from_millis(1)).is_none());
        assert!(turns.take_within(Duration::ZERO).is_none(), "who gave up waiting has not taken it");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turns.take_within(Duration::from_secs(120)).is_some());
            drop(first);
            assert!(second.join().unwrap());
        });
        drop(turns.take());
    }
}
