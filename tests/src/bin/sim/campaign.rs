//! World after world, until enough was lived or something did not hold.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use merestone_tests::chance::Chance;
use merestone_tests::outpost::Missions;
use merestone_tests::world::disk;
use merestone_tests::world::luck::{Luck, Tally};
use merestone_tests::world::run::{Failure, Plan, run};

use crate::arguments::Arguments;

#[derive(Default)]
struct Progress {
    tally: Tally,
    failures: Vec<Failure>,
    last_seed: u64,
    /// Of all worlds together, in whatever order they ended.
    digest: [u8; 32],
}

fn run_campaign(arguments: &Arguments) -> (Progress, Duration) {
    let missions = Missions::found();
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let progress = Mutex::new(Progress::default());
    let lock = || progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = {
                        let progress = lock();
                        progress.tally.device_hours >= arguments.hours || !progress.failures.is_empty()
                    };
                    if is_over || at >= arguments.seeds {
                        return;
                    }
                    let seed = arguments.seed + at;
                    let luck = Luck::draw(&mut Chance::new(seed));
                    if !arguments.luck.iter().all(|kind| luck.has(kind)) {
                        continue;
                    }
                    let outcome =
                        run(Plan { seed, clocks: 0, events: arguments.events, level: arguments.level }, &missions);
                    let mut progress = lock();
                    progress.last_seed = progress.last_seed.max(seed);
                    match outcome {
                        Ok(outcome) => {
                            progress.tally += outcome.tally;
                            progress.digest.iter_mut().zip(outcome.digest).for_each(|(all, one)| *all ^= one);
                        }
                        Err(failure) => {
                            progress.tally += failure.tally;
                            progress.failures.push(*failure);
                        }
                    }
                }
            });
        }
    });
    (progress.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner), began.elapsed())
}

/// Runs it and says what came of it; fails if something did not hold.
pub(crate) fn run_and_report(arguments: &Arguments) -> ExitCode {
    let (Progress { tally, failures, last_seed, digest }, took) = run_campaign(arguments);
    disk::tidy_up();
    print!("{tally}");
    let seconds = took.as_secs_f64().max(0.001);
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let (worlds, hours) = (tally.seeds as f64 / seconds, tally.device_hours as f64 / seconds);
    println!("{seconds:>12.1}  seconds: {worlds:.2} worlds/s, {hours:.1} device-hours/s");
    println!("{:>12}  digest of all that happened", hex(&digest[..6]));
    if let Some(failure) = failures.first() {
        println!("found after {} worlds:\n{failure}", tally.seeds);
    }
    if let Some(path) = &arguments.ledger {
        let line = serde_json::json!({
            "seeds": [arguments.seed, last_seed],
            "device_hours": tally.device_hours,
            "contacts": tally.contacts,
            "entries": tally.entries,
            "faults": tally.faults(),
            "kills": tally.kills,
            "power_cuts": tally.power_cuts,
            "findings": failures.iter().map(|failure| failure.violation.invariant).collect::<Vec<_>>(),
            "level": arguments.level.name(),
            "luck": arguments.luck,
            "planted": arguments.planted,
            "worlds": tally.seeds,
            "seconds": took.as_secs(),
            "commit": commit(),
        });
        let file = File::options().create(true).append(true).open(path);
        if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
            println!("cannot write to {}: {error}", path.display());
            return ExitCode::from(74);
        }
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The commit of the sources that run, as Git names it.
fn commit() -> Option<String> {
    let said = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).trim().to_owned()).filter(|commit| !commit.is_empty())
}
