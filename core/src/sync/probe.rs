//! Where two histories of one log part, found by asking for ids (`spec/sync.md` §Tips).
//!
//! Along the main branch each entry names the one before, so what the peer holds of it is a prefix: 256 positions in
//! a question find its end in three questions for the longest log. Entries off the main branch are asked for by position.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::close::Close;
use super::frame::{Frame, PROBE_SEQS_MAX, PROBES_MAX};
use super::io::{HeldAt, Part, Request, Span};
use super::outbox::{Outbox, Pending};
use crate::id::{EntryId, LogId};

/// All comparisons under way.
#[derive(Debug, Default)]
pub(super) struct Probes {
    active: BTreeMap<LogId, Probe>,
    waiting: VecDeque<(LogId, Probe)>,
    answering: usize,
}

#[derive(Debug)]
struct Probe {
    /// The peer holds our main branch below this position,
    low: u64,
    /// and lacks it from this one.
    high: u64,
    height: u64,
    has_branches: bool,
    asked: Asked,
    /// What the peer lacks off the main branch.
    lacking: Vec<Span>,
}

/// What the peer was asked.
#[derive(Debug)]
enum Asked {
    Nothing,
    /// Positions of the main branch, and our ids there.
    Main(Vec<(u64, Option<EntryId>)>),
    /// Positions off the main branch, our ids there, and where the next page begins.
    Branches(Vec<(u64, EntryId)>, Option<u64>),
}

impl Probes {
    /// Begins to compare a log in which the heights are these.
    pub(super) fn begin(&mut self, log: LogId, ours: u64, theirs: u64, has_branches: bool, out: &mut Outbox) {
        let high = ours.min(theirs);
        let probe = Probe { low: 0, high, height: ours, has_branches, asked: Asked::Nothing, lacking: Vec::new() };
        if self.active.len() >= PROBES_MAX {
            self.waiting.push_back((log, probe));
            return;
        }
        load_own(log, &probe, &first_seqs(high), out);
        self.active.insert(log, probe);
    }

    pub(super) fn on_own_ids(&mut self, log: LogId, seqs: &[u64], held: &[HeldAt], out: &mut Outbox) {
        let Some(probe) = self.active.get_mut(&log) else { return };
        out.say(&Frame::Probe(log, seqs.to_vec()));
        probe.asked = Asked::Main(seqs.iter().copied().zip(held.iter().map(|held| held.main)).collect());
    }

    /// The spans to send, once they are known.
    pub(super) fn on_branches(
        &mut self,
        log: LogId,
        entries: Vec<(u64, EntryId)>,
        next: Option<u64>,
        out: &mut Outbox,
    ) -> Option<Vec<Span>> {
        if entries.is_empty() {
            return self.finish(log, out);
        }
        let probe = self.active.get_mut(&log)?;
        let seqs: BTreeSet<u64> = entries.iter().map(|(seq, _)| *seq).collect();
        out.say(&Frame::Probe(log, seqs.into_iter().collect()));
        probe.asked = Asked::Branches(entries, next);
        None
    }

    /// The peer named what it holds. Gives the spans to send, once they are known.
    pub(super) fn on_probed(
        &mut self,
        log: LogId,
        found: &[(u64, Vec<EntryId>)],
        out: &mut Outbox,
    ) -> Result<Option<Vec<Span>>, Close> {
        let unasked = Close::malformed("probed without a probe");
        let probe = self.active.get_mut(&log).ok_or(unasked)?;
        match std::mem::replace(&mut probe.asked, Asked::Nothing) {
            Asked::Nothing => Err(unasked),
            Asked::Main(ours) => {
                if !found.iter().map(|(seq, _)| seq).eq(ours.iter().map(|(seq, _)| seq)) {
                    return Err(Close::malformed("probed positions"));
                }
                probe.narrow(&ours, found);
                Ok(self.go_on(log, out))
            }
            Asked::Branches(ours, next) => {
                let held: BTreeMap<u64, &Vec<EntryId>> = found.iter().map(|(seq, ids)| (*seq, ids)).collect();
                if !ours.iter().all(|(seq, _)| held.contains_key(seq)) || held.len() > ours.len() {
                    return Err(Close::malformed("probed positions"));
                }
                for (seq, _) in ours.iter().filter(|(seq, id)| held.get(seq).is_some_and(|ids| !ids.contains(id))) {
                    probe.lack(log, *seq);
                }
                let Some(from) = next else { return Ok(self.finish(log, out)) };
                load_branches(log, from, out);
                Ok(None)
            }
        }
    }

    /// Reads what the peer asked for.
    pub(super) fn on_question(
        &mut self,
        log: LogId,
        seqs: Vec<u64>,
        is_held: bool,
        out: &mut Outbox,
    ) -> Result<(), Close> {
        if !is_held {
            out.say(&Frame::Probed(log, seqs.into_iter().map(|seq| (seq, Vec::new())).collect()));
            return Ok(());
        }
        self.answering += 1;
        out.load(Request::Ids(vec![(log, seqs.clone())]), Pending::AnswerIds(log, seqs));
        if self.answering > PROBES_MAX { Err(Close::limit("probes")) } else { Ok(()) }
    }

