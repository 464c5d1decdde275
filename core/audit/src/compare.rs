//! `compare`: two bags, two reports, or one of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use merestone_core::audit::bag::log_path;
use merestone_core::audit::compare::{Shown, ShownLog, ShownNote, Side, Sources, compare};
use merestone_core::audit::fast::read_item;
use merestone_core::audit::{Findings, Pass, REPORT_VERSION, Verdict, explain};
use merestone_core::id::{EntryId, LogId, MissionId, NoteHash, ScopeId, StatementId};
use merestone_core::merkle::NodeHash;
use merestone_core::witness::Quorum;
use serde::Deserialize;
use serde_json::json;

use crate::folder::{Folder, OpenError, printable};
use crate::json::charter::InForce;
use crate::leaves::roots_at;
use crate::reader::Items;
use crate::{Options, audit_folder, show};

/// Largest report that is read, in bytes.
const REPORT_BYTES_MAX: u64 = 256 << 20;

/// What was compared with what, and what was found.
#[derive(Clone, Debug)]
pub struct Compared {
    names: [String; 2],
    findings: Findings,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A bag cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A bag was given without the mission to judge it for.
    #[error("{path}: this is a bag, and a bag never says which mission it should be judged for; give --mission ID")]
    Mission {
        /// The bag.
        path: String,
    },
    /// Not the report of an audit, or one of another version.
    #[error("{path}: not a report of this version; give a bag, or the report.json that an audit of this version wrote")]
    Report {
        /// The file.
        path: String,
    },
}

/// Compares what two bags, or reports of bags, show.
///
/// # Errors
/// If one of them cannot be read as either.
pub fn compare_shown(
    a: &Path,
    b: &Path,
    mission: Option<MissionId>,
    options: &Options<'_>,
) -> Result<Compared, CompareError> {
    let sides = [read(a, mission, options)?, read(b, mission, options)?];
    let [a_shown, b_shown] = [sides[0].shown.clone(), sides[1].shown.clone()];
    let sizes = |notes: &Shown| notes.notes.keys().map(|(size, _)| *size).collect::<BTreeSet<u64>>();
    let roots = [sides[0].roots(&sizes(&b_shown), options), sides[1].roots(&sizes(&a_shown), options)];
    let findings = compare(&a_shown, &b_shown, &mut Read { sides, roots });
    let names = [a, b].map(|path| printable(&path.to_string_lossy()));
    Ok(Compared { names, findings })
}

impl Compared {
    /// What the findings add up to.
    pub fn verdict(&self) -> Verdict {
        self.findings.verdict()
    }

    /// What was found.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The comparison as lines to read in a terminal.
    pub fn to_text(&self) -> String {
        let [a, b] = &self.names;
        let mut out = String::new();
        // A String takes every text.
        _ = writeln!(out, "{}  A {a}, B {b}\n", self.verdict());
        for (weight, code, count) in self.findings.counts() {
            let times = if count == 1 { String::new() } else { format!(", {count} times") };
            let meaning = explain(code.as_str()).map_or("", |explanation| explanation.meaning);
            _ = writeln!(out, "  {:<8} {code}{times}\n           {meaning}", weight.as_str());
            let own = self.findings.iter().filter(|found| found.code == code && found.weight == weight);
            for finding in own.take(PLACES_SHOWN) {
                _ = writeln!(out, "           · {}: {}", show::place(&finding.place), finding.detail);
            }
            if count > PLACES_SHOWN as u64 {
                _ = writeln!(out, "           · and {} more", count - PLACES_SHOWN as u64);
            }
        }
        out
    }

    /// The comparison as JSON.
    pub fn to_json(&self) -> String {
        let found = |finding: merestone_core::audit::Finding| {
            json!({
                "weight": finding.weight.as_str(),
                "code": finding.code.as_str(),
                "log": finding.place.log.map(|id| id.to_string()),
                "seq": finding.place.seq,
                "entry": finding.place.entry.map(|id| id.to_string()),
                "statement": finding.place.statement.map(|id| id.to_string()),
                "detail": finding.detail,
            })
        };
        let counts: Vec<_> = self
            .findings
            .counts()
            .map(|(weight, code, count)| json!({"weight": weight.as_str(), "code": code.as_str(), "count": count}))
            .collect();
        let page = json!({
            "verdict": self.verdict().as_str(),
            "finding_counts": counts,
            "findings": self.findings.iter().map(found).collect::<Vec<_>>(),
        });
        format!("{page:#}\n")
    }
}

/// Findings of one code that are shown.
const PLACES_SHOWN: usize = 20;

