//! One conversation with one peer: the pump between its session, its link and the store.
//!
//! The pump itself never waits for a disk and never verifies; it hands that to others and takes their answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self as blocking, Sender};
use std::time::Duration;

use merestone_core::id::{BlobHash, LogId, ScopeId};
use merestone_core::key::KeyCache;
use merestone_core::sync::frame::{BlobClass, Wants};
use merestone_core::sync::{
    Action, BlobFailure, Class, Close, CloseCode, Commit, Committed, Input, Limits, LocalChange, Progress, Report,
    RestState, Session, SessionConfig, Token, UnverifiedBatch, Version,
};
use merestone_link::{Connection, LinkError, close_code};
use merestone_store::ReadError;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Shared;
use super::answer::{link_class, local_tip, session_class};
use super::hub::{Member, Subscription};
use super::outcome::{self, End, FailedBlob, MissingHere, PeerInfo, RefusedStatement, SyncOutcome};
use super::progress::SyncProgress;
use super::reading::Reading;
use super::theirs::Theirs;
use super::writing::{Done, Job, StoredEntries, Writing};
use crate::device::AccessError;

/// How often the session learns the time; it asks for once a second.
const WAKE: Duration = Duration::from_secs(1);

/// Most refused statements and failed photos that an outcome names.
const NAMED_MAX: usize = 1_024;

/// Holds one conversation until it ends.
///
/// `stop` becomes true when the person ends it; `progress` always shows the newest state.
pub(super) async fn hold(
    shared: Arc<Shared>,
    connection: Connection,
    stay: bool,
    stop: watch::Receiver<bool>,
    progress: watch::Sender<SyncProgress>,
) -> SyncOutcome {
    let certificate = shared.certificate();
    let scopes = certificate.as_ref().map_or_else(Vec::new, |held| held.scopes().to_vec());
    let subscription = Subscription::join(&shared, scopes.clone());
    let reading = Arc::new(Reading::new(Arc::clone(&shared)));
    let (reader, granted) = (Arc::clone(&reading), scopes.clone());
    let store = Arc::clone(&shared.store);
    let held = spawn_blocking(move || Ok::<_, ReadError>((reader.local_state(&granted)?, store.identity()?)));
    let (local, identity) = match held.await {
        Ok(Ok(held)) => held,
        Ok(Err(error)) => return refuse(&connection, error.into()),
        Err(_panic) => return refuse(&connection, AccessError::Damaged),
    };
    let config = SessionConfig {
        version: Version::V1,
        mission: identity.mission,
        charter: Some(shared.authority.roster().charter().clone()),
        certificate,
        store: identity.store,
        peer_transport: *connection.peer().as_bytes(),
        wants: Wants::EVERYTHING,
        stay,
        limits: Limits::default(),
    };
    let session = Session::new(config, local);
    let pump = Pump::new(shared, connection, session, reading, subscription.member(), progress, scopes);
    pump.run(subscription, stop).await
}

/// The outcome of a conversation that never began, because the store cannot be read.
fn refuse(connection: &Connection, error: AccessError) -> SyncOutcome {
    connection.close(wire_code(CloseCode::Storage), CloseCode::Storage.name());
    let tally = Tally::default();
    tally.outcome(connection, End::Storage(error), MissingHere::default(), Vec::new())
}

/// What others did for the pump.
enum Event {
    Answer(Input),
    LaneFree(usize),
    /// A thread of ours died.
    Broken,
}

/// What a conversation was told so far, for the outcome.
#[derive(Default)]
struct Tally {
    peer: Option<PeerInfo>,
    rest: Option<RestState>,
    /// Nothing was committed or changed since `rest`.
    is_rest_current: bool,
    refused: Vec<RefusedStatement>,
    failed: Vec<FailedBlob>,
    storage: Option<AccessError>,
    theirs: Theirs,
    progress: Progress,
}

struct Pump {
    shared: Arc<Shared>,
    connection: Connection,
    session: Session,
    reading: Arc<Reading>,
    member: Member,
    scopes: Vec<ScopeId>,

