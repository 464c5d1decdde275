//! What one conversation asks of the device that holds it: to read, verify, admit, make durable, sign, and tell others.
//!
//! Every method blocks until it is done and may be called on any thread; where and when, the pumps decide. The order in
//! which entries, statements and chunks become durable is theirs to keep.

use std::collections::BTreeSet;
use std::sync::Arc;

use merestone_core::check::{Check, Refused};
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{LogId, RecordId, ScopeId};
use merestone_core::roster::Class;
use merestone_core::sync::frame::StatementClass;
use merestone_core::sync::{
    Admission, Agreement, Commit, Committed, Input, Loaded, LocalChange, LocalTip, Report, Request, Session,
    SessionConfig, Token, UnverifiedBatch,
};
use merestone_link::PeerKey;
use merestone_store::{Batch, CommitError};

use super::agreed::Agreed;
use super::answer::local_tip;
use super::hub::{Member, Subscription};
use super::photos::named_by;
use super::reading::Reading;
use super::receipt::NoReceipt;
use super::shared::cut_keys;
use super::talk::TalkOptions;
use super::tally::Tally;
use super::{BehindLog, MissingHere, Shared, outcome};
use crate::device::AccessError;

/// One conversation's side of the store, the roster, the other conversations and the owner. Clones are the same one.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) reading: Arc<Reading>,
    pub(super) member: Member,
    peer: PeerKey,
    scopes: Arc<[ScopeId]>,
    _receiving: Arc<Receiving>,
}

/// A conversation's part in the photos that are on their way in. It ends with the last clone of its host: what arrived
/// before a link was cut is still written by the thread that writes for it, and others leave those photos to it until then.
struct Receiving {
    shared: Arc<Shared>,
    member: Member,
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if self.shared.arrivals.leave(self.member) {
            self.shared.hub.publish(None, &LocalChange { blobs: true, ..LocalChange::default() });
        }
    }
}

/// Everything that a conversation begins with.
pub(super) struct Opening {
    pub(super) host: Host,
    pub(super) session: Session,
    pub(super) subscription: Subscription,
}

/// A request that may have to wait until another conversation has received what this one wants too.
pub(super) struct Delayed {
    pub(super) token: Token,
    pub(super) request: Request,
    /// For how many seconds it has.
    pub(super) waited: u32,
}

/// How many seconds a conversation leaves a photo to another one that receives it: long enough for a photo over a slow link,
/// and less than half of what its own peer waits for a word.
const PATIENCE_TICKS: u32 = 30;

/// Something was done: the session's answer, and why not all of it, if so.
pub(super) struct Answer {
    pub(super) input: Input,
    pub(super) trouble: Option<Trouble>,
}

/// Why something that the session asked for was not done.
pub(super) enum Trouble {
    /// The store refused.
    Store(AccessError),
    /// There is no receipt.
    Receipt(NoReceipt),
}

/// Entries on their way to the store: the batch that makes them durable, and what must be told when it did.
pub(super) struct Arriving {
    pub(super) batch: Batch,
    pub(super) news: News,
}

/// What a batch of entries is about.
#[derive(Debug)]
pub(super) struct News {
    token: Token,
    logs: BTreeSet<LogId>,
    records: BTreeSet<RecordId>,
    names_blobs: bool,
    lacks_bodies: bool,
}

impl Host {
    /// Joins the other conversations of the replica, and reads what is held.
    pub(super) fn begin(shared: &Arc<Shared>, peer: PeerKey, options: TalkOptions) -> Result<Opening, AccessError> {
        let TalkOptions { version, calls, wants, stay, limits, pace: _ } = options;
        let certificate = shared.certificate();
        let scopes: Arc<[ScopeId]> = certificate.as_ref().map_or_else(Vec::new, |held| held.scopes().to_vec()).into();
        let subscription = Subscription::join(shared, scopes.to_vec());
        let asks_for_all = limits.blob_bytes_max == u64::MAX;
        let reading = Arc::new(Reading::new(Arc::clone(shared), subscription.member(), asks_for_all));
        let local = reading.local_state(peer, &scopes, wants)?;
        let identity = shared.store.identity()?;
        let config = SessionConfig {
            version,
            mission: identity.mission,
            charter: Some(shared.authority.roster().charter().clone()),
            certificate,
            store: identity.store,
            peer_transport: *peer.as_bytes(),
            calls,
            wants,
            stay,
            limits,
        };
        let member = subscription.member();
        let receiving = Arc::new(Receiving { shared: Arc::clone(shared), member });
        let host = Self { shared: Arc::clone(shared), peer, reading, member, scopes, _receiving: receiving };
        Ok(Opening { host, session: Session::new(config, local), subscription })
    }

