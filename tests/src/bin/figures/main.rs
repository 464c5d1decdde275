//! Measures what the project promises, against what this machine gives without us.
//!
//! ```text
//! cargo run --release -p merestone-tests --bin figures -- [--json] [NAME…]
//! ```
//!
//! Rows go to standard output, everything else to standard error. `NAME` selects rows by the beginning of their names;
//! without one, all are measured, in a few minutes. Baseline and product take turns in the same rounds; a value is the
//! median of its rounds, with the least and the greatest beside it. Nothing here fails when a target is missed: a busy machine would.

mod bare;
mod corpus;
mod limits;
mod open;
mod records;
mod row;
mod saves;
mod sizes;
mod timing;

use std::io::{self, Write};
use std::process::ExitCode;

use row::Row;

/// A group of rows that are measured together: the beginnings of their names.
struct Group {
    names: &'static [&'static str],
    measure: fn() -> Vec<Row>,
}

const GROUPS: &[Group] = &[
    Group { names: &["limits/"], measure: limits::measure },
    Group { names: &["save/"], measure: saves::measure },
    Group { names: &["store/", "open/"], measure: open::measure },
    Group { names: &["record/"], measure: records::measure },
    Group { names: &["size/"], measure: sizes::measure },
];

const USAGE: &str = "figures [--json] [NAME…]: NAME is the beginning of a row's name: limits, save, store, open, record, size";

fn main() -> ExitCode {
    let (flags, names): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let is_json = flags.iter().any(|flag| flag == "--json");
    let is_help = flags.iter().any(|flag| flag == "--help");
    if is_help || flags.iter().any(|flag| flag != "--json") {
        say(USAGE);
        return if is_help { ExitCode::SUCCESS } else { ExitCode::from(64) };
    }
    if let Some(unknown) = names.iter().find(|name| !GROUPS.iter().any(|group| is_in(group, name))) {
        say(&format!("no figure begins with `{unknown}`\n{USAGE}"));
        return ExitCode::from(64);
    }
    let mut rows = Vec::new();
    for group in GROUPS.iter().filter(|group| names.is_empty() || names.iter().any(|name| is_in(group, name))) {
        say(&format!("measuring {}", group.names.join(" ")));
        rows.extend((group.measure)());
    }
    rows.retain(|row: &Row| names.is_empty() || names.iter().any(|name| row.name().starts_with(name.as_str())));
    let text = if is_json { row::json_of(&rows) } else { row::table_of(&rows) };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(74),
    }
}

/// Whether rows of the group may begin with `name`.
fn is_in(group: &Group, name: &str) -> bool {
    group.names.iter().any(|prefix| prefix.starts_with(name) || name.starts_with(prefix))
}

fn say(text: &str) {
    // Who does not read this is not told.
    let _ = writeln!(io::stderr(), "{text}");
}
