//! What a bag's statements say: the roster, and what receipts attest about logs.

use std::collections::{BTreeMap, BTreeSet};

use super::bag::{CHARTER, Part};
use super::finding::{BagCode, Findings, Place};
use super::ledger::LedgerView;
use crate::check::Check;
use crate::entry::LogHead;
use crate::id::{EntryId, FormHash, LogId, MissionId, StatementId};
use crate::roster::{Chains, Class, CompleteCharter, Coverage, Roster};

/// Reads the charter: the root that every other check hangs on. Without it nothing else can be judged.
pub fn read_charter(mission: MissionId, bytes: &[u8], findings: &mut Findings) -> Option<Roster> {
    match CompleteCharter::verify(bytes, mission) {
        Ok(charter) => Some(Roster::new(charter)),
        Err(refused) => {
            findings.refused(refused, Place::statement(StatementId::of(bytes), CHARTER));
            None
        }
    }
}

/// Verifies a statement, form or note of the bag and adds it to the roster.
///
/// Parts are to be shown in the order of [`Class::ALL`], which puts what judges before what it judges.
pub fn admit(roster: &mut Roster, part: Part, path: &str, bytes: &[u8], findings: &mut Findings) {
    let id = StatementId::of(bytes);
    let (class, is_named) = match part {
        Part::Statement(class, named) => (class, named == id),
        Part::Form(named) => (Class::Form, named == FormHash::of(bytes)),
        Part::Note => (Class::Note, true),
        // Cosigned notes come in through `ledger::Notes`.
        Part::CosignedNote(_, _) | Part::Bundle(_) => return,
        Part::Tag | Part::Charter | Part::Log(_) | Part::Photo(_) | Part::Foreign => return,
    };
    let place = Place::statement(id, path);
    if !is_named {
        findings.add(BagCode::BagMisnamed, place.clone(), "name and hash differ");
    }
    if let Err(refused) = roster.admit(class, bytes) {
        findings.refused(refused, place);
    }
}

/// The certificates that are in the ledger under a final checkpoint: by its leaves, or by an inclusion.
pub fn ledgered(roster: &Roster, ledger: &LedgerView) -> BTreeSet<StatementId> {
    let mut ledgered = ledger.ledgered();
    ledgered.extend(roster.ledgered());
    ledgered
}

/// Says which certificates are not in the ledger under a final checkpoint.
pub fn note_provisional(roster: &Roster, ledger: &LedgerView, findings: &mut Findings) {
    let ledgered = ledgered(roster, ledger);
    for certificate in roster.certificates().filter(|certificate| !ledgered.contains(&certificate.id())) {
        let place = Place { statement: Some(certificate.id()), ..Place::default() };
        let detail = match ledger.statement_place(certificate.id()) {
            None => "in no ledger yet",
            Some(_) => "in the ledger, under no final checkpoint",
        };
        findings.add(BagCode::CertificateProvisional, place, detail);
    }
}

/// What receipts say about logs.
#[derive(Clone, Debug, Default)]
pub struct Attested {
    logs: BTreeMap<LogId, Vec<Attestation>>,
}

/// A receipt says that a log had this entry at this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The position.
    pub seq: u64,
    /// The entry.
    pub head: EntryId,
    /// Whether the signer's own party cut the key: then a thief may have signed it.
    pub is_by_cut_key: bool,
    /// The receipt; of several that say the same, one whose key is not cut, then the lowest.
    pub receipt: StatementId,
}

impl Attested {
    /// Collects what the roster's receipts say.
    pub fn of(roster: &Roster, coverage: &Coverage) -> Self {
        let mut logs: BTreeMap<LogId, Vec<Attestation>> = BTreeMap::new();
        for receipt in roster.receipts() {
            let is_by_cut_key = coverage.is_cut(receipt.signer().as_bytes(), receipt.party());
            for held in receipt.logs() {
                // A receipt counts at least one entry of each log it names.
                let seq = held.height.saturating_sub(1);
                let said = Attestation { seq, head: held.head, is_by_cut_key, receipt: receipt.id() };
                logs.entry(held.log).or_default().push(said);
            }
        }
        for said in logs.values_mut() {
            said.sort_unstable_by_key(|said| (said.seq, said.head, said.is_by_cut_key, said.receipt));
            said.dedup_by_key(|said| (said.seq, said.head));
        }
        Self { logs }
    }

    /// What is said about `log`, ascending by position.
    pub fn log(&self, log: LogId) -> &[Attestation] {
        self.logs.get(&log).map_or(&[], Vec::as_slice)
    }

    /// The logs that something is said about.
    pub fn logs(&self) -> impl Iterator<Item = LogId> {
        self.logs.keys().copied()
    }
}

/// What is assumed of logs before they are read: that each is one chain.
#[derive(Clone, Copy, Debug)]
pub struct AllLinear;

impl Chains for AllLinear {
    fn is_linear(&self, _: LogId) -> bool {
        true
    }

    fn prev(&self, _: EntryId) -> Option<EntryId> {
        None
    }
}

/// The position that a cut keeps, or that a later epoch of the same key names, and which log it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The log.
    pub log: LogId,
    /// The position in it.
    pub head: LogHead,
}

/// The positions that cuts keep: evidence that these entries existed.
pub fn kept_by_cuts(roster: &Roster) -> impl Iterator<Item = (StatementId, Expected)> {
    roster.cuts().flat_map(|cut| {
        let expected = |head: &LogHead| Expected { log: LogId::derive(cut.key(), head.scope, head.epoch), head: *head };
        cut.kept().iter().map(move |head| (cut.id(), expected(head)))
    })
}

/// Says that there is no charter to read, so that nothing else can be judged.
pub fn charter_missing(findings: &mut Findings, detail: &'static str) {
    findings.add(BagCode::BagUnreadable, Place::file(CHARTER), detail);
}

/// Says that `bag-info.txt` names another mission, or none.
pub fn other_mission(findings: &mut Findings, path: &str) {
    findings.add(Check::MissionMismatch, Place::file(path), "External-Identifier");
}
