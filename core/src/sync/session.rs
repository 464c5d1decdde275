//! One side of a conversation: what it is made of, and what its host calls.

use std::collections::BTreeMap;

use super::bodies::Bodies;
use super::close::{Close, CloseCode};
use super::config::{CutKey, LocalState, SessionConfig};
use super::fetching::Fetching;
use super::frame::{Frame, HelloV2, LogTip, Rest, StatementClass};
use super::hello;
use super::io::{Action, Class, Input, LocalChange};
use super::outbox::Outbox;
use super::peer::Peer;
use super::probe::Probes;
use super::receiving::Receiving;
use super::report::{Progress, Report};
use super::resting::Resting;
use super::sending::Sending;
use super::serving::Serving;
use super::statements::Statements;
use super::tips::Logs;
use super::version::Version;
use crate::id::{LogId, ScopeId, StatementId};

/// Longest time until the peer is known: a hello and its certificate, over a link that loses most of what it is given.
const GREETING_MS: u64 = 30_000;
/// Longest time for a device to be told the charter and its certificate: 400 kB at 32 kbit/s.
const ENROLLING_MS: u64 = 120_000;

/// One side of one conversation; see the [module](super).
#[derive(Debug)]
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) out: Outbox,
    pub(super) phase: Phase,
    pub(super) statements: Statements,
    pub(super) logs: Logs,
    pub(super) probes: Probes,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    pub(super) bodies: Bodies,
    pub(super) fetching: Fetching,
    pub(super) serving: Serving,
    pub(super) resting: Resting,
    /// Whether the peer asked for our certificate.
    pub(super) is_shown: bool,
    clock: Clock,
    reported: Progress,
}

/// Where the conversation stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing is known of the peer but its transport key.
    Greeting(Box<Greeting>),
    /// One side has no certificate that the other can check.
    Enrolling {
        /// Whether the peer said that it has nothing more for us.
        is_told: bool,
    },
    /// Both sides know who the other is.
    Talking(Box<Talking>),
    /// Over.
    Closed,
}

/// What our hello said, and what happened since.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) local: LocalState,
    pub(super) tips: Vec<(ScopeId, [u8; 32])>,
    pub(super) changes: Vec<LocalChange>,
    /// What we say to a peer once it is judged, if it called us.
    pub(super) hello: Option<Frame>,
    /// A hello whose certificate is looked up or asked for, and the frames that came after it.
    pub(super) unknown: Option<HelloV2>,
    pub(super) later: Vec<Vec<u8>>,
    pub(super) later_bytes: usize,
}

/// The peer, and whether it can judge entries.
#[derive(Debug)]
pub(super) struct Talking {
    pub(super) peer: Peer,
    pub(super) is_peer_ready: bool,
    /// The digests of our statements, while the peer's are awaited.
    pub(super) classes: Option<BTreeMap<StatementClass, [u8; 32]>>,
    /// What both hellos come to, if they say that the two sides hold the same of everything.
    pub(super) same: Option<Rest>,
    /// Whether that is still so here.
    pub(super) is_same: bool,
    /// Whether only what changed since an agreement was compared.
    pub(super) is_since: bool,
}

#[derive(Debug, Default)]
struct Clock {
    /// When the conversation began.
    begun_ms: Option<u64>,
    /// When there was progress last, as far as wakes tell.
    since_ms: Option<u64>,
    has_progressed: bool,
}

impl Session {
    /// Begins a conversation. The hello of the side that [calls](SessionConfig::calls) is ready to be sent at once.
    pub fn new(config: SessionConfig, mut local: LocalState) -> Self {
        let mut out = Outbox::default();
        local.statements.retain(|class, _| config.version.speaks_of(*class));
        let granted = config.certificate.as_ref().map_or(&[][..], |certificate| certificate.scopes());
        let mut logs = Logs::new(std::mem::take(&mut local.tips), granted);
        let tips = logs.digests(config.version);
        let hello = match config.version {
            Version::V1 => Frame::Hello(hello::first(&config, &local, &tips)),
            Version::V2 | Version::V3 => {
                hello::forget_unless_usable(&mut local, &logs);
                Frame::HelloV2(hello::second(&config, &local, &tips))
            }
        };
        if config.calls {
            out.say(&hello);
        }
        let hello = (!config.calls).then_some(hello);
        let bodies = Bodies::new(config.version >= Version::V2 && config.wants.entries());
        let (sending, statements) = (Sending::new(config.version), Statements::new(config.version));
        Self {
            config,
            out,
            phase: Phase::Greeting(Box::new(Greeting {
                local,
                tips,
                changes: Vec::new(),
                hello,
                unknown: None,
                later: Vec::new(),
                later_bytes: 0,
            })),
            is_shown: false,
            statements,
            logs,
            probes: Probes::default(),
            sending,
            receiving: Receiving::default(),
            bodies,
            fetching: Fetching::default(),
            serving: Serving::default(),
            resting: Resting::default(),
            clock: Clock::default(),
            reported: Progress::default(),
        }
    }

