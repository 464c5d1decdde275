//! Entries on their way from the peer: verified, made durable, acknowledged (`spec/sync.md` §Entries).

use std::collections::{BTreeMap, VecDeque};

use super::bodies::Bodies;
use super::close::{Close, CloseCode};
use super::config::LocalTip;
use super::frame::{BATCHES_MAX, Frame};
use super::io::{Commit, Token};
use super::outbox::{Outbox, Pending};
use super::tips::Logs;
use super::verify::{Contents, UnverifiedBatch, VerifiedBatch};
use super::version::Version;
use crate::entry::VerifiedEntry;
use crate::id::{EntryId, LogId, MissionId, ScopeId};

/// Most batches being verified at once: phones have four fast cores at most.
pub const VERIFY_MAX: usize = 4;

/// Frames of entries that are not acknowledged yet, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    batches: VecDeque<Batch>,
    received: u64,
}

#[derive(Debug)]
enum Batch {
    Arrived(UnverifiedBatch),
    Verifying(Token),
    Verified(VerifiedBatch),
    Committing { token: Token, stretches: Vec<Stretch>, entries: u64 },
    Durable { tips: Vec<LocalTip>, stretches: Vec<Stretch> },
}

/// Entries of one log in one batch.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    log: LogId,
    first: u64,
    last: u64,
    head: EntryId,
}

impl Batch {
    /// A batch of no entries, as one is whose entries all have to be sent again.
    const NOTHING: Self = Self::Durable { tips: Vec::new(), stretches: Vec::new() };
}

impl Receiving {
    pub(super) fn on_frame(&mut self, mission: MissionId, version: Version, frame: Vec<u8>) -> Result<(), Close> {
        self.batches.push_back(Batch::Arrived(UnverifiedBatch::new(mission, version, frame)));
        if self.batches.len() > BATCHES_MAX { Err(Close::limit("batches in flight")) } else { Ok(()) }
    }

    pub(super) fn on_verified(&mut self, token: Token, verified: VerifiedBatch) {
        let is_it = |batch: &&mut Batch| matches!(batch, Batch::Verifying(of) if *of == token);
        if let Some(batch) = self.batches.iter_mut().find(is_it) {
            *batch = Batch::Verified(verified);
        }
    }

    pub(super) fn on_committed(&mut self, token: Token, tips: Vec<LocalTip>) {
        for batch in &mut self.batches {
            if let Batch::Committing { token: of, stretches, entries } = batch
                && *of == token
            {
                self.received += *entries;
                *batch = Batch::Durable { tips, stretches: std::mem::take(stretches) };
                return;
            }
        }
    }

    /// Has batches verified, commits those that were, in order, and acknowledges those that are durable, in order.
    pub(super) fn drive(
        &mut self,
        scopes: &[ScopeId],
        logs: &mut Logs,
        bodies: &mut Bodies,
        out: &mut Outbox,
    ) -> Result<(), Close> {
        self.verify(out);
        self.commit(scopes, bodies, out)?;
        while let Some(Batch::Durable { .. }) = self.batches.front() {
            let Some(Batch::Durable { tips, stretches }) = self.batches.pop_front() else { break };
            logs.on_local(&tips);
            for Stretch { log, first, last, head } in stretches {
                logs.on_received(log, first, last, head);
            }
            out.say(&Frame::Kept(tips.iter().map(|tip| tip.tip).collect()));
        }
        Ok(())
    }

    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty()
    }

    /// Entries received and durable.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    fn verify(&mut self, out: &mut Outbox) {
        let verifying = self.batches.iter().filter(|batch| matches!(batch, Batch::Verifying(_))).count();
        let arrived = self.batches.iter_mut().filter(|batch| matches!(batch, Batch::Arrived(_)));
        for batch in arrived.take(VERIFY_MAX.saturating_sub(verifying)) {
            if let Batch::Arrived(unverified) = std::mem::replace(batch, Batch::NOTHING) {
                *batch = Batch::Verifying(out.verify(unverified));
            }
        }
    }

    fn commit(&mut self, scopes: &[ScopeId], bodies: &mut Bodies, out: &mut Outbox) -> Result<(), Close> {
        for batch in &mut self.batches {
            match batch {
                Batch::Committing { .. } | Batch::Durable { .. } => {}
                // The chain of a log goes through the batches in order.
                Batch::Arrived(_) | Batch::Verifying(_) => return Ok(()),
                Batch::Verified(_) => {
                    let Batch::Verified(verified) = std::mem::replace(batch, Batch::NOTHING) else { continue };
                    let Contents { entries, again } = verified.0?;
                    if entries.iter().any(|entry| !scopes.contains(&entry.header().scope)) {
                        return Err(Close::new(CloseCode::Malformed, "scope of an entry"));
                    }
                    ask_again(&again, out);
                    for entry in &entries {
                        bodies.on_entry(entry.log(), entry.header().seq, entry.body_bytes().is_some());
                    }
                    let stretches = stretches(&entries);
                    if !entries.is_empty() {
                        let count = entries.len() as u64;
                        let token = out.commit(Commit::Entries(entries), Pending::CommitEntries);
                        *batch = Batch::Committing { token, stretches, entries: count };
                    }
                }
            }
        }
        Ok(())
    }
}

fn ask_again(positions: &[(LogId, u64)], out: &mut Outbox) {
    let mut runs: Vec<(LogId, u64, u64)> = Vec::new();
    for (log, seq) in positions {
        match runs.last_mut() {
            Some((of, from, count)) if of == log && from.checked_add(*count) == Some(*seq) => *count += 1,
            _ => runs.push((*log, *seq, 1)),
        }
    }
    for (log, from, count) in runs {
        out.say(&Frame::Again { log, from, count });
    }
}

/// The entries of each log, where their seqs ascend one by one.
fn stretches(entries: &[VerifiedEntry]) -> Vec<Stretch> {
    let mut found: BTreeMap<LogId, Stretch> = BTreeMap::new();
    for entry in entries {
        let (log, seq, head) = (entry.log(), entry.header().seq, entry.id());
        let stretch = found.entry(log).or_insert(Stretch { log, first: seq, last: seq, head });
        if seq == stretch.last.saturating_add(1) {
            (stretch.last, stretch.head) = (seq, head);
        }
    }
    found.into_values().collect()
}
