//! A store of 100,000 inspections: indexed, opened cold, listed, filtered and searched.

use std::fs::File;
use std::path::Path;

use merestone_node::Device;
use merestone_node::records::{RecordFilter, RecordPage};
use merestone_tests::mission;

use crate::archive::{Archives, ENTRIES};
use crate::row::{Row, Target};
use merestone_tests::timing::time_ms;

const ROUNDS: usize = 5;
/// Lines of the first page.
const LINES: usize = 50;

pub(crate) fn measure(archives: &mut Archives) -> Vec<Row> {
    let folder = archives.large().folder();
    let device = mission::open_device(&folder, mission::replayed("index"));
    let (ms, ()) = time_ms(|| device.catch_up().expect("a store that reads"));
    let index = Row::once("open/index-rows", "1/s", ENTRIES as f64 / ms * 1e3).note("records judged and indexed, once");
    drop(device);
    let mut rows = pages(&folder);
    rows.push(index);
    rows
}

/// What a person looks at after opening.
fn looks() -> [(&'static str, Vec<RecordFilter>); 3] {
    let all = RecordFilter::default;
    let text = |text: &str| RecordFilter { text: Some(text.into()), ..all() };
    [
        ("first-page", vec![all()]),
        (
            "filter",
            vec![
                RecordFilter { kind: Some("inspection".into()), is_withdrawn: Some(false), ..all() },
                // No record passes.
                RecordFilter { has_conflict: Some(true), ..all() },
                RecordFilter { kind: Some("incident".into()), ..all() },
            ],
        ),
        ("search", vec![text("visit77777"), text("bridge"), text("bri"), text("черг جسر"), text("nowhere")]),
    ]
}

fn pages(folder: &Path) -> Vec<Row> {
    let looks = looks();
    let mut cold = vec![Vec::new(); looks.len()];
    let mut warm = cold.clone();
    for round in 0..ROUNDS {
        for (at, (name, filters)) in looks.iter().enumerate() {
            let (mut worst_cold, mut worst_warm) = (0.0_f64, 0.0_f64);
            for (turn, filter) in filters.iter().enumerate() {
                let open = |_: ()| mission::open_device(folder, mission::replayed(&format!("{round} {at} {turn}")));
                // The first page is timed from the opening on; what follows it is not.
                let (cold_ms, device) = if *name == "first-page" {
                    forget(folder);
                    time_ms(|| look(open(()), filter))
                } else {
                    let device = open(());
                    forget(folder);
                    time_ms(|| look(device, filter))
                };
                worst_cold = worst_cold.max(cold_ms);
                let warm_ms = if *name == "first-page" {
                    drop(device);
                    time_ms(|| look(open(()), filter)).0
                } else {
                    time_ms(|| list(&device, filter)).0
                };
                worst_warm = worst_warm.max(warm_ms);
            }
            cold[at].push(worst_cold);
            warm[at].push(worst_warm);
        }
    }
    let row = |name: &str, heat: &str, rounds: &[f64], queries: usize| {
        let at_most = if name == "first-page" { 100.0 } else { 50.0 };
        let note = match (name, heat) {
            ("first-page", "cold") => {
                "open and list; the store's files put out of memory by posix_fadvise(DONTNEED)".into()
            }
            ("first-page", _) => "open and list".into(),
            (_, "cold") => {
                format!("slowest of {queries}, each on a device just opened whose files were put out of memory")
            }
            (_, _) => format!("slowest of {queries}, asked again"),
        };
        Row::median(&format!("open/{name}-{heat}"), "ms", rounds).target(Target::AtMost(at_most)).note(note)
    };
    let mut rows = Vec::new();
    for (at, (name, filters)) in looks.iter().enumerate() {
        rows.push(row(name, "cold", &cold[at], filters.len()));
        rows.push(row(name, "warm", &warm[at], filters.len()));
    }
    rows
}

fn look(device: Device, filter: &RecordFilter) -> Device {
    list(&device, filter);
    device
}

fn list(device: &Device, filter: &RecordFilter) -> RecordPage {
    let page = device.list(filter, None, LINES).expect("a store that reads");
    assert!(!page.is_behind, "the index was brought up to date");
    page
}

/// Puts the files of a folder out of the system's memory, as a phone does that had other work.
fn forget(folder: &Path) {
    for item in std::fs::read_dir(folder).expect("a folder of ours") {
        let path = item.expect("a folder that reads").path();
        if path.is_dir() {
            forget(&path);
            continue;
        }
        let file = File::open(&path).expect("a file of ours");
        // Only pages that are on the disk can be let go.
        file.sync_all().expect("a disk that flushes");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("a plain file");
    }
}
