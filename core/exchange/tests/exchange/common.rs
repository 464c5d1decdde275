//! A form with everything that exchange formats treat differently, and records of submissions.

use merestone_exchange::import::{Arrival, Submission};
use merestone_exchange::{Answer, Author, Entry, Held, Made, Place, Record, Schema, Value};
use merestone_forms::Form;

/// Groups, repeats in repeats, a name that stands twice, places, a photo.
pub(crate) const FORM: &str = "| survey |
| | type | name | label |
| | text | title | Title |
| | begin_group | first | First |
| | integer | count | Count |
| | decimal | share | Share |
| | text | who | Who |
| | end_group | | |
| | begin_group | second | Second |
| | text | who | Who |
| | select_multiple c | kinds | Kinds |
| | note | remark | Remark |
| | end_group | | |
| | geopoint | place | Place |
| | geotrace | way | Way |
| | geoshape | field | Field |
| | image | picture | Picture |
| | begin_repeat | visits | Visits |
| | text | what | What |
| | geopoint | spot | Spot |
| | begin_repeat | people | People |
| | text | name | Name |
| | integer | age | Age |
| | end_repeat | | |
| | end_repeat | | |
| choices |
| | list_name | name | label |
| | c | a | A |
| | c | b | B |
| settings |
| | form_id | version |
| | visit | 3 |
";

pub(crate) fn schema() -> Schema {
    Schema::of(&Form::read_tables(FORM).expect("a form of this test"))
}

/// The record that a submission becomes.
pub(crate) fn record(submission: &Submission, arrivals: &[Arrival]) -> Record {
    let files =
        submission.attachments.iter().enumerate().flat_map(|(at, _)| {
            submission.attachment_cells(at, arrivals.get(at).unwrap_or(&Arrival::Missing("absent")))
        });
    record_of(submission.cells().into_iter().chain(files))
}

/// A record with these answers.
pub(crate) fn record_of(cells: impl IntoIterator<Item = (String, Value)>) -> Record {
    let entry = "ab".repeat(32);
    let held = |value| Held { value, entry: "ab".repeat(32), standing: "provisional", observer: "Anna".into() };
    let mut answers: Vec<Answer> =
        cells.into_iter().map(|(key, value)| Answer { key, values: vec![held(value)] }).collect();
    answers.sort_by(|a, b| a.key.cmp(&b.key));
    Record {
        record: "ab".repeat(32),
        scope: "North".into(),
        author: Some(Author { observer: "Anna".into(), party: Some("State A".into()), key: "cd".repeat(32) }),
        made: Some(Made { wall_ms: 1_700_000_000_000, offset_min: 120, source: "device" }),
        place: Some(Place { lat_e7: 481_234_567, lon_e7: 375_000_001, accuracy_m: 12, source: "satellite" }),
        entries: vec![Entry { entry, standing: "provisional", observer: "Anna".into(), not_applied: vec![] }],
        answers,
        ..Record::default()
    }
}
