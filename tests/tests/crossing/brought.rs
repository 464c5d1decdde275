//! What the app brings: a keystore, a place, clocks, a listener. They may fail, and they may call back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use merestone_core::key::SigningKey;
use merestone_ffi::{
    AnswerValue, Change, ChangeListener, ClockKind, ClockLine, ClockProvider, KeyVault, KeyVaultError,
    LocationProvider, PlaceKind, PlaceLine, ProviderError, wipe_phone,
};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;

/// A keystore in memory that holds one key and can be locked; it asks the phone something whenever it signs.
pub(crate) struct Keystore {
    key: SigningKey,
    is_locked: AtomicBool,
    phone: OnceLock<Arc<Phone>>,
    signed: AtomicUsize,
    /// While there is one it says that a person is asked, and waits for the finger.
    finger: Mutex<Option<(UnboundedSender<()>, Receiver<()>)>>,
    /// The keys that it was told to forget.
    forgotten: Mutex<Vec<Vec<u8>>>,
}

impl Keystore {
    pub(crate) fn holding(seed: u8) -> Self {
        let (is_locked, phone, signed, finger, forgotten) = Default::default();
        Self { key: SigningKey::from_seed(&[seed; 32]), is_locked, phone, signed, finger, forgotten }
    }

    /// Says the next time that a person is asked, and waits for the finger.
    pub(crate) fn ask(&self, asked: UnboundedSender<()>, shown: Receiver<()>) {
        *self.finger.lock().unwrap() = Some((asked, shown));
    }
}

impl KeyVault for Keystore {
    fn wrap(&self, secret: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        Ok(secret.into_iter().map(|byte| byte ^ 0x5a).collect())
    }

    fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        if self.is_locked.load(Ordering::SeqCst) {
            return Err(KeyVaultError::Gone { reason: "a new fingerprint".into() });
        }
        self.wrap(wrapped)
    }

    fn make_signing_key(&self) -> Result<Option<Vec<u8>>, KeyVaultError> {
        Ok(Some(self.key.public().as_bytes().to_vec()))
    }

    fn sign(&self, _: Vec<u8>, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.signed.fetch_add(1, Ordering::SeqCst);
        if let Some((asked, shown)) = self.finger.lock().unwrap().take() {
            asked.send(()).unwrap();
            shown.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        if self.is_locked.load(Ordering::SeqCst) {
            return Err(KeyVaultError::Refused { reason: "the screen is locked".into() });
        }
        if let Some(phone) = self.phone.get() {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let seen = runtime.block_on(async {
                let observers = phone.observers().await.unwrap().len();
                (observers, phone.records(Default::default(), None, 10).await.unwrap().lines.len())
            });
            assert_eq!(seen.0, 1);
        }
        Ok(merestone_core::key::Signer::sign(&self.key, &message).unwrap().to_vec())
    }

    fn forget(&self, key: Vec<u8>) -> Result<(), KeyVaultError> {
        self.forgotten.lock().unwrap().push(key);
        Err(KeyVaultError::Refused { reason: "what it throws keeps nothing from being wiped".into() })
    }
}

#[tokio::test]
async fn a_keystore_signs_may_call_back_and_its_own_words_are_told_when_it_refuses() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let phone = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
    let keystore = Arc::new(Keystore::holding(77));
    let request = phone.request_in_vault(asked("Olena"), Arc::clone(&keystore) as _).await.unwrap();
    phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    keystore.phone.set(Arc::clone(&phone)).unwrap_or_else(|_| unreachable!());
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let answers = || [("post".to_owned(), AnswerValue::Text { text: "North".into() })].into();
    let before = keystore.signed.load(Ordering::SeqCst);
    phone.save_new(request.key.clone(), scope.clone(), form.clone(), answers(), None).await.unwrap();
    assert!(keystore.signed.load(Ordering::SeqCst) > before, "the key never left the keystore");

    keystore.is_locked.store(true, Ordering::SeqCst);
    let refused = phone.save_new(request.key.clone(), scope.clone(), form.clone(), answers(), None).await;
    assert!(matches!(refused, Err(PhoneError::Provider { is_gone: false, .. })), "{refused:?}");
    phone.lock().await.unwrap();
    let gone = phone.unlock_in_vault(request.key.clone(), Arc::clone(&keystore) as _).await;
    let PhoneError::Provider { is_gone, reason } = gone.unwrap_err() else { panic!("a keystore that lost its key") };
    assert_eq!((is_gone, reason.as_str()), (true, "a new fingerprint"));
    keystore.is_locked.store(false, Ordering::SeqCst);
    phone.unlock_in_vault(request.key.clone(), Arc::clone(&keystore) as _).await.unwrap();
    phone.save_new(request.key, scope, form, answers(), None).await.unwrap();
    assert_eq!(phone.records(Default::default(), None, 10).await.unwrap().lines.len(), 2);
}

