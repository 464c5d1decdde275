//! Entries on their way to the peer: read, packed, sent and acknowledged (`spec/sync.md` §Entries).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::close::{Close, CloseCode};
use super::frame::{BATCHES_MAX, BODIES_MAX, FRAME_BYTES_MAX, Frame};
use super::io::{Part, Request, Span, StoredEntry};
use super::outbox::{Outbox, Pending};
use super::tips::Logs;
use super::version::Version;
use super::wire::{self, BATCH_ENTRIES_MAX, Outgoing};
use crate::id::LogId;

/// Frames prepared ahead of the link: one to be taken and one behind it.
const READY_MAX: usize = 2;
/// Most bytes read from the store at once; a batch takes about a quarter of what it may inflate to.
const READ_BYTES_MAX: usize = 1 << 20;
/// Most entries asked for in full form that wait: every entry of every batch in flight.
const AGAIN_MAX: usize = BATCHES_MAX * BATCH_ENTRIES_MAX;
/// Room in a frame of full form for what is around an entry.
const ENTRY_ROOM: usize = 16;

/// What is left to send.
#[derive(Debug, Default)]
pub(super) struct Sending {
    version: Version,
    /// By urgency, then in the order in which they were found.
    spans: BTreeMap<(u64, u64), Span>,
    order: u64,
    again: VecDeque<Span>,
    /// Positions of whose entries the peer lacks bodies, and how many these are with those being read.
    bodies: VecDeque<(LogId, Vec<u64>)>,
    bodies_asked: usize,
    loading: Option<Loading>,
    /// Read and not packed yet.
    loaded: VecDeque<StoredEntry>,
    ready: VecDeque<Batch>,
    in_flight: VecDeque<Batch>,
    /// Entries found to be sent, and those of them that were acknowledged.
    found: u64,
    acknowledged: u64,
}

#[derive(Debug)]
enum Loading {
    Spans(Vec<(u64, u64)>),
    InFull,
    Bodies(LogId, Vec<u64>),
    /// To be dropped when it comes.
    Dropped,
}

#[derive(Debug)]
struct Batch {
    frame: Vec<u8>,
    logs: Vec<(LogId, u64)>,
    entries: u64,
}

impl Sending {
    pub(super) fn new(version: Version) -> Self {
        Self { version, ..Self::default() }
    }

    /// Queues spans of a log that is `height` entries long.
    pub(super) fn add(&mut self, spans: Vec<Span>, urgency: u64, height: u64, logs: &mut Logs) {
        for span in spans {
            logs.add_busy(span.log, 1);
            self.found += match span.part {
                Part::Main => height.saturating_sub(span.from),
                Part::Branches | Part::Both => span.until.saturating_sub(span.from).min(height),
            };
            self.spans.insert((urgency, self.order), span);
            self.order += 1;
        }
    }

    /// The peer could not rebuild these.
    pub(super) fn add_again(&mut self, log: LogId, from: u64, count: u64) -> Result<(), Close> {
        if count > BATCH_ENTRIES_MAX as u64 || self.again.len() >= AGAIN_MAX {
            return Err(Close::limit("again"));
        }
        self.again.push_back(Span { log, from, until: from.saturating_add(count), part: Part::Both });
        Ok(())
    }

    /// The peer lacks the bodies at these positions.
    pub(super) fn add_bodies(&mut self, log: LogId, seqs: Vec<u64>) -> Result<(), Close> {
        self.bodies_asked += seqs.len();
        if self.bodies_asked > BODIES_MAX {
            return Err(Close::limit("bodies"));
        }
        self.bodies.push_back((log, seqs));
        Ok(())
    }

