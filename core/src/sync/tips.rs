//! What both sides hold of each log, and what follows from a difference (`spec/sync.md` §Tips).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::close::Close;
use super::comparing::{Comparing, Found};
use super::config::{LocalTip, roots_digest};
use super::frame::{Frame, LogTip, Node};
use super::log::{Log, Verdict, is_older};
use super::scope::{Scope, Telling, Theirs, Which, follow};
use super::version::Version;
use crate::entry::LOG_ENTRIES_MAX;
use crate::id::{EntryId, LogId, ScopeId, sha256};

/// Most logs of a mission.
pub(super) const LOGS_MAX: usize = crate::receipt::LOGS_MAX;

/// What both sides are known to hold of the logs of the shared scopes.
#[derive(Debug, Default)]
pub(super) struct Logs {
    scopes: BTreeMap<ScopeId, Scope>,
    index: HashMap<LogId, ScopeId>,
    /// Logs to look at again.
    changed: BTreeSet<LogId>,
    /// Entries that the peer holds above ours.
    behind: u64,
    /// Logs held here of which the peer named a greater height, not reported yet.
    ahead: Vec<(LogId, u64)>,
    /// How many logs of ours are told.
    told: usize,
}

impl Logs {
    /// What this side holds, before the peer is known.
    /// More than [`LOGS_MAX`] logs, which [`named_logs`](super::config::named_logs) never gives, are told as far as they may be.
    pub(super) fn new(mut tips: Vec<LocalTip>, granted: &[ScopeId]) -> Self {
        let mut logs = Self::default();
        tips.retain(|tip| granted.contains(&tip.scope));
        tips.truncate(LOGS_MAX);
        tips.into_iter().for_each(|tip| logs.set_local(tip));
        logs
    }

    /// The digest of each scope that is not empty, as `version` has it.
    pub(super) fn digests(&mut self, version: Version) -> Vec<(ScopeId, [u8; 32])> {
        let digest = |(id, scope): (&ScopeId, &mut Scope)| {
            let digest = match version {
                Version::V1 => scope.digest(),
                Version::V2 | Version::V3 => scope.tree.root(),
            };
            Some((*id, digest?))
        };
        self.scopes.iter_mut().filter_map(digest).collect()
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
        self.share(shared);
        for id in shared {
            let scope = self.scopes.entry(*id).or_default();
            if of(ours, *id) != of(theirs, *id) {
                scope.list(is_cut);
            } else {
                scope.are_equal();
            }
        }
    }

    /// The same in version 2. `changed` are our logs that changed since the last agreement, if both name the same and
    /// it was about the shared scopes `agreed`; gives the scopes whose tips the peer is to name.
    pub(super) fn begin_trees(
        &mut self,
        shared: &[ScopeId],
        ours: &[(ScopeId, [u8; 32])],
        theirs: &[(ScopeId, [u8; 32])],
        since: Option<(&[ScopeId], &[LogId])>,
        is_cut: bool,
    ) -> Result<Vec<ScopeId>, Close> {
        self.share(shared);
        let mut lists = Vec::new();
        for id in shared {
            let scope = self.scopes.entry(*id).or_default();
            // What turns out to differ is put right; nothing is judged before.
            scope.are_equal();
            if of(ours, *id) == of(theirs, *id) {
                continue;
            }
            // Both know from the hellos that they agreed, and the peer tells what changed before it hears of a cut.
            if let Some((_, changed)) = since.filter(|(agreed, _)| agreed.contains(id)) {
                for log in changed {
                    if let Some(log) = scope.logs.get_mut(log) {
                        (log.is_changed, log.remote) = (true, None);
                    }
                }
                scope.theirs = Theirs::Since { last: None, is_complete: false };
                let which = if is_cut { Which::NamedChanged } else { Which::Changed };
                scope.telling = Some(Telling { after: None, which });
                continue;
            }
            if is_cut {
                scope.list(true);
                lists.push(*id);
                continue;
            }
            let (comparing, found) = Comparing::begin(scope.tree.clone(), of(theirs, *id));
            scope.theirs = Theirs::Comparing(comparing);
            self.learn(*id, found)?;
        }
        Ok(lists)
    }

    fn share(&mut self, shared: &[ScopeId]) {
        self.scopes.retain(|id, _| shared.contains(id));
        let scopes = &self.scopes;
        self.index.retain(|_, scope| scopes.contains_key(scope));
    }

    /// The peer's tips of a scope.
    pub(super) fn on_tips(&mut self, id: ScopeId, last: bool, tips: Vec<LogTip>, is_cut: bool) -> Result<(), Close> {
        let scope = self.scopes.get_mut(&id).ok_or(Close::malformed("scope of tips"))?;
        match &mut scope.theirs {
            Theirs::Arriving { last: before } => {
                follow(before, &tips)?;
                if last {
                    scope.theirs = Theirs::Known;
                    if is_cut {
                        scope.telling = Some(Telling { after: None, which: Which::Named });
                    }
                }
            }
            Theirs::Since { last: before, is_complete: is_complete @ false } => {
                follow(before, &tips)?;
                if last {
                    (*is_complete, *before) = (true, None);
                    scope.also();
                }
            }
            Theirs::Known | Theirs::Since { .. } | Theirs::Comparing(_) => return Err(Close::malformed("tips twice")),
        }
        self.name(id, tips)?;
        self.look_at_known(id);
        Ok(())
    }

