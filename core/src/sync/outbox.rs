//! What a session has decided and its host has not taken yet.

use std::collections::{HashMap, VecDeque};

use super::close::Close;
use super::config::Agreement;
use super::frame::{BlobClass, Frame, StatementClass};
use super::io::{Action, Commit, Request, Token};
use super::report::Report;
use super::verify::UnverifiedBatch;
use crate::id::{BlobHash, EntryId, LogId, StatementId};

/// Most bytes of small control frames that wait to be sent. All answers that the spec lets a peer have outstanding
/// take a third of it.
const CONTROL_BYTES_MAX: usize = 2 << 20;

/// What an answer of the host is for.
#[derive(Debug)]
pub(super) enum Pending {
    Enrolment,
    /// The certificate that the peer's hello names.
    PeerCertificate,
    StatementIds(StatementClass),
    Statements(StatementClass, Vec<StatementId>),
    /// A receipt that both sides hold, for differences to the peer.
    ReceiptBase,
    /// The receipt that a difference of the peer builds on.
    DifferenceBase,
    /// Compare the peer's heads with ours at their heights.
    HeadChecks(Vec<(LogId, u64, EntryId)>),
    /// Our ids at positions we are about to ask the peer for.
    OwnIds(LogId, Vec<u64>),
    /// Ids the peer asked for.
    AnswerIds(LogId, Vec<u64>),
    Branches(LogId),
    Entries,
    EntriesInFull,
    /// Entries whose bodies the peer lacks.
    EntriesWithBodies,
    MissingBodies,
    Wanted(BlobClass),
    Described(BlobClass, BlobHash),
    ChunkHashes(BlobClass, BlobHash),
    Chunk(BlobClass, BlobHash, u64),
    Census,
    Verify,
    Admit {
        class: StatementClass,
        ids: Vec<StatementId>,
        is_receipt: bool,
    },
    CommitEntries,
    CommitChunkHashes,
    CommitChunk {
        hash: BlobHash,
        bytes: usize,
    },
    Receipt,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: VecDeque<Action>,
    control: VecDeque<Vec<u8>>,
    control_bytes: usize,
    /// How many frames of control were taken so far, and what number the last word about being at rest has among all.
    control_taken: u64,
    rest: Option<u64>,
    tokens: u64,
    pending: HashMap<Token, Pending>,
}

impl Outbox {
    pub(super) fn load(&mut self, request: Request, purpose: Pending) {
        let token = self.token(purpose);
        self.actions.push_back(Action::Load { token, request });
    }

    pub(super) fn verify(&mut self, batch: UnverifiedBatch) -> Token {
        let token = self.token(Pending::Verify);
        self.actions.push_back(Action::Verify { token, batch });
        token
    }

    /// Has statements admitted; `is_receipt` says that it is the peer's own receipt of this session.
    pub(super) fn admit(&mut self, class: StatementClass, statements: Vec<Vec<u8>>, is_receipt: bool) {
        let ids = statements.iter().map(|statement| class.id_of(statement)).collect();
        let token = self.token(Pending::Admit { class, ids, is_receipt });
        self.actions.push_back(Action::Admit { token, class, statements });
    }

    pub(super) fn commit(&mut self, commit: Commit, purpose: Pending) -> Token {
        let token = self.token(purpose);
        self.actions.push_back(Action::Commit { token, commit });
        token
    }

    pub(super) fn sign_receipt(&mut self) {
        let token = self.token(Pending::Receipt);
        self.actions.push_back(Action::SignReceipt { token });
    }

    pub(super) fn remember(&mut self, agreement: Option<Agreement>) {
        self.actions.push_back(Action::Remember(agreement));
    }

    pub(super) fn report(&mut self, report: Report) {
        self.actions.push_back(Action::Report(report));
    }

    pub(super) fn close(&mut self, close: Close) {
        self.actions.push_back(Action::Close(close));
    }

    /// Queues a small control frame.
    pub(super) fn say(&mut self, frame: &Frame) {
        let bytes = frame.encode();
        self.control_bytes += bytes.len();
        self.control.push_back(bytes);
    }

    /// Queues a word about being at rest, in the place of one that still waits.
    pub(super) fn say_rest(&mut self, frame: &Frame) {
        self.unsay_rest();
        self.rest = Some(self.control_taken + self.control.len() as u64);
        self.say(frame);
    }

    /// Something here changed: what waits to say that nothing does is not sent.
    pub(super) fn unsay_rest(&mut self) {
        let waiting = self.rest.take().and_then(|number| number.checked_sub(self.control_taken));
        let unsaid = waiting.and_then(|at| self.control.remove(usize::try_from(at).ok()?));
        self.control_bytes -= unsaid.map_or(0, |frame| frame.len());
    }

    pub(super) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(super) fn next_control(&mut self) -> Option<Vec<u8>> {
        let frame = self.control.pop_front()?;
        self.control_bytes -= frame.len();
        self.control_taken += 1;
        Some(frame)
    }

    /// What the answer with this token is for; `None` if nothing waits for it.
    pub(super) fn settle(&mut self, token: Token) -> Option<Pending> {
        self.pending.remove(&token)
    }

    pub(super) fn is_waiting_for_host(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Refuses a peer that asks and does not read the answers.
    pub(super) fn check(&self) -> Result<(), Close> {
        if self.control_bytes <= CONTROL_BYTES_MAX { Ok(()) } else { Err(Close::limit("unread answers")) }
    }

    fn token(&mut self, purpose: Pending) -> Token {
        let token = Token(self.tokens);
        self.tokens += 1;
        self.pending.insert(token, purpose);
        token
    }
}
