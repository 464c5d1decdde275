//! Bodies that are missing under headers held here, on their way from the peer (`spec/sync.md` §Bodies).
//!
//! Tips say nothing of bodies: two sides with equal tips may each hold what the other lacks.

use std::collections::{BTreeSet, VecDeque};

use super::frame::{BODIES_MAX, Frame, PROBE_SEQS_MAX};
use super::io::Request;
use super::outbox::{Outbox, Pending};
use crate::id::{LogId, ScopeId};

/// Where an entry stands.
type Place = (LogId, u64);

/// What this side lacks, read page by page and asked for once in each reading.
#[derive(Debug)]
pub(super) struct Bodies {
    /// Whether the peer can be asked: not in version 1, and not by a side that wants no entries.
    is_wanted: bool,
    after: Option<Place>,
    is_loading: bool,
    is_exhausted: bool,
    /// Read it again from the beginning after this page.
    is_stale: bool,
    /// Read and not asked for yet.
    queue: VecDeque<Place>,
    /// Asked for; neither came nor are lacked by the peer.
    awaited: BTreeSet<Place>,
    /// Whether the peer did not bring something in this reading.
    has_failed: bool,
}

impl Bodies {
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            after: None,
            is_loading: false,
            is_exhausted: !is_wanted,
            is_stale: false,
            queue: VecDeque::new(),
            awaited: BTreeSet::new(),
            has_failed: false,
        }
    }

    /// Both hellos say that nothing is missing.
    pub(super) fn are_held(&mut self) {
        self.is_exhausted = true;
    }

    /// Asks for what is missing in the logs of which `may_ask` says so.
    pub(super) fn drive(&mut self, scopes: &[ScopeId], may_ask: impl Fn(LogId) -> bool, out: &mut Outbox) {
        if !self.is_loading && !self.is_exhausted && self.queue.is_empty() {
            self.is_loading = true;
            let (scopes, after) = (scopes.to_vec(), self.after);
            out.load(Request::MissingBodies { scopes, after, positions_max: BODIES_MAX }, Pending::MissingBodies);
        }
        while self.awaited.len() < BODIES_MAX
            && let Some(&(log, _)) = self.queue.front()
        {
            let room = (BODIES_MAX - self.awaited.len()).min(PROBE_SEQS_MAX);
            let run = self.queue.iter().take_while(|(of, _)| *of == log).take(room).count();
            let seqs: Vec<u64> = self.queue.drain(..run).map(|(_, seq)| seq).collect();
            if may_ask(log) {
                self.awaited.extend(seqs.iter().map(|seq| (log, *seq)));
                out.say(&Frame::Bodies(log, seqs));
            }
        }
    }

    /// A page of what this side lacks.
    pub(super) fn on_missing(&mut self, places: Vec<Place>) {
        self.is_loading = false;
        self.is_exhausted = places.len() < BODIES_MAX;
        self.after = places.last().copied().or(self.after);
        if std::mem::take(&mut self.is_stale) {
            (self.after, self.is_exhausted) = (None, false);
        }
        self.queue.extend(places.into_iter().filter(|place| !self.awaited.contains(place)));
    }

    /// An entry came, with its body or without.
    pub(super) fn on_entry(&mut self, log: LogId, seq: u64, has_body: bool) {
        let was_asked = self.awaited.remove(&(log, seq));
        match (has_body, was_asked) {
            (true, _) => {}
            (false, true) => self.has_failed = true,
            (false, false) => self.look_again(),
        }
    }

    /// The peer lacks these too.
    pub(super) fn on_bodiless(&mut self, log: LogId, seqs: &[u64]) {
        for seq in seqs {
            self.has_failed |= self.awaited.remove(&(log, *seq));
        }
    }

    /// The peer holds bodies that it lacked before: what it did not bring is asked for again. Whether there was any.
    pub(super) fn on_peers_news(&mut self) -> bool {
        let had_failed = std::mem::take(&mut self.has_failed);
        if had_failed {
            self.look_again();
        }
        had_failed
    }

    /// Other bodies are missing than before.
    pub(super) fn look_again(&mut self) {
        if self.is_loading {
            self.is_stale = true;
        } else if self.is_wanted {
            (self.after, self.is_exhausted) = (None, false);
        }
    }

    /// Waits no longer for what was asked for. Whether there was any.
    pub(super) fn give_up(&mut self) -> bool {
        let had_awaited = !self.awaited.is_empty();
        self.awaited.clear();
        self.has_failed |= had_awaited;
        had_awaited
    }

    /// Whether everything was asked for and came or did not.
    pub(super) fn is_idle(&self) -> bool {
        self.is_exhausted && !self.is_loading && self.queue.is_empty() && self.awaited.is_empty()
    }
}