#[tokio::test]
async fn while_a_person_is_asked_for_a_finger_the_draft_stays_as_it_is_and_everything_else_goes_on() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let phone = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
    let keystore = Arc::new(Keystore::holding(78));
    let request = phone.request_in_vault(asked("Olena"), Arc::clone(&keystore) as _).await.unwrap();
    phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let interview = Arc::clone(&phone).begin(request.key.clone(), scope.clone(), form.clone()).await.unwrap();
    interview.answer_typed("post".into(), "North".into()).await.unwrap();
    let draft = interview.info().await.unwrap().draft;
    let again = Arc::clone(&phone).go_on(draft.clone()).await.unwrap();
    assert!(Arc::ptr_eq(&interview, &again), "one draft is on one screen");

    let ((asked, mut is_asked), (show, shown)) = (unbounded_channel(), channel());
    keystore.ask(asked, shown);
    let saving = tokio::spawn(async move { again.save().await });
    tokio::time::timeout(Duration::from_secs(30), is_asked.recv()).await.unwrap().unwrap();
    let saving_now = |refused: Option<PhoneError>| {
        assert!(matches!(&refused, Some(PhoneError::Refused { code, .. }) if code == "saving"), "{refused:?}");
    };
    saving_now(interview.answer_typed("post".into(), "South".into()).await.err());
    saving_now(Arc::clone(&phone).discard(draft.clone()).await.err());
    saving_now(Arc::clone(&phone).go_on(draft.clone()).await.err());
    assert_eq!(phone.observers().await.unwrap().len(), 1);
    assert_eq!(phone.drafts(None, 0, 1_000).await.unwrap().len(), 1);
    let other = Arc::clone(&phone).begin(request.key.clone(), scope, form).await.unwrap();
    other.answer_typed("post".into(), "East".into()).await.unwrap();
    show.send(()).unwrap();
    let saved = saving.await.unwrap().unwrap();
    let sheet = phone.record(saved.record.clone(), None).await.unwrap().unwrap();
    assert!(sheet.answers.iter().any(|answer| answer.values[0].shown == "North"), "{sheet:?}");
    assert_eq!(interview.save().await.unwrap(), saved);
    assert!(matches!(Arc::clone(&phone).go_on(draft).await, Err(PhoneError::NotThere { .. })), "it is a record now");
}

struct Somewhere(AtomicUsize);

impl LocationProvider for Somewhere {
    fn locate(&self) -> Result<Option<PlaceLine>, ProviderError> {
        let place = PlaceLine { lat_e7: 511_900_000, lon_e7: 237_800_000, accuracy_m: 12, source: PlaceKind::Mocked };
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Some(place)),
            1 => Ok(Some(PlaceLine { lat_e7: i32::MAX, ..place })),
            _ => Err(ProviderError::Failed { reason: "no satellites".into() }),
        }
    }
}

struct Clocks(AtomicBool);

impl ClockProvider for Clocks {
    fn read(&self) -> Result<ClockLine, ProviderError> {
        if self.0.load(Ordering::SeqCst) {
            return Err(ProviderError::Failed { reason: "no service".into() });
        }
        let (wall_ms, source) = (1_764_576_000_000, ClockKind::Satellite);
        Ok(ClockLine { wall_ms, uptime_ms: 5_000, boot: vec![7; 8], offset_min: 180, source })
    }
}

#[tokio::test]
async fn the_apps_clock_and_place_are_stated_and_without_them_saving_goes_on() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let clocks = Arc::new(Clocks(AtomicBool::new(false)));
    let brought = PhoneSettings {
        clock: Some(Arc::clone(&clocks) as _),
        location: Some(Arc::new(Somewhere(AtomicUsize::new(0)))),
        ..settings()
    };
    let (phone, key) = enrolled_with(&mission, folder.path(), "Olena", brought).await;
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let mut steps = Vec::new();
    for failing in [false, false, true] {
        clocks.0.store(failing, Ordering::SeqCst);
        let answers = [("post".to_owned(), AnswerValue::Text { text: "North".into() })].into();
        let saved = phone.save_new(key.clone(), scope.clone(), form.clone(), answers, None).await.unwrap();
        steps.push(phone.history(saved.record, None, 0, 1_000).await.unwrap().remove(0));
    }
    let stated = |at: usize| (steps[at].place.as_ref().map(|place| place.source), steps[at].clock_source);
    assert_eq!(stated(0), (Some(PlaceKind::Mocked), Some(ClockKind::Satellite)));
    assert_eq!(stated(1), (None, Some(ClockKind::Satellite)), "no such place on earth");
    assert_eq!(stated(2), (None, Some(ClockKind::Device)));
    let late = steps[1].wall_ms.unwrap() - 1_764_576_000_000;
    assert!((0..5_000).contains(&late), "the app's clock, {late} ms later");
}