    jobs: Sender<Job>,
    events: UnboundedReceiver<Event>,
    tell: UnboundedSender<Event>,
    done: UnboundedReceiver<Done>,
    lanes: Vec<Lane>,
    /// The lanes' tasks, ended with the pump.
    _senders: JoinSet<()>,

    tally: Tally,
    progress: watch::Sender<SyncProgress>,
}

/// One class of frames on its way out: at most one frame waits for the link.
struct Lane {
    class: Class,
    frames: mpsc::Sender<Vec<u8>>,
    is_free: bool,
}

impl Pump {
    fn new(
        shared: Arc<Shared>,
        connection: Connection,
        session: Session,
        reading: Arc<Reading>,
        member: Member,
        progress: watch::Sender<SyncProgress>,
        scopes: Vec<ScopeId>,
    ) -> Self {
        // Unbounded, and bounded by what the session has outstanding.
        let (tell, events) = mpsc::unbounded_channel();
        let (tell_done, done) = mpsc::unbounded_channel();
        let (jobs, waiting) = blocking::channel();
        let writing = Writing { shared: Arc::clone(&shared), member, wanted: reading.wanted(), done: tell_done };
        let broken = tell.clone();
        tokio::spawn(async move {
            if spawn_blocking(move || writing.run(&waiting)).await.is_err() {
                // The pump may be gone; then nobody needs to know.
                let _ = broken.send(Event::Broken);
            }
        });
        let mut senders = JoinSet::new();
        let lanes = Class::ALL.into_iter().enumerate();
        let lanes = lanes.map(|(index, class)| Lane::begin(index, class, &connection, &tell, &mut senders)).collect();
        Self {
            shared,
            connection,
            session,
            reading,
            member,
            scopes,
            jobs,
            events,
            tell,
            done,
            lanes,
            _senders: senders,
            tally: Tally::default(),
            progress,
        }
    }

