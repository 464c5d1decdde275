//! Clocks decide nothing: a device whose clock jumps by decades goes on as before.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use merestone_core::entry::ClockSource;
use merestone_node::Device;
use merestone_node::clock::{Clock, ClockReading, SystemEntropy};
use merestone_node::device::{Home, System};
use merestone_tests::mission::{store_key, vault};
use merestone_tests::outpost;

use crate::folder;

/// Shows what it is set to.
struct SetClock {
    wall_ms: AtomicI64,
    looks: AtomicU64,
}

impl Clock for SetClock {
    fn now(&self) -> ClockReading {
        let uptime_ms = self.looks.fetch_add(1, Ordering::Relaxed);
        let wall_ms = self.wall_ms.load(Ordering::Relaxed);
        ClockReading { wall_ms, uptime_ms, boot: [1; 8], offset_min: 0, source: ClockSource::Device }
    }
}

#[test]
fn entries_saved_by_a_clock_that_jumps_by_decades_stay_in_order() {
    const NOW_MS: i64 = 1_790_000_000_000;
    const YEAR_MS: i64 = 31_556_952_000;
    let clock = Arc::new(SetClock { wall_ms: AtomicI64::new(NOW_MS), looks: AtomicU64::new(0) });
    let system = || System::of(clock.clone(), Arc::new(SystemEntropy));
    let home = folder::Home::closed(0);
    let open = || {
        let device = Device::open(&Home::new(home.path()), store_key(), system()).unwrap();
        device.unlock(&vault(&device), &home.observer).unwrap();
        device
    };

    let (mut device, mut saved, mut record) = (open(), Vec::new(), None);
    let years = [0, -20, 20, 0, -60, 200];
    for year in years {
        clock.wall_ms.store(NOW_MS + year * YEAR_MS, Ordering::Relaxed);
        let mut draft = match record {
            None => device.begin(&home.observer, home.mission.scope(), outpost::form()).unwrap(),
            Some(record) => device.begin_edit(&home.observer, record).unwrap(),
        };
        draft.answers.insert("n01".into(), year.into());
        let done = device.save(&draft).unwrap();
        record = Some(done.record);
        saved.push(done.entry);
        // The clock also jumps while the device is closed.
        drop(device);
        device = open();
    }
    let history = device.history(record.unwrap()).unwrap();
    assert_eq!(history.iter().map(|step| step.entry).collect::<Vec<_>>(), saved, "in the order of the chain");
    assert_eq!(history.iter().map(|step| step.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5], "in one log");
    assert!(history.iter().all(|step| step.standing.is_applied()));
    let said: Vec<i64> = history.iter().map(|step| (step.clock.unwrap().wall_ms - NOW_MS) / YEAR_MS).collect();
    assert_eq!(said, years, "each states what its clock showed");
    let view = device.record(record.unwrap()).unwrap().unwrap();
    assert_eq!(view.values("n01").len(), 1, "the last value stands alone, whatever its clock said");
    assert_eq!(view.values("n01")[0].entry, saved[5]);
    drop(device);
    outpost::open(home.path()).unwrap();
}