struct Read {
    sides: [OneSide; 2],
    roots: [BTreeMap<u64, NodeHash>; 2],
}

struct OneSide {
    shown: Shown,
    bag: Option<Folder>,
}

impl OneSide {
    fn roots(&self, sizes: &BTreeSet<u64>, options: &Options<'_>) -> BTreeMap<u64, NodeHash> {
        self.bag.as_ref().map_or_else(BTreeMap::new, |bag| roots_at(bag, sizes, options))
    }
}

const fn at(side: Side) -> usize {
    match side {
        Side::A => 0,
        Side::B => 1,
    }
}

impl Sources for Read {
    fn has_entry(&mut self, side: Side, log: LogId, _: u64, id: EntryId) -> Option<bool> {
        let mut reader = self.sides[at(side)].bag.as_ref()?.log(&log_path(log)).ok()?;
        loop {
            let Ok(Items { bytes, .. }) = reader.next() else { return Some(false) };
            let mut rest = bytes.as_slice();
            while let Ok((entry, len)) = read_item(rest) {
                if entry.id() == id {
                    return Some(true);
                }
                rest = &rest[len..];
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    fn root_at(&mut self, side: Side, size: u64) -> Option<NodeHash> {
        self.roots[at(side)].get(&size).copied()
    }
}

fn read(path: &Path, mission: Option<MissionId>, options: &Options<'_>) -> Result<OneSide, CompareError> {
    let named = || printable(&path.to_string_lossy());
    if path.is_file() {
        let shown = read_report(path).ok_or_else(|| CompareError::Report { path: named() })?;
        return Ok(OneSide { shown, bag: None });
    }
    let bag = Folder::open(path)?;
    let mission = mission.ok_or_else(|| CompareError::Mission { path: named() })?;
    let report = audit_folder(path, mission, &Options { pass: Pass::Fast, records_max: 0, ..*options })?;
    Ok(OneSide { shown: Shown::of(report.facts()), bag: Some(bag) })
}

/// What a comparison needs of a report.
#[derive(Deserialize)]
struct Page {
    report_version: u64,
    mission: String,
    scopes_claimed: Option<Vec<String>>,
    charter: Option<InForce>,
    checkpoints: Vec<Note>,
    statements: Vec<String>,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Note {
    size: u64,
    root: String,
    notes: Vec<String>,
    leaves: String,
    signed_by_parties: Vec<u64>,
    silent_parties: Vec<u64>,
}

#[derive(Deserialize)]
struct Log {
    log: String,
    scope: Option<String>,
    entries: u64,
    top_seq: Option<u64>,
    head: Option<String>,
}

fn read_report(path: &Path) -> Option<Shown> {
    let bytes = std::fs::metadata(path).ok().filter(|meta| meta.len() <= REPORT_BYTES_MAX)?;
    let page: Page =
        (bytes.len() > 0).then(|| std::fs::read(path).ok())?.and_then(|b| serde_json::from_slice(&b).ok())?;
    if page.report_version != REPORT_VERSION {
        return None;
    }
    let note = |note: &Note| {
        let root = data_encoding::HEXLOWER.decode(note.root.as_bytes()).ok()?.try_into().ok()?;
        let hash = NoteHash::from_hex(note.notes.first()?)?;
        let signed = note.signed_by_parties.len();
        let is_handed_out = signed >= Quorum::of(signed + note.silent_parties.len()).shown();
        Some(((note.size, root), ShownNote { hash, is_matching: note.leaves == "matching", is_handed_out }))
    };
    let log = |log: &Log| {
        let head = match &log.head {
            Some(head) => Some(EntryId::from_hex(head)?),
            None => None,
        };
        let scope = log.scope.as_ref().and_then(|scope| ScopeId::from_hex(scope));
        Some((LogId::from_hex(&log.log)?, ShownLog { scope, entries: log.entries, top: log.top_seq.zip(head) }))
    };
    Some(Shown {
        mission: MissionId::from_hex(&page.mission)?,
        scopes: match page.scopes_claimed {
            Some(scopes) => Some(scopes.iter().map(|scope| ScopeId::from_hex(scope)).collect::<Option<_>>()?),
            None => None,
        },
        charter: match page.charter {
            Some(charter) => Some(charter.read()?),
            None => None,
        },
        logs: page.logs.iter().map(log).collect::<Option<_>>()?,
        statements: page.statements.iter().map(|id| StatementId::from_hex(id)).collect::<Option<_>>()?,
        notes: page.checkpoints.iter().map(note).collect::<Option<_>>()?,
    })
}