    async fn run(mut self, subscription: Subscription, mut stop: watch::Receiver<bool>) -> SyncOutcome {
        let began = Instant::now();
        let mut ticks = interval(WAKE);
        let mut is_stopped = false;
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Some(close) = self.settle() {
                break self.close(close, is_stopped);
            }
            tokio::select! {
                Some(event) = self.events.recv() => self.on_event(event),
                Some(done) = self.done.recv() => self.on_done(done),
                frame = self.connection.recv(), if self.session.is_receiving() => match frame {
                    Ok((class, frame)) => self.on_frame(class, frame),
                    Err(error) => break self.ended(error),
                },
                info = self.connection.closed(), if !self.session.is_receiving() => break self.ended(info.into()),
                change = subscription.next() => {
                    self.tally.is_rest_current &= change.tips.is_empty() && !change.blobs;
                    self.session.handle(Input::LocalChange(change));
                }
                _ = ticks.tick() => {
                    let elapsed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    self.session.handle(Input::Wake(elapsed));
                }
                Ok(_) = stop.wait_for(|stop| *stop), if !is_stopped => {
                    is_stopped = true;
                    self.session.handle(Input::Stop);
                }
            }
        };
        self.finish(end).await
    }

    /// Does everything the session wants now, and gives the link what it takes. A close is the last thing wanted.
    fn settle(&mut self) -> Option<Close> {
        loop {
            let mut is_busy = false;
            while let Some(action) = self.session.poll() {
                is_busy = true;
                if let Some(close) = self.act(action) {
                    return Some(close);
                }
            }
            for lane in self.lanes.iter_mut().filter(|lane| lane.is_free) {
                if let Some(frame) = self.session.poll_send(lane.class) {
                    // A lane whose task is gone has a link that is gone; the link says so itself.
                    lane.is_free = lane.frames.try_send(frame).is_err();
                    is_busy = true;
                    break;
                }
            }
            if !is_busy {
                return None;
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Close> {
        match action {
            Action::Load { token, request } => {
                let reading = Arc::clone(&self.reading);
                self.answer_later(move || Input::Loaded { token, loaded: reading.load(request) });
            }
            Action::Verify { token, batch } => self.verify(token, batch),
            Action::Admit { token, class, statements } => self.make_durable(Job::Admit { token, class, statements }),
            Action::Commit { token, commit } => {
                self.tally.is_rest_current &= matches!(commit, Commit::ChunkHashes { .. });
                self.make_durable(Job::Commit { token, commit });
            }
            Action::SignReceipt { token } => {
                let (shared, member) = (Arc::clone(&self.shared), self.member);
                self.answer_later(move || Input::ReceiptSigned { token, receipt: shared.sign_receipt(member) });
            }
            Action::Report(report) => self.on_report(report),
            Action::Close(close) => return Some(close),
        }
        None
    }

    fn make_durable(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            let _ = self.tell.send(Event::Broken);
        }
    }

    /// Does blocking work elsewhere and hands its answer to the session.
    fn answer_later(&self, work: impl FnOnce() -> Input + Send + 'static) {
        let tell = self.tell.clone();
        let work = spawn_blocking(work);
        tokio::spawn(async move {
            let event = work.await.map_or(Event::Broken, Event::Answer);
            // A conversation that is over waits for nothing.
            let _ = tell.send(event);
        });
    }

    fn verify(&self, token: Token, batch: UnverifiedBatch) {
        let (shared, tell) = (Arc::clone(&self.shared), self.tell.clone());
        tokio::spawn(async move {
            let Ok(core) = Arc::clone(&shared.cores).acquire_owned().await else { return };
            let verified = spawn_blocking(move || {
                let mut keys = shared.key_caches().pop().unwrap_or_else(KeyCache::new);
                let batch = batch.verify(&mut keys);
                shared.key_caches().push(keys);
                drop(core);
                Input::Verified { token, batch }
            });
            let _ = tell.send(verified.await.map_or(Event::Broken, Event::Answer));
        });
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Answer(input) => self.session.handle(input),
            Event::LaneFree(index) => self.lanes[index].is_free = true,
            Event::Broken => {
                self.tally.storage.get_or_insert(AccessError::Damaged);
                self.session.handle(Input::Stop);
            }
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Answer(input) => self.session.handle(input),
            Done::Storage(error) => self.tally.storage = Some(error),
            Done::Entries(stored) => self.on_stored(stored),
        }
    }

    /// Entries are durable or refused: tells the other conversations, and the owner.
    fn on_stored(&mut self, stored: StoredEntries) {
        let StoredEntries { token, result, logs, records, names_blobs } = stored;
        let committed = match result {
            Ok(committed) => committed,
            Err(error) => {
                self.tally.storage = Some(error.into());
                return self.session.handle(Input::Committed { token, committed: Committed::Failed });
            }
        };
        let mut tips: Vec<_> =
            committed.tips.iter().filter(|tip| logs.contains(&tip.log)).filter_map(local_tip).collect();
        let change = LocalChange { tips: tips.clone(), blobs: names_blobs, ..LocalChange::default() };
        self.shared.hub.publish(Some(self.member), &change);
        let known: BTreeSet<LogId> = committed.tips.iter().map(|tip| tip.log).collect();
        let unknown: Vec<LogId> = logs.difference(&known).copied().collect();
        if unknown.is_empty() && self.shared.owner.is_none() {
            let committed = Committed::Entries { tips, wants_blobs: names_blobs };
            return self.session.handle(Input::Committed { token, committed });
        }
        let shared = Arc::clone(&self.shared);
        self.answer_later(move || {
            if let Some(owner) = &shared.owner {
                owner.entries_arrived(&records);
            }
            // Logs of which everything was held already do not come with the commit.
            for log in unknown {
                match shared.store.tip(log) {
                    Ok(tip) => tips.extend(tip.as_ref().and_then(local_tip)),
                    Err(_) => return Input::Committed { token, committed: Committed::Failed },
                }
            }
            Input::Committed { token, committed: Committed::Entries { tips, wants_blobs: names_blobs } }
        });
    }

    fn on_frame(&mut self, class: merestone_link::Class, frame: Vec<u8>) {
        if class == merestone_link::Class::Control {
            let heights = self.tally.theirs.listen(&frame);
            if !heights.is_empty() {
                self.compare_own(heights);
            }
        }
        self.session.handle(Input::Frame(session_class(class), frame));
    }

    /// Warns the owner of logs of its own of which the peer holds more, before any of it arrives.
    fn compare_own(&self, heights: Vec<(LogId, u64)>) {
        let Some(owner) = self.shared.owner.clone() else { return };
        let store = Arc::clone(&self.shared.store);
        spawn_blocking(move || {
            for (log, height) in heights {
                // A store that cannot be read is found by the conversation itself.
                let Ok(Some(tip)) = store.tip(log) else { continue };
                if height > tip.top && owner.signs_with(&tip.key) {
                    owner.peer_knows_more(log);
                }
            }
        });
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Peer { store, certificate, is_cut } => {
                let roster = self.shared.authority.roster();
                self.tally.peer = Some(PeerInfo::new(store, &certificate, is_cut, &roster));
            }
            Report::Progress(progress) => self.tally.progress = progress,
            Report::StatementRefused { class, id, refused } => {
                if self.tally.refused.len() < NAMED_MAX {
                    self.tally.refused.push(outcome::refused(class, id, refused));
                }
            }
            Report::BlobFailed { hash, class, failure } => self.on_blob_failed(hash, class, failure),
            Report::ReceiptHeld(_) => {}
            Report::Rest(rest) => {
                self.tally.rest = Some(rest);
                self.tally.is_rest_current = true;
            }
        }
        let state = SyncProgress {
            peer: self.tally.peer.clone(),
            progress: self.tally.progress,
            is_fully_synced: self.tally.is_fully_synced(),
        };
        self.progress.send_replace(state);
    }

    fn on_blob_failed(&mut self, hash: BlobHash, class: BlobClass, failure: BlobFailure) {
        if failure == BlobFailure::ChunkHashes
            && let Some(file) = self.reading.wanted().files().remove(&hash)
        {
            // As for a whole that turned out to be another file: the next description is tried.
            self.shared.false_claims().insert(file.claim);
        }
        if self.tally.failed.len() < NAMED_MAX {
            self.tally.failed.push(FailedBlob { hash, class, failure });
        }
    }

    /// Ends the link as the session wants it.
    fn close(&mut self, close: Close, is_stopped: bool) -> End {
        let Close { code, reason } = close;
        self.connection.close(wire_code(code), reason);
        match self.tally.storage.take() {
            Some(error) => End::Storage(error),
            None if code == CloseCode::Bye && is_stopped => End::Stopped,
            None if code == CloseCode::Bye => End::Done,
            None => End::ClosedHere { code, reason },
        }
    }

    /// How a link ended that the session did not close.
    fn ended(&self, error: LinkError) -> End {
        match error {
            LinkError::ClosedByPeer { code: close_code::DONE, reason: _ } => End::Done,
            LinkError::ClosedByPeer { code: number, reason } => {
                End::ClosedByPeer { code: session_code(number), number, reason }
            }
            LinkError::Lost { cause } => End::Lost { cause },
            LinkError::Misbehaved { violation } => End::Misbehaved { violation },
            LinkError::Aborted { transport_code } => End::Aborted { transport_code },
            // The endpoint was closed under us, by whoever serves it.
            LinkError::ClosedHere { .. } => End::Stopped,
            // Our own frame; the session keeps to the limits of the classes.
            _ => End::ClosedHere { code: CloseCode::FrameTooLong, reason: "frame" },
        }
    }

    /// Waits for what is on its way to the disk, and looks at what is missing then.
    async fn finish(self, end: End) -> SyncOutcome {
        let Self { shared, connection, jobs, mut done, mut tally, progress, scopes, session, .. } = self;
        tally.progress = session.progress();
        drop(jobs);
        // The writing thread keeps its end until its last batch is durable.
        while let Some(done) = done.recv().await {
            match done {
                Done::Storage(error) => tally.storage = Some(error),
                Done::Entries(stored) => finish_entries(&shared, stored),
                Done::Answer(_) => {}
            }
        }
        let theirs = std::mem::take(&mut tally.theirs);
        let found = spawn_blocking(move || outcome::missing(&shared, &theirs, &scopes)).await;
        let (end, (here, there)) = match found {
            Ok(Ok(missing)) => (end, missing),
            Ok(Err(error)) => (End::Storage(error.into()), Default::default()),
            Err(_panic) => (End::Storage(AccessError::Damaged), Default::default()),
        };
        let outcome = tally.outcome(&connection, end, here, there);
        progress.send_modify(|state| state.is_fully_synced = outcome.is_fully_synced);
        outcome
    }
}