    /// Reads what the session asks for; `None`: ask again when something changed, and once a second.
    pub(super) fn load(&self, delayed: &mut Delayed) -> Option<Answer> {
        let is_patient = delayed.waited < PATIENCE_TICKS;
        let token = delayed.token;
        Some(match self.reading.load(delayed.request.clone(), is_patient)? {
            Ok(loaded) => Answer::ok(Input::Loaded { token, loaded }),
            Err(error) => Answer {
                input: Input::Loaded { token, loaded: Loaded::Failed },
                trouble: Some(Trouble::Store(error.into())),
            },
        })
    }

    pub(super) fn verify(&self, token: Token, batch: UnverifiedBatch) -> Input {
        let mut keys = self.shared.key_caches().pop().unwrap_or_default();
        let batch = batch.verify(&mut keys);
        self.shared.key_caches().push(keys);
        Input::Verified { token, batch }
    }

    /// Remembers what was agreed with the peer, or forgets it.
    pub(super) fn remember(&self, agreement: Option<Agreement>) {
        Agreed::remember(&self.shared, self.peer, agreement);
    }

    pub(super) fn sign_receipt(&self, token: Token) -> Answer {
        let (signed, trouble) = match self.shared.sign_receipt(self.member) {
            Ok(signed) => (signed, None),
            Err(why) => (None, Some(Trouble::Receipt(why))),
        };
        let (receipt, earlier) = signed.unzip();
        Answer { input: Input::ReceiptSigned { token, receipt, earlier: earlier.flatten() }, trouble }
    }

    pub(super) fn admit(&self, token: Token, class: StatementClass, statements: &[Vec<u8>]) -> Answer {
        match self.shared.take_up(class, statements, Some(self.member)) {
            Ok(received) => {
                let news = received.news(class);
                let cuts = news.get(&Class::Cut).map(|new| cut_keys(&self.shared.authority.roster(), new));
                let (refused, let_in) = (received.refused, received.let_in);
                let admission = Admission { refused, let_in, cuts: cuts.unwrap_or_default() };
                Answer::ok(Input::Admitted { token, admission: Some(admission) })
            }
            Err(error) => Answer {
                input: Input::Admitted { token, admission: None },
                trouble: Some(Trouble::Store(error.into())),
            },
        }
    }

    /// Makes a batch of entries ready for the store, and warns the owner of those in its own logs that it does not hold.
    pub(super) fn prepare(&self, token: Token, entries: Vec<VerifiedEntry>) -> Result<Arriving, Box<Answer>> {
        self.warn_of_own(&entries).map_err(|error| Box::new(Answer::failed(token, error)))?;
        let mut news =
            News { token, logs: BTreeSet::new(), records: BTreeSet::new(), names_blobs: false, lacks_bodies: false };
        let mut batch = Batch::new();
        batch.refetchable().connected();
        for entry in entries {
            news.logs.insert(entry.log());
            news.records.insert(entry.record());
            news.lacks_bodies |= entry.body_bytes().is_none();
            for (claim, class) in named_by(&entry) {
                news.names_blobs = true;
                batch.blob_name(entry.id(), claim, class);
            }
            batch.entry(entry);
        }
        Ok(Arriving { batch, news })
    }

    /// Entries are durable or refused: tells the other conversations and the owner, and answers.
    pub(super) fn stored(&self, news: News, result: Result<merestone_store::Committed, CommitError>) -> Answer {
        let token = news.token;
        match result {
            Ok(committed) => {
                let tips = self.tell_others(&news, &committed);
                if self.must_follow(&news, &tips) {
                    return self.follow(news, tips);
                }
                Answer::ok(news.committed(tips))
            }
            Err(error) => Answer::failed(token, error.into()),
        }
    }

    /// Tells the other conversations of durable entries; the tips of the logs that the commit brought on.
    pub(super) fn tell_others(&self, news: &News, committed: &merestone_store::Committed) -> Vec<LocalTip> {
        let tips = committed.tips.iter().filter(|tip| news.logs.contains(&tip.log));
        let tips: Vec<LocalTip> = tips.filter_map(local_tip).collect();
        let (blobs, bodies) = (news.names_blobs, news.lacks_bodies);
        let change = LocalChange { tips: tips.clone(), blobs, bodies, ..LocalChange::default() };
        self.shared.hub.publish(Some(self.member), &change);
        tips
    }

    /// Whether more is to be done before the session may hear of it: work that may wait for the disk.
    pub(super) fn must_follow(&self, news: &News, tips: &[LocalTip]) -> bool {
        self.shared.owner.is_some() || news.logs.iter().any(|log| tips.iter().all(|tip| tip.tip.log != *log))
    }

