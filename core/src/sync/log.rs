//! One log of a conversation: what both sides hold of it, and what follows (`spec/sync.md` §Tips).

use super::config::LocalTip;
use super::frame::LogTip;
use super::io::{Part, Span};
use super::scope::Which;
use crate::id::EntryId;

/// What both sides hold of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) local: Option<LocalTip>,
    pub(super) remote: Option<LogTip>,
    /// Whether the peer named it.
    pub(super) is_named: bool,
    /// Whether it changed here since the last agreement.
    pub(super) is_changed: bool,
    /// Spans and entries of it that the peer has not acknowledged, and questions without an answer.
    pub(super) busy: u64,
    /// The states of both sides for which everything was said.
    pub(super) judged: Option<(LogTip, Option<LogTip>)>,
    /// The states of both sides for which positions were compared.
    pub(super) probed: Option<(LogTip, Option<LogTip>)>,
    /// The peer asked for positions, so it sees a difference that the heights do not show.
    pub(super) is_doubted: bool,
}

/// What to do about a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing, or it is the peer's turn.
    Nothing,
    /// Send these.
    Send(Vec<Span>),
    /// Look whether our entry at this position is the peer's head, and send what is above.
    CheckHead(u64, EntryId),
    /// The histories differ: find out where, below these heights (ours, the peer's).
    Probe { ours: u64, theirs: u64, has_branches: bool },
}

impl Log {
    /// What is to be done about it now. The same states are judged once.
    pub(super) fn judge(&mut self) -> Verdict {
        let Some(local) = self.local.map(|local| local.tip).filter(|_| self.busy == 0) else { return Verdict::Nothing };
        let states = (local, self.remote);
        if std::mem::take(&mut self.is_doubted) && self.remote != Some(local) && self.probed != Some(states) {
            return self.probe();
        }
        if self.judged == Some(states) {
            return Verdict::Nothing;
        }
        self.judged = Some(states);
        let Some(remote) = self.remote else { return Verdict::Send(everything(&local)) };
        if remote == local {
            return Verdict::Nothing;
        }
        if remote.branches.is_none() && local.branches.is_none() && remote.height != local.height {
            // The longer side finds out whether the shorter one is a part of it.
            let is_ours = remote.height < local.height;
            return if is_ours { Verdict::CheckHead(remote.height - 1, remote.head) } else { Verdict::Nothing };
        }
        self.probe()
    }

    /// Compares its positions, unless that was done in these states.
    pub(super) fn probe_once(&mut self) -> Verdict {
        let Some(local) = self.local.map(|local| local.tip).filter(|_| self.busy == 0) else { return Verdict::Nothing };
        if self.remote == Some(local) || self.probed == Some((local, self.remote)) {
            return Verdict::Nothing;
        }
        self.probe()
    }

    pub(super) fn differs(&self) -> bool {
        self.is_doubted || self.local.map(|local| local.tip) != self.remote
    }

    pub(super) fn is_told(&self, which: Which) -> bool {
        match which {
            Which::All => true,
            Which::Named => self.is_named,
            Which::Changed => self.is_changed,
            Which::NamedChanged => self.is_changed && self.is_named,
            Which::Also => self.is_named && !self.is_changed,
        }
    }

    pub(super) fn behind(&self) -> u64 {
        let height = |tip: Option<LogTip>| tip.map_or(0, |tip| tip.height);
        height(self.remote).saturating_sub(height(self.local.map(|local| local.tip)))
    }

    fn probe(&mut self) -> Verdict {
        let (Some(local), Some(remote)) = (self.local.map(|local| local.tip), self.remote) else {
            return Verdict::Nothing;
        };
        self.judged = Some((local, Some(remote)));
        self.probed = self.judged;
        Verdict::Probe { ours: local.height, theirs: remote.height, has_branches: local.branches.is_some() }
    }
}

/// All that is kept of a log.
fn everything(local: &LogTip) -> Vec<Span> {
    let span = |part| Span { log: local.log, from: 0, until: u64::MAX, part };
    let branches = local.branches.map(|_| span(Part::Branches));
    [Some(span(Part::Main)), branches].into_iter().flatten().collect()
}

/// Whether `tip` is of an earlier commit than `known`: answers and changes come by different ways, so one may overtake another.
/// In a forked log heights do not tell.
pub(super) fn is_older(tip: &LogTip, known: &LogTip) -> bool {
    tip.branches.is_none() && known.branches.is_none() && tip.height < known.height
}
