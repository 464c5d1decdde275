//! Filling forms on devices: what two people answer apart is all there together, and a draft is never lost to a form.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{Mission, inspection, open, vault};
use merestone_core::id::RecordId;
use merestone_core::key::PublicKey;
use merestone_forms::{Form, NamedFile, Refusal, standard};
use merestone_node::capture::PhotoSource;
use merestone_node::courier::CourierOrder;
use merestone_node::{Answer, Device};

#[test]
fn an_answer_that_could_not_be_kept_is_kept_with_the_next_step_and_never_left_out_of_what_is_saved() {
    let folder = tempfile::tempdir().expect("room");
    let mission = Mission::found();
    let olena = Person::new(&mission, folder.path(), "olena");
    let draft = olena.device.begin(&olena.key, mission.scope(), inspection()).expect("a form of the mission");
    let mut interview = olena.device.interview(draft, false).expect("room").expect("a form that is held");
    let draft = interview.draft().id;
    let asleep = Arc::clone(&olena.device).suspend(Duration::from_secs(20));
    interview.answer_typed(&olena.device, "post", "North").expect_err("no store to keep it in");
    let device = asleep.resume().expect("the device");
    interview.answer_typed(&device, "post", "North").expect("the same again");
    assert_eq!(device.draft(draft).expect("kept").answers.get("post"), Some(&Answer::from("North")));

    let asleep = Arc::new(device).suspend(Duration::from_secs(20));
    let gone = asleep.resume().expect("the device");
    let again = Arc::new(gone).suspend(Duration::from_secs(20));
    interview.answer_typed(&olena.device, "remarks", "Quiet").expect_err("no store to keep it in");
    let device = again.resume().expect("the device");
    let saved = interview.save(&device).expect("unlocked still");
    let view = device.record(saved.record).expect("readable").expect("held");
    assert_eq!(view.values("remarks")[0].answer, Answer::from("Quiet"));
    assert_eq!(interview.save(&device).expect("saved already"), saved);
}

/// Records of the campaign, and of how many both people answer the same question.
const RECORDS: usize = 1_000;
const CONTESTED_EVERY: usize = 10;

struct Person {
    device: Arc<Device>,
    key: PublicKey,
}

impl Person {
    fn new(mission: &Mission, folder: &Path, name: &str) -> Self {
        let device = mission.device(&folder.join(name), name);
        let key = mission.enrol(&device, 0, name, name);
        device.unlock(&vault(&device, name), &key).expect("the passphrase it was made with");
        Self { device: Arc::new(device), key }
    }

    /// Fills part of a record, as an app does: through the form, each answer kept before the next.
    fn fill(&self, record: RecordId, answers: &[(&str, &str)], caption: &str) {
        let draft = self.device.begin_edit(&self.key, record).expect("a record held here");
        let draft = self.device.keep(draft).expect("room");
        let mut filling = self.device.filling(&draft).expect("readable").expect("a form that is held");
        for (key, typed) in answers {
            filling.answer_typed(key, typed).expect(key);
        }
        let row = filling.add_row("photos", None).expect("a repeat of the form");
        filling.answer_typed(&format!("photos/{row}/caption"), caption).expect("a row that was added");
        let draft = self.device.put_all(draft.id, filling.take_changes()).expect("room");
        self.device.save(&draft).expect("an edit of one's own record");
    }

    fn carry_to(&self, other: &Self, file: &Path) {
        self.device.write_courier(&self.key, file, &CourierOrder::default()).expect("a new file");
        let replica = other.device.replica(&other.key).expect("unlocked");
        let read = other.device.read_courier(&replica, file).expect("a bundle");
        assert!(read.refused.is_empty(), "{:?}", read.refused);
    }

    fn values(&self, record: RecordId) -> BTreeMap<String, Vec<Answer>> {
        let view = self.device.record(record).expect("readable").expect("held");
        let values = |answer: &merestone_node::records::AnswerView| {
            let mut values: Vec<Answer> = answer.values.iter().map(|value| value.answer.clone()).collect();
            values.sort();
            (answer.key.clone(), values)
        };
        view.answers.iter().map(values).collect()
    }
}