    /// Takes notice of what happened. Never fails: what a peer must not do ends in [`Action::Close`].
    pub fn handle(&mut self, input: Input) {
        if self.is_closed() {
            return;
        }
        let handled = self.take(input).and_then(|()| self.drive());
        self.close_on(handled);
    }

    /// The next thing to do; `None`: wait for an input, or for the link to take more.
    pub fn poll(&mut self) -> Option<Action> {
        if let Some(action) = self.out.next_action() {
            return Some(action);
        }
        let progress = self.progress();
        if progress == self.reported || self.is_closed() {
            return None;
        }
        self.reported = progress;
        Some(Action::Report(Report::Progress(progress)))
    }

    /// The next frame of `class`, to be asked for when the link takes more of this class.
    pub fn poll_send(&mut self, class: Class) -> Option<Vec<u8>> {
        if self.is_closed() {
            return None;
        }
        let frame = self.next_frame(class);
        if frame.is_some() {
            self.clock.has_progressed = true;
            let driven = self.drive();
            self.close_on(driven);
        }
        frame
    }

    /// Whether frames of this class should be read from the link now.
    ///
    /// Until the peer's hello is judged only control is read: classes overtake each other, and what the others carry means
    /// nothing without knowing whose it is. After it nothing is read while the store is behind. Either ends with a frame of
    /// control or an answer of the host.
    pub fn is_receiving(&self, class: Class) -> bool {
        let is_known = !matches!(self.phase, Phase::Greeting(_));
        !self.is_closed()
            && (is_known || class == Class::Control)
            && self.statements.is_receiving()
            && self.fetching.bytes_uncommitted() < self.config.limits.chunk_bytes_max
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let (entries_to_send, entries_sent) = self.sending.counts();
        let mut blobs = self.fetching.progress();
        for (blobs, sent) in blobs.iter_mut().zip(self.serving.sent()) {
            (blobs.sent, blobs.bytes_sent) = (sent.sent, sent.bytes_sent);
        }
        Progress {
            entries_to_send,
            entries_sent,
            entries_to_receive: self.logs.behind(),
            entries_received: self.receiving.received(),
            blobs,
        }
    }

