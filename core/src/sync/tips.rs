//! What both sides hold of each log, and what follows from a difference (`spec/sync.md` §Tips).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::close::Close;
use super::config::{LocalTip, tips_digest};
use super::frame::{Frame, LogTip, TIPS_MAX};
use super::io::{Part, Span};
use crate::entry::LOG_ENTRIES_MAX;
use crate::id::{EntryId, LogId, ScopeId, sha256};

/// Most logs of a mission.
pub(super) const LOGS_MAX: usize = 65_536;

/// What both sides are known to hold of the logs of the shared scopes.
#[derive(Debug, Default)]
pub(super) struct Logs {
    scopes: BTreeMap<ScopeId, Scope>,
    index: HashMap<LogId, ScopeId>,
    /// Logs to look at again.
    changed: BTreeSet<LogId>,
    /// Entries that the peer holds above ours.
    behind: u64,
}

#[derive(Debug, Default)]
struct Scope {
    logs: BTreeMap<LogId, Log>,
    theirs: Theirs,
    telling: Option<Telling>,
}

/// Whether the peer's tips of a scope are known.
#[derive(Debug, Default, PartialEq, Eq)]
enum Theirs {
    #[default]
    Known,
    Arriving {
        last: Option<LogId>,
    },
}

/// Which of our tips of a scope are still to be told.
#[derive(Debug)]
struct Telling {
    after: Option<LogId>,
    /// Only these: the peer's key is cut, and it hears of no log that it did not name.
    named: bool,
}

#[derive(Debug, Default)]
struct Log {
    local: Option<LocalTip>,
    remote: Option<LogTip>,
    /// Whether the peer named it.
    is_named: bool,
    /// Spans and entries of it that the peer has not acknowledged, and questions without an answer.
    busy: u64,
    /// The states of both sides for which everything was said.
    judged: Option<(LogTip, Option<LogTip>)>,
    /// The states of both sides for which positions were compared.
    probed: Option<(LogTip, Option<LogTip>)>,
    /// The peer asked for positions, so it sees a difference that the heights do not show.
    is_doubted: bool,
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

impl Logs {
    /// What this side holds, before the peer is known.
    pub(super) fn new(tips: Vec<LocalTip>, granted: &[ScopeId]) -> Self {
        let mut logs = Self::default();
        for tip in tips {
            if granted.contains(&tip.scope) {
                logs.log(tip.scope, tip.tip.log).local = Some(tip);
            }
        }
        logs
    }

    /// The digest of each scope that is not empty.
    pub(super) fn digests(&self) -> Vec<(ScopeId, [u8; 32])> {
        let digest = |(id, scope): (&ScopeId, &Scope)| Some((*id, scope.digest()?));
        self.scopes.iter().filter_map(digest).collect()
    }

    /// Keeps only what is shared with the peer, and begins to tell what differs.
    ///
    /// A peer whose key `is_cut` is told of the logs it names, once it named them.
    pub(super) fn begin(
        &mut self,
        shared: &[ScopeId],
        ours: &[(ScopeId, [u8; 32])],
        theirs: &[(ScopeId, [u8; 32])],
        is_cut: bool,
    ) {
        self.scopes.retain(|id, _| shared.contains(id));
        let scopes = &self.scopes;
        self.index.retain(|_, scope| scopes.contains_key(scope));
        for id in shared {
            let scope = self.scopes.entry(*id).or_default();
            let of =
                |digests: &[(ScopeId, [u8; 32])]| digests.iter().find(|(of, _)| of == id).map(|(_, digest)| *digest);
            if of(ours) != of(theirs) {
                scope.theirs = Theirs::Arriving { last: None };
                scope.telling = (!is_cut).then_some(Telling { after: None, named: false });
                continue;
            }
            for log in scope.logs.values_mut() {
                log.remote = log.local.map(|local| local.tip);
            }
        }
    }