#[test]
fn two_people_who_fill_halves_of_a_thousand_inspections_lose_nothing() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().expect("a folder"));
    let (anna, boris) = (Person::new(&mission, folder.path(), "anna"), Person::new(&mission, folder.path(), "boris"));
    let records: Vec<RecordId> = (0..RECORDS)
        .map(|number| {
            let mut draft = anna.device.begin(&anna.key, mission.scope(), inspection()).expect("random bytes");
            draft.answers.insert("post".into(), Answer::text(&format!("Post {number}")));
            anna.device.save(&draft).expect("a new record").record
        })
        .collect();
    anna.carry_to(&boris, &folder.path().join("first.courier"));

    for (number, record) in records.iter().enumerate() {
        let (low, high) = (number.to_string(), (number + 5).to_string());
        let mut first = vec![("day", "2026-05-04"), ("queue_low", low.as_str()), ("how_known", "seen")];
        let mut second = vec![("queue_high", high.as_str()), ("remarks", "Їжа\nمعبر"), ("source", "-")];
        if number % CONTESTED_EVERY == 0 {
            first.push(("status", "open"));
            second.push(("status", "closed"));
        }
        anna.fill(*record, &first, "by Anna");
        boris.fill(*record, &second, "by Boris");
    }
    anna.carry_to(&boris, &folder.path().join("second.courier"));
    boris.carry_to(&anna, &folder.path().join("third.courier"));

    let mut conflicts = 0;
    for (number, record) in records.iter().enumerate() {
        let values = anna.values(*record);
        assert_eq!(values, boris.values(*record), "record {number} is the same on both devices");
        let only = |key: &str| values.get(key).map(Vec::as_slice);
        assert_eq!(only("queue_low"), Some(&[Answer::Int(number as i64)][..]));
        assert_eq!(only("queue_high"), Some(&[Answer::Int(number as i64 + 5)][..]));
        assert_eq!(only("remarks"), Some(&[Answer::text("Їжа\nمعبر")][..]));
        let captions = values.iter().filter(|(key, _)| key.ends_with("/caption")).count();
        assert_eq!(captions, 2, "rows that both added both live");
        let contested: Vec<&String> =
            values.iter().filter(|(_, values)| values.len() > 1).map(|(key, _)| key).collect();
        let wanted: &[&str] = if number % CONTESTED_EVERY == 0 { &["status"] } else { &[] };
        assert_eq!(contested, wanted, "record {number}");
        conflicts += contested.len();
        assert_eq!(values.len(), 9 + contested.len(), "and nothing is lost: {values:?}");
    }
    assert_eq!(conflicts, RECORDS / CONTESTED_EVERY);
}

#[test]
fn a_draft_keeps_the_form_it_began_with_whatever_becomes_of_it() {
    let newer = standard::INSPECTION.replace("| Inspection of a post | 1 ", "| Inspection of a post | 2 ");
    let newer = newer.replace("| remarks ", "| notes ");
    assert_ne!(newer, standard::INSPECTION);
    let form = |document: &str| Form::read_tables(document).expect("a form").definition().hash().expect("signable");
    let mission = Mission::found_with(&[form(standard::INSPECTION), form(&newer)]);
    let folder = tempfile::tempdir().expect("a folder");
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    device.unlock(&vault(&device, "one"), &observer).expect("the passphrase");
    let draft = device
        .keep(device.begin(&observer, mission.scope(), form(standard::INSPECTION)).expect("random"))
        .expect("room");
    device.put(draft.id, "remarks", "seen from the road").expect("room");
    device.put(draft.id, "title of nothing", "x").expect_err("no key");

    let file = NamedFile { name: "inspection.md", bytes: newer.as_bytes() };
    assert_eq!(device.add_form(file, &[]).expect("listed"), form(&newer));
    drop(device);
    let device = open(folder.path(), "b");
    device.unlock(&vault(&device, "one"), &observer).expect("the passphrase");
    let draft = device.draft(draft.id).expect("there");
    assert_eq!(draft.form, form(standard::INSPECTION));
    let filling = device.filling(&draft).expect("readable").expect("held");
    assert!(filling.is_asked("remarks") && !filling.is_asked("notes"));
    // Even a draft of a form whose file was never given is saved, unchecked: its leaves are in the charter's definition.
    let unchecked = device.keep(device.begin(&observer, mission.scope(), form(&newer)).expect("random")).expect("room");
    let unchecked = device.put(unchecked.id, "notes", "kept").expect("room");
    let saved = [device.save(&draft).expect("saved"), device.save(&unchecked).expect("saved")];
    let forms = saved.map(|saved| device.record(saved.record).expect("readable").expect("held").form);
    assert_eq!(forms, [Some(form(standard::INSPECTION)), Some(form(&newer))]);
}

#[test]
fn an_edit_is_told_of_rows_that_its_form_cannot_count() {
    let document = "| survey |\n| | type | name | label | repeat_count |\n| | text | pattern | Pattern | |\n\
                    | | begin_repeat | r | R | if(regex('a', ${pattern}), 1, 2) |\n| | text | x | X | |\n| | end_repeat | | | |\n\
                    | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n";
    let form = Form::read_tables(document).expect("a form").definition().hash().expect("signable");
    let mission = Mission::found_with(&[form]);
    let folder = tempfile::tempdir().expect("a folder");
    let person = Person::new(&mission, folder.path(), "Olena");
    let file = NamedFile { name: "f.md", bytes: document.as_bytes() };
    person.device.add_form(file, &[]).expect("listed");
    let begun = person.device.begin(&person.key, mission.scope(), form).expect("random");
    let begun = person.device.keep(begun).expect("room");
    let begun = person.device.put(begun.id, "pattern", "a").expect("room");
    let record = person.device.save(&begun).expect("saved").record;
    let edit = person.device.keep(person.device.begin_edit(&person.key, record).expect("held")).expect("room");
    let edit = person.device.put(edit.id, "pattern", "[a-").expect("room");
    let problems = person.device.problems(&edit).expect("readable");
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["r"]);
}

