//! Where time and random bytes come from: given to a device when it is made, so that a test or a replay can choose them.

use std::fs::File;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use merestone_core::entry::ClockSource;
use merestone_core::id::sha256;

/// What a device's clocks show at one moment, as an entry states it.
pub use merestone_core::entry::Clock as ClockReading;

/// The clocks of a device.
///
/// An app that knows better than [`SystemClock`] (the boot count of the phone, time from a satellite) brings its own.
pub trait Clock: Send + Sync {
    /// What the clocks show now. `offset_min` lies within -1,440 and 1,440.
    fn now(&self) -> ClockReading;
}

/// Where random bytes come from. They make keys and seeds: an implementation for anything but tests and replays is the system's.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// If the system has none to give; `out` is then unspecified.
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoEntropy;

/// `N` random bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// Random bytes of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(out).map_err(|_| NoEntropy)
    }
}

/// The clocks of the operating system.
///
/// On Linux the uptime counts since boot, sleep included, and the boot is the kernel's.
/// Elsewhere, and where the kernel does not say, both begin with this value: uptimes then compare within one run only.
#[derive(Debug)]
pub struct SystemClock {
    boot: [u8; 8],
    uptime: Uptime,
    offset_min: i16,
}

/// Where the uptime is read.
#[derive(Debug)]
enum Uptime {
    /// The kernel's, kept open: a save reads it, and opening a file takes longer than reading it.
    Kernel(File),
    /// Since this moment.
    Since(Instant),
}

impl SystemClock {
    /// The system's clocks, in a place that is `offset_min` minutes ahead of UTC (held within -1,440 and 1,440).
    ///
    /// # Errors
    /// If the kernel names no boot and there are no random bytes to name one.
    pub fn new(offset_min: i16) -> Result<Self, NoEntropy> {
        let offset_min = offset_min.clamp(-1_440, 1_440);
        if let (Some(boot), Some(file)) = (kernel_boot(), File::open("/proc/uptime").ok())
            && kernel_uptime_ms(&file).is_some()
        {
            return Ok(Self { boot, uptime: Uptime::Kernel(file), offset_min });
        }
        Ok(Self { boot: random(&SystemEntropy)?, uptime: Uptime::Since(Instant::now()), offset_min })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> ClockReading {
        let uptime_ms = match &self.uptime {
            Uptime::Kernel(file) => kernel_uptime_ms(file).unwrap_or(0),
            Uptime::Since(started) => u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        ClockReading {
            wall_ms: wall_ms(),
            uptime_ms,
            boot: self.boot,
            offset_min: self.offset_min,
            source: ClockSource::Device,
        }
    }
}

fn wall_ms() -> i64 {
    let ms = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => ms(after),
        Err(before) => -ms(before.duration()),
    }
}

/// The kernel's name of this boot, hashed: entries are published, and the name is nobody's business outside the device.
fn kernel_boot() -> Option<[u8; 8]> {
    let name = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    let digest = sha256(&[b"merestone/boot/v1", &name]);
    digest.first_chunk().copied()
}

/// Seconds since boot with two decimals, sleep included; `std` has no clock that goes on while a phone sleeps.
#[cfg(unix)]
fn kernel_uptime_ms(file: &File) -> Option<u64> {
    use std::os::unix::fs::FileExt as _;
    let mut line = [0; 64];
    let len = file.read_at(&mut line, 0).ok()?;
    let line = std::str::from_utf8(&line[..len]).ok()?;
    let (seconds, hundredths) = line.split_whitespace().next()?.split_once('.')?;
    let hundredths = hundredths.get(..2)?.parse::<u64>().ok()?;
    Some(seconds.parse::<u64>().ok()? * 1_000 + hundredths * 10)
}

#[cfg(not(unix))]
fn kernel_uptime_ms(_: &File) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_goes_forward_within_one_boot() {
        let clock = SystemClock::new(120).unwrap();
        let (first, second) = (clock.now(), clock.now());
        assert_eq!((first.boot, first.offset_min), (second.boot, 120));
        assert!(first.uptime_ms <= second.uptime_ms);
        assert!(first.wall_ms > 1_700_000_000_000);
    }

    #[test]
    fn an_offset_no_place_has_is_held_within_a_day() {
        assert_eq!(SystemClock::new(i16::MIN).unwrap().now().offset_min, -1_440);
    }
}
