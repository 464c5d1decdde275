//! The crossing into an app: what a phone shows and saves through `merestone-ffi` is what the device shows and saves.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::HashMap;

use merestone_ffi::{AnswerValue, Phone, PhoneError, marker_in};
use merestone_tests::mission::{Mission, PASSPHRASE, replayed};

fn answers() -> HashMap<String, AnswerValue> {
    HashMap::from([
        ("post".to_owned(), AnswerValue::Text { text: "Ягодин \u{200f}معبر".to_owned() }),
        ("day".to_owned(), AnswerValue::Text { text: "2026-03-02".to_owned() }),
        ("queue_low".to_owned(), AnswerValue::Number { number: 0 }),
        ("remarks".to_owned(), AnswerValue::Blank),
    ])
}

#[test]
fn an_app_opens_unlocks_saves_and_reads_back_what_was_signed() {
    let (mission, home) = (Mission::found(), tempfile::tempdir().unwrap());
    let device = mission.create_device(home.path(), replayed("crossing"));
    mission.enrol(&device, 0, "Olena");
    drop(device);

    let folder = home.path().to_string_lossy().into_owned();
    let phone = Phone::open(folder.clone(), marker_in(folder.clone()), vec![0; 32], 120).unwrap();
    assert_eq!(phone.mission(), mission.id().to_string());
    let observer = phone.observers().remove(0);
    assert!(observer.can_save && !observer.is_unlocked);

    let locked = phone.save_new(observer.key.clone(), "inspection".to_owned(), answers());
    assert!(matches!(locked, Err(PhoneError::Locked { .. })), "{locked:?}");
    let wrong = phone.unlock(observer.key.clone(), "wrong".to_owned());
    assert!(matches!(wrong, Err(PhoneError::Locked { .. })), "{wrong:?}");
    phone.unlock(observer.key.clone(), PASSPHRASE.to_owned()).unwrap();
    let record = phone.save_new(observer.key.clone(), "inspection".to_owned(), answers()).unwrap();

    let found = phone.records(Some("معبر".to_owned()), 10).unwrap();
    assert_eq!(found.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), [record.as_str()]);
    let lines = phone.answers(record.clone()).unwrap();
    let post = lines.iter().find(|line| line.key == "post").unwrap();
    assert_eq!(post.values.len(), 1);
    assert_eq!(post.values[0].observer, "Olena");
    assert_eq!(post.values[0].entry, record, "the creating entry put it");
    assert_eq!(post.values[0].value, AnswerValue::Text { text: "Ягодин معبر".to_owned() });

    phone.lock();
    assert!(phone.observers().iter().all(|observer| !observer.is_unlocked));
    let second = Phone::open(folder.clone(), marker_in(folder), vec![0; 32], 120);
    assert!(matches!(second, Err(PhoneError::Storage { .. })), "one process has the device");
}

#[test]
fn what_an_app_asks_for_and_does_not_exist_is_said() {
    let nowhere = tempfile::tempdir().unwrap().path().join("none").to_string_lossy().into_owned();
    assert!(matches!(
        Phone::open(nowhere.clone(), marker_in(nowhere), vec![0; 32], 0),
        Err(PhoneError::Storage { .. })
    ));
    assert!(matches!(Phone::open(String::new(), String::new(), vec![0; 31], 0), Err(PhoneError::Refused { .. })));
}
