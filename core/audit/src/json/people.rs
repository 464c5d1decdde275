//! Who signs, and which logs there are.

use merestone_core::audit::Person;
use merestone_core::audit::logs::LogSummary;
use merestone_core::roster::Attestation;
use serde::Serialize;

use crate::Report;
use crate::show;

#[derive(Serialize)]
pub(super) struct Someone<'a> {
    party: u64,
    party_name: String,
    observer: &'a str,
    device: &'a str,
    role: &'static str,
    key: String,
    certificate: String,
    is_cut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<Attested>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    entries: u64,
    receipts: u64,
    logs: Vec<String>,
}

impl<'a> Someone<'a> {
    pub(super) fn of(report: &Report, person: &'a Person) -> Self {
        let Person { party, observer, device, key, certificate, role, is_cut, .. } = person;
        let Person { attestation, replaces, logs, entries, receipts, .. } = person;
        Self {
            party: party.0,
            party_name: show::party_name(&report.facts, *party),
            observer,
            device,
            role: role.name(),
            key: show::hex(key),
            certificate: certificate.to_string(),
            is_cut: *is_cut,
            attestation: attestation.as_ref().map(Attested::of),
            replaces: replaces.as_ref().map(|key| show::hex(key)),
            entries: *entries,
            receipts: *receipts,
            logs: logs.iter().map(|log| log.to_string()).collect(),
        }
    }
}

/// The attestation that a request names.
#[derive(Serialize)]
struct Attested {
    bytes: u64,
    sha256: String,
    /// Always false: what the maker of a device says is for others to check.
    checked: bool,
}

impl Attested {
    fn of(named: &Attestation) -> Self {
        Self { bytes: named.bytes(), sha256: show::hex(named.digest()), checked: false }
    }
}

#[derive(Serialize)]
pub(super) struct Log {
    log: String,
    key: Option<String>,
    scope: Option<String>,
    scope_name: Option<String>,
    epoch: Option<String>,
    entries: u64,
    height: u64,
    top_seq: Option<u64>,
    head: Option<String>,
    bodies_withheld: u64,
    covered_by_cuts: u64,
    forks: u64,
    in_ledger: u64,
    in_ledger_final: u64,
    left_out: u64,
}

impl Log {
    pub(super) fn of(report: &Report, log: &LogSummary) -> Self {
        Self {
            log: log.log.to_string(),
            key: log.owner.map(|owner| show::hex(&owner.key)),
            scope: log.owner.map(|owner| owner.scope.to_string()),
            scope_name: log.owner.map(|owner| show::scope_name(&report.facts, owner.scope)),
            epoch: log.owner.map(|owner| owner.epoch.to_string()),
            entries: log.entries,
            height: log.height,
            top_seq: log.top.map(|(seq, _)| seq),
            head: log.top.map(|(_, id)| id.to_string()),
            bodies_withheld: log.withheld,
            covered_by_cuts: log.covered,
            forks: log.forks,
            in_ledger: log.in_ledger,
            in_ledger_final: log.in_final,
            left_out: log.left_out,
        }
    }
}
