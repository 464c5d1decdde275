//! Bugs planted on purpose: whether the World finds them, and after how many worlds.
//!
//! The bugs are in a program that was built with `--cfg planted`; any other one says how to build it.

use std::process::ExitCode;

use crate::arguments::Arguments;

/// Worlds in which a planted bug must be found.
pub(crate) const SEEDS_MAX: u64 = 1_000;

/// Lives worlds with the bug that was asked for, or with each one in a process of its own.
#[cfg(planted)]
pub(crate) fn run(name: &str, arguments: &Arguments) -> ExitCode {
    use merestone_core::planted;

    if name == "all" {
        return run_all();
    }
    if !planted::NAMES.iter().any(|(known, _)| *known == name) {
        println!("no bug {name} is planted; there are:");
        planted::NAMES.iter().for_each(|(known, meaning)| println!("  {known}: {meaning}"));
        return ExitCode::from(64);
    }
    planted::choose(name);
    crate::campaign::run_and_report(arguments)
}

/// The choice of a process cannot be taken back, so each bug gets one.
#[cfg(planted)]
fn run_all() -> ExitCode {
    let mut found = true;
    for (name, _) in merestone_core::planted::NAMES {
        println!("{name}");
        let arguments = std::env::args().skip(1).map(|word| if word == "all" { (*name).to_owned() } else { word });
        let program = std::env::current_exe().unwrap_or_else(|_| "sim".into());
        let status = std::process::Command::new(program).args(arguments).status();
        // A bug that is found ends its process with 1.
        found &= status.is_ok_and(|status| status.code() == Some(1));
    }
    ExitCode::from(u8::from(!found))
}

/// There are none in this program.
#[cfg(not(planted))]
pub(crate) fn run(name: &str, _: &Arguments) -> ExitCode {
    println!("no bug is in this program; build another one:");
    println!("RUSTFLAGS=\"--cfg planted\" CARGO_TARGET_DIR=target/planted \\");
    println!("  cargo run -p merestone-tests --bin sim -- --planted {name}");
    ExitCode::from(64)
}
