//! One conversation that its caller drives on his own thread: no runtime, no threads, no clock, no socket.
//!
//! For carriers that are not a link of ours, another radio say, and for a link on one thread. All work on the store
//! happens inside the calls, in order, so the same calls on the same stores give the same conversation; a store opened
//! with [`Threads::Caller`](merestone_store::Threads) starts no thread either.

use std::collections::VecDeque;
use std::fmt;

use merestone_core::entry::VerifiedEntry;
use merestone_core::sync::frame::Wants;
use merestone_core::sync::{
    Action, Class, Close, CloseCode, Commit, Committed, Input, Limits, LocalChange, Report, Session, Token, Version,
};
use merestone_link::{Loss, PeerKey};

use super::early::Early;
use super::host::{Answer, Arriving, Delayed, Host, Opening, changes_holding};
use super::hub::Subscription;
use super::storing::WaitingChunk;
use super::tally::{Tally, Traffic};
use super::{End, Replica, SyncOutcome, SyncProgress};
use crate::device::AccessError;

/// How a conversation is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TalkOptions {
    /// Which version of the conversation the carrier agreed on with the peer.
    pub version: Version,
    /// What this side wants to receive.
    pub wants: Wants,
    /// Whether this side called the peer: it says hello first, the other when it has judged that.
    pub calls: bool,
    /// Whether to stay after both sides hold the same, and pass on what is written then.
    pub stay: bool,
    /// Limits of this side.
    pub limits: Limits,
    /// When a conversation that its caller drives works on the store.
    pub pace: Pace,
}

/// When a [`Talk`] does its work: to read, verify, store and sign. A conversation over a link of ours that has threads does it
/// there in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Pace {
    /// At once, within the call that made it necessary.
    #[default]
    AtOnce,
    /// When the caller says [`Talk::work`], a piece at a time, in the order in which it became necessary: for programs that
    /// may not block for long. Frames may come and go meanwhile.
    WhenTold,
}

impl Default for TalkOptions {
    /// Everything, until both sides hold the same, in the newest version, with a peer that was called.
    fn default() -> Self {
        let (wants, limits) = (Wants::EVERYTHING, Limits::default());
        Self { version: Version::NEWEST, calls: true, wants, stay: false, limits, pace: Pace::AtOnce }
    }
}

/// One conversation with one peer, driven by its caller.
///
/// Carry every frame of [`next_frame`](Self::next_frame) to the peer's [`deliver`](Self::deliver): in order within a class,
/// classes with lower numbers first, and none of a class that is not [received](Self::is_receiving) now. Between, [`wake`](Self::wake) it once a second and
/// [`look`](Self::look) whether another conversation or the person at this device brought news.
/// When [`close`](Self::close) says so, tell the peer the code and [`finish`](Self::finish). Dropping it at any moment
/// loses nothing that was committed.
///
/// ```no_run
/// # fn carry(here: &merestone_node::replica::Replica, there: &merestone_node::replica::Replica)
/// # -> Result<(), merestone_node::device::AccessError> {
/// use merestone_core::sync::Class;
/// use merestone_node::replica::{Talk, TalkOptions};
///
/// let mut phone = Talk::begin(here, there.transport_key(), TalkOptions::default())?;
/// let mut camp = Talk::begin(there, here.transport_key(), TalkOptions { stay: true, ..TalkOptions::default() })?;
/// while phone.close().is_none() && camp.close().is_none() {
///     for class in Class::ALL {
///         while let Some(frame) = phone.next_frame(class) {
///             camp.deliver(class, frame);
///         }
///         while let Some(frame) = camp.next_frame(class) {
///             phone.deliver(class, frame);
///         }
///     }
/// }
/// if let Some(close) = phone.close() {
///     camp.closed_by_peer(close.code);
/// }
/// assert!(phone.finish().is_fully_synced && camp.finish().is_fully_synced);
/// # Ok(())
/// # }
/// ```
pub struct Talk {
    peer: PeerKey,
    host: Host,
    session: Session,
    subscription: Subscription,
    early: Early,
    /// Requests for what another conversation is receiving.
    delayed: Vec<Delayed>,
    pace: Pace,
    /// What is to be done when told.
    work: VecDeque<Action>,
    tally: Tally,
    traffic: Traffic,

