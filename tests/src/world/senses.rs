//! What a device sees and draws: a clock that may be wrong, and random bytes that follow from the seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use merestone_core::entry::ClockSource;
use merestone_core::id::sha256;
use merestone_node::Threads;
use merestone_node::clock::{Clock, ClockReading, Entropy, NoEntropy};
use merestone_node::device::System;

use crate::chance::Chance;

/// When every world begins, in milliseconds since 1970; it stands for a morning in November 2023.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// Twenty years.
const YEARS_20_MS: u64 = 20 * 365 * 24 * 3_600_000;

/// The time of one world, in milliseconds since it began. Clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Time(Arc<AtomicU64>);

impl Time {
    /// What it is now.
    pub fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Lets it pass; it never goes back.
    pub fn pass_to(&self, ms: u64) {
        self.0.fetch_max(ms, Ordering::Relaxed);
    }
}

/// What is wrong with the clock of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockFault {
    /// Nothing.
    Right,
    /// It is so many milliseconds ahead.
    Off(i64),
    /// It always shows the moment of the beginning.
    Frozen,
    /// Of each 1,000 seconds it gains so many.
    Drifting(i64),
}

impl ClockFault {
    /// One of them: most clocks are right.
    pub fn draw(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 | 1 => Self::Off(chance.below(2 * YEARS_20_MS).cast_signed() - YEARS_20_MS.cast_signed()),
            2 => Self::Frozen,
            3 => Self::Drifting(chance.below(400).cast_signed() - 200),
            _ => Self::Right,
        }
    }
}

/// The clock of one device.
struct WrongClock {
    time: Time,
    fault: ClockFault,
    boot: [u8; 8],
}

impl Clock for WrongClock {
    fn now(&self) -> ClockReading {
        let uptime_ms = self.time.now_ms();
        let passed = uptime_ms.cast_signed();
        let wall_ms = BEGIN_MS
            + match self.fault {
                ClockFault::Right => passed,
                ClockFault::Off(by) => passed + by,
                ClockFault::Frozen => 0,
                ClockFault::Drifting(per_mille) => passed + passed * per_mille / 1_000,
            };
        ClockReading { wall_ms, uptime_ms, boot: self.boot, offset_min: 120, source: ClockSource::Device }
    }
}

/// Bytes that are the same for the same words.
struct Draws {
    words: String,
    drawn: AtomicU64,
}

impl Entropy for Draws {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for piece in out.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::Relaxed);
            piece.copy_from_slice(&sha256(&[self.words.as_bytes(), &count.to_be_bytes()])[..piece.len()]);
        }
        Ok(())
    }
}

/// The system of a device in one of its lives. `words` name world, device and life: no device draws the same bytes twice.
pub fn system(time: &Time, fault: ClockFault, words: String) -> System {
    let boot = sha256(&[b"boot", words.as_bytes()]);
    let boot = boot.first_chunk().copied().unwrap_or_default();
    let clock = Arc::new(WrongClock { time: time.clone(), fault, boot });
    System { clock, entropy: Arc::new(Draws { words, drawn: AtomicU64::new(0) }), threads: Threads::Caller }
}