    /// Reads on when there is room.
    pub(super) fn drive(&mut self, out: &mut Outbox) {
        if self.loading.is_some() || !self.loaded.is_empty() || self.ready.len() >= READY_MAX {
            return;
        }
        let request = |spans| Request::Entries { spans, entries_max: BATCH_ENTRIES_MAX, bytes_max: READ_BYTES_MAX };
        if let Some(span) = self.again.pop_front() {
            self.loading = Some(Loading::InFull);
            out.load(request(vec![span]), Pending::EntriesInFull);
        } else if !self.spans.is_empty() {
            let page = || self.spans.iter().take(BATCH_ENTRIES_MAX);
            self.loading = Some(Loading::Spans(page().map(|(key, _)| *key).collect()));
            out.load(request(page().map(|(_, span)| *span).collect()), Pending::Entries);
        } else if let Some((log, seqs)) = self.bodies.pop_front() {
            out.load(request(runs(log, &seqs)), Pending::EntriesWithBodies);
            self.loading = Some(Loading::Bodies(log, seqs));
        }
    }

    /// Entries at positions of which the peer lacks bodies: sends those with bodies, and names where one is lacking here too.
    pub(super) fn on_bodies_loaded(
        &mut self,
        mut entries: Vec<StoredEntry>,
        rest: &[Span],
        logs: &mut Logs,
        out: &mut Outbox,
    ) -> Result<(), Close> {
        let storage = Close::new(CloseCode::Storage, "entries");
        let (log, seqs) = match self.loading.take() {
            Some(Loading::Bodies(log, seqs)) => (log, seqs),
            Some(Loading::Dropped) => return Ok(()),
            Some(Loading::Spans(_) | Loading::InFull) | None => return Err(storage),
        };
        let remains = |seq: &u64| rest.iter().any(|span| (span.from..span.until).contains(seq));
        let (left, answered): (Vec<u64>, Vec<u64>) = seqs.into_iter().partition(remains);
        if answered.is_empty() {
            return Err(storage);
        }
        let lacking: BTreeSet<u64> = entries.iter().filter(|held| held.body.is_none()).map(|held| held.seq).collect();
        entries.retain(|held| held.body.is_some());
        let here: BTreeSet<u64> = entries.iter().map(|held| held.seq).collect();
        let is_lacking = |seq: &u64| lacking.contains(seq) || !here.contains(seq);
        self.bodies_asked = self.bodies_asked.saturating_sub(answered.len());
        let bodiless: Vec<u64> = answered.into_iter().filter(is_lacking).collect();
        if !bodiless.is_empty() {
            out.say(&Frame::Bodiless(log, bodiless));
        }
        if !left.is_empty() {
            self.bodies.push_front((log, left));
        }
        for entry in &entries {
            logs.add_busy(entry.log, 1);
        }
        self.pack_in_full(&entries);
        Ok(())
    }

    pub(super) fn on_loaded(
        &mut self,
        entries: Vec<StoredEntry>,
        rest: Vec<Span>,
        logs: &mut Logs,
    ) -> Result<(), Close> {
        let storage = Close::new(CloseCode::Storage, "entries");
        match self.loading.take() {
            None | Some(Loading::Bodies(..)) => Err(storage),
            Some(Loading::Dropped) => Ok(()),
            Some(Loading::Spans(keys)) => {
                // A host that neither gives an entry nor finishes a span would be asked for ever.
                if rest.len() > keys.len() || (entries.is_empty() && rest.len() == keys.len()) {
                    return Err(storage);
                }
                let done = keys.len() - rest.len();
                for entry in &entries {
                    logs.add_busy(entry.log, 1);
                }
                for key in &keys[..done] {
                    if let Some(span) = self.spans.remove(key) {
                        logs.remove_busy(span.log, 1);
                    }
                }
                self.spans.extend(keys[done..].iter().copied().zip(rest));
                self.loaded.extend(entries);
                self.pack()
            }
            Some(Loading::InFull) => {
                self.again.extend(rest);
                for entry in &entries {
                    logs.add_busy(entry.log, 1);
                }
                self.pack_in_full(&entries);
                Ok(())
            }
        }
    }

    /// The next frame, unless too many are not acknowledged.
    pub(super) fn next_frame(&mut self) -> Result<Option<Vec<u8>>, Close> {
        if self.in_flight.len() >= BATCHES_MAX {
            return Ok(None);
        }
        let Some(mut batch) = self.ready.pop_front() else { return Ok(None) };
        let frame = std::mem::take(&mut batch.frame);
        self.in_flight.push_back(batch);
        self.pack()?;
        Ok(Some(frame))
    }

