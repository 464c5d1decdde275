//! How many bytes it takes to show an answer of an inspection alone. No time is measured: the machine does not matter.

use merestone_core::disclosure::{Chosen, Fact};
use merestone_core::form::Key;
use merestone_tests::shown::{ANSWER_BYTES, Inspection, ROWS};

use crate::row::{Row, Target};

/// 1 kB.
const BESIDE_HEADER_MAX: f64 = 1_000.0;

pub(crate) fn measure() -> Vec<Row> {
    let inspection = Inspection::new();
    let (answers, cells) = inspection.each_alone();
    let form = format!("of {ANSWER_BYTES} bytes, beside the header, {} leaves", inspection.leaves());
    let at_most = |name: &str, each: &[f64]| {
        Row::once(name, "bytes", each.iter().copied().fold(0.0, f64::max)).target(Target::AtMost(BESIDE_HEADER_MAX))
    };
    let public = [Chosen::Fact(Fact::CoarsePlace), Chosen::Fact(Fact::Day)];
    let beside = |chosen: &[Chosen<'_>]| (inspection.show(chosen) - inspection.header_bytes()) as f64;
    let every: Vec<_> = inspection.keys.iter().filter_map(|key| Key::parse(key)).map(Chosen::Key).collect();
    vec![
        at_most("disclosure/answer", &answers).note(format!("the largest of {} answers {form}", answers.len())),
        at_most("disclosure/cell", &cells)
            .note(format!("the largest of {} cells {form}, {ROWS} rows in each repeat", cells.len())),
        at_most("disclosure/cell-and-day", &[beside(&public)]).note("coarse place and day, beside the header"),
        Row::once("disclosure/header", "bytes", inspection.header_bytes() as f64)
            .note("of an entry that creates a record and begins a log"),
        Row::once("disclosure/everything", "bytes", beside(&every)).note(format!("every answer and cell {form}")),
    ]
}