    pub(super) fn on_answer(&mut self, log: LogId, seqs: Vec<u64>, held: Vec<HeldAt>, out: &mut Outbox) {
        self.answering = self.answering.saturating_sub(1);
        let found = seqs.into_iter().zip(held.into_iter().map(|held| held.all)).collect();
        out.say(&Frame::Probed(log, found));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty() && self.waiting.is_empty()
    }

    fn go_on(&mut self, log: LogId, out: &mut Outbox) -> Option<Vec<Span>> {
        let probe = self.active.get(&log)?;
        if probe.low < probe.high {
            load_own(log, probe, &spread(probe.low, probe.high), out);
            None
        } else if probe.has_branches {
            load_branches(log, 0, out);
            None
        } else {
            self.finish(log, out)
        }
    }

    fn finish(&mut self, log: LogId, out: &mut Outbox) -> Option<Vec<Span>> {
        let Probe { low, high: _, height, has_branches: _, asked: _, lacking } = self.active.remove(&log)?;
        if let Some((next, probe)) = self.waiting.pop_front() {
            load_own(next, &probe, &first_seqs(probe.high), out);
            self.active.insert(next, probe);
        }
        let main = (low < height).then_some(Span { log, from: low, until: u64::MAX, part: Part::Main });
        Some(main.into_iter().chain(lacking).collect())
    }
}

impl Probe {
    fn narrow(&mut self, ours: &[(u64, Option<EntryId>)], found: &[(u64, Vec<EntryId>)]) {
        for ((seq, id), (_, ids)) in ours.iter().zip(found) {
            if id.is_some_and(|id| ids.contains(&id)) {
                self.low = self.low.max(*seq + 1);
            } else {
                self.high = self.high.min(*seq);
            }
        }
        // Answers that contradict each other: what is below the lowest missing one is what counts.
        self.low = self.low.min(self.high);
    }

    fn lack(&mut self, log: LogId, seq: u64) {
        match self.lacking.last_mut() {
            Some(span) if span.until >= seq => span.until = seq + 1,
            _ => self.lacking.push(Span { log, from: seq, until: seq + 1, part: Part::Branches }),
        }
    }
}

fn load_own(log: LogId, probe: &Probe, seqs: &[u64], out: &mut Outbox) {
    debug_assert!(probe.low < probe.high, "heights are at least 1");
    out.load(Request::Ids(vec![(log, seqs.to_vec())]), Pending::OwnIds(log, seqs.to_vec()));
}

fn load_branches(log: LogId, from: u64, out: &mut Outbox) {
    // One position may have more than one entry, so these are never more positions than a probe may ask for.
    out.load(Request::Branches { log, from, positions_max: PROBE_SEQS_MAX - 4 }, Pending::Branches(log));
}

/// 2^k below `height`, ascending: most histories part near the end.
fn first_seqs(height: u64) -> Vec<u64> {
    let mut seqs: Vec<u64> = (0..64).map_while(|k| height.checked_sub(1 << k)).collect();
    seqs.push(0);
    seqs.reverse();
    seqs.dedup();
    seqs
}

/// Positions from `low` to below `high`, evenly spread, the last one included.
fn spread(low: u64, high: u64) -> Vec<u64> {
    let count = (high - low).min(PROBE_SEQS_MAX as u64);
    (1..=count).map(|part| low + (high - low) * part / count - 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(branch: u8, seq: u64) -> EntryId {
        let mut bytes = [branch; 32];
        bytes[24..].copy_from_slice(&seq.to_be_bytes());
        EntryId::from_bytes(bytes)
    }

    /// Asks a peer that holds our main branch up to `parted`, and counts the questions.
    fn find(height: u64, parted: u64) -> (Vec<Span>, usize) {
        let (mut probes, mut out, log) = (Probes::default(), Outbox::default(), LogId::from_bytes([1; 32]));
        probes.begin(log, height, height, false, &mut out);
        for questions in 1.. {
            let action = out.next_action().expect("it reads its own ids first");
            let super::super::Action::Load { token: _, request: Request::Ids(logs) } = action else {
                panic!("{action:?}")
            };
            let seqs = logs[0].1.clone();
            assert!(seqs.len() <= PROBE_SEQS_MAX && seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
            let held = |seq: &u64| HeldAt { main: Some(id(1, *seq)), all: vec![id(1, *seq)] };
            probes.on_own_ids(log, &seqs, &seqs.iter().map(held).collect::<Vec<_>>(), &mut out);
            let their = |seq: &u64| (*seq, vec![id(if *seq < parted { 1 } else { 2 }, *seq)]);
            let found: Vec<_> = seqs.iter().map(their).collect();
            if let Some(spans) = probes.on_probed(log, &found, &mut out).expect("an honest answer") {
                assert!(probes.is_idle());
                return (spans, questions);
            }
        }
        unreachable!("it ends")
    }

    #[test]
    fn the_first_difference_is_found_in_few_questions() {
        let log = LogId::from_bytes([1; 32]);
        for (height, parted) in [(1, 0), (2, 1), (5, 3), (1000, 0), (1000, 999), (1000, 500), (1 << 20, 700_001)] {
            let (spans, questions) = find(height, parted);
            assert_eq!(spans, [Span { log, from: parted, until: u64::MAX, part: Part::Main }], "{height} {parted}");
            assert!(questions <= 4, "{height} {parted}: {questions}");
        }
        assert_eq!(find(7, 7).0, []);
    }
}
