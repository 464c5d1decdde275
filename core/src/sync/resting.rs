//! When both sides hold the same, and when they may part (`spec/sync.md` §Done).

use super::frame::Rest;
use super::io::Census;
use super::report::RestState;

/// What both sides said about being at rest.
#[derive(Debug, Default)]
pub(super) struct Resting {
    stage: Stage,
    /// What we said, unless something happened since.
    ours: Option<Rest>,
    /// What the peer said, unless something happened since.
    theirs: Option<Rest>,
    /// What the peer's blobs were when it last said it, and how much was missing there.
    their_blobs: Option<([u8; 32], u64)>,
    /// For which entries and blobs a receipt was asked for in this session.
    receipt_for: Option<([u8; 32], [u8; 32])>,
    /// The digest that the host remembers as agreed.
    agreed: Option<[u8; 32]>,
    /// Only what changed since an agreement is compared, so that a wrong one would mislead every conversation.
    may_mislead: bool,
}

/// How far we are in saying it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Idle,
    /// The host counts blobs.
    Counting,
    /// It did.
    Counted(Census),
    /// The host signs a receipt.
    Signing(Census),
    /// It did, or there is none to sign.
    Signed(Census),
}

/// What a rest of the peer says that the one before did not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RestNews {
    pub(super) are_blobs_others: bool,
    pub(super) is_less_missing: bool,
}

impl Resting {
    /// What the peer said. What it lacked before its first word may be there by now.
    pub(super) fn on_rest(&mut self, rest: Rest) -> RestNews {
        self.theirs = Some(rest);
        let before = self.their_blobs.replace((rest.blobs, rest.missing));
        RestNews {
            are_blobs_others: before.is_none_or(|(blobs, _)| blobs != rest.blobs),
            is_less_missing: before.is_none_or(|(_, missing)| rest.missing < missing),
        }
    }

    pub(super) fn on_census(&mut self, census: Census) {
        if self.stage == Stage::Counting {
            self.stage = Stage::Counted(census);
        }
    }

    pub(super) fn on_signed(&mut self) {
        if let Stage::Signing(census) = self.stage {
            self.stage = Stage::Signed(census);
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// Whether a receipt over this was not asked for yet; asking is noted.
    pub(super) fn needs_receipt(&mut self, tips: [u8; 32], blobs: [u8; 32]) -> bool {
        self.receipt_for.replace((tips, blobs)) != Some((tips, blobs))
    }

    /// We say that we rest.
    pub(super) fn say(&mut self, tips: [u8; 32], census: Census) -> Rest {
        let rest = Rest { tips, blobs: census.digest, missing: census.missing, heard: self.theirs.is_some() };
        self.stage = Stage::Idle;
        self.ours = Some(rest);
        rest
    }

    /// What we said, to be said again because the peer's came after it.
    pub(super) fn say_heard(&mut self) -> Option<Rest> {
        let ours = self.ours.as_mut().filter(|ours| !ours.heard && self.theirs.is_some())?;
        ours.heard = true;
        Some(*ours)
    }

    /// Something here changed.
    pub(super) fn withdraw(&mut self) {
        // What the host is counting or signing is of before.
        (self.ours, self.stage) = (None, Stage::Idle);
    }

    /// We say something more, so the peer has not heard our last word, even if its own came already: who hears last closes.
    pub(super) fn say_more(&mut self) {
        if let Some(theirs) = &mut self.theirs {
            theirs.heard = false;
        }
    }

    /// The peer said something more, so it waits for us to say again that we heard its last word.
    pub(super) fn hear_more(&mut self) {
        if let Some(ours) = &mut self.ours {
            ours.heard = false;
        }
    }

    /// Entries travel: the peer does not rest.
    pub(super) fn withdraw_theirs(&mut self) {
        self.theirs = None;
    }

    /// What was agreed with the peer before, and which certificate it holds since; `is_since`: only what changed since an
    /// agreement is compared, this or one with another store or certificate.
    pub(super) fn recall(&mut self, digest: Option<[u8; 32]>, is_since: bool) {
        (self.agreed, self.may_mislead) = (digest, is_since);
    }

    /// Whether both rest; then whether they hold the same entries, and that this was not noted before, or shows that an
    /// agreement misled them.
    pub(super) fn news(&mut self) -> Option<(bool, [u8; 32])> {
        let (ours, theirs) = (self.ours?, self.theirs?);
        let is_equal = ours.tips == theirs.tips;
        let now = is_equal.then_some(ours.tips);
        let is_news = std::mem::replace(&mut self.agreed, now) != now;
        let is_misled = !is_equal && std::mem::take(&mut self.may_mislead);
        (is_news || is_misled).then_some((is_equal, ours.tips))
    }

    pub(super) fn has_said(&self) -> bool {
        self.ours.is_some()
    }

    pub(super) fn is_peer_at_rest(&self) -> bool {
        self.theirs.is_some()
    }

    pub(super) fn are_both_at_rest(&self) -> bool {
        self.ours.is_some() && self.theirs.is_some()
    }

    /// Whether both sides know that both rest.
    pub(super) fn is_over(&self) -> bool {
        self.ours.is_some() && self.theirs.is_some_and(|theirs| theirs.heard)
    }

    /// How the two sides compare, once we rest. `is_withheld`: the peer named a statement and did not give it.
    pub(super) fn state(&self, is_cut: bool, is_withheld: bool, is_everything_wanted: bool) -> Option<RestState> {
        let ours = self.ours?;
        let is_synced_as_wanted = !is_cut
            && !is_withheld
            && self.theirs.is_some_and(|theirs| {
                let is_equal = (ours.tips, ours.blobs) == (theirs.tips, theirs.blobs);
                is_equal && ours.missing == 0 && theirs.missing == 0
            });
        let missing_there = self.theirs.map(|theirs| theirs.missing);
        let is_fully_synced = is_synced_as_wanted && is_everything_wanted;
        Some(RestState { is_fully_synced, is_synced_as_wanted, missing_here: ours.missing, missing_there })
    }
}
