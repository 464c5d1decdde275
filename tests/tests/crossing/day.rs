//! An inspector's day: enrolling, filling a form, finding it again, a kill in between, and what is said about it.

use std::collections::HashMap;

use merestone_core::roster::Role;
use merestone_ffi::{
    AnswerValue, ObserverStanding, PhoneError, PhotoFile, RecordQuery, ScreenKind, SpeechKind, SpeechOrder,
    StorageFault, create_phone, open_phone,
};
use merestone_tests::mission::{Mission, PASSPHRASE};

use super::*;

fn answers() -> HashMap<String, AnswerValue> {
    HashMap::from([
        ("post".to_owned(), AnswerValue::Text { text: "Ягодин \u{200f}معبر".to_owned() }),
        ("day".to_owned(), AnswerValue::Text { text: "2026-03-02".to_owned() }),
        ("queue_low".to_owned(), AnswerValue::Number { number: 0 }),
        ("remarks".to_owned(), AnswerValue::Blank),
    ])
}

fn text(text: &str) -> AnswerValue {
    AnswerValue::Text { text: text.into() }
}

#[tokio::test]
async fn an_observer_enrols_saves_in_one_call_and_finds_what_was_signed() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let phone = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
    let line = phone.mission().await.unwrap();
    assert_eq!((line.id, line.parties.len()), (mission.id().to_string(), 3));
    let request = phone.request(asked("Olena"), PASSPHRASE.into()).await.unwrap();
    assert_eq!(request.words.len(), 6);
    let qr = request.qr.unwrap();
    assert_eq!(qr.dark.len(), (qr.modules * qr.modules) as usize);
    let (scope, form) = (line.scopes[0].id.clone(), inspection(&phone).await);
    let observer = phone.observers().await.unwrap().remove(0);
    assert_eq!((observer.state, observer.can_save), (ObserverStanding::Requested, false));
    let too_early = phone.save_new(observer.key.clone(), scope.clone(), form.clone(), answers(), None).await;
    assert!(matches!(too_early, Err(PhoneError::NotEnrolled { is_cut: false, .. })), "{too_early:?}");

    let observer = phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    assert_eq!((observer.role.as_deref(), observer.can_save), (Some("observer"), true));
    let saved = phone.save_new(observer.key.clone(), scope.clone(), form.clone(), answers(), None).await.unwrap();
    let query = RecordQuery { text: Some("معبر".into()), ..RecordQuery::default() };
    let found = phone.records(query, None, 10).await.unwrap();
    assert_eq!(found.lines.iter().map(|line| &line.id).collect::<Vec<_>>(), [&saved.record]);
    let sheet = phone.record(saved.record.clone(), None).await.unwrap().unwrap();
    let post = sheet.answers.iter().find(|answer| answer.key == "post").unwrap();
    assert_eq!((post.values[0].observer.as_str(), &post.values[0].value), ("Olena", &text("Ягодин معبر")));

    assert_eq!(post.label, "Post");
    let arabic = phone.record(saved.record.clone(), Some(3)).await.unwrap().unwrap();
    assert!(arabic.answers.iter().any(|answer| answer.label == "المركز الحدودي"), "{arabic:?}");

    phone.lock().await.unwrap();
    let locked = phone.save_new(observer.key.clone(), scope, form, answers(), None).await;
    assert!(matches!(locked, Err(PhoneError::Locked { .. })), "{locked:?}");
    let wrong = phone.unlock(observer.key.clone(), "wrong".into()).await;
    assert!(matches!(wrong, Err(PhoneError::Locked { .. })), "{wrong:?}");
    phone.unlock(observer.key, PASSPHRASE.into()).await.unwrap();
    let second = open_phone(home(folder.path()), settings()).await;
    assert!(matches!(second, Err(PhoneError::Storage { fault: StorageFault::InUse, .. })), "one process has the phone");
}

