//! Who said to hold a copy of what, what was erased, and what each scope lacks.

use std::collections::BTreeMap;

use super::logs::LogSummary;
use crate::erasure::{Erased, ErasureReason};
use crate::id::{EntryId, LogId, RecordId, ScopeId, StatementId, StoreId};
use crate::roster::{Charter, PartyNumber, Roster};

/// Most stores that are named as holders of one log.
pub const HOLDERS_MAX: usize = 16;

/// A store that said, over its key's signature, that it held a log.
///
/// A receipt has no time of its own; its counter orders those of one store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The log.
    pub log: LogId,
    /// The party whose key signed.
    pub party: PartyNumber,
    /// The person in the certificate.
    pub observer: String,
    /// The device in the certificate.
    pub device: String,
    /// The store.
    pub store: StoreId,
    /// Which receipt of the store it is.
    pub counter: u64,
    /// Entries from seq 0 on that it held.
    pub height: u64,
    /// The last of them.
    pub head: EntryId,
    /// How many of their bodies it had not.
    pub bodies_missing: u64,
    /// The receipt.
    pub receipt: StatementId,
}

/// The holders of each log that has a file, by log; of one log those with the lowest party, person and device.
pub fn holders(roster: &Roster, logs: &BTreeMap<LogId, LogSummary>) -> Vec<Holder> {
    let mut found: BTreeMap<LogId, Vec<Holder>> = BTreeMap::new();
    for receipt in roster.receipts() {
        let certificate = roster.certificate(receipt.certificate());
        let name = |pick: fn(&crate::roster::EnrolmentRequest) -> &str| {
            certificate.map_or_else(String::new, |certificate| pick(certificate.request()).to_owned())
        };
        for held in receipt.logs().iter().filter(|held| logs.contains_key(&held.log)) {
            let of_log = found.entry(held.log).or_default();
            of_log.push(Holder {
                log: held.log,
                party: receipt.party(),
                observer: name(|request| request.observer()),
                device: name(|request| request.device()),
                store: receipt.store(),
                counter: receipt.counter(),
                height: held.height,
                head: held.head,
                bodies_missing: held.missing,
                receipt: receipt.id(),
            });
            if of_log.len() > 4 * HOLDERS_MAX {
                of_log.sort_unstable();
                of_log.truncate(HOLDERS_MAX);
            }
        }
    }
    for of_log in found.values_mut() {
        of_log.sort_unstable();
        of_log.truncate(HOLDERS_MAX);
    }
    found.into_values().flatten().collect()
}

/// An erasure, as the parties signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureFacts {
    /// The erasure.
    pub id: StatementId,
    /// The record.
    pub record: RecordId,
    /// Whether it is one photo of the record and not all of it.
    pub is_photo: bool,
    /// Why.
    pub reason: ErasureReason,
    /// Who signed.
    pub parties: Vec<PartyNumber>,
}

/// Every erasure, ascending by id.
pub fn erasures(roster: &Roster) -> Vec<ErasureFacts> {
    let facts = |erasure: &crate::erasure::Erasure| ErasureFacts {
        id: erasure.id(),
        record: erasure.record(),
        is_photo: matches!(erasure.erased(), Erased::Photo(_)),
        reason: erasure.reason(),
        parties: erasure.parties().to_vec(),
    };
    roster.erasures().map(facts).collect()
}

/// What was counted in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeFacts {
    /// The scope.
    pub scope: ScopeId,
    /// Whether the bag claims to hold it.
    pub is_claimed: bool,
    /// Logs with an authentic entry.
    pub logs: u64,
    /// Entries.
    pub entries: u64,
    /// Bodies that are not there, erased or not.
    pub withheld: u64,
    /// Those of them that an erasure covers; of the full pass.
    pub erased: u64,
    /// Entries that the ledger has and the bag has not, of logs that have a file.
    pub left_out: u64,
}

/// The charter's scopes, in its order.
pub fn by_scope(charter: &Charter, claimed: Option<&[ScopeId]>, logs: &BTreeMap<LogId, LogSummary>) -> Vec<ScopeFacts> {
    let facts = |scope: ScopeId| {
        let own = || logs.values().filter(|log| log.owner.is_some_and(|owner| owner.scope == scope));
        ScopeFacts {
            scope,
            is_claimed: claimed.is_none_or(|claimed| claimed.contains(&scope)),
            logs: own().count() as u64,
            entries: own().map(|log| log.entries).sum(),
            withheld: own().map(|log| log.withheld).sum(),
            erased: 0,
            left_out: own().map(|log| log.left_out).sum(),
        }
    };
    charter.scopes.iter().map(|scope| facts(scope.id)).collect()
}