    /// The peer's tips of a scope.
    pub(super) fn on_tips(&mut self, id: ScopeId, last: bool, tips: Vec<LogTip>, is_cut: bool) -> Result<(), Close> {
        let scope = self.scopes.get_mut(&id).ok_or(Close::malformed("scope of tips"))?;
        let Theirs::Arriving { last: before } = &scope.theirs else { return Err(Close::malformed("tips twice")) };
        let goes_on = tips.first().is_none_or(|tip| before.is_none_or(|before| before < tip.log));
        if !goes_on {
            return Err(Close::malformed("tips order"));
        }
        let reached = tips.last().map(|tip| tip.log).or(*before);
        scope.theirs = if last { Theirs::Known } else { Theirs::Arriving { last: reached } };
        if last && is_cut {
            scope.telling = Some(Telling { after: None, named: true });
        }
        for tip in tips {
            check_height(&tip)?;
            // The id of a log says nothing about its scope: one that is held stays in the scope it is held in.
            if self.index.get(&tip.log).is_none_or(|known| *known == id) {
                self.log(id, tip.log).is_named = true;
                self.set_remote(tip.log, tip);
            }
        }
        if last {
            let all: Vec<_> =
                self.scopes.get(&id).map(|scope| scope.logs.keys().copied().collect()).unwrap_or_default();
            self.changed.extend(all);
        }
        if self.index.len() > LOGS_MAX { Err(Close::limit("logs")) } else { Ok(()) }
    }

    /// The logs of a frame of entries, as the peer holds them now.
    pub(super) fn on_kept(&mut self, tips: Vec<LogTip>) -> Result<(), Close> {
        for tip in tips {
            check_height(&tip)?;
            if self.index.contains_key(&tip.log) {
                self.set_remote(tip.log, tip);
            }
        }
        Ok(())
    }

    /// Our own logs as they are now.
    pub(super) fn on_local(&mut self, tips: &[LocalTip]) -> Result<(), Close> {
        for tip in tips {
            let is_shared = self.scopes.contains_key(&tip.scope);
            if is_shared && self.index.get(&tip.tip.log).is_none_or(|known| *known == tip.scope) {
                let log = self.log(tip.scope, tip.tip.log);
                if log.local.is_some_and(|known| is_older(&tip.tip, &known.tip)) {
                    continue;
                }
                let before = log.behind();
                log.local = Some(*tip);
                self.recount(tip.tip.log, before);
            }
        }
        if self.index.len() > LOGS_MAX { Err(Close::limit("logs")) } else { Ok(()) }
    }

    /// The peer sent entries `first` to `last` of a log, so it holds these.
    pub(super) fn on_received(&mut self, id: LogId, first: u64, last: u64, head: EntryId) {
        let Some(log) = self.get(id) else { return };
        let is_forked = log.local.is_some_and(|local| local.tip.branches.is_some())
            || log.remote.is_some_and(|remote| remote.branches.is_some());
        let height = log.remote.map_or(0, |remote| remote.height);
        if !is_forked && first <= height && height <= last {
            self.set_remote(id, LogTip { log: id, height: last.saturating_add(1), head, branches: None });
        }
    }

    /// A log that is not shared, or whose peer's state is not known yet, is not looked at.
    pub(super) fn take_changed(&mut self) -> Vec<LogId> {
        let (scopes, index) = (&self.scopes, &self.index);
        let is_known = |id: &LogId| {
            index.get(id).and_then(|scope| scopes.get(scope)).is_some_and(|scope| scope.theirs == Theirs::Known)
        };
        let ready: Vec<_> = self.changed.iter().filter(|id| is_known(id)).copied().collect();
        self.changed.clear();
        ready
    }

    /// What is to be done about a log now. The same states are judged once.
    pub(super) fn judge(&mut self, id: LogId) -> Verdict {
        let Some(log) = self.get_mut(id).filter(|log| log.busy == 0) else { return Verdict::Nothing };
        let Some(local) = log.local.map(|local| local.tip) else { return Verdict::Nothing };
        let states = (local, log.remote);
        if std::mem::take(&mut log.is_doubted) && log.remote != Some(local) && log.probed != Some(states) {
            return log.probe();
        }
        if log.judged == Some(states) {
            return Verdict::Nothing;
        }
        log.judged = Some(states);
        let Some(remote) = log.remote else { return Verdict::Send(everything(&local)) };
        if remote == local {
            return Verdict::Nothing;
        }
        if remote.branches.is_none() && local.branches.is_none() && remote.height != local.height {
            // The longer side finds out whether the shorter one is a part of it.
            let is_ours = remote.height < local.height;
            return if is_ours { Verdict::CheckHead(remote.height - 1, remote.head) } else { Verdict::Nothing };
        }
        log.probe()
    }

