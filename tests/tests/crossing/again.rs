//! What is asked for again, after a cancelled call, a sleep or a restart.

use std::time::Duration;

use merestone_ffi::AnswerValue;
use tokio::sync::mpsc::unbounded_channel;

use super::brought::Keystore;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_that_was_cancelled_is_asked_for_again_by_its_id_and_signed_once() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let phone = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
    let keystore = Arc::new(Keystore::holding(80));
    let request = phone.request_in_vault(asked("Olena"), Arc::clone(&keystore) as _).await.unwrap();
    phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    let (key, scope, form) = (request.key, mission.scope().to_string(), inspection(&phone).await);
    let saving = |phone: &Arc<Phone>| {
        let (phone, key, scope, form) = (Arc::clone(phone), key.clone(), scope.clone(), form.clone());
        let answers = [("post".to_owned(), AnswerValue::Text { text: "North".into() })].into();
        tokio::spawn(async move { phone.save_new(key, scope, form, answers, Some("0f".repeat(16))).await })
    };
    let ((asked, mut is_asked), (show, shown)) = (unbounded_channel(), std::sync::mpsc::channel());
    keystore.ask(asked, shown);
    let first = saving(&phone);
    tokio::time::timeout(Duration::from_secs(30), is_asked.recv()).await.unwrap().unwrap();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let again = saving(&phone);
    show.send(()).unwrap();
    let saved = again.await.unwrap().unwrap();
    assert_eq!(phone.records(Default::default(), None, 10).await.unwrap().lines.len(), 1);

    // After a sleep, and by another process, to which no key is unlocked.
    assert!(phone.suspend(60_000).await.unwrap().is_closed);
    phone.resume().await.unwrap();
    assert_eq!(saving(&phone).await.unwrap().unwrap(), saved);
    phone.shut().await.unwrap();
    let phone = open_phone(home(folder.path()), settings()).await.unwrap();
    assert_eq!(saving(&phone).await.unwrap().unwrap(), saved);
    assert_eq!(phone.records(Default::default(), None, 10).await.unwrap().lines.len(), 1);
    let no_id = phone.withdraw(key.clone(), saved.record.clone(), Some("tap 1".into())).await;
    assert!(matches!(&no_id, Err(PhoneError::Refused { code, .. }) if code == "id"), "{no_id:?}");
}

#[tokio::test]
async fn an_interview_that_was_saved_before_a_sleep_gives_the_same_entry_after_it() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, key) = enrolled(&mission, folder.path(), "Olena").await;
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let interview = Arc::clone(&phone).begin(key, scope, form).await.unwrap();
    interview.answer_typed("post".into(), "North".into()).await.unwrap();
    let saved = interview.save().await.unwrap();
    assert!(phone.suspend(60_000).await.unwrap().is_closed);
    phone.resume().await.unwrap();
    assert_eq!(interview.save().await.unwrap(), saved);
    let late = interview.answer_typed("post".into(), "South".into()).await;
    assert!(matches!(late, Err(PhoneError::NotThere { .. })), "an answer that nobody would read: {late:?}");
    assert_eq!(phone.drafts(None, 0, 1_000).await.unwrap(), []);
    assert_eq!(phone.records(Default::default(), None, 10).await.unwrap().lines.len(), 1);
}

#[tokio::test]
async fn a_phone_that_sleeps_can_be_locked_and_wakes_so() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, key) = enrolled(&mission, folder.path(), "Olena").await;
    assert!(phone.suspend(60_000).await.unwrap().is_closed);
    phone.lock().await.unwrap();
    phone.resume().await.unwrap();
    assert!(!phone.observers().await.unwrap()[0].is_unlocked);
    phone.unlock(key, PASSPHRASE.into()).await.unwrap();
    phone.suspend(60_000).await.unwrap();
    phone.resume().await.unwrap();
    assert!(phone.observers().await.unwrap()[0].is_unlocked);
    phone.shut().await.unwrap();
    assert!(matches!(phone.lock().await, Err(PhoneError::Closed { is_suspended: false, .. })));
}
