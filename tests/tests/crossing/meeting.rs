//! Phones that meet, sleep and carry files, as their apps see it.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use merestone_core::roster::Role;
use merestone_ffi::{
    AnswerValue, Answering, ConnectivityProvider, CourierOrderLine, LinkHint, Phone, PhoneError, PhoneSettings,
    PhotoFile, ProviderError, StorageFault, SyncListener, SyncOptions, SyncReport, SyncState, SyncTarget, create_phone,
    wipe_phone,
};
use merestone_tests::mission::{Mission, PASSPHRASE};

use crate::{asked, enrolled, enrolled_with, home, inspection, reopened, settings};

const ANY: &str = "127.0.0.1:0";

/// More than a meeting on one machine takes.
const AMPLE_MS: u32 = 60_000;

/// Two phones that know each other's certificates: Olena's and Karim's.
struct Pair {
    mission: Mission,
    dirs: [tempfile::TempDir; 2],
    phones: [Arc<Phone>; 2],
    keys: [String; 2],
}

impl Pair {
    async fn new(settings_of_first: PhoneSettings) -> Self {
        let (mission, dirs) = (Mission::found(), [(); 2].map(|()| tempfile::tempdir().unwrap()));
        let (a, olena) = enrolled_with(&mission, dirs[0].path(), "Olena", settings_of_first).await;
        let (b, karim) = enrolled(&mission, dirs[1].path(), "Karim").await;
        Self { mission, dirs, phones: [a, b], keys: [olena, karim] }
    }

    async fn save(&self, of: usize, post: &str) -> String {
        let form = inspection(&self.phones[of]).await;
        let answers = [("post".to_owned(), AnswerValue::Text { text: post.into() })].into();
        let scope = self.mission.scope().to_string();
        self.phones[of].save_new(self.keys[of].clone(), scope, form, answers, None).await.unwrap().record
    }

    /// A record with a photo of about so many bytes.
    async fn photograph(&self, of: usize, bytes: usize) -> String {
        let path = self.dirs[of].path().join("camera.jpg");
        let mut photo =
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/demo/photos/post-01.jpg")).unwrap();
        let mut state = 1_u64;
        while photo.len() < bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            photo.extend_from_slice(&state.to_be_bytes());
        }
        std::fs::write(&path, photo).unwrap();
        let form = inspection(&self.phones[of]).await;
        let phone = Arc::clone(&self.phones[of]);
        let interview = phone.begin(self.keys[of].clone(), self.mission.scope().to_string(), form).await.unwrap();
        interview.answer("post".into(), AnswerValue::Text { text: "Bridge".into() }).await.unwrap();
        let path = path.to_string_lossy().into_owned();
        let file = PhotoFile { path, preview_path: None, caption: None, key: None, is_app_captured: true };
        let photo = interview.attach(file).await.unwrap().photo;
        interview.save().await.unwrap();
        photo
    }

    async fn answer(&self, of: usize) -> Arc<Answering> {
        self.phones[of].serve(self.keys[of].clone(), ANY.into(), false).await.unwrap()
    }

    async fn sync(&self, answering: &Answering, options: SyncOptions) -> Result<SyncReport, PhoneError> {
        let text = answering.ticket(None).await.unwrap().text;
        self.phones[0].sync_with(self.keys[0].clone(), SyncTarget::Typed { text }, options, None).await
    }

    async fn records(&self, of: usize) -> usize {
        let query = merestone_ffi::RecordQuery::default();
        self.phones[of].catch_up().await.unwrap();
        self.phones[of].records(query, None, 1_000).await.unwrap().lines.len()
    }
}

struct Heard {
    states: Mutex<Vec<SyncState>>,
    told: Sender<()>,
}

impl Heard {
    fn new() -> (Arc<Self>, Receiver<()>) {
        let (told, hear) = mpsc::channel();
        (Arc::new(Self { states: Mutex::default(), told }), hear)
    }
}

impl SyncListener for Heard {
    fn on_progress(&self, state: SyncState) {
        let is_first = self.states.lock().unwrap().is_empty();
        self.states.lock().unwrap().push(state);
        let _ = self.told.send(());
        assert!(!is_first, "a listener that throws the first time");
    }
}

/// A listener that never comes back.
struct Stuck(Mutex<Receiver<()>>);

impl SyncListener for Stuck {
    fn on_progress(&self, _: SyncState) {
        let _ = self.0.lock().unwrap().recv();
    }
}