    /// Lets the owner draw what follows from durable entries, and completes the answer.
    pub(super) fn follow(&self, news: News, mut tips: Vec<LocalTip>) -> Answer {
        if let Some(owner) = &self.shared.owner {
            owner.entries_arrived(&news.records);
        }
        // Logs of which everything was held already do not come with the commit.
        let known: BTreeSet<LogId> = tips.iter().map(|tip| tip.tip.log).collect();
        for log in news.logs.difference(&known) {
            match self.shared.store.tip(*log) {
                Ok(tip) => tips.extend(tip.as_ref().and_then(local_tip)),
                Err(error) => return Answer::failed(news.token, error.into()),
            }
        }
        Answer::ok(news.committed(tips))
    }

    /// The refusal of an entry whose key no certificate names.
    pub(super) fn unknown_key(&self, entries: &[VerifiedEntry]) -> Option<Refused> {
        let roster = self.shared.authority.roster();
        let mut known = None;
        for entry in entries {
            let key = entry.key().as_bytes();
            if known != Some(key) && !roster.knows_key(key) {
                return Some(Refused { check: Check::KeyNotInRoster, what: "key" });
            }
            known = Some(key);
        }
        None
    }

    /// Warns the owner of logs of its own of which the peer says that it holds more, before any of it arrives.
    ///
    /// A word costs nothing, and each new log is one of 256 that a key may begin: the same peer is believed once about one
    /// key, until this replica is opened again. What it [shows](Self::warn_of_own) always counts.
    pub(super) fn compare_own(&self, heights: &[(LogId, u64)]) {
        let Some(owner) = &self.shared.owner else { return };
        for (log, height) in heights {
            // A store that cannot be read is found by the conversation itself.
            let Ok(Some(tip)) = self.shared.store.tip(*log) else { continue };
            let is_believed = || self.shared.warnings().insert((self.peer, tip.key));
            if *height > tip.top && owner.signs_with(&tip.key) && is_believed() && owner.peer_knows_more(*log).is_err()
            {
                self.shared.warnings().remove(&(self.peer, tip.key));
            }
        }
    }

    /// Whether anybody wants to hear what [`compare_own`](Self::compare_own) finds.
    pub(super) fn has_owner(&self) -> bool {
        self.shared.owner.is_some()
    }

    /// Takes down what the session reports, and draws what follows from it.
    pub(super) fn heed(&self, report: Report, tally: &mut Tally) {
        if let Report::BlobFailed { hash, class: _, failure: _ } = &report {
            self.reading.wanted().forget(*hash);
            if self.reading.give_back(*hash) {
                // Others left it to this conversation.
                let change = LocalChange { blobs: true, ..LocalChange::default() };
                self.shared.hub.publish(Some(self.member), &change);
            }
        }
        tally.note(report, &self.shared);
    }

    /// Looks for what is missing on either side, after the last commit.
    pub(super) fn look_for_missing(&self, session: &Session) -> Result<(MissingHere, Vec<BehindLog>), AccessError> {
        Ok(outcome::missing(&self.shared, session, &self.scopes)?)
    }

    /// Tells the owner, before they are stored, of entries in its own logs that it does not hold.
    fn warn_of_own(&self, entries: &[VerifiedEntry]) -> Result<(), AccessError> {
        let Some(owner) = &self.shared.owner else { return Ok(()) };
        let mut told = BTreeSet::new();
        for entry in entries {
            if told.contains(&entry.log()) || !owner.signs_with(entry.key().as_bytes()) {
                continue;
            }
            let top = self.shared.store.tip(entry.log())?.map_or(0, |tip| tip.top);
            if entry.header().seq >= top {
                owner.peer_knows_more(entry.log())?;
                told.insert(entry.log());
            }
        }
        Ok(())
    }
}

impl Answer {
    pub(super) fn ok(input: Input) -> Self {
        Self { input, trouble: None }
    }

    /// A commit that could not be made.
    pub(super) fn failed(token: Token, error: AccessError) -> Self {
        let trouble = Some(Trouble::Store(error));
        Self { input: Input::Committed { token, committed: Committed::Failed }, trouble }
    }

    pub(super) fn committed(token: Token, committed: Committed) -> Self {
        Self::ok(Input::Committed { token, committed })
    }
}

impl News {
    pub(super) fn token(&self) -> Token {
        self.token
    }

    pub(super) fn committed(&self, tips: Vec<LocalTip>) -> Input {
        let committed = Committed::Entries { tips, wants_blobs: self.names_blobs };
        Input::Committed { token: self.token, committed }
    }
}

/// Whether a commit changes what a census or a tip says.
pub(super) fn changes_holding(commit: &Commit) -> bool {
    !matches!(commit, Commit::ChunkHashes { .. })
}
