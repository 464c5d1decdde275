//! Clocks that show the days of the records that are replayed, and random bytes that can be drawn again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use merestone_core::entry::ClockSource;
use merestone_core::id::sha256;
use merestone_node::clock::{Clock, ClockReading, Entropy, NoEntropy, SystemEntropy};

/// A device's clocks, set by hand. They never go back: a record about an earlier day is written later, as in life.
pub(super) struct ReplayClock(Mutex<ClockReading>);

/// How long an observer takes between two entries.
const STEP_MS: i64 = 7 * 60_000;

impl ReplayClock {
    /// Clocks of a device that was just switched on, `offset_min` minutes ahead of UTC.
    pub(super) fn new(boot: [u8; 8], offset_min: i16) -> Self {
        let source = ClockSource::Device;
        Self(Mutex::new(ClockReading { wall_ms: 0, uptime_ms: 0, boot, offset_min, source }))
    }

    /// Some minutes pass, or time comes to 08:00 UTC of `day` (`YYYY-MM-DD`) if that is later.
    pub(super) fn pass_to(&self, day: &str) {
        let morning = day_ms(day).map_or(i64::MIN, |midnight| midnight + 8 * 3_600_000);
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = morning.max(now.wall_ms + STEP_MS);
        // The uptime counts the same milliseconds, from when the device was first set.
        let passed = if now.wall_ms == 0 { STEP_MS } else { next - now.wall_ms };
        now.uptime_ms += passed.unsigned_abs();
        now.wall_ms = next;
    }

    /// Some minutes pass.
    pub(super) fn pass(&self) {
        self.pass_to("");
    }

    /// Time comes to where another clock is: two people who meet share the hour.
    pub(super) fn meet(&self, other: &Self) {
        let theirs = other.now().wall_ms;
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = (theirs - now.wall_ms).max(0);
        now.uptime_ms += passed.unsigned_abs();
        now.wall_ms += passed;
    }
}

impl Clock for ReplayClock {
    fn now(&self) -> ClockReading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Random bytes that follow from a number: for looking at a fault twice, and for nothing else.
pub(super) struct SeededEntropy {
    seed: u64,
    whose: String,
    drawn: AtomicU64,
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in out.chunks_mut(32) {
            let turn = self.drawn.fetch_add(1, Ordering::Relaxed);
            let parts: [&[u8]; 4] =
                [b"merestone/demo/v1", &self.seed.to_be_bytes(), &turn.to_be_bytes(), self.whose.as_bytes()];
            chunk.copy_from_slice(&sha256(&parts)[..chunk.len()]);
        }
        Ok(())
    }
}

/// The system's random bytes, or those of `seed` for the device or person named `whose`.
pub(super) fn entropy(seed: Option<u64>, whose: &str) -> std::sync::Arc<dyn Entropy> {
    match seed {
        None => std::sync::Arc::new(SystemEntropy),
        Some(seed) => std::sync::Arc::new(SeededEntropy { seed, whose: whose.to_owned(), drawn: AtomicU64::new(0) }),
    }
}

/// Milliseconds from 1970 to midnight UTC of `YYYY-MM-DD`.
fn day_ms(day: &str) -> Option<i64> {
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil: years begin in March, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some(days * 86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        let rows = [
            ("1970-01-01", Some(0)),
            ("1996-01-01", Some(820_454_400_000)),
            ("2000-02-29", Some(951_782_400_000)),
            ("2022-06-09", Some(1_654_732_800_000)),
            ("", None),
            ("2022-13-01", None),
        ];
        for (day, wanted) in rows {
            assert_eq!(day_ms(day), wanted, "{day}");
        }
    }

    #[test]
    fn a_replayed_clock_never_goes_back() {
        let clock = ReplayClock::new([1; 8], 120);
        clock.pass_to("2022-06-09");
        let first = clock.now();
        clock.pass_to("2014-01-22");
        let second = clock.now();
        assert_eq!(second.wall_ms - first.wall_ms, STEP_MS);
        assert_eq!(second.uptime_ms - first.uptime_ms, STEP_MS as u64);
    }

    #[test]
    fn seeded_bytes_are_the_same_again_and_differ_between_devices() {
        let draw = |whose| {
            let mut bytes = [0; 40];
            entropy(Some(7), whose).fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }
}
