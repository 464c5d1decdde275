//! What a bag's statements say: the roster, and what receipts and successions attest about logs.

use std::collections::{BTreeMap, BTreeSet};

use super::bag::{CHARTER, Part, statement_path};
use super::finding::{BagCode, Code, Findings, Place, Weight};
use super::ledger::LedgerView;
use crate::check::Check;
use crate::entry::LogHead;
use crate::id::{EntryId, FormHash, LogId, MissionId, ScopeId, StatementId};
use crate::roster::{Chains, Class, CompleteCharter, Coverage, Link, Role, Roster, Shown};

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
    let id = part.class().map_or_else(|| StatementId::of(bytes), |class| class.id_of(bytes));
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
    match roster.admit(class, bytes) {
        Ok(_) => {}
        // `say_charter` says what came of it.
        Err(_) if is_judged_later(roster, class) && roster.waits(class, id) => {}
        Err(refused) => findings.refused(refused, place),
    }
}

/// Amendments come in the order of their ids, so that one may come before what it builds on; and after two rivals everything
/// that rests on either is one finding's matter.
fn is_judged_later(roster: &Roster, class: Class) -> bool {
    match class {
        Class::Amendment => true,
        Class::Note | Class::Cosignature => false,
        _ => roster.frozen().is_some(),
    }
}

/// Says which amendments keep each other out of force, and what waits although every statement was read.
pub fn say_charter(roster: &Roster, findings: &mut Findings) {
    for (class, id, _, refused) in roster.waiting().filter(|(class, ..)| is_judged_later(roster, *class)) {
        let place = Place { statement: Some(id), file: statement_path(class, id), ..Place::default() };
        match roster.frozen() {
            Some(_) => findings.add(BagCode::StatementWaits, place, refused.to_string()),
            None => findings.refused(refused, place),
        }
    }
    let Some(frozen) = roster.frozen() else { return };
    let both: Vec<String> = frozen.signed_both().iter().map(ToString::to_string).collect();
    for rival in &frozen.rivals {
        let place = Place { statement: Some(rival.statement), ..Place::default() };
        let detail =
            format!("charter {} after {}; party {} signed more than one", rival.id, frozen.charter, both.join(", "));
        findings.add(BagCode::AmendmentRivals, place, detail);
    }
}

/// The certificates that are in the ledger under a final checkpoint: by its leaves, or by an inclusion.
pub fn ledgered(roster: &Roster, ledger: &LedgerView) -> BTreeSet<StatementId> {
    let mut ledgered = ledger.ledgered();
    ledgered.extend(roster.ledgered());
    ledgered
}

/// What is shown of the ledger under final checkpoints: by inclusions, and of statements by the leaves in the bag.
///
/// A bag that leaves inclusions out and holds the leaves shows the same.
pub fn shown(roster: &Roster, ledger: &LedgerView) -> Shown {
    let mut shown = Shown::of(roster);
    for (id, place) in ledger.finally_stated() {
        shown.add_statement(id, place);
    }
    shown
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

/// What receipts and successions say about logs.
#[derive(Clone, Debug, Default)]
pub struct Attested {
    logs: BTreeMap<LogId, Vec<Attestation>>,
}

/// A receipt or a succession says that a log had this entry at this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The position.
    pub seq: u64,
    /// The entry.
    pub head: EntryId,
    /// What kind of statement says it.
    pub by: AttestedBy,
    /// The statement; of several that say the same, a base camp's receipt, then the lowest.
    pub statement: StatementId,
}

/// What attests an entry, the heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttestedBy {
    /// A receipt of a base camp.
    Receipt,
    /// A receipt of a key that is no base camp's, or that its own party cut: any observer's, or a thief's.
    DoubtfulReceipt,
    /// A succession, for a log of the old key in this scope: who signs it speaks of his own observer's logs.
    Succession(ScopeId),
}

impl Attestation {
    /// What it is that the entry is not there, if `of_receipt` is what it is of a receipt.
    pub fn missing_as(&self, of_receipt: BagCode) -> (BagCode, Weight) {
        match self.by {
            AttestedBy::Receipt => (of_receipt, Code::from(of_receipt).weight()),
            AttestedBy::DoubtfulReceipt => (of_receipt, Weight::Doubt),
            AttestedBy::Succession(_) => (BagCode::SuccessionHeadMissing, Weight::Doubt),
        }
    }
}

impl Attested {
    /// Collects what the roster's receipts and successions say.
    pub fn of(roster: &Roster, coverage: &Coverage) -> Self {
        let mut logs: BTreeMap<LogId, Vec<Attestation>> = BTreeMap::new();
        for receipt in roster.receipts() {
            let role = roster.certificate(receipt.certificate()).map(|certificate| certificate.role());
            let is_cut = coverage.is_cut(receipt.signer().as_bytes(), receipt.party());
            let by = match role == Some(Role::Camp) && !is_cut {
                true => AttestedBy::Receipt,
                false => AttestedBy::DoubtfulReceipt,
            };
            for held in receipt.logs() {
                // A receipt counts at least one entry of each log it names.
                let seq = held.height.saturating_sub(1);
                let said = Attestation { seq, head: held.head, by, statement: receipt.id() };
                logs.entry(held.log).or_default().push(said);
            }
        }
        for succession in roster.successions() {
            for head in succession.heads() {
                let log = LogId::derive(succession.old(), head.scope, head.epoch);
                let by = AttestedBy::Succession(head.scope);
                let said = Attestation { seq: head.seq, head: head.id, by, statement: succession.id() };
                logs.entry(log).or_default().push(said);
            }
        }
        for said in logs.values_mut() {
            said.sort_unstable_by_key(|said| (said.seq, said.head, said.by, said.statement));
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

/// What is known of logs before they are read: nothing is held, and none is forked.
#[derive(Clone, Copy, Debug)]
pub struct NothingHeld;

impl Chains for NothingHeld {
    fn is_linear(&self, _: LogId) -> bool {
        true
    }

    fn height(&self, _: LogId) -> u64 {
        0
    }

    fn link(&self, _: EntryId) -> Option<Link> {
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
