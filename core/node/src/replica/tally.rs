//! What a conversation was told so far, kept for its progress and its outcome. It decides nothing.

use merestone_core::id::ScopeId;
use merestone_core::sync::{Close, CloseCode, Progress, Report, RestState};
use merestone_link::{Class, LinkStats, PeerKey};

use super::Shared;
use super::host::Trouble;
use super::outcome::{self, BehindLog, End, FailedBlob, MissingHere, PeerInfo, RefusedStatement, SyncOutcome};
use super::progress::SyncProgress;
use super::receipt::NoReceipt;
use crate::device::AccessError;

/// Most refused statements and failed photos that an outcome names.
const NAMED_MAX: usize = 1_024;

/// What was said and done in one conversation.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) progress: Progress,
    peer: Option<PeerInfo>,
    scopes_not_shared: Vec<ScopeId>,
    rest: Option<RestState>,
    /// Nothing was committed or changed since `rest`.
    is_rest_current: bool,
    refused: Vec<RefusedStatement>,
    failed: Vec<FailedBlob>,
    storage: Option<AccessError>,
    no_receipt: Option<NoReceipt>,
}

/// Bytes that a conversation cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    sent: u64,
    received: u64,
    frames_sent: u64,
    frames_received: u64,
}

impl Traffic {
    /// A frame came in over a carrier that counts nothing itself.
    pub(super) fn heard(&mut self, bytes: usize) {
        self.received += bytes as u64;
        self.frames_received += bytes as u64;
    }

    /// A frame went out over such a carrier.
    pub(super) fn said(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.frames_sent += bytes as u64;
    }
}

impl From<LinkStats> for Traffic {
    fn from(stats: LinkStats) -> Self {
        let classes = Class::ALL.map(|class| stats.class(class));
        Self {
            sent: stats.udp_sent.bytes,
            received: stats.udp_received.bytes,
            frames_sent: classes.iter().map(|class| class.bytes_sent).sum(),
            frames_received: classes.iter().map(|class| class.bytes_received).sum(),
        }
    }
}

impl Tally {
    /// Whether the peer is a member of the mission in good standing.
    pub(super) fn knows_peer(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| !peer.is_cut)
    }

    /// Takes down what the session reports.
    pub(super) fn note(&mut self, report: Report, shared: &Shared) {
        match report {
            Report::Peer { store, certificate, is_cut } => {
                let own = shared.certificate().map_or_else(Vec::new, |own| own.scopes().to_vec());
                let is_shared = |scope: &ScopeId| certificate.scopes().binary_search(scope).is_ok();
                self.scopes_not_shared = own.into_iter().filter(|scope| !is_shared(scope)).collect();
                let roster = shared.authority.roster();
                self.peer = Some(PeerInfo::new(store, &certificate, is_cut, &roster));
            }
            Report::Progress(progress) => self.progress = progress,
            Report::StatementRefused { class, id, refused } => {
                if self.refused.len() < NAMED_MAX {
                    self.refused.push(outcome::refused(class, id, refused));
                }
            }
            Report::BlobFailed { hash, class, failure } => {
                if self.failed.len() < NAMED_MAX {
                    self.failed.push(FailedBlob { hash, class, failure });
                }
            }
            Report::ReceiptHeld(_) | Report::PeerAhead(_) => {}
            Report::Rest(rest) => {
                self.rest = Some(rest);
                self.is_rest_current = true;
            }
        }
    }

    /// Something changed here: the last rest says nothing about it.
    pub(super) fn outdate_rest(&mut self) {
        self.is_rest_current = false;
    }

    /// Something could not be done here, for this reason.
    pub(super) fn trouble(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Store(error) => self.storage = Some(error),
            // The conversation goes on without it.
            Trouble::Receipt(why) => self.no_receipt = Some(why),
        }
    }

    /// The store refused, or something of ours failed, unless there was another reason before.
    pub(super) fn first_trouble(&mut self, error: AccessError) {
        self.storage.get_or_insert(error);
    }

    /// What it means that the session closes.
    pub(super) fn end_of(&mut self, close: Close, is_stopped: bool) -> End {
        let Close { code, reason } = close;
        match self.storage.take() {
            Some(error) => End::Storage(error),
            None if code == CloseCode::Bye && is_stopped => End::Stopped,
            None if code == CloseCode::Bye => End::Done,
            None => End::ClosedHere { code, reason },
        }
    }

    /// As the person sees it now.
    pub(super) fn shown(&self) -> SyncProgress {
        SyncProgress { peer: self.peer.clone(), progress: self.progress, is_fully_synced: self.is_fully_synced() }
    }

    /// What it all came to; `missing` was looked for after the last commit.
    pub(super) fn outcome(
        self,
        transport: PeerKey,
        traffic: Traffic,
        end: End,
        missing: Result<(MissingHere, Vec<BehindLog>), AccessError>,
    ) -> SyncOutcome {
        let could_look = missing.is_ok();
        let (end, (missing_here, missing_there)) = match missing {
            Ok(missing) => (end, missing),
            Err(error) => (End::Storage(error), Default::default()),
        };
        // The two sides may agree and both lack the same entry; and who could not look does not know.
        let is_fully_synced = self.is_fully_synced() && could_look && missing_here.is_nothing();
        let is_text_here = missing_here.logs.is_empty() && missing_here.bodies.is_empty();
        let rest = self.rest.filter(|_| self.is_rest_current);
        let is_synced_as_wanted = rest.is_some_and(|rest| rest.is_synced_as_wanted) && could_look && is_text_here;
        SyncOutcome {
            is_fully_synced,
            is_synced_as_wanted,
            peer: self.peer,
            transport,
            end,
            rest: self.rest,
            scopes_not_shared: self.scopes_not_shared,
            missing_here,
            missing_there,
            refused: self.refused,
            failed: self.failed,
            no_receipt: self.no_receipt,
            progress: self.progress,
            bytes_sent: traffic.sent,
            bytes_received: traffic.received,
            frame_bytes_sent: traffic.frames_sent,
            frame_bytes_received: traffic.frames_received,
        }
    }

    fn is_fully_synced(&self) -> bool {
        self.is_rest_current && self.rest.is_some_and(|rest| rest.is_fully_synced)
    }
}