#[tokio::test]
async fn two_phones_meet_and_hold_the_same_whatever_their_listeners_do() {
    let pair = Pair::new(settings()).await;
    for n in 0..20 {
        pair.save(n % 2, &format!("Post {n}")).await;
    }
    let answering = pair.answer(1).await;
    let ticket = answering.ticket(Some("Karim".into())).await.unwrap();
    assert!(ticket.qr.is_some());
    let (heard, told) = Heard::new();
    let (keep, never) = mpsc::channel();
    let stuck: Arc<dyn SyncListener> = Arc::new(Stuck(Mutex::new(never)));
    for listener in [Arc::clone(&heard) as Arc<dyn SyncListener>, stuck] {
        let target = SyncTarget::Ticket { text: ticket.text.clone() };
        let met = pair.phones[0].sync_with(pair.keys[0].clone(), target, SyncOptions::default(), Some(listener));
        let report = met.await.unwrap();
        assert!(report.is_fully_synced, "{report:?}");
        assert_eq!((report.end_code.as_str(), report.state.peer.unwrap().observer.as_str()), ("done", "Karim"));
        assert!(report.missing_here.is_empty() && report.missing_there.is_empty() && report.refused.is_empty());
    }
    drop(keep);
    assert_eq!((pair.records(0).await, pair.records(1).await), (20, 20));
    while !heard.states.lock().unwrap().last().is_some_and(|state| state.is_fully_synced) {
        told.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    assert_eq!(heard.states.lock().unwrap().last().unwrap().entries_received, 10);
    let callers = answering.callers().await.unwrap();
    assert_eq!(callers.len(), 1);
    answering.stop().await.unwrap();
    assert!(answering.callers().await.unwrap().is_empty());
    let after = pair.sync(&answering, SyncOptions { attempts_max: Some(1), ..SyncOptions::default() }).await;
    let Err(PhoneError::Unreachable { code, is_worth_retrying, reason }) = after else { panic!("{after:?}") };
    assert_eq!((code.as_str(), is_worth_retrying), ("no-answer", true), "{reason}");
}

struct Metered;

impl ConnectivityProvider for Metered {
    fn hint(&self) -> Result<LinkHint, ProviderError> {
        Ok(LinkHint { is_metered: true, is_wifi: false })
    }
}

#[tokio::test]
async fn on_a_metered_link_the_cameras_files_come_only_when_asked_for() {
    let pair = Pair::new(PhoneSettings { connectivity: Some(Arc::new(Metered)), ..settings() }).await;
    let photo = pair.photograph(1, 300_000).await;
    let alone = pair.phones[1].held_alone().await.unwrap();
    assert_eq!((alone.entries, alone.photos, alone.photos_not_at_camp), (1, 1, 1));
    let answering = pair.answer(1).await;
    let report = pair.sync(&answering, SyncOptions::default()).await.unwrap();
    assert!(report.is_synced_as_wanted && !report.is_fully_synced, "{report:?}");
    assert!(report.missing_photos > 0 && report.missing_here[0].observer.as_deref() == Some("Karim"), "{report:?}");
    let out = pair.dirs[0].path().join("original.jpg").to_string_lossy().into_owned();
    let absent = pair.phones[0].save_photo(photo.clone(), out.clone()).await;
    assert!(matches!(absent, Err(PhoneError::NotThere { .. })), "{absent:?}");
    let report = pair.sync(&answering, SyncOptions { originals: Some(true), ..SyncOptions::default() }).await.unwrap();
    assert!(report.is_fully_synced, "{report:?}");
    pair.phones[0].save_photo(photo, out).await.unwrap();
    let alone = pair.phones[1].held_alone().await.unwrap();
    assert_eq!((alone.entries, alone.photos, alone.entries_not_at_camp), (0, 0, 1), "the other phone signed for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_cancelled_ends_its_link() {
    let pair = Pair::new(settings()).await;
    pair.save(0, "Bridge").await;
    let answering = pair.answer(1).await;
    let text = answering.ticket(None).await.unwrap().text;
    let options = SyncOptions { stay: true, ..SyncOptions::default() };
    let (phone, key) = (Arc::clone(&pair.phones[0]), pair.keys[0].clone());
    let (heard, told) = Heard::new();
    let listener: Arc<dyn SyncListener> = heard;
    let call =
        tokio::spawn(async move { phone.sync_with(key, SyncTarget::Ticket { text }, options, Some(listener)).await });
    told.recv_timeout(Duration::from_secs(30)).unwrap();
    while answering.callers().await.unwrap().iter().all(|caller| caller.connections == 0) {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let ended = async {
        while answering.callers().await.unwrap().iter().any(|caller| caller.connections > 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the link ends long before it would time out");
    answering.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_suspended_while_it_meets_wakes_and_loses_nothing() {
    let pair = Pair::new(settings()).await;
    pair.photograph(0, 6_000_000).await;
    let answering = pair.answer(1).await;
    let text = answering.ticket(None).await.unwrap().text;
    let (phone, key) = (Arc::clone(&pair.phones[0]), pair.keys[0].clone());
    let (heard, told) = Heard::new();
    let options = SyncOptions { stay: true, ..SyncOptions::default() };
    let target = SyncTarget::Ticket { text };
    let listener: Arc<dyn SyncListener> = heard;
    let call = tokio::spawn(async move { phone.sync_with(key, target, options, Some(listener)).await });
    told.recv_timeout(Duration::from_secs(30)).unwrap();
    let report = pair.phones[0].suspend(AMPLE_MS).await.unwrap();
    assert!(report.is_closed && report.was_busy, "{report:?}");
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let paths = open.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
        let open: Vec<_> = paths.filter(|path| path.starts_with(pair.dirs[0].path())).collect();
        assert!(open.is_empty(), "{open:?}");
    }
    let call = call.await.unwrap();
    assert!(
        matches!(call, Err(PhoneError::Closed { is_suspended: true, .. })) || call.is_ok_and(|met| met.is_fully_synced)
    );
    assert!(!pair.phones[0].is_open());
    let asleep = pair.phones[0].drafts(None, 0, 1_000).await;
    assert!(matches!(asleep, Err(PhoneError::Closed { is_suspended: true, .. })), "{asleep:?}");
    assert!(!pair.phones[0].suspend(AMPLE_MS).await.unwrap().was_busy);

    pair.phones[0].resume().await.unwrap();
    pair.phones[0].resume().await.unwrap();
    assert!(pair.phones[0].observers().await.unwrap()[0].is_unlocked);
    pair.save(0, "Ferry").await;
    let report = pair.sync(&answering, SyncOptions::default()).await.unwrap();
    assert!(report.is_fully_synced, "{report:?}");
    assert_eq!((pair.records(0).await, pair.records(1).await), (2, 2));
    answering.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_wakes_is_never_said_to_be_closed_for_good() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, _) = enrolled(&mission, dir.path(), "Olena").await;
    for _ in 0..40 {
        assert!(phone.suspend(AMPLE_MS).await.unwrap().is_closed);
        let (calling, (asking, asked)) = (Arc::clone(&phone), mpsc::channel());
        // As often as one thread can ask, from before it wakes until it did.
        let caller = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            loop {
                match runtime.block_on(calling.mission()) {
                    Err(PhoneError::Closed { is_suspended: true, .. }) => asking.send(()).unwrap_or_default(),
                    other => return other,
                }
            }
        });
        asked.recv().unwrap();
        phone.resume().await.unwrap();
        let woken = caller.join().unwrap();
        assert!(woken.is_ok(), "{woken:?}");
    }
}

#[tokio::test]
async fn an_interview_outlives_a_suspended_phone_and_is_saved_once() {
    let pair = Pair::new(settings()).await;
    let form = inspection(&pair.phones[0]).await;
    let phone = Arc::clone(&pair.phones[0]);
    let interview = phone.begin(pair.keys[0].clone(), pair.mission.scope().to_string(), form).await.unwrap();
    interview.answer("post".into(), AnswerValue::Text { text: "Bridge".into() }).await.unwrap();
    pair.phones[0].suspend(AMPLE_MS).await.unwrap();
    let refused = interview.save().await;
    assert!(matches!(refused, Err(PhoneError::Closed { is_suspended: true, .. })), "{refused:?}");
    pair.phones[0].resume().await.unwrap();
    interview.save().await.unwrap();
    assert_eq!(pair.records(0).await, 1);
    assert!(pair.phones[0].drafts(None, 0, 1_000).await.unwrap().is_empty());
}

#[tokio::test]
async fn targets_that_are_none_are_refused_by_name() {
    let pair = Pair::new(settings()).await;
    let address = |address: &str, key: Option<&str>| SyncTarget::Address {
        address: address.into(),
        transport_key: key.map(Into::into),
    };
    for (target, wanted) in [
        (SyncTarget::Ticket { text: "MERESTONE-TICKET:AAAA".into() }, "ticket"),
        (SyncTarget::Typed { text: "camp".into() }, "address"),
        (address("camp", None), "address"),
        (address("127.0.0.1:1", Some("ab")), "transport-key"),
    ] {
        let met = pair.phones[0].sync_with(pair.keys[0].clone(), target, SyncOptions::default(), None).await;
        assert!(matches!(&met, Err(PhoneError::Refused { code, .. }) if code == wanted), "{met:?}");
    }
    let served = pair.phones[0].serve(pair.keys[0].clone(), "here".into(), false).await.map(drop);
    assert!(matches!(&served, Err(PhoneError::Refused { code, .. }) if code == "address"), "{served:?}");
    pair.phones[0].lock().await.unwrap();
    let served = pair.phones[0].serve(pair.keys[0].clone(), ANY.into(), false).await.map(drop);
    assert!(matches!(served, Err(PhoneError::Locked { .. })), "{served:?}");
    let changed = pair.phones[0].network_changed(Some("nowhere".into())).await;
    assert!(matches!(changed, Err(PhoneError::Refused { .. })), "{changed:?}");
    pair.phones[0].network_changed(None).await.unwrap();
}

#[tokio::test]
async fn a_courier_and_a_bag_carry_what_was_saved() {
    let pair = Pair::new(settings()).await;
    pair.photograph(0, 100_000).await;
    let path = pair.dirs[0].path().join("bundle").to_string_lossy().into_owned();
    let order = CourierOrderLine { path: path.clone(), made_for: None, without_originals: false, bytes_max: None };
    let written = pair.phones[0].write_courier(pair.keys[0].clone(), order.clone()).await.unwrap();
    assert_eq!((written.entries, written.left_out, written.damaged), (1, 0, 0));
    let again = pair.phones[0].write_courier(pair.keys[0].clone(), order).await;
    assert!(matches!(&again, Err(PhoneError::Refused { code, .. }) if code == "exists"), "{again:?}");
    let seen = pair.phones[1].inspect_courier(path.clone()).await.unwrap();
    assert_eq!((seen.maker_observer.as_str(), seen.entries, seen.bytes), ("Olena", 1, written.bytes));
    for new in [1, 0] {
        let read = pair.phones[1].read_courier(pair.keys[1].clone(), path.clone()).await.unwrap();
        assert_eq!((read.entries_new, read.refused.len()), (new, 0));
    }
    assert_eq!(pair.records(1).await, 1);
    let bag = pair.dirs[1].path().join("bag").to_string_lossy().into_owned();
    let written = pair.phones[1].write_bag(bag.clone(), None).await.unwrap();
    assert!(written.entries == 1 && written.photos >= 1 && written.left_out.is_empty(), "{written:?}");
    let again = pair.phones[1].write_bag(bag, Some(vec![pair.mission.scope().to_string()])).await;
    assert!(matches!(&again, Err(PhoneError::Refused { code, .. }) if code == "exists"), "{again:?}");
}

#[tokio::test]
async fn a_wiped_phone_is_gone_and_an_open_one_is_not_wiped_from_beside() {
    let (mission, dir) = (Mission::found(), tempfile::tempdir().unwrap());
    let (phone, _) = enrolled(&mission, dir.path(), "Olena").await;
    let refused = wipe_phone(home(dir.path()), None).await;
    assert!(matches!(refused, Err(PhoneError::Storage { fault: StorageFault::InUse, .. })), "{refused:?}");
    std::fs::write(dir.path().join("letter"), b"theirs").unwrap();
    let left = phone.wipe().await.unwrap();
    assert_eq!(left, [dir.path().join("letter").to_string_lossy().into_owned()]);
    let over = phone.resume().await;
    assert!(matches!(over, Err(PhoneError::Closed { is_suspended: false, .. })), "{over:?}");
    assert!(matches!(phone.drafts(None, 0, 1_000).await, Err(PhoneError::Closed { is_suspended: false, .. })));
    assert!(matches!(reopened(dir.path()).await.map(drop), Err(PhoneError::NotThere { .. })));
    let phone = create_phone(home(dir.path()), settings(), mission.charter.as_bytes().to_vec()).await.unwrap();
    let request = phone.request(asked("Olena"), PASSPHRASE.into()).await.unwrap();
    phone.accept(mission.certify(0, &request.text, Role::Observer)).await.unwrap();
    phone.suspend(AMPLE_MS).await.unwrap();
    phone.wipe().await.unwrap();
    assert!(!dir.path().join("store").exists() && !dir.path().join("keys").exists());
}
