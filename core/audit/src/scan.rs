//! All log files: read in stretches, judged on all cores, put in order.
//!
//! Stretches are gathered into *waves*. While a wave is judged on all cores, the one before is walked in the order of the
//! files and the next is read, so that memory holds three waves and the result depends on nothing but the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Zip;
use std::ops::RangeInclusive;
use std::slice;

use merestone_core::audit::fast::{Checked, check_entries};
use merestone_core::audit::index::{EntryIndex, LOGS_MAX, Row};
use merestone_core::audit::ledger::LedgerView;
use merestone_core::audit::logs::LogSummary;
use merestone_core::audit::times::Since;
use merestone_core::audit::walk::{CutLog, Grounds, LogWalk, WalkedLog};
use merestone_core::audit::{BagCode, Findings, Place};
use merestone_core::entry::LogHead;
use merestone_core::id::{LogId, MissionId};
use merestone_core::key::KeyCache;
use merestone_core::roster::LogIndex;

use crate::cores::{Cores, on_cores_beside};
use crate::folder::{Folder, Listed};
use crate::reader::{Items, LogReader, Stop};
use crate::{Options, Progress};

/// Bytes of log files for each core in a wave: long enough that waiting for the last stretch costs little.
const WAVE_BYTES: usize = 4 << 20;

/// What reading the logs gives.
#[derive(Default)]
pub(crate) struct Logs {
    pub(crate) summaries: BTreeMap<LogId, LogSummary>,
    pub(crate) index: EntryIndex,
    pub(crate) since: BTreeMap<LogId, Since>,
    pub(crate) cut: CutLogs,
    /// Files that were read to their end, so that their hash can be compared.
    pub(crate) whole: BTreeSet<String>,
}

/// The logs of keys that were cut.
#[derive(Default)]
pub(crate) struct CutLogs {
    pub(crate) chains: LogIndex,
    /// Entries that the leaves in the bag show to be final, by key.
    pub(crate) finals: Vec<([u8; 32], LogHead, u64)>,
}

/// Reads and judges every log. The number of a log is its place in `files`.
pub(crate) fn read_logs(
    folder: &Folder,
    mission: MissionId,
    files: &[(&Listed, LogId)],
    grounds: Grounds<'_>,
    ledger: &mut LedgerView,
    options: &Options<'_>,
    findings: &mut Findings,
) -> Logs {
    for (file, _) in files.iter().skip(LOGS_MAX) {
        findings.add(BagCode::BagUnreadable, Place::file(&file.path), "more logs than a mission has");
    }
    let files = &files[..files.len().min(LOGS_MAX)];
    let mut caches = Cores::new(options.threads, KeyCache::new);
    let wave_bytes = caches.len() * WAVE_BYTES;
    let mut steps = Steps { folder, files: (0..=u16::MAX).zip(files), current: None, read: 0 };
    let mut walker = Walker { grounds, ledger, findings, current: None, logs: Logs::default() };
    let total = files.iter().map(|(file, _)| file.bytes()).sum();
    let mut wave = steps.wave(wave_bytes);
    let mut judged = Vec::new();
    while !wave.is_empty() {
        let stretches: Vec<&Items> = wave.iter().filter_map(Step::items).collect();
        // One core walks what was judged and reads what comes next, while the others judge.
        let (now_judged, next) = on_cores_beside(
            &mut caches,
            &stretches,
            |keys, items| check_entries(&items.bytes, items.offset, mission, grounds.pass, keys),
            || {
                walker.take(std::mem::take(&mut judged));
                steps.wave(wave_bytes)
            },
        );
        let mut now_judged = now_judged.into_iter();
        let wave = std::mem::replace(&mut wave, next).into_iter();
        judged = wave.map(|step| step.with_items(|_| now_judged.next().unwrap_or_default())).collect();
        options.tell(Progress { stage: "reading logs", done: steps.read, total });
    }
    walker.take(judged);
    walker.logs
}

/// One step of reading the files from the first to the last; `I` are items, as they were read or as they were judged.
enum Step<'a, I> {
    /// A log begins; what follows is of it.
    Begin {
        number: u16,
        log: LogId,
        path: &'a str,
    },
    Items(I),
    Stop(Stop),
}

