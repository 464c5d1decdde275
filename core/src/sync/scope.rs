//! One scope of a conversation: its logs, and how far the tips of both sides are told (`spec/sync.md` §Tips).

use std::collections::BTreeMap;
use std::ops::Bound;

use super::close::Close;
use super::comparing::Comparing;
use super::config::tips_digest;
use super::frame::{Frame, LogTip, TIPS_MAX};
use super::log::Log;
use super::tree::TipTree;
use crate::id::{LogId, ScopeId};

/// What is known of one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) logs: BTreeMap<LogId, Log>,
    /// Our tips, for the digests of version 2.
    pub(super) tree: TipTree,
    pub(super) theirs: Theirs,
    pub(super) telling: Option<Telling>,
    /// Whether the peer had all tips named: it may once.
    pub(super) is_listed: bool,
}

/// Whether the peer's tips of a scope are known.
#[derive(Debug, Default)]
pub(super) enum Theirs {
    #[default]
    Known,
    /// All of them come, ascending.
    Arriving { last: Option<LogId> },
    /// Those come that changed since the last agreement, ascending, and then those of ours that did.
    Since { last: Option<LogId>, is_complete: bool },
    /// Digest trees are compared.
    Comparing(Comparing),
}

/// Which of our tips of a scope are still to be told.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) after: Option<LogId>,
    pub(super) which: Which,
}

/// Some of our tips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// The peer's key is cut, and it hears of no log that it did not name.
    Named,
    /// Changed since the last agreement.
    Changed,
    /// The same, of a peer whose key is cut: those it named, once it named all.
    NamedChanged,
    /// Named by the peer as changed, and not by us.
    Also,
}

impl Scope {
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        let tips: Vec<_> = self.logs.values().filter_map(|log| log.local.map(|local| local.tip)).collect();
        (!tips.is_empty()).then(|| tips_digest(&tips))
    }

    pub(super) fn are_equal(&mut self) {
        for log in self.logs.values_mut() {
            log.remote = log.local.map(|local| local.tip);
        }
    }

    /// Both sides name all their tips; a peer whose key `is_cut` goes first.
    pub(super) fn list(&mut self, is_cut: bool) {
        self.theirs = Theirs::Arriving { last: None };
        self.telling = (!is_cut).then_some(Telling { after: None, which: Which::All });
        self.logs.values_mut().for_each(|log| log.remote = None);
    }

    /// The peer's key was cut: it is told of no log that it did not name. Whether it is to name all.
    pub(super) fn restrict(&mut self) -> bool {
        match &self.theirs {
            Theirs::Comparing(_) => {
                self.list(true);
                return true;
            }
            Theirs::Since { .. } => {
                for telling in self.telling.iter_mut().filter(|telling| telling.which == Which::Changed) {
                    telling.which = Which::NamedChanged;
                }
            }
            Theirs::Known | Theirs::Arriving { .. } => {
                self.telling.iter_mut().for_each(|telling| telling.which = Which::Named);
            }
        }
        false
    }

    /// The next frame of our tips, or of nodes over them.
    pub(super) fn next_frame(&mut self, id: ScopeId) -> Option<Frame> {
        if let Theirs::Comparing(comparing) = &mut self.theirs {
            return Some(Frame::Nodes(id, comparing.next_nodes()));
        }
        let Telling { after, which } = self.telling.take()?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let logs = self.logs.range((from, Bound::Unbounded)).filter(|(_, log)| log.is_told(which));
        let mut tips = logs.filter_map(|(_, log)| log.local.map(|local| local.tip));
        let page: Vec<_> = tips.by_ref().take(TIPS_MAX).collect();
        let last = tips.next().is_none();
        if !last {
            self.telling = Some(Telling { after: page.last().map(|tip| tip.log), which });
        } else if matches!(which, Which::Changed | Which::NamedChanged)
            && matches!(self.theirs, Theirs::Since { is_complete: true, .. })
        {
            self.telling = Some(Telling { after: None, which: Which::Also });
        }
        Some(match which {
            Which::All | Which::Named | Which::Changed | Which::NamedChanged => {
                Frame::Tips { scope: id, last, tips: page }
            }
            Which::Also => Frame::Also { scope: id, last, tips: page },
        })
    }

    /// The peer named what changed there: we name the same logs, after what changed here.
    pub(super) fn also(&mut self) {
        if self.telling.is_none() {
            self.telling = Some(Telling { after: None, which: Which::Also });
        }
    }

    pub(super) fn is_told(&self) -> bool {
        let is_compared = match &self.theirs {
            Theirs::Comparing(comparing) => comparing.is_told(),
            Theirs::Known | Theirs::Arriving { .. } | Theirs::Since { .. } => true,
        };
        // What a peer whose key was cut may hear of follows from what it names.
        let waits = |telling: &Telling| telling.which == Which::NamedChanged;
        let is_waiting = matches!(self.theirs, Theirs::Since { is_complete: false, .. });
        self.telling.as_ref().is_none_or(|telling| is_waiting && waits(telling)) && is_compared
    }
}

impl Theirs {
    pub(super) fn is_known(&self) -> bool {
        matches!(self, Self::Known)
    }
}

/// Tips come in ascending order, from frame to frame too.
pub(super) fn follow(before: &mut Option<LogId>, tips: &[LogTip]) -> Result<(), Close> {
    let goes_on = tips.first().is_none_or(|tip| before.is_none_or(|before| before < tip.log));
    *before = tips.last().map(|tip| tip.log).or(*before);
    if goes_on { Ok(()) } else { Err(Close::malformed("tips order")) }
}
