//! Campaigns in the World: thousands of device-hours of bad luck, each replayable from its seed.
//!
//! ```text
//! sim --hours 2000            worlds from seed 1 on until so many device-hours are lived
//! sim --seed 77 --seeds 1     one world again
//! sim --level b --hours 500   over real links: QUIC in a network in memory (about a tenth as fast)
//! sim --luck clones,cuts      only worlds that have both kinds of bad luck
//! sim --planted NAME          worlds with a bug that was planted on purpose, until it is found
//! ```
//!
//! It prints what happened, or the invariant that did not hold, a short story and the command that replays it.
//! With `--ledger FILE` a campaign adds one line to that file.
#![allow(clippy::print_stdout, reason = "its report is what it is for")]

mod arguments;
mod campaign;
#[path = "../../world/disk/exports.rs"]
mod exports;
#[path = "../../world/wire/exports.rs"]
mod exports_wire;
mod planted;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            println!("{wrong}\n{}", arguments::USAGE);
            return ExitCode::from(64);
        }
    };
    match &arguments.planted {
        None => campaign::run_and_report(&arguments),
        Some(name) => planted::run(name, &arguments),
    }
}
