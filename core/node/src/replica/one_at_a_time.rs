//! One receipt at a time, so that no two of one store have one counter, and a keystore shows one prompt.
//!
//! No lock is held while a keystore asks a person: whoever comes meanwhile waits for a time of its own choosing.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Free, or taken by somebody.
#[derive(Default)]
pub(crate) struct OneAtATime {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

impl OneAtATime {
    /// Takes it, when it is free within `wait`.
    pub(crate) fn take(&self, wait: Duration) -> Option<Taken<'_>> {
        let is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.given_back.wait_timeout_while(is_taken, wait, |is_taken| *is_taken);
        let (mut is_taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_taken {
            return None;
        }
        *is_taken = true;
        Some(Taken(self))
    }
}

/// Gives it back when dropped, also in a panic.
pub(crate) struct Taken<'a>(&'a OneAtATime);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn whoever_comes_while_it_is_taken_waits_no_longer_than_it_wants() {
        let one = OneAtATime::default();
        let taken = one.take(Duration::ZERO).expect("free");
        assert!(one.take(Duration::ZERO).is_none());
        assert!(one.take(Duration::from_millis(1)).is_none(), "and it is still taken after others waited");
        drop(taken);
        assert!(one.take(Duration::ZERO).is_some());
        assert!(one.take(Duration::ZERO).is_some());
    }

    #[test]
    fn it_is_given_back_to_whoever_waits_also_by_a_panic() {
        let one = Arc::new(OneAtATime::default());
        let (other, taken) = (Arc::clone(&one), one.take(Duration::ZERO).expect("free"));
        let waiting = thread::spawn(move || {
            let _taken = other.take(Duration::from_secs(60)).expect("given back");
            panic!("while it is taken");
        });
        drop(taken);
        assert!(waiting.join().is_err());
        assert!(one.take(Duration::ZERO).is_some());
    }
}