    /// The peer's tips of the logs that we named as changed and it did not.
    pub(super) fn on_also(&mut self, id: ScopeId, last: bool, tips: Vec<LogTip>) -> Result<(), Close> {
        let scope = self.scopes.get_mut(&id).ok_or(Close::malformed("scope of tips"))?;
        let Theirs::Since { last: before, is_complete: true } = &mut scope.theirs else {
            return Err(Close::malformed("tips that were not changed"));
        };
        follow(before, &tips)?;
        if last {
            scope.theirs = Theirs::Known;
        }
        self.name(id, tips)?;
        self.look_at_known(id);
        Ok(())
    }

    /// Nodes of the peer's tree of a scope.
    pub(super) fn on_nodes(&mut self, id: ScopeId, nodes: Vec<Node>, is_cut: bool) -> Result<(), Close> {
        for node in nodes {
            let scope = self.scopes.get_mut(&id).ok_or(Close::malformed("scope of nodes"))?;
            let Theirs::Comparing(comparing) = &mut scope.theirs else {
                // Told before it heard that its key is cut.
                return if is_cut { Ok(()) } else { Err(Close::malformed("nodes")) };
            };
            let found = comparing.on_node(node)?;
            self.learn(id, found)?;
        }
        self.look_at_known(id);
        Ok(())
    }

    /// The peer wants all tips of a scope named, and nothing else.
    pub(super) fn on_list(&mut self, id: ScopeId, is_cut: bool) -> Result<(), Close> {
        let scope = self.scopes.get_mut(&id).ok_or(Close::malformed("scope of a list"))?;
        if std::mem::replace(&mut scope.is_listed, true) {
            return Err(Close::malformed("list twice"));
        }
        scope.list(is_cut);
        self.behind = self.scopes.values().flat_map(|scope| scope.logs.values()).map(Log::behind).sum();
        Ok(())
    }

    /// What a comparison of trees showed.
    fn learn(&mut self, id: ScopeId, found: Found) -> Result<(), Close> {
        for log in found.lacking {
            if let Some(log) = self.get_mut(log) {
                log.remote = None;
            }
        }
        self.name(id, found.theirs)
    }

    /// The peer named tips.
    fn name(&mut self, id: ScopeId, tips: Vec<LogTip>) -> Result<(), Close> {
        for tip in tips {
            check_height(&tip)?;
            // The id of a log says nothing about its scope: one that is held stays in the scope it is held in.
            if self.index.get(&tip.log).is_none_or(|known| *known == id) {
                self.log(id, tip.log).is_named = true;
                self.set_remote(tip.log, tip);
            }
        }
        if self.index.len() > LOGS_MAX + self.told { Err(Close::limit("logs")) } else { Ok(()) }
    }

