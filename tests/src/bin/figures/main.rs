//! Measures what the project promises, against what this machine gives without us.
//!
//! ```text
//! cargo run --release -p merestone-tests --bin figures -- [--json] [NAME…]
//! ```
//!
//! Rows go to standard output, everything else to standard error. `NAME` selects rows by the beginning of their names;
//! without one, all are measured, in a few minutes. Baseline and product take turns in the same rounds; a value is the
//! median of its rounds, with the least and the greatest beside it. Nothing here fails when a target is missed: a busy machine would.

mod archive;
mod audit;
mod bare;
mod cuts;
mod disclosure;
mod exchange;
mod exhibit;
mod finality;
mod forms;
mod ledger;
mod limits;
mod meet;
mod open;
mod records;
mod row;
mod saves;
mod sizes;
mod store;
mod sync;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use archive::Archives;
use row::Row;

/// A group of rows that are measured together, by the beginning of their names.
struct Group {
    name: &'static str,
    measure: fn(&mut Archives) -> Vec<Row>,
}

const GROUPS: &[Group] = &[
    Group { name: "limits/", measure: |_| limits::measure() },
    Group { name: "save/", measure: |_| saves::measure() },
    Group { name: "meet/", measure: |_| meet::measure() },
    Group { name: "sync/", measure: |_| sync::measure() },
    Group { name: "store/", measure: |_| store::measure() },
    Group { name: "open/", measure: open::measure },
    Group { name: "audit/", measure: audit::measure },
    Group { name: "record/", measure: |_| records::measure() },
    Group { name: "cut/", measure: |_| cuts::measure() },
    Group { name: "disclosure/", measure: |_| disclosure::measure() },
    Group { name: "exhibit/", measure: |_| exhibit::measure() },
    Group { name: "forms/", measure: |_| forms::measure() },
    Group { name: "size/", measure: |_| sizes::measure() },
    Group { name: "exchange/", measure: |_| exchange::measure() },
    Group { name: "ledger/", measure: |_| [ledger::measure(), ledger::durable(), finality::measure()].concat() },
];

const USAGE: &str = "figures [--json] [NAME…]\nNAME is the beginning of a row's name: limits save meet sync store open audit record cut disclosure exhibit forms size exchange ledger";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(code) = merestone_tests::haul::child(&words) {
        return code;
    }
    if words.first().is_some_and(|word| word == audit::CHILD) {
        return print(audit::audit_one(&words[1..]).as_deref());
    }
    if words.first().is_some_and(|word| word == forms::CHILD) {
        return print(forms::read_one(&words[1..]).as_deref());
    }
    let words = words.into_iter().map(|word| word.to_string_lossy().into_owned());
    let (flags, names): (Vec<String>, Vec<String>) = words.partition(|word| word.starts_with('-'));
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
    let (mut rows, mut archives) = (Vec::new(), Archives::default());
    for group in GROUPS.iter().filter(|group| names.is_empty() || names.iter().any(|name| is_in(group, name))) {
        say(&format!("measuring {}", group.name));
        rows.extend((group.measure)(&mut archives));
    }
    rows.retain(|row: &Row| names.is_empty() || names.iter().any(|name| row.name().starts_with(name.as_str())));
    let text = if is_json { row::json_of(&rows) } else { row::table_of(&rows) };
    print(Some(&text))
}

fn print(text: Option<&str>) -> ExitCode {
    match text.map(|text| io::stdout().write_all(text.as_bytes())) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::from(74),
        None => ExitCode::from(65),
    }
}

/// Whether rows of the group may begin with `name`.
fn is_in(group: &Group, name: &str) -> bool {
    group.name.starts_with(name) || name.starts_with(group.name)
}

fn say(text: &str) {
    // Who does not read this is not told.
    let _ = writeln!(io::stderr(), "{text}");
}