#[tokio::test]
async fn a_form_that_was_left_goes_on_after_the_phone_was_closed_and_becomes_one_entry() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, key) = enrolled(&mission, folder.path(), "Olena").await;
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let interview = std::sync::Arc::clone(&phone).begin(key.clone(), scope, form).await.unwrap();
    let at = interview.find("status".into()).await.unwrap().unwrap();
    let status = interview.screens(at, 1).await.unwrap().remove(0);
    assert_eq!(
        (status.kind, status.question_type.as_str(), status.is_required),
        (ScreenKind::Question, "select_one", true)
    );
    assert_eq!(status.problem.unwrap().code, "missing");
    let before = interview.info().await.unwrap().screens;
    let answered = interview.answer_typed("status".into(), "open".into()).await.unwrap();
    assert_eq!(
        (answered.screens, answered.screen.unwrap().value),
        (before + 1, Some(text("open"))),
        "lanes are asked now"
    );
    let refused = interview.answer_typed("queue_low".into(), "many".into()).await;
    assert!(matches!(&refused, Err(PhoneError::Refused { code, .. }) if code == "answer"), "{refused:?}");
    interview.set_language(Some(3)).await.unwrap();
    assert_eq!(interview.screens(at, 1).await.unwrap()[0].label, "حالة المركز");

    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos/post-01.jpg");
    let photo = PhotoFile {
        path: picture.to_string_lossy().into_owned(),
        preview_path: None,
        caption: Some("The queue".into()),
        key: None,
        is_app_captured: false,
    };
    let attached = interview.attach(photo).await.unwrap();
    assert_eq!(attached.warnings, ["location-may-be-removed"]);
    assert!(attached.width.is_some() && attached.photo.len() == 64, "{attached:?}");
    let draft = interview.info().await.unwrap().draft;
    phone.shut().await.unwrap();
    let closed = interview.answer_typed("post".into(), "North".into()).await;
    assert!(matches!(closed, Err(PhoneError::Closed { is_suspended: false, .. })), "{closed:?}");
    drop(interview);

    let phone = reopened(folder.path()).await.unwrap();
    assert_eq!(phone.drafts(None, 0, 1_000).await.unwrap().len(), 1);
    let interview = std::sync::Arc::clone(&phone).go_on(draft).await.unwrap();
    interview.answer_typed("post".into(), "North".into()).await.unwrap();
    assert!(matches!(interview.save().await, Err(PhoneError::Locked { .. })));
    phone.unlock(key.clone(), PASSPHRASE.into()).await.unwrap();
    let saved = interview.save().await.unwrap();
    assert_eq!(interview.save().await.unwrap(), saved, "saved once");
    let sheet = phone.record(saved.record.clone(), None).await.unwrap().unwrap();
    assert_eq!((sheet.standings.len(), sheet.photos.len()), (1, 1));
    assert_eq!(sheet.photos[0].captions, ["The queue"]);
    let status = sheet.answers.iter().find(|answer| answer.key == "status").unwrap();
    assert_eq!((status.label.as_str(), status.values[0].shown.as_str()), ("What the post does", "Open"));
    let thumbnail = phone.picture(sheet.photos[0].thumbnail.clone().unwrap()).await.unwrap().unwrap();
    assert_eq!(thumbnail[..3], [0xff, 0xd8, 0xff], "a JPEG");

    let speech = SpeechOrder {
        record: saved.record.clone(),
        about: Vec::new(),
        kind: SpeechKind::CoAuthorship,
        reason: None,
        text: None,
    };
    phone.say(key.clone(), speech, None).await.unwrap();
    let edit = std::sync::Arc::clone(&phone).begin_edit(key, saved.record.clone()).await.unwrap();
    edit.answer("post".into(), text("South")).await.unwrap();
    edit.save().await.unwrap();
    let history = phone.history(saved.record.clone(), None, 0, 1_000).await.unwrap();
    let kinds: Vec<&str> = history.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["change", "change", "co-authorship"]);
    assert_eq!(history[2].standing, "voided", "what was signed together was edited since");
    assert_eq!(phone.custody_of(saved.record, 0, 1_000).await.unwrap().len(), 3);
}

#[tokio::test]
async fn what_an_app_asks_for_and_does_not_exist_is_said() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let nowhere = reopened(&folder.path().join("none")).await;
    assert!(matches!(nowhere, Err(PhoneError::NotThere { .. })), "{:?}", nowhere.err());
    let short = StoreSecret::new(vec![0; 31]);
    assert!(matches!(&short, Err(PhoneError::Refused { code, .. }) if code == "store-key"), "{:?}", short.err());
    let garbage = create_phone(home(folder.path()), settings(), b"no charter".to_vec()).await;
    assert!(matches!(garbage, Err(PhoneError::Refused { .. })), "{:?}", garbage.err());

    let (phone, key) = enrolled(&mission, folder.path(), "Olena").await;
    let again = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await;
    assert!(matches!(again, Err(PhoneError::Refused { .. } | PhoneError::Storage { .. })), "{:?}", again.err());
    for id in ["", "zz", "\0", &"0".repeat(63), &"é".repeat(32), &"0".repeat(1 << 20)] {
        let unread = phone.record(id.to_owned(), None).await;
        assert!(matches!(&unread, Err(PhoneError::Refused { code, .. }) if code == "id"), "{unread:?}");
    }
    assert_eq!(phone.record("0".repeat(64), None).await.unwrap(), None);
    let page = phone.records(RecordQuery::default(), Some("x".into()), 10).await;
    assert!(matches!(page, Err(PhoneError::Refused { .. })), "{page:?}");
    let scope = mission.scope().to_string();
    let form = inspection(&phone).await;
    let interview = std::sync::Arc::clone(&phone).begin(key, scope, form).await.unwrap();
    let null = interview.answer_typed("post".into(), "a\0b".into()).await;
    assert!(matches!(&null, Err(PhoneError::Refused { .. })), "{null:?}");
    let huge = interview.answer_typed("remarks".into(), "x".repeat(8 << 20)).await;
    assert!(matches!(&huge, Err(PhoneError::Refused { .. })), "{huge:?}");
    let no_photo = PhotoFile {
        path: folder.path().join("none.jpg").to_string_lossy().into_owned(),
        preview_path: None,
        caption: None,
        key: None,
        is_app_captured: true,
    };
    assert!(matches!(interview.attach(no_photo).await, Err(PhoneError::NotThere { .. })));
}

#[tokio::test]
async fn a_phone_that_was_let_go_of_can_be_opened_at_once() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let (mut phone, _) = enrolled(&mission, folder.path(), "Olena").await;
    for _ in 0..5 {
        drop(phone);
        phone = reopened(folder.path()).await.unwrap();
    }
    assert!(phone.is_open());
}
