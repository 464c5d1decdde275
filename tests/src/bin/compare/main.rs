//! Sets our sync beside the systems that field teams use or could use, on one machine in one run.
//!
//! ```text
//! cargo run --release -p merestone-tests --bin compare -- [--only NAME]… [--rounds N] [--long] [--json]
//! ```
//!
//! Ours and theirs take turns in the same rounds, each in a process (ours and CoMapeo: two) and a network namespace of its own,
//! with stores on the same disk. A ratio is theirs by ours in the same round, so above one we are ahead; value and
//! ratio are medians, with the least and the greatest beside them. `NAME` is a work or a system. `--long` adds what takes
//! many minutes. The table goes to standard output, everything else to standard error; nothing fails when a target is missed.
//!
//! The benches of the others are built once below `target/peers`, which takes a quarter of an hour; one that cannot be built or run
//! is a row that says so.

mod peers;
mod rounds;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use merestone_tests::haul;

use rounds::{Contest, Options};

const USAGE: &str = "compare [--only NAME]… [--rounds N] [--long] [--json]";

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(code) = haul::child(&words) {
        return code;
    }
    let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let Some(options) = read(&words) else {
        say(USAGE);
        return ExitCode::from(if words.iter().any(|word| word == "--help") { 0 } else { 64 });
    };
    if !haul::can_be_apart() {
        say("no network namespaces here (not root?): bytes on lo are everybody's on this machine");
    }
    let lines = Contest::prepare(&options).run();
    let text = if options.is_json { table::json_of(&lines) } else { table::text_of(&lines) };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(74),
    }
}

/// `None`: not understood, or help is asked for.
fn read(words: &[String]) -> Option<Options> {
    let mut options = Options { only: Vec::new(), rounds: 5, is_long: false, is_json: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => options.only.push(words.next()?.clone()),
            "--rounds" => options.rounds = words.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            "--long" => options.is_long = true,
            "--json" => options.is_json = true,
            _ => return None,
        }
    }
    options.are_known().then_some(options)
}

fn say(text: &str) {
    // Who does not read this is not told.
    let _ = writeln!(io::stderr(), "{text}");
}
