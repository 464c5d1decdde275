//! One record with a long history, read from the store and judged.

use merestone_node::Answer;
use merestone_tests::mission;

use crate::row::{Row, Target};
use merestone_tests::corpus;
use merestone_tests::timing::time_ms;

const ROUNDS: usize = 5;
const ENTRIES: usize = 2_000;

pub(crate) fn measure() -> Vec<Row> {
    let mission = corpus::found();
    let home = tempfile::tempdir().expect("a temporary folder");
    let device = mission.create_device(home.path(), mission::replayed("first"));
    let observers = ["Olena", "Petro"].map(|name| mission.enrol(&device, 0, name));
    let form = mission::form_hash(&corpus::document());
    let mut draft = device.begin(&observers[0], mission.scope(), form).expect("seeded bytes");
    draft.answers.extend(corpus::answers(0));
    let record = device.save(&draft).expect("an inspection").record;
    for edit in 1..ENTRIES {
        let observer = &observers[edit % observers.len()];
        let mut draft = device.begin_edit(observer, record).expect("a record of this device");
        draft.answers.insert(format!("q{:02}", edit % 6 * 5), Answer::Int(1_000 + edit as i64));
        device.save(&draft).expect("an answer that differs");
    }
    drop(device);

    let (mut views, mut edits) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let device = mission::open_device(home.path(), mission::replayed(&format!("again {round}")));
        let (ms, view) =
            time_ms(|| device.record(record).expect("a store that reads").expect("a record of this device"));
        assert_eq!(view.standings.len(), ENTRIES);
        views.push(ms);
        let (ms, draft) = time_ms(|| device.begin_edit(&observers[0], record).expect("a record of this device"));
        assert_eq!(draft.answers.len(), 0);
        edits.push(ms);
    }
    vec![
        Row::median("record/view-of-2000-entries", "ms", &views)
            .target(Target::AtMost(300.0))
            .note("read, verified, judged and shown, on a device just opened"),
        Row::median("record/edit-of-2000-entries", "ms", &edits)
            .target(Target::AtMost(300.0))
            .note("the beginning of an edit, nothing of the record at hand"),
    ]
}