    /// The peer compares positions of a log: so do we, unless that was done in these states.
    pub(super) fn doubt(&mut self, id: LogId) {
        if let Some(log) = self.get_mut(id) {
            log.is_doubted = true;
            self.changed.insert(id);
        }
    }

    /// Compares the positions of a log, unless that was done in these states.
    pub(super) fn probe(&mut self, id: LogId) -> Verdict {
        let Some(log) = self.get_mut(id).filter(|log| log.busy == 0) else { return Verdict::Nothing };
        let Some(local) = log.local.map(|local| local.tip) else { return Verdict::Nothing };
        if log.remote == Some(local) || log.probed == Some((local, log.remote)) {
            return Verdict::Nothing;
        }
        log.probe()
    }

    /// Tells of no log that the peer did not name: its key was cut.
    pub(super) fn restrict(&mut self) {
        for telling in self.scopes.values_mut().filter_map(|scope| scope.telling.as_mut()) {
            telling.named = true;
        }
    }

    /// Counts what the peer has yet to acknowledge or answer.
    pub(super) fn add_busy(&mut self, id: LogId, count: u64) {
        if let Some(log) = self.get_mut(id) {
            log.busy += count;
        }
    }

    /// The peer acknowledged or answered; with the last of it the log is looked at again.
    pub(super) fn remove_busy(&mut self, id: LogId, count: u64) {
        let Some(log) = self.get_mut(id) else { return };
        log.busy = log.busy.saturating_sub(count);
        if log.busy == 0 {
            self.changed.insert(id);
        }
    }

    /// The next frame of our tips.
    pub(super) fn next_frame(&mut self) -> Option<Vec<u8>> {
        let (id, scope) = self.scopes.iter_mut().find(|(_, scope)| scope.telling.is_some())?;
        let telling = scope.telling.as_ref()?;
        let named = telling.named;
        let from = telling.after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let logs = scope.logs.range((from, std::ops::Bound::Unbounded)).filter(|(_, log)| log.is_named || !named);
        let mut tips = logs.filter_map(|(_, log)| log.local.map(|local| local.tip));
        let page: Vec<_> = tips.by_ref().take(TIPS_MAX).collect();
        let last = tips.next().is_none();
        scope.telling = (!last).then_some(Telling { after: page.last().map(|tip| tip.log), named });
        Some(Frame::Tips { scope: *id, last, tips: page }.encode())
    }

    /// The state of a log here, if it is shared.
    pub(super) fn local(&self, id: LogId) -> Option<LocalTip> {
        self.get(id)?.local
    }

    /// Entries that the peer holds above ours, as far as its tips tell.
    pub(super) fn behind(&self) -> u64 {
        self.behind
    }

    /// Whether everything is said about what either side holds.
    pub(super) fn is_idle(&self) -> bool {
        let is_told = |scope: &Scope| scope.telling.is_none() && scope.theirs == Theirs::Known;
        self.changed.is_empty() && self.scopes.values().all(is_told)
    }

    /// The digest over the tips of all shared scopes (`spec/sync.md` §Done).
    pub(super) fn digest(&self) -> [u8; 32] {
        let digests: Vec<_> = self.digests().into_iter().map(|(_, digest)| digest).collect();
        let parts: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        sha256(&parts)
    }

    fn set_remote(&mut self, id: LogId, tip: LogTip) {
        let Some(log) = self.get_mut(id) else { return };
        let before = log.behind();
        log.remote = Some(tip);
        self.recount(id, before);
    }