/// Entries that became durable after the conversation ended: the other conversations and the owner hear of them too.
fn finish_entries(shared: &Arc<Shared>, stored: StoredEntries) {
    let StoredEntries { result, logs, records, names_blobs, token: _ } = stored;
    let Ok(committed) = result else { return };
    let tips = committed.tips.iter().filter(|tip| logs.contains(&tip.log)).filter_map(local_tip).collect();
    shared.hub.publish(None, &LocalChange { tips, blobs: names_blobs, ..LocalChange::default() });
    if let Some(owner) = shared.owner.clone() {
        spawn_blocking(move || owner.entries_arrived(&records));
    }
}

impl Tally {
    fn is_fully_synced(&self) -> bool {
        self.is_rest_current && self.rest.is_some_and(|rest| rest.is_fully_synced)
    }

    fn outcome(
        self,
        connection: &Connection,
        end: End,
        missing_here: MissingHere,
        missing_there: Vec<outcome::BehindLog>,
    ) -> SyncOutcome {
        // The two sides may agree and both lack the same entry.
        let is_fully_synced = self.is_fully_synced() && missing_here.is_nothing();
        let stats = connection.stats();
        SyncOutcome {
            is_fully_synced,
            peer: self.peer,
            transport: connection.peer(),
            end,
            rest: self.rest,
            missing_here,
            missing_there,
            refused: self.refused,
            failed: self.failed,
            progress: self.progress,
            bytes_sent: stats.udp_sent.bytes,
            bytes_received: stats.udp_received.bytes,
        }
    }
}