    now_ms: u64,
    is_stopped: bool,
    /// Something was reported since it was last asked for.
    has_news: bool,
    close: Option<Close>,
    end: Option<End>,
}

impl Talk {
    /// Begins a conversation of this replica with the peer that holds the transport key `peer`, as its carrier has proved.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn begin(replica: &Replica, peer: PeerKey, options: TalkOptions) -> Result<Self, AccessError> {
        Ok(Self::open(peer, Host::begin(replica.shared(), peer, options)?, options.pace))
    }

    pub(super) fn open(peer: PeerKey, opening: Opening, pace: Pace) -> Self {
        let Opening { host, session, subscription } = opening;
        let mut talk = Self {
            peer,
            host,
            session,
            subscription,
            early: Early::default(),
            delayed: Vec::new(),
            pace,
            work: VecDeque::new(),
            tally: Tally::default(),
            traffic: Traffic::default(),
            now_ms: 0,
            is_stopped: false,
            has_news: false,
            close: None,
            end: None,
        };
        talk.settle();
        talk
    }

    /// Takes a frame of the peer. What a peer must not send ends the conversation; see [`close`](Self::close).
    pub fn deliver(&mut self, class: Class, frame: Vec<u8>) {
        self.traffic.heard(frame.len());
        self.hand(Input::Frame(class, frame));
    }

    /// Tells the time: milliseconds of a clock that does not jump, about once a second. It decides only how long a
    /// silent peer is waited for.
    pub fn wake(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.try_delayed(1);
        self.hand(Input::Wake(now_ms));
    }

    /// Takes up what others committed on this replica: another conversation, or [`Replica::notify`]. Whether there was anything.
    pub fn look(&mut self) -> bool {
        let Some(change) = self.subscription.take() else { return false };
        self.take_up(change);
        true
    }

    /// Does one piece of the work that waits, at the pace [`Pace::WhenTold`]. Whether there was any.
    pub fn work(&mut self) -> bool {
        let Some(action) = self.work.pop_front().filter(|_| !self.is_over()) else { return false };
        self.act(action);
        self.settle();
        true
    }

    /// Whether work waits for [`work`](Self::work).
    pub fn has_work(&self) -> bool {
        !self.work.is_empty() && !self.is_over()
    }

    /// Ends it with a good-bye.
    pub fn stop(&mut self) {
        self.is_stopped = true;
        self.hand(Input::Stop);
    }

    /// The peer ended it, with this code.
    pub fn closed_by_peer(&mut self, code: CloseCode) {
        let end = match code {
            CloseCode::Bye => End::Done,
            code => {
                let number = u32::try_from(code.number()).unwrap_or(u32::MAX);
                End::ClosedByPeer { code: Some(code), number, reason: code.name().to_owned() }
            }
        };
        self.ended(end);
    }

    /// The carrier lost the peer.
    pub fn lost(&mut self) {
        self.ended(End::Lost { cause: Loss::TimedOut });
    }

    /// The next frame of this class for the peer; `None`: nothing now. Ask whenever the carrier takes more, and for the
    /// more urgent classes first.
    pub fn next_frame(&mut self, class: Class) -> Option<Vec<u8>> {
        if self.is_over() {
            return None;
        }
        let frame = self.session.poll_send(class);
        self.settle();
        self.traffic.said(frame.as_ref().map_or(0, Vec::len));
        frame
    }

    /// Whether frames of this class should be delivered: if not, keep them until another frame, the time or news has moved
    /// it on. Before the peer's hello only [`Class::Control`] is.
    pub fn is_receiving(&self, class: Class) -> bool {
        !self.is_over() && self.session.is_receiving(class)
    }

    /// With what the peer is to be left, once this side ends the conversation.
    pub fn close(&self) -> Option<Close> {
        self.close
    }

    /// Whether it is over, by either side.
    pub fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// How far it has come.
    pub fn progress(&self) -> SyncProgress {
        self.tally.shown()
    }

    /// What it came to, and what is missing on either side. A conversation that is not over is taken for stopped.
    pub fn finish(mut self) -> SyncOutcome {
        let end = self.end.take().unwrap_or(End::Stopped);
        self.tally.progress = self.session.progress();
        let missing = self.host.look_for_missing(&self.session);
        self.tally.outcome(self.peer, self.traffic, end, missing)
    }

    /// Whether something was reported since the last call.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Whether the peer is a member of the mission in good standing.
    pub(super) fn knows_peer(&self) -> bool {
        self.tally.knows_peer()
    }

    /// The link says how it ended, and what it carried.
    pub(super) fn ended(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    pub(super) fn count(&mut self, traffic: Traffic) {
        self.traffic = traffic;
    }

    /// Waits for news of others, to be [taken up](Self::take_up). Dropping the future loses nothing.
    pub(super) async fn news(&self) -> LocalChange {
        self.subscription.next().await
    }

    pub(super) fn take_up(&mut self, change: LocalChange) {
        if !change.tips.is_empty() || change.blobs {
            self.tally.outdate_rest();
        }
        self.try_delayed(0);
        self.hand(Input::LocalChange(change));
    }

    fn hand(&mut self, input: Input) {
        if self.is_over() {
            return;
        }
        self.session.handle(input);
        self.settle();
    }

    /// Does everything that the session wants now.
    fn settle(&mut self) {
        loop {
            while let Some(action) = self.session.poll() {
                match (&action, self.pace) {
                    (Action::Report(_) | Action::Close(_), _) | (_, Pace::AtOnce) => self.act(action),
                    (_, Pace::WhenTold) => self.work.push_back(action),
                }
            }
            if self.early.is_empty() {
                return;
            }
            let ready = self.early.take(&self.host, self.now_ms);
            if ready.is_empty() {
                return;
            }
            for (token, ready) in ready {
                match ready {
                    Ok(entries) => self.entries(token, entries),
                    Err(refused) => self.answer(Answer::committed(token, Committed::EntriesRefused(refused))),
                }
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Load { token, request } => self.load(Delayed { token, request, waited: 0 }),
            Action::Verify { token, batch } => self.session.handle(self.host.verify(token, batch)),
            Action::Admit { token, class, statements } => self.answer(self.host.admit(token, class, &statements)),
            Action::Commit { token, commit } => self.commit(token, commit),
            Action::SignReceipt { token } => self.answer(self.host.sign_receipt(token)),
            Action::Remember(agreement) => self.host.remember(agreement),
            Action::Report(report) => {
                if let Report::PeerAhead(heights) = &report {
                    self.host.compare_own(heights);
                }
                self.host.heed(report, &mut self.tally);
                self.has_news = true;
            }
            Action::Close(close) => {
                self.close = Some(close);
                let end = self.tally.end_of(close, self.is_stopped);
                self.end.get_or_insert(end);
            }
        }
    }

    fn load(&mut self, mut delayed: Delayed) {
        match self.host.load(&mut delayed) {
            Some(answer) => self.answer(answer),
            None => self.delayed.push(delayed),
        }
    }

    fn try_delayed(&mut self, waited: u32) {
        for mut delayed in std::mem::take(&mut self.delayed) {
            delayed.waited += waited;
            self.load(delayed);
        }
    }

    fn commit(&mut self, token: Token, commit: Commit) {
        if changes_holding(&commit) {
            self.tally.outdate_rest();
        }
        match commit {
            Commit::Entries(entries) => {
                if let Some(entries) = self.early.check(&self.host, token, entries, self.now_ms) {
                    self.entries(token, entries);
                }
            }
            Commit::ChunkHashes { hash, root, class: _, hashes } => {
                self.answer(self.host.chunk_hashes(token, (hash, root), &hashes));
            }
            Commit::Chunk { hash, root, index, bytes } => {
                self.answer(self.host.chunk(&WaitingChunk { token, file: (hash, root), index, bytes }));
            }
        }
    }

    fn entries(&mut self, token: Token, entries: Vec<VerifiedEntry>) {
        let answer = match self.host.prepare(token, entries) {
            Ok(Arriving { batch, news }) => self.host.stored(news, self.host.shared.store.commit(batch)),
            Err(answer) => *answer,
        };
        self.answer(answer);
    }

    fn answer(&mut self, answer: Answer) {
        if let Some(trouble) = answer.trouble {
            self.tally.trouble(trouble);
        }
        self.session.handle(answer.input);
    }
}

/// Shows with whom, and how far it has come.
impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk")
            .field("peer", &self.peer)
            .field("progress", &self.tally.progress)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
