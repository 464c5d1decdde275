//! What is known of logs when all of them were read, and what the bag lacks of them.

use std::collections::{BTreeMap, BTreeSet};

use super::authority::{AttestedBy, Expected, kept_by_cuts};
use super::finding::{BagCode, Findings, Place};
use super::times::Bounded;
use super::walk::Grounds;
use crate::id::{EntryId, Epoch, LogId, ScopeId, StatementId};
use crate::key::KEY_BYTES;

/// What is known of a log after it was read.
#[derive(Clone, Debug)]
pub struct LogSummary {
    /// The log.
    pub log: LogId,
    /// Who signs it, where and in which epoch; `None` if the file holds no authentic entry of it.
    pub owner: Option<LogOwner>,
    /// The certificates named at seq 0: one, unless the log forked there.
    pub certificates: Vec<StatementId>,
    /// Authentic entries.
    pub entries: u64,
    /// How many entries from seq 0 on are there without a gap.
    pub height: u64,
    /// The greatest position with an authentic entry, and the lowest id at it.
    pub top: Option<(u64, EntryId)>,
    /// Bodies that are not there.
    pub withheld: u64,
    /// Entries that a cut covers.
    pub covered: u64,
    /// The first entry that a cut of one party covers although the bag does not show what was final before it, and the cut.
    pub unsettled: Option<(u64, EntryId, StatementId)>,
    /// Positions at which the log forks.
    pub forks: u64,
    /// Entries that name a checkpoint note.
    pub seen: u64,
    /// Those of them whose note is not there, or is not of the bag's leaves.
    pub seen_beyond: u64,
    /// Entries with a leaf in the ledger that a checkpoint vouches for.
    pub in_ledger: u64,
    /// Those of them under the last final checkpoint.
    pub in_final: u64,
    /// Entries that the ledger has and the bag has not.
    pub left_out: u64,
    /// Entries that the ledger has and the bag has not, where four siblings with lower ids are in the bag.
    pub displaced: u64,
    /// Between which times its entries were signed; of the fast pass.
    pub bounded: Bounded,
    /// The last known heads of earlier epochs of the key.
    pub earlier: Vec<Expected>,
}

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOwner {
    /// The key.
    pub key: [u8; KEY_BYTES],
    /// The scope.
    pub scope: ScopeId,
    /// The epoch.
    pub epoch: Epoch,
}

impl LogSummary {
    /// A log of which nothing was read yet.
    pub(super) fn new(log: LogId) -> Self {
        Self {
            log,
            owner: None,
            certificates: Vec::new(),
            entries: 0,
            height: 0,
            top: None,
            withheld: 0,
            covered: 0,
            unsettled: None,
            forks: 0,
            seen: 0,
            seen_beyond: 0,
            in_ledger: 0,
            in_final: 0,
            left_out: 0,
            displaced: 0,
            bounded: Bounded::default(),
            earlier: Vec::new(),
        }
    }
}

/// Says which logs are of scopes that the bag does not claim, and which attested, kept or named positions the bag does not reach, now that every log was read.
///
/// `absent` is the code for a log of which nothing is there: in a bag of some scopes it may belong to another one.
pub fn say_missing(
    logs: &BTreeMap<LogId, LogSummary>,
    grounds: Grounds<'_>,
    scopes: Option<&[ScopeId]>,
    findings: &mut Findings,
) {
    for summary in logs.values() {
        let is_claimed = |owner: &LogOwner| scopes.is_none_or(|scopes| scopes.contains(&owner.scope));
        if summary.owner.as_ref().is_some_and(|owner| !is_claimed(owner)) {
            let place = Place { log: Some(summary.log), ..Place::default() };
            findings.add(BagCode::LogForeignScope, place, "the bag does not claim its scope");
        }
    }
    say_unsettled(logs, findings);
    for log in grounds.attested.logs().filter(|log| !logs.contains_key(log)) {
        for said in grounds.attested.log(log) {
            if matches!(said.by, AttestedBy::Succession(scope) if scopes.is_some_and(|all| !all.contains(&scope))) {
                continue;
            }
            let place = Place { statement: Some(said.statement), ..Place::entry(log, said.seq, said.head) };
            let of_receipt = if scopes.is_none() { BagCode::ReceiptMissingTail } else { BagCode::ReceiptLogAbsent };
            let (code, weight) = said.missing_as(of_receipt);
            findings.add_as(weight, code, place, "nothing of this log is there");
        }
    }
    let is_beyond = |expected: &Expected| {
        let is_wanted = scopes.is_none_or(|scopes| scopes.contains(&expected.head.scope));
        let top = logs.get(&expected.log).and_then(|log| log.top);
        is_wanted && top.is_none_or(|(seq, _)| seq < expected.head.seq)
    };
    for (cut, expected) in kept_by_cuts(grounds.roster).filter(|(_, expected)| is_beyond(expected)) {
        let at = Place::entry(expected.log, expected.head.seq, expected.head.id);
        findings.add(BagCode::CutKeptMissing, Place { statement: Some(cut), ..at }, "the bag does not reach it");
    }
    for expected in logs.values().flat_map(|log| &log.earlier).filter(|expected| is_beyond(expected)) {
        let at = Place::entry(expected.log, expected.head.seq, expected.head.id);
        findings.add(BagCode::EarlierMissing, at, "the bag does not reach it");
    }
}

/// Says once for each key that entries of it may have been final before the cut that covers them.
fn say_unsettled(logs: &BTreeMap<LogId, LogSummary>, findings: &mut Findings) {
    let mut said = BTreeSet::new();
    for summary in logs.values() {
        let (Some(owner), Some((seq, id, cut))) = (&summary.owner, summary.unsettled) else { continue };
        if said.insert(owner.key) {
            let place = Place { statement: Some(cut), ..Place::entry(summary.log, seq, id) };
            findings.add(BagCode::CutFinalityUnknown, place, "covered, and perhaps final before the cut");
        }
    }
}