impl Lane {
    fn begin(
        index: usize,
        class: Class,
        connection: &Connection,
        tell: &UnboundedSender<Event>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let (frames, mut waiting) = mpsc::channel::<Vec<u8>>(1);
        let (connection, tell) = (connection.clone(), tell.clone());
        tasks.spawn(async move {
            while let Some(frame) = waiting.recv().await {
                if connection.send(link_class(class), frame).await.is_err()
                    || tell.send(Event::LaneFree(index)).is_err()
                {
                    break;
                }
            }
        });
        Self { class, frames, is_free: true }
    }
}

/// The conversation's codes stand above the link's own, except good-bye, which both have as 0.
fn wire_code(code: CloseCode) -> u32 {
    match code {
        CloseCode::Bye => close_code::DONE,
        other => {
            close_code::SESSION_FROM + u32::try_from(other.number()).unwrap_or(u32::MAX - close_code::SESSION_FROM)
        }
    }
}

fn session_code(number: u32) -> Option<CloseCode> {
    let number = number.checked_sub(close_code::SESSION_FROM)?;
    CloseCode::from_number(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_travel_above_those_of_the_link_and_read_back() {
        for code in CloseCode::ALL.into_iter().filter(|code| *code != CloseCode::Bye) {
            assert!(wire_code(code) > close_code::TOO_MANY_FROM_PEER);
            assert_eq!(session_code(wire_code(code)), Some(code));
        }
        assert_eq!(wire_code(CloseCode::Bye), close_code::DONE);
        assert_eq!(session_code(close_code::FRAME_TOO_LARGE), None);
    }
}
