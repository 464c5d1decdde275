//! What an audit found out, as data; the shell writes it as text, JSON or a page.

use std::collections::{BTreeMap, BTreeSet};

use super::Pass;
use super::charter::CharterInForce;
use super::custody::{ErasureFacts, Holder, ScopeFacts};
use super::detail::RecordDetail;
use super::finding::{Findings, Verdict};
use super::full::RecordOutcome;
use super::ledger::{Completeness, LedgerView, SeenNote};
use super::logs::LogSummary;
use super::times::Bounded;
use crate::id::{BlobHash, LogId, MissionId, RecordId, ScopeId, StatementId};
use crate::key::KEY_BYTES;
use crate::roster::{Attestation, Class, PartyNumber, Role, Roster};

/// The version of the report's own format.
pub const REPORT_VERSION: u64 = 2;

/// The result of an audit. The same bag, mission and pass give the same report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The mission asked for.
    pub mission: MissionId,
    /// The depth.
    pub pass: Pass,
    /// Everything found.
    pub findings: Findings,
    /// What the charter in force says, if the founding one is that of the mission.
    pub charter: Option<CharterFacts>,
    /// Everyone who is certified, by party, observer, device, key.
    pub people: Vec<Person>,
    /// Every log that has a file, ascending.
    pub logs: Vec<LogSummary>,
    /// What was counted.
    pub counts: Counts,
    /// How many entries have each standing; of the full pass.
    pub standings: BTreeMap<&'static str, u64>,
    /// The records with the lowest ids, as many as were asked for.
    pub records: Vec<RecordDetail>,
    /// Every checkpoint of the bag, ascending by size.
    pub notes: Vec<SeenNote>,
    /// Whether something was left out.
    pub completeness: Completeness,
    /// The scopes that the bag claims; `None` for all.
    pub scopes: Option<Vec<ScopeId>>,
    /// What was counted by scope.
    pub by_scope: Vec<ScopeFacts>,
    /// What the parties erased.
    pub erasures: Vec<ErasureFacts>,
    /// Who said to hold a copy of each log.
    pub holders: Vec<Holder>,
    /// Certificates, cuts, erasures, receipts, forms: every statement held but the charter and notes.
    pub statements: Vec<(Class, StatementId)>,
}

/// What the parties agreed on.
#[derive(Clone, Debug)]
pub struct CharterFacts {
    /// The mission's name.
    pub name: String,
    /// Number and name of each party.
    pub parties: Vec<(PartyNumber, String)>,
    /// Id and name of each scope.
    pub scopes: Vec<(ScopeId, String)>,
    /// Which of the mission's charters it is.
    pub in_force: CharterInForce,
}

/// One certified key: an observer on a device, a reviewer, an arbiter, a base camp.
#[derive(Clone, Debug)]
pub struct Person {
    /// The party that certified the key.
    pub party: PartyNumber,
    /// The name in the certificate.
    pub observer: String,
    /// The device in the certificate.
    pub device: String,
    /// The key.
    pub key: [u8; KEY_BYTES],
    /// The certificate.
    pub certificate: StatementId,
    /// What it lets the key do.
    pub role: Role,
    /// Whether the party cut the key.
    pub is_cut: bool,
    /// Which attestation of the key the request names; nobody here checked it.
    pub attestation: Option<Attestation>,
    /// The key that this one was to follow, as its request says.
    pub replaces: Option<[u8; KEY_BYTES]>,
    /// The key's logs under this certificate.
    pub logs: Vec<LogId>,
    /// Entries in them.
    pub entries: u64,
    /// Receipts in force that the key signed.
    pub receipts: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files in the bag.
    pub files: u64,
    /// Authentic entries.
    pub entries: u64,
    /// Logs with at least one authentic entry.
    pub logs: u64,
    /// Records, in the full pass.
    pub records: u64,
    /// Answers with more than one value that stands, in the full pass.
    pub conflicts: u64,
    /// Bodies that are not there, erased or not.
    pub bodies_withheld: u64,
    /// Bodies that an erasure covers: headers only. Of the full pass.
    pub bodies_erased: u64,
    /// Entries that a cut covers.
    pub covered: u64,
    /// Entries that name a checkpoint note.
    pub seen: u64,
    /// Entries in the ledger.
    pub in_ledger: u64,
    /// Leaves of the ledger that a checkpoint vouches for.
    pub leaves: u64,
    /// Between which times entries were signed.
    pub bounded: Bounded,
    /// Photos and renditions in the bag.
    pub photos: u64,
    /// Certificates.
    pub certificates: u64,
    /// Cuts.
    pub cuts: u64,
    /// Erasures.
    pub erasures: u64,
    /// Receipts that no later one covers.
    pub receipts: u64,
    /// Form definitions.
    pub forms: u64,
}

