//! Base camp, and the command `merestone`.
//!
//! One program for everybody who works at a keyboard: a party's officer founds a mission and certifies people, an observer
//! records and signs, base camp collects what arrives, and anybody writes a bag for the auditors.
//! What a verb *does* is in `merestone-node` and below; here arguments are read, rooms are called, and the outcome is printed.
//!
//! ```text
//! cli/      one file for each group of verbs: arguments in, one report out
//! camp/     `serve`: base camp, with many devices at once
//! demo/     `demo`: the whole story on one machine
//! http/     the ledger and a witness over HTTP
//! witness/  `witness`, and asking witnesses
//! exchange/ records out to other programs, submissions of ODK and Kobo in
//! output    a report, for people or as JSON
//! exit      every error becomes one line and one exit code, in one place
//! ```
//!
//! # Exit codes
//!
//! 0 done · 1 failed · 2 cannot be decided · 64 wrong use · 65 bad input · 69 not reachable · 74 storage.
//!
//! # What it does not do
//!
//! - Take a secret as an argument: passphrases come from a prompt or a file.
//! - Overwrite a file it did not make in the same run, unless asked to (`mission sign` adds to the charter it read).
//! - Sign an entry at base camp: a certificate of the role *camp* grants none, and every reader would refuse it.

mod camp;
mod cli;
mod demo;
mod exchange;
mod exit;
mod folder;
mod http;
mod input;
mod output;
mod passphrase;
mod time;
mod witness;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match cli::read(std::env::args_os()) {
        Ok(args) => args,
        Err(stop) => return stop.leave(),
    };
    match args.run() {
        Ok(code) => code.into(),
        Err(failure) => failure.leave(),
    }
}
