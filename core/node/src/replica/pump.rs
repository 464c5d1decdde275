//! A conversation over a link, spread over threads: the pump between its session, its link and those who work for it.
//!
//! The pump itself never waits for a disk and never verifies; it hands that to others and takes their answers.

use std::sync::Arc;
use std::sync::mpsc::{self as blocking, Sender};
use std::time::Duration;

use merestone_core::sync::{Action, Close, Input, LocalChange, Report, Session, Token, UnverifiedBatch};
use merestone_link::{Connection, PeerKey};
use merestone_store::CommitError;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::answer::{readable, session_class};
use super::codes::{end_of, wire_code};
use super::host::{Answer, Delayed, Host, News, Opening, changes_holding};
use super::hub::Subscription;
use super::lanes::Lanes;
use super::outcome::{End, SyncOutcome};
use super::progress::SyncProgress;
use super::tally::{Tally, Traffic};
use super::writing::{Done, Job, Writing};
use crate::device::AccessError;

/// How often the session learns the time; it asks for once a second.
const WAKE: Duration = Duration::from_secs(1);

/// From one receipt of a conversation to the next. While people write and are connected, each entry would otherwise be
/// followed by two receipts and what they make durable on both sides, some eight flushes, and the next entry waits for those.
const RECEIPT_INTERVAL: Duration = Duration::from_secs(1);

/// What others did for the pump.
enum Event {
    Answer(Answer),
    /// To be asked again.
    Delayed(Delayed),
    /// A thread of ours died.
    Broken,
}

pub(super) struct Pump {
    peer: PeerKey,
    host: Host,
    connection: Connection,
    session: Session,
    subscription: Subscription,

    jobs: Sender<Job>,
    events: UnboundedReceiver<Event>,
    tell: UnboundedSender<Event>,
    done: UnboundedReceiver<Done>,
    lanes: Lanes,
    /// Requests for what another conversation is receiving.
    delayed: Vec<Delayed>,
    /// A receipt to sign, once it may be.
    receipt: Option<Token>,
    /// When the next receipt may be signed.
    next_receipt: Instant,

    tally: Tally,
    progress: watch::Sender<SyncProgress>,
}