impl Report {
    /// A report about which only the mission is known.
    pub fn new(mission: MissionId, pass: Pass) -> Self {
        Self {
            mission,
            pass,
            findings: Findings::new(),
            charter: None,
            people: Vec::new(),
            logs: Vec::new(),
            counts: Counts::default(),
            standings: BTreeMap::new(),
            records: Vec::new(),
            notes: Vec::new(),
            completeness: Completeness::NotAssessed("the charter was not read"),
            scopes: None,
            by_scope: Vec::new(),
            erasures: Vec::new(),
            holders: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// What the findings add up to.
    pub fn verdict(&self) -> Verdict {
        self.findings.verdict()
    }

    /// Takes over what the roster, the ledger and the logs say.
    pub fn describe(&mut self, roster: &Roster, ledger: &LedgerView, logs: &BTreeMap<LogId, LogSummary>) {
        let charter = roster.charter().charter();
        self.charter = Some(CharterFacts {
            name: charter.name.clone(),
            parties: charter.parties.iter().map(|party| (party.number, party.name.clone())).collect(),
            scopes: charter.scopes.iter().map(|scope| (scope.id, scope.name.clone())).collect(),
            in_force: CharterInForce::of(roster),
        });
        self.people = people(roster, logs);
        self.notes = ledger.notes().to_vec();
        self.completeness = ledger.completeness();
        if let Completeness::AsOf(as_of) = &mut self.completeness {
            as_of.take_up(logs);
        }
        self.by_scope = super::custody::by_scope(charter, self.scopes.as_deref(), logs);
        self.erasures = super::custody::erasures(roster);
        self.holders = super::custody::holders(roster, logs);
        let told = |class: Class| !matches!(class, Class::Charter | Class::Note | Class::Cosignature);
        let classes = Class::ALL.into_iter().filter(|class| told(*class));
        self.statements = classes.flat_map(|class| roster.ids(class).into_iter().map(move |id| (class, id))).collect();
        self.logs = logs.values().cloned().collect();
        let total = |count: fn(&LogSummary) -> u64| logs.values().map(count).sum();
        let held = |class: Class| roster.ids(class).len() as u64;
        self.counts = Counts {
            entries: total(|log| log.entries),
            logs: logs.values().filter(|log| log.owner.is_some()).count() as u64,
            bodies_withheld: total(|log| log.withheld),
            covered: total(|log| log.covered),
            seen: total(|log| log.seen),
            in_ledger: total(|log| log.in_ledger),
            leaves: ledger.trusted(),
            // In the full pass records are asked, later.
            bounded: logs.values().fold(Bounded::default(), |sum, log| sum.plus(log.bounded)),
            certificates: held(Class::Certificate),
            cuts: held(Class::Cut),
            erasures: held(Class::Erasure),
            receipts: held(Class::Receipt),
            forms: held(Class::Form),
            ..self.counts
        };
    }
}

fn people(roster: &Roster, logs: &BTreeMap<LogId, LogSummary>) -> Vec<Person> {
    let cut: BTreeSet<_> =
        roster.cuts().flat_map(|cut| cut.by().parties().iter().map(|party| (*cut.key(), *party))).collect();
    let mut people: Vec<Person> = roster
        .certificates()
        .map(|certificate| {
            let key = *certificate.key().as_bytes();
            let own = logs.values().filter(|log| {
                log.owner.is_some_and(|owner| owner.key == key) && log.certificates.contains(&certificate.id())
            });
            let receipts = roster.receipts().filter(|receipt| receipt.certificate() == certificate.id());
            Person {
                party: certificate.party(),
                observer: certificate.request().observer().to_owned(),
                device: certificate.request().device().to_owned(),
                key,
                certificate: certificate.id(),
                role: certificate.role(),
                is_cut: cut.contains(&(key, certificate.party())),
                attestation: certificate.request().attestation().copied(),
                replaces: certificate.request().replaces().copied(),
                logs: own.clone().map(|log| log.log).collect(),
                entries: own.map(|log| log.entries).sum(),
                receipts: receipts.count() as u64,
            }
        })
        .collect();
    people.sort_by(|a, b| {
        (a.party, &a.observer, &a.device, a.certificate).cmp(&(b.party, &b.observer, &b.device, b.certificate))
    });
    people
}

/// What all records say together. Taking them in any order, and merging, gives the same.
#[derive(Debug, Default)]
pub struct Records {
    /// What was found.
    pub findings: Findings,
    /// How many entries have each standing.
    pub standings: BTreeMap<&'static str, u64>,
    /// How many records there are.
    pub count: u64,
    /// Answers in conflict.
    pub conflicts: u64,
    /// Photos and renditions that entries name.
    pub named: BTreeSet<BlobHash>,
    /// Bodies that an erasure covers, by scope.
    pub erased: BTreeMap<ScopeId, u64>,
    /// Between which times entries were signed.
    pub bounded: Bounded,
    details: BTreeMap<RecordId, RecordDetail>,
    details_max: usize,
}

impl Records {
    /// None, of which the `details_max` with the lowest ids will be kept in detail.
    pub fn new(details_max: usize) -> Self {
        Self { details_max, ..Self::default() }
    }

    /// Whether the detail of `record` would be kept as far as is known.
    pub fn wants(&self, record: RecordId) -> bool {
        let is_full = self.details.len() >= self.details_max;
        self.details_max > 0 && (!is_full || self.details.last_key_value().is_some_and(|(&last, _)| record < last))
    }

    /// Adds a record.
    pub fn add(&mut self, outcome: RecordOutcome) {
        let RecordOutcome { findings, standings, conflicts, named, erased, bounded, detail } = outcome;
        self.bounded = self.bounded.plus(bounded);
        self.findings.merge(findings);
        standings.into_iter().for_each(|(standing, count)| *self.standings.entry(standing).or_default() += count);
        self.conflicts += conflicts;
        self.count += 1;
        self.named.extend(named);
        erased.into_iter().for_each(|(scope, count)| *self.erased.entry(scope).or_default() += count);
        if let Some(detail) = detail {
            self.details.insert(detail.id, detail);
        }
        while self.details.len() > self.details_max {
            self.details.pop_last();
        }
    }

    /// The details kept, ascending by id.
    pub fn into_details(self) -> Vec<RecordDetail> {
        self.details.into_values().collect()
    }
}