    /// The peer acknowledged the oldest frame.
    pub(super) fn on_kept(&mut self, logs: &mut Logs) -> Result<(), Close> {
        let batch = self.in_flight.pop_front().ok_or(Close::malformed("kept without entries"))?;
        for (log, count) in batch.logs {
            logs.remove_busy(log, count);
        }
        self.acknowledged += batch.entries;
        // Spans are found with their length at that time; what was sent is what counts in the end.
        self.found = if self.is_idle() { self.acknowledged } else { self.found.max(self.acknowledged) };
        Ok(())
    }

    /// Sends nothing more: the peer's key was cut.
    pub(super) fn restrict(&mut self, out: &mut Outbox) {
        let reading = match &self.loading {
            Some(Loading::Bodies(log, seqs)) => Some((*log, seqs.clone())),
            Some(Loading::Spans(_) | Loading::InFull | Loading::Dropped) | None => None,
        };
        for (log, seqs) in reading.into_iter().chain(std::mem::take(&mut self.bodies)) {
            out.say(&Frame::Bodiless(log, seqs));
        }
        let in_flight = std::mem::take(&mut self.in_flight);
        let (acknowledged, loading) = (self.acknowledged, self.loading.take());
        *self = Self { version: self.version, in_flight, acknowledged, found: acknowledged, ..Self::default() };
        self.loading = loading.map(|_| Loading::Dropped);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.spans.is_empty()
            && self.again.is_empty()
            && self.bodies.is_empty()
            && self.loading.is_none()
            && self.loaded.is_empty()
            && self.ready.is_empty()
            && self.in_flight.is_empty()
    }

    /// Entries to send, and entries acknowledged.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.found.saturating_sub(self.acknowledged), self.acknowledged)
    }

    fn pack(&mut self) -> Result<(), Close> {
        while !self.loaded.is_empty() && self.ready.len() < READY_MAX {
            let page: Vec<_> = self.loaded.iter().take(BATCH_ENTRIES_MAX).map(outgoing).collect();
            let (frame, taken) = wire::encode_page(&page, self.version)
                .map_err(|_| Close::new(CloseCode::Storage, "a stored header"))?;
            let logs = count_logs(self.loaded.drain(..taken));
            self.ready.push_back(Batch { frame, logs, entries: taken as u64 });
        }
        Ok(())
    }

    fn pack_in_full(&mut self, mut entries: &[StoredEntry]) {
        while !entries.is_empty() {
            let mut bytes = ENTRY_ROOM;
            let fits = |entry: &&StoredEntry| {
                bytes += entry.header.len() + entry.body.as_ref().map_or(0, Vec::len) + ENTRY_ROOM;
                bytes <= FRAME_BYTES_MAX
            };
            // The limits of headers and bodies let two entries of any size fit.
            let taken = entries.iter().take(BATCH_ENTRIES_MAX).take_while(fits).count().max(1);
            let (page, rest) = entries.split_at(taken);
            let frame = wire::encode_full(&page.iter().map(outgoing).collect::<Vec<_>>());
            let logs = count_logs(page.iter());
            // They were counted when they were first found.
            self.ready.push_back(Batch { frame, logs, entries: 0 });
            entries = rest;
        }
    }
}

/// Stretches of positions without a gap.
fn runs(log: LogId, seqs: &[u64]) -> Vec<Span> {
    let follows = |one: &u64, other: &u64| one.checked_add(1) == Some(*other);
    let span = |run: &[u64]| Span { log, from: run[0], until: run[run.len() - 1].saturating_add(1), part: Part::Both };
    seqs.chunk_by(follows).map(span).collect()
}

fn outgoing(entry: &StoredEntry) -> Outgoing<'_> {
    Outgoing { header: &entry.header, body: entry.body.as_deref() }
}

fn count_logs<E: std::borrow::Borrow<StoredEntry>>(entries: impl Iterator<Item = E>) -> Vec<(LogId, u64)> {
    let mut logs: Vec<(LogId, u64)> = Vec::new();
    for entry in entries {
        let log = entry.borrow().log;
        match logs.last_mut() {
            Some((last, count)) if *last == log => *count += 1,
            _ => logs.push((log, 1)),
        }
    }
    logs
}