#[test]
fn an_empty_title_and_a_strange_name_are_no_reasons_against_saving() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().expect("a folder"));
    for (number, name) in ["=HYPERLINK(1)", "Ольга \u{200f}عمر", "…", "'; --"].into_iter().enumerate() {
        let device = mission.device(&folder.path().join(number.to_string()), name);
        let observer = mission.enrol(&device, 0, name, "one");
        device.unlock(&vault(&device, "one"), &observer).expect("the passphrase");
        let draft =
            device.keep(device.begin(&observer, mission.scope(), common::incident()).expect("random")).expect("room");
        let mut filling = device.filling(&draft).expect("readable").expect("held");
        filling.answer_typed("title", "").expect("left blank");
        assert_eq!(filling.answer_typed("title", "a\0b"), Err(Refusal::Character { place: 2, code: 0 }));
        filling.answer_typed("description", "=HYPERLINK(\"x\") 👩‍👩‍👧").expect("text");
        let draft = device.put_all(draft.id, filling.take_changes()).expect("room");
        assert!(device.problems(&draft).expect("readable").iter().any(|problem| problem.key == "title"));
        let record = device.save(&draft).expect("problems are shown, and keep nothing from being saved").record;
        let view = device.record(record).expect("readable").expect("held");
        assert_eq!(view.values("title")[0].answer, Answer::Blank);
        assert_eq!(view.values("description")[0].answer, Answer::text("=HYPERLINK(\"x\") 👩‍👩‍👧"));
    }
}

fn picture(shade: u8) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(48, 32, |x, y| image::Rgb([shade, (x * 5) as u8, (y * 7) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a buffer");
    bytes.into_inner()
}

#[test]
fn a_photo_question_that_is_cancelled_keeps_the_photo_that_was_there() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().expect("a folder"));
    let device = mission.device(folder.path(), "a");
    let observer = mission.enrol(&device, 0, "Olena", "one");
    device.unlock(&vault(&device, "one"), &observer).expect("the passphrase");
    let row = "0000000100000001";
    let key = format!("photos/{row}/file");

    let draft = device.keep(device.begin(&observer, mission.scope(), inspection()).expect("random")).expect("room");
    device.put(draft.id, "post", "Bridge").expect("room");
    let first = device.attach_at(draft.id, &key, PhotoSource::Bytes(&picture(10)), None).expect("a photo");
    let hash = first.answer(&key).expect("the answer");
    // The camera gave nothing that is a photo: what was there stays.
    device.attach_at(draft.id, &key, PhotoSource::Bytes(b"no photo"), None).expect_err("no photo");
    device.attach_at(draft.id, &key, PhotoSource::File(&folder.path().join("none.jpg")), None).expect_err("no file");
    let draft = device.draft(draft.id).expect("there");
    assert_eq!((draft.photos.len(), draft.photos[0].row.as_str()), (1, row));
    let record = device.save(&draft).expect("saved").record;

    // An edit that takes another photo, and is then cancelled at that question.
    let edit = device.keep(device.begin_edit(&observer, record).expect("held")).expect("room");
    let attached = device.attach_at(edit.id, &key, PhotoSource::Bytes(&picture(200)), None).expect("a photo");
    assert_ne!(attached.answer(&key), Some(hash.clone()));
    device.detach(edit.id, &attached.row).expect("there");
    let edit = device.put(edit.id, "remarks", "dusk").expect("room");
    device.save(&edit).expect("saved");
    let view = device.record(record).expect("readable").expect("held");
    assert_eq!(view.values(&key).iter().map(|value| &value.answer).collect::<Vec<_>>(), [&hash]);

    // A question outside the repeat has its photo under its own name.
    let edit = device.keep(device.begin_edit(&observer, record).expect("held")).expect("room");
    let attached = device.attach_at(edit.id, "sketch", PhotoSource::Bytes(&picture(90)), None).expect("a photo");
    assert!(attached.answer("sketch").is_some_and(|answer| matches!(answer, Answer::Text(hash) if hash.len() == 64)));
    device.save(&attached.draft).expect("saved");
    assert_eq!(device.record(record).expect("readable").expect("held").values("sketch").len(), 1);
}