impl Pump {
    pub(super) fn new(opening: Opening, connection: Connection, progress: watch::Sender<SyncProgress>) -> Self {
        let Opening { host, session, subscription } = opening;
        // Unbounded, and bounded by what the session has outstanding.
        let (tell, events) = mpsc::unbounded_channel();
        let (tell_done, done) = mpsc::unbounded_channel();
        let (jobs, waiting) = blocking::channel();
        let writing = Writing { host: host.clone(), done: tell_done };
        let broken = tell.clone();
        tokio::spawn(async move {
            if spawn_blocking(move || writing.run(&waiting)).await.is_err() {
                // The pump may be gone; then nobody needs to know.
                let _ = broken.send(Event::Broken);
            }
        });
        let (peer, lanes) = (connection.peer(), Lanes::open(&connection));
        let (tally, delayed) = (Tally::default(), Vec::new());
        Self {
            peer,
            host,
            connection,
            session,
            subscription,
            jobs,
            events,
            tell,
            done,
            lanes,
            delayed,
            receipt: None,
            next_receipt: Instant::now(),
            tally,
            progress,
        }
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) -> SyncOutcome {
        let began = Instant::now();
        let mut ticks = interval(WAKE);
        let mut is_stopped = false;
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Some(close) = self.settle() {
                self.connection.close(wire_code(close.code), close.reason);
                break self.tally.end_of(close, is_stopped);
            }
            let readable = readable(|class| self.session.is_receiving(class));
            tokio::select! {
                Some(event) = self.events.recv() => self.on_event(event),
                Some(done) = self.done.recv() => self.on_done(done),
                () = self.lanes.freed() => {}
                frame = self.connection.recv_of(&readable), if !readable.is_empty() => match frame {
                    Ok((class, frame)) => self.session.handle(Input::Frame(session_class(class), frame)),
                    Err(error) => break end_of(error),
                },
                info = self.connection.closed(), if readable.is_empty() => break end_of(info.into()),
                change = self.subscription.next() => self.on_change(change),
                () = sleep_until(self.next_receipt), if self.receipt.is_some() => self.sign_receipt(),
                _ = ticks.tick() => {
                    let elapsed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    self.try_delayed(1);
                    self.session.handle(Input::Wake(elapsed));
                }
                Ok(_) = stop.wait_for(|stop| *stop), if !is_stopped => {
                    is_stopped = true;
                    self.session.handle(Input::Stop);
                }
            }
        };
        self.take_what_arrived();
        self.finish(end).await
    }

    /// Hands over the frames that arrived whole before the link ended, so that nothing of them has to come again: chunks are
    /// written. As many as the link's windows hold, and none waits for anything.
    fn take_what_arrived(&mut self) {
        while let Some((class, frame)) = self.connection.try_recv() {
            self.session.handle(Input::Frame(session_class(class), frame));
            while let Some(action) = self.session.poll() {
                // It was said already why it ended.
                let _ = self.act(action);
            }
        }
    }

    fn sign_receipt(&mut self) {
        let Some(token) = self.receipt.take() else { return };
        self.next_receipt = Instant::now() + RECEIPT_INTERVAL;
        self.answer_later(move |host| host.sign_receipt(token));
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
            is_busy |= self.lanes.feed(|class| self.session.poll_send(class));
            if !is_busy {
                return None;
            }
        }
    }

    fn act(&mut self, action: Action) -> Option<Close> {
        match action {
            Action::Load { token, request } => self.load(Delayed { token, request, waited: 0 }),
            Action::Verify { token, batch } => self.verify(token, batch),
            Action::Admit { token, class, statements } => self.make_durable(Job::Admit { token, class, statements }),
            Action::Commit { token, commit } => {
                if changes_holding(&commit) {
                    self.tally.outdate_rest();
                }
                self.make_durable(Job::Commit { token, commit });
            }
            Action::SignReceipt { token } => self.receipt = Some(token),
            Action::Remember(agreement) => self.make_durable(Job::Remember(agreement)),
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
    fn answer_later(&self, work: impl FnOnce(&Host) -> Answer + Send + 'static) {
        let (host, tell) = (self.host.clone(), self.tell.clone());
        let work = spawn_blocking(move || work(&host));
        tokio::spawn(async move {
            let event = work.await.map_or(Event::Broken, Event::Answer);
            // A conversation that is over waits for nothing.
            let _ = tell.send(event);
        });
    }

    fn load(&self, mut delayed: Delayed) {
        let (host, tell) = (self.host.clone(), self.tell.clone());
        let work = spawn_blocking(move || match host.load(&mut delayed) {
            Some(answer) => Event::Answer(answer),
            None => Event::Delayed(delayed),
        });
        tokio::spawn(async move {
            // A conversation that is over waits for nothing.
            let _ = tell.send(work.await.unwrap_or(Event::Broken));
        });
    }

    fn try_delayed(&mut self, waited: u32) {
        for mut delayed in std::mem::take(&mut self.delayed) {
            delayed.waited += waited;
            self.load(delayed);
        }
    }

    fn verify(&self, token: Token, batch: UnverifiedBatch) {
        let (host, tell) = (self.host.clone(), self.tell.clone());
        tokio::spawn(async move {
            let Ok(core) = Arc::clone(&host.shared.cores).acquire_owned().await else { return };
            let verified = spawn_blocking(move || {
                let input = host.verify(token, batch);
                drop(core);
                Answer::ok(input)
            });
            let _ = tell.send(verified.await.map_or(Event::Broken, Event::Answer));
        });
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Answer(answer) => self.on_answer(answer),
            Event::Delayed(delayed) => self.delayed.push(delayed),
            Event::Broken => {
                self.tally.first_trouble(AccessError::Internal);
                self.session.handle(Input::Stop);
            }
        }
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Answer(answer) => self.on_answer(answer),
            Done::Entries(news, result) => self.on_stored(news, result),
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        if let Some(trouble) = answer.trouble {
            self.tally.trouble(trouble);
        }
        self.session.handle(answer.input);
    }

    /// Entries are durable or refused. The other conversations hear of it at once, since they only pass it on.
    fn on_stored(&mut self, news: News, result: Result<merestone_store::Committed, CommitError>) {
        let committed = match result {
            Ok(committed) => committed,
            Err(error) => return self.on_answer(Answer::failed(news.token(), error.into())),
        };
        let tips = self.host.tell_others(&news, &committed);
        if self.host.must_follow(&news, &tips) {
            self.answer_later(move |host| host.follow(news, tips));
        } else {
            self.session.handle(news.committed(tips));
        }
    }

    fn on_change(&mut self, change: LocalChange) {
        if !change.tips.is_empty() || change.blobs {
            self.tally.outdate_rest();
        }
        self.try_delayed(0);
        self.session.handle(Input::LocalChange(change));
    }

    fn on_report(&mut self, report: Report) {
        if let Report::PeerAhead(heights) = &report
            && self.host.has_owner()
        {
            let (host, heights) = (self.host.clone(), heights.clone());
            spawn_blocking(move || host.compare_own(&heights));
        }
        let is_of_peer = matches!(report, Report::Peer { .. });
        self.host.heed(report, &mut self.tally);
        if is_of_peer && self.tally.knows_peer() {
            self.connection.vouch();
        }
        self.progress.send_replace(self.tally.shown());
    }

    /// Waits for what is on its way to the disk, and looks at what is missing then.
    async fn finish(self, end: End) -> SyncOutcome {
        let Self { peer, host, connection, jobs, mut done, mut tally, progress, session, .. } = self;
        tally.progress = session.progress();
        drop(jobs);
        // The writing thread keeps its end until its last batch is durable.
        while let Some(done) = done.recv().await {
            match done {
                Done::Answer(Answer { input: _, trouble: Some(trouble) }) => tally.trouble(trouble),
                Done::Answer(Answer { input: _, trouble: None }) => {}
                // The other conversations and the owner hear of them too.
                Done::Entries(news, result) => {
                    let host = host.clone();
                    spawn_blocking(move || host.stored(news, result));
                }
            }
        }
        let looked = spawn_blocking(move || {
            let missing = host.look_for_missing(&session);
            (tally, missing)
        });
        let (tally, missing) = match looked.await {
            Ok(looked) => looked,
            Err(_panic) => (Tally::default(), Err(AccessError::Internal)),
        };
        let outcome = tally.outcome(peer, Traffic::from(connection.stats()), end, missing);
        progress.send_modify(|state| state.is_fully_synced = outcome.is_fully_synced);
        outcome
    }
}
