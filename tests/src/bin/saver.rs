//! A process of its own that opens a device and saves entries until somebody ends it. See `merestone_tests::saving`.
//!
//! ```text
//! saver HOME OBSERVER SEED            saves one entry after the other, without end
//! saver HOME OBSERVER SEED photo      saves one new record with a photo
//! saver HOME OBSERVER SEED hold       saves nothing and holds the device open until its input ends
//! ```
//!
//! What is durable stands on standard output, why it ends on standard error.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use merestone_core::key::PublicKey;
use merestone_tests::chance::Chance;
use merestone_tests::mission::vault;
use merestone_tests::outpost;
use merestone_tests::saving::{Line, Saver};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [home, observer, seed] => run(Path::new(home), observer, seed, None),
        [home, observer, seed, what] => run(Path::new(home), observer, seed, Some(what)),
        _ => Err("usage: saver HOME OBSERVER SEED [photo|hold]".into()),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    let mut reasons = error.to_string();
    let mut cause = error.source();
    while let Some(reason) = cause {
        reasons.push_str(&format!(": {reason}"));
        cause = reason.source();
    }
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "{reasons}");
    ExitCode::FAILURE
}

fn run(home: &Path, observer: &str, seed: &str, what: Option<&str>) -> Result<(), Box<dyn Error>> {
    let device = outpost::open(home)?;
    let observers = device.observers();
    let observer = observers.iter().find(|known| known.key.to_string() == observer).ok_or("no such observer")?;
    let observer: PublicKey = observer.key;
    device.unlock(&vault(&device), &observer)?;
    say(&Line::Ready)?;
    let mut say = say;
    let mut saver = Saver::new(&device, observer, Chance::new(seed.parse()?), &mut say);
    match what {
        None => saver.work(),
        Some("photo") => saver.save_one(None, true),
        Some("hold") => {
            io::copy(&mut io::stdin(), &mut io::sink())?;
            Ok(())
        }
        Some(other) => Err(format!("{other} is neither photo nor hold").into()),
    }
}

/// One write for one line, and nothing kept back: what is read on the other end of the pipe was durable before.
fn say(line: &Line) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