struct Heard(UnboundedSender<Change>);

impl ChangeListener for Heard {
    fn on_changed(&self, change: Change) {
        self.0.send(change).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_at_once_are_heard_in_few_calls_and_every_record_is_named() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, key) = enrolled(&mission, folder.path(), "Olena").await;
    let (heard, mut hear) = unbounded_channel();
    phone.set_change_listener(Some(Arc::new(Heard(heard)))).await.unwrap();
    let (scope, form) = (mission.scope().to_string(), inspection(&phone).await);
    let writers = (0..16).map(|writer| {
        let (phone, key, scope, form) = (Arc::clone(&phone), key.clone(), scope.clone(), form.clone());
        tokio::spawn(async move {
            let mut records = Vec::new();
            for round in 0..6 {
                let post = AnswerValue::Text { text: format!("Post {writer}-{round}") };
                let saved =
                    phone.save_new(key.clone(), scope.clone(), form.clone(), [("post".to_owned(), post)].into(), None);
                records.push(saved.await.unwrap().record);
            }
            records
        })
    });
    let mut records = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        records.extend(writer.await.unwrap());
    }
    phone.set_change_listener(None).await.unwrap();
    let (mut named, mut calls) = (BTreeSet::new(), 0);
    // A listener that is let go has heard everything when its end of the channel is dropped.
    while let Some(change) = tokio::time::timeout(Duration::from_secs(30), hear.recv()).await.unwrap() {
        named.extend(change.records);
        calls += 1;
    }
    assert_eq!(named, records.iter().cloned().collect());
    assert!(calls < records.len(), "{calls} calls for {} records", records.len());
}

/// Clocks that once they are armed show nothing until they are told to.
struct WaitingClocks(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl ClockProvider for WaitingClocks {
    fn read(&self) -> Result<ClockLine, ProviderError> {
        let armed = self.0.lock().unwrap().take();
        if let Some((is_asked, go_on)) = armed {
            is_asked.send(()).unwrap();
            go_on.recv().unwrap();
        }
        Err(ProviderError::Failed { reason: "no service".into() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_waits_while_the_phone_wakes_keeps_nobody_from_wiping_it() {
    let (mission, folder) = (Mission::found(), tempfile::tempdir().unwrap());
    let clocks = Arc::new(WaitingClocks(Mutex::default()));
    let brought = PhoneSettings { clock: Some(Arc::clone(&clocks) as _), ..settings() };
    let (phone, _) = enrolled_with(&mission, folder.path(), "Olena", brought).await;
    assert!(phone.suspend(60_000).await.unwrap().is_closed);
    let ((is_asked, asked), (go_on, may_go_on)) = (channel(), channel());
    *clocks.0.lock().unwrap() = Some((is_asked, may_go_on));
    let waking = Arc::clone(&phone);
    let waking = tokio::spawn(async move { waking.resume().await });
    tokio::task::block_in_place(|| asked.recv_timeout(Duration::from_secs(60))).unwrap();
    let wiped = tokio::time::timeout(Duration::from_secs(60), phone.wipe()).await;
    go_on.send(()).unwrap();
    assert_eq!(wiped.unwrap().unwrap(), Vec::<String>::new());
    let woken = waking.await.unwrap();
    assert!(matches!(woken, Err(PhoneError::Closed { is_suspended: false, .. })), "{woken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keystore_forgets_the_keys_of_a_wiped_phone_and_not_before_they_are_gone() {
    let mission = Mission::found();
    for is_open in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let keystore = Arc::new(Keystore::holding(79));
        let phone = create_phone(home(folder.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
        phone.request_in_vault(asked("Olena"), Arc::clone(&keystore) as _).await.unwrap();
        let refused = wipe_phone(home(folder.path()), Some(Arc::clone(&keystore) as _)).await;
        assert!(matches!(refused, Err(PhoneError::Storage { .. })), "{refused:?}");
        assert!(keystore.forgotten.lock().unwrap().is_empty(), "the phone is open, and was not wiped");
        let left = if is_open {
            phone.wipe().await
        } else {
            phone.shut().await.unwrap();
            wipe_phone(home(folder.path()), Some(Arc::clone(&keystore) as _)).await
        };
        assert_eq!(left.unwrap(), Vec::<String>::new());
        assert_eq!(*keystore.forgotten.lock().unwrap(), [keystore.key.public().as_bytes().to_vec()]);
    }
}