    /// Looks at all logs of a scope once the peer's are known.
    fn look_at_known(&mut self, id: ScopeId) {
        let Some(scope) = self.scopes.get_mut(&id) else { return };
        if let Theirs::Comparing(comparing) = &scope.theirs
            && comparing.is_known()
            && comparing.is_told()
        {
            scope.theirs = Theirs::Known;
        }
        if scope.theirs.is_known() {
            self.changed.extend(scope.logs.iter().filter(|(_, log)| log.differs()).map(|(id, _)| *id));
        }
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

    /// Our own logs as they are now. New ones beyond the most that are told wait for the next conversation.
    pub(super) fn on_local(&mut self, tips: &[LocalTip]) {
        for tip in tips {
            let is_told = self.index.len() < LOGS_MAX || self.index.contains_key(&tip.tip.log);
            let is_shared = self.scopes.contains_key(&tip.scope) && is_told;
            if is_shared && self.index.get(&tip.tip.log).is_none_or(|known| *known == tip.scope) {
                let log = self.log(tip.scope, tip.tip.log);
                if log.local.is_some_and(|known| is_older(&tip.tip, &known.tip)) {
                    continue;
                }
                let before = log.behind();
                self.set_local(*tip);
                self.recount(tip.tip.log, before);
            }
        }
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
        let is_known =
            |id: &LogId| index.get(id).and_then(|scope| scopes.get(scope)).is_some_and(|scope| scope.theirs.is_known());
        let ready: Vec<_> = self.changed.iter().filter(|id| is_known(id)).copied().collect();
        self.changed.clear();
        ready
    }

    /// What is to be done about a log now. The same states are judged once.
    pub(super) fn judge(&mut self, id: LogId) -> Verdict {
        self.get_mut(id).map_or(Verdict::Nothing, Log::judge)
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
        self.get_mut(id).map_or(Verdict::Nothing, Log::probe_once)
    }

    /// Tells of no log that the peer did not name: its key was cut. Gives the scopes whose tips it is to name.
    pub(super) fn restrict(&mut self) -> Vec<ScopeId> {
        let lists = self.scopes.iter_mut().filter_map(|(id, scope)| scope.restrict().then_some(*id)).collect();
        self.behind = self.scopes.values().flat_map(|scope| scope.logs.values()).map(Log::behind).sum();
        lists
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
        let (id, scope) = self.scopes.iter_mut().find(|(_, scope)| !scope.is_told())?;
        let (id, frame) = (*id, scope.next_frame(*id)?);
        if matches!(frame, Frame::Nodes(..)) {
            self.look_at_known(id);
        }
        Some(frame.encode())
    }

    /// The state of a log here, if it is shared.
    pub(super) fn local(&self, id: LogId) -> Option<LocalTip> {
        self.get(id)?.local
    }

    /// Whether the peer named a log.
    pub(super) fn is_named(&self, id: LogId) -> bool {
        self.get(id).is_some_and(|log| log.is_named)
    }

    /// Entries that the peer holds above ours, as far as its tips tell.
    pub(super) fn behind(&self) -> u64 {
        self.behind
    }

    /// Whether everything is said about what either side holds.
    pub(super) fn is_idle(&self) -> bool {
        self.changed.is_empty() && self.scopes.values().all(|scope| scope.is_told() && scope.theirs.is_known())
    }

    /// The digest over the tips of all shared scopes (`spec/sync.md` §Done).
    pub(super) fn digest(&mut self, version: Version) -> [u8; 32] {
        let digests = self.digests(version);
        match version {
            Version::V1 => {
                let parts: Vec<&[u8]> = digests.iter().map(|(_, digest)| digest.as_slice()).collect();
                sha256(&parts)
            }
            Version::V2 | Version::V3 => roots_digest(&digests),
        }
    }

    /// The shared scopes of which anything is held here.
    pub(super) fn scopes_held(&self) -> Vec<ScopeId> {
        let is_held = |scope: &Scope| scope.logs.values().any(|log| log.local.is_some());
        self.scopes.iter().filter(|(_, scope)| is_held(scope)).map(|(id, _)| *id).collect()
    }

    /// What the peer is known to hold of the logs of the shared scopes.
    pub(super) fn remotes(&self) -> impl Iterator<Item = LogTip> + '_ {
        self.scopes.values().flat_map(|scope| {
            let is_known = scope.theirs.is_known();
            scope.logs.values().filter(move |log| is_known || log.is_named).filter_map(|log| log.remote)
        })
    }

    /// How far the peer holds a log of this scope: 0 if it is known not to hold it, `None` while it has not told.
    pub(super) fn remote_height(&self, id: LogId, scope: ScopeId) -> Option<u64> {
        let scope = self.scopes.get(&scope)?;
        let log = scope.logs.get(&id);
        let is_known = scope.theirs.is_known() || log.is_some_and(|log| log.is_named);
        is_known.then(|| log.and_then(|log| log.remote).map_or(0, |remote| remote.height))
    }

    /// Logs held here of which the peer named a greater height since the last call.
    pub(super) fn take_ahead(&mut self) -> Vec<(LogId, u64)> {
        std::mem::take(&mut self.ahead)
    }

    fn set_remote(&mut self, id: LogId, tip: LogTip) {
        let Some(log) = self.get_mut(id) else { return };
        let before = log.behind();
        log.remote = Some(tip);
        if log.local.is_some() && log.behind() > 0 {
            self.ahead.push((id, tip.height));
        }
        self.recount(id, before);
    }

    /// Takes notice that a log changed.
    fn recount(&mut self, id: LogId, before: u64) {
        self.changed.insert(id);
        let now = self.get(id).map_or(0, Log::behind);
        self.behind = self.behind.saturating_sub(before) + now;
    }

    fn set_local(&mut self, tip: LocalTip) {
        let is_new = self.log(tip.scope, tip.tip.log).local.replace(tip).is_none();
        self.told += usize::from(is_new);
        self.scopes.entry(tip.scope).or_default().tree.set(tip.tip);
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

fn of(digests: &[(ScopeId, [u8; 32])], id: ScopeId) -> Option<[u8; 32]> {
    digests.iter().find(|(of, _)| *of == id).map(|(_, digest)| *digest)
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
        let digests = logs.digests(Version::V1);
        logs.begin(&[SCOPE], &digests, &[], false);
        logs
    }

    #[test]
    fn a_change_that_was_overtaken_changes_nothing() {
        let mut logs = logs(5);
        logs.on_tips(SCOPE, true, vec![tip(5).tip], false).expect("a tip");
        logs.on_local(&[tip(3)]);
        assert_eq!((logs.behind(), logs.local(tip(5).tip.log)), (0, Some(tip(5))));
        logs.on_local(&[tip(7)]);
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