    /// What the peer is known to hold of the logs of the shared scopes: what it named, and what was agreed or compared equal.
    pub fn peer_tips(&self) -> impl Iterator<Item = LogTip> + '_ {
        self.logs.remotes()
    }

    /// How many entries of a log of this scope the peer holds without a gap: 0 if it is known not to hold the log, `None`
    /// while it has not told, or where the scope is not shared.
    pub fn peer_height(&self, log: LogId, scope: ScopeId) -> Option<u64> {
        self.logs.remote_height(log, scope)
    }

    fn take(&mut self, input: Input) -> Result<(), Close> {
        match input {
            Input::Frame(class, bytes) => {
                self.clock.has_progressed = true;
                self.hear(class, bytes)
            }
            Input::Wake(now_ms) => self.on_wake(now_ms),
            Input::Loaded { token, loaded } => match self.out.settle(token) {
                Some(purpose) => self.on_loaded(purpose, loaded),
                None => Ok(()),
            },
            Input::Verified { token, batch } => {
                self.out.settle(token);
                self.receiving.on_verified(token, batch);
                Ok(())
            }
            Input::Admitted { token, admission } => match self.out.settle(token) {
                Some(purpose) => self.on_admitted(purpose, admission),
                None => Ok(()),
            },
            Input::Committed { token, committed } => match self.out.settle(token) {
                Some(purpose) => self.on_committed(token, purpose, committed),
                None => Ok(()),
            },
            Input::ReceiptSigned { token, receipt, earlier } => {
                self.out.settle(token);
                self.on_receipt_signed(receipt, earlier);
                Ok(())
            }
            Input::LocalChange(change) => self.on_local_change(change),
            Input::Stop => Err(Close::new(CloseCode::Bye, "stopped")),
        }
    }

    pub(super) fn on_local_change(&mut self, change: LocalChange) -> Result<(), Close> {
        match &mut self.phase {
            Phase::Greeting(greeting) => {
                greeting.changes.push(change);
                return Ok(());
            }
            Phase::Talking(_) => {}
            Phase::Enrolling { .. } | Phase::Closed => return Ok(()),
        }
        let LocalChange { tips, statements, cuts, blobs, bodies } = change;
        self.logs.on_local(&tips);
        self.on_cuts(&cuts);
        self.tell_statements(&statements);
        if blobs {
            self.fetching.look_again(false);
        }
        if bodies {
            self.bodies.look_again();
        }
        if blobs || bodies || !tips.is_empty() {
            self.withdraw();
        }
        Ok(())
    }

    /// The peer is told of statements that hold now; if its key is cut, of its cuts and what shows what they leave.
    pub(super) fn tell_statements(&mut self, new: &[(StatementClass, StatementId)]) {
        match &self.phase {
            Phase::Talking(talking) if talking.peer.is_cut() => {
                self.statements.tell_cut(new.iter().copied().filter(|new| talking.peer.cuts.contains(new)));
            }
            _ => self.statements.on_local_change(new),
        }
    }

    /// If the peer's key was cut, it receives nothing more from here on.
    pub(super) fn on_cuts(&mut self, cuts: &[CutKey]) {
        let Phase::Talking(talking) = &mut self.phase else { return };
        if !talking.peer.learn(cuts) {
            return;
        }
        self.statements.restrict(&talking.peer.cuts);
        self.sending.restrict(&mut self.out);
        self.serving.restrict();
        let lists = self.logs.restrict();
        lists.into_iter().for_each(|scope| self.out.say(&Frame::List(scope)));
        let (store, certificate) = (talking.peer.store, Box::new(talking.peer.certificate.clone()));
        self.out.report(Report::Peer { store, certificate, is_cut: true });
    }

    fn next_frame(&mut self, class: Class) -> Option<Vec<u8>> {
        match class {
            Class::Control => {
                // Small answers first: they let the other side go on while we tell it long lists.
                let long = || self.statements.next_frame().or_else(|| self.logs.next_frame());
                self.out.next_control().or_else(long)
            }
            Class::Entries => match self.sending.next_frame() {
                Ok(Some(frame)) => {
                    self.withdraw_both();
                    Some(frame)
                }
                Ok(None) => None,
                Err(close) => {
                    self.close_on(Err(close));
                    None
                }
            },
            Class::Blobs(class) => self.serving.next_frame(class),
        }
    }

    fn on_wake(&mut self, now_ms: u64) -> Result<(), Close> {
        let since_ms = *self.clock.since_ms.get_or_insert(now_ms);
        let lasted_ms = now_ms.saturating_sub(*self.clock.begun_ms.get_or_insert(now_ms));
        // A stranger may not keep his place by saying something now and then.
        match &self.phase {
            Phase::Greeting(_) if lasted_ms > GREETING_MS && !self.out.is_waiting_for_host() => {
                return Err(Close::new(CloseCode::TooSlow, "no hello"));
            }
            Phase::Enrolling { .. } if lasted_ms > ENROLLING_MS => {
                return Err(Close::new(CloseCode::NotEnrolled, "no certificate"));
            }
            Phase::Greeting(_) | Phase::Enrolling { .. } | Phase::Talking(_) | Phase::Closed => {}
        }
        // While the host owes an answer it is not the peer that is slow.
        let is_fine = std::mem::take(&mut self.clock.has_progressed)
            || self.out.is_waiting_for_host()
            || self.resting.are_both_at_rest();
        let waited_ms = now_ms.saturating_sub(since_ms);
        let limit_ms = self.config.limits.progress_ms;
        // Bodies and blobs are given up before the peer, whose limit may be the same, gives us up.
        let mut give_up = || self.bodies.give_up() | self.fetching.give_up(&mut self.out);
        if is_fine || (waited_ms > limit_ms / 2 && give_up()) {
            self.clock.since_ms = Some(now_ms);
            return Ok(());
        }
        if waited_ms <= limit_ms {
            return Ok(());
        }
        match &self.phase {
            Phase::Enrolling { .. } => Err(Close::new(CloseCode::NotEnrolled, "no certificate")),
            Phase::Greeting(_) | Phase::Talking(_) | Phase::Closed => {
                Err(Close::new(CloseCode::TooSlow, "no progress"))
            }
        }
    }

    /// Something here changed.
    pub(super) fn withdraw(&mut self) {
        self.resting.withdraw();
        self.out.unsay_rest();
        if let Phase::Talking(talking) = &mut self.phase {
            talking.is_same = false;
        }
    }

    /// Entries travel: neither side rests.
    pub(super) fn withdraw_both(&mut self) {
        self.withdraw();
        self.resting.withdraw_theirs();
    }

    fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn close_on(&mut self, result: Result<(), Close>) {
        if let Err(close) = result {
            self.phase = Phase::Closed;
            self.out.close(close);
        }
    }
}