    /// Takes notice that a log changed.
    fn recount(&mut self, id: LogId, before: u64) {
        self.changed.insert(id);
        let now = self.get(id).map_or(0, Log::behind);
        self.behind = self.behind.saturating_sub(before) + now;
    }

    fn log(&mut self, scope: ScopeId, id: LogId) -> &mut Log {
        self.index.insert(id, scope);
        self.scopes.entry(scope).or_default().logs.entry(id).or_default()
    }

    fn get(&self, id: LogId) -> Option<&Log> {
        self.scopes.get(self.index.get(&id)?)?.logs.get(&id)
    }

    fn get_mut(&mut self, id: LogId) -> Option<&mut Log> {
        self.scopes.get_mut(self.index.get(&id)?)?.logs.get_mut(&id)
    }
}

impl Scope {
    fn digest(&self) -> Option<[u8; 32]> {
        let tips: Vec<_> = self.logs.values().filter_map(|log| log.local.map(|local| local.tip)).collect();
        (!tips.is_empty()).then(|| tips_digest(&tips))
    }
}

impl Log {
    fn behind(&self) -> u64 {
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
fn is_older(tip: &LogTip, known: &LogTip) -> bool {
    tip.branches.is_none() && known.branches.is_none() && tip.height < known.height
}

fn check_height(tip: &LogTip) -> Result<(), Close> {
    if (1..=LOG_ENTRIES_MAX).contains(&tip.height) { Ok(()) } else { Err(Close::malformed("height")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: ScopeId = ScopeId::from_bytes([1; 8]);

    fn tip(height: u64) -> LocalTip {
        let head = EntryId::from_bytes([height as u8; 32]);
        let tip = LogTip { log: LogId::from_bytes([1; 32]), height, head, branches: None };
        LocalTip { tip, scope: SCOPE, urgency: 0 }
    }

    fn logs(held: u64) -> Logs {
        let mut logs = Logs::new(vec![tip(held)], &[SCOPE]);
        let digests = logs.digests();
        logs.begin(&[SCOPE], &digests, &[], false);
        logs
    }

    #[test]
    fn a_change_that_was_overtaken_changes_nothing() {
        let mut logs = logs(5);
        logs.on_tips(SCOPE, true, vec![tip(5).tip], false).expect("a tip");
        logs.on_local(&[tip(3)]).expect("within the limit");
        assert_eq!((logs.behind(), logs.local(tip(5).tip.log)), (0, Some(tip(5))));
        logs.on_local(&[tip(7)]).expect("within the limit");
        assert_eq!(logs.local(tip(5).tip.log), Some(tip(7)));
    }

    #[test]
    fn the_same_states_are_judged_once() {
        let mut logs = logs(5);
        logs.on_tips(SCOPE, true, vec![tip(3).tip], false).expect("a tip");
        let [log] = logs.take_changed()[..] else { panic!("one log changed") };
        assert_eq!(logs.judge(log), Verdict::CheckHead(2, tip(3).tip.head));
        assert_eq!(logs.judge(log), Verdict::Nothing);
        logs.on_kept(vec![tip(5).tip]).expect("a tip");
        assert_eq!(logs.judge(log), Verdict::Nothing);
        logs.on_kept(vec![LogTip { head: EntryId::from_bytes([9; 32]), ..tip(5).tip }]).expect("a tip");
        let probe = Verdict::Probe { ours: 5, theirs: 5, has_branches: false };
        assert_eq!((logs.judge(log), logs.judge(log)), (probe, Verdict::Nothing));
        logs.doubt(log);
        assert_eq!(logs.judge(log), Verdict::Nothing);
    }

    #[test]
    fn a_log_is_left_alone_while_something_of_it_is_on_its_way() {
        let mut logs = logs(5);
        let log = tip(5).tip.log;
        logs.on_tips(SCOPE, true, vec![], false).expect("no tips");
        logs.add_busy(log, 2);
        assert_eq!(logs.judge(log), Verdict::Nothing);
        logs.remove_busy(log, 1);
        assert_eq!(logs.judge(log), Verdict::Nothing);
        logs.remove_busy(log, 1);
        assert!(matches!(logs.judge(log), Verdict::Send(_)));
    }
}
