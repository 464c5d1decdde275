//! All log files: read in stretches, judged on all cores, put in order.
//!
//! Stretches are gathered into *waves*. A wave is judged on all cores and then walked in the order of the files, so
//! that memory holds one wave and the result depends on nothing but the bytes.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::audit::fast::{Checked, check_entries};
use merestone_core::audit::index::{EntryIndex, LOGS_MAX, Row};
use merestone_core::audit::ledger::LedgerView;
use merestone_core::audit::logs::LogSummary;
use merestone_core::audit::walk::{Grounds, LogWalk, WalkedLog};
use merestone_core::audit::{BagCode, Findings, Place};
use merestone_core::id::{EntryId, LogId, MissionId};
use merestone_core::key::KeyCache;
use merestone_core::roster::{Chains, LogIndex};

use crate::cores::{Cores, on_cores};
use crate::folder::{Folder, Listed};
use crate::reader::Stretch;
use crate::{Options, Progress};

/// Bytes of log files for each core in a wave: long enough that waiting for the last stretch costs little.
const WAVE_BYTES: usize = 4 << 20;

/// What reading the logs gives.
pub(crate) struct Logs {
    pub(crate) summaries: BTreeMap<LogId, LogSummary>,
    pub(crate) index: EntryIndex,
    pub(crate) forked: ForkedChains,
    /// Files that were read to their end, so that their hash can be compared.
    pub(crate) whole: BTreeSet<String>,
}

/// The chains of the forked logs of keys that were cut; every other log counts as one chain.
#[derive(Default)]
pub(crate) struct ForkedChains {
    logs: BTreeMap<LogId, LogIndex>,
}

impl Chains for ForkedChains {
    fn is_linear(&self, log: LogId) -> bool {
        self.logs.get(&log).is_none_or(|chains| chains.is_linear(log))
    }

    fn prev(&self, entry: EntryId) -> Option<EntryId> {
        self.logs.values().find_map(|chains| chains.prev(entry))
    }
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
    let logs = Logs {
        summaries: BTreeMap::new(),
        index: EntryIndex::new(),
        forked: ForkedChains::default(),
        whole: BTreeSet::new(),
    };
    let caches = Cores::new(options.threads, KeyCache::new);
    let mut scan = Scan { mission, grounds, ledger, findings, caches, wave: Vec::new(), bytes: 0, current: None, logs };
    let total = files.iter().map(|(file, _)| file.bytes()).sum();
    let mut done = 0;
    for (number, (file, log)) in files.iter().enumerate() {
        let Some(number) = u16::try_from(number).ok().filter(|_| number < LOGS_MAX) else {
            scan.findings.add(BagCode::BagUnreadable, Place::file(&file.path), "more logs than a mission has");
            continue;
        };
        scan.add(Step::Begin { number, log: *log });
        let mut reader = folder.log(&file.path).ok();
        loop {
            let stretch = reader.as_mut().map_or(Stretch::Unreadable, |reader| reader.next());
            let is_last = !stretch.is_items();
            if let Stretch::Items { bytes, .. } = &stretch {
                done += bytes.len() as u64;
            }
            let is_settled = scan.add(Step::Stretch { path: &file.path, stretch });
            if is_settled {
                options.tell(Progress { stage: "reading logs", done, total });
            }
            if is_last {
                break;
            }
        }
    }
    scan.settle();
    options.tell(Progress { stage: "reading logs", done, total });
    scan.logs
}

struct Scan<'a, 'b> {
    mission: MissionId,
    grounds: Grounds<'a>,
    ledger: &'b mut LedgerView,
    findings: &'b mut Findings,
    caches: Cores<KeyCache>,
    wave: Vec<Step<'a>>,
    bytes: usize,
    current: Option<LogWalk<'a>>,
    logs: Logs,
}

enum Step<'a> {
    Begin { number: u16, log: LogId },
    Stretch { path: &'a str, stretch: Stretch },
}

impl<'a> Scan<'a, '_> {
    /// Adds a step, and judges the wave when it is full.
    fn add(&mut self, step: Step<'a>) -> bool {
        if let Step::Stretch { stretch: Stretch::Items { bytes, .. }, .. } = &step {
            self.bytes += bytes.len();
        }
        self.wave.push(step);
        let is_full = self.bytes >= self.caches.len() * WAVE_BYTES;
        if is_full {
            self.settle();
        }
        is_full
    }

    fn settle(&mut self) {
        let wave = std::mem::take(&mut self.wave);
        self.bytes = 0;
        let stretches: Vec<(u64, &[u8])> = wave
            .iter()
            .filter_map(|step| match step {
                Step::Stretch { stretch: Stretch::Items { offset, bytes }, .. } => Some((*offset, bytes.as_slice())),
                Step::Stretch { .. } | Step::Begin { .. } => None,
            })
            .collect();
        let (mission, pass) = (self.mission, self.grounds.pass);
        let judged: Vec<Vec<Checked>> = on_cores(&mut self.caches, &stretches, |keys, &(offset, bytes)| {
            check_entries(bytes, offset, mission, pass, keys)
        });
        let mut judged = judged.into_iter();
        let mut rows: Vec<Row> = Vec::new();
        for step in &wave {
            match step {
                Step::Begin { number, log } => {
                    self.finish();
                    self.current = Some(LogWalk::new(self.grounds, *number, *log, self.ledger.take_log(*log)));
                }
                Step::Stretch { path, stretch } => self.walk(path, stretch, &mut judged, &mut rows),
            }
        }
        if self.current.is_some() && matches!(wave.last(), Some(Step::Stretch { stretch, .. }) if !stretch.is_items()) {
            self.finish();
        }
        self.logs.index.add(rows);
    }

    fn walk(
        &mut self,
        path: &str,
        stretch: &Stretch,
        judged: &mut impl Iterator<Item = Vec<Checked>>,
        rows: &mut Vec<Row>,
    ) {
        let Some(walk) = self.current.as_mut() else { return };
        match stretch {
            Stretch::Items { .. } => walk.take(&judged.next().unwrap_or_default(), rows, self.findings),
            Stretch::Broken { offset, refused } => walk.break_off(*offset, *refused, self.findings),
            Stretch::Unreadable => {
                self.findings.add(BagCode::BagUnreadable, Place::file(path), "not readable to its end");
            }
            Stretch::End => {
                self.logs.whole.insert(path.to_owned());
            }
        }
    }

    fn finish(&mut self) {
        let Some(walk) = self.current.take() else { return };
        let WalkedLog { summary, chains, logged } = walk.finish(self.findings);
        if let Some(logged) = logged {
            self.ledger.put_back(summary.log, logged);
        }
        if let Some(chains) = chains {
            self.logs.forked.logs.insert(summary.log, chains);
        }
        self.logs.summaries.insert(summary.log, summary);
    }
}