impl<'a, I> Step<'a, I> {
    fn items(&self) -> Option<&I> {
        match self {
            Step::Items(items) => Some(items),
            Step::Begin { .. } | Step::Stop(_) => None,
        }
    }

    fn with_items<J>(self, change: impl FnOnce(I) -> J) -> Step<'a, J> {
        match self {
            Step::Begin { number, log, path } => Step::Begin { number, log, path },
            Step::Items(items) => Step::Items(change(items)),
            Step::Stop(stop) => Step::Stop(stop),
        }
    }
}

/// The files, read in waves.
struct Steps<'a, 'b> {
    folder: &'b Folder,
    files: Zip<RangeInclusive<u16>, slice::Iter<'b, (&'a Listed, LogId)>>,
    current: Option<LogReader>,
    read: u64,
}

impl<'a> Steps<'a, '_> {
    /// The next steps, with at least `bytes_min` bytes of items but for the last ones; none at the end.
    fn wave(&mut self, bytes_min: usize) -> Vec<Step<'a, Items>> {
        let (mut wave, mut bytes) = (Vec::new(), 0);
        while bytes < bytes_min {
            if let Some(reader) = self.current.as_mut() {
                match reader.next() {
                    Ok(items) => {
                        bytes += items.bytes.len();
                        wave.push(Step::Items(items));
                    }
                    Err(stop) => {
                        self.current = None;
                        wave.push(Step::Stop(stop));
                    }
                }
            } else {
                let Some((number, &(file, log))) = self.files.next() else { break };
                wave.push(Step::Begin { number, log, path: &file.path });
                match self.folder.log(&file.path) {
                    Ok(reader) => self.current = Some(reader),
                    Err(_) => wave.push(Step::Stop(Stop::Unreadable)),
                }
            }
        }
        self.read += bytes as u64;
        wave
    }
}

/// Puts what was judged in order: one log after the other, from its first entry to its last.
struct Walker<'a, 'b> {
    grounds: Grounds<'a>,
    ledger: &'b mut LedgerView,
    findings: &'b mut Findings,
    current: Option<(LogWalk<'a>, &'a str)>,
    logs: Logs,
}

impl<'a> Walker<'a, '_> {
    fn take(&mut self, judged: Vec<Step<'a, Vec<Checked>>>) {
        let mut rows: Vec<Row> = Vec::new();
        for step in judged {
            match (step, self.current.as_mut()) {
                (Step::Begin { number, log, path }, _) => {
                    let walk = LogWalk::new(self.grounds, number, log, self.ledger.take_log(log));
                    self.current = Some((walk, path));
                }
                (Step::Items(items), Some((walk, _))) => walk.take(&items, &mut rows, self.findings),
                (Step::Stop(stop), Some((walk, path))) => {
                    match stop {
                        Stop::Broken { offset, refused } => walk.break_off(offset, refused, self.findings),
                        Stop::Unreadable => {
                            self.findings.add(BagCode::BagUnreadable, Place::file(path), "not readable to its end");
                        }
                        Stop::End => {
                            self.logs.whole.insert((*path).to_owned());
                        }
                    }
                    self.finish(&mut rows);
                }
                // Every log begins.
                (Step::Items(_) | Step::Stop(_), None) => {}
            }
        }
        self.logs.index.add(rows);
    }

    fn finish(&mut self, rows: &mut Vec<Row>) {
        let Some((walk, _)) = self.current.take() else { return };
        let WalkedLog { summary, cut, logged, since } = walk.finish(rows, self.findings);
        self.logs.since.insert(summary.log, since);
        if let Some(logged) = logged {
            self.ledger.put_back(summary.log, logged);
        }
        if let (Some(CutLog { chains, finals }), Some(owner)) = (cut, &summary.owner) {
            self.logs.cut.chains.join(chains);
            self.logs.cut.finals.extend(finals.into_iter().map(|(head, size)| (owner.key, head, size)));
        }
        self.logs.summaries.insert(summary.log, summary);
    }
}
